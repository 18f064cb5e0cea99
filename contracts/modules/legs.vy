# pragma version 0.4.3
"""
@title A leg: one account's position in one series
@license AGPL-3.0-only
@notice One word, low to high bits: | series 16 | units 113, signed | G at entry 127, signed |. Pure.
"""

from contracts.modules import integers


@internal
@pure
def _pack(series: uint256, units: int256, gain: int256) -> uint256:
    """
    @dev Fits: a leg's units are part of its side's, below 2^112; a touch moves G by less than 2^94 and there are fewer
         than 2^32 of them.
    """
    return series | (integers._unsigned(units, 113) << 16) | (integers._unsigned(gain, 127) << 129)


@internal
@pure
def _series(leg: uint256) -> uint256:
    """
    @notice Series id; 0 for no leg.
    """
    return leg & (2**16 - 1)


@internal
@pure
def _units(leg: uint256) -> int256:
    """
    @notice Units: + bought, - written.
    """
    return integers._signed(leg >> 16, 113)


@internal
@pure
def _gain(leg: uint256) -> int256:
    """
    @notice G of its side at entry, 1e24.
    """
    return integers._signed(leg >> 129, 127)
