"""Whether some arguments lead down a path to a bad end: asked of the bits first or of the integers, as a proof wants."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import z3
from z3 import BitVecRef, BoolRef, ExprRef, sat, unsat

from everstock.proofs.solver.integers import Integers
from everstock.proofs.solver.rewriting import Rewriter


class Method(StrEnum):
    """What a question is asked about."""

    BITS = "bits"
    """Words of 256 bits, with every product and quotient a circuit."""
    INTEGERS = "integers"
    """Integers, products and quotients by their definition."""
    ORDER = "order"
    """Integers, of whose products and quotients nothing is used but that they grow with their factors."""


class Answer(StrEnum):
    """Whether there are such arguments."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


@dataclass
class Outcome:
    """An answer, with arguments that show it if it is yes, or may show it if it is unknown, and how many operations wrapped."""

    answer: Answer
    example: dict[str, int] = field(default_factory=dict)
    wraps: int = 0


# Where an argument alone is compared with a number.
_SIGNED: Final = (z3.Z3_OP_SLEQ, z3.Z3_OP_SGEQ, z3.Z3_OP_SLT, z3.Z3_OP_SGT)


def ask(
    conditions: Iterable[BoolRef], arguments: Mapping[str, BitVecRef], method: Method, seconds: float
) -> Outcome:
    """Whether the conditions can all hold, within `seconds`."""
    if method is Method.BITS:
        return _ask_bits(list(conditions), arguments, seconds)
    return _ask_integers(list(conditions), arguments, method, seconds)


def _ask_bits(conditions: list[BoolRef], arguments: Mapping[str, BitVecRef], seconds: float) -> Outcome:
    rewrite = Rewriter(arithmetic=True)
    solver = z3.SolverFor("QF_AUFBV")
    solver.add(*map(rewrite, conditions))
    # z3 is quick or it is not; yices, whose way with circuits is another, has the rest of the time.
    first = min(seconds / 3, 10)
    solver.set(timeout=int(first * 1_000))
    result = solver.check()
    if result == unsat:
        return Outcome(Answer.NO)
    if result == sat:
        model = solver.model()
        return Outcome(Answer.YES, {name: _number(model, word) for name, word in arguments.items()})
    return Outcome(_yices(solver, seconds - first))


def plain_example(conditions: Iterable[BoolRef], arguments: Mapping[str, BitVecRef]) -> dict[str, int] | None:
    """Arguments for which those of the conditions hold that speak of no product or quotient of two unknowns, if any."""
    solver = z3.SolverFor("QF_AUFBV")
    rewrite = Rewriter(arithmetic=False)
    solver.add(*(plain for condition in conditions if "f_evm_" not in (plain := rewrite(condition)).sexpr()))
    if solver.check() != sat:
        return None
    model = solver.model()
    return {name: _number(model, word) for name, word in arguments.items()}


def _number(model: z3.ModelRef, word: ExprRef) -> int:
    return model.eval(word, model_completion=True).as_long()


