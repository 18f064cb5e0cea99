# pragma version 0.4.3
"""
@title The book of a market
@license AGPL-3.0-only
@notice What an action reads once (state, parameters, prices), what the pool owes, E and R, and the checkpoint.
"""

from interfaces import IPriceOracle
from interfaces import IRiskBook

from contracts.modules import checkpoints
from contracts.modules import checks
from contracts.modules import constants as c
from contracts.modules import integers
from contracts.modules import parameters
from contracts.modules import pool_risk
from contracts.modules import portfolio_margin
from contracts.modules import series_book

uses: checkpoints
uses: pool_risk
uses: series_book

ORACLE: immutable(address)

# The market's underlyings: their ids at the oracle and sharpness. A market of one names it twice.
UNDERLYINGS: immutable(uint256[2])
SHARPNESS: immutable(uint256[2])

# Everything an action reads once.
struct Book:
    state: checkpoints.State
    rates: uint256  # first word of parameters
    limits: uint256  # second word
    words: uint256[2]  # of the underlyings at the oracle
    terms: series_book.Terms[2]
    publish_time: uint256  # of the older price
    restricted: bool  # no risk may be added and nothing withdrawn

# A series brought to the present.
struct View:
    s: series_book.Series
    quote: series_book.Quote
    growth: series_book.Growth

# exact sum of all legs' gains, 1e24: what the pool owes
owed: int256

# The two words of parameters; see the module `parameters`.
rates: uint256
limits: uint256


@deploy
def __init__(oracle: address, underlyings: uint256[2], sharpness: uint256[2], rates: uint256, limits: uint256):
    for n: uint256 in sharpness:
        assert 5 <= n and n <= 100, "risk_book: sharpness"
    ORACLE = oracle
    UNDERLYINGS = underlyings
    SHARPNESS = sharpness
    self.rates = rates
    self.limits = limits


@internal
@view
def _read(max_age: uint256) -> Book:
    """
    @notice Read parameters, state and prices. Reverts when a price is older than `max_age` seconds.
    """
    book: Book = empty(Book)
    book.state = checkpoints._load()
    checkpoints._only_active(book.state)
    book.rates = self.rates
    book.limits = self.limits
    book.words[0], book.words[1] = staticcall IPriceOracle(ORACLE).words(UNDERLYINGS[0], UNDERLYINGS[1], max_age)
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        book.terms[u] = series_book._terms(
            book.words[u], u, SHARPNESS[u], book.rates, book.limits, book.state.scale, book.state.utilisation
        )
    book.publish_time = min((book.words[0] >> 64) & (2**32 - 1), (book.words[1] >> 64) & (2**32 - 1))
    book.restricted = ((book.words[0] | book.words[1]) >> 176) & 1 != 0
    return book


@internal
def _begin(max_age: uint256, main: uint256, claims: uint256) -> (Book, IRiskBook.Sweep):
    """
    @notice Price, then a checkpoint if one is due.
    @return The book to act on, and the sweep.
    """
    book: Book = self._read(max_age)
    sweep: IRiskBook.Sweep = empty(IRiskBook.Sweep)
    if self._is_due(book):
        sweep = self._checkpoint(book, main, claims, 0)
        book = self._read(max_age)
    return book, sweep


