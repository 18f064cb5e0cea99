"""Two accounts of one owner on opposite sides: invariants 30 to 32 and 34.

30. Of one account's legs and their mirror image in another's, whatever series they are in, prices, time, carry, variances and
    other people's trades never make the sum larger: a long pays at least what a short receives, at any instant and for any
    span, and both round down.
31. So with limited liability, a bankrupt account counting as zero, a pair has at most what it had before and the shortfall of
    the account that went bankrupt; liquidating that adds nothing. How large that can be is in `test_limited_liability`.
32. Neither do different series with the same exposure: a synthetic forward (a call bought, the put written) of one strike
    against that of another, faces in proportion to strikes, in one account or in two, touched at whatever times.
34. Whoever buys makes no long cheaper and takes nothing from a short, whoever writes the other way round: nobody can bring the
    surcharge onto the other side by growing their own. It can by growing the other: where traders are nearly level a raw unit
    more decides which side pays kappa * utilisation on all it holds, so a writer may buy as much as shorts exceed longs by, and
    the longs pay. The pool is paid the same; at full utilisation it is half of the premium that changes hands.
"""

from fractions import Fraction

from hypothesis import assume, event, example, given
from hypothesis import strategies as st

from everstock.model import everlasting, series_book
from everstock.model.constants import GAIN, WAD
from everstock.model.reverts import Revert
from everstock.model.series_book import Series, Terms
from tests.economics.pair import PAIR, books, open_pair, pair_wealth
from tests.economics.scene import Scene, Start, Step, account_steps, drifts, examples, moments, starts, waits
from tests.economics.stage import Alone, list_near, told_both
from tests.economics.wealth import account_equity

OTHERS = (3, 4, 5)


def mirrored(scene: Scene, book: list[tuple[int, float]], margin: float) -> None:
    """A pair with `margin` whole tokens each, its legs of (place, face over the margin)."""
    for who in PAIR:
        scene.deposit(who, margin)
    assume(open_pair(scene, [(scene.series[place], int(scene.raw(margin) * size)) for place, size in book]))


def sum_of_equities(scene: Scene) -> Fraction:
    """At the latest price, debts of a bankrupt account included."""
    return sum((account_equity(scene.market, scene.account(who)) for who in PAIR), Fraction(0))


def sum_as_touched(scene: Scene) -> Fraction:
    """The same as of each series' last touch."""
    accounts = [scene.market.house.account(scene.account(who)) for who in PAIR]
    series = scene.market.risk.book.series
    gains = sum(series[leg.series].gain(leg.units, leg.entry) for a in accounts for leg in a.legs)
    return Fraction(gains, GAIN) + sum(a.purse.cash + a.purse.claim for a in accounts)


def lacking(scene: Scene) -> Fraction:
    """What bankrupt accounts of the pair lack at the latest price."""
    return sum((max(Fraction(0), -account_equity(scene.market, scene.account(who))) for who in PAIR), Fraction(0))


def is_mirrored(scene: Scene) -> bool:
    """Whether either of the pair has what the other has written."""
    one, other = ({leg.series: leg.units for leg in scene.market.house.account(scene.account(who)).legs} for who in PAIR)
    return one == {series: -units for series, units in other.items()}


def check_history(scene: Scene, plan: list[Step]) -> None:
    """Invariants 30 and 31: the sum never grows but by a debt that a liquidation wrote off, and the pair has more than it
    only by what a bankrupt one lacks, or lacked then.

    What a series will be charged at its next touch changes with variances and carry; what it was charged does not. Where a
    liquidation closed what one of them had, they are mirror images no more, and prices may be good for what is left.
    """
    assert is_mirrored(scene)
    put_in = before = sum_as_touched(scene)
    written_off = Fraction(0)
    for step in plan:
        owed = lacking(scene)
        scene.do(step)
        after = sum_as_touched(scene)
        forgiven = owed - lacking(scene) if step[0] == "liquidate_all" else Fraction(0)
        written_off += forgiven
        assert after <= before + forgiven, f"invariant 30: {step} brings the pair {float(after - before)}"
        if not is_mirrored(scene):
            break
        assert sum_of_equities(scene) <= after, "invariant 30: the pair gains while it waits"
        before = after
    had = pair_wealth(scene)
    assert had <= put_in + lacking(scene) + written_off
    event("one went bankrupt" if lacking(scene) or written_off else "both are solvent")
    for who in PAIR:
        scene.stage.liquidate([scene.account(who)], scene.people[0])
    assert pair_wealth(scene) < had + 1, "invariant 31: liquidating itself brings the pair something"


# No history before: the pair opens at once, and others trade around it.
pair_starts = starts(3).map(lambda start: Start(**{**vars(start), "margins": (0.001, 0.001, *start.margins[2:])}))
# One bankrupt after a jump, and then liquidated.
BARE = Start(main=100, insurance=0, provided=0, margins=(0.001, 0.001, 1, 1, 1, 1))
# Twice, and one is liquidated in part; once more is a profit for what the other has more.
RISE: Step = ("pass_time", 1, 1.0, 1.125)
pair_steps = st.one_of(moments(), moments(), account_steps(OTHERS), st.tuples(st.just("settle"), st.sampled_from(PAIR)))


