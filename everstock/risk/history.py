"""Eight years of a pool's outcomes, over half-lives and loads, and what informed traders would have taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from everstock.risk import informed, seller
from everstock.risk.hourly import FLOORS, HALF_LIVES, Closes, Oracle
from everstock.risk.informed import Trades
from everstock.risk.seller import LOAD, Book, Hours

# Hours; one number alone is one variance for both sides.
GRID: Final[tuple[tuple[float, ...], ...]] = (
    (48.0,),
    (24.0,),
    (6.0,),
    (24.0, 48.0),
    (12.0, 48.0),
    HALF_LIVES,
    (3.0, 48.0),
    (6.0, 24.0),
    (6.0, 168.0),
)
LOADS: Final = (0.0, 0.05, 0.10, 0.15)
# Jumps of so many sigmas, 0 for every hour, and how long an informed trader holds, hours.
JUMPS: Final = (0.0, 3.0, 5.0, 8.0)
HOLDS: Final = (1, 6, 24, 72)


@dataclass(frozen=True)
class Setting:
    """One pair of half-lives, at any load."""

    half_lives: tuple[float, ...]
    oracle: Oracle
    sold: Hours
    bought: Hours

    def sold_markup(self, load: float) -> float:
        """What buyers pay above fair, hedged."""
        return self.sold.loaded(load / LOAD).markup

    def bought_discount(self, load: float) -> float:
        """What writers receive below fair, hedged."""
        return -self.bought.loaded(load / LOAD).markup


@dataclass(frozen=True)
class History:
    """One underlying."""

    closes: Closes
    seed: int = 1

    @cached_property
    def straddles(self) -> Book:
        return Book.straddles(self.closes)

    @cached_property
    def mix(self) -> Book:
        return Book.mix(self.closes, self.seed)

    def oracle(self, half_lives: tuple[float, ...] = HALF_LIVES) -> Oracle:
        return Oracle.of(self.closes, half_lives, FLOORS[self.closes.name])

    @cached_property
    def default(self) -> Setting:
        return self.setting(HALF_LIVES)

    def setting(self, half_lives: tuple[float, ...]) -> Setting:
        oracle = self.oracle(half_lives)
        book = self.straddles
        return Setting(
            half_lives, oracle, seller.sold(self.closes, book, oracle), seller.bought(self.closes, book, oracle)
        )

    def settings(self) -> Iterator[Setting]:
        """The grid."""
        return map(self.setting, GRID)

    def as_prototype(self, half_lives: tuple[float, ...], load: float) -> Hours:
        """With each hour charged at its first end."""
        return seller.sold(self.closes, self.straddles, self.oracle(half_lives), load=load, opening_end=True)

    @cached_property
    def jumps(self) -> dict[float, NDArray[np.intp]]:
        """When to trade, for each size of jump."""
        return {sigmas: informed.jumps(self.closes, sigmas) for sigmas in JUMPS}

    def informed(self, oracle: Oracle, sigmas: float, hours: int, *, buys: bool) -> Trades:
        """Whoever trades right after jumps; after every close if `sigmas` is 0. Before load and fees."""
        return informed.trades(self.closes, oracle, self.jumps[sigmas], hours, buys=buys)

    def all_informed(self, oracle: Oracle, *, buys: bool) -> list[Trades]:
        """All jumps and holding times, before load and fees."""
        return [self.informed(oracle, sigmas, hours, buys=buys) for sigmas in JUMPS if sigmas for hours in HOLDS]
