"""Order timing: requests, prices, triggers, executions, cancellations and voids in any order, by traders and two keepers who
race each other, and of whom one brings whatever price suits him."""

from collections import defaultdict
from functools import partial
from typing import Any, Final

import boa
from eth_account import Account
from eth_utils import keccak
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from everstock.chain.in_process import DELAY, EXEC_WINDOW, NO_DEADLINE, NO_LIMIT, Order, account_of, price
from everstock.chain.signed_orders import DeskDomain, as_tuple, digest, sign
from everstock.model import order_desk
from everstock.model.order_desk import ARMED, MAX_WAIT, TRIGGER_MAX_AGE, Trigger
from everstock.model.price_oracle import Published
from everstock.model.reverts import Revert
from everstock.model.risk_book import OrderLeg
from tests.stateful.machine import Machine
from tests.unit.order_desk.desk import base_fee

TRADERS: Final = ("first trader", "second trader", "third trader")
KEEPERS: Final = ("keeper", "hostile keeper")

# Whose signatures traders let count, and who has only a key.
SIGNER: Final = Account.from_key(keccak(text="signer"))
STRANGER: Final = Account.from_key(keccak(text="stranger"))

traders = st.sampled_from(TRADERS)
keepers = st.sampled_from(KEEPERS)
picks = st.integers(0, 30)
# Faces in thousandths of a token, from below the minimum to beyond any margin.
faces = st.sampled_from([-80_000, -5_000, -1_000, -100, 100, 1_000, 5_000, 80_000]) | st.integers(-20_000, 20_000).filter(bool)
steps = st.sampled_from([0, 1, 2, 3, 4, 5, 12, 55, 60, 61])
drifts = st.floats(0.995, 1.005)
# How far above and below the index a conditional order is triggered; none: not at all.
distances = st.sampled_from([None, -0.001, 0.001, 0.004])


# What orders are traded by, and what they are cancelled by, one each.
TERMS: Final = (
    {},
    {},
    {"limit": 0},
    {"mark_limit": 0},
    {"reduce_only": True},
    {"deadline": DELAY},
    {"milli": -900_000},
    {"milli": 30_000_000},
)


