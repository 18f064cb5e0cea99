"""`everstock bench`."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from everstock.bench.rows import GROUPS
from everstock.bench.sizes import sizes
from everstock.bench.stage import stage
from everstock.bench.tables import gas_table, markdown, size_table
from everstock.chain.artifacts import ROOT


@click.command("bench")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=ROOT / "docs" / "GAS.md",
    help="Where to write the tables.  [default: docs/GAS.md]",
)
@click.option("--check", is_flag=True, help="Write nothing; fail if a budget is exceeded or a contract is too large.")
def run_bench(out: Path, check: bool) -> None:
    """Measure gas and code sizes, and write docs/GAS.md.

    Deploys one market on a local fork of Base, opens 32 series on both sides, and takes every figure from the receipt
    of a real transaction. The same every time, to a few hundred gas.
    """
    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("deploying a market with 32 open series")
        with stage() as built:
            rows = {}
            for measure in GROUPS:
                progress.update(task, description=f"measuring {measure.__name__}")
                with built.rewound():
                    rows[measure.__name__] = list(measure(built))
            code = sizes(built)
    console.print(gas_table(rows))
    console.print(size_table(code))
    over = [row.what for group in rows.values() for row in group if not row.kept]
    over += [size.name for size in code if not size.kept]
    if not check:
        out.write_text(markdown(rows, code))
        console.print(f"written to {out}")
    elif over:
        raise click.ClickException(f"over budget: {', '.join(over)}")
