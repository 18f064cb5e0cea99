# pragma version 0.4.3
# pragma optimize codesize
"""
@title MarketLens
@license AGPL-3.0-only
@notice See interfaces/IMarketLens.vyi.
@dev No state and no money. What RiskBook stores is decoded and valued by RiskBook's own modules.
"""

from interfaces import IClearingHouse
from interfaces import IMarketLens
from interfaces import IPriceOracle
from interfaces import IRiskBook

from contracts.modules import checkpoints
from contracts.modules import constants as c
from contracts.modules import everlasting
from contracts.modules import integers
from contracts.modules import legs as leg_words
from contracts.modules import parameters
from contracts.modules import pool_risk
from contracts.modules import portfolio_margin
from contracts.modules import series_book

implements: IMarketLens

# Getters of the market's contracts that no other contract calls.
interface Tokens:
    def RISK_BOOK() -> address: view

# Places for series in memory; a power of two, at least twice what can be active.
CACHE_SIZE: constant(uint256) = 64
STALE: constant(String[32]) = "price_oracle: stale price"

# What everything in one market is valued with.
struct Book:
    risk_book: address
    market: IRiskBook.MarketWords
    state: checkpoints.State
    words: uint256[2]  # of the underlyings at the oracle
    terms: series_book.Terms[2]

# A series brought to the present.
struct View:
    s: series_book.Series
    quote: series_book.Quote
    growth: series_book.Growth

# What `health` needs of a series for every leg in it.
struct Snapshot:
    id: uint256  # 0: an empty place
    underlying: uint256
    weight: uint256  # max(1, moneyness), wad; 0 if it is retired and needs no margin
    long_gain: int256
    short_gain: int256
    moves: int256[6]


@view
@external
def health(clearing_house: address, accounts: DynArray[uint256, 100]) -> DynArray[IMarketLens.Health, 100]:
    book: Book = self._book(clearing_house)
    account_shock: uint256 = parameters._rate(book.market.rates, parameters.ACCOUNT_SHOCK)
    gross_rate: uint256 = parameters._rate(book.market.rates, parameters.GROSS_RATE)
    initial_ratio: uint256 = parameters._rate(book.market.rates, parameters.INITIAL_RATIO)
    min_margin: uint256 = parameters._min_margin(book.market.limits)
    cache: Snapshot[CACHE_SIZE] = empty(Snapshot[CACHE_SIZE])
    result: DynArray[IMarketLens.Health, 100] = []
    for account: uint256 in accounts:
        stored: IClearingHouse.Account = staticcall IClearingHouse(clearing_house).account(account)
        h: IMarketLens.Health = empty(IMarketLens.Health)
        losses: int256[6][2] = empty(int256[6][2])
        gross: uint256 = 0
        realised: int256 = 0
        # Safe: see the ranges in `series_book` and `portfolio_margin`.
        for leg: uint256 in stored.legs:
            if leg == 0:
                break
            h.legs = unsafe_add(h.legs, 1)
            id: uint256 = leg_words._series(leg)
            # Its own place or the next free one; when all are taken, whoever has its own place gives way.
            place: uint256 = id % CACHE_SIZE
            for _: uint256 in range(CACHE_SIZE):
                held: uint256 = cache[place].id
                if held == id or held == 0:
                    break
                place = unsafe_add(place, 1) % CACHE_SIZE
            if cache[place].id != id:
                cache[place] = self._snapshot(book, id, account_shock)
            s: Snapshot = cache[place]
            units: int256 = leg_words._units(leg)
            size: uint256 = integers._size(units)
            index: int256 = s.short_gain
            if units > 0:
                index = s.long_gain
            realised = unsafe_add(realised, unsafe_mul(integers._int(size), unsafe_sub(index, leg_words._gain(leg))))
            if s.weight != 0:
                losses[s.underlying] = portfolio_margin._plus(losses[s.underlying], s.moves, unsafe_sub(0, units))
                gross = unsafe_add(gross, unsafe_mul(size, s.weight))
        h.cash = stored.cash
        h.claim = stored.claim
        h.gain = integers._floor_div(realised, integers._int(c.GAIN))
        h.equity = unsafe_add(integers._int(unsafe_add(h.cash, h.claim)), h.gain)
        h.scenario_sum = portfolio_margin._scenario_sum(
            portfolio_margin.Stress(losses=losses, gross=gross), gross_rate, book.state.scale
        )
        h.maintenance = portfolio_margin._maintenance(h.scenario_sum, min_margin)
        h.initial = portfolio_margin._initial(h.maintenance, initial_ratio)
        h.is_liquidatable = h.equity < integers._int(h.maintenance)
        result.append(h)
    return result


