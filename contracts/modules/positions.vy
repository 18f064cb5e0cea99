# pragma version 0.4.3
"""
@title Positions
@license AGPL-3.0-only
@notice What an action does to the legs of one account: bring them to the present, resize them, test them, book the result.
"""

from interfaces import IRiskBook

from contracts.modules import checks
from contracts.modules import constants as c
from contracts.modules import everlasting
from contracts.modules import integers
from contracts.modules import legs as leg_words
from contracts.modules import market_book
from contracts.modules import parameters
from contracts.modules import pool_risk
from contracts.modules import portfolio_margin
from contracts.modules import series_book
from contracts.modules import trade_costs

uses: market_book
uses: pool_risk
uses: series_book

# An account brought to the present.
struct Account:
    legs: uint256[8]  # at the present G, retired series dropped
    count: uint256  # of legs
    visited: uint256  # legs there were before
    retired: uint256  # legs dropped, paid out for good
    realised: int256  # their gains, exact, 1e24
    gain: int256  # the same in raw units of M, rounded down
    stress: portfolio_margin.Stress
    growth: series_book.Growth  # of the series touched

# What resizing legs does to the pool.
struct Change:
    effects: pool_risk.Effect[2]  # per underlying
    affected: bool[2]
    written: int256  # units more that traders have written


@internal
def _visit(book: market_book.Book, legs: uint256[8], acting: bool) -> Account:
    """
    @notice Bring all legs of an account to the present, without booking their gains yet.
    @param acting Whether the series touched are stored.
    """
    account: Account = empty(Account)
    shock: uint256 = parameters._rate(book.rates, parameters.ACCOUNT_SHOCK)
    for leg: uint256 in legs:
        if leg == 0:
            break
        id: uint256 = leg_words._series(leg)
        units: int256 = leg_words._units(leg)
        v: market_book.View = market_book._view(book, id)
        account.visited = unsafe_add(account.visited, 1)
        account.growth = series_book._sum(account.growth, v.growth)
        account.realised = unsafe_add(account.realised, series_book._gain(v.s, units, leg_words._gain(leg)))
        if v.s.notice != series_book.FROZEN and not book.state.frozen:
            account.legs[account.count] = leg_words._pack(id, units, series_book._index(v.s, units))
            account.count = unsafe_add(account.count, 1)
            account.stress = self._stressed(
                account.stress, v, market_book.SHARPNESS[v.s.underlying], shock, 0, units
            )
        else:
            account.retired = unsafe_add(account.retired, 1)
        if acting:
            series_book._store(id, v.s)
    account.gain = integers._floor_div(account.realised, integers._int(c.GAIN))
    return account


@internal
@pure
def _find(legs: uint256[8], series: uint256) -> (uint256, int256):
    """
    @notice Where an account's leg in a series is, and its units; the first free place (8 if there is none) and 0 without one.
    """
    place: uint256 = 0
    for leg: uint256 in legs:
        if leg == 0:
            break
        if leg_words._series(leg) == series:
            return place, leg_words._units(leg)
        place = unsafe_add(place, 1)
    return place, 0


@internal
@pure
def _placed(legs: uint256[8], count: uint256, place: uint256, leg: uint256) -> (uint256[8], uint256):
    """
    @notice The legs with one replaced, added behind the last, or (0) removed and the last put in its place; and their number.
    """
    placed: uint256[8] = legs
    last: uint256 = unsafe_sub(count, 1)
    if place == count:
        checks._require(place < c.MAX_LEGS, "trade: ninth leg")
        last = count
    placed[place] = leg
    if leg == 0:
        placed[place] = placed[last]
        placed[last] = 0
        return placed, last
    return placed, unsafe_add(last, 1)


@internal
@pure
def _units(face: int256, before: int256, scale: uint256, reduce_only: bool) -> (int256, bool):
    """
    @notice Units that an order of `face` adds to a leg of `before` units, and whether it opens any. What closes rounds up
            (all units once the face is what the leg shows), what opens rounds down, at least 1.
    """
    size: uint256 = integers._size(face)
    units: uint256 = 0
    # Safe: the clearing house keeps size < 2^127; units < 2^112, 2^19 < D < 2^60.
    if before != 0 and (face > 0) != (before > 0):
        held: uint256 = integers._size(before)
        shown: uint256 = unsafe_div(unsafe_mul(held, scale), c.WAD)
        if size < shown:
            units = min(held, unsafe_div(unsafe_sub(unsafe_add(unsafe_mul(size, c.WAD), scale), 1), scale))
            size = 0
        else:
            units = held
            size = unsafe_sub(size, shown)
    if reduce_only:
        checks._require(units != 0, "trade: nothing to reduce")
        size = 0
    if size != 0:
        units = unsafe_add(units, max(1, unsafe_div(unsafe_mul(size, c.WAD), scale)))
    change: int256 = integers._int(units)
    if face < 0:
        change = unsafe_sub(0, change)
    return change, size != 0


@internal
@view
def _check_opening(book: market_book.Book, v: market_book.View, units: int256):
    """
    @notice What a leg that grows to `units` must satisfy.
    """
    # Less 1, what is not on notice (0) has no end, and what is frozen (1) none left.
    checks._require(block.timestamp <= unsafe_sub(v.s.notice, 1), "trade: series is on notice")
    near: bool = c.MIN_OPEN_MONEYNESS <= v.quote.moneyness and v.quote.moneyness <= c.MAX_OPEN_MONEYNESS
    checks._require(near, "trade: moneyness out of range")
    face: uint256 = unsafe_div(unsafe_mul(integers._size(units), book.state.scale), c.WAD)
    checks._require(face >= parameters._min_face(book.limits), "trade: face below minimum")


