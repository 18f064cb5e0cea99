"""Every packed word gives back what was put in, up to the ends of its fields, and nothing touches a neighbour."""

import boa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .extremes import signed, unsigned

SERIES = st.tuples(
    unsigned(56),  # strike
    st.booleans(),
    st.integers(0, 1),  # underlying
    unsigned(32),  # time
    unsigned(64),  # price
    signed(48),  # rates
    signed(48),
    signed(128),  # gains
    signed(128),
    unsigned(112),  # units
    unsigned(112),
    unsigned(32),  # notice
)
PRICE_WORD = (2**56 - 1, True, 1, 2**32 - 1, 2**64 - 1, 2**47 - 1, -(2**47))
LARGEST_SERIES = (*PRICE_WORD, -(2**127), 2**127 - 1, 2**112 - 1, 2**112 - 1, 2**32 - 1)
NO_SERIES = (0, False, *[0] * 10)


@given(series=unsigned(16), units=signed(113), gain=signed(127))
@example(series=2**16 - 1, units=-(2**112), gain=-(2**126))
@settings(max_examples=150, deadline=None)
def test_leg__round_trip(harness, series, units, gain):
    leg = harness.pack_leg(series, units, gain)
    assert tuple(harness.unpack_leg(leg)) == (series, units, gain)


@given(id_=unsigned(16), series=SERIES)
@example(id_=2**16 - 1, series=LARGEST_SERIES)
@settings(max_examples=150, deadline=None)
def test_series__round_trip(harness, id_, series):
    harness.store_series(id_, series)
    assert tuple(harness.series(id_)) == series
    assert tuple(harness.held_series(id_)) == (series if series[9] or series[10] else NO_SERIES)
    if id_:
        assert tuple(harness.series(id_ - 1)) == NO_SERIES


@pytest.mark.parametrize("side", [9, 10], ids=["long", "short"])
def test_series__a_side_of_more_than_112_bits__reverts(harness, side):
    series = list(LARGEST_SERIES)
    series[side] = 2**112
    with boa.reverts("trade: face too large"):
        harness.store_series(1, tuple(series))


@given(
    rates=st.lists(unsigned(16), min_size=16, max_size=16),
    carries=st.tuples(signed(16), signed(16)),
    min_margin=unsigned(96),
    min_face=unsigned(96),
    target=unsigned(16),
)
@settings(max_examples=100, deadline=None)
def test_parameters__out_of_their_words(harness, rates, carries, min_margin, min_face, target):
    word = sum(rate << 16 * key for key, rate in enumerate(rates))
    limits = min_margin | min_face << 96 | carries[0] % 2**16 << 192 | carries[1] % 2**16 << 208 | target << 224
    unpacked = harness.unpack_parameters(word, limits)
    assert list(unpacked[0]) == rates
    assert tuple(unpacked[1]) == carries
    assert tuple(unpacked[2:]) == (min_margin, min_face, target)


@given(
    losses=st.lists(signed(64).filter(lambda n: n > -(2**63)), min_size=6, max_size=6),
    delta=signed(64).filter(lambda n: n > -(2**63)),
    price=unsigned(64),
    underlying=st.integers(0, 1),
)
@settings(max_examples=100, deadline=None)
def test_exposure__round_trip(harness, losses, delta, price, underlying):
    worst = harness.affect(underlying, (losses, delta, price), ([0] * 6, 0))
    stored = harness.exposure(underlying)
    assert (list(stored.losses), stored.delta, stored.checkpoint_price) == (losses, delta, price)
    assert worst == max(0, *losses)
    assert harness.held(underlying) == delta * harness.granule() * 10**18
    assert tuple(map(tuple, harness.exposure(1 - underlying)[:1])) == ((0,) * 6,)


@given(totals=st.tuples(unsigned(64), unsigned(64), unsigned(96), unsigned(32)))
@settings(max_examples=100, deadline=None)
def test_totals__round_trip(harness, totals):
    harness.store_totals(totals)
    assert tuple(harness.totals()) == totals


@given(totals=st.tuples(unsigned(80), unsigned(80), unsigned(120), unsigned(32)))
@settings(max_examples=50, deadline=None)
def test_totals__too_large__saturate(harness, totals):
    harness.store_totals(totals)
    worst, written, accrued, open_legs = totals
    assert tuple(harness.totals()) == (
        min(worst, 2**64 - 1),
        min(written, 2**64 - 1),
        min(accrued, 2**96 - 1),
        open_legs,
    )


@given(
    state=st.tuples(
        st.integers(0, 10**18),
        unsigned(32),
        unsigned(32),
        unsigned(32),
        st.booleans(),
        st.integers(0, 10_000),
        unsigned(64),
    )
)
@settings(max_examples=100, deadline=None)
def test_state__round_trip(harness, state):
    harness.store_state(state)
    assert tuple(harness.state()) == state


@pytest.mark.parametrize("depth", [2**64, 2**200, 2**256 - 1])
def test_state__a_depth_too_large__saturates_and_nothing_else_changes(harness, depth):
    harness.store_state((10**18, 1, 2, 3, True, 4, depth))
    assert tuple(harness.state()) == (10**18, 1, 2, 3, True, 4, 2**64 - 1)


def test_state__of_a_new_market__has_a_book_scale_of_1(harness):
    assert tuple(harness.state()) == (10**18, 0, 0, 0, False, 0, 0)


@given(prices=st.tuples(unsigned(64), unsigned(64)), amount=unsigned(110))
@settings(max_examples=100, deadline=None)
def test_queued_redemptions__saturate_and_leave_the_anchors_alone(harness, prices, amount):
    harness.has_jumped(list(prices), 200)
    anchors = harness.anchors()
    assert anchors & (2**128 - 1) == prices[0] | prices[1] << 64
    harness.set_queued_redemptions(amount)
    assert harness.queued_redemptions() == min(amount, 2**96 - 1)
    assert harness.anchors() & (2**160 - 1) == anchors
    harness.has_jumped(list(prices), 200)
    assert harness.queued_redemptions() == min(amount, 2**96 - 1)
