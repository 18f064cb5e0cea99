"""Price bars: open, high, low and close of one index over consecutive spans of time.

Prices are USD, times Unix seconds UTC. Whatever is wrong with a file is found when it is read, and said with its line.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self, TextIO

import numpy as np
from numpy.typing import NDArray

COLUMNS: Final = ("timestamp", "open", "high", "low", "close")

# A hole is bridged by a straight line if it is no longer than so many bars, or so many seconds.
MAX_GAP_BARS: Final = 3
MAX_GAP_SECONDS: Final = 900


class PriceError(RuntimeError):
    """Prices cannot be used; the message says which, and why."""


@dataclass(frozen=True)
class Bars:
    """Bars of one index in order of time, each from `start` until before `end`."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Iterable[Sequence[float]], seconds: int) -> Self:
        """Bars of `seconds` each from rows of start, open, high, low and close, checked. Raises `PriceError`."""
        table = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, len(COLUMNS))
        start = table[:, 0].astype(np.int64)
        bars = cls(start, start + seconds, *(table[:, column].copy() for column in range(1, len(COLUMNS))))
        bars.check()
        return bars

    def __len__(self) -> int:
        return len(self.start)

    @property
    def first(self) -> int:
        """When the first bar begins."""
        return int(self.start[0])

    @property
    def last(self) -> int:
        """When the last bar ends."""
        return int(self.end[-1])

    def check(self) -> None:
        """Raise `PriceError` for what is no series of prices: none at all, disorder, nonsense, a hole."""
        if not len(self):
            raise PriceError("there are no prices")
        _refuse(~np.isfinite(self._prices()).all(axis=0), self.start, "a price that is not a number")
        _refuse((self._prices() <= 0).any(axis=0), self.start, "a price that is not positive")
        body = (self.low > np.minimum(self.open, self.close)) | (self.high < np.maximum(self.open, self.close))
        _refuse(body, self.start, "open or close outside low and high")
        steps = np.diff(self.start)
        _refuse(steps <= 0, self.start[1:], "a time that is not later than the one before")
        _refuse(self.start[1:] < self.end[:-1], self.start[1:], "a bar that begins before the one before it ends")
        length = (self.end - self.start)[:-1]
        hole = self.start[1:] - self.end[:-1]
        _refuse(hole > np.maximum(MAX_GAP_SECONDS, MAX_GAP_BARS * length), self.end[:-1], "a gap")

    def window(self, start: int, end: int) -> Self:
        """The bars that lie inside [start, end]. Raises `PriceError` if they do not fill it."""
        slack = MAX_GAP_SECONDS
        if self.first > start + slack or self.last < end - slack:
            raise PriceError(
                f"prices from {clock(self.first)} to {clock(self.last)} do not cover {clock(start)} to {clock(end)}"
            )
        cut = self._where((self.start >= start) & (self.end <= end))
        cut.check()
        return cut

    def then(self, later: "Bars") -> Self:
        """These bars while they last, then `later` ones from the first that they do not reach into."""
        if later.last <= self.last:
            return self
        kept = later._where(later.end > self.last)
        head = self._where(self.end <= kept.start[0])
        if not len(head):
            return type(self)(**vars(kept))
        return type(self)(**{name: np.concatenate([vars(head)[name], vars(kept)[name]]) for name in vars(self)})

    def resampled(self, seconds: int) -> Self:
        """Bars of at least `seconds`: shorter ones put together (highest high, lowest low), longer ones as they are."""
        group = np.where(self.end - self.start < seconds, self.start // seconds, -1 - np.arange(len(self)))
        first = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
        last = np.append(first[1:], len(self)) - 1
        merged = self.end[first] - self.start[first] < seconds
        start = np.where(merged, self.start[first] // seconds * seconds, self.start[first])
        return type(self)(
            start=start,
            end=np.where(merged, start + seconds, self.end[last]),
            open=self.open[first],
            high=np.maximum.reduceat(self.high, first),
            low=np.minimum.reduceat(self.low, first),
            close=self.close[last],
        )

    def _prices(self) -> NDArray[np.float64]:
        return np.stack([self.open, self.high, self.low, self.close])

    def _where(self, kept: NDArray[np.bool_]) -> Self:
        return type(self)(**{name: column[kept] for name, column in vars(self).items()})


def read_csv(path: Path) -> Bars:
    """The bars of a CSV file (also .csv.gz) with the columns timestamp, open, high, low and close.

    A timestamp is a bar's open, Unix seconds; all bars are as long as the most frequent step between two of them.
    Raises `PriceError` with file and line of the first thing that is wrong.
    """
    rows = []
    try:
        with _open(path) as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise PriceError(f"{path}: no column called {', '.join(missing)}; wanted are {', '.join(COLUMNS)}")
            for row in reader:
                try:
                    rows.append([float(row[name]) for name in COLUMNS])
                except (TypeError, ValueError) as error:
                    raise PriceError(f"{path}, line {reader.line_num}: not numbers: {list(row.values())}") from error
    except FileNotFoundError as error:
        raise PriceError(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PriceError(f"{path}: not a CSV file: {error}") from error
    if len(rows) < 2:
        raise PriceError(f"{path}: fewer than two bars")
    with blamed_on(path):
        times = np.array([row[0] for row in rows])
        _refuse(~np.isfinite(times), np.zeros(len(times)), "a time that is not a number")
        _refuse(times != times.astype(np.int64), times, "a time that is not whole seconds")
        steps = np.diff(times.astype(np.int64))
        _refuse(steps <= 0, times[1:], "a time that is not later than the one before")
        lengths, counts = np.unique(steps, return_counts=True)
        return Bars.of(rows, int(lengths[counts.argmax()]))


def write_csv(path: Path, bars: Bars) -> None:
    """Write bars so that `read_csv` reads them back, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        columns = (bars.start, bars.open, bars.high, bars.low, bars.close)
        writer.writerows(zip(*(column.tolist() for column in columns), strict=True))


def clock(time: float) -> str:
    """A time for people: "2020-03-12 10:40 UTC"."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")


@contextmanager
def blamed_on(name: object) -> Iterator[None]:
    """Any `PriceError` inside is said to be about `name`."""
    try:
        yield
    except PriceError as error:
        raise PriceError(f"{name}: {error}") from error


def _open(path: Path) -> TextIO:
    return gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="")


def _refuse(wrong: NDArray[np.bool_], times: NDArray[np.float64] | NDArray[np.int64], what: str) -> None:
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        raise PriceError(f"{what} at {clock(float(times[where]))} (bar {where + 1})")
