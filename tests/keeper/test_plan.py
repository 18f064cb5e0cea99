"""Actions as calls, as web3 would make them from the same ABIs."""

import pytest
from eth_abi import encode
from eth_utils import to_checksum_address
from web3 import Web3

from everstock.chain import artifacts
from everstock.keeper.actions import (
    Checkpoint,
    ExecuteOrders,
    Finalize,
    Fulfil,
    Liquidate,
    Resolve,
    Sample,
    TriggerOrders,
    UpdatePrices,
    VoidOrder,
)
from everstock.keeper.plan import Plan, Planner, Verdict
from tests.keeper.deployment import manifest
from tests.keeper.fake_node import refused
from tests.keeper.states import NOW, TSLA, link, order, update

DEPLOYMENT = manifest("NVDA.M", "TSLA.M")
MARKET = DEPLOYMENT.market(TSLA)
UPDATE = update(NOW)
ORDER = order(legs=((1, 5), (2, -7)), limit=-3, reduce_only=True, follows=link(9, NOW))


@pytest.fixture
def planner():
    return Planner(DEPLOYMENT)


def calldata(contract, function, *arguments):
    made = Web3().eth.contract(abi=artifacts.load(contract).abi)
    return bytes.fromhex(made.encode_abi(function, args=list(arguments))[2:])


def as_struct(o):
    return {
        "account": o.account,
        "nonce": o.nonce,
        "legs": [{"series": series, "face": face} for series, face in o.legs],
        "limit": o.limit,
        "mark_limit": o.mark_limit,
        "reduce_only": o.reduce_only,
        "deadline": o.deadline,
        "trigger": o.trigger,
        "requested_at": o.requested_at,
        "follows": o.follows,
        "fee": o.fee,
        "payer": o.payer,
    }


@pytest.mark.parametrize(
    ("action", "to", "data", "value"),
    [
        (
            UpdatePrices((0, 1), UPDATE, 1),
            DEPLOYMENT.oracle,
            ("PriceOracle", "update", [0, 1], list(UPDATE.blobs)),
            2,
        ),
        (
            Sample((1,), NOW, UPDATE, 1),
            DEPLOYMENT.volatility_oracle,
            ("VolatilityOracle", "sample", [1], list(UPDATE.blobs)),
            2,
        ),
        (
            ExecuteOrders(TSLA, (ORDER,), UPDATE, 1),
            MARKET.order_desk,
            ("OrderDesk", "execute", [as_struct(ORDER)], list(UPDATE.blobs)),
            2,
        ),
        (
            TriggerOrders(TSLA, (ORDER,), UPDATE, 1),
            MARKET.order_desk,
            ("OrderDesk", "trigger", [as_struct(ORDER)], list(UPDATE.blobs)),
            2,
        ),
        (
            TriggerOrders(TSLA, (ORDER,), None, 1),
            MARKET.order_desk,
            ("OrderDesk", "trigger", [as_struct(ORDER)], []),
            0,
        ),
        (VoidOrder(TSLA, ORDER, 1), MARKET.order_desk, ("OrderDesk", "void", as_struct(ORDER)), 0),
        (
            Liquidate(TSLA, (5, 6), UPDATE, 1),
            MARKET.liquidator,
            ("Liquidator", "liquidate", [5, 6], list(UPDATE.blobs)),
            2,
        ),
        (Liquidate(TSLA, (5,), None, 1), MARKET.liquidator, ("Liquidator", "liquidate", [5], []), 0),
        (Checkpoint(TSLA, None, 1), MARKET.clearing_house, ("ClearingHouse", "checkpoint"), 0),
        (Resolve(TSLA, (1, 2), 1), MARKET.clearing_house, ("ClearingHouse", "resolve", [1, 2]), 0),
        (Finalize(TSLA, 1), MARKET.clearing_house, ("ClearingHouse", "finalize"), 0),
        (Fulfil(TSLA, "insurance_pool", 3, 4, None, 1), MARKET.insurance_pool, ("InsurancePool", "fulfil", 3, 4), 0),
    ],
)
def test_plan__one_call(planner, action, to, data, value):
    plan = planner.plan(action)
    assert plan.send is plan.simulate
    assert (plan.send.to, plan.send.data, plan.send.value) == (to, calldata(*data), value)


