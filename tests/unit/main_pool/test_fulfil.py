import boa

from everstock.chain.in_process import Protocol, events
from tests.liquidity import MAX_BATCH, REDEMPTION_WAIT, Pool


def queued_at_book(protocol):
    """Queued redemptions as RiskBook has them."""
    return protocol.risk_book.market_words().anchors >> 160


def age_request(protocol, pool):
    """Let the redemption wait pass at the same prices, and leave a fresh checkpoint behind."""
    protocol.set_prices(after=REDEMPTION_WAIT)
    protocol.clearing_house.checkpoint()


# Deposits


def test_fulfil__first_deposit_ever__opens_the_market():
    protocol = Protocol(main_deposit=0, insurance_deposit=0)
    pool = Pool(protocol, protocol.main_pool)
    call = protocol.list_series()
    buyer = protocol.trader("buyer")
    with boa.reverts("risk_book: no equity"):
        protocol.trade(buyer, (call, 10))
    pool.enter(pool.provider("first"), 100 * protocol.unit)
    protocol.trade(buyer, (call, 10))
    assert protocol.units(buyer)


def test_fulfil__deposit_between_checkpoints__at_equity_of_the_latest_price(protocol, pool, bob, unit):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    pool.request_deposit(bob, 100 * unit)
    protocol.set_prices(after=600)
    protocol.clearing_house.checkpoint()
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 1.04)
    stale, supply = pool.totalAssets(), pool.totalSupply()
    equity = protocol.clearing_house.pool_flow().equity
    assert equity < stale - unit
    pool.fulfil(1, 0)
    assert not events(pool.contract, "Checkpoint")
    assert pool.maxMint(bob) == 100 * unit * (supply + 10**6) // (equity + 1)


def test_fulfil__sixteen_series_of_an_underlying__all_count_in_the_price(protocol, pool, bob, unit):
    """Every one of them has lost value since the checkpoint, also the last."""
    ids = [protocol.list_series("BTC", 120 / strike) for strike in (*range(91, 100), 110, 130, 140, 150, 160)]
    for trader, held in zip(("first", "second"), (ids[:8], ids[8:]), strict=True):
        protocol.trade(protocol.trader(trader), *[(id_, 30) for id_ in held])
    pool.request_deposit(bob, 100 * unit)
    pool.pass_deposit_wait(BTC=118_000)
    pool.fulfil(1, 0)
    (executed,) = events(pool.contract, "DepositExecuted")
    touched = pool.totalAssets()
    protocol.clearing_house.checkpoint()
    assert protocol.clearing_house.equity() > touched
    assert pool.convertToAssets(executed.shares) <= 100 * unit <= pool.convertToAssets(executed.shares) + 2


