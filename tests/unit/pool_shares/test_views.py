from functools import reduce
from operator import xor

import boa
import pytest
from eth_utils import abi_to_signature, function_signature_to_4byte_selector

from tests.liquidity import DEPOSIT_WAIT, NEVER, REDEMPTION_WAIT, VIRTUAL_SHARES, ZERO_ADDRESS


def test_due__empty_queues__never(pool):
    assert pool.due() == (NEVER, NEVER)


def test_due__waiting_requests__when_the_next_has_waited(protocol, pool, holder, alice, unit):
    pool.request_deposit(alice, unit)
    deposit_due = protocol.now + DEPOSIT_WAIT
    protocol.wait(100)
    pool.request_deposit(alice, unit)
    pool.request_redeem(holder, pool.balanceOf(holder))
    assert pool.due() == (deposit_due, protocol.now + REDEMPTION_WAIT)
    protocol.set_prices(after=DEPOSIT_WAIT - 100)
    pool.fulfil(NEVER, NEVER)
    assert pool.due()[0] == deposit_due + 100


def test_due__next_request_taken_back__at_once(protocol, pool, alice, unit):
    pool.request_deposit(alice, unit)
    protocol.wait(8 * 86_400)
    pool.cancel_deposit(1, alice, sender=alice)
    assert pool.due()[0] <= protocol.now


def test_queue__counts_requests_given_and_done(pool, holder, alice, unit):
    for _ in range(3):
        pool.request_deposit(alice, unit)
    half = pool.balanceOf(holder) // 2
    pool.request_redeem(holder, half)
    pool.request_redeem(holder, half)
    pool.pass_redemption_wait()
    pool.fulfil(2, 1)
    assert tuple(pool.queue()) == (4, 3, 2, 1, 50 * unit)


def test_tickets__unknown__empty(pool):
    for ticket in (0, 1, NEVER):
        assert tuple(pool.deposit_ticket(ticket)) == (ZERO_ADDRESS, 0, 0, 0)
        assert tuple(pool.redemption_ticket(ticket)) == (ZERO_ADDRESS, 0, 0, 0)


def test_conversions__empty_pool__at_the_first_price(pool, unit):
    assert pool.convertToShares(unit) == unit * VIRTUAL_SHARES
    assert pool.convertToAssets(unit * VIRTUAL_SHARES) == unit
    assert pool.convertToAssets(VIRTUAL_SHARES - 1) == 0
    assert pool.convertToShares(0) == pool.convertToAssets(0) == 0


def test_conversions__round_down(pool, holder):
    pool.gain(1)
    assets, supply = pool.totalAssets(), pool.totalSupply()
    for amount in (1, 10**6 + 1, 10**18 + 7):
        assert pool.convertToShares(amount) == amount * (supply + VIRTUAL_SHARES) // (assets + 1)
        assert pool.convertToAssets(amount) == amount * (assets + 1) // (supply + VIRTUAL_SHARES)
        assert pool.convertToAssets(pool.convertToShares(amount)) <= amount


def test_total_assets__without_any_price_for_a_year__still_there(protocol, pool, holder, unit):
    protocol.wait(365 * 86_400)
    assert pool.totalAssets() == 100 * unit


def test_total_assets__what_waits_or_is_unclaimed__not_counted(pool, holder, alice, unit):
    pool.request_redeem(holder, pool.balanceOf(holder) // 2)
    pool.pass_redemption_wait()
    pool.fulfil(0, 1)
    pool.request_deposit(alice, 10 * unit)
    assert pool.tokens() == 60 * unit
    assert pool.totalAssets() == 50 * unit


@pytest.mark.parametrize("request_id", [1, NEVER])
def test_requests__of_another_id_than_0__are_none(pool, holder, alice, unit, request_id):
    pool.request_deposit(alice, unit)
    pool.request_redeem(holder, pool.balanceOf(holder) // 2)
    for state in ("pendingDepositRequest", "pendingRedeemRequest"):
        controller = alice if "Deposit" in state else holder
        assert getattr(pool, state)(0, controller) > 0
        assert getattr(pool, state)(request_id, controller) == 0
    pool.pass_redemption_wait()
    pool.fulfil(1, 1)
    for state in ("claimableDepositRequest", "claimableRedeemRequest"):
        controller = alice if "Deposit" in state else holder
        assert getattr(pool, state)(0, controller) > 0
        assert getattr(pool, state)(request_id, controller) == 0


@pytest.mark.parametrize("preview", ["previewDeposit", "previewMint", "previewRedeem", "previewWithdraw"])
@pytest.mark.parametrize("amount", [0, 1, NEVER])
def test_previews__of_an_asynchronous_vault__revert(pool, preview, amount):
    with boa.reverts("pool: asynchronous"):
        getattr(pool, preview)(amount)


@pytest.mark.parametrize("interface_id", ["01ffc9a7", "e3bc4e65", "2f0a18c5", "ce3bbe50", "620ee8e4"])
def test_supports_interface__what_the_standards_name__true(pool, interface_id):
    assert pool.supportsInterface(bytes.fromhex(interface_id))


@pytest.mark.parametrize("interface_id", ["ffffffff", "00000000", "36372b07"])
def test_supports_interface__anything_else__false(pool, interface_id):
    assert not pool.supportsInterface(bytes.fromhex(interface_id))


@pytest.mark.parametrize(
    ("interface_id", "functions"),
    [
        ("e3bc4e65", ["setOperator(address,bool)", "isOperator(address,address)"]),
        (
            "ce3bbe50",
            [
                "requestDeposit(uint256,address,address)",
                "pendingDepositRequest(uint256,address)",
                "claimableDepositRequest(uint256,address)",
                "deposit(uint256,address,address)",
                "mint(uint256,address,address)",
            ],
        ),
        (
            "620ee8e4",
            [
                "requestRedeem(uint256,address,address)",
                "pendingRedeemRequest(uint256,address)",
                "claimableRedeemRequest(uint256,address)",
            ],
        ),
    ],
)
def test_supports_interface__id__is_of_functions_that_are_there(pool, interface_id, functions):
    offered = {abi_to_signature(entry) for entry in pool.abi if entry["type"] == "function"}
    assert offered.issuperset(functions)
    selectors = [int.from_bytes(function_signature_to_4byte_selector(function), "big") for function in functions]
    assert f"{reduce(xor, selectors):08x}" == interface_id
