"""The order desk: request, for some a trigger, then execution at the first price after the delay. All actions may raise
`Revert`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from everstock.model.atomic import undone_on_revert
from everstock.model.clearing_house import ClearingHouse
from everstock.model.price_oracle import Published
from everstock.model.reverts import Revert, require
from everstock.model.risk_book import OrderLeg
from everstock.model.series_book import FROZEN, OPEN

# From a request to the last second of price and execution.
EXEC_WINDOW: Final = 60
# How many of an account's orders may go live in a minute of the clock.
MAX_LIVE: Final = 8
# How old a price that triggers an order may be, and how long an order may wait for one.
TRIGGER_MAX_AGE: Final = 15
MAX_WAIT: Final = 365 * 86_400
# The least fee is (BASE_GAS + LEG_GAS * legs) * base fee + FLAT_FEE, with a trigger TRIGGER_GAS * base fee + FLAT_FEE more.
BASE_GAS: Final = 1_000_000
LEG_GAS: Final = 50_000
TRIGGER_GAS: Final = 800_000
# How much of a market order's least fee must be left when an order is triggered.
PAYS_PERCENT: Final = 90
FLAT_FEE: Final = 10**13  # wei
MAX_FACE: Final = 2**127 - 1
MAX_SERIES_ID: Final = 2**16 - 1
MAX_LEGS: Final = 8
MAX_PRICE: Final = 2**64 - 1
# The bit of a trigger's word that says that an order still waits for it.
ARMED: Final = 1 << 255


class Trigger(NamedTuple):
    """What makes a conditional order a market order: a price of an underlying of the market at or above, or at or below (0:
    none)."""

    underlying: int
    above: int = 0  # USD, 8 decimals
    below: int = 0

    @property
    def word(self) -> int:
        """As orders have it once it was reached; with `ARMED` before."""
        return self.underlying << 128 | self.below << 64 | self.above

    @classmethod
    def of(cls, word: int) -> "Trigger":
        """The trigger in an order's word."""
        return cls(word >> 128 & 255, word & MAX_PRICE, word >> 64 & MAX_PRICE)

    def holds(self, price: int) -> bool:
        """Whether a price is beyond either."""
        return price <= self.below or 0 < self.above <= price


@dataclass(frozen=True)
class Order:
    """The terms of a requested order."""

    account: int
    nonce: int  # per account, from 1
    legs: tuple[OrderLeg, ...]
    limit: int  # what it may cost at most, raw units of M
    mark_limit: int  # what its marks alone may come to
    reduce_only: bool
    deadline: int  # the last second it may execute at, never inside its window
    trigger: int  # a word, see `Trigger`; 0 for a market order
    requested_at: int  # or triggered
    follows: int  # a word, see `Live`: the account's order that was live when this one went live; 0 for none
    fee: int  # escrowed ether, less what its trigger was paid; wei
    payer: str

    def waits_for_trigger(self, now: int) -> bool:
        """Whether it waits for a price to trigger it: conditional, and not triggered or in vain."""
        return self.trigger >= ARMED or (self.trigger != 0 and now > self.requested_at + EXEC_WINDOW)


@dataclass(frozen=True)
class SignedOrder:
    """What an owner or a delegate signs, for anyone to relay; a market order where both prices are 0."""

    account: int
    legs: tuple[OrderLeg, ...]
    limit: int
    mark_limit: int
    reduce_only: bool
    deadline: int
    underlying: int
    above: int
    below: int
    salt: int  # what tells it from others of the same terms
    valid_until: int  # the last second it may be relayed at
    relayer: str  # who alone may; the zero address for anyone

    @property
    def trigger(self) -> Trigger | None:
        """What triggers it; none if it is a market order."""
        return Trigger(self.underlying, self.above, self.below) if self.above or self.below else None


class Live(NamedTuple):
    """An order of an account that went live."""

    until: int = 0  # the last second of its window
    nonce: int = 0

    @property
    def minute(self) -> int:
        """The minute of the clock that it went live in."""
        return self.until // EXEC_WINDOW - 1

    @property
    def word(self) -> int:
        """As orders have the one they follow."""
        return self.nonce << 32 | self.until

    @classmethod
    def of(cls, word: int) -> "Live":
        """The one in an order's word."""
        return cls(word & 2**32 - 1, word >> 32)


