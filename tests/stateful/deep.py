"""`make test-deep`: the machines for as long as one likes.

Each chunk is a number of runs of one machine from one seed; chunks of all machines take turns, on all cores, until the time
is up. The same seed gives the same chunks in the same order. A failure ends everything, and leaves a file under
build/test-deep that `--replay` runs again.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import click
from hypothesis import HealthCheck, reproduce_failure, seed, settings
from hypothesis.stateful import get_state_machine_test
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tests.stateful import machine
from tests.stateful.machine import Machine
from tests.stateful.market_machine import MarketMachine
from tests.stateful.mirror import Tally
from tests.stateful.order_machine import OrderMachine
from tests.stateful.pool_machine import PoolMachine

MACHINES: Final = {"market": MarketMachine, "pool": PoolMachine, "order": OrderMachine}
# Of the market machine, which has the most to find, twice as much as of each other; tokens of 18 and of 6 decimals.
TURNS: Final = (
    ("market", 18),
    ("pool", 18),
    ("market", 6),
    ("order", 18),
    ("market", 18),
    ("pool", 6),
    ("market", 6),
    ("order", 6),
)
RUNS: Final = 6
STEPS: Final = 80
FAILURES: Final = Path("build/test-deep")
# A machine that ran for so many chunks is expected to have done each of its actions.
ENOUGH: Final = 20


@dataclass(frozen=True)
class Chunk:
    """Some runs of one machine."""

    name: str
    decimals: int
    seed: int


@dataclass
class Outcome:
    """What a chunk did, and how it failed if it did."""

    chunk: Chunk
    tally: Tally
    steps: int
    failure: str = ""
    blob: tuple[str, str] | None = None


@dataclass
class Totals:
    """What all chunks of a machine did."""

    chunks: int = 0
    steps: int = 0
    tally: Tally = field(default_factory=Tally)


def chunks(first_seed: int) -> Iterator[Chunk]:
    """All chunks there are, in order."""
    for i in count():
        name, decimals = TURNS[i % len(TURNS)]
        yield Chunk(name, decimals, first_seed * 1_000_000 + i)


def factory(chunk: Chunk) -> type[Machine]:
    """The chunk's machine."""
    base = MACHINES[chunk.name]
    return type(f"{base.__name__}Of{chunk.decimals}Decimals", (base,), {"decimals": chunk.decimals})


def deep_settings() -> settings:
    return settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def run(chunk: Chunk, blob: tuple[str, str] | None = None) -> Outcome:
    """Run a chunk, or again the one failure of it that `blob` (Hypothesis' version, and data) stands for."""
    machine.TALLY.clear()
    test = seed(chunk.seed)(get_state_machine_test(factory(chunk), settings=deep_settings()))
    if blob is not None:
        test = reproduce_failure(blob[0], blob[1].encode())(test)
    outcome = Outcome(chunk, machine.TALLY, 0)
    try:
        test()
    except BaseException as error:  # whatever it is goes to the caller, with the run that led to it
        outcome.failure = "".join(traceback.format_exception(error))
        outcome.blob = _blob(error)
    outcome.steps = machine.TALLY.steps
    return outcome


def _blob(error: BaseException) -> tuple[str, str] | None:
    """Version and data out of the note that Hypothesis adds to a failure."""
    for note in getattr(error, "__notes__", ()):
        if "@reproduce_failure(" in note:
            version, data = note.split("@reproduce_failure(")[1].split(")")[0].split(", ")
            return version.strip("'\""), data.strip("b'\"")
    return None


def keep(outcome: Outcome) -> Path:
    """Write a failure where `--replay` finds it."""
    FAILURES.mkdir(parents=True, exist_ok=True)
    path = FAILURES / f"{outcome.chunk.name}-{outcome.chunk.decimals}-{outcome.chunk.seed}.json"
    chunk = vars(outcome.chunk)
    path.write_text(json.dumps({"chunk": chunk, "blob": outcome.blob, "failure": outcome.failure.splitlines()}, indent=2))
    return path


