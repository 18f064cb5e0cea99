"""`everstock replay`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from everstock.demo.charts import TOKEN
from everstock.replay import sources
from everstock.replay.bars import PriceError, clock
from everstock.replay.books import Book
from everstock.replay.episodes import EPISODES
from everstock.replay.market import ReplayError
from everstock.replay.outcome import Layer, Outcome, Settings, table_row
from everstock.replay.pages import DOC, document, write_report
from everstock.replay.run import perform
from everstock.replay.sources import Replay

# The episodes of docs/REPLAYS.md.
DOCUMENTED: Final = ("covid-2020", "2024-08-05", "2025-10-10", "2025-10-10-minutes")
# Of the draws that are shown on a terminal.
_SHOWN: Final = 12


@click.command("replay")
@click.option("--btc", type=click.Path(path_type=Path), metavar="FILE.csv", help="Prices of BTC.")
@click.option("--eth", type=click.Path(path_type=Path), metavar="FILE.csv", help="Prices of ETH.")
@click.option("--episode", type=click.Choice(list(EPISODES)), help="Days that have a name, instead of files.")
@click.option(
    "--book", type=click.Choice(list(Book)), default=Book.LONG, show_default=True, help="Which side the traders are on."
)
@click.option("--all", "everything", is_flag=True, help="Every crash of docs/REPLAYS.md with every book; writes that page.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the book, and of a bridge.")
@click.option("--main", type=float, default=10_000, show_default=True, help="Whole tokens in the main pool.")
@click.option("--insurance", type=float, default=1_000, show_default=True, help="Whole tokens in the insurance pool.")
@click.option(
    "--load",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.9,
    show_default=True,
    help="Part of what the main pool may take on that the book uses.",
)
@click.option(
    "--pause", type=click.IntRange(0), default=0, show_default=True, help="Seconds between the keeper's looks, at least."
)
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON, amounts in raw units (1e-18 tokens).")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for a report with pictures.")
def run_replay(
    btc: Path | None,
    eth: Path | None,
    episode: str | None,
    book: str,
    everything: bool,
    seed: int,
    main: float,
    insurance: float,
    load: float,
    pause: int,
    as_json: bool,
    out: Path | None,
) -> None:
    """Past prices against the real contracts, in process, a thousand times faster than they were.

    \b
    LPs fill both pools and 32 accounts open a book; then the prices run, and nobody trades. A keeper
    checkpoints, liquidates, deleverages and resolves as `everstock keeper` would. Printed is what
    happened: liquidations, bad debt and who paid for it, checkpoints, settle windows, each deleveraging
    and its D, both pools, what claims were paid (h), and whether every token is accounted for.

    \b
    Books:
      long      everybody has bought calls, puts and straddles; the pool is short
      balanced  for each who bought there is one who wrote the same; the pool is level
      written   five of six have written; the pool is long

    \b
    A file has the columns timestamp (Unix seconds, a bar's open), open, high, low, close, as .csv or
    .csv.gz. Bars of a minute and longer are taken as they are. Prices run from a bar's open to its low
    and high to its close; a tick is brought whenever an index moved by 0.05%.

    The same files, book and seed give the same outcome. Exit code 1 if it does not add up to the unit.

    \b
    Examples:
      everstock replay --episode covid-2020 --book balanced
      everstock replay --btc my-btc.csv --eth my-eth.csv --book long --seed 7 --json
      everstock replay --episode 2025-10-10 --book written --pause 1800 --out build/replay
      everstock replay --all --out build/replay
    """
    # A table of everything is wide; a file or a pipe does not mind.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 220)
    if main <= 0 or insurance <= 0:
        raise click.BadParameter("a pool needs more than 0 tokens", param_hint="--main, --insurance")
    settings = Settings(Book(book), seed, main, insurance, load, pause)
    try:
        runs = [(_replay(btc, eth, episode, seed), settings)] if not everything else list(_all(btc, eth, episode, settings))
        found = []
        for replay, chosen in runs:
            found.append(_performed(replay, chosen))
            if everything:
                click.echo(f"{replay.title}, {chosen.book}: {found[-1].wall_seconds:.0f} s", err=True)
        if out is not None or everything:
            page = write_report(found, out or Path("build/replay"))
        if everything:
            DOC.write_text(document(found))
    except (PriceError, ReplayError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        raise SystemExit(130) from None
    if as_json:
        data = [outcome.as_json() for outcome in found]
        click.echo(json.dumps(data if everything else data[0], indent=2))
    else:
        console.print(_compared(found) if everything else _table(found[0]))
        if out is not None or everything:
            console.print(f"Open [bold]{page}[/bold] to see it.", soft_wrap=True)
    problems = [problem for outcome in found for problem in outcome.problems]
    if problems:
        raise click.ClickException("this replay does not add up:\n" + "\n".join(problems))


def _replay(btc: Path | None, eth: Path | None, episode: str | None, seed: int) -> Replay:
    """The prices that were asked for. Raises `PriceError`, and click's own for what cannot be asked."""
    if episode is not None:
        if btc is not None or eth is not None:
            raise click.UsageError("name an episode or files, not both")
        return sources.of_episode(EPISODES[episode], seed=seed, say=_say)
    if btc is None or eth is None:
        raise click.UsageError("name an episode with --episode, or a file each with --btc and --eth")
    return sources.of_files({"BTC": btc, "ETH": eth})


def _all(
    btc: Path | None, eth: Path | None, episode: str | None, settings: Settings
) -> Iterator[tuple[Replay, Settings]]:
    if btc is not None or eth is not None or episode is not None:
        raise click.UsageError("--all names its episodes itself")
    for name in DOCUMENTED:
        replay = sources.of_episode(EPISODES[name], seed=settings.seed, say=_say)
        for book in Book:
            yield replay, Settings(**{**vars(settings), "book": book})


def _performed(replay: Replay, settings: Settings) -> Outcome:
    """Run one, with a bar of how far it is if somebody is looking."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"{replay.title}, {settings.book}", total=1)
        return perform(replay, settings, lambda part: bar.update(task, completed=part))


def _say(line: str) -> None:
    click.echo(f"No better prices: {line}.", err=True)


def _compared(found: list[Outcome]) -> Table:
    table = Table(box=None, header_style="dim")
    rows = [table_row(outcome, TOKEN) for outcome in found]
    for heading in rows[0]:
        table.add_column(heading, justify="left" if heading in ("episode", "book") else "right")
    for row in rows:
        table.add_row(*row.values())
    return table


def _table(outcome: Outcome) -> Table:
    settings = outcome.settings
    title = f"{outcome.title}: {settings.book} book, {clock(outcome.start)} to {clock(outcome.end)}"
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    table.add_column(style="dim")
    table.add_column()
    row = table.add_row
    row("prices", outcome.source)
    row("ticks", f"{outcome.ticks:,}, of which {outcome.looks:,} were worth a look")
    took = f"{outcome.wall_seconds:.1f} s, {outcome.cpu_seconds:.1f} s of a core"
    row("speed", f"{outcome.speed:,.0f} times real time ({took}: {outcome.speed_of_core:,.0f} times)")
    hit = f"{outcome.accounts_liquidated} of {outcome.accounts} accounts"
    row("liquidations", f"{outcome.liquidations_partial} in part, {outcome.liquidations_full} in full; {hit}")
    row("bad debt", f"{_tokens(outcome.bad_debt)} of {outcome.bankrupt} accounts, {_tokens(outcome.bad_debt_insured)} insured")
    row("checkpoints", f"{outcome.checkpoints}, settle windows {len(outcome.windows)}")
    for one in outcome.deleveragings:
        row("deleveraged", f"{clock(one.time)}: D {one.before:.4f} -> {one.after:.4f}")
    for draw in outcome.draws[:_SHOWN]:
        layer, whose = draw.layer.name.lower().replace("_", " "), draw.account or "all claims"
        row("drawn", f"{clock(draw.time)}: {layer} paid {_tokens(draw.amount)} for {whose}, {_tokens(draw.left)} left")
    if len(outcome.draws) > _SHOWN:
        sums = (f"{layer.name.lower().replace('_', ' ')} {_tokens(outcome.drawn(layer))}" for layer in Layer)
        row("", f"and {len(outcome.draws) - _SHOWN} more draws; in all: {', '.join(sums)}")
    for name, span in (("main pool", outcome.main), ("insurance", outcome.insurance)):
        amounts = [_tokens(amount) for amount in (span.start, span.lowest, span.end)]
        row(name, f"{amounts[0]} at the start, {amounts[1]} at the lowest, {amounts[2]} at the end (tokens)")
    if outcome.settlement:
        h = "not finished" if outcome.h is None else f"every claim paid {outcome.h:.6f} of itself"
        row("settlement", f"began {clock(outcome.settlement.began)}; {h}")
    row("tokens held less ledgers", f"{outcome.conservation_error} raw units")
    return table


def _tokens(amount: int) -> str:
    return f"{amount / TOKEN:,.2f}"
