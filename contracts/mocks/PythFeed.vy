# pragma version 0.4.3
# pragma optimize codesize
"""
@title PythFeed
@custom:contract-name PythFeed
@license AGPL-3.0-only
@notice Pyth for a local chain: the ABI, the wire format, the rules and the custom errors of the Pyth contract
        on Base, with the guardians that sign a price replaced by one local publisher.
@dev Follows `Pyth.sol`, `PythAccumulator.sol` and `MerkleTree.sol` of pyth-network/pyth-crosschain (version
     1.4.5). An update is `PNAU` + version + a VAA that signs a Merkle root + price messages, each with its proof.
     Narrower than the real one in three ways: one signature, messages of exactly 85 bytes, and at most
     `MAX_BLOBS` blobs of `MAX_FEEDS` messages. It keeps no state outside one mapping, so that its code can be put
     in the place of another contract.
"""

struct Price:
    price: int64
    conf: uint64
    expo: int32
    publishTime: uint256

struct PriceFeed:
    id: bytes32
    price: Price
    emaPrice: Price

# The two overlapping words of a price message that hold everything but its id, as they are stored:
#   front   price i64 | conf u64 | expo i32 | publish_time u64 | (first half of prev_publish_time)
#   back    publish_time u64 | prev_publish_time u64 | ema_price i64 | ema_conf u64
struct Message:
    id: bytes32
    front: uint256
    back: uint256


MAX_BLOBS: constant(uint256) = 8
MAX_FEEDS: constant(uint256) = 16
BLOB_SIZE: constant(uint256) = 4_096

ACCUMULATOR_MAGIC: constant(uint256) = 1_347_305_813  # 0x504e4155, "PNAU"
ROOT_MAGIC: constant(uint256) = 1_096_111_958  # 0x41555756, "AUWV"
MESSAGE_SIZE: constant(uint256) = 85
SIGNATURE_SIZE: constant(uint256) = 66
ROOT_PAYLOAD_SIZE: constant(uint256) = 37
VALID_TIME_PERIOD: constant(uint256) = 60
# Wei per price message, as Base charged until governance made it 0: whoever asks `getUpdateFee` is right with both.
FEE_PER_FEED: constant(uint256) = 1

# Pythnet's data source, https://docs.pyth.network (chain 26 in Wormhole's numbering).
EMITTER_CHAIN: constant(uint256) = 26
EMITTER: constant(bytes32) = 0xe101faedac5851e32b9b23b5f9411a8c2bac4aae3ed4dd7b811dd1a72ea4aa71

# Signs the Merkle roots, where thirteen of nineteen guardians would.
PUBLISHER: public(immutable(address))


# Latest accepted message per feed: [front, back]; zero if none.
latest: HashMap[bytes32, uint256[2]]


event PriceFeedUpdate:
    id: indexed(bytes32)
    publishTime: uint64
    price: int64
    conf: uint64


@deploy
def __init__(publisher: address):
    """
    @param publisher Whose signature makes an update valid.
    """
    PUBLISHER = publisher


# Moving the price


@external
@payable
def updatePriceFeeds(updateData: DynArray[Bytes[BLOB_SIZE], MAX_BLOBS]):
    """
    @notice Store every price in `updateData` that is newer than the stored one.
    @dev Reverts with InsufficientFee, InvalidWormholeVaa, InvalidUpdateDataSource or InvalidUpdateData.
    @param updateData Signed updates.
    """
    self._update(updateData)


@external
@payable
def updatePriceFeedsIfNecessary(
    updateData: DynArray[Bytes[BLOB_SIZE], MAX_BLOBS],
    priceIds: DynArray[bytes32, MAX_FEEDS],
    publishTimes: DynArray[uint64, MAX_FEEDS],
):
    """
    @notice `updatePriceFeeds` if any feed's stored price is older than its given publish time.
    @dev Reverts with NoFreshUpdate if none is, with InvalidArgument if the lengths differ.
    """
    if len(priceIds) != len(publishTimes):
        raw_revert(method_id("InvalidArgument()"))
    stale: bool = False
    for i: uint256 in range(len(priceIds), bound=MAX_FEEDS):
        if self._publish_time(self.latest[priceIds[i]][1]) < convert(publishTimes[i], uint256):
            stale = True
            break
    if not stale:
        raw_revert(method_id("NoFreshUpdate()"))
    self._update(updateData)


@external
@payable
def parsePriceFeedUpdates(
    updateData: DynArray[Bytes[BLOB_SIZE], MAX_BLOBS],
    priceIds: DynArray[bytes32, MAX_FEEDS],
    minPublishTime: uint64,
    maxPublishTime: uint64,
) -> DynArray[PriceFeed, MAX_FEEDS]:
    """
    @notice The prices of `priceIds` in `updateData` published within [minPublishTime, maxPublishTime].
    @dev Stores nothing. Reverts with PriceFeedNotFoundWithinRange if any is missing.
    @return The feeds, in the order of `priceIds`.
    """
    return self._parse(
        updateData, priceIds, convert(minPublishTime, uint256), convert(maxPublishTime, uint256), False
    )


