# pragma version 0.4.3
"""
@title Series, their gain indexes and units
@license AGPL-3.0-only
@notice One series is three words. Marks and premium live in its two gain indexes, so nothing is ever done per position.
"""

from contracts.modules import constants as c
from contracts.modules import everlasting
from contracts.modules import integers
from contracts.modules import parameters

# A series, unpacked.
struct Series:
    strike: uint256  # USD, 8 decimals
    is_put: bool
    underlying: uint256  # 0 or 1: which of the market's underlyings
    time: uint256  # of the last touch
    price: uint256  # of the index at the last touch, USD, 8 decimals
    long_rate: int256  # what a long pays at the last touch, per year in 1e-10
    short_rate: int256  # what a short receives
    long_gain: int256  # G of the longs, 1e24
    short_gain: int256  # G of the shorts
    long_units: uint256
    short_units: uint256
    notice: uint256  # 0: open; FROZEN: retired; else from when on it only closes

# What every series of one underlying is valued with.
struct Terms:
    price: uint256  # USD, 8 decimals
    sharpness: uint256
    long_variance: uint256  # the larger of the two, per year in 1e-10
    short_variance: uint256  # the smaller
    carry: int256  # per year in 1e-5
    load: uint256  # 1e-7
    surcharge: uint256  # kappa * utilisation, 1e-7
    scale: uint256  # D, wad
    share: uint256  # of load and surcharge that goes to insurance and treasury, 1e-3

# A series at the present price.
struct Quote:
    moneyness: uint256  # wad
    mark: uint256  # wad
    time_value: uint256  # wad
    slope: int256  # m v', wad

# What a touch changed besides the series itself.
struct Growth:
    owed: int256  # 1e24
    accrued: uint256  # raw units of M


FROZEN: constant(uint256) = 1
# Turns D (wad) * mark (wad) * two years into a gain (1e24).
GAIN_DIVISOR: constant(int256) = 2 * 365 * 86_400 * 10**12


#  price word (low to high bits)
# | strike 56 | put 1 | underlying 7 | time 32 | price 64 | long rate 48 | short rate 48 |
#  gain word
# | long gain 128 | short gain 128 |
#  size word
# | long units 112 | short units 112 | notice 32 |
words: uint256[3][65_536]

# Ids given so far; an id is never reused and 0 is none.
count: uint256

# Per underlying, the active ids: 16 of 16 bits, packed from the low end without gaps.
active: uint256[2]


@internal
@view
def _load(id: uint256) -> Series:
    """
    @notice The series as of its last touch; its strike is 0 if there is none.
    """
    return self._decode([self.words[id][0], self.words[id][1], self.words[id][2]])


@internal
@pure
def _decode(words: uint256[3]) -> Series:
    """
    @notice A series out of its three words.
    """
    return Series(
        strike=words[0] & (2**56 - 1),
        is_put=(words[0] >> 56) & 1 != 0,
        underlying=(words[0] >> 57) & 1,
        time=(words[0] >> 64) & (2**32 - 1),
        price=(words[0] >> 96) & (2**64 - 1),
        long_rate=convert(convert(words[0] << 48, bytes32), int256) >> 208,
        short_rate=convert(convert(words[0], bytes32), int256) >> 208,
        long_gain=convert(convert(words[1] << 128, bytes32), int256) >> 128,
        short_gain=convert(convert(words[1], bytes32), int256) >> 128,
        long_units=words[2] & (2**112 - 1),
        short_units=(words[2] >> 112) & (2**112 - 1),
        notice=words[2] >> 224,
    )


@internal
@view
def _load_held(id: uint256) -> Series:
    """
    @notice The same if any leg holds a unit of it, else nothing (its strike is 0): one slot instead of three.
    """
    size: uint256 = self.words[id][2]
    if size & (2**224 - 1) == 0:
        return empty(Series)
    return self._decode([self.words[id][0], self.words[id][1], size])


