"""The listing of one market, and what became of its series."""

from dataclasses import dataclass
from typing import Any, Final

from everstock.chain.in_process import Protocol, events, price

BTC, ETH = 0, 1
HOUR: Final = 3_600
NOTICE_DELAY: Final = 61
NOTICE_PERIOD: Final = 3 * 86_400
FROZEN: Final = 1
MAX_SERIES: Final = 16


@dataclass
class Listing:
    """SeriesListing with strikes in USD; unknown attributes are the contract's."""

    protocol: Protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self.protocol.series_listing, name)

    def add(self, usd: float, underlying: int = BTC, is_put: bool = False, by: str | None = None) -> int:
        """List a series; returns its id."""
        return self.protocol.series_listing.list_series(
            underlying, price(usd), is_put, sender=by or self.protocol.operator
        )

    def events(self, name: str) -> list[Any]:
        """Of the last call."""
        return events(self.protocol.series_listing, name)

    def active(self, underlying: int = BTC) -> list[int]:
        """The active ids, in their order in the word, which has no gaps."""
        word = self.protocol.risk_book.market_words().active[underlying]
        ids = [word >> 16 * place & 0xFFFF for place in range(MAX_SERIES)]
        count = sum(id_ != 0 for id_ in ids)
        assert not any(ids[count:])
        return ids[:count]

    def notice(self, id_: int) -> int:
        """0, the time from when on a notice binds, or FROZEN."""
        return self.protocol.risk_book.series_words(id_)[2] >> 224

    def units(self, id_: int) -> tuple[int, int]:
        """Of the longs and of the shorts."""
        size = self.protocol.risk_book.series_words(id_)[2]
        return size & 2**112 - 1, size >> 112 & 2**112 - 1

    def forget(self, id_: int, underlying: str = "BTC", usd: float = 0) -> None:
        """Put a series on notice at a price far from its strike, wait the notice out there and retire it."""
        self.protocol.set_prices(after=60, **{underlying: usd})
        self.protocol.series_listing.give_notice(id_)
        self.protocol.set_prices(after=NOTICE_DELAY + NOTICE_PERIOD)
        self.protocol.series_listing.retire(id_)
