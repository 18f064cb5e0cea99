"""Shield v1 (now Fufuture): coin-margined perpetual options, rolled and charged every day.

An at-the-money call and put on bitcoin, 10 tokens of TSLA.M of face each, held for ten days in which the index rises or
falls by a tenth, and closed. Shield v1 charges the Black-Scholes price of a one-day option for the first day, a tenth
of that for each further one, and 0.1% of the position when it is opened; its contracts pay the difference of prices in
full. That rule is worked out in plain Python, on the same face, path and volatility of 60%.

Everstock pays no premium up front: a position gains what its mark does, and premium runs with time and price. Premium
is measured here as the difference between the two: face times the change of the mark, less what the account gained.

A pool short of money: Shield pays takers as they come, until nothing is left, and the last one short. Everstock books
what it owes and pays everybody the same part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from math import erf, log, sqrt
from typing import Final

import pytest

from everstock.chain.in_process import account_of
from everstock.model.constants import SETTLE_WINDOW, WAD
from everstock.model.everlasting import mark
from everstock.model.waterfall import Stage
from tests.scenarios.scene import TOKEN, Scene, Table, part, scene, tokens

OPENED_AT: Final = 120_000
DAYS, FACE, SIGMA, SHARPNESS = 10, 10, 0.6, 17
DAY: Final = 86_400
# The index in the end.
UP, DOWN, FLAT = 132_000, 108_000, 120_000


# Shield v1, in plain Python


def one_day(moneyness: float, is_put: bool) -> float:
    """The Black-Scholes price of a one-day option, as a part of the strike; no interest."""
    spread = SIGMA * sqrt(1 / 365)
    above = log(moneyness) / spread + spread / 2
    call = moneyness * _normal(above) - _normal(above - spread)
    return call - (moneyness - 1) if is_put else call


def _normal(x: float) -> float:
    return (1 + erf(x / sqrt(2))) / 2


def shield_premium(days: int) -> float:
    """Of an option at the money, as a part of its face."""
    return one_day(1, is_put=False) * (1 + (days - 1) / 10)


SHIELD_FEE: Final = 0.001


def first_come(pool: int, due: Mapping[str, int]) -> dict[str, int]:
    """What takers get who come in this order to a pool that pays until it is empty."""
    paid = {}
    for name, amount in due.items():
        paid[name] = min(amount, pool)
        pool -= paid[name]
    return paid


# Everstock


@dataclass(frozen=True)
class Held:
    """An option after ten days; raw units."""

    gained: int  # everything in and out of the account
    payoff: int  # face times what it is in the money
    time_value: int  # face times the change of the rest of the mark
    premium: int
    charges: int  # fees and impact, at both ends


@cache
def held(closed_at: int) -> Mapping[str, Held]:
    """A call and a put, each in an account of its own, on a straight path with a checkpoint every four hours: a long
    then pays the dearer end of each, a little more than if somebody came every hour."""
    with scene(token_usd=300, index={"BTC": float(OPENED_AT), "ETH": 4_500.0}, main=1_000, insurance=100) as market:
        series = {"call": market.list_series(), "put": market.list_series(is_put=True)}
        for name, id_ in series.items():
            market.trade(market.person(name, 10 * TOKEN), (id_, FACE))
        # Where nothing moves a day is as good as four hours.
        steps = DAYS if closed_at == OPENED_AT else DAYS * 6
        for step in range(1, steps + 1):
            market.move(after=DAYS * DAY // steps, BTC=OPENED_AT + (closed_at - OPENED_AT) * step / steps)
        for name, id_ in series.items():
            market.trade(market.people[name], (id_, -FACE))
        market.check()
        return {name: _what_it_was(market, name, closed_at) for name in series}


def _what_it_was(market: Scene, name: str, closed_at: int) -> Held:
    is_put = name == "put"
    trades = [event for event in market.events("Traded") if event.account == account_of(market.people[name])]
    charges = sum(event.fee + event.impact for event in trades)
    gained = market.account(market.people[name]).cash - market.deposited[name]
    assert not market.units(market.people[name]) and market.account(market.people[name]).claim == 0
    assert gained == sum(event.gain for event in trades) - charges
    m = closed_at * WAD // OPENED_AT
    payoff = FACE * TOKEN * max(0, WAD - m if is_put else m - WAD) // WAD
    moved = FACE * TOKEN * (mark(m, SHARPNESS, is_put) - mark(WAD, SHARPNESS, is_put)) // WAD
    return Held(
        gained=gained,
        payoff=payoff,
        time_value=moved - payoff,
        premium=moved - gained - charges,
        charges=charges,
    )


@dataclass(frozen=True)
class Short:
    """A pool that owes more than it has; raw units, `h` a wad."""

    due: Mapping[str, int]  # profits by taker, in the order in which they bought
    paid: Mapping[str, int]
    pool: int  # what there was for them
    h: int
    stage: Stage


@cache
def short_of_money() -> Short:
    """Three takers of the same call, and an index that doubles."""
    with scene(token_usd=300, index={"BTC": float(OPENED_AT), "ETH": 4_500.0}, main=100) as market:
        call = market.list_series()
        for name in ("first", "second", "third"):
            market.trade(market.person(name, 30 * TOKEN), (call, 50))
        had = {name: market.account(person).cash for name, person in market.people.items()}
        market.move(after=SETTLE_WINDOW)
        market.set_prices(after=SETTLE_WINDOW, BTC=2 * OPENED_AT)
        market.house.checkpoint()
        market.exhaust()
        pot = market.house.ledgers().main + market.house.ledgers().insurance
        due = {name: market.health(person).gain for name, person in market.people.items()}
        finished, cash = market.settled_in_any_order()
        assert finished.paid == pot and finished.claims == sum(due.values())
        paid = {name: cash[name] - had[name] for name in had}
        h = finished.paid * WAD // finished.claims
        return Short(due, paid, pot, h, market.stage)


# What they say


def test_one_day__at_the_money__is_two_fifths_of_a_standard_deviation():
    assert one_day(1, is_put=False) == pytest.approx(0.3989 * SIGMA * sqrt(1 / 365), rel=1e-3)
    assert one_day(1.01, is_put=True) - one_day(1.01, is_put=False) == pytest.approx(-0.01)


@pytest.mark.parametrize(("name", "closed_at"), [("call", UP), ("put", DOWN)])
def test_option__index_moves_its_way__pays_the_payoff_less_premium_and_charges(name, closed_at):
    result = held(closed_at)[name]
    assert result.payoff == FACE * TOKEN // 10
    assert result.gained == result.payoff + result.time_value - result.premium - result.charges > 0


@pytest.mark.parametrize(("name", "closed_at"), [("call", DOWN), ("put", UP), ("call", FLAT), ("put", FLAT)])
def test_option__index_does_not__loses_premium_time_value_and_charges_and_no_more(name, closed_at):
    result = held(closed_at)[name]
    assert result.payoff == 0 and result.time_value <= 0
    assert result.gained < 0
    # The most that a mark can fall by is what it was.
    assert -result.gained < FACE * mark(WAD, SHARPNESS, False) + result.premium + result.charges


@pytest.mark.parametrize("name", ["call", "put"])
def test_premium__at_an_index_that_stands_still__is_ten_days_of_the_rate_at_the_money(name):
    """sigma^2 n(n-1)/2 tv + carry m v', with a load of a tenth on both and the surcharge of a pool that is hardly used."""
    tv = 1 / (2 * SHARPNESS - 1)
    gamma = SIGMA**2 * SHARPNESS * (SHARPNESS - 1) / 2 * tv
    slope = (1 - SHARPNESS) * tv + (1 if name == "call" else 0)
    rate = gamma + 0.1 * slope + 0.1 * (gamma + 0.1 * abs(slope))
    assert round(100 * gamma * DAYS / 365, 1) == 4.1
    premium = held(FLAT)[name].premium / TOKEN / FACE
    assert rate * DAYS / 365 < premium < 1.01 * rate * DAYS / 365


