"""What the tests of the order desk share: its events and reasons, and wallets that make trouble with ether."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import boa
import pytest
from boa import BoaError
from boa.contracts.vyper.vyper_contract import VyperContract, VyperDeployer

from everstock.chain.transactions import reason_of

ETHER: Final = 10**18
GWEI: Final = 10**9
ZERO_ADDRESS: Final = "0x" + 40 * "0"
NOTHING: Final = bytes(32)

# Takes ether as it is told to: gladly, not at all, burning all gas, or calling back.
WALLET: Final = """
# pragma version 0.4.3

refusing: public(bool)
burning: public(bool)
target: public(address)
data: public(Bytes[4096])
calls: public(uint256)
succeeded: public(bool)

@payable
@external
def __default__():
    assert not self.refusing, "wallet: no ether"
    if self.burning:
        raise UNREACHABLE
    if self.target != empty(address):
        self.calls += 1
        self.succeeded = raw_call(self.target, self.data, revert_on_failure=False)

@external
def set_refusing(refusing: bool):
    self.refusing = refusing

@external
def set_burning(burning: bool):
    self.burning = burning

@external
def call_back(target: address, data: Bytes[4096]):
    self.target = target
    self.data = data
"""


@cache
def _wallet() -> VyperDeployer:
    return boa.loads_partial(WALLET)


def wallet() -> VyperContract:
    """A contract with ether that takes more of it, until it is told otherwise."""
    contract = _wallet().deploy()
    boa.env.set_balance(contract.address, 10 * ETHER)
    return contract


@contextmanager
def reverts(contract: VyperContract, expected: str) -> Iterator[None]:
    """The call of `contract` inside must revert with just this reason, as its caller sees it."""
    with pytest.raises(BoaError):
        yield
    assert reason_of(contract._computation.output) == expected


@contextmanager
def base_fee(wei: int) -> Iterator[None]:
    """Blocks inside have this base fee."""
    context = boa.env.evm.vm.state.execution_context
    before, context._base_fee_per_gas = context._base_fee_per_gas, wei
    try:
        yield
    finally:
        context._base_fee_per_gas = before


@contextmanager
def cold() -> Iterator[None]:
    """Calls inside come to every account and slot for the first time, as a transaction does."""
    database = boa.env.evm.vm.state._account_db
    warm = database._journal_accessed_state
    database._reset_access_counters()
    try:
        yield
    finally:
        database._journal_accessed_state = warm


def gas_of_calls(computation: Any, contract: VyperContract) -> int:
    """Gas used by calls of a contract, directly or not, within another call."""
    return sum(
        call.get_gas_used()
        if call.msg.to == contract.address.canonical_address
        else gas_of_calls(call, contract)
        for call in computation.children
    )
