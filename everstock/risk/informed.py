"""Traders who buy, or write, an at-the-money straddle right after a jump, while the oracle has not learnt of it yet.

A jump is an hourly return of more than so many sigmas, sigma^2 being the slow variance before it. They trade at the
close of that hour, hold for some hours and close; no two trades overlap. Per unit of face (a call and a put of face 1
each), net of premium and of fees both ways, without impact, and without what hedging costs them.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from everstock.model import float_price
from everstock.risk.hourly import YEAR, Closes, Floats, Oracle, variance
from everstock.risk.seller import CARRY, SHARPNESS

# min(fee_rate * face * max(1, m), fee_cap * mark * face).
FEE_RATE: Final = 0.0008
FEE_CAP: Final = 0.125
SLOW: Final = 48.0  # hours


@dataclass(frozen=True)
class Trades:
    """Profits of the trades, each as it comes and hedged every hour, before load and fees; and these."""

    unhedged: Floats
    hedged: Floats
    load: Floats  # what a load of 1 would take
    fees: Floats  # both ways
    years: float  # of the whole series

    def __len__(self) -> int:
        return len(self.hedged)

    def after(self, load: float, fees: bool = True) -> "Trades":
        """The same once a load, and the fees, are paid."""
        paid = load * self.load + (self.fees if fees else 0)
        return replace(self, unhedged=self.unhedged - paid, hedged=self.hedged - paid)

    @property
    def mean(self) -> float:
        """Of the hedged."""
        return float(self.hedged.mean())

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return float(self.hedged.std(ddof=1) / len(self) ** 0.5)

    @property
    def per_year(self) -> float:
        """How many there are in a year."""
        return len(self) / self.years


def jumps(closes: Closes, sigmas: float) -> NDArray[np.intp]:
    """Closes right after an hourly return larger than so many sigmas of the slow variance before it."""
    returns = np.log(closes.price[1:] / closes.price[:-1])
    expected = (variance(closes, SLOW)[:-1] * closes.years) ** 0.5
    return np.flatnonzero(abs(returns) > sigmas * expected) + 1


def apart(moments: NDArray[np.intp], hours: int, last: int) -> NDArray[np.intp]:
    """Of these moments those at which the trade before is over, as far as `last` leaves room for one more."""
    kept: list[int] = []
    for moment in moments.tolist():
        if moment + hours <= last and (not kept or moment >= kept[-1] + hours):
            kept.append(moment)
    return np.array(kept, dtype=np.intp)


def trades(
    closes: Closes, oracle: Oracle, moments: NDArray[np.intp], hours: int, *, buys: bool = True, carry: float = CARRY
) -> Trades:
    """What straddles opened at some closes and closed so many steps later bring whoever buys, or writes, them."""
    starts = apart(moments, hours, len(closes.price) - 1)
    steps = starts[:, None] + np.arange(hours + 1)
    price = closes.price[steps]
    m = price / price[:, :1]
    years = np.diff(closes.time[steps], axis=1) / YEAR
    sigma2 = (oracle.long if buys else oracle.short)[steps]
    gain, hedge, load, fees = (np.zeros(len(starts)) for _ in range(4))
    for is_put in (False, True):
        marks, slopes = float_price.mark(m, SHARPNESS, is_put), float_price.slope(m, SHARPNESS, is_put)
        fair, doubled = (
            float_price.rates(m, SHARPNESS, is_put, sigma2, sigma2, carry, multiple, 0).long for multiple in (0, 1)
        )
        gain += marks[:, -1] - marks[:, 0] - _charged(fair, years)
        load += _charged(doubled - fair, years)
        hedge += (slopes[:, :-1] * (m[:, 1:] / m[:, :-1] - 1 - carry * years)).sum(axis=1)
        paid = np.minimum(FEE_RATE * np.maximum(1, m), FEE_CAP * marks)
        fees += paid[:, 0] + paid[:, -1]
    sign = 1 if buys else -1
    return Trades(sign * gain, sign * (gain - hedge), load, fees, float(closes.years.sum()))


def _charged(rate: Floats, years: Floats) -> Floats:
    """What a rate comes to over steps, each at the average of its ends."""
    return ((rate[:, 1:] + rate[:, :-1]) / 2 * years).sum(axis=1)
