"""What the keeper does about what it knows, case by case."""

from dataclasses import replace

import pytest

from everstock.keeper import gas
from everstock.keeper.actions import (
    KINDS,
    PRICES_KEY,
    Checkpoint,
    ExecuteOrders,
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
from everstock.keeper.decide import DATA_FEE, EXEC_WINDOW, Policy, decide, latest_boundary
from everstock.keeper.state import Pool
from everstock.model.order_desk import ARMED, MAX_LIVE, PAYS_PERCENT, Trigger, min_fee, pays_once_triggered
from everstock.model.series_book import FROZEN
from everstock.model.waterfall import Stage
from everstock.parameters import ORDER_DELAY
from tests.keeper.states import (
    BTC,
    ETH,
    ETHER,
    NOW,
    SERIES,
    TSLA,
    USD,
    health,
    link,
    market,
    order,
    state,
    stored,
    update,
)

POLICY = Policy()


def actions_of(kind, world, policy=POLICY):
    return [action for action in decide(world, policy) if isinstance(action, kind)]


def with_orders(*orders, first=None, **facts):
    """A world with these orders whose first price is that of their due time, unless given."""
    firsts = {o.requested_at + ORDER_DELAY: first or update(o.requested_at + ORDER_DELAY) for o in orders}
    return state(market(orders=orders), firsts=firsts, **facts)


def test_nothing_to_do__does_nothing():
    assert decide(state(), POLICY) == ()


# Prices


@pytest.mark.parametrize(
    ("age", "price", "open_legs", "brought"),
    [
        (10, 100_000, 1, False),
        (53, 100_000, 1, True),  # 55 by the time that it is mined
        (52, 100_000, 1, False),
        (10, 100_501, 1, True),
        (10, 99_499, 1, True),
        (10, 100_500, 1, False),
        (1_000, 200_000, 0, False),  # nobody has a position
    ],
)
def test_prices__brought_when_moved_or_old_while_positions_are_open(age, price, open_legs, brought):
    world = state(market(open_legs=open_legs), stored=stored(age), latest=update(NOW, price=price * USD))
    assert bool(actions_of(UpdatePrices, world)) is brought


def test_prices__of_one_underlying_moved__all_are_brought():
    world = state(stored=stored(10, 60), latest=update(NOW))
    (action,) = decide(world, POLICY)
    assert action == UpdatePrices((BTC, ETH), world.latest, gas.UPDATE)


def test_prices__never_stored__are_brought_though_nobody_has_a_position():
    world = state(market(open_legs=0), stored=stored(NOW, price=0))
    assert actions_of(UpdatePrices, world)


def test_prices__no_market_can_be_read_before_the_first__are_brought():
    world = replace(state(stored=stored(NOW, price=0)), markets=())
    assert actions_of(UpdatePrices, world)


@pytest.mark.parametrize(
    "facts",
    [
        {"latest": None},
        {"refused": "price_oracle: sequencer down"},
        {"latest": update(NOW - 60)},  # no newer than what is stored
        {"in_flight": frozenset({PRICES_KEY})},
        {"resting": frozenset({PRICES_KEY})},
    ],
)
def test_prices__none_newer_or_refused_or_on_its_way__are_not_brought(facts):
    world = state(**{"stored": stored(60), "latest": update(NOW), **facts})
    assert not actions_of(UpdatePrices, world)


def test_prices__both_limits_off__are_never_brought():
    world = state(stored=stored(10_000), latest=update(NOW, price=USD))
    assert not actions_of(UpdatePrices, world, Policy(max_price_age=0, price_move=0))


def test_prices__brought_by_another_action__not_again():
    world = state(market(is_due=True), stored=stored(60), latest=update(NOW))
    assert [type(action) for action in decide(world, POLICY)] == [Checkpoint]


@pytest.mark.parametrize(("first", "brought"), [(NOW, False), (NOW - 1, True)])
def test_prices__that_are_orders_first_ones__not_again(first, brought):
    world = with_orders(order(NOW - 10), stored=stored(54, 56), latest=update(NOW), first=update(first))
    assert actions_of(ExecuteOrders, world)
    assert bool(actions_of(UpdatePrices, world)) is brought


FAR_BTC, FAR_ETH = (True, False), (False, True)


def freed(*orders, age=5, far=FAR_BTC, **facts):
    """A world that would execute these orders, but whose stored prices are too far from Chainlink, unlike the newest."""
    world = {"stored": stored(age, restricted=far), "latest": update(NOW)} | facts
    return with_orders(*orders, **world)


def of_market(world, **facts):
    """The same with other facts of its market."""
    (found,) = world.markets
    return replace(world, markets=(replace(found, **facts),))


@pytest.mark.parametrize("far", [FAR_BTC, FAR_ETH, (True, True)])
def test_prices__stored_ones_far_from_chainlink_and_the_newest_not__are_brought_at_once(far):
    assert decide(freed(far=far), POLICY) == (UpdatePrices((BTC, ETH), update(NOW), gas.UPDATE),)
    assert decide(freed(far=far), Policy(max_price_age=0, price_move=0))


@pytest.mark.parametrize(
    "facts",
    [
        {"restricted": FAR_BTC},  # so are the newest
        {"restricted": FAR_ETH},  # one of them now
        {"latest": None, "restricted": FAR_BTC},
        {"refused": "price_oracle: sequencer down", "restricted": FAR_BTC},
        {"in_flight": frozenset({PRICES_KEY})},
        {"resting": frozenset({PRICES_KEY})},
    ],
)
def test_prices__that_free_nothing_or_are_on_their_way__are_not_brought_at_once(facts):
    assert not actions_of(UpdatePrices, freed(**facts))


@pytest.mark.parametrize(
    ("facts", "brought"),
    [
        ({"open_legs": 0}, False),
        ({"open_legs": 0, "orders": (order(NOW),)}, True),
        ({"open_legs": 0, "orders": (order(NOW - EXEC_WINDOW),)}, True),
        ({"open_legs": 0, "orders": (order(NOW - EXEC_WINDOW - 1),)}, False),
        ({"open_legs": 0, "orders": (order(NOW, trigger=ARMED | 1),)}, False),  # its trigger would bring them
        ({"window_end": NOW}, True),
        ({"window_end": NOW + 1}, False),  # nobody may trade or leave anyway
    ],
)
def test_prices__that_free_a_market__are_brought_at_once_where_somebody_has_a_use(facts, brought):
    assert bool(actions_of(UpdatePrices, of_market(freed(), **facts))) is brought


def test_prices__that_free_a_market__brought_by_a_liquidation__not_again():
    world = of_market(freed(), healths=(health(1),))
    assert [type(action) for action in decide(world, POLICY)] == [Liquidate]


def test_prices__that_free_a_market__go_out_ahead_of_orders_and_once():
    world = freed(order(), stored=stored(60, restricted=FAR_BTC))
    assert [type(action) for action in decide(world, POLICY)] == [UpdatePrices, ExecuteOrders]


def test_prices__that_free_a_market__keep_none_from_its_checkpoint():
    world = of_market(freed(), is_due=True)
    assert [type(action) for action in decide(world, POLICY)] == [UpdatePrices, Checkpoint]


# Volatility

BOUNDARY = latest_boundary(NOW)


@pytest.mark.parametrize(
    ("sampled", "first", "ids"),
    [
        ((BOUNDARY - 600, BOUNDARY - 1), update(BOUNDARY), (BTC, ETH)),
        ((BOUNDARY, BOUNDARY - 1), update(BOUNDARY + 3), (ETH,)),
        ((BOUNDARY - 1, BOUNDARY - 1), update(BOUNDARY + 3, NOW + 1), (BTC,)),  # the other is not yet
        ((BOUNDARY, BOUNDARY + 5), update(BOUNDARY + 3), ()),
        ((0, 0), None, ()),
        ((), update(BOUNDARY), ()),
    ],
)
def test_sample__what_was_not_sampled_since_the_boundary_and_has_a_price(sampled, first, ids):
    firsts = {} if first is None else {BOUNDARY: first}
    found = actions_of(Sample, state(sampled=sampled, firsts=firsts))
    assert found == ([Sample(ids, BOUNDARY, first, gas.SAMPLE)] if ids else [])


@pytest.mark.parametrize(
    "facts",
    [
        {"in_flight": frozenset({sample_key(BTC), sample_key(ETH)})},
        {"resting": frozenset({sample_key(BTC), sample_key(ETH)})},
        {"time": BOUNDARY + 598},  # mined after the next boundary
    ],
)
def test_sample__on_its_way_or_too_late__is_not_sampled(facts):
    assert not actions_of(Sample, state(sampled=(0, 0), firsts={BOUNDARY: update(BOUNDARY)}, **facts))


@pytest.mark.parametrize(
    ("facts", "samples"),
    [
        ({}, [(BTC, ETH)]),
        ({"suspects": frozenset({sample_key(BTC)})}, [(ETH,), (BTC,)]),
        ({"suspects": frozenset({sample_key(BTC), sample_key(ETH)})}, [(BTC,), (ETH,)]),
        ({"resting": frozenset({sample_key(BTC)})}, [(ETH,)]),
    ],
)
def test_sample__one_that_is_refused__is_tried_alone_and_costs_the_other_nothing(facts, samples):
    world = state(sampled=(0, 0), firsts={BOUNDARY: update(BOUNDARY)}, **facts)
    assert [action.ids for action in actions_of(Sample, world)] == samples


def test_sample__of_the_newest_prices__brings_them():
    world = state(sampled=(0, 0), stored=stored(60), latest=update(NOW), firsts={BOUNDARY: update(NOW)})
    assert [type(action) for action in decide(world, POLICY)] == [Sample]


# Orders


@pytest.mark.parametrize(
    ("age", "executed"),
    [(3, False), (4, True), (30, True), (58, True), (59, False), (60, False), (61, False)],
)
def test_orders__executed_from_the_delay_until_too_late_to_be_mined(age, executed):
    world = with_orders(order(NOW - age))
    assert bool(actions_of(ExecuteOrders, world)) is executed


def test_orders__without_their_first_price__wait():
    assert not actions_of(ExecuteOrders, state(market(orders=(order(),))))


@pytest.mark.parametrize(
    ("published", "executed"),
    [
        ((NOW - 16, NOW - 16), True),
        ((NOW, NOW), True),
        ((NOW - 17, NOW - 16), False),  # before the delay has passed: Hermes was wrong
        ((NOW - 16, NOW + 1), False),  # from the future
    ],
)
def test_orders__first_price_outside_the_delay_and_now__wait(published, executed):
    world = with_orders(order(NOW - 20), first=update(*published))
    assert bool(actions_of(ExecuteOrders, world)) is executed


def test_orders__of_a_market_whose_orders_wait_longer__at_the_first_price_after_that():
    early, own = update(NOW - 40 + ORDER_DELAY), update(NOW - 10)
    firsts = {NOW - 40 + ORDER_DELAY: early, NOW - 10: own}
    (action,) = actions_of(ExecuteOrders, state(market(orders=(order(NOW - 40),), order_delay=30), firsts=firsts))
    assert action.update is own


def test_orders__first_price_after_the_window__never_execute():
    requested = NOW - 58
    world = with_orders(order(requested), first=update(requested + EXEC_WINDOW + 1))
    assert not actions_of(ExecuteOrders, world)


def test_orders__that_share_a_first_price__go_together():
    # Published at NOW - 5 and the one before it earlier than NOW - 10 + ORDER_DELAY.
    shared = update(NOW - 5)
    world = with_orders(order(NOW - 10), order(NOW - 9, account=8), first=shared)
    (action,) = actions_of(ExecuteOrders, world)
    assert [o.account for o in action.orders] == [7, 8]
    assert action.update is shared


def test_orders__of_one_second_with_other_first_prices__go_apart():
    early, late = order(NOW - 10), order(NOW - 8, account=8)
    world = with_orders(early, late)
    assert [action.orders for action in actions_of(ExecuteOrders, world)] == [(early,), (late,)]


def test_orders__that_share_the_price_of_one_underlying_only__go_apart():
    early, late = order(NOW - 10), order(NOW - 9, account=8)
    firsts = {NOW - 6: update(NOW - 5, NOW - 6), NOW - 5: update(NOW - 5, NOW - 5)}
    world = state(market(orders=(early, late)), firsts=firsts)
    assert len(actions_of(ExecuteOrders, world)) == 2


def test_orders__of_one_second__at_most_eight_together():
    orders = [order(account=account) for account in range(19)]
    assert [len(action.orders) for action in actions_of(ExecuteOrders, with_orders(*orders))] == [8, 8, 3]


def test_orders__in_a_settle_window__wait():
    world = with_orders(order())
    assert not actions_of(ExecuteOrders, replace(world, markets=(market(orders=(order(),), window_end=NOW + 1),)))
    assert actions_of(ExecuteOrders, replace(world, markets=(market(orders=(order(),), window_end=NOW),)))


def test_orders__fee_below_cost__skipped_unless_told_otherwise():
    cost = (gas.UPDATE + gas.ORDER + gas.LEG) * (5_000_000 + 1_000_000) + 2 + DATA_FEE
    enough, short = with_orders(order(fee=cost)), with_orders(order(fee=cost - 1))
    assert actions_of(ExecuteOrders, enough)
    assert not actions_of(ExecuteOrders, short)
    assert actions_of(ExecuteOrders, short, Policy(unprofitable=True))


@pytest.mark.parametrize("legs", range(1, 9))
@pytest.mark.parametrize("base_fee", [0, 5_000_000, 10**9])
def test_orders__the_order_desks_least_fee__pays(legs, base_fee):
    # contracts/OrderDesk.vy: (BASE_GAS + LEG_GAS * legs) * base fee + FLAT_FEE.
    fee = (1_000_000 + 50_000 * legs) * base_fee + 10**13
    world = with_orders(order(legs=((1, 1),) * legs, fee=fee), base_fee=base_fee)
    assert actions_of(ExecuteOrders, world)


def test_orders__that_failed_in_company__go_alone():
    orders = [order(account=account) for account in range(3)]
    world = with_orders(*orders, suspects=frozenset({order_key(TSLA, orders[1])}))
    batches = [[o.account for o in action.orders] for action in actions_of(ExecuteOrders, world)]
    assert sorted(batches) == [[0, 2], [1]]


@pytest.mark.parametrize("busy", ["in_flight", "resting"])
def test_orders__on_their_way_or_resting__are_left_alone(busy):
    world = with_orders(order(), **{busy: frozenset({order_key(TSLA, order())})})
    assert decide(world, POLICY) == ()


@pytest.mark.parametrize(
    ("first", "tried"),
    [
        ((NOW - 4, NOW - 4), True),  # their own takes its place
        ((NOW - 5, NOW - 5), False),
        ((NOW - 6, NOW - 4), False),
        ((NOW - 4, NOW - 6), True),  # the other's is not too far
    ],
)
def test_orders__stored_price_far_from_chainlink_and_the_newest_not__wait_until_that_is_stored(first, tried):
    world = freed(order(NOW - 10), first=update(*first))
    for on_its_way in (frozenset(), frozenset({PRICES_KEY})):
        assert bool(actions_of(ExecuteOrders, replace(world, in_flight=on_its_way))) is tried
    assert actions_of(ExecuteOrders, replace(world, stored=stored(0)))


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"restricted": FAR_BTC}, "perhaps they add no risk, and nothing is to be hoped for"),
        ({"resting": frozenset({PRICES_KEY})}, "nor is here"),
    ],
)
def test_orders__stored_price_far_from_chainlink__are_tried_where_waiting_is_of_no_use(facts, why):
    world = freed(order(NOW - 10), first=update(NOW - 6), **facts)
    assert actions_of(ExecuteOrders, world), why


