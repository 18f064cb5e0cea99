# pragma version 0.4.3
"""
@title The pool's own scenario test
@license AGPL-3.0-only
@notice What the main pool would lose at each of the six points, per underlying, and the face traders have written. Rebuilt
        from zero at every checkpoint; in between a trade adds its own effect. From it follow the requirement R and the
        traders' net delta X.
@dev Kept in granules, a power of two of units, so that a number fits 64 bits; rounded against the pool's freedom
     (losses and written face up). A number that would not fit saturates: R is then beyond any equity.
"""

from contracts.modules import constants as c
from contracts.modules import integers

# One underlying, as stored.
struct Exposure:
    losses: int256[6]  # at each point, the far ones already at a third; granules
    delta: int256  # the traders' net delta X, sum of units * m v'; granules
    checkpoint_price: uint256  # USD, 8 decimals; 0 before the first checkpoint

# What an order, a liquidation or a whole book adds, before rounding.
struct Effect:
    losses: int256[6]  # sum of net units * change of mark, units * wad
    delta: int256  # units * wad

# Sums over both underlyings.
struct Totals:
    worst: uint256  # granules
    written: uint256  # units written by traders, granules
    accrued: uint256  # raw units of M
    open_legs: uint256


SATURATED: constant(int256) = 2**63 - 1

GRANULE: immutable(uint256)

#  first word
# | loss 0, 64 | loss 1, 64 | loss 2, 64 | loss 3, 64 |
#  second word
# | loss 4, 64 | loss 5, 64 | delta 64 | checkpoint price 64 |
words: uint256[2][2]

# | worst 64 | written 64 | accrued 96 | open legs 32 |
totals: uint256


@deploy
def __init__(decimals: uint256):
    """
    @param decimals Of M: 6 to 18. A granule is about 1 / 3500 token: 2^48 units at 18 decimals, 2^8 at 6.
    """
    assert 6 <= decimals and decimals <= 18, "risk_book: decimals"
    granule: uint256 = 1
    for _: uint256 in range(64):
        if granule * 2**12 > 10**decimals:
            break
        granule *= 2
    GRANULE = granule


@internal
@view
def _exposure(underlying: uint256) -> Exposure:
    """
    @notice One underlying's losses, delta and checkpoint price.
    """
    return self._decode(self.words[underlying])


@internal
@pure
def _decode(words: uint256[2]) -> Exposure:
    """
    @notice One underlying out of its two words.
    """
    return Exposure(
        losses=[
            convert(convert(words[0] << 192, bytes32), int256) >> 192,
            convert(convert(words[0] << 128, bytes32), int256) >> 192,
            convert(convert(words[0] << 64, bytes32), int256) >> 192,
            convert(convert(words[0], bytes32), int256) >> 192,
            convert(convert(words[1] << 192, bytes32), int256) >> 192,
            convert(convert(words[1] << 128, bytes32), int256) >> 192,
        ],
        delta=self._delta(words[1]),
        checkpoint_price=words[1] >> 192,
    )


@internal
@pure
def _delta(second_word: uint256) -> int256:
    """
    @notice The traders' net delta out of the second word, granules.
    """
    return convert(convert(second_word << 64, bytes32), int256) >> 192


@internal
@view
def _held(underlying: uint256) -> int256:
    """
    @notice The traders' net delta X, units * wad.
    """
    return unsafe_mul(self._delta(self.words[underlying][1]), convert(unsafe_mul(GRANULE, c.WAD), int256))


@internal
@view
def _checkpoint_price(underlying: uint256) -> uint256:
    """
    @notice Index price at the last checkpoint, USD with 8 decimals; 0 before the first.
    """
    return self.words[underlying][1] >> 192


