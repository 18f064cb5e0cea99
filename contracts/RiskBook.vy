# pragma version 0.4.3
# pragma optimize codesize
"""
@title RiskBook
@license AGPL-3.0-only
@notice See interfaces/IRiskBook.vyi.
@dev No lock: the only call that leaves it goes to the oracle, static, before anything is written. (`set_parameters`
     first calls the clearing house, and changes nothing before.)
"""

from interfaces import IClearingHouse
from interfaces import IPriceOracle
from interfaces import IRiskBook
from interfaces import IRiskParameters

from contracts.modules import checkpoints
from contracts.modules import constants as c
from contracts.modules import everlasting
from contracts.modules import integers
from contracts.modules import legs as leg_words
from contracts.modules import parameters
from contracts.modules import pool_risk
from contracts.modules import portfolio_margin
from contracts.modules import series_book
from contracts.modules import trade_costs

implements: IRiskBook

initializes: checkpoints
initializes: pool_risk
initializes: series_book

# The market's other contracts.
CLEARING_HOUSE: public(immutable(address))
MAIN_POOL: public(immutable(address))
SERIES_LISTING: public(immutable(address))
RISK_PARAMETERS: public(immutable(address))
ORACLE: public(immutable(address))

# The market's underlyings: their ids at the oracle and sharpness. A market of one names it twice.
UNDERLYINGS: immutable(uint256[2])
SHARPNESS: immutable(uint256[2])

# Everything an action reads once.
struct Book:
    state: checkpoints.State
    rates: uint256  # first word of parameters
    limits: uint256  # second word
    terms: series_book.Terms[2]
    publish_time: uint256  # of the older price
    restricted: bool  # no risk may be added and nothing withdrawn

# A series brought to the present.
struct View:
    s: series_book.Series
    quote: series_book.Quote
    growth: series_book.Growth

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

# exact sum of all legs' gains, 1e24: what the pool owes
owed: public(int256)

# The two words of parameters; see the module `parameters`.
rates: public(uint256)
limits: public(uint256)


@deploy
def __init__(
    clearing_house: address,
    main_pool: address,
    series_listing: address,
    risk_parameters: address,
    oracle: address,
    underlyings: uint256[2],
    sharpness: uint256[2],
    decimals: uint256,
):
    """
    @param underlyings Ids at the oracle; a market of one underlying names it twice.
    @param sharpness n of each, 5 to 100.
    @param decimals Of M, 6 to 18.
    @dev Takes the parameters from RiskParameters, which is deployed before.
    """
    for n: uint256 in sharpness:
        assert 5 <= n and n <= 100, "risk_book: sharpness"
    checkpoints.__init__()
    pool_risk.__init__(decimals)
    CLEARING_HOUSE = clearing_house
    MAIN_POOL = main_pool
    SERIES_LISTING = series_listing
    RISK_PARAMETERS = risk_parameters
    ORACLE = oracle
    UNDERLYINGS = underlyings
    SHARPNESS = sharpness
    self.rates = staticcall IRiskParameters(risk_parameters).rates()
    self.limits = staticcall IRiskParameters(risk_parameters).limits()


# What the clearing house calls


@external
def checkpoint(main: uint256, claims: uint256) -> uint256:
    self._only(CLEARING_HOUSE)
    return self._checkpoint(self._book(c.TRADE_MAX_AGE), main, claims)


@external
def settle(base: uint256, legs: uint256[8], main: uint256, claims: uint256) -> IRiskBook.Settlement:
    self._only(CLEARING_HOUSE)
    book: Book = empty(Book)
    result: IRiskBook.Settlement = empty(IRiskBook.Settlement)
    book, result.sweep = self._begin(c.TRADE_MAX_AGE, main, claims)
    account: Account = self._visit(book, legs, True)
    result.gain = account.gain
    result.booked = checkpoints._is_booked(book.state)
    result.skipped = integers._int(base) + account.gain < 0
    if result.skipped:
        result.legs = legs
        self._commit_growth(account.growth)
    else:
        result.legs = account.legs
        self._commit(account, legs, empty(Change), 0)
    return result