@given(start=pair_starts, book=books, margin=st.sampled_from([5, 100]), plan=st.lists(pair_steps, min_size=2, max_size=14))
@example(start=BARE, book=[(0, 2.0)], margin=5, plan=[("pass_time", 1, 2.0, 1.0), ("liquidate_all", 3)])
@example(start=BARE, book=[(4, 3.0)], margin=5, plan=[*2 * [RISE], ("liquidate_all", 3), RISE])
@examples(60)
def test_mirrored_books__over_any_history__never_gain_together(start, book, margin, plan):
    scene = Scene.begin(Alone(start.decimals), start)
    assume(not any(scene.market.house.account(scene.account(who)).legs for who in PAIR))
    mirrored(scene, book, margin)
    check_history(scene, plan)


ROUGH: list[Step] = [
    ("pass_time", 600, 1.03, 0.98),
    ("trade", 3, ((0, 2.0), (5, -1.0))),
    ("set_carry", 0, -20_000),
    ("settle", 0),
    ("trade", 4, ((0, -4.0),)),
    ("pass_time", 5_000, 0.97, 1.02),
    ("set_variances", 0, 2 * 10**9, 9 * 10**9),
    ("settle", 1),
    ("pass_time", 3_000, 1.04, 1.0),
    ("checkpoint",),
    ("pass_time", 12, 1.4, 0.8),
    ("checkpoint",),
]


@given(book=books)
@example(book=[(0, 1.5), (3, -1.0), (5, 2.0)])
@examples(1)
def test_contracts__mirrored_books__never_gain_together(protocol, book):
    with told_both(protocol) as stage:
        scene = Scene.begin(stage, Start(margins=(1, 1, 100, 100, 100, 100), provided=0))
        mirrored(scene, book, 50)
        check_history(scene, ROUGH)


@given(
    far=st.sampled_from([0.8, 0.85, 1.1, 1.25]),
    faces=st.floats(0.5, 3),
    carry=st.sampled_from([-30_000, 0, 10_000, 30_000]),
    in_one_account=st.booleans(),
    plan=st.lists(
        st.one_of(
            st.tuples(st.just("pass_time"), waits, drifts, drifts),
            st.tuples(st.just("settle"), st.sampled_from(PAIR)),
            st.tuples(st.just("checkpoint")),
        ),
        min_size=2,
        max_size=16,
    ),
)
@examples(40)
def test_same_exposure__by_different_series__never_gains(far, faces, carry, in_one_account, plan):
    """Invariant 32. Marks are rounded by 4 wei and moneyness by one: 40 per unit of face cover four legs."""
    scene = Scene.begin(Alone(), Start(provided=0))
    scene.set_carry(0, carry)
    place = [list_near(scene.stage, 0, far, is_put) for is_put in (False, True)]
    strike = scene.market.risk.book.series[place[0]].strike
    near = int(scene.raw(100) * faces)
    other = near * strike // scene.market.risk.book.series[scene.series[0]].strike
    for who in PAIR:
        scene.deposit(who, 1_000)
    before = sum_of_equities(scene)
    forwards = [[(scene.series[0], near), (scene.series[1], -near)], [(place[0], -other), (place[1], other)]]
    for who, legs in zip((0, 0 if in_one_account else 1), forwards, strict=True):
        assume(not isinstance(scene.stage.trade(scene.account(who), legs), Revert))
    for step in plan:
        scene.do(step)
        profit = sum_of_equities(scene) - before
        assert profit <= 40 * (near + other) // WAD + 8, f"invariant 32: {step} has brought {float(profit)}"


@given(
    sides=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
    more=st.integers(1, 2 * 10**6),
    m=st.floats(0.5, 2),
    carry=st.integers(-30_000, 30_000),
    surcharge=st.integers(0, 15_000_000),
    is_put=st.booleans(),
)
@examples(60)
def test_buying__makes_no_long_cheaper__and_writing_pays_no_short_more(sides, more, m, carry, surcharge, is_put):
    """Invariant 34."""
    price, strike = int(m * 10**10), 10**10
    t = Terms(price, 17, 4 * 10**9, 3 * 10**9, carry, 1_000_000, surcharge, WAD, 500)

    def rates(long_units: int, short_units: int) -> everlasting.Rates:
        s = Series(strike, is_put, 0, long_units=long_units, short_units=short_units)
        return series_book.rates(s, t, series_book.quote(s, price, t.sharpness))

    before, bought, written = rates(*sides), rates(sides[0] + more, sides[1]), rates(sides[0], sides[1] + more)
    assert bought.long >= before.long >= written.long
    assert bought.short >= before.short >= written.short
