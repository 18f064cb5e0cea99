"""`python -m tests.coverage`, which `make coverage` runs."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.coverage.reasons import ReasonsError, load, problems
from tests.coverage.report import markdown, table
from tests.coverage.results import Coverage, OutdatedRecordingError, measure, measured_files, read, running_files, trace
from tests.coverage.source import ROOT

RECORDINGS: Final = ROOT / "build" / "coverage"
OTHER_TESTS: Final = ("tests/integration",)


@click.command("coverage", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--workers", default=2, show_default=True, help="How many processes run the suite.")
@click.option("--reuse", is_flag=True, help="Run no test: take what the last run recorded, to work on the reasons.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=ROOT / "docs" / "COVERAGE.md",
    help="Where to write the tables.  [default: docs/COVERAGE.md]",
)
def main(workers: int, reuse: bool, out: Path) -> None:
    """Line and branch coverage of every contract and module, by the tests that run in process.

    Writes docs/COVERAGE.md. Fails if a line never ran, if an outcome of a branch was never seen and
    tests/coverage/reasons.toml does not say why, or if it says so of one that was.
    """
    console = Console()
    try:
        reasons = load()
    except ReasonsError as error:
        raise click.ClickException(str(error)) from error
    if not reuse:
        run_suite(workers)
    coverage = _measured(console)
    console.print(table(coverage))
    out.write_text(markdown(coverage, reasons))
    console.print(f"written to {out}")
    if found := list(problems(coverage, reasons)):
        for problem in found:
            console.print(problem, markup=False, highlight=False, soft_wrap=True)
        raise click.ClickException(f"{len(found)} to be mended, by a test or in tests/coverage/reasons.toml")


def run_suite(workers: int) -> None:
    """Run the tests that run in process and record what contracts execute; pytest shows how far they are."""
    shutil.rmtree(RECORDINGS, ignore_errors=True)
    RECORDINGS.mkdir(parents=True)
    command = [sys.executable, "-m", "pytest", "tests", "-q", *(f"--ignore={path}" for path in OTHER_TESTS)]
    command += ["-n", str(workers), "--dist", "worksteal"]
    command += ["-p", "tests.coverage.plugin", "--contract-coverage", str(RECORDINGS)]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise click.ClickException("tests failed, so there is nothing to measure")


def _measured(console: Console) -> Coverage:
    files, contracts = measured_files(), running_files()
    columns = (TextColumn("tracing what ran to the source"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(files) + len(contracts))
        programs = trace(files, contracts, lambda: progress.advance(task))
    try:
        return measure(programs, read(RECORDINGS))
    except OutdatedRecordingError as error:
        raise click.ClickException(str(error)) from error
