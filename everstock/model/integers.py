"""Division with a stated rounding. Python's `//` rounds toward minus infinity, also for negative numbers."""


def floor_div(numerator: int, denominator: int) -> int:
    """Rounded toward minus infinity; the denominator is positive."""
    return numerator // denominator


def ceil_div(numerator: int, denominator: int) -> int:
    """Rounded toward plus infinity; the denominator is positive."""
    return -(-numerator // denominator)


def truncated_div(numerator: int, denominator: int) -> int:
    """Rounded toward zero, as Vyper's `//` of signed numbers; the denominator is positive."""
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient
