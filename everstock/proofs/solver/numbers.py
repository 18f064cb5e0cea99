"""An integer that stands for a word, and the interval it is in."""

from dataclasses import dataclass

from z3 import ArithRef, IntVal


@dataclass(frozen=True)
class Number:
    """An integer equal to a word modulo 2^width, and the interval it is in.

    `quotient` says that it is a quotient, by its name, plus a number.
    """

    value: ArithRef
    low: int
    high: int
    quotient: tuple[str, int] | None = None

    @property
    def is_known(self) -> bool:
        return self.low == self.high


def known(number: int) -> Number:
    """A number that is known."""
    return Number(IntVal(number), number, number)


def plus(a: Number, b: Number) -> Number:
    """a + b."""
    if a.is_known and b.is_known:
        return known(a.low + b.low)
    quotient = None
    for one, other in ((a, b), (b, a)):
        if one.quotient is not None and other.is_known:
            quotient = (one.quotient[0], one.quotient[1] + other.low)
    return Number(a.value + b.value, a.low + b.low, a.high + b.high, quotient)


def negative(a: Number) -> Number:
    """-a."""
    return known(-a.low) if a.is_known else Number(-a.value, -a.high, -a.low)


def scaled(a: Number, factor: int) -> Number:
    """a * factor."""
    if a.is_known:
        return known(a.low * factor)
    return Number(a.value * factor, min(a.low * factor, a.high * factor), max(a.low * factor, a.high * factor))