@view
@external
def legs(clearing_house: address, account: uint256) -> DynArray[IMarketLens.Leg, 8]:
    book: Book = self._book(clearing_house)
    stored: IClearingHouse.Account = staticcall IClearingHouse(clearing_house).account(account)
    result: DynArray[IMarketLens.Leg, 8] = []
    for leg: uint256 in stored.legs:
        if leg == 0:
            break
        id: uint256 = leg_words._series(leg)
        units: int256 = leg_words._units(leg)
        entry: int256 = leg_words._gain(leg)
        v: View = self._view(book, id)
        result.append(
            IMarketLens.Leg(
                series=id,
                underlying=v.s.underlying,
                strike=v.s.strike,
                is_put=v.s.is_put,
                is_retired=v.s.notice == series_book.FROZEN,
                units=units,
                face=units * integers._int(book.state.scale) // integers._int(c.WAD),
                entry=entry,
                gain=integers._floor_div(series_book._gain(v.s, units, entry), integers._int(c.GAIN)),
                mark=v.quote.mark,
                slope=v.quote.slope,
            )
        )
    return result


@view
@external
def option_chain(clearing_house: address) -> IMarketLens.Chain:
    book: Book = self._book(clearing_house)
    result: IMarketLens.Chain = empty(IMarketLens.Chain)
    for u: uint256 in range(self._underlyings(book), bound=2):
        word: uint256 = book.words[u]
        result.underlyings.append(
            IMarketLens.Underlying(
                oracle_id=book.market.underlyings[u],
                sharpness=book.market.sharpness[u],
                price=word & (2**64 - 1),
                publish_time=(word >> 64) & (2**32 - 1),
                fast_variance=(word >> 96) & (2**40 - 1),
                slow_variance=(word >> 136) & (2**40 - 1),
                is_restricted=(word >> 176) & 1 != 0,
                carry=book.terms[u].carry,
            )
        )
        ids: uint256 = book.market.active[u]
        for _: uint256 in range(c.MAX_SERIES):
            if ids == 0:
                break
            id: uint256 = ids & (2**16 - 1)
            ids >>= 16
            last_touch: uint256 = series_book._decode(staticcall IRiskBook(book.risk_book).series_words(id)).time
            v: View = self._view(book, id)
            result.series.append(
                IMarketLens.Series(
                    id=id,
                    underlying=u,
                    strike=v.s.strike,
                    is_put=v.s.is_put,
                    notice=v.s.notice,
                    last_touch=last_touch,
                    moneyness=v.quote.moneyness,
                    mark=v.quote.mark,
                    slope=v.quote.slope,
                    long_rate=v.s.long_rate,
                    short_rate=v.s.short_rate,
                    long_units=v.s.long_units,
                    short_units=v.s.short_units,
                    long_face=self._face(book, v.s.long_units),
                    short_face=self._face(book, v.s.short_units),
                    long_gain=v.s.long_gain,
                    short_gain=v.s.short_gain,
                )
            )
    return result


