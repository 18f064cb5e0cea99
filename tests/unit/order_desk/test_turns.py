"""An account's live orders are executed in the order they went live: nobody chooses which of them finds margin."""

import pytest

from everstock.chain.in_process import DELAY, EXEC_WINDOW, NO_DEADLINE, NO_LIMIT, account_of, events
from everstock.model.order_desk import MAX_LIVE, Live

from .desk import ETHER, NOTHING, reverts
from .test_execute import is_waiting

NONE = 0
FACE = 30  # tokens


def after(order):
    """What an order follows that goes live while this one is."""
    return Live(order.requested_at + EXEC_WINDOW, order.nonce).word


@pytest.fixture
def pair(protocol, trader, btc):
    """Two market orders of an account, requested apart."""
    first = protocol.request(trader, (btc, 1))
    protocol.wait(3)
    return first, protocol.request(trader, (btc, -0.5))


@pytest.fixture
def published(protocol, pair):
    """The first price of both was published, and nobody brought it yet."""
    protocol.publish(after=DELAY)
    return pair


# What an order follows


def test_request__alone__follows_none(protocol, trader, other, btc):
    assert protocol.request(trader, (btc, 1)).follows == NONE
    assert protocol.request(other, (btc, 1)).follows == NONE
    assert protocol.request(trader, (btc, 1), subaccount=1).follows == NONE


def test_request__while_another_is_live__follows_the_last(protocol, trader, btc, pair):
    assert pair[1].follows == after(pair[0])
    assert protocol.request(trader, (btc, 1)).follows == after(pair[1])


def test_request__after_one_that_was_executed__follows_none(protocol, trader, btc):
    assert protocol.order(trader, (btc, 1))
    assert protocol.request(trader, (btc, 1)).follows == NONE


@pytest.mark.parametrize(("wait", "does"), [(EXEC_WINDOW, True), (EXEC_WINDOW + 1, False)])
def test_request__after_one_that_missed_its_window__follows_none(protocol, trader, btc, wait, does):
    first = protocol.request(trader, (btc, 1))
    protocol.wait(wait)
    assert protocol.request(trader, (btc, 1)).follows == (after(first) if does else NONE)


def test_request__conditional__follows_none_and_is_followed_by_none(protocol, trader, btc):
    protocol.request(trader, (btc, 1))
    assert protocol.request_conditional(trader, (btc, -1), below=100_000).follows == NONE
    protocol.wait(EXEC_WINDOW + 1)
    assert protocol.request(trader, (btc, 1)).follows == NONE


def test_trigger__follows_what_went_live_before__whatever_its_nonce(protocol, desk, trader, btc):
    early, late = (protocol.request_conditional(trader, (btc, 1), below=118_000) for _ in range(2))
    protocol.publish(after=DELAY, BTC=117_000)
    market = protocol.request(trader, (btc, -1))
    assert protocol.trigger(late, early) == [True, True]
    second, third = (event.order for event in events(desk, "Triggered"))
    assert (second.nonce, second.follows) == (late.nonce, after(market))
    assert (third.nonce, third.follows) == (early.nonce, after(second))


# Whose turn it is


def test_execute__before_what_it_follows__reverts(protocol, desk, pair, published):
    first, second = published
    for orders in ([second], [second, first]):
        with reverts(desk, "order_desk: not its turn"):
            protocol.execute(*orders)
    assert is_waiting(protocol, first) and is_waiting(protocol, second)


