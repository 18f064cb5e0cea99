"""`everstock proofs`."""

import re
from pathlib import Path

import click
from rich.console import Console

from everstock.chain.artifacts import ROOT
from everstock.proofs.catalogue import CATALOGUE, MAKINGS
from everstock.proofs.contracts import ProofError, workbench
from everstock.proofs.mutants import bite
from everstock.proofs.properties import Result
from everstock.proofs.run import run
from everstock.proofs.tables import line, markdown


@click.command("proofs")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=ROOT / "docs" / "PROOFS.md",
    help="Where to write the tables.  [default: docs/PROOFS.md]",
)
@click.option("--only", default="", help="Only properties whose contract.function matches this; writes nothing.")
@click.option("--quick", is_flag=True, help="Small domains; writes nothing.")
@click.option("--bite", "biting", is_flag=True, help="Only see whether the proofs notice wrong modules; writes nothing.")
def run_proofs(out: Path, only: str, quick: bool, biting: bool) -> None:
    """Prove the arithmetic of the contracts, and write docs/PROOFS.md.

    For all values with a solver, or on every value of small domains with an EVM. Then changes the modules one by one,
    in copies, to see that a proof notices. Needs what `make proofs` installs; takes some ten minutes.
    """
    console = Console()
    try:
        results = {} if biting else _results(console, only, quick)
        bites = [] if only or quick else _bites(console)
    except ProofError as error:
        raise click.ClickException(str(error)) from error
    failed = [result.of.claim for group in results.values() for result in group if not result.holds]
    failed += [f"not noticed: {change}" for change, result in bites if result.holds]
    if not (only or quick or biting):
        out.write_text(markdown(results, bites))
        console.print(f"written to {out.relative_to(ROOT) if out.is_relative_to(ROOT) else out}")
    if failed:
        raise click.ClickException(f"not proved: {'; '.join(failed)}")


def _results(console: Console, only: str, quick: bool) -> dict[str, list[Result]]:
    chosen = {
        subject: [one for one in group if re.search(only, f"{one.contract}.{one.function}")]
        for subject, group in CATALOGUE.items()
    }
    everything = [one for group in chosen.values() for one in group]
    found: dict[int, Result] = {}
    with workbench(MAKINGS) as bench:
        for result in run(everything, bench, quick=quick):
            found[id(result.of)] = result
            console.print(line(result, len(found), len(everything)), soft_wrap=True, highlight=False)
    return {subject: [found[id(one)] for one in group] for subject, group in chosen.items() if group}


def _bites(console: Console) -> list[tuple[str, Result]]:
    found = []
    for mutant, result in bite():
        noticed = "[green]noticed[/green]" if not result.holds else "[bold red]not noticed[/bold red]"
        console.print(f"{noticed}  {mutant.what}  [dim]{mutant.module}, {mutant.function}[/dim]", highlight=False)
        found.append((f"{mutant.what} (`{mutant.module}`)", result))
    return found