@external
def trade(
    legs: uint256[8],
    order: IRiskBook.OrderLeg[8],
    prices: uint256[2],
    reduce_only: bool,
    main: uint256,
    claims: uint256,
) -> IRiskBook.Trade:
    self._only(CLEARING_HOUSE)
    book: Book = empty(Book)
    result: IRiskBook.Trade = empty(IRiskBook.Trade)
    book, result.sweep = self._begin(c.TRADE_MAX_AGE, main, claims)
    self._only_closed_window(book.state)
    self._require(book.state.depth != 0, "risk_book: no equity")
    account: Account = self._visit(book, legs, True)
    sum_before: uint256 = self._scenario_sum(book, account.stress)
    requirement_before: uint256 = self._requirement(book, pool_risk._load_totals())

    # Leg by leg. At the order's own prices a leg is only priced if they are not the latest.
    change: Change = empty(Change)
    pool_shock: uint256 = parameters._rate(book.rates, parameters.POOL_SHOCK)
    latest: trade_costs.Cost = empty(trade_costs.Cost)
    own: trade_costs.Cost = empty(trade_costs.Cost)
    differs: bool = self._differs(book, prices)
    for item: IRiskBook.OrderLeg in order:
        if item.face == 0:
            break
        v: View = self._view(book, item.series)
        u: uint256 = v.s.underlying
        self._require(v.s.notice != series_book.FROZEN, "trade: series is retired")
        self._require(prices[u] != 0, "risk_book: order without a price")
        account.growth = series_book._sum(account.growth, v.growth)
        place: uint256 = 0
        before: int256 = 0
        place, before = self._find(account.legs, item.series)
        units: int256 = 0
        opens: bool = False
        units, opens = self._units(item.face, before, book.state.scale, reduce_only)
        after: int256 = unsafe_add(before, units)
        if opens:
            self._check_opening(book, v, after)
            result.cash_floor = parameters._min_margin(book.limits)

        latest = self._cost(book, latest, u, v.quote, units)
        if differs:
            quote: series_book.Quote = series_book._quote(v.s, prices[u], book.terms[u].sharpness)
            own = self._cost(book, own, u, quote, units)
        account.stress = self._stressed(
            account.stress, v, SHARPNESS[u], parameters._rate(book.rates, parameters.ACCOUNT_SHOCK), before, after
        )
        change.affected[u] = True
        change.effects[u] = self._effect(change.effects[u], v, SHARPNESS[u], pool_shock, units)
        change.written = unsafe_add(change.written, self._written(before, after))
        leg: uint256 = self._resize(item.series, book.terms[u], v, before, after)
        account.legs, account.count = self._placed(account.legs, account.count, place, leg)

    result.legs = account.legs
    result.gain = account.gain
    result.fee = latest.fee
    result.impact = self._impact(book, latest)
    result.total = trade_costs._total(latest, result.impact)
    result.own_total = result.total
    if differs:
        result.own_total = trade_costs._total(own, self._impact(book, own))

    sum_after: uint256 = self._scenario_sum(book, account.stress)
    buffer: uint256 = parameters.CLOSE_BUFFER
    queued: uint256 = 0
    if sum_after > sum_before:
        self._require(not book.restricted, "risk_book: too far from chainlink")
        result.initial = self._initial(book, sum_after)
        buffer = parameters.OPEN_BUFFER
        queued = checkpoints._queued_redemptions()

    accrued: uint256 = result.fee * parameters._rate(book.rates, parameters.COMMON_SHARE) // c.PERMILLE
    totals: pool_risk.Totals = self._commit(account, legs, change, accrued)
    requirement: uint256 = self._requirement(book, totals)
    if requirement > requirement_before:
        # E once the gain is booked and the fee is in.
        left: int256 = self._equity(main + result.fee, claims + queued + result.sweep, totals.accrued) - account.gain
        needed: uint256 = parameters._rate(book.rates, buffer) * requirement
        self._require(left * 1_000 >= integers._int(needed), "trade: over pool capacity")
    return result