@pytest.mark.parametrize(
    ("first", "usd", "age", "tried"),
    [
        (NOW - 6, 102_001, 7, False),
        (NOW - 6, 97_999, 7, False),
        (NOW - 6, 102_000, 7, True),
        (NOW - 6, 98_000, 7, True),
        (NOW - 6, 102_001, 6, True),  # what is stored is no older, and will do
        (NOW, 102_001, 7, True),  # there is none newer
    ],
)
def test_orders__own_price_far_from_chainlink_and_the_newest_not__wait_until_that_is_stored(first, usd, age, tried):
    own = update(first, price=usd * USD)
    free = ((98_000 * USD, 102_000 * USD), (0, 2**64 - 1))
    world = with_orders(order(NOW - 10), first=own, stored=stored(age), latest=update(NOW), free=free)
    assert bool(actions_of(ExecuteOrders, world)) is tried
    assert bool(actions_of(UpdatePrices, world)) is not tried
    assert actions_of(ExecuteOrders, replace(world, restricted=FAR_ETH))
    assert not actions_of(UpdatePrices, replace(world, restricted=FAR_ETH))
    assert actions_of(ExecuteOrders, replace(world, stored=stored(0)))


@pytest.mark.parametrize(("left", "tried"), [(4, False), (3, True), (2, True)])
def test_orders__stored_price_far_from_chainlink__are_tried_when_there_is_no_next_round(left, tried):
    requested_at = NOW + left - EXEC_WINDOW
    world = freed(order(requested_at), first=update(requested_at + ORDER_DELAY))
    assert bool(actions_of(ExecuteOrders, world)) is tried


