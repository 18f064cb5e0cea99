"""Bars as a path, and the path as the ticks that a feed would publish.

Inside a bar the price runs along straight lines from its open to the first extreme, the second, and its close, a
quarter of the bar apart; the low comes first where that makes the way shorter, and in a tie. The last quarter leads
to the next bar's open. So every open, high, low and close of the bars is on the path.

A tick is published as price feeds do it: when an index has moved by some deviation since the last tick, or when some
time (the heartbeat) has passed. The highest and the lowest price of each index are always among them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from everstock.replay.bars import Bars, PriceError, clock

# Bars shorter than this are put together.
BAR_SECONDS: Final = 300
# Of a bar, from one point of its path to the next: a third of a quarter, so that every corner is one.
_STEPS: Final = 12
# Between two such points: no two ticks are nearer.
STEP: Final = BAR_SECONDS // _STEPS
# The shortest bars that are ever taken as they are: every crash that has a name has none shorter.
MIN_BAR_SECONDS: Final = 60
# Of prices on chain.
DECIMALS: Final = 8


@dataclass(frozen=True)
class Tick:
    """The prices of all underlyings at one time (Unix seconds), integers with 8 decimals."""

    time: int
    prices: Mapping[str, int]


@dataclass(frozen=True)
class Pace:
    """How densely a path is sampled: heartbeat in seconds, least deviation as a fraction, and ticks at most.

    Bars shorter than `bar` seconds are put together; it is a multiple of `_STEPS`.
    """

    heartbeat: int
    deviation: float
    ticks: int
    bar: int = BAR_SECONDS


def path(bars: Bars) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The corners of the path through `bars`: times and prices, four for each bar."""
    low_first = np.abs(bars.open - bars.low) + np.abs(bars.high - bars.close)
    high_first = np.abs(bars.open - bars.high) + np.abs(bars.low - bars.close)
    down = low_first <= high_first
    corners = [bars.open, np.where(down, bars.low, bars.high), np.where(down, bars.high, bars.low), bars.close]
    quarters = (bars.end - bars.start) // 4
    times = bars.start[:, None] + quarters[:, None] * np.arange(4)
    return times.ravel(), np.stack(corners, axis=1).ravel()


def ticks(series: Mapping[str, Bars], pace: Pace) -> list[Tick]:
    """The ticks of several indexes together, over the time that all of them have.

    The deviation is raised above that of `pace` as far as its number of ticks demands. Raises `PriceError` if the
    series do not overlap, a bar's length does not fit, or the heartbeat alone makes too many ticks.
    """
    grid, prices = _sampled(series, pace.bar)
    beats = (grid[-1] - grid[0]) / pace.heartbeat
    if beats > pace.ticks:
        raise PriceError(f"{(grid[-1] - grid[0]) / 86_400:.0f} days are too long for a replay; cut the files")
    logs = np.log(np.stack(list(prices.values())))
    extremes = {int(choose(row)) for row in logs for choose in (np.argmin, np.argmax)}
    kept = _fitting(grid, logs, extremes, pace)
    scaled = {name: np.rint(row[kept] * 10**DECIMALS).astype(np.int64).tolist() for name, row in prices.items()}
    return [Tick(time, {name: row[i] for name, row in scaled.items()}) for i, time in enumerate(grid[kept].tolist())]


def finest(series: Mapping[str, Bars]) -> int:
    """The shortest `Pace.bar` that these series have anything to tell about, seconds."""
    shortest = min(int((bars.end - bars.start).min()) for bars in series.values())
    bar = min(max(shortest, MIN_BAR_SECONDS), BAR_SECONDS)
    return bar if BAR_SECONDS % bar == 0 and bar % _STEPS == 0 else BAR_SECONDS


def _sampled(series: Mapping[str, Bars], bar: int) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """All paths over the time they share, on one grid of which a bar of `bar` seconds has `_STEPS` points."""
    step = bar // _STEPS
    paths = {}
    for name, given in series.items():
        bars = given.resampled(bar)
        odd = (bars.end - bars.start) % bar != 0
        if odd.any() or (bars.start % step != 0).any():
            raise PriceError(f"{name}: bars must begin and end at multiples of {bar} seconds, or divide them")
        paths[name] = path(bars)
    start = max(int(times[0]) for times, _ in paths.values())
    end = min(int(times[-1]) for times, _ in paths.values())
    if end - start < bar:
        spans = [f"{name} {clock(times[0])} to {clock(times[-1])}" for name, (times, _) in paths.items()]
        raise PriceError(f"the prices do not overlap: {', '.join(spans)}")
    grid = np.arange(start, end + 1, step)
    return grid, {name: np.interp(grid, times, prices) for name, (times, prices) in paths.items()}


def _fitting(grid: NDArray[np.int64], logs: NDArray[np.float64], extremes: set[int], pace: Pace) -> list[int]:
    """The ticks to keep at the least deviation, not below that of `pace`, that keeps few enough."""
    lowest = math.log1p(pace.deviation)
    kept = _thinned(grid, logs, extremes, pace.heartbeat, lowest)
    if len(kept) <= pace.ticks:
        return kept
    low, high = lowest, math.log(2)
    while high - low > 1e-4:
        middle = (low + high) / 2
        found = _thinned(grid, logs, extremes, pace.heartbeat, middle)
        if len(found) > pace.ticks:
            low = middle
        else:
            high, kept = middle, found
    return kept


def _thinned(
    grid: NDArray[np.int64], logs: NDArray[np.float64], extremes: set[int], heartbeat: int, deviation: float
) -> list[int]:
    times: Sequence[int] = grid.tolist()
    rows: Sequence[Sequence[float]] = logs.T.tolist()
    kept = [0]
    for i in range(1, len(times)):
        last = kept[-1]
        moved = max(abs(now - then) for now, then in zip(rows[i], rows[last], strict=True))
        if moved >= deviation or times[i] - times[last] >= heartbeat or i in extremes or i == len(times) - 1:
            kept.append(i)
    return kept
