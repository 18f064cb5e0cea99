"""The scenario test and the fraction a liquidation closes, against exact rationals."""

from fractions import Fraction

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

WAD = 10**18
BASIS = 100_000

UNITS = st.one_of(st.integers(1, 2**112 - 1), st.integers(10**15, 10**24))
SIGNED_UNITS = st.builds(lambda units, is_short: -units if is_short else units, UNITS, st.booleans())
MONEYNESS = st.one_of(st.integers(10**14, 10**22), st.integers(WAD // 2, 2 * WAD))
SCALES = st.one_of(st.just(WAD), st.integers(10**12, WAD))
# What a mark can change by at one point.
MOVE = st.integers(-2 * WAD, 2 * WAD)
MOVES = st.lists(MOVE, min_size=6, max_size=6)


@given(
    moneyness=MONEYNESS,
    sharpness=st.integers(5, 100),
    shock=st.integers(25, 330),
    is_put=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_moves__are_the_marks_at_the_shocked_index_less_the_mark(harness, moneyness, sharpness, shock, is_put):
    mark = harness.marks(moneyness, sharpness)[is_put]
    steps = [Fraction(step * shock, 1_000) for step in (-1, Fraction(-1, 2), Fraction(1, 2), 1, -3, 3)]
    wanted = [harness.marks(int(moneyness * (1 + step)), sharpness)[is_put] - mark for step in steps]
    assert list(harness.moves(moneyness, sharpness, is_put, mark, shock)) == wanted


def worst(losses: list[int]) -> Fraction:
    """The worst of the six points, the far ones at a third, at least 0."""
    return max(Fraction(0), *map(Fraction, losses[:4]), *(Fraction(loss, 3) for loss in losses[4:]))


@given(
    legs=st.lists(st.tuples(st.integers(0, 1), SIGNED_UNITS, MOVES, MONEYNESS), max_size=8),
    gross_rate=st.integers(0, 5_000),
    scale=SCALES,
)
@settings(max_examples=150, deadline=None)
def test_scenario_sum__of_up_to_eight_legs__exact_and_rounded_up(harness, legs, gross_rate, scale):
    stress = ([[0] * 6, [0] * 6], 0)
    losses = [[0] * 6, [0] * 6]
    gross = 0
    for underlying, units, moves, moneyness in legs:
        stress = harness.stressed(stress, underlying, moneyness, moves, 0, units)
        losses[underlying] = [loss - units * move for loss, move in zip(losses[underlying], moves)]
        gross += abs(units) * max(WAD, moneyness)
    assert [list(side) for side in stress.losses] == losses if legs else True

    result = harness.scenario_sum(stress, gross_rate, scale)
    exact = (worst(losses[0]) + worst(losses[1]) + Fraction(gross_rate, BASIS) * gross) * scale / WAD**2
    if not legs:
        assert result == 0
    else:
        # Floor + 1, of a sum that was itself cut to whole units: less than 1e-5 raw units.
        assert exact - Fraction(1, 100_000) < result <= exact + 1


@given(units=st.tuples(SIGNED_UNITS, SIGNED_UNITS), moves=MOVES, moneyness=MONEYNESS)
@settings(max_examples=100, deadline=None)
def test_stressed__a_leg_resized__is_as_if_it_had_always_been_that_size(harness, units, moves, moneyness):
    before, after = units
    empty = ([[0] * 6, [0] * 6], 0)
    first = harness.stressed(empty, 1, moneyness, moves, 0, before)
    assert harness.stressed(first, 1, moneyness, moves, before, after) == harness.stressed(
        empty, 1, moneyness, moves, 0, after
    )
    assert harness.stressed(first, 1, moneyness, moves, before, 0) == harness.stressed(
        empty, 1, moneyness, moves, 0, 0
    )


def test_scenario_sum__of_two_underlyings__adds_their_worst_without_offset(harness):
    losses = [[5 * WAD * WAD, 0, 0, 0, 0, 0], [-3 * WAD * WAD] * 6]
    assert harness.scenario_sum((losses, WAD), 0, WAD) == 5 * WAD + 1


def test_scenario_sum__far_points__count_a_third(harness):
    losses = [[0, 0, 0, 0, 0, 9 * WAD * WAD], [0] * 6]
    assert harness.scenario_sum((losses, WAD), 0, WAD) == 3 * WAD + 1


@given(scenario_sum=st.integers(0, 10**30), min_margin=st.integers(1, 10**30), ratio=st.integers(1_050, 5_000))
@settings(max_examples=100, deadline=None)
def test_initial__is_maintenance_times_its_ratio_rounded_up(harness, scenario_sum, min_margin, ratio):
    maintenance = harness.maintenance(scenario_sum, min_margin)
    assert maintenance == (max(scenario_sum, min_margin) if scenario_sum else 0)
    assert harness.initial(maintenance, ratio) == -(-maintenance * ratio // 1_000)


@given(
    scenario_sum=st.integers(1, 10**27),
    share=st.fractions(-1, 1, max_denominator=10**6),
    min_margin=st.integers(1, 10**27),
    ratio=st.integers(1_050, 5_000),
    penalty_rate=st.integers(10, 900),
)
@example(scenario_sum=10**20, share=Fraction(9, 10), min_margin=10**17, ratio=1_500, penalty_rate=300)
@settings(max_examples=300, deadline=None)
def test_fraction__of_an_account_below_maintenance__the_closed_form(
    harness, scenario_sum, share, min_margin, ratio, penalty_rate
):
    """Invariant 8: what is left stands at initial_ratio, and closing a hair less would not have been enough."""
    maintenance = max(scenario_sum, min_margin)
    equity = int(maintenance * share)
    assume(equity < maintenance)
    fraction = harness.fraction(scenario_sum, equity, min_margin, ratio, penalty_rate)
    assert 0 < fraction <= WAD

    wanted, penalty = Fraction(ratio, 1_000), Fraction(penalty_rate, 1_000) * scenario_sum
    exact = (wanted * scenario_sum - equity) / (wanted * scenario_sum - penalty)
    if equity <= penalty or equity < wanted * min_margin:
        assert fraction == WAD
        return
    closed = Fraction(min(int(exact * WAD) + 1, WAD), WAD)
    if equity - penalty * closed < wanted * min_margin - Fraction(2, 1_000):
        assert fraction == WAD
    elif equity - penalty * closed >= wanted * min_margin + Fraction(2, 1_000):
        assert fraction == closed * WAD
    if fraction < WAD:

        def stands(part: Fraction) -> bool:
            return equity - penalty * part >= wanted * scenario_sum * (1 - part)

        assert stands(Fraction(fraction, WAD))
        assert not stands(Fraction(fraction - 2, WAD))


@pytest.mark.parametrize("equity", [-(10**20), -1, 0, 1, 30 * WAD])
def test_fraction__equity_no_more_than_the_whole_penalty__all(harness, equity):
    assert harness.fraction(100 * WAD, equity, 1, 1_500, 300) == WAD


def test_fraction__just_above_the_penalty__nearly_all(harness):
    """And no more than all, however the rounding falls."""
    fraction = harness.fraction(100 * WAD, 30 * WAD + 1, 1, 1_500, 300)
    assert WAD - 10 <= fraction <= WAD


def test_fraction__rest_below_the_smallest_account__all(harness):
    """Equity 90 of S = 100: half would be closed, leaving 75 after a penalty of 15, if that is enough."""
    assert harness.fraction(100 * WAD, 90 * WAD, 49 * WAD, 1_500, 300) == WAD // 2 + 1
    assert harness.fraction(100 * WAD, 90 * WAD, 51 * WAD, 1_500, 300) == WAD


def test_fraction__no_live_legs__all(harness):
    assert harness.fraction(0, -1, 1, 1_500, 300) == WAD
