"""Three books: who holds what against the pool when a replay begins.

- long      everybody has bought: calls, puts and straddles; the pool is short all of them
- balanced  for each who bought there is one who wrote the same; the pool owes nobody, but stands between them
- written   five of six have written; the pool is long, and lives on what they pay

Faces and margins are floats in whole tokens: a book is a story, the contracts decide whether it may be opened. The same
seed makes the same book.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from everstock.chain.deployment import UNDERLYINGS
from everstock.demo.options import Leg, initial, scenario_sum
from everstock.parameters import MarketParameters

# Index / strike of the series that are listed, calls and puts, on each underlying.
RUNGS: Final = (1.12, 1.0, 0.88)
HOLDERS: Final = 32
# Of the holders of the written book.
WRITING: Final = 26
# Initial margin as a part of the cash that a holder brings: how near the edge they live.
USE: Final = (0.55, 0.95)
# The largest holder over the smallest, before chance.
SPREAD: Final = 4.0


class Book(StrEnum):
    """Which side of the pool the traders are on."""

    LONG = "long"
    BALANCED = "balanced"
    WRITTEN = "written"


@dataclass(frozen=True)
class Series:
    """A series. `strike` is in USD."""

    underlying: int
    strike: float
    is_put: bool


@dataclass(frozen=True)
class Holder:
    """An account: (series, face) legs, + bought, - written, and the cash it brings."""

    name: str
    legs: tuple[tuple[Series, float], ...]
    cash: float

    @property
    def face(self) -> float:
        """All of it, bought and written."""
        return sum(abs(face) for _, face in self.legs)


def book_of(
    kind: Book,
    seed: int,
    series: Sequence[Series],
    index: Sequence[float],
    requirement: float,
    parameters: MarketParameters,
) -> list[Holder]:
    """The holders of a book that makes a pool's R `requirement` tokens, in the order in which they open.

    `series` are those there are, `index` the prices of the underlyings in USD.
    """
    chance = random.Random(f"everstock book {kind} {seed}")
    shapes: list[tuple[str, dict[Series, float]]] = []
    for number in range(HOLDERS):
        if kind is Book.BALANCED and number % 2:
            name, shape = shapes[-1]
            # The writer first: writing takes less of the pool's capital than being bought from.
            shapes[-1:] = [(f"writer of {name}", {one: -face for one, face in shape.items()}), (name, shape)]
            continue
        writes = kind is Book.WRITTEN and number < WRITING
        shapes.append(_shape(chance, number, series, index, writes))
    scale = requirement / pool_requirement([leg for _, shape in shapes for leg in _legs(shape, index)], parameters)
    holders = []
    for name, shape in shapes:
        scaled = {one: face * scale for one, face in shape.items()}
        # Two percent of face more, for fee and impact.
        cash = initial(_legs(scaled, index), parameters) / chance.uniform(*USE) + 0.02 * sum(map(abs, scaled.values()))
        holders.append(Holder(name, tuple(scaled.items()), cash))
    return holders


def pool_requirement(legs: Sequence[Leg], parameters: MarketParameters) -> float:
    """R of a pool that is against these legs, whole tokens: its own scenario test, and the charge on what is written."""
    test = replace(parameters, account_shock=parameters.pool_shock, gross_rate=0)
    written = sum(-leg.face for leg in legs if leg.face < 0)
    against = [replace(leg, face=-leg.face) for leg in legs]
    return scenario_sum(against, test) + written * parameters.default_charge / 10**5


def _shape(
    chance: random.Random, number: int, series: Sequence[Series], index: Sequence[float], writes: bool
) -> tuple[str, dict[Series, float]]:
    """What one holder has, before scaling."""
    underlying = number // 2 % len(UNDERLYINGS)
    size = SPREAD ** chance.random()
    side = -size if writes else size
    style = chance.choice(("call", "put", "straddle"))
    mine = [one for one in series if one.underlying == underlying]
    strikes = sorted({one.strike for one in mine})
    at_the_money = min(strikes, key=lambda strike: abs(strike / index[underlying] - 1))
    strike = at_the_money if style == "straddle" else chance.choice(strikes)
    kinds = {"call": (False,), "put": (True,), "straddle": (False, True)}[style]
    legs = {one: side for one in mine if one.strike == strike and one.is_put in kinds}
    what = "writer" if writes else "buyer"
    return f"{UNDERLYINGS[underlying]} {style} {what} {number + 1}", legs


def _legs(shape: dict[Series, float], index: Sequence[float]) -> list[Leg]:
    return [Leg(one.underlying, index[one.underlying] / one.strike, one.is_put, face) for one, face in shape.items()]
