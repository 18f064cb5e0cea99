"""A price makes a conditional order a market order of that moment: which price, whose moment, and who is paid."""

import boa
import pytest
from eth_abi import encode
from eth_utils import keccak

from everstock.chain import addresses
from everstock.chain.in_process import DELAY, EXEC_WINDOW, UNDERLYINGS, events
from everstock.model.order_desk import ARMED, TRIGGER_MAX_AGE, min_fee, trigger_share

from .desk import ETHER, GWEI, NOTHING, base_fee, cold, gas_of_calls, reverts
from .test_min_fee import BASE_FEES, PYTH_GAS, whole
from .test_request import ORDER_TYPE


def share_of(order):
    return trigger_share(order.fee, len(order.legs))


def live(protocol, order):
    """What an order is once it is triggered now."""
    return order._replace(
        trigger=order.trigger & ~ARMED, requested_at=protocol.now, fee=order.fee - share_of(order)
    )


@pytest.fixture
def stop(protocol, trader, btc):
    """Closes a call bought before, once BTC is at or below 118,000; the index is at 120,000."""
    protocol.trade(trader, (btc, 1))
    return protocol.request_conditional(trader, (btc, -1), below=118_000, reduce_only=True, fee=ETHER)


@pytest.fixture
def fallen(protocol, stop):
    """The price that triggers it was published, and nobody brought it yet."""
    protocol.publish(after=DELAY, BTC=117_900)
    return stop


@pytest.mark.parametrize(
    ("terms", "reached", "missed"),
    [
        ({"below": 118_000}, [118_000, 117_999, 114_500], [118_000.01, 120_000, 125_900]),
        ({"above": 122_000}, [122_000, 122_000.01, 125_900], [121_999.99, 120_000, 114_500]),
        ({"above": 122_000, "below": 118_000}, [118_000, 114_500, 122_000, 125_900], [118_000.01, 121_999.99]),
    ],
)
def test_trigger__at_or_beyond_its_price__and_no_other(protocol, desk, trader, btc, terms, reached, missed):
    order = protocol.request_conditional(trader, (btc, 1), **terms)
    protocol.wait(DELAY - 1)
    for usd in missed:
        with boa.env.anchor():
            fork = protocol.fork()
            fork.publish(after=1, BTC=usd)
            with reverts(desk, "order_desk: not triggered"):
                fork.trigger(order)
    for usd in reached:
        with boa.env.anchor():
            fork = protocol.fork()
            fork.publish(after=1, BTC=usd)
            assert fork.trigger(order) == [True]


def test_trigger__by_the_other_underlying__does_not_count(protocol, desk, trader, btc):
    order = protocol.request_conditional(trader, (btc, 1), underlying="ETH", above=4_600)
    protocol.publish(after=DELAY, BTC=122_000)
    with reverts(desk, "order_desk: not triggered"):
        protocol.trigger(order)
    protocol.publish(after=1, ETH=4_600)
    assert protocol.trigger(order) == [True]


def test_trigger__makes_it_a_market_order_of_now(protocol, desk, trader, keeper, btc, fallen):
    protocol.wait(3)
    assert protocol.trigger(fallen, by=keeper) == [True]
    (event,) = events(desk, "Triggered")
    order = live(protocol, fallen)
    assert (event.account, event.nonce, event.sender) == (order.account, order.nonce, keeper)
    assert tuple(event.order) == tuple(order)
    assert desk.order_hash(order.account, order.nonce) == keccak(encode([ORDER_TYPE], [tuple(order)]))
    assert desk.live_until(order.account) == protocol.now + EXEC_WINDOW
    assert desk.last_nonce(order.account) == 1
    with reverts(protocol.clearing_house, "clearing_house: live order"):
        protocol.clearing_house.withdraw(order.account, 1, trader, sender=trader)

    # Executed at the first price after the delay, not at the one that triggered it.
    protocol.publish(after=DELAY, BTC=117_000)
    protocol.publish(after=1, BTC=119_000)
    assert protocol.execute(order, by=keeper) == [True]
    assert events(desk, "Executed")[0].prices[0] == 117_000 * 10**8
    assert protocol.units(trader) == {}


