"""A market's parameters while it lives: the preset it began with, and what its owner may change, inside hard bounds."""

from dataclasses import dataclass
from typing import Final

from everstock.model.reverts import require
from everstock.parameters import RATES, MarketParameters

# Keys of the second word; those of the first are the places of `RATES`.
CARRY: Final = 16
MIN_MARGIN: Final = 18
MIN_FACE: Final = 19
DELEVERAGE_TARGET: Final = 20

BOUNDS: Final = (
    (0, 1_500),  # load
    (0, 1_500),  # kappa
    (0, 1_000),  # fee_rate
    (1, 500),  # fee_cap
    (0, 1_000),  # impact
    (50, 330),  # pool_shock
    (25, 330),  # account_shock
    (0, 5_000),  # gross_rate
    (1_050, 5_000),  # initial_ratio
    (0, 50_000),  # default_charge
    (2_000, 20_000),  # open_buffer
    (1_000, 20_000),  # close_buffer
    (2_000, 20_000),  # withdraw_buffer
    (10, 900),  # penalty_rate
    (0, 500),  # common_share
    (0, 1_000),  # treasury_share
)
MAX_CARRY: Final = 30_000
TARGET_BOUNDS: Final = (1_000, 20_000)
MAX_AMOUNT: Final = 2**96 - 1


@dataclass
class Parameters:
    """Scales as in `MarketParameters`; carry and sharpness per underlying of the market, 0 and 1."""

    load: int
    kappa: int
    fee_rate: int
    fee_cap: int
    impact: int
    pool_shock: int
    account_shock: int
    gross_rate: int
    initial_ratio: int
    default_charge: int
    open_buffer: int
    close_buffer: int
    withdraw_buffer: int
    penalty_rate: int
    common_share: int
    treasury_share: int
    carry: list[int]
    min_margin: int
    min_face: int
    deleverage_target: int
    sharpness: tuple[int, int]
    reward_share: int
    reward_floor: int

    @classmethod
    def of(cls, preset: MarketParameters, underlyings: tuple[str, str]) -> "Parameters":
        """A market's parameters as it is deployed; `underlyings` are names, the same twice for a market of one."""
        return cls(
            **{name: getattr(preset, name) for name in RATES},
            carry=preset.carries(underlyings),
            min_margin=preset.min_margin,
            min_face=preset.min_face,
            deleverage_target=preset.deleverage_target,
            sharpness=(preset.sharpness[underlyings[0]], preset.sharpness[underlyings[1]]),
            reward_share=preset.reward_share,
            reward_floor=preset.reward_floor,
        )

    def check(self, key: int, amount: int) -> None:
        """Raises `Revert` for a key that is none, or an amount outside its bounds."""
        require(key <= DELEVERAGE_TARGET, "risk_parameters: unknown key")
        lowest, highest = 1, MAX_AMOUNT
        if key < CARRY:
            lowest, highest = BOUNDS[key]
        elif key < MIN_MARGIN:
            lowest, highest = -MAX_CARRY, MAX_CARRY
        elif key == DELEVERAGE_TARGET:
            lowest, highest = TARGET_BOUNDS
        require(lowest <= amount <= highest, "risk_parameters: out of bounds")

    def set(self, key: int, amount: int) -> None:
        """Change one parameter that was checked."""
        if key < CARRY:
            setattr(self, RATES[key], amount)
        elif key < MIN_MARGIN:
            self.carry[key - CARRY] = amount
        elif key == MIN_MARGIN:
            self.min_margin = amount
        elif key == MIN_FACE:
            self.min_face = amount
        else:
            self.deleverage_target = amount