@internal
def _store(id: uint256, s: Series):
    """
    @notice Write the price and gain words.
    """
    self.words[id][0] = (
        s.strike
        | (convert(s.is_put, uint256) << 56)
        | (s.underlying << 57)
        | (s.time << 64)
        | (s.price << 96)
        | ((convert(convert(s.long_rate, bytes32), uint256) & (2**48 - 1)) << 160)
        | (convert(convert(s.short_rate, bytes32), uint256) << 208)
    )
    long_gain: uint256 = convert(convert(s.long_gain, bytes32), uint256) & (2**128 - 1)
    self.words[id][1] = long_gain | (convert(convert(s.short_gain, bytes32), uint256) << 128)


@internal
def _store_size(id: uint256, s: Series):
    """
    @notice Write the size word. Reverts when a side would not fit 112 bits.
    """
    assert max(s.long_units, s.short_units) < 2**112, "trade: face too large"
    self.words[id][2] = s.long_units | (s.short_units << 112) | (s.notice << 224)


@internal
@pure
def _terms(
    word: uint256, underlying: uint256, sharpness: uint256, rates: uint256, limits: uint256, scale: uint256, utilisation: uint256
) -> Terms:
    """
    @notice What the series of one underlying (0 or 1) are valued with.
    @param word The underlying's word at the PriceOracle. `rates` and `limits` are the words of parameters.
    @param scale D. `utilisation` in 1e-4.
    """
    fast: uint256 = (word >> 96) & (2**40 - 1)
    slow: uint256 = (word >> 136) & (2**40 - 1)
    return Terms(
        price=word & (2**64 - 1),
        sharpness=sharpness,
        long_variance=max(fast, slow),
        short_variance=min(fast, slow),
        carry=parameters._carry(limits, underlying),
        load=unsafe_mul(parameters._rate(rates, parameters.LOAD), 10_000),
        surcharge=unsafe_mul(parameters._rate(rates, parameters.KAPPA), utilisation),
        scale=scale,
        share=parameters._rate(rates, parameters.COMMON_SHARE),
    )


@internal
@pure
def _quote(s: Series, price: uint256, sharpness: uint256) -> Quote:
    """
    @notice The series at an index price (USD, 8 decimals).
    """
    moneyness: uint256 = everlasting._moneyness(price, s.strike)
    worth: everlasting.Value = everlasting._value(moneyness, sharpness, s.is_put)
    return Quote(moneyness=moneyness, mark=worth.mark, time_value=worth.time_value, slope=worth.slope)


@internal
@pure
def _rates(s: Series, terms: Terms, quote: Quote) -> everlasting.Rates:
    """
    @notice Premium rates at the present price and units: the side the pool is against pays or forgoes the surcharge.
    """
    long_multiple: uint256 = terms.load
    short_multiple: uint256 = terms.load
    if s.long_units > s.short_units:
        long_multiple = unsafe_add(long_multiple, terms.surcharge)
    elif s.short_units > s.long_units:
        short_multiple = unsafe_add(short_multiple, terms.surcharge)
    return everlasting._rates(
        quote.time_value,
        quote.slope,
        terms.sharpness,
        terms.long_variance,
        terms.short_variance,
        terms.carry,
        long_multiple,
        short_multiple,
    )


