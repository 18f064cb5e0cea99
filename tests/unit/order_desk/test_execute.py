"""When an order runs, and at which price."""

import boa
import pytest

from everstock.chain import addresses, publisher
from everstock.chain.in_process import DELAY, EXEC_WINDOW, UNDERLYINGS, account_of, events, price, unpack_legs

from .desk import NOTHING, reverts

BTC, ETH = 0, 1


def execute(protocol, orders, updates, *, by=None, value=None):
    value = protocol.oracle.update_fee(updates) if value is None else value
    return protocol.order_desk.execute(orders, updates, value=value, sender=by or protocol.operator)


def latest(protocol, name="BTC"):
    return protocol.publisher.latest(addresses.PYTH_IDS[name])


def stored(protocol, underlying):
    """Price and publish time at the oracle."""
    word = protocol.oracle.word(underlying)
    return word & (2**64 - 1), (word >> 64) & (2**32 - 1)


def is_waiting(protocol, order):
    return protocol.order_desk.order_hash(order.account, order.nonce) != NOTHING


# The trade


def test_execute__trades_at_the_first_price_after_the_delay(protocol, desk, trader, keeper, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY, BTC=121_000)
    with boa.env.anchor():
        protocol.store(update)
        total = protocol.trade(trader, (btc, 1))
    assert execute(protocol, [order], [update], by=keeper) == [True]
    (event,) = events(desk, "Executed")
    assert (event.account, event.nonce, event.executor) == (order.account, order.nonce, keeper)
    assert event.prices == [price(121_000), price(4_500)]
    assert event.total == total
    assert protocol.units(trader) == {btc: protocol.unit}
    assert not is_waiting(protocol, order)


def test_execute__eight_legs_on_both_underlyings__all_or_none(protocol, trader, btc, eth):
    series = [btc, eth] + [
        protocol.list_series(name, moneyness, is_put)
        for name in UNDERLYINGS
        for moneyness, is_put in [(0.9, False), (1.1, True), (1.2, False)]
    ]
    legs = [(id_, 0.5 if i % 2 else -0.5) for i, id_ in enumerate(series)]
    assert protocol.order(trader, *legs)
    assert protocol.units(trader) == {id_: round(face * protocol.unit) for id_, face in legs}
    before = protocol.account(trader)
    # The last leg cannot be filled.
    assert not protocol.order(trader, *[(id_, 0.5) for id_ in series[:7]], (series[7], 10**6))
    assert protocol.account(trader) == before


def test_execute__for_a_subaccount__leaves_the_others_alone(protocol, trader, btc):
    protocol.deposit(trader, 50 * protocol.unit, subaccount=3)
    before = protocol.account(trader)
    assert protocol.order(trader, (btc, 1), subaccount=3)
    assert protocol.account(trader) == before
    assert protocol.units(trader, 3) == {btc: protocol.unit}


def test_execute__reduce_only__is_clamped_at_execution(protocol, trader, btc):
    protocol.order(trader, (btc, 1))
    order = protocol.request(trader, (btc, -3), reduce_only=True)
    protocol.publish(after=DELAY)
    # Meanwhile the leg shrinks.
    protocol.trade(trader, (btc, -0.25))
    assert protocol.execute(order) == [True]
    assert protocol.units(trader) == {}


def test_execute__at_just_its_limit__passes(protocol, trader, btc):
    update = protocol.publish(after=DELAY)
    protocol.store(update)
    with boa.env.anchor():
        total = protocol.trade(trader, (btc, 1))
    assert protocol.order(trader, (btc, 1), limit=total)


# The time


def test_execute__before_the_delay__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    for wait in (0, 1, DELAY - 2):
        update = protocol.publish(after=wait)
        with reverts(desk, "order_desk: too early"):
            execute(protocol, [order], [update])
    update = protocol.publish(after=1)
    assert execute(protocol, [order], [update]) == [True]


def test_execute__in_the_last_second_of_the_window__passes(protocol, trader, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=EXEC_WINDOW)
    assert protocol.execute(order) == [True]


def test_execute__after_the_window__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    protocol.wait(EXEC_WINDOW - DELAY + 1)
    with reverts(desk, "order_desk: window missed"):
        protocol.execute(order)
    assert is_waiting(protocol, order)


