import boa
import pytest

from everstock.chain.in_process import Protocol, account_of, events
from tests.liquidity import MAX_BATCH, REDEMPTION_WAIT, Pool


def bad_debts(protocol):
    return events(protocol.liquidator, "BadDebt")


def test_fulfil__penalty_came_in__lifts_the_share_price(protocol, pool, writer):
    for _ in range(3):
        protocol.set_prices(after=700, BTC=protocol.index["BTC"] * 1.04)
        protocol.clearing_house.checkpoint()
    before, ledger = pool.price(), pool.totalAssets()
    protocol.liquidate(writer)
    (liquidated,) = events(protocol.liquidator, "Liquidated")
    assert pool.totalAssets() == ledger + liquidated.penalty - liquidated.reward > ledger
    assert pool.price() > before


def test_fulfil__bad_debt__lowers_the_share_price_by_what_was_insured(protocol, pool, writer):
    """Invariant 6: and nothing else does, at unchanged price and time."""
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 1.4)
    protocol.clearing_house.checkpoint()
    before = pool.totalAssets()
    protocol.liquidate(writer)
    (debt,) = bad_debts(protocol)
    assert pool.totalAssets() == before - debt.insured < before


def test_fulfil__requested_before_the_loss__bears_it(protocol, pool, lp, unit, go_bust):
    shares = pool.balanceOf(lp) // 2
    pool.request_redeem(lp, shares)
    asked = pool.redemption_ticket(1).assets
    protocol.set_prices(after=REDEMPTION_WAIT)
    go_bust()
    with boa.reverts("risk_book: settle window"):
        pool.fulfil(0, 1)
    protocol.set_prices(after=600)
    pool.fulfil(0, 1)
    assert pool.maxWithdraw(lp) < asked - unit


def test_fulfil__jump_not_checkpointed_yet__nobody_leaves_ahead_of_it(protocol, pool, lp):
    pool.request_redeem(lp, pool.balanceOf(lp))
    protocol.set_prices(after=REDEMPTION_WAIT)
    protocol.clearing_house.checkpoint()
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 1.4)
    with boa.reverts("risk_book: settle window"):
        pool.fulfil(0, 1)


def test_fulfil__main_pool_below_what_it_must_keep__does_not_bind_insurance(protocol, pool, lp, unit):
    pool.request_redeem(lp, pool.balanceOf(lp))
    protocol.set_prices(after=REDEMPTION_WAIT)
    protocol.clearing_house.checkpoint()
    Pool(protocol, protocol.main_pool).lose(995 * unit)
    flow = protocol.clearing_house.pool_flow()
    assert 0 < flow.equity < 2 * flow.requirement
    assert pool.fulfil(0, 1) == (0, 1)
    assert pool.maxWithdraw(lp) >= 100 * unit - 1
    assert pool.totalSupply() == 0


def test_fulfil__main_pool_exhausted_while_legs_are_open__pays_nobody(protocol, pool, lp, bob, unit):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    pool.request_deposit(bob, unit)
    protocol.set_prices(after=REDEMPTION_WAIT)
    protocol.clearing_house.checkpoint()
    main = Pool(protocol, protocol.main_pool)
    main.lose(protocol.clearing_house.ledgers().main)
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 1.04)
    flow = protocol.clearing_house.pool_flow()
    assert flow.equity < 0 and not flow.booked
    # Entering is one's own risk; leaving would be another's.
    assert pool.fulfil(MAX_BATCH, MAX_BATCH) == (1, 0)
    main.gain(unit - flow.equity)
    assert pool.fulfil(MAX_BATCH, MAX_BATCH) == (0, 1)


