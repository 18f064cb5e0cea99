"""Fetching bars from an exchange: paged, from the first that has them, once."""

import ccxt
import pytest

from everstock.replay import exchange
from everstock.replay.exchange import UnreachableError, Venue

START = 1_600_000_200
END = START + 1_000 * 300
FIRST = Venue("first", "first.invalid", "USDT", {})
SECOND = Venue("second", "second.invalid", "USD", {})


class FakeExchange:
    """Candles of BTC and ETH from `since` on, `page` at most, as ccxt gives them."""

    def __init__(self, page=200, since=START, error=None):
        self.page, self.since, self.error, self.asked = page, since, error, []

    def parse_timeframe(self, timeframe):
        return {"5m": 300}[timeframe]

    def fetch_ohlcv(self, symbol, timeframe, since, limit):
        self.asked.append((symbol, since))
        if self.error:
            raise self.error
        first = max(since // 1_000, self.since)
        times = range(first + -first % 300, END + 3_000, 300)
        price = 100.0 if symbol.startswith("BTC") else 4.0
        return [[time * 1_000, price, price + 1, price - 1, price, 12.5] for time in times][: min(limit, self.page)]


def fetch(tmp_path, clients, venues=(FIRST, SECOND), reachable=list):
    return exchange.downloaded(
        "episode",
        ["BTC", "ETH"],
        START,
        END,
        "5m",
        tmp_path,
        venues=venues,
        connect=lambda venue: clients[venue.id],
        reachable=reachable,
    )


def test_downloaded__pages_are_put_together(tmp_path):
    client = FakeExchange(page=200)
    series, venue = fetch(tmp_path, {"first": client})
    assert venue == "first"
    assert {name: (bars.first, bars.last, len(bars)) for name, bars in series.items()} == {
        "BTC": (START, END, 1_000),
        "ETH": (START, END, 1_000),
    }
    assert client.asked[:2] == [("BTC/USDT", START * 1_000), ("BTC/USDT", (START + 200 * 300) * 1_000)]
    assert len(client.asked) == 10


def test_downloaded__the_second_time__nobody_is_asked(tmp_path):
    first, _ = fetch(tmp_path, {"first": FakeExchange()})
    again, venue = fetch(tmp_path, {}, reachable=lambda venues: pytest.fail("asked again"))
    assert venue == "first"
    assert again["ETH"].close.tolist() == first["ETH"].close.tolist()


def test_downloaded__one_that_fails_or_lacks_them__the_next_is_asked(tmp_path):
    for failing in (FakeExchange(error=ccxt.NetworkError("down")), FakeExchange(since=START + 10_000)):
        _, venue = fetch(tmp_path / str(id(failing)), {"first": failing, "second": FakeExchange()})
        assert venue == "second"


def test_downloaded__none_has_them__each_ones_words_are_said(tmp_path):
    clients = {"first": FakeExchange(error=ccxt.BadSymbol("no such\npage")), "second": FakeExchange(since=END + 1)}
    with pytest.raises(UnreachableError, match="first: no such; second: BTC/USD: there are no prices"):
        fetch(tmp_path, clients)
    assert not list(tmp_path.iterdir())


def test_downloaded__no_network__is_said(tmp_path):
    with pytest.raises(UnreachableError, match="first.invalid, second.invalid.*is there a network"):
        fetch(tmp_path, {}, reachable=lambda venues: [])


def test_reachable__a_host_that_is_none__is_not(tmp_path):
    assert exchange.reachable([FIRST, SECOND], seconds=2) == []


@pytest.mark.parametrize("venue", exchange.VENUES, ids=lambda venue: venue.id)
def test_venues__ccxt_knows_them_and_they_have_the_candles_wanted(venue):
    client = exchange.connect(venue)
    assert client.has["fetchOHLCV"]
    assert {"5m", "1h"} <= set(client.timeframes)
    assert client.timeout == exchange.REQUEST_SECONDS * 1_000
