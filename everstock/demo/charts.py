"""Four charts of a finished run, as PNGs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from matplotlib import dates, rc_context, ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from everstock.demo.cast import Kind
from everstock.demo.history import History, MarketPoint
from everstock.demo.summary import share_price

TOKEN: Final = 10**18
PRICE: Final = 10**8

INK: Final = "#1d2733"
SOFT: Final = "#6b7785"
GRID: Final = "#e4e8ec"
WINDOW: Final = "#f3e9d2"
UNDERLYINGS: Final = {"BTC": "#e08a00", "ETH": "#5a6fd6"}
# By place of the market.
MARKETS: Final = ("#c8374d", "#1f8a70")
MARKERS: Final = ("v", "o")
SIZES: Final = (78, 24)  # so that one is seen behind the other
KINDS: Final[Mapping[Kind, str]] = {
    Kind.CALL_BUYER: "#e08a00",
    Kind.PUT_BUYER: "#1f8a70",
    Kind.CALL_WRITER: "#3e7cb1",
    Kind.PUT_WRITER: "#c8374d",
    Kind.CALL_SPREAD: "#f2b632",
    Kind.PUT_SPREAD: "#6cbf84",
    Kind.STRADDLE_BUYER: "#7b4fa3",
    Kind.STRADDLE_WRITER: "#d96c9f",
    Kind.BOTH: "#7f8c8d",
}

STYLE: Final = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class Hit:
    """A liquidation: when (the episode's clock), in which market, whether in full."""

    time: int
    market: str
    full: bool


@dataclass(frozen=True)
class Picture:
    """What is charted: the history of a replay (without what came after it), liquidations, settle windows by market."""

    history: History
    hits: Sequence[Hit]
    windows: Mapping[str, Sequence[tuple[int, int]]]

    @property
    def markets(self) -> list[str]:
        return list(self.history.points[0].markets)

    @property
    def times(self) -> list[datetime]:
        return [_date(point.time) for point in self.history.points]

    def of(self, market: str, what: Callable[[MarketPoint], float]) -> list[float]:
        """Something of one market over time."""
        return [what(point.markets[market]) for point in self.history.points]


def draw(picture: Picture, folder: Path) -> dict[str, Path]:
    """All charts into `folder`; their paths by name."""
    makers = {"index": _index, "main_pool": _main_pool, "insurance": _insurance, "traders": _traders}
    paths = {}
    with rc_context(STYLE):
        for name, make in makers.items():
            figure = make(picture)
            figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
            paths[name] = folder / f"{name}.png"
            figure.savefig(paths[name], dpi=130)
    return paths


def _index(picture: Picture) -> Figure:
    """Both indexes, with a mark on each for every liquidation."""
    names = list(picture.history.points[0].prices)
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    axes = figure.subplots(len(names), 1, sharex=True)
    for axis, name in zip(axes, names, strict=True):
        prices = [point.prices[name] / PRICE for point in picture.history.points]
        axis.plot(picture.times, prices, color=UNDERLYINGS[name], linewidth=1.4, zorder=2)
        _shade(axis, picture, picture.markets)
        for place, market in enumerate(picture.markets):
            for full in (False, True):
                hits = [hit for hit in picture.hits if hit.market == market and hit.full == full]
                if not hits:
                    continue
                axis.scatter(
                    [_date(hit.time) for hit in hits],
                    [_at(picture, name, hit.time) for hit in hits],
                    marker=MARKERS[place],
                    s=SIZES[place],
                    facecolor=MARKETS[place] if full else "white",
                    edgecolor=MARKETS[place],
                    linewidth=1.2,
                    zorder=3,
                    label=f"{market}: liquidated {'in full' if full else 'in part'} ({len(hits)})",
                )
        axis.set_title(f"{name}, US dollars")
        axis.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
        _dated(axis, picture)
    if any(picture.windows.values()):
        axes[0].fill_between([], [], color=WINDOW, label="settle window open")
    if axes[0].get_legend_handles_labels()[0]:
        axes[0].legend(loc="best")
    return figure


def _main_pool(picture: Picture) -> Figure:
    """Per market: equity and requirement above, share price below."""
    markets = picture.markets
    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots(2, len(markets), sharex=True, squeeze=False)
    for place, market in enumerate(markets):
        color = MARKETS[place]
        top, bottom = axes[0][place], axes[1][place]
        equity = picture.of(market, lambda one: one.equity / TOKEN)
        requirement = picture.of(market, lambda one: one.requirement / TOKEN)
        top.plot(picture.times, equity, color=color, linewidth=1.6, label="equity E")
        top.plot(picture.times, requirement, color=SOFT, linewidth=1.2, label="requirement R")
        top.fill_between(picture.times, requirement, color=SOFT, alpha=0.12, linewidth=0)
        top.set_ylim(bottom=0)
        top.set_title(f"{market} main pool, tokens")
        top.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
        top.legend(loc="center left")
        bottom.plot(
            picture.times, picture.of(market, lambda one: share_price(one.equity, one.main_supply)), color=color
        )
        bottom.axhline(1, color=SOFT, linewidth=0.8, linestyle=(0, (4, 3)))
        bottom.set_title("price of a share, tokens")
        for axis in (top, bottom):
            _shade(axis, picture, [market])
            _dated(axis, picture)
    return figure


def _insurance(picture: Picture) -> Figure:
    """Per market: the fund in tokens, and as a share of open interest, with liquidations below the first."""
    markets = picture.markets
    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots(2, len(markets), sharex=True, squeeze=False)
    for place, market in enumerate(markets):
        color = MARKETS[place]
        top, bottom = axes[0][place], axes[1][place]
        fund = picture.of(market, lambda one: one.insurance / TOKEN)
        top.plot(picture.times, fund, color=color, linewidth=1.8, drawstyle="steps-post")
        top.fill_between(picture.times, fund, min(fund), color=color, alpha=0.10, linewidth=0, step="post")
        marks = [_date(hit.time) for hit in picture.hits if hit.market == market]
        if marks:
            top.plot(
                marks, [min(fund)] * len(marks), "|", color=INK, markersize=9, label=f"a liquidation ({len(marks)})"
            )
            top.legend(loc="upper left")
        top.set_title(f"{market} insurance fund, tokens")
        top.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
        share = picture.of(market, lambda one: 100 * one.insurance / one.interest if one.interest else float("nan"))
        bottom.plot(picture.times, share, color=color, linewidth=1.4)
        bottom.set_title("as a share of open interest")
        bottom.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.1f}%"))
        _bounded(bottom, share)
        for axis in (top, bottom):
            _shade(axis, picture, [market])
            _dated(axis, picture)
    return figure


