import boa

from everstock.chain.in_process import DELAY, account_of

from .desk import ETHER, NOTHING, events, reverts


def test_cancel__before_the_delay__returns_the_fee_to_its_payer(protocol, desk, trader, btc, earnings):
    order = protocol.request(trader, (btc, 1), fee=ETHER)
    protocol.wait(DELAY - 1)
    earnings(trader), earnings(desk.address)
    desk.cancel(order, sender=trader)
    (event,) = events(desk, "Cancelled")
    assert (event.account, event.nonce, event.sender) == (order.account, order.nonce, trader)
    assert event.reason == "order_desk: taken back"
    assert earnings(trader) == -earnings(desk.address) == ETHER
    assert desk.order_hash(order.account, order.nonce) == NOTHING


def test_cancel__once_its_price_may_be_known__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    for wait in (DELAY, 1, 60):
        protocol.wait(wait)
        with reverts(desk, "order_desk: too late to cancel"):
            desk.cancel(order, sender=trader)


def test_cancel__by_anyone_else__reverts(protocol, desk, trader, other, btc):
    order = protocol.request(trader, (btc, 1))
    with reverts(desk, "order_desk: neither owner nor delegate"):
        desk.cancel(order, sender=other)
    with reverts(desk, "order_desk: neither owner nor delegate"):
        desk.cancel(order._replace(account=account_of(trader, 1) ^ 1 << 96), sender=trader)


def test_cancel__never_requested_or_changed_terms__reverts(protocol, desk, trader, other, btc, eth):
    order = protocol.request(trader, (btc, 1))
    changed = [
        order._replace(account=account_of(trader, 1)),
        order._replace(nonce=2),
        order._replace(nonce=0),
        order._replace(legs=[(btc, 10**18 + 1)]),
        order._replace(legs=[(eth, 10**18)]),
        order._replace(legs=[(btc, 10**18), (eth, 1)]),
        order._replace(legs=[]),
        order._replace(limit=0),
        order._replace(reduce_only=True),
        order._replace(deadline=0),
        order._replace(requested_at=order.requested_at + 100),
        order._replace(fee=order.fee + 1),
    ]
    for terms in changed:
        with reverts(desk, "order_desk: unknown order"):
            desk.cancel(terms, sender=trader)
    with reverts(desk, "order_desk: unknown order"):
        desk.cancel(order._replace(payer=other), sender=trader)


def test_cancel__twice__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.request(trader, (btc, 1))
    desk.cancel(order, sender=trader)
    with reverts(desk, "order_desk: unknown order"):
        desk.cancel(order, sender=trader)


def test_cancel__in_a_settle_window__passes(protocol, desk, trader, btc):
    protocol.set_prices(BTC=105_000)
    protocol.clearing_house.checkpoint()
    desk.cancel(protocol.request(trader, (btc, 1)), sender=trader)


def test_cancel__margin_stays_until_the_window_would_have_passed(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    desk.cancel(order, sender=trader)
    with reverts(protocol.clearing_house, "clearing_house: live order"):
        protocol.clearing_house.withdraw(account_of(trader), 1, trader, sender=trader)


def test_cancel__a_wallet_that_refuses_ether__may_claim_it_later(protocol, desk, wallet_trader, btc):
    order = protocol.request(wallet_trader.address, (btc, 1), fee=ETHER)
    wallet_trader.set_refusing(True)
    desk.cancel(order, sender=wallet_trader.address)
    (event,) = events(desk, "RefundKept")
    assert (event.owner, event.amount) == (wallet_trader.address, ETHER)
    assert desk.refunds(wallet_trader.address) == ETHER


def test_cancel__reentered_on_the_fee__changes_nothing(protocol, desk, wallet_trader, btc):
    order = protocol.request(wallet_trader.address, (btc, 1), fee=ETHER)
    second = protocol.request(wallet_trader.address, (btc, 1), fee=ETHER)
    wallet_trader.call_back(desk.address, desk.claim_refund.prepare_calldata(wallet_trader.address))
    desk.cancel(order, sender=wallet_trader.address)
    assert (wallet_trader.calls(), wallet_trader.succeeded()) == (1, False)
    assert boa.env.get_balance(desk.address) == second.fee