@external
@payable
def parsePriceFeedUpdatesUnique(
    updateData: DynArray[Bytes[BLOB_SIZE], MAX_BLOBS],
    priceIds: DynArray[bytes32, MAX_FEEDS],
    minPublishTime: uint64,
    maxPublishTime: uint64,
) -> DynArray[PriceFeed, MAX_FEEDS]:
    """
    @notice As `parsePriceFeedUpdates`, but only the first price at or after minPublishTime will do:
            prev_publish_time < minPublishTime <= publish_time <= maxPublishTime.
    @return The feeds, in the order of `priceIds`.
    """
    return self._parse(
        updateData, priceIds, convert(minPublishTime, uint256), convert(maxPublishTime, uint256), True
    )


# Reading it


@external
@view
def getUpdateFee(updateData: DynArray[Bytes[BLOB_SIZE], MAX_BLOBS]) -> uint256:
    """
    @return Wei to send with `updateData`: `FEE_PER_FEED` per price in it.
    """
    return self._fee(updateData)


@external
@view
def getPriceUnsafe(id: bytes32) -> Price:
    """
    @notice The stored price, however old. Reverts with PriceFeedNotFound.
    """
    return self._price(self._stored(id))


@external
@view
def getPriceNoOlderThan(id: bytes32, age: uint256) -> Price:
    """
    @notice The stored price. Reverts with StalePrice if it is more than `age` seconds from now, either way.
    """
    message: Message = self._stored(id)
    self._check_age(message, age)
    return self._price(message)


@external
@view
def getEmaPriceUnsafe(id: bytes32) -> Price:
    """
    @notice The stored moving average, however old. Reverts with PriceFeedNotFound.
    """
    return self._ema_price(self._stored(id))


@external
@view
def getEmaPriceNoOlderThan(id: bytes32, age: uint256) -> Price:
    """
    @notice The stored moving average. Reverts with StalePrice if it is more than `age` seconds from now.
    """
    message: Message = self._stored(id)
    self._check_age(message, age)
    return self._ema_price(message)


@external
@view
def queryPriceFeed(id: bytes32) -> PriceFeed:
    """
    @notice The stored price and moving average. Reverts with PriceFeedNotFound.
    """
    return self._feed(self._stored(id))


@external
@view
def priceFeedExists(id: bytes32) -> bool:
    """
    @return Whether a price of `id` was ever stored.
    """
    return self.latest[id][1] != 0


@external
@view
def getValidTimePeriod() -> uint256:
    """
    @return The age in seconds that Pyth deems fresh by default.
    """
    return VALID_TIME_PERIOD


@external
@view
def singleUpdateFeeInWei() -> uint256:
    """
    @return Wei per price in an update.
    """
    return FEE_PER_FEED


@external
@pure
def version() -> String[32]:
    """
    @return Not Pyth's: tells this contract from the one on Base.
    """
    return "everstock-local"


@internal
@payable
def _update(updates: DynArray[Bytes[BLOB_SIZE], MAX_BLOBS]):
    for blob: Bytes[BLOB_SIZE] in updates:
        messages: DynArray[Message, MAX_FEEDS] = self._open(blob)
        for message: Message in messages:
            if self._publish_time(message.back) <= self._publish_time(self.latest[message.id][1]):
                continue
            self.latest[message.id] = [message.front, message.back]
            price: Price = self._price(message)
            log PriceFeedUpdate(
                id=message.id,
                publishTime=convert(price.publishTime, uint64),
                price=price.price,
                conf=price.conf,
            )
    if msg.value < self._fee(updates):
        raw_revert(method_id("InsufficientFee()"))


@internal
@payable
def _parse(
    updates: DynArray[Bytes[BLOB_SIZE], MAX_BLOBS],
    ids: DynArray[bytes32, MAX_FEEDS],
    min_time: uint256,
    max_time: uint256,
    unique: bool,
) -> DynArray[PriceFeed, MAX_FEEDS]:
    if msg.value < self._fee(updates):
        raw_revert(method_id("InsufficientFee()"))

    feeds: DynArray[PriceFeed, MAX_FEEDS] = []
    for i: uint256 in range(len(ids), bound=MAX_FEEDS):
        feeds.append(empty(PriceFeed))

    for blob: Bytes[BLOB_SIZE] in updates:
        messages: DynArray[Message, MAX_FEEDS] = self._open(blob)
        for message: Message in messages:
            published: uint256 = self._publish_time(message.back)
            if published < min_time or published > max_time:
                continue
            if unique and self._prev_publish_time(message.back) >= min_time:
                continue
            for i: uint256 in range(len(ids), bound=MAX_FEEDS):
                # The first id that matches, and only once: an id asked for twice is never found.
                if ids[i] == message.id:
                    if feeds[i].id == empty(bytes32):
                        feeds[i] = self._feed(message)
                    break

    for feed: PriceFeed in feeds:
        if feed.id == empty(bytes32):
            raw_revert(method_id("PriceFeedNotFoundWithinRange()"))
    return feeds


