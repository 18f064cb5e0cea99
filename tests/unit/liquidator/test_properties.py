"""Any book at any price: what a liquidation leaves behind, and that it moves money and creates none."""

from fractions import Fraction

import pytest
from boa import BoaError
from hypothesis import assume, example, given, note, settings
from hypothesis import strategies as st

from everstock.chain.in_process import Protocol
from everstock.chain.transactions import reason_of

from .views import INITIAL_RATIO, PENALTY_RATE, WAD, Desk, closed_form

# One to four legs of different series, all bought or written in proportion; 20 tokens carry about 100 of them.
BOOKS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([-3, -2, -1, 1, 2, 3])),
    min_size=1,
    max_size=4,
    unique_by=lambda leg: leg[0],
)
FACE = 100
TOKENS = 20
MOVES = st.floats(0.7, 1.35)


@pytest.fixture(scope="session")
def deployed_six(deployed):
    """The same of a token of six decimals."""
    protocol = Protocol(decimals=6)
    series = [protocol.list_series(name, 1.0, is_put) for name in ("BTC", "ETH") for is_put in (False, True)]
    return protocol, deployed[1], series


def opened(protocol: Protocol, name: str, series: list[int], book: list[tuple[int, int]]) -> str:
    """A trader with that book, near what initial margin allows."""
    trader = protocol.trader(name, TOKENS)
    whole = sum(abs(weight) for _, weight in book)
    try:
        protocol.trade(trader, *[(series[place], FACE * weight / whole) for place, weight in book])
    except BoaError as error:
        assert reason_of(error.stack_trace.last_frame.vm_error.args[0]) == "trade: below initial margin"
        assume(False)
    return trader


def check_partial(desk: Desk, trader: str, before, units: dict[int, int], fraction: int) -> None:
    """Invariant 8, and hedges keep their ratio."""
    assert fraction == closed_form(before)
    after = desk.health(trader)
    for series, held in units.items():
        kept = abs(held) * (WAD - fraction) // WAD
        assert desk.protocol.units(trader).get(series, 0) == (kept if held > 0 else -kept)
    # The rest stands at initial_ratio. Each leg was cut to whole units, and its scenario sum rounded up by one.
    rest = INITIAL_RATIO * after.scenario_sum
    slack = 10 + INITIAL_RATIO * before.scenario_sum / 10**15
    assert -slack <= after.equity - rest <= slack
    assert not after.is_liquidatable


def check(deployed, books, btc: float, eth: float) -> None:
    protocol, lens, series = deployed
    protocol = protocol.fork()
    protocol.set_prices(after=1)
    desk = Desk(protocol, lens, *series)
    traders = [opened(protocol, f"trader {i}", series, book) for i, book in enumerate(books)]
    protocol.set_prices(after=60, BTC=protocol.index["BTC"] * btc, ETH=protocol.index["ETH"] * eth)
    before = [desk.health(trader) for trader in traders]
    units = [protocol.units(trader) for trader in traders]
    equity = desk.market().equity
    note(str(before))

    fractions = protocol.liquidate(*traders)
    bad_debts = desk.events("BadDebt")
    for trader, health, held, fraction in zip(traders, before, units, fractions, strict=True):
        assert (fraction != 0) == health.is_liquidatable == (health.equity < health.maintenance)
        if fraction == 0:
            assert desk.health(trader) == health and protocol.units(trader) == held
        elif fraction < WAD:
            check_partial(desk, trader, health, held, fraction)
        else:
            smallest = INITIAL_RATIO * protocol.parameters.min_margin
            rest = health.equity - PENALTY_RATE * health.scenario_sum * min(Fraction(closed_form(health), WAD), 1)
            assert health.equity <= PENALTY_RATE * health.scenario_sum or rest < smallest
            assert protocol.units(trader) == {}
    bankrupt = [-health.equity for health in before if health.equity < 0]
    assert [one.loss for one in bad_debts] == bankrupt
    # Marks are what legs are closed at, so the pool is as rich as before, but for what nobody pays.
    uninsured = sum(one.loss - one.insured for one in bad_debts)
    assert abs(desk.market().equity + uninsured - equity) <= 8 * len(traders)
    desk.check_conservation(protocol.operator, *traders)


@given(books=st.tuples(BOOKS, BOOKS), btc=MOVES, eth=MOVES)
@example(books=([(0, -1)], [(0, -1), (1, 1)]), btc=1.09, eth=1.0)
@example(books=([(0, -2), (2, -1)], [(1, -1)]), btc=0.88, eth=1.15)
@example(books=([(0, -1)], [(2, -1), (3, -1)]), btc=1.35, eth=0.7)
@settings(max_examples=25, deadline=None)
def test_liquidate__any_books_at_any_price__invariant_8_and_no_money_made(deployed, books, btc, eth):
    check(deployed, books, btc, eth)


@given(books=st.tuples(BOOKS, BOOKS), btc=MOVES, eth=MOVES)
@example(books=([(0, -1)], [(0, -1), (1, 1)]), btc=1.09, eth=1.0)
@example(books=([(0, -2), (2, -1)], [(1, -1)]), btc=0.88, eth=1.15)
@settings(max_examples=10, deadline=None)
def test_liquidate__any_books_of_six_decimals__invariant_8_and_no_money_made(deployed_six, books, btc, eth):
    check(deployed_six, books, btc, eth)