@pytest.mark.parametrize(
    ("action", "to", "data"),
    [
        (Checkpoint(TSLA, UPDATE, 1), MARKET.clearing_house, ("ClearingHouse", "checkpoint")),
        (Fulfil(TSLA, "main_pool", 1, 0, UPDATE, 1), MARKET.main_pool, ("MainPool", "fulfil", 1, 0)),
    ],
)
def test_plan__prices_first__both_or_none_when_sent_and_each_by_itself_when_simulated(planner, action, to, data):
    plan = planner.plan(action)
    for call, may_fail in ((plan.send, False), (plan.simulate, True)):
        prices = calldata("PriceOracle", "update", [0, 1], list(UPDATE.blobs))
        first = (to_checksum_address(DEPLOYMENT.oracle), may_fail, 2, prices)
        calls = [first, (to_checksum_address(to), may_fail, 0, calldata(*data))]
        assert (call.to, call.value) == (DEPLOYMENT.multicall, 2)
        assert call.data == calldata("Multicall3", "aggregate3Value", calls)


# What simulations say


def both(first, second):
    return encode(["(bool,bytes)[]"], [[first, second]])


def failed(reason):
    return (False, refused(reason).data)


@pytest.mark.parametrize(
    ("action", "returned", "verdict"),
    [
        (UpdatePrices((0, 1), UPDATE, 1), b"", Verdict()),
        (VoidOrder(TSLA, ORDER, 1), b"", Verdict()),
        (Sample((0, 1), NOW, UPDATE, 1), encode(["uint256"], [1]), Verdict()),
        (Sample((0, 1), NOW, UPDATE, 1), encode(["uint256"], [0]), Verdict(idle=True)),
        (TriggerOrders(TSLA, (ORDER,), UPDATE, 1), encode(["bool[]"], [[True]]), Verdict()),
        (ExecuteOrders(TSLA, (ORDER,), UPDATE, 1), encode(["bool[]"], [[False]]), Verdict()),
        (Liquidate(TSLA, (5, 6), None, 1), encode(["uint256[]"], [[0, 1]]), Verdict()),
        (Liquidate(TSLA, (5, 6), None, 1), encode(["uint256[]"], [[0, 0]]), Verdict(idle=True)),
        (Fulfil(TSLA, "main_pool", 9, 9, None, 1), encode(["uint256"] * 2, [0, 1]), Verdict()),
        (Fulfil(TSLA, "main_pool", 9, 9, None, 1), encode(["uint256"] * 2, [0, 0]), Verdict(idle=True)),
        (
            Fulfil(TSLA, "main_pool", 9, 9, UPDATE, 1),
            both((True, b""), (True, encode(["uint256"] * 2, [0, 0]))),
            Verdict(idle=True),
        ),
        (Checkpoint(TSLA, None, 1), b"", Verdict()),
        (Checkpoint(TSLA, UPDATE, 1), both((True, b""), (True, b"")), Verdict()),
        (
            Checkpoint(TSLA, UPDATE, 1),
            both(failed("price_oracle: sequencer down"), failed("price_oracle: stale price")),
            Verdict(refused="price_oracle: sequencer down"),
        ),
        (
            Fulfil(TSLA, "main_pool", 9, 9, UPDATE, 1),
            both((True, b""), failed("risk_book: settle window")),
            Verdict(refused="risk_book: settle window"),
        ),
    ],
)
def test_judge(planner, action, returned, verdict):
    assert planner.judge(action, returned) == verdict
    assert isinstance(planner.plan(action), Plan)
