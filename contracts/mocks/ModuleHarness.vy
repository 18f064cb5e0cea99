# pragma version 0.4.3
# pragma optimize codesize
"""
@title ModuleHarness
@license AGPL-3.0-only
@notice The internals of the modules that RiskBook is made of, one external function each, to test the modules alone.
"""

from contracts.modules import checkpoints
from contracts.modules import everlasting
from contracts.modules import integers
from contracts.modules import legs
from contracts.modules import parameters
from contracts.modules import pool_risk
from contracts.modules import portfolio_margin
from contracts.modules import series_book
from contracts.modules import trade_costs

initializes: checkpoints
initializes: pool_risk
initializes: series_book


@deploy
def __init__(decimals: uint256):
    checkpoints.__init__()
    pool_risk.__init__(decimals)


# everlasting


@pure
@external
def moneyness(price: uint256, strike: uint256) -> uint256:
    return everlasting._moneyness(price, strike)


@pure
@external
def time_value(moneyness: uint256, sharpness: uint256) -> uint256:
    return everlasting._time_value(moneyness, sharpness)


@pure
@external
def value_of(moneyness: uint256, sharpness: uint256, is_put: bool) -> everlasting.Value:
    return everlasting._value(moneyness, sharpness, is_put)


@pure
@external
def marks(moneyness: uint256, sharpness: uint256) -> (uint256, uint256):
    return everlasting._mark(moneyness, sharpness, False), everlasting._mark(moneyness, sharpness, True)


@pure
@external
def rates(
    time_value: uint256,
    slope: int256,
    sharpness: uint256,
    long_variance: uint256,
    short_variance: uint256,
    carry: int256,
    long_multiple: uint256,
    short_multiple: uint256,
) -> everlasting.Rates:
    return everlasting._rates(
        time_value, slope, sharpness, long_variance, short_variance, carry, long_multiple, short_multiple
    )


@view
@external
def mark_gas(moneyness: uint256, sharpness: uint256, is_put: bool) -> uint256:
    """
    @return Gas of one mark, its call included.
    """
    before: uint256 = msg.gas
    mark: uint256 = everlasting._mark(moneyness, sharpness, is_put)
    return before - msg.gas


@view
@external
def scenario_gas(price: uint256, s: series_book.Series, sharpness: uint256, shock: uint256) -> uint256:
    """
    @return Gas of mark, slope and six scenario points of a series.
    """
    before: uint256 = msg.gas
    quote: series_book.Quote = series_book._quote(s, price, sharpness)
    moves: int256[6] = portfolio_margin._moves(quote.moneyness, sharpness, s.is_put, quote.mark, shock)
    return before - msg.gas


# integers


@pure
@external
def floor_div(numerator: int256, denominator: int256) -> int256:
    return integers._floor_div(numerator, denominator)


@pure
@external
def ceil_div(numerator: int256, denominator: int256) -> int256:
    return integers._ceil_div(numerator, denominator)


@pure
@external
def divisions(numerators: DynArray[int256, 256], denominators: DynArray[int256, 64]) -> DynArray[int256[2], 16384]:
    """
    @return Floor and ceiling of every numerator by every denominator.
    """
    both: DynArray[int256[2], 16384] = []
    for numerator: int256 in numerators:
        for denominator: int256 in denominators:
            both.append([integers._floor_div(numerator, denominator), integers._ceil_div(numerator, denominator)])
    return both


@pure
@external
def signed(bits: uint256, width: uint256) -> int256:
    return integers._signed(bits, width)


@pure
@external
def unsigned(number: int256, width: uint256) -> uint256:
    return integers._unsigned(number, width)


@pure
@external
def difference(a: uint256, b: uint256) -> int256:
    return integers._difference(a, b)


@pure
@external
def size(number: int256) -> uint256:
    return integers._size(number)


# legs


@pure
@external
def pack_leg(series: uint256, units: int256, gain: int256) -> uint256:
    return legs._pack(series, units, gain)


@pure
@external
def unpack_leg(leg: uint256) -> (uint256, int256, int256):
    return legs._series(leg), legs._units(leg), legs._gain(leg)


# parameters


@pure
@external
def unpack_parameters(rates: uint256, limits: uint256) -> (uint256[16], int256[2], uint256, uint256, uint256):
    unpacked: uint256[16] = empty(uint256[16])
    for key: uint256 in range(16):
        unpacked[key] = parameters._rate(rates, key)
    carries: int256[2] = [parameters._carry(limits, 0), parameters._carry(limits, 1)]
    return (
        unpacked,
        carries,
        parameters._min_margin(limits),
        parameters._min_face(limits),
        parameters._deleverage_target(limits),
    )


# series_book


@external
def store_series(id: uint256, s: series_book.Series):
    series_book._store(id, s)
    series_book._store_size(id, s)


@view
@external
def series(id: uint256) -> series_book.Series:
    return series_book._load(id)


@view
@external
def held_series(id: uint256) -> series_book.Series:
    return series_book._load_held(id)


