"""A series in time: what a touch adds to its gain indexes, against exact rationals, and the list of active ones."""

from dataclasses import astuple, dataclass, replace
from fractions import Fraction
from math import floor

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
GAIN = 10**24
RATE = 10**10
YEAR = 365 * 86_400
HOUR = 3_600
FROZEN = 1
START = 1_759_968_000
STRIKE = 100 * 10**8


@dataclass(frozen=True)
class Series:
    """As the module has it; at the money and open, without units, unless said."""

    strike: int = STRIKE
    is_put: bool = False
    underlying: int = 0
    time: int = START
    price: int = STRIKE
    long_rate: int = 0
    short_rate: int = 0
    long_gain: int = 0
    short_gain: int = 0
    long_units: int = 0
    short_units: int = 0
    notice: int = 0


@dataclass(frozen=True)
class Terms:
    """As the module has it; the defaults of a market."""

    price: int = STRIKE
    sharpness: int = 17
    long_variance: int = 51 * 10**8
    short_variance: int = 36 * 10**8
    carry: int = 10_000
    load: int = 1_000_000
    surcharge: int = 0
    scale: int = WAD
    share: int = 500


SERIES = st.builds(
    Series,
    is_put=st.booleans(),
    price=st.integers(STRIKE // 4, 4 * STRIKE),
    long_rate=st.integers(-(10**11), 10**12),
    short_rate=st.integers(-(10**11), 10**12),
    long_gain=st.integers(-(2**120), 2**120),
    short_gain=st.integers(-(2**120), 2**120),
    long_units=st.one_of(st.just(0), st.integers(1, 2**112 - 1), st.integers(10**15, 10**22)),
    short_units=st.one_of(st.just(0), st.integers(1, 2**112 - 1), st.integers(10**15, 10**22)),
)
TERMS = st.builds(
    Terms,
    price=st.integers(STRIKE // 4, 4 * STRIKE),
    sharpness=st.integers(5, 100),
    long_variance=st.integers(10**6, 10**12),
    short_variance=st.integers(10**6, 10**12),
    carry=st.integers(-30_000, 30_000),
    load=st.integers(0, 1_500).map(lambda rate: rate * 10_000),
    surcharge=st.integers(0, 15_000_000),
    scale=st.one_of(st.just(WAD), st.integers(10**12, WAD)),
    share=st.integers(0, 500),
)
ELAPSED = st.one_of(st.sampled_from([0, 1, HOUR, HOUR + 1]), st.integers(0, 86_400), st.integers(0, 10 * YEAR))


def grow(harness, series: Series, terms: Terms, elapsed: int):
    """The series `elapsed` seconds later, and the growth."""
    boa.env.evm.patch.timestamp = START + elapsed
    grown, growth = harness.grow(astuple(series), astuple(terms))
    return Series(*grown), growth


def mark(harness, series: Series, price: int, sharpness: int) -> Fraction:
    """Of a whole unit of face, exactly what the contracts deem it to be."""
    moneyness = harness.moneyness(price, series.strike)
    return Fraction(harness.marks(moneyness, sharpness)[series.is_put], WAD)


def loads(harness, series: Series, terms: Terms) -> tuple[int, int]:
    """Load and surcharge of both sides at the present price, 1e-10 a year."""
    moneyness = harness.moneyness(terms.price, series.strike)
    time_value = harness.time_value(moneyness, terms.sharpness)
    slope = terms.sharpness * time_value - (moneyness if series.is_put else 0)
    if moneyness >= WAD:
        slope = (1 - terms.sharpness) * time_value + (0 if series.is_put else moneyness)
    rates = harness.rates(
        time_value,
        slope,
        terms.sharpness,
        terms.long_variance,
        terms.short_variance,
        terms.carry,
        terms.load + (terms.surcharge if series.long_units > series.short_units else 0),
        terms.load + (terms.surcharge if series.short_units > series.long_units else 0),
    )
    return rates.long_load, rates.short_load


@given(series=SERIES, terms=TERMS, elapsed=ELAPSED)
@settings(max_examples=200, deadline=None)
def test_grow__any_touch__adds_mark_and_premium_rounded_down_on_both_sides(harness, series, terms, elapsed):
    grown, growth = grow(harness, series, terms, elapsed)
    if (elapsed == 0 and terms.price == series.price) or not (series.long_units or series.short_units):
        assert (grown.long_gain, grown.short_gain) == (series.long_gain, series.short_gain)
        assert growth.owed == growth.accrued == 0
        return
    assert (grown.time, grown.price) == (START + elapsed, terms.price)
    rise = mark(harness, series, terms.price, terms.sharpness) - mark(harness, series, series.price, terms.sharpness)
    longs, shorts = (series.long_rate, grown.long_rate), (series.short_rate, grown.short_rate)
    paid, received = Fraction(sum(longs), 2), Fraction(sum(shorts), 2)
    if elapsed > HOUR:
        paid, received = Fraction(max(longs)), Fraction(min(shorts))
    years = Fraction(elapsed, YEAR)
    long_gain = floor(Fraction(terms.scale, WAD) * (rise - paid / RATE * years) * GAIN)
    short_gain = floor(Fraction(terms.scale, WAD) * (-rise + received / RATE * years) * GAIN)
    assert grown.long_gain - series.long_gain == long_gain
    assert grown.short_gain - series.short_gain == short_gain
    assert growth.owed == series.long_units * long_gain + series.short_units * short_gain

    long_load, short_load = loads(harness, series, terms)
    long_face, short_face = (units * terms.scale // WAD for units in (series.long_units, series.short_units))
    share = Fraction(terms.share, 1_000) * years
    assert growth.accrued == floor((long_face * long_load + short_face * short_load) * share / RATE)


@given(series=SERIES, terms=TERMS, elapsed=ELAPSED)
@settings(max_examples=100, deadline=None)
def test_grow__at_unchanged_variances__the_pool_never_pays_a_short_more_than_a_long_paid(
    harness, series, terms, elapsed
):
    """Invariant 5, in the small: one unit on both sides leaves the pool with no less than nothing."""
    low, high = sorted((series.short_rate, series.long_rate))
    quiet, wild = sorted((terms.short_variance, terms.long_variance))
    series = replace(series, short_rate=low, long_rate=high, long_units=WAD, short_units=WAD)
    _, growth = grow(harness, series, replace(terms, short_variance=quiet, long_variance=wild), elapsed)
    assert growth.owed <= 0


def test_grow__price_there_and_back__leaves_the_gain_but_for_rounding(harness):
    """Marks telescope: only premium and at most one unit of G a touch remain."""
    series = Series(long_units=WAD, short_units=WAD)
    flat = Terms(long_variance=0, short_variance=0, carry=0, load=0)
    there, _ = grow(harness, series, replace(flat, price=STRIKE * 2), 1)
    back, _ = grow(harness, there, flat, 2)
    assert back.long_gain in (-2, -1, 0) and back.short_gain in (-2, -1, 0)


def test_grow__frozen_series__stays_as_it_is(harness):
    series = Series(long_units=WAD, short_units=5, long_gain=7, short_gain=-7, notice=FROZEN)
    grown, growth = grow(harness, series, Terms(price=STRIKE * 2), YEAR)
    assert grown == series
    assert tuple(growth) == (0, 0)


def test_grow__on_notice__goes_on(harness):
    series = Series(long_units=WAD, notice=START)
    grown, _ = grow(harness, series, Terms(price=STRIKE * 2), 60)
    assert grown.long_gain > 0 and grown.notice == START


def test_grow__without_units__only_moves_price_time_and_rates(harness):
    series = Series(long_gain=7, short_gain=-7)
    grown, growth = grow(harness, series, Terms(price=STRIKE * 2), YEAR)
    assert grown == replace(
        series, price=STRIKE * 2, time=START + YEAR, long_rate=grown.long_rate, short_rate=grown.short_rate
    )
    assert grown.long_rate > 0 and tuple(growth) == (0, 0)


@pytest.mark.parametrize(
    ("elapsed", "paid", "received"), [(HOUR, 15, 15), (HOUR + 1, 30, 0)], ids=["mean up to an hour", "worse beyond"]
)
def test_grow__left_alone__a_long_pays_the_larger_end_and_a_short_receives_the_smaller(
    harness, elapsed, paid, received
):
    """30 a year at the last touch, nothing now."""
    terms = Terms(long_variance=0, short_variance=0, carry=0, load=0)
    series = Series(long_rate=30 * RATE, short_rate=30 * RATE, long_units=WAD, short_units=WAD)
    grown, _ = grow(harness, series, terms, elapsed)
    assert grown.long_gain == floor(-Fraction(paid * elapsed * GAIN, YEAR))
    assert grown.short_gain == floor(Fraction(received * elapsed * GAIN, YEAR))


def test_rates__surcharge__is_the_side_the_pool_is_against(harness):
    """Longs when traders are net long in the series, shorts when net short, nobody when level."""
    terms = Terms(load=0, surcharge=5_000_000)

    def rates(long_units: int, short_units: int) -> tuple[int, int]:
        grown, _ = grow(harness, Series(long_units=long_units, short_units=short_units), terms, 1)
        return grown.long_rate, grown.short_rate

    level = rates(WAD, WAD)
    assert rates(WAD + 1, WAD)[0] > level[0] and rates(WAD + 1, WAD)[1] == level[1]
    assert rates(WAD, WAD + 1)[0] == level[0] and rates(WAD, WAD + 1)[1] < level[1]
    assert rates(0, 0) == level


def test_terms__longs_are_on_the_larger_variance_and_shorts_on_the_smaller(harness):
    rates = 100 | 500 << 16 | 400 << 16 * 14
    limits = 7_000 << 192 | (2**16 - 3_000) << 208
    for fast, slow in ((36 * 10**8, 51 * 10**8), (51 * 10**8, 36 * 10**8)):
        word = STRIKE | START << 64 | fast << 96 | slow << 136 | 1 << 176
        terms = Terms(*harness.terms(word, 1, 17, rates, limits, WAD // 2, 2_500))
        assert terms == Terms(
            price=STRIKE,
            sharpness=17,
            long_variance=51 * 10**8,
            short_variance=36 * 10**8,
            carry=-3_000,
            load=1_000_000,
            surcharge=1_250_000,
            scale=WAD // 2,
            share=400,
        )


@given(price=st.integers(0, 2**64 - 1), strike=st.integers(1, 2**56 - 1))
@settings(max_examples=100, deadline=None)
def test_moneyness__any_price__floor_inside_the_clamp(harness, price, strike):
    assert harness.moneyness(price, strike) == min(max(price * WAD // strike, 10**14), 10**22)


@given(
    long_units=st.integers(0, 2**111),
    short_units=st.integers(0, 2**111),
    before=st.integers(-(2**110), 2**110),
    after=st.integers(-(2**110), 2**110),
)
@settings(max_examples=100, deadline=None)
def test_resized__moves_a_legs_units_on_its_own_side_only(harness, long_units, short_units, before, after):
    held = Series(long_units=long_units + max(before, 0), short_units=short_units + max(-before, 0))
    resized = Series(*harness.resized(astuple(held), before, after))
    assert resized == replace(held, long_units=long_units + max(after, 0), short_units=short_units + max(-after, 0))


@given(
    units=st.integers(-(2**112) + 1, 2**112 - 1),
    entry=st.integers(-(2**126), 2**126),
    gains=st.tuples(*[st.integers(-(2**126), 2**126)] * 2),
)
@settings(max_examples=100, deadline=None)
def test_gain__of_a_leg__is_exact_and_on_its_sides_index(harness, units, entry, gains):
    series = Series(long_gain=gains[0], short_gain=gains[1])
    assert harness.gain(astuple(series), units, entry) == abs(units) * (gains[units <= 0] - entry)


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.integers(0, 15)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_active__listed_and_frozen_in_any_order__is_packed_without_gaps(harness, steps):
    """Against two plain lists. Ids count up and are never given again."""
    active: tuple[list[int], list[int]] = ([], [])
    given_so_far = 0
    for lists, underlying, place in steps:
        ids = active[underlying]
        if lists and len(ids) < 16:
            given_so_far += 1
            assert harness.list_series(astuple(Series(underlying=underlying))) == given_so_far
            ids.append(given_so_far)
        elif not lists and ids:
            gone = ids.pop(place % len(ids))
            harness.unlist(gone)
        for u, wanted in enumerate(active):
            word = harness.active(u)
            packed = [word >> 16 * i & 0xFFFF for i in range(16)]
            assert sorted(packed[: len(wanted)]) == sorted(wanted)
            assert not any(packed[len(wanted) :])


def test_active__all_sixteen_places__every_one_can_be_freed(harness):
    for place in range(16):
        with boa.env.anchor():
            ids = [harness.list_series(astuple(Series())) for _ in range(16)]
            harness.unlist(ids[place])
            word = harness.active(0)
            assert {word >> 16 * i & 0xFFFF for i in range(16)} == set(ids) - {ids[place]} | {0}
