"""Fee, marks and impact of an order against exact rationals, each with the rounding of its own."""

from fractions import Fraction
from math import ceil, floor

from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
NOTHING = (0, 0, [0, 0])

UNITS = st.one_of(st.integers(1, 10**9), st.integers(10**15, 10**27))
CHANGE = st.builds(lambda units, writes: -units if writes else units, UNITS, st.booleans())
SCALES = st.one_of(st.just(WAD), st.integers(10**12, WAD))
MONEYNESS = st.integers(WAD // 10, 10 * WAD)
MARKS = st.integers(0, 10 * WAD)
SLOPES = st.integers(-WAD, 10 * WAD)


@given(
    change=CHANGE,
    scale=SCALES,
    moneyness=MONEYNESS,
    mark=MARKS,
    slope=SLOPES,
    fee_rate=st.integers(0, 1_000),
    fee_cap=st.integers(1, 500),
    underlying=st.integers(0, 1),
)
@settings(max_examples=250, deadline=None)
def test_plus__one_leg__marks_rounded_up_fee_floor_and_one(
    harness, change, scale, moneyness, mark, slope, fee_rate, fee_cap, underlying
):
    cost = harness.plus(NOTHING, underlying, moneyness, mark, slope, change, scale, fee_rate, fee_cap)
    assert cost.marks == ceil(Fraction(change * scale * mark, WAD**2))
    face = ceil(Fraction(abs(change) * scale, WAD))
    by_face = Fraction(fee_rate, 100_000) * face * max(1, Fraction(moneyness, WAD))
    by_mark = Fraction(fee_cap, 1_000) * face * Fraction(mark, WAD)
    assert cost.fee == floor(min(by_face, by_mark)) + 1
    assert cost.deltas[underlying] == change * slope
    assert cost.deltas[1 - underlying] == 0


@given(legs=st.lists(st.tuples(st.integers(0, 1), MONEYNESS, MARKS, SLOPES, CHANGE), max_size=8), scale=SCALES)
@settings(max_examples=60, deadline=None)
def test_plus__several_legs__add_up(harness, legs, scale):
    cost, alone = NOTHING, []
    for underlying, *leg in legs:
        cost = harness.plus(cost, underlying, *leg, scale, 80, 125)
        alone.append(harness.plus(NOTHING, underlying, *leg, scale, 80, 125))
    marks, fee, deltas = cost
    assert marks == sum(one.marks for one in alone)
    assert fee == sum(one.fee for one in alone)
    assert list(deltas) == [sum(one.deltas[u] for one in alone) for u in (0, 1)]
    assert harness.total(cost, 7) == marks + fee + 7


@given(face=st.integers(1, 10**27), mark=MARKS, scale=SCALES)
@settings(max_examples=60, deadline=None)
def test_plus__bought_and_written_back__never_costs_less_than_nothing(harness, face, mark, scale):
    """Invariant 5, in the small."""
    bought = harness.plus(NOTHING, 0, WAD, mark, 0, face, scale, 80, 125)
    both = harness.plus(bought, 0, WAD, mark, 0, -face, scale, 80, 125)
    assert both.marks >= 0 and both.fee >= 2


HELD = st.integers(-(10**45), 10**45)


@given(held=HELD, added=HELD, scale=SCALES, depth=st.integers(1, 10**27), k=st.integers(0, 1_000))
@settings(max_examples=250, deadline=None)
def test_impact__any_book_and_order__growth_of_the_squared_delta_floor_and_one(harness, held, added, scale, depth, k):
    def whole(delta: int) -> int:
        """Units * wad as raw units of M, rounded down twice."""
        return delta // WAD * scale // WAD

    net, order = whole(held), whole(added)
    growth = (net + order) ** 2 - net**2
    impact = harness.impact(held, added, scale, depth, k)
    assert impact == (floor(Fraction(k * growth, 2_000 * depth)) + 1 if growth > 0 else 0)


@given(held=HELD, added=HELD, depth=st.integers(10**18, 10**27))
@settings(max_examples=100, deadline=None)
def test_impact__there_and_back__costs_something_once(harness, held, added, depth):
    """Whoever pushes the book out and brings it back gets no rebate for the way back."""
    there = harness.impact(held, added, WAD, depth, 50)
    back = harness.impact(held + added, -added, WAD, depth, 50)
    assert there + back >= 0
    assert there == 0 or back <= there + 2 or abs(held) >= abs(held + added)


def test_impact__order_that_flattens_the_book__is_free(harness):
    assert harness.impact(-10 * WAD**2, 10 * WAD**2, WAD, 1_000 * WAD, 50) == 0
    assert harness.impact(-10 * WAD**2, 20 * WAD**2, WAD, 1_000 * WAD, 50) == 0
    assert harness.impact(-10 * WAD**2, 20 * WAD**2 + WAD**2 // 10, WAD, 1_000 * WAD, 50) > 0


def test_impact__a_tenth_of_depth_at_the_default__costs_a_quarter_percent_of_delta(harness):
    """k = 0.05: 0.05 * 0.1 / 2."""
    impact = harness.impact(0, 100 * WAD**2, WAD, 1_000 * WAD, 50)
    assert impact == 100 * WAD * 25 // 10_000 + 1
