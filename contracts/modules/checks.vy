# pragma version 0.4.3
"""
@title Checks
@license AGPL-3.0-only
@notice An assert for contracts that are near the limit of their size. Pure.
"""


@internal
@pure
def _require(holds: bool, reason: String[32]):
    """
    @notice Reverts with `reason` unless `holds`: in half the bytes of an assert of its own, for some 60 gas.
    """
    assert holds, reason