def test_execute__at_the_deadline__which_is_never_before_the_windows_end__passes(protocol, trader, btc):
    order = protocol.request(trader, (btc, 1), deadline=protocol.now + EXEC_WINDOW)
    protocol.publish(after=DELAY)
    protocol.wait(EXEC_WINDOW - DELAY)
    assert protocol.execute(order) == [True]


# The price


def test_execute__price_published_before_the_delay__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY - 1)
    protocol.wait(1)
    with reverts(desk, "PriceFeedNotFoundWithinRange"):
        execute(protocol, [order], [update])
    assert is_waiting(protocol, order)


def test_execute__second_price_after_the_delay__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    first = protocol.publish(after=DELAY)
    second = protocol.publish(after=1)
    with reverts(desk, "PriceFeedNotFoundWithinRange"):
        execute(protocol, [order], [second])
    assert execute(protocol, [order], [first]) == [True]


def test_execute__second_price_of_the_same_second__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    first = protocol.publish(after=DELAY)
    second = protocol.publish(BTC=120_100)
    with reverts(desk, "PriceFeedNotFoundWithinRange"):
        execute(protocol, [order], [second])
    assert execute(protocol, [order], [first]) == [True]


def test_execute__first_price_after_a_silence__passes(protocol, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=EXEC_WINDOW - 10)
    assert execute(protocol, [order], [update]) == [True]


def test_execute__silence_over_the_whole_window__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=EXEC_WINDOW + 1)
    protocol.wait(-1)
    with reverts(desk, "PriceFeedNotFoundWithinRange"):
        execute(protocol, [order], [update])


def test_execute__price_from_the_future__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY + 2)
    protocol.wait(-2)
    with reverts(desk, "price_oracle: price from the future"):
        execute(protocol, [order], [update])


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (publisher.forged, "InvalidWormholeVaa"),
        (publisher.tampered, "InvalidUpdateData"),
        (publisher.elsewhere, "InvalidUpdateDataSource"),
        (publisher.truncated, "InvalidUpdateData"),
        (publisher.negative, "price_oracle: price not positive"),
        (publisher.zero, "price_oracle: price not positive"),
        (publisher.uncertain, "price_oracle: price too uncertain"),
        (publisher.not_first, "PriceFeedNotFoundWithinRange"),
    ],
)
def test_execute__price_that_will_not_do__reverts(protocol, desk, trader, btc, spoil, expected):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    with reverts(desk, expected):
        execute(protocol, [order], [spoil(latest(protocol)), *protocol.first_prices(order, "ETH")])
    assert is_waiting(protocol, order)


def test_execute__without_updates__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    with reverts(desk, "PriceFeedNotFoundWithinRange"):
        execute(protocol, [order], [])


@pytest.mark.parametrize("name", UNDERLYINGS)
@pytest.mark.parametrize("series", [["btc"], ["eth"], ["btc", "eth"]])
def test_execute__without_the_price_of_an_underlying__whether_traded_or_not__reverts(
    protocol, desk, trader, btc, eth, series, name
):
    order = protocol.request(trader, *[({"btc": btc, "eth": eth}[one], 1) for one in series])
    protocol.publish(after=DELAY)
    with reverts(desk, "PriceFeedNotFoundWithinRange"):
        execute(protocol, [order], protocol.first_prices(order, name))
    assert is_waiting(protocol, order)


def fills(protocol, btc, eth, usd, tokens, *, is_stored=False):
    """Whether written calls on BTC are filled beside such on ETH, at a first price of ETH that may have been stored before."""
    with boa.env.anchor():
        fork = protocol.fork()
        trader = fork.trader("writer", 100)
        fork.trade(trader, (eth, -100))
        fork.clearing_house.withdraw(account_of(trader), round((100 - tokens) * fork.unit), trader, sender=trader)
        order = fork.request(trader, (btc, -60))
        update = fork.publish(after=DELAY, ETH=usd)
        if is_stored:
            fork.store(update)
        return fork.execute(order) == [True]


