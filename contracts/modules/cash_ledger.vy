# pragma version 0.4.3
"""
@title The ledgers
@license AGPL-3.0-only
@notice Main, insurance and treasury cash, the claims on main, and the few ways money moves between them and an account.
@dev Amounts in raw units of M. The fourth ledger, the cash of accounts, lies in the accounts themselves.
"""

from contracts.modules import integers

# The main pool's side.
struct Main:
    cash: uint256
    claims: uint256  # sum of all accounts' claims

# What stands behind it.
struct Backstop:
    insurance: uint256
    treasury: uint256

# An account's side.
struct Purse:
    cash: uint256
    claim: uint256  # realised gains that main cash could not yet pay


# | cash 128 | claims 128 |
_main: uint256

# | insurance 128 | treasury 128 |
_backstop: uint256


@internal
@view
def _load() -> Main:
    word: uint256 = self._main
    return Main(cash=word & (2**128 - 1), claims=word >> 128)


@internal
def _store(main: Main):
    assert max(main.cash, main.claims) < 2**128, "clearing_house: amount too large"
    self._main = main.cash | (main.claims << 128)


@internal
@view
def _load_backstop() -> Backstop:
    word: uint256 = self._backstop
    return Backstop(insurance=word & (2**128 - 1), treasury=word >> 128)


@internal
def _store_backstop(backstop: Backstop):
    assert max(backstop.insurance, backstop.treasury) < 2**128, "clearing_house: amount too large"
    self._backstop = backstop.insurance | (backstop.treasury << 128)


@internal
@pure
def _realise(purse: Purse, main: Main, gain: int256, booked: bool) -> (Purse, Main, uint256):
    """
    @notice Book an account's net gain: a loss takes the claim first, then cash; a gain joins the claim. Then the claim is
            paid as far as main cash allows, unless gains are `booked` for now.
    @return The account's side, main's, and the loss that neither claim nor cash could bear.
    """
    p: Purse = purse
    m: Main = main
    loss: uint256 = 0
    if gain >= 0:
        p.claim += convert(gain, uint256)
        m.claims += convert(gain, uint256)
    else:
        loss = integers._size(gain)
        forgiven: uint256 = min(loss, p.claim)
        p.claim -= forgiven
        m.claims -= forgiven
        collected: uint256 = min(loss - forgiven, p.cash)
        p.cash -= collected
        m.cash += collected
        loss = loss - forgiven - collected
    if not booked:
        p, m = self._pay_claim(p, m)
    return p, m, loss


@internal
@pure
def _pay_claim(purse: Purse, main: Main) -> (Purse, Main):
    """
    @notice Pay a claim as far as main cash allows.
    """
    paid: uint256 = min(purse.claim, main.cash)
    return self._pay(Purse(cash=purse.cash, claim=purse.claim - paid), main, paid)


@internal
@pure
def _pay(purse: Purse, main: Main, amount: uint256) -> (Purse, Main):
    """
    @notice Pay `amount` of the claims on main.
    """
    return (
        Purse(cash=purse.cash + amount, claim=purse.claim),
        Main(cash=main.cash - amount, claims=main.claims - amount),
    )


@internal
def _insure(amount: uint256):
    """
    @notice Add to insurance.
    """
    backstop: Backstop = self._load_backstop()
    backstop.insurance += amount
    self._store_backstop(backstop)


@internal
def _cover(main: Main, loss: uint256) -> (Main, uint256):
    """
    @notice Insurance pays main for a bankrupt account's loss, as far as it reaches.
    @return Main's side, and what insurance paid.
    """
    backstop: Backstop = self._load_backstop()
    insured: uint256 = min(loss, backstop.insurance)
    backstop.insurance -= insured
    self._store_backstop(backstop)
    return Main(cash=main.cash + insured, claims=main.claims), insured


@internal
def _sweep(main: Main, insurance: uint256, treasury: uint256) -> Main:
    """
    @notice Move insurance's and treasury's share of fees and loads out of main cash.
    """
    backstop: Backstop = self._load_backstop()
    backstop.insurance += insurance
    backstop.treasury += treasury
    self._store_backstop(backstop)
    return Main(cash=main.cash - insurance - treasury, claims=main.claims)
