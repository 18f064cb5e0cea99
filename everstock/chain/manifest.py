"""What was deployed where: the one file that the keeper, scripts and people find a deployment by."""

from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import BadFunctionCallOutput

from everstock.chain import artifacts
from everstock.chain.transactions import Reverted, call

# The contract type behind each field of a `MarketManifest` that is a contract's address.
CONTRACTS: Final = {
    "vault": "StockVault",
    "risk_parameters": "RiskParameters",
    "risk_book": "RiskBook",
    "clearing_house": "ClearingHouse",
    "main_pool": "MainPool",
    "insurance_pool": "InsurancePool",
    "liquidator": "Liquidator",
    "order_desk": "OrderDesk",
    "series_listing": "SeriesListing",
    "treasury": "Treasury",
}


class ManifestError(RuntimeError):
    """A manifest is missing, unreadable, of another chain, or not what the chain says."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MarketManifest(_Frozen):
    """One market's contracts, by address. `symbol` is its stock token's ("TSLA.M"); `underlyings` are ids at the oracle;
    `order_delay` is from an order's request to its price, seconds."""

    symbol: str
    decimals: int
    underlyings: list[int]
    order_delay: int
    vault: str
    risk_parameters: str
    risk_book: str
    clearing_house: str
    main_pool: str
    insurance_pool: str
    liquidator: str
    order_desk: str
    series_listing: str
    treasury: str

    def contract(self, w3: Web3, role: str) -> Contract:
        """The contract in the field called `role`, as web3 sees it. Raises `KeyError` for a field that is none."""
        return artifacts.load(CONTRACTS[role]).at(w3, getattr(self, role))


class Manifest(_Frozen):
    """A deployment. `first_block` is the earliest whose events belong to it."""

    chain_id: int
    first_block: int
    owner: str
    custodian: str
    oracle: str
    volatility_oracle: str
    lens: str
    timelock: str
    pyth: str
    multicall: str
    # Names of the oracle's underlyings by id, and their Pyth ids.
    underlyings: list[str]
    pyth_ids: list[str]
    markets: list[MarketManifest]

    def save(self, path: Path) -> None:
        """Write it as JSON, folders included."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it back. Raises `ManifestError` in words if there is none or it is not one."""
        try:
            return cls.model_validate_json(path.read_text())
        except FileNotFoundError as error:
            raise ManifestError(f"there is no deployment at {path}") from error
        except ValidationError as error:
            raise ManifestError(f"{path} is no deployment: {error}") from error

    def check(self, w3: Web3) -> None:
        """Raise `ManifestError` unless the chain behind `w3` carries this deployment."""
        if w3.eth.chain_id != self.chain_id:
            raise ManifestError(f"the deployment is on chain {self.chain_id}, this is chain {w3.eth.chain_id}")
        for address in (self.oracle, *(market.clearing_house for market in self.markets)):
            if not w3.eth.get_code(Web3.to_checksum_address(address)):
                raise ManifestError(f"the chain has no contract at {address}: another chain, or before its deployment")
        for market in self.markets:
            try:
                delay = call(market.contract(w3, "order_desk").functions.DELAY())
            except (BadFunctionCallOutput, Reverted) as error:
                where = f"{market.symbol}: the order desk at {market.order_desk}"
                raise ManifestError(f"{where} does not tell its delay: {error}") from error
            if delay != market.order_delay:
                raise ManifestError(
                    f"{market.symbol}: the deployment's order_delay is {market.order_delay} s, its order desk's {delay} s"
                )

    def market(self, symbol: str) -> MarketManifest:
        """The market of a stock token. Raises `ManifestError` with the ones there are."""
        for market in self.markets:
            if market.symbol == symbol:
                return market
        raise ManifestError(f"no market is called {symbol}: there are {', '.join(m.symbol for m in self.markets)}")

    def oracle_contract(self, w3: Web3) -> Contract:
        """The shared PriceOracle."""
        return artifacts.load("PriceOracle").at(w3, self.oracle)

    def volatility_oracle_contract(self, w3: Web3) -> Contract:
        """The shared VolatilityOracle."""
        return artifacts.load("VolatilityOracle").at(w3, self.volatility_oracle)

    def lens_contract(self, w3: Web3) -> Contract:
        """The shared MarketLens."""
        return artifacts.load("MarketLens").at(w3, self.lens)