@dataclass
class Desk:
    """Orders that wait, and the ether they escrow."""

    house: ClearingHouse
    delay: int  # from a request to the first second its price may be published at, from 1 to 30 seconds
    waiting: dict[tuple[int, int], Order] = field(default_factory=dict)  # by account and nonce
    last_nonce: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    live: dict[int, Live] = field(default_factory=lambda: defaultdict(Live))  # the last that went live, by account
    bursts: dict[int, int] = field(default_factory=lambda: defaultdict(int))  # how many did so in that minute, by account
    cancelled: dict[tuple[int, int], str] = field(default_factory=dict)  # why an order ended without a trade
    delegates: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # by account
    spent: set[tuple[int, bytes]] = field(default_factory=set)  # signed orders relayed or revoked, by account and digest

    @property
    def ether(self) -> int:
        """What the desk holds for orders that wait, wei."""
        return sum(order.fee for order in self.waiting.values())

    def request(
        self,
        account: int,
        legs: Sequence[OrderLeg],
        limit: int,
        mark_limit: int,
        reduce_only: bool,
        deadline: int,
        fee: int,
        payer: str,
        base_fee: int,
        trigger: Trigger | None = None,
    ) -> Order:
        """Take a request of the account's owner or a delegate, who escrows `fee` wei; with a `trigger` a conditional one."""
        self._only_trader(account, payer)
        return self._place(account, legs, limit, mark_limit, reduce_only, deadline, fee, payer, base_fee, trigger)

    def relay(
        self, order: SignedOrder, digest: bytes, signer: str, is_signed: bool, fee: int, payer: str, base_fee: int
    ) -> Order:
        """Anyone requests what an owner or a delegate signed, once. `is_signed` says whether the signature is the signer's, of
        `digest`."""
        self._only_trader(order.account, signer)
        require(int(order.relayer, 16) in (0, int(payer, 16)), "order_desk: not the relayer")
        require(self.house.risk.now <= order.valid_until, "order_desk: signature expired")
        self._spend(order.account, digest)
        require(is_signed, "order_desk: wrong signature")
        terms = (order.account, order.legs, order.limit, order.mark_limit, order.reduce_only, order.deadline)
        return self._place(*terms, fee, payer, base_fee, order.trigger)

    def revoke(self, account: int, digest: bytes, by: str) -> None:
        """Make a signed order void that was not relayed."""
        self._only_trader(account, by)
        self._spend(account, digest)

    def _spend(self, account: int, digest: bytes) -> None:
        """Let a signed order be of no more use."""
        require((account, digest) not in self.spent, "order_desk: signature spent")
        self.spent.add((account, digest))

    def _place(
        self,
        account: int,
        legs: Sequence[OrderLeg],
        limit: int,
        mark_limit: int,
        reduce_only: bool,
        deadline: int,
        fee: int,
        payer: str,
        base_fee: int,
        trigger: Trigger | None,
    ) -> Order:
        """Let an order wait."""
        now = self.house.risk.now
        word = 0 if trigger is None else self._armed(trigger)
        check_legs(legs)
        require(fee >= min_fee(len(legs), base_fee, trigger is not None), "order_desk: fee too low")
        require(deadline >= now + EXEC_WINDOW, "order_desk: deadline too early")
        require(self._are_open(legs, reduce_only), "order_desk: series not open")
        if trigger is None:
            require(self._live_orders(account) < MAX_LIVE, "order_desk: too many live orders")
        else:
            require(deadline <= now + MAX_WAIT, "order_desk: deadline too late")
        self.last_nonce[account] += 1
        nonce = self.last_nonce[account]
        follows = self._follows(account) if trigger is None else 0
        terms = (account, nonce, tuple(legs), limit, mark_limit, reduce_only, deadline, word, now, follows, fee, payer)
        order = self.waiting[account, nonce] = Order(*terms)
        if trigger is None:
            self.go_live(order)
        return order

    def trigger(self, orders: Sequence[Order], published: Mapping[int, Published], base_fee: int) -> list[bool]:
        """Make conditional orders that the oracle's price triggers market orders of now, after storing what was `published`
        of every underlying of the market, if anything was.

        Returns whether each was triggered; what whoever does so earns are the shares that the orders' fees lack.
        """
        risk = self.house.risk
        require(any(self._waits(order) for order in orders), "order_desk: unknown order")
        if published:
            risk.oracle.update({risk.underlyings[u]: one for u, one in published.items()})
        require(self.house.is_trading(), "order_desk: market does not trade")
        oldest = min(risk.oracle.stored(id_).publish_time for id_ in risk.underlyings)
        require(risk.now <= oldest + TRIGGER_MAX_AGE, "order_desk: stale price")
        triggered = []
        for order in orders:
            triggered.append(self._waits(order) and self._is_due(order, base_fee))
            if triggered[-1]:
                share = trigger_share(order.fee, len(order.legs))
                live = replace(
                    order,
                    trigger=order.trigger & ~ARMED,
                    requested_at=risk.now,
                    follows=self._follows(order.account),
                    fee=order.fee - share,
                )
                self.waiting[order.account, order.nonce] = live
                self.go_live(live)
        require(any(triggered), "order_desk: not triggered")
        return triggered

    def execute(self, orders: Sequence[Order], first_prices: Mapping[int, Published]) -> list[bool]:
        """Execute orders at the first prices published at or after the earliest order's delay.

        `first_prices` are what was brought, of every underlying of the market. Returns whether each order was traded; what
        the executor earns are the fees of all that were waiting.
        """
        now = self.house.risk.now
        require(bool(orders), "order_desk: no orders")
        taken = []
        for order in orders:
            taken.append(self._take(order))
            if taken[-1]:
                require(order.trigger < ARMED, "order_desk: not triggered")
                require(now >= order.requested_at + self.delay, "order_desk: too early")
                require(now <= order.requested_at + EXEC_WINDOW, "order_desk: window missed")
                require(not self._is_live(order.account, Live.of(order.follows)), "order_desk: not its turn")
        require(any(taken), "order_desk: unknown order")

        ids = self.house.risk.underlyings
        earliest = min(order.requested_at for order, is_taken in zip(orders, taken, strict=True) if is_taken)
        brought = {ids[u]: one for u, one in first_prices.items()}
        prices = self.house.risk.oracle.first_prices(brought, earliest + self.delay, earliest + EXEC_WINDOW)
        own_prices = [prices[ids[u]] if u in first_prices else 0 for u in (0, 1)]
        published = min(one.publish_time for one in first_prices.values())
        executed = []
        for order, is_taken in zip(orders, taken, strict=True):
            if is_taken:
                require(published >= order.requested_at + self.delay, "order_desk: not the first price")
            executed.append(is_taken and self._fill(order, own_prices))
        return executed

    def live_until(self, account: int) -> int:
        """Until when an account's margin stays as it is because an order of it may be executed; 0 if it does not."""
        # The last to go live is the last to be executed.
        return Live.of(self._follows(account)).until

    def go_live(self, order: Order) -> None:
        """Note that an order may be executed from now on: it was requested or triggered."""
        live = Live(order.requested_at + EXEC_WINDOW, order.nonce)
        same = live.minute == self.live[order.account].minute
        self.bursts[order.account] = 1 + (self.bursts[order.account] if same else 0)
        self.live[order.account] = live

    def _live_orders(self, account: int) -> int:
        """How many of an account's orders went live in this minute of the clock."""
        same = self.house.risk.now // EXEC_WINDOW == self.live[account].minute
        return self.bursts[account] if same else 0

    def _follows(self, account: int) -> int:
        """The word of what an order follows that goes live now."""
        last = self.live[account]
        return last.word if self._is_live(account, last) else 0

    def _is_live(self, account: int, order: Live) -> bool:
        """Whether an order that went live may still be executed."""
        return self.house.risk.now <= order.until and (account, order.nonce) in self.waiting

    def void(self, order: Order) -> None:
        """Anyone removes an order whose window was missed, a conditional one once its deadline has passed; its fee goes back."""
        now = self.house.risk.now
        require(self._take(order), "order_desk: unknown order")
        missed = order.trigger >= ARMED or now > order.requested_at + EXEC_WINDOW
        require(missed, "order_desk: window open")
        require(order.trigger == 0 or now > order.deadline, "order_desk: may yet be triggered")

    def cancel(self, order: Order, by: str) -> None:
        """Its owner or a delegate takes a conditional order back while it waits for its trigger; its fee goes back."""
        self._only_trader(order.account, by)
        require(self._take(order), "order_desk: unknown order")
        require(order.waits_for_trigger(self.house.risk.now), "order_desk: order is live")

    def set_delegate(self, account: int, delegate: str, allowed: bool, by: str) -> None:
        """An account's owner lets somebody trade for it, or no longer."""
        require(account >> 96 == int(by, 16), "order_desk: not the owner")
        require(int(delegate, 16) != 0, "order_desk: no delegate")
        (self.delegates[account].add if allowed else self.delegates[account].discard)(delegate)

    def _only_trader(self, account: int, who: str) -> None:
        """Refuse whoever may not trade for an account."""
        may = account >> 96 == int(who, 16) or who in self.delegates[account]
        require(may, "order_desk: neither owner nor delegate")

    def _armed(self, trigger: Trigger) -> int:
        """The word of a trigger that was not yet reached."""
        require(trigger.underlying < len(set(self.house.risk.underlyings)), "order_desk: unknown underlying")
        require(trigger.above != 0 or trigger.below != 0, "order_desk: no trigger")
        require(max(trigger.above, trigger.below) <= MAX_PRICE, "order_desk: trigger too large")
        require(trigger.above == 0 or trigger.below < trigger.above, "order_desk: triggers crossed")
        return trigger.word | ARMED

    def _is_due(self, order: Order, base_fee: int) -> bool:
        """Whether the stored price triggers an order that waits."""
        risk, trigger = self.house.risk, Trigger.of(order.trigger)
        if not order.waits_for_trigger(risk.now) or risk.now + EXEC_WINDOW > order.deadline:
            return False
        word = risk.oracle.stored(risk.underlyings[trigger.underlying])
        restricted = any(risk.oracle.stored(id_).restricted for id_ in risk.underlyings)
        if word.publish_time < order.requested_at + self.delay or (restricted and not order.reduce_only):
            return False
        if not pays_once_triggered(order.fee, len(order.legs), base_fee):
            return False
        is_open = trigger.holds(word.price) and self._are_open(order.legs, order.reduce_only)
        return is_open and self._live_orders(order.account) < MAX_LIVE

    def _are_open(self, legs: Sequence[OrderLeg], reduce_only: bool) -> bool:
        """Whether every leg's series may be traded as an order wants, now and as long as it lives."""
        series = [self.house.risk.book.series.get(leg.series) for leg in legs]
        return all(s is not None and (s.notice == OPEN or (reduce_only and s.notice != FROZEN)) for s in series)

    def _waits(self, order: Order) -> bool:
        """Whether an order waits, with just these terms."""
        return self.waiting.get((order.account, order.nonce)) == order

    def _take(self, order: Order) -> bool:
        """Remove an order from those that wait; whether it waited, with just these terms."""
        if not self._waits(order):
            return False
        del self.waiting[order.account, order.nonce]
        return True

    def _fill(self, order: Order, own_prices: Sequence[int]) -> bool:
        """Trade an order, or cancel it for a reason of the trader's own; any other reverts."""
        try:
            with undone_on_revert(self.house):
                self.house.trade(
                    order.account, order.legs, own_prices, order.limit, order.mark_limit, order.reduce_only
                )
        except Revert as revert:
            if not revert.reason.startswith("trade: "):
                raise
            self.cancelled[order.account, order.nonce] = revert.reason
            return False
        return True


