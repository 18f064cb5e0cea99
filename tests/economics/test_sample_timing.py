"""What whoever chooses the moment of a touch makes of the moment of a sample: invariants 35 to 37.

A sample changes the variances of every market at once, and touches no series. The next touch charges the mean of its two ends, so that for
up to an hour a part of the time runs at another variance than it had. Nobody chooses the price of a sample nor its boundary;
what remains is a touch just before it (or, where sigma falls, just after it).

35. Let a sample change a rate by d, at an unchanged price, s after one touch and T - s before the next, T at most an hour. What
    is charged differs from the rate's integral by exactly d (T/2 - (T - s)). So it is worth at most |d| T / 2 to anybody, |d| half
    an hour, and as much to whoever is on the other side, if neither touches.
36. A return r at one boundary raises a variance by at most w r^2 year / 600 s, at most to the ceiling. At the money with a load of 10%
    the most of an hour is, in bp of face, for a return of

        1%     2%     3%     5%     7.9% and more (from the floor to the ceiling)
        0.26   1.04   2.3    6.5    16.0

    Entering and leaving costs 16 bp, and impact. So nobody trades for it; whoever is in anyway saves that much.
37. On past prices, at a rate that follows the samples alone, the best touches there are (knowing all samples beforehand) save a
    long 1.3% to 2.6% of the premium of three to six days, calm or wild, and bring a short 0.4% to 2.0%; a simple rule without
    knowledge brings 0.2% to 1.4%. The load of 10% covers that. A single day of one jump is worse, 12% of the premium of 10 October 2025
    (8 bp of face). Prices that move as well are invariant 26's.

The same holds for carry, which a timelock changes after a checkpoint: d is at most 0.6 |m v'|, worth 0.35 bp at delta 1. What
ran before the checkpoint is settled at what was promised for it (`tests/unit/risk_parameters`).

A scheme that does better would have to touch every series of every market at each sample, or keep a running integral of the variance,
which RiskBook has no bytes for. Anybody can do the former for a market: a checkpoint just before and just after a sample leaves nothing.
"""

from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from everstock.model import float_price
from everstock.model.constants import GAIN, HOUR, RATE, YEAR
from everstock.model.reverts import Revert
from everstock.model.series_book import Terms
from everstock.model.volatility_oracle import CEILING, HALF_LIVES, SPAN
from everstock.replay.bars import PriceError
from everstock.volatility import moving
from everstock.volatility.history import Samples, bounded, find, read, reference
from everstock.volatility.report import STRETCHES
from tests.economics.scene import Scene, examples
from tests.economics.stage import Alone, told_both
from tests.economics.test_touch_timing import (
    BOUGHT,
    PER_RATE,
    account_equity,
    best_charge,
    charge_of_a_rule,
    held,
    integral,
    prices,
    sides,
    terms,
    touched,
)

variances = st.tuples(st.integers(10**8, 10**11), st.integers(10**8, 10**11))


@given(t=terms, after=variances, sides=sides, is_put=st.booleans(), price=prices, span=st.integers(1, HOUR), part=st.floats(0, 1))
@examples(200)
def test_sample__between_two_touches__shifts_half_its_change(t: Terms, after, sides, is_put, price, span, part):
    """Invariant 35."""
    sampled_at = int(span * part)
    first = held(t, sides, is_put, price)
    changed = replace(t, long_variance=max(after), short_variance=min(after))
    last = touched(first, changed, price, span)
    for side, sign in (("long", -1), ("short", 1)):
        before, now = (getattr(s, f"{side}_rate") for s in (first, last))
        true = before * sampled_at + now * (span - sampled_at)
        shifted = Fraction((now - before) * (2 * sampled_at - span), 2)
        got = getattr(last, f"{side}_gain")
        assert abs(got - sign * 2 * t.scale * PER_RATE * (true + shifted)) <= 1
        assert abs(shifted) <= Fraction(abs(now - before) * span, 2)


def half_an_hour_of(variance: float) -> float:
    """Half an hour's premium at the money, bp of face, with the default load, on so much more variance."""
    more, less = (float_price.rates(1.0, 17, False, v, v, 0, 0.1, 0.1).long for v in (variance, 0))
    return float(more - less) * HOUR / 2 / YEAR * 1e4


@pytest.mark.parametrize(("percent", "bp"), [(1, 0.26), (2, 1.04), (3, 2.34), (5, 6.5)])
def test_sample__of_a_return__is_worth_so_much_at_most(percent, bp):
    """Invariant 36."""
    w = moving.weight(HALF_LIVES[0])
    assert half_an_hour_of(w * (percent / 100) ** 2 * YEAR / SPAN) == pytest.approx(bp, rel=0.01)