def test_orders__stored_price_far_from_chainlink__those_that_only_reduce_are_tried():
    orders = (order(NOW - 10), order(NOW - 10, account=8, reduce_only=True))
    assert executed(freed(*orders, first=update(NOW - 6))) == [[(8, 1)]]


def test_orders__stored_price_far_from_chainlink__those_that_follow_one_that_waits_do_too():
    orders = (order(NOW - 10), order(NOW - 10, nonce=2, follows=link(1, NOW - 10), reduce_only=True))
    assert executed(freed(*orders, first=update(NOW - 6))) == []


def test_orders__stored_price_far_from_chainlink_in_another_market__go_on():
    nowhere = market(symbol="NVDA.M", underlyings=(BTC, BTC), orders=(order(NOW - 10),))
    world = freed(order(NOW - 10), far=FAR_ETH, first=update(NOW - 6))
    actions = actions_of(ExecuteOrders, replace(world, markets=(*world.markets, nowhere)))
    assert [action.symbol for action in actions] == ["NVDA.M"]


# The order of an account's orders


def executed(world, policy=POLICY):
    """(account, nonce) of the orders of each batch."""
    return [[(o.account, o.nonce) for o in action.orders] for action in actions_of(ExecuteOrders, world, policy)]


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
def test_turns__of_one_second__as_they_went_live_whatever_their_nonces(first, second):
    # One with a low nonce goes live late where it was triggered.
    orders = [order(nonce=first), order(nonce=second, follows=link(first, NOW - ORDER_DELAY))]
    assert executed(with_orders(*orders)) == executed(with_orders(*orders[::-1])) == [[(7, first), (7, second)]]


