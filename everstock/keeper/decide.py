"""What to do, given what is known: a pure function, without a clock, a network or a memory.

The contracts decide what may happen; this only avoids asking them for what they would refuse, and what would not pay.
What is returned is in order of urgency: losers before winners, traders before liquidity providers, upkeep last.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final, TypeVar

from everstock.keeper import gas
from everstock.keeper.actions import (
    PRICES_KEY,
    Action,
    Checkpoint,
    ExecuteOrders,
    Finalize,
    Fulfil,
    Liquidate,
    Resolve,
    Sample,
    TriggerOrders,
    UpdatePrices,
    VoidOrder,
    account_key,
    checkpoint_key,
    order_key,
    pool_key,
    sample_key,
)
from everstock.keeper.state import Health, Key, Market, Order, State, Update
from everstock.model.constants import HOUR, LIQUIDATION_MAX_AGE, TRADE_MAX_AGE
from everstock.model.order_desk import EXEC_WINDOW, MAX_LIVE, TRIGGER_MAX_AGE, Trigger, pays_once_triggered, trigger_share
from everstock.model.series_book import FROZEN, OPEN
from everstock.model.volatility_oracle import SPAN
from everstock.model.waterfall import COUNT_GAP, Stage

MAX_ORDERS: Final = 8  # of one execution, by IOrderDesk
MAX_ACCOUNTS: Final = 32  # of one liquidation or resolution, by ILiquidator and IClearingHouse
MAX_REQUESTS: Final = 32  # of the 64 that fit, to bound gas

# What Base charges to post a transaction of this size to Ethereum while that is calm, wei; contracts/OrderDesk.vy
# allows for more of it in the least fee of an order.
DATA_FEE: Final = 10**12

# Seconds before the hour is over that a market with legs is checkpointed: time for a node or a price that makes trouble.
EARLY: Final = 300

PERMYRIAD: Final = 10_000

_T = TypeVar("_T")


@dataclass(frozen=True)
class Policy:
    """What is left to whoever runs a keeper."""

    block_seconds: int = 2
    """How much later than the head a transaction is mined: what is allowed for when something is about to expire."""
    max_price_age: int = 55
    """Seconds. While positions are open a stored price gets no older if there is a newer one; 0 for no limit."""
    price_move: int = 50
    """In 1e-4. While positions are open a price that moved by more is stored; 0 for never."""
    priority_fee: int = 1_000_000
    """Wei per gas."""
    unprofitable: bool = False
    """Whether to trigger and execute orders whose fee does not cover what that costs."""
    max_gas: int = 10_000_000
    """What one transaction is expected to take at most."""
    max_voids: int = 8
    """Orders voided in one round; they earn nothing."""


def decide(state: State, policy: Policy) -> tuple[Action, ...]:
    """The actions worth taking now, most urgent first."""
    busy = state.in_flight | state.resting
    actions: list[Action] = []
    for market in state.markets:
        actions += _settlement(state, policy, market, busy)
    for market in state.markets:
        actions += _liquidations(state, policy, market, busy)
    # Ahead of the orders that what is stored keeps from being executed.
    actions += _freeing_prices(state, policy, actions, busy)
    for market in state.markets:
        actions += _orders(state, policy, market, busy)
    # All others of these checkpoint first where it is due; a market that is being settled has none.
    settled = {action.symbol for action in actions if not isinstance(action, UpdatePrices)}
    for market in state.markets:
        if market.symbol not in settled:
            actions += _checkpoint(state, policy, market, busy)
    for market in state.markets:
        actions += _triggers(state, policy, market, busy)
    for market in state.markets:
        actions += _fulfilments(state, policy, market, busy)
    actions += _sample(state, policy, busy)
    actions += _prices(state, policy, actions, busy)
    voids = [void for market in state.markets for void in _voids(state, market, busy)]
    return (*actions, *voids[: policy.max_voids])


def _settlement(state: State, policy: Policy, market: Market, busy: frozenset[Key]) -> Iterator[Resolve | Finalize]:
    """In terminal settlement: the accounts that are not resolved yet, in batches of bounded gas; then its end."""
    if market.stage != Stage.SETTLING:
        return
    left = [health for health in market.healths if health.legs]
    for batch in _account_batches(state, policy, market, left, gas.of_resolution, busy):
        accounts = tuple(health.account for health in batch)
        yield Resolve(market.symbol, accounts, gas.TRANSACTION + sum(map(gas.of_resolution, batch)))
    if market.open_legs == 0 and checkpoint_key(market.symbol) not in busy:
        yield Finalize(market.symbol, gas.FINALIZE)


def _liquidations(state: State, policy: Policy, market: Market, busy: frozenset[Key]) -> Iterator[Liquidate]:
    """Accounts below maintenance, worst first, in batches of bounded gas."""
    if market.stage != Stage.ACTIVE or not _is_fresh(state, policy, market, LIQUIDATION_MAX_AGE):
        return
    below = [health for health in market.healths if health.is_liquidatable]
    below.sort(key=lambda health: (-health.shortfall, health.account))
    update = state.news_for(market)
    for batch in _account_batches(state, policy, market, below, gas.of_account, busy):
        accounts = tuple(health.account for health in batch)
        expected = gas.UPDATE + gas.CHECKPOINT + sum(map(gas.of_account, batch))
        yield Liquidate(market.symbol, accounts, update, expected)


def _account_batches(
    state: State,
    policy: Policy,
    market: Market,
    healths: Sequence[Health],
    gas_of: Callable[[Health], int],
    busy: frozenset[Key],
) -> Iterator[list[Health]]:
    """Accounts that nothing on its way deals with, in batches of bounded gas; those that failed before go alone."""
    together: list[Health] = []
    alone: list[list[Health]] = []
    for health in healths:
        key = account_key(market.symbol, health.account)
        if key in state.suspects:
            alone += [[health]] if key not in busy else []
        elif key not in busy:
            together.append(health)
    yield from _batches(together, gas_of, MAX_ACCOUNTS, policy)
    yield from alone


def _orders(state: State, policy: Policy, market: Market, busy: frozenset[Key]) -> Iterator[ExecuteOrders]:
    """Orders whose first price is there and whose turn it is, batched with those that share it."""
    if state.time < market.window_end:
        return
    shared: dict[tuple[int, ...], list[Order]] = {}
    for order in sorted(market.orders, key=lambda order: (order.requested_at, order.account, order.nonce)):
        key = order_key(market.symbol, order)
        update = _own_prices(state, policy, market, order)
        if key in busy or update is None or _waits_for_news(state, policy, market, order, update):
            continue
        # An execution brings the first prices of all underlyings, whichever are traded. What failed goes alone: an order
        # that cannot be executed yet is not to keep the one before it waiting.
        group = update.published(market.underlyings)
        shared.setdefault((*group, order.account, order.nonce) if key in state.suspects else group, []).append(order)
    waiting = {(order.account, order.nonce) for order in market.orders}
    for orders in shared.values():
        update = state.firsts[orders[0].requested_at + market.order_delay]
        for together in _batches(_in_turn(orders, waiting, state.time), gas.of_order, MAX_ORDERS, policy):
            # What follows an order of an earlier batch waits until that one is mined: each is simulated by itself.
            batch = _in_turn(together, waiting, state.time)
            if batch and (policy.unprofitable or _pays(state, policy, batch, update)):
                expected = gas.of_orders(batch) + gas.CHECKPOINT + gas.ORDER_RESERVE
                yield ExecuteOrders(market.symbol, tuple(batch), update, expected)


def _in_turn(orders: Sequence[Order], waiting: Set[tuple[int, int]], time: int) -> list[Order]:
    """Those of some orders that one call can execute, each after the one it follows.

    Left out are those that follow one of the `waiting` (account, nonce) which is not among them, until the head is past its
    window, as every block then is that they could be mined in.
    """
    free: list[Order] = []
    followers: dict[tuple[int, int], list[Order]] = {}
    for order in orders:
        followed = (order.account, order.followed(time))
        if followed in waiting:
            followers.setdefault(followed, []).append(order)
        else:
            free.append(order)
    line: list[Order] = []
    free.reverse()
    while free:
        order = free.pop()
        line.append(order)
        free += followers.pop((order.account, order.nonce), [])
    return line


def _own_prices(state: State, policy: Policy, market: Market, order: Order) -> Update | None:
    """The first prices of a live order: of its window and of the past, while it will be mined before the window is over."""
    first, last = order.requested_at + market.order_delay, order.requested_at + EXEC_WINDOW
    update = state.firsts.get(first)
    if update is None or order.is_armed:
        return None
    published = update.published(market.underlyings)
    is_usable = first <= min(published) and max(published) <= state.time <= last - policy.block_seconds
    return update if is_usable else None


def _waits_for_news(state: State, policy: Policy, market: Market, order: Order, update: Update) -> bool:
    """Whether an order, if it adds risk, is refused until the newest prices are stored: too far from Chainlink is its own
    price, or what is stored, whichever is newer."""
    if order.reduce_only or PRICES_KEY in state.resting or state.is_restricted(market):
        return False
    # At the last opportunity it is tried all the same: perhaps it adds none.
    if state.time + 2 * policy.block_seconds > order.requested_at + EXEC_WINDOW:
        return False
    return any(state.is_in_the_way(id_, update.prices[id_]) for id_ in market.underlyings)


def _pays(state: State, policy: Policy, orders: Sequence[Order], update: Update) -> bool:
    """Whether the fees of a batch cover what it costs, but for a checkpoint: the next action would pay for that."""
    cost = gas.of_orders(orders) * (state.base_fee + policy.priority_fee) + update.fee + DATA_FEE
    return sum(order.fee for order in orders) >= cost


def _triggers(state: State, policy: Policy, market: Market, busy: frozenset[Key]) -> Iterator[TriggerOrders]:
    """Conditional orders that the newest price triggers, where the market would execute them then."""
    if market.stage != Stage.ACTIVE or market.is_due or state.time < market.window_end:
        return
    free = [order for order in market.orders if order_key(market.symbol, order) not in busy]
    reached = [order for order in free if _is_reached(state, policy, market, order)]
    reached.sort(key=lambda order: (order.requested_at, order.account, order.nonce))
    update = state.news_for(market)
    groups: dict[Key, list[Order]] = {}
    for order in _with_room(state, market, reached):
        key = order_key(market.symbol, order)
        groups.setdefault(key if key in state.suspects else (), []).append(order)
    for orders in groups.values():
        for batch in _batches(orders, gas.of_trigger, MAX_ORDERS, policy):
            expected = (gas.UPDATE if update else gas.TRANSACTION) + sum(map(gas.of_trigger, batch))
            earned = sum(trigger_share(order.fee, len(order.legs)) for order in batch)
            cost = expected * (state.base_fee + policy.priority_fee) + (update.fee if update else 0) + DATA_FEE
            if policy.unprofitable or earned >= cost:
                yield TriggerOrders(market.symbol, tuple(batch), update, expected)


def _with_room(state: State, market: Market, orders: Iterable[Order]) -> Iterator[Order]:
    """The first of some orders, as many as may go live in one minute of the clock beside the others of their accounts.

    The minute is the head's: if they are mined in the next, there is more room.
    """
    minute = state.time // EXEC_WINDOW
    taken = Counter(
        order.account
        for order in market.orders
        if order.waits_for_trigger(state.time) and order_key(market.symbol, order) in state.in_flight
    )
    for order in orders:
        last, count = market.bursts.get(order.account, (minute, 0))
        if taken[order.account] + (count if last == minute else 0) < MAX_LIVE:
            taken[order.account] += 1
            yield order


def _is_reached(state: State, policy: Policy, market: Market, order: Order) -> bool:
    """Whether the newest price triggers an order, and what is left of its fee would pay for its execution."""
    soon = state.time + policy.block_seconds
    if not order.waits_for_trigger(state.time) or soon + EXEC_WINDOW > order.deadline:
        return False
    trigger = Trigger.of(order.trigger)
    price = state.price(market.underlyings[trigger.underlying])
    # All have to be new enough, the one that triggers of after the request too.
    usable = order.requested_at + market.order_delay <= price.publish_time <= state.time
    usable &= soon - TRIGGER_MAX_AGE <= state.price_time(market)
    if not usable or not trigger.holds(price.price) or not _are_open(market, order):
        return False
    if state.is_restricted(market) and not order.reduce_only:
        return False
    if not pays_once_triggered(order.fee, len(order.legs), state.base_fee):
        return False
    left = order.fee - trigger_share(order.fee, len(order.legs))
    cost = gas.of_orders([order]) * (state.base_fee + policy.priority_fee) + DATA_FEE
    return policy.unprofitable or left >= cost


def _are_open(market: Market, order: Order) -> bool:
    """Whether every series of an order is listed and not retired, nor on notice unless the order only reduces."""
    notices = [market.notices.get(series, OPEN) if series in market.series else FROZEN for series, _ in order.legs]
    return all(notice == OPEN or (order.reduce_only and notice != FROZEN) for notice in notices)


def _voids(state: State, market: Market, busy: frozenset[Key]) -> Iterator[VoidOrder]:
    """Orders whose window was missed, conditional ones whose deadline passed, oldest first."""
    for order in sorted(market.orders, key=lambda order: (order.requested_at, order.account, order.nonce)):
        expired = order.trigger == 0 or state.time > order.deadline
        if not order.is_live(state.time) and expired and order_key(market.symbol, order) not in busy:
            yield VoidOrder(market.symbol, order, gas.VOID)


def _checkpoint(state: State, policy: Policy, market: Market, busy: frozenset[Key]) -> Iterator[Checkpoint]:
    """A checkpoint where one is due (an hour passed, or an index moved), soon will be, or would deleverage."""
    if market.stage != Stage.ACTIVE or checkpoint_key(market.symbol) in busy:
        return
    # An hour that was not over when it was touched costs the mean of its two ends; a longer one the worse end for either side.
    is_soon = market.open_legs != 0 and state.time >= market.checkpoint_time + HOUR - EARLY
    if not (market.is_due or is_soon or _is_overextended(state, market)):
        return
    # Without depth it stays due however often it is done: one in so many seconds is what counts towards settlement.
    if market.depth == 0:
        is_dead = market.equity <= 0 and market.open_legs == 0 and market.claims == 0
        if is_dead or state.time < market.checkpoint_time + COUNT_GAP:
            return
    if _is_fresh(state, policy, market, TRADE_MAX_AGE):
        yield Checkpoint(market.symbol, state.news_for(market), gas.UPDATE + gas.CHECKPOINT)


def _is_overextended(state: State, market: Market) -> bool:
    """Whether a checkpoint would scale the book down: E < R outside a settle window, or E < R / 2; or would be the first to
    see that E is gone, since bankrupt accounts were liquidated after the last one: until then winners are paid."""
    if market.equity <= 0:
        return market.depth != 0 and (market.open_legs != 0 or market.claims != 0)
    if market.equity >= market.requirement:
        return False
    return state.time >= market.window_end or 2 * market.equity < market.requirement


def _fulfilments(state: State, policy: Policy, market: Market, busy: frozenset[Key]) -> Iterator[Fulfil]:
    """Requests of liquidity providers that have waited and whose price was published since; after settlement none is needed."""
    priced_at, update = state.time, None
    if market.stage != Stage.SETTLED:
        shut = state.time < market.window_end or state.is_restricted(market)
        if shut or not _is_fresh(state, policy, market, TRADE_MAX_AGE):
            return
        priced_at, update = state.price_time(market), state.news_for(market)
    for pool in market.pools:
        takes_deposits = market.stage == Stage.ACTIVE and pool.deposit_due <= priced_at
        deposits = MAX_REQUESTS if takes_deposits else 0
        redemptions = MAX_REQUESTS if pool.redemption_due <= priced_at else 0
        if (deposits or redemptions) and pool_key(market.symbol, pool.role) not in busy:
            expected = gas.UPDATE + gas.CHECKPOINT + gas.REQUEST * (deposits + redemptions)
            yield Fulfil(market.symbol, pool.role, deposits, redemptions, update, expected)


def latest_boundary(time: int) -> int:
    """The volatility oracle's latest boundary."""
    return time // SPAN * SPAN


