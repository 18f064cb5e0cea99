"""What each kind of trader wants: the right legs, within its margin, and less when it must."""

from dataclasses import replace

import pytest

from everstock.demo.cast import Kind, Profile
from everstock.demo.options import Leg, initial
from everstock.demo.traders import MAX_LEVERAGE, PAUSE_SECONDS, Quote, Trader, View
from everstock.parameters import MarketParameters

PARAMETERS = MarketParameters.preset(400.0, 18)
START = 1_600_000_000
OPENING = 3_600
LATER = START + OPENING

# Calls (odd) and puts (even) of five strikes on both underlyings.
QUOTES = [
    Quote(series=1 + 10 * u + 2 * i + is_put, underlying=u, is_put=bool(is_put), moneyness=m, open=True)
    for u in (0, 1)
    for i, m in enumerate((1.2, 1.1, 1.0, 0.92, 0.84))
    for is_put in (0, 1)
]
BY_ID = {quote.series: quote for quote in QUOTES}


def profile(kind=Kind.CALL_BUYER, **changes):
    common = Profile("someone", kind, "TSLA.M", 0, 100, 0.5, 1.0, 0.0, 0.1, seed=7)
    return replace(common, **changes)


def trader(kind=Kind.CALL_BUYER, **changes):
    return Trader(profile(kind, **changes), PARAMETERS, START, OPENING)


def view(**changes):
    return replace(View(LATER, QUOTES, equity=100.0, initial=0.0, legs={}), **changes)


def wishes(make, count=200, **changes):
    """What many traders who differ only in their luck want in the same place."""
    found = (make(seed=seed).decide(view(**changes)) for seed in range(count))
    return [wish for wish in found if wish is not None]


def sides(wish):
    """Calls and puts, bought and written, of an order."""
    return [(BY_ID[series].is_put, face > 0) for series, face in wish.legs]


@pytest.mark.parametrize(
    ("kind", "legs"),
    [
        (Kind.CALL_BUYER, [(False, True)]),
        (Kind.PUT_BUYER, [(True, True)]),
        (Kind.CALL_WRITER, [(False, False)]),
        (Kind.PUT_WRITER, [(True, False)]),
        (Kind.CALL_SPREAD, [(False, True), (False, False)]),
        (Kind.PUT_SPREAD, [(True, True), (True, False)]),
        (Kind.STRADDLE_BUYER, [(False, True), (True, True)]),
        (Kind.STRADDLE_WRITER, [(False, False), (True, False)]),
    ],
)
def test_decide__each_kind_opens_what_it_is_called(kind, legs):
    wish = trader(kind).decide(view())
    assert sides(wish) == legs
    assert not wish.reduce_only
    assert len({abs(face) for _, face in wish.legs}) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_decide__holders_of_both__have_a_leg_on_each_underlying(seed):
    wish = trader(Kind.BOTH, seed=seed).decide(view())
    assert {BY_ID[series].underlying for series, _ in wish.legs} == {0, 1}


def test_decide__before_its_time__waits():
    assert trader().decide(view(time=START - 1)) is None


def test_decide__nothing_listed_or_only_on_notice__waits():
    assert trader().decide(view(quotes=[])) is None
    assert trader().decide(view(quotes=[replace(quote, open=False) for quote in QUOTES])) is None


def test_decide__takes_the_margin_it_wants_to_use_but_for_the_reckless():
    found = wishes(lambda seed: trader(Kind.PUT_WRITER, seed=seed))
    within = 0
    for wish in found:
        legs = [Leg(0, BY_ID[series].moneyness, BY_ID[series].is_put, face) for series, face in wish.legs]
        needed = initial(legs, PARAMETERS)
        assert needed == pytest.approx(50.0) or needed == pytest.approx(150.0)
        within += needed < 100
    assert 0.85 * len(found) < within < len(found)


def test_decide__cheap_options__are_bounded_by_leverage():
    spread = trader(Kind.CALL_SPREAD, use=0.9).decide(view())
    assert max(abs(face) for _, face in spread.legs) <= MAX_LEVERAGE * 100


def test_decide__some_orders_have_a_limit_and_a_few_ask_for_too_much():
    found = wishes(trader, count=400)
    value = {wish.limit for wish in found if wish.limit is not None}
    assert 0.3 * len(found) < sum(wish.limit is not None for wish in found) < 0.8 * len(found)
    assert len(value) > 2


def test_decide__after_an_order__pauses():
    one = trader()
    assert one.decide(view()) is not None
    assert one.decide(view(time=LATER + PAUSE_SECONDS - 1)) is None


def test_decide__close_to_its_margin__the_prudent_cut_in_half():
    held = {5: -200.0}
    near = {"legs": held, "equity": 10.0, "initial": 9.5}
    assert trader(Kind.CALL_WRITER, prudence=0.0, restlessness=0.0).decide(view(**near)) is None
    wish = trader(Kind.CALL_WRITER, prudence=1.0, restlessness=0.0).decide(view(**near))
    assert wish.legs == ((5, 100.0),) and wish.reduce_only


def test_decide__far_ahead__some_take_their_profit():
    ahead = {"legs": {5: 200.0}, "equity": 300.0, "initial": 20.0}
    found = wishes(lambda seed: trader(restlessness=0.0, seed=seed), **ahead)
    assert 0 < len(found) < 200
    assert all(wish.reduce_only and wish.legs == ((5, -202.0),) for wish in found)


def test_decide__restless__rolls_into_the_money_in_one_order():
    old = {3: 50.0}  # far from the preferred moneyness
    found = wishes(lambda seed: trader(restlessness=1.0, seed=seed), legs=old, equity=100.0, initial=5.0)
    rolls = [dict(wish.legs) for wish in found if len(wish.legs) == 2]
    assert rolls
    assert all(roll[3] == -50.0 and roll[5] > 0 for roll in rolls)


def test_decide__ruined__never_comes_back():
    one = trader(restlessness=1.0)
    assert all(one.decide(view(time=LATER + 3_600 * hour, equity=10.0)) is None for hour in range(100))


def test_decide__same_seed_same_orders():
    def life(seed):
        one = trader(Kind.STRADDLE_BUYER, restlessness=0.3, seed=seed)
        return [one.decide(view(time=LATER + 900 * i, legs={5: 10.0} if i % 2 else {})) for i in range(60)]

    assert life(3) == life(3) != life(4)
