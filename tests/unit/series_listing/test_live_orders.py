"""Whoever has a live order cannot decide by a notice, its price in sight, whether it passes."""

import boa
import pytest

from everstock.chain.in_process import DELAY, EXEC_WINDOW
from everstock.model import constants

from .views import FROZEN, HOUR, NOTICE_DELAY


@pytest.fixture
def idle(protocol, listing):
    """A series that may be put on notice at any time: nobody holds it or used it within the hour."""
    id_ = listing.add(120_000)
    protocol.set_prices(after=HOUR)
    protocol.clearing_house.checkpoint()
    return id_


def test_notice_delay__is_one_more_than_an_order_lives():
    assert constants.NOTICE_DELAY == NOTICE_DELAY == EXEC_WINDOW + 1


@pytest.mark.parametrize("seconds", [DELAY, DELAY + 1, EXEC_WINDOW - 1, EXEC_WINDOW])
def test_give_notice__to_an_order_requested_before__changes_nothing_in_its_window(protocol, listing, idle, seconds):
    """In the second of the request even, which is the earliest that a notice in sight of its price can be."""
    order = protocol.request(protocol.trader("trader"), (idle, 10))
    listing.give_notice(idle)
    protocol.publish(after=DELAY)
    protocol.wait(seconds - DELAY)
    assert protocol.execute(order) == [True]
    assert listing.units(idle) == (10 * protocol.unit, 0)


def test_give_notice__with_the_price_in_sight__the_order_opens(protocol, listing, idle):
    order = protocol.request(protocol.trader("trader"), (idle, 10))
    protocol.set_prices(after=DELAY)
    listing.give_notice(idle)
    assert protocol.execute(order) == [True]
    with boa.reverts("series_listing: notice not yet binding"):
        listing.delist(idle)


@pytest.mark.parametrize(("seconds", "opens"), [(NOTICE_DELAY - 1, True), (NOTICE_DELAY, False), (NOTICE_DELAY + HOUR, False)])
def test_notice__opening__is_refused_from_the_second_it_binds(protocol, listing, idle, seconds, opens):
    """Past the desk, whose orders are over by then."""
    listing.give_notice(idle)
    protocol.set_prices(after=seconds)
    trader = protocol.trader("trader")
    if opens:
        protocol.trade(trader, (idle, 10))
    else:
        with boa.reverts("trade: series is on notice"):
            protocol.trade(trader, (idle, 10))


def test_delist__when_an_order_from_before_the_notice_is_over__and_not_while_it_lives(protocol, listing, idle):
    order = protocol.request(protocol.trader("trader"), (idle, 10))
    listing.give_notice(idle)
    protocol.publish(after=DELAY)
    protocol.set_prices(after=EXEC_WINDOW - DELAY)
    with boa.reverts("series_listing: notice not yet binding"):
        listing.delist(idle)
    protocol.set_prices(after=1)
    listing.delist(idle)
    assert listing.notice(idle) == FROZEN
    with boa.reverts("order_desk: window missed"):
        protocol.execute(order)
