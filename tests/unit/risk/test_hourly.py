"""Variances of hourly closes, as the oracle would have them."""

import gzip

import numpy as np
import pytest

from everstock.model.volatility_oracle import Seed
from everstock.replay.bars import PriceError
from everstock.risk.hourly import CAP, FILE, HALF_LIVES, YEAR, Closes, Oracle, read, variance

HOUR_YEARS = 3_600 / YEAR


def closes(prices, seconds=3_600):
    return Closes("BTC", 1_500_000_000 + np.arange(len(prices)) * seconds, np.array(prices, dtype=float))


def walk(sigma, steps, seed=1):
    """An index without drift whose sigma is known, hour by hour."""
    steps = np.random.default_rng(seed).normal(-(sigma**2) * HOUR_YEARS / 2, sigma * HOUR_YEARS**0.5, steps)
    return closes(100 * np.exp(np.concatenate([[0], np.cumsum(steps)])))


def test_variance__after_a_half_life_without_a_move__is_half():
    assert variance(closes([100] * 7), 6, start=1.0)[-1] == pytest.approx(0.5)


def test_variance__of_a_missing_hour__counts_per_true_elapsed_time():
    once, twice = closes([100, 101], seconds=7_200), closes([100, 100, 101])
    (_, of_once), (*_, of_twice) = variance(once, 6, start=0), variance(twice, 6, start=0)
    square = np.log(1.01) ** 2
    assert of_once == pytest.approx((1 - 0.5 ** (2 / 6)) * square / (2 * HOUR_YEARS))
    assert of_twice == pytest.approx((1 - 0.5 ** (1 / 6)) * square / HOUR_YEARS)


def test_variance__of_a_jump__is_capped():
    assert variance(closes([100, 200]), 6, start=0)[-1] == pytest.approx((1 - 0.5 ** (1 / 6)) * CAP**2 / HOUR_YEARS)


def test_variance__of_a_steady_index__is_its_own():
    assert variance(walk(0.6, 40_000), 48)[1_000:].mean() == pytest.approx(0.36, rel=0.02)


def test_variance__is_that_of_the_exact_oracle():
    """But for its rounding, and for prices of 8 decimals."""
    index, exact = walk(0.7, 400), Seed(0, 0, 0, 3_600_000_000, 3_600_000_000, 10**6).track()
    for time, price in zip(index.time.tolist(), index.price.tolist(), strict=True):
        exact = exact.moved(round(price * 10**8), time)
    found = [variance(index, hours, start=0.36)[-1] for hours in HALF_LIVES]
    assert [round(value * 10**10) for value in found] == pytest.approx(exact.written(), rel=1e-6)


def test_oracle__longs_have_the_larger_and_shorts_the_smaller__inside_the_bounds():
    index = walk(0.3, 5_000)
    oracle = Oracle.of(index, (6, 48), floor=0.28)
    both = np.stack([variance(index, hours) for hours in (6, 48)]).clip(0.28**2)
    assert (oracle.long == both.max(axis=0)).all() and (oracle.short == both.min(axis=0)).all()
    assert oracle.short.min() == 0.28**2


@pytest.mark.parametrize("rows", [["60,1", "0,1"], ["0,1", "60,-1"], ["0,1", "60,x"]])
def test_read__what_is_no_series_of_prices__is_refused(tmp_path, rows):
    with gzip.open(tmp_path / FILE.format("BTC"), "wt") as file:
        file.write("timestamp,close\n" + "\n".join(rows))
    with pytest.raises(PriceError, match="BTCUSDT"):
        read("BTC", tmp_path)


def test_read__no_file__is_refused(tmp_path):
    with pytest.raises(PriceError, match="BTCUSDT"):
        read("BTC", tmp_path)
