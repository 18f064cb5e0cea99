"""Who pays for one member's default, layer by layer, as at CME Clearing (cmegroup.com, "CME Clearing financial
safeguards waterfalls"): the defaulter's own money first, then CME's contribution, the guaranty fund of the others, and
their assessments.

Here a writer of calls defaults, and the operator of the market does what CME does: its treasury stands in before the
insurance pool does, by topping insurance up with what the account lacks just before it is liquidated. Nothing makes the
operator do so, and a treasury holds only what fees and loads have brought it; but what it tops up is gone first. The
main pool's providers are in the place of the members who are assessed, with money that is there already; and where CME
would have a right to more of it, the book is scaled down or the winners' profits are cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import pytest

from everstock.model.constants import SETTLE_WINDOW, WAD
from everstock.model.waterfall import Stage
from tests.scenarios.scene import INSURANCE, MAIN, OWN_MARGIN, TOKEN, Scene, Table, part, scene, tokens

OPENED_AT: Final = 100_000
WRITTEN: Final = 300  # tokens of face, of calls struck at the price
MARGIN: Final = 60  # tokens, of the writer
GUARANTY, POOL = 100, 200  # tokens of the insurance pool and the main pool
# Prices that the index jumps to.
JUMPS: Final = (115_000, 125_000, 140_000, 175_000, 215_000, 300_000, 400_000)
# Of these, what is also tried with an operator that does nothing.
ALONE: Final = (125_000,)


@dataclass(frozen=True)
class Default:
    """Who paid for a default; raw units but for `scale` and `h`, wads."""

    loss: int
    lacking: int  # beyond the writer's own
    margin: int
    operator: int
    guaranty: int  # of the insurance pool's own
    pool: int
    winners: int
    scale: int
    h: int
    stage: Stage
    shares: int  # what the insurance pool's are worth afterwards, less what its part of the penalty is
    capital: Mapping[str, int]  # of each layer, before

    def paid(self) -> dict[str, int]:
        """By layer."""
        return {"margin": self.margin, "operator": self.operator, "guaranty": self.guaranty, "pool": self.pool}


def cme(loss: int, capital: Mapping[str, int]) -> dict[str, int]:
    """CME's order: each layer pays what those before it lack."""
    paid = {}
    for layer in ("margin", "operator", "guaranty", "pool"):
        paid[layer] = min(loss, capital[layer])
        loss -= paid[layer]
    return paid


@cache
def defaults(with_operator: bool) -> Mapping[int, Default]:
    """The writer's default by the price that the index jumps to."""
    with scene(token_usd=300, index={"BTC": OPENED_AT, "ETH": 4_500.0}) as market:
        market.provide(main=POOL, insurance=GUARANTY)
        call = market.list_series()
        _earn(market, call)
        market.trade(market.person("writer", MARGIN * TOKEN), (call, -WRITTEN))
        market.trade(market.person("buyer", 200 * TOKEN), (call, WRITTEN))
        market.move(after=SETTLE_WINDOW)
        result = {}
        for usd in JUMPS if with_operator else ALONE:
            with market.trial() as twin:
                result[usd] = _defaulted(twin, usd, with_operator)
        return result


def default(usd: int, with_operator: bool = True) -> Default:
    """The same, of one price."""
    return defaults(with_operator)[usd]


def _defaulted(market: Scene, usd: float, with_operator: bool) -> Default:
    """The index jumps, the writer is liquidated, and the market runs on until it is stable or settled."""
    since, writer = market.mark, market.people["writer"]
    market.set_prices(after=SETTLE_WINDOW, BTC=usd)
    # What is due is swept first: the layers are then what they are when the account fails.
    market.house.checkpoint()
    before, health = market.house.ledgers(), market.health(writer)
    capital = {
        "margin": health.cash + health.claim,
        "operator": before.treasury if with_operator else 0,
        "guaranty": before.insurance,
        "pool": market.house.equity(),
    }
    lacking = max(0, -health.equity)
    operator = min(lacking, capital["operator"])
    if operator:
        market.treasury.top_up(operator, sender=market.owner)
    assert sum(event.amount for event in market.events("ToppedUp", since)) == operator
    event = market.liquidate(writer)
    market.check()
    shares = market.insurance_pool.totalAssets() - (event.penalty - event.reward)
    if market.house.equity() > 0:
        market.pass_window()
        market.pass_window()
        scale, h, winners = market.scale, WAD, 0
    else:
        market.exhaust()
        finished, _ = market.settled_in_any_order()
        scale, h, winners = 0, finished.paid * WAD // finished.claims, finished.claims - finished.paid
    market.check()
    drawn = market.drawn(since)
    return Default(
        loss=-event.gain,
        lacking=lacking,
        margin=drawn[OWN_MARGIN] if lacking else -event.gain,
        operator=operator,
        guaranty=drawn[INSURANCE] - operator,
        # Of what is main's to bear, the winners bear what it has not.
        pool=drawn[MAIN] - winners,
        winners=winners,
        scale=scale,
        h=h,
        stage=market.stage,
        shares=shares,
        capital=capital,
    )