@external
def liquidate(base: uint256, legs: uint256[8], main: uint256, claims: uint256) -> IRiskBook.Liquidation:
    self._only(CLEARING_HOUSE)
    book: Book = empty(Book)
    result: IRiskBook.Liquidation = empty(IRiskBook.Liquidation)
    book, result.sweep = self._begin(c.LIQUIDATION_MAX_AGE, main, claims)
    result.booked = checkpoints._is_booked(book.state)
    account: Account = self._visit(book, legs, True)
    result.gain = account.gain
    result.scenario_sum = self._scenario_sum(book, account.stress)
    equity: int256 = integers._int(base) + account.gain
    min_margin: uint256 = parameters._min_margin(book.limits)
    if equity >= integers._int(portfolio_margin._maintenance(result.scenario_sum, min_margin)):
        result.legs = legs
        self._commit_growth(account.growth)
        return result

    penalty_rate: uint256 = parameters._rate(book.rates, parameters.PENALTY_RATE)
    result.fraction = portfolio_margin._fraction(
        result.scenario_sum,
        equity,
        min_margin,
        parameters._rate(book.rates, parameters.INITIAL_RATIO),
        penalty_rate,
    )
    result.penalty = penalty_rate * result.scenario_sum * result.fraction // (c.PERMILLE * c.WAD)
    change: Change = empty(Change)
    pool_shock: uint256 = parameters._rate(book.rates, parameters.POOL_SHOCK)
    # From the last leg to the first, for a leg that closes is replaced by the last.
    place: uint256 = account.count
    for _: uint256 in range(c.MAX_LEGS):
        if place == 0:
            break
        place = unsafe_sub(place, 1)
        id: uint256 = leg_words._series(account.legs[place])
        before: int256 = leg_words._units(account.legs[place])
        # Truncated: what the account keeps never outweighs the fraction.
        after: int256 = before * integers._int(c.WAD - result.fraction) // integers._int(c.WAD)
        v: View = self._view(book, id)
        u: uint256 = v.s.underlying
        change.affected[u] = True
        change.effects[u] = self._effect(change.effects[u], v, SHARPNESS[u], pool_shock, unsafe_sub(after, before))
        change.written = unsafe_add(change.written, self._written(before, after))
        leg: uint256 = self._resize(id, book.terms[u], v, before, after)
        account.legs, account.count = self._placed(account.legs, account.count, place, leg)
    result.legs = account.legs
    self._commit(account, legs, change, 0)
    return result


# What the market's other contracts call


@external
def set_queued_redemptions(amount: uint256):
    self._only(MAIN_POOL)
    checkpoints._set_queued_redemptions(amount)
    log IRiskBook.QueuedRedemptionsSet(amount=amount)


@external
def add_series(underlying: uint256, strike: uint256, is_put: bool) -> uint256:
    self._only(SERIES_LISTING)
    book: Book = self._book(c.TRADE_MAX_AGE)
    self._only_closed_window(book.state)
    s: series_book.Series = empty(series_book.Series)
    s.underlying = underlying
    s.strike = strike
    s.is_put = is_put
    growth: series_book.Growth = empty(series_book.Growth)
    terms: series_book.Terms = book.terms[underlying]
    s, growth = series_book._grow(s, terms, series_book._quote(s, terms.price, terms.sharpness))
    id: uint256 = series_book._list(s)
    log IRiskBook.SeriesListed(series=id, underlying=underlying, strike=strike, is_put=is_put)
    return id


@external
def set_notice(series: uint256, time: uint256):
    self._only(SERIES_LISTING)
    s: series_book.Series = series_book._load(series)
    s.notice = time
    series_book._store_size(series, s)
    log IRiskBook.NoticeSet(series=series, time=time)


@external
def retire_series(series: uint256):
    self._only(SERIES_LISTING)
    book: Book = self._book(c.TRADE_MAX_AGE)
    self._only_closed_window(book.state)
    v: View = self._view(book, series)
    series_book._store(series, v.s)
    self._commit_growth(v.growth)
    series_book._freeze(series, v.s)
    log IRiskBook.SeriesRetired(
        series=series, price=v.s.price, long_gain=v.s.long_gain, short_gain=v.s.short_gain
    )


@external
def set_parameters(rates: uint256, limits: uint256):
    self._only(RISK_PARAMETERS)
    extcall IClearingHouse(CLEARING_HOUSE).checkpoint()
    self.rates = rates
    self.limits = limits
    log IRiskBook.ParametersSet(rates=rates, limits=limits)


# Views


@external
def withdrawal_check(base: uint256, legs: uint256[8], amount: uint256) -> bool:
    book: Book = self._book(c.TRADE_MAX_AGE)
    if self._is_due(book):
        return False
    self._only_closed_window(book.state)
    self._require(not book.restricted, "risk_book: too far from chainlink")
    account: Account = self._visit(book, legs, False)
    equity: int256 = integers._int(base) + account.gain - integers._int(amount)
    initial: uint256 = self._initial(book, self._scenario_sum(book, account.stress))
    self._require(equity >= integers._int(initial), "clearing_house: below initial margin")
    return True


