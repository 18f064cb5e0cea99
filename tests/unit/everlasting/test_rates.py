"""Premium rates against exact rationals: what a long pays is rounded up, what a short receives down."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from . import exact
from .cases import GRID, SHARED
from .exact import WAD

RATE = 10**10  # scale of variances and rates, per year
CARRY = 10**5
MULTIPLE = 10**7

VARIANCES = st.integers(10**6, 10**12)  # a sigma from 1% to 1,000%
CARRIES = st.integers(-30_000, 30_000)
MULTIPLES = st.integers(0, 3 * MULTIPLE)  # load + kappa <= 3
SHARPNESS = st.integers(5, 100)


def expected(time_value, slope, sharpness, long_variance, short_variance, carry, long_multiple, short_multiple):
    """Exact rates: (long, short, long's load, short's load)."""
    gamma = exact.gamma(Fraction(time_value, WAD), sharpness)
    drift = Fraction(carry, CARRY) * Fraction(slope, WAD)

    def side(variance, multiple):
        premium = gamma * Fraction(variance, RATE)
        return premium + drift, (premium + abs(drift)) * Fraction(multiple, MULTIPLE)

    long_premium, long_load = side(long_variance, long_multiple)
    short_premium, short_load = side(short_variance, short_multiple)
    return long_premium + long_load, short_premium - short_load, long_load, short_load


def check(harness, *inputs):
    rates = harness.rates(*inputs)
    long, short, long_load, short_load = expected(*inputs)
    assert rates.long == ceil(long * RATE)
    assert rates.short == floor(short * RATE)
    assert rates.long_load == floor(long_load * RATE)
    assert rates.short_load == floor(short_load * RATE)
    return rates


@given(
    time_value=st.integers(0, WAD // 9),
    slope=st.integers(-WAD, 10**22),
    sharpness=SHARPNESS,
    variances=st.tuples(VARIANCES, VARIANCES),
    carry=CARRIES,
    multiples=st.tuples(MULTIPLES, MULTIPLES),
)
@settings(max_examples=250, deadline=None)
def test_rates__anything_in_bounds__exact_with_the_stated_rounding_and_inside_48_bits(
    harness, time_value, slope, sharpness, variances, carry, multiples
):
    # No mark has more time value than 1 / (2n - 1).
    time_value = min(time_value, WAD // (2 * sharpness - 1))
    rates = check(harness, time_value, slope, sharpness, *variances, carry, *multiples)
    assert -(2**47) <= rates.short <= rates.long + 2**47 and rates.long < 2**47


@pytest.mark.parametrize("carry", [-30_000, -1, 0, 1, 30_000])
@pytest.mark.parametrize("case", GRID[::7], ids=str)
def test_rates__of_real_options__exact(harness, lens, case, carry):
    time_value = harness.time_value(case.moneyness, case.sharpness)
    for is_call in (True, False):
        slope = lens.slope(case.moneyness, case.sharpness, is_call)
        check(harness, time_value, slope, case.sharpness, 5_184_000_000, 3_600_000_000, carry, 1_000_000, 6_000_000)


def test_rates__carry_against_the_slope__a_long_may_receive_and_a_short_pay(harness, lens):
    """A put's slope is negative: a positive carry pays whoever holds it, and costs who wrote it."""
    slope = lens.slope(WAD * 3 // 4, 17, False)
    rates = check(harness, harness.time_value(WAD * 3 // 4, 17), slope, 17, 10**8, 10**8, 30_000, 0, 0)
    assert rates.short <= rates.long < 0


def test_rates__load__makes_longs_pay_more_and_shorts_receive_less(harness, lens):
    inputs = (harness.time_value(WAD, 17), lens.slope(WAD, 17, True), 17, 3_600_000_000, 3_600_000_000, 10_000)
    plain, loaded = check(harness, *inputs, 0, 0), check(harness, *inputs, 1_000_000, 6_000_000)
    assert plain.short_load == plain.long_load == 0
    assert plain.short <= plain.long <= plain.short + 1
    assert loaded.long - plain.long in (loaded.long_load, loaded.long_load + 1)
    assert plain.short - loaded.short in (loaded.short_load, loaded.short_load + 1)


def test_rates__premium_at_the_defaults__is_what_the_design_says(harness, lens):
    """At the money, sigma 60%, n = 17, no carry: 0.36 * 136 / 33 a year."""
    rates = check(harness, harness.time_value(WAD, 17), lens.slope(WAD, 17, True), 17, 36 * 10**8, 36 * 10**8, 0, 0, 0)
    assert rates.long == ceil(Fraction(36 * 136, 3_300) * RATE)


@pytest.mark.parametrize("case", GRID + SHARED, ids=str)
def test_rates__grid_and_shared_vectors__gamma_rate(harness, case):
    """A sigma of 100%, no carry, no load: the rate is n(n - 1)/2 tv."""
    time_value = harness.time_value(case.moneyness, case.sharpness)
    rates = harness.rates(time_value, 0, case.sharpness, RATE, RATE, 0, 0, 0)
    assert abs(rates.long - case.gamma * RATE) <= 1 and abs(rates.short - case.gamma * RATE) <= 1
