"""Runs properties, two at a time, each to its result."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Final

from everstock.chain.artifacts import ROOT
from everstock.proofs.contracts import ProofError, Workbench
from everstock.proofs.properties import Proof, Result, Sweep, Verdict

WORKERS: Final = 2

# The solvers' own environment, which `make proofs` installs.
PYTHON: Final = ROOT / ".venv-proofs" / "bin" / "python"
# Where halmos may leave what it would leave in a home.
HOME: Final = ROOT / "build" / "proofs"


def run(
    properties: Sequence[Proof | Sweep], bench: Workbench, *, quick: bool = False, workers: int = WORKERS
) -> Iterator[Result]:
    """The result of each property, as it comes. With `quick` sweeps take their small domains."""
    # Deployed one after the other: a workbench is not made for two at a time.
    for one in properties:
        for making in one.makings if isinstance(one, Proof) else (None,):
            bench.deployed(one.contract, making)
    pool = ThreadPoolExecutor(workers)
    try:
        for done in as_completed([pool.submit(_run, one, bench, quick) for one in properties]):
            yield done.result()
    finally:
        # Whoever gives up does not wait for what has not begun.
        pool.shutdown(wait=False, cancel_futures=True)


def _run(one: Proof | Sweep, bench: Workbench, quick: bool) -> Result:
    return prove(one, bench) if isinstance(one, Proof) else sweep(one, bench, quick=quick)


def sweep(one: Sweep, bench: Workbench, *, quick: bool = False) -> Result:
    """Try a property on its whole domain, or its small one."""
    begun = time.monotonic()
    contract = bench.deployed(one.contract)
    cases = broken = 0
    worst, at = None, ()
    for arguments in one.quick if quick else one.calls:
        ((tried, failed, measure, where),) = contract.call(one.function, *arguments)
        cases += tried
        if failed and not broken:
            at = where
        if not broken and not failed and (worst is None or measure > worst):
            worst, at = measure, where
        broken += failed
    seconds = time.monotonic() - begun
    if broken:
        return Result(one, Verdict.REFUTED, cases, seconds, f"broken {broken:,} times", dict(zip(one.names, at)))
    if not cases:
        return Result(one, Verdict.UNDECIDED, cases, seconds, "no case was tried")
    remark = one.measured(worst, at) if one.measured else ""
    return Result(one, Verdict.PROVED, cases, seconds, remark)


def prove(one: Proof, bench: Workbench, python: Path = PYTHON) -> Result:
    """Have the solver prove a property. Raises `ProofError` if the solver's environment is not there or it breaks down."""
    if not python.is_file():
        raise ProofError("the solvers are not installed: run `make proofs`")
    begun = time.monotonic()
    paths = wraps = 0
    for making in one.makings:
        contract = bench.deployed(one.contract, making)
        answer = _worker(
            python,
            {
                "codes": contract.codes(),
                "target": contract.address,
                "abi": contract.contract.abi,
                "function": contract.contract.signature(one.function),
                "cases": list(one.cases),
                "reason": one.reason,
                "method": one.method,
                "seconds": one.seconds,
            },
        )
        paths += answer["paths"]
        wraps = max(wraps, answer["wraps"])
        if answer["verdict"] != Verdict.PROVED:
            break
    seconds = time.monotonic() - begun
    # Arithmetic that wraps is followed as it wraps; where none can, the property says of numbers what it says of words.
    remark = answer["why"] or (f"{wraps} operations may wrap" if wraps else "")
    return Result(one, Verdict(answer["verdict"]), paths, seconds, remark, answer["example"])


def _worker(python: Path, job: dict[str, Any]) -> dict[str, Any]:
    HOME.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "HOME": str(HOME), "PYTHONPATH": str(ROOT)}
    command = [str(python), "-m", "everstock.proofs.solver.worker"]
    result = subprocess.run(
        command, cwd=HOME, env=environment, input=json.dumps(job), capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise ProofError(f"the solver broke down on {job['function']}:\n{result.stderr}")
    return json.loads(result.stdout)