def test_trigger__pays_its_share_at_once__and_the_rest_to_whoever_executes(
    protocol, desk, keeper, other, fallen, earnings
):
    earnings(keeper), earnings(other), earnings(desk.address)
    protocol.trigger(fallen, by=keeper)
    share = share_of(fallen)
    assert share == ETHER * 800_000 // 1_850_000
    assert earnings(keeper) == share - 2
    assert earnings(desk.address) == -share
    order = live(protocol, fallen)
    protocol.publish(after=DELAY)
    protocol.execute(order, by=other)
    assert earnings(other) == ETHER - share - 2
    assert boa.env.get_balance(desk.address) == 0


@pytest.mark.parametrize("extra", [0, 1, ETHER])
@pytest.mark.parametrize("with_price", [False, True])
def test_trigger__returns_what_pyth_did_not_need(protocol, desk, keeper, stop, earnings, with_price, extra):
    if with_price:
        updates = [protocol.publish(after=DELAY, BTC=117_900)]
    else:
        protocol.set_prices(after=DELAY, BTC=117_900)
        updates = []
    fee = protocol.oracle.update_fee(updates)
    earnings(keeper)
    desk.trigger([stop], updates, value=fee + extra, sender=keeper)
    assert earnings(keeper) == share_of(stop) - fee


def test_trigger__by_a_price_that_is_stored_already__needs_no_update(protocol, desk, keeper, stop):
    protocol.set_prices(after=DELAY, BTC=117_900)
    assert desk.trigger([stop], [], sender=keeper) == [True]


def test_trigger__by_a_price_that_a_newer_one_followed__is_not(protocol, desk, keeper, stop):
    """Whoever holds back a spike finds it overtaken."""
    spike = protocol.publish(after=DELAY, BTC=117_900)
    protocol.set_prices(after=1, BTC=119_000)
    with reverts(desk, "order_desk: not triggered"):
        desk.trigger([stop], [spike], value=2, sender=keeper)


def test_trigger__by_an_old_price__reverts(protocol, desk, keeper, fallen):
    protocol.wait(TRIGGER_MAX_AGE + 1)
    with reverts(desk, "order_desk: stale price"):
        protocol.trigger(fallen, by=keeper)
    boa.env.evm.patch.timestamp -= 1
    assert protocol.trigger(fallen, by=keeper) == [True]


def test_trigger__by_a_price_of_before_its_delay__is_not(protocol, desk, trader, btc):
    protocol.publish(after=1, BTC=117_900)
    order = protocol.request_conditional(trader, (btc, 1), below=118_000)
    with reverts(desk, "order_desk: not triggered"):
        protocol.trigger(order)
    protocol.publish(after=DELAY - 1)
    with reverts(desk, "order_desk: not triggered"):
        protocol.trigger(order)
    protocol.publish(after=1)
    assert protocol.trigger(order) == [True]


def test_trigger__where_its_deadline_would_come_before_its_window_ends__is_not(protocol, desk, trader, btc):
    """Once triggered it is firm: the deadline must not let it die where its price is known."""
    orders = [
        protocol.request_conditional(trader, (btc, 1), below=121_000, deadline=protocol.now + DELAY + EXEC_WINDOW + left)
        for left in (-1, 0)
    ]
    protocol.publish(after=DELAY)
    with reverts(desk, "order_desk: not triggered"):
        protocol.trigger(orders[0])
    assert protocol.trigger(*orders) == [False, True]
    order = live(protocol, orders[1])
    protocol.publish(after=DELAY)
    protocol.wait(EXEC_WINDOW - DELAY)
    assert protocol.now == order.deadline
    assert protocol.execute(order) == [True]


def test_trigger__again__with_less_than_a_window_left__is_not(protocol, desk, trader, btc):
    order = protocol.request_conditional(
        trader, (btc, 1), below=121_000, deadline=protocol.now + DELAY + 2 * EXEC_WINDOW
    )
    protocol.publish(after=DELAY)
    protocol.trigger(order)
    order = live(protocol, order)
    protocol.publish(after=EXEC_WINDOW + 1)
    with reverts(desk, "order_desk: not triggered"):
        protocol.trigger(order)
    desk.cancel(order, sender=trader)