@internal
def _checkpoint(book: Book, main: uint256, claims: uint256, leaving: uint256) -> IRiskBook.Sweep:
    """
    @notice Touch every active series with units, rebuild the pool's scenario test, and store what follows from E and R.
    @return The sweep: what of `accrued` main cash above claims can pay now.
    """
    totals: pool_risk.Totals = pool_risk._load_totals()
    growth: series_book.Growth = empty(series_book.Growth)
    pool_shock: uint256 = parameters._rate(book.rates, parameters.POOL_SHOCK)
    written: uint256 = 0
    held: bool = False
    totals.worst = 0
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        terms: series_book.Terms = book.terms[u]
        effect: pool_risk.Effect = empty(pool_risk.Effect)
        ids: uint256 = series_book.active[u]
        for _: uint256 in range(c.MAX_SERIES):
            if ids == 0:
                break
            id: uint256 = ids & (2**16 - 1)
            ids >>= 16
            s: series_book.Series = series_book._load_held(id)
            if s.strike == 0:
                continue
            held = True
            v: View = self._present(s, terms)
            series_book._store(id, v.s)
            growth = series_book._sum(growth, v.growth)
            written = unsafe_add(written, v.s.short_units)
            net: int256 = integers._difference(v.s.long_units, v.s.short_units)
            effect = self._effect(effect, v, terms.sharpness, pool_shock, net)
        exposure: pool_risk.Exposure = empty(pool_risk.Exposure)
        exposure.checkpoint_price = terms.price
        totals.worst = unsafe_add(totals.worst, pool_risk._affect(u, exposure, effect))
    totals.written = pool_risk._granules_up(written)
    totals.accrued += growth.accrued
    self.owed += growth.owed

    state: checkpoints.State = book.state
    prices: uint256[2] = [book.terms[0].price, book.terms[1].price]
    equity: int256 = self._equity(main, claims, totals.accrued)
    if checkpoints._has_jumped(prices, pool_shock) or (equity <= 0 and totals.open_legs != 0):
        state.window_end = block.timestamp + c.SETTLE_WINDOW
    state.time = block.timestamp
    if not held:
        state.scale = c.WAD
    charge: uint256 = parameters._rate(book.rates, parameters.DEFAULT_CHARGE)
    requirement: uint256 = pool_risk._requirement(totals, charge, state.scale, pool_risk.GRANULE)
    if equity > 0:
        state.negative_since = 0
        if leaving != 0 or equity < integers._int(requirement):
            state.scale = self._deleveraged(state, book.rates, book.limits, convert(equity, uint256), requirement, leaving)
            requirement = pool_risk._requirement(totals, charge, state.scale, pool_risk.GRANULE)
        state.utilisation = min(10_000, requirement * 10_000 // convert(equity, uint256))
        state.depth = convert(equity, uint256) // pool_risk.GRANULE
    else:
        state.utilisation = 10_000
        state.depth = 0
        if state.negative_since == 0:
            state.negative_since = block.timestamp
    checkpoints._store(state)

    swept: uint256 = 0
    if main > claims and not checkpoints._is_booked(state):
        swept = min(totals.accrued, main - claims)
        totals.accrued -= swept
    pool_risk._store_totals(totals)
    log IRiskBook.Checkpoint(
        words=book.words,
        equity=equity,
        requirement=requirement,
        utilisation=state.utilisation,
        window_end=state.window_end,
    )
    treasury: uint256 = swept * parameters._rate(book.rates, parameters.TREASURY_SHARE) // c.PERMILLE
    return IRiskBook.Sweep(
        insurance=swept - treasury,
        treasury=treasury,
        alarm=state.depth == 0 or state.scale < c.LEAST_SCALE,
    )


@internal
def _deleveraged(
    state: checkpoints.State, rates: uint256, limits: uint256, equity: uint256, requirement: uint256, leaving: uint256
) -> uint256:
    """
    @notice D, scaled down as far as it must be: to E = target * R where E < R outside a settle window, or E < R / 2 at once;
            and to E - leaving = buffer * R where an overdue redemption needs it (or to the ratio that E and R have, if that
            is less: whoever leaves takes no more of the book along than of its capital).
    """
    needed: uint256 = parameters._deleverage_target(limits) * requirement
    free: uint256 = equity * c.PERMILLE
    if 2 * equity >= requirement and (equity >= requirement or block.timestamp < state.window_end):
        needed = min(parameters._rate(rates, parameters.WITHDRAW_BUFFER) * requirement, free)
        free -= min(leaving * c.PERMILLE, free)
    if free >= needed:
        return state.scale
    scale: uint256 = state.scale * free // needed
    log IRiskBook.Deleveraged(scale=scale, leaving=leaving)
    return scale


@internal
@view
def _remarked(book: Book) -> series_book.Growth:
    """
    @notice What touching every active series with units would add to `owed` and `accrued`. Stores nothing.
    """
    sum: series_book.Growth = empty(series_book.Growth)
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        terms: series_book.Terms = book.terms[u]
        ids: uint256 = series_book.active[u]
        for _: uint256 in range(c.MAX_SERIES):
            if ids == 0:
                break
            s: series_book.Series = series_book._load_held(ids & (2**16 - 1))
            ids >>= 16
            if s.strike != 0:
                growth: series_book.Growth = empty(series_book.Growth)
                s, growth = series_book._grow(s, terms, series_book._quote(s, terms.price, terms.sharpness))
                sum.owed = unsafe_add(sum.owed, growth.owed)
                sum.accrued = unsafe_add(sum.accrued, growth.accrued)
    return sum


@internal
@view
def _view(book: Book, id: uint256) -> View:
    """
    @notice A series brought to the present price and time; stores nothing.
    """
    s: series_book.Series = series_book._load(id)
    return self._present(s, book.terms[s.underlying])


@internal
@view
def _present(s: series_book.Series, terms: series_book.Terms) -> View:
    """
    @notice The same of a series that is loaded already.
    """
    v: View = empty(View)
    v.quote = series_book._quote(s, terms.price, terms.sharpness)
    v.s, v.growth = series_book._grow(s, terms, v.quote)
    return v


@internal
@pure
def _effect(
    effect: pool_risk.Effect, v: View, sharpness: uint256, shock: uint256, units: int256
) -> pool_risk.Effect:
    """
    @notice Add what `units` more held by traders (fewer if negative) would cost the pool at each of its points.
    """
    moves: int256[6] = portfolio_margin._moves(v.quote.moneyness, sharpness, v.s.is_put, v.quote.mark, shock)
    # Safe: see the module `portfolio_margin`.
    return pool_risk.Effect(
        losses=portfolio_margin._plus(effect.losses, moves, units),
        delta=unsafe_add(effect.delta, unsafe_mul(units, v.quote.slope)),
    )


@internal
def _commit_growth(growth: series_book.Growth):
    """
    @notice Write what touching series did, and nothing else.
    """
    totals: pool_risk.Totals = pool_risk._load_totals()
    totals.accrued = unsafe_add(totals.accrued, growth.accrued)
    pool_risk._store_totals(totals)
    self.owed = unsafe_add(self.owed, growth.owed)


@internal
@view
def _equity(main: uint256, claims: uint256, accrued: uint256, growth: int256 = 0) -> int256:
    """
    @notice E = main cash - owed - claims - accrued, raw units of M, rounded down.
    @param growth To be added to `owed`, 1e24.
    """
    # Safe: amounts of tokens are below 2^128, owed below 2^245.
    owed: int256 = integers._ceil_div(unsafe_add(self.owed, growth), integers._int(c.GAIN))
    return unsafe_sub(unsafe_sub(integers._int(main), owed), integers._int(unsafe_add(claims, accrued)))


@internal
@view
def _requirement(book: Book, totals: pool_risk.Totals) -> uint256:
    """
    @notice R, raw units of M.
    """
    return pool_risk._requirement(
        totals, parameters._rate(book.rates, parameters.DEFAULT_CHARGE), book.state.scale, pool_risk.GRANULE
    )


@internal
@view
def _is_stale(book: Book) -> bool:
    """
    @notice Whether an hour passed or an index moved more than a quarter of the pool shock since the last checkpoint.
    """
    return checkpoints._is_stale(
        book.state,
        [book.terms[0].price, book.terms[1].price],
        [pool_risk._checkpoint_price(0), pool_risk._checkpoint_price(1)],
        parameters._rate(book.rates, parameters.POOL_SHOCK),
    )


@internal
@view
def _is_due(book: Book) -> bool:
    """
    @notice Whether an action would first checkpoint. At depth 0 always; but in a settle window, where nothing can bring
            equity back, once a block: a batch has one.
    """
    done: bool = book.state.time == block.timestamp and block.timestamp < book.state.window_end
    return (book.state.depth == 0 and not done) or self._is_stale(book)


@internal
@view
def _only_closed_window(window_end: uint256):
    checks._require(block.timestamp >= window_end, "risk_book: settle window")


@internal
@pure
def _only_near_chainlink(restricted: bool):
    checks._require(not restricted, "risk_book: far from chainlink")
