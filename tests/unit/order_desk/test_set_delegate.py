import boa
import pytest

from everstock.chain.in_process import DELAY, EXEC_WINDOW, NO_DEADLINE, NO_LIMIT, account_of, events

from .desk import ETHER, ZERO_ADDRESS, reverts


@pytest.fixture
def delegate(protocol, desk, trader, other):
    """Somebody who may trade for the trader's account 0."""
    desk.set_delegate(account_of(trader), other, True, sender=trader)
    return other


def request(desk, account, sender, value=ETHER):
    return desk.request(account, [(1, 10**18)], NO_LIMIT, NO_LIMIT, False, NO_DEADLINE, value=value, sender=sender)


@pytest.mark.parametrize("allowed", [True, False])
def test_set_delegate__is_seen_and_told(desk, trader, other, allowed):
    account = account_of(trader, 5)
    desk.set_delegate(account, other, allowed, sender=trader)
    (event,) = events(desk, "DelegateSet")
    assert (event.account, event.delegate, event.allowed) == (account, other, allowed)
    assert desk.is_delegate(account, other) is allowed


def test_set_delegate__by_anyone_but_the_owner__reverts(desk, trader, delegate, keeper):
    for sender in (delegate, keeper):
        for allowed in (True, False):
            with reverts(desk, "order_desk: not the owner"):
                desk.set_delegate(account_of(trader), keeper, allowed, sender=sender)


def test_set_delegate__nobody__reverts(desk, trader):
    with reverts(desk, "order_desk: no delegate"):
        desk.set_delegate(account_of(trader), ZERO_ADDRESS, True, sender=trader)


def test_request__by_a_delegate__pays_from_and_back_to_them(protocol, desk, trader, delegate, earnings):
    earnings(trader), earnings(delegate)
    assert request(desk, account_of(trader), delegate) == 1
    (event,) = events(desk, "Requested")
    assert event.order.payer == delegate
    assert earnings(delegate) == -ETHER
    protocol.wait(EXEC_WINDOW + 1)
    desk.void(event.order, sender=trader)
    assert (earnings(delegate), earnings(trader)) == (ETHER, 0)


def test_request_conditional__by_a_delegate__passes(protocol, desk, trader, delegate, btc):
    order = protocol.request_conditional(trader, (btc, 1), above=1, by=delegate)
    assert order.payer == delegate
    desk.cancel(order, sender=trader)


def test_cancel__by_owner_or_any_delegate__whoever_requested(protocol, desk, trader, delegate, btc):
    for requests, cancels in ((trader, delegate), (delegate, trader)):
        order = protocol.request_conditional(trader, (btc, 1), above=1, by=requests)
        desk.cancel(order, sender=cancels)


def test_request__by_a_delegate_of_another_account__reverts(desk, trader, delegate):
    for account in (account_of(trader, 1), account_of(trader) ^ 1 << 96):
        with reverts(desk, "order_desk: neither owner nor delegate"):
            request(desk, account, delegate)


def test_request__by_who_is_a_delegate_no_longer__reverts_but_what_they_requested_goes_on(
    protocol, desk, trader, delegate, btc
):
    request(desk, account_of(trader), delegate)
    (event,) = events(desk, "Requested")
    desk.set_delegate(account_of(trader), delegate, False, sender=trader)
    with reverts(desk, "order_desk: neither owner nor delegate"):
        request(desk, account_of(trader), delegate)
    with reverts(desk, "order_desk: neither owner nor delegate"):
        desk.cancel(event.order, sender=delegate)
    protocol.publish(after=DELAY)
    assert protocol.execute(event.order) == [True]
    assert list(protocol.units(trader)) == [btc]


def test_withdraw__by_a_delegate__reverts(protocol, trader, delegate):
    with reverts(protocol.clearing_house, "clearing_house: not the owner"):
        protocol.clearing_house.withdraw(account_of(trader), 1, delegate, sender=delegate)
    assert boa.env.get_balance(delegate) > 0