@view
@external
def grow(s: series_book.Series, terms: series_book.Terms) -> (series_book.Series, series_book.Growth):
    return series_book._grow(s, terms, series_book._quote(s, terms.price, terms.sharpness))


@pure
@external
def terms(
    word: uint256,
    underlying: uint256,
    sharpness: uint256,
    rates: uint256,
    limits: uint256,
    scale: uint256,
    utilisation: uint256,
) -> series_book.Terms:
    return series_book._terms(word, underlying, sharpness, rates, limits, scale, utilisation)


@pure
@external
def resized(s: series_book.Series, before: int256, after: int256) -> series_book.Series:
    return series_book._resized(s, before, after)


@pure
@external
def gain(s: series_book.Series, units: int256, entry: int256) -> int256:
    return series_book._gain(s, units, entry)


@external
def list_series(s: series_book.Series) -> uint256:
    return series_book._list(s)


@external
def unlist(id: uint256):
    series_book._unlist(id, series_book._load(id).underlying)


@view
@external
def active(underlying: uint256) -> uint256:
    return series_book.active[underlying]


# portfolio_margin


@pure
@external
def moves(moneyness: uint256, sharpness: uint256, is_put: bool, mark: uint256, shock: uint256) -> int256[6]:
    return portfolio_margin._moves(moneyness, sharpness, is_put, mark, shock)


@pure
@external
def stressed(
    stress: portfolio_margin.Stress,
    underlying: uint256,
    moneyness: uint256,
    moves: int256[6],
    before: int256,
    after: int256,
) -> portfolio_margin.Stress:
    return portfolio_margin._stressed(stress, underlying, moneyness, moves, before, after)


@pure
@external
def scenario_sum(stress: portfolio_margin.Stress, gross_rate: uint256, scale: uint256) -> uint256:
    return portfolio_margin._scenario_sum(stress, gross_rate, scale)


@pure
@external
def maintenance(scenario_sum: uint256, min_margin: uint256) -> uint256:
    return portfolio_margin._maintenance(scenario_sum, min_margin)


@pure
@external
def initial(maintenance: uint256, initial_ratio: uint256) -> uint256:
    return portfolio_margin._initial(maintenance, initial_ratio)


@pure
@external
def fraction(
    scenario_sum: uint256, equity: int256, min_margin: uint256, initial_ratio: uint256, penalty_rate: uint256
) -> uint256:
    return portfolio_margin._fraction(scenario_sum, equity, min_margin, initial_ratio, penalty_rate)


# pool_risk


@view
@external
def granule() -> uint256:
    return pool_risk.GRANULE


@external
def affect(underlying: uint256, exposure: pool_risk.Exposure, effect: pool_risk.Effect) -> uint256:
    return pool_risk._affect(underlying, exposure, effect)


@view
@external
def exposure(underlying: uint256) -> pool_risk.Exposure:
    return pool_risk._exposure(underlying)


@view
@external
def held(underlying: uint256) -> int256:
    return pool_risk._held(underlying)


@external
def store_totals(totals: pool_risk.Totals):
    pool_risk._store_totals(totals)


@view
@external
def totals() -> pool_risk.Totals:
    return pool_risk._load_totals()


@view
@external
def requirement(totals: pool_risk.Totals, default_charge: uint256, scale: uint256) -> uint256:
    return pool_risk._requirement(totals, default_charge, scale, pool_risk.GRANULE)


@view
@external
def granules_up(units: uint256) -> uint256:
    return pool_risk._granules_up(units)


@view
@external
def written(written: uint256, change: int256) -> uint256:
    return pool_risk._written(written, change)


# checkpoints


@external
def store_state(state: checkpoints.State):
    checkpoints._store(state)


@view
@external
def state() -> checkpoints.State:
    return checkpoints._load()


@external
def set_queued_redemptions(amount: uint256):
    checkpoints._set_queued_redemptions(amount)


@view
@external
def queued_redemptions() -> uint256:
    return checkpoints._queued_redemptions()


@view
@external
def anchors() -> uint256:
    return checkpoints.anchors


@pure
@external
def moved(price: uint256, reference: uint256, shock: uint256, part: uint256) -> bool:
    return checkpoints._moved(price, reference, shock, part)


@external
def has_jumped(prices: uint256[2], shock: uint256) -> bool:
    return checkpoints._has_jumped(prices, shock)


# trade_costs


@pure
@external
def plus(
    cost: trade_costs.Cost,
    underlying: uint256,
    moneyness: uint256,
    mark: uint256,
    slope: int256,
    change: int256,
    scale: uint256,
    fee_rate: uint256,
    fee_cap: uint256,
) -> trade_costs.Cost:
    return trade_costs._plus(cost, underlying, moneyness, mark, slope, change, scale, fee_rate, fee_cap)


@pure
@external
def impact(held: int256, added: int256, scale: uint256, depth: uint256, k: uint256) -> uint256:
    return trade_costs._impact(held, added, scale, depth, k)


@pure
@external
def total(cost: trade_costs.Cost, impact: uint256) -> int256:
    return trade_costs._total(cost, impact)
