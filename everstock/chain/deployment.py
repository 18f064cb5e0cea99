"""Deploying Everstock: the shared contracts once, then markets, each a set of contracts that know each other as immutables.

A market's contracts are created one after another by one deployer, so that each can be told the addresses of those that
come later: the address of a creation follows from its deployer and nonce alone. What differs between chains and tests is
behind `Deployer`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any, Final, Protocol

import rlp
from eth_utils import keccak, to_canonical_address, to_checksum_address

from everstock.chain import addresses
from everstock.model.volatility_oracle import Seed
from everstock.parameters import MarketParameters

# Chainlink's heartbeat of BTC/USD and ETH/USD on Base, seconds: https://docs.chain.link/data-feeds/price-feeds/addresses
CHAINLINK_HEARTBEAT: Final = 1_200
# Of a heartbeat; an answer older than that is no bound.
CHAINLINK_MAX_AGE: Final = CHAINLINK_HEARTBEAT * 3 // 2
# Fixed bands in whole USD: wide enough for a decade, narrow enough to stop a misplaced decimal point.
PRICE_BANDS: Final = {"BTC": (1_000, 10_000_000), "ETH": (20, 1_000_000)}
MAX_CONFIDENCE: Final = 500  # 1e-5 of the price
NARROW_GAP: Final = 1_000  # 1e-5
WIDE_GAP: Final = 3_000  # 1e-5
# Least variances, sigma squared per year in 1e-10: 25% and 30%.
FLOORS: Final = {"BTC": 625_000_000, "ETH": 900_000_000}
# From a proposal to its execution, seconds.
TIMELOCK_DELAY: Final = 2 * 86_400

# Ids of the underlyings at the oracle, in the order of this list.
UNDERLYINGS: Final = ("BTC", "ETH")


class Deployer(Protocol):
    """Who creates contracts, and where."""

    @property
    def address(self) -> str:
        """The creating account."""

    @property
    def nonce(self) -> int:
        """How many transactions it has sent: the nonce of its next creation."""

    def deploy(self, name: str, *arguments: Any) -> Any:
        """Create the contract called `name` and return it; the result has an `address`."""


@dataclass(frozen=True)
class Feed:
    """An underlying's price source and its guards. `description` is what the Chainlink feed must say that it is."""

    pyth_id: bytes
    chainlink: str
    chainlink_max_age: int = CHAINLINK_MAX_AGE
    min_price: int = 0
    max_price: int = 0
    max_confidence: int = MAX_CONFIDENCE
    narrow_gap: int = NARROW_GAP
    wide_gap: int = WIDE_GAP
    description: str = ""

    def as_tuple(self) -> tuple[Any, ...]:
        """In the order of IPriceOracle.Feed."""
        *guards, _ = asdict(self).values()
        return tuple(guards)

    def arguments(self) -> tuple[tuple[Any, ...], str]:
        """As `PriceOracle.set_feed` takes them, after the underlying's id."""
        return self.as_tuple(), self.description


def base_feeds() -> list[Feed]:
    """The feeds of `UNDERLYINGS` at their addresses on Base."""
    return [
        Feed(
            pyth_id=bytes.fromhex(addresses.PYTH_IDS[name].removeprefix("0x")),
            chainlink=addresses.CHAINLINK_FEEDS[name],
            min_price=PRICE_BANDS[name][0] * 10**8,
            max_price=PRICE_BANDS[name][1] * 10**8,
            description=f"{name} / USD",
        )
        for name in UNDERLYINGS
    ]


@dataclass(frozen=True)
class Market:
    """The contracts of one market. `token` is its stock token's address."""

    token: str
    risk_parameters: Any
    risk_book: Any
    clearing_house: Any
    main_pool: Any
    insurance_pool: Any
    liquidator: Any
    order_desk: Any
    series_listing: Any
    treasury: Any

    def contracts(self) -> Mapping[str, Any]:
        """Its contracts by role."""
        return {name: contract for name, contract in vars(self).items() if name != "token"}


def created_address(creator: str, nonce: int) -> str:
    """Where `creator`'s creation number `nonce` lies (EIP-1014's predecessor: keccak of rlp([creator, nonce]))."""
    return to_checksum_address(keccak(rlp.encode([to_canonical_address(creator), nonce]))[-20:])


