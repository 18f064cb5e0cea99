"""Traders who act right after a jump."""

import numpy as np
import pytest

from everstock.risk import informed
from everstock.risk.hourly import HALF_LIVES, Oracle

from .test_hourly import HOUR_YEARS, closes, walk


def test_jumps__are_the_closes_after_a_large_return():
    sigma = 0.6 * HOUR_YEARS**0.5
    index = closes(100 * np.exp(np.cumsum([0, 0, 2.9 * sigma, -0.1 * sigma, -3.2 * sigma, 0])))
    assert informed.jumps(index, 3).tolist() == [4]


def test_apart__no_two_trades_overlap_and_the_last_ends_in_time():
    assert informed.apart(np.array([0, 1, 3, 4, 6, 8]), 3, last=10).tolist() == [0, 3, 6]


@pytest.mark.parametrize("buys", [True, False])
@pytest.mark.parametrize("hours", [1, 24])
def test_trades__at_any_hour_of_a_steady_index__bring_nothing_before_load_and_fees(buys, hours):
    """But for the average of an hour's two ends, up to 2% more than what a straddle at the money is worth in it."""
    index = walk(0.6, 40_000)
    found = informed.trades(index, Oracle.steady(index, 0.6), np.arange(len(index.price)), hours, buys=buys)
    premium = found.load.mean()
    assert abs(found.mean) <= 2.5 * found.error + (0.02 * premium if hours == 1 else 0)
    assert found.after(0.1).mean < -0.003


def test_trades__fees__are_eight_basis_points_of_each_leg_both_ways():
    index = closes([100, 100])
    found = informed.trades(index, Oracle.steady(index, 0.6), np.array([0]), 1)
    assert found.fees == pytest.approx([4 * 0.0008])


@pytest.mark.parametrize("buys", [True, False])
def test_trades__while_the_oracle_lags_behind_what_is_known__would_pay_before_fees(buys):
    """Sigma goes from 40% to 120% and back every ten days, and whoever knows trades with it."""
    high = np.arange(40_000) // 240 % 2 == 1
    sigma = np.where(high, 1.2, 0.4)
    steps = np.random.default_rng(3).normal(size=len(sigma)) * sigma * HOUR_YEARS**0.5
    index = closes(100 * np.exp(np.concatenate([[0], np.cumsum(steps)])))
    slow = Oracle.of(index, (48.0,), floor=0.1)
    starts = np.flatnonzero(np.diff(high.astype(int)) == (1 if buys else -1)) + 1
    one = informed.trades(index, slow, starts, 6, buys=buys)
    assert one.mean > 5 * one.error
    two = informed.trades(index, Oracle.of(index, HALF_LIVES, floor=0.1), starts, 6, buys=buys)
    assert two.mean < one.mean
