"""`make mutants`: every fault put into a copy of the contracts, one at a time; a machine or a unit test must find it.

Each fault has a copy of the sources to itself and runs of its machine, from fixed seeds, until one fails or the time for one
is up; or the unit tests that are to find it. What the first failure said goes into the table of docs/INVARIANTS.md.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.mutants.faults import FAULTS, Fault

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = ("contracts", "interfaces", "everstock", "tests", "pyproject.toml")
PAGE: Final = ROOT / "docs" / "INVARIANTS.md"
# What was found so far, for `--resume`.
NOTES: Final = ROOT / "build" / "mutants.json"
BEGIN: Final = "<!-- faults: written by `make mutants` -->"
END: Final = "<!-- end of faults -->"
# Seconds of processor time that a machine has to find a fault.
PATIENCE: Final = 300


@dataclass(frozen=True)
class Finding:
    """What became of a fault. `said` is the first line of the failure, empty if nobody found it."""

    fault: Fault
    said: str
    steps: int
    seconds: float


def plant(fault: Fault, root: Path) -> None:
    """Put a fault into the sources under `root`. Raises `ValueError` unless its text stands there just once."""
    path = root / "contracts" / fault.file
    text = path.read_text()
    if text.count(fault.old) != 1:
        raise ValueError(f"{fault.what}: {fault.file} has its text {text.count(fault.old)} times")
    path.write_text(text.replace(fault.old, fault.new))


def hunt(fault: Fault) -> Finding:
    """Look for a planted fault in a process of its own. Raises `RuntimeError` if that fails for another reason."""
    begin = time.monotonic()
    with _copy() as root:
        plant(fault, root)
        if fault.machine.startswith("tests/"):
            return Finding(fault, unit_tests(fault, root), 0, time.monotonic() - begin)
        done = subprocess.run(
            [sys.executable, "-m", "tests.mutants.hunter", fault.machine, str(PATIENCE)],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{fault.what}: {done.stderr[-2_000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Finding(fault, found["said"], found["steps"], time.monotonic() - begin)


@contextmanager
def _copy() -> Iterator[Path]:
    """A copy of the sources, at the same place for every fault of a worker: contracts are compiled anew only where they, or
    their place, changed."""
    root = ROOT / "build" / "mutants" / threading.current_thread().name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    try:
        for name in SOURCES:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, root / name)
        yield root
    finally:
        shutil.rmtree(root)


def unit_tests(fault: Fault, root: Path) -> str:
    """The first of a file's tests to fail on the sources under `root`; empty if none does."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", fault.machine],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{fault.what}: {done.stdout[-2_000:]}")
    failed = re.search(r"^FAILED \S+::(\S+)", done.stdout, re.MULTILINE)
    return failed[1] if failed else ""


def fingerprint() -> str:
    """Of everything that decides what becomes of a fault."""
    digest = hashlib.sha256()
    for folder in ("contracts", "interfaces", "everstock/model", "everstock/chain", "tests/stateful"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".vy", ".vyi", ".py"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def noted(sources: str) -> dict[Fault, Finding]:
    """What an interrupted run on the same sources found, by fault."""
    if not NOTES.is_file():
        return {}
    notes = json.loads(NOTES.read_text())
    if notes["sources"] != sources:
        return {}
    found = [Finding(Fault(**one.pop("fault")), **one) for one in notes["findings"]]
    return {finding.fault: finding for finding in found}


def note(sources: str, findings: Iterable[Finding]) -> None:
    """Keep what was found so far."""
    NOTES.parent.mkdir(parents=True, exist_ok=True)
    NOTES.write_text(json.dumps({"sources": sources, "findings": [asdict(finding) for finding in findings]}, indent=1))


def table(findings: Sequence[Finding]) -> str:
    """The faults and what found them, as Markdown."""
    rows = ["| fault | in | found by | because |", "| --- | --- | --- | --- |"]
    for finding in findings:
        said = finding.said.replace("|", "\\|") or "**not found**"
        name = Path(finding.fault.file).stem
        by = finding.fault.machine
        finder = f"`{by.removeprefix('tests/')}`" if by.startswith("tests/") else f"{by} machine"
        rows.append(f"| {finding.fault.what} | `{name}` | {finder} | {said} |")
    tried = {finding.fault for finding in findings}
    if untried := [fault.what for fault in FAULTS if fault not in tried]:
        rows += ["", f"Not tried since the contracts changed (`make mutants ARGS=--resume` goes on): {'; '.join(untried)}."]
    return "\n".join(rows)


def brief(said: str) -> str:
    """A failure without its numbers, which differ from run to run."""
    first = next((line for line in said.splitlines() if line.strip()), "")
    return re.sub(r"0x[0-9a-f]+|-?\d[\d_]{3,}", "...", first)[:110]


@click.command(help=__doc__)
@click.option("--only", help="Faults whose description contains this.")
@click.option("--machine", help="Faults that this machine, or this file of unit tests, is to find.")
@click.option("--workers", type=int, default=os.cpu_count(), show_default=True, help="Faults at a time.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run on the same sources stopped.")
@click.option("--write/--no-write", default=True, help="Write the table into docs/INVARIANTS.md.")
def main(only: str | None, machine: str | None, workers: int, resume: bool, write: bool) -> None:
    faults = [fault for fault in FAULTS if (not only or only in fault.what) and (not machine or machine == fault.machine)]
    for fault in faults:
        if (ROOT / "contracts" / fault.file).read_text().count(fault.old) != 1:
            raise click.ClickException(f"the text of this fault does not stand once in {fault.file}: {fault.what}")
    console = Console(width=None if sys.stdout.isatty() else 140)
    sources = fingerprint()
    found = noted(sources)
    known = found.keys() & set(faults) if resume else set()
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(workers, "worker") as executor:
        task = progress.add_task("planting", total=len(faults), completed=len(known))
        for finding in executor.map(hunt, [fault for fault in faults if fault not in known]):
            found[finding.fault] = finding
            note(sources, found.values())
            progress.update(task, advance=1, description=finding.fault.what)
            verdict = brief(finding.said) or "NOT FOUND"
            progress.console.print(f"{finding.fault.what}: {verdict} ({finding.steps} steps, {finding.seconds:.0f} s)")
    findings = [found[fault] for fault in faults]
    missed = [finding.fault.what for finding in findings if not finding.said]
    if write:
        every = [found[fault] for fault in FAULTS if fault in found]
        _write([Finding(f.fault, brief(f.said), f.steps, f.seconds) for f in every])
    console.print(f"{len(findings) - len(missed)} of {len(findings)} faults found")
    if missed:
        raise click.ClickException(f"not found: {', '.join(missed)}")


def _write(findings: list[Finding]) -> None:
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(findings)}\n\n{END}{after}")


if __name__ == "__main__":
    main()
