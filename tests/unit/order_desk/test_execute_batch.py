"""Several orders in one call: one price for all, each with an end of its own."""

import boa
import pytest

from everstock.chain import addresses
from everstock.chain.in_process import DELAY, EXEC_WINDOW, events, price

from .desk import NOTHING, reverts


def is_waiting(protocol, order):
    return protocol.order_desk.order_hash(order.account, order.nonce) != NOTHING


def execute(protocol, orders, updates, by=None):
    fee = protocol.oracle.update_fee(updates)
    return protocol.order_desk.execute(orders, updates, value=fee, sender=by or protocol.operator)


def test_execute__a_batch__pays_all_fees_at_once(protocol, desk, trader, other, keeper, btc, eth, earnings):
    orders = [protocol.request(trader, (btc, 1)), protocol.request(other, (eth, -1), (btc, 2))]
    protocol.publish(after=DELAY)
    earnings(keeper)
    assert protocol.execute(*orders, by=keeper) == [True, True]
    assert [event.account for event in events(desk, "Executed")] == [order.account for order in orders]
    assert earnings(keeper) == sum(order.fee for order in orders) - 2
    assert boa.env.get_balance(desk.address) == 0


def test_execute__eight_orders__pass(protocol, btc):
    orders = [protocol.request(protocol.trader(f"trader {i}"), (btc, 1)) for i in range(8)]
    protocol.publish(after=DELAY)
    assert protocol.execute(*orders) == 8 * [True]


def test_execute__nine_orders__are_too_many(protocol, btc):
    orders = [protocol.request(protocol.trader(f"trader {i}"), (btc, 1)) for i in range(9)]
    protocol.publish(after=DELAY)
    with pytest.raises(boa.BoaError):
        protocol.execute(*orders)


def test_execute__one_that_fails_for_its_own_reason__stops_no_other(
    protocol, desk, trader, other, keeper, btc, earnings
):
    orders = [
        protocol.request(trader, (btc, 1), limit=0),
        protocol.request(other, (btc, 1)),
        protocol.request(trader, (btc, 0.1)),
        protocol.request(trader, (btc, 1), mark_limit=0),
    ]
    protocol.publish(after=DELAY)
    earnings(keeper)
    assert protocol.execute(*orders, by=keeper) == [False, True, False, False]
    assert [event.reason for event in events(desk, "Cancelled")] == [
        "trade: over limit",
        "trade: face below minimum",
        "trade: mark over limit",
    ]
    assert earnings(keeper) == sum(order.fee for order in orders) - 2


def test_execute__one_that_meets_a_guard__stops_all(protocol, desk, trader, other, btc):
    protocol.order(trader, (btc, 1))
    closing, opening = protocol.request(trader, (btc, -1)), protocol.request(other, (btc, 1))
    protocol.publish(after=DELAY)
    protocol.chainlink["BTC"].publish(price(118_000), protocol.now, protocol.now, sender=protocol.operator)
    with reverts(desk, "risk_book: far from chainlink"):
        protocol.execute(closing, opening)
    assert is_waiting(protocol, closing) and is_waiting(protocol, opening)
    assert protocol.execute(closing) == [True]


def test_execute__one_that_somebody_else_was_faster_with__is_passed_over(
    protocol, trader, other, keeper, btc, earnings
):
    first, second = protocol.request(trader, (btc, 1)), protocol.request(other, (btc, 1))
    protocol.publish(after=DELAY)
    protocol.execute(first)
    earnings(keeper)
    assert protocol.execute(first, second, by=keeper) == [False, True]
    assert earnings(keeper) == second.fee - 2


def test_execute__all_gone__reverts(protocol, desk, trader, other, btc):
    orders = [protocol.request(trader, (btc, 1)), protocol.request(other, (btc, 1))]
    protocol.publish(after=DELAY)
    protocol.execute(*orders)
    with reverts(desk, "order_desk: unknown order"):
        protocol.execute(*orders)


def test_execute__the_same_order_twice_in_a_batch__runs_and_pays_once(protocol, trader, other, keeper, btc, earnings):
    order = protocol.request(trader, (btc, 1))
    waiting = protocol.request(other, (btc, 1))
    protocol.publish(after=DELAY)
    earnings(keeper), earnings(protocol.order_desk.address)
    assert protocol.execute(order, order, order, by=keeper) == [True, False, False]
    assert protocol.units(trader) == {btc: protocol.unit}
    assert earnings(keeper) == order.fee - 2
    assert earnings(protocol.order_desk.address) == -order.fee
    assert is_waiting(protocol, waiting)


