"""A series that nobody holds makes room, an hour after it was last of use."""

import boa

from .views import FROZEN, HOUR


def test_delist__without_units_an_hour_after_listing__frees_its_place(protocol, listing):
    kept, gone = listing.add(120_000), listing.add(130_000)
    protocol.set_prices(after=HOUR)
    listing.delist(gone)
    ((retired,), (noticed,)) = listing.events("Retired"), listing.events("NoticeSet")
    assert retired.series == noticed.series == gone and noticed.time == FROZEN
    assert listing.active() == [kept]
    assert listing.notice(gone) == FROZEN


def test_delist__within_an_hour_of_listing__reverts(protocol, listing):
    id_ = listing.add(120_000)
    protocol.set_prices(after=HOUR - 1)
    with boa.reverts("series_listing: used within the hour"):
        listing.delist(id_)
    protocol.set_prices(after=1)
    listing.delist(id_)


def test_delist__with_units__reverts_until_the_last_leg_is_closed_and_an_hour_has_passed(protocol, listing):
    id_, trader = listing.add(120_000), protocol.trader("trader")
    protocol.trade(trader, (id_, 10))
    protocol.set_prices(after=HOUR)
    with boa.reverts("series_listing: series has units"):
        listing.delist(id_)
    protocol.trade(trader, (id_, -10))
    with boa.reverts("series_listing: used within the hour"):
        listing.delist(id_)
    protocol.set_prices(after=HOUR)
    listing.delist(id_)


def test_delist__checkpoints_do_not_keep_it_alive(protocol, listing):
    id_ = listing.add(120_000)
    protocol.set_prices(after=HOUR)
    protocol.clearing_house.checkpoint()
    listing.delist(id_)


def test_delist__then_listed_again__is_another_series(protocol, listing):
    first = listing.add(120_000)
    protocol.set_prices(after=HOUR)
    listing.delist(first)
    second = listing.add(120_000)
    assert second == first + 1
    assert listing.active() == [second]
    with boa.reverts("trade: series is retired"):
        protocol.trade(protocol.trader("trader"), (first, 10))


def test_delist__not_active__reverts(protocol, listing):
    """Never listed, no id at all, or gone already."""
    gone = listing.add(120_000)
    protocol.set_prices(after=HOUR)
    listing.delist(gone)
    for id_ in (0, gone, gone + 1, 2**16 - 1, 2**16, 2**256 - 1):
        with boa.reverts("series_listing: not active"):
            listing.delist(id_)


def test_delist__price_older_than_a_minute__reverts(protocol, listing):
    id_ = listing.add(120_000)
    protocol.wait(HOUR)
    with boa.reverts("price_oracle: stale price"):
        listing.delist(id_)


def test_delist__in_a_settle_window__reverts(protocol, listing):
    id_ = listing.add(120_000)
    protocol.set_prices(after=HOUR, BTC=140_000)
    protocol.clearing_house.checkpoint()
    with boa.reverts("risk_book: settle window"):
        listing.delist(id_)
    protocol.set_prices(after=600)
    listing.delist(id_)
