"""What the keeper knows at one block: plain values, read elsewhere, from which `decide` draws its conclusions.

Prices are USD with 8 decimals, amounts raw units of M, times Unix seconds, ether wei. Market data is as it will be once
`State.latest` is stored, which is what an action that brings it along will find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from everstock.model.order_desk import ARMED, EXEC_WINDOW, Live
from everstock.model.waterfall import Stage

# What an action deals with, such as ("order", "TSLA.M", account, nonce): no two transactions may at a time.
Key = tuple[str | int, ...]

# The queues of a pool answer so when they are empty.
NEVER: Final = 2**256 - 1


@dataclass(frozen=True)
class Price:
    """An underlying's price and when Pyth published it; both 0 before the first. `restricted` is what the oracle found when
    it stored it: whether it is too far from Chainlink for risk to be added."""

    price: int
    publish_time: int
    restricted: bool = False


@dataclass(frozen=True)
class Update:
    """Signed prices as Hermes hands them out. `prices` are by oracle id; `fee` is what Pyth charges to verify it."""

    blobs: tuple[bytes, ...]
    prices: tuple[Price, ...]
    fee: int = 0

    def published(self, ids: Sequence[int]) -> tuple[int, ...]:
        """When the prices of these oracle ids were published."""
        return tuple(self.prices[id_].publish_time for id_ in ids)


@dataclass(frozen=True)
class Order:
    """The terms of a waiting order, field by field those of IOrderDesk.Order. Legs are (series, face)."""

    account: int
    nonce: int
    legs: tuple[tuple[int, int], ...]
    limit: int
    mark_limit: int
    reduce_only: bool
    deadline: int
    trigger: int
    requested_at: int
    follows: int
    fee: int
    payer: str

    @property
    def is_armed(self) -> bool:
        """Whether it was never triggered, being conditional."""
        return self.trigger >= ARMED

    def is_live(self, time: int) -> bool:
        """Whether it may be executed, once its price is there."""
        return not self.is_armed and time <= self.requested_at + EXEC_WINDOW

    def waits_for_trigger(self, time: int) -> bool:
        """Whether it waits for a price to trigger it: conditional, and not triggered or in vain."""
        return self.trigger != 0 and not self.is_live(time)

    def followed(self, time: int) -> int:
        """Nonce of the account's order that, if it still waits, has to be executed first at a time; 0 if there is none."""
        live = Live.of(self.follows)
        return live.nonce if time <= live.until else 0

    @property
    def terms(self) -> tuple:
        """As the order desk takes them."""
        return tuple(vars(self).values())


@dataclass(frozen=True)
class Health:
    """What an account is worth and needs."""

    account: int
    equity: int
    maintenance: int
    legs: int
    is_liquidatable: bool

    @property
    def shortfall(self) -> int:
        """How far it is below maintenance."""
        return self.maintenance - self.equity


@dataclass(frozen=True)
class Pool:
    """A pool and from when on the next request of each queue may execute. `role` is its field in the manifest."""

    role: str
    deposit_due: int = NEVER
    redemption_due: int = NEVER


@dataclass(frozen=True)
class Market:
    """One market. `underlyings` are ids at the oracle, `series` those that were listed, `notices` from when on
    those that are on notice only close, `FROZEN` for retired ones, `bursts` the last minute of the clock in which orders of
    each account went live, and how many; `order_delay` is from an order's request
    to its price, seconds."""

    symbol: str
    underlyings: tuple[int, ...]
    order_delay: int
    equity: int
    requirement: int
    claims: int
    open_legs: int
    depth: int
    checkpoint_time: int
    window_end: int
    is_due: bool
    stage: Stage = Stage.ACTIVE
    pools: tuple[Pool, ...] = ()
    healths: tuple[Health, ...] = ()
    orders: tuple[Order, ...] = ()
    series: frozenset[int] = frozenset()
    notices: Mapping[int, int] = field(default_factory=dict)
    bursts: Mapping[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """Everything `decide` may look at.

    `stored`, `restricted`, `free` and `sampled` are by oracle id: the oracle's prices now, whether they are too far from
    Chainlink once `latest` is stored, the lowest and highest price that is not, and when the price of the last sample of
    volatility was published. `latest` is Hermes' newest update, none if it did not answer; `refused` says why the oracle
    would not take it. `firsts` are the first updates at or after the times they are filed under. Of the keys, those
    `in_flight` are in transactions not mined yet, those `resting` failed lately, and `suspects` failed before.
    """

    block: int
    time: int
    base_fee: int
    stored: tuple[Price, ...]
    restricted: tuple[bool, ...]
    free: tuple[tuple[int, int], ...]
    markets: tuple[Market, ...]
    sampled: tuple[int, ...] = ()
    latest: Update | None = None
    refused: str = ""
    firsts: Mapping[int, Update] = field(default_factory=dict)
    in_flight: frozenset[Key] = frozenset()
    resting: frozenset[Key] = frozenset()
    suspects: frozenset[Key] = frozenset()

    @property
    def news(self) -> Update | None:
        """The newest update, if the oracle would take it."""
        return None if self.refused else self.latest

    def price(self, id_: int) -> Price:
        """An underlying's price once `news` is stored."""
        stored = self.stored[id_]
        if self.news is None:
            return stored
        return max(stored, self.news.prices[id_], key=lambda price: price.publish_time)

    def price_time(self, market: Market) -> int:
        """When the older of a market's prices was published, once `news` is stored."""
        return min(self.price(id_).publish_time for id_ in market.underlyings)

    def is_restricted(self, market: Market) -> bool:
        """Whether nobody may add risk or leave, for a price too far from Chainlink, once `news` is stored."""
        return any(self.restricted[id_] for id_ in market.underlyings)

    def is_freed(self, market: Market) -> bool:
        """Whether nobody may, but for `news`, which is not stored yet."""
        was_restricted = any(self.stored[id_].restricted for id_ in market.underlyings)
        return was_restricted and not self.is_restricted(market)

    def is_in_the_way(self, id_: int, own: Price) -> bool:
        """Whether the price that would be stored after this one is brought is too far from Chainlink, and `news` newer."""
        stored, (lowest, highest) = self.stored[id_], self.free[id_]
        if own.publish_time > stored.publish_time:
            is_far = not lowest <= own.price <= highest
        else:
            is_far = stored.restricted
        return is_far and max(own.publish_time, stored.publish_time) < self.price(id_).publish_time

    def news_for(self, market: Market) -> Update | None:
        """`news`, if it has a newer price for the market than is stored."""
        if self.news is None:
            return None
        newer = any(
            self.news.prices[id_].publish_time > self.stored[id_].publish_time for id_ in market.underlyings
        )
        return self.news if newer else None
