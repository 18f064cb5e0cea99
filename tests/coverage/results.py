"""Recordings and maps together: what was covered, and through which contracts."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.coverage.maps import Map, maps_of
from tests.coverage.source import ROOT, Outcome, Place, Source, Statement, relative, source_of

CONTRACTS: Final = ROOT / "contracts"
# What is measured.
PRODUCTION: Final = (CONTRACTS, CONTRACTS / "modules")
# Contracts that tests use and nobody deploys.
MOCKS: Final = CONTRACTS / "mocks"


class OutdatedRecordingError(ValueError):
    """There is no run of what a contract compiles to now."""


@dataclass(frozen=True)
class Programs:
    """The files that are measured, and the maps of the contracts that run them, by contract and digest of the program."""

    sources: list[Source]
    maps: Mapping[str, Mapping[str, Map]]


@dataclass(frozen=True)
class Coverage:
    """Of every statement and outcome in `sources` the contracts that it was reached through."""

    sources: list[Source]
    statements: Mapping[Place, set[str]]
    outcomes: Mapping[Outcome, set[str]]

    def uncovered(self, source: Source) -> list[Statement]:
        """Statements of a file that never ran."""
        return [statement for place, statement in source.statements.items() if not self.statements[place]]

    def outcomes_of(self, source: Source) -> list[Outcome]:
        """Both outcomes of every branch of a file."""
        return [Outcome(branch, holds) for branch in source.branches for holds in (True, False)]

    def unreached(self, source: Source) -> list[Outcome]:
        """Outcomes in a file that were never seen."""
        return [outcome for outcome in self.outcomes_of(source) if not self.outcomes[outcome]]

    def mocked(self, source: Source) -> list[Outcome]:
        """Outcomes in a file that were seen, but in no contract that is deployed."""
        return [outcome for outcome in self.outcomes_of(source) if _are_mocks(self.outcomes[outcome])]


def measured_files() -> list[Path]:
    """The contracts and modules that are measured."""
    return [path for folder in PRODUCTION for path in sorted(folder.glob("*.vy"))]


def running_files() -> list[Path]:
    """The contracts through which they are: themselves, and mocks that have modules to test them alone."""
    mocks = [path for path in sorted(MOCKS.rglob("*.vy")) if "from contracts.modules import" in path.read_text()]
    return [*sorted(CONTRACTS.glob("*.vy")), *mocks]


def read(recordings: Path) -> list[dict[str, Any]]:
    """What every process recorded, by the digests of programs."""
    return [json.loads(path.read_text()) for path in sorted(recordings.glob("*.json"))]


def trace(files: Iterable[Path], contracts: Iterable[Path], advance: Callable[[], None] = lambda: None) -> Programs:
    """Compile what is measured and what runs it. `advance` is called whenever a file is done."""
    sources = []
    for path in files:
        sources.append(source_of(path))
        advance()
    known = {place for source in sources for place in source.statements}
    maps = {}
    for path in contracts:
        maps[relative(path)] = maps_of(path, known)
        advance()
    return Programs(sources, maps)


def measure(programs: Programs, runs: list[dict[str, Any]]) -> Coverage:
    """What runs say about the files that are measured.

    Raises OutdatedRecordingError for one of them that is a contract and has no run of what it compiles to now.
    """
    required = {source.file for source in programs.sources}
    coverage = Coverage(programs.sources, defaultdict(set), defaultdict(set))
    compiled: set[Place] = set()
    for contract, maps in programs.maps.items():
        if contract in required and not any(name in run for run in runs for name in maps):
            raise OutdatedRecordingError(f"no test ran {contract} as it is now")
        for name, program in maps.items():
            compiled |= set(program.statements.values())
            for run in runs:
                if name in run:
                    _add(coverage, contract, program, run[name])
    _infer(coverage, compiled)
    return coverage


def _are_mocks(contracts: set[str]) -> bool:
    return bool(contracts) and all((ROOT / contract).is_relative_to(MOCKS) for contract in contracts)


def _add(coverage: Coverage, contract: str, program: Map, run: dict[str, Any]) -> None:
    """Add what one run of one program reached."""
    for counter in run["executed"]:
        if counter in program.statements:
            coverage.statements[program.statements[counter]].add(contract)
    for counter, following in run["branched"]:
        if counter in program.jumped:
            outcome = program.jumped[counter]
            # A conditional jump that does not jump goes on to the next byte.
            jumped = following != counter + 1
            coverage.outcomes[outcome if jumped else outcome.other()].add(contract)
    for counters, holds in ((run["followed"], True), (run["last"], False)):
        for counter in counters:
            if counter in program.checks:
                coverage.outcomes[Outcome(program.checks[counter], holds)].add(contract)


def _infer(coverage: Coverage, compiled: set[Place]) -> None:
    """Cover the statements that the compiler made no code of, having merged it with that of the statement before (zeroing
    of memory, copies) or with a jump (`break`, `continue`): they ran when what leads to them was reached."""
    for source in coverage.sources:
        for place, statement in source.statements.items():
            if place in compiled:
                continue
            if statement.before is not None:
                coverage.statements[place] |= coverage.statements[statement.before]
            elif statement.outcome is not None:
                coverage.statements[place] |= coverage.outcomes[statement.outcome]
