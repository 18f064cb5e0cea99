"""The episodes that have a name: when they were, what happened, and which files of a data folder hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final


def _utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Episode:
    """A stretch of past prices, Unix seconds. `files` are those of each underlying, a finer one before a coarser."""

    name: str
    title: str
    story: str
    start: int
    end: int
    files: Mapping[str, tuple[str, ...]]
    timeframe: str = "5m"  # of bars fetched from an exchange


DEFAULT: Final = "covid-2020"

EPISODES: Final[Mapping[str, Episode]] = {
    episode.name: episode
    for episode in (
        Episode(
            name="covid-2020",
            title="Covid, 12 March 2020",
            story="As markets everywhere fell, bitcoin lost half of its value and ether more in a day and a half, "
            "in two legs: before noon on 12 March and in the following night.",
            start=_utc("2020-03-11 12:00"),
            end=_utc("2020-03-13 06:00"),
            files={
                "BTC": ("BTCUSDT_2020-03-12_covid_binance_5m.csv", "BTCUSDT_2020-03-12_covid_binance_30m.csv"),
                "ETH": ("ETHUSDT_2020-03-12_covid_binance_5m.csv", "ETHUSDT_2020-03-12_covid_binance_30m.csv"),
            },
        ),
        Episode(
            name="2024-08-05",
            title="Carry unwind, 5 August 2024",
            story="A rate rise in Japan ended years of borrowing in yen; in the Asian morning of 5 August ether fell "
            "by a fifth within hours.",
            start=_utc("2024-08-04 12:00"),
            end=_utc("2024-08-05 18:00"),
            files={"BTC": ("BTCUSDT_2024-08-05_binance_1m.csv",), "ETH": ("ETHUSDT_2024-08-05_binance_1m.csv",)},
        ),
        Episode(
            name="2025-10-10",
            title="Tariff crash, 10 October 2025",
            story="An announcement of tariffs set off the largest day of liquidations so far: minutes of free fall "
            "around 21:15 UTC.",
            start=_utc("2025-10-10 00:00"),
            end=_utc("2025-10-11 04:00"),
            files={"BTC": ("BTCUSDT_2025-10-10_binance_5m.csv",), "ETH": ("ETHUSDT_2025-10-10_binance_5m.csv",)},
        ),
        Episode(
            name="2025-10-10-minutes",
            title="Tariff crash by the minute, 10 October 2025",
            story="The same day at a venue for dollars, Gemini, minute by minute; it fell less far there.",
            start=_utc("2025-10-10 00:00"),
            end=_utc("2025-10-11 00:00"),
            files={"BTC": ("BTCUSD_2025-10-10_gemini_1m.csv",), "ETH": ("ETHUSD_2025-10-10_gemini_1m.csv",)},
            timeframe="1m",
        ),
        Episode(
            name="2017-03-10",
            title="ETF rejection, 10 March 2017",
            story="The first bitcoin ETF was refused; bitcoin fell from above 1,300 to below 1,000 dollars within "
            "the day.",
            start=_utc("2017-03-10 00:00"),
            end=_utc("2017-03-11 12:00"),
            files={
                "BTC": ("BTCUSD_2017-03-10_etf-rejection_kraken_1h.csv",),
                "ETH": ("ETHUSD_2017-03-10_etf-rejection_kraken_1h.csv",),
            },
            timeframe="1h",
        ),
        Episode(
            name="calm-2025-07",
            title="Calm, July 2025",
            story="Two days on which nothing much happened, to see what the mechanism costs when nobody needs it.",
            start=_utc("2025-07-01 00:00"),
            end=_utc("2025-07-02 12:00"),
            files={"BTC": ("BTCUSDT_calm-2025-07_binance_1m.csv",), "ETH": ("ETHUSDT_calm-2025-07_binance_1m.csv",)},
        ),
    )
}