def test_execute__margin_for_what_it_does_not_trade__at_first_prices_too(protocol, btc, eth):
    """While that could be left at what was stored, who stored a price, or did not, chose which orders found margin."""
    little, enough = 20.0, 100.0
    while enough - little > 0.01:
        tokens = (little + enough) / 2
        little, enough = (little, tokens) if fills(protocol, btc, eth, 4_500, tokens) else (tokens, enough)
    assert not any(fills(protocol, btc, eth, 4_510, enough, is_stored=is_stored) for is_stored in (False, True))


def test_execute__prices_published_apart__each_is_its_own_first(protocol, desk, trader, btc, eth):
    order = protocol.request(trader, (btc, 1), (eth, 1))
    ids = addresses.PYTH_IDS
    protocol.wait(DELAY)
    btc_update = protocol.publisher.publish({ids["BTC"]: price(120_500)}, protocol.now)
    protocol.wait(3)
    eth_update = protocol.publisher.publish({ids["ETH"]: price(4_490)}, protocol.now)
    assert execute(protocol, [order], [btc_update, eth_update]) == [True]
    assert events(desk, "Executed")[0].prices == [price(120_500), price(4_490)]


# The stored price


def test_execute__price_newer_than_the_stored__is_stored(protocol, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY, BTC=121_000)
    execute(protocol, [order], [update])
    assert stored(protocol, BTC) == (price(121_000), protocol.now)
    assert stored(protocol, ETH) == (price(4_500), protocol.now)


def test_execute__price_older_than_the_stored__leaves_it(protocol, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY, BTC=121_000)
    protocol.set_prices(after=2, BTC=119_000)
    protocol.wait(3)
    assert execute(protocol, [order], [update]) == [True]
    assert stored(protocol, BTC) == (price(119_000), protocol.now - 3)


@pytest.mark.parametrize(("own", "newer"), [(121_000, 119_000), (119_000, 121_000), (120_000, 120_000)])
@pytest.mark.parametrize("face", [1, -1])
def test_execute__pays_the_worse_of_its_own_and_the_latest_price(protocol, desk, trader, btc, own, newer, face):
    order = protocol.request(trader, (btc, face))
    update = protocol.publish(after=DELAY, BTC=own)
    with boa.env.anchor():
        protocol.store(update)
        at_own = protocol.trade(trader, (btc, face))
    protocol.set_prices(after=1, BTC=newer)
    with boa.env.anchor():
        at_newer = protocol.trade(trader, (btc, face))
    main = protocol.clearing_house.ledgers().main
    assert execute(protocol, [order], [update]) == [True]
    (executed,), (traded,) = events(desk, "Executed"), events(desk, "Traded")
    # A second of premium lies between the two samples: the impact of it on the total is nil, for nothing was held.
    assert executed.total == traded.total == max(at_own, at_newer)
    assert traded.difference == max(0, at_own - at_newer)
    assert executed.prices[BTC] == price(own)
    # Fee, impact and difference are main's, but for insurance's share, which stays in main's cash until a sweep.
    assert protocol.clearing_house.ledgers().main == main + traded.fee + traded.impact + traded.difference


def test_execute__difference_beyond_the_limit__cancels(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY, BTC=121_000)
    protocol.set_prices(after=1, BTC=119_000)
    with boa.env.anchor():
        protocol.execute(order)
        (traded,) = events(desk, "Traded")
    protocol.wait(EXEC_WINDOW)
    second = protocol.request(trader, (btc, 1), limit=traded.total - 1)
    assert traded.total - traded.difference < second.limit
    update = protocol.publish(after=DELAY, BTC=121_000)
    protocol.set_prices(after=1, BTC=119_000)
    assert execute(protocol, [second], [update]) == [False]
    assert events(desk, "Cancelled")[0].reason == "trade: over limit"


# Replays and changed terms


def test_execute__twice__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    protocol.execute(order)
    with reverts(desk, "order_desk: unknown order"):
        protocol.execute(order)
    assert protocol.units(trader) == {btc: protocol.unit}


