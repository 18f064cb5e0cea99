"""Three days after its notice became binding a series is frozen at its mark; its legs are paid when their accounts next act."""

import boa
import pytest

from everstock.chain.in_process import account_of, events, price

from .views import FROZEN, HOUR, NOTICE_DELAY, NOTICE_PERIOD

STRIKE, AWAY = 120_000, 59_000


@pytest.fixture
def noticed(protocol, listing):
    """A put with a holder and a writer, half the index away and on notice; and a series beside it, in use too."""
    id_, other = listing.add(STRIKE, is_put=True), listing.add(90_000)
    holder, writer = protocol.trader("holder", 200), protocol.trader("writer", 200)
    protocol.trade(holder, (id_, 100))
    protocol.trade(writer, (id_, -60), (other, -5))
    for usd in (100_000, 80_000, 70_000, AWAY):
        protocol.set_prices(after=HOUR, BTC=usd)
        protocol.clearing_house.checkpoint()
    protocol.set_prices(after=HOUR)
    listing.give_notice(id_)
    return id_, other, holder, writer


@pytest.fixture
def retired(protocol, listing, noticed):
    protocol.set_prices(after=NOTICE_DELAY + NOTICE_PERIOD)
    listing.retire(noticed[0])
    return noticed


def ledger_sum(protocol) -> int:
    ledgers = protocol.clearing_house.ledgers()
    return ledgers.main + ledgers.insurance + ledgers.treasury


def test_retire__three_days_after_its_notice_binds__freezes_at_the_mark_and_leaves_the_list(protocol, listing, noticed):
    id_, other, *_ = noticed
    protocol.set_prices(after=NOTICE_DELAY + NOTICE_PERIOD)
    listing.retire(id_)
    (event,) = listing.events("Retired")
    assert (event.series, event.price) == (id_, price(AWAY))
    assert event.long_gain > 0 > event.short_gain
    assert listing.notice(id_) == FROZEN
    assert listing.active() == [other]
    assert listing.units(id_) == (100 * protocol.unit, 60 * protocol.unit)


def test_retire__a_second_early__reverts(protocol, listing, noticed):
    protocol.set_prices(after=NOTICE_DELAY + NOTICE_PERIOD - 1)
    with boa.reverts("series_listing: notice period"):
        listing.retire(noticed[0])
    protocol.set_prices(after=1)
    listing.retire(noticed[0])


def test_retire__index_is_back__reverts(protocol, listing, noticed):
    protocol.set_prices(after=NOTICE_DELAY + NOTICE_PERIOD, BTC=60_000)
    with boa.reverts("series_listing: moneyness within bounds"):
        listing.retire(noticed[0])


def test_retire__not_on_notice__reverts(protocol, listing, noticed):
    protocol.set_prices(after=NOTICE_DELAY + NOTICE_PERIOD)
    with boa.reverts("series_listing: not on notice"):
        listing.retire(noticed[1])


def test_retire__twice_or_never_listed__reverts(protocol, listing, retired):
    for id_ in (retired[0], 99):
        with boa.reverts("series_listing: not active"):
            listing.retire(id_)
    for function in (listing.give_notice, listing.lift_notice, listing.delist):
        with boa.reverts("series_listing: not active"):
            function(retired[0])


def test_retire__in_a_settle_window__reverts(protocol, listing, noticed):
    protocol.set_prices(after=NOTICE_DELAY + NOTICE_PERIOD, BTC=50_000)
    protocol.clearing_house.checkpoint()
    with boa.reverts("risk_book: settle window"):
        listing.retire(noticed[0])
    protocol.set_prices(after=600)
    listing.retire(noticed[0])


def test_retired__whatever_the_index_then_does__gains_nothing_more(protocol, listing, retired):
    id_, _, holder, _ = retired
    before = protocol.risk_book.series_words(id_)
    protocol.set_prices(after=30 * 86_400, BTC=20_000)
    protocol.clearing_house.checkpoint()
    assert protocol.risk_book.series_words(id_) == before
    with boa.env.anchor():
        protocol.set_prices(after=1, BTC=21_000)
        protocol.clearing_house.settle(account_of(holder))
        (settled,) = events(protocol.clearing_house, "Settled")
    protocol.set_prices(after=5 * 86_400, BTC=200_000)
    protocol.clearing_house.settle(account_of(holder))
    (later,) = events(protocol.clearing_house, "Settled")
    assert settled.gain == later.gain > 0