def test_fulfil__deposits__do_not_wait_for_redemptions_that_cannot_be_paid(protocol, pool, lp, bob, unit):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    age_request(protocol, pool)
    pool.fulfil(0, MAX_BATCH)
    assert pool.queue().redemptions_done == 0
    pool.request_deposit(bob, 10 * unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(MAX_BATCH, 0) == (1, 0)
    assert pool.maxDeposit(bob) == 10 * unit


def test_fulfil__deposits_of_the_same_call__pay_for_redemptions(protocol, pool, lp, bob, unit):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    pool.request_deposit(bob, 500 * unit)
    age_request(protocol, pool)
    assert pool.fulfil(MAX_BATCH, MAX_BATCH) == (1, 1)
    assert pool.queue().redemptions_done == 1


# Redemptions that the book limits


def test_fulfil__redemption_beyond_what_must_be_kept__paid_in_part(protocol, pool, lp):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    shares = pool.balanceOf(lp)
    pool.request_redeem(lp, shares)
    age_request(protocol, pool)
    flow = protocol.clearing_house.pool_flow()
    assert pool.fulfil(0, MAX_BATCH) == (0, 1)

    paid = pool.maxWithdraw(lp)
    assert 0 <= flow.equity - 2 * flow.requirement - paid <= 2
    assert protocol.clearing_house.pool_flow().equity >= 2 * flow.requirement
    assert pool.pendingRedeemRequest(0, lp) == shares - pool.maxRedeem(lp) == pool.redemption_ticket(1).shares
    assert pool.redemption_ticket(1).controller == lp
    assert pool.queue().redemptions_done == 0
    assert pool.queue().queued_redemptions == pool.redemption_ticket(1).assets == queued_at_book(protocol)


def test_fulfil__rest_of_a_partial_fill__not_paid_twice(protocol, pool, lp):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    age_request(protocol, pool)
    pool.fulfil(0, MAX_BATCH)
    paid = pool.maxWithdraw(lp)
    pool.fulfil(0, MAX_BATCH)
    assert pool.maxWithdraw(lp) - paid <= 2


def test_fulfil__rest_of_a_partial_fill__paid_when_the_book_shrinks(protocol, pool, lp):
    buyer = protocol.trader("buyer")
    protocol.trade(buyer, (protocol.call, 200))
    shares = pool.balanceOf(lp)
    pool.request_redeem(lp, shares)
    age_request(protocol, pool)
    pool.fulfil(0, MAX_BATCH)
    protocol.trade(buyer, (protocol.call, -200), reduce_only=True)
    assert pool.fulfil(0, MAX_BATCH) == (0, 1)
    assert pool.maxRedeem(lp) == shares
    assert pool.totalSupply() == 0
    assert (pool.queue().queued_redemptions, queued_at_book(protocol)) == (0, 0)


def test_fulfil__request_behind_a_partial_fill__does_not_overtake(protocol, pool, lp, bob, unit):
    pool.enter(bob, 10 * unit)
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    pool.request_redeem(bob, pool.balanceOf(bob))
    age_request(protocol, pool)
    assert pool.fulfil(0, MAX_BATCH) == (0, 1)
    assert pool.maxRedeem(bob) == 0
    assert pool.pendingRedeemRequest(0, bob) != 0


def test_fulfil__nothing_above_what_must_be_kept__pays_nothing(protocol, pool, lp, unit):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    age_request(protocol, pool)
    flow = protocol.clearing_house.pool_flow()
    pool.lose(flow.equity - 2 * flow.requirement)
    assert pool.fulfil(0, MAX_BATCH) == (0, 0)
    pool.lose(unit)
    assert pool.fulfil(0, MAX_BATCH) == (0, 0)


def test_fulfil__next_to_nothing_above_what_must_be_kept__burns_no_share_unpaid(protocol, pool, lp, unit):
    pool.gain(unit // 3)
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    age_request(protocol, pool)
    flow = protocol.clearing_house.pool_flow()
    pool.lose(flow.equity - 2 * flow.requirement)
    for _ in range(10):
        paid, burned = pool.maxWithdraw(lp), pool.maxRedeem(lp)
        pool.gain(1)
        _, done = pool.fulfil(0, MAX_BATCH)
        assert done == (pool.maxWithdraw(lp) > paid) == (pool.maxRedeem(lp) > burned)


def test_fulfil__partial_fill_below_the_request_price__rest_still_counts_at_it(protocol, pool, lp):
    protocol.trade(protocol.trader("buyer", 1_000), (protocol.call, 200))
    shares = pool.balanceOf(lp)
    pool.request_redeem(lp, shares)
    asked = pool.redemption_ticket(1).assets
    protocol.set_prices(after=700, BTC=protocol.index["BTC"] * 1.06)
    protocol.clearing_house.checkpoint()
    age_request(protocol, pool)
    pool.fulfil(0, 1)
    rest = pool.redemption_ticket(1)
    assert rest.assets == asked - asked * pool.maxRedeem(lp) // shares < asked - pool.maxWithdraw(lp)
    assert pool.queue().queued_redemptions == rest.assets == queued_at_book(protocol)


def test_fulfil__gains_that_traders_have_not_paid_yet__are_not_paid_out(protocol, pool, lp, unit):
    # By the writer the pool has gained more than it must keep, since it sold the risk on; but its cash has not.
    protocol.trade(protocol.trader("writer", 1_000), (protocol.call, -500))
    for _ in range(6):
        protocol.set_prices(after=700, BTC=protocol.index["BTC"] * 1.06)
        protocol.clearing_house.checkpoint()
    protocol.trade(protocol.trader("buyer", 1_000), (protocol.call, 480))
    pool.request_redeem(lp, pool.balanceOf(lp))
    age_request(protocol, pool)
    flow, ledgers = protocol.clearing_house.pool_flow(), protocol.clearing_house.ledgers()
    cash = ledgers.main - ledgers.claims
    assert cash < flow.equity - 2 * flow.requirement
    pool.fulfil(0, MAX_BATCH)
    assert cash - 2 <= pool.maxWithdraw(lp) <= cash
    left = protocol.clearing_house.ledgers()
    assert left.main >= left.claims


# Price of a redemption


def test_fulfil__traders_won_since_the_request__pays_the_price_now(protocol, pool, lp):
    protocol.trade(protocol.trader("buyer", 1_000), (protocol.call, 200))
    shares = pool.balanceOf(lp) // 2
    pool.request_redeem(lp, shares)
    asked = pool.redemption_ticket(1).assets
    for _ in range(2):
        protocol.set_prices(after=700, BTC=protocol.index["BTC"] * 1.06)
        protocol.clearing_house.checkpoint()
    age_request(protocol, pool)
    equity, supply = protocol.clearing_house.pool_flow().equity, pool.totalSupply()
    pool.fulfil(0, 1)
    assert pool.maxWithdraw(lp) == shares * (equity + 1) // (supply + 10**6) < asked


def test_fulfil__traders_lost_since_the_request__pays_the_request_price(protocol, pool, lp, bob, unit):
    pool.enter(bob, 100 * unit)
    buyer = protocol.trader("buyer", 1_000)
    protocol.trade(buyer, (protocol.call, 200))
    shares = pool.balanceOf(lp) // 2
    pool.request_redeem(lp, shares)
    asked = pool.redemption_ticket(1).assets
    protocol.set_prices(after=700, BTC=protocol.index["BTC"] * 0.94)
    protocol.clearing_house.checkpoint()
    age_request(protocol, pool)
    before = pool.price()
    pool.fulfil(0, 1)
    assert pool.maxWithdraw(lp) == asked
    assert pool.price() > before


def test_fulfil__partial_fills_at_the_request_price__never_sum_to_more(protocol, pool, lp, bob, unit):
    pool.enter(bob, 100 * unit)
    protocol.trade(protocol.trader("buyer", 1_000), (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    asked = pool.redemption_ticket(1).assets
    age_request(protocol, pool)
    for step in range(5):
        pool.lose(max(0, protocol.clearing_house.pool_flow().equity - protocol.clearing_house.pool_flow().requirement * 2))
        pool.gain(unit // 3 + step)
        pool.fulfil(0, 1)
    paid, left = pool.maxWithdraw(lp), pool.redemption_ticket(1)
    assert 0 < paid < 5 * unit
    assert left.shares == pool.pendingRedeemRequest(0, lp)
    pool.gain(10_000 * unit)
    pool.fulfil(0, 1)
    assert pool.queue().redemptions_done == 1
    assert paid + left.assets >= pool.maxWithdraw(lp)
    assert pool.maxWithdraw(lp) <= asked


# When nothing is paid


def test_fulfil__settle_window__nobody_leaves_ahead_of_a_loss(protocol, pool, lp, unit):
    protocol.trade(protocol.trader("buyer", 1_000), (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp) // 2)
    age_request(protocol, pool)
    asked = pool.redemption_ticket(1).assets
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 1.12)
    # Not yet checkpointed: the execution itself finds the window.
    with boa.reverts("risk_book: settle window"):
        pool.fulfil(0, 1)
    protocol.clearing_house.checkpoint()
    protocol.set_prices(after=599)
    with boa.reverts("risk_book: settle window"):
        pool.fulfil(0, 1)
    protocol.set_prices(after=1)
    pool.fulfil(0, 1)
    assert 0 < pool.maxWithdraw(lp) < asked


def test_fulfil__no_equity_while_legs_are_open__stays_in_the_window(protocol, pool, lp, bob, unit):
    protocol.trade(protocol.trader("buyer", 1_000), (protocol.call, 1_000))
    pool.request_redeem(lp, pool.balanceOf(lp) // 2)
    pool.request_deposit(bob, 10 * unit)
    age_request(protocol, pool)
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 2.5)
    protocol.clearing_house.checkpoint()
    assert protocol.clearing_house.equity() < 0
    assert (pool.totalAssets(), pool.convertToAssets(10**24)) == (0, 0)
    for _ in range(3):
        protocol.set_prices(after=601)
        for deposits, redemptions in ((1, 0), (0, 1)):
            with boa.reverts("risk_book: settle window"):
                pool.fulfil(deposits, redemptions)


def test_fulfil__equity_below_zero_and_no_window_yet__nobody_enters_or_leaves(protocol, pool, lp, bob, unit):
    buyer = protocol.trader("buyer", 1_000)
    protocol.trade(buyer, (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp) // 2)
    pool.request_deposit(bob, 10 * unit)
    age_request(protocol, pool)
    pool.lose(protocol.clearing_house.ledgers().main)
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 1.04)
    flow = protocol.clearing_house.pool_flow()
    assert flow.equity < 0 and not flow.booked
    assert pool.fulfil(1, 1) == (0, 0)


def test_fulfil__equity_at_zero_without_legs__nothing_to_pay(protocol, pool, lp):
    pool.request_redeem(lp, pool.balanceOf(lp))
    pool.lose(pool.totalAssets())
    age_request(protocol, pool)
    assert protocol.clearing_house.pool_flow().booked
    assert pool.fulfil(0, 1) == (0, 0)


# Providers and traders together


def test_fulfil__provider_through_a_premium_season__leaves_with_more(protocol, pool, lp, unit):
    buyer, writer = protocol.trader("buyer", 500), protocol.trader("writer", 500)
    protocol.trade(buyer, (protocol.call, 300), (protocol.put, 300))
    protocol.trade(writer, (protocol.call, -100))
    for _ in range(24):
        protocol.set_prices(after=3_600)
        protocol.clearing_house.checkpoint()
    protocol.trade(buyer, (protocol.call, -300), (protocol.put, -300), reduce_only=True)
    protocol.trade(writer, (protocol.call, 100), reduce_only=True)
    assert float(pool.price()) > 1.001 / 10**6
    assert pool.leave(lp, pool.balanceOf(lp)) > 1_001 * unit


def test_fulfil__tokens_everywhere__equal_ledgers_and_escrow(protocol, pool, lp, bob, unit):
    """Invariant 1, and its like for the pool."""
    buyer = protocol.trader("buyer", 500)
    protocol.trade(buyer, (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    pool.request_deposit(bob, 33 * unit)
    age_request(protocol, pool)
    pool.fulfil(1, 1)
    pool.request_deposit(bob, 7 * unit)
    pool.withdraw(5, lp, lp, sender=lp)
    assert pool.tokens() == 7 * unit + pool.maxWithdraw(lp)
    ledgers, buyer_cash = protocol.clearing_house.ledgers(), protocol.account(buyer).cash
    held = protocol.token.balanceOf(protocol.clearing_house.address)
    assert held == ledgers.main + ledgers.insurance + ledgers.treasury + buyer_cash
