"""Which source a replay takes its prices from, and what it says of it."""

import pytest

from everstock.replay import daily, exchange, sources
from everstock.replay.bars import Bars, PriceError, write_csv
from everstock.replay.episodes import DEFAULT, EPISODES, Episode
from everstock.replay.sources import Source

START = 1_599_998_400  # a multiple of 1,800
END = START + 102 * 300
EPISODE = Episode("made-up", "Made up", "Nothing.", START, END, {"BTC": ("b.csv", "b30.csv"), "ETH": ("e.csv",)})


def bars(count=102, seconds=300, start=START):
    return Bars.of([(start + i * seconds, 100, 101, 99, 100) for i in range(count)], seconds)


def no_exchange(*arguments):
    raise exchange.UnreachableError("no exchange can be reached")


def an_exchange(*arguments):
    return {"BTC": bars(), "ETH": bars()}, "first"


@pytest.fixture
def folder(tmp_path):
    write_csv(tmp_path / "b.csv", bars(50))
    write_csv(tmp_path / "b30.csv", bars(20, 1_800))
    write_csv(tmp_path / "e.csv", bars())
    return tmp_path


def test_of_episode__the_folder_goes_first(folder):
    replay = sources.of_episode(EPISODE, folders=[folder], download=an_exchange)
    assert replay.source == "files of the data folder: b, b30, e"
    assert (replay.start, replay.end) == (START, START + 17 * 1_800)


def test_of_episode__no_folder_has_all_files__the_exchange_is_asked(folder):
    (folder / "e.csv").unlink()
    replay = sources.of_episode(EPISODE, folders=[folder], download=an_exchange)
    assert replay.source == "first, 5m candles through ccxt"


def test_of_episode__nothing_has_them__every_reason_is_said(folder):
    (folder / "e.csv").unlink()
    with pytest.raises(
        PriceError, match="has no e.csv; no exchange can be reached; there are no published daily"
    ) as caught:
        sources.of_episode(EPISODE, folders=[folder], download=no_exchange)
    assert "EVERSTOCK_DATA" in str(caught.value)


def test_of_episode__no_folder_and_no_network__daily_figures_called_by_that_name():
    said = []
    replay = sources.of_episode(EPISODES[DEFAULT], folders=[], download=no_exchange, say=said.append)
    assert replay.source == "published daily figures with a seeded bridge"
    assert "no data folder" in said[0] and said[1] == "no exchange can be reached"
    assert replay.series["BTC"].low.min() == daily.FIGURES["BTC"]["2020-03-13"][2]


def test_of_episode__a_source_asked_for_by_name__is_the_only_one(folder):
    with pytest.raises(PriceError, match="no exchange can be reached"):
        sources.of_episode(EPISODE, source=Source.EXCHANGE, folders=[folder], download=no_exchange)
    replay = sources.of_episode(EPISODES[DEFAULT], source=Source.DAILY, folders=[folder], download=an_exchange)
    assert replay.source == daily.SOURCE


def test_of_episode__a_broken_file__is_no_reason_to_look_elsewhere(folder):
    (folder / "e.csv").write_text("timestamp,open,high,low,close\n1,2,3\n")
    with pytest.raises(PriceError, match="e.csv, line 2: not numbers"):
        sources.of_episode(EPISODE, folders=[folder], download=an_exchange)


def test_data_folders__the_named_one_first(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "NEIGHBOUR", tmp_path)
    monkeypatch.delenv(sources.DATA_VARIABLE, raising=False)
    assert sources.data_folders() == [tmp_path]
    named = tmp_path / "named"
    monkeypatch.setenv(sources.DATA_VARIABLE, str(named))
    with pytest.raises(PriceError, match="is no folder"):
        sources.data_folders()
    named.mkdir()
    assert sources.data_folders() == [named, tmp_path]


def test_from_files__one_of_each_by_name(tmp_path):
    write_csv(tmp_path / "XBTUSD.csv", bars())
    write_csv(tmp_path / "ethusd.csv", bars(102, start=START + 6_000))
    replay = sources.from_files([tmp_path / "ethusd.csv", tmp_path / "XBTUSD.csv"])
    assert (replay.start, replay.end) == (START + 6_000, END)
    assert replay.source == "files: ethusd.csv, XBTUSD.csv"


def test_from_files__what_is_missing_twice_or_nameless__is_said(tmp_path):
    for name in ("BTC.csv", "BTC-2.csv", "prices.csv", "BTCETH.csv"):
        write_csv(tmp_path / name, bars())
    for names, complaint in (
        (["BTC.csv", "BTC-2.csv"], "are both BTC"),
        (["BTC.csv"], "there is no file of ETH"),
        (["BTC.csv", "prices.csv"], "its name must say"),
        (["BTC.csv", "BTCETH.csv"], "its name must say"),
    ):
        with pytest.raises(PriceError, match=complaint):
            sources.from_files([tmp_path / name for name in names])


def test_from_files__no_overlap__is_said(tmp_path):
    write_csv(tmp_path / "BTC.csv", bars())
    write_csv(tmp_path / "ETH.csv", bars(start=END + 300))
    with pytest.raises(PriceError, match="do not overlap"):
        sources.from_files([tmp_path / "BTC.csv", tmp_path / "ETH.csv"])


@pytest.mark.parametrize("episode", EPISODES.values(), ids=lambda episode: episode.name)
def test_episodes__begin_and_end_on_whole_hours(episode):
    assert episode.start % 3_600 == episode.end % 3_600 == 0
    assert 12 * 3_600 <= episode.end - episode.start <= 3 * 86_400
    assert set(episode.files) == set(sources.UNDERLYINGS)
