"""docs/VOLATILITY.md: the model beside numpy on past prices, what moves a sigma, and a chart of both with what was realised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import dates, rc_context, ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from everstock.chain.deployment import UNDERLYINGS
from everstock.demo.charts import INK, STYLE
from everstock.model.volatility_oracle import HALF_LIVES, SPAN
from everstock.volatility import moving
from everstock.volatility.history import Floats, Samples, bounded, capped, find, read, reference, worst_error

YEARS: Final = "eight years, hourly"
# What is looked at, and the files of it.
STRETCHES: Final = {
    YEARS: "{}USDT_2017-08_2025-08_binance_1h.csv.gz",
    "calm, July 2025": "{}USDT_calm-2025-07_binance_1m.csv",
    "Covid, March 2020": "{}USDT_2020-03-12_covid_binance_5m.csv",
    "carry unwind, 5 August 2024": "{}USDT_2024-08-05_binance_1m.csv",
    "tariff crash, 10 October 2025": "{}USDT_2025-10-10_binance_5m.csv",
}
# Realised volatility that the charts show: of so long before, by how long a stretch is.
WEEK: Final = 7 * 86_400
QUARTER: Final = 6 * 3_600
FAST: Final = "#c8374d"
SLOW: Final = "#3e7cb1"
COLORS: Final = 32


@dataclass(frozen=True)
class Row:
    """One underlying over one stretch."""

    stretch: str
    samples: Samples
    errors: tuple[float, float]
    capped: float
    sigmas: tuple[float, float]  # root of the mean of each written variance


def rows() -> Iterator[Row]:
    """The model beside numpy. Raises `PriceError` where there is no data."""
    for stretch, name in STRETCHES.items():
        for underlying in UNDERLYINGS:
            samples = read(find(name.format(underlying)), underlying)
            fast, slow = np.sqrt(bounded(reference(samples), underlying).mean(axis=1))
            yield Row(stretch, samples, worst_error(samples), capped(samples), (float(fast), float(slow)))


_HEAD = """# Volatility

Written by `everstock volatility`, from past prices that are not part of this project. How both variances are measured is in
`docs/SPEC.md`, section 2.

## The contract's integers beside floats

Every sample of a stretch, a price at or after a boundary, goes through the exact integer model, which is the contract bit by bit
(`tests/unit/volatility_oracle`), and through numpy as a sum of all returns weighted by their age. Errors are the largest relative
ones of a variance as written, over all samples; wanted are less than 0.1%. Holes are where the next sample came later than usual: {holes} hours
in eight years at most. Capped are samples whose return added only as much as 10% in ten minutes would. Realised is sigma of all
returns together; mean sigmas are roots of mean variances as written, floor and ceiling applied, in crashes begun at the first day's.

| stretch | | samples | holes | worst error, fast | slow | capped | mean sigma, fast | slow | realised |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""

_COST = """
![Sigma on chain and realised](volatility.png)

## What it costs to move sigma by a tenth

One price at one boundary, signed by Pyth, is a sample: to move sigma somebody must move what Pyth publishes, the aggregate of its
publishers, at that second. Nobody can choose another price (it is proved to be the first), nor be the only one to sample. A move that lasts
leaves one return. One that is undone by the next boundary leaves two, and needs to last only from before the boundary until Pyth has
published after it, a second or so.

| sigma | raise fast by 10%: a move that lasts | there and back | raise slow by 10%: a move that lasts | there and back |
| --- | ---: | ---: | ---: | ---: |
"""

_REST = """
Beyond {gap:.0%} from Chainlink a price is not taken, so that one price moved by as much as that, there and back, takes sigma from 60% to {fast:.0%} (fast) and
{slow:.0%} (slow); the cap of 10% in ten minutes is further out. Longs pay on the larger of the two, so the first pair of columns is what it takes to
make them pay more; shorts receive on the smaller, so the second is what it takes to earn more by writing. What that would bring: a slow sigma of
60% raised by a tenth pays an at-the-money short {gain:.1f} bp of face more until it has decayed, if the fast one stays above it.

Down: without any return sigma falls by a tenth within {down_fast:.1f} h (fast) and {down_slow:.1f} h (slow). The price would have to stand still at every
boundary of that time.
"""