@internal
@view
def _fee(updates: DynArray[Bytes[BLOB_SIZE], MAX_BLOBS]) -> uint256:
    count: uint256 = 0
    for blob: Bytes[BLOB_SIZE] in updates:
        vaa: uint256 = self._vaa_offset(blob)
        count += self._byte(blob, vaa + self._vaa_size(blob, vaa))
    return count * FEE_PER_FEED


@internal
@view
def _open(blob: Bytes[BLOB_SIZE]) -> DynArray[Message, MAX_FEEDS]:
    """
    @dev The messages of an update, after checking its signature and every proof.
    """
    vaa: uint256 = self._vaa_offset(blob)
    offset: uint256 = vaa + self._vaa_size(blob, vaa)
    root: uint256 = self._verified_root(blob, vaa, offset)

    count: uint256 = self._byte(blob, offset)
    offset += 1
    if count > MAX_FEEDS:
        raw_revert(method_id("InvalidUpdateData()"))
    messages: DynArray[Message, MAX_FEEDS] = []
    for i: uint256 in range(count, bound=MAX_FEEDS):
        # size u16 | message | proof length u8 | proof
        if len(blob) < offset + 2 + MESSAGE_SIZE + 1:
            raw_revert(method_id("InvalidUpdateData()"))
        if self._word(blob, offset, 2) != MESSAGE_SIZE:
            raw_revert(method_id("InvalidUpdateData()"))
        message: Bytes[MESSAGE_SIZE] = slice(blob, offset + 2, MESSAGE_SIZE)
        offset += 2 + MESSAGE_SIZE

        digest: uint256 = convert(keccak256(concat(b"\x00", message)), uint256) >> 96
        depth: uint256 = self._byte(blob, offset)
        offset += 1
        if len(blob) < offset + 20 * depth:
            raw_revert(method_id("InvalidUpdateData()"))
        for j: uint256 in range(depth, bound=255):
            sibling: uint256 = self._word(blob, offset, 20)
            digest = self._node(min(digest, sibling), max(digest, sibling))
            offset += 20
        # Message type 0 is a price; 1, a time-weighted price, has no place here.
        if digest != root or self._word(blob, offset - 20 * depth - 1 - MESSAGE_SIZE, 1) != 0:
            raw_revert(method_id("InvalidUpdateData()"))
        messages.append(
            Message(
                id=extract32(message, 1),
                front=extract32(message, 33, output_type=uint256),
                back=extract32(message, 53, output_type=uint256),
            )
        )
    if offset != len(blob):
        raw_revert(method_id("InvalidUpdateData()"))
    return messages


@internal
@view
def _verified_root(blob: Bytes[BLOB_SIZE], vaa: uint256, end: uint256) -> uint256:
    """
    @dev The root signed by the VAA in blob[vaa:end]:
         version u8 = 1 | guardian set u32 | signatures u8 = 1 | signer u8 = 0, r, s, v u8 | body,
         body: time u32, nonce u32, emitter chain u16, emitter b32, sequence u64, consistency u8 | payload,
         payload: "AUWV" | type u8 = 0 | slot u64 | ring size u32 | root b20.
    """
    body: uint256 = vaa + 6 + SIGNATURE_SIZE
    payload: uint256 = body + 51
    if end < payload or self._word(blob, vaa, 1) != 1 or self._word(blob, vaa + 5, 1) != 1:
        raw_revert(method_id("InvalidWormholeVaa()"))

    digest: bytes32 = keccak256(keccak256(slice(blob, body, end - body)))
    signer: address = ecrecover(
        digest,
        self._word(blob, vaa + 71, 1) + 27,
        extract32(blob, vaa + 7, output_type=uint256),
        extract32(blob, vaa + 39, output_type=uint256),
    )
    if signer != PUBLISHER or signer == empty(address) or self._word(blob, vaa + 6, 1) != 0:
        raw_revert(method_id("InvalidWormholeVaa()"))
    if self._word(blob, body + 8, 2) != EMITTER_CHAIN or extract32(blob, body + 10) != EMITTER:
        raw_revert(method_id("InvalidUpdateDataSource()"))
    if end < payload + ROOT_PAYLOAD_SIZE or self._word(blob, payload, 4) != ROOT_MAGIC:
        raw_revert(method_id("InvalidUpdateData()"))
    if self._word(blob, payload + 4, 1) != 0:
        raw_revert(method_id("InvalidUpdateData()"))
    return self._word(blob, payload + 17, 20)


