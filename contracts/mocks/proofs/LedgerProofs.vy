# pragma version 0.4.3
# pragma optimize codesize
"""
@title LedgerProofs
@license AGPL-3.0-only
@notice Money moves between the ledgers and is neither made nor lost on the way (invariants 2 to 4, in the small).
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from contracts.modules import cash_ledger

initializes: cash_ledger


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