def _traders(picture: Picture) -> Figure:
    """Per market: equity of each kind of traders, of what they paid in."""
    markets = picture.markets
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    axes = figure.subplots(1, len(markets), sharey=True, squeeze=False)
    for place, market in enumerate(markets):
        axis = axes[0][place]
        paid: dict[Kind, float] = {}
        for profile in picture.history.traders[market].values():
            paid[profile.kind] = paid.get(profile.kind, 0.0) + profile.margin
        ends = []
        for kind, margin in paid.items():
            line = picture.of(market, lambda one, kind=kind, margin=margin: 100 * one.equities[kind] / TOKEN / margin)
            axis.plot(picture.times, line, color=KINDS[kind], linewidth=1.5)
            ends.append((line[-1], kind))
        axis.axhline(100, color=SOFT, linewidth=0.8, linestyle=(0, (4, 3)))
        axis.set_title(f"{market}: traders' equity, of margin paid in")
        axis.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}%"))
        axis.set_ylim(bottom=0)
        _shade(axis, picture, [market])
        _dated(axis, picture)
        ends.sort(reverse=True)
        handles = [Line2D([], [], color=KINDS[kind], linewidth=2) for _, kind in ends]
        labels = [f"{kind.value} {end:,.0f}%" for end, kind in ends]
        axis.legend(handles, labels, loc="upper left", ncols=1)
    return figure


def _shade(axis: Axes, picture: Picture, markets: Sequence[str]) -> None:
    """Settle windows of any of `markets`."""
    for market in markets:
        for start, end in picture.windows.get(market, ()):
            axis.axvspan(_date(start), _date(end), color=WINDOW, linewidth=0, zorder=0)


def _dated(axis: Axes, picture: Picture) -> None:
    dated(axis, picture.times[0], picture.times[-1])


def dated(axis: Axes, start: datetime, end: datetime) -> None:
    """Give an axis of time from `start` to `end` its dates."""
    locator = dates.AutoDateLocator(minticks=3, maxticks=8)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(
        dates.ConciseDateFormatter(
            locator,
            formats=["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%H:%M"],
            zero_formats=["", "%Y", "%b", "%d %b", "%H:%M", "%H:%M"],
            show_offset=False,
        )
    )
    axis.set_xlim(start, end)


def _bounded(axis: Axes, values: Sequence[float]) -> None:
    """Leave out the first hour's peaks, when hardly anything is open yet: up to thrice the median is shown."""
    known = sorted(value for value in values if not math.isnan(value))
    if known:
        axis.set_ylim(0, min(known[-1], 3 * known[len(known) // 2]) * 1.05)


def _at(picture: Picture, name: str, time: int) -> float:
    """The price in force at a time."""
    before = [point.prices[name] for point in picture.history.points if point.time <= time]
    return (before[-1] if before else picture.history.points[0].prices[name]) / PRICE


def _date(time: int) -> datetime:
    return datetime.fromtimestamp(time, UTC)
