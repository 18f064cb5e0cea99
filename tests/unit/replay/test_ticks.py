"""From bars to ticks: every corner is on the path, and what moves is published."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everstock.replay.bars import Bars, PriceError
from everstock.replay.ticks import STEP, Pace, path, ticks

START = 1_600_000_200
EVERYTHING = Pace(heartbeat=STEP, deviation=0.0, ticks=10**6)


def bar(open_, high, low, close, start=START, seconds=300):
    return Bars.of([(start, open_, high, low, close)], seconds)


def wavy(count=60, start=START, seconds=300, scale=1.0):
    table = []
    for i in range(count):
        open_, close = 100 + 8 * np.sin(i / 3), 100 + 8 * np.sin((i + 1) / 3)
        row = (open_, max(open_, close) + 1, min(open_, close) - 1, close)
        table.append((start + i * seconds, *(scale * price for price in row)))
    return Bars.of(table, seconds)


@pytest.mark.parametrize(
    ("prices", "way"),
    [
        ((100, 110, 90, 95), [100, 110, 90, 95]),  # falls: the high first is shorter
        ((100, 110, 90, 105), [100, 90, 110, 105]),
        ((100, 110, 90, 100), [100, 90, 110, 100]),  # a tie: low first
        ((100, 100, 100, 100), [100] * 4),
    ],
)
def test_path__takes_the_shorter_way_and_the_low_first_in_a_tie(prices, way):
    times, corners = path(bar(*prices))
    assert corners.tolist() == way
    assert (times - START).tolist() == [0, 75, 150, 225]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.floats(1, 1_000)] * 4), min_size=2, max_size=20))
def test_path__holds_every_open_high_low_and_close(figures):
    table = [
        (START + i * 300, min(max(a, min(c, d)), max(c, d)), max(c, d), min(c, d), min(max(b, min(c, d)), max(c, d)))
        for i, (a, b, c, d) in enumerate(figures)
    ]
    bars = Bars.of(table, 300)
    _, corners = path(bars)
    for row, four in zip(table, corners.reshape(-1, 4).tolist(), strict=True):
        assert four[0] == row[1] and four[3] == row[4]
        assert set(four[1:3]) == {row[2], row[3]}


def test_ticks__with_no_thinning__every_corner_is_published():
    bars = wavy()
    published = {(tick.time, tick.prices["BTC"]) for tick in ticks({"BTC": bars}, EVERYTHING)}
    times, corners = path(bars)
    for time, price in zip(times.tolist(), corners.tolist(), strict=True):
        assert (time, round(price * 10**8)) in published


def test_ticks__deviation_and_heartbeat__hold_between_any_two():
    pace = Pace(heartbeat=600, deviation=0.02, ticks=10_000)
    series = {"BTC": wavy(), "ETH": wavy(scale=0.03)}
    everything = ticks(series, EVERYTHING)
    published = ticks(series, pace)
    assert published[0] == everything[0] and published[-1] == everything[-1]
    by_time = {tick.time: tick for tick in published}
    last = published[0]
    for tick in everything[1:]:
        if tick.time in by_time:
            last = tick
            continue
        assert tick.time - last.time < pace.heartbeat
        assert all(abs(price / last.prices[name] - 1) < 0.0201 for name, price in tick.prices.items())


def test_ticks__few_wanted__the_deviation_rises_and_extremes_stay():
    bars = wavy(600)
    published = ticks({"BTC": bars}, Pace(heartbeat=3_600, deviation=0.001, ticks=200))
    assert 150 < len(published) <= 200
    prices = [tick.prices["BTC"] for tick in published]
    assert max(prices) == round(bars.high.max() * 10**8)
    assert min(prices) == round(bars.low.min() * 10**8)


def test_ticks__only_the_time_that_all_share():
    published = ticks({"BTC": wavy(60), "ETH": wavy(60, START + 3_000)}, EVERYTHING)
    assert published[0].time == START + 3_000
    assert published[-1].time <= START + 60 * 300


def test_ticks__no_overlap__is_said():
    with pytest.raises(PriceError, match="do not overlap: BTC 2020-09-13 12:30 UTC to .* ETH"):
        ticks({"BTC": wavy(10), "ETH": wavy(10, START + 86_400)}, EVERYTHING)


def test_ticks__too_long_for_a_replay__is_said():
    with pytest.raises(PriceError, match="days are too long"):
        ticks({"BTC": wavy(1_000, seconds=3_600)}, Pace(heartbeat=900, deviation=0.005, ticks=400))


def test_ticks__bars_of_odd_length__are_refused():
    with pytest.raises(PriceError, match="BTC: bars must begin and end"):
        ticks({"BTC": wavy(10, seconds=420)}, EVERYTHING)


def test_ticks__minute_bars__are_put_together():
    published = ticks({"BTC": wavy(60, seconds=60)}, EVERYTHING)
    assert all((tick.time - START) % STEP == 0 for tick in published)