def test_execute__one_after_another__passes(protocol, trader, btc, published):
    first, second = published
    assert protocol.execute(first) == [True]
    assert protocol.execute(second) == [True]
    assert protocol.units(trader) == {btc: protocol.unit // 2}


def test_execute__both_in_one_call__passes(protocol, trader, btc, published):
    assert protocol.execute(*published) == [True, True]
    assert protocol.units(trader) == {btc: protocol.unit // 2}


def test_execute__in_one_call_after_one_that_is_not_there_any_more__passes(protocol, published):
    first, second = published
    assert protocol.execute(first) == [True]
    assert protocol.execute(first, second) == [False, True]


def test_execute__after_one_that_is_cancelled__passes(protocol, trader, btc):
    first = protocol.request(trader, (btc, 1), limit=0)
    second = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    assert protocol.execute(first) == [False]
    assert protocol.execute(second) == [True]


@pytest.mark.parametrize("wait", [EXEC_WINDOW, EXEC_WINDOW + 1])
def test_execute__once_what_it_follows_missed_its_window__passes(protocol, desk, pair, published, wait):
    first, second = published
    protocol.wait(first.requested_at + wait - protocol.now)
    if wait == EXEC_WINDOW:
        with reverts(desk, "order_desk: not its turn"):
            protocol.execute(second)
    else:
        assert protocol.execute(second) == [True]


def test_execute__after_one_that_was_voided__passes(protocol, desk, pair, published, keeper):
    first, second = published
    protocol.wait(first.requested_at + EXEC_WINDOW + 1 - protocol.now)
    desk.void(first, sender=keeper)
    assert protocol.execute(second) == [True]


def test_execute__of_another_account__needs_no_turn(protocol, trader, other, btc):
    protocol.request(trader, (btc, 1))
    theirs = protocol.request(other, (btc, 1))
    own = protocol.request(trader, (btc, 1), subaccount=1)
    protocol.publish(after=DELAY)
    assert protocol.execute(own, theirs) == [False, True]


def test_execute__three__only_in_order(protocol, desk, trader, btc, pair):
    first, second = pair
    third = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    assert protocol.execute(first) == [True]
    with reverts(desk, "order_desk: not its turn"):
        protocol.execute(third)
    assert protocol.execute(second) == [True]
    assert protocol.execute(third) == [True]


def test_execute__what_it_follows_is_live_again__does_not_wait_for_that(protocol, desk, trader, btc):
    stop = protocol.request_conditional(trader, (btc, 1), below=118_000, fee=ETHER)
    protocol.publish(after=DELAY, BTC=117_000)
    protocol.trigger(stop)
    (event,) = events(desk, "Triggered")
    protocol.wait(EXEC_WINDOW)
    second = protocol.request(trader, (btc, 1))
    assert second.follows == after(event.order)
    protocol.publish(after=DELAY, BTC=117_000)
    protocol.trigger(event.order)
    (again,) = events(desk, "Triggered")
    assert again.order.follows == after(second)
    # Both are live now, the second first.
    protocol.publish(after=DELAY, BTC=117_000)
    with reverts(desk, "order_desk: not its turn"):
        protocol.execute(again.order)
    assert protocol.execute(second) == [True]
    assert protocol.execute(again.order) == [True]


@pytest.mark.parametrize("first", ["BTC", "ETH"])
def test_execute__margin_for_either__goes_to_the_first_requested(protocol, desk, btc, eth, first):
    trader = protocol.trader("small", 2)
    series = [btc, eth] if first == "BTC" else [eth, btc]
    orders = [protocol.request(trader, (one, FACE)) for one in series]
    protocol.publish(after=DELAY)
    assert protocol.execute(*orders) == [True, False]
    assert events(desk, "Cancelled")[0].reason == "trade: below initial margin"
    assert protocol.units(trader) == {series[0]: FACE * protocol.unit}


def test_execute__terms_with_another_turn__are_not_the_order(protocol, desk, published, trader, btc):
    first, second = published
    with reverts(desk, "order_desk: unknown order"):
        protocol.execute(second._replace(follows=NONE))
    assert desk.order_hash(second.account, second.nonce) != NOTHING


# How many may be live


def to_minute(protocol):
    """Pass to the first second of the next minute of the clock, at prices of then."""
    protocol.set_prices(after=EXEC_WINDOW - protocol.now % EXEC_WINDOW)


def test_request__more_than_may_go_live_in_a_minute__reverts(protocol, desk, trader, other, btc):
    to_minute(protocol)
    for _ in range(MAX_LIVE):
        protocol.request(trader, (btc, 0.1))
    protocol.wait(EXEC_WINDOW - 1)
    with reverts(desk, "order_desk: too many live orders"):
        desk.request(*terms(trader, btc), value=ETHER, sender=trader)
    protocol.request(other, (btc, 0.1))
    protocol.request(trader, (btc, 0.1), subaccount=1)
    protocol.request_conditional(trader, (btc, 0.1), below=100_000)
    protocol.wait(1)
    for _ in range(MAX_LIVE):
        protocol.request(trader, (btc, 0.1))
    with reverts(desk, "order_desk: too many live orders"):
        desk.request(*terms(trader, btc), value=ETHER, sender=trader)


def test_request__after_so_many__executed_or_not__reverts(protocol, desk, trader, btc):
    to_minute(protocol)
    for _ in range(2):
        assert protocol.order(trader, (btc, 1))
    for _ in range(MAX_LIVE - 2):
        protocol.request(trader, (btc, 1))
    with reverts(desk, "order_desk: too many live orders"):
        desk.request(*terms(trader, btc), value=ETHER, sender=trader)


def test_trigger__more_than_may_go_live_in_a_minute__passes_over_what_is_too_many(protocol, trader, btc):
    stops = [protocol.request_conditional(trader, (btc, 0.1), below=118_000) for _ in range(2)]
    to_minute(protocol)
    protocol.publish(after=DELAY, BTC=117_900)
    for _ in range(MAX_LIVE - 1):
        protocol.request(trader, (btc, 0.1))
    assert protocol.trigger(*stops) == [True, False]
    to_minute(protocol)
    protocol.publish(after=1, BTC=117_900)
    assert protocol.trigger(stops[1]) == [True]


def terms(trader, btc):
    return account_of(trader), [(btc, 10**18)], NO_LIMIT, NO_LIMIT, False, NO_DEADLINE
