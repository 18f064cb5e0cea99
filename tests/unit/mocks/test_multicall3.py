"""Our Multicall3: many calls in one, and what happens when one of them fails."""

import boa
import pytest
from eth_abi import decode, encode
from eth_utils import function_signature_to_4byte_selector as selector

DECIMALS = selector("decimals()")
FAILING = selector("getRoundData(uint80)") + encode(["uint80"], [7])


@pytest.fixture
def good(btc_usd):
    return (btc_usd.address, DECIMALS)


@pytest.fixture
def bad(btc_usd):
    return (btc_usd.address, FAILING)


def test_aggregate__returns_what_each_returned(multicall, good):
    block, returned = multicall.aggregate([good, good])
    assert block == boa.env.evm.patch.block_number
    assert [decode(["uint8"], data) for data in returned] == [(8,), (8,)]


def test_aggregate__one_fails__reverts(multicall, good, bad):
    with boa.reverts("Multicall3: call failed"):
        multicall.aggregate([good, bad])


def test_try_aggregate__success_required_or_not(multicall, good, bad):
    results = multicall.tryAggregate(False, [good, bad])
    assert [result[0] for result in results] == [True, False]
    assert multicall.tryBlockAndAggregate(False, [good, bad])[2] == results
    with boa.reverts("Multicall3: call failed"):
        multicall.tryAggregate(True, [good, bad])
    with boa.reverts("Multicall3: call failed"):
        multicall.blockAndAggregate([good, bad])


def test_aggregate3__failure_allowed_or_not(multicall, good, bad):
    results = multicall.aggregate3([(good[0], False, good[1]), (bad[0], True, bad[1])])
    assert [result[0] for result in results] == [True, False]
    with boa.reverts("Multicall3: call failed"):
        multicall.aggregate3([(bad[0], False, bad[1])])


def test_aggregate3_value__passes_the_values_on(multicall, weth):
    payer = boa.env.generate_address("payer")
    boa.env.set_balance(payer, 100)
    calls = [(weth.address, False, amount, selector("deposit()")) for amount in (10, 20)]
    multicall.aggregate3Value(calls, value=30, sender=payer)
    assert weth.balanceOf(multicall.address) == 30
    with boa.reverts("Multicall3: value mismatch"):
        multicall.aggregate3Value([(payer, True, 10, b"")], value=30, sender=payer)


def test_facts_of_the_block(multicall):
    assert multicall.getBlockNumber() == boa.env.evm.patch.block_number
    assert multicall.getCurrentBlockTimestamp() == boa.env.timestamp
    assert multicall.getChainId() == boa.env.evm.patch.chain_id
    holder = boa.env.generate_address("holder")
    boa.env.set_balance(holder, 7)
    assert multicall.getEthBalance(holder) == 7
