"""The everlasting option in exact rational arithmetic: the formulas of docs/SPEC.md, and nothing of the contracts."""

from fractions import Fraction
from typing import Final

WAD: Final = 10**18


def time_value(moneyness: Fraction, sharpness: int) -> Fraction:
    """tv(m) = m^n / (2n - 1) below 1, m^(1 - n) / (2n - 1) from 1 on."""
    power = moneyness**sharpness if moneyness < 1 else moneyness ** (1 - sharpness)
    return power / (2 * sharpness - 1)


def payoff(moneyness: Fraction, is_call: bool) -> Fraction:
    """max(m - 1, 0) of a call, max(1 - m, 0) of a put."""
    return max(moneyness - 1 if is_call else 1 - moneyness, Fraction(0))


def mark(moneyness: Fraction, sharpness: int, is_call: bool) -> Fraction:
    """v(m)."""
    return payoff(moneyness, is_call) + time_value(moneyness, sharpness)


def slope(moneyness: Fraction, sharpness: int, is_call: bool) -> Fraction:
    """m v'(m), by the power rule; at m = 1 from the right."""
    if moneyness < 1:
        return sharpness * time_value(moneyness, sharpness) - (0 if is_call else moneyness)
    return (1 - sharpness) * time_value(moneyness, sharpness) + (moneyness if is_call else 0)


def gamma(time_value: Fraction, sharpness: int) -> Fraction:
    """n(n - 1)/2 tv: the premium per year at a sigma of 100%."""
    return sharpness * (sharpness - 1) // 2 * time_value
