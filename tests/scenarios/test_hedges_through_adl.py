"""Holders of a spread and of a hedge, while the whole book is deleveraged around them.

A queue of winners takes the winning leg of a hedge and leaves the losing one: whoever was hedged is then exposed, and
may be liquidated for what somebody else lost. That is what the exchanges' deleveraging of 10 October 2025 was
criticised for. Here one number, D, shrinks every leg of every account alike.

A thin market: one buyer of calls carries nearly all that the pool can stand, and the index rises. The spread is a
bought call at 120,000 and a written one at 140,000; the hedge a written call at 120,000 under a bought one at 130,000,
and a bought put.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, Final

import pytest

from everstock.chain.in_process import account_of
from everstock.model import portfolio_margin
from everstock.model.constants import SETTLE_WINDOW, WAD
from everstock.model.everlasting import moneyness, value
from everstock.model.series_book import Quote
from everstock.model.waterfall import Stage
from tests.scenarios.scene import TOKEN, Scene, Table, orders, part, scene, tokens

# The index at each rise; the book is scaled at all of them.
OPENED_AT: Final = 120_000
RISES: Final = (182_000, 215_000, 250_000)
EXHAUSTED: Final = 330_000
HEDGED: Final = 90
SHARPNESS: Final = 17


@dataclass(frozen=True)
class Holding:
    """An account at one moment; amounts in raw units."""

    equity: int
    maintenance: int
    is_liquidatable: bool
    units: Mapping[int, int]
    faces: Mapping[int, int]


@dataclass(frozen=True)
class Step:
    """One deleveraging: everybody just before the checkpoint, at the same price and second, and just after."""

    usd: float
    scale: tuple[int, int]  # D before and after
    before: Mapping[str, Holding]
    after: Mapping[str, Holding]


@dataclass(frozen=True)
class Story:
    """All of it."""

    steps: list[Step]
    bereft: tuple[int, int]  # maintenance and equity of the hedge, had a queue closed its bought call at the first step
    liquidations: list[Any]  # outcomes by order
    paid: tuple[int, int, Mapping[str, int]]  # claims, what is paid on them, everybody's cash in the end
    stage: Stage


@cache
def story() -> Story:
    with scene(token_usd=300, index={"BTC": float(OPENED_AT), "ETH": 4_500.0}, main=1_000, insurance=100) as market:
        series = _open(market)
        steps = []
        for usd in RISES:
            market.set_prices(after=SETTLE_WINDOW, BTC=usd)
            scale, before = market.scale, _everybody(market)
            market.house.checkpoint()
            steps.append(Step(usd, (scale, market.scale), before, _everybody(market)))
            market.check()
            if usd == RISES[0]:
                liquidations = _liquidated_in_any_order(market)
        market.set_prices(after=SETTLE_WINDOW, BTC=EXHAUSTED)
        market.house.checkpoint()
        market.exhaust()
        finished, cash = market.settled_in_any_order()
        bereft = (_naked_maintenance(market, RISES[0]), steps[0].before["hedge"].equity)
        assert series == [1, 2, 3, 4]
        return Story(steps, bereft, liquidations, (finished.claims, finished.paid, cash), market.stage)


def _open(market: Scene) -> list[int]:
    low, middle, high = (market.series_listing.list_series(0, usd * 10**8, False) for usd in (120_000, 130_000, 140_000))
    put = market.list_series(is_put=True)
    for name, margin in (("spread", 8), ("hedge", 20), ("buyer", 400), ("writer", 60), ("another writer", 20)):
        market.person(name, margin * TOKEN)
    market.trade(market.people["spread"], (low, 100), (high, -100))
    market.trade(market.people["hedge"], (low, -HEDGED), (middle, HEDGED), (put, HEDGED // 3))
    market.trade(market.people["writer"], (low, -300))
    market.trade(market.people["another writer"], (low, -80))
    market.trade(market.people["buyer"], (low, 2_000))
    market.move(after=SETTLE_WINDOW)
    return [low, middle, high, put]


def _everybody(market: Scene) -> dict[str, Holding]:
    holdings = {}
    for name, person in market.people.items():
        health, legs = market.health(person), market.lens.legs(market.house.address, account_of(person))
        holdings[name] = Holding(
            equity=health.equity,
            maintenance=health.maintenance,
            is_liquidatable=health.is_liquidatable,
            units={leg.series: leg.units for leg in legs},
            faces={leg.series: leg.face for leg in legs},
        )
    return holdings


def _liquidated_in_any_order(market: Scene) -> list[Any]:
    """Everybody who can be, in each order; what there is then, in every ledger and account."""
    failing = [name for name, person in market.people.items() if market.health(person).is_liquidatable]
    outcomes = []
    for order in orders(failing):
        with market.trial() as twin:
            for name in order:
                assert twin.liquidate(twin.people[name]) is not None
            cash = {name: twin.account(person).cash for name, person in twin.people.items()}
            outcomes.append((failing, tuple(twin.house.ledgers()), cash, twin.account(twin.operator).cash))
            twin.check()
    return outcomes


def _naked_maintenance(market: Scene, usd: float) -> int:
    """What the hedge's written call alone would have to hold, before any deleveraging."""
    m = moneyness(round(usd) * 10**8, 120_000 * 10**8)
    worth = value(m, SHARPNESS, is_put=False)
    quote = Quote(moneyness=m, mark=worth.mark, time_value=worth.time_value, slope=worth.slope)
    stress = portfolio_margin.Stress()
    shock, gross_rate = market.parameters.account_shock, market.parameters.gross_rate
    stress.change(0, quote, portfolio_margin.moves(quote, SHARPNESS, False, shock), 0, -HEDGED * TOKEN)
    return portfolio_margin.scenario_sum(stress, gross_rate, WAD)