def _sample(state: State, policy: Policy, busy: frozenset[Key]) -> Iterator[Sample]:
    """The first prices since the latest boundary, unless somebody has sampled them, or the next would come first.

    Together, but for those that failed before: one that a guard refuses is not to cost the other its sample.
    """
    boundary = latest_boundary(state.time)
    update = state.firsts.get(boundary)
    if update is None or state.time + policy.block_seconds >= boundary + SPAN:
        return
    due = [
        id_
        for id_, time in enumerate(state.sampled)
        if time < boundary <= update.prices[id_].publish_time <= state.time and sample_key(id_) not in busy
    ]
    together = tuple(id_ for id_ in due if sample_key(id_) not in state.suspects)
    alone = [(id_,) for id_ in due if id_ not in together]
    for ids in filter(None, (together, *alone)):
        yield Sample(ids, boundary, update, gas.SAMPLE)


def _freeing_prices(
    state: State, policy: Policy, actions: Sequence[Action], busy: frozenset[Key]
) -> Iterator[UpdatePrices]:
    """The newest prices, where one that is too far from Chainlink keeps somebody from adding risk or leaving, and they are
    not: whoever stored it, or lets the newest not be, would choose which orders are executed."""
    if state.news is None or PRICES_KEY in busy:
        return
    brought = {id_ for action in actions for id_ in _brought(state, action)}
    if any(_is_kept(state, policy, market) and not brought.issuperset(market.underlyings) for market in state.markets):
        yield _all_prices(state, state.news)


