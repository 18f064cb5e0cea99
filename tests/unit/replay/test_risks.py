"""One jump against the contracts, and the tables of docs/RISKS.md."""

import pytest

from everstock.replay.books import Book
from everstock.replay.risks import BEGIN, END, PAGE, put, strikes, table


@pytest.fixture(scope="module")
def found():
    return list(strikes(Book.LONG, fund=0.1, jumps=(0.95, 3.0)))


def test_a_small_jump_is_absorbed_and_a_huge_one_settles(found):
    small, huge = found
    assert small.said == "absorbed"
    assert "settled, h 0." in huge.said
    assert 0 < huge.outcome.h < 1


def test_every_jump_strikes_the_same_market_and_adds_up(found):
    assert len({strike.outcome.main.start for strike in found}) == 1
    assert all(strike.outcome.problems == [] for strike in found)
    assert all(strike.outcome.overlooked == 0 for strike in found)


def test_the_table_has_a_row_for_each_jump(found):
    text = table(found)
    assert text.startswith("**Long book**")
    assert [line.split("|")[1].strip() for line in text.splitlines()[4:]] == ["x0.95", "x3"]
    assert "| absorbed |" in text


def test_put__replaces_what_is_between_the_marks_and_nothing_else():
    assert put(f"a\n{BEGIN}\nold\n{END}\nb\n", "new") == f"a\n{BEGIN}\n\nnew\n\n{END}\nb\n"
    with pytest.raises(ValueError, match="once each"):
        put("no marks", "new")


def test_the_page_has_its_marks():
    assert put(PAGE.read_text(), "table").count("table")
