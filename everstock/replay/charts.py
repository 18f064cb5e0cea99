"""One picture of a replay: indexes and liquidations, D, the main pool, the insurance fund; one above the other."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from matplotlib import rc_context, ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from everstock.demo.charts import INK, MARKETS, SOFT, STYLE, TOKEN, UNDERLYINGS, WINDOW, dated
from everstock.model.constants import WAD
from everstock.replay.outcome import Outcome

LOSS: Final = MARKETS[0]
POOL: Final = MARKETS[1]


def draw(outcome: Outcome, path: Path) -> None:
    """Write the picture of a replay as a PNG."""
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 9.5), layout="constrained")
        axes = figure.subplots(4, 1, sharex=True, height_ratios=(2, 1, 1.4, 1.2))
        times = [_date(reading.time) for reading in outcome.readings]
        for axis in axes:
            for start, end in outcome.windows:
                axis.axvspan(_date(start), _date(end), color=WINDOW, linewidth=0, zorder=0)
        _indexes(axes[0], outcome, times)
        _scale(axes[1], outcome, times)
        _main(axes[2], outcome, times)
        _insurance(axes[3], outcome, times)
        for axis in axes:
            # One that was settled at once has a line of no length, which has no dates.
            dated(axis, times[0], max(times[-1], _date(outcome.start + 60)))
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)


def _indexes(axis: Axes, outcome: Outcome, times: list[datetime]) -> None:
    first = outcome.readings[0].prices
    for name, color in UNDERLYINGS.items():
        line = [100 * reading.prices[name] / first[name] for reading in outcome.readings]
        axis.plot(times, line, color=color, linewidth=1.4, label=name)
    levels = {reading.time: 100 * reading.prices["BTC"] / first["BTC"] for reading in outcome.readings}
    for is_full, what in ((False, "in part"), (True, "in full")):
        hits = [hit.time for hit in outcome.hits if (hit.args["fraction"] == WAD) is is_full]
        if hits:
            axis.scatter(
                [_date(time) for time in hits],
                [levels[time] for time in hits],
                marker="v",
                s=42,
                facecolor=LOSS if is_full else "white",
                edgecolor=LOSS,
                zorder=3,
                label=f"liquidated {what} ({len(hits)})",
            )
    if outcome.windows:
        axis.fill_between([], [], color=WINDOW, label="settle window open")
    axis.set_title("indexes, 100 when the replay begins")
    axis.legend(loc="best", ncols=2)


def _scale(axis: Axes, outcome: Outcome, times: list[datetime]) -> None:
    scales = [reading.scale / WAD for reading in outcome.readings]
    axis.plot(times, scales, color=INK, linewidth=1.4, drawstyle="steps-post")
    axis.set_ylim(0, 1.08)
    axis.set_title("D, the part that every position is of what it was")


def _main(axis: Axes, outcome: Outcome, times: list[datetime]) -> None:
    requirement = [reading.requirement / TOKEN for reading in outcome.readings]
    equity = [reading.equity / TOKEN for reading in outcome.readings]
    axis.plot(times, equity, color=POOL, linewidth=1.6, label="equity E")
    axis.plot(times, requirement, color=SOFT, linewidth=1.1, label="requirement R")
    axis.fill_between(times, requirement, color=SOFT, alpha=0.12, linewidth=0)
    axis.axhline(0, color=SOFT, linewidth=0.8)
    axis.set_title("main pool, tokens")
    axis.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
    axis.legend(loc="best")


def _insurance(axis: Axes, outcome: Outcome, times: list[datetime]) -> None:
    fund = [reading.insurance / TOKEN for reading in outcome.readings]
    axis.plot(times, fund, color=POOL, linewidth=1.6, drawstyle="steps-post")
    axis.fill_between(times, fund, min(fund), color=POOL, alpha=0.10, linewidth=0, step="post")
    axis.set_title("insurance fund, tokens")
    axis.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))


def _date(time: int) -> datetime:
    return datetime.fromtimestamp(time, UTC)