def test_sample__from_the_floor_to_the_ceiling__is_worth_what_entering_and_leaving_costs():
    """Invariant 36; fee_rate is 8 bp."""
    worst = half_an_hour_of((CEILING - 625_000_000) / RATE)
    assert worst == pytest.approx(16.0, abs=0.05)
    w = moving.weight(HALF_LIVES[0])
    assert moving.raised(0.0625, HALF_LIVES[0], (0.0786,)) == pytest.approx(6.25, rel=0.01)
    assert w * 0.0786**2 * YEAR / SPAN < CEILING / RATE


@pytest.mark.parametrize(
    ("stretch", "underlying", "best", "rule"),
    [
        ("calm, July 2025", "BTC", 0.02, 0.015),
        ("calm, July 2025", "ETH", 0.03, 0.02),
        ("carry unwind, 5 August 2024", "BTC", 0.03, 0.02),
        ("carry unwind, 5 August 2024", "ETH", 0.03, 0.02),
        ("tariff crash, 10 October 2025", "BTC", 0.05, 0.03),
        ("tariff crash, 10 October 2025", "ETH", 0.05, 0.03),
    ],
)
def test_load__covers_whoever_times_touches_by_samples(stretch, underlying, best, rule):
    """Invariant 37: over the days of a stretch, at the money all the time, a touch a minute at most and one an hour at least."""
    try:
        samples = read(find(STRETCHES[stretch].format(underlying)), underlying)
    except PriceError as error:
        pytest.skip(str(error))
    longs, shorts = minutely(samples)
    loaded = float_price.rates(np.ones(len(longs)), 17, False, longs, shorts, 0.1, 0.1, 0.1)
    fair = float_price.rates(np.ones(len(longs)), 17, False, longs, shorts, 0.1, 0, 0)
    for side, sign in (("long", 1), ("short", -1)):
        rates = getattr(loaded, side)
        charged = best_charge(rates, 60, sign)
        assert 0 < sign * (1 - charged / integral(rates)) < best
        assert sign * (1 - charge_of_a_rule(rates, 60, sign) / integral(rates)) < rule
        assert sign * (charged - integral(getattr(fair, side))) > 0


def minutely(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """The larger and the smaller variance as written, minute by minute."""
    written = bounded(reference(samples), samples.underlying)
    minutes = np.arange(samples.times[0], samples.times[-1], 60)
    at = np.searchsorted(samples.times, minutes, side="right") - 1
    return written.max(axis=0)[at], written.min(axis=0)[at]


# In a market


def check(market, cut: int, fast: int) -> None:
    """A buyer who settles just before a sample or not until the end, an hour and a bit after the last touch."""

    def gain(settles_before: bool) -> tuple[Fraction, int, int, int]:
        with market() as stage:
            scene = Scene.begin(stage, BOUGHT)
            scene.pass_time(HOUR // 6, 1.0, 1)
            assert not isinstance(scene.settle(0), Revert)
            series = scene.market.risk.book.series[scene.series[0]]
            scene.pass_time(cut, 1.0, 1)
            if settles_before:
                assert not isinstance(scene.settle(0), Revert)
            assert not isinstance(scene.set_variances(0, fast, fast), Revert)
            scene.pass_time(HOUR // 2 - cut, 1.0, 1)
            assert not isinstance(scene.settle(0), Revert)
            after = scene.market.risk.book.series[scene.series[0]]
            units = scene.market.house.account(scene.account(0)).legs[0].units
            return account_equity(scene.market, scene.account(0)), series.long_rate, after.long_rate, units

    once, *_ = gain(False)
    twice, before, now, units = gain(True)
    # By 35 with T whole and with T - cut: of half an hour, `cut` runs at the old rate alone.
    expected = Fraction((now - before) * cut, 2 * RATE * YEAR) * units
    assert abs(twice - once - expected) <= 3 + Fraction(3 * units, GAIN), f"{float(twice - once)}, not {float(expected)}"


@given(cut=st.integers(1, HOUR // 2 - 1), fast=st.integers(10**9, 6 * 10**10))
@examples(25)
def test_settling__just_before_a_sample__is_worth_half_its_change_of_the_time_before(cut, fast):
    check(lambda: nullcontext(Alone()), cut, fast)


@pytest.mark.parametrize("fast", [10**9, 6 * 10**10])
def test_contracts__settling_just_before_a_sample__is_worth_half_its_change_of_the_time_before(protocol, fast):
    check(lambda: told_both(protocol), HOUR // 4, fast)