@view
@external
def market(clearing_house: address) -> IMarketLens.Market:
    book: Book = self._book(clearing_house)
    ledgers: IClearingHouse.Ledgers = staticcall IClearingHouse(clearing_house).ledgers()
    totals: pool_risk.Totals = pool_risk._decode_totals(book.market.totals)
    owed: int256 = book.market.owed
    growth: series_book.Growth = empty(series_book.Growth)
    exposures: DynArray[IMarketLens.Exposure, 2] = []
    for u: uint256 in range(self._underlyings(book), bound=2):
        stored: pool_risk.Exposure = pool_risk._decode(book.market.exposures[u])
        exposure: IMarketLens.Exposure = empty(IMarketLens.Exposure)
        exposure.price = book.terms[u].price
        exposure.checkpoint_price = stored.checkpoint_price
        exposure.anchor_price = (book.market.anchors >> (64 * u)) & (2**64 - 1)
        for i: uint256 in range(6):
            exposure.losses[i] = integers._ceil_div(self._amount(book, stored.losses[i]), integers._int(c.WAD))
        exposure.delta = integers._floor_div(self._amount(book, stored.delta), integers._int(c.WAD))
        ids: uint256 = book.market.active[u]
        for _: uint256 in range(c.MAX_SERIES):
            if ids == 0:
                break
            v: View = self._view(book, ids & (2**16 - 1))
            ids >>= 16
            growth = series_book._sum(growth, v.growth)
            exposure.long_face += self._face(book, v.s.long_units)
            exposure.short_face += self._face(book, v.s.short_units)
        exposures.append(exposure)
    return IMarketLens.Market(
        main=ledgers.main,
        claims=ledgers.claims,
        insurance=ledgers.insurance,
        treasury=ledgers.treasury,
        # main cash - owed - claims - accrued, as RiskBook has it.
        equity=integers._int(ledgers.main)
        - integers._ceil_div(owed + growth.owed, integers._int(c.GAIN))
        - integers._int(ledgers.claims + totals.accrued + growth.accrued),
        stored_equity=staticcall IClearingHouse(clearing_house).equity(),
        requirement=pool_risk._requirement(
            totals,
            parameters._rate(book.market.rates, parameters.DEFAULT_CHARGE),
            book.state.scale,
            book.market.granule,
        ),
        owed=owed,
        accrued=totals.accrued,
        written_face=(totals.written * book.market.granule * book.state.scale + c.WAD - 1) // c.WAD,
        open_legs=totals.open_legs,
        series_count=book.market.series_count,
        settlement=staticcall IClearingHouse(clearing_house).settlement(),
        queued_redemptions=book.market.anchors >> 160,
        scale=book.state.scale,
        checkpoint_time=book.state.time,
        window_end=book.state.window_end,
        negative_since=book.state.negative_since,
        utilisation=book.state.utilisation,
        depth=book.state.depth * book.market.granule,
        anchor_time=(book.market.anchors >> 128) & (2**32 - 1),
        is_due=not book.state.frozen and staticcall IRiskBook(book.risk_book).is_due(),
        is_booked=staticcall IRiskBook(book.risk_book).is_booked(),
        exposures=exposures,
    )


@view
@external
def price_status(clearing_house: address) -> IMarketLens.PriceStatus:
    book: Book = self._book(clearing_house)
    result: IMarketLens.PriceStatus = empty(IMarketLens.PriceStatus)
    age: uint256 = 0
    restricted: bool = False
    for u: uint256 in range(self._underlyings(book), bound=2):
        status: IPriceOracle.Status = staticcall IPriceOracle(book.market.oracle).status(book.market.underlyings[u])
        age = max(age, status.age)
        restricted = restricted or status.is_restricted
        result.underlyings.append(status)
    # In RiskBook's own order.
    if book.state.frozen:
        result.checkpoint = "risk_book: in settlement"
        result.liquidation = result.checkpoint
    else:
        if age > c.TRADE_MAX_AGE:
            result.checkpoint = STALE
        if age > c.LIQUIDATION_MAX_AGE:
            result.liquidation = STALE
    result.trade = result.checkpoint
    if len(result.trade) == 0 and (block.timestamp < book.state.window_end or self._would_open_window(book)):
        result.trade = "risk_book: settle window"
    result.risk = result.trade
    if len(result.risk) == 0 and restricted:
        result.risk = "risk_book: far from chainlink"
    return result


