"""The price in floats, over arrays: for whoever re-marks many legs at once, and for charts. What counts is the integers.

Twins of `everlasting` (mark, time value, slope, rates) and of `portfolio_margin` (scenario sums). Moneyness, marks, slopes and
rates are plain numbers, 1 for a wad or for 100% a year; faces are in any one unit, and so are the amounts that follow. Arrays
broadcast as numpy's do; `sharpness`, n, is one number. How far from the integers (tests/unit/model/test_float_price.py):

    time value   3e-16 n of itself, and the 4 wei that the integers round off
    mark, slope  3e-16 n max(1, m), and those 4 wei, n times for the slope
    rates        1e-12 of their terms, and the 1e-10 that the integers round by
    sums         1e-14 of all face times max(1, m)

Powers are squared and multiplied as the integers' are, which is also several times faster than numpy's own.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from everstock.model.constants import BASIS, MAX_MONEYNESS, MAX_UNDERLYINGS, MIN_MONEYNESS, PERMILLE, WAD
from everstock.model.parameters import Parameters

Floats = NDArray[np.float64]

# Points of the scenario test: multiples of the shock, and the part of the loss there that counts.
_POINTS: Final = ((-1.0, 1.0), (-0.5, 1.0), (0.5, 1.0), (1.0, 1.0), (-3.0, 1 / 3), (3.0, 1 / 3))


class Rates(NamedTuple):
    """What a series costs and earns, per year and unit of face; not rounded."""

    long: Floats  # what a long pays
    short: Floats  # what a short receives


class Legs(NamedTuple):
    """Legs of many accounts, of one length each."""

    account: NDArray[np.intp]  # counted from 0
    underlying: NDArray[np.intp]  # 0 or 1
    moneyness: Floats
    is_put: NDArray[np.bool_]
    face: Floats  # + bought, - written


def moneyness(price: ArrayLike, strike: ArrayLike) -> Floats:
    """price / strike, clamped as a touch clamps it."""
    return np.clip(np.divide(price, strike), MIN_MONEYNESS / WAD, MAX_MONEYNESS / WAD)


def time_value(m: ArrayLike, sharpness: int) -> Floats:
    """m^n / (2n - 1) for m < 1, m^(1 - n) / (2n - 1) from 1 on."""
    m = np.asarray(m, dtype=np.float64)
    base = np.minimum(m, 1 / m)
    power = _power(base, sharpness - 1)
    return np.where(m < 1, power * base, power) / (2 * sharpness - 1)


def mark(m: ArrayLike, sharpness: int, is_put: ArrayLike) -> Floats:
    """v(m): payoff and time value."""
    over = np.subtract(m, 1)
    return np.maximum(np.where(is_put, -over, over), 0) + time_value(m, sharpness)


def slope(m: ArrayLike, sharpness: int, is_put: ArrayLike) -> Floats:
    """m v', the delta per unit of face."""
    m = np.asarray(m, dtype=np.float64)
    tv = time_value(m, sharpness)
    below = sharpness * tv - np.where(is_put, m, 0)
    return np.where(m < 1, below, tv - sharpness * tv + np.where(is_put, 0, m))


def rates(
    m: ArrayLike,
    sharpness: int,
    is_put: ArrayLike,
    long_variance: ArrayLike,
    short_variance: ArrayLike,
    carry: ArrayLike,
    long_multiple: ArrayLike,
    short_multiple: ArrayLike,
) -> Rates:
    """Premium rates of both sides; the multiples are load + surcharge of each side. All per year."""
    gamma = sharpness * (sharpness - 1) // 2 * time_value(m, sharpness)
    drift = np.multiply(carry, slope(m, sharpness, is_put))
    long_gamma, short_gamma = gamma * long_variance, gamma * short_variance
    return Rates(
        long=long_gamma + drift + (long_gamma + abs(drift)) * long_multiple,
        short=short_gamma + drift - (short_gamma + abs(drift)) * short_multiple,
    )


def values(legs: Legs, parameters: Parameters, accounts: int) -> Floats:
    """What the legs of each of so many accounts are worth at the mark: faces times marks."""
    total = np.zeros(accounts)
    for legs_of_one, sharpness, _ in _by_underlying(legs, parameters):
        worth = legs_of_one.face * mark(legs_of_one.moneyness, sharpness, legs_of_one.is_put)
        total += np.bincount(legs_of_one.account, worth, accounts)
    return total


def scenario_sums(legs: Legs, parameters: Parameters, accounts: int) -> Floats:
    """The scenario sum S of each of so many accounts, 0 without legs."""
    total = np.zeros(accounts)
    for one, sharpness, shock in _by_underlying(legs, parameters):
        now = mark(one.moneyness, sharpness, one.is_put)
        worst = np.zeros(accounts)
        for step, part in _POINTS:
            then = mark(one.moneyness * (1 + step * shock), sharpness, one.is_put)
            np.maximum(worst, np.bincount(one.account, one.face * (now - then) * part, accounts), out=worst)
        gross = np.bincount(one.account, np.abs(one.face) * np.maximum(one.moneyness, 1), accounts)
        total += worst + gross * (parameters.gross_rate / BASIS)
    return total


def maintenance(legs: Legs, parameters: Parameters, accounts: int, min_margin: float) -> Floats:
    """max(S, min_margin) of each of so many accounts, 0 without legs; `min_margin` in the unit of the faces."""
    sums = scenario_sums(legs, parameters, accounts)
    has_legs = np.bincount(legs.account, minlength=accounts) > 0
    return np.where(has_legs, np.maximum(sums, min_margin), 0)


def _by_underlying(legs: Legs, parameters: Parameters) -> list[tuple[Legs, int, float]]:
    """The legs of each underlying, its sharpness and the account shock."""
    shock = parameters.account_shock / PERMILLE
    chosen = [legs.underlying == u for u in range(MAX_UNDERLYINGS)]
    return [(Legs(*(column[mine] for column in legs)), parameters.sharpness[u], shock) for u, mine in enumerate(chosen)]


def _power(base: Floats, exponent: int) -> Floats:
    """base ** exponent by squaring."""
    power = np.ones_like(base)
    while exponent:
        if exponent & 1:
            power = power * base
        base = base * base
        exponent >>= 1
    return power
