# pragma version 0.4.3


@internal
@pure
def _require(holds: bool, reason: String[32]):
    assert holds, reason
