"""`everstock demo`."""

from pathlib import Path
from typing import Any

import click
import requests
from rich.console import Console
from rich.table import Table
from web3.exceptions import Web3RPCError

from everstock.chain.anvil import AnvilError
from everstock.chain.artifacts import ArtifactError
from everstock.chain.devnet import Chain, ChainError
from everstock.chain.transactions import Reverted
from everstock.demo.cast import MIN_TRADERS
from everstock.demo.driver import DemoError
from everstock.demo.live import LiveView, PlainView, View
from everstock.demo.run import REPORT, Settings, perform
from everstock.demo.stage import TOKEN
from everstock.demo.statement import StatementError
from everstock.demo.summary import Outcome
from everstock.replay import sources
from everstock.replay.bars import PriceError, clock
from everstock.replay.episodes import DEFAULT, EPISODES
from everstock.replay.sources import Replay, Source
from everstock.replay.ticks import ticks


class _Speed(click.ParamType):
    """A multiple of real time, or "max"."""

    name = "N|max"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value == "max":
            return None
        try:
            speed = float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor max", param, ctx)
        if not speed > 0:
            self.fail("a speed must be above 0", param, ctx)
        return speed


@click.command("demo")
@click.option(
    "--episode",
    type=click.Choice(list(EPISODES)),
    default=DEFAULT,
    show_default=True,
    help="Which days to live through.",
)
@click.option(
    "--prices",
    nargs=2,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="BTC.csv ETH.csv",
    help="Your own prices instead, told apart by their names.",
)
@click.option(
    "--source",
    type=click.Choice(list(Source)),
    default=Source.AUTO,
    show_default=True,
    help="Where an episode's prices come from.",
)
@click.option("--fast", is_flag=True, help="Fewer ticks: within a minute.")
@click.option("--speed", type=_Speed(), default="max", show_default=True, help="Multiple of real time to replay at.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of traders, and of a bridge.")
@click.option(
    "--traders", type=click.IntRange(MIN_TRADERS, 190), default=48, show_default=True, help="In both markets together."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/demo"),
    show_default=True,
    help="Folder for the report, charts, summary.json and the keeper's log.",
)
@click.option("--plain", is_flag=True, help="Lines instead of the live view, as when the output is no terminal.")
def run_demo(
    episode: str,
    prices: tuple[Path, Path] | None,
    source: Source,
    fast: bool,
    speed: float | None,
    seed: int,
    traders: int,
    out: Path,
    plain: bool,
) -> None:
    """Two markets, their LPs, forty-eight traders and a keeper live through a crash, at the prices of those days.

    \b
    On a local chain that looks like Base it deploys TSLA.M and NVDA.M with a market each; a custodian attests,
    a broker mints; LPs fill main and insurance pools; traders of nine kinds (buyers and writers of calls, puts,
    straddles; spreads; positions on both indexes) pay in margin and order through the order desk. The keeper
    is a process of its own: it brings prices, executes orders, checkpoints and liquidates. At the end all
    positions are closed, everybody withdraws, and every token is accounted for.

    \b
    What it leaves in build/demo:
      report.html   to read: what happened, charts, who won, whether it adds up
      summary.json  to count: amounts in raw units of the stock tokens
      *.png         the charts
      manifest.json, keeper.log

    \b
    Prices of an episode are taken from the first of these that has them (--source names one):
      folder    files in the folder that EVERSTOCK_DATA names, then in ../shared/data
      exchange  a public exchange through ccxt, kept in .cache/ for the next time
      daily     published daily figures with a seeded bridge between them; that is no real path, and
                the output says so (covid-2020 and 2025-10-10)
    A file of --prices has the columns timestamp (Unix seconds, a bar's open), open, high, low, close.

    With BASE_RPC_URL set all of it runs on a fork of Base instead, with the episode moved to the present.

    The same seed and prices give the same run on any machine: the chain's clock is the replay's, and each block waits
    for the keeper. Exit code 1 if a token is missing, the insurance fund does not match its events, or nothing
    happened.

    \b
    Examples:
      everstock demo --fast
      everstock demo --episode 2025-10-10 --speed 600
      everstock demo --prices my-btc.csv my-eth.csv --traders 100
    """
    console = Console(highlight=False)
    settings = Settings(out=out, seed=seed, traders=traders, fast=fast, speed=speed)
    try:
        replay = _replay(console, episode, prices, source, seed)
        published = ticks(replay.series, settings.pace)
        console.print(f"[bold]{replay.title}[/bold], {clock(published[0].time)} to {clock(published[-1].time)}")
        console.print(f"Prices: {replay.source}.", soft_wrap=True)
        view: View = PlainView(console) if plain or not console.is_terminal else LiveView(console)

        def show(chain: Chain) -> None:
            console.print(chain.banner())

        with view:
            found = perform(replay, published, settings, view, show)
    except (AnvilError, ArtifactError, ChainError, DemoError, PriceError, Reverted, StatementError) as error:
        raise click.ClickException(str(error)) from error
    except (requests.RequestException, Web3RPCError) as error:
        raise click.ClickException(f"the chain does not answer as it should: {error}") from error
    except KeyboardInterrupt:
        console.print("stopped")
        raise SystemExit(130) from None
    console.print(_figures(found))
    console.print(f"Open [bold]{out / REPORT}[/bold] to read what happened.", soft_wrap=True)
    if found.problems:
        raise click.ClickException("this run does not add up:\n" + "\n".join(found.problems))


def _replay(console: Console, episode: str, prices: tuple[Path, Path] | None, source: Source, seed: int) -> Replay:
    if prices:
        return sources.from_files(prices)
    return sources.of_episode(
        EPISODES[episode],
        source=source,
        seed=seed,
        say=lambda line: console.print(f"No better prices: {line}.", style="dim", soft_wrap=True),
    )


def _figures(found: Outcome) -> Table:
    table = Table(title="What came of it, in tokens", title_justify="left", box=None, header_style="dim")
    table.add_column("")
    markets = found.data["markets"]
    for symbol in markets:
        table.add_column(symbol, justify="right")
    for label, key in _AMOUNTS.items():
        table.add_row(label, *(f"{market[key] / TOKEN:,.2f}" for market in markets.values()))
    for label, key in _COUNTS.items():
        table.add_row(label, *(f"{market[key]:,}" for market in markets.values()))
    return table


_AMOUNTS = {
    "main pool, start": "main_pool_equity_start",
    "withdrawn by an LP": "main_pool_withdrawn",
    "main pool, end": "main_pool_equity_end",
    "insurance, start": "insurance_start",
    "insurance, end": "insurance_end",
    "premium paid": "premium_paid",
    "fees paid": "fees_paid",
    "bad debt": "bad_debt",
}
_COUNTS = {
    "orders executed": "orders_executed",
    "orders cancelled": "orders_cancelled",
    "liquidations": "liquidations",
    "tokens held less ledgers (raw units)": "conservation_error",
}
