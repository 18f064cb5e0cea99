"""One proof: a job as JSON on standard input, its result as JSON on standard output.

A job has `codes` (runtime codes in hex by address), `target`, `abi`, `function` (its signature), `cases` (each gives some
arguments a value; one empty case leaves all open), `reason`, `method` and `seconds`, the time for each question.

Without a `reason` the function must return true inside its assumptions, with one it must revert for that reason. In either
case something must be inside them: an example is looked for, and without one nothing is proved.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from z3 import BitVecVal, BoolRef, is_bv_value, set_param

from everstock.proofs.solver.decide import Answer, Method, ask, plain_example
from everstock.proofs.solver.explore import ExplorationError, Paths, explore


def run(job: dict[str, Any]) -> dict[str, Any]:
    """The result: `verdict` (proved, refuted, undecided), `why`, `paths`, `wraps`, and an `example`."""
    result = {"verdict": "proved", "why": "", "paths": 0, "wraps": 0, "example": {}}
    for pins in job["cases"]:

        def follow(example: dict[str, int], pins: dict[str, int] = pins) -> Paths:
            return explore(job["codes"], job["target"], job["abi"], job["function"], {**pins, **example})

        try:
            paths = follow({})
            one = _decide(paths, follow, job)
        except ExplorationError as error:
            return {**result, "verdict": "undecided", "why": str(error)}
        result["paths"] += paths.count
        result["wraps"] = max(result["wraps"], one["wraps"])
        result |= {"verdict": one["verdict"], "why": one["why"], "example": {**pins, **one["example"]}}
        if result["verdict"] != "proved":
            break
    return result


def _decide(paths: Paths, again: Callable[[dict[str, int]], Paths], job: dict[str, Any]) -> dict[str, Any]:
    """The result of one case; `again` follows the function once more with its arguments given a value."""
    reason, method, seconds = job["reason"], Method(job["method"]), job["seconds"]
    bad = [[*conditions, word != BitVecVal(1, 256)] for conditions, word in paths.returned]
    bad += [conditions for conditions, _ in paths.reverted]
    if reason:
        bad = [conditions for conditions, _ in paths.returned]
        bad += [conditions for conditions, why in paths.reverted if why != reason]
    wraps = 0
    for conditions in bad:
        outcome = ask(conditions, paths.arguments, method, seconds)
        wraps = max(wraps, outcome.wraps)
        if outcome.answer is Answer.YES:
            return {"verdict": "refuted", "why": "", "wraps": wraps, "example": outcome.example}
        if outcome.answer is Answer.UNKNOWN:
            if outcome.example and not reason and _is_broken(again(outcome.example)):
                return {"verdict": "refuted", "why": "", "wraps": wraps, "example": outcome.example}
            return {"verdict": "undecided", "why": "out of time", "wraps": wraps, "example": {}}
    for conditions in _good(paths, reason):
        example = plain_example(conditions, paths.arguments)
        for ending in _good(again(example), reason) if example is not None else ():
            if ask(ending, {}, Method.BITS, seconds).answer is Answer.YES:
                return {"verdict": "proved", "why": "", "wraps": wraps, "example": example}
    return {"verdict": "undecided", "why": "nothing was found inside the assumptions", "wraps": wraps, "example": {}}


def _is_broken(paths: Paths) -> bool:
    """Whether a call whose arguments are all known ends badly."""
    return any(is_bv_value(word) and word.as_long() != 1 for _, word in paths.returned)


def _good(paths: Paths, reason: str) -> list[list[BoolRef]]:
    """The paths that end as they should, if anything goes down them."""
    if reason:
        return [conditions for conditions, why in paths.reverted if why == reason]
    return [conditions for conditions, _ in paths.returned]


def main() -> None:
    """Read, prove, write."""
    # Comparisons stay comparisons, rather than become ones of single bits.
    set_param("rewriter.bv_le2extract", False)
    # halmos follows nested terms by recursion.
    sys.setrecursionlimit(1 << 14)
    json.dump(run(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
