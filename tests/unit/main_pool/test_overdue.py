"""A redemption that waited a week longer than it had to is paid: the book shrinks with the capital that leaves."""

import pytest

from everstock.chain.in_process import account_of
from everstock.model.waterfall import Stage
from tests.liquidity import MAX_WAIT, REDEMPTION_WAIT, Pool, events

WAD = 10**18
OVERDUE = REDEMPTION_WAIT + MAX_WAIT


@pytest.fixture
def pressed(protocol, pool, unit, lp):
    """A book that leaves no room: E is below 2 R, and every redemption waits."""
    buyer = protocol.buyer = protocol.trader("buyer", 400)
    protocol.trade(buyer, (protocol.call, 1_900))
    pool.lose(450 * unit)
    assert pool.totalAssets() < 2 * protocol.clearing_house.pool_flow().requirement
    return protocol


def scale(protocol):
    """D."""
    return protocol.risk_book.market_words().state & (2**60 - 1)


def ratio(protocol):
    """E / R, as LP flows see it."""
    flow = protocol.clearing_house.pool_flow()
    return flow.equity / flow.requirement


def test_fulfil__no_room_and_not_overdue__pays_nothing(pressed, pool, lp):
    pool.request_redeem(lp, pool.balanceOf(lp) // 10)
    pressed.set_prices(after=OVERDUE - 1)
    assert pool.fulfil(0, 1) == (0, 0)
    assert scale(pressed) == WAD


@pytest.mark.parametrize("part", [1_000, 100, 10, 2])
def test_fulfil__overdue__pays_it_and_shrinks_the_book_as_the_capital(pressed, pool, lp, part):
    """However little is overdue, it never takes more of the book along than of the equity."""
    pool.request_redeem(lp, pool.balanceOf(lp) // part)
    requested = pool.queue().queued_redemptions
    pressed.set_prices(after=OVERDUE)
    pressed.clearing_house.checkpoint()
    before = ratio(pressed)
    equity = pressed.clearing_house.equity()
    assert pool.fulfil(0, 1) == (0, 1)
    paid = pool.maxWithdraw(lp)
    assert paid == requested
    assert scale(pressed) / WAD == pytest.approx(1 - paid / equity, rel=0.01)
    assert ratio(pressed) == pytest.approx(before, rel=0.01)


def test_fulfil__overdue_with_room__leaves_the_book_alone(protocol, pool, lp):
    protocol.trade(protocol.trader("buyer", 100), (protocol.call, 100))
    pool.request_redeem(lp, pool.balanceOf(lp) // 10)
    protocol.set_prices(after=OVERDUE)
    assert pool.fulfil(0, 1) == (0, 1)
    assert scale(protocol) == WAD


def test_fulfil__overdue_before_others__pays_one_at_a_time(pressed, pool, lp):
    for _ in range(3):
        pool.request_redeem(lp, pool.balanceOf(lp) // 20)
    pressed.set_prices(after=OVERDUE)
    assert pool.fulfil(0, 64) == (0, 1)
    assert pool.fulfil(0, 64) == (0, 1)


@pytest.mark.parametrize("since", [0, 600])
@pytest.mark.parametrize("lost", [0, 150])
def test_fulfil__overdue_beyond_main_cash__pays_what_there_is(pressed, pool, lp, unit, lost, since):
    """Traders owe the pool more than it holds: gains are no cash until they are settled. What the checkpoint on the way
    sweeps of the premium `since` the last is no longer there, whether E is above 2 R or, after a loss, below."""
    pressed.set_prices(after=1, BTC=108_000)
    pool.lose(lost * unit)
    house = pressed.clearing_house
    pool.request_redeem(lp, pool.balanceOf(lp))
    pressed.set_prices(after=OVERDUE, BTC=108_000)
    house.checkpoint()
    pressed.set_prices(after=601)
    house.checkpoint()
    pressed.set_prices(after=since)
    cash = house.ledgers().main
    assert cash < house.pool_flow().equity
    assert (ratio(pressed) > 2) == (lost == 0)
    pool.fulfil(0, 1)
    swept = sum(event.insurance + event.treasury for event in events(pool.contract, "Swept"))
    assert (swept > 0) == (since > 0)
    assert pool.maxWithdraw(lp) == pytest.approx(cash - swept, rel=1e-6)
    assert 0 < scale(pressed) < WAD


def test_fulfil__everybody_leaves__the_market_is_settled(pressed, pool, lp):
    """Without capital there is no book: whoever holds a leg is resolved and paid, and the provider has the rest."""
    house = pressed.clearing_house
    pool.request_redeem(lp, pool.balanceOf(lp))
    pressed.set_prices(after=OVERDUE, BTC=128_000)
    house.checkpoint()
    assert house.ledgers().main > house.equity()
    assert pool.fulfil(0, 1) == (0, 0)
    assert house.stage() == Stage.SETTLING
    assert events(pool.contract, "SettlementBegan")

    house.resolve([account_of(pressed.buyer)])
    house.finalize()
    assert house.pay_claim(account_of(pressed.buyer)) > 0
    assert pool.fulfil(0, 1) == (0, 1)
    ledgers = house.ledgers()
    assert ledgers.main - ledgers.claims <= 10**6


def test_fulfil__overdue_in_a_settle_window__waits(pressed, pool, lp):
    pool.request_redeem(lp, pool.balanceOf(lp) // 10)
    pressed.set_prices(after=OVERDUE, BTC=135_000)
    pressed.clearing_house.checkpoint()
    with pytest.raises(Exception, match="settle window"):
        pool.fulfil(0, 1)


def test_flow__room_for_anyone_but_the_main_pool__reverts(pressed):
    with pytest.raises(Exception, match="clearing_house: only main pool"):
        pressed.clearing_house.flow(1, sender=pressed.insurance_pool.address)


def test_overdue__insurance__is_bound_by_nothing(pressed):
    insurance = Pool(pressed, pressed.insurance_pool)
    insurer = insurance.provider("insurer", 100)
    insurance.enter(insurer, 50 * pressed.unit)
    insurance.request_redeem(insurer, insurance.balanceOf(insurer))
    pressed.set_prices(after=REDEMPTION_WAIT)
    assert insurance.fulfil(0, 1) == (0, 1)
    assert scale(pressed) == WAD
