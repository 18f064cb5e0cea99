"""The chain that everything here runs on: a fork of Base, or of a chain that looks like it.

`lookalike()` starts an Anvil that carries working code of ours at Base's real addresses. `fork()` starts an Anvil that
forks it, and that is where Everstock is deployed; with BASE_RPC_URL set the same call forks Base itself at a pinned
block, where our code replaces only the feeds, and only if the caller wants to move prices. `mode()` tells the two
apart by what the chain itself says.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak, to_checksum_address
from rich.panel import Panel
from rich.text import Text
from web3 import Web3
from web3.exceptions import BadFunctionCallOutput, ContractLogicError, Web3RPCError

from everstock.chain import addresses, artifacts
from everstock.chain.anvil import Anvil
from everstock.chain.feeds import DEVNET_OPERATOR, Feeds
from everstock.chain.publisher import DEVNET_PUBLISHER, PricePublisher
from everstock.chain.transactions import Wallet, call

BASE_RPC_URL: Final = "BASE_RPC_URL"
BASE_FORK_BLOCK: Final = "BASE_FORK_BLOCK"

# 2025-11-10, by Base's 1686789347 + 2 * number.
PINNED_BLOCK: Final = 38_000_000

# 0.005 gwei. Base sets a minimum of that order (https://docs.base.org/base-chain/network-information/network-fees);
# Anvil's would decay towards 0 in blocks that are nearly empty.
BASE_FEE: Final = 5_000_000

# Ours rather than Anvil's: on Base itself the usual test accounts carry code that takes whatever they are sent.
MNEMONIC: Final = "wait dash people delay action opinion mutual battle pact put cost clean"
ACCOUNTS: Final = 10
ACCOUNT_BALANCE: Final = 10_000 * 10**18

# At a place where nobody can have a contract: code that says what the chain is. STOP, then words.
MARKER: Final = to_checksum_address(keccak(text="everstock look-alike of Base")[-20:])
MARKER_CODE: Final = b"\0Everstock's look-alike of Base"

# What the look-alike opens with, 8 decimals: closes of 2025-10-09.
OPENING_PRICES: Final = {"BTC": 121_662_40000000, "ETH": 4_368_09000000}
# The sequencer is long out of its grace period.
SEQUENCER_AGE: Final = 86_400

Account.enable_unaudited_hdwallet_features()


class Mode(StrEnum):
    """What a chain is."""

    DEVNET = "devnet"
    """Local, and its state too: the look-alike or a fork of it."""
    FORK = "fork"
    """Local, with Base's state: a fork of Base itself."""
    LIVE = "live"
    """Base."""


class ChainError(RuntimeError):
    """A chain is not what it should be."""


def mode(w3: Web3) -> Mode:
    """What the chain behind `w3` is, told from its genesis block, which no local node can forge or change.

    Raises `ChainError` if it is neither Base nor a fork of it nor the look-alike.
    """
    if w3.eth.chain_id != addresses.CHAIN_ID:
        raise ChainError(f"chain id {w3.eth.chain_id} is not Base's, {addresses.CHAIN_ID}")
    local = "anvil" in w3.client_version.lower()
    genesis = w3.eth.get_block(0)["hash"].to_0x_hex()
    if genesis == addresses.GENESIS_HASH:
        return Mode.FORK if local else Mode.LIVE
    if local and w3.eth.get_code(MARKER) == MARKER_CODE:
        return Mode.DEVNET
    raise ChainError(f"genesis {genesis} is not Base's, and the chain does not carry the look-alike's mark")


def prices_movable(w3: Web3) -> bool:
    """Whether the chain's feeds are ours, so that prices can be set; false on Base and on a plain fork of it."""
    pyth = w3.eth.contract(address=to_checksum_address(addresses.PYTH), abi=_VERSION_ABI)
    try:
        return pyth.functions.version().call() == "everstock-local"
    except (ContractLogicError, BadFunctionCallOutput, Web3RPCError):
        return False


def account(index: int) -> LocalAccount:
    """Account number `index` of every local chain: no secret, for nothing else."""
    return Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")


