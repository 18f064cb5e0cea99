"""The pool's own scenario test: what the main pool would lose at each of the six points, and the face traders have written.

Rebuilt from zero at every checkpoint; in between a trade adds its own effect. From it follow the requirement R and the
traders' net delta X. Kept in granules, a power of two of units, rounded against the pool's freedom (losses and written
face up); what would not fit its bits saturates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from everstock.model.constants import BASIS, WAD
from everstock.model.integers import ceil_div, floor_div
from everstock.model.portfolio_margin import POINTS

SATURATED: Final = 2**63 - 1
MAX_ACCRUED: Final = 2**96 - 1


@dataclass
class Exposure:
    """One underlying; granules."""

    losses: list[int] = field(default_factory=lambda: [0] * POINTS)  # at each point, the far ones already at a third
    delta: int = 0  # the traders' net delta X, sum of units * m v'
    checkpoint_price: int = 0  # USD, 8 decimals; 0 before the first checkpoint


@dataclass
class Effect:
    """What an order, a liquidation or a whole book adds, before rounding; units * wad."""

    losses: list[int] = field(default_factory=lambda: [0] * POINTS)
    delta: int = 0


@dataclass
class Totals:
    """Sums over both underlyings."""

    worst: int = 0  # granules
    written: int = 0  # units written by traders, granules
    accrued: int = 0  # raw units of M
    open_legs: int = 0

    def store(self) -> None:
        """What would not fit saturates."""
        self.worst = min(self.worst, 2**64 - 1)
        self.written = min(self.written, 2**64 - 1)
        self.accrued = min(self.accrued, MAX_ACCRUED)


def granule_of(decimals: int) -> int:
    """Units in a granule, about 1 / 3500 token: 2^48 at 18 decimals, 2^8 at 6."""
    granule = 1
    while granule * 2**12 <= 10**decimals:
        granule *= 2
    return granule


def affect(exposure: Exposure, effect: Effect, granule: int) -> int:
    """Add an effect to an exposure: losses rounded up, delta down. Returns the worst loss then, at least 0, granules."""
    divisors = [granule * WAD] * 4 + [3 * granule * WAD] * 2
    exposure.losses = [
        saturated(loss + ceil_div(more, divisor))
        for loss, more, divisor in zip(exposure.losses, effect.losses, divisors, strict=True)
    ]
    exposure.delta = saturated(exposure.delta + floor_div(effect.delta, granule * WAD))
    return worst(exposure.losses)


def saturated(granules: int) -> int:
    """What 64 signed bits hold, symmetrical."""
    return min(max(granules, -SATURATED), SATURATED)


def worst(losses: Sequence[int]) -> int:
    """The worst of the six losses, at least 0."""
    return max(*losses, 0)


def requirement(totals: Totals, default_charge: int, scale: int, granule: int) -> int:
    """R, raw units of M, rounded up (floor + 1; 0 for an empty book). `default_charge` of written face, 1e-5."""
    granules = totals.worst * BASIS + default_charge * totals.written
    return granules * granule * scale // (BASIS * WAD) + 1 if granules else 0


def written_after(written: int, change: int, granule: int) -> int:
    """Written face in granules after `change` units: more rounds up, less rounds down."""
    return max(written + ceil_div(change, granule), 0)
