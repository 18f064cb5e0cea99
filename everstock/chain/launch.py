"""Deploying a whole Everstock to a chain: oracle, lens, and for each stock a vault and its market."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from web3.contract import Contract

from everstock.chain import addresses, artifacts
from everstock.chain.deployment import (
    UNDERLYINGS,
    base_feeds,
    deploy_market,
    deploy_oracle,
    deploy_timelock,
    deploy_volatility_oracle,
    seed_without_history,
)
from everstock.chain.manifest import Manifest, MarketManifest
from everstock.chain.transactions import Wallet
from everstock.model.volatility_oracle import Seed
from everstock.parameters import MarketParameters

# Every stock token of ours has as many.
STOCK_DECIMALS: Final = 18
# Squared sigma per year in 1e-10 that volatility begins at where it is given no history: 60% and 72%.
OPENING_VARIANCES: Final = {"BTC": 3_600_000_000, "ETH": 5_184_000_000}


@dataclass(frozen=True)
class Stock:
    """A stock to open a market in. `price_usd` at listing sets the market's least amounts."""

    symbol: str
    name: str
    price_usd: float
    daily_limit: int  # of minting, raw units a day


@dataclass(frozen=True)
class ChainDeployer:
    """A `Deployer` that sends transactions from a wallet, which nobody else may use meanwhile."""

    wallet: Wallet

    @property
    def address(self) -> str:
        return self.wallet.address

    @property
    def nonce(self) -> int:
        return self.wallet.w3.eth.get_transaction_count(self.wallet.address)

    def deploy(self, name: str, *arguments: Any) -> Contract:
        return self.wallet.deploy(artifacts.load(name), *arguments)


def launch(
    wallet: Wallet,
    stocks: Sequence[Stock],
    *,
    custodian: str,
    seeds: Sequence[Seed] | None = None,
    parameters: Callable[[Stock], MarketParameters] | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Manifest:
    """Deploy everything from `wallet`, which becomes the owner, and return the manifest.

    `seeds` say where the volatility of each underlying begins, by default at `OPENING_VARIANCES`. `parameters` makes a
    stock's market parameters, by default the preset at its price. `progress` is told each step. Raises `Reverted`.
    """
    w3 = wallet.w3
    first_block = w3.eth.block_number
    deployer = ChainDeployer(wallet)
    owner = wallet.address
    progress("price oracle")
    oracle = deploy_oracle(deployer, owner, addresses.PYTH, addresses.SEQUENCER_UPTIME)
    for id_, feed in enumerate(base_feeds()):
        wallet.transact(oracle.functions.set_feed(id_, *feed.arguments()))
    progress("volatility oracle")
    seeds = seeds or [seed_without_history(name, OPENING_VARIANCES[name]) for name in UNDERLYINGS]
    volatility_oracle = deploy_volatility_oracle(deployer, oracle.address, seeds)
    # Markets read them from the start; what the first samples make of them comes from the volatility oracle.
    for seed in seeds:
        wallet.transact(oracle.functions.set_variances(seed.underlying, *seed.track().written()))
    wallet.transact(oracle.functions.set_volatility_oracle(volatility_oracle.address))
    progress("lens")
    lens = deployer.deploy("MarketLens")
    progress("timelock")
    timelock = deploy_timelock(deployer, owner)

    markets = []
    for stock in stocks:
        progress(f"market {stock.symbol}")
        vault = deployer.deploy(
            "StockVault", stock.name, stock.symbol, owner, custodian, stock.daily_limit, stock.daily_limit
        )
        made = parameters(stock) if parameters else MarketParameters.preset(stock.price_usd, STOCK_DECIMALS)
        market = deploy_market(
            deployer,
            owner=owner,
            timelock=timelock.address,
            token=vault.address,
            decimals=STOCK_DECIMALS,
            name=stock.symbol,
            oracle=oracle.address,
            parameters=made,
        )
        markets.append(
            MarketManifest(
                symbol=stock.symbol,
                decimals=STOCK_DECIMALS,
                underlyings=list(range(len(UNDERLYINGS))),
                order_delay=made.order_delay,
                vault=vault.address,
                **{role: contract.address for role, contract in market.contracts().items()},
            )
        )
    return Manifest(
        chain_id=w3.eth.chain_id,
        first_block=first_block,
        owner=owner,
        custodian=custodian,
        oracle=oracle.address,
        volatility_oracle=volatility_oracle.address,
        lens=lens.address,
        timelock=timelock.address,
        pyth=addresses.PYTH,
        multicall=addresses.MULTICALL3,
        underlyings=list(UNDERLYINGS),
        pyth_ids=[addresses.PYTH_IDS[name] for name in UNDERLYINGS],
        markets=markets,
    )
