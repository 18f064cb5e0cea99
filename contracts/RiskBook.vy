# pragma version 0.4.3
# pragma optimize codesize
"""
@title RiskBook
@license AGPL-3.0-only
@notice See interfaces/IRiskBook.vyi.
@dev No lock: the only call that leaves it goes to the oracle, and is static. (`set_parameters`
     first calls the clearing house, and changes nothing before.)
"""

from interfaces import IClearingHouse
from interfaces import IRiskBook
from interfaces import IRiskParameters

from contracts.modules import checkpoints
from contracts.modules import checks
from contracts.modules import constants as c
from contracts.modules import integers
from contracts.modules import legs as leg_words
from contracts.modules import market_book
from contracts.modules import parameters
from contracts.modules import pool_risk
from contracts.modules import portfolio_margin
from contracts.modules import positions
from contracts.modules import series_book
from contracts.modules import trade_costs

implements: IRiskBook

initializes: checkpoints
initializes: pool_risk
initializes: series_book
initializes: market_book[checkpoints := checkpoints, pool_risk := pool_risk, series_book := series_book]
initializes: positions[market_book := market_book, pool_risk := pool_risk, series_book := series_book]

# Where a settle window ends that never does.
FOREVER: constant(uint256) = 2**32 - 1

# The market's other contracts.
CLEARING_HOUSE: public(immutable(address))
MAIN_POOL: public(immutable(address))
SERIES_LISTING: public(immutable(address))
RISK_PARAMETERS: public(immutable(address))


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
    checkpoints.__init__()
    pool_risk.__init__(decimals)
    rates: uint256 = staticcall IRiskParameters(risk_parameters).rates()
    limits: uint256 = staticcall IRiskParameters(risk_parameters).limits()
    market_book.__init__(oracle, underlyings, sharpness, rates, limits)
    CLEARING_HOUSE = clearing_house
    MAIN_POOL = main_pool
    SERIES_LISTING = series_listing
    RISK_PARAMETERS = risk_parameters


# What the clearing house calls


@external
def checkpoint(main: uint256, claims: uint256, leaving: uint256) -> IRiskBook.Sweep:
    self._only(CLEARING_HOUSE)
    return market_book._checkpoint(market_book._read(c.TRADE_MAX_AGE), main, claims, leaving)


