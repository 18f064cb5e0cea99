"""What the keeper can do: one action becomes one transaction.

An action that needs a price brings the update along, so that it depends on no other transaction. `gas` is what it is
expected to take at most.
"""

from dataclasses import dataclass

from everstock.keeper.state import Key, Order, Update


def order_key(symbol: str, order: Order) -> Key:
    """What a waiting order is known by."""
    return ("order", symbol, order.account, order.nonce)


def account_key(symbol: str, account: int) -> Key:
    """What an account to be liquidated is known by."""
    return ("account", symbol, account)


def checkpoint_key(symbol: str) -> Key:
    """What a market's checkpoint is known by."""
    return ("checkpoint", symbol)


def pool_key(symbol: str, role: str) -> Key:
    """What a pool's queues are known by."""
    return ("pool", symbol, role)


def sample_key(id_: int) -> Key:
    """What the sample of an underlying is known by."""
    return ("sample", id_)


PRICES_KEY: Key = ("prices",)


@dataclass(frozen=True)
class UpdatePrices:
    """Store the newest prices of these oracle ids."""

    ids: tuple[int, ...]
    update: Update
    gas: int
    kind = "prices"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset({PRICES_KEY})


@dataclass(frozen=True)
class ExecuteOrders:
    """Execute orders that share the first prices in `update`."""

    symbol: str
    orders: tuple[Order, ...]
    update: Update
    gas: int
    kind = "orders"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset(order_key(self.symbol, order) for order in self.orders)


@dataclass(frozen=True)
class TriggerOrders:
    """Trigger conditional orders, at the prices in `update` if there are newer ones than are stored."""

    symbol: str
    orders: tuple[Order, ...]
    update: Update | None
    gas: int
    kind = "triggers"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset(order_key(self.symbol, order) for order in self.orders)


@dataclass(frozen=True)
class VoidOrder:
    """Remove an order whose window was missed, or a conditional one whose deadline passed."""

    symbol: str
    order: Order
    gas: int
    kind = "void"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset({order_key(self.symbol, self.order)})


@dataclass(frozen=True)
class Liquidate:
    """Liquidate accounts, at the prices in `update` if there are newer ones than are stored."""

    symbol: str
    accounts: tuple[int, ...]
    update: Update | None
    gas: int
    kind = "liquidations"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset(account_key(self.symbol, account) for account in self.accounts)


@dataclass(frozen=True)
class Checkpoint:
    """Checkpoint a market, after storing `update` if there are newer prices than are stored."""

    symbol: str
    update: Update | None
    gas: int
    kind = "checkpoint"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset({checkpoint_key(self.symbol)})


@dataclass(frozen=True)
class Fulfil:
    """Execute up to so many requests of each queue of a pool, after storing `update` if there are newer prices."""

    symbol: str
    role: str
    deposits: int
    redemptions: int
    update: Update | None
    gas: int
    kind = "fulfil"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset({pool_key(self.symbol, self.role)})


@dataclass(frozen=True)
class Resolve:
    """Close accounts of a market in terminal settlement."""

    symbol: str
    accounts: tuple[int, ...]
    gas: int
    update = None
    kind = "resolve"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset(account_key(self.symbol, account) for account in self.accounts)


@dataclass(frozen=True)
class Finalize:
    """End a terminal settlement in which every account is resolved."""

    symbol: str
    gas: int
    update = None
    kind = "finalize"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset({checkpoint_key(self.symbol)})


@dataclass(frozen=True)
class Sample:
    """Sample the volatility of these oracle ids at the first prices since `boundary`."""

    ids: tuple[int, ...]
    boundary: int
    update: Update
    gas: int
    kind = "samples"

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset(map(sample_key, self.ids))


Action = (
    UpdatePrices | ExecuteOrders | TriggerOrders | VoidOrder | Liquidate | Checkpoint | Fulfil | Resolve | Finalize | Sample
)

KINDS = tuple(
    action.kind
    for action in (
        UpdatePrices,
        ExecuteOrders,
        TriggerOrders,
        VoidOrder,
        Liquidate,
        Checkpoint,
        Fulfil,
        Resolve,
        Finalize,
        Sample,
    )
)
