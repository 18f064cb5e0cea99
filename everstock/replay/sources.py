"""Where a replay's prices come from: files, a data folder, an exchange, or daily figures; the first that has them."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from everstock.replay import daily, exchange
from everstock.replay.bars import Bars, PriceError, blamed_on, clock, read_csv
from everstock.replay.episodes import Episode

ROOT: Final = Path(__file__).resolve().parents[2]
DATA_VARIABLE: Final = "EVERSTOCK_DATA"
NEIGHBOUR: Final = ROOT.parent / "shared" / "data"
CACHE: Final = ROOT / ".cache" / "prices"
UNDERLYINGS: Final = ("BTC", "ETH")

# What files of other people call bitcoin.
_ALIASES: Final = {"BTC": ("BTC", "XBT"), "ETH": ("ETH",)}


class Source(StrEnum):
    """Which source to take; `AUTO` is the first of the others that has the prices."""

    AUTO = "auto"
    FOLDER = "folder"
    EXCHANGE = "exchange"
    DAILY = "daily"


@dataclass(frozen=True)
class Replay:
    """Past prices of every underlying, and where they are from, in words."""

    name: str
    title: str
    story: str
    source: str
    series: Mapping[str, Bars]

    @property
    def start(self) -> int:
        """When all of its series have begun, Unix seconds."""
        return max(bars.first for bars in self.series.values())

    @property
    def end(self) -> int:
        """When the first of its series ends."""
        return min(bars.last for bars in self.series.values())


def from_files(paths: Iterable[Path]) -> Replay:
    """A replay of a person's own files, one of each underlying, told apart by their names.

    It lasts as long as all of them do. Raises `PriceError`.
    """
    found: dict[str, Path] = {}
    for path in paths:
        underlying = _underlying(path)
        if underlying in found:
            raise PriceError(f"{found[underlying]} and {path} are both {underlying}: one file of each is wanted")
        found[underlying] = path
    missing = [name for name in UNDERLYINGS if name not in found]
    if missing:
        raise PriceError(f"there is no file of {' and '.join(missing)}")
    return of_files(found)


def of_files(files: Mapping[str, Path]) -> Replay:
    """A replay of a person's own files by underlying, whatever their names. Raises `PriceError`."""
    series = {name: read_csv(files[name]) for name in UNDERLYINGS}
    start = max(bars.first for bars in series.values())
    end = min(bars.last for bars in series.values())
    if start >= end:
        spans = [f"{files[name]} {clock(bars.first)} to {clock(bars.last)}" for name, bars in series.items()]
        raise PriceError(f"the files do not overlap: {', '.join(spans)}")
    cut = {}
    for name, bars in series.items():
        with blamed_on(files[name]):
            cut[name] = bars.window(start, end)
    names = ", ".join(path.name for path in files.values())
    return Replay("own-files", "Own prices", f"Prices of {names}.", f"files: {names}", cut)


def of_episode(
    episode: Episode,
    *,
    source: Source = Source.AUTO,
    seed: int = 1,
    folders: Iterable[Path] | None = None,
    cache: Path = CACHE,
    download: Callable[..., tuple[dict[str, Bars], str]] = exchange.downloaded,
    say: Callable[[str], Any] = lambda line: None,
) -> Replay:
    """A replay of `episode` from the first source that has it, or from the one wanted.

    `folders` are looked into first (the one EVERSTOCK_DATA names, then ../shared/data); `seed` is the bridge's, `say`
    is told why a source was passed over. Raises `PriceError` if none has it.
    """

    def replay(words: str, series: Mapping[str, Bars]) -> Replay:
        cut = {name: bars.window(episode.start, episode.end) for name, bars in series.items()}
        return Replay(episode.name, episode.title, episode.story, words, cut)

    complaints = []
    if source in (Source.AUTO, Source.FOLDER):
        looked_into = data_folders() if folders is None else list(folders)
        if not looked_into:
            complaints.append(f"there is no data folder at {NEIGHBOUR}, and {DATA_VARIABLE} names none")
        for folder in looked_into:
            missing = [file for files in episode.files.values() for file in files if not (folder / file).is_file()]
            if missing:
                complaints.append(f"{folder} has no {missing[0]}")
                continue
            return replay("files of the data folder: " + _listed(episode), _read(episode, folder))
    if source in (Source.AUTO, Source.EXCHANGE):
        try:
            series, venue = download(episode.name, UNDERLYINGS, episode.start, episode.end, episode.timeframe, cache)
            return replay(f"{venue}, {episode.timeframe} candles through ccxt", series)
        except exchange.UnreachableError as error:
            complaints.append(str(error))
    if source in (Source.AUTO, Source.DAILY):
        if daily.covers(episode.start, episode.end):
            for complaint in complaints:
                say(complaint)
            return replay(daily.SOURCE, daily.bridged(episode.start, episode.end, seed))
        complaints.append("there are no published daily figures of these days")
    raise PriceError(
        f"no prices for {episode.name}: {'; '.join(complaints)}. "
        f"Name a folder with them in {DATA_VARIABLE}, or files with --prices"
    )


def data_folders() -> list[Path]:
    """Folders that may hold the files of the episodes, in the order they are looked into."""
    named = os.environ.get(DATA_VARIABLE)
    if named and not Path(named).is_dir():
        raise PriceError(f"{DATA_VARIABLE} names {named}, which is no folder")
    return [Path(folder) for folder in (named, NEIGHBOUR) if folder and Path(folder).is_dir()]


def _read(episode: Episode, folder: Path) -> dict[str, Bars]:
    series = {}
    for name, files in episode.files.items():
        bars = read_csv(folder / files[0])
        for later in files[1:]:
            bars = bars.then(read_csv(folder / later))
        with blamed_on(", ".join(files)):
            series[name] = bars.window(episode.start, episode.end)
    return series


def _listed(episode: Episode) -> str:
    return ", ".join(file.removesuffix(".csv") for files in episode.files.values() for file in files)


def _underlying(path: Path) -> str:
    name = path.name.upper()
    found = [underlying for underlying, words in _ALIASES.items() if any(word in name for word in words)]
    if len(found) != 1:
        raise PriceError(f"{path}: its name must say whether it is BTC or ETH")
    return found[0]
