"""Blocks mined by hand, at given times, and a keeper that is waited for after each: a run is the same on any machine.

Transactions are signed and sent as any wallet would; the nonces are counted here, so no two senders may share an
account.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract.contract import ContractFunction
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.types import TxParams

from everstock.chain import addresses
from everstock.chain.devnet import BASE_FEE, Chain
from everstock.chain.transactions import PRIORITY_FEE, reason_of_error
from everstock.demo.chronicle import Block, Chronicle

# Seconds between the blocks of a burst, as on Base.
BLOCK_SECONDS: Final = 2
# Blocks at most until a keeper has nothing left to do.
QUIET_BLOCKS: Final = 12


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why."""


class Follower(Protocol):
    """Somebody who handles each block and sends transactions of its own."""

    def follow(self, block: int) -> Sequence[str]:
        """Wait until it handled `block`; the transactions it has sent that no block holds yet."""


@dataclass
class _Sent:
    """A transaction of ours on its way. `refused` is told why it was reverted; without it that must not happen."""

    what: str
    transaction: TxParams
    refused: Callable[[str], None] | None


@dataclass
class Driver:
    """Mines and sends on `chain`. `on_block` is told every block; `keeper` is waited for after each once it is set."""

    chain: Chain
    chronicle: Chronicle
    keeper: Follower | None = None
    on_block: Callable[[Block], None] = lambda block: None
    now: int = 0
    _nonces: dict[str, int] = field(default_factory=dict)
    _sent: dict[str, _Sent] = field(default_factory=dict)

    def begin(self) -> None:
        """Take over from automatic mining. Senders may not send anything past this object from here on."""
        self.chain.rpc("evm_setAutomine", False)
        self.now = self.chain.now
        for block in self.chronicle.catch_up():
            self.on_block(block)

    def send(
        self,
        sender: LocalAccount,
        function: ContractFunction,
        *,
        gas: int,
        value: int = 0,
        refused: Callable[[str], None] | None = None,
    ) -> str:
        """Sign and send a call of `function`; the next block holds it. Returns its hash.

        With `refused` it may be reverted, and the reason is told; otherwise that raises `DemoError` when it is mined.
        """
        nonce = self._nonces.get(sender.address)
        if nonce is None:
            nonce = self.chain.w3.eth.get_transaction_count(sender.address, "pending")
        transaction: TxParams = {
            "to": function.address,
            "data": function._encode_transaction_data(),
            "value": value,
            "gas": gas,
            "nonce": nonce,
            "chainId": addresses.CHAIN_ID,
            "maxFeePerGas": 2 * BASE_FEE + PRIORITY_FEE,
            "maxPriorityFeePerGas": PRIORITY_FEE,
        }
        signed = sender.sign_transaction(transaction)
        hash_ = self.chain.w3.eth.send_raw_transaction(signed.raw_transaction).to_0x_hex()
        self._nonces[sender.address] = nonce + 1
        self._sent[hash_] = _Sent(function.fn_name, transaction | {"from": sender.address}, refused)
        return hash_

    def would_revert(self, sender: LocalAccount, function: ContractFunction, value: int = 0) -> str | None:
        """Why a call would be reverted upon the latest block; none if it would not."""
        try:
            function.call({"from": sender.address, "value": value})
        except (ContractLogicError, Web3RPCError) as error:
            return reason_of_error(error)
        return None

    def mine(self, time: int | None = None) -> list[str]:
        """Mine a block at `time` (`BLOCK_SECONDS` after the last) and wait for the keeper; what it has sent then."""
        self.now = max(self.now + 1, time or 0) if time else self.now + BLOCK_SECONDS
        self.chain.mine(self.now)
        for block in self.chronicle.catch_up():
            self._check(block)
            self.on_block(block)
        if self._sent:
            names = ", ".join(sorted({sent.what for sent in self._sent.values()}))
            raise DemoError(f"block {self.chronicle.last_block} did not take what was sent: {names}")
        return list(self.keeper.follow(self.chronicle.last_block)) if self.keeper else []

    def burst(self, time: int | None = None) -> int:
        """Mine a block at `time`, then more until the keeper has nothing left to send; how many there were.

        Raises `DemoError` if it never comes to rest.
        """
        waiting = self.mine(time)
        for count in range(1, QUIET_BLOCKS):
            if not waiting:
                return count
            waiting = self.mine()
        raise DemoError(f"the keeper still sends after {QUIET_BLOCKS} blocks: {', '.join(waiting)}")

    def _check(self, block: Block) -> None:
        for hash_, receipt in block.receipts.items():
            sent = self._sent.pop(hash_, None)
            if sent is None or receipt.succeeded:
                continue
            reason = self._reason(sent.transaction, block.number)
            if sent.refused is None:
                raise DemoError(f"{sent.what} was reverted in block {block.number}: {reason}")
            sent.refused(reason)

    def _reason(self, transaction: TxParams, block: int) -> str:
        """Why a transaction of `block` was reverted: it is made once more as a call upon that block."""
        kept: TxParams = {key: transaction[key] for key in ("from", "to", "data", "value", "gas")}
        try:
            self.chain.w3.eth.call(kept, block)
        except (ContractLogicError, Web3RPCError) as error:
            return reason_of_error(error)
        return "reverted in its block, though not upon its end"


def checksum(address: str) -> str:
    """An address as web3 writes it."""
    return Web3.to_checksum_address(address)
