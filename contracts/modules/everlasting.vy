# pragma version 0.4.3
"""
@title The everlasting option
@license AGPL-3.0-only
@notice Mark, slope and premium rates as functions of moneyness, sharpness and variance. Pure.
@dev With n the sharpness and m the moneyness (White and Bankman-Fried's everlasting option in Deri's closed form,
     its mean maturity counted in variance):
         tv(m)   = m^n / (2n - 1) for m < 1, m^(1 - n) / (2n - 1) for m >= 1
         call(m) = max(m - 1, 0) + tv(m),  put(m) = max(1 - m, 0) + tv(m)
         premium = sigma^2 n(n - 1)/2 tv(m) + carry m v'(m)  per year (Ito's rule: what a hedged holder earns)
     Powers run in Q96: their base is at most 1, so no product overflows and the error stays below 1 wei.
"""

from contracts.modules import constants as c
from contracts.modules import integers

# What one unit of face is worth.
struct Value:
    mark: uint256  # v, wad
    time_value: uint256  # tv, wad
    slope: int256  # m v', wad

# What a series costs and earns at one instant; all per year and unit of face, in 1e-10.
struct Rates:
    long: int256  # what a long pays, rounded up
    short: int256  # what a short receives, rounded down
    long_load: uint256  # load and surcharge inside `long`, rounded down
    short_load: uint256  # load and surcharge forgone inside `short`, rounded down


@internal
@pure
def _moneyness(price: uint256, strike: uint256) -> uint256:
    """
    @notice price / strike as a wad, rounded down, clamped to [1e-4, 1e4] so that a touch never reverts.
    """
    # Safe: price < 2^64.
    moneyness: uint256 = unsafe_div(unsafe_mul(price, c.WAD), strike)
    if moneyness < c.MIN_MONEYNESS:
        return c.MIN_MONEYNESS
    if moneyness > c.MAX_MONEYNESS:
        return c.MAX_MONEYNESS
    return moneyness


@internal
@pure
def _time_value(moneyness: uint256, sharpness: uint256) -> uint256:
    """
    @notice tv(m), a wad, rounded down.
    """
    base: uint256 = 0
    exponent: uint256 = sharpness
    if moneyness < c.WAD:
        base = unsafe_div(moneyness << 96, c.WAD)
    else:
        base = unsafe_div(c.WAD << 96, moneyness)
        exponent = unsafe_sub(exponent, 1)
    # Safe: base and power never exceed 2^96, so no product exceeds 2^192. Square and multiply, written out for gas;
    # seven bits hold every sharpness up to 100.
    power: uint256 = 1 << 96
    if exponent & 1 != 0:
        power = base
    base = unsafe_mul(base, base) >> 96
    if exponent & 2 != 0:
        power = unsafe_mul(power, base) >> 96
    base = unsafe_mul(base, base) >> 96
    if exponent & 4 != 0:
        power = unsafe_mul(power, base) >> 96
    base = unsafe_mul(base, base) >> 96
    if exponent & 8 != 0:
        power = unsafe_mul(power, base) >> 96
    base = unsafe_mul(base, base) >> 96
    if exponent & 16 != 0:
        power = unsafe_mul(power, base) >> 96
    if exponent >= 32:
        base = unsafe_mul(base, base) >> 96
        if exponent & 32 != 0:
            power = unsafe_mul(power, base) >> 96
        base = unsafe_mul(base, base) >> 96
        if exponent & 64 != 0:
            power = unsafe_mul(power, base) >> 96
    return unsafe_div(unsafe_mul(power, c.WAD) >> 96, unsafe_sub(unsafe_mul(2, sharpness), 1))


@internal
@pure
def _mark(moneyness: uint256, sharpness: uint256, is_put: bool) -> uint256:
    """
    @notice v(m), a wad, rounded down.
    """
    mark: uint256 = self._time_value(moneyness, sharpness)
    # Safe: neither difference is taken below zero.
    if is_put:
        if moneyness < c.WAD:
            mark = unsafe_add(mark, unsafe_sub(c.WAD, moneyness))
    elif moneyness > c.WAD:
        mark = unsafe_add(mark, unsafe_sub(moneyness, c.WAD))
    return mark


@internal
@pure
def _value(moneyness: uint256, sharpness: uint256, is_put: bool) -> Value:
    """
    @notice Mark, time value (wads, rounded down) and slope m v', the delta per unit of face, at once.
    """
    time_value: uint256 = self._time_value(moneyness, sharpness)
    mark: uint256 = time_value
    # Safe: |slope| <= moneyness + sharpness * tv, far below 2^255.
    slope: int256 = convert(unsafe_mul(sharpness, time_value), int256)
    if moneyness < c.WAD:
        if is_put:
            mark = unsafe_add(mark, unsafe_sub(c.WAD, moneyness))
            slope = unsafe_sub(slope, convert(moneyness, int256))
    else:
        slope = unsafe_sub(convert(time_value, int256), slope)
        if not is_put:
            mark = unsafe_add(mark, unsafe_sub(moneyness, c.WAD))
            slope = unsafe_add(slope, convert(moneyness, int256))
    return Value(mark=mark, time_value=time_value, slope=slope)


@internal
@pure
def _rates(
    time_value: uint256,
    slope: int256,
    sharpness: uint256,
    long_variance: uint256,
    short_variance: uint256,
    carry: int256,
    long_multiple: uint256,
    short_multiple: uint256,
) -> Rates:
    """
    @notice Premium rates of both sides, load and surcharge included.
    @param long_variance Squared sigma a long pays on, per year in 1e-10; `short_variance` what a short receives on.
    @param carry Drift of the index measured in M, per year in 1e-5.
    @param long_multiple load + surcharge of the longs in 1e-7; `short_multiple` that of the shorts.
    """
    # Scale 1e28. Safe: variance < 2^40, n(n-1)/2 tv < 26 wad, |slope| < 2^75, |carry| < 2^15, multiples < 2^26.
    gamma: uint256 = unsafe_mul(unsafe_div(unsafe_mul(sharpness, unsafe_sub(sharpness, 1)), 2), time_value)
    drift: int256 = unsafe_mul(unsafe_mul(carry, slope), 100_000)
    size: int256 = max(drift, unsafe_sub(0, drift))
    long_gamma: int256 = convert(unsafe_mul(gamma, long_variance), int256)
    short_gamma: int256 = convert(unsafe_mul(gamma, short_variance), int256)
    long_load: int256 = unsafe_mul(unsafe_add(long_gamma, size), convert(long_multiple, int256))
    short_load: int256 = unsafe_mul(unsafe_add(short_gamma, size), convert(short_multiple, int256))
    long: int256 = unsafe_add(unsafe_mul(unsafe_add(long_gamma, drift), 10**7), long_load)
    short: int256 = unsafe_sub(unsafe_mul(unsafe_add(short_gamma, drift), 10**7), short_load)
    return Rates(
        long=integers._ceil_div(long, 10**25),
        short=integers._floor_div(short, 10**25),
        # Neither load is negative.
        long_load=convert(convert(unsafe_div(long_load, 10**25), bytes32), uint256),
        short_load=convert(convert(unsafe_div(short_load, 10**25), bytes32), uint256),
    )
