"""Sending transactions, and saying in words why one was reverted."""

from dataclasses import dataclass
from typing import Any, Final

from eth_abi import decode
from eth_abi.exceptions import DecodingError
from eth_account.signers.local import LocalAccount
from eth_utils import function_signature_to_4byte_selector
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.types import TxParams, TxReceipt

from everstock.chain.artifacts import Artifact

# What a sender on Base tips today: 0.001 gwei.
PRIORITY_FEE: Final = 1_000_000
# An estimate can fall short when state moves between it and the block.
GAS_MARGIN_PERCENT: Final = 25
RECEIPT_SECONDS: Final = 60

_ERROR = function_signature_to_4byte_selector("Error(string)")
_PANIC = function_signature_to_4byte_selector("Panic(uint256)")

# Solidity's panics that a contract of ours can meet, https://docs.soliditylang.org/en/latest/control-structures.html
_PANICS: Final = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x32: "out of bounds",
}

# Custom errors without arguments, by name: those of Pyth (pyth-sdk-solidity, PythErrors.sol).
_CUSTOM_ERRORS: Final = (
    "InvalidArgument",
    "InvalidUpdateDataSource",
    "InvalidUpdateData",
    "InsufficientFee",
    "NoFreshUpdate",
    "PriceFeedNotFoundWithinRange",
    "PriceFeedNotFound",
    "StalePrice",
    "InvalidWormholeVaa",
)
_NAMES: Final = {function_signature_to_4byte_selector(f"{name}()"): name for name in _CUSTOM_ERRORS}


class Reverted(RuntimeError):
    """A call or transaction was reverted. `reason` is the contract's own words."""

    def __init__(self, reason: str, transaction: str | None = None) -> None:
        super().__init__(f"{reason} (transaction {transaction})" if transaction else reason)
        self.reason = reason
        self.transaction = transaction


def reason_of(data: bytes) -> str:
    """What revert `data` says: the reason string, the name of a known custom error, or the bytes themselves."""
    selector, rest = data[:4], data[4:]
    if not data:
        return "reverted without a reason"
    try:
        if selector == _ERROR:
            return decode(["string"], rest)[0]
        if selector == _PANIC:
            (code,) = decode(["uint256"], rest)
            return f"panic: {_PANICS.get(code, hex(code))}"
    except DecodingError:
        return f"0x{data.hex()}"
    return _NAMES.get(selector, f"0x{data.hex()}")


def reason_of_error(error: ContractLogicError | Web3RPCError) -> str:
    """What an error that web3 raised for a reverted call says, in the contract's words where there are any."""
    data = getattr(error, "data", None)
    if data is None and isinstance(error, Web3RPCError) and error.rpc_response is not None:
        data = error.rpc_response["error"].get("data")
    if isinstance(data, str) and data.startswith("0x"):
        return reason_of(bytes.fromhex(data[2:]))
    return str(error.message) if error.message else str(error)


def call(function: ContractFunction, transaction: TxParams | None = None, block: Any = "latest") -> Any:
    """What `function` returns at `block`. Raises `Reverted`."""
    try:
        return function.call(transaction or {}, block_identifier=block)
    except (ContractLogicError, Web3RPCError) as error:
        raise Reverted(reason_of_error(error)) from error


@dataclass(frozen=True)
class Wallet:
    """An account that signs for itself and pays realistic fees.

    It asks the chain for its nonce each time, so a chain may be rolled back under it; two wallets of one account
    must not send at once.
    """

    w3: Web3
    account: LocalAccount

    @property
    def address(self) -> str:
        """Its checksum address."""
        return self.account.address

    @property
    def balance(self) -> int:
        """Its ether, in wei."""
        return self.w3.eth.get_balance(self.account.address)

    def transact(self, function: ContractFunction, *, value: int = 0, gas: int | None = None) -> TxReceipt:
        """Send a call of `function` with `value` wei and return its receipt once it is mined.

        Without a `gas` limit it is estimated first. Raises `Reverted`, before sending if the estimate shows it.
        """
        transaction = self._prepare({"value": value}, gas)
        try:
            built = function.build_transaction(transaction)
        except (ContractLogicError, Web3RPCError) as error:
            raise Reverted(reason_of_error(error)) from error
        return self._send(built, estimated=gas is None)

    def submit(self, function: ContractFunction, *, value: int = 0, gas: int) -> str:
        """Send a call without an estimate and without waiting; returns the transaction's hash."""
        built = function.build_transaction(self._prepare({"value": value}, gas))
        return self._submit(built)

    def transfer(self, to: str, value: int) -> TxReceipt:
        """Send `value` wei to `to`."""
        transaction = self._prepare({"to": Web3.to_checksum_address(to), "value": value}, None)
        return self._send(self._with_estimate(transaction), estimated=True)

    def deploy(self, artifact: Artifact, *arguments: Any, value: int = 0) -> Contract:
        """Deploy `artifact` and return the contract. Raises `Reverted` if its constructor reverts."""
        transaction = self._prepare({"data": artifact.init_code(*arguments), "value": value}, None)
        receipt = self._send(self._with_estimate(transaction), estimated=True)
        address = receipt["contractAddress"]
        assert address is not None
        return artifact.at(self.w3, address)

    def _prepare(self, transaction: TxParams, gas: int | None) -> TxParams:
        base_fee = self.w3.eth.get_block("pending")["baseFeePerGas"]
        transaction |= {
            "from": self.account.address,
            "chainId": self.w3.eth.chain_id,
            "nonce": self.w3.eth.get_transaction_count(self.account.address, "pending"),
            "maxFeePerGas": 2 * base_fee + PRIORITY_FEE,
            "maxPriorityFeePerGas": PRIORITY_FEE,
        }
        if gas is not None:
            transaction["gas"] = gas
        return transaction

    def _with_estimate(self, transaction: TxParams) -> TxParams:
        try:
            return {**transaction, "gas": self.w3.eth.estimate_gas(transaction)}
        except (ContractLogicError, Web3RPCError) as error:
            raise Reverted(reason_of_error(error)) from error

    def _submit(self, transaction: TxParams) -> str:
        signed = self.account.sign_transaction(transaction)
        return self.w3.eth.send_raw_transaction(signed.raw_transaction).to_0x_hex()

    def _send(self, transaction: TxParams, *, estimated: bool) -> TxReceipt:
        if estimated:
            transaction["gas"] = transaction["gas"] * (100 + GAS_MARGIN_PERCENT) // 100
        sent = self._submit(transaction)
        receipt = self.w3.eth.wait_for_transaction_receipt(sent, timeout=RECEIPT_SECONDS, poll_latency=0.02)
        if receipt["status"] != 1:
            raise Reverted(self._replay(transaction, receipt), sent)
        return receipt

    def _replay(self, transaction: TxParams, receipt: TxReceipt) -> str:
        """Why a mined transaction failed: it is made once more as a call upon the block before."""
        kept = ("from", "to", "data", "value", "gas")
        again: TxParams = {key: transaction[key] for key in kept if key in transaction}
        try:
            self.w3.eth.call(again, receipt["blockNumber"] - 1)
        except (ContractLogicError, Web3RPCError) as error:
            return reason_of_error(error)
        return "reverted in its block, though not upon the one before"