def test_execute__an_unknown_order__sets_no_times(protocol, trader, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    unknown = order._replace(requested_at=0), order._replace(nonce=9, requested_at=2**256 - 1)
    assert execute(protocol, [*unknown, order], protocol.first_prices(order)) == [False, False, True]


def test_execute__two_orders_of_an_account__run_one_after_another(protocol, trader, btc):
    buy, sell = protocol.request(trader, (btc, 2)), protocol.request(trader, (btc, -3), reduce_only=True)
    protocol.publish(after=DELAY)
    assert protocol.execute(buy, sell) == [True, True]
    assert protocol.units(trader) == {}


def test_execute__requested_apart_with_one_first_price__share_it(protocol, desk, trader, other, btc):
    first = protocol.request(trader, (btc, 1))
    protocol.wait(5)
    second = protocol.request(other, (btc, 1))
    update = protocol.publish(after=DELAY, BTC=120_300)
    assert execute(protocol, [second, first], [update]) == [True, True]
    assert {event.prices[0] for event in events(desk, "Executed")} == {price(120_300)}


def test_execute__price_is_not_the_first_of_the_later_order__reverts(protocol, desk, trader, other, btc):
    first = protocol.request(trader, (btc, 1))
    protocol.wait(2)
    second = protocol.request(other, (btc, 1))
    # Two seconds later: first after the first order's delay, before the end of the second's.
    early = protocol.publish(after=2)
    late = protocol.publish(after=3)
    for orders in ([first, second], [second, first]):
        with reverts(desk, "order_desk: not the first price"):
            execute(protocol, orders, [early])
        with reverts(desk, "PriceFeedNotFoundWithinRange"):
            execute(protocol, orders, [late])
    assert is_waiting(protocol, first) and is_waiting(protocol, second)
    assert execute(protocol, [first], [early]) == [True]
    assert execute(protocol, [second], [late]) == [True]


def test_execute__one_underlying_not_the_first_of_the_later_order__reverts(protocol, desk, trader, other, keeper, eth):
    """Also where nobody trades it: whoever executes makes two calls."""
    first = protocol.request(trader, (eth, 1))
    protocol.wait(2)
    second = protocol.request(other, (eth, 1))
    protocol.wait(2)
    early = protocol.publisher.publish({addresses.PYTH_IDS["BTC"]: price(120_000)}, protocol.now)
    protocol.wait(3)
    late = protocol.publisher.publish({addresses.PYTH_IDS["ETH"]: price(4_500)}, protocol.now)
    with reverts(desk, "order_desk: not the first price"):
        desk.execute([first, second], [early, late], value=2, sender=keeper)
    assert desk.execute([first], [early, late], value=2, sender=keeper) == [True]
    later = protocol.publisher.publish({addresses.PYTH_IDS["BTC"]: price(120_000)}, protocol.now)
    assert desk.execute([second], [later, late], value=2, sender=keeper) == [True]


def test_execute__one_too_early_or_too_late__reverts(protocol, desk, trader, other, btc):
    first = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    second = protocol.request(other, (btc, 1))
    with reverts(desk, "order_desk: too early"):
        protocol.execute(first, second)
    protocol.publish(after=EXEC_WINDOW - DELAY + 1)
    with reverts(desk, "order_desk: window missed"):
        protocol.execute(second, first)
    assert protocol.execute(second) == [True]


@pytest.mark.parametrize("trouble", ["set_refusing", "set_burning"])
def test_execute__a_trader_that_will_not_take_ether__stops_no_batch(
    protocol, trader, wallet_trader, keeper, btc, trouble, earnings
):
    orders = [
        protocol.request(wallet_trader.address, (btc, 1), limit=0),
        protocol.request(trader, (btc, 1)),
        protocol.request(wallet_trader.address, (btc, 1)),
    ]
    getattr(wallet_trader, trouble)(True)
    protocol.publish(after=DELAY)
    earnings(keeper)
    assert protocol.execute(*orders, by=keeper) == [False, True, True]
    assert earnings(keeper) == sum(order.fee for order in orders) - 2
