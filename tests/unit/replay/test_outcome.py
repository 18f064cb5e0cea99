"""The insurance ledger out of events, and what contradicts it."""

from everstock.replay.market import Event
from everstock.replay.outcome import Settlement, insurance_after


def event(name, **args):
    return Event(0, name, args)


def test_insurance_is_what_was_swept_penalties_less_rewards_and_draws():
    events = [
        event("Swept", insurance=30, treasury=7),
        event("Liquidated", penalty=20, reward=4),
        event("ToppedUp", amount=5),
        event("LayerDrawn", layer=1, amount=999, left=0),
        event("LayerDrawn", layer=2, amount=100, left=51),
        event("LayerDrawn", layer=3, amount=40, left=7),
    ]
    assert insurance_after(100, events) == (51, [])


def test_a_draw_that_leaves_something_else_is_a_problem():
    fund, wrong = insurance_after(100, [event("LayerDrawn", layer=2, amount=100, left=1)])
    assert fund == 0
    assert wrong == ["insurance has 0 raw units after a draw, its event says 1"]


def test_a_settlement_that_begins_with_something_else_is_a_problem():
    _, wrong = insurance_after(100, [event("SettlementBegan", insurance=99)])
    assert wrong == ["settlement began with 99 raw units of insurance, events make it 100"]
    assert insurance_after(100, [event("SettlementBegan", insurance=100)]) == (100, [])


def test_the_end_of_a_settlement_says_what_is_left():
    events = [event("LayerDrawn", layer=4, amount=60, left=40), event("SettlementFinished", insurance=12)]
    assert insurance_after(100, events) == (12, [])


def test_h_is_known_once_a_settlement_is_over():
    assert Settlement(0, None, 0, 0).h is None
    assert Settlement(0, 1, claims=200, paid=150).h == 0.75
    assert Settlement(0, 1, claims=0, paid=0).h == 1.0
