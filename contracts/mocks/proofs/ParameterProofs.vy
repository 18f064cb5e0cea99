# pragma version 0.4.3
# pragma optimize codesize
"""
@title ParameterProofs
@license AGPL-3.0-only
@notice RiskParameters itself: a parameter that is set is read back, and no other changes, whatever both words hold.
@dev Owner of a RiskParameters and its RiskBook at once. See everstock/proofs: a function under proof reverts with "assume"
     outside of what it is about, and else returns true.
"""

from interfaces import IRiskParameters

# As a whole word: storage of which nothing is known may hold more than an address.
interface IOwned:
    def owner() -> uint256: view

# Of every key, as interfaces/IRiskParameters.vyi lists them.
KEYS: constant(uint256) = 21
LOWEST: constant(int256[21]) = [
    0, 0, 0, 1, 0, 50, 25, 0, 1_050, 0, 2_000, 1_000, 2_000, 10, 0, 0, -30_000, -30_000, 1, 1, 1_000
]
HIGHEST: constant(int256[21]) = [
    1_500, 1_500, 1_000, 500, 1_000, 330, 330, 5_000, 5_000, 50_000, 20_000, 20_000, 20_000, 900, 500, 1_000,
    30_000, 30_000, 2**96 - 1, 2**96 - 1, 20_000,
]

PARAMETERS: immutable(IRiskParameters)


@deploy
def __init__(parameters: address):
    PARAMETERS = IRiskParameters(parameters)


@external
def set_parameters(rates: uint256, limits: uint256):
    """
    @notice What it tells its RiskBook; nothing here wants to know.
    """
    pass


@external
def check_set(key: uint256, amount: int256) -> bool:
    """
    @notice Inside its bounds, a parameter that is set is read back.
    """
    self._assume_settable(key, amount)
    extcall PARAMETERS.set_parameter(key, amount)
    return staticcall PARAMETERS.parameter(key) == amount


@external
def check_others_stay(key: uint256, other: uint256, amount: int256) -> bool:
    self._assume_settable(key, amount)
    self._assume(other < KEYS and other != key)
    before: int256 = staticcall PARAMETERS.parameter(other)
    extcall PARAMETERS.set_parameter(key, amount)
    return staticcall PARAMETERS.parameter(other) == before


@external
def refuse_out_of_bounds(key: uint256, amount: int256) -> bool:
    self._assume(staticcall IOwned(PARAMETERS.address).owner() == convert(self, uint256))
    self._assume(key < KEYS)
    self._assume(amount < LOWEST[key] or HIGHEST[key] < amount)
    extcall PARAMETERS.set_parameter(key, amount)
    return True


@external
def refuse_others(key: uint256, amount: int256) -> bool:
    """
    @notice From anyone but the owner.
    """
    self._assume(staticcall IOwned(PARAMETERS.address).owner() != convert(self, uint256))
    extcall PARAMETERS.set_parameter(key, amount)
    return True


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"


@internal
@view
def _assume_settable(key: uint256, amount: int256):
    """
    @notice By its owner, and to what its interface allows.
    """
    self._assume(staticcall IOwned(PARAMETERS.address).owner() == convert(self, uint256))
    self._assume(key < KEYS)
    self._assume(LOWEST[key] <= amount and amount <= HIGHEST[key])
