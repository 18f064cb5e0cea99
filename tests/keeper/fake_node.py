"""A node in memory, with blocks that are mined by hand, a pool of transactions, and as much trouble as a test wants.

It stands in for `everstock.keeper.rpc.Rpc`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_utils import keccak
from hexbytes import HexBytes

from everstock.keeper.rpc import Block, RpcDown, RpcError

BASE_FEE = 5_000_000
START = 1_000_000
ETHER = 10**18


@dataclass(frozen=True)
class Sent:
    """A transaction as the node has it."""

    hash: str
    sender: str
    nonce: int
    to: str
    data: bytes
    value: int
    gas: int
    fee_cap: int
    tip: int


@dataclass
class FakeNode:
    """`answer` is asked for calls, `execute` for mined transactions: whether it went well, and its logs."""

    answer: Callable[[dict[str, Any], str], bytes | RpcError] = lambda request, block: b""
    execute: Callable[[Sent, int], tuple[bool, list[dict[str, Any]]]] = lambda sent, block: (True, [])
    # Called before each request; may raise.
    trouble: Callable[[str], None] = lambda method: None
    # Called after each batch, when all that it asked for was done; may raise.
    silence: Callable[[list[str]], None] = lambda methods: None
    url: str = "http://node.invalid"
    base_fee: int = BASE_FEE
    least_fee: int = 0  # the node's miner leaves out what caps its fee lower
    balance: int = 100 * ETHER
    most_blocks: int = 10_000  # of one request for logs
    blocks: list[Block] = field(default_factory=list)
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    pool: dict[int, Sent] = field(default_factory=dict)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    nonces: list[int] = field(default_factory=list)  # of the account, after each block
    asked: list[str] = field(default_factory=list)
    received: list[Sent] = field(default_factory=list)  # all that were ever accepted
    branch: int = 0

    def __post_init__(self) -> None:
        if not self.blocks:
            self.mine()

    # The chain

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    @property
    def nonce(self) -> int:
        return self.nonces[-1]

    def mine(self, seconds: int = 2, logs: Iterable[dict[str, Any]] = (), *, empty: bool = False) -> Block:
        """A block with these logs and, unless `empty`, what the pool holds."""
        number = len(self.blocks)
        parent = self.blocks[-1].hash if self.blocks else "0x00"
        time = self.blocks[-1].time + seconds if self.blocks else START
        hash_ = f"0x{keccak(text=f'{parent} {number} {self.branch}').hex()}"
        nonce = self.nonces[-1] if self.nonces else 0
        made = list(logs)
        while not empty and nonce in self.pool and self.pool[nonce].fee_cap >= self.least_fee:
            sent = self.pool.pop(nonce)
            ok, its_logs = self.execute(sent, number)
            made += its_logs
            self.receipts[sent.hash] = {"status": hex(ok), "blockNumber": hex(number), "blockHash": hash_}
            nonce += 1
        self.nonces.append(nonce)
        self.logs[hash_] = [{**log, "blockNumber": hex(number), "blockHash": hash_} for log in made]
        self.blocks.append(Block(number, hash_, parent, time, self.base_fee))
        return self.head

    def go_back(self, number: int) -> None:
        """Forget all blocks after block `number`; those to come are others."""
        gone = {block.hash for block in self.blocks[number + 1 :]}
        self.blocks, self.nonces = self.blocks[: number + 1], self.nonces[: number + 1]
        self.receipts = {h: r for h, r in self.receipts.items() if r["blockHash"] not in gone}
        self.pool.clear()
        self.branch += 1

    # What `Rpc` offers

    def call(self, method: str, *parameters: Any) -> Any:
        (answer,) = self.batch([(method, list(parameters))])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, asked: Any) -> list[Any]:
        answers = []
        for method, parameters in asked:
            self.trouble(method)
            self.asked.append(method)
            answers.append(getattr(self, f"_{method}")(*parameters))
        self.silence([method for method, _ in asked])
        return answers

    def block(self, tag: str = "latest") -> Block | None:
        return self.call("eth_getBlockByNumber", tag, False)

    def _eth_getBlockByNumber(self, tag: str, _full: bool) -> Block | None:  # noqa: N802
        number = len(self.blocks) - 1 if tag == "latest" else int(tag, 16)
        return self.blocks[number] if number < len(self.blocks) else None

    def _eth_getLogs(self, wanted: dict[str, Any]) -> Any:  # noqa: N802
        if "blockHash" in wanted:
            if wanted["blockHash"] not in self.logs:
                return RpcError(-32000, "unknown block", None)
            blocks = [wanted["blockHash"]]
        else:
            first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
            if last - first + 1 > self.most_blocks:
                return RpcError(-32005, "query exceeds max block range", None)
            blocks = [block.hash for block in self.blocks[first : last + 1]]
        return [
            log
            for block in blocks
            for log in self.logs[block]
            if log["address"].lower() in wanted["address"] and log["topics"][0] in wanted["topics"][0]
        ]

    def _eth_getBalance(self, _address: str, _tag: str) -> str:  # noqa: N802
        return hex(self.balance)

    def _eth_getTransactionCount(self, _address: str, tag: str) -> str:  # noqa: N802
        nonce = self.nonce
        while tag == "pending" and nonce in self.pool:
            nonce += 1
        return hex(nonce)

    def _eth_getTransactionReceipt(self, hash_: str) -> Any:  # noqa: N802
        return self.receipts.get(hash_)

    def _eth_call(self, request: dict[str, Any], tag: str) -> Any:
        returned = self.answer(request, tag)
        return returned if isinstance(returned, RpcError) else f"0x{returned.hex()}"

    def _eth_estimateGas(self, request: dict[str, Any], tag: str) -> Any:  # noqa: N802
        returned = self.answer({**request, "gas": hex(2**24)}, tag)
        return returned if isinstance(returned, RpcError) else hex(1_000_000)

    def _eth_sendRawTransaction(self, raw: str) -> Any:  # noqa: N802
        sent = _decode(raw)
        known = self.pool.get(sent.nonce)
        if sent.nonce < self.nonce:
            return RpcError(-32000, "nonce too low", None)
        if known is not None and known.hash == sent.hash:
            return RpcError(-32000, "already known", None)
        if known is not None and (10 * sent.fee_cap < 11 * known.fee_cap or 10 * sent.tip < 11 * known.tip):
            return RpcError(-32000, "replacement transaction underpriced", None)
        if sent.value + sent.gas * sent.fee_cap > self.balance:
            return RpcError(-32000, "insufficient funds for gas * price + value", None)
        self.pool[sent.nonce] = sent
        self.received.append(sent)
        return sent.hash


def refused(reason: str) -> RpcError:
    """What a node answers to a call that a contract reverts with a reason."""
    from eth_abi import encode

    return RpcError(3, f"execution reverted: {reason}", bytes.fromhex("08c379a0") + encode(["string"], [reason]))


def dies_at(number: int) -> Callable[[str], None]:
    """Trouble that lets request `number`, counted from 0, fail, and none after."""
    count = iter(range(number + 1))

    def trouble(_method: str) -> None:
        if next(count, None) == number:
            raise RpcDown("the node does not answer")

    return trouble


def _decode(raw: str) -> Sent:
    data = HexBytes(raw)
    fields = TypedTransaction.from_bytes(data).as_dict()
    return Sent(
        hash=f"0x{keccak(data).hex()}",
        sender=Account.recover_transaction(data),
        nonce=fields["nonce"],
        to=f"0x{bytes(fields['to']).hex()}",
        data=bytes(fields["data"]),
        value=fields["value"],
        gas=fields["gas"],
        fee_cap=fields["maxFeePerGas"],
        tip=fields["maxPriorityFeePerGas"],
    )
