"""The model's logarithm and exponential are snekmate's, bit by bit, and are what they should be."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from everstock.model.volatility_oracle import HALF_LIVES, LN_2, kept
from everstock.model.wad_math import EXPONENT_LIMIT, LEAST_EXPONENT, WAD, wad_exp, wad_ln

# Anything, and what a sample takes: ratios of prices, and minus ln 2 times an elapsed time over a half-life.
positive = st.one_of(st.integers(1, 2**255 - 1), st.integers(WAD // 10, 10 * WAD), st.integers(0, 254).map(lambda n: 2**n))
exponents = st.one_of(st.integers(LEAST_EXPONENT - 10, EXPONENT_LIMIT - 1), st.integers(-2 * WAD, 0))


@given(x=positive)
@example(x=1)
@example(x=WAD)
@example(x=WAD - 1)
@example(x=2**255 - 1)
@settings(max_examples=300, deadline=None)
def test_wad_ln__is_snekmates(snekmate, x):
    assert wad_ln(x) == snekmate.ln(x)
    assert abs(wad_ln(x) / WAD - math.log(x / WAD)) <= 1e-14 * abs(math.log(x / WAD)) + 2e-16


@given(x=exponents)
@example(x=0)
@example(x=LEAST_EXPONENT)
@example(x=LEAST_EXPONENT + 1)
@example(x=EXPONENT_LIMIT - 1)
@settings(max_examples=300, deadline=None)
def test_wad_exp__is_snekmates(snekmate, x):
    assert wad_exp(x) == snekmate.exp(x)
    assert abs(wad_exp(x) - math.exp(x / WAD) * WAD) <= 1 + 1e-13 * math.exp(x / WAD) * WAD


@pytest.mark.parametrize("x", [0, -1, 2**255])
def test_wad_ln__without_a_logarithm__is_refused(x):
    with pytest.raises(ValueError, match="no logarithm"):
        wad_ln(x)


def test_wad_exp__too_large__is_refused():
    with pytest.raises(ValueError, match="no exponential"):
        wad_exp(EXPONENT_LIMIT)


def test_ln_2__to_a_wads_last_digit():
    assert LN_2 == math.floor(math.log(2) * 10**15) * 10**3 + 309
    assert wad_ln(2 * WAD) == LN_2


@pytest.mark.parametrize("half_life", HALF_LIVES)
def test_kept__halves_in_a_half_life(half_life):
    for elapsed in (1, 600, half_life, 3 * half_life, 2**32):
        assert kept(elapsed, half_life) == pytest.approx(WAD * 0.5 ** (elapsed / half_life), rel=1e-14, abs=1)
