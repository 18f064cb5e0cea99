"""Why an outcome of a branch may remain unreached: kept by hand in reasons.toml, and checked against what was reached."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tests.coverage.results import Coverage
from tests.coverage.source import Outcome, Source

FILE: Final = Path(__file__).parent / "reasons.toml"
# The fields of an entry, whose table is named after its file.
FIELDS: Final = {"in", "line", "never", "why"}


class Unreached(NamedTuple):
    """An outcome as a reason names it: by the text of its line, not its number, so that the name survives edits."""

    file: str
    function: str
    line: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.file}, {self.function}: {self.line} -> {self.outcome}"


class ReasonsError(ValueError):
    """The file of reasons is not what it should be."""


def load(path: Path = FILE) -> dict[Unreached, str]:
    """The reasons by what they are given for.

    Raises ReasonsError where it is no TOML, and for an entry that is incomplete or there twice.
    """
    try:
        tables = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ReasonsError(f"{path.name}: {error}") from error
    reasons: dict[Unreached, str] = {}
    for file, entries in tables.items():
        for entry in entries:
            if set(entry) != FIELDS or not all(entry.values()):
                raise ReasonsError(f"{path.name}: {file}: an entry has {', '.join(sorted(FIELDS))}, not {entry}")
            name = Unreached(file, entry["in"], entry["line"], entry["never"])
            if name in reasons:
                raise ReasonsError(f"{path.name}: twice: {name}")
            reasons[name] = entry["why"]
    return reasons


def name_of(source: Source, outcome: Outcome) -> Unreached:
    """How a reason names an outcome."""
    branch = outcome.branch
    return Unreached(source.file, source.branches[branch], source.line(branch.place), source.words(outcome))


def problems(coverage: Coverage, reasons: Mapping[Unreached, str]) -> Iterator[str]:
    """What is wrong: a line that never ran, an outcome unreached without a reason, a reason for what was reached."""
    unreached = set()
    for source in coverage.sources:
        for statement in coverage.uncovered(source):
            line = source.line(statement.place)
            yield f"never run: {source.file}:{statement.place.line}, {statement.function}: {line}"
        for outcome in coverage.unreached(source):
            name = name_of(source, outcome)
            if name not in reasons and name not in unreached:
                yield f"never seen, and no reason given: {name}"
            unreached.add(name)
    for name in reasons:
        if name not in unreached:
            yield f"a reason for what was seen, or is not there: {name}"
