"""Past prices as the volatility oracle samples them, and what becomes of its variances: by the model, and by numpy."""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from everstock.chain.deployment import FLOORS, UNDERLYINGS
from everstock.model.constants import RATE, WAD, YEAR
from everstock.model.volatility_oracle import CAP, CEILING, HALF_LIVES, SPAN, Seed, Track
from everstock.replay.bars import PriceError
from everstock.replay.sources import data_folders

Floats = NDArray[np.float64]

DECIMALS: Final = 8
# Of a weighted sum in one go: 2 to the power of so many half-lives stays far from a float's bounds.
CHUNK: Final = 400


@dataclass(frozen=True)
class Samples:
    """Prices (integers of 8 decimals) at times (Unix seconds), one a boundary at most."""

    underlying: str
    times: NDArray[np.int64]
    prices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def squares(self) -> Floats:
        """Squared log returns from one to the next."""
        return np.diff(np.log(self.prices.astype(np.float64))) ** 2

    @property
    def elapsed(self) -> NDArray[np.int64]:
        return np.diff(self.times)

    @property
    def realised(self) -> float:
        """Sigma of all returns together."""
        return float(np.sqrt(self.squares.sum() * YEAR / self.elapsed.sum()))

    @property
    def beginning(self) -> int:
        """A variance to begin with: that of the first day's returns, per year in 1e-10."""
        days = self.times[1:] <= self.times[0] + 86_400
        variance = float(self.squares[days].sum()) * YEAR / float(self.elapsed[days].sum())
        return min(max(round(variance * RATE), FLOORS[self.underlying]), CEILING)


def find(name: str) -> Path:
    """A file of the data folder. Raises `PriceError` if there is none."""
    for folder in data_folders():
        if (folder / name).is_file():
            return folder / name
    raise PriceError(f"no data folder has {name}; EVERSTOCK_DATA may name one")


def read(path: Path, underlying: str) -> Samples:
    """The opens of a file's bars as first prices after the boundaries they begin at, whatever is missing between them.

    Raises `PriceError` for a file that is not there or has no such columns.
    """
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            rows = [(int(row["timestamp"]), float(row["open"])) for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError) as error:
        raise PriceError(f"{path}: not bars with a timestamp and an open: {error}") from error
    return first_prices(underlying, [time for time, _ in rows], [price for _, price in rows])


def first_prices(underlying: str, times: Sequence[int], prices: Sequence[float]) -> Samples:
    """Of prices (USD) in order of time, the first after each boundary. Raises `PriceError` for fewer than two."""
    boundaries = np.asarray(times, dtype=np.int64) // SPAN
    first = np.flatnonzero(np.diff(boundaries, prepend=boundaries[:1] - 1))
    if len(first) < 2:
        raise PriceError(f"{underlying}: fewer than two boundaries")
    scaled = np.rint(np.asarray(prices, dtype=np.float64)[first] * 10**DECIMALS).astype(np.int64)
    return Samples(underlying, np.asarray(times, dtype=np.int64)[first], scaled)


def seed(samples: Samples, variance: int | None = None) -> Seed:
    """Where an oracle begins that has seen all of `samples`, itself begun at `variance` (by default the first day's)."""
    *_, last = tracks(samples, variance)
    fast, slow = (value // (WAD // RATE) for value in (last.fast, last.slow))
    id_ = UNDERLYINGS.index(samples.underlying)
    return Seed(id_, last.price, last.time, min(fast, CEILING), min(slow, CEILING), last.floor)


def tracks(samples: Samples, variance: int | None = None) -> list[Track]:
    """The model after each sample."""
    begun = samples.beginning if variance is None else variance
    first, *later = zip(samples.times.tolist(), samples.prices.tolist(), strict=True)
    track = Track(first[1], first[0], begun * (WAD // RATE), begun * (WAD // RATE), FLOORS[samples.underlying])
    found = [track]
    for time, price in later:
        track = track.moved(price, time)
        found.append(track)
    return found


def reference(samples: Samples, variance: int | None = None) -> Floats:
    """Both variances after each sample, in floats: sums of all returns, each weighted by its age. Two rows, not bounded."""
    begun = (samples.beginning if variance is None else variance) / RATE
    return np.stack([_weighted(samples, begun, half_life) for half_life in HALF_LIVES])


def capped(samples: Samples) -> float:
    """The part of the samples whose return is cut."""
    return float(np.mean(_added(samples, HALF_LIVES[0])[1]))


def bounded(variances: Floats, underlying: str) -> Floats:
    """As they are written."""
    return np.clip(variances, FLOORS[underlying] / RATE, CEILING / RATE)


def worst_error(samples: Samples) -> tuple[float, float]:
    """The largest relative error of each written variance against the reference."""
    exact = bounded(reference(samples), samples.underlying)
    written = np.array([track.written() for track in tracks(samples)], dtype=np.float64).T / RATE
    fast, slow = np.abs(written / exact - 1).max(axis=1)
    return float(fast), float(slow)


def _added(samples: Samples, half_life: int) -> tuple[Floats, NDArray[np.bool_]]:
    """What each return adds to a variance, and whether it was cut to that."""
    weights = 1 - np.exp2(-samples.elapsed / half_life)
    whole = weights * samples.squares * YEAR / samples.elapsed
    most = (1 - 2 ** (-SPAN / half_life)) * (CAP / WAD) * YEAR / SPAN
    return np.minimum(whole, most), whole > most


def _weighted(samples: Samples, begun: float, half_life: int) -> Floats:
    """begun 2^-(age / half-life) + sum of what was added since, times 2^-(its age / half-life); in chunks of bounded age."""
    added, _ = _added(samples, half_life)
    result = np.full(len(samples), begun)
    ages = (samples.times - samples.times[0]) / half_life
    start = 0
    while start < len(samples) - 1:
        end = min(int(np.searchsorted(ages, ages[start] + CHUNK)), len(samples))
        end = max(end, start + 2)
        inside = ages[start + 1 : end] - ages[start]
        result[start + 1 : end] = np.exp2(-inside) * (result[start] + np.cumsum(np.exp2(inside) * added[start : end - 1]))
        start = end - 1
    return result