@external
def settle(base: uint256, legs: uint256[8], main: uint256, claims: uint256) -> IRiskBook.Settlement:
    self._only(CLEARING_HOUSE)
    book: market_book.Book = empty(market_book.Book)
    result: IRiskBook.Settlement = empty(IRiskBook.Settlement)
    book.state = checkpoints._load()
    # In settlement every series is frozen: no price is needed, and a bankrupt account is resolved like any other.
    if not book.state.frozen:
        book, result.sweep = market_book._begin(c.TRADE_MAX_AGE, main, claims)
    account: positions.Account = positions._visit(book, legs, True)
    result.gain = account.gain
    result.booked = checkpoints._is_booked(book.state)
    result.skipped = not book.state.frozen and integers._int(base) + account.gain < 0
    if result.skipped:
        result.legs = legs
        market_book._commit_growth(account.growth)
    else:
        result.legs = account.legs
        positions._commit(account, legs, empty(positions.Change), 0)
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
    book: market_book.Book = empty(market_book.Book)
    result: IRiskBook.Trade = empty(IRiskBook.Trade)
    book, result.sweep = market_book._begin(c.TRADE_MAX_AGE, main, claims)
    market_book._only_closed_window(book.state.window_end)
    checks._require(book.state.depth != 0, "risk_book: no equity")
    account: positions.Account = positions._visit(book, legs, True)
    sum_before: uint256 = positions._scenario_sum(book, account.stress)
    requirement_before: uint256 = market_book._requirement(book, pool_risk._load_totals())

    # Leg by leg. At the order's own prices a leg is only priced if they are not the latest.
    change: positions.Change = empty(positions.Change)
    latest: trade_costs.Cost = empty(trade_costs.Cost)
    own: trade_costs.Cost = empty(trade_costs.Cost)
    differs: bool = self._differs(book, prices)
    for item: IRiskBook.OrderLeg in order:
        if item.face == 0:
            break
        v: market_book.View = market_book._view(book, item.series)
        u: uint256 = v.s.underlying
        checks._require(v.s.strike != 0, "trade: unknown series")
        checks._require(v.s.notice != series_book.FROZEN, "trade: series is retired")
        account.growth = series_book._sum(account.growth, v.growth)
        place: uint256 = 0
        before: int256 = 0
        place, before = positions._find(account.legs, item.series)
        units: int256 = 0
        opens: bool = False
        units, opens = positions._units(item.face, before, book.state.scale, reduce_only)
        after: int256 = unsafe_add(before, units)
        if opens:
            positions._check_opening(book, v, after)
            result.cash_floor = parameters._min_margin(book.limits)

        latest = positions._cost(book, latest, u, v.quote, units)
        if differs:
            quote: series_book.Quote = series_book._quote(v.s, prices[u], book.terms[u].sharpness)
            own = positions._cost(book, own, u, quote, units)
        account.stress = positions._stressed(
            account.stress, v, market_book.SHARPNESS[u], parameters._rate(book.rates, parameters.ACCOUNT_SHOCK), before, after
        )
        change = positions._changed(book, change, v, before, after)
        leg: uint256 = positions._resize(item.series, book.terms[u], v, before, after)
        account.legs, account.count = positions._placed(account.legs, account.count, place, leg)

    result.legs = account.legs
    result.gain = account.gain
    result.fee = latest.fee
    result.impact = positions._impact(book, latest)
    result.total = trade_costs._total(latest, result.impact)
    result.own_total = result.total
    if differs:
        result.own_total = trade_costs._total(own, positions._impact(book, own))

    sum_after: uint256 = positions._scenario_sum(book, account.stress)
    buffer: uint256 = parameters.CLOSE_BUFFER
    queued: uint256 = 0
    if sum_after > sum_before:
        market_book._only_near_chainlink(book.restricted)
        result.initial = positions._initial(book, sum_after)
        buffer = parameters.OPEN_BUFFER
        queued = checkpoints._queued_redemptions()

    accrued: uint256 = result.fee * parameters._rate(book.rates, parameters.COMMON_SHARE) // c.PERMILLE
    totals: pool_risk.Totals = positions._commit(account, legs, change, accrued)
    requirement: uint256 = market_book._requirement(book, totals)
    if requirement > requirement_before:
        # E once the gain is booked and the fee is in.
        swept: uint256 = result.sweep.insurance + result.sweep.treasury
        left: int256 = market_book._equity(main + result.fee, claims + queued + swept, totals.accrued) - account.gain
        needed: uint256 = parameters._rate(book.rates, buffer) * requirement
        checks._require(left * 1_000 >= integers._int(needed), "trade: over pool capacity")
    return result


@external
def liquidate(base: uint256, legs: uint256[8], main: uint256, claims: uint256) -> IRiskBook.Liquidation:
    self._only(CLEARING_HOUSE)
    book: market_book.Book = empty(market_book.Book)
    result: IRiskBook.Liquidation = empty(IRiskBook.Liquidation)
    book, result.sweep = market_book._begin(c.LIQUIDATION_MAX_AGE, main, claims)
    result.booked = checkpoints._is_booked(book.state)
    account: positions.Account = positions._visit(book, legs, True)
    result.gain = account.gain
    result.scenario_sum = positions._scenario_sum(book, account.stress)
    equity: int256 = integers._int(base) + account.gain
    min_margin: uint256 = parameters._min_margin(book.limits)
    if equity >= integers._int(portfolio_margin._maintenance(result.scenario_sum, min_margin)):
        result.legs = legs
        market_book._commit_growth(account.growth)
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
    change: positions.Change = empty(positions.Change)
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
        v: market_book.View = market_book._view(book, id)
        change = positions._changed(book, change, v, before, after)
        leg: uint256 = positions._resize(id, book.terms[v.s.underlying], v, before, after)
        account.legs, account.count = positions._placed(account.legs, account.count, place, leg)
    result.legs = account.legs
    positions._commit(account, legs, change, 0)
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
    market_book._only_closed_window(checkpoints._load().window_end)
    s: series_book.Series = empty(series_book.Series)
    s.underlying = underlying
    s.strike = strike
    s.is_put = is_put
    s.time = block.timestamp
    id: uint256 = series_book._list(s)
    log IRiskBook.SeriesListed(series=id, underlying=underlying, strike=strike, is_put=is_put)
    return id


