# pragma version 0.4.3
# pragma optimize codesize
"""
@title IntegerProofs
@license AGPL-3.0-only
@notice Division with a stated rounding and two's complement are what they say they are.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from contracts.modules import integers


@pure
@external
def check_floor_div(numerator: int256, denominator: int256) -> bool:
    """
    @notice q d <= n < q d + d. The numerators here are a bit shorter than a word, so that q d is one.
    """
    self._assume(-(2**254) < numerator and numerator < 2**254 and 0 < denominator and denominator < 2**254)
    product: int256 = unsafe_mul(integers._floor_div(numerator, denominator), denominator)
    return product <= numerator and numerator < unsafe_add(product, denominator)


@pure
@external
def check_ceil_div(numerator: int256, denominator: int256) -> bool:
    """
    @notice q d - d < n <= q d.
    """
    self._assume(-(2**254) < numerator and numerator < 2**254 and 0 < denominator and denominator < 2**254)
    product: int256 = unsafe_mul(integers._ceil_div(numerator, denominator), denominator)
    return numerator <= product and unsafe_sub(product, denominator) < numerator


@pure
@external
def check_signed_undoes_unsigned(number: int256, width: uint256) -> bool:
    """
    @notice In every width, and whatever stands above in the word.
    """
    self._assume(1 <= width and width <= 255)
    half: int256 = convert(1 << (width - 1), int256)
    self._assume(-half <= number and number < half)
    return integers._signed(integers._unsigned(number, width), width) == number


@pure
@external
def check_signed_reads_only_its_bits(bits: uint256, above: uint256, width: uint256) -> bool:
    self._assume(1 <= width and width <= 255)
    clean: uint256 = bits & ((1 << width) - 1)
    return integers._signed(clean | (above << width), width) == integers._signed(clean, width)


@pure
@external
def check_unsigned_cuts(number: int256, width: uint256) -> bool:
    """
    @notice What does not fit is cut off: the number modulo 2^width.
    """
    self._assume(1 <= width and width <= 255)
    bits: uint256 = integers._unsigned(number, width)
    return bits < 1 << width and (convert(convert(number, bytes32), uint256) << (256 - width)) == bits << (256 - width)


@pure
@external
def check_size(number: int256) -> bool:
    """
    @notice The absolute value, of the least number, too.
    """
    size: uint256 = integers._size(number)
    if number == min_value(int256):
        return size == 2**255
    return size == convert(abs(number), uint256)


@pure
@external
def check_difference(a: uint256, b: uint256) -> bool:
    self._assume(a < 2**255 and b < 2**255)
    return integers._difference(a, b) == convert(a, int256) - convert(b, int256) and integers._int(a) == convert(a, int256)


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"
