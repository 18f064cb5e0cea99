"""Whether an order is placed at once or in parts: invariants 21 and 22.

Fee and impact of an order whose delta is d, on traders whose net delta is X:

    fee     floor + 1 of a sum that is linear in face
    impact  max(0, g) with g = k ((X + d)^2 - X^2) / (2 depth), floor + 1 where positive

Parts telescope: their g add up to that of the whole. As a sum of maxima is at least the maximum of the sum, parts never beat
the whole (21), but for rounding: X is kept in granules rounded down, so after i parts it may be up to i granules too low. The
whole beats the parts (22) by the lesser of the sums of their max(0, g) and of their max(0, -g): what some parts bring |X| down
pays for what others bring it up. Where all deltas have one sign that is at most k min(X^2, (X + d)^2) / (2 depth), and nothing
unless the order takes X through zero. Within one checkpoint, for parts of any legs in any order.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction

from hypothesis import assume, event, example, given
from hypothesis import strategies as st

from everstock.model.constants import PERMILLE, WAD
from everstock.model.reverts import Revert
from everstock.model.series_book import quote
from tests.economics.scene import Scene, Start, examples, starts
from tests.economics.stage import Alone, Stage, told_both
from tests.economics.wealth import account_equity

TRADER = 0

# Traders have written calls: who buys them takes their net delta down to zero, and then up.
CROSSED = Start(history=(("trade", 3, ((0, -2.0), (5, -1.0))),))

weights = st.lists(st.integers(1, 20), min_size=2, max_size=8)
orders = st.lists(
    st.tuples(st.integers(0, 7), st.one_of(st.floats(0.05, 3), st.floats(-3, -0.05))),
    min_size=1,
    max_size=3,
    unique_by=lambda leg: leg[0],
)


def begin(stage: Stage, start: Start) -> Scene:
    """A market whose trader has settled, with money enough for anything, and a checkpoint just made."""
    scene = Scene.begin(stage, start)
    scene.window_passes()
    scene.deposit(TRADER, 5_000)
    scene.settle(TRADER)
    assume(scene.market.risk.state.depth != 0)
    return scene


def cost(scene: Scene, pieces: list[list[tuple[int, int]]]) -> Fraction:
    """What orders of (series, face) cost the trader one after the other, exactly; raw units of M."""
    account = scene.account(TRADER)
    before = account_equity(scene.market, account)
    for legs in pieces:
        assume(not isinstance(scene.stage.trade(account, legs), Revert))
    return before - account_equity(scene.market, account)


def split(legs: list[tuple[int, int]], shares: list[int]) -> list[list[tuple[int, int]]]:
    """Each leg in parts of so many shares, the last part what is left."""
    pieces: list[list[tuple[int, int]]] = [[] for _ in shares]
    for series, face in legs:
        left = face
        for piece, share in zip(pieces, shares[:-1], strict=False):
            part = face * share // sum(shares)
            left -= part
            piece.append((series, part))
        pieces[-1].append((series, left))
    return [[leg for leg in piece if leg[1]] for piece in pieces]


def bounds(scene: Scene, pieces: list[list[tuple[int, int]]]) -> tuple[Fraction, Fraction]:
    """How much cheaper parts may be than the whole, and the whole than parts; raw units of M.

    Each leg of a part rounds its fee, its units, its delta and impact by a few units; X by a granule for each part before it.
    """
    risk = scene.market.risk
    granule, scale = risk.granule, Fraction(risk.state.scale, WAD)
    per_delta = Fraction(risk.parameters.impact, 2 * PERMILLE * risk.state.depth * granule)
    rounding = Fraction(sum(3 * len(piece) + 2 for piece in pieces))
    paired = Fraction(0)
    for u in (0, 1):
        held = first = risk.exposures[u].delta * granule * scale
        added = [sum((delta(scene, *leg) for leg in piece if underlying(scene, leg[0]) == u), Fraction(0)) for piece in pieces]
        growths = []
        for more in added:
            growths.append(((held + more) ** 2 - held**2) * per_delta)
            held += more
        up, down = sum(max(0, g) for g in growths), sum(max(0, -g) for g in growths)
        if min(added) * max(added) >= 0:
            assert min(up, down) <= (per_delta * min(first**2, held**2) if first * held < 0 else 0)
        paired += min(up, down)
        rounding += 2 * per_delta * len(pieces) * (granule * scale + 4) * sum(abs(more) for more in added)
    return rounding, paired + rounding


def underlying(scene: Scene, series: int) -> int:
    return scene.market.risk.book.series[series].underlying


def delta(scene: Scene, series: int, face: int) -> Fraction:
    """Face times the slope m v', raw units of M."""
    s = scene.market.risk.book.series[series]
    q = quote(s, scene.stage.oracle.stored(s.underlying).price, scene.market.risk.parameters.sharpness[s.underlying])
    return face * Fraction(q.slope, WAD)


def check(
    market: Callable[[], AbstractContextManager[Stage]],
    start: Start,
    order: list[tuple[int, float]],
    shares: list[int],
    leg_by_leg: bool,
) -> None:
    """Invariants 21 and 22, of an order of (place, face over a tenth of main cash) in two markets that are the same."""
    with market() as stage:
        whole = begin(stage, start)
        tenth = whole.market.house.ledgers.main // 10
        legs = [(whole.series[place], int(tenth * size) or 1) for place, size in order]
        pieces = split(legs, shares)
        if leg_by_leg:
            pieces = [[leg] for piece in pieces for leg in piece]
        cheaper_parts, cheaper_whole = bounds(whole, pieces)
        at_once = cost(whole, [legs])
    with market() as stage:
        in_parts = cost(begin(stage, start), pieces)
    event("some parts bring |X| down" if cheaper_whole > 2 * cheaper_parts else "none does")
    assert at_once - in_parts <= cheaper_parts, f"invariant 21: parts save {float(at_once - in_parts)}"
    assert in_parts - at_once <= cheaper_whole, f"invariant 22: the whole saves {float(in_parts - at_once)}"


@given(start=starts(2), order=orders, shares=weights, leg_by_leg=st.booleans())
@examples(60)
def test_parts__never_beat_the_whole__nor_lose_more_than_what_brings_the_delta_down(start, order, shares, leg_by_leg):
    check(lambda: nullcontext(Alone(start.decimals)), start, order, shares, leg_by_leg)


@given(start=starts(0), order=orders, shares=weights, leg_by_leg=st.booleans())
@example(CROSSED, [(0, 2.0)], [1, 2, 3], False)
@example(CROSSED, [(0, 1.5), (1, 1.0), (4, -1.0)], [1, 1], True)
@examples(1)
def test_contracts__parts__never_beat_the_whole(protocol, start, order, shares, leg_by_leg):
    check(lambda: told_both(protocol), start, order, shares, leg_by_leg)
