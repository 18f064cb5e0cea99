# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title Liquidator
@license AGPL-3.0-only
@notice See interfaces/ILiquidator.vyi.
"""

from interfaces import IClearingHouse
from interfaces import ILiquidator
from interfaces import IPriceOracle

from contracts.modules import constants as c

implements: ILiquidator

CLEARING_HOUSE: public(immutable(address))
ORACLE: public(immutable(address))

# The market's underlyings at the oracle.
UNDERLYINGS: immutable(DynArray[uint256, 8])

# The reward: a share of the penalty (1e-3), at least the floor (raw units of M), at most the penalty.
REWARD_SHARE: public(immutable(uint256))
REWARD_FLOOR: public(immutable(uint256))


@deploy
def __init__(
    clearing_house: address, oracle: address, underlyings: DynArray[uint256, 8], reward_share: uint256, reward_floor: uint256
):
    assert reward_share <= c.PERMILLE, "liquidator: reward share"
    CLEARING_HOUSE = clearing_house
    ORACLE = oracle
    UNDERLYINGS = underlyings
    REWARD_SHARE = reward_share
    REWARD_FLOOR = reward_floor


@payable
@external
@reentrant
def __default__():
    """
    @notice Takes back what the oracle did not need, in the middle of `liquidate`.
    """
    assert msg.sender == ORACLE, "liquidator: no ether"


@payable
@external
def liquidate(accounts: DynArray[uint256, 32], updates: DynArray[Bytes[4096], 2]) -> DynArray[uint256, 32]:
    assert len(accounts) != 0, "liquidator: no accounts"
    if len(updates) != 0:
        extcall IPriceOracle(ORACLE).update(UNDERLYINGS, updates, value=msg.value)
    rewarded: uint256 = convert(msg.sender, uint256) << 96
    fractions: DynArray[uint256, 32] = []
    for account: uint256 in accounts:
        fractions.append(
            extcall IClearingHouse(CLEARING_HOUSE).liquidate(account, rewarded, REWARD_SHARE, REWARD_FLOOR)
        )
    if self.balance != 0:
        done: bool = raw_call(msg.sender, b"", value=self.balance, revert_on_failure=False)
        assert done, "liquidator: refund failed"
    return fractions
