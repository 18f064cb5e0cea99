"""Two accounts of one owner that hold each other's mirror image."""

from fractions import Fraction
from typing import Final

from hypothesis import strategies as st

from everstock.model.reverts import Revert
from tests.economics.scene import Scene, places
from tests.economics.wealth import wealth

PAIR: Final = (0, 1)

# (place of a series, face over a margin).
books = st.lists(
    st.tuples(places, st.one_of(st.floats(0.1, 4), st.floats(-4, -0.1))),
    min_size=1,
    max_size=4,
    unique_by=lambda leg: leg[0],
)


def open_pair(scene: Scene, legs: list[tuple[int, int]]) -> bool:
    """One account takes legs of (series, face), the other their mirror image; False where the market refuses them."""
    orders = ([(series, sign * face) for series, face in legs] for sign in (1, -1))
    return not any(
        isinstance(scene.stage.trade(scene.account(who), order), Revert) for who, order in zip(PAIR, orders, strict=True)
    )


def pair_wealth(scene: Scene) -> Fraction:
    return wealth(scene.market, [scene.account(who) for who in PAIR])
