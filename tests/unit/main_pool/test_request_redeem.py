import boa
import pytest

from everstock.chain.in_process import account_of, events
from tests.liquidity import MAX_BATCH, REDEMPTION_WAIT, VIRTUAL_SHARES


def queued_at_book(protocol):
    """Queued redemptions as RiskBook has them."""
    return protocol.risk_book.market_words().anchors >> 160


def test_request_redeem__queued__counted_at_the_book_at_its_request_price(protocol, pool, lp, bob, unit):
    pool.enter(bob, 100 * unit)
    pool.request_redeem(lp, pool.balanceOf(lp) // 3)
    pool.request_redeem(bob, pool.balanceOf(bob))
    asked = pool.redemption_ticket(1).assets + pool.redemption_ticket(2).assets
    assert queued_at_book(protocol) == pool.queue().queued_redemptions == asked
    pool.gain(10 * unit)
    assert queued_at_book(protocol) == asked
    protocol.set_prices(after=REDEMPTION_WAIT)
    pool.fulfil(0, 1)
    assert queued_at_book(protocol) == pool.redemption_ticket(2).assets
    pool.fulfil(0, 1)
    assert queued_at_book(protocol) == 0


def test_request_redeem__while_it_waits__leaves_no_room_for_new_risk(protocol, pool, lp):
    buyer = protocol.trader("buyer", 500)
    protocol.trade(buyer, (protocol.call, 200))
    pool.request_redeem(lp, pool.balanceOf(lp))
    with boa.reverts("trade: over pool capacity"):
        protocol.trade(buyer, (protocol.call, 10))
    protocol.trade(buyer, (protocol.call, -10), reduce_only=True)


def test_request_redeem__of_a_part__leaves_room_for_the_rest(protocol, pool, lp):
    buyer = protocol.trader("buyer", 500)
    pool.request_redeem(lp, pool.balanceOf(lp) // 2)
    protocol.trade(buyer, (protocol.call, 200))


def test_request_redeem__filled__leaves_as_much_room_as_while_it_waited(protocol, pool, lp, bob, unit):
    pool.enter(bob, 500 * unit)
    buyer = protocol.trader("buyer", 500)
    pool.request_redeem(lp, pool.balanceOf(lp))
    protocol.set_prices(after=REDEMPTION_WAIT)
    protocol.clearing_house.checkpoint()
    for filled in (False, True):
        if filled:
            pool.fulfil(0, MAX_BATCH)
            assert pool.queue().queued_redemptions == queued_at_book(protocol) == 0
        with boa.reverts("trade: over pool capacity"):
            protocol.trade(buyer, (protocol.call, 1_500))
        with boa.env.anchor():
            protocol.trade(buyer, (protocol.call, 1_200))


def test_request_redeem__claim__leaves_the_count_alone(protocol, pool, lp):
    pool.request_redeem(lp, pool.balanceOf(lp) // 2)
    protocol.set_prices(after=REDEMPTION_WAIT)
    pool.fulfil(0, 1)
    pool.request_redeem(lp, pool.balanceOf(lp))
    queued = queued_at_book(protocol)
    pool.redeem(pool.maxRedeem(lp), lp, lp, sender=lp)
    assert queued_at_book(protocol) == queued


def test_request_redeem__insurance__counts_nothing_at_the_book(protocol, pool, unit):
    insurance = protocol.insurance_pool
    provider = protocol.actor("insurer")
    protocol.token.mint(provider, 50 * unit)
    protocol.token.approve(insurance.address, 50 * unit, sender=provider)
    insurance.requestDeposit(50 * unit, provider, provider, sender=provider)
    pool.pass_deposit_wait()
    insurance.fulfil(1, 0)
    insurance.mint(insurance.maxMint(provider), provider, sender=provider)
    insurance.requestRedeem(insurance.balanceOf(provider), provider, provider, sender=provider)
    assert insurance.queue().queued_redemptions != 0
    assert queued_at_book(protocol) == 0


# The price of a request


@pytest.fixture
def straddle(protocol):
    """A buyer of calls and one of puts: what the pool loses to one, it gains from the other."""
    traders = protocol.trader("buyer of calls"), protocol.trader("buyer of puts")
    for trader, series in zip(traders, (protocol.call, protocol.put), strict=True):
        protocol.trade(trader, (series, 300))
    return traders


def worth(pool, shares, equity):
    return shares * (equity + 1) // (pool.totalSupply() + VIRTUAL_SHARES)


def test_request_redeem__index_moved_since_the_last_touches__at_the_price_now(protocol, pool, lp, straddle):
    protocol.set_prices(after=60, BTC=protocol.index["BTC"] * 1.03)
    equity, shares = protocol.clearing_house.pool_flow().equity, pool.balanceOf(lp) // 2
    assert equity != pool.totalAssets()
    pool.request_redeem(lp, shares)
    assert pool.redemption_ticket(1).assets == worth(pool, shares, equity)


def test_request_redeem__someone_touched_only_what_the_pool_lost_on__not_swayed(protocol, pool, lp, straddle, unit):
    protocol.set_prices(after=60, BTC=protocol.index["BTC"] * 1.04)
    protocol.clearing_house.settle(account_of(straddle[0]))
    equity, shares = protocol.clearing_house.pool_flow().equity, pool.balanceOf(lp) // 2
    assert pool.totalAssets() < equity - unit
    pool.request_redeem(lp, shares)
    assert pool.redemption_ticket(1).assets == worth(pool, shares, equity)


def test_request_redeem__in_settle_window__checkpoints_and_is_not_swayed(protocol, pool, lp, straddle, unit):
    pool.open_settle_window()
    protocol.set_prices(after=60, BTC=protocol.index["BTC"] * 1.04)
    protocol.clearing_house.settle(account_of(straddle[0]))
    mixed, shares = pool.totalAssets(), pool.balanceOf(lp) // 2
    pool.requestRedeem(shares, lp, lp, sender=lp)
    assert events(pool.contract, "Checkpoint")
    assert pool.totalAssets() > mixed + unit // 2
    assert pool.redemption_ticket(1).assets == worth(pool, shares, pool.totalAssets())


def test_request_redeem__checkpoint_due__at_the_price_now(protocol, pool, lp, straddle):
    protocol.set_prices(after=7_200, BTC=protocol.index["BTC"] * 1.02)
    shares = pool.balanceOf(lp) // 2
    pool.requestRedeem(shares, lp, lp, sender=lp)
    assert events(pool.contract, "Checkpoint")
    assert pool.redemption_ticket(1).assets == worth(pool, shares, protocol.clearing_house.pool_flow().equity)


def test_request_redeem__without_a_fresh_price__as_of_the_last_touches(protocol, pool, lp, straddle):
    equity, shares = pool.totalAssets(), pool.balanceOf(lp) // 2
    protocol.wait(86_400)
    pool.requestRedeem(shares, lp, lp, sender=lp)
    assert not events(pool.contract, "Checkpoint")
    assert pool.redemption_ticket(1).assets == worth(pool, shares, equity)


def test_request_redeem__pool_without_equity__reverts(protocol, pool, lp):
    protocol.trade(protocol.trader("buyer", 1_000), (protocol.call, 1_000))
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 2.5)
    with boa.reverts("pool: worth nothing"):
        pool.request_redeem(lp, pool.balanceOf(lp))
