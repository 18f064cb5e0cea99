"""Prices and their guards. Pyth moves a price; Chainlink and the sequencer feed are asked when it is stored.

Pyth's signature and its fee belong to Pyth and are taken for granted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    """What an underlying's price is checked against. Prices in USD with 8 decimals, gaps and confidence in 1e-5.

    `chainlink` is its latest answer; None where there is no feed, and then neither age nor gaps are asked.
    """

    chainlink: Round | None
    chainlink_max_age: int
    min_price: int
    max_price: int
    max_confidence: int
    narrow_gap: int
    wide_gap: int


@dataclass(frozen=True)
class Status:
    """Every guard's verdict before anybody sends a transaction, field by field that of IPriceOracle."""

    refusal: str = ""
    price: int = 0
    publish_time: int = 0
    age: int = 0
    is_restricted: bool = False
    chainlink_price: int = 0
    chainlink_age: int = 0
    gap: int = 0
    grace_end: int = 0
    lowest: int = 0
    highest: int = 0
    lowest_free: int = 0
    highest_free: int = 0


@dataclass
class PriceOracle:
    """The latest price of each underlying, by its id. `appointed`: a volatility oracle writes variances, not the owner."""

    block: Block
    sequencer: Round
    appointed: bool = False
    feeds: dict[int, Feed] = field(default_factory=dict)
    word: dict[int, Word] = field(default_factory=dict)

    def update(self, published: Mapping[int, Published]) -> None:
        """Store prices that are newer than the stored ones. Raises `Revert`."""
        require_none(self.sequencer_refusal())
        self.check_known(published)
        for underlying, one in published.items():
            if one.publish_time > self.stored(underlying).publish_time:
                require(one.publish_time + TRADE_MAX_AGE >= self.block.timestamp, "price_oracle: stale price")
                self.take(underlying, one)

    def first_prices(self, published: Mapping[int, Published], min_time: int, max_time: int) -> dict[int, int]:
        """Check prices that must be the first published in a span, store the newer ones and return all. Raises `Revert`."""
        require_none(self.sequencer_refusal())
        self.check_known(published)
        for one in published.values():
            is_first = one.previous_time < min_time <= one.publish_time <= max_time
            require(is_first, "PriceFeedNotFoundWithinRange")
        return {underlying: self.take(underlying, one) for underlying, one in published.items()}

    def set_variances(self, underlying: int, fast: int, slow: int, by_volatility_oracle: bool = False) -> None:
        """Write both variances of an underlying, as the owner or as the volatility oracle. Raises `Revert`."""
        if self.appointed:
            require(by_volatility_oracle, "price_oracle: not the volatility oracle")
        else:
            require(not by_volatility_oracle, "ownable: caller is not the owner")
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
        gap = 0
        if feed.chainlink is not None:
            require_none(self.chainlink_refusal(feed, feed.chainlink))
            gap = gap_between(price, feed.chainlink.answer)
            require(gap <= feed.wide_gap, "price_oracle: too far from chainlink")
        w = self.stored(underlying)
        if published.publish_time > w.publish_time:
            self.word[underlying] = Word(price, published.publish_time, w.fast, w.slow, gap > feed.narrow_gap)
        return price

    def status(self, underlying: int) -> Status:
        """Every guard's verdict now."""
        w, feed = self.stored(underlying), self.feeds.get(underlying)
        status = Status(
            refusal=self.sequencer_refusal(),
            price=w.price,
            publish_time=w.publish_time,
            age=self.block.timestamp - w.publish_time,
            is_restricted=w.restricted,
            grace_end=self.sequencer.started_at + SEQUENCER_GRACE,
        )
        if feed is None:
            return replace(status, refusal="price_oracle: unknown underlying")
        low, high = feed.min_price, feed.max_price
        status = replace(status, lowest=low, highest=high, lowest_free=low, highest_free=high)
        chainlink = feed.chainlink
        if chainlink is None:
            return status
        status = replace(status, refusal=status.refusal or self.chainlink_refusal(feed, chainlink))
        answer = chainlink.answer
        if answer <= 0:
            return status
        wide, narrow = (answer * gap // BASIS for gap in (feed.wide_gap, feed.narrow_gap))
        return replace(
            status,
            chainlink_price=answer,
            chainlink_age=max(0, self.block.timestamp - chainlink.updated_at),
            gap=gap_between(w.price, answer),
            lowest=max(low, answer - wide),
            highest=min(high, answer + wide),
            lowest_free=max(low, answer - narrow),
            highest_free=min(high, answer + narrow),
        )

    def sequencer_refusal(self) -> str:
        """Why no price is taken: while the sequencer is down, and for a grace period after. Empty if it may be."""
        if self.sequencer.answer != 0 or self.sequencer.started_at == 0:
            return "price_oracle: sequencer down"
        if self.block.timestamp < self.sequencer.started_at + SEQUENCER_GRACE:
            return "price_oracle: sequencer grace period"
        return ""

    def chainlink_refusal(self, feed: Feed, chainlink: Round) -> str:
        """Why Chainlink bounds no price, and so none is taken. Empty if it does."""
        if chainlink.answer <= 0:
            return "price_oracle: chainlink answer not positive"
        if chainlink.updated_at + feed.chainlink_max_age < self.block.timestamp:
            return "price_oracle: chainlink too old"
        return ""

    def check_known(self, published: Mapping[int, Published]) -> None:
        for underlying in published:
            require(underlying in self.feeds, "price_oracle: unknown underlying")


def gap_between(price: int, answer: int) -> int:
    """|price / Chainlink's - 1| in 1e-5, rounded up."""
    return ceil_div(abs(price - answer) * BASIS, answer)


def require_none(refusal: str) -> None:
    """Revert with a refusal, unless it is empty."""
    require(not refusal, refusal)


def scaled(raw: int, expo: int) -> int:
    """A price of Pyth's exponent with 8 decimals, rounded down; 0 where no sane price has that exponent."""
    if not -18 <= expo <= 0:
        return 0
    places = expo + PRICE_DECIMALS
    return raw * 10**places if places >= 0 else raw // 10**-places
