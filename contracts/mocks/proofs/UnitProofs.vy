# pragma version 0.4.3
# pragma optimize codesize
"""
@title UnitProofs
@license AGPL-3.0-only
@notice From face to units and back: what closes rounds up, what opens rounds down, and nothing closes more than there is.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from contracts.mocks.proofs import IProofs
from contracts.modules import constants as c
from contracts.modules import positions


@pure
@external
def check_units(face: int256, before: int256, scale: uint256, reduce_only: bool) -> bool:
    """
    @notice See `_are_units`.
    """
    self._assume(face != 0 and -(2**127) < face and face < 2**127 and -(2**112) < before and before < 2**112)
    self._assume(2**19 < scale and scale <= c.WAD)
    self._assume(not reduce_only or (before != 0 and (face > 0) != (before > 0)))
    return self._are_units(face, before, scale, reduce_only)


@pure
@external
def refuse_units_nothing_to_reduce(face: int256, before: int256, scale: uint256) -> bool:
    """
    @notice Reduce-only refuses what would open.
    """
    self._assume(face != 0 and -(2**127) < face and face < 2**127 and -(2**112) < before and before < 2**112)
    self._assume(2**19 < scale and scale <= c.WAD)
    self._assume(before == 0 or (face > 0) == (before > 0))
    change: int256 = 0
    is_open: bool = False
    change, is_open = positions._units(face, before, scale, True)
    return True


@pure
@external
def sweep_units(scale: uint256, limit: int256) -> IProofs.Tally:
    """
    @notice Every face but 0 and every leg up to `limit`, both signs, with and without reduce-only.
    """
    tally: IProofs.Tally = empty(IProofs.Tally)
    width: uint256 = convert(2 * limit + 1, uint256)
    for i: uint256 in range(width, bound=100_000):
        face: int256 = convert(i, int256) - limit
        if face == 0:
            continue
        for j: uint256 in range(width, bound=100_000):
            before: int256 = convert(j, int256) - limit
            for reduce_only: bool in [False, True]:
                if reduce_only and (before == 0 or (face > 0) == (before > 0)):
                    continue
                tally.cases += 1
                if not self._are_units(face, before, scale, reduce_only):
                    if tally.broken == 0:
                        tally.at = [face, before, convert(scale, int256), convert(reduce_only, int256), 0, 0]
                    tally.broken += 1
    return tally


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"


@internal
@pure
def _are_units(face: int256, before: int256, scale: uint256, reduce_only: bool) -> bool:
    """
    @notice An order against a leg closes, at least what it says and less than a unit more, never more than there is, all of
            it once its face is what the leg shows; what is left of it then opens, unless it only reduces. What opens is at
            most what it says, and less than a unit less, but at least a unit.
    """
    change: int256 = 0
    is_open: bool = False
    change, is_open = positions._units(face, before, scale, reduce_only)
    # Safe: face < 2^127, units < 2^112, D < 2^60.
    size: uint256 = self._size(face)
    units: uint256 = self._size(change)
    held: uint256 = self._size(before)
    if change == 0 or (change > 0) != (face > 0):
        return False
    opened: uint256 = units
    if before != 0 and (face > 0) != (before > 0):
        shown: uint256 = unsafe_div(unsafe_mul(held, scale), c.WAD)
        if size < shown:
            wanted: uint256 = unsafe_mul(size, c.WAD)
            closed: uint256 = unsafe_mul(units, scale)
            return not is_open and units <= held and wanted <= closed and closed < unsafe_add(wanted, scale)
        size = unsafe_sub(size, shown)
        if reduce_only or size == 0:
            return not is_open and units == held
        if units <= held:
            return False
        opened = unsafe_sub(units, held)
    wanted: uint256 = unsafe_mul(size, c.WAD)
    worth: uint256 = unsafe_mul(opened, scale)
    return is_open and (worth <= wanted or opened == 1) and wanted < unsafe_add(worth, scale)


@internal
@pure
def _size(number: int256) -> uint256:
    return convert(abs(number), uint256)
