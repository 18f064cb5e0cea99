"""Whether the proofs bite: each change makes a module wrong in a copy of the contracts, and a proof has to notice."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from everstock.chain.artifacts import ROOT
from everstock.proofs.catalogue import CATALOGUE, MAKINGS
from everstock.proofs.contracts import ProofError, workbench
from everstock.proofs.properties import Proof, Result, Sweep
from everstock.proofs.run import prove, sweep


@dataclass(frozen=True)
class Mutant:
    """A change to a module, and the function of a contract under proof that has to fail."""

    what: str
    module: str
    before: str
    after: str
    function: str


MUTANTS: Final = (
    Mutant("a leg's G one bit lower", "legs", "129)", "128)", "check_leg"),
    Mutant(
        "a short's rate overlaps its neighbour",
        "series_book",
        "uint256) << 208)\n",
        "uint256) << 207)\n",
        "check_series",
    ),
    Mutant(
        "storing a depth that does not fit",
        "checkpoints",
        "min(state.depth, 2**64 - 1)",
        "state.depth",
        "check_state",
    ),
    Mutant("floor rounds toward zero", "integers", "> numerator", "> max_value(int256)", "check_floor_div"),
    Mutant(
        "a liquidation closes a wei less",
        "portfolio_margin",
        "(target, penalty)), 1",
        "(target, penalty)), 0",
        "check_fraction",
    ),
    Mutant("the same", "portfolio_margin", "(target, penalty)), 1", "(target, penalty)), 0", "sweep_fraction"),
    Mutant("R rounded down", "pool_risk", "c.BASIS * c.WAD), 1)", "c.BASIS * c.WAD), 0)", "check_requirement"),
    Mutant(
        "what closes rounds down",
        "positions",
        "unsafe_add(unsafe_mul(size, c.WAD), scale)",
        "unsafe_add(unsafe_mul(size, c.WAD), 1)",
        "check_units",
    ),
    Mutant(
        "the same",
        "positions",
        "unsafe_add(unsafe_mul(size, c.WAD), scale)",
        "unsafe_add(unsafe_mul(size, c.WAD), 1)",
        "sweep_units",
    ),
    Mutant(
        "a fee rounded down",
        "trade_costs",
        "min(by_face, by_mark)), 1)",
        "min(by_face, by_mark)), 0)",
        "check_fee",
    ),
    Mutant(
        "a time value without the last bits of moneyness",
        "everlasting",
        "moneyness << 96",
        "(moneyness >> 8) << 104",
        "sweep_integers",
    ),
    Mutant(
        "a put's payoff from the wrong side",
        "everlasting",
        "elif moneyness > c.WAD",
        "elif moneyness > c.WAD + 1",
        "check_parity",
    ),
    Mutant(
        "a short's gain rounded up",
        "series_book",
        "short_gain: int256 = integers._floor_div",
        "short_gain: int256 = integers._ceil_div",
        "check_gains",
    ),
    Mutant(
        "shares without the virtual ones",
        "pool_shares",
        "assets * (supply + VIRTUAL_SHARES)",
        "assets * supply",
        "check_to_shares",
    ),
    Mutant("a loss is not taken from the claim", "cash_ledger", "p.claim -= forgiven", "p.claim -= 0", "check_realise"),
)


def bite() -> Iterator[tuple[Mutant, Result]]:
    """Each mutant and what the proof that has to fail says. Raises `ProofError` if a module no longer has what is changed."""
    for mutant in MUTANTS:
        yield mutant, result_of(mutant)


def result_of(mutant: Mutant, *, quick: bool = True) -> Result:
    """What the proof says of the mutant."""
    one = named(mutant.function)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("contracts", "interfaces"):
            shutil.copytree(ROOT / name, root / name)
        path = root / "contracts" / "modules" / f"{mutant.module}.vy"
        text = path.read_text()
        if mutant.before not in text:
            raise ProofError(f"{mutant.module} has no {mutant.before!r} to change")
        path.write_text(text.replace(mutant.before, mutant.after, 1))
        with workbench(MAKINGS, root) as bench:
            return prove(one, bench) if isinstance(one, Proof) else sweep(one, bench, quick=quick)


def named(function: str) -> Proof | Sweep:
    """The property that a function states. Raises `ProofError` if there is none."""
    for group in CATALOGUE.values():
        for one in group:
            if one.function == function:
                return one
    raise ProofError(f"no property is called {function}")