class OrderMachine(Machine):
    """One market with series on both underlyings, and its order desk."""

    ACTIONS = frozenset(
        {
            "request",
            "request conditional",
            "trigger",
            "triggered",
            "triggered again",
            "not triggered",
            "execute",
            "executed",
            "executed after a trigger",
            "passed over",
            "cancel",
            "set delegate",
            "request by a delegate",
            "relay",
            "revoke",
            "void",
            "void past the deadline",
            "withdraw",
            "deposit",
            "update prices",
            "cancelled: trade: below initial margin",
            "cancelled: trade: over limit",
            "cancelled: trade: mark over limit",
            "cancelled: trade: nothing to reduce",
            "cancelled: trade: over pool capacity",
        }
    )

    @initialize(base_fee=st.sampled_from([0, 5_000_000, 50 * 10**9]))
    def begin(self, base_fee: int) -> None:
        told = self.told
        self.people = {name: told.actor(name) for name in (*TRADERS, *KEEPERS, "founder")}
        self.base_fee = base_fee
        self.orders: list[order_desk.Order] = []
        self.signed: set[tuple[int, bytes]] = set()  # orders, by account and digest
        # Every price published, by underlying, as Pyth would sign it, with the signed update.
        self.prices: list[tuple[dict[int, Published], bytes]] = []
        self.earned: dict[str, int] = defaultdict(int)
        told.request_deposit("main_pool", self.people["founder"], 3_000 * self.unit)
        self.publish(600, 1, 1)
        self.told.bring([self.prices[-1][1]])
        told.fulfil("main_pool", 1, 0)
        told.checkpoint()
        self.series = [told.list_series(u, strike, is_put) for u, strike, is_put in ((0, 120_000, False), (1, 4_500, True))]
        for name in TRADERS:
            told.deposit(account_of(self.people[name]), 50 * self.unit, self.people[name])
        # Who signs orders for two of them.
        for name in TRADERS[:2]:
            person = self.people[name]
            desk = told.protocol.order_desk
            told.tell(
                "set delegate",
                desk,
                partial(desk.set_delegate, account_of(person), SIGNER.address, True, sender=person),
                self.market.desk.set_delegate,
                account_of(person),
                SIGNER.address,
                True,
                person,
            )

    # Time and prices

    @rule(seconds=steps)
    def time_passes(self, seconds: int) -> None:
        self.told.wait(seconds)

    @rule(seconds=steps, btc=drifts, eth=drifts)
    def price_is_published(self, seconds: int, btc: float, eth: float) -> None:
        self.publish(seconds, btc, eth)

    @rule(first=st.sampled_from([1, 2, 4]), count=st.integers(2, 6), btc=drifts)
    def prices_come_every_second(self, first: int, count: int, btc: float) -> None:
        for i in range(count):
            self.publish(first if i == 0 else 1, btc, btc)

    @rule(btc=st.sampled_from([0.5, 0.88, 0.94, 1.06, 1.12, 1.5]))
    def price_jumps(self, btc: float) -> None:
        self.publish(1, btc, 1)

    @rule(back=st.integers(0, 3))
    def somebody_stores_a_price(self, back: int) -> None:
        if back < len(self.prices):
            self.told.published, update = self.prices[-1 - back]
            self.told.bring([update])

    @rule()
    def window_passes(self) -> None:
        self.publish(601, 1, 1)
        self.told.bring([self.prices[-1][1]])
        self.told.checkpoint()

    def publish(self, after: int, btc: float, eth: float) -> None:
        previous = self.prices[-1][0][0].publish_time if self.prices else 0
        index = self.told.protocol.index
        (update,) = self.told.publish(after=after, BTC=index["BTC"] * btc, ETH=index["ETH"] * eth)
        self.told.published = {
            u: Published(one.price, one.conf, one.expo, one.publish_time, previous) for u, one in self.told.published.items()
        }
        self.prices.append((self.told.published, update))

    # Orders

    @rule(
        name=traders,
        legs=st.lists(st.tuples(st.sampled_from([0, 1]), faces), min_size=1, max_size=2, unique_by=lambda leg: leg[0]),
        limit=st.sampled_from([None, None, None, 0]),
        mark_limit=st.sampled_from([None, None, None, 0]),
        reduce_only=st.sampled_from([False, False, True]),
        deadline=st.sampled_from([None, None, None, EXEC_WINDOW, 1_000]),
        extra=st.sampled_from([0, 1, 10**15]),
    )
    def request(
        self,
        name: str,
        legs: list[tuple[int, int]],
        limit: int | None,
        mark_limit: int | None,
        reduce_only: bool,
        deadline: int | None,
        extra: int,
    ) -> None:
        order = [OrderLeg(self.series[i], milli * self.unit // 1_000) for i, milli in legs]
        fee = order_desk.min_fee(len(order), self.base_fee) + extra
        until = NO_DEADLINE if deadline is None else self.told.now + deadline
        limits = [NO_LIMIT if limit is None else limit, NO_LIMIT if mark_limit is None else mark_limit]
        self.tell_request(name, order, limits, reduce_only, until, fee)

    @rule(name=traders, fault=st.sampled_from(["legs", "series", "unlisted", "face", "size", "twice", "fee", "deadline"]))
    def request_badly(self, name: str, fault: str) -> None:
        one = OrderLeg(self.series[0], self.unit)
        legs = {
            "legs": [],
            "series": [OrderLeg(2**16, 1)],
            "unlisted": [OrderLeg(self.series[-1] + 1, self.unit)],
            "face": [OrderLeg(self.series[0], 0)],
            "size": [OrderLeg(self.series[0], 2**127)],
            "twice": [one, one],
        }.get(fault, [one])
        fee = order_desk.min_fee(len(legs), self.base_fee) - (fault == "fee")
        until = self.told.now + EXEC_WINDOW - 1 if fault == "deadline" else NO_DEADLINE
        self.tell_request(name, legs, [NO_LIMIT, NO_LIMIT], False, until, fee)

    def tell_request(
        self,
        name: str,
        legs: list[OrderLeg],
        limits: list[int],
        reduce_only: bool,
        deadline: int,
        fee: int,
        trigger: Trigger | None = None,
        by: str | None = None,
    ) -> None:
        """A request for the account of one trader, by another if so said."""
        desk, person = self.told.protocol.order_desk, self.people[by or name]
        account = account_of(self.people[name])
        terms = (account, legs, *limits, reduce_only, deadline)
        request = desk.request if trigger is None else desk.request_conditional
        with self.at_base_fee():
            order = self.told.tell(
                "request" if trigger is None else "request conditional",
                desk,
                lambda: request(*terms, *(trigger or ()), value=fee, sender=person),
                self.market.desk.request,
                *terms,
                fee,
                person,
                self.base_fee,
                trigger,
                same_result=False,
            )
        if not isinstance(order, Revert):
            self.orders.append(order)

    @rule(
        name=traders,
        milli=faces,
        underlying=st.sampled_from([0, 0, 1]),
        above=distances,
        below=distances,
        reduce_only=st.sampled_from([False, True]),
        deadline=st.sampled_from([EXEC_WINDOW + DELAY, 80, 1_000, MAX_WAIT]),
        extra=st.sampled_from([0, 1, 10**15]),
    )
    def request_conditional(
        self,
        name: str,
        milli: int,
        underlying: int,
        above: float | None,
        below: float | None,
        reduce_only: bool,
        deadline: int,
        extra: int,
    ) -> None:
        """A stop, a take-profit, a limit or a bracket, near the index; some are reached at once, some make no sense."""
        index = self.told.protocol.index["BTC" if underlying == 0 else "ETH"]
        trigger = Trigger(
            underlying,
            0 if above is None else price(index * (1 + above)),
            0 if below is None else price(index * (1 - below)),
        )
        legs = [OrderLeg(self.series[underlying], milli * self.unit // 1_000)]
        fee = order_desk.min_fee(1, self.base_fee, True) + extra
        self.tell_request(name, legs, [NO_LIMIT, NO_LIMIT], reduce_only, self.told.now + deadline, fee, trigger)

    @rule(name=traders, fault=st.sampled_from(["legs", "fee", "early", "late", "underlying", "none", "size", "crossed"]))
    def request_conditional_badly(self, name: str, fault: str) -> None:
        legs = [] if fault == "legs" else [OrderLeg(self.series[0], self.unit)]
        fee = order_desk.min_fee(len(legs), self.base_fee, True) - (fault == "fee")
        wait = {"early": EXEC_WINDOW - 1, "late": MAX_WAIT + 1}.get(fault, EXEC_WINDOW)
        trigger = {
            "underlying": Trigger(2, 1, 0),
            "none": Trigger(0, 0, 0),
            "size": Trigger(0, 2**64, 0),
            "crossed": Trigger(0, 5, 5),
        }.get(fault, Trigger(0, 6, 5))
        self.tell_request(name, legs, [NO_LIMIT, NO_LIMIT], False, self.told.now + wait, fee, trigger)

    @rule(keeper=keepers, pick=picks, how_many=st.integers(1, 3), with_price=st.booleans())
    def keeper_triggers(self, keeper: str, pick: int, how_many: int, with_price: bool) -> None:
        """As it should be: at the latest price, whether it is stored already or not."""
        orders = self.chosen(pick, how_many)
        if orders:
            if with_price:
                self.checkpoint_if_due()
            self.tell_trigger(keeper, orders, len(self.prices) - 1 if with_price else None)

    @rule(pick=picks, how_many=st.integers(1, 4), back=st.integers(0, 8), later=st.sampled_from([0, 1, 5, 14, 15, 16]))
    def hostile_keeper_triggers(self, pick: int, how_many: int, back: int, later: int) -> None:
        """Any orders, by any price there ever was, at any time."""
        orders = self.chosen(pick, how_many)
        if orders and back < len(self.prices):
            self.told.wait(later)
            self.tell_trigger("hostile keeper", orders, len(self.prices) - 1 - back)

    @rule(keeper=keepers, wait=st.sampled_from([0, 1, 40, 61]), again=st.booleans())
    def conditional_order_and_execution(self, keeper: str, wait: int, again: bool) -> None:
        """Requested, reached, triggered by one keeper and (a little later) by the other, and executed; or its window missed."""
        deadline, before = self.told.now + 1_000, len(self.orders)
        trigger = Trigger(0, price(self.told.protocol.index["BTC"]), 0)
        fee = 3 * order_desk.min_fee(1, self.base_fee, True)
        legs = [OrderLeg(self.series[0], self.unit // 2)]
        self.tell_request("first trader", legs, [NO_LIMIT, NO_LIMIT], False, deadline, fee, trigger)
        if len(self.orders) == before:
            return
        order = self.orders[-1]
        self.publish(DELAY, 1, 1)
        self.checkpoint_if_due()
        other = next(name for name in KEEPERS if name != keeper)
        for racer in (keeper, other):
            self.tell_trigger(racer, [order], len(self.prices) - 1)
        if self.orders[-1] == order:
            return
        live = self.orders[-1]
        self.publish(DELAY, 1, 1)
        which = len(self.prices) - 1
        self.told.wait(wait)
        for racer in (keeper, other):
            self.tell_execute(racer, [live], which)
        if again:
            self.publish(1, 1, 1)
            self.checkpoint_if_due()
            self.tell_trigger(keeper, [live], len(self.prices) - 1)

    def checkpoint_if_due(self) -> None:
        """As a keeper does before it triggers anything."""
        self.told.published, update = self.prices[-1]
        self.told.bring([update])
        if self.market.house.risk.is_due():
            self.told.checkpoint()

    def tell_trigger(self, keeper: str, orders: list[order_desk.Order], which: int | None) -> None:
        """Trigger at the prices number `which`, or at the stored ones; the keeper earns the shares of those triggered."""
        desk, by = self.told.protocol.order_desk, self.people[keeper]
        published, updates = {}, []
        if which is not None:
            published, update = self.prices[which]
            updates = [update]
        fee = self.told.protocol.pyth.getUpdateFee(updates)
        waiting, before = self.market.desk.ether, boa.env.get_balance(by)
        with self.at_base_fee():
            result = self.told.tell(
                "trigger",
                desk,
                lambda: desk.trigger([_terms(order) for order in orders], updates, value=fee, sender=by),
                self.market.desk.trigger,
                orders,
                published,
                self.base_fee,
            )
        earned = waiting - self.market.desk.ether
        assert boa.env.get_balance(by) == before + (0 if isinstance(result, Revert) else earned - fee)
        if isinstance(result, Revert):
            return
        for order, triggered in zip(orders, result, strict=True):
            if triggered:
                self.check_reached(order)
                self.orders.append(self.market.desk.waiting[order.account, order.nonce])
            self.told.tally.done[
                "not triggered" if not triggered else "triggered" if order.trigger >= ARMED else "triggered again"
            ] += 1

    def check_reached(self, order: order_desk.Order) -> None:
        """Whatever a keeper picked: a price there was, of the last seconds, and of after the request, reached the trigger."""
        trigger = Trigger.of(order.trigger)
        first = max(order.requested_at + DELAY, self.told.now - TRIGGER_MAX_AGE)
        ones = [published[trigger.underlying] for published, _ in self.prices]
        assert any(first <= one.publish_time <= self.told.now and trigger.holds(one.price) for one in ones)
        # Nor was another price left out for long.
        oracle, ids = self.market.oracle, self.market.risk.underlyings
        assert all(self.told.now - oracle.stored(id_).publish_time <= TRIGGER_MAX_AGE for id_ in ids)
        # Its deadline comes when its window is over, so it is firm.
        assert self.told.now + EXEC_WINDOW <= order.deadline

    @rule(keeper=keepers, pick=picks, how_many=st.integers(1, 3))
    def keeper_executes(self, keeper: str, pick: int, how_many: int) -> None:
        """As it should be: in turn, at the first price of the earliest order."""
        orders = sorted(self.chosen(pick, how_many), key=self.orders.index)
        if orders:
            due = min(order.requested_at for order in orders) + DELAY
            first = next((i for i, (one, _) in enumerate(self.prices) if one[0].publish_time >= due), None)
            if first is not None:
                self.tell_execute(keeper, orders, first)

    @rule(keeper=keepers, wait=st.sampled_from([0, 1, 20]), terms=st.sampled_from(TERMS))
    def request_and_execution(self, keeper: str, wait: int, terms: dict[str, Any]) -> None:
        """One order that nothing keeps from being traded but its own terms."""
        plain = {"milli": 500, "limit": None, "mark_limit": None, "reduce_only": False, "deadline": None, "extra": 0}
        request = plain | terms
        self.request("first trader", [(0, request.pop("milli"))], **request)
        self.publish(DELAY, 1, 1)
        self.checkpoint_if_due()
        self.told.wait(wait)
        if self.orders:
            self.tell_execute(keeper, self.orders[-1:], len(self.prices) - 1)

    @rule(pick=picks, how_many=st.integers(1, 4), back=st.integers(0, 6), later=st.integers(-1, 5))
    def hostile_keeper_executes(self, pick: int, how_many: int, back: int, later: int) -> None:
        """Any orders, any price there ever was, at any time."""
        orders = self.chosen(pick, how_many)
        if orders and back < len(self.prices):
            self.told.wait(max(later, 0))
            self.tell_execute("hostile keeper", orders, len(self.prices) - 1 - back)

    @rule(keeper=keepers)
    def execute_nothing(self, keeper: str) -> None:
        self.tell_execute(keeper, [], 0)

    def chosen(self, pick: int, how_many: int) -> list[order_desk.Order]:
        """Some of the latest orders, whether they wait or not."""
        recent = self.orders[-5:]
        return [recent[(pick + i) % len(recent)] for i in range(min(how_many, len(recent)))]

    def tell_execute(self, keeper: str, orders: list[order_desk.Order], which: int) -> None:
        """Execute at the price number `which`; the keeper earns the fees of those that were waiting, less Pyth's."""
        desk, by = self.told.protocol.order_desk, self.people[keeper]
        published, update = self.prices[which]
        fee = self.told.protocol.pyth.getUpdateFee([update])
        waiting, before = self.market.desk.ether, boa.env.get_balance(by)
        out_of_turn = self.is_out_of_turn(orders)
        result = self.told.tell(
            "execute",
            desk,
            lambda: desk.execute([_terms(order) for order in orders], [update], value=fee, sender=by),
            self.market.desk.execute,
            orders,
            published,
        )
        earned = waiting - self.market.desk.ether
        assert boa.env.get_balance(by) == before + (0 if isinstance(result, Revert) else earned - fee)
        if not isinstance(result, Revert):
            # Invariant 39: nobody chooses which of an account's orders comes first.
            assert not out_of_turn
            for order, executed in zip(orders, result, strict=True):
                reason = self.market.desk.cancelled.get((order.account, order.nonce), "")
                self.told.tally.done["executed" if executed else f"cancelled: {reason}" if reason else "passed over"] += 1
                self.told.tally.done["executed after a trigger"] += executed and order.trigger != 0
                assert not executed or self.told.now <= order.deadline

    def is_out_of_turn(self, orders: list[order_desk.Order]) -> bool:
        """Whether one of these waits, and another of its account that went live before and is live is not listed earlier."""
        waiting = set(self.market.desk.waiting.values())
        for i, order in enumerate(orders):
            earlier = self.orders[: self.orders.index(order)]
            may = [
                one
                for one in earlier
                if one.account == order.account
                and one in waiting
                and not one.waits_for_trigger(self.told.now)
                and self.told.now <= one.requested_at + EXEC_WINDOW
            ]
            if order in waiting and not set(may) <= set(orders[:i]):
                return True
        return False

    @rule(pick=picks, early=st.booleans())
    def void(self, pick: int, early: bool) -> None:
        for order in self.chosen(pick, 1):
            if not early:
                until = order.deadline if order.trigger else 0
                if until < order.requested_at + 1_000:
                    self.told.wait(max(0, max(order.requested_at + EXEC_WINDOW, until) + 1 - self.told.now))
            self.tell_end("void", order, self.people["keeper"])

    @rule(pick=picks, by=st.none() | traders)
    def cancel(self, pick: int, by: str | None) -> None:
        for order in self.chosen(pick, 1):
            self.tell_end("cancel", order, str(order.payer) if by is None else self.people[by])

    @rule(name=traders)
    def cancel_at_once(self, name: str) -> None:
        """A market order, which is firm, and a conditional one."""
        self.request(name, [(0, 500)], None, None, False, None, 0)
        self.request_conditional(name, 500, 0, 0.004, None, False, 1_000, 0)
        for order in self.orders[-2:]:
            self.tell_end("cancel", order, str(order.payer))

    def tell_end(self, action: str, order: order_desk.Order, by: str) -> None:
        """End an order without a trade; its fee goes back to who paid it."""
        desk, payer = self.told.protocol.order_desk, str(order.payer)
        before = boa.env.get_balance(payer)
        result = self.told.tell(
            action,
            desk,
            lambda: getattr(desk, action)(_terms(order), sender=by),
            getattr(self.market.desk, action),
            order,
            *([by] if action == "cancel" else []),
        )
        ended = not isinstance(result, Revert)
        assert boa.env.get_balance(payer) == before + (order.fee if ended else 0)
        # What is live is firm.
        assert action != "cancel" or not ended or order.waits_for_trigger(self.told.now)
        self.told.tally.done["void past the deadline"] += action == "void" and ended and order.trigger != 0

    @rule(name=traders, amount=st.integers(1, 30))
    def withdraw(self, name: str, amount: int) -> None:
        """Margin must neither leave nor come under a live order."""
        self.told.withdraw(account_of(self.people[name]), amount * self.unit, self.people[name])

    @rule(name=traders)
    def deposit(self, name: str) -> None:
        self.told.deposit(account_of(self.people[name]), 10 * self.unit, self.people[name])

    @rule(name=traders, of=traders, allowed=st.sampled_from([True, True, False]), by_owner=st.sampled_from([True, True, False]))
    def set_delegate(self, name: str, of: str, allowed: bool, by_owner: bool) -> None:
        desk, owner, delegate = self.told.protocol.order_desk, self.people[of], self.people[name]
        by = owner if by_owner else delegate
        self.told.tell(
            "set delegate",
            desk,
            lambda: desk.set_delegate(account_of(owner), delegate, allowed, sender=by),
            self.market.desk.set_delegate,
            account_of(owner),
            delegate,
            allowed,
            by,
        )

    @rule(name=traders, by=traders, stop=st.booleans())
    def delegate_trades(self, name: str, by: str, stop: bool) -> None:
        """A request for an account, by whoever may and whoever may not; and its owner would take it back."""
        legs = [OrderLeg(self.series[0], self.unit // 2)]
        fee, before = order_desk.min_fee(1, self.base_fee, stop), len(self.orders)
        trigger = Trigger(0, 0, price(self.told.protocol.index["BTC"] / 2)) if stop else None
        self.tell_request(name, legs, [NO_LIMIT, NO_LIMIT], False, self.told.now + 1_000, fee, trigger, by)
        if by != name and len(self.orders) > before:
            self.told.tally.done["request by a delegate"] += 1
            self.tell_end("cancel", self.orders[-1], self.people[name])

    @rule(
        name=traders,
        relayer=keepers,
        milli=faces,
        salt=st.integers(0, 2),
        valid=st.sampled_from([-1, 0, 100]),
        stop=st.booleans(),
        only=st.none() | keepers,
        by=st.sampled_from([SIGNER, SIGNER, SIGNER, STRANGER]),
        again=st.booleans(),
    )
    def relay(
        self,
        name: str,
        relayer: str,
        milli: int,
        salt: int,
        valid: int,
        stop: bool,
        only: str | None,
        by: Any,
        again: bool,
    ) -> None:
        """What a delegate signed, or somebody else in their place; and once more by the other keeper."""
        nobody = "0x" + 40 * "0"
        order = order_desk.SignedOrder(
            account=account_of(self.people[name]),
            legs=(OrderLeg(self.series[0], milli * self.unit // 1_000),),
            limit=NO_LIMIT,
            mark_limit=NO_LIMIT,
            reduce_only=False,
            deadline=self.told.now + 1_000,
            underlying=0,
            above=price(self.told.protocol.index["BTC"]) if stop else 0,
            below=0,
            salt=salt,
            valid_until=self.told.now + valid,
            relayer=nobody if only is None else self.people[only],
        )
        for racer in (relayer, *(name for name in KEEPERS if name != relayer and again)):
            self.tell_relay(order, self.people[racer], by)

    def tell_relay(self, signed: order_desk.SignedOrder, relayer: str, key: Any) -> None:
        desk, fee = self.told.protocol.order_desk, order_desk.min_fee(1, self.base_fee, signed.above != 0)
        domain = DeskDomain(desk.address, boa.env.evm.patch.chain_id)
        signature = sign(signed, domain, key.key)
        self.signed.add((signed.account, digest(signed, domain)))
        with self.at_base_fee():
            order = self.told.tell(
                "relay",
                desk,
                lambda: desk.relay(as_tuple(signed), SIGNER.address, signature, value=fee, sender=relayer),
                self.market.desk.relay,
                signed,
                digest(signed, domain),
                SIGNER.address,
                key is SIGNER,
                fee,
                relayer,
                self.base_fee,
                same_result=False,
            )
        if not isinstance(order, Revert):
            self.orders.append(order)

    @rule(name=traders, salt=st.integers(0, 2), by=traders)
    def revoke(self, name: str, salt: int, by: str) -> None:
        """A digest, of something or nothing."""
        desk, account, some = self.told.protocol.order_desk, account_of(self.people[name]), bytes([salt]) * 32
        self.told.tell(
            "revoke",
            desk,
            lambda: desk.revoke(account, some, sender=self.people[by]),
            self.market.desk.revoke,
            account,
            some,
            self.people[by],
        )

    # What holds after every step

    @invariant()
    def everything_agrees(self) -> None:
        self.verify()
        model, desk = self.market.desk, self.told.protocol.order_desk
        # Invariant 20: the desk holds the fees of the orders that wait, and those alone are stored.
        assert boa.env.get_balance(desk.address) == model.ether
        for order in self.orders[-8:]:
            waits = (order.account, order.nonce) in model.waiting
            assert (desk.order_hash(order.account, order.nonce) != bytes(32)) == waits
        # Invariant 38: margin stays as long as any order of the account may be executed.
        now, ends = self.told.now, defaultdict(int)
        for order in model.waiting.values():
            if not order.waits_for_trigger(now) and now <= order.requested_at + EXEC_WINDOW:
                ends[order.account] = max(ends[order.account], order.requested_at + EXEC_WINDOW)
        for account in model.last_nonce:
            assert desk.live_until(account) == model.live_until(account) >= ends[account]
            assert desk.last_nonce(account) == model.last_nonce[account]
        for account, some in self.signed:
            assert desk.is_spent(account, some) == ((account, some) in model.spent)
        for name in TRADERS:
            account = account_of(self.people[name])
            for who in (SIGNER.address, *self.people.values()):
                assert desk.is_delegate(account, who) == (who in model.delegates[account])

    def at_base_fee(self) -> Any:
        """Blocks inside have this run's base fee."""
        return base_fee(self.base_fee)


def _terms(order: order_desk.Order) -> Order:
    """An order as the contract takes it."""
    return Order(
        order.account,
        order.nonce,
        [tuple(leg) for leg in order.legs],
        order.limit,
        order.mark_limit,
        order.reduce_only,
        order.deadline,
        order.trigger,
        order.requested_at,
        order.follows,
        order.fee,
        str(order.payer),
    )
