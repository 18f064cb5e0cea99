"""What each trader does. Pure: a trader sees its own account and the listed series, and may wish for one order.

Amounts are floats in whole tokens: a trader reckons roughly, and the contracts decide.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from everstock.demo.cast import Kind, Profile
from everstock.demo.options import Leg, initial, mark
from everstock.parameters import MarketParameters

# Raw units of a whole token.
TOKEN: Final = 10**18
# Seconds between two orders of a trader, at least.
PAUSE_SECONDS: Final = 2_700
# Face at most, in multiples of equity.
MAX_LEVERAGE: Final = 16.0
# Of the margin once paid in: below that a trader has had enough.
GIVING_UP: Final = 0.15
# Equity in multiples of that margin at which profits are taken.
CONTENT: Final = 1.6
# Equity in multiples of initial margin below which a prudent trader cuts.
CLOSE_CALL: Final = 1.15
# How often an order has a limit that is generous, one that asks for too much, or a size beyond the account's margin.
LIMITED: Final = 0.5
BARGAINING: Final = 0.05
RECKLESS: Final = 0.04


@dataclass(frozen=True)
class Quote:
    """A series as a trader sees it."""

    series: int
    underlying: int
    is_put: bool
    moneyness: float
    open: bool  # takes new positions


@dataclass(frozen=True)
class View:
    """What a trader knows when it decides. `initial` is its account's initial margin; `legs` are faces by series."""

    time: int
    quotes: Sequence[Quote]
    equity: float
    initial: float
    legs: Mapping[int, float]


@dataclass(frozen=True)
class Wish:
    """An order: (series, face) legs, and what it may cost at most."""

    legs: tuple[tuple[int, float], ...]
    limit: float | None = None
    reduce_only: bool = False


