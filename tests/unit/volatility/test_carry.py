"""rho, sigmas and carry out of closes that are known to have them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from everstock.model.constants import YEAR
from everstock.replay.bars import PriceError
from everstock.volatility import carry, history
from everstock.volatility.history import first_prices

RHO, SIGMA_STOCK, SIGMA_INDEX = 0.4, 0.6, 0.8


def made(days: int = 1_500, seed: int = 3):
    """Closes on weekdays, and an index every hour, that move together by so much."""
    rng = np.random.default_rng(seed)
    start = datetime(2019, 1, 2, tzinfo=UTC)
    hours = days * 24
    scale = np.sqrt(3_600 / YEAR)
    common, own = rng.normal(size=(2, hours))
    index = 20_000 * np.exp(np.cumsum(common) * SIGMA_INDEX * scale)
    stock = 200 * np.exp(np.cumsum(RHO * common + np.sqrt(1 - RHO**2) * own) * SIGMA_STOCK * scale)
    times = int(start.timestamp()) + 3_600 * np.arange(hours)
    samples = first_prices("BTC", times.tolist(), index.tolist())
    weekdays = [start + timedelta(days=n) for n in range(days - 1) if (start + timedelta(days=n)).weekday() < 5]
    closes = np.array([carry._close_of(int(day.timestamp())) for day in weekdays])
    return (closes, stock[(closes - times[0]) // 3_600]), samples


def test_estimate__finds_what_was_put_in():
    closes, index = made()
    found = carry.estimate("TSLA", closes, index, hedge_rate=0.05)
    for estimate, true in (
        (found.rho, RHO),
        (found.sigma_stock, SIGMA_STOCK),
        (found.sigma_index, SIGMA_INDEX),
        (found.covariance, RHO * SIGMA_STOCK * SIGMA_INDEX),
        (found.carry, 0.05 + RHO * SIGMA_STOCK * SIGMA_INDEX),
    ):
        assert estimate.low < true < estimate.high
        assert estimate.low < estimate.value < estimate.high
        assert estimate.high - estimate.low < 0.5 * true
    assert found.parameter == round(found.carry.value * 100_000)
    assert found.days == len(closes[0]) - 1


def test_estimate__intervals__hold_as_often_as_they_say(monkeypatch):
    """95 of a hundred; of 40 at least 34, else chance is one in a thousand."""
    monkeypatch.setattr(carry, "DRAWS", 400)
    inside = 0
    for seed in range(40):
        closes, index = made(500, seed)
        found = carry.estimate("TSLA", closes, index)
        inside += found.covariance.low < RHO * SIGMA_STOCK * SIGMA_INDEX < found.covariance.high
    assert inside >= 34


def test_estimate__the_same_seed__says_the_same():
    closes, index = made(400)
    assert carry.estimate("TSLA", closes, index) == carry.estimate("TSLA", closes, index)


def test_estimate__no_more_than_the_bound():
    closes, index = made(400)
    assert carry.estimate("TSLA", closes, index, hedge_rate=3.0).parameter == 30_000
    assert carry.estimate("TSLA", closes, index, hedge_rate=-3.0).parameter == -30_000


def test_estimate__since__fewer_than_a_year__is_refused():
    closes, index = made(500)
    found = carry.estimate("TSLA", closes, index, since=int(closes[0][60]))
    assert found.first == closes[0][60]
    with pytest.raises(PriceError, match="too few"):
        carry.estimate("TSLA", closes, index, since=int(closes[0][-200]))


def test_close__is_four_in_the_afternoon_of_new_york():
    """An hour earlier by the world's clock in summer."""
    winter, summer = (int(datetime(2025, month, 6, tzinfo=UTC).timestamp()) for month in (1, 8))
    assert carry._close_of(winter) - winter == 21 * 3_600
    assert carry._close_of(summer) - summer == 20 * 3_600


def test_estimate__where_the_index_has_a_hole__leaves_the_day_out():
    closes, index = made(500)
    gap = (index.times < closes[0][100]) | (index.times > closes[0][100] + 2 * 3_600)
    holed = history.Samples("BTC", index.times[gap], index.prices[gap])
    assert carry.estimate("TSLA", closes, holed).days == len(closes[0]) - 2


def test_read_closes__no_such_columns__is_said(tmp_path):
    path = tmp_path / "TSLA.csv"
    path.write_text("timestamp,open\n1,2\n")
    with pytest.raises(PriceError, match=r"TSLA\.csv"):
        carry.read_closes(path)
