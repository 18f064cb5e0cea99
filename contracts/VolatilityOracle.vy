# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title VolatilityOracle
@license AGPL-3.0-only
@notice See interfaces/IVolatilityOracle.vyi.
@dev Its words live in the PriceOracle, where markets read them with the price; that must have appointed it.
"""

from interfaces import IPriceOracle
from interfaces import IVolatilityOracle

from contracts.modules import constants as c
from snekmate.utils import math

implements: IVolatilityOracle

# Seconds between boundaries.
SPAN: public(constant(uint256)) = 600
HALF_LIVES: constant(uint256[2]) = [6 * 3_600, 48 * 3_600]
# Of a wad: https://oeis.org/A002162.
LN_2: constant(uint256) = 693_147_180_559_945_309
# What a return of 10% in ten minutes adds: (1 - 2^(-600 / half-life)) * 0.01 * year / 600; rounded down, wads.
MOST: constant(uint256[2]) = [10_023_145_921_218_310_164, 1_263_472_556_369_191_344]
# Sigma of 250%, squared, per year in 1e-10.
CEILING: public(constant(uint256)) = 62_500_000_000
# The least a floor may be: the PriceOracle takes no less. 1%, squared.
LEAST_FLOOR: constant(uint256) = 10**6
# Turns a wad into 1e-10.
PER_RATE: constant(uint256) = c.WAD // c.RATE

ORACLE: public(immutable(address))

# underlying -> | price 64 | publish time 32 | fast variance 80 | slow variance 80 |; variances per year, wads
words: HashMap[uint256, uint256]

# The least that is written, per year in 1e-10; 0 for an unknown underlying.
floors: HashMap[uint256, uint256]


@deploy
def __init__(oracle: address, seeds: DynArray[IVolatilityOracle.Seed, 8]):
    ORACLE = oracle
    for seed: IVolatilityOracle.Seed in seeds:
        assert self.floors[seed.underlying] == 0, "volatility_oracle: seeded twice"
        assert (
            seed.price < 2**64
            and seed.time <= block.timestamp
            and (seed.price == 0) == (seed.time == 0)
            and max(seed.fast, seed.slow) <= CEILING
            and LEAST_FLOOR <= seed.floor
            and seed.floor <= CEILING
        ), "volatility_oracle: seed out of bounds"
        self.floors[seed.underlying] = seed.floor
        self._store(seed.underlying, seed.price, seed.time, [seed.fast * PER_RATE, seed.slow * PER_RATE])


@payable
@external
def sample(underlyings: DynArray[uint256, 8], updates: DynArray[Bytes[4096], 2]) -> uint256:
    fee: uint256 = staticcall IPriceOracle(ORACLE).update_fee(updates)
    assert msg.value >= fee, "volatility_oracle: fee not covered"
    since: uint256 = self._boundary()
    prices: DynArray[uint256, 8] = extcall IPriceOracle(ORACLE).first_prices(
        underlyings, updates, since, since + SPAN - 1, value=fee
    )
    sampled: uint256 = 0
    for i: uint256 in range(len(underlyings), bound=8):
        assert self.floors[underlyings[i]] != 0, "volatility_oracle: unknown underlying"
        if self._track(underlyings[i]).time < since:
            self._take(underlyings[i], prices[i] & (2**64 - 1), prices[i] >> 64)
            sampled += 1
    if msg.value > fee:
        done: bool = raw_call(msg.sender, b"", value=msg.value - fee, revert_on_failure=False)
        assert done, "volatility_oracle: refund failed"
    return sampled


@view
@external
def track(underlying: uint256) -> IVolatilityOracle.Track:
    return self._track(underlying)


@view
@external
def variances(underlying: uint256) -> (uint256, uint256):
    track: IVolatilityOracle.Track = self._track(underlying)
    return self._bounded(track.fast, track.floor), self._bounded(track.slow, track.floor)


@view
@external
def boundary() -> uint256:
    return self._boundary()


@view
@external
def is_due(underlying: uint256) -> bool:
    track: IVolatilityOracle.Track = self._track(underlying)
    return track.floor != 0 and track.time < self._boundary()


@internal
def _take(underlying: uint256, price: uint256, time: uint256):
    """
    @notice Bring an underlying to a new price, and the PriceOracle its variances.
    """
    track: IVolatilityOracle.Track = self._track(underlying)
    variances: uint256[2] = [track.fast, track.slow]
    if track.time != 0:
        elapsed: uint256 = time - track.time
        log_return: int256 = math._wad_ln(convert(price * c.WAD // track.price, int256))
        square: uint256 = convert(log_return * log_return, uint256)
        for i: uint256 in range(2):
            kept: uint256 = self._kept(elapsed, HALF_LIVES[i])
            # |log return| < 45 wads, so that this stays below 2^224.
            added: uint256 = (c.WAD - kept) * square * c.YEAR // (elapsed * c.WAD * c.WAD)
            variances[i] = kept * variances[i] // c.WAD + min(added, MOST[i])
    self._store(underlying, price, time, variances)
    extcall IPriceOracle(ORACLE).set_variances(
        underlying, self._bounded(variances[0], track.floor), self._bounded(variances[1], track.floor)
    )


@internal
@pure
def _kept(elapsed: uint256, half_life: uint256) -> uint256:
    """
    @notice 2^(-elapsed / half-life), a wad.
    """
    return convert(math._wad_exp(-convert(elapsed * LN_2 // half_life, int256)), uint256)


@internal
@pure
def _bounded(variance: uint256, least: uint256) -> uint256:
    """
    @notice A variance (wad) as markets read it, 1e-10.
    """
    return min(max(variance // PER_RATE, least), CEILING)


@internal
@view
def _boundary() -> uint256:
    return block.timestamp // SPAN * SPAN


@internal
@view
def _track(underlying: uint256) -> IVolatilityOracle.Track:
    word: uint256 = self.words[underlying]
    return IVolatilityOracle.Track(
        price=word & (2**64 - 1),
        time=(word >> 64) & (2**32 - 1),
        fast=(word >> 96) & (2**80 - 1),
        slow=word >> 176,
        floor=self.floors[underlying],
    )


@internal
def _store(underlying: uint256, price: uint256, time: uint256, variances: uint256[2]):
    # A sample adds at most MOST, and there is one a boundary: a variance stays below 2^70.
    self.words[underlying] = price | (time << 64) | (variances[0] << 96) | (variances[1] << 176)
    log IVolatilityOracle.Sampled(
        underlying=underlying, price=price, publish_time=time, fast=variances[0], slow=variances[1]
    )
