"""A pool that always sells (or buys) the same kind of book: what each hour brings, per unit of face.

A book is some slots, each of which holds one option of face 1 / slots or, for straddles, a call and a put of face 1
each, until its strike has gone stale. The pool touches every hour, and hedges at the start of each hour with the index
itself, or not at all. Premium as SPEC sections 3 and 4 have it: of an hour at the average of its two ends, each with
the variances of its own time. Utilisation is 0, so there is no surcharge, and there are no trading fees: both are the
pool's on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from everstock.model import float_price
from everstock.risk.hourly import Closes, Floats, Oracle

SHARPNESS: Final = 17
CARRY: Final = 0.10
LOAD: Final = 0.10
# A straddle is struck anew once its moneyness is so far from 1.
RESTRIKE: Final = 0.10
# A mix: strikes with m from 3/4 to 4/3 (what may be listed), held for a week on average or until m leaves [1/2, 2].
SLOTS: Final = 16
LISTED: Final = (0.75, 4 / 3)
OPEN: Final = (0.5, 2.0)
MEAN_HOURS: Final = 168


@dataclass(frozen=True)
class Book:
    """Strikes of each slot (rows) over each step (columns), and what is held of it."""

    strike: Floats
    is_put: NDArray[np.bool_]  # of each slot
    face: float  # of each slot

    @classmethod
    def straddles(cls, closes: Closes, restrike: float = RESTRIKE) -> "Book":
        """One at-the-money straddle of face 1, struck anew whenever the index is `restrike` away."""
        strikes, strike = [], closes.price[0]
        for price in closes.price[:-1].tolist():
            if abs(price / strike - 1) > restrike:
                strike = price
            strikes.append(strike)
        return cls(np.array([strikes, strikes]), np.array([False, True]), 1.0)

    @classmethod
    def mix(cls, closes: Closes, seed: int = 1, slots: int = SLOTS) -> "Book":
        """Calls and puts with strikes wherever they may be listed, of face 1 together."""
        rng = np.random.default_rng(seed)
        steps = len(closes.price) - 1
        strike = np.empty((slots, steps))
        low, high = np.log(LISTED)
        for slot in range(slots):
            at = 0
            while at < steps:
                struck = closes.price[at] / np.exp(rng.uniform(low, high))
                end = min(steps, at + 1 + int(rng.exponential(MEAN_HOURS)))
                m = closes.price[at:end] / struck
                gone = np.flatnonzero((m < OPEN[0]) | (m > OPEN[1]))
                end = at + max(1, int(gone[0])) if len(gone) else end
                strike[slot, at:end] = struck
                at = end
        return cls(strike, np.arange(slots) % 2 == 1, 1 / slots)


@dataclass(frozen=True)
class Hours:
    """What each step brought a pool that sells the book, per unit of face."""

    years: Floats
    premium: Floats  # received, load included
    load: Floats  # of that, the load
    mark: Floats  # what the book's mark rose by: the pool's loss
    hedge: Floats  # what the hedge earned, carry paid

    @property
    def unhedged(self) -> Floats:
        return self.premium - self.mark

    @property
    def hedged(self) -> Floats:
        return self.premium - self.mark + self.hedge

    def loaded(self, times: float) -> "Hours":
        """The same with so many times the load."""
        return replace(self, premium=self.premium + (times - 1) * self.load, load=times * self.load)

    def per_year(self, what: Floats) -> float:
        """A sum over all steps, per year."""
        return float(what.sum() / self.years.sum())

    @property
    def markup(self) -> float:
        """The premium over what a hedged pool would have had to take to earn nothing, less 1."""
        premium, profit = self.per_year(self.premium), self.per_year(self.hedged)
        return premium / (premium - profit) - 1


def sold(
    closes: Closes,
    book: Book,
    oracle: Oracle,
    *,
    carry: float = CARRY,
    load: float = LOAD,
    opening_end: bool = False,
) -> Hours:
    """A pool that sells at the long rate. `opening_end` charges an hour at its first end, as did the prototype."""
    return _hours(closes, book, oracle.long, carry, load, opening_end)


def bought(closes: Closes, book: Book, oracle: Oracle, *, carry: float = CARRY, load: float = LOAD) -> Hours:
    """A pool that buys: traders receive the short rate. Signs are the pool's: its premium is negative."""
    hours = _hours(closes, book, oracle.short, carry, -load, False)
    return Hours(hours.years, -hours.premium, -hours.load, -hours.mark, -hours.hedge)


def rolling(hours: Hours, what: Floats, span: float = 1.0, every: int = 24) -> Floats:
    """Sums over windows of `span` years that begin `every` so many steps, per year: the returns of those who came then."""
    elapsed = np.concatenate([[0], np.cumsum(hours.years)])
    total = np.concatenate([[0], np.cumsum(what)])
    first = np.arange(0, np.searchsorted(elapsed, elapsed[-1] - span, side="right"), every)
    last = np.searchsorted(elapsed, elapsed[first] + span).clip(max=len(total) - 1)
    return (total[last] - total[first]) / (elapsed[last] - elapsed[first])


def falls(what: Floats) -> tuple[float, float]:
    """What the worst 24 steps brought together, and the way from the highest sum so far to the lowest after; both <= 0."""
    total = np.concatenate([[0], np.cumsum(what)])
    day = (total[24:] - total[:-24]).min()
    return min(0.0, float(day)), float((total - np.maximum.accumulate(total)).min())


def by_year(closes: Closes, what: Sequence[Floats]) -> dict[int, list[float]]:
    """Sums of each calendar year (UTC), per year of the time that there are prices for."""
    year = closes.time[1:].astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    spans = closes.years
    return {int(y): [float(row[year == y].sum() / spans[year == y].sum()) for row in what] for y in np.unique(year)}


def _hours(
    closes: Closes, book: Book, variance: Floats, carry: float, load: float, opening_end: bool
) -> Hours:
    """`load` is what is added to the fair rate, negative where it is taken off."""
    years, put = closes.years, book.is_put[:, None]
    before, after = closes.price[:-1] / book.strike, closes.price[1:] / book.strike
    ends = [(before, variance[:-1])] if opening_end else [(before, variance[:-1]), (after, variance[1:])]
    fair, extra = np.zeros(len(years)), np.zeros(len(years))
    for m, sigma2 in ends:
        gamma = SHARPNESS * (SHARPNESS - 1) / 2 * float_price.time_value(m, SHARPNESS) * sigma2
        drift = carry * float_price.slope(m, SHARPNESS, put)
        fair += book.face * (gamma + drift).sum(axis=0) / len(ends)
        extra += book.face * load * (gamma + abs(drift)).sum(axis=0) / len(ends)
    rise = float_price.mark(after, SHARPNESS, put) - float_price.mark(before, SHARPNESS, put)
    held = float_price.slope(before, SHARPNESS, put).sum(axis=0) * book.face
    moved = closes.price[1:] / closes.price[:-1] - 1 - carry * years
    return Hours(
        years=years,
        premium=(fair + extra) * years,
        load=extra * years,
        mark=book.face * rise.sum(axis=0),
        hedge=held * moved,
    )
