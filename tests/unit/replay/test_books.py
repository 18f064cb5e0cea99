"""Who holds what when a replay begins."""

from collections import Counter

import pytest

from everstock.demo.options import Leg, initial
from everstock.parameters import MarketParameters
from everstock.replay.books import HOLDERS, WRITING, Book, Series, book_of, pool_requirement

INDEX = (50_000.0, 2_000.0)
SERIES = [
    Series(underlying, index * part, is_put)
    for underlying, index in enumerate(INDEX)
    for part in (0.9, 1.0, 1.1)
    for is_put in (False, True)
]
PARAMETERS = MarketParameters.preset(300, 18)


def holders(book, seed=1, requirement=4_000.0):
    return book_of(book, seed, SERIES, INDEX, requirement, PARAMETERS)


def legs_of(holder):
    return [Leg(one.underlying, INDEX[one.underlying] / one.strike, one.is_put, face) for one, face in holder.legs]


@pytest.mark.parametrize("book", Book)
def test_a_seed_makes_the_same_book_and_another_does_not(book):
    assert holders(book, seed=5) == holders(book, seed=5)
    assert holders(book, seed=5) != holders(book, seed=6)


@pytest.mark.parametrize("book", Book)
@pytest.mark.parametrize("seed", range(5))
def test_a_book_takes_the_requirement_that_was_asked_for(book, seed):
    found = holders(book, seed, requirement=4_000.0)
    assert len(found) == HOLDERS
    assert len({holder.name for holder in found}) == HOLDERS
    legs = [leg for holder in found for leg in legs_of(holder)]
    assert pool_requirement(legs, PARAMETERS) == pytest.approx(4_000)


@pytest.mark.parametrize("book", Book)
def test_everybody_can_open_what_it_holds(book):
    for holder in holders(book):
        assert initial(legs_of(holder), PARAMETERS) < 0.96 * holder.cash
        assert 0 < len(holder.legs) <= 2


def test_the_long_book_has_bought_on_both_underlyings():
    faces = [(one.underlying, face) for holder in holders(Book.LONG) for one, face in holder.legs]
    assert all(face > 0 for _, face in faces)
    assert {underlying for underlying, _ in faces} == {0, 1}


def test_the_balanced_book_is_level_in_every_series():
    net = Counter()
    for holder in holders(Book.BALANCED):
        for one, face in holder.legs:
            net[one] += face
    assert max(map(abs, net.values())) < 1e-9
    assert sum(holder.legs[0][1] < 0 for holder in holders(Book.BALANCED)) == HOLDERS / 2


def test_the_written_book_is_mostly_written():
    found = holders(Book.WRITTEN)
    assert sum(all(face < 0 for _, face in holder.legs) for holder in found) == WRITING
    assert sum(face for holder in found for _, face in holder.legs) < 0


def test_what_is_written_is_charged_although_the_pool_is_level():
    leg = Leg(0, 1.0, False, 100.0)
    mirrored = Leg(0, 1.0, False, -100.0)
    assert pool_requirement([leg, mirrored], PARAMETERS) == pytest.approx(5)  # default_charge, 5%
    assert pool_requirement([leg], PARAMETERS) > 15  # a fifth up, less a little time value
