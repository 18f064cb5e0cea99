"""Pyth moves the price; everything that must stop it does, each with its own reason."""

from dataclasses import replace

import boa
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from everstock.chain import publisher
from everstock.chain.in_process import OPENING, VARIANCES, events, price

from .feeds import BTC, ETH, Feeds, caller_back, refused, refuser

# The feeds' bounds, see everstock/chain/deployment.py.
BAND = {BTC: (1_000, 10_000_000), ETH: (20, 1_000_000)}
CHAINLINK_MAX_AGE = 1_800


def test_update__newer_price__is_stored_with_its_time(protocol, feeds, oracle):
    feeds.bring(feeds.message(usd=121_000))
    assert feeds.stored() == (price(121_000), protocol.now, False)


def test_update__says_what_it_stored(protocol, feeds, oracle):
    feeds.bring(feeds.message(usd=121_000), feeds.message(ETH), ids=[ETH, BTC])
    stored = [(one.underlying, one.price, one.publish_time, one.restricted) for one in events(oracle, "PriceStored")]
    assert stored == [(ETH, price(OPENING["ETH"]), protocol.now, False), (BTC, price(121_000), protocol.now, False)]


def test_update__keeps_the_variances(feeds, oracle):
    feeds.bring(feeds.message())
    assert oracle.word(BTC) >> 96 & 2**40 - 1 == oracle.word(BTC) >> 136 & 2**40 - 1 == VARIANCES["BTC"]


def test_update__two_blobs__one_for_each_underlying(protocol, feeds):
    feeds.bring(feeds.message(BTC, 119_000), feeds.message(ETH, 4_480), ids=[BTC, ETH])
    assert feeds.stored(BTC) == (price(119_000), protocol.now, False)
    assert feeds.stored(ETH) == (price(4_480), protocol.now, False)


def test_update__one_blob_with_both__both_are_stored(protocol, feeds):
    blob = publisher.sign([feeds.message(BTC, 119_000), feeds.message(ETH, 4_480)]).blob()
    feeds.bring(blob, ids=[BTC, ETH], value=2)
    assert (feeds.stored(BTC)[0], feeds.stored(ETH)[0]) == (price(119_000), price(4_480))


def test_update__nothing__changes_nothing(feeds, oracle):
    before = oracle.word(BTC)
    feeds.bring(ids=[])
    assert oracle.word(BTC) == before