@internal
def _affect(underlying: uint256, exposure: Exposure, effect: Effect) -> uint256:
    """
    @notice Add an effect to an exposure (losses rounded up, delta down, to whole granules) and store it.
    @return The worst of the six losses then, at least 0, granules.
    """
    granule: int256 = convert(unsafe_mul(GRANULE, c.WAD), int256)
    third: int256 = unsafe_mul(3, granule)
    losses: int256[6] = [
        self._plus(exposure.losses[0], effect.losses[0], granule),
        self._plus(exposure.losses[1], effect.losses[1], granule),
        self._plus(exposure.losses[2], effect.losses[2], granule),
        self._plus(exposure.losses[3], effect.losses[3], granule),
        self._plus(exposure.losses[4], effect.losses[4], third),
        self._plus(exposure.losses[5], effect.losses[5], third),
    ]
    # Rounded down: up, with the signs turned.
    delta: int256 = unsafe_sub(0, self._plus(unsafe_sub(0, exposure.delta), unsafe_sub(0, effect.delta), granule))
    self.words[underlying][0] = (
        (convert(convert(losses[0], bytes32), uint256) & (2**64 - 1))
        | ((convert(convert(losses[1], bytes32), uint256) & (2**64 - 1)) << 64)
        | ((convert(convert(losses[2], bytes32), uint256) & (2**64 - 1)) << 128)
        | ((convert(convert(losses[3], bytes32), uint256) & (2**64 - 1)) << 192)
    )
    self.words[underlying][1] = (
        (convert(convert(losses[4], bytes32), uint256) & (2**64 - 1))
        | ((convert(convert(losses[5], bytes32), uint256) & (2**64 - 1)) << 64)
        | ((convert(convert(delta, bytes32), uint256) & (2**64 - 1)) << 128)
        | (exposure.checkpoint_price << 192)
    )
    return self._worst(losses)


@internal
@pure
def _worst(losses: int256[6]) -> uint256:
    """
    @notice The worst of the six losses, at least 0, granules.
    """
    near: int256 = max(max(losses[0], losses[1]), max(losses[2], losses[3]))
    return convert(convert(max(max(near, 0), max(losses[4], losses[5])), bytes32), uint256)


@internal
@pure
def _plus(loss: int256, effect: int256, divisor: int256) -> int256:
    """
    @notice A loss in granules with an effect in units * wad, rounded up; what would not fit 64 bits saturates.
    """
    # Safe: the divisor is positive.
    sum: int256 = unsafe_div(effect, divisor)
    if unsafe_mul(sum, divisor) < effect:
        sum = unsafe_add(sum, 1)
    sum = unsafe_add(loss, sum)
    if sum > SATURATED:
        return SATURATED
    if sum < -SATURATED:
        return -SATURATED
    return sum


@internal
@view
def _load_totals() -> Totals:
    """
    @notice The sums over both underlyings.
    """
    return self._decode_totals(self.totals)


@internal
@pure
def _decode_totals(word: uint256) -> Totals:
    """
    @notice The sums out of their word.
    """
    return Totals(
        worst=word & (2**64 - 1),
        written=(word >> 64) & (2**64 - 1),
        accrued=(word >> 128) & (2**96 - 1),
        open_legs=word >> 224,
    )


@internal
def _store_totals(totals: Totals):
    """
    @notice Write the sums; what would not fit saturates.
    """
    self.totals = (
        min(totals.worst, 2**64 - 1)
        | (min(totals.written, 2**64 - 1) << 64)
        | (min(totals.accrued, 2**96 - 1) << 128)
        | (totals.open_legs << 224)
    )


@internal
def _void_accrued():
    """
    @notice Nothing is set aside for insurance and treasury any more.
    """
    self.totals = self.totals & ~((2**96 - 1) << 128)


@internal
@pure
def _requirement(totals: Totals, default_charge: uint256, scale: uint256, granule: uint256) -> uint256:
    """
    @notice R, raw units of M, rounded up (floor + 1; 0 for an empty book).
    @param default_charge Of written face, 1e-5. `scale` is D; `granule` in units.
    """
    # Safe: both sums are below 2^65, a granule at most 2^48, D < 2^60.
    granules: uint256 = unsafe_add(unsafe_mul(totals.worst, c.BASIS), unsafe_mul(default_charge, totals.written))
    if granules == 0:
        return 0
    return unsafe_add(unsafe_div(unsafe_mul(unsafe_mul(granules, granule), scale), c.BASIS * c.WAD), 1)


@internal
@view
def _granules_up(units: uint256) -> uint256:
    """
    @notice Units as granules, rounded up.
    """
    return unsafe_div(unsafe_sub(unsafe_add(units, GRANULE), 1), GRANULE)


@internal
@view
def _written(written: uint256, change: int256) -> uint256:
    """
    @notice Written face in granules after `change` units: more rounds up, less rounds down.
    """
    more: int256 = integers._ceil_div(change, convert(GRANULE, int256))
    return convert(max(unsafe_add(convert(written, int256), more), 0), uint256)
