"""Marks and margins as a trader would reckon them before an order, in floats. What counts is what the contracts say."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from everstock.chain.deployment import UNDERLYINGS
from everstock.model import float_price
from everstock.model.constants import PERMILLE
from everstock.model.parameters import Parameters
from everstock.parameters import MarketParameters


@dataclass(frozen=True)
class Leg:
    """A position in one series: face in whole tokens, + bought, - written."""

    underlying: int
    moneyness: float
    is_put: bool
    face: float


def mark(moneyness: float, is_put: bool, sharpness: int = 17) -> float:
    """What an option is worth per unit of face."""
    return float(float_price.mark(moneyness, sharpness, is_put))


def scenario_sum(legs: Iterable[Leg], parameters: MarketParameters) -> float:
    """What an account with these legs might lose, in whole tokens."""
    held = list(legs)
    columns = float_price.Legs(
        account=np.zeros(len(held), dtype=np.intp),
        underlying=np.array([leg.underlying for leg in held], dtype=np.intp),
        moneyness=np.array([leg.moneyness for leg in held], dtype=np.float64),
        is_put=np.array([leg.is_put for leg in held], dtype=np.bool_),
        face=np.array([leg.face for leg in held], dtype=np.float64),
    )
    return float(float_price.scenario_sums(columns, Parameters.of(parameters, UNDERLYINGS), 1)[0])


def initial(legs: Iterable[Leg], parameters: MarketParameters) -> float:
    """The margin that opening these legs takes, in whole tokens, but for the market's least margin."""
    return scenario_sum(legs, parameters) * parameters.initial_ratio / PERMILLE