@pytest.mark.parametrize(
    ("expo", "raw", "wanted"),
    [
        (-8, 12_345_678_901_234, 12_345_678_901_234),
        (-5, 12_345_678_901, 12_345_678_901_000),
        (0, 123_456, 12_345_600_000_000),
        (-10, 1_234_567_890_123_499, 12_345_678_901_234),
        (-12, 123_456_789_012_349_999, 12_345_678_901_234),
    ],
)
def test_update__other_exponents__eight_decimals_rounded_down(feeds, expo, raw, wanted):
    feeds.answer(BTC, 123_456)
    feeds.bring(feeds.message(price=raw, conf=raw // 2_000, expo=expo))
    assert feeds.stored()[0] == wanted


@pytest.mark.parametrize("expo", [1, 5, -19, -32, 2**31 - 1, -(2**31)])
def test_update__exponent_that_no_sane_price_has__reverts(feeds, expo):
    with refused("price_oracle: price out of band"):
        feeds.bring(feeds.message(expo=expo))


# Not newer


@pytest.mark.parametrize("ago", [1, 2, 3_600])
def test_update__not_newer_than_the_stored_price__is_passed_over(feeds, oracle, ago):
    """At its time or before: keepers race. Even one that would not do is passed over."""
    before = oracle.word(BTC)
    feeds.bring(feeds.message(usd=100_000, ago=ago))
    assert events(oracle, "PriceStored") == []
    feeds.bring(publisher.negative(feeds.message(ago=ago)))
    assert oracle.word(BTC) == before


def test_update__one_newer_and_one_not__stores_the_newer(protocol, feeds, oracle):
    before = oracle.word(ETH)
    feeds.bring(feeds.message(BTC, 119_000), feeds.message(ETH, 4_480, ago=30), ids=[BTC, ETH])
    assert feeds.stored(BTC) == (price(119_000), protocol.now, False)
    assert oracle.word(ETH) == before


def test_update__in_either_order__the_newest_stays(protocol, feeds):
    protocol.wait(20)
    newest, older = feeds.message(usd=121_000, ago=2), feeds.message(usd=119_000, ago=10)
    feeds.bring(newest)
    feeds.bring(older)
    assert feeds.stored()[:2] == (price(121_000), newest.publish_time)


# Not signed


@pytest.mark.parametrize(
    ("hostile", "error"),
    [
        (publisher.forged, "InvalidWormholeVaa"),
        (publisher.tampered, "InvalidUpdateData"),
        (publisher.truncated, "InvalidUpdateData"),
        (publisher.elsewhere, "InvalidUpdateDataSource"),
    ],
)
def test_update__not_what_the_publisher_signed__reverts_with_pyths_error(feeds, oracle, hostile, error):
    before = oracle.word(BTC)
    with refused(error):
        feeds.bring(hostile(feeds.message()))
    assert oracle.word(BTC) == before


def test_update__without_the_price_that_was_asked_for__reverts_with_pyths_error(feeds):
    with refused("PriceFeedNotFoundWithinRange"):
        feeds.bring(feeds.message(ETH), ids=[BTC])
    with refused("PriceFeedNotFoundWithinRange"):
        feeds.bring(ids=[BTC])


def test_update__the_same_underlying_twice__reverts_with_pyths_error(feeds):
    with refused("PriceFeedNotFoundWithinRange"):
        feeds.bring(feeds.message(), ids=[BTC, BTC])


def test_update__unknown_underlying__reverts(feeds):
    with refused("price_oracle: unknown underlying"):
        feeds.bring(feeds.message(), ids=[2])


# Signed, and yet not to be used


def test_update__negative_price__reverts(feeds):
    with refused("price_oracle: price not positive"):
        feeds.bring(publisher.negative(feeds.message()))


def test_update__zero_price__reverts(feeds):
    with refused("price_oracle: price not positive"):
        feeds.bring(publisher.zero(feeds.message()))


@pytest.mark.parametrize("seconds", [1, 60, 86_400])
def test_update__price_from_the_future__reverts(feeds, seconds):
    with refused("price_oracle: price from the future"):
        feeds.bring(publisher.shifted(feeds.message(), seconds))


def test_update__price_older_than_a_minute__reverts(protocol, feeds):
    protocol.wait(100)
    feeds.answer(BTC, OPENING["BTC"])
    with refused("price_oracle: stale price"):
        feeds.bring(feeds.message(ago=61))
    feeds.bring(feeds.message(ago=60))
    assert feeds.stored()[1] == protocol.now - 60


def test_update__confidence_above_half_a_percent__reverts(feeds):
    message = feeds.message()
    with refused("price_oracle: price too uncertain"):
        feeds.bring(replace(message, conf=message.price // 200 + 1))
    with refused("price_oracle: price too uncertain"):
        feeds.bring(publisher.uncertain(message))
    feeds.bring(replace(message, conf=message.price // 200))


@pytest.mark.parametrize("underlying", [BTC, ETH])
def test_update__outside_the_fixed_band__reverts_on_both_sides(feeds, underlying):
    lowest, highest = BAND[underlying]
    for limit, beyond in ((lowest, -1), (highest, 1)):
        feeds.answer(underlying, limit)
        with refused("price_oracle: price out of band"):
            feeds.bring(feeds.message(underlying, price=price(limit) + beyond), ids=[underlying])
        with boa.env.anchor():
            feeds.bring(feeds.message(underlying, limit), ids=[underlying])
            assert feeds.stored(underlying)[0] == price(limit)


# Chainlink


@pytest.mark.parametrize("side", [1, -1], ids=["above", "below"])
def test_update__further_from_chainlink_than_the_wide_gap__reverts(feeds, side):
    """3% of Chainlink's answer, which is 100,000."""
    feeds.answer(BTC, 100_000)
    with refused("price_oracle: too far from chainlink"):
        feeds.bring(feeds.message(price=price(100_000 + side * 3_000) + side))
    feeds.bring(feeds.message(usd=100_000 + side * 3_000))
    assert feeds.stored()[2]


@pytest.mark.parametrize("side", [1, -1], ids=["above", "below"])
def test_update__beyond_the_narrow_gap__is_stored_as_restricted(protocol, feeds, oracle, side):
    feeds.answer(BTC, 100_000)
    feeds.bring(feeds.message(usd=100_000 + side * 1_000))
    assert feeds.stored() == (price(100_000 + side * 1_000), protocol.now, False)
    protocol.wait(1)
    feeds.answer(BTC, 100_000)
    feeds.bring(feeds.message(price=price(100_000 + side * 1_000) + side))
    assert events(oracle, "PriceStored")[0].restricted
    assert feeds.stored()[2]
    protocol.wait(1)
    feeds.bring(feeds.message(usd=100_000))
    assert not feeds.stored()[2]


@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
def test_update__chainlink_answer_not_positive__reverts(protocol, feeds, answer):
    protocol.chainlink["BTC"].publish(answer, protocol.now, protocol.now, sender=protocol.operator)
    with refused("price_oracle: chainlink answer not positive"):
        feeds.bring(feeds.message())


def test_update__chainlink_older_than_one_and_a_half_heartbeats__reverts(feeds):
    feeds.answer(BTC, OPENING["BTC"], ago=CHAINLINK_MAX_AGE + 1)
    with refused("price_oracle: chainlink too old"):
        feeds.bring(feeds.message())
    feeds.answer(BTC, OPENING["BTC"], ago=CHAINLINK_MAX_AGE)
    feeds.bring(feeds.message())


def test_update__chainlink_round_that_never_completed__reverts(protocol, feeds):
    """Its time of update is 0."""
    protocol.chainlink["BTC"].publish(price(OPENING["BTC"]), protocol.now, 0, sender=protocol.operator)
    with refused("price_oracle: chainlink too old"):
        feeds.bring(feeds.message())


def test_update__one_of_two_too_far_from_chainlink__stores_neither(feeds, oracle):
    before = oracle.word(BTC)
    feeds.answer(ETH, 4_000)
    with refused("price_oracle: too far from chainlink"):
        feeds.bring(feeds.message(BTC), feeds.message(ETH), ids=[BTC, ETH])
    assert oracle.word(BTC) == before


# The sequencer


def test_update__sequencer_down__reverts(protocol, feeds):
    feeds.sequencer(1, protocol.now - 10_000)
    with refused("price_oracle: sequencer down"):
        feeds.bring(feeds.message())


def test_update__sequencer_feed_without_a_start__reverts(feeds):
    """As on a chain whose feed has not begun."""
    feeds.sequencer(0, 0)
    with refused("price_oracle: sequencer down"):
        feeds.bring(feeds.message())


def test_update__sequencer_back_for_less_than_five_minutes__reverts(protocol, feeds):
    feeds.sequencer(0, protocol.now - 299)
    with refused("price_oracle: sequencer grace period"):
        feeds.bring(feeds.message())
    feeds.sequencer(0, protocol.now - 300)
    feeds.bring(feeds.message())


# Ether


def test_update__less_than_pyths_fee__reverts(feeds):
    with refused("price_oracle: fee not covered"):
        feeds.bring(feeds.message(BTC), feeds.message(ETH), ids=[BTC, ETH], value=1)


def test_update__more_than_pyths_fee__is_returned(protocol, feeds, oracle):
    keeper = protocol.actor("keeper")
    before = boa.env.get_balance(keeper)
    feeds.bring(feeds.message(), value=1_000_000, sender=keeper)
    assert boa.env.get_balance(keeper) == before - 1
    assert boa.env.get_balance(oracle.address) == 0


def test_update__passed_over__costs_the_fee_all_the_same(protocol, feeds):
    keeper = protocol.actor("keeper")
    before = boa.env.get_balance(keeper)
    feeds.bring(feeds.message(ago=30), value=7, sender=keeper)
    assert boa.env.get_balance(keeper) == before - 1


def test_update__caller_who_cannot_take_ether_back__reverts_unless_the_value_is_exact(feeds):
    caller = refuser()
    with refused("price_oracle: refund failed"):
        feeds.bring(feeds.message(), value=2, sender=caller.address)
    feeds.bring(feeds.message(), value=1, sender=caller.address)


def test_update__reentered_by_way_of_the_refund__reverts(feeds, oracle):
    data = oracle.update.prepare_calldata([], [])
    caller = caller_back(oracle.address, data)
    with refused("price_oracle: refund failed"):
        feeds.bring(feeds.message(), value=2, sender=caller.address)


def test_update_fee__is_pyths(feeds, oracle):
    assert oracle.update_fee(feeds.blobs(feeds.message(BTC), feeds.message(ETH))) == 2
    assert oracle.update_fee([]) == 0


# Any sequence


@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 90),  # seconds that pass
            st.integers(-3, 100),  # how long before that the price was published
            st.floats(0.96, 1.04),  # of Chainlink's answer
            st.integers(0, 60),  # confidence, basis points
        ),
        max_size=12,
    )
)
@settings(max_examples=50, deadline=None)
def test_update__any_sequence__time_never_goes_back_and_the_newest_accepted_price_stays(deployed, steps):
    protocol = deployed.fork()
    feeds = Feeds(protocol)
    kept = feeds.stored()
    for seconds, ago, factor, basis_points in steps:
        protocol.wait(seconds)
        feeds.answer(BTC, 100_000)
        raw = round(price(100_000) * factor)
        message = feeds.message(price=raw, conf=raw * basis_points // 10_000, ago=ago)
        gap = -(-abs(raw - price(100_000)) * 10**5 // price(100_000))
        note(f"{protocol.now}: {message}, gap {gap}")
        if message.publish_time <= kept[1]:
            problem = ""
        elif ago > 60:
            problem = "price_oracle: stale price"
        elif ago < 0:
            problem = "price_oracle: price from the future"
        elif message.conf * 200 > raw:
            problem = "price_oracle: price too uncertain"
        elif gap > 3_000:
            problem = "price_oracle: too far from chainlink"
        else:
            problem = ""
            kept = (raw, message.publish_time, gap > 1_000)
        if problem:
            with refused(problem):
                feeds.bring(message)
        else:
            feeds.bring(message)
        assert feeds.stored() == kept