def _earn(market: Scene, call: int) -> None:
    """Let the treasury come to some 20 tokens as it does, by its share of fees, if at a rate that nobody would pay; what
    the pool earned besides leaves."""
    usual = {name: getattr(market.parameters, name) for name in ("fee_rate", "fee_cap", "impact", "treasury_share")}
    market.write_rates(fee_rate=1_000, fee_cap=500, impact=0, treasury_share=1_000)
    customer = market.person("customer", 100 * TOKEN)
    for _ in range(7):
        market.trade(customer, (call, 260))
        market.trade(customer, (call, -260))
    market.write_rates(**usual)
    market.house.pool_withdraw(market.house.equity() - POOL * TOKEN, sender=market.main_pool.address)


# What they say


@pytest.mark.parametrize("usd", JUMPS)
def test_layers__pay_in_cmes_order_to_the_unit(usd):
    result = default(usd)
    expected = cme(result.loss, result.capital)
    paid = result.paid()
    for layer in ("margin", "operator", "guaranty"):
        assert paid[layer] == expected[layer]
    assert sum(paid.values()) + result.winners == result.loss
    if result.stage == Stage.ACTIVE:
        assert paid == expected and result.winners == 0
    else:
        # All of the pool; the premium of the ten minutes of settlement is between it and the buyer.
        assert paid["pool"] == pytest.approx(expected["pool"], rel=1e-3)
        assert result.winners > 0


@pytest.mark.parametrize("usd", JUMPS)
def test_layers__nobody_pays_before_the_one_in_front_is_empty(usd):
    result = default(usd)
    ahead = ("margin", "operator", "guaranty")
    for front, behind in zip(ahead, ("operator", "guaranty", "pool"), strict=True):
        assert result.paid()[behind] == 0 or result.paid()[front] == result.capital[front]


def test_default__within_the_margin__costs_the_defaulter_alone():
    result = default(JUMPS[0])
    assert result.lacking == 0
    assert result.paid() == {"margin": result.loss, "operator": 0, "guaranty": 0, "pool": 0}


def test_default__within_the_operators_contribution__costs_the_guaranty_fund_nothing():
    result = default(125_000)
    assert 0 < result.lacking == result.operator < result.capital["operator"]
    assert result.shares == result.capital["guaranty"]


def test_default__if_the_operator_does_nothing__the_guaranty_fund_pays():
    result = default(125_000, with_operator=False)
    assert result.guaranty == result.lacking > 0
    assert result.shares == result.capital["guaranty"] - result.lacking


def test_default__that_leaves_the_pool_thin__is_deleveraged():
    scales = [default(usd).scale for usd in JUMPS[:5]]
    assert scales[0] == scales[1] == WAD
    assert 0 < scales[4] < WAD


def test_default__beyond_all_layers__is_cut_from_the_winners_alike():
    first, second = default(JUMPS[5]), default(JUMPS[6])
    assert first.stage == second.stage == Stage.SETTLING
    assert 0 < second.h < first.h < WAD


# The document


def tables() -> dict[str, Table]:
    """What docs/SCENARIOS.md says of these."""
    rows = []
    for usd in JUMPS:
        result = default(usd)
        after = f"D = {part(result.scale)}" if result.scale else f"settled, h = {part(result.h)}"
        amounts = (result.loss, *result.paid().values(), result.winners)
        rows.append([f"x{usd / OPENED_AT:.2f}", *[tokens(amount, 1) for amount in amounts], after])
    capital = default(JUMPS[0]).capital
    held = [tokens(capital[layer], 1) for layer in ("margin", "operator", "guaranty", "pool")]
    head = ["index", "loss", "own margin", "operator", "insurance", "main pool", "winners", "afterwards"]
    return {"cme-layers": Table.of(head, [["there is", "", *held, "", ""], *rows])}
