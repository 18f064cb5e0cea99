"""A series that the index has left behind, or that nobody uses, is put on notice, and only closed once that binds."""

import boa
import pytest

from everstock.chain.in_process import price
from everstock.model import words

from .views import HOUR, NOTICE_DELAY, NOTICE_PERIOD


@pytest.mark.parametrize("usd", [59_999, 240_001, 30_000, 1_000_000])
def test_give_notice__moneyness_outside_a_half_and_2__binds_61_seconds_later(protocol, listing, usd):
    id_ = listing.add(120_000)
    protocol.set_prices(after=60, BTC=usd)
    listing.give_notice(id_)
    (event,) = listing.events("NoticeSet")
    assert (event.series, event.time) == (id_, protocol.now + NOTICE_DELAY)
    assert listing.notice(id_) == protocol.now + NOTICE_DELAY
    assert listing.active() == [id_]


@pytest.mark.parametrize("usd", [60_000, 240_000, 120_000])
def test_give_notice__with_units_and_moneyness_within__reverts(protocol, listing, usd):
    id_ = listing.add(120_000)
    protocol.trade(protocol.trader("trader"), (id_, 1))
    protocol.set_prices(after=HOUR, BTC=usd)
    with boa.reverts("series_listing: moneyness within bounds"):
        listing.give_notice(id_)


@pytest.mark.parametrize("usd", [60_000, 240_000, 120_000])
def test_give_notice__without_units_and_moneyness_within__reverts_within_the_hour(protocol, listing, usd):
    id_ = listing.add(120_000)
    protocol.set_prices(after=HOUR - 1, BTC=usd)
    with boa.reverts("series_listing: used within the hour"):
        listing.give_notice(id_)
    protocol.set_prices(after=1)
    listing.give_notice(id_)
    assert listing.notice(id_) == protocol.now + NOTICE_DELAY


def test_give_notice__the_last_leg_was_closed__reverts_within_the_hour(protocol, listing):
    id_, trader = listing.add(120_000), protocol.trader("trader")
    protocol.trade(trader, (id_, 10))
    protocol.set_prices(after=HOUR)
    protocol.trade(trader, (id_, -10))
    protocol.set_prices(after=HOUR - 1)
    with boa.reverts("series_listing: used within the hour"):
        listing.give_notice(id_)
    protocol.set_prices(after=1)
    listing.give_notice(id_)


def test_give_notice__checkpoints_do_not_count_as_use(protocol, listing):
    id_ = listing.add(120_000)
    protocol.set_prices(after=HOUR)
    protocol.clearing_house.checkpoint()
    listing.give_notice(id_)


def test_give_notice__twice__reverts(protocol, listing):
    id_ = listing.add(120_000)
    protocol.set_prices(after=60, BTC=50_000)
    listing.give_notice(id_)
    with boa.reverts("series_listing: already on notice"):
        listing.give_notice(id_)


def test_give_notice__not_active__reverts(protocol, listing):
    for id_ in (0, 1, 2**16):
        with boa.reverts("series_listing: not active"):
            listing.give_notice(id_)


def test_notice__price_older_than_a_minute__reverts_whatever_is_asked(protocol, listing):
    id_ = listing.add(120_000)
    protocol.trade(protocol.trader("trader"), (id_, 10))
    protocol.set_prices(after=60, BTC=50_000)
    protocol.wait(61)
    with boa.reverts("price_oracle: stale price"):
        listing.give_notice(id_)
    protocol.set_prices()
    listing.give_notice(id_)
    protocol.wait(NOTICE_DELAY + NOTICE_PERIOD)
    for function in (listing.lift_notice, listing.retire):
        with boa.reverts("price_oracle: stale price"):
            function(id_)


def test_notice__a_leg_can_be_closed_and_not_opened(protocol, listing):
    id_, trader = listing.add(120_000), protocol.trader("trader")
    protocol.trade(trader, (id_, -10))
    for usd in (140_000, 170_000, 210_000, 250_000):
        protocol.set_prices(after=HOUR, BTC=usd)
        protocol.clearing_house.checkpoint()
    protocol.set_prices(after=HOUR)
    listing.give_notice(id_)
    protocol.set_prices(after=HOUR, BTC=230_000)
    protocol.clearing_house.checkpoint()
    protocol.set_prices(after=HOUR)
    with boa.reverts("trade: series is on notice"):
        protocol.trade(trader, (id_, -10))
    with boa.reverts("trade: series is on notice"):
        protocol.trade(trader, (id_, 11))
    protocol.trade(trader, (id_, 4))
    protocol.trade(trader, (id_, 6))
    assert listing.units(id_) == (0, 0)


def test_lift_notice__index_is_back__opens_the_series_again(protocol, listing):
    id_ = listing.add(120_000)
    protocol.trade(protocol.trader("holder"), (id_, 10))
    protocol.set_prices(after=60, BTC=59_000)
    listing.give_notice(id_)
    protocol.set_prices(after=HOUR, BTC=60_000)
    protocol.clearing_house.checkpoint()
    with boa.reverts("risk_book: settle window"):
        listing.lift_notice(id_)
    protocol.set_prices(after=HOUR)
    listing.lift_notice(id_)
    (event,) = listing.events("NoticeSet")
    assert (event.series, event.time) == (id_, 0)
    assert listing.notice(id_) == 0
    protocol.set_prices(after=HOUR)
    protocol.trade(protocol.trader("trader"), (id_, 10))


def test_lift_notice__index_still_away__reverts(protocol, listing):
    id_ = listing.add(120_000)
    protocol.trade(protocol.trader("holder"), (id_, 10))
    protocol.set_prices(after=60, BTC=59_000)
    listing.give_notice(id_)
    with boa.reverts("series_listing: moneyness out of bounds"):
        listing.lift_notice(id_)


def test_lift_notice__without_units__reverts(protocol, listing):
    """Before the notice binds and after."""
    id_ = listing.add(120_000)
    protocol.set_prices(after=HOUR)
    listing.give_notice(id_)
    for seconds in (0, NOTICE_DELAY):
        protocol.set_prices(after=seconds)
        with boa.reverts("series_listing: series has no units"):
            listing.lift_notice(id_)


def test_lift_notice__not_on_notice_or_not_active__reverts(protocol, listing):
    id_ = listing.add(120_000)
    with boa.reverts("series_listing: not on notice"):
        listing.lift_notice(id_)
    with boa.reverts("series_listing: not active"):
        listing.lift_notice(id_ + 1)


def test_notice__given_and_lifted__touches_the_series_and_leaves_its_units_alone(protocol, listing):
    id_ = listing.add(120_000)
    protocol.trade(protocol.trader("holder"), (id_, 10))
    protocol.trade(protocol.trader("writer"), (id_, -7))
    units = listing.units(id_)
    for usd, action in ((59_000, listing.give_notice), (61_000, listing.lift_notice)):
        protocol.set_prices(after=60, BTC=usd)
        action(id_)
        touched = words.series(protocol.risk_book.series_words(id_))
        assert (touched.time, touched.price) == (protocol.now, price(usd))
        assert listing.units(id_) == units