@view
@external
def pool_flow(main: uint256, claims: uint256) -> IRiskBook.PoolFlow:
    book: Book = self._book(c.TRADE_MAX_AGE)
    self._only_closed_window(book.state)
    self._require(not self._is_stale(book), "risk_book: checkpoint due")
    self._require(not book.restricted, "risk_book: too far from chainlink")
    totals: pool_risk.Totals = pool_risk._load_totals()
    growth: series_book.Growth = empty(series_book.Growth)
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        ids: uint256 = series_book.active[u]
        for _: uint256 in range(c.MAX_SERIES):
            if ids == 0:
                break
            id: uint256 = ids & (2**16 - 1)
            ids >>= 16
            if not series_book._is_empty(id):
                growth = series_book._sum(growth, self._view(book, id).growth)
    buffer: uint256 = max(
        parameters._rate(book.rates, parameters.WITHDRAW_BUFFER), parameters._rate(book.rates, parameters.OPEN_BUFFER)
    )
    return IRiskBook.PoolFlow(
        equity=self._equity(main, claims, totals.accrued + growth.accrued, growth.owed),
        kept=(buffer * self._requirement(book, totals) + 999) // c.PERMILLE,
        publish_time=book.publish_time,
        booked=checkpoints._is_booked(book.state),
    )


@view
@external
def equity(main: uint256, claims: uint256) -> int256:
    return self._equity(main, claims, pool_risk._load_totals().accrued)


@view
@external
def is_booked() -> bool:
    return checkpoints._is_booked(checkpoints._load())


@view
@external
def is_due() -> bool:
    return self._is_due(self._book(max_value(uint256)))


@view
@external
def treasury_share() -> uint256:
    return parameters._rate(self.rates, parameters.TREASURY_SHARE)


@view
@external
def series_words(series: uint256) -> uint256[3]:
    return series_book.words[series]


@view
@external
def market_words() -> IRiskBook.MarketWords:
    return IRiskBook.MarketWords(
        state=checkpoints.state,
        anchors=checkpoints.anchors,
        totals=pool_risk.totals,
        exposures=pool_risk.words,
        active=series_book.active,
        series_count=series_book.count,
        granule=pool_risk.GRANULE,
        underlyings=UNDERLYINGS,
        sharpness=SHARPNESS,
    )


# The book and its checkpoint


@internal
@view
def _book(max_age: uint256) -> Book:
    """
    @notice Read parameters, state and prices. Reverts when a price is older than `max_age` seconds.
    """
    book: Book = empty(Book)
    book.state = checkpoints._load()
    book.rates = self.rates
    book.limits = self.limits
    words: uint256[2] = empty(uint256[2])
    words[0], words[1] = staticcall IPriceOracle(ORACLE).words(UNDERLYINGS[0], UNDERLYINGS[1], max_age)
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        book.terms[u] = series_book._terms(
            words[u], u, SHARPNESS[u], book.rates, book.limits, book.state.scale, book.state.utilisation
        )
    book.publish_time = min((words[0] >> 64) & (2**32 - 1), (words[1] >> 64) & (2**32 - 1))
    book.restricted = ((words[0] | words[1]) >> 176) & 1 != 0
    return book


@internal
def _begin(max_age: uint256, main: uint256, claims: uint256) -> (Book, uint256):
    """
    @notice Price, then a checkpoint if one is due.
    @return The book to act on, and the sweep.
    """
    book: Book = self._book(max_age)
    sweep: uint256 = 0
    if self._is_due(book):
        sweep = self._checkpoint(book, main, claims)
        book = self._book(max_age)
    return book, sweep