def _is_kept(state: State, policy: Policy, market: Market) -> bool:
    """Whether somebody in a market may add risk or leave only once the newest prices are stored."""
    if state.time < market.window_end:
        return False
    live = [order for order in market.orders if order.is_live(state.time)]
    if state.is_freed(market):
        return bool(market.open_legs or live)
    own = [(order, _own_prices(state, policy, market, order)) for order in live]
    return any(update is not None and _waits_for_news(state, policy, market, order, update) for order, update in own)


def _prices(
    state: State, policy: Policy, actions: Sequence[Action], busy: frozenset[Key]
) -> Iterator[UpdatePrices]:
    """The newest prices, where one moved or ages while positions are open and no other action brings it."""
    if state.news is None or PRICES_KEY in busy:
        return
    brought = {id_ for action in actions for id_ in _brought(state, action)}
    watched = {id_ for market in state.markets if market.open_legs for id_ in market.underlyings}
    wanted = [
        id_
        for id_, stored in enumerate(state.stored)
        if id_ not in brought
        and state.news.prices[id_].publish_time > stored.publish_time
        and (stored.price == 0 or (id_ in watched and _is_outdated(state, policy, id_)))
    ]
    if wanted:
        yield _all_prices(state, state.news)


def _all_prices(state: State, update: Update) -> UpdatePrices:
    """The action that stores all prices of an update."""
    return UpdatePrices(tuple(range(len(state.stored))), update, gas.UPDATE)


