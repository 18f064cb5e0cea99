"""The first price of an interval, for orders: Pyth proves that none came before it."""

from dataclasses import replace

import boa
import pytest

from everstock.chain import publisher
from everstock.chain.in_process import OPENING, price

from .feeds import BTC, ETH, refused, refuser


@pytest.fixture
def feeds(feeds):
    """A minute after the last stored price."""
    feeds.protocol.wait(60)
    for underlying, usd in enumerate(OPENING.values()):
        feeds.answer(underlying, usd)
    return feeds


def test_first_prices__first_of_its_interval__is_returned_and_stored(protocol, feeds):
    message = feeds.message(usd=119_000, ago=3)
    assert feeds.first(message) == [(price(119_000), protocol.now - 3)]
    assert feeds.stored() == (price(119_000), protocol.now - 3, False)


def test_first_prices__two_underlyings__each_its_own_in_the_order_asked(protocol, feeds):
    blobs = feeds.message(BTC, 119_000, ago=3), feeds.message(ETH, 4_480, ago=5)
    now = protocol.now
    assert feeds.first(*blobs, ids=[ETH, BTC]) == [(price(4_480), now - 5), (price(119_000), now - 3)]


def test_first_prices__older_than_the_stored_one__is_returned_and_not_stored(protocol, feeds):
    feeds.bring(feeds.message(usd=121_000, ago=1))
    assert feeds.first(feeds.message(usd=119_000, ago=3)) == [(price(119_000), protocol.now - 3)]
    assert feeds.stored() == (price(121_000), protocol.now - 1, False)


def test_first_prices__older_than_a_minute__will_do(protocol, feeds):
    """Whoever asks says which interval; its age is their business."""
    protocol.wait(600)
    message = feeds.message(usd=119_000, ago=300)
    found = feeds.first(message, since=protocol.now - 303, until=protocol.now - 290)
    assert found == [(price(119_000), protocol.now - 300)]
    assert feeds.stored()[1] == protocol.now - 300


def test_first_prices__of_the_last_and_of_the_first_second__will_do(protocol, feeds):
    for ago in (10, 0):
        message = feeds.message(ago=ago, prev_publish_time=protocol.now - 11)
        assert feeds.first(message) == [(message.price, message.publish_time)]


@pytest.mark.parametrize("ago", [11, 12, 50])
def test_first_prices__before_the_interval__reverts_with_pyths_error(feeds, ago):
    with refused("PriceFeedNotFoundWithinRange"):
        feeds.first(feeds.message(ago=ago))


def test_first_prices__after_the_interval__reverts_with_pyths_error(protocol, feeds):
    with refused("PriceFeedNotFoundWithinRange"):
        feeds.first(feeds.message(ago=2), until=protocol.now - 3)


def test_first_prices__another_came_before_it_in_the_interval__reverts_with_pyths_error(protocol, feeds):
    """Also one of the same second."""
    with refused("PriceFeedNotFoundWithinRange"):
        feeds.first(feeds.message(ago=3, prev_publish_time=protocol.now - 10))
    with refused("PriceFeedNotFoundWithinRange"):
        feeds.first(publisher.not_first(feeds.message(ago=3)))


def test_first_prices__one_of_two_not_the_first__reverts_with_pyths_error(protocol, feeds):
    first, second = feeds.message(BTC, ago=6), feeds.message(ETH, ago=3, prev_publish_time=protocol.now - 4)
    with refused("PriceFeedNotFoundWithinRange"):
        feeds.first(first, second, ids=[BTC, ETH])


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (publisher.forged, "InvalidWormholeVaa"),
        (publisher.tampered, "InvalidUpdateData"),
        (publisher.negative, "price_oracle: price not positive"),
        (publisher.zero, "price_oracle: price not positive"),
        (publisher.uncertain, "price_oracle: price too uncertain"),
        (lambda message: replace(message, price=price(999), conf=1), "price_oracle: price out of band"),
        (lambda message: replace(message, price=price(123_700)), "price_oracle: too far from chainlink"),
        (lambda message: replace(message, price=price(116_300)), "price_oracle: too far from chainlink"),
    ],
    ids=["forged", "tampered", "negative", "zero", "uncertain", "out of band", "too high", "too low"],
)
def test_first_prices__what_update_refuses__reverts_with_the_same_reason(feeds, hostile, reason):
    with refused(reason):
        feeds.first(hostile(feeds.message(ago=3)))


def test_first_prices__even_where_it_would_not_be_stored__is_checked(feeds):
    feeds.bring(feeds.message())
    with refused("price_oracle: price not positive"):
        feeds.first(publisher.negative(feeds.message(ago=3)))


def test_first_prices__from_the_future__reverts(protocol, feeds):
    with refused("price_oracle: price from the future"):
        feeds.first(feeds.message(ago=-2), until=protocol.now + 60)


def test_first_prices__sequencer_down_or_just_back__reverts(protocol, feeds):
    feeds.sequencer(1, protocol.now)
    with refused("price_oracle: sequencer down"):
        feeds.first(feeds.message(ago=3))
    feeds.sequencer(0, protocol.now - 299)
    with refused("price_oracle: sequencer grace period"):
        feeds.first(feeds.message(ago=3))


def test_first_prices__chainlink_too_old_or_not_positive__reverts(protocol, feeds):
    feeds.answer(BTC, OPENING["BTC"], ago=1_801)
    with refused("price_oracle: chainlink too old"):
        feeds.first(feeds.message(ago=3))
    protocol.chainlink["BTC"].publish(0, protocol.now, protocol.now, sender=protocol.operator)
    with refused("price_oracle: chainlink answer not positive"):
        feeds.first(feeds.message(ago=3))


def test_first_prices__beyond_the_narrow_gap__is_stored_as_restricted(feeds):
    feeds.first(feeds.message(usd=122_000, ago=3))
    assert feeds.stored()[2]


def test_first_prices__of_no_underlying__are_none(feeds):
    assert feeds.first(feeds.message(ago=3), ids=[]) == []


def test_first_prices__unknown_underlying__reverts(feeds):
    with refused("price_oracle: unknown underlying"):
        feeds.first(feeds.message(ago=3), ids=[7])


def test_first_prices__fee__must_be_covered_and_the_rest_comes_back(protocol, feeds):
    keeper = protocol.actor("keeper")
    with refused("price_oracle: fee not covered"):
        feeds.first(feeds.message(ago=3), value=0)
    before = boa.env.get_balance(keeper)
    feeds.first(feeds.message(ago=3), value=10, sender=keeper)
    assert boa.env.get_balance(keeper) == before - 1
    with refused("price_oracle: refund failed"):
        feeds.first(feeds.message(ago=3), value=10, sender=refuser().address)


def test_first_prices__interval_that_no_time_reaches__reverts(feeds):
    with boa.reverts():
        feeds.first(feeds.message(ago=3), since=2**64, until=2**64)
