"""Every event of a deployment in the order it happened, from the receipts of every block."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.abi import event_abi_to_log_topic
from hexbytes import HexBytes
from web3 import Web3
from web3.contract.contract import ContractEvent

from everstock.chain.devnet import Chain
from everstock.chain.manifest import CONTRACTS, Manifest

ORACLE: Final = "oracle"


@dataclass(frozen=True)
class Event:
    """One event, at chain time. `market` is the stock token's symbol, empty for the oracle's; `role` the manifest's."""

    block: int
    index: int
    time: int
    market: str
    role: str
    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Receipt:
    """What became of one transaction."""

    hash: str
    sender: str
    succeeded: bool
    gas_used: int


@dataclass(frozen=True)
class Block:
    """A block, its transactions' receipts by hash, and the events of the deployment in it."""

    number: int
    time: int
    receipts: Mapping[str, Receipt]
    events: tuple[Event, ...]


class Chronicle:
    """Reads blocks once and keeps their events."""

    def __init__(self, chain: Chain, manifest: Manifest) -> None:
        self._chain = chain
        self._known = _signatures(chain.w3, manifest)
        self.first_block = manifest.first_block
        self.last_block = manifest.first_block
        self.events: list[Event] = []
        self.transactions: Counter[str] = Counter()
        self.failed: list[Receipt] = []

    def catch_up(self) -> list[Block]:
        """Read all blocks that were mined since the last time, oldest first."""
        head = self._chain.w3.eth.block_number
        return [self._read(number) for number in range(self.last_block + 1, head + 1)]

    def of(self, *names: str, market: str | None = None, since: int = 0) -> Iterator[Event]:
        """The events with one of `names`, of one market if given, in blocks after `since`."""
        for event in self.events:
            if event.name in names and event.block > since and market in (None, event.market):
                yield event

    def _read(self, number: int) -> Block:
        raw = self._chain.rpc("eth_getBlockReceipts", hex(number))
        time = self._chain.w3.eth.get_block(number)["timestamp"]
        receipts = [
            Receipt(
                hash=HexBytes(one["transactionHash"]).to_0x_hex(),
                sender=Web3.to_checksum_address(one["from"]),
                succeeded=_int(one["status"]) == 1,
                gas_used=_int(one["gasUsed"]),
            )
            for one in raw
        ]
        logs = sorted((log for one in raw for log in one["logs"]), key=lambda log: _int(log["logIndex"]))
        events = tuple(event for log in logs for event in self._decoded(log, number, time))
        self.events += events
        self.transactions.update(receipt.sender for receipt in receipts)
        self.failed += [receipt for receipt in receipts if not receipt.succeeded]
        self.last_block = number
        return Block(number, time, {receipt.hash: receipt for receipt in receipts}, events)

    def _decoded(self, log: Mapping[str, Any], number: int, time: int) -> Iterable[Event]:
        topics = [HexBytes(topic) for topic in log["topics"]]
        known = self._known.get((Web3.to_checksum_address(log["address"]), topics[0])) if topics else None
        if known is None:
            return
        market, role, event = known
        index = _int(log["logIndex"])
        decoded = event.process_log(
            {**log, "topics": topics, "data": HexBytes(log["data"]), "blockNumber": number, "logIndex": index}
        )
        yield Event(number, index, time, market, role, event.event_name, decoded["args"])


def _signatures(w3: Web3, manifest: Manifest) -> dict[tuple[str, bytes], tuple[str, str, ContractEvent]]:
    """Market, role and decoder by a contract's address and an event's first topic."""
    contracts = [("", ORACLE, manifest.oracle_contract(w3))]
    contracts += [(market.symbol, role, market.contract(w3, role)) for market in manifest.markets for role in CONTRACTS]
    known = {}
    for market, role, contract in contracts:
        for abi in contract.abi:
            if abi["type"] == "event":
                topic = HexBytes(event_abi_to_log_topic(abi))
                known[contract.address, topic] = (market, role, contract.events[abi["name"]]())
    return known


def _int(number: int | str) -> int:
    return int(number, 16) if isinstance(number, str) else number