def test_turns__of_two_seconds_that_share_a_first_price__together_and_in_turn():
    early, late = order(NOW - 10, nonce=2), order(NOW - 9, follows=link(2, NOW - 10))
    other = order(NOW - 10, account=8)
    world = with_orders(late, other, early, first=update(NOW - 5))
    assert executed(world) == [[(7, 2), (7, 1), (8, 1)]]


def test_turns__with_other_first_prices__one_after_the_other():
    early, late = order(NOW - 10), order(NOW - 8, nonce=2, follows=link(1, NOW - 10))
    world = with_orders(early, late)
    assert executed(world) == [[(7, 1)]]
    assert executed(replace(world, in_flight=frozenset({order_key(TSLA, early)}))) == []
    # It was mined.
    assert executed(replace(world, markets=(market(orders=(late,)),))) == [[(7, 2)]]


def test_turns__of_another_account_or_market__are_its_own():
    early, late = order(NOW - 10), order(NOW - 8, account=8, nonce=2, follows=link(1, NOW - 10))
    assert executed(with_orders(early, late)) == [[(7, 1)], [(8, 2)]]
    markets = (market(orders=(replace(early, account=8),)), market(symbol="NVDA.M", orders=(late,)))
    world = state(*markets, firsts={o.requested_at + ORDER_DELAY: update(NOW - 4) for o in (early, late)})
    assert executed(world) == [[(8, 1)], [(8, 2)]]


@pytest.mark.parametrize(
    ("age", "batches"),
    [
        (58, [[(7, 1)]]),
        (59, []),  # the first would be mined too late, and the second is refused in the block that the head is
        (60, []),
        (61, [[(7, 2)]]),
    ],
)
def test_turns__at_the_end_of_a_window__the_next_only_when_it_is_over(age, batches):
    early, late = order(NOW - age), order(NOW - 40, nonce=2, follows=link(1, NOW - age))
    assert executed(with_orders(early, late)) == batches


def test_turns__live_as_briefly_as_the_one_before__together_or_never():
    both = [order(NOW - 58), order(NOW - 58, nonce=2, follows=link(1, NOW - 58))]
    assert executed(with_orders(*both)) == [[(7, 1), (7, 2)]]
    for time in (NOW + 1, NOW + 2, NOW + 3):
        assert executed(with_orders(*both, time=time)) == []


def test_turns__the_one_before_has_no_price__wait():
    early, late = order(NOW - 10), order(NOW - 8, nonce=2, follows=link(1, NOW - 10))
    world = state(market(orders=(early, late)), firsts={NOW - 8 + ORDER_DELAY: update(NOW - 4)})
    assert executed(world) == []


@pytest.mark.parametrize("busy", ["in_flight", "resting"])
def test_turns__the_one_before_is_on_its_way_or_rests__wait(busy):
    first, second = order(), order(nonce=2, follows=link(1, NOW - ORDER_DELAY))
    third = order(nonce=3, follows=link(2, NOW - ORDER_DELAY))
    orders = (first, second, third, order(account=8))
    assert executed(with_orders(*orders, **{busy: frozenset({order_key(TSLA, first)})})) == [[(8, 1)]]
    assert executed(with_orders(*orders, **{busy: frozenset({order_key(TSLA, second)})})) == [[(7, 1), (8, 1)]]


@pytest.mark.parametrize("suspects", [(0,), (1,), (0, 1)])
def test_turns__some_of_two_failed_before__the_first_goes_alone_and_the_second_waits(suspects):
    both = (order(), order(nonce=2, follows=link(1, NOW - ORDER_DELAY)))
    world = with_orders(*both, suspects=frozenset(order_key(TSLA, both[i]) for i in suspects))
    assert executed(world) == [[(7, 1)]]


def test_turns__the_one_before_does_not_pay__wait_until_its_window_is_over():
    early, late = order(NOW - 20, fee=1), order(NOW - 10, nonce=2, follows=link(1, NOW - 20))
    world = with_orders(early, late)
    assert executed(world) == []
    assert executed(world, Policy(unprofitable=True)) == [[(7, 1)]]
    assert executed(replace(world, time=NOW + 40)) == []
    assert executed(replace(world, time=NOW + 41)) == [[(7, 2)]]


def test_turns__the_next_pays_for_both__together():
    both = (order(fee=1), order(nonce=2, follows=link(1, NOW - ORDER_DELAY)))
    assert executed(with_orders(*both)) == [[(7, 1), (7, 2)]]


def test_turns__more_than_fit_together__the_rest_waits_and_others_do_not():
    line = [order(nonce=n, follows=link(n - 1, NOW - ORDER_DELAY) if n > 1 else 0) for n in range(1, 11)]
    others = [order(account=account) for account in (8, 9)]
    whole = [[(7, n) for n in range(1, 9)], [(8, 1), (9, 1)]]
    assert executed(with_orders(*line, *others)) == whole
    assert executed(with_orders(*line, *others), Policy(unprofitable=True)) == whole
    assert executed(with_orders(*line)) == executed(with_orders(*line), Policy(unprofitable=True)) == whole[:1]


