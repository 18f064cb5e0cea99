# pragma version 0.4.3
# pragma optimize codesize
"""
@title SeriesListing
@license AGPL-3.0-only
@notice See interfaces/ISeriesListing.vyi.
@dev No state, no money, and nothing it calls calls back: it needs no lock.
"""

from interfaces import IPriceOracle
from interfaces import IRiskBook
from interfaces import ISeriesListing

from contracts.modules import constants as c
from contracts.modules import everlasting
from contracts.modules import series_book

implements: ISeriesListing

# Moneyness at which a strike may be listed, times 12: from 3/4 to 4/3.
MIN_LISTED: constant(uint256) = 9 * c.WAD
MAX_LISTED: constant(uint256) = 16 * c.WAD

RISK_BOOK: public(immutable(address))
ORACLE: public(immutable(address))


@deploy
def __init__(risk_book: address, oracle: address):
    RISK_BOOK = risk_book
    ORACLE = oracle


@external
def list_series(underlying: uint256, strike: uint256, is_put: bool) -> uint256:
    market: IRiskBook.MarketWords = staticcall IRiskBook(RISK_BOOK).market_words()
    known: bool = underlying == 0 or (underlying == 1 and market.underlyings[0] != market.underlyings[1])
    assert known, "series_listing: unknown underlying"
    assert 0 < strike and strike < 2**56, "series_listing: strike out of range"
    digits: uint256 = strike
    for _: uint256 in range(16):
        if digits < 100:
            break
        assert digits % 10 == 0, "series_listing: strike of more than two digits"
        digits //= 10
    word: uint256 = self._word(market, underlying)
    # Otherwise nobody would pay for the option but its carry.
    assert (word >> 96) & (2**80 - 1) != 0, "series_listing: no variance"
    moneyness: uint256 = everlasting._moneyness(word & (2**64 - 1), strike)
    assert 12 * moneyness >= MIN_LISTED and 12 * moneyness <= MAX_LISTED, "series_listing: strike too far from index"

    ids: uint256 = market.active[underlying]
    assert ids >> 240 == 0 and market.series_count < 2**16 - 1, "series_listing: no room"
    for _: uint256 in range(c.MAX_SERIES):
        if ids == 0:
            break
        other: series_book.Series = self._series(ids & (2**16 - 1))
        assert other.strike != strike or other.is_put != is_put, "series_listing: already listed"
        ids >>= 16
    id: uint256 = extcall IRiskBook(RISK_BOOK).add_series(underlying, strike, is_put)
    log ISeriesListing.Listed(series=id, lister=msg.sender)
    return id


@external
def delist(series: uint256):
    s: series_book.Series = self._active(series)
    assert s.notice != 0, "series_listing: not on notice"
    assert block.timestamp >= s.notice, "series_listing: notice not yet binding"
    # Nothing can be opened any more, so this stays true.
    assert s.long_units | s.short_units == 0, "series_listing: series has units"
    self._freeze(series)


@external
def give_notice(series: uint256):
    s: series_book.Series = self._active(series)
    assert s.notice == 0, "series_listing: already on notice"
    if s.long_units | s.short_units != 0:
        assert self._is_far(s), "series_listing: moneyness within bounds"
    else:
        idle: bool = block.timestamp >= s.time + c.HOUR
        assert idle or self._is_far(s), "series_listing: used within the hour"
    # Not at once: whoever sees the price of a live order could refuse it with a notice.
    extcall IRiskBook(RISK_BOOK).set_notice(series, block.timestamp + c.NOTICE_DELAY)


@external
def lift_notice(series: uint256):
    s: series_book.Series = self._active(series)
    assert s.notice != 0, "series_listing: not on notice"
    assert s.long_units | s.short_units != 0, "series_listing: series has no units"
    assert not self._is_far(s), "series_listing: moneyness out of bounds"
    extcall IRiskBook(RISK_BOOK).set_notice(series, 0)


@external
def retire(series: uint256):
    s: series_book.Series = self._active(series)
    assert s.notice != 0, "series_listing: not on notice"
    assert block.timestamp >= s.notice + c.NOTICE_PERIOD, "series_listing: notice period"
    assert self._is_far(s), "series_listing: moneyness within bounds"
    self._freeze(series)


@internal
def _freeze(series: uint256):
    extcall IRiskBook(RISK_BOOK).set_notice(series, series_book.FROZEN)
    s: series_book.Series = self._series(series)
    log ISeriesListing.Retired(series=series, price=s.price, long_gain=s.long_gain, short_gain=s.short_gain)


@internal
@view
def _series(series: uint256) -> series_book.Series:
    """
    @notice A series as of its last touch.
    """
    return series_book._decode(staticcall IRiskBook(RISK_BOOK).series_words(series))


@internal
@view
def _active(series: uint256) -> series_book.Series:
    """
    @notice The same, if it is active.
    """
    assert series < 2**16, "series_listing: not active"
    s: series_book.Series = self._series(series)
    assert s.strike != 0 and s.notice != series_book.FROZEN, "series_listing: not active"
    return s


@internal
@view
def _is_far(s: series_book.Series) -> bool:
    """
    @notice Whether moneyness is outside [1/2, 2].
    """
    market: IRiskBook.MarketWords = staticcall IRiskBook(RISK_BOOK).market_words()
    word: uint256 = self._word(market, s.underlying)
    moneyness: uint256 = everlasting._moneyness(word & (2**64 - 1), s.strike)
    return moneyness < c.MIN_OPEN_MONEYNESS or moneyness > c.MAX_OPEN_MONEYNESS


@internal
@view
def _word(market: IRiskBook.MarketWords, underlying: uint256) -> uint256:
    """
    @notice The oracle's word of an underlying, with a price not older than a minute.
    """
    oracle_id: uint256 = market.underlyings[underlying]
    word: uint256 = 0
    same: uint256 = 0
    word, same = staticcall IPriceOracle(ORACLE).words(oracle_id, oracle_id, c.TRADE_MAX_AGE)
    return word
