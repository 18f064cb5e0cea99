"""Marks and slopes: right to a few wei, cheap, and of the shape that margin and liquidation rely on (invariant 11)."""

from fractions import Fraction

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from . import exact
from .cases import GRID, MONEYNESSES, SHARED, SHARPNESSES, Case, derived
from .exact import WAD

MIN_MONEYNESS = 10**14
MAX_MONEYNESS = 10**22

# Even in the logarithm, and close to 1.
MONEYNESS = st.one_of(
    st.integers(MIN_MONEYNESS, MAX_MONEYNESS),
    st.integers(WAD // 2, 2 * WAD),
    st.integers(WAD - 1_000, WAD + 1_000),
    st.builds(lambda decade, digits: min(digits * 10**decade, MAX_MONEYNESS), st.integers(14, 21), st.integers(1, 99)),
)
SHARPNESS = st.integers(5, 100)


def wei(wanted: Fraction, per_unit: int = 4) -> Fraction:
    """The error allowed: 4 wei per whole unit, at least 4."""
    return per_unit * max(Fraction(1), abs(wanted))


def check(lens, case: Case) -> None:
    m, n = case.moneyness, case.sharpness
    call, put = lens.mark(m, n, True), lens.mark(m, n, False)
    assert abs(call - case.call * WAD) <= wei(case.call)
    assert abs(put - case.put * WAD) <= wei(case.put)
    # The time value is what a mark exceeds the payoff by.
    assert abs(call - max(m - WAD, 0) - case.time_value * WAD) <= wei(case.time_value)
    assert abs(put - max(WAD - m, 0) - case.time_value * WAD) <= wei(case.time_value)
    assert abs(lens.slope(m, n, True) - case.call_slope * WAD) <= n * wei(case.call_slope)
    assert abs(lens.slope(m, n, False) - case.put_slope * WAD) <= n * wei(case.put_slope)


@pytest.mark.parametrize("case", GRID + SHARED, ids=str)
def test_mark__grid_and_shared_vectors__within_four_wei(lens, case):
    check(lens, case)


def test_shared_vectors__agree_with_the_formulas_in_exact_arithmetic():
    """So that a clone without them, where there is nothing to do here, tests the same thing by the grid."""
    for case in SHARED:
        own = derived(case.moneyness, case.sharpness)
        for name in ("time_value", "call", "put", "call_slope", "put_slope", "gamma"):
            assert abs(getattr(case, name) - getattr(own, name)) <= Fraction(1, 10**35)


@given(moneyness=MONEYNESS, sharpness=SHARPNESS)
@settings(max_examples=100, deadline=None)
def test_mark__anywhere__within_four_wei(lens, moneyness, sharpness):
    check(lens, derived(moneyness, sharpness))


@given(moneyness=MONEYNESS, sharpness=SHARPNESS)
@settings(max_examples=100, deadline=None)
def test_mark__rounds_down_by_less_than_a_wei(lens, moneyness, sharpness):
    for is_call in (True, False):
        wanted = exact.mark(Fraction(moneyness, WAD), sharpness, is_call) * WAD
        assert wanted - 2 < lens.mark(moneyness, sharpness, is_call) <= wanted


@given(moneyness=MONEYNESS, sharpness=SHARPNESS, is_put=st.booleans())
@settings(max_examples=100, deadline=None)
def test_value__mark_time_value_and_slope_at_once__are_what_each_is_alone(
    lens, harness, moneyness, sharpness, is_put
):
    value = harness.value_of(moneyness, sharpness, is_put)
    assert value.mark == harness.marks(moneyness, sharpness)[is_put] == lens.mark(moneyness, sharpness, not is_put)
    assert value.time_value == harness.time_value(moneyness, sharpness)
    assert value.slope == lens.slope(moneyness, sharpness, not is_put)


@given(moneyness=MONEYNESS, sharpness=SHARPNESS)
@settings(max_examples=100, deadline=None)
def test_mark__call_less_put__is_moneyness_less_one(lens, moneyness, sharpness):
    """Invariant 11, exactly; and so of the slopes."""
    assert lens.mark(moneyness, sharpness, True) - lens.mark(moneyness, sharpness, False) == moneyness - WAD
    assert lens.slope(moneyness, sharpness, True) - lens.slope(moneyness, sharpness, False) == moneyness


@given(moneyness=MONEYNESS, sharpness=SHARPNESS)
@settings(max_examples=100, deadline=None)
def test_mark__never_below_the_payoff_nor_a_time_value_of_one_in_2n_less_1_above_it(lens, moneyness, sharpness):
    """Invariant 11."""
    for is_call, payoff in ((True, max(moneyness - WAD, 0)), (False, max(WAD - moneyness, 0))):
        mark = lens.mark(moneyness, sharpness, is_call)
        assert mark >= payoff
        assert (mark - payoff) * (2 * sharpness - 1) <= WAD


@given(pair=st.tuples(MONEYNESS, MONEYNESS).map(sorted), sharpness=SHARPNESS)
@settings(max_examples=100, deadline=None)
def test_mark__calls_rise_and_puts_fall_with_moneyness(lens, pair, sharpness):
    """Invariant 11, within 2 wei."""
    low, high = pair
    assert lens.mark(low, sharpness, True) <= lens.mark(high, sharpness, True) + 2
    assert lens.mark(low, sharpness, False) + 2 >= lens.mark(high, sharpness, False)


@given(
    points=st.lists(MONEYNESS, min_size=3, max_size=3, unique=True).map(sorted),
    sharpness=SHARPNESS,
    is_call=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_mark__is_convex(lens, points, sharpness, is_call):
    """Invariant 11: never more than 2 wei above a chord."""
    low, middle, high = points
    left, inside, right = (lens.mark(m, sharpness, is_call) for m in points)
    assert (inside - 2) * (high - low) <= left * (high - middle) + right * (middle - low)


@given(
    moneyness=MONEYNESS.filter(lambda m: m < MAX_MONEYNESS), step=st.integers(1, 10**16), sharpness=SHARPNESS
)
@settings(max_examples=100, deadline=None)
def test_slope__lies_between_the_marks_chords_to_both_sides(lens, moneyness, step, sharpness):
    """What v' of a convex v must do; the rounding of two marks over one step is allowed for."""
    low, high = max(MIN_MONEYNESS, moneyness - step), min(MAX_MONEYNESS, moneyness + step)
    for is_call in (True, False):
        here = lens.mark(moneyness, sharpness, is_call)
        slope = Fraction(lens.slope(moneyness, sharpness, is_call), moneyness)
        error = Fraction(2 * sharpness, moneyness)
        if low < moneyness:
            below = Fraction(here - lens.mark(low, sharpness, is_call), moneyness - low)
            assert slope + error + Fraction(2, moneyness - low) >= below
        above = Fraction(lens.mark(high, sharpness, is_call) - here, high - moneyness)
        assert slope - error - Fraction(2, high - moneyness) <= above


@pytest.mark.parametrize("sharpness", [0, 4, 101, 2**256 - 1])
def test_mark__sharpness_that_no_market_has__reverts(lens, sharpness):
    for function in (lens.mark, lens.slope):
        with boa.reverts("market_lens: sharpness out of range"):
            function(WAD, sharpness, True)


@pytest.mark.parametrize("moneyness", [0, MIN_MONEYNESS - 1, MAX_MONEYNESS + 1, 2**256 - 1])
def test_mark__moneyness_that_a_touch_would_clamp__reverts(lens, moneyness):
    for function in (lens.mark, lens.slope):
        with boa.reverts("market_lens: moneyness out of range"):
            function(moneyness, 17, False)


@pytest.mark.parametrize("is_put", [False, True], ids=["call", "put"])
@pytest.mark.parametrize("sharpness", SHARPNESSES)
def test_mark__costs_at_most_1000_gas(harness, sharpness, is_put):
    assert max(harness.mark_gas(moneyness, sharpness, is_put) for moneyness in MONEYNESSES) <= 1_000


def test_mark__of_any_sharpness__costs_at_most_1000_gas(harness):
    """Sharpness 96 is the dearest: 95 has the most bits of those that need seven."""
    assert max(harness.mark_gas(10 * WAD, sharpness, False) for sharpness in range(5, 101)) <= 1_000


@pytest.mark.parametrize("is_put", [False, True], ids=["call", "put"])
@pytest.mark.parametrize("price", [50, 90, 100, 101, 200])
def test_mark__with_slope_and_six_scenarios__costs_at_most_7000_gas(harness, price, is_put):
    series = (100 * 10**8, is_put, *[0] * 10)
    assert harness.scenario_gas(price * 10**8, series, 17, 125) <= 7_000
