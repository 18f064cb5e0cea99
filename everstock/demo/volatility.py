"""The two variances of each underlying in floats, as replays in process write them; a chain's are VolatilityOracle's.

Exponentially weighted variances of log returns per true elapsed time, with half-lives of 6 and 48 hours, from prices
about ten minutes apart, each squared return capped at (10%)^2, between a floor and a ceiling.
"""

import math
from dataclasses import dataclass, field
from typing import Final

YEAR: Final = 365 * 86_400
HALF_LIVES: Final = (6 * 3_600, 48 * 3_600)
SAMPLE_SECONDS: Final = 600
CAP: Final = 0.10
FLOORS: Final = {"BTC": 0.25, "ETH": 0.30}
CEILING: Final = 2.50
# A variance of 1 on chain.
SCALE: Final = 10**10


@dataclass
class Variances:
    """The fast and the slow variance of one underlying, per year, which begin at `sigma` squared."""

    underlying: str
    sigma: float
    _time: int = 0
    _price: float = 0.0
    _values: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._values = [self.sigma**2] * len(HALF_LIVES)

    def sample(self, time: int, price: float) -> None:
        """Take a price, if it is the first or the last one is ten minutes old."""
        if self._time and time < self._time + SAMPLE_SECONDS:
            return
        if self._time:
            elapsed = time - self._time
            square = min(math.log(price / self._price) ** 2, CAP**2)
            for i, half_life in enumerate(HALF_LIVES):
                kept = 0.5 ** (elapsed / half_life)
                self._values[i] = kept * self._values[i] + (1 - kept) * square * YEAR / elapsed
        self._time, self._price = time, price

    def on_chain(self) -> tuple[int, int]:
        """Both, bounded, as the oracle takes them: squared sigma per year in 1e-10."""
        low, high = FLOORS[self.underlying] ** 2, CEILING**2
        fast, slow = (round(min(max(value, low), high) * SCALE) for value in self._values)
        return fast, slow
