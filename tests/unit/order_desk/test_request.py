import boa
import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from everstock.chain.in_process import DELAY, EXEC_WINDOW, NO_DEADLINE, NO_LIMIT, UNDERLYINGS, account_of, events

from .desk import ETHER, reverts

ORDER_TYPE = "(uint256,uint256,(uint256,int256)[],int128,int128,bool,uint256,uint256,uint256,uint256,uint256,address)"
MAX_FACE = 2**127 - 1


def request(desk, trader, legs, *, account=None, limit=NO_LIMIT, mark_limit=NO_LIMIT, deadline=NO_DEADLINE, value=ETHER):
    account = account_of(trader) if account is None else account
    return desk.request(account, legs, limit, mark_limit, False, deadline, value=value, sender=trader)


def test_request__stores_the_hash_of_the_terms_and_nothing_else(protocol, desk, trader, btc, eth):
    deadline = protocol.now + 90
    order = protocol.request(trader, (btc, 1.5), (eth, -2), limit=-7, reduce_only=True, deadline=deadline, fee=ETHER)
    account, unit = account_of(trader), protocol.unit
    legs = [(btc, unit * 3 // 2), (eth, -2 * unit)]
    assert tuple(order) == (account, 1, legs, -7, NO_LIMIT, True, deadline, 0, protocol.now, 0, ETHER, trader)
    (event,) = events(desk, "Requested")
    assert (event.account, event.nonce) == (account, 1)
    assert desk.order_hash(order.account, order.nonce) == keccak(encode([ORDER_TYPE], [tuple(order)]))


def test_request__escrows_all_ether_sent(protocol, desk, trader, btc):
    before = boa.env.get_balance(desk.address)
    order = protocol.request(trader, (btc, 1), fee=ETHER)
    assert order.fee == ETHER
    assert boa.env.get_balance(desk.address) == before + ETHER


def test_request__nonces_count_per_account_from_one(protocol, desk, trader, other, btc):
    assert [protocol.request(trader, (btc, 1)).nonce for _ in range(3)] == [1, 2, 3]
    assert protocol.request(other, (btc, 1)).nonce == 1
    assert protocol.request(trader, (btc, 1), subaccount=7).nonce == 1
    assert [desk.last_nonce(account_of(*who)) for who in [(trader,), (trader, 7), (trader, 8)]] == [3, 1, 0]


def test_request__needs_no_margin_yet_and_no_price(protocol, btc):
    protocol.wait(7 * 86_400)
    assert protocol.request(protocol.actor("penniless"), (btc, 1)).nonce == 1


def test_request__for_an_account_of_somebody_else__reverts(desk, trader, other, btc):
    for subaccount in (0, 1, 2**96 - 1):
        with reverts(desk, "order_desk: neither owner nor delegate"):
            request(desk, trader, [(btc, 1)], account=account_of(other, subaccount))
    with reverts(desk, "order_desk: neither owner nor delegate"):
        request(desk, trader, [(btc, 1)], account=0)


def test_request__any_subaccount_of_ones_own__passes(desk, trader, btc):
    for subaccount in (1, 2**96 - 1):
        assert request(desk, trader, [(btc, 1)], account=account_of(trader, subaccount)) == 1


def test_request__without_legs__reverts(desk, trader):
    with reverts(desk, "order_desk: no legs"):
        request(desk, trader, [])


def test_request__eight_legs__pass_and_nine_are_none(protocol, desk, trader):
    strikes = [(moneyness, is_put) for moneyness in (0.85, 1.15) for is_put in (True, False)]
    series = [1, *(protocol.list_series(name, *strike) for name in UNDERLYINGS for strike in strikes)]
    assert request(desk, trader, [(id_, 1) for id_ in series[:8]]) == 1
    with pytest.raises(boa.BoaError):
        request(desk, trader, [(id_, 1) for id_ in series])


# Whoever could still list the series, as a call or a put, or open or close it, would choose with the price in sight.


@pytest.mark.parametrize("reduce_only", [False, True])
def test_request__series_that_nobody_listed__reverts(protocol, desk, trader, btc, reduce_only):
    unknown = protocol.risk_book.market_words().series_count + 1
    with reverts(desk, "order_desk: series not open"):
        protocol.request(trader, (btc, 1), (unknown, 1), reduce_only=reduce_only)
    with reverts(desk, "order_desk: series not open"):
        protocol.request_conditional(trader, (unknown, 1), above=1, reduce_only=reduce_only)
    assert protocol.list_series("BTC", 0.9) == unknown
    protocol.request(trader, (unknown, 1))


@pytest.mark.parametrize("reduce_only", [False, True])
def test_request__series_that_is_retired__reverts(protocol, desk, trader, reduce_only):
    series = protocol.list_series("BTC", 0.9)
    protocol.set_prices(after=3_601)
    protocol.series_listing.give_notice(series)
    protocol.set_prices(after=61)
    protocol.series_listing.delist(series)
    with reverts(desk, "order_desk: series not open"):
        protocol.request(trader, (series, 1), reduce_only=reduce_only)


def test_request__series_on_notice__only_to_reduce_and_from_its_first_second_on(protocol, desk, trader, btc):
    series = protocol.list_series("BTC", 0.9)
    protocol.set_prices(after=3_601)
    protocol.request(trader, (series, 1))
    protocol.series_listing.give_notice(series)
    for wait in (0, 61):
        protocol.wait(wait)
        with reverts(desk, "order_desk: series not open"):
            protocol.request(trader, (series, 1))
        protocol.request(trader, (series, 1), reduce_only=True)


@pytest.mark.parametrize("series", [0, 2**16, 2**255, 2**256 - 1])
def test_request__series_that_cannot_be__reverts(desk, trader, series):
    with reverts(desk, "order_desk: unknown series"):
        request(desk, trader, [(1, 1), (series, 1)])


def test_request__zero_face__reverts(desk, trader):
    with reverts(desk, "order_desk: zero face"):
        request(desk, trader, [(1, 1), (2, 0)])


@pytest.mark.parametrize("face", [MAX_FACE + 1, -MAX_FACE - 1, 2**255 - 1, -(2**255)])
def test_request__face_too_large__reverts(desk, trader, face):
    with reverts(desk, "order_desk: face too large"):
        request(desk, trader, [(1, face)])


def test_request__largest_face__passes(desk, trader):
    assert request(desk, trader, [(1, MAX_FACE), (2, -MAX_FACE)]) == 1


@given(series=st.lists(st.integers(1, 3), min_size=2, max_size=8))
@settings(max_examples=40, deadline=None)
def test_request__passes_just_when_no_series_is_named_twice(listed, series):
    desk, trader = listed[0].order_desk, listed[0].actor("trader")
    legs = [(id_, 1) for id_ in series]
    if len(set(series)) < len(series):
        with reverts(desk, "order_desk: series twice"):
            request(desk, trader, legs)
    elif max(series) > 2:
        with reverts(desk, "order_desk: series not open"):
            request(desk, trader, legs)
    else:
        request(desk, trader, legs)


def test_request__fee_below_the_least__reverts(desk, trader):
    for legs in ([(1, 1)], [(1, 1), (2, 1)]):
        least = desk.min_fee(len(legs))
        with reverts(desk, "order_desk: fee too low"):
            request(desk, trader, legs, value=least - 1)
        with reverts(desk, "order_desk: fee too low"):
            request(desk, trader, legs, value=0)
        request(desk, trader, legs, value=least)


def test_request__deadline_before_its_window_ends__reverts(protocol, desk, trader):
    """Or it could be left to its deadline by who sees what its price will be."""
    for deadline in (0, protocol.now, protocol.now + DELAY, protocol.now + EXEC_WINDOW - 1):
        with reverts(desk, "order_desk: deadline too early"):
            request(desk, trader, [(1, 1)], deadline=deadline)
    request(desk, trader, [(1, 1)], deadline=protocol.now + EXEC_WINDOW)


@pytest.mark.parametrize("limit", [-(2**127), 0, 2**127 - 1])
def test_request__any_limit__passes(desk, trader, limit):
    assert request(desk, trader, [(1, 1)], limit=limit, mark_limit=limit) == 1


def test_request__in_a_settle_window__passes(protocol, trader, btc):
    protocol.set_prices(BTC=105_000)
    protocol.clearing_house.checkpoint()
    assert protocol.request(trader, (btc, 1)).nonce == 1


def test_live_until__until_the_order_is_executed(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    assert desk.live_until(order.account) == order.requested_at + EXEC_WINDOW
    assert protocol.execute(order) == [True]
    assert desk.live_until(order.account) == 0


def test_live_until__of_two_live_at_once__until_the_later_is_executed(protocol, desk, trader, btc):
    orders = [protocol.request(trader, (btc, 1)) for _ in range(2)]
    protocol.publish(after=DELAY)
    for order, until in zip(orders, (orders[1].requested_at + EXEC_WINDOW, 0), strict=True):
        assert protocol.execute(order) == [True]
        assert desk.live_until(order.account) == until


def test_live_until__the_window_of_the_last_request(protocol, desk, trader, other, btc):
    assert desk.live_until(account_of(trader)) == 0
    protocol.request(trader, (btc, 1))
    first = protocol.now
    assert desk.live_until(account_of(trader)) == first + EXEC_WINDOW
    protocol.wait(10)
    protocol.request(trader, (btc, 1))
    assert desk.live_until(account_of(trader)) == first + 10 + EXEC_WINDOW
    assert desk.live_until(account_of(other)) == desk.live_until(account_of(trader, 1)) == 0
