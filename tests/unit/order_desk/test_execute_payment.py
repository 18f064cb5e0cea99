"""Whoever executes gets the fees and the change, once, and nothing of anybody else's."""

import boa
import pytest

from everstock.chain.in_process import DELAY, EXEC_WINDOW, account_of

from .desk import ETHER, NOTHING, reverts


@pytest.mark.parametrize("extra", [0, 1, ETHER])
def test_execute__returns_what_pyth_did_not_need(protocol, desk, trader, other, keeper, btc, earnings, extra):
    order = protocol.request(trader, (btc, 1), fee=ETHER)
    protocol.request(other, (btc, 1), fee=3 * ETHER)
    updates = [protocol.publish(after=DELAY)]
    fee = protocol.oracle.update_fee(updates)
    earnings(keeper), earnings(protocol.pyth.address)
    desk.execute([order], updates, value=fee + extra, sender=keeper)
    assert earnings(keeper) == ETHER - fee
    assert earnings(protocol.pyth.address) == fee
    assert boa.env.get_balance(desk.address) == 3 * ETHER
    assert boa.env.get_balance(protocol.oracle.address) == 0


def test_execute__ether_forced_on_the_desk__stays_and_breaks_nothing(
    protocol, desk, trader, other, keeper, btc, earnings
):
    boa.env.set_balance(desk.address, 7 * ETHER)
    failing, voided, _ = [protocol.request(trader, (btc, 1), fee=ETHER, limit=0) for _ in range(3)]
    cancelled = protocol.request_conditional(trader, (btc, 1), below=118_000, fee=ETHER)
    executed = protocol.request(other, (btc, 1), fee=ETHER)
    desk.cancel(cancelled, sender=trader)
    protocol.publish(after=DELAY)
    earnings(keeper)
    assert protocol.execute(executed, failing, by=keeper) == [True, False]
    assert earnings(keeper) == 2 * ETHER - 2
    protocol.wait(EXEC_WINDOW)
    earnings(trader)
    desk.void(voided, sender=keeper)
    assert earnings(trader) == ETHER
    # The order left over, and what was forced.
    assert boa.env.get_balance(desk.address) == 8 * ETHER


def test_execute__ether_forced_on_the_oracle__stays(protocol, trader, keeper, btc, earnings):
    boa.env.set_balance(protocol.oracle.address, ETHER)
    order = protocol.request(trader, (btc, 1), fee=ETHER)
    protocol.publish(after=DELAY)
    earnings(keeper)
    protocol.execute(order, by=keeper)
    assert earnings(keeper) == ETHER - 2


@pytest.mark.parametrize("trouble", ["set_refusing", "set_burning"])
def test_execute__by_who_will_not_take_ether__reverts(protocol, desk, trader, wallet_keeper, btc, trouble):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    getattr(wallet_keeper, trouble)(True)
    with reverts(desk, "order_desk: payment failed"):
        protocol.execute(order, by=wallet_keeper.address)
    assert desk.order_hash(order.account, order.nonce) != NOTHING


@pytest.mark.parametrize("entry", ["request", "execute", "void", "cancel", "claim_refund", "live_until"])
def test_execute__reentered_on_the_payment__is_locked(protocol, desk, trader, wallet_keeper, btc, entry):
    owner = wallet_keeper.address
    protocol.deposit(owner, 100 * protocol.unit)
    void = protocol.request(owner, (btc, 1))
    protocol.wait(EXEC_WINDOW - 2)
    again, order = protocol.request(owner, (btc, 1)), protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY)
    cancel = protocol.request_conditional(owner, (btc, 1), below=118_000)
    calls = {
        "request": desk.request.prepare_calldata(account_of(owner), [(btc, 1)], 0, 0, False, 2**256 - 1),
        "execute": desk.execute.prepare_calldata([again], [update]),
        "void": desk.void.prepare_calldata(void),
        "cancel": desk.cancel.prepare_calldata(cancel),
        "claim_refund": desk.claim_refund.prepare_calldata(owner),
        "live_until": desk.live_until.prepare_calldata(account_of(owner)),
    }
    wallet_keeper.call_back(desk.address, calls[entry])
    held = boa.env.get_balance(desk.address)
    assert protocol.execute(order, by=owner) == [True]
    assert (wallet_keeper.calls(), wallet_keeper.succeeded()) == (1, False)
    assert boa.env.get_balance(desk.address) == held - order.fee
    for waiting in (void, again, cancel):
        assert desk.order_hash(waiting.account, waiting.nonce) != NOTHING
