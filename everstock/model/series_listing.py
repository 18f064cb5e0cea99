"""What may be listed, and for how long. All actions may raise `Revert`."""

from dataclasses import dataclass
from typing import Final

from everstock.model import everlasting
from everstock.model.constants import (
    HOUR,
    MAX_OPEN_MONEYNESS,
    MAX_SERIES,
    MIN_OPEN_MONEYNESS,
    NOTICE_DELAY,
    NOTICE_PERIOD,
    TRADE_MAX_AGE,
    WAD,
)
from everstock.model.reverts import require
from everstock.model.risk_book import RiskBook
from everstock.model.series_book import FROZEN, OPEN, Series

# Moneyness at which a strike may be listed, times 12: from 3/4 to 4/3.
MIN_LISTED: Final = 9 * WAD
MAX_LISTED: Final = 16 * WAD
MAX_STRIKE: Final = 2**56
MAX_COUNT: Final = 2**16 - 1


@dataclass
class SeriesListing:
    """The policy around a risk book's list of series. Strikes in USD with 8 decimals."""

    risk: RiskBook

    def list_series(self, underlying: int, strike: int, is_put: bool) -> int:
        """Anyone lists a strike of two significant digits near the index; returns its id."""
        ids = self.risk.underlyings
        known = underlying == 0 or (underlying == 1 and ids[0] != ids[1])
        require(known, "series_listing: unknown underlying")
        require(0 < strike < MAX_STRIKE, "series_listing: strike out of range")
        digits = str(strike).rstrip("0")
        require(len(digits) <= 2, "series_listing: strike of more than two digits")
        moneyness = self._moneyness(underlying, strike)
        word = self.risk.oracle.stored(ids[underlying])
        require(word.fast != 0 or word.slow != 0, "series_listing: no variance")
        near = MIN_LISTED <= 12 * moneyness <= MAX_LISTED
        require(near, "series_listing: strike too far from index")
        active = self.risk.book.active[underlying]
        has_room = len(active) < MAX_SERIES and self.risk.book.count < MAX_COUNT
        require(has_room, "series_listing: no room")
        for other in (self.risk.book.series[id_] for id_ in active):
            differs = other.strike != strike or other.is_put != is_put
            require(differs, "series_listing: already listed")
        return self.risk.add_series(underlying, strike, is_put)

    def delist(self, id_: int) -> None:
        """Take a series without units off the list once its notice binds."""
        s = self._active(id_)
        require(s.notice != OPEN, "series_listing: not on notice")
        require(self.risk.now >= s.notice, "series_listing: notice not yet binding")
        require(not s.is_held, "series_listing: series has units")
        self.risk.set_notice(id_, FROZEN)

    def give_notice(self, id_: int) -> None:
        """Make a series close-only once no order of now lives: moneyness outside [1/2, 2], or no units and an hour unused."""
        s = self._active(id_)
        require(s.notice == OPEN, "series_listing: already on notice")
        if s.is_held:
            require(self._is_far(s), "series_listing: moneyness within bounds")
        else:
            is_idle = self.risk.now >= s.time + HOUR
            require(is_idle or self._is_far(s), "series_listing: used within the hour")
        self.risk.set_notice(id_, self.risk.now + NOTICE_DELAY)

    def lift_notice(self, id_: int) -> None:
        """Open a series on notice that is held and whose moneyness is inside."""
        s = self._active(id_)
        require(s.notice != OPEN, "series_listing: not on notice")
        require(s.is_held, "series_listing: series has no units")
        require(not self._is_far(s), "series_listing: moneyness out of bounds")
        self.risk.set_notice(id_, OPEN)

    def retire(self, id_: int) -> None:
        """Freeze a series that is still outside three days after its notice became binding."""
        s = self._active(id_)
        require(s.notice != OPEN, "series_listing: not on notice")
        require(self.risk.now >= s.notice + NOTICE_PERIOD, "series_listing: notice period")
        require(self._is_far(s), "series_listing: moneyness within bounds")
        self.risk.set_notice(id_, FROZEN)

    def _active(self, id_: int) -> Series:
        """A series as of its last touch, if it is active."""
        s = self.risk.book.series.get(id_)
        require(s is not None and s.notice != FROZEN, "series_listing: not active")
        return s

    def _is_far(self, s: Series) -> bool:
        return not MIN_OPEN_MONEYNESS <= self._moneyness(s.underlying, s.strike) <= MAX_OPEN_MONEYNESS

    def _moneyness(self, underlying: int, strike: int) -> int:
        """Moneyness at a price not older than a minute, a wad."""
        (word,) = self.risk.oracle.words([self.risk.underlyings[underlying]], TRADE_MAX_AGE)
        return everlasting.moneyness(word.price, strike)
