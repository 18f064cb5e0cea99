# pragma version 0.4.3
# pragma optimize codesize
"""
@title WordProofs
@license AGPL-3.0-only
@notice Every packed word of the modules gives back what was put into it, whatever stood there before, and touches no other.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from contracts.modules import checkpoints
from contracts.modules import constants as c
from contracts.modules import legs
from contracts.modules import parameters
from contracts.modules import pool_risk
from contracts.modules import series_book

initializes: checkpoints
initializes: pool_risk
initializes: series_book


@deploy
def __init__():
    checkpoints.__init__()
    pool_risk.__init__(18)


# legs


@pure
@external
def check_leg(series: uint256, units: int256, gain: int256) -> bool:
    self._assume(series < 2**16 and self._fits(units, 113) and self._fits(gain, 127))
    leg: uint256 = legs._pack(series, units, gain)
    return legs._series(leg) == series and legs._units(leg) == units and legs._gain(leg) == gain


@pure
@external
def check_leg_word(leg: uint256) -> bool:
    """
    @notice No bit of a leg is without a meaning.
    """
    return legs._pack(legs._series(leg), legs._units(leg), legs._gain(leg)) == leg


# series_book


@external
def check_series(id: uint256, s: series_book.Series) -> bool:
    self._assume(id < 2**16)
    self._assume_series(s)
    series_book._store(id, s)
    series_book._store_size(id, s)
    return self._is_same(series_book._load(id), s)


@external
def check_series_held(id: uint256, s: series_book.Series) -> bool:
    """
    @notice The short way to load one that is held is the long one; one that is not held is nothing.
    """
    self._assume(id < 2**16)
    self._assume_series(s)
    series_book._store(id, s)
    series_book._store_size(id, s)
    if s.long_units | s.short_units == 0:
        return series_book._load_held(id).strike == 0
    return self._is_same(series_book._load_held(id), s)


@external
def check_series_alone(id: uint256, other: uint256, s: series_book.Series) -> bool:
    """
    @notice Storing a series writes its own three words, and no other series, count or list.
    """
    self._assume(id < 2**16 and other < 2**16 and id != other)
    self._assume_series(s)
    before: uint256[3] = series_book.words[other]
    lists: uint256[3] = [series_book.count, series_book.active[0], series_book.active[1]]
    series_book._store(id, s)
    series_book._store_size(id, s)
    after: uint256[3] = series_book.words[other]
    return (
        before[0] == after[0]
        and before[1] == after[1]
        and before[2] == after[2]
        and lists[0] == series_book.count
        and lists[1] == series_book.active[0]
        and lists[2] == series_book.active[1]
    )


@external
def refuse_series_too_large(id: uint256, s: series_book.Series) -> bool:
    self._assume(id < 2**16 and (s.long_units >= 2**112 or s.short_units >= 2**112))
    series_book._store_size(id, s)
    return True


# pool_risk


@external
def check_exposure(underlying: uint256, exposure: pool_risk.Exposure) -> bool:
    """
    @notice Written with nothing added, it is what it was; the other underlying's stays.
    """
    self._assume(underlying < 2 and exposure.checkpoint_price < 2**64 and self._is_unsaturated(exposure.delta))
    for loss: int256 in exposure.losses:
        self._assume(self._is_unsaturated(loss))
    other: uint256[2] = pool_risk.words[1 - underlying]
    worst: uint256 = pool_risk._affect(underlying, exposure, empty(pool_risk.Effect))
    stored: pool_risk.Exposure = pool_risk._exposure(underlying)
    same: bool = stored.delta == exposure.delta and stored.checkpoint_price == exposure.checkpoint_price
    for i: uint256 in range(6):
        same = same and stored.losses[i] == exposure.losses[i]
    return (
        same
        and other[0] == pool_risk.words[1 - underlying][0]
        and other[1] == pool_risk.words[1 - underlying][1]
        and pool_risk._checkpoint_price(underlying) == exposure.checkpoint_price
        and worst < 2**63
    )


@external
def check_totals(totals: pool_risk.Totals) -> bool:
    """
    @notice What does not fit is the most that fits, and its neighbours do not notice.
    """
    self._assume(totals.open_legs < 2**32)
    pool_risk._store_totals(totals)
    stored: pool_risk.Totals = pool_risk._load_totals()
    return (
        stored.worst == min(totals.worst, 2**64 - 1)
        and stored.written == min(totals.written, 2**64 - 1)
        and stored.accrued == min(totals.accrued, 2**96 - 1)
        and stored.open_legs == totals.open_legs
    )


# checkpoints


@external
def check_state(state: checkpoints.State) -> bool:
    self._assume(state.scale < 2**60 and state.utilisation < 2**16)
    self._assume(state.time < 2**32 and state.window_end < 2**32 and state.negative_since < 2**32)
    checkpoints._store(state)
    stored: checkpoints.State = checkpoints._load()
    return (
        stored.scale == state.scale
        and stored.time == state.time
        and stored.window_end == state.window_end
        and stored.negative_since == state.negative_since
        and stored.utilisation == state.utilisation
        and stored.depth == min(state.depth, 2**64 - 1)
    )


@external
def check_queued_redemptions(amount: uint256) -> bool:
    """
    @notice Setting them leaves anchors and their time alone, and the state's word.
    """
    anchors: uint256 = checkpoints.anchors
    state: uint256 = checkpoints.state
    checkpoints._set_queued_redemptions(amount)
    return (
        checkpoints._queued_redemptions() == min(amount, 2**96 - 1)
        and checkpoints.anchors & (2**160 - 1) == anchors & (2**160 - 1)
        and checkpoints.state == state
    )


@external
def check_anchors(first: uint256, second: uint256, shock: uint256) -> bool:
    """
    @notice Anchors are replaced by both prices and the time once they are a window old, never before; queued redemptions stay.
    """
    self._assume(first < 2**64 and second < 2**64 and shock < 1_000)
    before: uint256 = checkpoints.anchors
    jumped: bool = checkpoints._has_jumped([first, second], shock)
    after: uint256 = checkpoints.anchors
    if block.timestamp < ((before >> 128) & (2**32 - 1)) + c.SETTLE_WINDOW:
        return after == before
    return (
        after & (2**64 - 1) == first
        and (after >> 64) & (2**64 - 1) == second
        and (after >> 128) & (2**32 - 1) == block.timestamp
        and after >> 160 == before >> 160
    )


# parameters


@pure
@external
def check_parameters(
    rates: uint256[16], min_margin: uint256, min_face: uint256, carries: int256[2], target: uint256
) -> bool:
    """
    @notice Both words, laid out as the module says, are read back field by field.
    """
    self._assume(min_margin < 2**96 and min_face < 2**96 and self._fits(carries[0], 16) and self._fits(carries[1], 16))
    self._assume(target < 2**16)
    word: uint256 = 0
    for key: uint256 in range(16):
        self._assume(rates[key] < 2**16)
        word = word | rates[key] << (16 * key)
    limits: uint256 = min_margin | min_face << 96 | target << 224
    for u: uint256 in range(2):
        limits = limits | (convert(convert(carries[u], bytes32), uint256) & (2**16 - 1)) << (192 + 16 * u)
    same: bool = True
    for key: uint256 in range(16):
        same = same and parameters._rate(word, key) == rates[key]
    return (
        same
        and parameters._min_margin(limits) == min_margin
        and parameters._min_face(limits) == min_face
        and parameters._carry(limits, 0) == carries[0]
        and parameters._carry(limits, 1) == carries[1]
        and parameters._deleverage_target(limits) == target
    )


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"


@internal
@pure
def _fits(number: int256, bits: uint256) -> bool:
    """
    @notice Whether a two's complement number of so many bits.
    """
    half: int256 = convert(1 << (bits - 1), int256)
    return -half <= number and number < half


@internal
@pure
def _is_unsaturated(number: int256) -> bool:
    return -pool_risk.SATURATED <= number and number <= pool_risk.SATURATED


@internal
@pure
def _assume_series(s: series_book.Series):
    """
    @notice Every field fits its place.
    """
    self._assume(s.strike < 2**56 and s.underlying < 2 and s.time < 2**32 and s.price < 2**64)
    self._assume(self._fits(s.long_rate, 48) and self._fits(s.short_rate, 48))
    self._assume(self._fits(s.long_gain, 128) and self._fits(s.short_gain, 128))
    self._assume(s.long_units < 2**112 and s.short_units < 2**112 and s.notice < 2**32)


@internal
@pure
def _is_same(a: series_book.Series, b: series_book.Series) -> bool:
    return (
        a.strike == b.strike
        and a.is_put == b.is_put
        and a.underlying == b.underlying
        and a.time == b.time
        and a.price == b.price
        and a.long_rate == b.long_rate
        and a.short_rate == b.short_rate
        and a.long_gain == b.long_gain
        and a.short_gain == b.short_gain
        and a.long_units == b.long_units
        and a.short_units == b.short_units
        and a.notice == b.notice
    )
