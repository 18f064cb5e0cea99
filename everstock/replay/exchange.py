"""Bars from a public exchange, fetched through ccxt once and kept in a cache folder.

Several exchanges are asked in turn; both indexes of an episode come from the same one. Nothing needs an account.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ccxt

from everstock.replay.bars import Bars, PriceError, blamed_on, read_csv, write_csv

# Seconds: of one request, of finding out which exchanges can be reached at all, and of everything asked of one of them.
REQUEST_SECONDS: Final = 8
REACH_SECONDS: Final = 3
EXCHANGE_SECONDS: Final = 60
# Asked for at once; each exchange answers with what it likes to, at most.
PAGE: Final = 300


@dataclass(frozen=True)
class Venue:
    """An exchange by its name in ccxt, the host that answers, what its prices are quoted in, and ccxt's options."""

    id: str
    host: str
    quote: str
    options: Mapping[str, Any]


# In the order they are asked. All of them hand out years-old candles.
VENUES: Final = (
    Venue("binance", "api.binance.com", "USDT", {"fetchMarkets": {"types": ["spot"]}}),
    Venue("bitstamp", "www.bitstamp.net", "USD", {}),
    Venue("coinbaseexchange", "api.exchange.coinbase.com", "USD", {}),
    Venue("bitfinex", "api-pub.bitfinex.com", "USD", {}),
    Venue("okx", "www.okx.com", "USDT", {}),
)


class UnreachableError(PriceError):
    """No exchange gave the prices."""


def connect(venue: Venue) -> Any:
    """A ccxt client of `venue`."""
    return getattr(ccxt, venue.id)(
        {"timeout": REQUEST_SECONDS * 1_000, "enableRateLimit": True, "options": dict(venue.options)}
    )


def reachable(venues: Iterable[Venue], seconds: float = REACH_SECONDS) -> list[Venue]:
    """Those of `venues` that take a connection, found out at once and within `seconds`."""
    found: set[str] = set()

    def knock(venue: Venue) -> None:
        try:
            socket.create_connection((venue.host, 443), timeout=seconds).close()
        except OSError:
            return
        found.add(venue.id)

    # Daemons, for a name server that does not answer cannot be waited for with a timeout.
    venues = list(venues)
    threads = [threading.Thread(target=knock, args=(venue,), daemon=True) for venue in venues]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [venue for venue in venues if venue.id in found]


def downloaded(
    name: str,
    underlyings: Iterable[str],
    start: int,
    end: int,
    timeframe: str,
    cache: Path,
    *,
    venues: Iterable[Venue] = VENUES,
    connect: Callable[[Venue], Any] = connect,
    reachable: Callable[[Iterable[Venue]], list[Venue]] = reachable,
) -> tuple[dict[str, Bars], str]:
    """Bars of each of `underlyings` over [start, end], and the exchange they are from.

    They are kept in `cache`, a folder, under `name`, and the exchange is not asked again. Raises `UnreachableError`
    with what each exchange said.
    """
    underlyings = list(underlyings)
    venues = list(venues)
    for venue in venues:
        folder = cache / name / venue.id
        if all((folder / f"{underlying}.csv").is_file() for underlying in underlyings):
            return {underlying: read_csv(folder / f"{underlying}.csv") for underlying in underlyings}, venue.id
    asked = reachable(venues)
    if not asked:
        hosts = ", ".join(venue.host for venue in venues)
        raise UnreachableError(f"no exchange can be reached ({hosts}): is there a network?")
    complaints = []
    for venue in asked:
        try:
            client = connect(venue)
            bars = {name: _fetched(client, venue, name, start, end, timeframe) for name in underlyings}
        except (ccxt.BaseError, PriceError) as error:
            complaints.append(f"{venue.id}: {_first_line(error)}")
            continue
        for underlying, series in bars.items():
            write_csv(cache / name / venue.id / f"{underlying}.csv", series)
        return bars, venue.id
    raise UnreachableError(f"no exchange has these prices: {'; '.join(complaints)}")


def _fetched(client: Any, venue: Venue, underlying: str, start: int, end: int, timeframe: str) -> Bars:
    seconds = client.parse_timeframe(timeframe)
    symbol = f"{underlying}/{venue.quote}"
    rows: dict[int, list[float]] = {}
    since = start
    deadline = time.monotonic() + EXCHANGE_SECONDS
    while since < end:
        if time.monotonic() > deadline:
            raise PriceError(f"{symbol} took longer than {EXCHANGE_SECONDS} seconds")
        page = client.fetch_ohlcv(symbol, timeframe, since=since * 1_000, limit=PAGE)
        fresh = [row for row in page if since * 1_000 <= row[0] < end * 1_000]
        if not fresh:
            break
        rows |= {int(row[0]) // 1_000: [float(number) for number in row[1:5]] for row in fresh}
        since = max(rows) + seconds
    with blamed_on(symbol):
        bars = Bars.of(([time_, *rows[time_]] for time_ in sorted(rows)), seconds)
        return bars.window(start, end)


def _first_line(error: Exception) -> str:
    """The beginning of what an error says: ccxt may append a whole page."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:200]
