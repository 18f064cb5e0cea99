"""`everstock keeper`."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import requests
import structlog
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3

from everstock.chain import devnet
from everstock.chain.artifacts import ArtifactError
from everstock.chain.manifest import Manifest, ManifestError
from everstock.keeper.board import Board, BoardServer
from everstock.keeper.decide import Policy
from everstock.keeper.hermes import Hermes
from everstock.keeper.rpc import Rpc, RpcDown, RpcError
from everstock.keeper.run import Keeper

_DEFAULTS = Policy()


@click.command("keeper")
@click.option(
    "--manifest",
    "manifest_path",
    required=True,
    type=click.Path(path_type=Path),
    help="The deployment, as its launch wrote it down.",
)
@click.option("--rpc", "rpc_url", required=True, help="The node's HTTP endpoint.")
@click.option("--hermes", "hermes_url", default="https://hermes.pyth.network", show_default=True, help="Pyth's Hermes.")
@click.option("--hermes-key-env", metavar="NAME", help="Environment variable with Hermes' API key.")
@click.option(
    "--hermes-header",
    default="Authorization: Bearer {key}",
    show_default=True,
    help="The header that carries it; {key} is put in.",
)
@click.option("--key-env", metavar="NAME", help="Environment variable with the private key to send with.")
@click.option("--key-index", type=int, metavar="N", help="Instead: wallet N of a local chain. Its key is no secret.")
@click.option("--poll", default=0.5, show_default=True, help="Seconds between looks for a new block.")
@click.option("--metrics-port", type=int, help="Serve /status and /metrics here; 0 takes a free port.  [default: no]")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address to serve them on.")
@click.option("--once", is_flag=True, help="Handle one block and end.")
@click.option(
    "--unprofitable",
    type=click.Choice(["skip", "ok"]),
    default="skip",
    show_default=True,
    help="Orders whose fee does not cover what triggering or executing them costs.",
)
@click.option(
    "--max-price-age",
    default=_DEFAULTS.max_price_age,
    show_default=True,
    help="Seconds that a stored price may age while positions are open; 0 for no limit.",
)
@click.option(
    "--price-move",
    default=_DEFAULTS.price_move / 100,
    show_default=True,
    help="Percent that a price may move before it is stored, while positions are open; 0 for no limit.",
)
@click.option(
    "--block-seconds",
    default=_DEFAULTS.block_seconds,
    show_default=True,
    help="Seconds between blocks: how much later than the head a transaction counts as mined.",
)
@click.option("--tip", default=_DEFAULTS.priority_fee, show_default=True, help="Priority fee, wei per gas.")
@click.option("--log", "log_format", type=click.Choice(["console", "json"]), help="[default: json unless a terminal]")
@click.option("--verbose", is_flag=True, help="Log every block, not only what is done.")
def run_keeper(
    manifest_path: Path,
    rpc_url: str,
    hermes_url: str,
    hermes_key_env: str | None,
    hermes_header: str,
    key_env: str | None,
    key_index: int | None,
    poll: float,
    metrics_port: int | None,
    metrics_host: str,
    once: bool,
    unprofitable: str,
    max_price_age: int,
    price_move: float,
    block_seconds: int,
    tip: int,
    log_format: str | None,
    verbose: bool,
) -> None:
    """Keep a deployment: prices, orders, liquidations, liquidity, checkpoints.

    \b
    For all markets of a deployment, at every block:
      prices        Pyth's are brought when they moved or age while positions are open
      orders        conditional ones triggered, for a share of their fees; executed at their first
                    price, together where they share it, for their fees, an account's as they went
                    live; voided when their window was missed, or a conditional one's deadline
      liquidations  accounts that are below maintenance at the newest price, stored or not,
                    worst first; the reward is credited to this account at the clearing house
      liquidity     requests that have waited are fulfilled
      checkpoints   made hourly, when an index moved, and when the book is to be scaled
      settlement    accounts resolved, and then the end fixed
      volatility    sampled at the first price of every ten minutes

    Everything is simulated before it is sent; what fails is said, left alone for a while and tried again. Nothing is
    kept on disk: a keeper that is started again reads events and goes on. Several may run side by side, each
    with an account of its own.

    \b
    Against a local chain (see everstock devnet) with a deployment written to build/manifest.json (see scripts/deploy.py):
      everstock keeper --manifest build/manifest.json --rpc http://127.0.0.1:8545 \\
          --hermes http://127.0.0.1:PORT --key-index 9 --metrics-port 9100
      curl http://127.0.0.1:9100/status

    \b
    Against Base, with ether for gas in the account:
      KEEPER_KEY=0x... HERMES_KEY=... everstock keeper --manifest base.json --rpc https://... \\
          --key-env KEEPER_KEY --hermes-key-env HERMES_KEY --metrics-port 9100

    It runs until Ctrl-C or SIGTERM, and then ends with exit code 0.
    """
    _log(log_format or ("console" if sys.stderr.isatty() else "json"), verbose)
    policy = Policy(
        block_seconds=block_seconds,
        max_price_age=max_price_age,
        price_move=round(price_move * 100),
        priority_fee=tip,
        unprofitable=unprofitable == "ok",
    )
    headers = _hermes_headers(hermes_key_env, hermes_header)
    rpc = Rpc(rpc_url)
    try:
        manifest = Manifest.read(manifest_path)
        account = _account(key_env, key_index)
        board = Board(account.address)
        keeper = Keeper(
            manifest, rpc, Hermes(hermes_url, manifest.pyth_ids, headers=headers), account, policy, board
        )
        with ExitStack() as stack:
            stack.enter_context(_stopped_by_signals(keeper))
            if metrics_port is not None:
                server = stack.enter_context(BoardServer(board, metrics_port, metrics_host))
                structlog.get_logger("keeper").info("serving", status=f"{server.url}/status")
            _wait_for_chain(keeper, manifest, rpc_url, poll, once=once, is_public=key_index is not None)
            if not once:
                keeper.run(poll)
            while once and not keeper.stop.is_set() and not keeper.step():
                pass
    except (ManifestError, ArtifactError, devnet.ChainError, RpcDown, RpcError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _wait_for_chain(
    keeper: Keeper, manifest: Manifest, url: str, poll: float, *, once: bool, is_public: bool
) -> None:
    """Return when the node answers and carries the deployment.

    Raises `ManifestError`, `ChainError`, and if `once` also `RpcDown`.
    """
    w3 = Web3(HTTPProvider(url))
    while not keeper.stop.is_set():
        try:
            manifest.check(w3)
            if is_public and devnet.mode(w3) is devnet.Mode.LIVE:
                raise devnet.ChainError("that wallet's key is known to everyone, and this is Base")
        except requests.RequestException as error:
            if once:
                raise RpcDown(f"the node does not answer: {type(error).__name__}") from error
            structlog.get_logger("keeper").warning("waiting for the node", error=type(error).__name__)
            keeper.stop.wait(max(poll, 1))
        else:
            return


def _account(key_env: str | None, key_index: int | None) -> LocalAccount:
    """Who sends. Raises click's errors if none or two are named, or a key is none."""
    if (key_env is None) == (key_index is None):
        raise click.UsageError("name either --key-env or --key-index")
    if key_env is None:
        return Account.from_mnemonic(devnet.MNEMONIC, account_path=f"m/44'/60'/0'/0/{key_index}")
    try:
        return Account.from_key(_environment(key_env))
    except ValueError as error:
        raise click.ClickException(f"{key_env} is no private key") from error


def _hermes_headers(key_env: str | None, header: str) -> dict[str, str]:
    if key_env is None:
        return {}
    name, _, value = header.partition(":")
    return {name.strip(): value.strip().replace("{key}", _environment(key_env))}


def _environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise click.ClickException(f"the environment variable {name} is not set")
    return value


@contextmanager
def _stopped_by_signals(keeper: Keeper) -> Iterator[None]:
    """The first SIGTERM or SIGINT lets the keeper finish what it is at; a second one ends it at once."""

    def stop(number: int, _frame: Any) -> None:
        keeper.stop.set()
        signal.signal(number, before[number])

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _log(style: str, verbose: bool) -> None:
    """Log to stderr, as lines of JSON or for a person."""
    renderer = structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
