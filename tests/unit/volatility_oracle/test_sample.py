"""Samples: the first price after each boundary, what it adds, and what becomes of everything else."""

import math

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everstock.chain.deployment import FLOORS
from everstock.chain.in_process import START, VARIANCES, events, price
from everstock.chain.publisher import sign
from everstock.model.volatility_oracle import CEILING, HALF_LIVES, MOST, SPAN
from tests.unit.price_oracle.feeds import caller_back, refuser

from .samples import BTC, ETH, Samples, refused

WAD = 10**18
YEAR = 365 * 86_400
PRICES = {BTC: 120_000.0, ETH: 4_500.0}


@pytest.fixture
def begun(samples):
    """After a first sample of both underlyings, 600 seconds after the protocol began."""
    samples.at(START + SPAN)
    assert samples.sample(PRICES) == 2
    return samples


def expected(variance: float, log_return: float, elapsed: int) -> list[float]:
    """Both variances after a sample, in floats."""
    found = []
    for half_life in HALF_LIVES:
        kept = 0.5 ** (elapsed / half_life)
        most = (1 - 0.5 ** (SPAN / half_life)) * 0.01 * YEAR / SPAN
        found.append(kept * variance + min((1 - kept) * log_return**2 * YEAR / elapsed, most))
    return found


def test_sample__the_first__only_begins(begun):
    track = begun.track(BTC)
    assert (track.price, track.time) == (price(120_000), START + SPAN)
    assert track.fast == track.slow == VARIANCES["BTC"] * 10**8
    assert begun.protocol.volatility_oracle.variances(BTC) == (VARIANCES["BTC"],) * 2


