"""Only what waits for its trigger can be taken back: a live order is executed, or voided."""

import boa
import pytest

from everstock.chain.in_process import DELAY, EXEC_WINDOW, account_of, events

from .desk import ETHER, NOTHING, reverts
from .test_trigger import live


@pytest.fixture
def stop(protocol, trader, btc):
    return protocol.request_conditional(trader, (btc, 1), below=118_000, fee=ETHER)


@pytest.mark.parametrize("wait", [0, DELAY, 1_000, 400 * 86_400])
def test_cancel__waiting_for_its_trigger__at_any_time__returns_the_fee_to_its_payer(
    protocol, desk, trader, stop, earnings, wait
):
    protocol.wait(wait)
    earnings(trader), earnings(desk.address)
    desk.cancel(stop, sender=trader)
    (event,) = events(desk, "Cancelled")
    assert (event.account, event.nonce, event.sender) == (stop.account, stop.nonce, trader)
    assert event.reason == "order_desk: taken back"
    assert earnings(trader) == -earnings(desk.address) == ETHER
    assert desk.order_hash(stop.account, stop.nonce) == NOTHING


def test_cancel__market_order__reverts_from_the_first_second_on(protocol, desk, trader, btc):
    """Who could change their mind would do so when they see what its price will be: docs/LATENCY.md."""
    order = protocol.request(trader, (btc, 1))
    for wait in (0, 1, DELAY - 2, 1, EXEC_WINDOW - DELAY, 1):
        protocol.wait(wait)
        with reverts(desk, "order_desk: order is live"):
            desk.cancel(order, sender=trader)
    desk.void(order, sender=trader)


def test_cancel__triggered__only_once_it_missed_its_window(protocol, desk, trader, keeper, stop, earnings):
    protocol.publish(after=DELAY, BTC=117_900)
    protocol.trigger(stop, by=keeper)
    order = live(protocol, stop)
    for wait in (0, DELAY - 1, 1, EXEC_WINDOW - DELAY):
        protocol.wait(wait)
        with reverts(desk, "order_desk: order is live"):
            desk.cancel(order, sender=trader)
    protocol.wait(1)
    earnings(trader)
    desk.cancel(order, sender=trader)
    assert earnings(trader) == order.fee


def test_cancel__by_anyone_else__reverts(protocol, desk, trader, other, stop):
    with reverts(desk, "order_desk: neither owner nor delegate"):
        desk.cancel(stop, sender=other)
    with reverts(desk, "order_desk: neither owner nor delegate"):
        desk.cancel(stop._replace(account=account_of(trader, 1) ^ 1 << 96), sender=trader)


def test_cancel__never_requested_or_changed_terms__reverts(protocol, desk, trader, other, btc, eth, stop):
    changed = [
        stop._replace(account=account_of(trader, 1)),
        stop._replace(nonce=2),
        stop._replace(nonce=0),
        stop._replace(legs=[(btc, 10**18 + 1)]),
        stop._replace(legs=[(eth, 10**18)]),
        stop._replace(legs=[(btc, 10**18), (eth, 1)]),
        stop._replace(legs=[]),
        stop._replace(limit=0),
        stop._replace(reduce_only=True),
        stop._replace(deadline=0),
        stop._replace(trigger=stop.trigger + 1),
        stop._replace(requested_at=stop.requested_at + 100),
        stop._replace(fee=stop.fee + 1),
        stop._replace(payer=other),
    ]
    for terms in changed:
        with reverts(desk, "order_desk: unknown order"):
            desk.cancel(terms, sender=trader)


def test_cancel__market_order_said_to_be_conditional__reverts(protocol, desk, trader, btc, stop):
    order = protocol.request(trader, (btc, 1))
    with reverts(desk, "order_desk: unknown order"):
        desk.cancel(order._replace(trigger=stop.trigger), sender=trader)


def test_cancel__twice__reverts(protocol, desk, trader, btc, stop):
    protocol.request_conditional(trader, (btc, 1), below=118_000)
    desk.cancel(stop, sender=trader)
    with reverts(desk, "order_desk: unknown order"):
        desk.cancel(stop, sender=trader)


def test_cancel__in_a_settle_window__passes(protocol, desk, trader, stop):
    protocol.set_prices(BTC=105_000)
    protocol.clearing_house.checkpoint()
    desk.cancel(stop, sender=trader)


def test_cancel__leaves_the_margin_that_a_live_order_keeps(protocol, desk, trader, btc, stop):
    protocol.request(trader, (btc, 1))
    desk.cancel(stop, sender=trader)
    with reverts(protocol.clearing_house, "clearing_house: live order"):
        protocol.clearing_house.withdraw(account_of(trader), 1, trader, sender=trader)


def test_cancel__a_wallet_that_refuses_ether__may_claim_it_later(protocol, desk, wallet_trader, btc):
    order = protocol.request_conditional(wallet_trader.address, (btc, 1), below=118_000, fee=ETHER)
    wallet_trader.set_refusing(True)
    desk.cancel(order, sender=wallet_trader.address)
    (event,) = events(desk, "RefundKept")
    assert (event.owner, event.amount) == (wallet_trader.address, ETHER)
    assert desk.refunds(wallet_trader.address) == ETHER


def test_cancel__reentered_on_the_fee__changes_nothing(protocol, desk, wallet_trader, btc):
    order, second = [
        protocol.request_conditional(wallet_trader.address, (btc, 1), below=118_000, fee=ETHER) for _ in range(2)
    ]
    wallet_trader.call_back(desk.address, desk.claim_refund.prepare_calldata(wallet_trader.address))
    desk.cancel(order, sender=wallet_trader.address)
    assert (wallet_trader.calls(), wallet_trader.succeeded()) == (1, False)
    assert boa.env.get_balance(desk.address) == second.fee
