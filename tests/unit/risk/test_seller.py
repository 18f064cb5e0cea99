"""A pool that sells a book, on an index whose sigma is known: what it earns is what it charges beyond fair."""

import numpy as np
import pytest

from everstock.risk import seller
from everstock.risk.hourly import Oracle
from everstock.risk.seller import Book

from .test_hourly import closes, walk

SIGMA = 0.6


@pytest.fixture(scope="module")
def index():
    return walk(SIGMA, 60_000)


@pytest.fixture(scope="module")
def oracle(index):
    return Oracle.steady(index, SIGMA)


@pytest.fixture(scope="module", params=["straddles", "mix"])
def book(request, index):
    return getattr(Book, request.param)(index)


def within(profit, wanted):
    """Whether a sum is what is wanted, within 2.5 standard errors: hours are independent once hedged."""
    error = profit.std() * len(profit) ** 0.5
    return abs(profit.sum() - wanted) <= 2.5 * error


@pytest.mark.parametrize("carry", [0.0, 0.1, -0.1])
@pytest.mark.parametrize("deal", [seller.sold, seller.bought])
def test_hedged__at_the_true_sigma_without_load__earns_nothing(index, book, oracle, deal, carry):
    hours = deal(index, book, oracle, carry=carry, load=0)
    assert within(hours.hedged, 0)
    assert abs(hours.markup) < 0.03


@pytest.mark.parametrize("deal", [seller.sold, seller.bought])
def test_hedged__with_a_load__earns_the_load(index, book, oracle, deal):
    hours = deal(index, book, oracle, load=0.1)
    assert hours.load.sum() > 0
    assert within(hours.hedged, hours.load.sum())


def test_hedged__at_too_low_a_sigma__loses_the_difference(index, oracle):
    book = Book.straddles(index)
    fair, cheap = (seller.sold(index, book, one, carry=0, load=0) for one in (oracle, Oracle.steady(index, 0.9 * SIGMA)))
    assert cheap.premium.sum() == pytest.approx(0.81 * fair.premium.sum())
    assert not within(cheap.hedged, 0)
    assert within(cheap.hedged, -0.19 * fair.premium.sum())


def test_loaded__so_many_times__is_that_load(index, oracle):
    book = Book.straddles(index)
    doubled, wanted = seller.sold(index, book, oracle, load=0.1).loaded(2), seller.sold(index, book, oracle, load=0.2)
    assert doubled.hedged == pytest.approx(wanted.hedged)


def test_sold_and_bought__of_the_same_book__are_opposite_but_for_the_loads(index, book, oracle):
    sold, bought = seller.sold(index, book, oracle), seller.bought(index, book, oracle)
    assert sold.hedged + bought.hedged == pytest.approx(sold.load + bought.load)


def test_straddles__are_struck_anew_once_the_index_is_away():
    book = Book.straddles(closes([100, 105, 111, 112, 99, 99]))
    assert book.strike.tolist() == [[100, 100, 111, 111, 99]] * 2


def test_mix__strikes__are_listed_near_the_money_and_dropped_far_from_it(index):
    book = Book.mix(index)
    m = index.price[:-1] / book.strike
    struck = np.diff(book.strike, axis=1) != 0
    assert 0.5 <= m.min() and m.max() <= 2
    assert 0.75 <= m[:, 1:][struck].min() and m[:, 1:][struck].max() <= 4 / 3
    assert (book.strike == Book.mix(index).strike).all()
    assert (book.strike != Book.mix(index, seed=2).strike).any()


def test_rolling__years__are_sums_over_a_year(index, oracle):
    hours = seller.sold(index, Book.straddles(index), oracle)
    found = seller.rolling(hours, np.ones(len(hours.years)))
    assert found == pytest.approx(np.full(len(found), 8_760), rel=1e-3)
    assert len(found) == pytest.approx((60_000 - 8_760) / 24, abs=1)


def test_falls__are_the_worst_day_and_the_deepest_fall():
    hours = np.concatenate([np.full(24, 1.0), np.full(24, -0.5), [5.0], np.full(100, -0.25), [9.0]])
    assert seller.falls(hours) == pytest.approx((-12.0, -32.0))


def test_by_year__is_per_year_of_the_time_there_is(index, oracle):
    hours = seller.sold(index, Book.straddles(index), oracle)
    found = seller.by_year(index, (hours.years,))
    assert list(found) == list(range(2017, 2025))
    assert [figure for (figure,) in found.values()] == pytest.approx([1] * len(found))
