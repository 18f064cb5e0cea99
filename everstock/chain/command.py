"""`everstock devnet` and `everstock ape`."""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.table import Table

from everstock.chain import addresses, devnet
from everstock.chain.anvil import AnvilError
from everstock.chain.ape_bridge import environment
from everstock.chain.artifacts import ArtifactError
from everstock.chain.hermes import HermesServer


class _LocalError(click.ClickException):
    """A chain that did not start, in words rather than as a traceback."""


@click.command("devnet")
@click.option("--port", default=8545, show_default=True, help="Port of the chain to use; 0 takes a free one.")
@click.option("--upstream-port", default=0, help="Port of the look-alike that it forks.  [default: a free one]")
@click.option("--hermes-port", default=0, help="Port of the price service.  [default: a free one]")
@click.option("--accounts", default=devnet.ACCOUNTS, show_default=True, help="How many accounts start with ether.")
@click.option("--block-time", default=2, show_default=True, help="Seconds between blocks without transactions.")
def run_devnet(port: int, upstream_port: int, hermes_port: int, accounts: int, block_time: int) -> None:
    """Run a local Base until Ctrl-C.

    \b
    Two Anvils: a look-alike that carries working code at Base's addresses, and a fork of it, which is the chain to
    use. With BASE_RPC_URL set the fork is of Base itself. Beside them a service hands out signed prices as Pyth's
    Hermes does:

    \b
      curl 'http://127.0.0.1:PORT/v2/updates/price/latest?ids[]=e62df6c8...'
    """
    console = Console()
    upstream = os.environ.get(devnet.BASE_RPC_URL)
    try:
        if upstream:
            with devnet.fork(upstream, accounts=accounts, port=port) as chain:
                _serve(console, chain, hermes_port, block_time)
        else:
            with (
                devnet.lookalike(accounts=accounts, port=upstream_port) as base,
                devnet.fork(base, accounts=accounts, port=port) as chain,
            ):
                _serve(console, chain, hermes_port, block_time)
    except (AnvilError, ArtifactError, devnet.ChainError) as error:
        raise _LocalError(str(error)) from error
    except KeyboardInterrupt:
        console.print("stopped")


@click.command(
    "ape",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_ape(arguments: tuple[str, ...]) -> None:
    """Run an Ape command on a local fork of Base, such as: everstock ape console

    The fork is `base:mainnet-fork:foundry`, Ape's default network here; it is gone when the command ends.
    """
    tools = Path(sys.executable).parent
    try:
        with devnet.fork() as chain, TemporaryDirectory(prefix="everstock-ape-") as folder:
            Console(stderr=True).print(chain.banner())
            result = subprocess.run([str(tools / "ape"), *arguments], env=environment(chain, folder), check=False)
    except (AnvilError, ArtifactError, devnet.ChainError) as error:
        raise _LocalError(str(error)) from error
    raise SystemExit(result.returncode)


def _serve(console: Console, chain: devnet.Chain, hermes_port: int, block_time: int) -> None:
    with HermesServer(chain.publisher, hermes_port) as hermes:
        console.print(chain.banner())
        table = Table(show_header=False, box=None)
        table.add_row("chain", chain.url)
        table.add_row("forks", chain.upstream)
        table.add_row("prices", hermes.url)
        table.add_row("accounts", f"m/44'/60'/0'/0/N of: {devnet.MNEMONIC}")
        for name, address in _PLACES.items():
            table.add_row(name, address)
        table.add_row("for ape", f"export {devnet.BASE_RPC_URL}={chain.upstream} APE_FOUNDRY_HOST={chain.url}")
        console.print(table)
        console.print("Ctrl-C stops it.")
        while chain.anvil.running:
            time.sleep(block_time)
            chain.mine()
        raise AnvilError(f"Anvil ended:\n{chain.anvil.log_tail()}")


_PLACES = {
    "Pyth": addresses.PYTH,
    "Chainlink BTC/USD": addresses.CHAINLINK_BTC_USD,
    "Chainlink ETH/USD": addresses.CHAINLINK_ETH_USD,
    "sequencer uptime": addresses.SEQUENCER_UPTIME,
    "USDC": addresses.USDC,
    "WETH": addresses.WETH,
    "Multicall3": addresses.MULTICALL3,
}