@external
def freeze():
    self._only(CLEARING_HOUSE)
    state: checkpoints.State = checkpoints._load()
    state.frozen = True
    state.window_end = FOREVER
    checkpoints._store(state)
    # Insurance and treasury take no share of what is left to winners.
    pool_risk._void_accrued()


@external
def set_notice(series: uint256, time: uint256):
    self._only(SERIES_LISTING)
    book: market_book.Book = market_book._read(c.TRADE_MAX_AGE)
    market_book._only_closed_window(book.state.window_end)
    v: market_book.View = market_book._view(book, series)
    series_book._store(series, v.s)
    market_book._commit_growth(v.growth)
    v.s.notice = time
    series_book._store_size(series, v.s)
    if time == series_book.FROZEN:
        series_book._unlist(series, v.s.underlying)
    log IRiskBook.NoticeSet(series=series, time=time)


@external
def set_parameters(rates: uint256, limits: uint256):
    self._only(RISK_PARAMETERS)
    extcall IClearingHouse(CLEARING_HOUSE).checkpoint()
    market_book.rates = rates
    market_book.limits = limits
    log IRiskBook.ParametersSet(rates=rates, limits=limits)


# Views


@external
def withdrawal_check(base: uint256, legs: uint256[8], amount: uint256) -> bool:
    book: market_book.Book = market_book._read(c.TRADE_MAX_AGE)
    if market_book._is_due(book):
        return False
    market_book._only_closed_window(book.state.window_end)
    market_book._only_near_chainlink(book.restricted)
    account: positions.Account = positions._visit(book, legs, False)
    equity: int256 = integers._int(base) + account.gain - integers._int(amount)
    initial: uint256 = positions._initial(book, positions._scenario_sum(book, account.stress))
    checks._require(equity >= integers._int(initial), "risk_book: below initial margin")
    return True


@view
@external
def pool_flow(main: uint256, claims: uint256) -> IRiskBook.PoolFlow:
    book: market_book.Book = market_book._read(c.TRADE_MAX_AGE)
    market_book._only_closed_window(book.state.window_end)
    checks._require(not market_book._is_stale(book), "risk_book: checkpoint due")
    market_book._only_near_chainlink(book.restricted)
    totals: pool_risk.Totals = pool_risk._load_totals()
    growth: series_book.Growth = market_book._remarked(book)
    totals.accrued = unsafe_add(totals.accrued, growth.accrued)
    return IRiskBook.PoolFlow(
        equity=market_book._equity(main, claims, totals.accrued, growth.owed),
        requirement=market_book._requirement(book, totals),
        accrued=totals.accrued,
        publish_time=book.publish_time,
        booked=checkpoints._is_booked(book.state),
    )


@view
@external
def equity(main: uint256, claims: uint256) -> int256:
    return market_book._equity(main, claims, pool_risk._load_totals().accrued)


@view
@external
def is_booked() -> bool:
    return checkpoints._is_booked(checkpoints._load())


@view
@external
def is_due() -> bool:
    return market_book._is_due(market_book._read(max_value(uint256)))


@view
@external
def series_words(series: uint256) -> uint256[3]:
    return series_book.words[series]


@view
@external
def market_words() -> IRiskBook.MarketWords:
    return IRiskBook.MarketWords(
        oracle=market_book.ORACLE,
        rates=market_book.rates,
        limits=market_book.limits,
        owed=market_book.owed,
        state=checkpoints.state,
        anchors=checkpoints.anchors,
        totals=pool_risk.totals,
        exposures=pool_risk.words,
        active=series_book.active,
        series_count=series_book.count,
        granule=pool_risk.GRANULE,
        underlyings=market_book.UNDERLYINGS,
        sharpness=market_book.SHARPNESS,
    )


@internal
@pure
def _differs(book: market_book.Book, prices: uint256[2]) -> bool:
    """
    @notice Whether an order's own prices are not the latest. A market of one underlying has no second.
    """
    return prices[0] != book.terms[0].price or (prices[1] != 0 and prices[1] != book.terms[1].price)


@internal
@view
def _only(caller: address):
    checks._require(msg.sender == caller, "risk_book: wrong caller")
