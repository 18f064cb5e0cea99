"""A series that nobody holds makes room: put on notice an hour after it was last of use, or far away, and gone once that binds."""

import boa
import pytest

from .views import FROZEN, HOUR, NOTICE_DELAY


@pytest.fixture
def idle(protocol, listing):
    """A series without units, on notice since just now, an hour after it was listed."""
    id_ = listing.add(120_000)
    protocol.set_prices(after=HOUR)
    listing.give_notice(id_)
    return id_


def test_delist__without_units_when_its_notice_binds__frees_its_place(protocol, listing, idle):
    kept = listing.add(130_000)
    protocol.set_prices(after=NOTICE_DELAY)
    listing.delist(idle)
    ((retired,), (noticed,)) = listing.events("Retired"), listing.events("NoticeSet")
    assert retired.series == noticed.series == idle and noticed.time == FROZEN
    assert listing.active() == [kept]
    assert listing.notice(idle) == FROZEN


def test_delist__a_second_before_its_notice_binds__reverts(protocol, listing, idle):
    protocol.set_prices(after=NOTICE_DELAY - 1)
    with boa.reverts("series_listing: notice not yet binding"):
        listing.delist(idle)
    protocol.set_prices(after=1)
    listing.delist(idle)


def test_delist__not_on_notice__reverts(protocol, listing):
    id_ = listing.add(120_000)
    protocol.set_prices(after=HOUR)
    with boa.reverts("series_listing: not on notice"):
        listing.delist(id_)


def test_delist__a_unit_opened_before_the_notice_binds__keeps_it_until_the_notice_is_lifted(protocol, listing, idle):
    trader = protocol.trader("trader")
    protocol.set_prices(after=NOTICE_DELAY - 1)
    protocol.trade(trader, (idle, 10))
    protocol.set_prices(after=1)
    with boa.reverts("series_listing: series has units"):
        listing.delist(idle)
    with boa.reverts("trade: series is on notice"):
        protocol.trade(trader, (idle, 1))
    listing.lift_notice(idle)
    protocol.trade(trader, (idle, 1))
    assert listing.units(idle) == (11 * protocol.unit, 0)
    with boa.reverts("series_listing: not on notice"):
        listing.delist(idle)


def test_delist__the_last_unit_closed_after_the_notice_binds__needs_no_other_notice(protocol, listing, idle):
    trader = protocol.trader("trader")
    protocol.trade(trader, (idle, 10))
    protocol.set_prices(after=NOTICE_DELAY)
    with boa.reverts("series_listing: series has units"):
        listing.delist(idle)
    protocol.trade(trader, (idle, -10))
    listing.delist(idle)
    assert listing.active() == []


def test_delist__far_away_without_units__needs_no_hour(protocol, listing):
    id_ = listing.add(120_000)
    protocol.set_prices(after=1, BTC=59_000)
    listing.give_notice(id_)
    protocol.set_prices(after=NOTICE_DELAY)
    listing.delist(id_)
    assert listing.notice(id_) == FROZEN


def test_delist__then_listed_again__is_another_series(protocol, listing, idle):
    protocol.set_prices(after=NOTICE_DELAY)
    listing.delist(idle)
    second = listing.add(120_000)
    assert second == idle + 1
    assert listing.active() == [second]
    with boa.reverts("trade: series is retired"):
        protocol.trade(protocol.trader("trader"), (idle, 10))


def test_delist__not_active__reverts(protocol, listing, idle):
    """Never listed, no id at all, or gone already."""
    protocol.set_prices(after=NOTICE_DELAY)
    listing.delist(idle)
    for id_ in (0, idle, idle + 1, 2**16 - 1, 2**16, 2**256 - 1):
        with boa.reverts("series_listing: not active"):
            listing.delist(id_)


def test_delist__price_older_than_a_minute__reverts(protocol, listing, idle):
    protocol.wait(NOTICE_DELAY)
    with boa.reverts("price_oracle: stale price"):
        listing.delist(idle)


def test_delist__in_a_settle_window__reverts(protocol, listing, idle):
    protocol.set_prices(after=HOUR, BTC=140_000)
    protocol.clearing_house.checkpoint()
    with boa.reverts("risk_book: settle window"):
        listing.delist(idle)
    protocol.set_prices(after=600)
    listing.delist(idle)