@internal
def _resize(
    id: uint256, terms: series_book.Terms, v: market_book.View, before: int256, after: int256
) -> uint256:
    """
    @notice Change a leg's units at the present G and store the series. Its rates follow, for the surcharge may change sides.
    @return The leg, packed; 0 if nothing is left.
    """
    s: series_book.Series = series_book._resized(v.s, before, after)
    rates: everlasting.Rates = series_book._rates(s, terms, v.quote)
    s.long_rate = rates.long
    s.short_rate = rates.short
    series_book._store(id, s)
    series_book._store_size(id, s)
    if after == 0:
        return 0
    return leg_words._pack(id, after, series_book._index(s, after))


@internal
@view
def _changed(book: market_book.Book, change: Change, v: market_book.View, before: int256, after: int256) -> Change:
    """
    @notice What a leg that goes from `before` to `after` units does to the pool, added.
    """
    changed: Change = change
    u: uint256 = v.s.underlying
    changed.affected[u] = True
    changed.effects[u] = market_book._effect(
        change.effects[u], v, market_book.SHARPNESS[u], parameters._rate(book.rates, parameters.POOL_SHOCK), unsafe_sub(after, before)
    )
    changed.written = unsafe_add(change.written, unsafe_sub(min(before, 0), min(after, 0)))
    return changed


@internal
@pure
def _stressed(
    stress: portfolio_margin.Stress, v: market_book.View, sharpness: uint256, shock: uint256, before: int256, after: int256
) -> portfolio_margin.Stress:
    """
    @notice The scenario test of an account with one leg's units changed.
    """
    moves: int256[6] = portfolio_margin._moves(v.quote.moneyness, sharpness, v.s.is_put, v.quote.mark, shock)
    return portfolio_margin._stressed(stress, v.s.underlying, v.quote.moneyness, moves, before, after)


@internal
@view
def _scenario_sum(book: market_book.Book, stress: portfolio_margin.Stress) -> uint256:
    return portfolio_margin._scenario_sum(
        stress, parameters._rate(book.rates, parameters.GROSS_RATE), book.state.scale
    )


@internal
@view
def _initial(book: market_book.Book, scenario_sum: uint256) -> uint256:
    return portfolio_margin._initial(
        portfolio_margin._maintenance(scenario_sum, parameters._min_margin(book.limits)),
        parameters._rate(book.rates, parameters.INITIAL_RATIO),
    )


@internal
@view
def _cost(
    book: market_book.Book, cost: trade_costs.Cost, underlying: uint256, quote: series_book.Quote, change: int256
) -> trade_costs.Cost:
    return trade_costs._plus(
        cost,
        underlying,
        quote.moneyness,
        quote.mark,
        quote.slope,
        change,
        book.state.scale,
        parameters._rate(book.rates, parameters.FEE_RATE),
        parameters._rate(book.rates, parameters.FEE_CAP),
    )


@internal
@view
def _impact(book: market_book.Book, cost: trade_costs.Cost) -> uint256:
    """
    @notice Impact of an order over all underlyings, raw units of M.
    """
    impact: uint256 = 0
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        if cost.deltas[u] != 0:
            held: int256 = pool_risk._held(u)
            depth: uint256 = unsafe_mul(book.state.depth, pool_risk.GRANULE)
            k: uint256 = parameters._rate(book.rates, parameters.IMPACT)
            impact = unsafe_add(impact, trade_costs._impact(held, cost.deltas[u], book.state.scale, depth, k))
    return impact


@internal
def _commit(account: Account, legs: uint256[8], change: Change, accrued: uint256) -> pool_risk.Totals:
    """
    @notice Book the gains of an account and what became of its legs.
    @param legs What they were. `accrued` is insurance's and treasury's share of a fee, raw units of M.
    """
    totals: pool_risk.Totals = pool_risk._load_totals()
    # Safe: see the ranges in `series_book` and `pool_risk`; a leg that goes was counted when it came.
    totals.accrued = unsafe_add(unsafe_add(totals.accrued, account.growth.accrued), accrued)
    totals.open_legs = unsafe_sub(unsafe_add(totals.open_legs, account.count), account.visited)
    totals.written = pool_risk._written(totals.written, change.written)
    market_book.owed = unsafe_sub(unsafe_add(market_book.owed, account.growth.owed), account.realised)
    if account.retired != 0:
        for leg: uint256 in legs:
            s: series_book.Series = series_book._load(leg_words._series(leg))
            if s.notice == series_book.FROZEN or account.retired == account.visited:
                s = series_book._resized(s, leg_words._units(leg), 0)
                series_book._store_size(leg_words._series(leg), s)
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        if change.affected[u]:
            exposure: pool_risk.Exposure = pool_risk._exposure(u)
            totals.worst = unsafe_sub(totals.worst, pool_risk._worst(exposure.losses))
            totals.worst = unsafe_add(totals.worst, pool_risk._affect(u, exposure, change.effects[u]))
    pool_risk._store_totals(totals)
    return totals
