# pragma version 0.4.3
"""
@title Accounts and their packed legs
@license AGPL-3.0-only
@notice An account is a uint256, owner << 96 | subaccount: one word for its money and one per leg.
"""

from contracts.modules import cash_ledger
from contracts.modules import constants as c

# An account in memory.
struct Account:
    purse: cash_ledger.Purse
    legs: uint256[8]  # packed from the front, 0: none; see the module `legs`
    count: uint256  # of legs


# account -> | cash 112 | claim 112 | number of legs 8 |, money in raw units of M
_purses: HashMap[uint256, uint256]

# account -> its packed legs, from the front
_legs: HashMap[uint256, uint256[8]]


@internal
@view
def _load(id: uint256) -> Account:
    word: uint256 = self._purses[id]
    account: Account = empty(Account)
    account.purse = cash_ledger.Purse(cash=word & (2**112 - 1), claim=(word >> 112) & (2**112 - 1))
    account.count = word >> 224
    for i: uint256 in range(account.count, bound=8):
        account.legs[i] = self._legs[id][i]
    return account


@internal
def _store(id: uint256, purse: cash_ledger.Purse, legs: uint256[8], before: Account):
    """
    @notice Write an account, and those of its legs that changed.
    """
    count: uint256 = 0
    for i: uint256 in range(c.MAX_LEGS):
        if legs[i] != before.legs[i]:
            self._legs[id][i] = legs[i]
        if legs[i] != 0:
            count = unsafe_add(count, 1)
    self._store_purse(id, purse, count)


@internal
def _store_purse(id: uint256, purse: cash_ledger.Purse, count: uint256):
    """
    @notice Write an account's money and its number of legs.
    """
    assert max(purse.cash, purse.claim) < 2**112, "clearing_house: amount too large"
    self._purses[id] = purse.cash | (purse.claim << 112) | (count << 224)


@internal
def _add_cash(id: uint256, amount: uint256):
    """
    @notice Credit an account.
    """
    cash: uint256 = (self._purses[id] & (2**112 - 1)) + amount
    assert cash < 2**112, "clearing_house: amount too large"
    self._purses[id] += amount


@internal
@pure
def _compact(legs: uint256[8]) -> DynArray[uint256, 8]:
    """
    @notice Legs without the empty places.
    """
    compact: DynArray[uint256, 8] = []
    for leg: uint256 in legs:
        if leg == 0:
            break
        compact.append(leg)
    return compact


@internal
@pure
def _owner(id: uint256) -> address:
    return convert(id >> 96, address)
