"""Invariant 5: at unchanged price and time nobody profits, whoever colludes."""

from fractions import Fraction

from hypothesis import assume, example, given
from hypothesis import strategies as st

from everstock.model.constants import DEPOSIT_WAIT, REDEMPTION_WAIT
from everstock.model.reverts import Revert
from tests.economics.scene import OWN, Scene, Start, Step, examples, starts, steps_of
from tests.economics.stage import Alone, told_both
from tests.economics.wealth import unswept, wealth

plans = st.lists(steps_of(OWN), min_size=1, max_size=10).map(tuple)

# Three accounts in both pools' queues, with a book of others, in the hour after a fall that put the second below maintenance.
BUSY = Start(
    margins=(40, 12, 100, 200, 200, 50),
    history=(
        ("request_deposit", "main_pool", 300),
        ("request_deposit", "insurance_pool", 30),
        ("request_redeem", "main_pool", 0.5),
        ("trade", 3, ((0, -3.0), (5, 2.0))),
        ("trade", 1, ((0, -5.0),)),
        ("trade", 0, ((0, 4.0), (1, -1.0))),
        ("pass_time", 3_700, 1.06, 0.97),
        ("checkpoint",),
        ("pass_time", DEPOSIT_WAIT, 1.04, 1.0),
        ("checkpoint",),
        ("pass_time", DEPOSIT_WAIT + 1, 1.005, 1.0),
    ),
)
# Requests that have waited three days while buyers of straddles won, and a price that has just come back a little.
PATIENT = Start(
    margins=(40, 12, 100, 200, 200, 50),
    history=(
        ("trade", 3, ((0, 2.5), (1, 2.5))),
        ("trade", 0, ((4, -1.0), (1, 0.5))),
        ("request_redeem", "main_pool", 0.5),
        ("request_redeem", "insurance_pool", 0.5),
        ("request_deposit", "main_pool", 200),
        ("pass_time", REDEMPTION_WAIT, 1.12, 0.98),
        ("window_passes",),
        ("pass_time", 900, 0.985, 1.0),
    ),
)
EVERYTHING: tuple[Step, ...] = (
    ("liquidate", 1, 0),
    ("trade", 0, ((0, 0.5), (4, -1.0)), 0.99),
    ("fulfil", "main_pool", 1, 0),
    ("fulfil", "main_pool", 0, 1),
    ("trade", 2, ((0, -1.0),)),
    ("checkpoint",),
    ("fulfil", "insurance_pool", 1, 0),
    ("trade_dust", 2, 0, 7),
    ("close", 0, 0, 1.0),
    ("settle", 1),
    ("request_redeem", "insurance_pool", 1.0),
    ("close", 2, 0, 1.0),
    ("withdraw", 2, 0.5),
    ("collect", "main_pool"),
)


def check(scene: Scene, plan: tuple[Step, ...]) -> None:
    """No step of a plan makes those who collude richer together, by exact fractions, but for what floors leave behind.

    Less than one raw unit where a deposit buys at E rounded down, and where a bankrupt account's loss is rounded up before
    insurance pays it.
    """
    before = scene.wealth()
    for step in plan:
        slack = Fraction({"fulfil": 1, "liquidate": 1, "liquidate_all": len(OWN)}.get(step[0], 0))
        scene.do(step)
        after = scene.wealth()
        profit = after - before
        assert profit < slack or profit <= 0, f"invariant 5: {step} brings {float(profit)} raw units"
        before = after


@given(start=starts(), plan=plans)
@example(start=BUSY, plan=EVERYTHING)
@example(start=PATIENT, plan=EVERYTHING)
@examples(80)
def test_any_sequence__at_unchanged_price_and_time__profits_nobody(start, plan):
    check(Scene.begin(Alone(start.decimals), start), plan)


@given(
    legs=st.lists(st.tuples(st.integers(0, 7), st.floats(-4, 4)), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
    start=starts(4),
)
@examples(30)
def test_round_trip__opened_and_closed_in_any_order_and_split__costs_every_fee(legs, order, start):
    """Every leg is opened in two accounts by halves and closed again; each order costs a unit at least, even without impact."""
    scene = Scene.begin(Alone(start.decimals), start)
    scene.window_passes()
    assume(not scene.market.risk.state.frozen)
    scene.market.risk.parameters.impact = 0
    accounts = [scene.account(who) for who in OWN]
    for who in OWN:
        scene.settle(who)
    opening = [("trade", who, ((place, size / 2),)) for place, size in legs for who in (0, 1) for _ in (0, 1)]
    order.shuffle(opening)
    before = wealth(scene.market, accounts)
    orders = sum(not isinstance(scene.do(step), Revert) for step in opening)
    for who in (1, 0):
        for place in range(len(scene.market.house.account(scene.account(who)).legs), 0, -1):
            orders += not isinstance(scene.do(("close", who, order.randrange(place), 1.0)), Revert)
    assert before - wealth(scene.market, accounts) >= orders, "invariant 5"


@given(turnover=st.lists(st.floats(1, 8), min_size=1, max_size=5), tokens=st.sampled_from([1, 50, 5_000]))
@examples(25)
def test_insurance_entry__pays_for_what_is_about_to_be_swept(turnover, tokens):
    """Fees and loads come to insurance's ledger at the next checkpoint only, but its shares are sold at the ledger and insurance's
    part of them: whoever enters just before one takes nothing from who was there before."""
    scene = Scene.begin(Alone(), Start(provided=0, insurance=50, margins=(100,) * 6))
    scene.request_deposit("insurance_pool", tokens)
    scene.pass_time(DEPOSIT_WAIT, 1, 1)
    for who, size in zip((3, 4, 5, 3, 4), turnover, strict=False):
        scene.do(("trade", who, ((0, size), (5, -0.1))))
        scene.do(("close", who, 0, 1.0))
    assert unswept(scene.market) > 0
    before = scene.wealth()
    assert scene.fulfil("insurance_pool", 1, 0) == (1, 0)
    assert scene.wealth() <= before
    scene.checkpoint()
    assert scene.wealth() <= before + 1


@given(start=starts(5), plan=plans)
@example(start=BUSY, plan=EVERYTHING)
@example(start=PATIENT, plan=EVERYTHING[::-1])
@examples(1)
def test_contracts__any_sequence__at_unchanged_price_and_time__profits_nobody(protocol, start, plan):
    with told_both(protocol) as stage:
        check(Scene.begin(stage, start), plan)
