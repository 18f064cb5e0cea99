"""Marks and margins as a trader would reckon them before an order, in floats. What counts is what the contracts say.

docs/SPEC.md, sections 3 and 6: with m the moneyness and n the sharpness, tv(m) = m^n / (2n - 1) below 1 and m^(1-n) /
(2n - 1) from 1 on; a margin is the worst of six scenarios plus a share of all face, times the initial ratio.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from everstock.parameters import MarketParameters

# Points of the scenario test: multiples of the shock, and the part of the loss there that counts.
_POINTS: Final = ((-1, 1.0), (-0.5, 1.0), (0.5, 1.0), (1, 1.0), (-3, 1 / 3), (3, 1 / 3))


@dataclass(frozen=True)
class Leg:
    """A position in one series: face in whole tokens, + bought, - written."""

    underlying: int
    moneyness: float
    is_put: bool
    face: float
    sharpness: int = 17


def mark(moneyness: float, is_put: bool, sharpness: int = 17) -> float:
    """What an option is worth per unit of face."""
    exponent = sharpness if moneyness < 1 else 1 - sharpness
    payoff = max(1 - moneyness, 0.0) if is_put else max(moneyness - 1, 0.0)
    return payoff + moneyness**exponent / (2 * sharpness - 1)


def scenario_sum(legs: Iterable[Leg], parameters: MarketParameters) -> float:
    """What an account with these legs might lose, in whole tokens."""
    shock = parameters.account_shock / 1_000
    losses: dict[int, list[float]] = defaultdict(lambda: [0.0] * len(_POINTS))
    gross = 0.0
    for leg in legs:
        now = mark(leg.moneyness, leg.is_put, leg.sharpness)
        gross += abs(leg.face) * max(1.0, leg.moneyness)
        for i, (step, part) in enumerate(_POINTS):
            then = mark(leg.moneyness * (1 + step * shock), leg.is_put, leg.sharpness)
            losses[leg.underlying][i] -= leg.face * (then - now) * part
    return sum(max(0.0, *points) for points in losses.values()) + gross * parameters.gross_rate / 100_000


def initial(legs: Iterable[Leg], parameters: MarketParameters) -> float:
    """The margin that opening these legs takes, in whole tokens, but for the market's least margin."""
    return scenario_sum(legs, parameters) * parameters.initial_ratio / 1_000
