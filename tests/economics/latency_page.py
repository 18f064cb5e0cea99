"""`python -m tests.economics.latency_page`: let every attacker try, and write what he earned into docs/LATENCY.md."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np

from everstock.replay.bars import Bars, read_csv
from everstock.replay.sources import ROOT, data_folders
from everstock.risk.page import table, written
from tests.economics.latency import (
    DELAY,
    EXEC_WINDOW,
    FILES,
    MAIN,
    SPANS,
    Attacker,
    Guesser,
    ModelVenue,
    Naive,
    Outcome,
    Session,
    Stale,
    Tables,
    Unwatched,
    attempts,
    moments,
)

PAGE: Final = ROOT / "docs" / "LATENCY.md"
COMMAND: Final = "python -m tests.economics.latency_page"
# Attempts in each of the four sessions.
COUNT: Final = 250
# Seconds looked at where only floats are needed.
LOOKS: Final = 1_000
AHEADS: Final = (1, 2, 4, 10, 26, 30)
FEES: Final = (0, 40, 80, 160, 320, 640, 1_280)  # 1e-5
WINDOWS: Final = (8, 15, 30, EXEC_WINDOW)


class Name(StrEnum):
    RANDOM = "knows nothing, takes any position"
    FOLLOWS = "knows nothing, follows what prices did for as long as an order waits"
    FOUR = "knows 4 s, requests"
    LATE_MARGIN = "sees 4 s at any time; if margin could follow an order: puts it behind the best a second before its price"
    FIRST = "sees 4 s at any time; if orders needed no turn: orders more than there is room for, executes the best first"
    THIRTY = "knows 30 s, requests"
    THIRTY_FIRST = "sees 30 s at any time; if orders needed no turn: the same"
    UNWATCHED = "knows nothing, nobody else executes or brings a price for a minute"
    WATCHED = "the same, and somebody brings one price"
    STALE = "naive design: knows nothing, stored price a minute old"
    NAIVE = "naive design: knows 30 s"


NOTHING: Final = (Name.RANDOM, Name.FOLLOWS)
KNOWN: Final = 30

ATTACKERS: Final[Mapping[Name, Attacker]] = {
    attacker.name: attacker
    for attacker in (
        Guesser(Name.RANDOM),
        Guesser(Name.FOLLOWS, follows=True),
        Attacker(Name.FOUR),
        Attacker(Name.LATE_MARGIN, ahead=DELAY - 1),
        Attacker(Name.FIRST, ahead=DELAY),
        Attacker(Name.THIRTY, ahead=KNOWN - DELAY),
        Unwatched(Name.UNWATCHED),
        Unwatched(Name.WATCHED, watched=True),
        Stale(Name.STALE),
        Naive(Name.NAIVE, ahead=KNOWN, delay=0),
    )
}

# In a market whose orders wait as long as anybody knows.
PATIENT: Final[Mapping[Name, Attacker]] = {
    attacker.name: attacker
    for attacker in (
        Guesser(Name.RANDOM, delay=KNOWN),
        Guesser(Name.FOLLOWS, delay=KNOWN, follows=True),
        Attacker(Name.THIRTY, delay=KNOWN),
        Attacker(Name.THIRTY_FIRST, delay=KNOWN, ahead=KNOWN),
    )
}

Measured = Mapping[str, Mapping[str, Outcome]]


def is_in(folder: Path) -> bool:
    return all((folder / file).is_file() for files in FILES.values() for file in files.values())


def sessions(folder: Path, span: str) -> list[Session]:
    return [Session.read(folder, *terms) for terms in SPANS[span]]


def bars_of(folder: Path, episode: str, begins: str, minutes: int) -> dict[str, Bars]:
    """The minutes that a session's path goes through."""
    start = int(datetime.fromisoformat(begins).replace(tzinfo=UTC).timestamp())
    return {
        name: read_csv(folder / file).window(start, start + 60 * minutes) for name, file in FILES[episode].items()
    }


def measure(folder: Path, people: Mapping[Name, Attacker] = ATTACKERS, delay: int = DELAY) -> Measured:
    """What every attacker earned, by span and name."""
    found: dict[str, dict[str, Outcome]] = {}
    for span in SPANS:
        one, other = (
            attempts(session, list(people.values()), COUNT, delay=delay) for session in sessions(folder, span)
        )
        found[span] = {name: one[name] + other[name] for name in people}
    return found


