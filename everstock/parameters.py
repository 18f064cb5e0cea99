"""The parameters of a market: a preset to start from, and their places in the contracts' two words.

Scales are the contracts' (see interfaces/IRiskParameters.vyi); docs/RISKS.md owns the reasoning behind the numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

# Least margin, liquidator's least reward and least face of a market's preset, dollars of M at listing.
MIN_MARGIN_USD: Final = 50
REWARD_FLOOR_USD: Final = 2
MIN_FACE_USD: Final = 100
# What the treasury keeps: the operator's own capital that no timelock takes out.
TREASURY_LEAST_USD: Final = 1_000
# From the request of an order to the first second its price may be published at. docs/LATENCY.md
ORDER_DELAY: Final = 4

# The first word's sixteen parameters, by key.
RATES: Final = (
    "load",
    "kappa",
    "fee_rate",
    "fee_cap",
    "impact",
    "pool_shock",
    "account_shock",
    "gross_rate",
    "initial_ratio",
    "default_charge",
    "open_buffer",
    "close_buffer",
    "withdraw_buffer",
    "penalty_rate",
    "common_share",
    "treasury_share",
)


@dataclass(frozen=True)
class MarketParameters:
    """One market's parameters. Amounts of M are raw units and have no default: they follow from the stock's price."""

    min_margin: int
    reward_floor: int
    min_face: int
    treasury_least: int
    sharpness: Mapping[str, int] = field(default_factory=lambda: {"BTC": 17, "ETH": 17})
    carry: Mapping[str, int] = field(default_factory=lambda: {"BTC": 10_000, "ETH": 10_000})  # 1e-5 a year
    load: int = 100  # 1e-3
    kappa: int = 500  # 1e-3
    fee_rate: int = 80  # of face, 1e-5
    fee_cap: int = 125  # of mark, 1e-3
    impact: int = 50  # k, 1e-3
    pool_shock: int = 200  # 1e-3
    account_shock: int = 125  # 1e-3
    gross_rate: int = 250  # of face, 1e-5
    initial_ratio: int = 1_500  # 1e-3
    default_charge: int = 5_000  # of written face, 1e-5
    open_buffer: int = 2_000  # 1e-3
    close_buffer: int = 1_250  # 1e-3
    withdraw_buffer: int = 2_000  # 1e-3
    penalty_rate: int = 300  # of the scenario sum closed, 1e-3
    common_share: int = 500  # of fees, load and surcharge, 1e-3
    treasury_share: int = 200  # of the common share, 1e-3
    deleverage_target: int = 1_250  # E / R that deleveraging leaves, 1e-3
    reward_share: int = 200  # of the penalty, 1e-3
    order_delay: int = ORDER_DELAY  # seconds, from 1 to 30; fixed when the market is created

    @classmethod
    def preset(cls, stock_price_usd: float, decimals: int) -> "MarketParameters":
        """The defaults for a token of `decimals` worth `stock_price_usd` at listing."""
        token = 10**decimals / stock_price_usd
        return cls(
            min_margin=int(MIN_MARGIN_USD * token),
            reward_floor=int(REWARD_FLOOR_USD * token),
            min_face=int(MIN_FACE_USD * token),
            treasury_least=int(TREASURY_LEAST_USD * token),
        )

    def rates(self) -> list[int]:
        """The first word's sixteen parameters, by key."""
        return [getattr(self, name) for name in RATES]

    def carries(self, underlyings: Sequence[str]) -> list[int]:
        """Carry of each underlying, per year in 1e-5."""
        return [self.carry[name] for name in underlyings]
