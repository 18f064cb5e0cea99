"""Price updates in Pyth's wire format, signed by a local publisher.

An update ("blob") is what Hermes hands out and `updatePriceFeeds` takes: a VAA that signs a Merkle root, and the
price messages under that root, each with its proof. Format: pyth-network/pyth-crosschain, PythAccumulator.sol and
MerkleTree.sol; the VAA: Wormhole's, with one guardian. Prices are integers with `EXPO` decimals, times Unix seconds.
"""

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import PrivateKey
from eth_utils import keccak

EXPO: Final = -8
# Pyth's BTC and ETH feeds are as sure as this in calm times, and a consumer bounds it at ten times as much.
CONFIDENCE_BP: Final = 5
# Pyth's moving average covers about an hour.
EMA_SECONDS: Final = 3_600

# Pythnet, the data source that Pyth's contracts accept (Wormhole chain 26).
EMITTER_CHAIN: Final = 26
EMITTER: Final = bytes.fromhex("e101faedac5851e32b9b23b5f9411a8c2bac4aae3ed4dd7b811dd1a72ea4aa71")

# No secret: whoever reads this has the key. Only our own feed contract heeds it.
DEVNET_PUBLISHER: Final[LocalAccount] = Account.from_key(keccak(text="everstock devnet publisher"))

_INT64_MAX: Final = 2**63 - 1


@dataclass(frozen=True)
class PriceUpdate:
    """One price message. `id` is 0x-hex of 32 bytes; prices and confidences in units of 10**expo."""

    id: str
    price: int
    conf: int
    publish_time: int
    prev_publish_time: int
    ema_price: int
    ema_conf: int
    expo: int = EXPO

    def encode(self) -> bytes:
        """The 85 bytes that are signed. Raises `OverflowError` where a field does not fit."""
        return b"".join(
            (
                b"\0",
                bytes.fromhex(self.id.removeprefix("0x")),
                self.price.to_bytes(8, "big", signed=True),
                self.conf.to_bytes(8, "big"),
                self.expo.to_bytes(4, "big", signed=True),
                self.publish_time.to_bytes(8, "big"),
                self.prev_publish_time.to_bytes(8, "big"),
                self.ema_price.to_bytes(8, "big", signed=True),
                self.ema_conf.to_bytes(8, "big"),
            )
        )


@dataclass(frozen=True)
class Batch:
    """Everything signed under one root, from which a blob with any of its updates can be cut."""

    slot: int
    updates: tuple[PriceUpdate, ...]
    vaa: bytes
    proofs: tuple[bytes, ...]

    def blob(self, ids: Sequence[str] | None = None) -> bytes:
        """The signed update with the feeds `ids`, all by default. Raises `KeyError` for a feed not in it."""
        index = {update.id: i for i, update in enumerate(self.updates)}
        chosen = range(len(self.updates)) if ids is None else [index[id_] for id_ in ids]
        header = b"PNAU" + bytes((1, 0, 0, 0)) + len(self.vaa).to_bytes(2, "big") + self.vaa
        messages = b"".join(
            len(message).to_bytes(2, "big") + message + self.proofs[i]
            for i in chosen
            for message in (self.updates[i].encode(),)
        )
        return header + bytes((len(chosen),)) + messages


def sign(
    updates: Sequence[PriceUpdate],
    *,
    slot: int = 0,
    key: LocalAccount = DEVNET_PUBLISHER,
    emitter: bytes = EMITTER,
    emitter_chain: int = EMITTER_CHAIN,
) -> Batch:
    """Sign `updates`, whatever they say, as the updates of `slot`. Raises `ValueError` if there are none."""
    if not updates:
        raise ValueError("there is nothing to sign")
    root, proofs = _merkle([update.encode() for update in updates])
    payload = b"AUWV" + b"\0" + slot.to_bytes(8, "big") + (10_000).to_bytes(4, "big") + root
    body = b"".join(
        (
            max(update.publish_time for update in updates).to_bytes(8, "big")[-4:],
            bytes(4),
            emitter_chain.to_bytes(2, "big"),
            emitter,
            slot.to_bytes(8, "big"),
            b"\1",
            payload,
        )
    )
    signature = PrivateKey(key.key).sign_msg_hash(keccak(keccak(body))).to_bytes()
    vaa = bytes((1,)) + bytes(4) + bytes((1, 0)) + signature + body
    return Batch(slot, tuple(updates), vaa, tuple(proofs))