def markdown(found: Sequence[Row]) -> str:
    """The text of docs/VOLATILITY.md."""
    longest = max(int(row.samples.elapsed.max()) for row in found if row.stretch == YEARS)
    lines = [_HEAD.format(holes=f"{longest / 3_600:.0f}")]
    for row in found:
        usual = int(np.median(row.samples.elapsed))
        cells = (
            row.stretch,
            row.samples.underlying,
            f"{len(row.samples):,}",
            str(int((row.samples.elapsed > usual).sum())),
            *(f"{error:.1e}" for error in row.errors),
            f"{row.capped:.3%}",
            *(f"{sigma:.0%}" for sigma in (*row.sigmas, row.samples.realised)),
        )
        lines.append(f"| {' | '.join(cells)} |\n")
    lines.append(_COST)
    for cost in moving.costs():
        moves = [
            f"{move:.2%}" for pair in zip(cost.lasting, cost.there_and_back, strict=True) for move in pair
        ]
        lines.append(f"| {cost.sigma:.0%} | {' | '.join(moves)} |\n")
    lines.append(_rest())
    return "".join(lines)


def _rest() -> str:
    gap = 0.03
    jump = float(np.log1p(gap))
    fast, slow = (moving.raised(0.36, half_life, (jump, -jump)) ** 0.5 for half_life in HALF_LIVES)
    # n(n - 1)/2 tv(1) = 136/33, times what the slow variance gained and how long that lasts.
    gain = 136 / 33 * 0.36 * (1.1**2 - 1) * HALF_LIVES[1] / np.log(2) / (365 * 86_400)
    down_fast, down_slow = (moving.stillness(half_life) / 3_600 for half_life in HALF_LIVES)
    return _REST.format(gap=gap, fast=fast, slow=slow, gain=gain * 1e4, down_fast=down_fast, down_slow=down_slow)


def chart(found: Sequence[Row], path: Path) -> None:
    """Both sigmas over each stretch, with what was realised."""
    with rc_context(STYLE):
        figure = Figure(figsize=(13, 15), layout="constrained")
        grid = figure.add_gridspec(4, 2, height_ratios=(1.2, 1.2, 1, 1))
        for place, row in enumerate(row for row in found if row.stretch == YEARS):
            _draw(figure.add_subplot(grid[place, :]), row, WEEK, "realised, 7 days before")
        crashes = [row for row in found if row.stretch != YEARS and row.samples.underlying == "ETH"]
        for place, row in enumerate(crashes):
            _draw(figure.add_subplot(grid[2 + place // 2, place % 2]), row, QUARTER, "realised, 6 hours before")
        figure.savefig(path, dpi=80)
    # A few colors do, in a third of the bytes.
    with Image.open(path) as image:
        few = image.convert("RGB").quantize(COLORS)
    few.save(path, optimize=True)


def _draw(axes: Axes, row: Row, span: int, label: str) -> None:
    samples = row.samples
    fast, slow = np.sqrt(bounded(reference(samples), samples.underlying))
    step = max(1, len(samples) // 3_000)
    times = samples.times.astype("datetime64[s]")
    realised = _trailing(samples, span)
    axes.plot(times[::step], fast[::step], color=FAST, linewidth=0.7, label="fast sigma")
    axes.plot(times[::step], slow[::step], color=SLOW, linewidth=1.3, label="slow sigma")
    axes.plot(times[::step], realised[::step], color=INK, linewidth=0.8, label=label)
    axes.set_title(f"{samples.underlying}, {row.stretch}", color=INK)
    axes.set_ylim(0, 3)
    axes.yaxis.set_major_formatter(ticker.PercentFormatter(1, decimals=0))
    locator = dates.AutoDateLocator(maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axes.legend(loc="upper left", ncols=3)


def _trailing(samples: Samples, span: int) -> Floats:
    """Sigma of the returns of the last `span` seconds before each sample; none at first."""
    total = np.concatenate([[0.0], np.cumsum(samples.squares)])
    begin = np.searchsorted(samples.times, samples.times - span)
    elapsed = samples.times - samples.times[begin]
    enough = elapsed >= span // 2
    variance = np.full(len(samples), np.nan)
    variance[enough] = (total - total[begin])[enough] * (365 * 86_400) / elapsed[enough]
    return np.sqrt(variance)


assert SPAN == 600, "the texts above say ten minutes"
