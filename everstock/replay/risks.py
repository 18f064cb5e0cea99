"""`everstock risks`: what one instantaneous jump of both indexes does, by size, book and insurance fund.

Every jump strikes the same market, which titanoboa puts back each time: nobody could act in between, the oracle's guards
see both sources jump, and from the next second on a keeper does its duty for an hour and a quarter at the new prices.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import boa
import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from everstock.chain.in_process import OPENING, START
from everstock.demo.charts import TOKEN
from everstock.replay.books import Book
from everstock.replay.market import Market
from everstock.replay.opening import opened
from everstock.replay.outcome import Layer, Outcome, Settings, counted
from everstock.replay.watch import Watch

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "RISKS.md"
BEGIN: Final = "<!-- jumps: written by `make risks` -->"
END: Final = "<!-- end of jumps -->"

JUMPS: Final = (0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.15, 1.25, 1.5, 2.0, 3.0)
# Insurance as a part of the main pool.
FUNDS: Final = (0.02, 0.10, 0.30)
MAIN: Final = 10_000
LOAD: Final = 0.9
# When the keeper may look, seconds after the jump: three checkpoints that count towards settlement lie within the first
# eleven minutes, a settle window may open twice, and then the same once more: where it is only liquidations that leave
# E <= 0, the checkpoint that sees it is the next one due, after an hour.
LOOKS: Final = (1, 210, 670, 1_400, 3_700, 3_900, 4_100, 4_400)


@dataclass(frozen=True)
class Strike:
    """A jump to `factor` times the price, and what came of it with a fund of `fund` times the main pool."""

    factor: float
    fund: float
    outcome: Outcome

    @property
    def said(self) -> str:
        """What it took, in a few words; amounts are whole tokens."""
        outcome, parts = self.outcome, []
        for layer, name in ((Layer.INSURANCE, "insurance"), (Layer.MAIN, "main"), (Layer.INSURANCE_AGAIN, "insurance again")):
            if drawn := outcome.drawn(layer):
                parts.append(f"{name} {drawn / TOKEN:,.0f}")
        if outcome.h is not None:
            parts.append(f"settled, h {outcome.h:.3f}")
        elif outcome.deleveragings:
            parts.append(f"D {outcome.lowest_scale:.2f}")
        return ", ".join(parts) or "absorbed"


def strikes(book: Book, fund: float, jumps: Iterable[float] = JUMPS) -> Iterable[Strike]:
    """Each jump against the same market. Raises `ReplayError` if the book does not fit."""
    settings = Settings(book, main=MAIN, insurance=fund * MAIN, load=LOAD)
    with boa.env.anchor():
        market = opened(
            book,
            seed=settings.seed,
            time=START,
            prices=OPENING,
            main=settings.main,
            insurance=settings.insurance,
            load=settings.load,
        )
        for factor in jumps:
            with boa.env.anchor():
                yield Strike(factor, fund, _struck(market.fork(), factor, settings))


def table(found: Sequence[Strike]) -> str:
    """One table per book, as Markdown."""
    parts = []
    for book, of_book in groupby(found, key=lambda strike: strike.outcome.settings.book):
        mine = list(of_book)
        funds = sorted({strike.fund for strike in mine})
        lines = [
            f"**{str(book).capitalize()} book**",
            "",
            "| jump | liquidated | bankrupt | bad debt | main pool after | " + " | ".join(f"fund {fund:.0%}" for fund in funds) + " |",
            "| ---: | ---: | ---: | ---: | ---: |" + " --- |" * len(funds),
        ]
        for factor in sorted({strike.factor for strike in mine}):
            row = {strike.fund: strike for strike in mine if strike.factor == factor}
            middle = row[funds[len(funds) // 2]].outcome
            cells = [
                f"x{factor:g}",
                f"{middle.accounts_liquidated}",
                f"{middle.bankrupt}",
                f"{middle.bad_debt / TOKEN:,.0f}",
                f"{middle.main.end / middle.main.start:.0%}",
                *(row[fund].said for fund in funds),
            ]
            lines.append("| " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def put(page: str, text: str) -> str:
    """A page with `text` between its two marks. Raises `ValueError` if it has them not just once."""
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"{PAGE} must have {BEGIN!r} and {END!r} once each")
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}"


@click.command("risks")
@click.option("--book", "books", type=click.Choice(list(Book)), multiple=True, help="Only this book; may be repeated.")
@click.option("--write/--no-write", default=True, show_default=True, help="Write the table into docs/RISKS.md.")
def run_risks(books: tuple[str, ...], write: bool) -> None:
    """What one instantaneous jump of both indexes does, by size, book and insurance fund.

    The real contracts run in process. LPs fill the pools and 32 accounts open a book, as in `everstock replay`; then
    both indexes jump at once, from x0.3 to x3, and a keeper does what it can. Said is who paid: nobody beyond
    their own margin ("absorbed"), everybody by the same part of their positions (D), insurance and main pool (tokens), or
    the winners (a terminal settlement that pays h of each claim). Takes some eight minutes; the result is always the same.

    \b
    Examples:
      everstock risks
      everstock risks --book long --no-write
    """
    chosen = [Book(book) for book in books] or list(Book)
    found: list[Strike] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=len(chosen) * len(FUNDS) * len(JUMPS))
        for book in chosen:
            for fund in FUNDS:
                for strike in strikes(book, fund):
                    found.append(strike)
                    bar.update(task, advance=1, description=f"{book}, fund {fund:.0%}, x{strike.factor:g}")
    click.echo(table(found))
    if write and not books:
        PAGE.write_text(put(PAGE.read_text(), table(found)))
    problems = [f"{strike.outcome.settings.book} x{strike.factor}: {text}" for strike in found for text in strike.outcome.problems]
    if problems:
        raise click.ClickException("these do not add up:\n" + "\n".join(problems))


def _struck(market: Market, factor: float, settings: Settings) -> Outcome:
    """Let both indexes jump, and the keeper act; returns what came of it."""
    prices = {name: price * factor for name, price in market.latest.prices.items()}
    begin, looks = market.now, 0
    watch = Watch(market)
    for after in LOOKS:
        market.sample(begin + after, prices)
        looks += watch.look(begin + after, prices)
        if market.is_over():
            break
    return counted(
        market,
        settings,
        name=f"jump-{factor:g}",
        title=f"A jump to x{factor:g}",
        source="made up",
        ticks=2,
        looks=looks,
        overlooked=watch.missed,
        wall_seconds=1.0,
        cpu_seconds=1.0,
    )