def test_fulfil__main_pool_exhausted_while_claims_are_open__pays_nobody(protocol, pool, lp, writer, unit):
    buyer = protocol.trader("buyer", 100)
    protocol.trade(buyer, (protocol.call, 100))
    protocol.trade(writer, (protocol.call, 100), reduce_only=True)
    pool.request_redeem(lp, pool.balanceOf(lp))
    protocol.set_prices(after=REDEMPTION_WAIT)
    protocol.clearing_house.checkpoint()
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 1.04)
    main = Pool(protocol, protocol.main_pool)
    main.lose(protocol.clearing_house.ledgers().main)
    protocol.trade(buyer, (protocol.call, -100), reduce_only=True)
    claim = protocol.account(buyer).claim
    assert claim > 0 and not protocol.units(buyer)
    for checkpointed in (False, True):
        if checkpointed:
            protocol.clearing_house.checkpoint()
        assert protocol.clearing_house.pool_flow().booked == checkpointed
        assert pool.fulfil(0, 1) == (0, 0)
    main.gain(claim + unit)
    protocol.clearing_house.checkpoint()
    protocol.clearing_house.pay_claim(account_of(buyer))
    assert pool.fulfil(0, 1) == (0, 1)


def test_fulfil__market_that_everybody_else_left__pays_the_insurers(protocol, pool, lp, writer, unit):
    protocol.trade(writer, (protocol.call, 100), reduce_only=True)
    protocol.set_prices(after=3_600)
    protocol.clearing_house.checkpoint()
    Pool(protocol, protocol.main_pool).lose(protocol.clearing_house.ledgers().main)
    protocol.clearing_house.checkpoint()
    assert protocol.clearing_house.equity() <= 0
    assert pool.leave(lp, pool.balanceOf(lp)) >= 100 * unit - 1


def test_fulfil__insurance_used_up__entry_closed_until_penalties_refill_it(protocol, pool, bob, unit):
    pool.lose(pool.totalAssets())
    pool.request_deposit(bob, unit)
    protocol.set_prices(after=600)
    assert pool.fulfil(1, 0) == (0, 0)
    assert pool.convertToAssets(pool.totalSupply()) == 0
    pool.gain(unit)
    assert pool.fulfil(1, 0) == (1, 0)
    protocol.clearing_house.checkpoint()
    assert pool.convertToAssets(pool.maxMint(bob)) == pytest.approx(unit, rel=1e-6)


def test_fulfil__what_is_about_to_be_swept__belongs_to_those_who_are_in(protocol, pool, lp, bob, unit):
    """Whoever enters just before a sweep and is in just after it has not a unit more than he brought (invariant 5)."""
    pool.request_deposit(bob, 1_000 * unit)
    protocol.trade(protocol.trader("busy", 1_000), (protocol.call, 1_000))
    protocol.set_prices(after=600)
    unswept = protocol.clearing_house.pool_flow().accrued
    before = pool.convertToAssets(pool.balanceOf(lp))
    assert pool.fulfil(1, 0) == (1, 0)
    assert unswept > unit // 10
    protocol.clearing_house.checkpoint()
    assert 0 <= 1_000 * unit - pool.convertToAssets(pool.maxMint(bob)) <= 10**6
    gained = pool.convertToAssets(pool.balanceOf(lp)) - before
    assert gained == pytest.approx(unswept * 0.8, rel=1e-6)


def test_fulfil__fund_that_nobody_owns__stays_nobodys(unit):
    """Penalties before the first insurer are no present to him."""
    protocol = Protocol(main_deposit=0, insurance_deposit=0)
    pool = Pool(protocol, protocol.insurance_pool)
    pool.gain(100 * protocol.unit)
    first = pool.provider("first")
    shares = pool.enter(first, 50 * protocol.unit)
    assert 0 <= 50 * protocol.unit - pool.convertToAssets(shares) <= 50 * protocol.unit // 1_000
    assert pool.totalAssets() == 150 * protocol.unit


def test_fulfil__tokens_everywhere__equal_ledgers_and_escrow(protocol, pool, lp, bob, writer, unit):
    """Invariant 1, and its like for the pool."""
    pool.request_redeem(lp, pool.balanceOf(lp) // 3)
    pool.request_deposit(bob, 33 * unit)
    protocol.set_prices(after=REDEMPTION_WAIT)
    pool.fulfil(1, 1)
    pool.request_deposit(bob, 7 * unit)
    pool.withdraw(5, lp, lp, sender=lp)
    assert pool.tokens() == 7 * unit + pool.maxWithdraw(lp)
    ledgers, cash = protocol.clearing_house.ledgers(), protocol.account(writer).cash
    held = protocol.token.balanceOf(protocol.clearing_house.address)
    assert held == ledgers.main + ledgers.insurance + ledgers.treasury + cash
