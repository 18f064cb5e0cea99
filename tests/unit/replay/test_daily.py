"""The bridge between published daily figures: it invents a day's path, and none of its figures."""

from datetime import UTC, datetime

import numpy as np
import pytest

from everstock.replay import daily
from everstock.replay.bars import PriceError

START = int(datetime(2020, 3, 10, tzinfo=UTC).timestamp())
DAYS = 5


@pytest.fixture(scope="module")
def bars():
    return daily.bridged(START, START + DAYS * daily.DAY, seed=3)


@pytest.mark.parametrize("name", ["BTC", "ETH"])
@pytest.mark.parametrize("seed", [0, 1, 99])
def test_bridged__each_day_has_its_open_high_low_and_close_exactly(name, seed):
    series = daily.bridged(START, START + DAYS * daily.DAY, seed)[name]
    days = list(daily.FIGURES[name].items())[:DAYS]
    for i, (day, figures) in enumerate(days):
        begin = START + i * daily.DAY
        inside = (series.start >= begin) & (series.start < begin + daily.DAY)
        found = (series.open[inside][0], series.high[inside].max(), series.low[inside].min(), series.close[inside][-1])
        assert found == figures, day


def test_bridged__same_seed_same_path_and_another_another(bars):
    again = daily.bridged(START, START + DAYS * daily.DAY, seed=3)
    other = daily.bridged(START, START + DAYS * daily.DAY, seed=4)
    assert np.array_equal(bars["BTC"].close, again["BTC"].close)
    assert not np.array_equal(bars["BTC"].close, other["BTC"].close)


def test_bridged__a_day_does_not_depend_on_the_others(bars):
    alone = daily.bridged(START + 2 * daily.DAY, START + 3 * daily.DAY, seed=3)
    inside = (bars["BTC"].start >= alone["BTC"].first) & (bars["BTC"].start < alone["BTC"].last)
    assert np.array_equal(alone["BTC"].close, bars["BTC"].close[inside])


def test_bridged__both_indexes_move_together(bars):
    moves = [np.diff(np.log(series.close)) for series in bars.values()]
    assert np.corrcoef(moves)[0, 1] > 0.5


def test_bridged__the_second_leg_is_before_six_in_the_morning(bars):
    series = bars["BTC"]
    assert series.start[series.low.argmin()] < START + 3 * daily.DAY + 6 * 3_600


def test_bridged__a_day_without_figures__is_said():
    with pytest.raises(PriceError, match="no published daily figures for all of 2020-03-09, 2020-03-10"):
        daily.bridged(START - 1, START + 1, seed=1)
    assert not daily.covers(START - 1, START + 1)
    assert daily.covers(START, START + DAYS * daily.DAY)
