# pragma version 0.4.3
"""
@title Parameters of a market
@license AGPL-3.0-only
@notice Two words as RiskBook stores them; RiskParameters writes them inside hard bounds. Pure.
@dev  first word: sixteen rates of 16 bits, key by key from the low end
      second word: | min_margin 96 | min_face 96 | carry of underlying 0, 16, signed | carry of underlying 1, 16, signed |
                  | deleverage target 16 |
"""

from contracts.modules import integers

# Keys of the first word.
LOAD: constant(uint256) = 0  # 1e-3
KAPPA: constant(uint256) = 1  # 1e-3
FEE_RATE: constant(uint256) = 2  # of face, 1e-5
FEE_CAP: constant(uint256) = 3  # of mark, 1e-3
IMPACT: constant(uint256) = 4  # k, 1e-3
POOL_SHOCK: constant(uint256) = 5  # 1e-3
ACCOUNT_SHOCK: constant(uint256) = 6  # 1e-3
GROSS_RATE: constant(uint256) = 7  # of face, 1e-5
INITIAL_RATIO: constant(uint256) = 8  # 1e-3
DEFAULT_CHARGE: constant(uint256) = 9  # of written face, 1e-5
OPEN_BUFFER: constant(uint256) = 10  # 1e-3
CLOSE_BUFFER: constant(uint256) = 11  # 1e-3
WITHDRAW_BUFFER: constant(uint256) = 12  # 1e-3
PENALTY_RATE: constant(uint256) = 13  # of the scenario sum closed, 1e-3
COMMON_SHARE: constant(uint256) = 14  # of fees, load and surcharge, 1e-3
TREASURY_SHARE: constant(uint256) = 15  # of the common share, 1e-3


@internal
@pure
def _rate(rates: uint256, key: uint256) -> uint256:
    """
    @notice A parameter out of the first word.
    """
    return (rates >> unsafe_mul(16, key)) & (2**16 - 1)


@internal
@pure
def _min_margin(limits: uint256) -> uint256:
    """
    @notice Least cash of an account that opens, and least maintenance of one with legs; raw units of M.
    """
    return limits & (2**96 - 1)


@internal
@pure
def _min_face(limits: uint256) -> uint256:
    """
    @notice Least face of a leg that grows, raw units of M.
    """
    return (limits >> 96) & (2**96 - 1)


@internal
@pure
def _carry(limits: uint256, underlying: uint256) -> int256:
    """
    @notice Drift of an underlying's index measured in M, per year in 1e-5.
    """
    return integers._signed(limits >> unsafe_add(192, unsafe_mul(16, underlying)), 16)


@internal
@pure
def _deleverage_target(limits: uint256) -> uint256:
    """
    @notice E / R that deleveraging leaves, 1e-3.
    """
    return (limits >> 224) & (2**16 - 1)
