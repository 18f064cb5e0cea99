"""The order desk: request, then execution at the first price after the delay. All actions may raise `Revert`."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from everstock.model.atomic import undone_on_revert
from everstock.model.clearing_house import ClearingHouse
from everstock.model.price_oracle import Published
from everstock.model.reverts import Revert, require
from everstock.model.risk_book import OrderLeg

# From a request to the first second its price may be published at, and to the last second of price and execution.
DELAY: Final = 4
EXEC_WINDOW: Final = 60
# The least fee is (BASE_GAS + LEG_GAS * legs) * base fee + FLAT_FEE.
BASE_GAS: Final = 1_000_000
LEG_GAS: Final = 50_000
FLAT_FEE: Final = 10**13  # wei
MAX_FACE: Final = 2**127 - 1
MAX_SERIES_ID: Final = 2**16 - 1
MAX_LEGS: Final = 8


@dataclass(frozen=True)
class Order:
    """The terms of a requested order."""

    account: int
    nonce: int  # per account, from 1
    legs: tuple[OrderLeg, ...]
    limit: int  # what it may cost at most, raw units of M
    mark_limit: int  # what its marks alone may come to
    reduce_only: bool
    deadline: int  # the last second it may execute at
    requested_at: int
    fee: int  # escrowed ether, wei
    payer: Hashable


@dataclass
class Desk:
    """Orders that wait, and the ether they escrow."""

    house: ClearingHouse
    waiting: dict[tuple[int, int], Order] = field(default_factory=dict)  # by account and nonce
    last_nonce: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    live_until: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    cancelled: dict[tuple[int, int], str] = field(default_factory=dict)  # why an order ended without a trade

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
        payer: Hashable,
        base_fee: int,
    ) -> Order:
        """Take a request of the account's owner, who escrows `fee` wei."""
        now = self.house.risk.now
        check_legs(legs)
        require(fee >= min_fee(len(legs), base_fee), "order_desk: fee too low")
        require(deadline >= now + DELAY, "order_desk: deadline too early")
        self.last_nonce[account] += 1
        nonce = self.last_nonce[account]
        order = Order(account, nonce, tuple(legs), limit, mark_limit, reduce_only, deadline, now, fee, payer)
        self.waiting[account, nonce] = order
        self.live_until[account] = now + EXEC_WINDOW
        return order

    def execute(self, orders: Sequence[Order], first_prices: Mapping[int, Published]) -> list[bool]:
        """Execute orders at the first prices published at or after the earliest order's delay.

        `first_prices` are what was brought, per underlying of the market. Returns whether each order was traded; what the executor earns are
        the fees of all that were waiting.
        """
        now = self.house.risk.now
        require(bool(orders), "order_desk: no orders")
        taken = [self._take(order) for order in orders]
        for order in (order for order, is_taken in zip(orders, taken, strict=True) if is_taken):
            require(now >= order.requested_at + DELAY, "order_desk: too early")
            require(now <= order.requested_at + EXEC_WINDOW, "order_desk: window missed")
        require(any(taken), "order_desk: unknown order")
        require(bool(first_prices), "order_desk: no underlyings")

        ids = self.house.risk.underlyings
        earliest = min(order.requested_at for order, is_taken in zip(orders, taken, strict=True) if is_taken)
        brought = {ids[u]: one for u, one in first_prices.items()}
        prices = self.house.risk.oracle.first_prices(brought, earliest + DELAY, earliest + EXEC_WINDOW)
        own_prices = [prices[ids[u]] if u in first_prices else 0 for u in (0, 1)]
        published = min(one.publish_time for one in first_prices.values())
        executed = []
        for order, is_taken in zip(orders, taken, strict=True):
            if is_taken:
                require(published >= order.requested_at + DELAY, "order_desk: not the first price")
            executed.append(is_taken and self._fill(order, own_prices))
        return executed

    def void(self, order: Order) -> None:
        """Anyone removes an order whose window was missed; its fee goes back."""
        require(self._take(order), "order_desk: unknown order")
        missed = self.house.risk.now > order.requested_at + EXEC_WINDOW
        require(missed, "order_desk: window open")

    def cancel(self, order: Order) -> None:
        """Its owner takes an order back while nobody can know its price; its fee goes back."""
        require(self._take(order), "order_desk: unknown order")
        early = self.house.risk.now < order.requested_at + DELAY
        require(early, "order_desk: too late to cancel")

    def _take(self, order: Order) -> bool:
        """Remove an order from those that wait; whether it waited, with just these terms."""
        key = (order.account, order.nonce)
        if self.waiting.get(key) != order:
            return False
        del self.waiting[key]
        return True

    def _fill(self, order: Order, own_prices: Sequence[int]) -> bool:
        """Trade an order, or cancel it for a reason of the trader's own; any other reverts."""
        key = (order.account, order.nonce)
        if self.house.risk.now > order.deadline:
            self.cancelled[key] = "order_desk: deadline passed"
            return False
        try:
            with undone_on_revert(self.house):
                self.house.trade(
                    order.account, order.legs, own_prices, order.limit, order.mark_limit, order.reduce_only
                )
        except Revert as revert:
            if not revert.reason.startswith("trade: "):
                raise
            self.cancelled[key] = revert.reason
            return False
        return True


def min_fee(legs: int, base_fee: int) -> int:
    """Least fee of a request of so many legs, wei; `base_fee` of the block, wei."""
    return (BASE_GAS + LEG_GAS * legs) * base_fee + FLAT_FEE


def check_legs(legs: Sequence[OrderLeg]) -> None:
    """Refuse what could never be filled, and what nobody could say how to fill. Raises `Revert`."""
    require(0 < len(legs), "order_desk: no legs")
    for i, leg in enumerate(legs):
        require(0 < leg.series <= MAX_SERIES_ID, "order_desk: unknown series")
        require(leg.face != 0, "order_desk: zero face")
        require(abs(leg.face) <= MAX_FACE, "order_desk: face too large")
        require(all(other.series != leg.series for other in legs[i + 1 :]), "order_desk: series twice")
