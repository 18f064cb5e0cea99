"""The command line: one group whose commands are loaded when they are called for."""

import importlib
import signal
from collections.abc import Mapping
from types import FrameType
from typing import Final, NoReturn

import click

# name: (module, attribute, what `everstock --help` says). Add a command here; its module loads only when it runs.
COMMANDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "demo": ("everstock.demo.command", "run_demo", "Two markets, their traders and a keeper live through a crash."),
    "devnet": ("everstock.chain.command", "run_devnet", "Run a local Base and keep it running, to look around in."),
    "keeper": ("everstock.keeper.command", "run_keeper", "Keep a deployment: prices, orders, liquidations, upkeep."),
    "replay": ("everstock.replay.command", "run_replay", "Past prices against the real contracts, in process."),
    "risks": ("everstock.replay.risks", "run_risks", "Jumps of each size against the contracts; writes docs/RISKS.md's table."),
    "bench": ("everstock.bench.command", "run_bench", "Measure gas and code sizes; writes docs/GAS.md."),
    "bench-floats": ("everstock.bench.floats", "run_bench_floats", "Time the float price on many legs; writes docs/SPEED.md."),
    "proofs": ("everstock.proofs.command", "run_proofs", "Prove the contracts' arithmetic; writes docs/PROOFS.md."),
    "lp-history": ("everstock.risk.command", "run_lp_history", "What a pool earned on eight years; writes docs/LP_HISTORY.md."),
    "volatility": ("everstock.volatility.command", "run_volatility", "Past volatility as the contract has it; writes docs/VOLATILITY.md."),
    "carry": ("everstock.volatility.command", "run_carry", "Estimate carry from closes, with confidence intervals."),
    "ape": ("everstock.chain.command", "run_ape", "Run an Ape command on a local fork of Base."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only to run it, so that help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        return getattr(importlib.import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def everstock() -> None:
    """Perpetual options on BTC and ETH, margined in tokenized stocks, on Base.

    Everything runs on this machine, on a chain that looks like Base: its chain id, its addresses, with code of ours
    behind them and prices that move as a command says. No key or money is needed, nor a network where the prices are at
    hand, in the folder that EVERSTOCK_DATA names; a demo has some of its own.

    \b
    With BASE_RPC_URL set to a Base endpoint, the same commands run on a fork of Base itself, at block
    BASE_FORK_BLOCK or a pinned one. What runs is said at the start.

    Each command explains itself: everstock COMMAND --help (ape hands it on to Ape)
    """


def main() -> None:
    """Entry point. SIGTERM ends a command as Ctrl-C does, so that what it started is stopped."""
    signal.signal(signal.SIGTERM, _terminated)
    everstock()


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
