# pragma version 0.4.3
"""
@title Integers
@license AGPL-3.0-only
@notice What Vyper's integers lack: signed division with a stated rounding, and signed numbers inside packed words. Pure.
"""


@internal
@pure
def _floor_div(numerator: int256, denominator: int256) -> int256:
    """
    @notice Rounded toward minus infinity; the denominator is positive. (`//` of signed numbers truncates.)
    """
    # Safe: the denominator is positive, so neither the division nor the remainder overflows.
    quotient: int256 = unsafe_div(numerator, denominator)
    if unsafe_mul(quotient, denominator) > numerator:
        quotient = unsafe_sub(quotient, 1)
    return quotient


@internal
@pure
def _ceil_div(numerator: int256, denominator: int256) -> int256:
    """
    @notice Rounded toward plus infinity; the denominator is positive.
    """
    # Safe: as in _floor_div.
    quotient: int256 = unsafe_div(numerator, denominator)
    if unsafe_mul(quotient, denominator) < numerator:
        quotient = unsafe_add(quotient, 1)
    return quotient


@internal
@pure
def _signed(bits: uint256, width: uint256) -> int256:
    """
    @notice The lowest `width` bits of a word as a two's complement number.
    """
    empty_bits: uint256 = unsafe_sub(256, width)
    return convert(convert(bits << empty_bits, bytes32), int256) >> empty_bits


@internal
@pure
def _unsigned(number: int256, width: uint256) -> uint256:
    """
    @notice Two's complement of a number in `width` bits; what does not fit is cut off.
    """
    return convert(convert(number, bytes32), uint256) & ((1 << width) - 1)


@internal
@pure
def _difference(a: uint256, b: uint256) -> int256:
    """
    @notice a - b, both below 2^255.
    """
    return unsafe_sub(self._int(a), self._int(b))


@internal
@pure
def _size(number: int256) -> uint256:
    """
    @notice Its absolute value.
    """
    if number < 0:
        return convert(convert(unsafe_sub(0, number), bytes32), uint256)
    return convert(convert(number, bytes32), uint256)


@internal
@pure
def _int(number: uint256) -> int256:
    """
    @notice A number below 2^255, signed.
    """
    return convert(convert(number, bytes32), int256)