@pytest.mark.parametrize("closed_at", [UP, DOWN, FLAT])
@pytest.mark.parametrize("name", ["call", "put"])
def test_premium__at_the_money__is_above_a_dated_options_and_shields_is_below(name, closed_at):
    """Shield's tenth of a day's price for each further day is less than ten days of the option are worth: a dated one of
    ten days is worth 3.96% of its face, Shield takes 2.38%."""
    dated = 0.3989 * SIGMA * sqrt(DAYS / 365)
    assert round(100 * dated, 2) == 3.96 and round(100 * shield_premium(DAYS), 2) == 2.38
    assert held(FLAT)[name].premium > FACE * dated * TOKEN
    assert held(closed_at)[name].premium <= held(FLAT)[name].premium


def test_pool_short_of_money__shield__pays_the_last_taker_short():
    result = short_of_money()
    for order in permutations(result.due):
        paid = first_come(result.pool, {name: result.due[name] for name in order})
        assert paid[order[0]] == result.due[order[0]]
        assert paid[order[2]] < result.due[order[2]] / 2


def test_pool_short_of_money__everstock__pays_everybody_the_same_part():
    result = short_of_money()
    assert result.stage == Stage.SETTLING
    assert 0 < result.h < WAD
    for name, amount in result.due.items():
        assert result.paid[name] == amount * result.pool // sum(result.due.values())
    assert 0 <= result.pool - sum(result.paid.values()) < len(result.due)


# The document


def tables() -> dict[str, Table]:
    """What docs/SCENARIOS.md says of these."""
    return {"shield-held": _held_table(), "shield-short": _short_table()}


def _held_table() -> Table:
    rows = []
    for name, closed_at in (("call", UP), ("call", DOWN), ("put", DOWN), ("put", UP), ("call", FLAT), ("put", FLAT)):
        result = held(closed_at)[name]
        premium, fee = FACE * shield_premium(DAYS), FACE * SHIELD_FEE
        theirs = result.payoff / TOKEN - premium - fee
        amounts = (result.payoff, -result.premium, result.time_value, -result.charges, result.gained)
        ours = [tokens(amount, 3) for amount in amounts]
        rows.append([f"{name}, {closed_at:,}", *ours, f"{-premium:.3f}", f"{-fee:.3f}", f"{theirs:.3f}"])
    head = ["held to", "payoff", "premium", "time value", "charges", "result", "Shield: premium", "fee", "result"]
    return Table.of(head, rows)


def _short_table() -> Table:
    result = short_of_money()
    theirs = first_come(result.pool, result.due)
    rows = _takers(list(result.due), result, theirs)
    total = [sum(result.due.values()), sum(theirs.values()), sum(result.paid.values())]
    return Table.of(
        ["who comes", "is owed", "Shield pays", "of it", "Everstock pays", "of it"],
        [*rows, ["together", tokens(total[0]), tokens(total[1]), "", tokens(total[2]), ""]],
    )


def _takers(names: Sequence[str], result: Short, theirs: Mapping[str, int]) -> list[list[str]]:
    return [
        [
            name,
            tokens(result.due[name]),
            tokens(theirs[name]),
            part(theirs[name] * WAD // result.due[name]),
            tokens(result.paid[name]),
            part(result.paid[name] * WAD // result.due[name]),
        ]
        for name in names
    ]
