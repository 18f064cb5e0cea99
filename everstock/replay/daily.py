"""Published daily figures, and a seeded bridge between them, for when nothing better can be had.

The figures are Binance's spot candles BTCUSDT and ETHUSDT of one day each (UTC), as its public archive
(https://data.binance.vision) has them. What happened inside a day is invented: a random path, the same for the same
seed, that begins at the day's open, touches its low and its high once each in the order that makes the shorter way,
ends at its close, and never leaves the day's range. Both indexes turn at the same times and move mostly together.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from everstock.replay.bars import Bars, PriceError
from everstock.replay.ticks import BAR_SECONDS

DAY: Final = 86_400
# Between two points of the bridge; four of them make a bar.
STEP: Final = BAR_SECONDS // 4
SOURCE: Final = "published daily figures with a seeded bridge"

# Open, high, low and close by UTC day.
FIGURES: Final[Mapping[str, Mapping[str, tuple[float, float, float, float]]]] = {
    "BTC": {
        "2020-03-10": (7929.87, 8149.00, 7728.01, 7894.56),
        "2020-03-11": (7894.57, 7980.00, 7590.00, 7934.52),
        "2020-03-12": (7934.58, 7966.17, 4410.00, 4800.00),
        "2020-03-13": (4800.01, 5955.00, 3782.13, 5578.60),
        "2020-03-14": (5576.05, 5640.52, 5055.13, 5172.06),
        "2025-10-09": (123306.01, 123762.94, 119651.47, 121662.40),
        "2025-10-10": (121662.41, 122550.00, 102000.00, 112774.50),
        "2025-10-11": (112774.49, 113322.39, 109561.59, 110644.40),
    },
    "ETH": {
        "2020-03-10": (202.79, 206.20, 195.54, 200.70),
        "2020-03-11": (200.74, 203.18, 181.73, 194.61),
        "2020-03-12": (194.61, 195.55, 101.20, 107.82),
        "2020-03-13": (107.67, 139.68, 86.00, 134.06),
        "2020-03-14": (134.06, 134.68, 120.00, 122.54),
        "2025-10-09": (4525.72, 4531.52, 4265.06, 4368.09),
        "2025-10-10": (4368.09, 4393.63, 3435.00, 3829.72),
        "2025-10-11": (3829.72, 3878.30, 3643.33, 3746.79),
    },
}

# When the first and the second extreme of a day fall, as parts of it.
_FIRST: Final = (1 / 12, 1 / 5)
_SECOND: Final = (1 / 2, 11 / 12)
# Of a day's range in logs: how far the path strays from the straight line between its corners.
_ROUGHNESS: Final = 0.35
# Of the two indexes' straying.
_CORRELATION: Final = 0.85
# How unevenly the day's movement is spread over its minutes: the smaller, the more comes in bursts.
_BURSTS: Final = 0.1


def covers(start: int, end: int) -> bool:
    """Whether there are figures for every day of [start, end)."""
    return all(day in figures for figures in FIGURES.values() for day in _days(start, end))


def bridged(start: int, end: int, seed: int) -> dict[str, Bars]:
    """Five-minute bars of every underlying over the whole days that [start, end) touches.

    Raises `PriceError` if there is no figure for one of them.
    """
    days = _days(start, end)
    if not covers(start, end):
        raise PriceError(f"there are no published daily figures for all of {', '.join(days)}")
    parts = [_bridge(day, seed) for day in days]
    begin = start // DAY * DAY
    times = begin + STEP * np.arange(len(days) * DAY // STEP)
    per_bar = BAR_SECONDS // STEP
    bars = {}
    for name in FIGURES:
        points = np.concatenate([part[name] for part in parts]).reshape(-1, per_bar)
        rows = np.column_stack([times[::per_bar], points[:, 0], points.max(axis=1), points.min(axis=1), points[:, -1]])
        bars[name] = Bars.of(rows, BAR_SECONDS)
    return bars


def _bridge(day: str, seed: int) -> dict[str, NDArray[np.float64]]:
    """One price every `STEP` seconds of a day, for every underlying."""
    steps = DAY // STEP
    random = np.random.default_rng([seed, _time(day)])
    turns = [0, int(random.uniform(*_FIRST) * steps), int(random.uniform(*_SECOND) * steps), steps - 1]
    clock = np.concatenate([[0], random.gamma(_BURSTS, size=steps - 1).cumsum()])
    clock /= clock[-1]
    common = random.standard_normal(steps - 1)
    paths = {}
    for name, figures in FIGURES.items():
        own = random.standard_normal(steps - 1)
        noise = _CORRELATION * common + np.sqrt(1 - _CORRELATION**2) * own
        paths[name] = _path(figures[day], turns, clock, noise)
    return paths


def _path(
    figures: tuple[float, float, float, float],
    turns: Sequence[int],
    clock: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> NDArray[np.float64]:
    open_, high, low, close = figures
    low_first = abs(open_ - low) + abs(high - close) <= abs(open_ - high) + abs(low - close)
    corners = [open_, low, high, close] if low_first else [open_, high, low, close]
    roughness = _ROUGHNESS * np.log(high / low)
    walk = np.concatenate([[0], (noise * np.sqrt(np.diff(clock))).cumsum()]) * roughness
    logs = np.interp(clock, clock[turns], np.log(corners)) + walk - np.interp(clock, clock[turns], walk[turns])
    prices = np.exp(_folded(logs, np.log(low), np.log(high))).clip(low, high)
    prices[turns] = corners
    return prices.round(2)


def _folded(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Values thrown back at both bounds, as often as it takes."""
    span = high - low
    offset = np.mod(values - low, 2 * span)
    return low + np.minimum(offset, 2 * span - offset)


def _days(start: int, end: int) -> list[str]:
    first, last = start // DAY, (end - 1) // DAY
    return [datetime.fromtimestamp(day * DAY, UTC).date().isoformat() for day in range(first, last + 1)]


def _time(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
