"""A replay from its first tick to its last, in process."""

import time
from collections.abc import Callable
from typing import Any, Final

import boa

from everstock.chain.deployment import PRICE_BANDS
from everstock.replay.bars import Bars, PriceError, clock
from everstock.replay.opening import opened
from everstock.replay.outcome import Outcome, Settings, counted
from everstock.replay.sources import Replay
from everstock.replay.ticks import DECIMALS, Pace, finest, ticks
from everstock.replay.watch import Watch

# A tick whenever an index moved by so much, and at least once an hour.
DEVIATION: Final = 0.0005
HEARTBEAT: Final = 3_600
# Some twenty years of the densest.
MAX_TICKS: Final = 10**7


def perform(replay: Replay, settings: Settings, progress: Callable[[float], Any] = lambda part: None) -> Outcome:
    """Open a market at the first prices of a replay, and let it live through the rest.

    It ends early where the market is settled. `progress` is told how much is done, of 1. Raises `PriceError` for prices
    that the oracle would not take, `ReplayError` for a book that does not fit.
    """
    _check_band(replay)
    published = ticks(replay.series, Pace(HEARTBEAT, DEVIATION, MAX_TICKS, finest(replay.series)))
    course = [(tick.time, {name: price / 10**DECIMALS for name, price in tick.prices.items()}) for tick in published]
    start, first = course[0]
    with boa.env.anchor():
        market = opened(
            settings.book,
            seed=settings.seed,
            time=start,
            prices=first,
            main=settings.main,
            insurance=settings.insurance,
            load=settings.load,
        )
        watch = Watch(market, settings.pause)
        began, worked = time.perf_counter(), time.process_time()
        length, looks = course[-1][0] - start, 0
        for now, prices in course[1:]:
            market.sample(now, prices)
            looks += watch.look(now, prices)
            progress((now - start) / length)
            if market.is_over():
                break
        else:
            # The last tick is seen in any case, for the end of every line.
            if market.now < course[-1][0]:
                market.step(*course[-1])
            market.look([], everybody=True)
        elapsed, work = time.perf_counter() - began, time.process_time() - worked
        return counted(
            market,
            settings,
            name=replay.name,
            title=replay.title,
            source=replay.source,
            ticks=len(course),
            looks=looks,
            overlooked=watch.missed,
            wall_seconds=elapsed,
            cpu_seconds=work,
        )


def _check_band(replay: Replay) -> None:
    """Raise `PriceError` for the first price that is outside the oracle's fixed band."""
    for name, bars in replay.series.items():
        least, most = PRICE_BANDS[name]
        outside = (bars.low < least) | (bars.high > most)
        if outside.any():
            raise PriceError(
                f"{name} leaves the oracle's band of {least:,} to {most:,} dollars at {_when(bars, int(outside.argmax()))}"
            )


def _when(bars: Bars, row: int) -> str:
    return f"{clock(float(bars.start[row]))}: {bars.low[row]:,.2f} to {bars.high[row]:,.2f}"
