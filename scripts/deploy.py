"""`ape run deploy`: launch Everstock on the connected chain and write down what is where.

On a fork that ends with it, to see that it works: `everstock ape run deploy`. On a running `everstock devnet`, for a keeper to
find: export what that prints "for ape", then `.venv/bin/ape run deploy --out build/manifest.json`.
"""

import os
from pathlib import Path

import ape
import click
from ape.cli import ConnectedProviderCommand
from eth_account import Account
from rich.console import Console
from web3 import Web3

from everstock.chain import devnet
from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.launch import STOCK_DECIMALS, Stock, launch
from everstock.chain.transactions import Wallet
from everstock.volatility.history import read, seed

# Dollars at listing; they set a market's least amounts of margin and face, nothing else.
STOCKS = (Stock("TSLA.M", "Tesla, tokenized", 440.0, 10_000 * 10**STOCK_DECIMALS),)


@click.command(cls=ConnectedProviderCommand)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("build/manifest.json"), show_default=True)
@click.option("--key-env", help="Environment variable with the deployer's private key. Needed on Base; on a fork, wallet 0.")
@click.option(
    "--history",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with BTC.csv and ETH.csv, bars of at most an hour until now, that volatility begins with."
    "  [default: it begins at 60% and 72%]",
)
@click.option("--custodian", help="Address whose attestations mint.  [default: the deployer]")
def cli(out: Path, key_env: str | None, history: Path | None, custodian: str | None) -> None:
    """Deploy the oracles, the lens, and a vault and a market for each stock; write the manifest."""
    console = Console()
    # Not Ape's own Web3, which adds a gas price to every transaction.
    w3 = Web3(Web3.HTTPProvider(ape.networks.provider.http_uri))
    kind = devnet.mode(w3)
    if key_env is None and kind is devnet.Mode.LIVE:
        raise click.UsageError("this is Base itself: name the deployer's key with --key-env")
    if key_env is not None and key_env not in os.environ:
        raise click.UsageError(f"the environment has no {key_env}")
    account = Account.from_key(os.environ[key_env]) if key_env else devnet.account(0)
    wallet = Wallet(w3, account)
    console.print(f"deploying from {wallet.address} to {kind}")
    manifest = launch(
        wallet,
        STOCKS,
        custodian=custodian or wallet.address,
        seeds=[seed(read(history / f"{name}.csv", name)) for name in UNDERLYINGS] if history else None,
        progress=lambda step: console.print(f"  {step}"),
    )
    manifest.save(out)
    console.print(f"written to {out}")
