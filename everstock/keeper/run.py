"""One keeper: block by block it reads, decides, and acts."""

import threading
import time
from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Final

import structlog
from eth_account.signers.local import LocalAccount

from everstock.chain.manifest import Manifest
from everstock.keeper.act import Sender
from everstock.keeper.actions import Action, ExecuteOrders, Sample, order_key
from everstock.keeper.board import Board
from everstock.keeper.decide import Policy, decide, latest_boundary
from everstock.keeper.hermes import Hermes, HermesError, NotFound
from everstock.keeper.plan import Planner
from everstock.keeper.read import Reader, Reading
from everstock.keeper.rpc import Block, Rpc, RpcDown, RpcError
from everstock.keeper.state import State, Update
from everstock.keeper.watch import Facts, Watch

# Seconds between tries while the node makes trouble: the poll interval at first, twice as long each time.
LONGEST_WAIT: Final = 5.0
# How many first prices are asked for in a block. With the latest ones that is what a public Hermes takes: 30 questions in ten
# seconds, https://docs.pyth.network/benchmarks/rate-limits; after more it answers none for a minute.
MOST_ASKED: Final = 4
# How our contracts' reasons begin where a market or its prices do not allow something now, whatever Hermes said.
GUARDS: Final = ("risk_book: ", "price_oracle: ", "clearing_house: ", "order_desk: ")

log = structlog.get_logger("keeper")


class Keeper:
    """Keeps one deployment. Not safe for threads, but for `board` and `stop`."""

    def __init__(
        self, manifest: Manifest, rpc: Rpc, hermes: Hermes, account: LocalAccount, policy: Policy, board: Board
    ) -> None:
        self._manifest = manifest
        self._rpc = rpc
        self._hermes = hermes
        self._policy = policy
        self._board = board
        self._watch = Watch(rpc, manifest)
        self._reader = Reader(rpc, manifest, account.address)
        self._sender = Sender(
            rpc,
            account,
            Planner(manifest),
            chain_id=manifest.chain_id,
            tip=policy.priority_fee,
            report=self._report,
        )
        # First updates by the time asked for.
        self._firsts: dict[int, Update] = {}
        # The newest update that was used.
        self._last: Update | None = None
        self._hermes_fails = False
        # Symbols of markets whose prices, stored or newest, were too far from Chainlink when they were read last.
        self._restricted: set[str] = set()
        self._went_back = 0
        self._done: Block | None = None
        self.stop = threading.Event()

    def run(self, poll: float) -> None:
        """Handle each new head, looking for one every `poll` seconds, until `stop` is set.

        Trouble with the node is logged and waited out.
        """
        wait = poll
        while not self.stop.is_set():
            try:
                self.step()
                wait = poll
            except (RpcDown, RpcError) as error:
                self._trouble("node", error)
                wait = min(2 * wait, max(poll, LONGEST_WAIT))
            self.stop.wait(wait)

    def step(self) -> bool:
        """Handle the head if it is new; whether it was. Raises `RpcDown`, `RpcError`; it may be called again then."""
        head = self._rpc.block()
        if head is None:
            raise RpcDown("the node has no blocks")
        if self._done is not None and self._is_old(head, self._done):
            return False
        started = time.perf_counter()
        self._board.head(head.number)
        if not self._watch.catch_up(head):
            log.info("reading events", block=self._watch.number, head=head.number)
            return False
        if self._watch.went_back != self._went_back:
            self._went_back = self._watch.went_back
            self._board.went_back()
            log.warning("the chain went back", head=head.number)
            self._sender.forget()
        self._sender.refresh(head)
        state = self._state(head)
        if self._sender.is_held:
            log.info("waiting for transactions of an earlier life", block=head.number)
        for action in () if self._sender.is_held else decide(state, self._policy):
            if self.stop.is_set():
                return False
            self._sender.perform(action, head)
        self._done = head
        self._finish(head, state, time.perf_counter() - started)
        return True

    def _is_old(self, head: Block, done: Block) -> bool:
        """Whether a head was handled before, or is from before the one that was: then the node is only behind."""
        return head.hash == done.hash or (head.number < done.number and self._watch.knows(head))

    # What is known

    def _state(self, head: Block) -> State:
        facts = self._watch.facts
        latest = self._latest(head)
        firsts = self._first_updates(head, latest, self._due_times(head, facts))
        if latest is not None:
            (fee,) = self._reader.fees(head, [latest])
            latest = replace(latest, fee=fee)
        reading = self._reader.read(head, facts, latest)
        self._forgive(reading)
        failures = self._sender.failures
        return State(
            block=head.number,
            time=head.time,
            base_fee=head.base_fee,
            stored=reading.stored,
            restricted=reading.restricted,
            free=reading.free,
            markets=reading.markets,
            sampled=reading.sampled,
            latest=latest,
            refused=reading.refused,
            firsts=firsts,
            in_flight=self._sender.keys,
            resting=failures.resting(head.number),
            suspects=failures.suspects(head.number),
        )

    def _forgive(self, reading: Reading) -> None:
        """Try orders again at once that failed while a price was too far from Chainlink, once none is."""
        restricted = {
            market.symbol
            for market in reading.markets
            if any(reading.stored[id_].restricted or reading.restricted[id_] for id_ in market.underlyings)
        }
        for market in reading.markets:
            if market.symbol in self._restricted - restricted:
                self._sender.failures.worked(order_key(market.symbol, order) for order in market.orders)
        self._restricted = restricted

    def _latest(self, head: Block) -> Update | None:
        """Hermes' newest update that is not from after `head`: such a one the chain would say is from the future."""
        try:
            update = self._hermes.latest()
            if not _is_past(update, head):
                update = self._hermes.first_from(head.time)
        except HermesError as error:
            if not self._hermes_fails:
                self._trouble("hermes", error)
            self._hermes_fails = True
            return None
        if self._hermes_fails:
            log.info("hermes is back")
        self._hermes_fails = False
        if _is_past(update, head):
            self._last = update
        return self._last if self._last is not None and _is_past(self._last, head) else None

    def _due_times(self, head: Block, facts: Mapping[str, Facts]) -> set[int]:
        """From when on the prices of orders that may be executed now count, and the latest boundary of the volatility oracle."""
        times = {latest_boundary(head.time)}
        for market in self._manifest.markets:
            for order in facts[market.symbol].orders.values():
                due = order.requested_at + market.order_delay
                if order.is_live(head.time) and due <= head.time:
                    times.add(due)
        return times

    def _first_updates(self, head: Block, latest: Update | None, times: Set[int]) -> dict[int, Update]:
        """The first updates at or after each of some times, as far as there are any."""
        newest = 0 if latest is None else min(price.publish_time for price in latest.prices)
        found: dict[int, Update] = {}
        for time in sorted(times - self._firsts.keys())[:MOST_ASKED]:
            # Hermes need not be asked for what it cannot have yet.
            if time > newest:
                break
            try:
                found[time] = self._hermes.first_from(time)
            except NotFound:
                continue
            except HermesError as error:
                self._trouble("hermes", error)
                break
        fees = self._reader.fees(head, list(found.values()))
        for (time, update), fee in zip(found.items(), fees, strict=True):
            self._firsts[time] = replace(update, fee=fee)
        self._firsts = {time: update for time, update in self._firsts.items() if time in times}
        return dict(self._firsts)

    # What is told

    def _report(self, action: Action, outcome: str, reason: str) -> None:
        """What became of an action."""
        self._board.action(action.kind, outcome, reason)
        if outcome in ("refused", "reverted") and isinstance(action, ExecuteOrders) and _may_be_hermes(reason):
            delay = self._manifest.market(action.symbol).order_delay
            for order in action.orders:
                self._firsts.pop(order.requested_at + delay, None)
        if outcome in ("refused", "reverted") and isinstance(action, Sample) and _may_be_hermes(reason):
            self._firsts.pop(action.boundary, None)
        tell = log.warning if outcome in ("refused", "reverted") else log.debug if outcome == "idle" else log.info
        about = {"reason": reason} if reason else {}
        tell(outcome, action=action.kind, market=getattr(action, "symbol", "all"), of=len(action.keys), **about)

    def _trouble(self, source: str, error: RuntimeError) -> None:
        self._board.error(source, str(error))
        log.warning("trouble", source=source, error=str(error))

    def _finish(self, head: Block, state: State, seconds: float) -> None:
        for market in state.markets:
            below = sum(health.is_liquidatable for health in market.healths)
            self._board.market(
                market.symbol, orders=len(market.orders), below=below, watched=len(market.healths)
            )
        for name, price in zip(self._manifest.underlyings, state.stored, strict=True):
            self._board.price_age(name, head.time - price.publish_time)
        self._board.handled(
            head.number,
            head.time,
            pending=self._sender.pending,
            balance=self._sender.balance,
            seconds=seconds,
        )
        log.debug("block", number=head.number, time=head.time, seconds=round(seconds, 4))


def _may_be_hermes(reason: str) -> bool:
    """Whether an action may have failed because Hermes gave a price that is not the first, so that it is to be asked again.

    Not for a guard of ours: of orders that one stops there may be many, and of questions a public Hermes takes few.
    """
    return reason == "order_desk: not the first price" or not reason.startswith(GUARDS)


def _is_past(update: Update, head: Block) -> bool:
    return all(price.publish_time <= head.time for price in update.prices)
