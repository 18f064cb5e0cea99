"""What the events of a deployment tell: orders that wait, accounts that have legs, series.

Events are read in bounded ranges of blocks from the deployment's first on, so a keeper that starts knows as much as one
that never stopped. What they said is undone when the chain goes back on it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from everstock.chain.manifest import Manifest
from everstock.keeper.abi import Interface
from everstock.keeper.rpc import Block, Rpc, RpcDown, RpcError, quantity
from everstock.keeper.state import Order
from everstock.model.order_desk import EXEC_WINDOW
from everstock.model.series_book import OPEN

# Blocks whose events can be undone one by one; after a longer way back everything is read anew. Base has never
# gone back as far.
MEMORY: Final = 256
# Blocks of one request; less where a node refuses as many.
RANGE: Final = 2_000

WAD: Final = 10**18


@dataclass
class Facts:
    """What a market's events say."""

    # (account, nonce) -> an order that waits
    orders: dict[tuple[int, int], Order] = field(default_factory=dict)
    # accounts that may have legs -> True
    accounts: dict[int, bool] = field(default_factory=dict)
    # series that were listed -> True
    series: dict[int, bool] = field(default_factory=dict)
    # series that is not open -> from when on it only closes, FROZEN once it is retired
    notices: dict[int, int] = field(default_factory=dict)
    # account -> the last minute of the clock in which orders of it went live, and how many
    bursts: dict[int, tuple[int, int]] = field(default_factory=dict)


_Handler = Callable[[int, Facts, dict[str, Any]], None]


