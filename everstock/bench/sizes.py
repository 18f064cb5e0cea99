"""Runtime code of every contract that is deployed, immutables included, beside what the chain allows."""

from dataclasses import dataclass
from typing import Final

from web3 import Web3

from everstock.bench.stage import Stage
from everstock.chain.manifest import CONTRACTS

# EIP-170, and what each contract leaves of it for what comes later.
LIMIT: Final = 24_576
SPARE: Final = 1_500


@dataclass(frozen=True)
class Size:
    """One contract's code as deployed, in bytes."""

    name: str
    runtime: int

    @property
    def spare(self) -> int:
        """Bytes left of what the chain allows."""
        return LIMIT - self.runtime

    @property
    def kept(self) -> bool:
        """Whether enough is left."""
        return self.spare >= SPARE


def sizes(stage: Stage) -> list[Size]:
    """Every deployable, largest first."""
    market = stage.manifest.markets[0]
    at = {name: getattr(market, role) for role, name in CONTRACTS.items()}
    shared = {
        "PriceOracle": "oracle",
        "VolatilityOracle": "volatility_oracle",
        "MarketLens": "lens",
        "Timelock": "timelock",
    }
    at |= {name: getattr(stage.manifest, field) for name, field in shared.items()}
    w3 = stage.chain.w3
    found = [Size(name, len(w3.eth.get_code(Web3.to_checksum_address(address)))) for name, address in at.items()]
    return sorted(found, key=lambda size: -size.runtime)