def test_retired__legs_are_paid_and_dropped_when_the_account_settles(protocol, listing, retired):
    id_, other, holder, writer = retired
    for trader, left in ((holder, set()), (writer, {other})):
        before = protocol.account(trader)
        protocol.clearing_house.settle(account_of(trader))
        (settled,) = events(protocol.clearing_house, "Settled")
        assert settled.cash + settled.claim == before.cash + before.claim + settled.gain
        assert set(protocol.units(trader)) == left
    assert listing.units(id_) == (0, 0)
    assert protocol.risk_book.market_words().totals >> 224 == 1  # open legs


def test_retired__legs_are_paid_when_the_account_trades(protocol, listing, retired):
    id_, other, holder, _ = retired
    protocol.trade(holder, (listing.add(60_000), 5))
    assert id_ not in protocol.units(holder)
    assert listing.units(id_)[0] == 0


def test_retired__a_loss_is_paid_too(protocol, listing, retired):
    *_, writer = retired
    before = protocol.account(writer)
    protocol.clearing_house.settle(account_of(writer))
    after = protocol.account(writer)
    assert after.cash < before.cash - 20 * protocol.unit
    assert ledger_sum(protocol) + after.cash + protocol.account(retired[2]).cash == protocol.token.balanceOf(
        protocol.clearing_house.address
    )


def test_retired__needs_no_margin(protocol, listing, retired):
    """All of the cash may go at once; what the leg gained is paid when the account settles."""
    _, _, holder, _ = retired
    protocol.clearing_house.checkpoint()
    cash = protocol.account(holder).cash
    protocol.clearing_house.withdraw(account_of(holder), cash, holder, sender=holder)
    assert protocol.account(holder).cash == 0
    protocol.clearing_house.settle(account_of(holder))
    assert protocol.account(holder).cash > 0


def test_retired__the_pool_needs_no_capital_for_it_after_the_next_checkpoint(protocol, listing, noticed):
    id_, other, holder, writer = noticed
    protocol.trade(writer, (other, 5))
    protocol.set_prices(after=NOTICE_DELAY + NOTICE_PERIOD)
    protocol.clearing_house.checkpoint()
    (before,) = events(protocol.clearing_house, "Checkpoint")
    listing.retire(id_)
    protocol.clearing_house.checkpoint()
    (after,) = events(protocol.clearing_house, "Checkpoint")
    assert before.requirement > 0 and after.requirement == 0
    # What it owes to the frozen legs it still owes.
    assert after.equity == before.equity


def test_retired__trading_it__reverts(protocol, listing, retired):
    id_, _, holder, _ = retired
    for face in (10, -10):
        with boa.reverts("trade: series is retired"):
            protocol.trade(holder, (id_, face))


def test_retired__a_loss_beyond_the_accounts_cash__is_found_by_a_liquidation(protocol, listing):
    """No margin is asked for a frozen leg, but what it lost is lost: nobody liquidated this writer in time."""
    id_, writer = listing.add(STRIKE, is_put=True), protocol.trader("writer", 20)
    protocol.trade(writer, (id_, -60))
    protocol.set_prices(after=HOUR, BTC=AWAY)
    listing.give_notice(id_)
    protocol.clearing_house.checkpoint()
    protocol.set_prices(after=NOTICE_DELAY + NOTICE_PERIOD)
    listing.retire(id_)
    assert protocol.clearing_house.settle(account_of(writer)) is False
    assert protocol.liquidate(writer) == [10**18]
    (bad_debt,) = events(protocol.liquidator, "BadDebt")
    assert bad_debt.loss == bad_debt.insured > 0
    assert protocol.account(writer).cash == 0 and protocol.units(writer) == {}
    assert listing.units(id_) == (0, 0)
    assert protocol.risk_book.market_words().owed == 0


def test_retired__its_strike_can_be_listed_again_with_a_new_id(protocol, listing, retired):
    protocol.set_prices(after=86_400, BTC=110_000)
    protocol.clearing_house.checkpoint()
    protocol.set_prices(after=HOUR)
    again = listing.add(STRIKE, is_put=True)
    assert again not in retired[:2]
    assert set(listing.active()) == {retired[1], again}