@internal
@view
def _grow(s: Series, terms: Terms, quote: Quote) -> (Series, Growth):
    """
    @notice The series brought to the present price and time, and what that adds to `owed` and `accrued`. Stores nothing.
    @dev Premium of the time since the last touch runs at the mean of its two ends; after more than an hour a long pays
         the larger end and a short receives the smaller. Both gains round down. A frozen series stays as it is.
    """
    grown: Series = s
    growth: Growth = empty(Growth)
    if s.notice == FROZEN or terms.price == 0 or (s.time == block.timestamp and s.price == terms.price):
        return grown, growth

    rates: everlasting.Rates = self._rates(s, terms, quote)
    grown.price = terms.price
    grown.time = block.timestamp
    grown.long_rate = rates.long
    grown.short_rate = rates.short
    if s.long_units | s.short_units == 0:
        return grown, growth

    # Safe: D < 2^60, 2 Y < 2^26, a mark < 2^75, a rate < 2^48, elapsed < 2^32, units < 2^112.
    elapsed: uint256 = unsafe_sub(block.timestamp, s.time)
    last_mark: uint256 = everlasting._mark(
        everlasting._moneyness(s.price, s.strike), terms.sharpness, s.is_put
    )
    long_rates: int256 = unsafe_add(s.long_rate, rates.long)
    short_rates: int256 = unsafe_add(s.short_rate, rates.short)
    if elapsed > c.HOUR:
        long_rates = unsafe_mul(2, max(s.long_rate, rates.long))
        short_rates = unsafe_mul(2, min(s.short_rate, rates.short))
    scale: int256 = convert(terms.scale, int256)
    rise: int256 = unsafe_mul(integers._difference(quote.mark, last_mark), 2 * convert(c.YEAR, int256))
    span: int256 = convert(unsafe_mul(elapsed, 10**8), int256)
    long_gain: int256 = integers._floor_div(
        unsafe_mul(scale, unsafe_sub(rise, unsafe_mul(long_rates, span))), GAIN_DIVISOR
    )
    short_gain: int256 = integers._floor_div(
        unsafe_mul(scale, unsafe_sub(unsafe_mul(short_rates, span), rise)), GAIN_DIVISOR
    )
    grown.long_gain = unsafe_add(s.long_gain, long_gain)
    grown.short_gain = unsafe_add(s.short_gain, short_gain)
    growth.owed = unsafe_add(
        unsafe_mul(convert(s.long_units, int256), long_gain), unsafe_mul(convert(s.short_units, int256), short_gain)
    )
    loads: uint256 = unsafe_add(
        unsafe_mul(unsafe_div(unsafe_mul(s.long_units, terms.scale), c.WAD), rates.long_load),
        unsafe_mul(unsafe_div(unsafe_mul(s.short_units, terms.scale), c.WAD), rates.short_load),
    )
    growth.accrued = unsafe_div(
        unsafe_mul(unsafe_mul(loads, terms.share), elapsed), c.RATE * c.PERMILLE * c.YEAR
    )
    return grown, growth


@internal
@pure
def _sum(a: Growth, b: Growth) -> Growth:
    """
    @notice Two growths added.
    """
    return Growth(owed=unsafe_add(a.owed, b.owed), accrued=unsafe_add(a.accrued, b.accrued))


@internal
@pure
def _resized(s: Series, before: int256, after: int256) -> Series:
    """
    @notice The series with one leg's units changed from `before` to `after`.
    """
    resized: Series = s
    # Safe: the leg's units are part of its side's. A side that outgrows 112 bits reverts when stored.
    if before > 0:
        resized.long_units = unsafe_sub(resized.long_units, integers._size(before))
    else:
        resized.short_units = unsafe_sub(resized.short_units, integers._size(before))
    if after > 0:
        resized.long_units = unsafe_add(resized.long_units, integers._size(after))
    else:
        resized.short_units = unsafe_add(resized.short_units, integers._size(after))
    return resized


@internal
@pure
def _index(s: Series, units: int256) -> int256:
    """
    @notice G of the side that `units` are on, 1e24.
    """
    if units > 0:
        return s.long_gain
    return s.short_gain


@internal
@pure
def _gain(s: Series, units: int256, entry: int256) -> int256:
    """
    @notice What a leg entered at G = `entry` has gained, exact, 1e24.
    """
    # Safe: units < 2^112 and |G| < 2^126.
    return unsafe_mul(abs(units), unsafe_sub(self._index(s, units), entry))


@internal
def _list(s: Series) -> uint256:
    """
    @notice Give a series an id and make it active. The caller has seen that there is room.
    """
    ids: uint256 = self.active[s.underlying]
    place: uint256 = 0
    for _: uint256 in range(c.MAX_SERIES):
        if (ids >> place) & (2**16 - 1) == 0:
            break
        place = unsafe_add(place, 16)
    id: uint256 = self.count + 1
    self.count = id
    self.active[s.underlying] = ids | (id << place)
    self._store(id, s)
    return id


@internal
def _unlist(id: uint256, underlying: uint256):
    """
    @notice Take an active series off the list, the first of the list into its place.
    """
    ids: uint256 = self.active[underlying]
    place: uint256 = 0
    for _: uint256 in range(c.MAX_SERIES):
        if (ids >> place) & (2**16 - 1) == id:
            break
        place = unsafe_add(place, 16)
    self.active[underlying] = (ids ^ ((id ^ (ids & (2**16 - 1))) << place)) >> 16
