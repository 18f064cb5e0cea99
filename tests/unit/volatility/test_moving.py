"""What it takes to move a sigma, tried out on the exact integers."""

import math

import pytest

from everstock.model.volatility_oracle import HALF_LIVES, SPAN, Track
from everstock.volatility import moving

START = 1_759_968_000
SIGMAS = pytest.mark.parametrize("sigma", moving.SIGMAS)
WHICH = pytest.mark.parametrize("which", [0, 1], ids=["fast", "slow"])


def after(sigma: float, prices: list[float], spans: list[int]) -> list[float]:
    """Both sigmas of a track that began at `sigma` and 100,000 dollars."""
    variance = round(sigma**2 * 10**18)
    track = Track(100_000 * 10**8, START, variance, variance, 10**6)
    for price, span in zip(prices, spans, strict=True):
        track = track.moved(round(price * 10**8), track.time + span)
    return [math.sqrt(track.fast / 10**18), math.sqrt(track.slow / 10**18)]


@SIGMAS
@WHICH
def test_lasting__raises_sigma_by_a_tenth(sigma, which):
    r = moving.lasting(sigma, HALF_LIVES[which])
    assert after(sigma, [100_000 * math.exp(r)], [SPAN])[which] == pytest.approx(1.1 * sigma, rel=1e-6)


@SIGMAS
@WHICH
def test_there_and_back__raises_sigma_by_a_tenth_with_less(sigma, which):
    r = moving.there_and_back(sigma, HALF_LIVES[which])
    assert after(sigma, [100_000 * math.exp(r), 100_000], [SPAN, SPAN])[which] == pytest.approx(1.1 * sigma, rel=1e-6)
    assert r < moving.lasting(sigma, HALF_LIVES[which])
    assert r == pytest.approx(moving.lasting(sigma, HALF_LIVES[which]) / 2**0.5, rel=0.06)


@SIGMAS
@WHICH
def test_stillness__lowers_sigma_by_a_tenth(sigma, which):
    steps = round(moving.stillness(HALF_LIVES[which]) / SPAN)
    found = after(sigma, [100_000] * steps, [SPAN] * steps)[which]
    assert found == pytest.approx(0.9 * sigma, rel=0.01)


@WHICH
def test_raised__is_what_the_integers_do(which):
    jumps = (0.03, -0.03, 0.2)
    prices = [100_000 * math.exp(sum(jumps[: i + 1])) for i in range(3)]
    exact = after(0.6, prices, [SPAN] * 3)[which]
    assert moving.raised(0.36, HALF_LIVES[which], jumps) ** 0.5 == pytest.approx(exact, rel=1e-6)
