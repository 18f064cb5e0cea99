"""The variances the owner writes: two half-lives, capped returns, bounded results."""

import math

import pytest

from everstock.demo.volatility import CAP, SAMPLE_SECONDS, SCALE, YEAR, Variances


def test_on_chain__before_any_price__is_where_it_began():
    assert Variances("BTC", 0.6).on_chain() == (3_600_000_000, 3_600_000_000)


def test_sample__between_boundaries__changes_nothing():
    variances = Variances("BTC", 0.6)
    variances.sample(1_000, 100.0)
    variances.sample(1_000 + SAMPLE_SECONDS - 1, 200.0)
    assert variances.on_chain() == (3_600_000_000, 3_600_000_000)


def test_sample__half_of_what_was_is_forgotten_after_a_half_life():
    variances = Variances("BTC", 1.0)
    variances.sample(0 + 1, 100.0)
    variances.sample(6 * 3_600 + 1, 100.0)
    fast, slow = variances.on_chain()
    assert fast == pytest.approx(0.5 * SCALE)
    assert slow == pytest.approx(0.5 ** (6 / 48) * SCALE)


def test_sample__a_steady_wave__is_measured_as_what_it_is():
    sigma, variances = 0.8, Variances("ETH", 0.3)
    step = sigma * math.sqrt(SAMPLE_SECONDS / YEAR)
    for i in range(3_000):
        variances.sample(1 + i * SAMPLE_SECONDS, 100.0 * math.exp(step * (i % 2)))
    fast, slow = variances.on_chain()
    assert fast == pytest.approx(sigma**2 * SCALE, rel=1e-6)
    assert slow == pytest.approx(sigma**2 * SCALE, rel=1e-2)


def test_sample__a_jump_is_capped_and_the_result_bounded():
    variances = Variances("BTC", 0.6)
    variances.sample(1, 100.0)
    variances.sample(1 + SAMPLE_SECONDS, 50.0)
    fast, slow = variances.on_chain()
    kept = 0.5 ** (SAMPLE_SECONDS / (48 * 3_600))
    assert slow == pytest.approx(SCALE * (kept * 0.36 + (1 - kept) * CAP**2 * YEAR / SAMPLE_SECONDS))
    assert fast == round(2.5**2 * SCALE)


def test_on_chain__has_a_floor_of_its_own():
    for name, floor in (("BTC", 0.25), ("ETH", 0.30)):
        variances = Variances(name, 0.1)
        assert variances.on_chain() == (round(floor**2 * SCALE),) * 2
