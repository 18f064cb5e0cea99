"""Two exponentially weighted variances of each underlying, sampled at the first price after each ten-minute boundary."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from everstock.model.atomic import undone_on_revert
from everstock.model.constants import RATE, WAD, YEAR
from everstock.model.price_oracle import PriceOracle, Published
from everstock.model.reverts import require
from everstock.model.wad_math import wad_exp, wad_ln

SPAN: Final = 600
HALF_LIVES: Final = (6 * 3_600, 48 * 3_600)
LN_2: Final = 693_147_180_559_945_309
# A return that a sample of ten minutes is capped at, squared, wad.
CAP: Final = WAD // 100
CEILING: Final = 62_500_000_000
PER_RATE: Final = WAD // RATE


def kept(elapsed: int, half_life: int) -> int:
    """2^(-elapsed / half-life), a wad."""
    return wad_exp(-(elapsed * LN_2 // half_life))


# What a sample adds at most: as much as a return of 10% in ten minutes.
MOST: Final = tuple((WAD - kept(SPAN, half_life)) * CAP * YEAR // (SPAN * WAD) for half_life in HALF_LIVES)


@dataclass(frozen=True)
class Track:
    """Where an underlying is. Variances per year: `fast` and `slow` wads, `floor` in 1e-10."""

    price: int
    time: int
    fast: int
    slow: int
    floor: int

    def moved(self, price: int, time: int) -> "Track":
        """After a sample of `price` (8 decimals), published at `time`."""
        if self.time == 0:
            return replace(self, price=price, time=time)
        elapsed = time - self.time
        log_return = wad_ln(price * WAD // self.price)
        fast, slow = (
            _decayed(variance, log_return**2, elapsed, half_life, most)
            for variance, half_life, most in zip((self.fast, self.slow), HALF_LIVES, MOST, strict=True)
        )
        return replace(self, price=price, time=time, fast=fast, slow=slow)

    def written(self) -> tuple[int, int]:
        """Both variances between floor and ceiling, per year in 1e-10."""
        fast, slow = (min(max(variance // PER_RATE, self.floor), CEILING) for variance in (self.fast, self.slow))
        return fast, slow


@dataclass(frozen=True)
class Seed:
    """Where an underlying begins, field by field that of IVolatilityOracle: variances per year in 1e-10."""

    underlying: int
    price: int
    time: int
    fast: int
    slow: int
    floor: int

    def track(self) -> Track:
        return Track(self.price, self.time, self.fast * PER_RATE, self.slow * PER_RATE, self.floor)


@dataclass
class VolatilityOracle:
    """Samples into `oracle`, which must have appointed it."""

    oracle: PriceOracle
    tracks: dict[int, Track] = field(default_factory=dict)

    @property
    def boundary(self) -> int:
        """The latest boundary."""
        return self.oracle.block.timestamp // SPAN * SPAN

    def sample(self, published: Mapping[int, Published]) -> int:
        """Take first prices since the latest boundary; how many underlyings were sampled. Raises `Revert`."""
        with undone_on_revert(self):
            return self._sample(published)

    def _sample(self, published: Mapping[int, Published]) -> int:
        since = self.boundary
        prices = self.oracle.first_prices(published, since, since + SPAN - 1)
        sampled = 0
        for underlying, price in prices.items():
            require(underlying in self.tracks, "volatility_oracle: unknown underlying")
            track = self.tracks[underlying]
            if track.time < since:
                self.tracks[underlying] = track = track.moved(price, published[underlying].publish_time)
                self.oracle.set_variances(underlying, *track.written(), by_volatility_oracle=True)
                sampled += 1
        return sampled


def _decayed(variance: int, square: int, elapsed: int, half_life: int, most: int) -> int:
    """A variance after a return whose square is scaled by WAD^2."""
    left = kept(elapsed, half_life)
    added = (WAD - left) * square * YEAR // (elapsed * WAD * WAD)
    return left * variance // WAD + min(added, most)
