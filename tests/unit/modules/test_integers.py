"""Division and two's complement, which all that is signed and packed rests on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .extremes import signed, unsigned


def test_divisions__small_numbers_of_both_signs__every_one(harness):
    """Python's // rounds toward minus infinity."""
    numerators, denominators = list(range(-60, 61)), list(range(1, 41))
    wanted = [[n // d, -(-n // d)] for n in numerators for d in denominators]
    assert harness.divisions(numerators, denominators) == wanted


@given(numerator=signed(256), denominator=st.one_of(st.integers(1, 10), st.integers(1, 2**255 - 1)))
@settings(max_examples=150, deadline=None)
def test_divisions__any_numbers__floor_and_ceiling(harness, numerator, denominator):
    assert harness.floor_div(numerator, denominator) == numerator // denominator
    assert harness.ceil_div(numerator, denominator) == -(-numerator // denominator)


@given(quotient=st.integers(-(2**100), 2**100), denominator=st.integers(1, 2**100))
@settings(max_examples=100, deadline=None)
def test_divisions__that_come_out_even__both_the_quotient(harness, quotient, denominator):
    product = quotient * denominator
    assert harness.floor_div(product, denominator) == harness.ceil_div(product, denominator) == quotient


@given(data=st.data(), width=st.integers(2, 255))
@settings(max_examples=150, deadline=None)
def test_signed__undoes_unsigned__in_any_width(harness, data, width):
    number = data.draw(signed(width))
    bits = harness.unsigned(number, width)
    assert bits == number % 2**width
    assert harness.signed(bits, width) == number


@given(number=signed(256), above=unsigned(128), width=st.sampled_from([16, 48, 64, 113, 127, 128]))
@settings(max_examples=100, deadline=None)
def test_signed__whatever_stands_above_in_the_word__is_not_read(harness, number, above, width):
    bits = harness.unsigned(number, width)
    assert harness.signed(bits | (above << width) % 2**256, width) == harness.signed(bits, width)


@given(a=unsigned(255), b=unsigned(255))
@settings(max_examples=100, deadline=None)
def test_difference__of_two_unsigned__is_signed(harness, a, b):
    assert harness.difference(a, b) == a - b


@pytest.mark.parametrize("number", [0, 1, -1, 2**255 - 1, -(2**255) + 1, -(2**255)])
def test_size__is_the_absolute_value(harness, number):
    assert harness.size(number) == abs(number)
