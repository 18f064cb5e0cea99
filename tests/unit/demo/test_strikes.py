"""Which series to list as an index moves."""

import pytest

from everstock.demo.strikes import MAX_SERIES, Listed, ladder, two_digits, unused, wanted

HOUR = 3_600


def listed(strike, is_put=False, held=False, last_use=0, series=1):
    return Listed(series, strike, is_put, held, last_use)


@pytest.mark.parametrize(("price", "strike"), [(7_821.68, 7_800), (121_662.4, 120_000), (195.3, 200), (18.7, 19)])
def test_two_digits__is_the_nearest_strike(price, strike):
    assert two_digits(price) == strike


@pytest.mark.parametrize("index", [18.6, 86.0, 195.0, 968.0, 4_410.0, 99_999.0, 121_000.0])
def test_ladder__strikes_may_be_listed_and_fit_the_list(index):
    strikes = ladder(index)
    assert len(strikes) == len(set(strikes)) <= MAX_SERIES // 2
    assert all(3 / 4 <= index / strike <= 4 / 3 for strike in strikes)


def test_wanted__a_strike_is_near__nothing():
    assert wanted(7_800, [listed(7_500)]) == []


def test_wanted__the_index_went_away__a_call_and_a_put_at_the_money():
    assert wanted(6_000, [listed(7_800), listed(7_100)]) == [(6_000, False), (6_000, True)]


def test_wanted__no_room__nothing_more():
    full = [listed(7_800 + i) for i in range(MAX_SERIES - 1)]
    assert wanted(6_000, full) == [(6_000, False)]
    assert wanted(6_000, [*full, listed(9_000)]) == []


def test_unused__far_and_idle_and_not_held__while_the_list_is_long():
    long_list = [listed(6_000 + i) for i in range(MAX_SERIES // 2)]
    far = listed(9_000, series=99)
    assert unused(6_000, [*long_list, far], HOUR, HOUR) == [99]
    assert unused(6_000, [far], HOUR, HOUR) == []
    assert unused(6_000, [*long_list, far], HOUR - 1, HOUR) == []
    assert unused(6_000, [*long_list, listed(9_000, held=True)], HOUR, HOUR) == []