def _yices(solver: z3.Solver, seconds: float) -> Answer:
    binary = shutil.which("yices-smt2", path=str(Path(sys.executable).parent))
    if binary is None:
        return Answer.UNKNOWN
    with tempfile.NamedTemporaryFile("w", suffix=".smt2") as file:
        file.write(f"(set-logic QF_AUFBV)\n{solver.to_smt2()}")
        file.flush()
        try:
            result = subprocess.run([binary, file.name], capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return Answer.UNKNOWN
    return {"unsat": Answer.NO, "sat": Answer.YES}.get(result.stdout.strip(), Answer.UNKNOWN)


def _ask_integers(
    conditions: list[BoolRef], arguments: Mapping[str, BitVecRef], method: Method, seconds: float
) -> Outcome:
    rewrite = Rewriter(arithmetic=False)
    conditions = [rewrite(condition) for condition in conditions]
    integers = Integers(intervals(conditions), opaque=method is Method.ORDER)
    translated = [integers.suppose(condition) for condition in conditions]
    assertions = [*integers.facts, *integers.order.lemmas(), *translated]
    # Two ways with integers; where one is lost the other often is done at once.
    for make, share in ((z3.Solver, 0.05), (_nonlinear, 0.05), (z3.Solver, 0.45), (_nonlinear, 0.45)):
        solver = make()
        solver.add(*assertions)
        solver.set(timeout=int(1_000 * seconds * share))
        result = solver.check()
        if result == unsat:
            return Outcome(Answer.NO, wraps=integers.wraps)
        if result == sat:
            model = solver.model()
            example = {name: _number(model, z3.Int(word.decl().name())) for name, word in arguments.items()}
            return Outcome(Answer.YES if integers.exact else Answer.UNKNOWN, example, integers.wraps)
    return Outcome(Answer.UNKNOWN, wraps=integers.wraps)


def _nonlinear() -> z3.Solver:
    return z3.SolverFor("QF_NIA")


def intervals(conditions: Sequence[BoolRef]) -> dict[str, tuple[int, int]]:
    """What conditions that compare one unknown word with a number say about its interval, by its name."""
    limits: dict[tuple[str, bool], list[int]] = {}
    sizes: dict[str, int] = {}
    for condition in conditions:
        _limit(condition, True, limits, sizes)
    found = {}
    for name, size in sizes.items():
        unsigned = limits.get((name, False), [0, 2**size - 1])
        signed = limits.get((name, True), [-(2 ** (size - 1)), 2 ** (size - 1) - 1])
        if unsigned != [0, 2**size - 1] and unsigned[1] < 2 ** (size - 1):
            found[name] = (max(unsigned[0], signed[0]), min(unsigned[1], signed[1]))
        elif signed[0] >= 0:
            found[name] = (max(signed[0], unsigned[0]), signed[1])
        elif (name, True) in limits:
            found[name] = (signed[0], signed[1])
        else:
            found[name] = (unsigned[0], unsigned[1])
    return {name: (low, max(low, high)) for name, (low, high) in found.items()}


def _limit(
    condition: BoolRef, holds: bool, limits: dict[tuple[str, bool], list[int]], sizes: dict[str, int]
) -> None:
    kind, children = condition.decl().kind(), condition.children()
    if kind == z3.Z3_OP_NOT:
        _limit(children[0], not holds, limits, sizes)
        return
    if kind == z3.Z3_OP_AND and holds:
        for child in children:
            _limit(child, True, limits, sizes)
        return
    if len(children) != 2 or not all(map(z3.is_bv, children)):
        return
    if kind == z3.Z3_OP_EQ and holds:
        _limit_high_bits(children, limits, sizes)
        return
    a, b = children
    size = a.size()
    signed = kind in _SIGNED
    match kind:
        case z3.Z3_OP_ULEQ | z3.Z3_OP_SLEQ:
            less, strict = (a, b), False
        case z3.Z3_OP_UGEQ | z3.Z3_OP_SGEQ:
            less, strict = (b, a), False
        case z3.Z3_OP_ULT | z3.Z3_OP_SLT:
            less, strict = (a, b), True
        case z3.Z3_OP_UGT | z3.Z3_OP_SGT:
            less, strict = (b, a), True
        case _:
            return
    if not holds:
        less, strict = less[::-1], not strict
    for position, word in enumerate(less):
        number = less[1 - position]
        if _is_unknown(word) and z3.is_bv_value(number):
            value = number.as_signed_long() if signed else number.as_long()
            limit = _limits(word, signed, limits, sizes, size)
            if position == 0:
                limit[1] = min(limit[1], value - strict)
            else:
                limit[0] = max(limit[0], value + strict)


def _limit_high_bits(
    children: list[ExprRef], limits: dict[tuple[str, bool], list[int]], sizes: dict[str, int]
) -> None:
    """The upper bits of a word are 0: z3's way to write that it is small."""
    for part, zero in (children, children[::-1]):
        if part.decl().kind() == z3.Z3_OP_EXTRACT and z3.is_bv_value(zero) and zero.as_long() == 0:
            high, low = part.params()
            word = part.arg(0)
            if _is_unknown(word) and high == word.size() - 1:
                limit = _limits(word, False, limits, sizes, word.size())
                limit[1] = min(limit[1], 2**low - 1)


def _limits(
    word: ExprRef, signed: bool, limits: dict[tuple[str, bool], list[int]], sizes: dict[str, int], size: int
) -> list[int]:
    name = word.decl().name()
    sizes[name] = size
    whole = [-(2 ** (size - 1)), 2 ** (size - 1) - 1] if signed else [0, 2**size - 1]
    return limits.setdefault((name, signed), whole)


def _is_unknown(term: ExprRef) -> bool:
    return z3.is_const(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED
