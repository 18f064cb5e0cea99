"""As much of Everstock as a keeper sees, behind a `FakeNode`: calls are answered, transactions change it.

Prices move on their own; what needs one refuses as the contracts do. It remembers what happened to it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi import decode, encode

from everstock.chain import artifacts
from everstock.chain.manifest import Manifest, MarketManifest
from everstock.keeper.abi import Function, Interface
from everstock.keeper.decide import EXEC_WINDOW
from everstock.keeper.hermes import HermesError, NotFound
from everstock.keeper.rpc import RpcError
from everstock.keeper.state import NEVER, Order, Price, Update
from everstock.model.order_desk import MAX_LIVE, TRIGGER_MAX_AGE, Live, Trigger, pays_once_triggered
from everstock.model.series_book import FROZEN, OPEN
from everstock.model.volatility_oracle import SPAN
from everstock.parameters import ORDER_DELAY
from tests.keeper.deployment import executed, liquidated, listed, noticed, requested, triggered, voided
from tests.keeper.fake_node import FakeNode, Sent, refused
from tests.keeper.states import USD, link

WAD = 10**18


class Refused(Exception):
    """A contract's reason."""


@dataclass
class FakeHermes:
    """Prices by time; stands in for `everstock.keeper.hermes.Hermes`. `trouble` is raised if set."""

    published: list[Update] = field(default_factory=list)
    trouble: HermesError | None = None
    asked: list[int | None] = field(default_factory=list)

    def publish(self, time: int, *usd: float) -> Update:
        blob = encode(["uint256", "uint256[]"], [time, [round(price * USD) for price in usd]])
        update = Update((blob,), tuple(Price(round(price * USD), time) for price in usd))
        self.published.append(update)
        return update

    def latest(self) -> Update:
        self._answer(None)
        if not self.published:
            raise NotFound("nothing yet")
        return self.published[-1]

    def first_from(self, time: int) -> Update:
        self._answer(time)
        found = [update for update in self.published if update.prices[0].publish_time >= time]
        if not found:
            raise NotFound("nothing yet")
        return found[0]

    def _answer(self, asked: int | None) -> None:
        self.asked.append(asked)
        if self.trouble is not None:
            raise self.trouble


@dataclass
class FakeMarket:
    """A market's state, as far as a keeper cares."""

    orders: dict[tuple[int, int], Order] = field(default_factory=dict)
    # account -> the price of BTC below which it falls below maintenance
    brinks: dict[int, int] = field(default_factory=dict)
    checkpoint_time: int = 0
    checkpoint_price: int = 0
    deposit_due: int = NEVER
    window_end: int = 0
    # account -> its order that went live last, as the desk's `follows` has it
    live: dict[int, int] = field(default_factory=dict)
    # series that were listed -> their notices
    notices: dict[int, int] = field(default_factory=dict)
    # (account, minute of the clock) -> how many of its orders went live
    bursts: Counter[tuple[int, int]] = field(default_factory=Counter)

    def go_live(self, order: Order) -> Order:
        """Let an order wait for its price; with its terms from then on."""
        if not self.has_room(order.account, order.requested_at):
            raise Refused("order_desk: too many live orders")
        last = self.live.get(order.account, 0)
        live = replace(order, follows=last if self.is_live(order.account, last, order.requested_at) else 0)
        self.live[order.account] = link(order.nonce, order.requested_at)
        self.bursts[order.account, order.requested_at // EXEC_WINDOW] += 1
        self.orders[order.account, order.nonce] = live
        return live

    def waits(self, order: Order) -> bool:
        """Whether an order waits, with just these terms."""
        return self.orders.get((order.account, order.nonce)) == order

    def is_live(self, account: int, followed: int, now: int) -> bool:
        """Whether an order, given as of `follows`, may still be executed."""
        order = Live.of(followed)
        return now <= order.until and (account, order.nonce) in self.orders

    def has_room(self, account: int, now: int) -> bool:
        """Whether another order of an account may go live."""
        return self.bursts[account, now // EXEC_WINDOW] < MAX_LIVE

    def are_open(self, order: Order) -> bool:
        """Whether the series of an order may be traded as it wants."""
        notices = [self.notices.get(series, FROZEN) for series, _ in order.legs]
        return FROZEN not in notices and (order.reduce_only or not any(notices))


class FakeProtocol:
    """A deployment with markets, all on BTC and ETH."""

    def __init__(self, node: FakeNode, manifest: Manifest, hermes: FakeHermes) -> None:
        self.node, self.manifest, self.hermes = node, manifest, hermes
        self.stored = [Price(0, 0), Price(0, 0)]
        # Chainlink's prices; 0 where there is none.
        self.chainlink = [0, 0]
        # When each was last sampled; nothing is due before that.
        self.sampled = [2**32, 2**32]
        self.refused = ""
        self.markets = {market.symbol: FakeMarket() for market in manifest.markets}
        self.happened: Counter[tuple[Any, ...]] = Counter()
        self.executed_at: dict[tuple[str, int, int], int] = {}
        self._functions: dict[tuple[str, bytes], tuple[Function, Callable[..., list[Any]]]] = {}
        node.answer, node.execute = self._answer, self._execute
        self._logs: list[dict[str, Any]] = []
        self._now = 0
        self._wire()

    def request(self, symbol: str, *orders: Order) -> list[dict[str, Any]]:
        """Logs of requests, for the block to be mined, whose time must be that of the orders."""
        fake, market = self.markets[symbol], self.manifest.market(symbol)
        fake.orders |= {(order.account, order.nonce): order for order in orders if order.is_armed}
        return [requested(market, order if order.is_armed else fake.go_live(order)) for order in orders]

    def list_series(self, symbol: str, series: int, underlying: int) -> dict[str, Any]:
        """Log of a listing, for the block to be mined."""
        self.markets[symbol].notices[series] = OPEN
        return listed(self.manifest.market(symbol), series, underlying)

    def set_notice(self, symbol: str, series: int, time: int) -> dict[str, Any]:
        """Log of a notice, or of its end, for the block to be mined."""
        self.markets[symbol].notices[series] = time
        return noticed(self.manifest.market(symbol), series, time)

    # How calls find their way

    def _wire(self) -> None:
        m = self.manifest
        oracle, lens, multicall = Interface("PriceOracle"), Interface("MarketLens"), Interface("Multicall3")
        self._put(m.oracle, oracle.function("word"), self._word)
        self._put(m.oracle, oracle.function("status"), self._status)
        self._put(m.oracle, oracle.function("update"), self._update)
        self._put(m.oracle, oracle.function("update_fee"), lambda blobs: [2])
        volatility = Interface("VolatilityOracle")
        self._put(m.volatility_oracle, volatility.function("track"), lambda id_: [(0, self.sampled[id_], 0, 0, 1)])
        self._put(m.volatility_oracle, volatility.function("sample"), self._sample)
        self._put(m.lens, lens.function("market"), self._market)
        self._put(m.lens, lens.function("health"), self._health)
        self._put(m.multicall, multicall.function("aggregate3Value"), self._aggregate)
        for market in m.markets:
            fake, symbol = self.markets[market.symbol], market.symbol
            desk, pool = Interface("OrderDesk"), Interface("MainPool")
            self._put(market.order_desk, desk.function("execute"), lambda *a, k=market: self._execute_orders(k, *a))
            self._put(market.order_desk, desk.function("trigger"), lambda *a, k=market: self._trigger(k, *a))
            self._put(market.order_desk, desk.function("void"), lambda order, k=market: self._void(k, order))
            self._put(
                market.liquidator,
                Interface("Liquidator").function("liquidate"),
                lambda accounts, blobs, k=market: self._liquidate(k, accounts, blobs),
            )
            self._put(
                market.clearing_house,
                Interface("ClearingHouse").function("checkpoint"),
                lambda f=fake, k=symbol: self._checkpoint(f, k),
            )
            for role in ("main_pool", "insurance_pool"):
                address = getattr(market, role)
                is_main = role == "main_pool"
                due = lambda f=fake, main=is_main: [f.deposit_due if main else NEVER, NEVER]  # noqa: E731
                self._put(address, pool.function("due"), due)
                self._put(address, pool.function("fulfil"), lambda d, r, f=fake, k=symbol: self._fulfil(f, k, d))

    def _put(self, address: str, function: Function, does: Callable[..., list[Any]]) -> None:
        self._functions[address.lower(), function.selector] = (function, does)

    def _dispatch(self, to: str, data: bytes) -> bytes:
        function, does = self._functions[to.lower(), data[:4]]
        return encode(function.outputs, does(*decode(function.inputs, data[4:])))

    def _answer(self, request: dict[str, Any], tag: str) -> bytes | RpcError:
        """A call: its effects are undone."""
        self._now = self.node.blocks[int(tag, 16)].time if tag.startswith("0x") else self.node.head.time
        before = self._snapshot()
        try:
            return self._dispatch(request["to"], bytes.fromhex(request["data"][2:]))
        except Refused as error:
            return refused(str(error))
        finally:
            self._restore(before)

    def _execute(self, sent: Sent, number: int) -> tuple[bool, list[dict[str, Any]]]:
        """A transaction of the block being mined, two seconds after the head."""
        self._now = self.node.head.time + 2
        self._logs = []
        before = self._snapshot()
        try:
            self._dispatch(sent.to, sent.data)
        except Refused:
            self._restore(before)
            return False, []
        return True, self._logs

    def _snapshot(self) -> Any:
        markets = {
            symbol: replace(
                market,
                orders=dict(market.orders),
                brinks=dict(market.brinks),
                live=dict(market.live),
                bursts=market.bursts.copy(),
            )
            for symbol, market in self.markets.items()
        }
        return list(self.stored), markets, self.happened.copy(), dict(self.executed_at), list(self.sampled)

    def _restore(self, before: Any) -> None:
        self.stored, markets, self.happened, self.executed_at, self.sampled = before
        for symbol, market in markets.items():
            vars(self.markets[symbol]).update(vars(market))

    # The contracts

    def _word(self, id_: int) -> list[Any]:
        price = self.stored[id_]
        return [price.price | price.publish_time << 64 | price.restricted << 176]

    def _status(self, id_: int) -> list[Any]:
        answer = self.chainlink[id_]
        bounds = (answer - answer // 100, answer + answer // 100) if answer else (1, 2**64 - 1)
        return [_struct("PriceOracle", "status", dict(zip(("lowest_free", "highest_free"), bounds, strict=True)))]

    def _update(self, ids: Any, blobs: Any) -> list[Any]:
        if self.refused:
            raise Refused(self.refused)
        time, prices = decode(["uint256", "uint256[]"], blobs[0])
        if time > self._now:
            raise Refused("price_oracle: price from the future")
        for id_ in ids:
            if time > self.stored[id_].publish_time:
                self.stored[id_] = Price(prices[id_], time, self._is_far(id_, prices[id_]))
        self.happened["stored", time] += 1
        return []

    def _is_far(self, id_: int, price: int) -> bool:
        """Whether a price is more than 1% from Chainlink's."""
        answer = self.chainlink[id_]
        return answer != 0 and 100 * abs(price - answer) > answer

    def _is_restricted(self) -> bool:
        return any(price.restricted for price in self.stored)

    def _sample(self, ids: Any, blobs: Any) -> list[Any]:
        since = self._now // SPAN * SPAN
        time, _ = decode(["uint256", "uint256[]"], blobs[0])
        first = next(u for u in self.hermes.published if u.prices[0].publish_time >= since)
        if time != first.prices[0].publish_time:
            raise Refused("PriceFeedNotFoundWithinRange")
        self._update(ids, blobs)
        due = [id_ for id_ in ids if self.sampled[id_] < since]
        for id_ in due:
            self.sampled[id_] = time
        self.happened["sampled", since] += bool(due)
        return [len(due)]

    def _fresh(self, age: int) -> None:
        if any(self._now - price.publish_time > age for price in self.stored):
            raise Refused("price_oracle: stale price")

    def _is_due(self, market: FakeMarket) -> bool:
        moved = 20 * abs(self.stored[0].price - market.checkpoint_price) > market.checkpoint_price
        return moved or self._now >= market.checkpoint_time + 3_600

    def _market(self, house: str) -> list[Any]:
        if self.stored[0].price == 0:
            raise Refused("price_oracle: stale price")
        market = self._of(house)
        view = {
            "equity": WAD,
            "open_legs": len(market.brinks),
            "depth": WAD,
            "checkpoint_time": market.checkpoint_time,
            "window_end": market.window_end,
            "is_due": self._is_due(market),
        }
        return [_struct("MarketLens", "market", view)]

    def _health(self, house: str, accounts: Any) -> list[Any]:
        market, rows = self._of(house), []
        for account in accounts:
            brink = market.brinks.get(account)
            legs = int(brink is not None)
            short = max(0, (brink or 0) - self.stored[0].price)
            rows.append((0, 0, 0, 100 - short, 0, 100 * legs, 0, legs, short > 0))
        return [rows]

    def _of(self, house: str) -> FakeMarket:
        return next(
            self.markets[market.symbol]
            for market in self.manifest.markets
            if market.clearing_house.lower() == house.lower()
        )

    def _aggregate(self, calls: Any) -> list[Any]:
        results = []
        for to, may_fail, _, data in calls:
            before = self._snapshot()
            try:
                results.append((True, self._dispatch(to, data)))
            except Refused as error:
                self._restore(before)
                if not may_fail:
                    raise Refused("Multicall3: call failed") from error
                results.append((False, refused(str(error)).data))
        return [results]

    def _checkpoint(self, market: FakeMarket, symbol: str) -> list[Any]:
        self._fresh(60)
        market.checkpoint_time, market.checkpoint_price = self._now, self.stored[0].price
        self.happened["checkpoint", symbol] += 1
        return []

    def _fulfil(self, market: FakeMarket, symbol: str, deposits: int) -> list[Any]:
        self._fresh(60)
        if not deposits or self.stored[0].publish_time < market.deposit_due:
            return [0, 0]
        market.deposit_due = NEVER
        self.happened["fulfilled", symbol] += 1
        return [1, 0]

    def _execute_orders(self, market: MarketManifest, orders: Any, blobs: Any) -> list[Any]:
        fake, done = self.markets[market.symbol], []
        given = [_order(terms) for terms in orders]
        waiting = [o for o in given if fake.waits(o)]
        if not waiting:
            raise Refused("order_desk: unknown order")
        earliest = min(o.requested_at for o in waiting)
        time, prices = decode(["uint256", "uint256[]"], blobs[0])
        before = [u.prices[0].publish_time for u in self.hermes.published if u.prices[0].publish_time < time]
        if any(o.is_armed for o in waiting):
            raise Refused("order_desk: not triggered")
        if any(self._now < o.requested_at + ORDER_DELAY for o in waiting):
            raise Refused("order_desk: too early")
        if any(self._now > o.requested_at + EXEC_WINDOW for o in waiting):
            raise Refused("order_desk: window missed")
        for o in waiting:
            del fake.orders[o.account, o.nonce]
            if fake.is_live(o.account, o.follows, self._now):
                raise Refused("order_desk: not its turn")
        if time < earliest + ORDER_DELAY or (before and before[-1] >= earliest + ORDER_DELAY):
            raise Refused("PriceFeedNotFoundWithinRange")
        if any(time < o.requested_at + ORDER_DELAY for o in waiting):
            raise Refused("order_desk: not the first price")
        self._update([0, 1], blobs)
        # Whatever does not only reduce stands for what adds risk.
        if self._is_restricted() and not all(o.reduce_only for o in waiting):
            raise Refused("risk_book: far from chainlink")
        for o in given:
            done.append(o in waiting)
            if done[-1]:
                self.happened["executed", market.symbol, o.account, o.nonce] += 1
                self.executed_at[market.symbol, o.account, o.nonce] = time
                self._logs.append(executed(market, o.account, o.nonce))
        return [done]

    def _trigger(self, market: MarketManifest, orders: Any, blobs: Any) -> list[Any]:
        fake, done = self.markets[market.symbol], []
        if not any(map(fake.waits, map(_order, orders))):
            raise Refused("order_desk: unknown order")
        if blobs:
            self._update([0, 1], blobs)
        if any(self._now > stored.publish_time + TRIGGER_MAX_AGE for stored in self.stored):
            raise Refused("order_desk: stale price")
        for o in map(_order, orders):
            trigger = Trigger.of(o.trigger)
            stored = self.stored[trigger.underlying]
            waits = fake.waits(o) and o.waits_for_trigger(self._now)
            reached = stored.publish_time >= o.requested_at + ORDER_DELAY and trigger.holds(stored.price)
            is_open = fake.are_open(o) and (o.reduce_only or not self._is_restricted())
            pays = pays_once_triggered(o.fee, len(o.legs), self.node.base_fee)
            done.append(waits and reached and is_open and pays and fake.has_room(o.account, self._now))
            if done[-1]:
                live = fake.go_live(replace(o, trigger=trigger.word, requested_at=self._now))
                self.happened["triggered", market.symbol, o.account, o.nonce] += 1
                self._logs.append(triggered(market, live))
        if not any(done):
            raise Refused("order_desk: not triggered")
        return [done]

    def _void(self, market: MarketManifest, terms: Any) -> list[Any]:
        fake, order = self.markets[market.symbol], _order(terms)
        if not fake.waits(order):
            raise Refused("order_desk: unknown order")
        if not order.is_armed and self._now <= order.requested_at + EXEC_WINDOW:
            raise Refused("order_desk: window open")
        if order.trigger and self._now <= order.deadline:
            raise Refused("order_desk: may yet be triggered")
        del fake.orders[order.account, order.nonce]
        self.happened["voided", market.symbol, order.account, order.nonce] += 1
        self._logs.append(voided(market, order.account, order.nonce))
        return []

    def _liquidate(self, market: MarketManifest, accounts: Any, blobs: Any) -> list[Any]:
        fake, fractions = self.markets[market.symbol], []
        if blobs:
            self._update([0, 1], blobs)
        self._fresh(15)
        for account in accounts:
            below = self.stored[0].price < fake.brinks.get(account, 0)
            fractions.append(WAD if below else 0)
            if below:
                del fake.brinks[account]
                self.happened["liquidated", market.symbol, account] += 1
                self._logs.append(liquidated(market, account, WAD))
        return [fractions]


def _struct(contract: str, function: str, known: dict[str, Any]) -> tuple[Any, ...]:
    """The struct that a function returns: what is known of it, and what stands for nothing in its other fields."""
    (entry,) = [entry for entry in artifacts.load(contract).abi if entry.get("name") == function]
    (output,) = entry["outputs"]
    return tuple(known.get(field["name"], _nothing(field)) for field in output["components"])


def _nothing(field: dict[str, Any]) -> Any:
    """What stands for nothing in a field of a struct."""
    if field["type"].endswith("[]"):
        return []
    if field["type"] == "tuple":
        return tuple(_nothing(component) for component in field["components"])
    if field["type"] == "string":
        return ""
    return field["type"] != "bool" and 0


def _order(terms: Any) -> Order:
    """An order out of calldata."""
    account, nonce, legs, *others = terms
    return Order(account, nonce, tuple(map(tuple, legs)), *others)