# What they say


@pytest.mark.parametrize("step", range(len(RISES)))
def test_deleverage__at_each_rise__scales_the_book(step):
    before, after = story().steps[step].scale
    assert 0 < after < before <= WAD


@pytest.mark.parametrize("step", range(len(RISES)))
@pytest.mark.parametrize("name", ["spread", "hedge"])
def test_deleverage__legs__keep_their_ratios(name, step):
    s = story().steps[step]
    assert s.before[name].units == s.after[name].units
    for series, units in s.after[name].units.items():
        assert s.after[name].faces[series] == units * s.scale[1] // WAD
    # The same fraction of each leg, but for the unit that a face is shown in.
    shrunk = Fraction(*reversed(s.scale))
    for series, face in s.before[name].faces.items():
        assert abs(face * shrunk - s.after[name].faces[series]) <= 1


@pytest.mark.parametrize("step", range(len(RISES)))
def test_deleverage__equity__is_what_it_was(step):
    s = story().steps[step]
    assert {name: held.equity for name, held in s.before.items()} == {name: held.equity for name, held in s.after.items()}


@pytest.mark.parametrize("step", range(len(RISES)))
def test_deleverage__margin__worsens_for_nobody(step):
    s = story().steps[step]
    for name, held in s.after.items():
        assert held.maintenance <= s.before[name].maintenance
        assert s.before[name].is_liquidatable or not held.is_liquidatable
    assert not any(s.after[name].is_liquidatable for name in ("spread", "hedge"))


def test_deleverage__twice_as_much_in_an_account__is_twice_as_much_afterwards():
    """Nobody is chosen: units of different accounts in one series keep their proportion."""
    first = story().steps[0]
    bought, written = first.after["buyer"].faces[1], first.after["spread"].faces[1]
    assert abs(bought - 20 * written) <= 20


def test_queue__that_takes_the_winning_leg__would_have_had_the_hedge_liquidated():
    needed, equity = story().bereft
    assert story().steps[0].before["hedge"].maintenance < equity < needed


def test_liquidation__of_all_who_fail__in_any_order__is_the_same():
    outcomes = story().liquidations
    assert len(outcomes) > 1 and len(outcomes[0][0]) > 1
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_settlement__after_it_all__pays_everybody_the_same_in_any_order():
    """The orders are compared in `Scene.settled_in_any_order`; here, that there was something to compare."""
    claims, paid, cash = story().paid
    assert story().stage == Stage.SETTLING
    assert 0 < paid < claims
    assert cash["spread"] > 8 * TOKEN and cash["writer"] == 0


# The document


def tables() -> dict[str, Table]:
    """What docs/SCENARIOS.md says of these."""
    rows = []
    for step in story().steps:
        for name in ("spread", "hedge"):
            before, after = step.before[name], step.after[name]
            faces = ["/".join(f"{face / TOKEN:+.1f}" for face in held.faces.values()) for held in (before, after)]
            rows.append(
                [
                    f"{name}, {step.usd:,}",
                    part(step.scale[1]),
                    *faces,
                    tokens(before.equity),
                    tokens(after.equity),
                    tokens(before.maintenance),
                    tokens(after.maintenance),
                ]
            )
    needed, equity = story().bereft
    has = tokens(equity)
    rows.append(["hedge, its bought call taken", "none", "", f"{-HEDGED:+.1f}", has, has, "", tokens(needed)])
    head = ["holder, index", "D", "legs before", "after", "equity before", "after", "maintenance before", "after"]
    return {"adl-hedges": Table.of(head, rows)}