def cut(selection: Sequence[tuple[Batch, PriceUpdate]]) -> list[bytes]:
    """Signed updates that hold just the selected messages, one for each batch among them."""
    by_slot: dict[int, tuple[Batch, list[str]]] = {}
    for batch, update in selection:
        by_slot.setdefault(batch.slot, (batch, []))[1].append(update.id)
    return [batch.blob(ids) for batch, ids in by_slot.values()]


class PricePublisher:
    """Signs prices as they come and remembers them, as Pyth and Hermes together do. Safe for threads."""

    def __init__(self, key: LocalAccount = DEVNET_PUBLISHER) -> None:
        self._key = key
        self._lock = threading.Lock()
        self._slot = 0
        # Per feed, in the order of publishing: times, and the batch of each.
        self._times: dict[str, list[int]] = {}
        self._batches: dict[str, list[Batch]] = {}

    @property
    def address(self) -> str:
        """The address whose signature this is."""
        return self._key.address

    @property
    def ids(self) -> list[str]:
        """The feeds published so far."""
        with self._lock:
            return list(self._times)

    def publish(self, prices: Mapping[str, int], publish_time: int, conf: Mapping[str, int] | None = None) -> bytes:
        """Publish `prices` by feed id, in one blob, and return it.

        Prices and `conf` (by default `CONFIDENCE_BP` of the price) are integers with 8 decimals. Each message carries
        the time of the feed's last one as prev_publish_time, 0 at first. Raises `ValueError` for a price that is not
        positive or too large, and for a time before the feed's last.
        """
        with self._lock:
            updates = [
                self._next(id_.lower(), price, publish_time, None if conf is None else conf.get(id_))
                for id_, price in prices.items()
            ]
            self._slot += 1
            batch = sign(updates, slot=self._slot, key=self._key)
            for update in updates:
                self._times.setdefault(update.id, []).append(publish_time)
                self._batches.setdefault(update.id, []).append(batch)
        return batch.blob()

    def latest(self, id_: str) -> PriceUpdate | None:
        """The feed's last update, if it has one."""
        batch = self.latest_batch(id_)
        return None if batch is None else _of(batch, id_.lower())

    def latest_batch(self, id_: str) -> Batch | None:
        """The batch of the feed's last update, if it has one."""
        with self._lock:
            batches = self._batches.get(id_.lower())
            return batches[-1] if batches else None

    def first_batch_from(self, id_: str, publish_time: int) -> Batch | None:
        """The batch of the feed's first update at or after `publish_time`, if there is one yet."""
        with self._lock:
            times = self._times.get(id_.lower(), [])
            position = bisect_left(times, publish_time)
            return self._batches[id_.lower()][position] if position < len(times) else None

    def select(self, ids: Sequence[str], publish_time: int | None = None) -> list[tuple[Batch, PriceUpdate]]:
        """Of each feed its latest update, or its first at or after `publish_time`, with the batch it is in.

        Raises `KeyError` with the ids that have none.
        """
        found, missing = [], []
        for id_ in map(str.lower, ids):
            batch = self.latest_batch(id_) if publish_time is None else self.first_batch_from(id_, publish_time)
            if batch is None:
                missing.append(id_)
            else:
                found.append((batch, _of(batch, id_)))
        if missing:
            raise KeyError(*missing)
        return found

    def blobs(self, ids: Sequence[str], publish_time: int | None = None) -> list[bytes]:
        """What `select` finds, as signed updates: one per slot. Raises `KeyError` with the ids that have none."""
        return cut(self.select(ids, publish_time))

    def _next(self, id_: str, price: int, publish_time: int, conf: int | None) -> PriceUpdate:
        if not 0 < price <= _INT64_MAX:
            raise ValueError(f"price {price} is not a positive int64")
        batches = self._batches.get(id_)
        last = _of(batches[-1], id_) if batches else None
        conf = max(1, price * CONFIDENCE_BP // 10_000) if conf is None else conf
        if last is None:
            return PriceUpdate(id_, price, conf, publish_time, 0, price, conf)
        if publish_time < last.publish_time:
            raise ValueError(f"time {publish_time} is before the last update, {last.publish_time}")
        weight = min(publish_time - last.publish_time, EMA_SECONDS)
        return PriceUpdate(
            id_,
            price,
            conf,
            publish_time,
            last.publish_time,
            last.ema_price + (price - last.ema_price) * weight // EMA_SECONDS,
            last.ema_conf + (conf - last.ema_conf) * weight // EMA_SECONDS,
        )


# Hostile updates, each made of one that would do. What they must meet is said by each.


def forged(update: PriceUpdate) -> bytes:
    """Signed by somebody else: InvalidWormholeVaa."""
    return sign([update], key=Account.from_key(keccak(text="somebody else"))).blob()


def tampered(update: PriceUpdate) -> bytes:
    """Changed after it was signed: InvalidUpdateData."""
    batch = sign([update])
    return replace(batch, updates=(replace(update, price=update.price + 1),)).blob()


def elsewhere(update: PriceUpdate) -> bytes:
    """Signed rightly, of a source that is not Pyth's: InvalidUpdateDataSource."""
    return sign([update], emitter=keccak(text="elsewhere")).blob()


def truncated(update: PriceUpdate) -> bytes:
    """Its last byte is missing: InvalidUpdateData."""
    return sign([update]).blob()[:-1]


def negative(update: PriceUpdate) -> bytes:
    """A validly signed price below zero, which Pyth takes and a consumer must not."""
    return sign([replace(update, price=-abs(update.price))]).blob()


def zero(update: PriceUpdate) -> bytes:
    """A validly signed price of zero, which Pyth takes and a consumer must not."""
    return sign([replace(update, price=0)]).blob()


def uncertain(update: PriceUpdate, basis_points: int = 500) -> bytes:
    """A validly signed price whose confidence is `basis_points` of it."""
    return sign([replace(update, conf=abs(update.price) * basis_points // 10_000)]).blob()


def shifted(update: PriceUpdate, seconds: int) -> bytes:
    """The same price published `seconds` later, so from the future, or earlier if negative."""
    return sign([replace(update, publish_time=update.publish_time + seconds)]).blob()


def not_first(update: PriceUpdate) -> bytes:
    """One that another of the same second went before."""
    return sign([replace(update, prev_publish_time=update.publish_time)]).blob()


def _of(batch: Batch, id_: str) -> PriceUpdate:
    return next(update for update in batch.updates if update.id == id_)


def _merkle(messages: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """Root and encoded proofs (depth, then siblings from the leaf up) over messages, padded to a power of two."""
    depth = (len(messages) - 1).bit_length()
    leaves = [_digest(b"\0" + message) for message in messages]
    level = leaves + [_digest(b"\2")] * (2**depth - len(leaves))
    levels = [level]
    while len(level) > 1:
        level = [_digest(b"\1" + b"".join(sorted(level[i : i + 2]))) for i in range(0, len(level), 2)]
        levels.append(level)
    proofs = [
        bytes((depth,)) + b"".join(levels[height][(i >> height) ^ 1] for height in range(depth))
        for i in range(len(messages))
    ]
    return level[0], proofs


def _digest(data: bytes) -> bytes:
    return keccak(data)[:20]