@pure
@external
def mark(moneyness: uint256, sharpness: uint256, is_call: bool) -> uint256:
    self._check(moneyness, sharpness)
    return everlasting._mark(moneyness, sharpness, not is_call)


@pure
@external
def slope(moneyness: uint256, sharpness: uint256, is_call: bool) -> int256:
    self._check(moneyness, sharpness)
    return everlasting._value(moneyness, sharpness, not is_call).slope


@internal
@view
def _book(clearing_house: address) -> Book:
    """
    @notice Read what is the same for every series and account of a market.
    """
    book: Book = empty(Book)
    book.risk_book = staticcall Tokens(clearing_house).RISK_BOOK()
    book.market = staticcall IRiskBook(book.risk_book).market_words()
    book.state = checkpoints._decode(book.market.state)
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        book.words[u] = staticcall IPriceOracle(book.market.oracle).word(book.market.underlyings[u])
        book.terms[u] = series_book._terms(
            book.words[u],
            u,
            book.market.sharpness[u],
            book.market.rates,
            book.market.limits,
            book.state.scale,
            book.state.utilisation,
        )
    return book


@internal
@view
def _would_open_window(book: Book) -> bool:
    """
    @notice Whether an action would first checkpoint, and that find that an index jumped and open a settle window: the action
            reverts then, and its checkpoint with it.
    """
    shock: uint256 = parameters._rate(book.market.rates, parameters.POOL_SHOCK)
    jumped: bool = False
    for u: uint256 in range(c.MAX_UNDERLYINGS):
        anchor: uint256 = (book.market.anchors >> (64 * u)) & (2**64 - 1)
        jumped = jumped or checkpoints._moved(book.terms[u].price, anchor, shock, 2)
    return jumped and staticcall IRiskBook(book.risk_book).is_due()


@internal
@pure
def _underlyings(book: Book) -> uint256:
    """
    @notice How many underlyings the market has; one of one names it twice.
    """
    if book.market.underlyings[0] == book.market.underlyings[1]:
        return 1
    return 2


@internal
@view
def _view(book: Book, id: uint256) -> View:
    """
    @notice A series brought to the present price and time.
    """
    v: View = empty(View)
    v.s = series_book._decode(staticcall IRiskBook(book.risk_book).series_words(id))
    if book.state.frozen:
        v.s.notice = series_book.FROZEN
    terms: series_book.Terms = book.terms[v.s.underlying]
    v.quote = series_book._quote(v.s, terms.price, terms.sharpness)
    v.s, v.growth = series_book._grow(v.s, terms, v.quote)
    return v


@internal
@view
def _snapshot(book: Book, id: uint256, account_shock: uint256) -> Snapshot:
    """
    @notice What a leg in a series is worth and could lose.
    """
    v: View = self._view(book, id)
    weight: uint256 = 0
    if v.s.notice != series_book.FROZEN:
        weight = max(c.WAD, v.quote.moneyness)
    return Snapshot(
        id=id,
        underlying=v.s.underlying,
        weight=weight,
        long_gain=v.s.long_gain,
        short_gain=v.s.short_gain,
        moves=portfolio_margin._moves(
            v.quote.moneyness, book.terms[v.s.underlying].sharpness, v.s.is_put, v.quote.mark, account_shock
        ),
    )


@internal
@pure
def _face(book: Book, units: uint256) -> uint256:
    """
    @notice What units are in raw units of M at the present D, rounded down.
    """
    return units * book.state.scale // c.WAD


@internal
@pure
def _amount(book: Book, granules: int256) -> int256:
    """
    @notice Granules in raw units of M, times a wad.
    """
    return granules * integers._int(book.market.granule * book.state.scale)


@internal
@pure
def _check(moneyness: uint256, sharpness: uint256):
    """
    @notice Refuse what no market has.
    """
    assert 5 <= sharpness and sharpness <= 100, "market_lens: sharpness out of range"
    assert c.MIN_MONEYNESS <= moneyness and moneyness <= c.MAX_MONEYNESS, "market_lens: moneyness out of range"
