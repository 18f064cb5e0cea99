"""Carry out of closes: what holding the index costs, plus the covariance of stock and index.

A market's options pay in the stock token, so that their holder is long the product of the two: per year the index drifts, measured in the
token, by the hedge rate plus rho * sigma_stock * sigma_index (docs/SPEC.md, section 2). All three are measured over the same
spans, from one close of the New York session (16:00 there) to the next, nights and weekends included, with the index at that hour.
Intervals are those of a circular block bootstrap: blocks of days, drawn with replacement, keep what returns have to do with their neighbours.
"""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from everstock.model.constants import BASIS, YEAR
from everstock.replay.bars import PriceError
from everstock.volatility.history import Floats, Samples

NEW_YORK: Final = ZoneInfo("America/New_York")
CLOSE: Final = time(16)
# Of RiskParameters.
MOST: Final = 30_000
# What dollars cost overnight, about: SOFR in the summer of 2025, https://www.newyorkfed.org/markets/reference-rates/sofr
HEDGE_RATE: Final = 0.043
# Days of a block, and how often it is drawn anew.
BLOCK: Final = 20
DRAWS: Final = 4_000
# How far from a close the index may be looked up, seconds: the series has holes of hours.
NEAR: Final = 3_600
INTERVAL: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A number with the bounds of its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Carry:
    """What the closes say of one stock and one index. Sigmas and covariance per year."""

    stock: str
    index: str
    days: int
    first: int
    last: int
    rho: Estimate
    sigma_stock: Estimate
    sigma_index: Estimate
    covariance: Estimate
    hedge_rate: float

    @property
    def carry(self) -> Estimate:
        """Per year."""
        return Estimate(*(self.hedge_rate + value for value in vars(self.covariance).values()))

    @property
    def parameter(self) -> int:
        """As RiskParameters takes it: per year in 1e-5, inside its bounds."""
        return int(np.clip(round(self.carry.value * BASIS), -MOST, MOST))


def read_closes(path: Path) -> tuple[NDArray[np.int64], Floats]:
    """When each day's session closed, and at which price. Raises `PriceError` for what is no file of daily bars."""
    try:
        with path.open() as file:
            rows = [(int(row["timestamp"]), float(row["close"])) for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError) as error:
        raise PriceError(f"{path}: not bars with a timestamp and a close: {error}") from error
    times = [_close_of(start) for start, _ in rows]
    return np.array(times, dtype=np.int64), np.array([close for _, close in rows])


def estimate(
    stock: str,
    closes: tuple[NDArray[np.int64], Floats],
    index: Samples,
    *,
    hedge_rate: float = HEDGE_RATE,
    since: int = 0,
    seed: int = 1,
) -> Carry:
    """From closes at or after `since` (Unix seconds). Raises `PriceError` for fewer than a year of days."""
    times, stock_prices = closes
    index_prices = _at(index, times)
    used = (times >= since) & ~np.isnan(index_prices)
    times, stock_prices, index_prices = times[used], stock_prices[used], index_prices[used]
    if len(times) < 250:
        raise PriceError(f"{stock} and {index.underlying}: {len(times)} days in common are too few")
    returns = np.stack([np.diff(np.log(stock_prices)), np.diff(np.log(index_prices))])
    spans = np.diff(times).astype(np.float64)
    drawn = _drawn(returns.shape[1], np.random.default_rng(seed))
    found = _moments(returns[:, None, :], spans[None, :])
    draws = _moments(returns[:, drawn], spans[drawn])
    rho, sigma_stock, sigma_index, covariance = (
        Estimate(float(value[0]), *map(float, np.percentile(sample, INTERVAL)))
        for value, sample in zip(found, draws, strict=True)
    )
    return Carry(
        stock, index.underlying, len(spans), int(times[0]), int(times[-1]), rho, sigma_stock, sigma_index, covariance, hedge_rate
    )


def _moments(returns: Floats, spans: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """rho, both sigmas and the covariance, per year, of each row of (stock or index, row, day); means are not taken off:
    over a day they are nothing beside the noise."""
    years = spans.sum(axis=-1) / YEAR
    stock, index = (np.sum(one**2, axis=-1) / years for one in returns)
    covariance = np.sum(returns[0] * returns[1], axis=-1) / years
    return covariance / np.sqrt(stock * index), np.sqrt(stock), np.sqrt(index), covariance


def _drawn(days: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Rows of days, each of whole blocks that may wrap around the end."""
    starts = random.integers(0, days, size=(DRAWS, -(-days // BLOCK)))
    rows = (starts[:, :, None] + np.arange(BLOCK)) % days
    return rows.reshape(DRAWS, -1)[:, :days]


def _close_of(start: int) -> int:
    """When the session of a daily bar closed; early closes before holidays are taken for 16:00, too."""
    day = datetime.fromtimestamp(start, UTC).date()
    return int(datetime.combine(day, CLOSE, NEW_YORK).timestamp())


def _at(index: Samples, times: NDArray[np.int64]) -> Floats:
    """The index at each time: the first sample from then on, none if that is not near."""
    place = np.searchsorted(index.times, times)
    inside = np.minimum(place, len(index) - 1)
    near = (place < len(index)) & (index.times[inside] - times <= NEAR)
    return np.where(near, index.prices[inside].astype(np.float64), np.nan)
