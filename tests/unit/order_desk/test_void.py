import boa
import pytest

from everstock.chain.in_process import DELAY, EXEC_WINDOW, account_of, events

from .desk import ETHER, NOTHING, reverts


@pytest.fixture
def missed(protocol, trader, btc):
    """An order whose window has just passed."""
    order = protocol.request(trader, (btc, 1), fee=ETHER)
    protocol.wait(EXEC_WINDOW + 1)
    return order


def test_void__after_the_window__anyone_returns_the_fee_to_its_payer(desk, trader, keeper, missed, earnings):
    earnings(trader), earnings(keeper)
    desk.void(missed, sender=keeper)
    (event,) = events(desk, "Voided")
    assert (event.account, event.nonce) == (missed.account, missed.nonce)
    assert earnings(trader) == ETHER
    assert earnings(keeper) == 0
    assert desk.order_hash(missed.account, missed.nonce) == NOTHING


def test_void__while_the_window_is_open__reverts(protocol, desk, trader, keeper, btc):
    order = protocol.request(trader, (btc, 1))
    for wait in (0, DELAY, EXEC_WINDOW - DELAY):
        protocol.wait(wait)
        with reverts(desk, "order_desk: window open"):
            desk.void(order, sender=keeper)


def test_void__never_requested_or_changed_terms__reverts(desk, keeper, missed):
    for terms in (
        missed._replace(nonce=2),
        missed._replace(payer=keeper),
        missed._replace(fee=2 * ETHER),
        missed._replace(requested_at=0),
    ):
        with reverts(desk, "order_desk: unknown order"):
            desk.void(terms, sender=keeper)


def test_void__twice__reverts(desk, keeper, missed):
    desk.void(missed, sender=keeper)
    with reverts(desk, "order_desk: unknown order"):
        desk.void(missed, sender=keeper)


def test_void__what_was_executed_or_taken_back__reverts(protocol, desk, trader, keeper, btc):
    cancelled = protocol.request_conditional(trader, (btc, 1), below=118_000)
    desk.cancel(cancelled, sender=trader)
    executed = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    assert protocol.execute(executed) == [True]
    protocol.wait(EXEC_WINDOW)
    for order in (cancelled, executed):
        with reverts(desk, "order_desk: unknown order"):
            desk.void(order, sender=keeper)


def test_void__in_a_settle_window__passes(protocol, desk, keeper, missed):
    protocol.set_prices(BTC=105_000)
    protocol.clearing_house.checkpoint()
    desk.void(missed, sender=keeper)


def test_void__without_any_price__passes(protocol, desk, keeper, missed):
    protocol.sequencer.publish(1, protocol.now, protocol.now, sender=protocol.operator)
    protocol.wait(86_400)
    desk.void(missed, sender=keeper)


@pytest.mark.parametrize("trouble", ["set_refusing", "set_burning"])
def test_void__a_wallet_that_will_not_take_ether__may_claim_it_later(
    protocol, desk, wallet_trader, keeper, btc, trouble, earnings
):
    order = protocol.request(wallet_trader.address, (btc, 1), fee=ETHER)
    protocol.wait(EXEC_WINDOW + 1)
    getattr(wallet_trader, trouble)(True)
    earnings(desk.address)
    desk.void(order, sender=keeper, gas=200_000)
    assert [(event.owner, event.amount) for event in events(desk, "RefundKept")] == [(wallet_trader.address, ETHER)]
    assert earnings(desk.address) == 0
    assert desk.refunds(wallet_trader.address) == ETHER


def test_void__with_little_gas__never_keeps_a_fee_that_a_wallet_would_take(protocol, desk, wallet_trader, keeper, btc):
    order = protocol.request(wallet_trader.address, (btc, 1), fee=ETHER)
    protocol.wait(EXEC_WINDOW + 1)
    # The wallet writes what it was told: some 30k gas.
    wallet_trader.call_back(keeper, b"")
    outcomes = set()
    for gas in range(10_000, 150_000, 2_000):
        with boa.env.anchor():
            try:
                desk.void(order, sender=keeper, gas=gas)
                outcomes.add(desk.refunds(wallet_trader.address))
            except boa.BoaError:
                outcomes.add(None)
    assert outcomes == {None, 0}


def test_void__reentered_on_the_fee__changes_nothing(protocol, desk, wallet_trader, keeper, btc):
    order, second = [protocol.request(wallet_trader.address, (btc, 1), fee=ETHER) for _ in range(2)]
    protocol.wait(EXEC_WINDOW + 1)
    wallet_trader.call_back(desk.address, desk.live_until.prepare_calldata(second.account))
    desk.void(order, sender=keeper)
    assert (wallet_trader.calls(), wallet_trader.succeeded()) == (1, False)
    assert boa.env.get_balance(desk.address) == second.fee


def test_withdraw__under_a_live_order__reverts_and_after_it_passes(protocol, desk, trader, keeper, btc):
    withdraw = protocol.clearing_house.withdraw
    order = protocol.request(trader, (btc, 1))
    for wait in (0, DELAY, EXEC_WINDOW - DELAY):
        protocol.wait(wait)
        with reverts(protocol.clearing_house, "clearing_house: live order"):
            withdraw(order.account, 1, trader, sender=trader)
    protocol.wait(1)
    withdraw(order.account, 1, trader, sender=trader)
    desk.void(order, sender=keeper)
    withdraw(order.account, 1, trader, sender=trader)


def test_withdraw__from_another_account_of_the_trader__passes(protocol, trader, btc):
    protocol.deposit(trader, protocol.unit, subaccount=1)
    protocol.request(trader, (btc, 1))
    protocol.clearing_house.withdraw(account_of(trader, 1), protocol.unit, trader, sender=trader)
