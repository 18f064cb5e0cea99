"""Revert data in words."""

import pytest
from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector as selector

from everstock.chain.transactions import reason_of


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "reverted without a reason"),
        (selector("Error(string)") + encode(["string"], ["order_desk: too early"]), "order_desk: too early"),
        (selector("Panic(uint256)") + encode(["uint256"], [0x11]), "panic: arithmetic overflow"),
        (selector("Panic(uint256)") + encode(["uint256"], [0x99]), "panic: 0x99"),
        # The selectors that pyth-sdk-solidity documents.
        (bytes.fromhex("025dbdd4"), "InsufficientFee"),
        (bytes.fromhex("45805f5d"), "PriceFeedNotFoundWithinRange"),
        (bytes.fromhex("14aebe68"), "PriceFeedNotFound"),
        (bytes.fromhex("19abf40e"), "StalePrice"),
        (bytes.fromhex("2acbe915"), "InvalidWormholeVaa"),
        (bytes.fromhex("e69ffece"), "InvalidUpdateData"),
        (bytes.fromhex("e60dce71"), "InvalidUpdateDataSource"),
        (bytes.fromhex("deadbeef"), "0xdeadbeef"),
        (selector("Error(string)") + b"\1", "0x08c379a001"),
    ],
)
def test_reason_of(data, reason):
    assert reason_of(data) == reason