def _brought(state: State, action: Action) -> Iterator[int]:
    """The oracle ids whose newest price an action stores."""
    if isinstance(action, VoidOrder) or action.update is None or action.update != state.news:
        return
    if isinstance(action, Sample | UpdatePrices):
        yield from action.ids
    else:
        (market,) = (market for market in state.markets if market.symbol == action.symbol)
        yield from market.underlyings


def _is_outdated(state: State, policy: Policy, id_: int) -> bool:
    """Whether a stored price is too old, or too far from the newest."""
    stored, price = state.stored[id_], state.price(id_).price
    moved = abs(price - stored.price) * PERMYRIAD > policy.price_move * stored.price
    aged = state.time + policy.block_seconds - stored.publish_time >= policy.max_price_age
    return bool(policy.price_move and moved) or bool(policy.max_price_age and aged)


def _is_fresh(state: State, policy: Policy, market: Market, max_age: int) -> bool:
    """Whether the prices of a market will still be young enough when a transaction is mined."""
    return state.time + policy.block_seconds - state.price_time(market) <= max_age


def _batches(items: Iterable[_T], gas_of: Callable[[_T], int], most: int, policy: Policy) -> Iterator[list[_T]]:
    """Items in order, at most so many together, and of bounded gas."""
    batch: list[_T] = []
    expected = start = gas.UPDATE + gas.CHECKPOINT
    for item in items:
        cost = gas_of(item)
        if batch and (len(batch) == most or expected + cost > policy.max_gas):
            yield batch
            batch, expected = [], start
        batch.append(item)
        expected += cost
    if batch:
        yield batch