@click.command(help=__doc__)
@click.option("--minutes", type=click.FloatRange(min=0.1), default=60, show_default=True, help="For how long.")
@click.option("--seed", "first_seed", type=int, default=1, show_default=True, help="Where to begin.")
@click.option("--workers", type=int, default=os.cpu_count(), show_default=True, help="Processes.")
@click.option("--replay", type=click.Path(exists=True, path_type=Path), help="A failure to run again, alone.")
def main(minutes: float, first_seed: int, workers: int, replay: Path | None) -> None:
    if replay is not None:
        kept = json.loads(replay.read_text())
        outcome = run(Chunk(**kept["chunk"]), tuple(kept["blob"]) if kept["blob"] else None)
        sys.exit(outcome.failure or "it no longer fails")
    console = Console(width=None if sys.stdout.isatty() else 120)
    totals = {name: Totals() for name in MACHINES}
    failed = _run_all(console, totals, time.monotonic() + 60 * minutes, minutes, first_seed, workers)
    console.print(_table(totals))
    if failed is not None:
        console.print(failed.failure, markup=False)
        sys.exit(f"failed: run `python -m tests.stateful.deep --replay {keep(failed)}`")
    missing = {
        name: sorted(MACHINES[name].ACTIONS - total.tally.done.keys())
        for name, total in totals.items()
        if total.chunks >= ENOUGH
    }
    if any(missing.values()):
        sys.exit(f"never done: {missing}")


def _run_all(
    console: Console, totals: dict[str, Totals], deadline: float, minutes: float, first_seed: int, workers: int
) -> Outcome | None:
    """Run chunks until the deadline or a failure, which is returned."""
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TimeRemainingColumn())
    todo = chunks(first_seed)
    said = time.monotonic()
    with Progress(*columns, console=console) as progress, ProcessPoolExecutor(workers) as executor:
        task = progress.add_task("deploying", total=60 * minutes)
        running: set[Future[Outcome]] = {executor.submit(run, next(todo)) for _ in range(workers)}
        while running:
            done, running = wait(running, timeout=5, return_when=FIRST_COMPLETED)
            for outcome in (future.result() for future in done):
                total = totals[outcome.chunk.name]
                total.chunks += 1
                total.steps += outcome.steps
                total.tally.add(outcome.tally)
                if outcome.failure:
                    executor.shutdown(wait=False, cancel_futures=True)
                    return outcome
                if time.monotonic() < deadline:
                    running.add(executor.submit(run, next(todo)))
            description = ", ".join(_brief(name, total) for name, total in totals.items())
            progress.update(task, completed=60 * minutes - max(0, deadline - time.monotonic()), description=description)
            if not console.is_terminal and time.monotonic() - said > 60:
                said = time.monotonic()
                console.print(f"{max(0, deadline - said) / 60:.0f} min left: {description}")
    return None


def _brief(name: str, total: Totals) -> str:
    done, refused = total.tally.done.total(), total.tally.refused.total()
    return f"{name} {total.steps:,} steps, {done:,} actions, {refused:,} refused"


def _table(totals: dict[str, Totals]) -> Table:
    """Every action and every reason for a refusal, counted."""
    table = Table(title="What the machines did", title_justify="left")
    for column, justify in (("machine", "left"), ("action", "left"), ("refused because", "left"), ("times", "right")):
        table.add_column(column, justify=justify)
    for name, total in totals.items():
        table.add_row(name, f"{total.steps:,} steps in {total.chunks} chunks of {RUNS} runs", "", "")
        rows: list[tuple[Any, ...]] = [(action, "", times) for action, times in total.tally.done.items()]
        rows += [(*key, times) for key, times in total.tally.refused.items()]
        for action, reason, times in sorted(rows):
            table.add_row("", action, reason, f"{times:,}")
    return table


if __name__ == "__main__":
    main()
