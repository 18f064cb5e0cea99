"""What it takes to move a sigma: how far a price must be moved at a boundary, or how long it must stand still.

A return of r in ten minutes, at a variance v, makes it (1 - w) v + w r^2 year / 600 s. To raise sigma by a part x takes

    r = sqrt(((1 + x)^2 - (1 - w)) v 600 s / (w year))

of a move that lasts. A price that is moved at one boundary and back at the next leaves two returns, so that each needs only be
about 1 / sqrt(2) of it. Sigma falls by x where there is no return for half-life * log2(1 / (1 - x)^2).
"""

import math
from dataclasses import dataclass
from typing import Final

from everstock.model.constants import YEAR
from everstock.model.volatility_oracle import HALF_LIVES, SPAN

SIGMAS: Final = (0.25, 0.4, 0.6, 1.0)
PART: Final = 0.10


def weight(half_life: int, elapsed: float = SPAN) -> float:
    """w."""
    return 1 - 2 ** (-elapsed / half_life)


def raised(variance: float, half_life: int, returns: tuple[float, ...]) -> float:
    """A variance after log returns at successive boundaries."""
    w = weight(half_life)
    for r in returns:
        variance = (1 - w) * variance + min(w * r**2 * YEAR / SPAN, w * 0.01 * YEAR / SPAN)
    return variance


def lasting(sigma: float, half_life: int, part: float = PART) -> float:
    """The log return of one boundary that raises sigma by `part`."""
    w = weight(half_life)
    return math.sqrt(((1 + part) ** 2 - (1 - w)) * sigma**2 * SPAN / (w * YEAR))


def there_and_back(sigma: float, half_life: int, part: float = PART) -> float:
    """The log return at one boundary, undone at the next, that leaves sigma higher by `part`."""
    w = weight(half_life)
    needed = ((1 + part) ** 2 - (1 - w) ** 2) * sigma**2
    return math.sqrt(needed * SPAN / (w * (2 - w) * YEAR))


def stillness(half_life: int, part: float = PART) -> float:
    """Seconds without any return after which sigma is lower by `part`."""
    return -2 * math.log2(1 - part) * half_life


@dataclass(frozen=True)
class Cost:
    """Of moving one sigma by a tenth: log returns, and hours of stillness."""

    sigma: float
    lasting: tuple[float, ...]
    there_and_back: tuple[float, ...]


def costs() -> list[Cost]:
    """For fast and slow, at each of `SIGMAS`."""
    return [
        Cost(
            sigma,
            tuple(lasting(sigma, half_life) for half_life in HALF_LIVES),
            tuple(there_and_back(sigma, half_life) for half_life in HALF_LIVES),
        )
        for sigma in SIGMAS
    ]
