# pragma version 0.4.3
# pragma optimize codesize
"""
@title RiskParameters
@license AGPL-3.0-only
@notice See interfaces/IRiskParameters.vyi.
"""

from interfaces import IRiskBook
from interfaces import IRiskParameters

from contracts.modules import integers
from contracts.modules import parameters
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

implements: IRiskParameters

initializes: ownable
initializes: ownable_2step[ownable := ownable]

exports: (
    # Ownership
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)

# Keys of the second word; those of the first are in the module `parameters`.
CARRY: constant(uint256) = 16
MIN_MARGIN: constant(uint256) = 18
MIN_FACE: constant(uint256) = 19
DELEVERAGE_TARGET: constant(uint256) = 20

LOWEST: constant(int256[16]) = [0, 0, 0, 1, 0, 50, 25, 0, 1_050, 0, 2_000, 1_000, 2_000, 10, 0, 0]
HIGHEST: constant(int256[16]) = [
    1_500, 1_500, 1_000, 500, 1_000, 330, 330, 5_000, 5_000, 50_000, 20_000, 20_000, 20_000, 900, 500, 1_000
]
MAX_CARRY: constant(int256) = 30_000
LEAST_TARGET: constant(int256) = 1_000
MAX_TARGET: constant(int256) = 20_000
MAX_AMOUNT: constant(int256) = 2**96 - 1

RISK_BOOK: public(immutable(address))

# The two words of parameters, as the market's RiskBook has them.
rates: public(uint256)
limits: public(uint256)


@deploy
def __init__(
    owner: address,
    risk_book: address,
    rates: uint256[16],
    carries: int256[2],
    min_margin: uint256,
    min_face: uint256,
    deleverage_target: uint256,
):
    """
    @param rates Keys 0 to 15. The RiskBook, deployed later, takes the words from here.
    """
    assert owner != empty(address), "risk_parameters: no owner"
    ownable.__init__()
    ownable_2step.__init__()
    ownable_2step._transfer_ownership(owner)
    RISK_BOOK = risk_book
    for key: uint256 in range(16):
        self._set(key, convert(rates[key], int256))
    self._set(CARRY, carries[0])
    self._set(CARRY + 1, carries[1])
    self._set(MIN_MARGIN, convert(min_margin, int256))
    self._set(MIN_FACE, convert(min_face, int256))
    self._set(DELEVERAGE_TARGET, convert(deleverage_target, int256))


@external
def set_parameter(key: uint256, amount: int256):
    ownable._check_owner()
    self._set(key, amount)
    extcall IRiskBook(RISK_BOOK).set_parameters(self.rates, self.limits)


@view
@external
def parameter(key: uint256) -> int256:
    assert key <= DELEVERAGE_TARGET, "risk_parameters: unknown key"
    if key < CARRY:
        return convert(parameters._rate(self.rates, key), int256)
    if key < MIN_MARGIN:
        return parameters._carry(self.limits, key - CARRY)
    if key == MIN_MARGIN:
        return convert(parameters._min_margin(self.limits), int256)
    if key == MIN_FACE:
        return convert(parameters._min_face(self.limits), int256)
    return convert(parameters._deleverage_target(self.limits), int256)


@internal
def _set(key: uint256, amount: int256):
    """
    @notice Write one parameter inside its bounds.
    """
    assert key <= DELEVERAGE_TARGET, "risk_parameters: unknown key"
    lowest: int256 = 1
    highest: int256 = MAX_AMOUNT
    if key < CARRY:
        lowest = LOWEST[key]
        highest = HIGHEST[key]
    elif key < MIN_MARGIN:
        lowest = -MAX_CARRY
        highest = MAX_CARRY
    elif key == DELEVERAGE_TARGET:
        lowest = LEAST_TARGET
        highest = MAX_TARGET
    assert lowest <= amount and amount <= highest, "risk_parameters: out of bounds"

    if key < CARRY:
        self.rates = self._placed(self.rates, 16 * key, 16, amount)
    elif key < MIN_MARGIN:
        self.limits = self._placed(self.limits, 192 + 16 * (key - CARRY), 16, amount)
    elif key == DELEVERAGE_TARGET:
        self.limits = self._placed(self.limits, 224, 16, amount)
    else:
        self.limits = self._placed(self.limits, 96 * (key - MIN_MARGIN), 96, amount)
    log IRiskParameters.ParameterSet(key=key, amount=amount)


@internal
@pure
def _placed(word: uint256, place: uint256, width: uint256, amount: int256) -> uint256:
    """
    @notice A word with `width` bits from bit `place` on replaced.
    """
    mask: uint256 = ((1 << width) - 1) << place
    return (word & ~mask) | (integers._unsigned(amount, width) << place)
