# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title PriceOracle
@license AGPL-3.0-only
@notice See interfaces/IPriceOracle.vyi.
@dev Chainlink and the sequencer are asked when a price is stored, not when it is used: no action uses a price older than a
     minute, and what they said is kept beside it. That takes six cold reads out of every trade.
"""

from interfaces import IAggregatorV3
from interfaces import IPriceOracle
from interfaces import IPyth

from contracts.modules import constants as c
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

implements: IPriceOracle

initializes: ownable
initializes: ownable_2step[ownable := ownable]

exports: (
    # Ownership
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)

# Decimals of a stored price.
PRICE_DECIMALS: constant(int256) = 8
# How long prices are refused after the sequencer came back, seconds: time enough to add margin first.
SEQUENCER_GRACE: constant(uint256) = 300
# Characters of a reason at most.
REASON: constant(uint256) = 43
UNKNOWN: constant(String[REASON]) = "price_oracle: unknown underlying"
# A sigma from 1% to 1,000%, squared, per year in 1e-10.
MIN_VARIANCE: constant(uint256) = 10**6
MAX_VARIANCE: constant(uint256) = 10**12

PYTH: public(immutable(address))
SEQUENCER: public(immutable(address))

# What a Chainlink feed, or the sequencer's, said last.
struct Round:
    answer: int256
    started_at: uint256
    updated_at: uint256


# underlying -> | price 64 | publish time 32 | fast variance 40 | slow variance 40 | restricted 1 |
word: public(HashMap[uint256, uint256])

# underlying -> what its price is checked against, three words:
#  | Pyth id 256 |
#  | Chainlink 160 | its max age 32 | max confidence 20 | narrow gap 20 | wide gap 20 |
#  | min price 64 | max price 64 |
_feeds: HashMap[uint256, uint256[3]]

# Who writes variances; the owner while it is empty.
volatility_oracle: public(address)


@deploy
def __init__(owner: address, pyth: address, sequencer: address):
    assert owner != empty(address), "price_oracle: no owner"
    ownable.__init__()
    ownable_2step.__init__()
    ownable_2step._transfer_ownership(owner)
    PYTH = pyth
    SEQUENCER = sequencer


@payable
@external
def update(underlying_ids: DynArray[uint256, 8], updates: DynArray[Bytes[4096], 2]):
    self._require_none(self._sequencer_refusal(self._latest(SEQUENCER)))
    fee: uint256 = self._fee(updates)
    feeds: DynArray[IPyth.PriceFeed, 8] = extcall IPyth(PYTH).parsePriceFeedUpdates(
        updates, self._pyth_ids(underlying_ids), 0, max_value(uint64), value=fee
    )
    for i: uint256 in range(len(underlying_ids), bound=8):
        published: IPyth.Price = feeds[i].price
        if published.publishTime > self._publish_time(underlying_ids[i]):
            assert published.publishTime + c.TRADE_MAX_AGE >= block.timestamp, "price_oracle: stale price"
            self._take(underlying_ids[i], published)
    self._refund(fee)


@payable
@external
def first_prices(
    underlying_ids: DynArray[uint256, 8], updates: DynArray[Bytes[4096], 2], min_time: uint256, max_time: uint256
) -> DynArray[uint256, 8]:
    self._require_none(self._sequencer_refusal(self._latest(SEQUENCER)))
    fee: uint256 = self._fee(updates)
    feeds: DynArray[IPyth.PriceFeed, 8] = extcall IPyth(PYTH).parsePriceFeedUpdatesUnique(
        updates,
        self._pyth_ids(underlying_ids),
        convert(min_time, uint64),
        convert(max_time, uint64),
        value=fee,
    )
    prices: DynArray[uint256, 8] = []
    for i: uint256 in range(len(underlying_ids), bound=8):
        price: uint256 = self._take(underlying_ids[i], feeds[i].price)
        prices.append(price | (feeds[i].price.publishTime << 64))
    self._refund(fee)
    return prices


@external
def set_feed(underlying: uint256, feed: IPriceOracle.Feed, description: String[64]):
    ownable._check_owner()
    assert (
        feed.pyth_id != empty(bytes32)
        and (0 < feed.chainlink_max_age or feed.chainlink == empty(address))
        and feed.chainlink_max_age < 2**32
        and 0 < feed.min_price
        and feed.min_price < feed.max_price
        and feed.max_price < 2**64
        and 0 < feed.max_confidence
        and feed.max_confidence < c.BASIS
        and feed.narrow_gap <= feed.wide_gap
        and feed.wide_gap < c.BASIS
    ), "price_oracle: feed out of bounds"
    said: String[64] = ""
    if feed.chainlink != empty(address):
        decimals: uint8 = staticcall IAggregatorV3(feed.chainlink).decimals()
        assert convert(decimals, int256) == PRICE_DECIMALS, "price_oracle: chainlink decimals"
        said = staticcall IAggregatorV3(feed.chainlink).description()
    assert said == description, "price_oracle: chainlink description"
    self._feeds[underlying] = [
        convert(feed.pyth_id, uint256),
        convert(feed.chainlink, uint256)
        | (feed.chainlink_max_age << 160)
        | (feed.max_confidence << 192)
        | (feed.narrow_gap << 212)
        | (feed.wide_gap << 232),
        feed.min_price | (feed.max_price << 64),
    ]
    log IPriceOracle.FeedSet(underlying=underlying, feed=feed)


@external
def set_volatility_oracle(volatility_oracle: address):
    ownable._check_owner()
    self.volatility_oracle = volatility_oracle
    log IPriceOracle.VolatilityOracleSet(volatility_oracle=volatility_oracle)


@external
def set_variances(underlying: uint256, fast: uint256, slow: uint256):
    if self.volatility_oracle == empty(address):
        ownable._check_owner()
    else:
        assert msg.sender == self.volatility_oracle, "price_oracle: not the volatility oracle"
    for variance: uint256 in [fast, slow]:
        assert MIN_VARIANCE <= variance and variance <= MAX_VARIANCE, "price_oracle: variance out of bounds"
    kept: uint256 = self.word[underlying] & (2**96 - 1 | 1 << 176)
    self.word[underlying] = kept | (fast << 96) | (slow << 136)
    log IPriceOracle.VariancesSet(underlying=underlying, fast=fast, slow=slow)


@view
@external
@reentrant
def words(first: uint256, second: uint256, max_age: uint256) -> (uint256, uint256):
    # No lock: what it reads is whole at any time.
    one: uint256 = self.word[first]
    other: uint256 = self.word[second]
    oldest: uint256 = min((one >> 64) & (2**32 - 1), (other >> 64) & (2**32 - 1))
    # Safe: a price from the future is never stored.
    assert oldest != 0 and unsafe_sub(block.timestamp, oldest) <= max_age, "price_oracle: stale price"
    return one, other


@view
@external
def feed(underlying: uint256) -> IPriceOracle.Feed:
    return self._feed(underlying)


@view
@external
def status(underlying: uint256) -> IPriceOracle.Status:
    feed: IPriceOracle.Feed = self._feed(underlying)
    status: IPriceOracle.Status = empty(IPriceOracle.Status)
    status.price = self.word[underlying] & (2**64 - 1)
    status.publish_time = self._publish_time(underlying)
    status.age = block.timestamp - status.publish_time
    status.is_restricted = (self.word[underlying] >> 176) & 1 != 0

    sequencer: Round = self._latest(SEQUENCER)
    status.grace_end = sequencer.started_at + SEQUENCER_GRACE
    status.refusal = self._sequencer_refusal(sequencer)
    if feed.pyth_id == empty(bytes32):
        status.refusal = UNKNOWN
    status.lowest = feed.min_price
    status.highest = feed.max_price
    status.lowest_free = feed.min_price
    status.highest_free = feed.max_price
    if feed.chainlink != empty(address):
        chainlink: Round = self._latest(feed.chainlink)
        refusal: String[REASON] = self._chainlink_refusal(feed, chainlink)
        if len(status.refusal) == 0:
            status.refusal = refusal
        if chainlink.answer > 0:
            answer: uint256 = convert(chainlink.answer, uint256)
            status.chainlink_price = answer
            status.chainlink_age = block.timestamp - min(chainlink.updated_at, block.timestamp)
            status.gap = self._gap(status.price, answer)
            # As |price - answer| * BASIS <= gap * answer.
            wide: uint256 = answer * feed.wide_gap // c.BASIS
            narrow: uint256 = answer * feed.narrow_gap // c.BASIS
            status.lowest = max(feed.min_price, answer - wide)
            status.highest = min(feed.max_price, answer + wide)
            status.lowest_free = max(feed.min_price, answer - narrow)
            status.highest_free = min(feed.max_price, answer + narrow)
    return status


@view
@external
def update_fee(updates: DynArray[Bytes[4096], 2]) -> uint256:
    return staticcall IPyth(PYTH).getUpdateFee(updates)


@internal
def _take(underlying: uint256, published: IPyth.Price) -> uint256:
    """
    @notice Check a price against its feed and store it if it is newer than the stored one.
    @return The price, USD with 8 decimals.
    """
    feed: IPriceOracle.Feed = self._feed(underlying)
    assert published.price > 0, "price_oracle: price not positive"
    assert published.publishTime <= block.timestamp, "price_oracle: price from the future"
    # Both in Pyth's own exponent.
    raw: uint256 = convert(published.price, uint256)
    assert convert(published.conf, uint256) * c.BASIS <= raw * feed.max_confidence, "price_oracle: price too uncertain"
    price: uint256 = self._scaled(raw, convert(published.expo, int256))
    assert feed.min_price <= price and price <= feed.max_price, "price_oracle: price out of band"
    gap: uint256 = 0
    if feed.chainlink != empty(address):
        chainlink: Round = self._latest(feed.chainlink)
        self._require_none(self._chainlink_refusal(feed, chainlink))
        gap = self._gap(price, convert(chainlink.answer, uint256))
        assert gap <= feed.wide_gap, "price_oracle: too far from chainlink"

    if published.publishTime > self._publish_time(underlying):
        restricted: bool = gap > feed.narrow_gap
        variances: uint256 = self.word[underlying] & ((2**80 - 1) << 96)
        self.word[underlying] = (
            price | (published.publishTime << 64) | variances | (convert(restricted, uint256) << 176)
        )
        log IPriceOracle.PriceStored(
            underlying=underlying, price=price, publish_time=published.publishTime, restricted=restricted
        )
    return price


@internal
@view
def _latest(feed: address) -> Round:
    """
    @notice The latest round of a Chainlink feed.
    """
    round_id: uint80 = 0
    answer: int256 = 0
    started_at: uint256 = 0
    updated_at: uint256 = 0
    answered_in: uint80 = 0
    round_id, answer, started_at, updated_at, answered_in = staticcall IAggregatorV3(feed).latestRoundData()
    return Round(answer=answer, started_at=started_at, updated_at=updated_at)


@internal
@view
def _sequencer_refusal(sequencer: Round) -> String[REASON]:
    """
    @notice Why no price is taken: while the sequencer is down, and for a grace period after. Empty if it may be.
    """
    if sequencer.answer != 0 or sequencer.started_at == 0:
        return "price_oracle: sequencer down"
    if block.timestamp < sequencer.started_at + SEQUENCER_GRACE:
        return "price_oracle: sequencer grace period"
    return ""


@internal
@view
def _chainlink_refusal(feed: IPriceOracle.Feed, chainlink: Round) -> String[REASON]:
    """
    @notice Why Chainlink bounds no price, and so none is taken. Empty if it does.
    """
    if chainlink.answer <= 0:
        return "price_oracle: chainlink answer not positive"
    if chainlink.updated_at + feed.chainlink_max_age < block.timestamp:
        return "price_oracle: chainlink too old"
    return ""


@internal
@pure
def _require_none(refusal: String[REASON]):
    """
    @notice Revert with a refusal, unless it is empty.
    """
    assert len(refusal) == 0, refusal


@internal
@pure
def _gap(price: uint256, answer: uint256) -> uint256:
    """
    @notice |price / Chainlink's - 1| in 1e-5, rounded up.
    """
    return ((max(price, answer) - min(price, answer)) * c.BASIS + answer - 1) // answer


@internal
@pure
def _scaled(raw: uint256, expo: int256) -> uint256:
    """
    @notice A price of Pyth's exponent with 8 decimals, rounded down; 0 where no sane price has that exponent.
    """
    if expo < -18 or expo > 0:
        return 0
    places: int256 = expo + PRICE_DECIMALS
    if places >= 0:
        return raw * 10 ** convert(places, uint256)
    return raw // 10 ** convert(-places, uint256)


@internal
@view
def _pyth_ids(underlying_ids: DynArray[uint256, 8]) -> DynArray[bytes32, 8]:
    ids: DynArray[bytes32, 8] = []
    for underlying: uint256 in underlying_ids:
        id: bytes32 = convert(self._feeds[underlying][0], bytes32)
        assert id != empty(bytes32), UNKNOWN
        ids.append(id)
    return ids


@internal
@view
def _feed(underlying: uint256) -> IPriceOracle.Feed:
    """
    @notice What an underlying's price is checked against; its Pyth id is empty if it is unknown.
    """
    source: uint256 = self._feeds[underlying][1]
    band: uint256 = self._feeds[underlying][2]
    return IPriceOracle.Feed(
        pyth_id=convert(self._feeds[underlying][0], bytes32),
        chainlink=convert(source & (2**160 - 1), address),
        chainlink_max_age=(source >> 160) & (2**32 - 1),
        min_price=band & (2**64 - 1),
        max_price=band >> 64,
        max_confidence=(source >> 192) & (2**20 - 1),
        narrow_gap=(source >> 212) & (2**20 - 1),
        wide_gap=source >> 232,
    )


@internal
@view
def _publish_time(underlying: uint256) -> uint256:
    return (self.word[underlying] >> 64) & (2**32 - 1)


@payable
@internal
def _fee(updates: DynArray[Bytes[4096], 2]) -> uint256:
    """
    @notice Pyth's fee, which the value sent must cover; wei.
    """
    fee: uint256 = staticcall IPyth(PYTH).getUpdateFee(updates)
    assert msg.value >= fee, "price_oracle: fee not covered"
    return fee


@payable
@internal
def _refund(fee: uint256):
    """
    @notice Return what the fee left of the value sent.
    """
    if msg.value > fee:
        done: bool = raw_call(msg.sender, b"", value=msg.value - fee, revert_on_failure=False)
        assert done, "price_oracle: refund failed"