class Watch:
    """Follows the chain's head. `facts` are by the markets' symbols, as of block `number`."""

    def __init__(self, rpc: Rpc, manifest: Manifest, *, blocks: int = RANGE) -> None:
        """`blocks` are read in one request at most."""
        self._rpc = rpc
        self._first = manifest.first_block
        self._longest = self._range = blocks
        self._markets = {market.symbol: market for market in manifest.markets}
        desk, house, book = Interface("OrderDesk"), Interface("ClearingHouse"), Interface("RiskBook")
        handlers: dict[str, tuple[Interface, dict[str, _Handler]]] = {
            "order_desk": (
                desk,
                {
                    "Requested": self._requested,
                    "Triggered": self._requested,
                    "Executed": self._ended,
                    "Cancelled": self._ended,
                    "Voided": self._ended,
                },
            ),
            "clearing_house": (house, {"Traded": self._traded, "Liquidated": self._liquidated}),
            "risk_book": (book, {"SeriesListed": self._listed, "NoticeSet": self._noticed}),
        }
        # (address, topic) -> how to read it and what to do about it
        self._handlers = {
            (getattr(market, role).lower(), (event := interface.event(name)).topic): (market.symbol, event, handler)
            for market in manifest.markets
            for role, (interface, named) in handlers.items()
            for name, handler in named.items()
        }
        self._filter = {
            "address": sorted({address for address, _ in self._handlers}),
            "topics": [sorted({topic for _, topic in self._handlers})],
        }
        self.went_back = 0  # times that the chain went back on what it had said
        self._forget()

    @property
    def number(self) -> int:
        """The last block whose events are known; one before the first if none is."""
        return self._heads[-1].number if self._heads else self._first - 1

    def catch_up(self, head: Block, requests: int = 16) -> bool:
        """Read on towards `head`, first undoing what the chain has gone back on.

        At most so many requests for events are made: false if `head` is not reached yet. Raises `RpcDown`,
        `RpcError`; what was read until then is kept.
        """
        self._go_back(head)
        while self.number < head.number:
            if requests == 0:
                return False
            requests -= 1
            self._read_range(head)
        return True

    def knows(self, head: Block) -> bool:
        """Whether `head` is a block that events were read up to: a node that shows it again is only behind."""
        return any(block.hash == head.hash for block in self._heads)

    # Reading

    def _read_range(self, head: Block) -> None:
        first = self.number + 1
        last = min(head.number, first + self._range - 1)
        # By its hash where it is just one: a node that lacks that very block says so, and does not leave it out.
        where = {"blockHash": head.hash} if first == head.number else {"fromBlock": hex(first), "toBlock": hex(last)}
        try:
            logs = self._rpc.call("eth_getLogs", {**self._filter, **where})
            end = head if last == head.number else self._rpc.block(hex(last))
        except RpcError:
            if last == first:
                raise
            self._range = max(1, (last - first + 1) // 2)
            return
        if end is None or not isinstance(logs, list):
            raise RpcDown(f"the node does not have block {last}")
        for log in logs:
            self._apply(log)
        self._range = min(2 * self._range, self._longest)
        self._heads.append(end)
        while self._heads[0].number < end.number - MEMORY:
            self._heads.popleft()
        while self._undo and self._undo[0][0] <= self._heads[0].number:
            self._undo.popleft()

    def _apply(self, log: dict[str, Any]) -> None:
        try:
            found = self._handlers.get((log["address"].lower(), log["topics"][0]))
            number = quantity(log["blockNumber"])
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise RpcDown(f"the node answered {log!r:.100} where an event was asked for") from error
        if found is not None:
            symbol, event, handler = found
            handler(number, self.facts[symbol], event.decode(log))

    # Going back

    def _go_back(self, head: Block) -> None:
        """Undo the events of blocks that are no longer in the chain."""
        last = self._heads[-1] if self._heads else None
        if last is None or head.hash == last.hash or head.parent == last.hash:
            return
        noticed = False
        while self._heads and not self._is_in_chain(self._heads[-1], head):
            self._heads.pop()
            self.went_back += not noticed
            noticed = True
            # At once, so that whatever happens next facts and heads agree.
            while self._undo and self._undo[-1][0] > self.number:
                _, facts, key, previous = self._undo.pop()
                _put(facts, key, previous)
        if noticed and not self._heads:
            self._forget()

    def _is_in_chain(self, block: Block, head: Block) -> bool:
        if block.number > head.number:
            return False
        found = self._rpc.block(hex(block.number))
        return found is not None and found.hash == block.hash

    def _forget(self) -> None:
        """Know nothing, so that everything is read again."""
        self.facts = {symbol: Facts() for symbol in self._markets}
        # Blocks up to which events were read, and what undoes those events: (block, facts, key, what it was before).
        self._heads: deque[Block] = deque()
        self._undo: deque[tuple[int, dict[Any, Any], Any, Any]] = deque()

    def _set(self, number: int, facts: dict[Any, Any], key: Any, value: Any) -> None:
        """Learn something at a block; None is to forget it."""
        self._undo.append((number, facts, key, facts.get(key)))
        _put(facts, key, value)

    # What each event says

    def _requested(self, number: int, facts: Facts, event: dict[str, Any]) -> None:
        legs = tuple((leg["series"], leg["face"]) for leg in event["order"]["legs"])
        order = Order(**{**event["order"], "legs": legs})
        self._set(number, facts.orders, (order.account, order.nonce), order)
        if not order.is_armed:
            minute = order.requested_at // EXEC_WINDOW
            last, count = facts.bursts.get(order.account, (minute, 0))
            self._set(number, facts.bursts, order.account, (minute, count + 1 if last == minute else 1))

    def _ended(self, number: int, facts: Facts, event: dict[str, Any]) -> None:
        self._set(number, facts.orders, (event["account"], event["nonce"]), None)

    def _traded(self, number: int, facts: Facts, event: dict[str, Any]) -> None:
        self._set(number, facts.accounts, event["account"], True if event["legs"] else None)

    def _liquidated(self, number: int, facts: Facts, event: dict[str, Any]) -> None:
        if event["fraction"] == WAD:
            self._set(number, facts.accounts, event["account"], None)

    def _listed(self, number: int, facts: Facts, event: dict[str, Any]) -> None:
        self._set(number, facts.series, event["series"], True)

    def _noticed(self, number: int, facts: Facts, event: dict[str, Any]) -> None:
        self._set(number, facts.notices, event["series"], None if event["time"] == OPEN else event["time"])


def _put(facts: dict[Any, Any], key: Any, value: Any) -> None:
    if value is None:
        facts.pop(key, None)
    else:
        facts[key] = value