@pytest.mark.parametrize("elapsed", [600, 620, 1_199, 1_200, 3_600, 86_400])
@pytest.mark.parametrize("factor", [1.0, 1.004, 0.996, 1.03, 0.9, 1.3])
def test_sample__a_return__adds_its_square_over_the_true_time(begun, elapsed, factor):
    protocol = begun.protocol
    begun.at(START + SPAN + elapsed)
    assert begun.sample({BTC: 120_000 * factor}) == 1
    sigma2 = VARIANCES["BTC"] / 10**10
    track = begun.track(BTC)
    assert [track.fast / WAD, track.slow / WAD] == pytest.approx(expected(sigma2, math.log(factor), elapsed), rel=1e-9)
    word = protocol.oracle.word(BTC)
    written = [min(max(variance // 10**8, FLOORS["BTC"]), CEILING) for variance in (track.fast, track.slow)]
    assert [word >> 96 & 2**40 - 1, word >> 136 & 2**40 - 1] == written
    assert begun.track(ETH).time == START + SPAN


def test_sample__also_stores_the_price_and_says_so(begun):
    begun.at(START + 2 * SPAN + 7)
    begun.answer(BTC, price(121_000))
    bring(begun, begun.message(BTC, price(121_000), begun.protocol.now, begun.boundary - 1))
    (event,), (written,) = (events(begun.protocol.volatility_oracle, name) for name in ("Sampled", "VariancesSet"))
    track = begun.track(BTC)
    assert (written.fast, written.slow) == begun.protocol.volatility_oracle.variances(BTC)
    assert (event.underlying, event.price, event.publish_time) == (BTC, price(121_000), begun.protocol.now)
    assert (event.fast, event.slow) == (track.fast, track.slow)
    assert begun.protocol.oracle.word(BTC) & 2**64 - 1 == price(121_000)


@pytest.mark.parametrize("late", [0, 1, 30, 599])
def test_sample__the_first_price_since_the_boundary__however_late(begun, late):
    begun.at(START + 2 * SPAN + late)
    assert begun.sample({BTC: 120_100}) == 1
    assert begun.track(BTC).time == START + 2 * SPAN + late


def test_sample__brought_late__is_that_of_its_boundary(begun):
    begun.at(START + 2 * SPAN + 500)
    assert begun.sample({BTC: 120_100}, time=START + 2 * SPAN + 1) == 1
    assert begun.track(BTC).time == START + 2 * SPAN + 1


def test_sample__not_the_first_since_the_boundary__reverts_with_pyths_error(begun):
    begun.at(START + 2 * SPAN + 60)
    for time, previous in ((30, 20), (30, 0), (0, 0)):
        message = begun.message(BTC, price(121_000), begun.boundary + time, begun.boundary + previous)
        with refused("PriceFeedNotFoundWithinRange"):
            bring(begun, message)


def test_sample__of_an_earlier_boundary__is_too_late(begun):
    """A boundary that was missed is not filled in."""
    missed = START + 2 * SPAN
    begun.at(missed + SPAN)
    with refused("PriceFeedNotFoundWithinRange"):
        bring(begun, begun.message(BTC, price(121_000), missed + 1, missed - 1))
    begun.sample({BTC: 121_000})
    assert begun.track(BTC).fast / WAD == pytest.approx(expected(0.36, math.log(121 / 120), 1_200)[0])


def test_sample__before_the_boundary__reverts_with_pyths_error(begun):
    begun.at(START + 2 * SPAN)
    with refused("PriceFeedNotFoundWithinRange"):
        bring(begun, begun.message(BTC, price(121_000), START + 2 * SPAN - 1, START + SPAN))


def test_sample__again_within_the_boundary__is_passed_over(begun):
    begun.at(START + 2 * SPAN + 5)
    assert begun.sample({BTC: 121_000}) == 1
    track = begun.track(BTC)
    assert not begun.protocol.volatility_oracle.is_due(BTC) and begun.protocol.volatility_oracle.is_due(ETH)
    assert begun.sample({BTC: 121_000, ETH: 4_510}) == 1
    assert begun.track(BTC) == track
    assert not begun.protocol.volatility_oracle.is_due(ETH)


def test_boundary__is_a_multiple_of_ten_minutes(begun):
    oracle = begun.protocol.volatility_oracle
    for time in (START + 2 * SPAN, START + 3 * SPAN - 1):
        begun.at(time)
        assert oracle.boundary() == START + 2 * SPAN
        assert oracle.is_due(BTC)
    assert not oracle.is_due(7)
    assert oracle.SPAN() == SPAN


# Bounds


def test_sample__calm_for_long__stays_at_the_floor(begun):
    for i in range(2, 8):
        begun.at(START + i * 86_400)
        begun.sample(PRICES)
    assert begun.protocol.volatility_oracle.variances(BTC) == (FLOORS["BTC"],) * 2
    assert begun.protocol.volatility_oracle.variances(ETH) == (FLOORS["ETH"],) * 2
    assert begun.track(BTC).fast < FLOORS["BTC"] * 10**8


@pytest.mark.parametrize("factor", [1.2, 0.5, 5.0, 0.01])
def test_sample__a_jump__adds_no_more_than_ten_percent_would_and_is_written_up_to_the_ceiling(begun, factor):
    before = begun.track(BTC)
    begun.at(START + 2 * SPAN)
    begun.sample({BTC: 120_000 * factor})
    track = begun.track(BTC)
    for after, variance, half_life, most in zip(
        (track.fast, track.slow), (before.fast, before.slow), HALF_LIVES, MOST, strict=True
    ):
        assert after / WAD == pytest.approx(variance / WAD * 0.5 ** (SPAN / half_life) + most / WAD)
    fast, slow = begun.protocol.volatility_oracle.variances(BTC)
    assert fast == CEILING and slow == track.slow // 10**8 < CEILING


@pytest.mark.parametrize("pause", [1_200, 6 * 3_600, 86_400, 30 * 86_400])
def test_sample__a_jump_after_a_pause__adds_no_more_than_one_without(begun, pause):
    begun.at(START + SPAN + pause)
    begun.sample({BTC: 240_000})
    for after, half_life, most in zip(
        (begun.track(BTC).fast, begun.track(BTC).slow), HALF_LIVES, MOST, strict=True
    ):
        assert after <= 0.36 * WAD * 0.5 ** (pause / half_life) * (1 + 1e-9) + most


def test_most__is_what_ten_percent_in_ten_minutes_adds():
    for most, half_life in zip(MOST, HALF_LIVES, strict=True):
        assert most / WAD == pytest.approx((1 - 0.5 ** (SPAN / half_life)) * 0.1**2 * YEAR / SPAN, rel=1e-12)


# Refusals


def bring(samples: Samples, *messages, ids=(BTC,), value=None, sender=None) -> int:
    """Bring messages as they are, in one update."""
    blob = sign(list(messages)).blob()
    protocol = samples.protocol
    value = protocol.oracle.update_fee([blob]) if value is None else value
    return protocol.volatility_oracle.sample(list(ids), [blob], value=value, sender=sender or protocol.operator)


def first(samples: Samples, id_: int = BTC):
    """The first message since a new boundary, with Chainlink at the same price."""
    samples.at(START + 2 * SPAN)
    samples.answer(id_, price(120_000))
    return samples.message(id_, price(120_000), samples.boundary, samples.boundary - 1)


def test_sample__what_the_price_oracle_refuses__reverts_with_its_reason(begun):
    message = first(begun)
    begun.answer(BTC, price(110_000))
    with refused("price_oracle: too far from chainlink"):
        bring(begun, message)
    begun.protocol.sequencer.publish(1, START, START, sender=begun.protocol.operator)
    with refused("price_oracle: sequencer down"):
        bring(begun, message)


def test_sample__underlying_without_a_seed__reverts(begun):
    protocol = begun.protocol
    message = first(begun)
    protocol.oracle.set_feed(7, *protocol.feed("BTC").arguments(), sender=protocol.owner)
    with refused("volatility_oracle: unknown underlying"):
        bring(begun, message, ids=[7])


def test_sample__not_appointed__reverts(begun):
    protocol = begun.protocol
    message = first(begun)
    protocol.oracle.set_volatility_oracle(protocol.actor("another one"), sender=protocol.owner)
    with refused("price_oracle: not the volatility oracle"):
        bring(begun, message)


def test_sample__fee__must_be_covered_and_the_rest_comes_back(begun):
    protocol = begun.protocol
    keeper = protocol.actor("keeper")
    message = first(begun)
    with refused("volatility_oracle: fee not covered"):
        bring(begun, message, value=0)
    with refused("volatility_oracle: refund failed"):
        bring(begun, message, value=2, sender=refuser().address)
    before = boa.env.get_balance(keeper)
    assert bring(begun, message, value=1_000, sender=keeper) == 1
    assert boa.env.get_balance(keeper) == before - 1
    assert boa.env.get_balance(protocol.volatility_oracle.address) == boa.env.get_balance(protocol.oracle.address) == 0


def test_sample__reentered_by_way_of_the_refund__reverts(begun):
    oracle = begun.protocol.volatility_oracle
    caller = caller_back(oracle.address, oracle.sample.prepare_calldata([], []))
    with refused("volatility_oracle: refund failed"):
        bring(begun, first(begun), value=2, sender=caller.address)


def test_sample__of_no_underlying__samples_none(begun):
    assert bring(begun, first(begun), ids=[]) == 0
    assert begun.protocol.volatility_oracle.is_due(BTC)


# Any sequence


@given(
    steps=st.lists(
        st.tuples(
            st.integers(1, 12),  # boundaries that pass
            st.integers(0, SPAN - 1),  # seconds after the last of them that a price is published
            st.integers(0, 100),  # and later that it is brought
            st.one_of(st.floats(0.995, 1.005), st.floats(0.9, 1.1), st.floats(0.3, 3)),
            st.sampled_from([(BTC,), (ETH,), (BTC, ETH)]),
        ),
        min_size=1,
        max_size=10,
    )
)
@settings(max_examples=15, deadline=None)
def test_sample__any_sequence__is_the_models(deployed, steps):
    with boa.env.anchor():
        samples = Samples(deployed.fork())
        usd = dict(PRICES)
        boundary = START
        for boundaries, after, late, factor, ids in steps:
            boundary += boundaries * SPAN
            time = boundary + after
            samples.at(min(time + late, boundary + SPAN - 1))
            usd = {id_: value * factor if id_ in ids else value for id_, value in usd.items()}
            assert samples.sample({id_: usd[id_] for id_ in ids}, time=time) == len(ids)
