"""What a trader reckons: near enough to the contracts to size an order by."""

import pytest

from everstock.demo.options import Leg, initial, mark, scenario_sum
from everstock.parameters import MarketParameters

PARAMETERS = MarketParameters.preset(400.0, 18)


@pytest.mark.parametrize("moneyness", [0.5, 0.9, 1.0, 1.1, 2.0])
def test_mark__call_less_put_is_the_forward(moneyness):
    assert mark(moneyness, False) - mark(moneyness, True) == pytest.approx(moneyness - 1)


def test_mark__at_the_money_is_one_in_2n_less_1():
    assert mark(1.0, False, 17) == pytest.approx(1 / 33)


def test_scenario_sum__bought__is_what_is_left_to_lose():
    moved = mark(1.0, False) - mark(1 - 3 * 0.125, False)
    near = mark(1.0, False) - mark(1 - 0.125, False)
    expected = 10 * (max(near, moved / 3) + 0.0025)
    assert scenario_sum([Leg(0, 1.0, False, 10.0)], PARAMETERS) == pytest.approx(expected)


def test_scenario_sum__a_hedged_book_needs_less_than_its_parts():
    call, put = Leg(0, 1.0, False, -10.0), Leg(0, 1.0, True, -10.0)
    parts = scenario_sum([call], PARAMETERS) + scenario_sum([put], PARAMETERS)
    assert scenario_sum([call, put], PARAMETERS) < parts
    spread = [Leg(0, 1.0, False, -10.0), Leg(0, 0.9, False, 10.0)]
    assert scenario_sum(spread, PARAMETERS) < scenario_sum([call], PARAMETERS)


def test_scenario_sum__underlyings_add_up():
    one = scenario_sum([Leg(0, 1.0, True, -10.0)], PARAMETERS)
    assert scenario_sum([Leg(0, 1.0, True, -10.0), Leg(1, 1.0, True, -10.0)], PARAMETERS) == pytest.approx(2 * one)


def test_initial__is_half_as_much_again():
    legs = [Leg(0, 1.0, True, -10.0)]
    assert initial(legs, PARAMETERS) == pytest.approx(1.5 * scenario_sum(legs, PARAMETERS))
