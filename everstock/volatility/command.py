"""`everstock volatility` and `everstock carry`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from everstock.chain.artifacts import ROOT
from everstock.chain.deployment import UNDERLYINGS
from everstock.replay.bars import PriceError
from everstock.volatility import carry as carries
from everstock.volatility.history import find, read
from everstock.volatility.report import STRETCHES, YEARS, chart, markdown, rows

CLOSES: Final = {"TSLA": "TSLA_2019-2025_1d.csv", "NVDA": "NVDA_2019-2025_1d.csv"}


@click.command("volatility")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "docs",
    help="Folder to write VOLATILITY.md and volatility.png to.  [default: docs]",
)
def run_volatility(out: Path) -> None:
    """Measure past volatility as the contract would, beside numpy, and what it costs to move it.

    Prices are those of the folder that EVERSTOCK_DATA names, or of ../shared/data.
    """
    console = Console()
    try:
        found = list(rows())
    except PriceError as error:
        raise click.ClickException(str(error)) from error
    table = Table("stretch", "", title="The model beside numpy", title_justify="left")
    for column in ("samples", "worst error, fast", "slow", "mean sigma, fast", "slow", "realised"):
        table.add_column(column, justify="right")
    for row in found:
        errors = (f"{error:.1e}" for error in row.errors)
        sigmas = (f"{sigma:.0%}" for sigma in (*row.sigmas, row.samples.realised))
        table.add_row(row.stretch, row.samples.underlying, f"{len(row.samples):,}", *errors, *sigmas)
    console.print(table)
    out.mkdir(parents=True, exist_ok=True)
    (out / "VOLATILITY.md").write_text(markdown(found))
    chart(found, out / "volatility.png")
    console.print(f"written to {out / 'VOLATILITY.md'} and {out / 'volatility.png'}")


@click.command("carry")
@click.option("--hedge-rate", default=carries.HEDGE_RATE, show_default=True, help="What holding the index costs, per year.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Use closes from then on.  [default: all there are]")
@click.option("--seed", default=1, show_default=True, help="Of the bootstrap.")
def run_carry(hedge_rate: float, since: datetime | None, seed: int) -> None:
    """Estimate carry: hedge rate + rho * sigma of the stock * sigma of the index, with 95% intervals.

    From the closes of TSLA and NVDA and the index at those hours, in the folder that EVERSTOCK_DATA names or ../shared/data.
    The last column is what to propose to the timelock for RiskParameters: key 16 for the market's first underlying, 17 for
    its second.
    """
    console = Console()
    begin = 0 if since is None else int(since.replace(tzinfo=UTC).timestamp())
    try:
        found = [
            carries.estimate(
                stock,
                carries.read_closes(find(file)),
                read(find(STRETCHES[YEARS].format(underlying)), underlying),
                hedge_rate=hedge_rate,
                since=begin,
                seed=seed,
            )
            for stock, file in CLOSES.items()
            for underlying in UNDERLYINGS
        ]
    except PriceError as error:
        raise click.ClickException(str(error)) from error
    table = Table("stock", "index", title=_title(found, hedge_rate), title_justify="left")
    for column in ("days", "rho", "sigma, stock", "sigma, index", "covariance a year", "carry a year", "1e-5"):
        table.add_column(column, justify="right")
    for one in found:
        table.add_row(
            one.stock,
            one.index,
            f"{one.days:,}",
            _interval(one.rho, ".2f"),
            *(_interval(value, ".1%") for value in (one.sigma_stock, one.sigma_index, one.covariance, one.carry)),
            f"{one.parameter:,}",
        )
    console.print(table)
    console.print("In brackets: 95% intervals, of a block bootstrap of 20 days.")


def _title(found: list[carries.Carry], hedge_rate: float) -> str:
    first, last = (datetime.fromtimestamp(pick, UTC).date() for pick in (found[0].first, found[0].last))
    return f"Closes from {first} to {last}, hedge rate {hedge_rate:.1%}"


def _interval(estimate: carries.Estimate, form: str) -> str:
    return f"{estimate.value:{form}} ({estimate.low:{form}} to {estimate.high:{form}})"
