"""The markets tick by tick, as they were read from the chain."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from everstock.demo.cast import Kind, Profile
from everstock.demo.reader import Reading


@dataclass(frozen=True)
class MarketPoint:
    """One market at one time, raw units. `equities` are traders', by kind."""

    equity: int
    requirement: int
    claims: int
    insurance: int
    treasury: int
    bought: int
    written: int
    main_supply: int
    insurance_supply: int
    window_end: int  # chain time
    equities: Mapping[Kind, int]

    @property
    def interest(self) -> int:
        """All open face, bought and written."""
        return self.bought + self.written


@dataclass(frozen=True)
class Point:
    """All markets at one time (`time`: the episode's clock), after a tick was dealt with."""

    time: int
    block: int
    prices: Mapping[str, int]
    markets: Mapping[str, MarketPoint]


@dataclass
class History:
    """Points in order of time. `traders` are profiles by market and account."""

    traders: Mapping[str, Mapping[int, Profile]]
    points: list[Point] = field(default_factory=list)

    def record(self, time: int, block: int, prices: Mapping[str, int], readings: Mapping[str, Reading]) -> Point:
        """Add a point and return it."""
        markets = {symbol: self._market(symbol, reading) for symbol, reading in readings.items()}
        point = Point(time, block, dict(prices), markets)
        self.points.append(point)
        return point

    @property
    def times(self) -> Sequence[int]:
        return [point.time for point in self.points]

    def _market(self, symbol: str, reading: Reading) -> MarketPoint:
        market = reading.market
        equities: dict[Kind, int] = defaultdict(int)
        for id_, profile in self.traders[symbol].items():
            # A bankrupt account owes nobody: what is missing is its pool's, once it is liquidated.
            equities[profile.kind] += max(0, reading.accounts[id_].equity)
        return MarketPoint(
            equity=market.equity,
            requirement=market.requirement,
            claims=market.claims,
            insurance=market.insurance,
            treasury=market.treasury,
            bought=sum(exposure.long_face for exposure in market.exposures),
            written=sum(exposure.short_face for exposure in market.exposures),
            main_supply=reading.main_supply,
            insurance_supply=reading.insurance_supply,
            window_end=market.window_end,
            equities=dict(equities),
        )
