"""What an action does to the legs of one account: bring them to the present, resize them, test them, book the result."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from everstock.model import pool_risk, portfolio_margin, series_book, trade_costs
from everstock.model.constants import GAIN, MAX_LEGS, MAX_OPEN_MONEYNESS, MIN_OPEN_MONEYNESS, WAD
from everstock.model.integers import ceil_div, floor_div
from everstock.model.market_book import MarketBook, Prices, View
from everstock.model.reverts import require
from everstock.model.series_book import FROZEN, Growth
from everstock.model.trade_costs import Cost

MAX_UNITS: Final = 2**112
MAX_ENTRY: Final = 2**126


class Leg(NamedTuple):
    """An account's position in one series; what the contracts pack into one word."""

    series: int
    units: int  # + bought, - written
    entry: int  # G of its side at entry, 1e24


@dataclass
class Visit:
    """An account brought to the present."""

    legs: list[Leg] = field(default_factory=list)  # at the present G, retired series dropped
    retired: list[Leg] = field(default_factory=list)  # legs dropped, paid out for good
    realised: int = 0  # their gains, exact, 1e24
    stress: portfolio_margin.Stress = field(default_factory=portfolio_margin.Stress)
    growth: Growth = Growth()  # of the series touched

    @property
    def gain(self) -> int:
        """The gains in raw units of M, rounded down once."""
        return floor_div(self.realised, GAIN)

    def units(self, series: int) -> int:
        """Units of the leg in a series, 0 without one."""
        return next((leg.units for leg in self.legs if leg.series == series), 0)

    def place(self, series: int, leg: Leg | None) -> None:
        """Replace a series' leg, add one behind the last, or remove one, the last into its place. Raises `Revert`."""
        place = next((i for i, held in enumerate(self.legs) if held.series == series), len(self.legs))
        require(place < MAX_LEGS, "trade: ninth leg")
        if leg is None:
            self.legs[place] = self.legs[-1]
            self.legs.pop()
        else:
            self.legs[place : place + 1] = [leg]


@dataclass
class Change:
    """What resizing legs does to the pool."""

    effects: dict[int, pool_risk.Effect] = field(default_factory=dict)  # per underlying that is affected
    written: int = 0  # units more that traders have written


def visit(book: MarketBook, prices: Prices | None, legs: Iterable[Leg], acting: bool) -> Visit:
    """Bring all legs of an account to the present, without booking their gains yet; series are stored when `acting`. Without
    prices the market is frozen, and so is every series."""
    account = Visit()
    for leg in legs:
        v = book.view(prices, leg.series)
        account.growth += v.growth
        account.realised += v.s.gain(leg.units, leg.entry)
        if v.s.notice == FROZEN:
            account.retired.append(leg)
        else:
            account.legs.append(leg._replace(entry=v.s.index(leg.units)))
            moves = book.moves(v, book.parameters.account_shock)
            account.stress.change(v.s.underlying, v.quote, moves, 0, leg.units)
        if acting and prices is not None:
            book.book.series[leg.series] = v.s
    return account


def units_of(face: int, before: int, scale: int, reduce_only: bool) -> tuple[int, bool]:
    """Units that an order of `face` adds to a leg of `before` units, and whether it opens any.

    What closes rounds up (all units once the face is what the leg shows), what opens rounds down, at least 1.
    """
    size = abs(face)
    units = 0
    if before != 0 and (face > 0) != (before > 0):
        held = abs(before)
        shown = held * scale // WAD
        if size < shown:
            units = min(held, ceil_div(size * WAD, scale))
            size = 0
        else:
            units = held
            size -= shown
    if reduce_only:
        require(units != 0, "trade: nothing to reduce")
        size = 0
    if size != 0:
        units += max(1, size * WAD // scale)
    return (units if face > 0 else -units), size != 0


def check_opening(book: MarketBook, v: View, units: int) -> None:
    """What a leg that grows to `units` must satisfy. Raises `Revert`."""
    require(v.s.opens(book.now), "trade: series is on notice")
    near = MIN_OPEN_MONEYNESS <= v.quote.moneyness <= MAX_OPEN_MONEYNESS
    require(near, "trade: moneyness out of range")
    face = abs(units) * book.state.scale // WAD
    require(face >= book.parameters.min_face, "trade: face below minimum")


def resize(book: MarketBook, prices: Prices, id_: int, v: View, before: int, after: int) -> Leg | None:
    """Change a leg's units at the present G and store the series. Its rates follow, for the surcharge may change sides."""
    s = series_book.resized(v.s, before, after)
    rates = series_book.rates(s, prices.terms[s.underlying], v.quote)
    s = replace(s, long_rate=rates.long, short_rate=rates.short)
    book.book.series[id_] = s
    if after == 0:
        return None
    leg = Leg(id_, after, s.index(after))
    assert abs(leg.units) < MAX_UNITS and abs(leg.entry) < MAX_ENTRY
    return leg


def change_leg(book: MarketBook, prices: Prices, account: Visit, change: Change, id_: int, v: View, after: int) -> None:
    """Bring one leg of an account to `after` units, and note what that does to the pool."""
    before = account.units(id_)
    effect = change.effects.setdefault(v.s.underlying, pool_risk.Effect())
    book.affect(effect, v, after - before)
    change.written += min(before, 0) - min(after, 0)
    account.place(id_, resize(book, prices, id_, v, before, after))


def scenario_sum(book: MarketBook, stress: portfolio_margin.Stress) -> int:
    return portfolio_margin.scenario_sum(stress, book.parameters.gross_rate, book.state.scale)


def initial(book: MarketBook, scenario_sum: int) -> int:
    maintenance = portfolio_margin.maintenance(scenario_sum, book.parameters.min_margin)
    return portfolio_margin.initial(maintenance, book.parameters.initial_ratio)


def impact(book: MarketBook, cost: Cost) -> int:
    """Impact of an order over all underlyings, raw units of M."""
    return sum(
        trade_costs.impact(
            book.exposures[u].delta * book.granule * WAD,
            delta,
            book.state.scale,
            book.state.depth * book.granule,
            book.parameters.impact,
        )
        for u, delta in enumerate(cost.deltas)
        if delta != 0
    )


def commit(book: MarketBook, account: Visit, legs_before: int, change: Change, accrued: int) -> None:
    """Book the gains of an account and what became of its legs.

    `accrued` is insurance's and treasury's share of a fee, raw units of M.
    """
    totals = book.totals
    totals.accrued += account.growth.accrued + accrued
    totals.open_legs += len(account.legs) - legs_before
    totals.written = pool_risk.written_after(totals.written, change.written, book.granule)
    book.owed += account.growth.owed - account.realised
    for leg in account.retired:
        book.book.series[leg.series] = series_book.resized(book.book.series[leg.series], leg.units, 0)
    for u, effect in change.effects.items():
        totals.worst -= pool_risk.worst(book.exposures[u].losses)
        totals.worst += pool_risk.affect(book.exposures[u], effect, book.granule)
    totals.store()
