"""Strategies that visit the ends of a range."""

from hypothesis import strategies as st


def unsigned(bits: int) -> st.SearchStrategy[int]:
    """Numbers of `bits` bits."""
    return st.one_of(st.sampled_from([0, 1, 2**bits - 1]), st.integers(0, 2**bits - 1))


def signed(bits: int) -> st.SearchStrategy[int]:
    """Two's complement numbers of `bits` bits."""
    half = 2 ** (bits - 1)
    return st.one_of(st.sampled_from([-half, -1, 0, 1, half - 1]), st.integers(-half, half - 1))
