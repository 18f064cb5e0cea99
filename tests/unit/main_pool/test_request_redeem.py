import boa

from tests.liquidity import MAX_BATCH, REDEMPTION_WAIT


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