class Trader:
    """One trader, whose first order comes at some time within `opening` seconds from `start`."""

    def __init__(self, profile: Profile, parameters: MarketParameters, start: int, opening: int) -> None:
        self.profile = profile
        self._parameters = parameters
        self._chance = random.Random(profile.seed)
        self._next = start + int(self._chance.random() * opening)
        self._began = False

    def decide(self, view: View) -> Wish | None:
        """What it wants now, if anything."""
        if view.time < self._next:
            return None
        wish = self._react(view) if view.legs else self._begin(view)
        if wish is not None:
            self._next = view.time + int(PAUSE_SECONDS * self._chance.uniform(1, 3))
        return wish

    def _begin(self, view: View) -> Wish | None:
        """Open, at once the first time, later if it feels like it."""
        first, self._began = not self._began, True
        if view.equity < GIVING_UP * self.profile.margin:
            return None
        if not first and self._chance.random() > 3 * self.profile.restlessness:
            return None
        return self._opening(view, view.equity * self.profile.use)

    def _react(self, view: View) -> Wish | None:
        chance, profile = self._chance, self.profile
        if view.equity < CLOSE_CALL * view.initial and chance.random() < profile.prudence:
            return Wish(tuple((series, -face / 2) for series, face in view.legs.items()), reduce_only=True)
        if view.equity > CONTENT * profile.margin and chance.random() < 0.3:
            return self._closing(view)
        if chance.random() > profile.restlessness:
            return None
        what = chance.random()
        if what < 0.35:
            return self._closing(view)
        if what < 0.70:
            return self._roll(view)
        room = view.equity * min(0.95, profile.use + 0.2) - view.initial
        return self._opening(view, room) if room > 0 else None

    def _opening(self, view: View, margin: float) -> Wish | None:
        """An order of its kind that takes about so much margin."""
        shape = self._shape(view)
        if not shape:
            return None
        needed = initial([_leg(quote, weight) for quote, weight in shape], self._parameters)
        face = min(margin / needed, MAX_LEVERAGE * view.equity)
        if face * TOKEN < 2 * self._parameters.min_face:
            return None
        if self._chance.random() < RECKLESS:
            face = 1.5 * view.equity / needed
        return self._limited(tuple((quote, weight * face) for quote, weight in shape))

    def _roll(self, view: View) -> Wish | None:
        """Out of what it holds and into its kind's position at the present index, in one order."""
        by_id = {quote.series: quote for quote in view.quotes}
        opened = self._opening(view, view.equity * self.profile.use * 0.9)
        if opened is None or any(series not in by_id for series in view.legs):
            return None
        change = {series: -face for series, face in view.legs.items()}
        for series, face in opened.legs:
            change[series] = change.get(series, 0.0) + face
        legs = tuple((by_id[series], face) for series, face in change.items() if abs(face) > 1e-6)
        return self._limited(legs) if 0 < len(legs) <= 8 else None

    def _closing(self, view: View) -> Wish:
        # A little more than there is: reduce-only clamps it to just that.
        return Wish(tuple((series, -1.01 * face) for series, face in view.legs.items()), reduce_only=True)

    def _limited(self, legs: Sequence[tuple[Quote, float]]) -> Wish:
        """An order, perhaps with a limit on its total: bought marks less written, fee and impact."""
        chance = self._chance
        value = sum(face * mark(quote.moneyness, quote.is_put) for quote, face in legs)
        size = sum(abs(face) * mark(quote.moneyness, quote.is_put) for quote, face in legs)
        limit = None
        if chance.random() < BARGAINING:
            limit = value - 0.05 * size
        elif chance.random() < LIMITED:
            limit = value + 0.25 * size
        return Wish(tuple((quote.series, face) for quote, face in legs), limit)

    def _shape(self, view: View) -> list[tuple[Quote, float]]:
        """The series and weights of its kind's position; empty if they are not listed."""
        u, m = self.profile.underlying, self.profile.moneyness
        kind = self.profile.kind
        wanted: list[tuple[int, bool, float, float]]  # underlying, put, moneyness, weight
        if kind is Kind.CALL_BUYER:
            wanted = [(u, False, m, 1)]
        elif kind is Kind.PUT_BUYER:
            wanted = [(u, True, m, 1)]
        elif kind is Kind.CALL_WRITER:
            wanted = [(u, False, m, -1)]
        elif kind is Kind.PUT_WRITER:
            wanted = [(u, True, m, -1)]
        elif kind is Kind.CALL_SPREAD:
            wanted = [(u, False, max(m, 1.0), 1), (u, False, max(m, 1.0) - 0.12, -1)]
        elif kind is Kind.PUT_SPREAD:
            wanted = [(u, True, min(m, 1.0), 1), (u, True, min(m, 1.0) + 0.12, -1)]
        elif kind is Kind.STRADDLE_BUYER:
            wanted = [(u, False, m, 1), (u, True, m, 1)]
        elif kind is Kind.STRADDLE_WRITER:
            wanted = [(u, False, m, -1), (u, True, m, -1)]
        elif self.profile.seed % 2:
            wanted = [(0, False, 1.06, 1), (1, False, 1.06, 1)]
        else:
            wanted = [(u, True, 1.0, 1), (1 - u, True, 1.0, -1)]
        shape = [(_nearest(view.quotes, *series), weight) for *series, weight in wanted]
        if any(quote is None for quote, _ in shape) or len({quote.series for quote, _ in shape}) < len(shape):
            return []
        return shape


def _nearest(quotes: Sequence[Quote], underlying: int, is_put: bool, moneyness: float) -> Quote | None:
    """The open series of its kind whose moneyness is nearest, if any is near."""
    found = [
        quote
        for quote in quotes
        if quote.open and quote.underlying == underlying and quote.is_put == is_put and 0.6 < quote.moneyness < 1.7
    ]
    return min(found, key=lambda quote: abs(quote.moneyness - moneyness), default=None)


def _leg(quote: Quote, face: float) -> Leg:
    return Leg(quote.underlying, quote.moneyness, quote.is_put, face)
