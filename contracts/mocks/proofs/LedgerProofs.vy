# pragma version 0.4.3
# pragma optimize codesize
"""
@title LedgerProofs
@license AGPL-3.0-only
@notice Money moves between the ledgers and is neither made nor lost on the way (invariants 2 to 4, in the small), and the
        words it lies in give back what was put into them.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from contracts.modules import cash_ledger
from contracts.modules import constants as c
from contracts.modules import margin_accounts

initializes: cash_ledger
initializes: margin_accounts


# Money on the move


@pure
@external
def check_realise(purse: cash_ledger.Purse, main: cash_ledger.Main, gain: int256, booked: bool) -> bool:
    """
    @notice Cash only changes hands; claims of the account and of all grow alike; the account is richer by the gain, or poorer
            by the loss less what it could not bear, and then it has nothing left.
    """
    self._assume_money(purse, main)
    self._assume(-(2**112) < gain and gain < 2**112)
    p: cash_ledger.Purse = empty(cash_ledger.Purse)
    m: cash_ledger.Main = empty(cash_ledger.Main)
    loss: uint256 = 0
    p, m, loss = cash_ledger._realise(purse, main, gain, booked)
    same_cash: bool = p.cash + m.cash == purse.cash + main.cash
    same_claims: bool = m.claims - p.claim == main.claims - purse.claim
    before: int256 = convert(purse.cash + purse.claim, int256) + gain
    after: int256 = convert(p.cash + p.claim, int256) - convert(loss, int256)
    ruined: bool = loss == 0 or (p.cash == 0 and p.claim == 0)
    # A claim is left over only when gains are booked or main cash is used up.
    paid: bool = booked or p.claim == 0 or m.cash == 0
    return same_cash and same_claims and before == after and ruined and paid


@pure
@external
def check_realise_booked(purse: cash_ledger.Purse, main: cash_ledger.Main, gain: int256) -> bool:
    """
    @notice While gains are booked main pays nothing.
    """
    self._assume_money(purse, main)
    self._assume(-(2**112) < gain and gain < 2**112)
    p: cash_ledger.Purse = empty(cash_ledger.Purse)
    m: cash_ledger.Main = empty(cash_ledger.Main)
    loss: uint256 = 0
    p, m, loss = cash_ledger._realise(purse, main, gain, True)
    return m.cash >= main.cash and p.cash <= purse.cash


@pure
@external
def check_pay_claim(purse: cash_ledger.Purse, main: cash_ledger.Main) -> bool:
    self._assume_money(purse, main)
    p: cash_ledger.Purse = empty(cash_ledger.Purse)
    m: cash_ledger.Main = empty(cash_ledger.Main)
    p, m = cash_ledger._pay_claim(purse, main)
    return (
        p.cash + m.cash == purse.cash + main.cash
        and p.cash + p.claim == purse.cash + purse.claim
        and m.cash + main.claims == main.cash + m.claims
        and (p.claim == 0 or m.cash == 0)
    )


@external
def check_cover(main: cash_ledger.Main, loss: uint256) -> bool:
    """
    @notice Insurance pays what it has up to the loss, and the treasury nothing, whatever the ledgers hold.
    """
    self._assume(main.cash < 2**127 and main.claims < 2**128 and loss < 2**127)
    before: cash_ledger.Backstop = cash_ledger._load_backstop()
    m: cash_ledger.Main = empty(cash_ledger.Main)
    insured: uint256 = 0
    m, insured = cash_ledger._cover(main, loss)
    after: cash_ledger.Backstop = cash_ledger._load_backstop()
    return (
        after.insurance + insured == before.insurance
        and after.treasury == before.treasury
        and m.cash == main.cash + insured
        and m.claims == main.claims
        and (insured == loss or after.insurance == 0)
        and insured <= loss
    )


@external
def check_sweep(main: cash_ledger.Main, insurance: uint256, treasury: uint256) -> bool:
    self._assume(main.cash < 2**128 and main.claims < 2**128 and insurance < 2**127 and treasury < 2**127)
    before: cash_ledger.Backstop = cash_ledger._load_backstop()
    self._assume(insurance + treasury <= main.cash)
    self._assume(before.insurance + insurance < 2**128 and before.treasury + treasury < 2**128)
    m: cash_ledger.Main = cash_ledger._sweep(main, insurance, treasury)
    after: cash_ledger.Backstop = cash_ledger._load_backstop()
    return (
        after.insurance == before.insurance + insurance
        and after.treasury == before.treasury + treasury
        and m.cash + insurance + treasury == main.cash
        and m.claims == main.claims
    )


@external
def check_insure(amount: uint256) -> bool:
    before: cash_ledger.Backstop = cash_ledger._load_backstop()
    self._assume(amount < 2**128 - before.insurance)
    cash_ledger._insure(amount)
    after: cash_ledger.Backstop = cash_ledger._load_backstop()
    return after.insurance == before.insurance + amount and after.treasury == before.treasury


# Words


@external
def check_purse(id: uint256, other: uint256, purse: cash_ledger.Purse) -> bool:
    """
    @notice An account without legs; no other account notices.
    """
    self._assume(id != other and purse.cash < 2**112 and purse.claim < 2**112)
    before: uint256 = margin_accounts._purses[other]
    margin_accounts._store_purse(id, purse, 0)
    account: margin_accounts.Account = margin_accounts._load(id)
    return (
        account.purse.cash == purse.cash
        and account.purse.claim == purse.claim
        and account.count == 0
        and margin_accounts._purses[other] == before
    )


@external
def check_purse_count(id: uint256, purse: cash_ledger.Purse, count: uint256) -> bool:
    self._assume(purse.cash < 2**112 and purse.claim < 2**112 and count <= c.MAX_LEGS)
    margin_accounts._store_purse(id, purse, count)
    account: margin_accounts.Account = margin_accounts._load(id)
    return account.purse.cash == purse.cash and account.purse.claim == purse.claim and account.count == count


@external
def check_account(id: uint256, purse: cash_ledger.Purse, first: uint256[2], second: uint256[2]) -> bool:
    """
    @notice An account stored twice with up to two legs each time, the second time over the first, is what was stored last.
    """
    self._assume(purse.cash < 2**112 and purse.claim < 2**112)
    self._assume((first[0] != 0 or first[1] == 0) and (second[0] != 0 or second[1] == 0))
    margin_accounts._store(id, purse, self._eight(first), empty(margin_accounts.Account))
    margin_accounts._store(id, purse, self._eight(second), margin_accounts._load(id))
    account: margin_accounts.Account = margin_accounts._load(id)
    count: uint256 = convert(second[0] != 0, uint256) + convert(second[1] != 0, uint256)
    return account.count == count and account.legs[0] == second[0] and account.legs[1] == second[1]


@external
def refuse_purse_too_large(id: uint256, purse: cash_ledger.Purse, count: uint256) -> bool:
    self._assume(purse.cash >= 2**112 or purse.claim >= 2**112)
    margin_accounts._store_purse(id, purse, count)
    return True


@external
def check_add_cash(id: uint256, purse: cash_ledger.Purse, count: uint256, amount: uint256) -> bool:
    """
    @notice Crediting cash leaves claim and number of legs alone.
    """
    self._assume(purse.cash < 2**112 and purse.claim < 2**112 and count < 2**8 and amount < 2**112 - purse.cash)
    margin_accounts._store_purse(id, purse, count)
    margin_accounts._add_cash(id, amount)
    word: uint256 = margin_accounts._purses[id]
    return (
        word & (2**112 - 1) == purse.cash + amount
        and (word >> 112) & (2**112 - 1) == purse.claim
        and word >> 224 == count
    )


@external
def refuse_add_cash_too_much(id: uint256, amount: uint256) -> bool:
    self._assume(amount < 2**255 and amount >= 2**112 - (margin_accounts._purses[id] & (2**112 - 1)))
    margin_accounts._add_cash(id, amount)
    return True


@external
def check_ledgers(main: cash_ledger.Main, backstop: cash_ledger.Backstop) -> bool:
    self._assume(main.cash < 2**128 and main.claims < 2**128)
    self._assume(backstop.insurance < 2**128 and backstop.treasury < 2**128)
    cash_ledger._store(main)
    cash_ledger._store_backstop(backstop)
    one: cash_ledger.Main = cash_ledger._load()
    two: cash_ledger.Backstop = cash_ledger._load_backstop()
    return (
        one.cash == main.cash
        and one.claims == main.claims
        and two.insurance == backstop.insurance
        and two.treasury == backstop.treasury
    )


@external
def refuse_ledgers_too_large(main: cash_ledger.Main) -> bool:
    self._assume(main.cash >= 2**128 or main.claims >= 2**128)
    cash_ledger._store(main)
    return True


@external
def refuse_backstop_too_large(backstop: cash_ledger.Backstop) -> bool:
    self._assume(backstop.insurance >= 2**128 or backstop.treasury >= 2**128)
    cash_ledger._store_backstop(backstop)
    return True


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"


@internal
@pure
def _assume_money(purse: cash_ledger.Purse, main: cash_ledger.Main):
    """
    @notice What the ledgers hold of each other, within their widths.
    """
    self._assume(purse.cash < 2**112 and purse.claim < 2**112)
    self._assume(main.cash < 2**128 and main.claims < 2**128 and purse.claim <= main.claims)


@internal
@pure
def _eight(few: uint256[2]) -> uint256[8]:
    return [few[0], few[1], 0, 0, 0, 0, 0, 0]
