"""What limited liability is worth to a pair of accounts on opposite sides: invariant 33.

33. From initial margin no pair of mirrored books, of up to eight legs near the money, profits from a jump of the index
    from x0.847 to x1.165.

Beyond, limited liability is worth something. Where profits begin, fees paid, for a jump in one step with nobody liquidating in
between, under the preset (by a linear program over all books of series with moneyness from 1/2 to 2):

                                                       down       up
    the worst book there is, from initial margin     x0.843   x1.170
    one put or call written at the money             x0.793   x1.207
    the worst book, at maintenance just not reached  x0.985   x1.017    a straddle bought; short of 0.1% of its face at most
    one put or call, at maintenance just not reached x0.854   x1.144
    more than default_charge (5% of written face)    x0.782   x1.218    the worst book, from initial margin
    the same for options at the money                x0.742   x1.257

What a pair gains there insurance pays, and what that lacks the main pool, whose R holds default_charge of all written face for
it: E is at least twice that when a pair opens. A pair at the money pays for the chance 30% of face a year in loads alone, more
with the surcharge, and two fees.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from everstock.model import float_price
from everstock.model.parameters import Parameters
from everstock.model.reverts import Revert
from everstock.parameters import MarketParameters
from tests.economics.pair import PAIR, books, open_pair, pair_wealth
from tests.economics.scene import Scene, Start, examples
from tests.economics.stage import Alone, told_both
from tests.economics.wealth import account_equity

# The worst books there are for a jump: (moneyness, is_put, face), by the linear program.
WORST = {
    0.847: [(0.9828, False, 29.367), (1.129, False, -23.064), (1.129, True, -79.591), (1.2968, True, 104.207)],
    1.165: [(0.8123, False, 130.809), (0.9013, False, -80.719), (0.9013, True, -24.35), (1.0353, True, 24.426)],
    0.97: [(1.0353, False, 180.744), (1.0353, True, 205.63)],
    1.03: [(0.9659, False, 204.565), (0.9659, True, 195.435)],
}


def loss_over_scenario_sum(book: list[tuple[float, bool, float]], jump: float) -> float:
    """What a book loses by a jump, over its scenario sum S."""
    m, is_put, face = (np.array(column) for column in zip(*book, strict=True))
    parameters = Parameters.of(MarketParameters.preset(300.0, 18), ("BTC", "ETH"))
    legs = float_price.Legs(np.zeros(len(m), int), np.zeros(len(m), int), m, is_put, face)
    loss = face @ (float_price.mark(m, 17, is_put) - float_price.mark(m * jump, 17, is_put))
    return float(loss / float_price.scenario_sums(legs, parameters, 1)[0])


@pytest.mark.parametrize(("jump", "ratio"), [(0.847, 1.49), (1.165, 1.49), (0.97, 1.39), (1.03, 1.27)])
def test_worst_books__lose_no_more_than_initial_margin_within_x0_847_and_x1_165(jump, ratio):
    """Invariant 33, at its edges: initial margin is 1.5 S. Within maintenance's reach a bought straddle is the worst."""
    assert loss_over_scenario_sum(WORST[jump], jump) == pytest.approx(ratio, abs=0.02)


@given(
    legs=st.lists(st.tuples(st.floats(0.5, 2), st.booleans(), st.floats(-1, 1)), min_size=1, max_size=8),
    jump=st.floats(0.847, 1.165),
)
@examples(300)
def test_any_book__loses_no_more_than_initial_margin_within_x0_847_and_x1_165(legs, jump):
    """Invariant 33."""
    assume(sum(abs(face) for _, _, face in legs) > 0.01)
    assert loss_over_scenario_sum(legs, jump) < 1.5


def jump_from_initial_margin(scene: Scene, legs: list[tuple[int, int]], jump: float) -> Fraction | None:
    """What a pair gains that opens, takes out all that initial margin leaves free, and sees the index jump; None if refused."""
    for who in PAIR:
        scene.deposit(who, 1_000)
    before = pair_wealth(scene)
    if not open_pair(scene, legs):
        return None
    for who in PAIR:
        health = scene.market.house.health(scene.account(who))
        free = health.equity - health.initial
        assert not isinstance(scene.stage.withdraw(scene.account(who), free, scene.people[who]), Revert)
        assert isinstance(scene.stage.withdraw(scene.account(who), 2, scene.people[who]), Revert)
        before -= free
    scene.pass_time(1, jump, jump)
    return pair_wealth(scene) - before


@given(book=books, jump=st.floats(0.847, 1.165))
@example(book=[(0, 4.0)], jump=1.165)
@example(book=[(1, 4.0)], jump=0.847)
@examples(60)
def test_pair__from_initial_margin__gains_nothing_by_a_jump_within_x0_847_and_x1_165(book, jump):
    """Invariant 33, in a market."""
    scene = Scene.begin(Alone(), Start(main=20_000, insurance=0, provided=0))
    gain = jump_from_initial_margin(scene, [(scene.series[place], scene.raw(100 * size)) for place, size in book], jump)
    assume(gain is not None)
    assert gain <= 0, f"invariant 33: a jump of x{jump} brings {float(gain)}"


@pytest.mark.parametrize(
    ("place", "jump", "gains"),
    [(0, 1.2, False), (0, 1.215, True), (1, 0.8, False), (1, 0.785, True)],
    ids=["call up to x1.2", "call beyond", "put down to x0.8", "put beyond"],
)
def test_pair__at_the_money__gains_only_beyond_a_fifth(place, jump, gains):
    """How far a jump must go: the figures of the docstring, in a market."""
    scene = Scene.begin(Alone(), Start(main=20_000, insurance=0, provided=0))
    gain = jump_from_initial_margin(scene, [(scene.series[place], scene.raw(1_000))], jump)
    assert gain is not None and (gain > 0) == gains


@given(jump=st.just(1.3))
@examples(1)
def test_contracts__pair_beyond_its_margin__gets_what_the_bankrupt_one_lacks(protocol, jump):
    """A limit, not a merit: 1,000 calls at the money and x1.3 bring 92 tokens, paid by insurance and the main pool."""
    with told_both(protocol) as stage:
        scene = Scene.begin(stage, Start(main=20_000, insurance=10, provided=0, margins=(1,) * 6))
        gain = jump_from_initial_margin(scene, [(scene.series[0], scene.raw(1_000))], jump)
        lacking = -min(account_equity(scene.market, scene.account(who)) for who in PAIR)
        assert 0 < gain < lacking and round(gain / scene.raw(1)) == 92
        had = pair_wealth(scene)
        scene.checkpoint()
        scene.stage.liquidate([scene.account(1)], scene.people[2])
        house = scene.market.house
        assert 0 <= house.bad_debt - lacking < scene.raw(0.01) and house.insured == scene.raw(10)
        scene.window_passes()
        scene.window_passes()  # the first anchor was too young to be replaced
        scene.settle(0)
        assert house.account(scene.account(0)).purse.claim == 0
        assert had - scene.raw(0.1) < pair_wealth(scene) <= had