def test_turns__triggered_again_while_the_next_waits__comes_after_it():
    # Nonce 1 missed its window, which nonce 2 went live in, and was triggered again.
    second = order(NOW - 10, nonce=2, follows=link(1, NOW - 62))
    first = order(NOW - 10, follows=link(2, NOW - 10))
    assert executed(with_orders(first, second)) == [[(7, 2), (7, 1)]]


# Triggers


def conditional(**terms):
    """An order that waits for BTC at or above 101,000 or at or below 99,000 dollars, for a minute already."""
    trigger = Trigger(0, 101_000 * USD, 99_000 * USD).word | ARMED
    return order(**{"requested_at": NOW - 60, "trigger": trigger, "deadline": NOW + 1_000} | terms)


def moved(usd, *orders, published=NOW, **facts):
    """A world whose newest prices are that of BTC, published then, and not stored yet."""
    world = {"stored": stored(20), "latest": update(published, price=usd * USD)} | facts
    return state(market(orders=orders or (conditional(),)), **world)


@pytest.mark.parametrize(("usd", "triggered"), [(101_000, True), (100_999, False), (99_001, False), (99_000, True)])
def test_triggers__where_the_newest_price_reaches_one(usd, triggered):
    world = moved(usd)
    actions = actions_of(TriggerOrders, world)
    assert bool(actions) is triggered
    assert all(action.update is world.latest for action in actions)


def test_triggers__by_the_stored_price__bring_none():
    world = state(market(orders=(conditional(),)), stored=stored(3, price=101_000 * USD), latest=update(NOW - 3))
    (action,) = actions_of(TriggerOrders, world)
    assert action.update is None


def test_triggers__by_a_stored_price_that_the_newest_no_longer_reaches__wait():
    world = state(market(orders=(conditional(),)), stored=stored(3, price=101_000 * USD), latest=update(NOW))
    assert not actions_of(TriggerOrders, world)


@pytest.mark.parametrize(("age", "triggered"), [(0, True), (13, True), (14, False)])
def test_triggers__by_a_price_that_will_be_too_old__wait(age, triggered):
    assert bool(actions_of(TriggerOrders, moved(101_000, published=NOW - age))) is triggered


@pytest.mark.parametrize(("age", "triggered"), [(3, False), (4, True)])
def test_triggers__by_a_price_of_before_the_delay__wait(age, triggered):
    assert bool(actions_of(TriggerOrders, moved(101_000, conditional(requested_at=NOW - age)))) is triggered


@pytest.mark.parametrize(("left", "triggered"), [(62, True), (61, False)])
def test_triggers__with_less_than_a_window_until_the_deadline__wait(left, triggered):
    assert bool(actions_of(TriggerOrders, moved(101_000, conditional(deadline=NOW + left)))) is triggered


@pytest.mark.parametrize("facts", [{"is_due": True}, {"window_end": NOW + 1}, {"stage": Stage.SETTLING}])
def test_triggers__in_a_market_that_does_not_trade__wait(facts):
    world = moved(101_000)
    (found,) = world.markets
    assert not actions_of(TriggerOrders, replace(world, markets=(replace(found, **facts),)))


@pytest.mark.parametrize("far", [FAR_BTC, FAR_ETH])
def test_triggers__any_underlying_far_from_chainlink__only_what_reduces(far):
    orders = (conditional(), conditional(account=8, reduce_only=True))
    (action,) = actions_of(TriggerOrders, moved(101_000, *orders, restricted=far))
    assert [o.account for o in action.orders] == [8]


@pytest.mark.parametrize(
    ("notices", "legs", "reduce_only", "triggered"),
    [
        ({}, ((1, 5),), False, True),
        ({1: NOW + 61}, ((1, 5),), False, False),  # from when it is given, not from when it binds
        ({1: NOW + 61}, ((1, 5),), True, True),
        ({1: NOW - 61}, ((1, 5),), False, False),
        ({1: NOW - 61}, ((1, 5),), True, True),
        ({1: FROZEN}, ((1, 5),), False, False),
        ({1: FROZEN}, ((1, 5),), True, False),
        ({1: NOW, 2: FROZEN}, ((3, 5),), False, True),
        ({2: NOW + 61}, ((1, 5), (2, -5)), False, False),
        ({2: NOW + 61}, ((1, 5), (2, -5)), True, True),
        ({1: NOW, 2: FROZEN}, ((1, 5), (2, -5)), True, False),
        ({}, ((1, 5), (4, -5)), True, False),  # nobody listed that
    ],
)
def test_triggers__series_not_open__wait(notices, legs, reduce_only, triggered):
    world = moved(101_000, conditional(legs=legs, reduce_only=reduce_only))
    (found,) = world.markets
    assert bool(actions_of(TriggerOrders, replace(world, markets=(replace(found, notices=notices),)))) is triggered


def test_triggers__series_not_open__are_no_matter_to_others():
    orders = (conditional(legs=((4, 5),)), conditional(account=8))
    (action,) = actions_of(TriggerOrders, moved(101_000, *orders))
    assert [o.account for o in action.orders] == [8]


def test_triggers__series_listed_late__go_on():
    world = moved(101_000, conditional(legs=((4, 5),)))
    (found,) = world.markets
    assert actions_of(TriggerOrders, replace(world, markets=(replace(found, series=SERIES | {4}),)))


def test_orders__that_are_live__are_executed_whatever_their_series_stand():
    # The trade itself says if one was retired, which pays the fee.
    world = with_orders(order(legs=((1, 5), (2, 5))))
    assert actions_of(ExecuteOrders, replace(world, markets=(replace(world.markets[0], notices={1: NOW, 2: FROZEN}),)))


def test_triggers__what_was_triggered__once_it_missed_its_window():
    word = conditional().trigger & ~ARMED
    for age, triggered in ((EXEC_WINDOW, False), (EXEC_WINDOW + 1, True)):
        live = conditional(trigger=word, requested_at=NOW - age)
        assert bool(actions_of(TriggerOrders, moved(101_000, live))) is triggered