@internal
@view
def _vaa_offset(blob: Bytes[BLOB_SIZE]) -> uint256:
    """
    @dev Where the VAA starts, behind:
         "PNAU" | major u8 = 1 | minor u8 | header size u8 | header | type u8 = 0 | size u16.
    """
    if len(blob) <= 7 or self._word(blob, 0, 4) != ACCUMULATOR_MAGIC or self._word(blob, 4, 1) != 1:
        raw_revert(method_id("InvalidUpdateData()"))
    offset: uint256 = 7 + self._word(blob, 6, 1)
    if self._byte(blob, offset) != 0 or len(blob) < offset + 3:
        raw_revert(method_id("InvalidUpdateData()"))
    return offset + 3


@internal
@view
def _vaa_size(blob: Bytes[BLOB_SIZE], vaa: uint256) -> uint256:
    """
    @dev Size of the VAA at `vaa`, which lies inside the blob with a byte to follow.
    """
    size: uint256 = self._word(blob, vaa - 2, 2)
    if len(blob) <= vaa + size:
        raw_revert(method_id("InvalidUpdateData()"))
    return size


@internal
@pure
def _byte(blob: Bytes[BLOB_SIZE], offset: uint256) -> uint256:
    if offset >= len(blob):
        raw_revert(method_id("InvalidUpdateData()"))
    return convert(slice(blob, offset, 1), uint256)


@internal
@pure
def _word(blob: Bytes[BLOB_SIZE], offset: uint256, size: uint256) -> uint256:
    """
    @dev Big-endian integer of `size` bytes, 1 to 32, at an offset known to lie inside the blob.
    """
    if offset + 32 <= len(blob):
        return extract32(blob, offset, output_type=uint256) >> (256 - 8 * size)
    # Near the end: read the blob's last word instead.
    last: uint256 = extract32(blob, len(blob) - 32, output_type=uint256)
    return (last << (8 * (offset + 32 - len(blob)))) >> (256 - 8 * size)


@internal
@pure
def _node(low: uint256, high: uint256) -> uint256:
    """
    @dev Digest of two sorted children, digests being 20 bytes.
    """
    left: bytes20 = convert(convert(low, uint160), bytes20)
    right: bytes20 = convert(convert(high, uint160), bytes20)
    return convert(keccak256(concat(b"\x01", left, right)), uint256) >> 96


@internal
@view
def _stored(id: bytes32) -> Message:
    words: uint256[2] = self.latest[id]
    if self._publish_time(words[1]) == 0:
        raw_revert(method_id("PriceFeedNotFound()"))
    return Message(id=id, front=words[0], back=words[1])


@internal
@view
def _check_age(message: Message, age: uint256):
    published: uint256 = self._publish_time(message.back)
    if max(block.timestamp, published) - min(block.timestamp, published) > age:
        raw_revert(method_id("StalePrice()"))


@internal
@pure
def _publish_time(back: uint256) -> uint256:
    return back >> 192


@internal
@pure
def _prev_publish_time(back: uint256) -> uint256:
    return (back >> 128) & convert(max_value(uint64), uint256)


@internal
@pure
def _price(message: Message) -> Price:
    return Price(
        price=self._int64(message.front >> 192),
        conf=self._uint64(message.front >> 128),
        expo=self._expo(message.front),
        publishTime=message.back >> 192,
    )


@internal
@pure
def _ema_price(message: Message) -> Price:
    return Price(
        price=self._int64(message.back >> 64),
        conf=self._uint64(message.back),
        expo=self._expo(message.front),
        publishTime=message.back >> 192,
    )


@internal
@pure
def _feed(message: Message) -> PriceFeed:
    return PriceFeed(id=message.id, price=self._price(message), emaPrice=self._ema_price(message))


@internal
@pure
def _uint64(word: uint256) -> uint64:
    return convert(word & convert(max_value(uint64), uint256), uint64)


@internal
@pure
def _int64(word: uint256) -> int64:
    """
    @dev The low 64 bits in two's complement.
    """
    value: int256 = convert(word & convert(max_value(uint64), uint256), int256)
    if value > convert(max_value(int64), int256):
        value -= 2**64
    return convert(value, int64)


@internal
@pure
def _expo(front: uint256) -> int32:
    value: int256 = convert((front >> 96) & convert(max_value(uint32), uint256), int256)
    if value > convert(max_value(int32), int256):
        value -= 2**32
    return convert(value, int32)
