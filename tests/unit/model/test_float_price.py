"""The float twin of the price against the exact integers: how far it may be off is said in its docstring."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from everstock.model import everlasting, float_price, portfolio_margin
from everstock.model.constants import MAX_MONEYNESS, MIN_MONEYNESS, WAD
from everstock.model.parameters import Parameters
from everstock.model.series_book import Quote
from everstock.parameters import MarketParameters

ULPS = 3e-16
WEI = 4 / WAD
# Wads: log-uniform over all there is, and near the money, where the two branches meet.
moneyness = st.one_of(
    st.floats(-4, 4).map(lambda exponent: int(10**exponent * WAD)),
    st.integers(WAD // 2, 2 * WAD),
    st.integers(WAD - 1_000, WAD + 1_000),
).map(lambda m: min(max(m, MIN_MONEYNESS), MAX_MONEYNESS))
sharpness = st.sampled_from([5, 17, 100])
variances = st.integers(10**6, 10**12)
multiples = st.integers(0, 3 * 10**7)


@given(m=moneyness, n=sharpness, is_put=st.booleans())
@example(m=WAD, n=17, is_put=True)
@example(m=MIN_MONEYNESS, n=100, is_put=False)
@example(m=MAX_MONEYNESS, n=100, is_put=False)
@settings(max_examples=300, deadline=None)
def test_mark__any_moneyness__is_the_integers(m, n, is_put):
    exact, near = everlasting.value(m, n, is_put), m / WAD
    scale = n * ULPS * max(1, near)
    time_value = float_price.time_value(near, n)
    assert abs(time_value - exact.time_value / WAD) <= n * ULPS * time_value + WEI
    assert abs(float_price.mark(near, n, is_put) - exact.mark / WAD) <= scale + WEI
    assert abs(float_price.slope(near, n, is_put) - exact.slope / WAD) <= scale + n * WEI


@given(
    m=moneyness,
    n=sharpness,
    is_put=st.booleans(),
    long=variances,
    short=variances,
    carry=st.integers(-30_000, 30_000),
    loads=st.tuples(multiples, multiples),
)
@settings(max_examples=300, deadline=None)
def test_rates__any_market__are_the_integers(m, n, is_put, long, short, carry, loads):
    exact = everlasting.value(m, n, is_put)
    ours = everlasting.rates(exact.time_value, exact.slope, n, long, short, carry, *loads)
    near = float_price.rates(
        m / WAD, n, is_put, long / 10**10, short / 10**10, carry / 10**5, loads[0] / 10**7, loads[1] / 10**7
    )
    # Terms may cancel: what counts is how large they are. Gamma carries the wei that the integers round off.
    gamma = n * (n - 1) / 2
    for side, variance, load in ((0, long, loads[0]), (1, short, loads[1])):
        terms = gamma * exact.time_value / WAD * variance / 10**10 + abs(carry) / 10**5 * abs(exact.slope) / WAD
        wei = WEI * (gamma * variance / 10**10 + n * abs(carry) / 10**5)
        off = abs(near[side] - (ours.long, ours.short)[side] / 10**10)
        assert off <= (1 + load / 10**7) * (1e-12 * terms + wei) + 1e-10


@given(price=st.integers(1, 10**14), strike=st.integers(1, 10**14))
@settings(max_examples=100, deadline=None)
def test_moneyness__any_prices__is_the_integers(price, strike):
    exact = everlasting.moneyness(price, strike) / WAD
    assert float_price.moneyness(price, strike) == pytest.approx(exact, rel=1e-14, abs=1 / WAD)


legs = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 1),
        st.integers(WAD // 3, 3 * WAD),
        st.booleans(),
        st.integers(-(10**24), 10**24).filter(bool),
    ),
    min_size=1,
    max_size=24,
)


@given(legs=legs, shock=st.sampled_from([25, 125, 330]), gross=st.sampled_from([0, 250]))
@settings(max_examples=200, deadline=None)
def test_sums__many_accounts_at_once__are_the_integers(legs, shock, gross):
    parameters = Parameters.of(MarketParameters.preset(300.0, 18), ("BTC", "ETH"))
    parameters.account_shock, parameters.gross_rate = shock, gross
    parameters.sharpness = (17, 9)
    columns = float_price.Legs(*(np.array(column) for column in zip(*legs, strict=True)))
    columns = columns._replace(moneyness=columns.moneyness / WAD, face=columns.face.astype(float))
    worth = float_price.values(columns, parameters, 4)
    sums = float_price.scenario_sums(columns, parameters, 4)
    margins = float_price.maintenance(columns, parameters, 4, 1e20)
    for account in range(4):
        expected = exactly([leg for leg in legs if leg[0] == account], parameters)
        slack = 1e-14 * expected.gross + 10
        assert abs(worth[account] - expected.worth) <= slack
        assert abs(sums[account] - expected.scenario_sum) <= slack
        assert abs(margins[account] - portfolio_margin.maintenance(expected.scenario_sum, 10**20)) <= slack


def exactly(legs: list[tuple[int, int, int, bool, int]], parameters: Parameters) -> SimpleNamespace:
    """What one account's legs are worth and need, in raw units, by the integers."""
    stress, worth = portfolio_margin.Stress(), 0
    for _, underlying, m, is_put, face in legs:
        n = parameters.sharpness[underlying]
        v = everlasting.value(m, n, is_put)
        q = Quote(m, v.mark, v.time_value, v.slope)
        worth += face * v.mark
        stress.change(underlying, q, portfolio_margin.moves(q, n, is_put, parameters.account_shock), 0, face)
    return SimpleNamespace(
        worth=worth / WAD,
        scenario_sum=portfolio_margin.scenario_sum(stress, parameters.gross_rate, WAD),
        gross=stress.gross / WAD,
    )


def test_arrays__broadcast():
    m = np.linspace(0.5, 2, 7)
    marks = float_price.mark(m[:, None], 17, np.array([False, True]))
    assert marks.shape == (7, 2)
    assert marks[:, 0] - marks[:, 1] == pytest.approx(m - 1)
    assert float_price.mark(1.0, 17, False) == pytest.approx(1 / 33)


def test_scenario_sums__an_account_without_legs__needs_nothing():
    parameters = Parameters.of(MarketParameters.preset(300.0, 18), ("BTC", "ETH"))
    one = float_price.Legs(np.array([1]), np.array([0]), np.array([1.0]), np.array([False]), np.array([1.0]))
    assert float_price.maintenance(one, parameters, 3, 5.0).tolist() == [0, 5, 0]
