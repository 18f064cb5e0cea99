"""Prices and their guards. Pyth moves a price; Chainlink and the sequencer feed are asked when it is stored.

Pyth's signature and its fee belong to Pyth and are taken for granted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from everstock.model.constants import BASIS, TRADE_MAX_AGE
from everstock.model.integers import ceil_div
from everstock.model.reverts import require

PRICE_DECIMALS: Final = 8
SEQUENCER_GRACE: Final = 300
MIN_VARIANCE: Final = 10**6
MAX_VARIANCE: Final = 10**12


@dataclass
class Block:
    """The chain's clock, shared by all that stands on it."""

    timestamp: int  # Unix seconds


@dataclass(frozen=True)
class Word:
    """What the oracle keeps of one underlying."""

    price: int = 0  # USD, 8 decimals
    publish_time: int = 0
    fast: int = 0  # variances, per year in 1e-10
    slow: int = 0
    restricted: bool = False


@dataclass(frozen=True)
class Published:
    """A price as Pyth publishes it: price and confidence times 10^expo."""

    price: int
    conf: int
    expo: int
    publish_time: int
    previous_time: int = 0  # when the price before it was published


@dataclass
class Round:
    """The latest answer of an AggregatorV3: Chainlink's price (8 decimals), or 0 of a sequencer that is up."""

    answer: int
    started_at: int
    updated_at: int


@dataclass
class Feed:
    """What an underlying's price is checked against. Prices in USD with 8 decimals, gaps and confidence in 1e-5."""

    chainlink: Round
    chainlink_max_age: int
    min_price: int
    max_price: int
    max_confidence: int
    narrow_gap: int
    wide_gap: int


@dataclass
class PriceOracle:
    """The latest price of each underlying, by its id."""

    block: Block
    sequencer: Round
    feeds: dict[int, Feed] = field(default_factory=dict)
    word: dict[int, Word] = field(default_factory=dict)

    def update(self, published: Mapping[int, Published]) -> None:
        """Store prices that are newer than the stored ones. Raises `Revert`."""
        self.check_sequencer()
        self.check_known(published)
        for underlying, one in published.items():
            if one.publish_time > self.stored(underlying).publish_time:
                require(one.publish_time + TRADE_MAX_AGE >= self.block.timestamp, "price_oracle: stale price")
                self.take(underlying, one)

    def first_prices(self, published: Mapping[int, Published], min_time: int, max_time: int) -> dict[int, int]:
        """Check prices that must be the first published in a span, store the newer ones and return all. Raises `Revert`."""
        self.check_sequencer()
        self.check_known(published)
        for one in published.values():
            is_first = one.previous_time < min_time <= one.publish_time <= max_time
            require(is_first, "PriceFeedNotFoundWithinRange")
        return {underlying: self.take(underlying, one) for underlying, one in published.items()}

    def set_variances(self, underlying: int, fast: int, slow: int) -> None:
        """Write both variances of an underlying. Raises `Revert`."""
        for variance in (fast, slow):
            require(MIN_VARIANCE <= variance <= MAX_VARIANCE, "price_oracle: variance out of bounds")
        w = self.stored(underlying)
        self.word[underlying] = Word(w.price, w.publish_time, fast, slow, w.restricted)

    def words(self, underlyings: Sequence[int], max_age: int) -> list[Word]:
        """The words of a market's underlyings. Raises `Revert` if a price is older than `max_age` seconds."""
        words = [self.stored(underlying) for underlying in underlyings]
        oldest = min(w.publish_time for w in words)
        require(oldest != 0 and self.block.timestamp - oldest <= max_age, "price_oracle: stale price")
        return words

    def stored(self, underlying: int) -> Word:
        return self.word.get(underlying, Word())

    def take(self, underlying: int, published: Published) -> int:
        """Check a price against its feed, store it if it is newer than the stored one, and return it."""
        feed = self.feeds[underlying]
        require(published.price > 0, "price_oracle: price not positive")
        require(published.publish_time <= self.block.timestamp, "price_oracle: price from the future")
        certain = published.conf * BASIS <= published.price * feed.max_confidence
        require(certain, "price_oracle: price too uncertain")
        price = scaled(published.price, published.expo)
        require(feed.min_price <= price <= feed.max_price, "price_oracle: price out of band")
        gap = self.chainlink_gap(feed, price)
        require(gap <= feed.wide_gap, "price_oracle: too far from chainlink")
        w = self.stored(underlying)
        if published.publish_time > w.publish_time:
            self.word[underlying] = Word(price, published.publish_time, w.fast, w.slow, gap > feed.narrow_gap)
        return price

    def chainlink_gap(self, feed: Feed, price: int) -> int:
        """|price / Chainlink's - 1| in 1e-5, rounded up."""
        other = feed.chainlink.answer
        require(other > 0, "price_oracle: chainlink answer not positive")
        fresh = feed.chainlink.updated_at + feed.chainlink_max_age >= self.block.timestamp
        require(fresh, "price_oracle: chainlink too old")
        return ceil_div(abs(price - other) * BASIS, other)

    def check_sequencer(self) -> None:
        """Refuse prices while the sequencer is down and for a grace period after."""
        is_up = self.sequencer.answer == 0 and self.sequencer.started_at != 0
        require(is_up, "price_oracle: sequencer down")
        back = self.sequencer.started_at + SEQUENCER_GRACE
        require(self.block.timestamp >= back, "price_oracle: sequencer grace period")

    def check_known(self, published: Mapping[int, Published]) -> None:
        for underlying in published:
            require(underlying in self.feeds, "price_oracle: unknown underlying")


def scaled(raw: int, expo: int) -> int:
    """A price of Pyth's exponent with 8 decimals, rounded down; 0 where no sane price has that exponent."""
    if not -18 <= expo <= 0:
        return 0
    places = expo + PRICE_DECIMALS
    return raw * 10**places if places >= 0 else raw // 10**-places