@dataclass(frozen=True)
class Chain:
    """A running local chain. `upstream` is the endpoint it forks, none for the look-alike itself."""

    anvil: Anvil
    w3: Web3
    mode: Mode
    upstream: str | None = None

    @property
    def url(self) -> str:
        """Its HTTP endpoint."""
        return self.anvil.url

    @cached_property
    def movable(self) -> bool:
        """Whether prices can be set."""
        return prices_movable(self.w3)

    @cached_property
    def feeds(self) -> Feeds:
        """The means to move prices, as of the first use. Raises `ChainError` if they cannot be moved."""
        return self.open_feeds()

    def open_feeds(self) -> Feeds:
        """New means to move prices, whose publisher begins with what the chain's own feeds say now.

        For use after the chain was rolled back, which a publisher does not notice. Raises `ChainError` if prices
        cannot be moved.
        """
        if not self.movable:
            raise ChainError("prices of this chain cannot be moved: its feeds are Base's own")
        feeds = Feeds(self.w3, PricePublisher(), before=self.hold_base_fee)
        feeds.publish({name: _pyth_price(self.w3, id_) for name, id_ in addresses.PYTH_IDS.items()}, self.now)
        return feeds

    @property
    def publisher(self) -> PricePublisher:
        """Signs the prices that `feeds` publishes."""
        return self.feeds.publisher

    @property
    def now(self) -> int:
        """Unix time of the latest block."""
        return self.w3.eth.get_block("latest")["timestamp"]

    def rpc(self, method: str, *parameters: Any) -> Any:
        """The result of a JSON-RPC call. Raises web3's `Web3RPCError`."""
        return self.w3.manager.request_blocking(method, list(parameters))

    def wallet(self, index: int) -> Wallet:
        """Wallet number `index` of the chain's own accounts; the first `accounts` of them start with ether."""
        return Wallet(self.w3, account(index))

    def fund(self, address: str, wei: int = ACCOUNT_BALANCE) -> None:
        """Set the ether of `address` to `wei`."""
        self.rpc("anvil_setBalance", address, hex(wei))

    def give_usdc(self, address: str, amount: int) -> None:
        """Set the USDC of `address` to `amount` raw units (6 decimals)."""
        self.rpc("anvil_dealERC20", address, addresses.USDC, hex(amount))

    def mine(self, timestamp: int | None = None) -> None:
        """Mine a block, at `timestamp` if given. Raises web3's `Web3RPCError` for a time before the latest block's."""
        self.hold_base_fee()
        if timestamp is not None:
            self.rpc("evm_setNextBlockTimestamp", hex(timestamp))
        self.rpc("evm_mine")

    def advance(self, seconds: int) -> None:
        """Mine a block `seconds` after the latest one."""
        self.mine(self.now + seconds)

    def stop_clock(self) -> None:
        """Make time stand still between blocks whose time is given, however long whoever uses the chain takes."""
        self.rpc("anvil_setBlockTimestampInterval", 0)

    def hold_base_fee(self) -> None:
        """Make `BASE_FEE` the next block's base fee."""
        self.rpc("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE))

    def snapshot(self) -> str:
        """Remember the state; `restore` it at most once."""
        return self.rpc("evm_snapshot")

    def restore(self, snapshot: str) -> None:
        """Go back to `snapshot`. Raises `ChainError` if it was used or never was."""
        if self.rpc("evm_revert", snapshot) is not True:
            raise ChainError(f"there is no snapshot {snapshot}")

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Whatever happens inside is undone on the chain at the end; prices that `feeds` remembers are not."""
        snapshot = self.snapshot()
        try:
            yield
        finally:
            self.restore(snapshot)

    def banner(self) -> Panel:
        """What this chain is, for a person."""
        block = self.w3.eth.block_number
        if self.mode is Mode.DEVNET:
            title, color = "BASE LOOK-ALIKE", "cyan"
            says = "A local chain with Base's chain id and addresses. All of its code and every price is our own."
        else:
            title, color = "FORK OF BASE", "yellow"
            says = f"A local copy of Base as it was at block {block}. Its tokens and contracts are Base's; "
            says += "its price feeds are replaced by our own." if self.movable else "so are its price feeds."
        where = f"{self.url}, chain id {addresses.CHAIN_ID}, block {block}"
        lines = Text(f"{says}\nNothing here is worth anything.\n{where}")
        return Panel(lines, title=f"[bold]{title}[/bold]", border_style=color, expand=False)


@contextmanager
def lookalike(
    prices: Mapping[str, int] = OPENING_PRICES,
    *,
    timestamp: int | None = None,
    accounts: int = ACCOUNTS,
    port: int = 0,
    log_path: Path | None = None,
) -> Iterator[Chain]:
    """An Anvil with working code at Base's addresses; forks of it share nothing but its state at their start.

    `prices` (8 decimals) are what its feeds open with, `timestamp` (now) the time of its first block. Raises
    `AnvilError` or `ArtifactError`.
    """
    arguments = _arguments(accounts)
    if timestamp is not None:
        arguments += ["--timestamp", str(timestamp)]
    with Anvil([*arguments, "--chain-id", str(addresses.CHAIN_ID)], port=port, log_path=log_path) as anvil:
        chain = Chain(anvil, anvil.web3(), Mode.DEVNET)
        chain.rpc("anvil_setCode", MARKER, _hex(MARKER_CODE))
        _etch(chain, addresses.WETH, "WETH9")
        _etch(chain, addresses.USDC, "USDC", DEVNET_OPERATOR.address)
        _etch(chain, addresses.MULTICALL3, "Multicall3")
        _etch_feeds(chain, prices)
        # Forks start from a block, so what was set between blocks must be in one.
        chain.mine()
        if mode(chain.w3) is not Mode.DEVNET:
            raise ChainError("the look-alike is not recognised as one")
        yield chain


@contextmanager
def fork(
    upstream: str | Chain | None = None,
    *,
    movable_prices: bool = True,
    prices: Mapping[str, int] = OPENING_PRICES,
    accounts: int = ACCOUNTS,
    port: int = 0,
    log_path: Path | None = None,
) -> Iterator[Chain]:
    """The chain to run on: a local fork of `upstream`, by default of BASE_RPC_URL, and without it of a look-alike.

    A fork of Base starts at block BASE_FORK_BLOCK (`PINNED_BLOCK`). With `movable_prices` our feeds take the place of
    its own and open with the same prices; a look-alike started here opens with `prices`. Raises `AnvilError`,
    `ArtifactError`, or `ChainError` if upstream is no Base.
    """
    with ExitStack() as stack:
        if upstream is None:
            upstream = os.environ.get(BASE_RPC_URL) or stack.enter_context(lookalike(prices))
        url = upstream.url if isinstance(upstream, Chain) else upstream
        # What is kept on disk about a chain id and a block would be that of an earlier look-alike.
        arguments = [*_arguments(accounts), "--fork-url", url, "--no-storage-caching"]
        kind = mode(Web3(Web3.HTTPProvider(url)))
        if kind is not Mode.DEVNET:
            arguments += ["--fork-block-number", os.environ.get(BASE_FORK_BLOCK) or str(PINNED_BLOCK)]
        anvil = stack.enter_context(Anvil(arguments, port=port, log_path=log_path))
        w3 = anvil.web3()
        chain = Chain(anvil, w3, mode(w3), url)
        if movable_prices and not prices_movable(w3):
            _etch_feeds(chain, {name: _chainlink_price(w3, name) for name in addresses.CHAINLINK_FEEDS})
        chain.fund(DEVNET_OPERATOR.address)
        chain.mine()
        yield chain


_VERSION_ABI: Final = [
    {"type": "function", "name": "version", "stateMutability": "view", "inputs": [], "outputs": [{"type": "string"}]}
]


def _arguments(accounts: int) -> list[str]:
    return [
        # Base's own rules: its hardfork, and its base fee, which moves slowly.
        *("--network", "optimism"),
        *("--base-fee", str(BASE_FEE)),
        *("--mnemonic", MNEMONIC),
        *("--accounts", str(accounts)),
    ]


def _etch(chain: Chain, address: str, name: str, *arguments: Any) -> None:
    """Put the runtime code of a contract, immutables and all, at `address`; its storage stays as it is."""
    code = chain.w3.eth.call({"data": artifacts.load(name).init_code(*arguments), "gas": 20_000_000})
    chain.rpc("anvil_setCode", address, _hex(code))


def _etch_feeds(chain: Chain, prices: Mapping[str, int]) -> None:
    """Our feeds at the addresses of Pyth, Chainlink and the sequencer, open with `prices`."""
    operator = DEVNET_OPERATOR.address
    chain.fund(operator)
    described = {addresses.CHAINLINK_FEEDS[name]: (operator, 8, f"{name} / USD") for name in prices}
    described[addresses.SEQUENCER_UPTIME] = (operator, 0, "L2 Sequencer Uptime Status Feed")
    for address, arguments in described.items():
        _etch(chain, address, "ChainlinkFeed", *arguments)
        # Its only plain storage slot, which may hold what the replaced contract left there.
        chain.rpc("anvil_setStorageAt", address, _hex(bytes(32)), _hex(bytes(32)))
    _etch(chain, addresses.PYTH, "PythFeed", DEVNET_PUBLISHER.address)

    feeds = Feeds(chain.w3, PricePublisher(), before=chain.hold_base_fee)
    now = chain.now
    feeds.set_sequencer(up=True, since=now - SEQUENCER_AGE)
    feeds.bring(Wallet(chain.w3, DEVNET_OPERATOR), [feeds.set_prices(prices, now)])


def _chainlink_price(w3: Web3, underlying: str) -> int:
    feed = artifacts.load("ChainlinkFeed").at(w3, addresses.CHAINLINK_FEEDS[underlying])
    return call(feed.functions.latestRoundData())[1]


def _pyth_price(w3: Web3, id_: str) -> int:
    pyth = artifacts.load("PythFeed").at(w3, addresses.PYTH)
    return call(pyth.functions.getPriceUnsafe(id_))[0]


def _hex(data: bytes) -> str:
    return f"0x{bytes(data).hex()}"