def test_triggers__at_most_eight_together__and_what_failed_alone():
    orders = [conditional(account=account) for account in range(11)]
    world = moved(101_000, *orders, suspects=frozenset({order_key(TSLA, orders[1])}))
    assert sorted(len(action.orders) for action in actions_of(TriggerOrders, world)) == [1, 2, 8]


MINUTE = NOW // 60


@pytest.mark.parametrize(
    ("bursts", "triggered"),
    [
        ({}, [MAX_LIVE]),
        ({7: (MINUTE, 3)}, [MAX_LIVE - 3]),
        ({7: (MINUTE, MAX_LIVE)}, []),
        ({7: (MINUTE - 1, MAX_LIVE)}, [MAX_LIVE]),
        ({8: (MINUTE, MAX_LIVE)}, [MAX_LIVE]),
    ],
)
def test_triggers__of_one_account__as_many_as_may_go_live_in_a_minute(bursts, triggered):
    world = of_market(moved(101_000, *(conditional(nonce=nonce) for nonce in range(1, 20))), bursts=bursts)
    assert [len(action.orders) for action in actions_of(TriggerOrders, world)] == triggered


def test_triggers__of_one_account__those_on_their_way_count():
    orders = [conditional(nonce=nonce) for nonce in range(1, 20)]
    on_their_way = frozenset(order_key(TSLA, o) for o in orders[: MAX_LIVE - 2])
    world = moved(101_000, *orders, in_flight=on_their_way)
    (action,) = actions_of(TriggerOrders, world)
    assert [o.nonce for o in action.orders] == [MAX_LIVE - 1, MAX_LIVE]


@pytest.mark.parametrize(("second", "triggered"), [(59, False), (60, True)])
def test_triggers__of_one_account_without_room__once_the_head_is_of_the_next_minute(second, triggered):
    time = 60 * MINUTE + second
    world = replace(moved(101_000, published=time), time=time)
    assert bool(actions_of(TriggerOrders, of_market(world, bursts={7: (MINUTE, MAX_LIVE)}))) is triggered


def test_triggers__of_other_accounts__are_not_kept_by_one_that_has_no_room():
    orders = (conditional(), conditional(account=8))
    (action,) = actions_of(TriggerOrders, of_market(moved(101_000, *orders), bursts={7: (MINUTE, MAX_LIVE)}))
    assert [o.account for o in action.orders] == [8]


@pytest.mark.parametrize("busy", ["in_flight", "resting"])
def test_triggers__on_their_way_or_resting__are_left_alone(busy):
    assert not actions_of(TriggerOrders, moved(101_000, **{busy: frozenset({order_key(TSLA, conditional())})}))


@pytest.mark.parametrize("legs", range(1, 9))
@pytest.mark.parametrize("base_fee", [0, 5_000_000, 10**9])
def test_triggers__the_order_desks_least_fee__pays(legs, base_fee):
    fee = min_fee(legs, base_fee, conditional=True)
    assert actions_of(TriggerOrders, moved(101_000, conditional(legs=((1, 1),) * legs, fee=fee), base_fee=base_fee))


