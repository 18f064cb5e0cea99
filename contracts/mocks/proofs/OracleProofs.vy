# pragma version 0.4.3
# pragma optimize codesize
"""
@title OracleProofs
@license AGPL-3.0-only
@notice PriceOracle's own words: variances leave price, time and restriction alone, a feed is read back as it was set, and
        the modules read an underlying's word as the oracle writes it.
@dev Owner of a PriceOracle, or its volatility oracle. See everstock/proofs: a function under proof reverts with "assume" outside of what it is about,
     and else returns true.
"""

from interfaces import IPriceOracle

from contracts.modules import series_book

initializes: series_book

# As a whole word: storage of which nothing is known may hold more than an address.
interface IOwned:
    def owner() -> uint256: view

interface IWriter:
    def volatility_oracle() -> uint256: view

ORACLE: immutable(IPriceOracle)


@deploy
def __init__(oracle: address):
    ORACLE = IPriceOracle(oracle)


@pure
@external
def decimals() -> uint8:
    """
    @notice Of Chainlink's prices, which it stands for when a feed is set.
    """
    return 8


@pure
@external
def description() -> String[64]:
    """
    @notice Likewise.
    """
    return "BTC / USD"


@external
def check_variances(underlying: uint256, other: uint256, fast: uint256, slow: uint256) -> bool:
    """
    @notice Setting variances changes those of one underlying.
    """
    self._assume(staticcall IWriter(ORACLE.address).volatility_oracle() == convert(self, uint256) and underlying != other)
    self._assume(10**6 <= fast and fast <= 10**12 and 10**6 <= slow and slow <= 10**12)
    before: uint256 = staticcall ORACLE.word(underlying)
    beside: uint256 = staticcall ORACLE.word(other)
    extcall ORACLE.set_variances(underlying, fast, slow)
    after: uint256 = staticcall ORACLE.word(underlying)
    return (
        after & (2**96 - 1) == before & (2**96 - 1)
        and (after >> 96) & (2**40 - 1) == fast
        and (after >> 136) & (2**40 - 1) == slow
        and (after >> 176) & 1 == (before >> 176) & 1
        and staticcall ORACLE.word(other) == beside
    )


@external
def check_feed(underlying: uint256, pyth_id: bytes32, limits: uint256[6]) -> bool:
    """
    @notice The three words of a feed give it back.
    """
    self._assume(staticcall IOwned(ORACLE.address).owner() == convert(self, uint256) and pyth_id != empty(bytes32))
    feed: IPriceOracle.Feed = IPriceOracle.Feed(
        pyth_id=pyth_id,
        chainlink=self,
        chainlink_max_age=limits[0],
        min_price=limits[1],
        max_price=limits[2],
        max_confidence=limits[3],
        narrow_gap=limits[4],
        wide_gap=limits[5],
    )
    self._assume(0 < limits[0] and limits[0] < 2**32 and 0 < limits[1] and limits[1] < limits[2] and limits[2] < 2**64)
    self._assume(0 < limits[3] and limits[3] < 100_000 and limits[4] <= limits[5] and limits[5] < 100_000)
    extcall ORACLE.set_feed(underlying, feed, "BTC / USD")
    stored: IPriceOracle.Feed = staticcall ORACLE.feed(underlying)
    return (
        stored.pyth_id == feed.pyth_id
        and stored.chainlink == feed.chainlink
        and stored.chainlink_max_age == feed.chainlink_max_age
        and stored.min_price == feed.min_price
        and stored.max_price == feed.max_price
        and stored.max_confidence == feed.max_confidence
        and stored.narrow_gap == feed.narrow_gap
        and stored.wide_gap == feed.wide_gap
    )


@pure
@external
def check_terms(
    price: uint256, publish_time: uint256, fast: uint256, slow: uint256, restricted: bool, above: uint256
) -> bool:
    """
    @notice Out of an underlying's word come its price, the larger variance for longs and the smaller for shorts.
    """
    self._assume(price < 2**64 and publish_time < 2**32 and fast < 2**40 and slow < 2**40 and above < 2**79)
    word: uint256 = (
        price
        | (publish_time << 64)
        | (fast << 96)
        | (slow << 136)
        | (convert(restricted, uint256) << 176)
        | (above << 177)
    )
    terms: series_book.Terms = series_book._terms(word, 0, 17, 0, 0, 0, 0)
    return (
        terms.price == price
        and terms.long_variance >= terms.short_variance
        and terms.long_variance in [fast, slow]
        and terms.short_variance in [fast, slow]
        and terms.long_variance + terms.short_variance == fast + slow
    )


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"
