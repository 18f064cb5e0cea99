import boa
import pytest

from everstock.chain.in_process import EXEC_WINDOW, events

from .desk import ETHER, ZERO_ADDRESS, reverts


@pytest.fixture
def owner(protocol, desk, wallet_trader, keeper, btc):
    """A wallet that refused two fees, one ether together."""
    orders = [protocol.request(wallet_trader.address, (btc, 1), fee=ETHER // 2) for _ in range(2)]
    protocol.wait(EXEC_WINDOW + 1)
    wallet_trader.set_refusing(True)
    for order in orders:
        desk.void(order, sender=keeper)
    return wallet_trader


def test_claim_refund__sends_all_that_waits_to_the_receiver(desk, owner, other, earnings):
    earnings(other)
    assert desk.claim_refund(other, sender=owner.address) == ETHER
    (event,) = events(desk, "RefundClaimed")
    assert (event.owner, event.receiver, event.amount) == (owner.address, other, ETHER)
    assert earnings(other) == ETHER
    assert desk.refunds(owner.address) == boa.env.get_balance(desk.address) == 0


def test_claim_refund__twice__reverts(desk, owner, other):
    desk.claim_refund(other, sender=owner.address)
    with reverts(desk, "order_desk: nothing to claim"):
        desk.claim_refund(other, sender=owner.address)


def test_claim_refund__of_somebody_else__reverts(desk, owner, other, keeper):
    for nobody in (other, keeper):
        with reverts(desk, "order_desk: nothing to claim"):
            desk.claim_refund(nobody, sender=nobody)


def test_claim_refund__to_who_refuses__reverts_and_keeps_it(desk, owner):
    with reverts(desk, "order_desk: refund failed"):
        desk.claim_refund(owner.address, sender=owner.address)
    assert desk.refunds(owner.address) == ETHER
    owner.set_refusing(False)
    assert desk.claim_refund(owner.address, sender=owner.address) == ETHER


def test_claim_refund__to_nobody__reverts(desk, owner):
    with reverts(desk, "order_desk: no receiver"):
        desk.claim_refund(ZERO_ADDRESS, sender=owner.address)
    assert desk.refunds(owner.address) == ETHER


def test_claim_refund__reentered__pays_once(protocol, desk, owner, other, btc):
    protocol.request(other, (btc, 1), fee=5 * ETHER)
    owner.set_refusing(False)
    owner.call_back(desk.address, desk.claim_refund.prepare_calldata(owner.address))
    assert desk.claim_refund(owner.address, sender=owner.address) == ETHER
    assert (owner.calls(), owner.succeeded()) == (1, False)
    assert boa.env.get_balance(desk.address) == 5 * ETHER
