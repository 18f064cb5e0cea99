"""`everstock lp-history`: what a pool would have earned over eight years of real prices."""

from pathlib import Path
from typing import Final

import click
from rich.console import Console

from everstock.replay.bars import PriceError
from everstock.replay.sources import DATA_VARIABLE, NEIGHBOUR, ROOT, data_folders
from everstock.risk import charts, report
from everstock.risk.history import History
from everstock.risk.hourly import FILE, FLOORS, read
from everstock.risk.page import PageError, written

COMMAND: Final = "everstock lp-history"
PAGE: Final = ROOT / "docs" / "LP_HISTORY.md"
PICTURE: Final = ROOT / "docs" / "lp-history.png"


def folder_with_history() -> Path | None:
    """The first data folder that holds the eight-year series."""
    for folder in data_folders():
        if all((folder / FILE.format(name)).is_file() for name in FLOORS):
            return folder
    return None


@click.command("lp-history")
@click.option("--seed", default=1, show_default=True, help="Of the mix of strikes.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "build" / "risk",
    help="Folder of the pictures.  [default: build/risk]",
)
@click.option("--write/--no-write", default=True, help="Whether docs/LP_HISTORY.md and its picture are written.")
def run_lp_history(seed: int, out: Path, write: bool) -> None:
    """Let a pool sell options over eight years of hourly prices, and traders lie in wait for its oracle.

    Straddles at the money and a seeded mix of strikes, hedged and not, over a grid of half-lives and loads. Tables go into
    docs/LP_HISTORY.md, pictures into a folder.
    """
    console = Console()
    try:
        folder = folder_with_history()
        if folder is None:
            raise PriceError(f"no eight-year series in {DATA_VARIABLE} or {NEIGHBOUR}")
        histories = [History(read(name, folder), seed) for name in FLOORS]
        tables = report.tables(histories)
        for name, lines in tables.items():
            console.rule(name)
            console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
        pictures = charts.draw(histories, out, PICTURE if write else None)
        if write:
            PAGE.write_text(written(PAGE.read_text(), tables, COMMAND))
    except (PriceError, PageError) as error:
        raise click.ClickException(str(error)) from error
    console.print(f"written: {', '.join(str(path) for path in [*pictures, *([PAGE] if write else [])])}")
