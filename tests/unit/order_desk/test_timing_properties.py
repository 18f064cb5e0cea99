"""Whoever brings whichever update whenever: an order runs at its first price inside its window, or not at all."""

import boa
from boa import BoaError
from hypothesis import given, note, settings
from hypothesis import strategies as st

from everstock.chain import addresses
from everstock.chain.in_process import DELAY, EXEC_WINDOW, events, price
from everstock.chain.transactions import reason_of


NOT_FIRST = "PriceFeedNotFoundWithinRange"

# Seconds between prices, after each request, and from then to the execution: mostly such that something can run.
gaps = st.lists(st.sampled_from([0, 1, 2, 3, 5, 7, 8, 9, 12, 20, 60]), min_size=2, max_size=6)
requests = st.lists(st.sampled_from([0, 0, 0, 1, 1, 2, 3, 50]), min_size=1, max_size=3)
waits = st.sampled_from([*range(3, 13), 30, 40, 50, 55, 56, 57, 58, 59, 60, 61])


def verdict(requested, published, previous, now):
    """How an execution of orders requested at these times must end, in the order of the checks; None if well."""
    for time in requested:
        if now < time + DELAY:
            return "order_desk: too early"
        if now > time + EXEC_WINDOW:
            return "order_desk: window missed"
    earliest = min(requested)
    if not previous < earliest + DELAY <= published <= earliest + EXEC_WINDOW:
        return NOT_FIRST
    if published > now:
        return "price_oracle: price from the future"
    if any(published < time + DELAY for time in requested):
        return "order_desk: not the first price"
    return None


@given(between=requests, gaps=gaps, wait=waits)
@settings(max_examples=25, deadline=None)
def test_execute__ends_as_the_times_say(listed, between, gaps, wait):
    protocol, series = listed[0].fork(), listed[1]
    protocol.set_prices()
    protocol.set_prices(after=1)
    start = protocol.now

    orders = []
    for i, gap in enumerate(between):
        orders.append(protocol.request(protocol.trader(f"trader {i}"), (series, 1)))
        protocol.wait(gap)
    requested = [order.requested_at for order in orders]
    protocol.wait(wait)
    now = protocol.now

    times, blobs, time = [start], [], start
    for i, gap in enumerate(gaps):
        time += gap
        usd = {addresses.PYTH_IDS["BTC"]: price(120_000 + i), addresses.PYTH_IDS["ETH"]: price(4_500 + i)}
        blobs.append(protocol.publisher.publish(usd, time))
        times.append(time)
    note(f"requested {requested}, published {times[1:]}, executed at {now}")

    # Each order alone, and all of them together.
    for batch in [[order] for order in orders] + [orders]:
        ran = []
        for i, blob in enumerate(blobs):
            expected = verdict([order.requested_at for order in batch], times[i + 1], times[i], now)
            with boa.env.anchor():
                try:
                    done = protocol.order_desk.execute(batch, [blob], value=2, sender=protocol.operator)
                    ended = None
                except BoaError:
                    ended = reason_of(protocol.order_desk._computation.output)
                assert ended == expected
                if ended is None:
                    assert done == [True] * len(batch)
                    executed = events(protocol.order_desk, "Executed")
                    assert {event.prices[0] for event in executed} == {price(120_000 + i)}
                    ran.append(i)
        # There is one price for an order, and it is the first of all that were published in time.
        assert len(ran) <= 1
        if ran:
            for order in batch:
                in_time = [i for i, time in enumerate(times[1:]) if time >= order.requested_at + DELAY]
                assert ran == in_time[:1]
