"""No gas limit, however chosen, ends an order that would have been filled."""

import boa
import pytest

from everstock.chain.in_process import DELAY, events

from .desk import cold, gas_of_calls, reverts

# What must be left before an order is filled.
TRADE_GAS = 3_000_000


def sweep(protocol, order, limits):
    """How a call with each gas limit ends: whether it traded, a reason of a cancellation, or None for a revert."""
    updates = protocol.first_prices(order)
    fee = protocol.oracle.update_fee(updates)
    outcomes = {}
    for gas in limits:
        with boa.env.anchor():
            try:
                (done,) = protocol.order_desk.execute(
                    [order], updates, value=fee, gas=gas, sender=protocol.operator
                )
                outcomes[gas] = done or events(protocol.order_desk, "Cancelled")[0].reason
            except boa.BoaError:
                outcomes[gas] = None
    return outcomes


def border_of(protocol, order, low, high):
    """The largest gas limit between two that reverts, to within 500 gas."""
    while high - low > 500:
        middle = (low + high) // 2
        if sweep(protocol, order, [middle])[middle] is None:
            low = middle
        else:
            high = middle
    return low


@pytest.mark.parametrize(("limit", "expected"), [(2**127 - 1, True), (0, "trade: over limit")])
def test_execute__with_any_gas__ends_an_order_as_with_plenty_or_not_at_all(protocol, trader, btc, limit, expected):
    order = protocol.request(trader, (btc, 1), limit=limit)
    protocol.publish(after=DELAY)
    border = border_of(protocol, order, 0, 4_000_000)
    assert TRADE_GAS < border < TRADE_GAS + 500_000
    limits = [*range(50_000, 4_000_000, 125_000), *range(border - 5_000, border + 6_000, 500)]
    for gas, outcome in sweep(protocol, order, limits).items():
        assert outcome in (None, expected), gas
        assert (outcome is None) == (gas <= border) or abs(gas - border) <= 500, gas


def test_execute__second_of_a_batch_without_gas__undoes_the_first(protocol, desk, trader, other, btc):
    orders = [protocol.request(trader, (btc, 1)), protocol.request(other, (btc, 1))]
    protocol.publish(after=DELAY)
    updates = protocol.first_prices(orders[0])
    ends = set()
    for gas in range(TRADE_GAS + 100_000, TRADE_GAS + 600_000, 20_000):
        with boa.env.anchor():
            try:
                ends.add(tuple(desk.execute(orders, updates, value=2, gas=gas, sender=protocol.operator)))
            except boa.BoaError:
                assert protocol.units(trader) == protocol.units(other) == {}
    assert ends == {(True, True)}


def test_execute__below_the_floor__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    updates = protocol.first_prices(order)
    with reverts(desk, "order_desk: not enough gas"):
        desk.execute([order], updates, value=2, gas=TRADE_GAS, sender=protocol.operator)


def test_execute__the_dearest_trade__needs_less_than_the_floor(protocol, trader):
    """Eight legs, at other than the latest prices, with a checkpoint of all the series that a market can have."""
    protocol.endow(protocol.main_pool.address, 10**6)
    series = []
    for name in ("BTC", "ETH"):
        for moneyness in (0.76, 0.82, 0.9, 1.0, 1.1, 1.2, 1.28, 1.32):
            for is_put in (False, True):
                if (name, moneyness, is_put) in (("BTC", 1.0, False), ("ETH", 1.0, False)):
                    continue
                series.append(protocol.list_series(name, moneyness, is_put))
    # At the money, from the fixture.
    series += [1, 2]
    assert len(series) == 32
    for side in (1, -1):
        for chunk in range(0, 32, 8):
            holder = protocol.trader(f"holder {side} {chunk}", 10_000)
            protocol.trade(holder, *[(id_, 5 * side) for id_ in series[chunk : chunk + 8]])
    protocol.deposit(trader, 10_000 * protocol.unit)
    held, opened = series[4:12], series[20:28]
    protocol.trade(trader, *[(id_, 1) for id_ in held])
    protocol.set_prices(after=3_590)
    order = protocol.request(trader, *[(id_, 2) for id_ in held])
    fresh = protocol.request(protocol.trader("fresh", 10_000), *[(id_, 2) for id_ in opened])
    protocol.publish(after=DELAY, BTC=120_500, ETH=4_520)
    updates = protocol.first_prices(order)
    protocol.set_prices(after=1, BTC=120_800, ETH=4_490)
    protocol.wait(20)
    for dearest in (order, fresh):
        with boa.env.anchor(), cold():
            desk = protocol.order_desk
            assert desk.execute([dearest], updates, value=2, sender=protocol.operator) == [True]
            used = gas_of_calls(desk._computation, protocol.clearing_house)
            assert 1_500_000 < used < TRADE_GAS * 63 // 64 * 3 // 4
