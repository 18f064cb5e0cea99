# pragma version 0.4.3
"""
@title When a checkpoint is due and when a settle window opens
@license AGPL-3.0-only
@notice The state a checkpoint leaves behind, and the prices it is compared with.
"""

from contracts.modules import checks
from contracts.modules import constants as c

# What the last checkpoint left behind.
struct State:
    scale: uint256  # D, wad
    time: uint256  # of the last checkpoint
    window_end: uint256  # the settle window is open before this time
    negative_since: uint256  # first of an unbroken run of checkpoints that saw E <= 0; 0 if the last saw more
    frozen: bool  # terminal settlement has begun: every series is frozen
    utilisation: uint256  # min(1, R / E), 1e-4
    depth: uint256  # E, granules; 0 if E <= 0



# | D 60 | time 32 | window end 32 | negative since 32 | frozen 1 | unused 19 | utilisation 16 | depth 64 |
state: uint256

# | anchor price 0, 64 | anchor price 1, 64 | time 32 | queued redemptions 96, raw units of M at request price |
anchors: uint256


@deploy
def __init__():
    self.state = c.WAD


@internal
@view
def _load() -> State:
    return self._decode(self.state)


@internal
@pure
def _decode(word: uint256) -> State:
    """
    @notice The state out of its word.
    """
    return State(
        scale=word & (2**60 - 1),
        time=(word >> 60) & (2**32 - 1),
        window_end=(word >> 92) & (2**32 - 1),
        negative_since=(word >> 124) & (2**32 - 1),
        frozen=(word >> 156) & 1 != 0,
        utilisation=(word >> 176) & (2**16 - 1),
        depth=word >> 192,
    )


@internal
def _store(state: State):
    """
    @notice Write the state; a depth that would not fit saturates.
    """
    self.state = (
        state.scale
        | (state.time << 60)
        | (state.window_end << 92)
        | (state.negative_since << 124)
        | (convert(state.frozen, uint256) << 156)
        | (state.utilisation << 176)
        | (min(state.depth, 2**64 - 1) << 192)
    )


@internal
@view
def _queued_redemptions() -> uint256:
    """
    @notice What the main pool's waiting redemptions are worth at their request prices, raw units of M.
    """
    return self.anchors >> 160


@internal
def _set_queued_redemptions(amount: uint256):
    """
    @notice Write it; what would not fit saturates.
    """
    self.anchors = (self.anchors & (2**160 - 1)) | (min(amount, 2**96 - 1) << 160)


@internal
@pure
def _moved(price: uint256, reference: uint256, shock: uint256, part: uint256) -> bool:
    """
    @notice Whether max(p / p0, p0 / p) - 1 > shock / part; never while p0 is 0.
    @param shock In 1e-3.
    """
    lower: uint256 = min(price, reference)
    # Safe: prices < 2^64.
    gap: uint256 = unsafe_sub(max(price, reference), lower)
    return unsafe_mul(gap, unsafe_mul(part, c.PERMILLE)) > unsafe_mul(shock, lower) and reference != 0


@internal
@view
def _is_stale(state: State, prices: uint256[2], checkpoint_prices: uint256[2], shock: uint256) -> bool:
    """
    @notice Whether an hour passed or an index moved more than a quarter of the pool shock since the last checkpoint.
    """
    return (
        block.timestamp >= state.time + c.HOUR
        or self._moved(prices[0], checkpoint_prices[0], shock, 4)
        or self._moved(prices[1], checkpoint_prices[1], shock, 4)
    )


@internal
@view
def _is_booked(state: State) -> bool:
    """
    @notice Whether gains become claims and nobody is paid from main.
    """
    return block.timestamp < state.window_end or state.negative_since != 0


@internal
@view
def _only_active(state: State):
    """
    @notice Reverts once the market is in terminal settlement.
    """
    checks._require(not state.frozen, "risk_book: in settlement")


@internal
def _has_jumped(prices: uint256[2], shock: uint256) -> bool:
    """
    @notice Whether an index is more than half the pool shock from its anchor. The anchors are replaced afterwards if they
            are a settle window old (or were never set).
    """
    word: uint256 = self.anchors
    anchors: uint256[2] = [word & (2**64 - 1), (word >> 64) & (2**64 - 1)]
    jumped: bool = self._moved(prices[0], anchors[0], shock, 2) or self._moved(prices[1], anchors[1], shock, 2)
    if block.timestamp >= ((word >> 128) & (2**32 - 1)) + c.SETTLE_WINDOW:
        self.anchors = prices[0] | (prices[1] << 64) | (block.timestamp << 128) | (word >> 160 << 160)
    return jumped
