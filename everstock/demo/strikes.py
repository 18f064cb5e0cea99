"""Which series to have listed as an index moves: strikes of two digits at and around it, calls and puts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Where strikes are wanted at first, as index / strike, and later only at the money: each time the index is so far from
# the nearest strike.
LADDER: Final = (1.20, 1.10, 1.0, 0.92, 0.84)
TOO_FAR: Final = 0.07
# Per underlying, of which some room is kept.
MAX_SERIES: Final = 16


@dataclass(frozen=True)
class Listed:
    """An active series: strike in USD, whether anybody holds it, and when it was last used (Unix seconds)."""

    series: int
    strike: float
    is_put: bool
    held: bool
    last_use: int


def two_digits(price: float) -> float:
    """The strike of two significant digits that is nearest to `price`."""
    return float(f"{price:.1e}")


def ladder(index: float) -> list[float]:
    """The strikes to begin with, in order."""
    return sorted({two_digits(index / moneyness) for moneyness in LADDER})


def wanted(index: float, active: Sequence[Listed]) -> list[tuple[float, bool]]:
    """The (strike, put) pairs to list now: none while there is a strike near the index, or no room."""
    if any(abs(index / listed.strike - 1) < TOO_FAR for listed in active):
        return []
    strike = two_digits(index)
    have = {(listed.strike, listed.is_put) for listed in active}
    pairs = [(strike, is_put) for is_put in (False, True) if (strike, is_put) not in have]
    return pairs[: MAX_SERIES - len(active)]


def unused(index: float, active: Sequence[Listed], now: int, wait: int) -> list[int]:
    """Series far from the index that nobody holds or used for `wait` seconds, while the list is more than half full."""
    if len(active) <= MAX_SERIES // 2:
        return []
    return [
        listed.series
        for listed in active
        if not listed.held and now >= listed.last_use + wait and abs(index / listed.strike - 1) > 2 * TOO_FAR
    ]
