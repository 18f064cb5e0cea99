# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title Treasury
@license AGPL-3.0-only
@notice See interfaces/ITreasury.vyi.
@dev Holds no tokens: the treasury is a ledger of the clearing house, which takes orders about it from here alone.
"""

from interfaces import IClearingHouse
from interfaces import ITreasury

from snekmate.auth import ownable
from snekmate.auth import ownable_2step

implements: ITreasury

initializes: ownable
initializes: ownable_2step[ownable := ownable]

exports: (
    # Ownership
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)

CLEARING_HOUSE: public(immutable(address))
TIMELOCK: public(immutable(address))

# What must stay in the treasury, raw units of M.
least_balance: public(uint256)


@deploy
def __init__(owner: address, timelock: address, clearing_house: address, least_balance: uint256):
    assert owner != empty(address), "treasury: no owner"
    ownable.__init__()
    ownable_2step.__init__()
    ownable_2step._transfer_ownership(owner)
    TIMELOCK = timelock
    CLEARING_HOUSE = clearing_house
    self._set_least_balance(least_balance)


@external
def top_up(amount: uint256):
    ownable._check_owner()
    extcall IClearingHouse(CLEARING_HOUSE).top_up(amount)


@external
def withdraw(amount: uint256, receiver: address):
    self._only_timelock()
    assert receiver not in [empty(address), CLEARING_HOUSE], "treasury: no receiver"
    extcall IClearingHouse(CLEARING_HOUSE).withdraw_treasury(amount, receiver)
    ledgers: IClearingHouse.Ledgers = staticcall IClearingHouse(CLEARING_HOUSE).ledgers()
    assert ledgers.treasury >= self.least_balance, "treasury: below least balance"


@external
def set_least_balance(least_balance: uint256):
    self._only_timelock()
    self._set_least_balance(least_balance)


@internal
def _set_least_balance(least_balance: uint256):
    self.least_balance = least_balance
    log ITreasury.LeastBalanceSet(amount=least_balance)


@internal
@view
def _only_timelock():
    assert msg.sender == TIMELOCK, "treasury: only timelock"