@pytest.mark.parametrize("far", UNDERLYINGS)
@pytest.mark.parametrize("reduce_only", [False, True])
def test_trigger__far_from_chainlink__only_where_it_can_reduce_risk(protocol, desk, trader, btc, reduce_only, far):
    """Whichever underlying's price is: none would be traded then."""
    order = protocol.request_conditional(trader, (btc, 1), below=121_000, reduce_only=reduce_only)
    update = protocol.publish(after=DELAY)
    away = int(protocol.index[far] * 1.02) * 10**8
    protocol.chainlink[far].publish(away, protocol.now, protocol.now, sender=protocol.operator)
    if reduce_only:
        assert protocol.trigger(order, updates=[update]) == [True]
    else:
        with reverts(desk, "order_desk: not triggered"):
            protocol.trigger(order, updates=[update])


def test_trigger__refuses_what_the_oracle_refuses(protocol, desk, keeper, fallen):
    protocol.sequencer.publish(1, protocol.now, protocol.now, sender=protocol.operator)
    with reverts(desk, "price_oracle: sequencer down"):
        protocol.trigger(fallen, by=keeper)


def test_trigger__in_a_settle_window__reverts(protocol, desk, keeper, stop):
    """It would miss its execution."""
    protocol.set_prices(after=DELAY, BTC=105_000)
    protocol.clearing_house.checkpoint()
    with reverts(desk, "order_desk: market does not trade"):
        protocol.trigger(stop, by=keeper)
    for _ in range(2):
        protocol.set_prices(after=601)
        protocol.clearing_house.checkpoint()
    assert protocol.trigger(stop, by=keeper) == [True]


def test_trigger__by_a_price_that_makes_a_checkpoint_due__reverts_until_that_is_made(protocol, desk, keeper, stop):
    """It might open a settle window."""
    update = protocol.publish(after=DELAY, BTC=112_000)
    with reverts(desk, "order_desk: market does not trade"):
        protocol.trigger(stop, by=keeper)
    protocol.store(update)
    protocol.clearing_house.checkpoint()
    assert protocol.trigger(stop, by=keeper) == [True]


def test_trigger__twice__reverts_and_pays_once(protocol, desk, keeper, other, fallen):
    protocol.trigger(fallen, by=keeper)
    with reverts(desk, "order_desk: unknown order"):
        protocol.trigger(fallen, by=other)
    with reverts(desk, "order_desk: not triggered"):
        protocol.trigger(live(protocol, fallen), by=other)


def test_trigger__of_a_market_order__reverts(protocol, desk, trader, keeper, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    for _ in range(2):
        with reverts(desk, "order_desk: not triggered"):
            protocol.trigger(order, by=keeper)
        protocol.publish(after=EXEC_WINDOW + 1)


def test_trigger__nothing__reverts(protocol, desk, keeper, fallen):
    with reverts(desk, "order_desk: unknown order"):
        desk.trigger([], [], sender=keeper)


def test_trigger__changed_terms__reverts(protocol, desk, trader, keeper, btc, fallen):
    for terms in (
        fallen._replace(nonce=2),
        fallen._replace(fee=2 * ETHER),
        fallen._replace(payer=keeper),
        fallen._replace(trigger=fallen.trigger & ~ARMED),
        fallen._replace(trigger=ARMED | 1),
        fallen._replace(legs=[(btc, 10**18)]),
        fallen._replace(requested_at=fallen.requested_at - 1),
    ):
        with reverts(desk, "order_desk: unknown order"):
            protocol.trigger(terms, by=keeper)


def test_trigger__batch__passes_over_those_not_reached(protocol, desk, trader, other, keeper, btc, earnings):
    stops = [
        protocol.request_conditional(who, (btc, 1), below=usd, fee=fee * ETHER)
        for who, usd, fee in ((trader, 118_000, 1), (other, 117_000, 2), (other, 119_000, 4), (trader, 117_900, 8))
    ]
    market = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY, BTC=117_900)
    earnings(keeper)
    done = protocol.trigger(*stops, stops[0], market, by=keeper)
    assert done == [True, False, True, True, False, False]
    assert earnings(keeper) == sum(share_of(stops[i]) for i in (0, 2, 3)) - 2
    assert desk.order_hash(stops[1].account, stops[1].nonce) != NOTHING


