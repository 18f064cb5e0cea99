"""Hourly closes, and the variances that the oracle would have had at each of them.

Times are Unix seconds, prices USD, variances per year (1 is a sigma of 100%).
"""

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from everstock.replay.bars import PriceError

Floats = NDArray[np.float64]

YEAR: Final = 365 * 86_400
# What the oracle bounds: a single squared return at (10%)^2, sigma at 250% and, per underlying, at a floor.
CAP: Final = 0.10
CEILING: Final = 2.50
FLOORS: Final = {"BTC": 0.25, "ETH": 0.30}
HALF_LIVES: Final = (6.0, 48.0)  # hours
# Before the first return; a day later nothing is left of it in the fast variance.
START_VARIANCE: Final = 0.36
FILE: Final = "{}USDT_2017-08_2025-08_binance_1h.csv.gz"


@dataclass(frozen=True)
class Closes:
    """The closes of one index, in order of time. Hours may be missing."""

    name: str
    time: NDArray[np.int64]
    price: Floats

    @property
    def years(self) -> Floats:
        """How long each step from one close to the next takes."""
        return np.diff(self.time) / YEAR


def read(name: str, folder: Path) -> Closes:
    """The eight-year series of an underlying. Raises `PriceError` if the folder has none, or prices that are none."""
    path = folder / FILE.format(name)
    try:
        with gzip.open(path, "rt", newline="") as file:
            rows = [(int(float(row["timestamp"])), float(row["close"])) for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError) as error:
        raise PriceError(f"{path}: {error}") from error
    time, price = (np.array(column) for column in zip(*rows, strict=True))
    if (np.diff(time) <= 0).any() or not (price > 0).all():
        raise PriceError(f"{path}: times that do not rise, or a price that is not positive")
    return Closes(name, time, price)


def variance(closes: Closes, half_life: float, start: float = START_VARIANCE) -> Floats:
    """The exponentially weighted variance at each close, its own return included, not bounded; `half_life` in hours.

    Per true elapsed time: a return over dt counts as r^2 / dt, with the weight 1 - 2^(-dt / half-life); docs/SPEC.md, section 2.
    """
    seconds = np.diff(closes.time)
    rates = np.minimum(np.log(closes.price[1:] / closes.price[:-1]) ** 2, CAP**2) / (seconds / YEAR)
    kept = 0.5 ** (seconds / 3_600 / half_life)
    value, found = start, [start]
    for keep, rate in zip(kept.tolist(), rates.tolist(), strict=True):
        value = keep * value + (1 - keep) * rate
        found.append(value)
    return np.array(found)


@dataclass(frozen=True)
class Oracle:
    """What each side's premium is reckoned with, at each close."""

    long: Floats  # the larger variance
    short: Floats  # the smaller

    @classmethod
    def of(cls, closes: Closes, half_lives: tuple[float, ...], floor: float, ceiling: float = CEILING) -> "Oracle":
        """The oracle with these half-lives (hours); one alone serves both sides. Floor and ceiling are sigmas."""
        both = np.stack([variance(closes, hours) for hours in half_lives]).clip(floor**2, ceiling**2)
        return cls(both.max(axis=0), both.min(axis=0))

    @classmethod
    def steady(cls, closes: Closes, sigma: float) -> "Oracle":
        """One that always knows `sigma`."""
        flat = np.full(len(closes.time), sigma**2)
        return cls(flat, flat)
