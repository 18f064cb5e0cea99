"""When an index has moved far enough, and what it is compared with."""

from fractions import Fraction

import boa
from hypothesis import given, settings
from hypothesis import strategies as st

from .extremes import unsigned

WINDOW = 600
SHOCK = 200  # 1e-3
BTC, ETH = 120_000 * 10**8, 4_500 * 10**8


def anchors(harness) -> tuple[int, int, int]:
    """Both anchor prices and their time."""
    word = harness.anchors()
    return word & (2**64 - 1), word >> 64 & (2**64 - 1), word >> 128 & (2**32 - 1)


@given(price=unsigned(64), reference=unsigned(64), shock=st.integers(50, 330), part=st.sampled_from([2, 4]))
@settings(max_examples=100, deadline=None)
def test_moved__any_prices__is_the_larger_ratio_less_1_against_the_shock(harness, price, reference, shock, part):
    if reference == 0:
        wanted = False
    elif price == 0:
        wanted = True
    else:
        ratio = max(Fraction(price, reference), Fraction(reference, price))
        wanted = ratio - 1 > Fraction(shock, 1_000 * part)
    assert harness.moved(price, reference, shock, part) == wanted


@given(reference=st.integers(10**8, 10**15), shock=st.integers(50, 330), part=st.sampled_from([2, 4]))
@settings(max_examples=100, deadline=None)
def test_moved__exactly_the_shock__is_not_beyond_it(harness, reference, shock, part):
    """Both ways: up by the shock, and down so that it would be up by the shock to come back."""
    limit = 1 + Fraction(shock, 1_000 * part)
    highest = int(reference * limit)
    assert not harness.moved(highest, reference, shock, part)
    assert harness.moved(highest + 1, reference, shock, part)
    lowest = -int(-reference / limit)
    while lowest * limit < reference:
        lowest += 1
    assert not harness.moved(lowest, reference, shock, part)
    assert harness.moved(lowest - 1, reference, shock, part)


def test_has_jumped__first_prices__never_and_they_become_the_anchors(harness):
    now = boa.env.evm.patch.timestamp
    assert not harness.has_jumped([BTC, ETH], SHOCK)
    assert anchors(harness) == (BTC, ETH, now)


def test_has_jumped__more_than_half_the_shock_from_the_anchor__either_underlying_either_way(harness):
    harness.has_jumped([BTC, ETH], SHOCK)
    for btc, eth, jumped in (
        (BTC * 110 // 100, ETH, False),
        (BTC * 110 // 100 + 1, ETH, True),
        (BTC, ETH * 110 // 100 + 1, True),
        (BTC * 100 // 111, ETH, True),
        (BTC, ETH * 100 // 111, True),
        (BTC * 91 // 100, ETH * 109 // 100, False),
    ):
        assert harness.has_jumped([btc, eth], SHOCK) == jumped


def test_has_jumped__within_a_window_of_the_anchor__keeps_it_however_often_it_is_asked(harness):
    """A slow slide in small steps adds up against one anchor."""
    start = boa.env.evm.patch.timestamp
    harness.has_jumped([BTC, ETH], SHOCK)
    for step in range(1, 10):
        boa.env.evm.patch.timestamp = start + 60 * step
        assert not harness.has_jumped([BTC * (100 - step) // 100, ETH], SHOCK)
    boa.env.evm.patch.timestamp = start + WINDOW - 1
    assert harness.has_jumped([BTC * 90 // 100, ETH], SHOCK)
    assert anchors(harness) == (BTC, ETH, start)


def test_has_jumped__anchor_a_window_old__is_compared_with_first_and_replaced_then(harness):
    start = boa.env.evm.patch.timestamp
    harness.has_jumped([BTC, ETH], SHOCK)
    boa.env.evm.patch.timestamp = start + WINDOW
    assert harness.has_jumped([BTC // 2, ETH], SHOCK)
    assert anchors(harness) == (BTC // 2, ETH, start + WINDOW)
    assert not harness.has_jumped([BTC // 2, ETH], SHOCK)
