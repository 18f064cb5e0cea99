"""The pool's own scenario test in granules: rounded against the pool's freedom, saturating."""

from fractions import Fraction
from math import ceil, floor

from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
MOST = 2**63 - 1

EFFECT = st.one_of(st.integers(-(10**48), 10**48), st.integers(-(2**200), 2**200))
LOSSES = st.lists(st.integers(-MOST, MOST), min_size=6, max_size=6)


def saturated(number: int) -> int:
    return min(max(number, -MOST), MOST)


@given(
    losses=LOSSES,
    delta=st.integers(-MOST, MOST),
    effects=st.lists(EFFECT, min_size=6, max_size=6),
    shift=EFFECT,
    is_small=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_affect__losses_up_delta_down_far_points_a_third(
    harness, small_harness, losses, delta, effects, shift, is_small
):
    target = small_harness if is_small else harness
    granule = target.granule() * WAD
    target.affect(1, (losses, delta, 77), (effects, shift))
    stored = target.exposure(1)
    divisors = [granule] * 4 + [3 * granule] * 2
    wanted = [saturated(loss + ceil(Fraction(more, by))) for loss, more, by in zip(losses, effects, divisors)]
    assert list(stored.losses) == wanted
    assert stored.delta == saturated(delta + floor(Fraction(shift, granule)))
    assert stored.checkpoint_price == 77


@given(effects=st.lists(EFFECT, min_size=6, max_size=6))
@settings(max_examples=50, deadline=None)
def test_affect__added_and_taken_away__leaves_no_loss_smaller_than_before(harness, effects):
    """What trades add between checkpoints may only overstate R."""
    harness.affect(0, ([5] * 6, 5, 0), (effects, 0))
    once = harness.exposure(0)
    harness.affect(0, once, ([-effect for effect in effects], 0))
    if max(map(abs, once.losses)) < MOST:
        assert all(5 <= loss <= 6 for loss in harness.exposure(0).losses)


@given(
    worst=st.integers(0, 2**64 - 1),
    written=st.integers(0, 2**64 - 1),
    charge=st.integers(0, 50_000),
    scale=st.one_of(st.just(WAD), st.integers(10**12, WAD)),
    is_small=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_requirement__worst_and_default_charge__floor_and_one(
    harness, small_harness, worst, written, charge, scale, is_small
):
    target = small_harness if is_small else harness
    exact = (worst + Fraction(charge, 100_000) * written) * target.granule() * scale / WAD
    assert target.requirement((worst, written, 0, 0), charge, scale) == (floor(exact) + 1 if exact else 0)


@given(units=st.integers(0, 2**118), more=st.integers(-(2**112), 2**112))
@settings(max_examples=100, deadline=None)
def test_written__in_granules__more_rounds_up_and_less_rounds_down(harness, units, more):
    granule = harness.granule()
    written = harness.granules_up(units)
    assert written == ceil(Fraction(units, granule))
    assert harness.written(written, more) == max(0, written + ceil(Fraction(more, granule)))


def test_granule__is_about_a_3500th_of_a_token(harness, small_harness):
    assert harness.granule() == 2**48
    assert small_harness.granule() == 2**8
