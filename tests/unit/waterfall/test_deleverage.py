"""Deleveraging: one number shrinks the whole book, at the mark, when the pool's equity falls below its requirement."""

from fractions import Fraction

import boa
import pytest

from everstock.chain.in_process import account_of, events
from everstock.model import words
from tests.leaning import BOUGHT, WINDOW

WAD = 10**18
# BTC at which E < R, but not R / 2; and at which it is.
THIN, THINNER = 164_000, 182_000


def figures(market):
    """E and R as the last checkpoint said."""
    (checkpoint,) = market.events("Checkpoint")
    return checkpoint.equity, checkpoint.requirement


def test_deleverage__equity_above_requirement__leaves_the_book_alone(market):
    market.move(BTC=130_000)
    equity, requirement = figures(market)
    assert equity > requirement
    assert market.scale == WAD and market.events("Deleveraged") == []


def test_deleverage__below_requirement_in_a_settle_window__waits_until_it_is_over(market):
    market.move(BTC=THIN)
    equity, requirement = figures(market)
    assert requirement / 2 < equity < requirement
    assert market.scale == WAD
    market.pass_window()
    (deleveraged,) = market.events("Deleveraged")
    assert deleveraged.scale == market.scale < WAD and deleveraged.leaving == 0


def test_deleverage__below_half_the_requirement__comes_at_once(market):
    market.move(BTC=THINNER)
    assert market.events("Deleveraged")
    assert market.scale < WAD


@pytest.mark.parametrize("target", [1_000, 1_250, 3_000])
def test_deleverage__leaves_equity_at_the_target_and_no_more(market, target):
    market.risk_parameters.set_parameter(20, target, sender=market.timelock)
    market.move(after=WINDOW, BTC=THIN)
    market.pass_window()
    equity, requirement = figures(market)
    # D rounds down by less than a wad of it, R up to its next unit.
    assert 0 <= equity - target * requirement // 1_000 <= requirement // 10**12
    assert market.scale < WAD


def test_deleverage__changes_nobodys_equity_and_nobodys_units(market):
    """Invariant 7: the equity that a touch would show is what each has afterwards."""
    market.set_prices(after=1, BTC=THINNER)
    people = (market.buyer, market.writer, market.saver)
    before = [market.equity(person) for person in people]
    units = [market.units(person) for person in people]
    market.house.checkpoint()
    assert market.scale < WAD
    assert [market.equity(person) for person in people] == before
    assert [market.units(person) for person in people] == units


def test_deleverage__makes_nobody_liquidatable(market):
    market.set_prices(after=1, BTC=THINNER)
    health = [market.lens.health(market.house.address, [account_of(p)])[0] for p in (market.buyer, market.writer)]
    market.house.checkpoint()
    later = [market.lens.health(market.house.address, [account_of(p)])[0] for p in (market.buyer, market.writer)]
    for one, other in zip(health, later, strict=True):
        assert other.maintenance <= one.maintenance and other.equity == one.equity
        assert one.is_liquidatable or not other.is_liquidatable


def test_deleverage__afterwards_gains_run_on_what_is_left(market):
    market.move(BTC=THINNER)
    scale = market.scale
    before = market.equity(market.buyer)
    market.set_prices(after=1, BTC=THINNER * 1.01)
    gained = market.equity(market.buyer) - before
    # A call deep in the money gains what the index does, on a face of D times what was bought.
    moved = THINNER * 0.01 / 120_000
    assert gained == pytest.approx(BOUGHT * market.unit * moved * scale / WAD, rel=0.01)


def test_deleverage__dodged_by_resizing__not(market):
    """Whoever halved before and doubled after has just what one has who did nothing."""
    other = market.trader("other buyer", 400)
    market.trade(other, (market.call, BOUGHT // 10))
    market.trade(other, (market.call, BOUGHT // 10))
    market.trade(other, (market.call, -BOUGHT // 10))
    market.move(BTC=THINNER)
    share = market.units(other)[market.call] / market.units(market.buyer)[market.call]
    assert share == pytest.approx(0.1)


def test_deleverage__then_closed__what_the_leg_shows_closes_all_of_it(market):
    market.move(BTC=THIN)
    market.pass_window()
    (leg,) = market.lens.legs(market.house.address, account_of(market.buyer))
    assert leg.face == leg.units * market.scale // WAD < BOUGHT * market.unit
    market.trade(market.buyer, (market.call, -Fraction(leg.face, market.unit)))
    assert not market.units(market.buyer)


def test_deleverage__a_new_leg_has_the_face_it_asked_for(market):
    market.move(BTC=THIN)
    market.pass_window()
    market.trade(market.buyer, (market.call, -BOUGHT * 3 // 4 * market.scale / WAD))
    put = market.list_series("ETH", is_put=True)
    newcomer = market.trader("newcomer", 100)
    market.trade(newcomer, (put, 30))
    (leg,) = market.lens.legs(market.house.address, account_of(newcomer))
    assert 0 <= 30 * market.unit - leg.face <= 1
    assert leg.units > leg.face


def test_scale__without_any_unit_left__is_one_again(market):
    market.move(BTC=THIN)
    market.pass_window()
    assert market.scale < WAD
    market.trade(market.buyer, (market.call, -BOUGHT), reduce_only=True)
    assert market.liquidate(market.writer) == [WAD]
    assert market.scale < WAD
    market.move(after=60)
    assert market.scale == WAD
    words_ = market.risk_book.market_words()
    assert words.totals(words_.totals).open_legs == 0


def test_deleverage__again_and_again__multiplies(market):
    market.move(BTC=THINNER)
    first = market.scale
    market.pass_window()
    market.move(BTC=THINNER * 1.2)
    market.pass_window()
    assert market.scale < first


def test_deleverage__by_whoever_trades__comes_with_the_checkpoint_that_is_due(market):
    market.move(BTC=THIN)
    market.set_prices(after=601, BTC=THIN * 1.07)
    market.house.settle(account_of(market.buyer))
    assert events(market.house, "Deleveraged")


def test_trade__of_more_risk_right_after__reverts(market):
    market.move(BTC=THIN)
    market.pass_window()
    with boa.reverts("trade: over pool capacity"):
        market.trade(market.trader("late", 100), (market.list_series("ETH"), 50))