@pytest.mark.parametrize("triggered_before", [1, 2])
def test_trigger__again_once_its_window_was_missed(protocol, desk, trader, keeper, fallen, earnings, triggered_before):
    """What keeps an order from being executed for a minute does not end it; each trigger takes its share of what is left."""
    order = fallen
    for _ in range(triggered_before):
        protocol.trigger(order, by=keeper)
        order = live(protocol, order)
        protocol.publish(after=EXEC_WINDOW)
        with reverts(desk, "order_desk: not triggered"):
            protocol.trigger(order, by=keeper)
        protocol.publish(after=1)
    with reverts(desk, "order_desk: window missed"):
        protocol.execute(order, by=keeper)
    earnings(keeper)
    assert protocol.trigger(order, by=keeper) == [True]
    assert earnings(keeper) == share_of(order) - 2
    order = live(protocol, order)
    protocol.publish(after=DELAY)
    assert protocol.execute(order, by=keeper) == [True]
    assert protocol.units(trader) == {}


def test_execute__before_it_is_triggered__reverts(protocol, desk, keeper, fallen):
    with reverts(desk, "order_desk: not triggered"):
        protocol.execute(fallen, by=keeper)


def test_void__conditional__once_its_deadline_has_passed(protocol, desk, trader, keeper, btc, earnings):
    order = protocol.request_conditional(trader, (btc, 1), below=118_000, deadline=protocol.now + 1_000, fee=ETHER)
    for wait in (0, EXEC_WINDOW + 1, 1_000 - EXEC_WINDOW - 1):
        protocol.wait(wait)
        with reverts(desk, "order_desk: may yet be triggered"):
            desk.void(order, sender=keeper)
    protocol.wait(1)
    earnings(trader)
    desk.void(order, sender=keeper)
    assert earnings(trader) == ETHER


def test_void__triggered__once_window_and_deadline_have_passed(protocol, desk, trader, keeper, btc, earnings):
    order = protocol.request_conditional(trader, (btc, 1), below=118_000, deadline=protocol.now + 70, fee=ETHER)
    protocol.publish(after=DELAY, BTC=117_900)
    protocol.trigger(order, by=keeper)
    order = live(protocol, order)
    protocol.wait(EXEC_WINDOW)
    with reverts(desk, "order_desk: window open"):
        desk.void(order, sender=keeper)
    protocol.wait(order.deadline - protocol.now)
    with reverts(desk, "order_desk: may yet be triggered"):
        desk.void(order, sender=keeper)
    protocol.wait(1)
    earnings(trader)
    desk.void(order, sender=keeper)
    assert earnings(trader) == order.fee
    assert boa.env.get_balance(desk.address) == 0


@pytest.mark.parametrize("reduce_only", [False, True])
def test_trigger__series_on_notice__only_to_reduce(protocol, desk, trader, reduce_only):
    """Or whoever triggers could lift the notice, or not, with the price in sight."""
    series = protocol.list_series("BTC", 0.9)
    protocol.set_prices(after=3_601)
    protocol.clearing_house.checkpoint()
    order = protocol.request_conditional(trader, (series, 1), above=1, reduce_only=reduce_only)
    protocol.series_listing.give_notice(series)
    protocol.publish(after=DELAY)
    if reduce_only:
        assert protocol.trigger(order) == [True]
    else:
        with reverts(desk, "order_desk: not triggered"):
            protocol.trigger(order)


@pytest.mark.parametrize("trouble", ["set_refusing", "set_burning"])
def test_trigger__by_who_will_not_take_ether__reverts(protocol, desk, wallet_keeper, fallen, trouble):
    getattr(wallet_keeper, trouble)(True)
    with reverts(desk, "order_desk: payment failed"):
        protocol.trigger(fallen, by=wallet_keeper.address)


def test_trigger__reentered_on_the_payment__is_locked(protocol, desk, wallet_keeper, fallen):
    again = desk.trigger.prepare_calldata([live(protocol, fallen)], [])
    wallet_keeper.call_back(desk.address, again)
    assert protocol.trigger(fallen, by=wallet_keeper.address) == [True]
    assert (wallet_keeper.calls(), wallet_keeper.succeeded()) == (1, False)