@internal
def _checkpoint(book: Book, main: uint256, claims: uint256) -> uint256:
    """
    @notice Touch every active series with units, rebuild the pool's scenario test, and store what follows from E and R.
    @return The sweep: what of `accrued` main cash above claims can pay now.
    """
    totals: pool_risk.Totals = pool_risk._load_totals()
    growth: series_book.Growth = empty(series_book.Growth)
    pool_shock: uint256 = parameters._rate(book.rates, parameters.POOL_SHOCK)
    written: uint256 = 0
    totals.worst = 0
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        effect: pool_risk.Effect = empty(pool_risk.Effect)
        ids: uint256 = series_book.active[u]
        for _: uint256 in range(c.MAX_SERIES):
            if ids == 0:
                break
            id: uint256 = ids & (2**16 - 1)
            ids >>= 16
            if series_book._is_empty(id):
                continue
            v: View = self._view(book, id)
            series_book._store(id, v.s)
            growth = series_book._sum(growth, v.growth)
            written = unsafe_add(written, v.s.short_units)
            effect = self._effect(
                effect, v, SHARPNESS[u], pool_shock, integers._difference(v.s.long_units, v.s.short_units)
            )
        exposure: pool_risk.Exposure = empty(pool_risk.Exposure)
        exposure.checkpoint_price = book.terms[u].price
        totals.worst = unsafe_add(totals.worst, pool_risk._affect(u, exposure, effect))
    totals.written = pool_risk._granules_up(written)
    totals.accrued += growth.accrued
    self.owed += growth.owed

    state: checkpoints.State = book.state
    prices: uint256[2] = [book.terms[0].price, book.terms[1].price]
    equity: int256 = self._equity(main, claims, totals.accrued)
    requirement: uint256 = self._requirement(book, totals)
    jumped: bool = checkpoints._has_jumped(prices, pool_shock)
    state.time = block.timestamp
    if jumped or (equity <= 0 and totals.open_legs != 0):
        state.window_end = block.timestamp + c.SETTLE_WINDOW
    if equity > 0:
        state.negative_since = 0
        state.utilisation = min(10_000, requirement * 10_000 // convert(equity, uint256))
        state.depth = convert(equity, uint256) // pool_risk.GRANULE
    else:
        if state.negative_since == 0:
            state.negative_since = block.timestamp
        state.utilisation = 10_000
        state.depth = 0
    checkpoints._store(state)

    sweep: uint256 = 0
    if main > claims and not checkpoints._is_booked(state):
        sweep = min(totals.accrued, main - claims)
        totals.accrued -= sweep
    pool_risk._store_totals(totals)
    log IRiskBook.Checkpoint(
        prices=prices,
        variances=[
            book.terms[0].long_variance,
            book.terms[0].short_variance,
            book.terms[1].long_variance,
            book.terms[1].short_variance,
        ],
        carries=[book.terms[0].carry, book.terms[1].carry],
        equity=equity,
        requirement=requirement,
        sweep=sweep,
        scale=state.scale,
        utilisation=state.utilisation,
        window_end=state.window_end,
    )
    return sweep


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
    return book.state.depth == 0 or self._is_stale(book)


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
def _commit_growth(growth: series_book.Growth):
    """
    @notice Write what touching series did, and nothing else.
    """
    totals: pool_risk.Totals = pool_risk._load_totals()
    totals.accrued = unsafe_add(totals.accrued, growth.accrued)
    pool_risk._store_totals(totals)
    self.owed = unsafe_add(self.owed, growth.owed)


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
    self.owed = unsafe_sub(unsafe_add(self.owed, account.growth.owed), account.realised)
    if account.retired != 0:
        for leg: uint256 in legs:
            s: series_book.Series = series_book._load(leg_words._series(leg))
            if s.notice == series_book.FROZEN:
                s = series_book._resized(s, leg_words._units(leg), 0)
                series_book._store_size(leg_words._series(leg), s)
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        if change.affected[u]:
            exposure: pool_risk.Exposure = pool_risk._exposure(u)
            totals.worst = unsafe_sub(totals.worst, pool_risk._worst(exposure.losses))
            totals.worst = unsafe_add(totals.worst, pool_risk._affect(u, exposure, change.effects[u]))
    pool_risk._store_totals(totals)
    return totals


# Series and legs


@internal
@view
def _view(book: Book, id: uint256) -> View:
    """
    @notice A series brought to the present price and time; stores nothing.
    """
    v: View = empty(View)
    v.s = series_book._load(id)
    self._require(v.s.strike != 0, "trade: unknown series")
    terms: series_book.Terms = book.terms[v.s.underlying]
    v.quote = series_book._quote(v.s, terms.price, terms.sharpness)
    v.s, v.growth = series_book._grow(v.s, terms, v.quote)
    return v


@internal
def _visit(book: Book, legs: uint256[8], acting: bool) -> Account:
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
        v: View = self._view(book, id)
        account.visited = unsafe_add(account.visited, 1)
        account.growth = series_book._sum(account.growth, v.growth)
        account.realised = unsafe_add(account.realised, series_book._gain(v.s, units, leg_words._gain(leg)))
        if v.s.notice != series_book.FROZEN:
            account.legs[account.count] = leg_words._pack(id, units, series_book._index(v.s, units))
            account.count = unsafe_add(account.count, 1)
            account.stress = self._stressed(
                account.stress, v, SHARPNESS[v.s.underlying], shock, 0, units
            )
        else:
            account.retired = unsafe_add(account.retired, 1)
        if acting:
            series_book._store(id, v.s)
    account.gain = integers._floor_div(account.realised, integers._int(c.GAIN))
    return account


@internal
def _resize(
    id: uint256, terms: series_book.Terms, v: View, before: int256, after: int256
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
        self._require(place < c.MAX_LEGS, "trade: ninth leg")
        last = count
    placed[place] = leg
    if leg == 0:
        placed[place] = placed[last]
        placed[last] = 0
        return placed, last
    return placed, unsafe_add(last, 1)


@internal
@view
def _check_opening(book: Book, v: View, units: int256):
    """
    @notice What a leg that grows to `units` must satisfy.
    """
    self._require(v.s.notice == 0, "trade: series is on notice")
    near: bool = c.MIN_OPEN_MONEYNESS <= v.quote.moneyness and v.quote.moneyness <= c.MAX_OPEN_MONEYNESS
    self._require(near, "trade: moneyness out of range")
    face: uint256 = unsafe_div(unsafe_mul(integers._size(units), book.state.scale), c.WAD)
    self._require(face >= parameters._min_face(book.limits), "trade: face below minimum")


@internal
@pure
def _differs(book: Book, prices: uint256[2]) -> bool:
    """
    @notice Whether an order's own prices are not the latest.
    """
    return (prices[0] != 0 and prices[0] != book.terms[0].price) or (prices[1] != 0 and prices[1] != book.terms[1].price)


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
@view
def _cost(
    book: Book, cost: trade_costs.Cost, underlying: uint256, quote: series_book.Quote, change: int256
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
def _impact(book: Book, cost: trade_costs.Cost) -> uint256:
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


# Margin


@internal
@pure
def _stressed(
    stress: portfolio_margin.Stress, v: View, sharpness: uint256, shock: uint256, before: int256, after: int256
) -> portfolio_margin.Stress:
    """
    @notice The scenario test of an account with one leg's units changed.
    """
    moves: int256[6] = portfolio_margin._moves(v.quote.moneyness, sharpness, v.s.is_put, v.quote.mark, shock)
    return portfolio_margin._stressed(stress, v.s.underlying, v.quote.moneyness, moves, before, after)


@internal
@view
def _scenario_sum(book: Book, stress: portfolio_margin.Stress) -> uint256:
    return portfolio_margin._scenario_sum(
        stress, parameters._rate(book.rates, parameters.GROSS_RATE), book.state.scale
    )


@internal
@view
def _initial(book: Book, scenario_sum: uint256) -> uint256:
    return portfolio_margin._initial(
        portfolio_margin._maintenance(scenario_sum, parameters._min_margin(book.limits)),
        parameters._rate(book.rates, parameters.INITIAL_RATIO),
    )


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
        self._require(units != 0, "trade: nothing to reduce")
        size = 0
    if size != 0:
        units = unsafe_add(units, max(1, unsafe_div(unsafe_mul(size, c.WAD), scale)))
    change: int256 = integers._int(units)
    if face < 0:
        change = unsafe_sub(0, change)
    return change, size != 0


@internal
@pure
def _written(before: int256, after: int256) -> int256:
    """
    @notice Units more that are written when a leg goes from `before` to `after`.
    """
    return unsafe_sub(min(before, 0), min(after, 0))


# Who and when


@internal
@view
def _only(caller: address):
    self._require(msg.sender == caller, "risk_book: wrong caller")


@internal
@view
def _only_closed_window(state: checkpoints.State):
    self._require(not checkpoints._is_window_open(state), "risk_book: settle window")


@internal
@pure
def _require(holds: bool, reason: String[40]):
    """
    @notice An assert in half the bytes: the contract is near the limit of its size.
    """
    assert holds, reason