@pytest.mark.parametrize("legs", range(1, 9))
@pytest.mark.parametrize("base_fee", [0, 5_000_000, 2 * 10**8, 10**9, 10**11])
def test_orders__triggered_with_the_least_that_the_desk_wants_to_be_left__pay(legs, base_fee):
    """Or its trader alone would execute it, who could wait and see."""
    left = -(-PAYS_PERCENT * min_fee(legs, base_fee) // 100)
    assert actions_of(ExecuteOrders, with_orders(order(legs=((1, 1),) * legs, fee=left), base_fee=base_fee))


@pytest.mark.parametrize("age", [13, 14])
def test_triggers__a_stored_price_that_the_order_does_not_name__is_to_be_new_enough_when_mined(age):
    world = moved(101_000)
    named, other = world.stored
    stored = (replace(named, price=101_000 * USD, publish_time=NOW), replace(other, publish_time=NOW - age))
    assert bool(actions_of(TriggerOrders, replace(world, stored=stored, latest=None))) is (age == 13)


def test_triggers__that_do_not_pay__skipped_unless_told_otherwise():
    world, dear = moved(101_000, conditional(fee=3 * 10**13)), 10**9
    assert actions_of(TriggerOrders, world)
    assert not actions_of(TriggerOrders, world, Policy(priority_fee=dear))
    assert actions_of(TriggerOrders, world, Policy(priority_fee=dear, unprofitable=True))


def test_triggers__that_the_desk_refuses_for_what_would_be_left_of_the_fee__are_always_skipped():
    least = min_fee(1, 5_000_000)
    fee = next(fee for fee in range(least, 4 * least, 10**9) if pays_once_triggered(fee, 1, 5_000_000))
    for policy in (POLICY, Policy(unprofitable=True)):
        assert actions_of(TriggerOrders, moved(101_000, conditional(fee=fee)), policy)
        assert not actions_of(TriggerOrders, moved(101_000, conditional(fee=fee - 10**9)), policy)


def test_orders__that_wait_for_a_trigger__are_not_executed():
    armed = conditional(requested_at=NOW - 10)
    assert not actions_of(ExecuteOrders, with_orders(armed))
    assert actions_of(ExecuteOrders, with_orders(replace(armed, trigger=armed.trigger & ~ARMED)))


# Voids


@pytest.mark.parametrize(
    ("armed", "age", "late", "voided"),
    [
        (True, 10, 1, True),
        (True, 10, 0, False),
        (True, 100, 0, False),
        (False, 61, 1, True),
        (False, 60, 1, False),
        (False, 61, 0, False),
    ],
)
def test_void__conditional__once_its_deadline_has_passed(armed, age, late, voided):
    word = conditional().trigger & (2**256 - 1 if armed else ~ARMED)
    over = conditional(trigger=word, requested_at=NOW - age, deadline=NOW - late)
    assert bool(actions_of(VoidOrder, state(market(orders=(over,))))) is voided


@pytest.mark.parametrize(("age", "voided"), [(60, False), (61, True)])
def test_void__after_the_window(age, voided):
    missed = order(NOW - age)
    assert (decide(state(market(orders=(missed,))), POLICY) == (VoidOrder(TSLA, missed, gas.VOID),)) is voided


def test_void__comes_last_and_few_at_a_time():
    missed = [order(NOW - 100 - i, account=i) for i in range(12)]
    world = state(market(orders=tuple(missed), is_due=True, healths=(health(1),)))
    kinds = [action.kind for action in decide(world, POLICY)]
    assert kinds == ["liquidations"] + 8 * ["void"]
    assert [action.order.account for action in actions_of(VoidOrder, world)] == [11, 10, 9, 8, 7, 6, 5, 4]


def test_void__not_twice():
    missed = order(NOW - 100)
    world = state(market(orders=(missed,)), in_flight=frozenset({order_key(TSLA, missed)}))
    assert decide(world, POLICY) == ()


# Liquidations


def test_liquidations__worst_first_and_healthy_ones_not_at_all():
    world = state(market(healths=(health(1, 5), health(2, -3), health(3, 50), health(4, 5))))
    (action,) = decide(world, POLICY)
    assert action == Liquidate(TSLA, (3, 1, 4), None, gas.UPDATE + gas.CHECKPOINT + 3 * (gas.LIQUIDATION + gas.LEG))


def test_liquidations__newer_price_known__is_brought_along():
    world = state(market(healths=(health(1),)), stored=stored(5), latest=update(NOW))
    (action,) = actions_of(Liquidate, world)
    assert action.update is world.latest


def test_liquidations__refused_price__the_stored_one_must_do():
    world = state(market(healths=(health(1),)), stored=stored(5), latest=update(NOW), refused="too far")
    (action,) = actions_of(Liquidate, world)
    assert action.update is None


@pytest.mark.parametrize(("age", "possible"), [(13, True), (14, False)])
def test_liquidations__no_price_young_enough_when_mined__wait(age, possible):
    world = state(market(healths=(health(1),)), stored=stored(age), latest=update(NOW - age))
    assert bool(actions_of(Liquidate, world)) is possible


def test_liquidations__one_underlyings_price_too_old__wait():
    world = state(market(healths=(health(1),)), stored=stored(0, 20), latest=None)
    assert not actions_of(Liquidate, world)


def test_liquidations__many__at_most_thirty_two_together_and_of_bounded_gas():
    few_legs = state(market(healths=tuple(health(account) for account in range(70))))
    assert [len(action.accounts) for action in actions_of(Liquidate, few_legs)] == [32, 32, 6]
    many_legs = state(market(healths=tuple(health(account, legs=8) for account in range(40))))
    batches = actions_of(Liquidate, many_legs)
    assert sum(len(action.accounts) for action in batches) == 40
    assert all(action.gas <= POLICY.max_gas for action in batches)
    assert len(batches) == 3


def test_liquidations__that_failed_in_company__go_alone():
    world = state(market(healths=(health(1), health(2), health(3))), suspects=frozenset({account_key(TSLA, 2)}))
    assert [action.accounts for action in actions_of(Liquidate, world)] == [(1, 3), (2,)]


def test_liquidations__in_a_settle_window__go_on():
    assert actions_of(Liquidate, state(market(healths=(health(1),), window_end=NOW + 600)))


def test_liquidations__on_their_way__are_not_repeated():
    world = state(market(healths=(health(1), health(2))), in_flight=frozenset({account_key(TSLA, 1)}))
    (action,) = actions_of(Liquidate, world)
    assert action.accounts == (2,)


# Checkpoints


def test_checkpoint__due__is_made_with_the_newest_price():
    world = state(market(is_due=True), stored=stored(5), latest=update(NOW))
    assert decide(world, POLICY) == (Checkpoint(TSLA, world.latest, gas.UPDATE + gas.CHECKPOINT),)


@pytest.mark.parametrize(("legs", "age", "made"), [(1, 3_299, False), (1, 3_300, True), (0, 3_599, False)])
def test_checkpoint__due_soon__is_made_before_the_hour_is_over_where_anybody_has_a_leg(legs, age, made):
    world = state(market(open_legs=legs, checkpoint_time=NOW - age))
    assert bool(actions_of(Checkpoint, world)) is made


def test_checkpoint__what_checkpoints_anyway_is_on_its_way__is_left_to_that():
    other = market(symbol="NVDA.M", is_due=True)
    world = state(market(is_due=True, healths=(health(1),)), other)
    assert [(action.kind, action.symbol) for action in decide(world, POLICY)] == [
        ("liquidations", TSLA),
        ("checkpoint", "NVDA.M"),
    ]


@pytest.mark.parametrize(
    ("facts", "made"),
    [
        ({}, True),
        ({"depth": 0, "checkpoint_time": NOW - 179}, False),
        ({"depth": 0, "checkpoint_time": NOW - 180}, True),
        ({"depth": 0, "checkpoint_time": 0, "equity": 0, "open_legs": 0}, False),  # nothing in it
        ({"depth": 0, "checkpoint_time": 0, "equity": 1, "open_legs": 0}, True),  # its first liquidity
        ({"depth": 0, "checkpoint_time": 0, "equity": -1}, True),  # its end is counted by checkpoints
        ({"depth": 0, "checkpoint_time": 0, "equity": -1, "open_legs": 0, "claims": 1}, True),  # winners wait
    ],
)
def test_checkpoint__without_depth__is_due_always_and_made_now_and_then(facts, made):
    assert bool(actions_of(Checkpoint, state(market(is_due=True, **facts)))) is made


@pytest.mark.parametrize(
    ("equity", "window_end", "made"),
    [
        (100, 0, False),
        (99, 0, True),
        (99, NOW + 1, False),  # losers are found first
        (50, NOW + 1, False),
        (49, NOW + 1, True),
        (0, 0, True),
        (-1, NOW + 1, True),
    ],
)
def test_checkpoint__that_would_deleverage_or_see_equity_gone__is_made_though_none_is_due(equity, window_end, made):
    world = state(market(equity=equity, requirement=100, window_end=window_end, open_legs=1))
    assert bool(actions_of(Checkpoint, world)) is made


@pytest.mark.parametrize(
    ("facts", "made"),
    [
        ({"depth": 0}, False),  # seen already
        ({"open_legs": 0, "claims": 0}, False),  # nobody's loss
        ({"open_legs": 0, "claims": 1}, True),
    ],
)
def test_checkpoint__of_equity_that_is_gone__is_made_once_and_where_it_matters(facts, made):
    world = state(market(equity=-1, requirement=100, **facts))
    assert bool(actions_of(Checkpoint, world)) is made


@pytest.mark.parametrize(("age", "made"), [(58, True), (59, False)])
def test_checkpoint__no_price_young_enough__waits(age, made):
    world = state(market(is_due=True), stored=stored(age), latest=None)
    assert bool(actions_of(Checkpoint, world)) is made


@pytest.mark.parametrize("busy", ["in_flight", "resting"])
def test_checkpoint__on_its_way_or_resting__is_left_alone(busy):
    world = state(market(is_due=True), **{busy: frozenset({checkpoint_key(TSLA)})})
    assert decide(world, POLICY) == ()


# Liquidity


@pytest.mark.parametrize(
    ("deposit_due", "redemption_due", "asked"),
    [
        (NOW, NOW + 1, (32, 0)),
        (NOW + 1, NOW, (0, 32)),
        (NOW - 5, NOW - 5, (32, 32)),
        (NOW + 1, NOW + 1, None),
    ],
)
def test_fulfil__what_has_waited(deposit_due, redemption_due, asked):
    pool = Pool("main_pool", deposit_due, redemption_due)
    found = [(action.deposits, action.redemptions) for action in decide(state(market(pools=(pool,))), POLICY)]
    assert found == ([asked] if asked else [])


def test_fulfil__price_published_before_the_wait_was_over__is_not_enough():
    pool = Pool("insurance_pool", deposit_due=NOW - 5)
    old = state(market(pools=(pool,)), stored=stored(6, 5), latest=None)
    assert not actions_of(Fulfil, old)
    (action,) = actions_of(Fulfil, replace(old, latest=update(NOW)))
    assert (action.role, action.update) == ("insurance_pool", update(NOW))


@pytest.mark.parametrize(
    ("facts", "of_market"),
    [
        ({"restricted": (False, True)}, {}),
        ({}, {"window_end": NOW + 1}),
        ({"in_flight": frozenset({pool_key(TSLA, "main_pool")})}, {}),
        ({"resting": frozenset({pool_key(TSLA, "main_pool")})}, {}),
        ({"stored": stored(59), "latest": None}, {}),
    ],
)
def test_fulfil__while_nobody_may_leave__waits(facts, of_market):
    pools = (Pool("main_pool", deposit_due=NOW - 100),)
    assert actions_of(Fulfil, state(market(pools=pools)))
    assert not actions_of(Fulfil, state(market(pools=pools, **of_market), **facts))


# Together


def test_order_of_actions__losers_first_and_voids_last():
    pools = (Pool("main_pool", deposit_due=NOW - 100),)
    busy = market(healths=(health(1),), orders=(order(), order(NOW - 100, account=9)), pools=pools)
    other = market(symbol="NVDA.M", is_due=True)
    world = state(busy, other, firsts={NOW: update(NOW)}, stored=stored(0, 60), latest=update(NOW))
    kinds = [action.kind for action in decide(world, POLICY)]
    assert kinds == ["liquidations", "orders", "checkpoint", "fulfil", "void"]
    assert set(kinds) <= set(KINDS)


def test_markets__have_keys_of_their_own():
    both = (market(orders=(order(),)), market(symbol="NVDA.M", orders=(order(),)))
    world = state(*both, firsts={NOW: update(NOW)}, in_flight=frozenset({order_key(TSLA, order())}))
    assert [action.symbol for action in decide(world, POLICY)] == ["NVDA.M"]


def test_fee_of_a_batch__is_judged_as_a_whole():
    cheap, dear = order(account=1, fee=1), order(account=2, fee=ETHER)
    (action,) = actions_of(ExecuteOrders, with_orders(cheap, dear))
    assert len(action.orders) == 2


# Terminal settlement


def settling(**facts):
    """A market whose series are frozen."""
    return market(stage=Stage.SETTLING, window_end=2**32 - 1, is_due=True, **facts)


def test_settlement__accounts_with_legs_are_resolved_and_nothing_else_is_done():
    world = state(settling(healths=(health(1), health(2, shortfall=-5), health(3, legs=0)), orders=(order(),)))
    (action,) = decide(world, POLICY)
    assert (action.kind, action.accounts) == ("resolve", (1, 2))


def test_settlement__many_accounts__in_batches_that_fit():
    world = state(settling(healths=tuple(health(i, legs=8) for i in range(100))))
    actions = actions_of(Resolve, world)
    assert sorted(account for action in actions for account in action.accounts) == list(range(100))
    assert all(len(action.accounts) <= 32 and action.gas <= POLICY.max_gas for action in actions)


def test_settlement__no_leg_left__is_ended():
    assert [action.kind for action in decide(state(settling(open_legs=0)), POLICY)] == ["finalize"]
    on_its_way = frozenset({checkpoint_key(TSLA)})
    assert not decide(state(settling(open_legs=0), in_flight=on_its_way), POLICY)


def test_settlement__accounts_on_their_way__are_not_resolved_twice():
    world = state(settling(healths=(health(1), health(2))), in_flight=frozenset({account_key(TSLA, 1)}))
    (action,) = actions_of(Resolve, world)
    assert action.accounts == (2,)


def test_settled__redemptions_are_executed_without_a_price_and_deposits_never():
    pools = (Pool("main_pool", deposit_due=NOW, redemption_due=NOW),)
    over = market(stage=Stage.SETTLED, window_end=2**32 - 1, is_due=True, open_legs=0, pools=pools)
    (action,) = decide(state(over, stored=stored(10_000), latest=None), POLICY)
    assert (action.kind, action.deposits, action.update) == ("fulfil", 0, None)
    assert action.redemptions > 0
