import boa
import pytest
from eth_abi import encode
from eth_utils import keccak

from everstock.chain.in_process import EXEC_WINDOW, NO_DEADLINE, NO_LIMIT, UNDERLYINGS, account_of, events, price
from everstock.model.order_desk import ARMED, MAX_WAIT, Trigger

from .desk import ETHER, reverts
from .test_request import ORDER_TYPE


def request(desk, trader, *, legs=((1, 1),), account=None, wait=EXEC_WINDOW, trigger=(0, 5, 0), value=ETHER):
    account = account_of(trader) if account is None else account
    deadline = boa.env.evm.patch.timestamp + wait
    terms = (account, list(legs), NO_LIMIT, NO_LIMIT, False, deadline)
    return desk.request_conditional(*terms, *trigger, value=value, sender=trader)


@pytest.mark.parametrize("underlying", UNDERLYINGS)
@pytest.mark.parametrize(("above", "below"), [(130_000, 0), (0, 110_000), (130_000, 110_000)])
def test_request_conditional__stores_the_hash_of_terms_and_trigger(protocol, desk, trader, btc, underlying, above, below):
    order = protocol.request_conditional(trader, (btc, 1), underlying=underlying, above=above, below=below, limit=-7)
    (event,) = events(desk, "Requested")
    assert (event.account, event.nonce, tuple(event.order)) == (order.account, order.nonce, tuple(order))
    assert Trigger.of(order.trigger) == (UNDERLYINGS.index(underlying), price(above), price(below))
    assert order.trigger & ARMED
    assert desk.order_hash(order.account, order.nonce) == keccak(encode([ORDER_TYPE], [tuple(order)]))


def test_request_conditional__nonces_are_shared_with_market_orders(protocol, desk, trader, btc):
    assert protocol.request(trader, (btc, 1)).nonce == 1
    assert protocol.request_conditional(trader, (btc, 1), above=1).nonce == 2
    assert protocol.request(trader, (btc, 1)).nonce == 3
    assert desk.last_nonce(account_of(trader)) == 3


def test_request_conditional__leaves_the_margin_free(protocol, desk, trader, btc):
    protocol.request_conditional(trader, (btc, 1), above=1)
    assert desk.live_until(account_of(trader)) == 0
    protocol.clearing_house.withdraw(account_of(trader), 1, trader, sender=trader)


def test_request_conditional__keeps_the_lock_of_an_order_before_it(protocol, desk, trader, btc):
    protocol.request(trader, (btc, 1))
    until = desk.live_until(account_of(trader))
    protocol.wait(10)
    protocol.request_conditional(trader, (btc, 1), above=1)
    assert desk.live_until(account_of(trader)) == until


def test_request_conditional__for_an_account_of_somebody_else__reverts(desk, trader, other):
    with reverts(desk, "order_desk: neither owner nor delegate"):
        request(desk, trader, account=account_of(other))


@pytest.mark.parametrize(
    ("trigger", "reason"),
    [
        ((2, 5, 0), "order_desk: unknown underlying"),
        ((2**256 - 1, 5, 0), "order_desk: unknown underlying"),
        ((0, 0, 0), "order_desk: no trigger"),
        ((0, 2**64, 0), "order_desk: trigger too large"),
        ((0, 0, 2**64), "order_desk: trigger too large"),
        ((0, 2**256 - 1, 2**256 - 1), "order_desk: trigger too large"),
        ((0, 5, 5), "order_desk: triggers crossed"),
        ((0, 5, 6), "order_desk: triggers crossed"),
    ],
)
def test_request_conditional__trigger_that_cannot_be__reverts(desk, trader, trigger, reason):
    with reverts(desk, reason):
        request(desk, trader, trigger=trigger)


@pytest.mark.parametrize("trigger", [(1, 2**64 - 1, 0), (0, 0, 2**64 - 1), (0, 2**64 - 1, 2**64 - 2), (0, 1, 0)])
def test_request_conditional__any_other_trigger__passes(desk, trader, trigger):
    assert request(desk, trader, trigger=trigger) == 1


def test_request_conditional__deadline_out_of_reach__reverts(desk, trader):
    with reverts(desk, "order_desk: deadline too early"):
        request(desk, trader, wait=EXEC_WINDOW - 1)
    with reverts(desk, "order_desk: deadline too late"):
        request(desk, trader, wait=MAX_WAIT + 1)
    with reverts(desk, "order_desk: deadline too late"):
        request(desk, trader, wait=NO_DEADLINE - boa.env.evm.patch.timestamp)
    assert [request(desk, trader, wait=wait) for wait in (EXEC_WINDOW, MAX_WAIT)] == [1, 2]


def test_request_conditional__fee_below_the_least__reverts(desk, trader):
    for legs in ([(1, 1)], [(1, 1), (2, 1)]):
        least = desk.min_fee(len(legs), boa.env.evm.vm.state.base_fee, True)
        for value in (0, desk.min_fee(len(legs)), least - 1):
            with reverts(desk, "order_desk: fee too low"):
                request(desk, trader, legs=legs, value=value)
        request(desk, trader, legs=legs, value=least)


@pytest.mark.parametrize(
    ("legs", "reason"),
    [
        ([], "order_desk: no legs"),
        ([(0, 1)], "order_desk: unknown series"),
        ([(1, 0)], "order_desk: zero face"),
        ([(1, 2**127)], "order_desk: face too large"),
        ([(1, 1), (1, 2)], "order_desk: series twice"),
    ],
)
def test_request_conditional__legs_as_of_any_order(desk, trader, legs, reason):
    with reverts(desk, reason):
        request(desk, trader, legs=legs)
