"""The tables of docs/LP_HISTORY.md. All figures per year and unit of face unless they say otherwise."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from everstock.risk import seller
from everstock.risk.history import GRID, HOLDS, JUMPS, LOADS, History
from everstock.risk.hourly import HALF_LIVES, Floats
from everstock.risk.informed import Trades
from everstock.risk.page import table
from everstock.risk.seller import LOAD, Hours

Lines = Sequence[str]

# (half-lives, load), premium, unhedged, hedged: what the design's prototype found on the same prices.
PROTOTYPE: Final[Mapping[str, Sequence[tuple[tuple[float, ...], float, float, float, float]]]] = {
    "BTC": (((48.0,), 0.0, 2.78, 0.120, 0.100), ((6.0, 48.0), 0.10, 3.69, 1.029, 1.009)),
    "ETH": (((6.0, 48.0), 0.10, 5.39, 1.388, 1.367),),
}


def tables(histories: Sequence[History]) -> dict[str, Lines]:
    """All of them by name."""
    return {
        "prototype": prototype(histories),
        "outcomes": outcomes(histories),
        "years": years(histories),
        "half-lives": half_lives(histories),
        "informed": informed(histories),
        "informed grid": informed_grid(histories),
    }


def prototype(histories: Sequence[History]) -> Lines:
    """The same convention gives the prototype's numbers; then what the contracts' convention changes."""
    head = ("index", "half-lives, load", "premium", "unhedged", "hedged", "the prototype's", "hedged, both ends")
    rows = []
    for history in histories:
        for hours, load, *expected in PROTOTYPE[history.closes.name]:
            found = history.as_prototype(hours, load)
            ours = seller.sold(history.closes, history.straddles, history.oracle(hours), load=load)
            wanted = " / ".join(f"{figure:+.3f}" if i else f"{figure:.2f}" for i, figure in enumerate(expected))
            figures = [f"{found.per_year(found.premium):.2f}", *_profits(found), wanted, _signed(ours, ours.hedged)]
            rows.append([history.closes.name, f"{_pair(hours)}, {load:.0%}", *figures])
    return table(head, rows, words=2)


def outcomes(histories: Sequence[History]) -> Lines:
    """Every rolling year of a pool that sells, and of one that buys; and how badly it went."""
    head = (
        "index", "the pool", "hedge", "premium", "mean", "worst year", "5%", "median", "95%", "best year",
        "worst day", "deepest fall", "for the common share",
    )  # fmt: skip
    rows = []
    for history in histories:
        oracle = history.oracle()
        for book, what in ((history.straddles, "straddles"), (history.mix, "a mix")):
            for verb, deal in (("sells", seller.sold), ("buys", seller.bought)):
                hours = deal(history.closes, book, oracle)
                common = hours.per_year(abs(hours.load)) / 2
                for hedge, profit in (("hourly", hours.hedged), ("none", hours.unhedged)):
                    spread = np.percentile(seller.rolling(hours, profit), [0, 5, 50, 95, 100])
                    figures = [f"{hours.per_year(hours.premium):+.2f}", _signed(hours, profit)]
                    figures += [f"{figure:+.2f}" for figure in spread]
                    figures += [f"{figure:+.2f}" for figure in seller.falls(profit)] + [f"{common:.2f}"]
                    rows.append([history.closes.name, f"{verb} {what}", hedge, *figures])
    return table(head, rows, words=3)


def years(histories: Sequence[History]) -> Lines:
    """Calendar years of a pool that sells straddles."""
    names = [history.closes.name for history in histories]
    head = ["year", *(f"{name} {what}" for name in names for what in ("premium", "unhedged", "hedged"))]
    found = []
    for history in histories:
        hours = history.default.sold
        found.append(seller.by_year(history.closes, (hours.premium, hours.unhedged, hours.hedged)))
    rows = []
    for year in found[0]:
        figures = [f"{figure:.2f}" if i == 0 else f"{figure:+.2f}" for one in found for i, figure in enumerate(one[year])]
        rows.append([str(year), *figures])
    return table(head, rows)


def half_lives(histories: Sequence[History]) -> Lines:
    """How far from fair buyers and writers trade."""
    loads = [f"{load:.0%}" for load in LOADS]
    head = ("index", "half-lives, h", *(f"buyers, {load}" for load in loads), *(f"writers, {load}" for load in loads))
    rows = []
    for history in histories:
        for setting in history.settings():
            figures = [f"{setting.sold_markup(load):+.1%}" for load in LOADS]
            figures += [f"{-setting.bought_discount(load):+.1%}" for load in LOADS]
            rows.append([history.closes.name, _pair(setting.half_lives), *figures])
    return table(head, rows, words=2)


def informed(histories: Sequence[History]) -> Lines:
    """What a trade right after a jump brings at the default half-lives and load, in percent of face."""
    head = (
        "index", "after", "held, h", "a year", "buyer", "unhedged", "before fees", "writer", "unhedged", "before fees",
    )  # fmt: skip
    rows = []
    for history in histories:
        oracle = history.oracle()
        for sigmas in JUMPS:
            for hours in HOLDS:
                cells = []
                for buys in (True, False):
                    trades = history.informed(oracle, sigmas, hours, buys=buys)
                    net, gross = trades.after(LOAD), trades.after(LOAD, fees=False)
                    if len(net) < 2:
                        cells += ["", "", ""]
                        continue
                    cells += [f"{100 * net.mean:+.2f} ± {100 * net.error:.2f}"]
                    cells += [f"{100 * net.unhedged.mean():+.2f}", f"{100 * gross.mean:+.2f}"]
                after = f"{sigmas:.0f} sigmas" if sigmas else "any hour"
                rows.append([history.closes.name, after, str(hours), f"{net.per_year:,.0f}", *cells])
    return table(head, rows, words=2)


def informed_grid(histories: Sequence[History]) -> Lines:
    """The best of all jumps and holding times, in hindsight; percent of face a year."""
    charges = ((0.0, False), *((load, True) for load in LOADS[:3]))
    words = ["bare", *(f"{load:.0%}" for load in LOADS[:3])]
    head = ("index", "half-lives, h", *(f"{who}, {word}" for who in ("buyer", "writer") for word in words))
    rows = []
    for history in histories:
        for half_lives in GRID:
            oracle = history.oracle(half_lives)
            cells = []
            for buys in (True, False):
                tried = history.all_informed(oracle, buys=buys)
                cells += [_best([trades.after(load, fees) for trades in tried]) for load, fees in charges]
            rows.append([history.closes.name, _pair(half_lives), *cells])
    return table(head, rows, words=2)


def _best(tried: Sequence[Trades]) -> str:
    """Of several ways to trade that which brings most in a year, percent; of those that there were two trades of."""
    tried = [trades for trades in tried if len(trades) > 1]
    if not tried:
        return ""
    best = max(tried, key=lambda trades: trades.mean * trades.per_year)
    return f"{100 * best.mean * best.per_year:+.1f} ± {100 * best.error * best.per_year:.1f}"


def _pair(half_lives: tuple[float, ...]) -> str:
    words = " and ".join(f"{hours:.0f}" for hours in half_lives)
    return f"{words} (default)" if half_lives == HALF_LIVES else words


def _profits(hours: Hours) -> list[str]:
    return [_signed(hours, hours.unhedged), _signed(hours, hours.hedged)]


def _signed(hours: Hours, what: Floats) -> str:
    return f"{hours.per_year(what):+.3f}"