def test_execute__once_cancelled_or_voided__reverts(protocol, desk, trader, keeper, btc):
    failing, voided = [protocol.request(trader, (btc, 1), limit=0) for _ in range(2)]
    cancelled = protocol.request_conditional(trader, (btc, 1), below=118_000)
    desk.cancel(cancelled, sender=trader)
    protocol.publish(after=DELAY)
    assert protocol.execute(failing) == [False]
    protocol.wait(EXEC_WINDOW - DELAY + 1)
    desk.void(voided, sender=keeper)
    protocol.wait(-1)
    for order in (cancelled, failing, voided):
        with reverts(desk, "order_desk: unknown order"):
            protocol.execute(order)


def test_execute__changed_terms__reverts(protocol, desk, trader, other, keeper, btc, eth):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY)
    changed = [
        order._replace(account=account_of(other)),
        order._replace(nonce=2),
        order._replace(legs=[(btc, -(10**18))]),
        order._replace(legs=[(eth, 10**18)]),
        order._replace(legs=[]),
        order._replace(limit=-1),
        order._replace(reduce_only=True),
        order._replace(deadline=0),
        order._replace(requested_at=order.requested_at - 1),
        order._replace(requested_at=2**256 - 1),
        order._replace(fee=order.fee * 2),
        order._replace(payer=keeper),
    ]
    for terms in changed:
        with reverts(desk, "order_desk: unknown order"):
            execute(protocol, [terms], [update], by=keeper)
    assert execute(protocol, [order], [update], by=keeper) == [True]


def test_execute__never_requested__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY)
    with reverts(desk, "order_desk: no orders"):
        execute(protocol, [], [update])
    with reverts(desk, "order_desk: unknown order"):
        execute(protocol, [order._replace(nonce=0)], [update])


# Guards: everything reverts, and the order lives on.


def test_execute__in_a_settle_window__reverts(protocol, desk, trader, keeper, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY, BTC=105_000)
    # The trade itself would open the window.
    with reverts(desk, "risk_book: settle window"):
        protocol.execute(order)
    protocol.store(*protocol.first_prices(order))
    protocol.clearing_house.checkpoint()
    with reverts(desk, "risk_book: settle window"):
        protocol.execute(order)
    assert is_waiting(protocol, order)
    protocol.wait(EXEC_WINDOW)
    desk.void(order, sender=keeper)


def test_execute__chainlink_disagrees__only_reduces_risk(protocol, desk, trader, btc):
    protocol.order(trader, (btc, 1))
    opening = protocol.request(trader, (btc, 1), subaccount=1)
    closing = protocol.request(trader, (btc, -1))
    protocol.publish(after=DELAY)
    for feed in protocol.chainlink.values():
        feed.publish(price(protocol.index["BTC"] * 0.985), protocol.now, protocol.now, sender=protocol.operator)
        break
    updates = protocol.first_prices(opening)
    with reverts(desk, "risk_book: far from chainlink"):
        execute(protocol, [opening], updates)
    assert is_waiting(protocol, opening)
    assert execute(protocol, [closing], updates) == [True]


def test_execute__sequencer_down__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)
    protocol.sequencer.publish(1, protocol.now, protocol.now, sender=protocol.operator)
    with reverts(desk, "price_oracle: sequencer down"):
        protocol.execute(order)
    protocol.wait(1)
    protocol.sequencer.publish(0, protocol.now, protocol.now, sender=protocol.operator)
    with reverts(desk, "price_oracle: sequencer grace period"):
        protocol.execute(order)
    assert is_waiting(protocol, order)


def test_execute__pyth_not_paid__reverts(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY)
    with reverts(desk, "price_oracle: fee not covered"):
        execute(protocol, [order], [update], value=1)
    assert execute(protocol, [order], [update], value=2) == [True]


def test_execute__after_a_guard_reverted__still_runs(protocol, desk, trader, btc):
    order = protocol.request(trader, (btc, 1))
    update = protocol.publish(after=DELAY)
    chainlink = protocol.chainlink["BTC"]
    chainlink.publish(price(100_000), protocol.now, protocol.now, sender=protocol.operator)
    with reverts(desk, "price_oracle: too far from chainlink"):
        execute(protocol, [order], [update])
    chainlink.publish(price(120_000), protocol.now, protocol.now, sender=protocol.operator)
    assert execute(protocol, [order], [update]) == [True]
    assert [units for _, units, _ in unpack_legs(protocol.account(trader).legs)] == [protocol.unit]