@pytest.mark.parametrize("wei", BASE_FEES)
@pytest.mark.parametrize("legs", [1, 8])
def test_min_fee__reimburses_whoever_triggers_and_whoever_executes_above_cost(
    protocol, desk, trader, keeper, other, earnings, wei, legs
):
    series = [
        protocol.list_series(name, moneyness, is_put)
        for name in UNDERLYINGS
        for moneyness in (0.85, 1.15)
        for is_put in (True, False)
    ][:legs]
    with base_fee(wei):
        order = protocol.request_conditional(trader, *[(id_, 0.5) for id_ in series], below=118_000)
        update = protocol.publish(after=DELAY, BTC=117_900)
        earnings(keeper), earnings(other)
        with cold():
            desk.trigger([order], [update], value=2, sender=keeper)
        gas = whole(desk._computation) - gas_of_calls(desk._computation, protocol.pyth) + PYTH_GAS
        assert earnings(keeper) > gas * wei * 11 // 10
        order = live(protocol, order)
        protocol.publish(after=DELAY)
        updates = protocol.first_prices(order)
        with cold():
            desk.execute([order], updates, value=2, sender=other)
        gas = whole(desk._computation) - gas_of_calls(desk._computation, protocol.pyth) + PYTH_GAS
        assert earnings(other) > gas * wei * 11 // 10


def test_min_fee__conditional__pays_for_the_trigger_too(desk):
    flat = desk.min_fee(1, 0)
    assert desk.min_fee(1, 0, True) == 2 * flat
    assert desk.min_fee(8, GWEI, True) == desk.min_fee(8, GWEI) + 800_000 * GWEI + flat


@pytest.mark.parametrize("named", ["BTC", "ETH"])
def test_trigger__a_price_left_out__is_not_while_the_stored_one_is_too_old(protocol, desk, trader, keeper, btc, named):
    """Whether the order names it or not: who could leave out one that has moved would trigger what cannot be executed then."""
    order = protocol.request_conditional(trader, (btc, 1), underlying=named, above=4_400)
    protocol.publish(after=TRIGGER_MAX_AGE + 1)
    protocol.oracle.update([0], protocol.publisher.blobs([addresses.PYTH_IDS["BTC"]]), value=1, sender=keeper)
    with reverts(desk, "order_desk: stale price"):
        desk.trigger([order], [], sender=keeper)
    assert protocol.trigger(order, by=keeper) == [True]


def test_trigger__nothing_waits__costs_no_price_update(protocol, desk, trader, keeper, fallen):
    """Two keepers race, or its trader takes it back: whoever is late pays for no signatures, not even wrong ones."""
    desk.cancel(fallen, sender=trader)
    with reverts(desk, "order_desk: unknown order"):
        desk.trigger([fallen], [b"no update"], value=1, sender=keeper)


def test_trigger__the_same_order_in_one_call_twice__is_triggered_once(protocol, desk, keeper, fallen):
    assert protocol.trigger(fallen, fallen, by=keeper) == [True, False]
    (event,) = events(desk, "Triggered")
    assert event.order.fee == fallen.fee - share_of(fallen)


@pytest.mark.parametrize("legs", [1, 8])
def test_trigger__only_while_what_is_left_of_the_fee_pays_for_an_execution(protocol, desk, trader, legs):
    """Otherwise nobody but its trader would execute it, who could wait and see."""
    series = [protocol.list_series(name, m, p) for name in UNDERLYINGS for m in (0.85, 1.15) for p in (True, False)][:legs]
    with base_fee(GWEI):
        order = protocol.request_conditional(trader, *[(id_, 0.5) for id_ in series], below=118_000)
    update = protocol.publish(after=DELAY, BTC=117_900)
    left = order.fee - share_of(order)
    dear = next(wei for wei in range(GWEI, 2 * GWEI, 1_000) if 100 * left < 90 * min_fee(legs, wei))
    assert dear > 1.1 * GWEI
    with base_fee(dear), reverts(desk, "order_desk: not triggered"):
        protocol.trigger(order, updates=[update])
    with base_fee(dear - 1_000):
        assert protocol.trigger(order, updates=[update]) == [True]


def test_trigger__again__only_if_the_fee_was_more_than_the_least(protocol, desk, trader, btc):
    least = desk.min_fee(1, boa.env.evm.vm.state.base_fee, True)
    orders = [protocol.request_conditional(trader, (btc, 1), below=118_000, fee=times * least) for times in (1, 2)]
    protocol.publish(after=DELAY, BTC=117_900)
    assert protocol.trigger(*orders) == [True, True]
    live = [event.order for event in events(desk, "Triggered")]
    protocol.publish(after=EXEC_WINDOW + 1, BTC=117_900)
    assert protocol.trigger(*live) == [False, True]
