"""The everlasting option: mark, slope and premium rates as functions of moneyness, sharpness and variance.

With n the sharpness and m the moneyness (White and Bankman-Fried's everlasting option in Deri's closed form, its mean
maturity counted in variance):

    tv(m)   = m^n / (2n - 1) for m < 1, m^(1 - n) / (2n - 1) for m >= 1
    call(m) = max(m - 1, 0) + tv(m),  put(m) = max(1 - m, 0) + tv(m)
    premium = sigma^2 n(n - 1)/2 tv(m) + carry m v'(m)  per year (Ito's rule: what a hedged holder earns)

Powers run in Q96: a base of at most 1 times 2^96, squared and multiplied, every step rounded down.
"""

from dataclasses import dataclass
from typing import Final

from everstock.model.constants import MAX_MONEYNESS, MIN_MONEYNESS, WAD
from everstock.model.integers import ceil_div, floor_div

Q96: Final = 96


@dataclass(frozen=True)
class Value:
    """What one unit of face is worth: all wads, rounded down but for the slope, which follows from the time value."""

    mark: int
    time_value: int
    slope: int  # m v'


@dataclass(frozen=True)
class Rates:
    """What a series costs and earns at one instant; per year and unit of face, in 1e-10."""

    long: int  # what a long pays, rounded up
    short: int  # what a short receives, rounded down
    long_load: int  # load and surcharge inside `long`, rounded down
    short_load: int  # load and surcharge forgone inside `short`, rounded down


def moneyness(price: int, strike: int) -> int:
    """price / strike as a wad, rounded down, clamped to [1e-4, 1e4] so that a touch never reverts."""
    return min(max(price * WAD // strike, MIN_MONEYNESS), MAX_MONEYNESS)


def time_value(m: int, sharpness: int) -> int:
    """tv(m), a wad, rounded down."""
    below = m < WAD
    base = (m << Q96) // WAD if below else (WAD << Q96) // m
    exponent = sharpness if below else sharpness - 1
    power = 1 << Q96
    while exponent:
        if exponent & 1:
            power = power * base >> Q96
        base = base * base >> Q96
        exponent >>= 1
    return (power * WAD >> Q96) // (2 * sharpness - 1)


def mark(m: int, sharpness: int, is_put: bool) -> int:
    """v(m), a wad, rounded down."""
    payoff = max(WAD - m, 0) if is_put else max(m - WAD, 0)
    return payoff + time_value(m, sharpness)


def value(m: int, sharpness: int, is_put: bool) -> Value:
    """Mark, time value and slope m v', the delta per unit of face."""
    tv = time_value(m, sharpness)
    if m < WAD:
        slope = sharpness * tv - (m if is_put else 0)
    else:
        slope = tv - sharpness * tv + (0 if is_put else m)
    return Value(mark=mark(m, sharpness, is_put), time_value=tv, slope=slope)


def rates(
    tv: int,
    slope: int,
    sharpness: int,
    long_variance: int,
    short_variance: int,
    carry: int,
    long_multiple: int,
    short_multiple: int,
) -> Rates:
    """Premium rates of both sides, load and surcharge included.

    Variances are per year in 1e-10, `carry` per year in 1e-5, the multiples load + surcharge of each side in 1e-7.
    """
    # Scale 1e28, and 1e35 once the multiples of 1e-7 are in.
    gamma = sharpness * (sharpness - 1) // 2 * tv
    drift = carry * slope * 100_000
    long_gamma = gamma * long_variance
    short_gamma = gamma * short_variance
    long_load = (long_gamma + abs(drift)) * long_multiple
    short_load = (short_gamma + abs(drift)) * short_multiple
    return Rates(
        long=ceil_div((long_gamma + drift) * 10**7 + long_load, 10**25),
        short=floor_div((short_gamma + drift) * 10**7 - short_load, 10**25),
        long_load=long_load // 10**25,
        short_load=short_load // 10**25,
    )
