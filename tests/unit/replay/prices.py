"""Made-up prices: calm, and one jump."""

from pathlib import Path

from everstock.replay.bars import Bars, write_csv

START = 1_600_000_000 // 3_600 * 3_600
OPENING = {"BTC": 10_000.0, "ETH": 400.0}


def jump(factor: float, hours: int = 48, at: int = 20) -> dict[str, Bars]:
    """Hourly bars of both underlyings that stand still, but for bar `at`, in which they move to `factor` times what they were."""
    series = {}
    for name, price in OPENING.items():
        rows = []
        for hour in range(hours):
            open_, close = (price * factor if when > at else price for when in (hour, hour + 1))
            rows.append((START + 3_600 * hour, open_, max(open_, close), min(open_, close), close))
        series[name] = Bars.of(rows, 3_600)
    return series


def written(folder: Path, factor: float) -> dict[str, Path]:
    """The same as files."""
    files = {name: folder / f"{name.lower()}.csv" for name in OPENING}
    for name, bars in jump(factor).items():
        write_csv(files[name], bars)
    return files