def min_fee(legs: int, base_fee: int, conditional: bool = False) -> int:
    """Least fee of a request of so many legs, wei; `base_fee` of the block, wei."""
    fee = (BASE_GAS + LEG_GAS * legs) * base_fee + FLAT_FEE
    return fee + TRIGGER_GAS * base_fee + FLAT_FEE if conditional else fee


def trigger_share(fee: int, legs: int) -> int:
    """What of the fee of an order of so many legs goes to whoever triggers it, wei."""
    return fee * TRIGGER_GAS // (TRIGGER_GAS + BASE_GAS + LEG_GAS * legs)


def pays_once_triggered(fee: int, legs: int, base_fee: int) -> bool:
    """Whether what is left of the fee of an order of so many legs, once it is triggered, pays for its execution; `base_fee` of
    the block, wei."""
    return 100 * (fee - trigger_share(fee, legs)) >= PAYS_PERCENT * min_fee(legs, base_fee)


def check_legs(legs: Sequence[OrderLeg]) -> None:
    """Refuse what could never be filled, and what nobody could say how to fill. Raises `Revert`."""
    require(0 < len(legs), "order_desk: no legs")
    for i, leg in enumerate(legs):
        require(0 < leg.series <= MAX_SERIES_ID, "order_desk: unknown series")
        require(leg.face != 0, "order_desk: zero face")
        require(abs(leg.face) <= MAX_FACE, "order_desk: face too large")
        require(all(other.series != leg.series for other in legs[i + 1 :]), "order_desk: series twice")
