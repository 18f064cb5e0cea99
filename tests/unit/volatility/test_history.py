"""Past prices as samples, and the exact integers beside numpy on them."""

import gzip

import numpy as np
import pytest

from everstock.chain.deployment import FLOORS, UNDERLYINGS
from everstock.model.constants import YEAR
from everstock.model.volatility_oracle import CEILING, HALF_LIVES
from everstock.replay.bars import PriceError
from everstock.volatility import history
from everstock.volatility.history import Samples, first_prices, read, reference, seed, tracks, worst_error
from everstock.volatility.report import STRETCHES

START = 1_759_968_000


def found(stretch: str, underlying: str) -> Samples:
    try:
        path = history.find(STRETCHES[stretch].format(underlying))
    except PriceError as error:
        pytest.skip(str(error))
    return read(path, underlying)


def walk(steps: int = 400, sigma: float = 0.8, gaps: bool = True, seed: int = 5) -> Samples:
    """A random walk whose samples come late as often as not, some by twelve hours."""
    rng = np.random.default_rng(seed)
    spans = 600 * (rng.geometric(0.5, steps) if gaps else np.ones(steps, dtype=np.int64))
    if gaps:
        spans[::97] = 43_200
    times = START + np.cumsum(spans)
    logs = rng.normal(size=steps) * sigma * np.sqrt(spans / YEAR)
    return first_prices("BTC", times.tolist(), (100_000 * np.exp(np.cumsum(logs))).tolist())


@pytest.mark.parametrize("underlying", UNDERLYINGS)
@pytest.mark.parametrize("stretch", STRETCHES)
def test_model__beside_numpy__on_past_prices(stretch, underlying):
    """A thousandth is wanted; what is left is the rounding of what is written."""
    assert max(worst_error(found(stretch, underlying))) < 1e-8


def test_model__beside_numpy__on_a_walk_with_pauses():
    assert max(worst_error(walk())) < 1e-8


def test_reference__is_the_recursion_spelled_out():
    """The weighted sum and the rule of docs/SPEC.md, both in floats."""
    samples = walk()
    for found_, half_life in zip(reference(samples), HALF_LIVES, strict=True):
        value = expected = samples.beginning / 10**10
        for square, elapsed, value in zip(samples.squares, samples.elapsed, found_[1:], strict=True):
            w = 1 - 0.5 ** (elapsed / half_life)
            most = (1 - 0.5 ** (600 / half_life)) * 0.01 * YEAR / 600
            expected = (1 - w) * expected + min(w * square * YEAR / elapsed, most)
            assert value == pytest.approx(expected, rel=1e-11)


def test_model__of_a_walk__measures_its_sigma_however_irregular_the_samples():
    """A mean over walks of 80%, the first day left out."""
    for gaps in (True, False):
        after = [track for s in range(10) for track in tracks(walk(gaps=gaps, seed=s), 6_400_000_000)[144:]]
        assert np.mean([track.fast for track in after]) / 10**18 == pytest.approx(0.64, rel=0.1)
        assert np.mean([track.slow for track in after]) / 10**18 == pytest.approx(0.64, rel=0.1)


def test_seed__goes_on_where_history_ends():
    samples = walk()
    half = len(samples) // 2
    first = Samples("BTC", samples.times[: half + 1], samples.prices[: half + 1])
    begun = seed(first, 10**9)
    assert (begun.underlying, begun.floor) == (0, FLOORS["BTC"])
    assert begun.time == samples.times[half] and begun.price == samples.prices[half]
    track = begun.track()
    for time, price in zip(samples.times[half + 1 :].tolist(), samples.prices[half + 1 :].tolist(), strict=True):
        track = track.moved(price, time)
    whole = tracks(samples, 10**9)[-1]
    assert (track.fast, track.slow) == (pytest.approx(whole.fast, rel=1e-8), pytest.approx(whole.slow, rel=1e-8))


def test_seed__of_wild_prices__is_no_higher_than_the_ceiling():
    samples = first_prices("BTC", [START + 600 * i for i in range(50)], [100_000 * (1.2 if i % 2 else 1) for i in range(50)])
    assert seed(samples).fast == seed(samples).slow == CEILING


def test_first_prices__one_a_boundary__the_first():
    times = [START + 5, START + 7, START + 599, START + 600, START + 1_900]
    samples = first_prices("BTC", times, [1, 2, 3, 4, 5])
    assert samples.times.tolist() == [START + 5, START + 600, START + 1_900]
    assert samples.prices.tolist() == [10**8, 4 * 10**8, 5 * 10**8]
    assert samples.elapsed.tolist() == [595, 1_300]


def test_first_prices__fewer_than_two__is_refused():
    with pytest.raises(PriceError, match="fewer than two"):
        first_prices("BTC", [START, START + 1], [1, 2])


def test_read__plain_and_packed__are_the_same(tmp_path):
    text = "timestamp,open,high,low,close\n" + "".join(f"{START + 600 * i},{100 + i},0,0,0\n" for i in range(3))
    plain, packed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    assert read(plain, "ETH").prices.tolist() == read(packed, "ETH").prices.tolist() == [i * 10**8 for i in (100, 101, 102)]
    plain.write_text("time,price\n1,2\n")
    with pytest.raises(PriceError, match=r"a\.csv: not bars"):
        read(plain, "ETH")
    with pytest.raises(PriceError, match="no.csv"):
        read(tmp_path / "no.csv", "ETH")


def test_find__no_such_file__is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("EVERSTOCK_DATA", str(tmp_path))
    with pytest.raises(PriceError, match="EVERSTOCK_DATA"):
        history.find("nothing.csv")
