"""What holds of whatever the keeper decides, whatever it knows."""

from bisect import bisect_left
from collections import Counter
from dataclasses import replace

from hypothesis import given, note, settings
from hypothesis import strategies as st

from everstock.keeper import gas
from everstock.keeper.actions import (
    Checkpoint,
    ExecuteOrders,
    Fulfil,
    Liquidate,
    Sample,
    TriggerOrders,
    UpdatePrices,
    VoidOrder,
    account_key,
    checkpoint_key,
    order_key,
    pool_key,
)
from everstock.keeper.decide import EXEC_WINDOW, Policy, decide, latest_boundary
from everstock.keeper.state import Health, Market, Pool, Price, State, Update
from everstock.model.order_desk import ARMED, MAX_LIVE, TRIGGER_MAX_AGE, Live, Trigger, trigger_share
from everstock.model.series_book import FROZEN
from everstock.model.waterfall import Stage
from everstock.parameters import ORDER_DELAY
from tests.keeper.states import NOW, SERIES, TSLA, USD, link, order, update
from tests.keeper.states import market as a_market
from tests.keeper.states import state as a_state

SYMBOLS = ("TSLA.M", "NVDA.M")
POLICY = Policy()

moments = st.integers(NOW - 70, NOW + 3)
minutes = st.sampled_from([NOW // 60 - 1, NOW // 60])
prices = st.integers(90_000, 110_000).map(lambda usd: usd * USD)


triggers = st.tuples(st.integers(0, 1), st.sampled_from([0, 100_000]), st.sampled_from([0, 99_999]), st.booleans()).map(
    lambda drawn: Trigger(drawn[0], drawn[1] * USD, drawn[2] * USD or 1).word | (ARMED if drawn[3] else 0)
)


@st.composite
def orders(draw):
    return order(
        requested_at=draw(moments.filter(lambda time: time <= NOW)),
        account=draw(st.integers(1, 4)),
        nonce=draw(st.integers(1, 3)),
        legs=tuple((series, 1) for series in draw(st.sampled_from([(1,), (1, 2), (3,), (2, 3), (9,)]))),
        fee=draw(st.sampled_from([0, 10**13, 10**18])),
        trigger=draw(st.just(0) | triggers),
        deadline=draw(st.sampled_from([NOW - 1, NOW + 61, NOW + 62, NOW + 1_000])),
        reduce_only=draw(st.booleans()),
    )


@st.composite
def lines(draw, among, least=0):
    """Orders of a market. Most follow their account's one before; others what is not there, or in circles."""
    unique = st.lists(among, min_size=least, max_size=6, unique_by=lambda o: (o.account, o.nonce))
    last, found = {}, []
    # Of one second in the sequence that they were drawn in, whatever their nonces.
    for o in sorted(draw(unique), key=lambda o: o.requested_at):
        anything = st.just(0) | st.builds(link, st.integers(1, 3), moments)
        follows = last.get(o.account, 0) if draw(st.integers(0, 3)) else draw(anything)
        found.append(replace(o, follows=follows))
        last[o.account] = link(o.nonce, o.requested_at)
    return tuple(draw(st.permutations(found)))


# Shortfalls, by account.
healths = st.lists(st.integers(-100, 150), max_size=5).map(
    lambda shortfalls: tuple(
        Health(account, 100 - short, 100, 1 + account, short > 0) for account, short in enumerate(shortfalls)
    )
)


@st.composite
def markets(draw, symbol):
    dues = st.one_of(moments, st.just(2**256 - 1))
    return Market(
        symbol=symbol,
        underlyings=(0, 1),
        order_delay=ORDER_DELAY,
        equity=draw(st.integers(-10, 10)),
        requirement=draw(st.integers(0, 10)),
        claims=draw(st.integers(0, 1)),
        open_legs=draw(st.integers(0, 2)),
        depth=draw(st.integers(0, 2)),
        checkpoint_time=draw(st.integers(NOW - 400, NOW)),
        window_end=draw(moments),
        is_due=draw(st.booleans()),
        stage=draw(st.sampled_from([Stage.ACTIVE, Stage.ACTIVE, Stage.SETTLING, Stage.SETTLED])),
        pools=tuple(Pool(role, draw(dues), draw(dues)) for role in ("main_pool", "insurance_pool")),
        healths=draw(healths),
        orders=draw(lines(orders())),
        series=SERIES,
        notices=draw(st.dictionaries(st.sampled_from(sorted(SERIES)), st.just(FROZEN) | moments, max_size=2)),
        bursts=draw(st.dictionaries(st.integers(1, 4), st.tuples(minutes, st.integers(1, MAX_LIVE)), max_size=3)),
    )


@st.composite
def worlds(draw):
    """A state, and when Pyth published each underlying: what `firsts` and `latest` were taken from."""
    published = [sorted(draw(st.sets(moments, min_size=1, max_size=12))) for _ in range(2)]

    def signed(times):
        return Update((repr(times).encode(),), tuple(Price(draw(prices), time) for time in times), fee=2)

    found = [markets(symbol) for symbol in SYMBOLS]
    all_markets = tuple(draw(strategy) for strategy in found)
    firsts = {}
    for due in {o.requested_at + ORDER_DELAY for market in all_markets for o in market.orders}:
        places = [bisect_left(times, due) for times in published]
        if all(place < len(times) for place, times in zip(places, published, strict=True)):
            firsts[due] = signed([times[place] for place, times in zip(places, published, strict=True)])
    boundary = latest_boundary(NOW)
    places = [bisect_left(times, boundary) for times in published]
    if all(place < len(times) for place, times in zip(places, published, strict=True)):
        firsts[boundary] = signed([times[place] for place, times in zip(places, published, strict=True)])
    past = [[time for time in times if time <= NOW] for times in published]
    latest = signed([times[-1] for times in past]) if all(past) and draw(st.booleans()) else None
    keys = keys_of(all_markets)
    some = st.frozensets(st.sampled_from(sorted(keys, key=repr))) if keys else st.just(frozenset())
    refused = draw(st.sampled_from(["", "price_oracle: stale price"]))
    times = moments.filter(lambda time: time <= NOW)
    stored = tuple(Price(draw(prices), draw(times), draw(st.booleans())) for _ in range(2))
    # As it is once `latest` is stored: what that does not replace is as far from Chainlink as it was.
    restricted = tuple(
        draw(st.booleans())
        if latest is not None and not refused and latest.prices[id_].publish_time > price.publish_time
        else price.restricted
        for id_, price in enumerate(stored)
    )
    state = State(
        block=1,
        time=NOW,
        base_fee=draw(st.sampled_from([0, 5_000_000, 10**9])),
        stored=stored,
        restricted=restricted,
        free=tuple((draw(prices) - 5_000 * USD, draw(prices)) for _ in range(2)),
        markets=all_markets,
        latest=latest,
        refused=refused,
        sampled=tuple(draw(st.sampled_from([boundary - 600, boundary - 1, boundary, NOW])) for _ in range(2)),
        firsts=firsts,
        in_flight=draw(some),
        resting=draw(some),
        suspects=draw(some),
    )
    return state, published


@st.composite
def queues(draw):
    """A state in which little but their line decides which orders are executed: few seconds, prices and accounts."""
    seconds = st.sampled_from([NOW - age for age in (61, 60, 58, 40, 10, 9)])
    fees = st.sampled_from([0, 10**13, 10**18])
    several = st.builds(order, seconds, account=st.integers(1, 2), nonce=st.integers(1, 4), fee=fees)
    found = draw(lines(several, least=3))
    published = sorted(draw(st.sets(st.integers(NOW - 57, NOW), min_size=1, max_size=4)))
    firsts = {}
    for due in {o.requested_at + ORDER_DELAY for o in found}:
        place = bisect_left(published, due)
        if place < len(published):
            firsts[due] = update(published[place])
    keys = [order_key(TSLA, o) for o in found]
    busy = {name: draw(st.frozensets(st.sampled_from(keys), max_size=1)) for name in ("in_flight", "resting", "suspects")}
    return a_state(a_market(orders=found), firsts=firsts, base_fee=draw(st.sampled_from([0, 5_000_000])), **busy)


def keys_of(all_markets):
    keys = {("prices",), ("sample", 0), ("sample", 1)}
    for market in all_markets:
        keys |= {order_key(market.symbol, o) for o in market.orders}
        keys |= {account_key(market.symbol, h.account) for h in market.healths}
        keys |= {pool_key(market.symbol, pool.role) for pool in market.pools} | {checkpoint_key(market.symbol)}
    return keys


def market_of(state, action):
    (market,) = (market for market in state.markets if market.symbol == action.symbol)
    return market


@given(worlds())
def test_orders__as_the_order_desk_executes_them_sharing_one_first_price_and_paying_their_way(world):
    state, published = world
    for action in decide(state, POLICY):
        if not isinstance(action, ExecuteOrders):
            continue
        market = market_of(state, action)
        note(f"{action}")
        earliest = min(o.requested_at for o in action.orders)
        # What OrderDesk.execute and Pyth demand.
        found = []
        for id_ in market.underlyings:
            time = action.update.prices[id_].publish_time
            before = [other for other in published[id_] if other < time]
            assert earliest + ORDER_DELAY <= time <= min(NOW, earliest + EXEC_WINDOW)
            assert not before or before[-1] < earliest + ORDER_DELAY
            found.append(time)
        for o in action.orders:
            assert not o.is_armed
            assert o.requested_at + ORDER_DELAY <= state.time <= o.requested_at + EXEC_WINDOW
            assert min(found) >= o.requested_at + ORDER_DELAY
        assert state.time >= market.window_end
        firsts = {state.firsts[o.requested_at + ORDER_DELAY].published((0, 1)) for o in action.orders}
        assert firsts == {action.update.published((0, 1))}
        assert len(action.orders) <= 8
        assert sum(o.fee for o in action.orders) >= gas.of_orders(action.orders) * state.base_fee + action.update.fee


def batches_of(state, policy=POLICY):
    """Batch by batch the (account, nonce) of the orders that are executed."""
    actions = decide(state, policy)
    return [[(o.account, o.nonce) for o in action.orders] for action in actions if isinstance(action, ExecuteOrders)]


def followed_in(market):
    """(account, nonce) of orders that follow one which still waits in its window -> of that one."""
    followed = {(o.account, o.nonce): Live.of(o.follows) for o in market.orders}
    live = {place: (place[0], order.nonce) for place, order in followed.items() if NOW <= order.until}
    return {place: before for place, before in live.items() if before in followed}


@settings(max_examples=300)
@given(queues())
def test_orders__never_before_or_without_the_one_they_follow_while_that_is_live(state):
    followed = followed_in(*state.markets)
    for batch in batches_of(state):
        for i, place in enumerate(batch):
            assert place not in followed or followed[place] in batch[:i]


@settings(max_examples=300)
@given(queues())
def test_orders__wait_for_nothing_else(state):
    policy = Policy(unprofitable=True)
    (market,) = state.markets
    free = replace(market, orders=tuple(replace(o, follows=0) for o in market.orders))
    # With whom each would go if none followed another: few enough that no batch is full.
    company = {place: batch for batch in batches_of(replace(state, markets=(free,)), policy) for place in batch}
    followed = followed_in(market)
    going = {place for batch in batches_of(state, policy) for place in batch}
    note(f"{company=} {followed=} {going=}")
    for place, batch in company.items():
        together = followed.get(place) in going and followed[place] in batch
        assert (place in going) is (place not in followed or together)


@given(worlds())
def test_orders__that_what_is_stored_forbids_and_the_newest_allows__only_once_that_is_stored(world):
    state, _ = world
    actions = decide(state, POLICY)
    for i, action in enumerate(actions):
        if not isinstance(action, ExecuteOrders):
            continue
        market = market_of(state, action)
        if any(state.restricted[id_] for id_ in market.underlyings):
            continue
        kept = False
        for id_ in market.underlyings:
            own, stored = action.update.prices[id_], state.stored[id_]
            lowest, highest = state.free[id_]
            if own.publish_time > stored.publish_time:
                kept |= not lowest <= own.price <= highest and own.publish_time < state.price(id_).publish_time
            else:
                kept |= stored.restricted
        for o in action.orders:
            last = NOW + 2 * POLICY.block_seconds > o.requested_at + EXEC_WINDOW
            assert not kept or last or o.reduce_only or ("prices",) in state.resting
        # Whatever becomes of these, what keeps others from adding risk will not.
        if any(state.stored[id_].restricted for id_ in market.underlyings):
            before = [other.update for other in actions[:i]]
            assert state.latest in before or ("prices",) in state.in_flight | state.resting


@given(worlds())
def test_triggers__as_the_order_desk_does_and_paying_their_way(world):
    state, _ = world
    live = Counter()
    for action in decide(state, POLICY):
        if not isinstance(action, TriggerOrders):
            continue
        market = market_of(state, action)
        for o in action.orders:
            minute, count = market.bursts.get(o.account, (0, 0))
            live[market.symbol, o.account] += 1
            assert live[market.symbol, o.account] + (count if minute == NOW // 60 else 0) <= MAX_LIVE
        assert market.stage == Stage.ACTIVE and not market.is_due and state.time >= market.window_end
        assert action.update is None or action.update is state.news
        for o in action.orders:
            trigger = Trigger.of(o.trigger)
            # What the oracle will hold.
            price = state.price(market.underlyings[trigger.underlying])
            assert trigger.holds(price.price)
            assert o.requested_at + ORDER_DELAY <= price.publish_time <= NOW
            assert all(NOW - TRIGGER_MAX_AGE <= state.price(id_).publish_time for id_ in market.underlyings)
            assert o.is_armed or NOW > o.requested_at + EXEC_WINDOW
            assert NOW + EXEC_WINDOW <= o.deadline
            assert o.reduce_only or not any(state.restricted[id_] for id_ in market.underlyings)
            for series, _ in o.legs:
                assert series in market.series and market.notices.get(series) != FROZEN
                assert o.reduce_only or series not in market.notices
        assert len(action.orders) <= 8
        earned = sum(trigger_share(o.fee, len(o.legs)) for o in action.orders)
        assert earned >= action.gas * state.base_fee + (action.update.fee if action.update else 0)


@given(worlds())
def test_liquidations__all_that_are_below_and_none_that_is_not(world):
    state, _ = world
    busy = state.in_flight | state.resting
    for market in state.markets:
        below = {h.account for h in market.healths if h.is_liquidatable}
        chosen = [
            account
            for action in decide(state, POLICY)
            if isinstance(action, Liquidate) and action.symbol == market.symbol
            for account in action.accounts
        ]
        assert set(chosen) <= below
        assert len(chosen) == len(set(chosen))
        if market.stage != Stage.ACTIVE:
            assert not chosen
        elif state.time + POLICY.block_seconds - state.price_time(market) <= 15:
            assert set(chosen) == {account for account in below if account_key(market.symbol, account) not in busy}


@given(worlds())
def test_actions__deal_with_nothing_twice_nothing_on_its_way_and_suspects_alone(world):
    state, _ = world
    actions = decide(state, POLICY)
    dealt = Counter(key for action in actions for key in action.keys)
    assert all(count == 1 for count in dealt.values())
    assert not set(dealt) & (state.in_flight | state.resting)
    assert all(len(action.keys) == 1 or not action.keys & state.suspects for action in actions)
    assert all(gas.limit(action.gas) <= gas.MOST for action in actions)


@given(worlds())
def test_upkeep__brings_what_the_oracle_takes_fulfils_what_waited_and_voids_what_was_missed(world):
    state, _ = world
    for action in decide(state, POLICY):
        if isinstance(action, UpdatePrices | Checkpoint | Fulfil | Liquidate) and action.update is not None:
            assert action.update is state.latest and not state.refused
        if isinstance(action, VoidOrder):
            over = action.order.is_armed or state.time > action.order.requested_at + EXEC_WINDOW
            assert over and (action.order.trigger == 0 or state.time > action.order.deadline)
        if isinstance(action, Fulfil):
            market = market_of(state, action)
            (pool,) = (pool for pool in market.pools if pool.role == action.role)
            assert action.deposits or action.redemptions
            priced_at = state.time if market.stage == Stage.SETTLED else state.price_time(market)
            assert not action.deposits or pool.deposit_due <= priced_at <= state.time
            assert not action.redemptions or pool.redemption_due <= priced_at <= state.time
            assert market.stage == Stage.ACTIVE or not action.deposits


@given(worlds())
def test_samples__are_the_first_prices_since_the_boundary_of_what_was_not_sampled(world):
    state, published = world
    boundary = latest_boundary(NOW)
    for action in decide(state, POLICY):
        if isinstance(action, Sample):
            for id_ in action.ids:
                since = [time for time in published[id_] if time >= boundary]
                assert action.update.prices[id_].publish_time == since[0] <= state.time
                assert state.sampled[id_] < boundary


@settings(max_examples=50)
@given(worlds())
def test_decide__what_is_sent_is_not_decided_again(world):
    state, _ = world
    first = decide(state, POLICY)
    sent = frozenset().union(*(action.keys for action in first))
    again = decide(State(**{**vars(state), "in_flight": state.in_flight | sent}), POLICY)
    left = {key for action in again for key in action.keys}
    # Nothing of the first round comes again; only voids and upkeep that waited their turn.
    assert not left & sent
    assert {type(action) for action in again} <= {VoidOrder, Checkpoint, UpdatePrices}
