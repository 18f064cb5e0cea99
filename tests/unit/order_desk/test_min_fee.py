"""The least fee reimburses an execution, whatever becomes of the order."""

import pytest

from everstock.chain.in_process import DELAY, UNDERLYINGS
from everstock.model.order_desk import PAYS_PERCENT

from .desk import GWEI, base_fee, cold, gas_of_calls

FLAT = 10**13
# What Pyth's verification costs on Base: two feeds, thirteen guardians; pyth-crosschain, pull request 1208.
PYTH_GAS = 300_000
BASE_FEES = [GWEI // 20, 5 * GWEI]


def whole(computation):
    """Gas of a transaction that is this call, before refunds."""
    data = bytes(computation.msg.data)
    return 21_000 + sum(16 if byte else 4 for byte in data) + computation.get_gas_used()


def test_min_fee__grows_with_legs_and_base_fee(desk):
    assert desk.min_fee(1, 0) == desk.min_fee(8, 0) == FLAT
    assert desk.min_fee(1, GWEI) == 1_050_000 * GWEI + FLAT
    assert desk.min_fee(8, GWEI) == 1_400_000 * GWEI + FLAT


@pytest.mark.parametrize("wei", [0, 1, *BASE_FEES, 10**12])
def test_min_fee__by_default_at_the_base_fee_of_the_block(desk, wei):
    with base_fee(wei):
        for legs in range(1, 9):
            assert desk.min_fee(legs) == desk.min_fee(legs, wei)


@pytest.fixture
def eight(protocol):
    """Eight series on both underlyings, dearer than they will ever be: nothing was written to them yet."""
    return [
        protocol.list_series(name, moneyness, is_put)
        for name in UNDERLYINGS
        for moneyness in (0.85, 1.15)
        for is_put in (True, False)
    ]


def one_leg(protocol, trader, eight):
    return [protocol.request(trader, (eight[0], 1))]


def one_leg_of_a_full_account(protocol, trader, eight):
    protocol.trade(trader, *[(id_, 0.5) for id_ in eight])
    return [protocol.request(trader, (eight[7], 1))]


def eight_legs(protocol, trader, eight):
    return [protocol.request(trader, *[(id_, 0.5) for id_ in eight])]


def eight_legs_of_a_full_account(protocol, trader, eight):
    protocol.trade(trader, *[(id_, 0.5) for id_ in eight])
    return [protocol.request(trader, *[(id_, -1) for id_ in eight])]


def a_batch(protocol, trader, eight):
    return [protocol.request(protocol.trader(f"trader {i}"), (eight[i], 1)) for i in range(8)]


def over_limit(protocol, trader, eight):
    protocol.trade(trader, *[(id_, 0.5) for id_ in eight])
    return [protocol.request(trader, (eight[0], 1), limit=0)]


@pytest.mark.parametrize("wei", BASE_FEES)
@pytest.mark.parametrize(
    "case",
    [
        one_leg,
        one_leg_of_a_full_account,
        eight_legs,
        eight_legs_of_a_full_account,
        a_batch,
        over_limit,
    ],
    ids=lambda case: case.__name__,
)
def test_min_fee__reimburses_whoever_executes_above_cost(protocol, desk, trader, keeper, eight, case, wei, earnings):
    with base_fee(wei):
        orders = case(protocol, trader, eight)
        protocol.publish(after=DELAY)
        updates = protocol.first_prices(orders[0])
        earnings(keeper)
        with cold():
            desk.execute(orders, updates, value=2, sender=keeper)
        gas = whole(desk._computation) - gas_of_calls(desk._computation, protocol.pyth) + PYTH_GAS
        assert earnings(keeper) > gas * wei * 11 // 10
        # So much at least an order has left that was triggered.
        assert PAYS_PERCENT * sum(desk.min_fee(len(order.legs), wei) for order in orders) > 100 * gas * wei
