import boa
import pytest

from everstock.chain.in_process import events

from tests.liquidity import DEPOSIT_WAIT, MAX_BATCH, MAX_WAIT, NEVER, ZERO_ADDRESS


@pytest.fixture
def ticket(pool, alice, unit):
    return pool.request_deposit(alice, 10 * unit)


@pytest.fixture
def overdue_ticket(protocol, ticket):
    protocol.wait(DEPOSIT_WAIT + MAX_WAIT)
    return ticket


def test_cancel_deposit__overdue__returns_the_escrow(protocol, pool, alice, overdue_ticket, unit):
    receiver = protocol.actor("receiver")
    assert pool.cancel_deposit(overdue_ticket, receiver, sender=alice) == 10 * unit
    (event,) = events(pool.contract, "DepositCancelled")
    assert (event.ticket, event.controller, event.receiver, event.assets) == (1, alice, receiver, 10 * unit)
    assert protocol.token.balanceOf(receiver) == 10 * unit
    assert pool.tokens() == 0
    assert pool.pendingDepositRequest(0, alice) == 0
    assert tuple(pool.deposit_ticket(1)) == (ZERO_ADDRESS, 0, 0, 0)


def test_cancel_deposit__a_second_before_overdue__reverts(protocol, pool, alice, ticket):
    protocol.wait(DEPOSIT_WAIT + MAX_WAIT - 1)
    with boa.reverts("pool: not overdue"):
        pool.cancel_deposit(ticket, alice, sender=alice)
    protocol.wait(1)
    pool.cancel_deposit(ticket, alice, sender=alice)


def test_cancel_deposit__in_settle_window_without_a_price__works(protocol, pool, alice, overdue_ticket):
    protocol.set_prices()
    pool.open_settle_window()
    protocol.wait(300)
    pool.cancel_deposit(overdue_ticket, alice, sender=alice)


def test_cancel_deposit__by_operator__works(pool, alice, outsider, overdue_ticket):
    pool.setOperator(outsider, True, sender=alice)
    pool.cancel_deposit(overdue_ticket, alice, sender=outsider)


def test_cancel_deposit__by_anyone_else__reverts(pool, bob, overdue_ticket):
    with boa.reverts("pool: not the controller"):
        pool.cancel_deposit(overdue_ticket, bob, sender=bob)


def test_cancel_deposit__by_the_owner_who_gave_control_away__reverts(protocol, pool, alice, bob, unit):
    pool.requestDeposit(10 * unit, bob, alice, sender=alice)
    protocol.wait(DEPOSIT_WAIT + MAX_WAIT)
    with boa.reverts("pool: not the controller"):
        pool.cancel_deposit(1, alice, sender=alice)


@pytest.mark.parametrize("receiver", ["nobody", "the pool"])
def test_cancel_deposit__receiver_that_would_lose_it__reverts(pool, alice, overdue_ticket, receiver):
    address = ZERO_ADDRESS if receiver == "nobody" else pool.address
    with boa.reverts("pool: no receiver"):
        pool.cancel_deposit(overdue_ticket, address, sender=alice)


@pytest.mark.parametrize("unknown", [0, 2, NEVER])
def test_cancel_deposit__unknown_ticket__reverts(pool, alice, overdue_ticket, unknown):
    with boa.reverts("pool: no request"):
        pool.cancel_deposit(unknown, alice, sender=alice)


def test_cancel_deposit__twice__reverts(pool, alice, overdue_ticket):
    pool.cancel_deposit(overdue_ticket, alice, sender=alice)
    with boa.reverts("pool: no request"):
        pool.cancel_deposit(overdue_ticket, alice, sender=alice)


def test_cancel_deposit__executed__reverts(protocol, pool, alice, overdue_ticket):
    protocol.set_prices()
    pool.fulfil(1, 0)
    with boa.reverts("pool: no request"):
        pool.cancel_deposit(overdue_ticket, alice, sender=alice)


def test_cancel_deposit__token_that_returns_false__reverts_and_stays(protocol, pool, alice, overdue_ticket, unit):
    protocol.token.set_refusing(True)
    with boa.reverts("pool: transfer failed"):
        pool.cancel_deposit(overdue_ticket, alice, sender=alice)
    protocol.token.set_refusing(False)
    assert pool.cancel_deposit(overdue_ticket, alice, sender=alice) == 10 * unit


def test_cancel_deposit__in_the_middle__leaves_the_others_their_order(protocol, pool, alice, bob, unit):
    for provider in (alice, bob, alice):
        pool.request_deposit(provider, 10 * unit)
    protocol.wait(DEPOSIT_WAIT + MAX_WAIT)
    pool.cancel_deposit(2, bob, sender=bob)
    protocol.set_prices()
    assert pool.fulfil(MAX_BATCH, 0) == (3, 0)
    assert [event.ticket for event in events(pool.contract, "DepositExecuted")] == [1, 3]
    assert pool.claimableDepositRequest(0, alice) == 20 * unit
    assert pool.claimableDepositRequest(0, bob) == 0


def test_cancel_deposit__first_in_the_queue__holds_nobody_up(protocol, pool, alice, bob, unit):
    pool.request_deposit(alice, 10 * unit)
    pool.request_deposit(bob, 10 * unit)
    protocol.wait(DEPOSIT_WAIT + MAX_WAIT)
    pool.cancel_deposit(1, alice, sender=alice)
    protocol.set_prices()
    pool.fulfil(MAX_BATCH, 0)
    assert pool.claimableDepositRequest(0, bob) == 10 * unit