def tables(folder: Path, measured: Measured, patient: Measured) -> dict[str, Sequence[str]]:
    """All of them by name. `patient` is of `PATIENT`, at a delay of `KNOWN`."""
    return {
        "attackers": attackers(measured),
        "patient": attackers(patient),
        "fees": fees(folder),
        "windows": windows(folder),
        "sizes": sizes(folder),
    }


def attackers(measured: Measured) -> Sequence[str]:
    """Basis points of face per attempt, after fees."""
    head = ["attacker"]
    for span in SPANS:
        head += [f"{span}: every time", "in all, faces", "if it pays", "how often", "refused"]
    rows = []
    for name in measured[next(iter(SPANS))]:
        row = [str(name)]
        for outcomes in measured.values():
            one = outcomes[name]
            row += [f"{one.mean:+.1f} ± {one.error:.1f}", f"{one.total:+.2f}"]
            row += [f"{one.chosen.mean:+.1f}", f"{(one.worth > 0).mean():.0%}", str(one.refused)]
        rows.append(row)
    return table(head, rows)


def fees(folder: Path) -> Sequence[str]:
    """What the best position is worth on average, 0 where it does not pay, by fee and by what is seen beyond the price."""
    head = ["fee", *(f"{span}: {ahead} s" for span in SPANS for ahead in AHEADS)]
    looked = {span: _tables(folder, span) for span in SPANS}
    rows = []
    for rate in FEES:
        row = [f"{rate / 10:.0f} bp{' (default)' if rate == 80 else ''}"]
        for markets in looked.values():
            charged = [replace(one, parameters=replace(one.parameters, fee_rate=rate)) for one in markets]
            row += [_worth(charged, 0, range(1, ahead + 1)) for ahead in AHEADS]
        rows.append(row)
    return table(head, rows)


def windows(folder: Path) -> Sequence[str]:
    """What an order left alone is worth, by how long it may wait."""
    head = ["an order may wait", *SPANS]
    looked = {span: _tables(folder, span) for span in SPANS}
    rows = []
    for window in WINDOWS:
        words = f"{window} s{' (default)' if window == EXEC_WINDOW else ''}"
        rows.append([words, *(_worth(markets, DELAY, [window - DELAY]) for markets in looked.values())])
    return table(head, rows)


def sizes(folder: Path) -> Sequence[str]:
    """Attackers with larger orders: impact against what they know."""
    kinds = {"knows 30 s": ATTACKERS[Name.THIRTY], "sees 4 s, no turns": ATTACKERS[Name.FIRST]}
    head = ["face of a leg, of the pool"]
    for words in kinds:
        head += [f"{words}: per attempt, bp of face", f"{words}: of the pool"]
    rows = []
    for face in (10, 100, 300, 1_000, 2_000):
        one, other = (attempts(session, list(kinds.values()), 50, face=face) for session in sessions(folder, "crash hour"))
        row = [f"{face / MAIN:.1%}"]
        for attacker in kinds.values():
            outcome = one[attacker.name] + other[attacker.name]
            row += [f"{outcome.mean:+.1f}", f"{outcome.mean * face / MAIN / 100:+.4f}%"]
        rows.append(row)
    return table(head, rows)


def _tables(folder: Path, span: str) -> list[Tables]:
    return [Tables(session, ModelVenue(session).strikes()) for session in sessions(folder, span)]


def _worth(markets: Sequence[Tables], delay: int, aheads: Sequence[int]) -> str:
    """The mean of what is not worth less than nothing, over many seconds; basis points of face."""
    found = [one.worths(np.array(moments(one.session, LOOKS, 2)) + delay, aheads) for one in markets]
    return f"{10_000 * np.maximum(np.concatenate(found), 0).mean():.1f}"


if __name__ == "__main__":
    (first, *_) = [folder for folder in data_folders() if is_in(folder)]
    PAGE.write_text(written(PAGE.read_text(), tables(first, measure(first), measure(first, PATIENT, KNOWN)), COMMAND))