def deploy_oracle(deployer: Deployer, owner: str, pyth: str, sequencer: str) -> Any:
    """Create the shared PriceOracle. Its owner still has to set feeds and variances."""
    return deployer.deploy("PriceOracle", owner, pyth, sequencer)


def deploy_volatility_oracle(deployer: Deployer, oracle: str, seeds: Sequence[Seed]) -> Any:
    """Create the shared VolatilityOracle. The PriceOracle's owner still has to appoint it."""
    return deployer.deploy("VolatilityOracle", oracle, [astuple(seed) for seed in seeds])


def seed_without_history(name: str, variance: int) -> Seed:
    """An underlying that begins at a variance (per year in 1e-10) and takes its first price from its first sample."""
    return Seed(UNDERLYINGS.index(name), price=0, time=0, fast=variance, slow=variance, floor=FLOORS[name])


def deploy_timelock(deployer: Deployer, owner: str) -> Any:
    """Create the shared Timelock: `owner` proposes, cancels and executes."""
    return deployer.deploy("Timelock", TIMELOCK_DELAY, [owner], [owner])


def deploy_market(
    deployer: Deployer,
    *,
    owner: str,
    timelock: str,
    token: str,
    decimals: int,
    name: str,
    oracle: str,
    parameters: MarketParameters,
    underlyings: Iterable[int] = (0, 1),
) -> Market:
    """Create all contracts of one market. Its parameters listen to `timelock`, its treasury to both.

    `decimals` are the token's; `name` ("TSLA.M") goes into the pool shares' names; `underlyings` are ids at the oracle,
    one or two. Raises `ValueError` for none or more than two, and `AssertionError` if a contract landed elsewhere than
    foretold, which the deployer can only cause by sending something else meanwhile.
    """
    ids = list(underlyings)
    if not 1 <= len(ids) <= 2:
        raise ValueError(f"a market has one or two underlyings, not {len(ids)}")
    pair = (ids * 2)[:2]
    sharpness = [parameters.sharpness[UNDERLYINGS[id_]] for id_ in pair]
    order = (
        "RiskParameters",
        "RiskBook",
        "ClearingHouse",
        "MainPool",
        "InsurancePool",
        "Liquidator",
        "OrderDesk",
        "SeriesListing",
        "Treasury",
    )
    first = deployer.nonce
    at = {role: created_address(deployer.address, first + i) for i, role in enumerate(order)}
    arguments: dict[str, tuple[Any, ...]] = {
        "RiskParameters": (
            timelock,
            at["RiskBook"],
            parameters.rates(),
            parameters.carries([UNDERLYINGS[id_] for id_ in pair]),
            parameters.min_margin,
            parameters.min_face,
            parameters.deleverage_target,
        ),
        "RiskBook": (
            at["ClearingHouse"],
            at["MainPool"],
            at["SeriesListing"],
            at["RiskParameters"],
            oracle,
            pair,
            sharpness,
            decimals,
        ),
        "ClearingHouse": (
            token,
            at["RiskBook"],
            at["MainPool"],
            at["InsurancePool"],
            at["Liquidator"],
            at["OrderDesk"],
            at["Treasury"],
        ),
        "MainPool": (
            f"Everstock {name} main pool",
            f"es{name}",
            token,
            at["ClearingHouse"],
            at["RiskBook"],
            at["RiskParameters"],
        ),
        "InsurancePool": (
            f"Everstock {name} insurance pool",
            f"ei{name}",
            token,
            at["ClearingHouse"],
            at["RiskBook"],
            at["RiskParameters"],
        ),
        "Liquidator": (at["ClearingHouse"], oracle, ids, parameters.reward_share, parameters.reward_floor),
        "OrderDesk": (at["ClearingHouse"], at["RiskBook"], oracle, ids, parameters.order_delay),
        "SeriesListing": (at["RiskBook"], oracle),
        "Treasury": (owner, timelock, at["ClearingHouse"], parameters.treasury_least),
    }
    created = []
    for role in order:
        contract = deployer.deploy(role, *arguments[role])
        assert str(contract.address) == at[role], f"{role} was created at {contract.address}, not at {at[role]}"
        created.append(contract)
    return Market(token, *created)
