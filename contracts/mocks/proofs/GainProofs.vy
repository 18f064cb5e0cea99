# pragma version 0.4.3
# pragma optimize codesize
"""
@title GainProofs
@license AGPL-3.0-only
@notice What a touch adds to the gain indexes is rounded down on both sides, so that a long and a short of one size together
        never gain from the pool.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from contracts.mocks.proofs import IProofs
from contracts.modules import constants as c
from contracts.modules import everlasting
from contracts.modules import series_book

initializes: series_book

TWO_YEARS: constant(int256) = 2 * 365 * 86_400
# Scale of a rate's numerator over that of a rate.
RATE: constant(int256) = 10**25


@pure
@external
def check_rates(
    time_value: uint256,
    slope: int256,
    sharpness: uint256,
    variances: uint256[2],
    carry: int256,
    multiples: uint256[2],
) -> bool:
    """
    @notice A long pays at least the exact rate and a short receives at most his, each by less than 1e-10 a year; a long never
            pays less than a short receives.
    """
    self._assume(time_value <= c.WAD // 9 and -(2**75) < slope and slope < 2**75 and 5 <= sharpness and sharpness <= 100)
    self._assume(variances[1] <= variances[0] and variances[0] < 2**40 and -(2**15) <= carry and carry < 2**15)
    self._assume(multiples[0] < 2**26 and multiples[1] < 2**26)
    rates: everlasting.Rates = everlasting._rates(
        time_value, slope, sharpness, variances[0], variances[1], carry, multiples[0], multiples[1]
    )
    # The same formula as in the module, by its description: 1e-35 a year, then 1e-28 for what has no load.
    gamma: int256 = convert(
        unsafe_mul(unsafe_div(unsafe_mul(sharpness, unsafe_sub(sharpness, 1)), 2), time_value), int256
    )
    drift: int256 = unsafe_mul(unsafe_mul(carry, slope), 100_000)
    size: int256 = max(drift, unsafe_sub(0, drift))
    long_base: int256 = unsafe_mul(gamma, convert(variances[0], int256))
    short_base: int256 = unsafe_mul(gamma, convert(variances[1], int256))
    long_load: int256 = unsafe_mul(unsafe_add(long_base, size), convert(multiples[0], int256))
    short_load: int256 = unsafe_mul(unsafe_add(short_base, size), convert(multiples[1], int256))
    long: int256 = unsafe_add(unsafe_mul(unsafe_add(long_base, drift), 10**7), long_load)
    short: int256 = unsafe_sub(unsafe_mul(unsafe_add(short_base, drift), 10**7), short_load)
    return (
        self._is_ceiling(rates.long, long, RATE)
        and self._is_floor(rates.short, short, RATE)
        and self._is_floor(convert(rates.long_load, int256), long_load, RATE)
        and self._is_floor(convert(rates.short_load, int256), short_load, RATE)
        and rates.short <= rates.long
    )


@view
@external
def check_gains(
    mark: uint256, last: int256[2], time: uint256, gains: int256[2], units: uint256[2], scale: uint256
) -> bool:
    """
    @notice Both gain indexes grow by the exact amount rounded down, and `owed` by exactly what the units make of it.
    @param mark The mark now; the last one is that of a call at the money, so that it may rise or fall by anything.
    @param last Rates of longs and shorts at the last touch. Those now are some: it is the sum of both that counts.
    """
    grown: series_book.Series = empty(series_book.Series)
    growth: series_book.Growth = empty(series_book.Growth)
    grown, growth = self._touched(mark, last, time, gains, units, scale)
    self._assume(units[0] | units[1] != 0)
    # Safe: see the module.
    long_gain: int256 = unsafe_sub(grown.long_gain, gains[0])
    short_gain: int256 = unsafe_sub(grown.short_gain, gains[1])
    elapsed: int256 = convert(unsafe_sub(block.timestamp, time), int256)
    longs: int256 = unsafe_add(last[0], grown.long_rate)
    shorts: int256 = unsafe_add(last[1], grown.short_rate)
    if elapsed > convert(c.HOUR, int256):
        longs = unsafe_mul(2, max(last[0], grown.long_rate))
        shorts = unsafe_mul(2, min(last[1], grown.short_rate))
    rise: int256 = unsafe_mul(unsafe_sub(convert(mark, int256), self._last_mark()), TWO_YEARS)
    span: int256 = unsafe_mul(elapsed, 10**8)
    d: int256 = convert(scale, int256)
    divisor: int256 = unsafe_mul(TWO_YEARS, 10**12)
    owed: int256 = unsafe_add(
        unsafe_mul(convert(units[0], int256), long_gain), unsafe_mul(convert(units[1], int256), short_gain)
    )
    return (
        self._is_floor(long_gain, unsafe_mul(d, unsafe_sub(rise, unsafe_mul(longs, span))), divisor)
        and self._is_floor(short_gain, unsafe_mul(d, unsafe_sub(unsafe_mul(shorts, span), rise)), divisor)
        and growth.owed == owed
    )


@view
@external
def check_both_sides(
    mark: uint256, last: int256[2], time: uint256, gains: int256[2], units: uint256, scale: uint256
) -> bool:
    """
    @notice Of as many long as short units, whatever happens, both together gain nothing from the pool.
    """
    self._assume(units != 0 and last[1] <= last[0])
    grown: series_book.Series = empty(series_book.Series)
    growth: series_book.Growth = empty(series_book.Growth)
    grown, growth = self._touched(mark, last, time, gains, [units, units], scale)
    return growth.owed <= 0 and unsafe_add(grown.long_gain, grown.short_gain) <= unsafe_add(gains[0], gains[1])


@view
@external
def check_gain_of_leg(units: int256, long_gain: int256, short_gain: int256, entry: int256) -> bool:
    """
    @notice A leg gains |units| * (G - G at entry) of its own side, exactly.
    """
    self._assume(-(2**112) < units and units < 2**112 and -(2**126) < entry and entry < 2**126)
    self._assume(-(2**126) < long_gain and long_gain < 2**126 and -(2**126) < short_gain and short_gain < 2**126)
    s: series_book.Series = empty(series_book.Series)
    s.long_gain = long_gain
    s.short_gain = short_gain
    gain: int256 = series_book._gain(s, units, entry)
    if units > 0:
        return gain == units * (long_gain - entry)
    return gain == -units * (short_gain - entry)


@pure
@external
def check_resized(sides: uint256[2], before: int256, after: int256) -> bool:
    """
    @notice Resizing a leg moves its units out of one side and into one, and no others.
    """
    self._assume(sides[0] < 2**112 and sides[1] < 2**112)
    self._assume(-(2**112) < before and before < 2**112 and -(2**112) < after and after < 2**112)
    held: int256[2] = [max(before, 0), max(-before, 0)]
    self._assume(held[0] <= convert(sides[0], int256) and held[1] <= convert(sides[1], int256))
    s: series_book.Series = empty(series_book.Series)
    s.long_units = sides[0]
    s.short_units = sides[1]
    resized: series_book.Series = series_book._resized(s, before, after)
    return (
        convert(resized.long_units, int256) == convert(sides[0], int256) - held[0] + max(after, 0)
        and convert(resized.short_units, int256) == convert(sides[1], int256) - held[1] + max(-after, 0)
    )


@view
@external
def sweep_both_sides(sharpness: uint256, scale: uint256, minutes: uint256, parts: uint256) -> IProofs.Tally:
    """
    @notice Calls and puts, touched at any two of so many prices from half to twice the strike, so long apart, at the rates that
            belong to both prices: a long and a short of one size together gain nothing. Measures by how much, 1e-24 of face.
    """
    tally: IProofs.Tally = empty(IProofs.Tally)
    tally.worst = min_value(int256)
    terms: series_book.Terms = empty(series_book.Terms)
    terms.sharpness = sharpness
    terms.scale = scale
    terms.long_variance = 5_184_000_000
    terms.short_variance = 3_600_000_000
    terms.load = 10**6
    terms.surcharge = 3 * 10**6
    for is_put: bool in [False, True]:
        for i: uint256 in range(parts, bound=1_000):
            for j: uint256 in range(parts, bound=1_000):
                for sign: int256 in [-1, 1]:
                    s: series_book.Series = empty(series_book.Series)
                    s.strike = 100 * 10**8
                    s.is_put = is_put
                    s.price = 50 * 10**8 + i * 150 * 10**8 // parts
                    terms.carry = sign * 10_000
                    rates: everlasting.Rates = series_book._rates(
                        s, terms, series_book._quote(s, s.price, sharpness)
                    )
                    s.long_rate = rates.long
                    s.short_rate = rates.short
                    s.long_units = c.WAD
                    s.short_units = c.WAD
                    s.time = block.timestamp - minutes * 60
                    terms.price = 50 * 10**8 + j * 150 * 10**8 // parts
                    growth: series_book.Growth = empty(series_book.Growth)
                    s, growth = series_book._grow(s, terms, series_book._quote(s, terms.price, sharpness))
                    tally.cases += 1
                    if growth.owed > 0:
                        if tally.broken == 0:
                            tally.at = [
                                convert(sharpness, int256),
                                convert(is_put, int256),
                                convert(i, int256),
                                convert(j, int256),
                                terms.carry,
                                0,
                            ]
                        tally.broken += 1
                    tally.worst = max(tally.worst, s.long_gain + s.short_gain)
    return tally


@pure
@external
def sweep_rates_fit(sharpness: uint256, parts: uint256) -> IProofs.Tally:
    """
    @notice At the bounds of every parameter (interfaces/IRiskParameters.vyi, PriceOracle) rates are numbers of 48 bits, as
            they are stored. Measures the largest, 1e-10 a year.
    """
    tally: IProofs.Tally = empty(IProofs.Tally)
    moneyness: uint256 = c.MIN_MONEYNESS
    for _: uint256 in range(2**40):
        for is_put: bool in [False, True]:
            value: everlasting.Value = everlasting._value(moneyness, sharpness, is_put)
            for carry: int256 in [-30_000, 30_000]:
                rates: everlasting.Rates = everlasting._rates(
                    value.time_value, value.slope, sharpness, 10**12, 10**12, carry, 3 * 10**7, 3 * 10**7
                )
                tally.cases += 1
                largest: int256 = max(abs(rates.long), abs(rates.short))
                if largest >= 2**47:
                    tally.broken += 1
                if largest > tally.worst:
                    tally.worst = largest
                    tally.at = [
                        convert(sharpness, int256), convert(moneyness, int256), carry, convert(is_put, int256), 0, 0
                    ]
        if moneyness == c.MAX_MONEYNESS:
            break
        moneyness = min(moneyness + moneyness // parts + 1, c.MAX_MONEYNESS)
    return tally


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"


@internal
@pure
def _is_floor(quotient: int256, numerator: int256, denominator: int256) -> bool:
    product: int256 = unsafe_mul(quotient, denominator)
    return product <= numerator and numerator < unsafe_add(product, denominator)


@internal
@pure
def _is_ceiling(quotient: int256, numerator: int256, denominator: int256) -> bool:
    product: int256 = unsafe_mul(quotient, denominator)
    return numerator <= product and unsafe_sub(product, denominator) < numerator


@internal
@pure
def _last_mark() -> int256:
    return convert(everlasting._mark(c.WAD, 17, False), int256)


@internal
@view
def _touched(
    mark: uint256, last: int256[2], time: uint256, gains: int256[2], units: uint256[2], scale: uint256
) -> (series_book.Series, series_book.Growth):
    """
    @notice A call at the money, last touched at `time`, touched now at the given mark.
    """
    self._assume(mark < 2**75 and time < 2**32 and time < block.timestamp and scale <= c.WAD)
    for i: uint256 in range(2):
        self._assume(-(2**47) <= last[i] and last[i] < 2**47 and units[i] < 2**112)
        self._assume(-(2**126) < gains[i] and gains[i] < 2**126)
    s: series_book.Series = empty(series_book.Series)
    s.strike = 100 * 10**8
    s.price = s.strike
    s.time = time
    s.long_rate = last[0]
    s.short_rate = last[1]
    s.long_gain = gains[0]
    s.short_gain = gains[1]
    s.long_units = units[0]
    s.short_units = units[1]
    terms: series_book.Terms = empty(series_book.Terms)
    terms.price = s.price
    terms.sharpness = 17
    terms.scale = scale
    terms.long_variance = 5_184_000_000
    terms.short_variance = 3_600_000_000
    terms.load = 10**6
    # At the money: of the time value follow the rates, of the mark the gains.
    quote: series_book.Quote = series_book.Quote(
        moneyness=c.WAD, mark=mark, time_value=everlasting._time_value(c.WAD, 17), slope=0
    )
    grown: series_book.Series = empty(series_book.Series)
    growth: series_book.Growth = empty(series_book.Growth)
    grown, growth = series_book._grow(s, terms, quote)
    return grown, growth
