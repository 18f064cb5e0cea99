# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title ClearingHouse
@license AGPL-3.0-only
@notice See interfaces/IClearingHouse.vyi.
"""

from ethereum.ercs import IERC20

from interfaces import IClearingHouse
from interfaces import IOrderDesk
from interfaces import IRiskBook

from contracts.modules import cash_ledger
from contracts.modules import constants as c
from contracts.modules import integers
from contracts.modules import margin_accounts

implements: IClearingHouse

initializes: cash_ledger
initializes: margin_accounts

# The stock token M and the market's other contracts.
TOKEN: public(immutable(address))
RISK_BOOK: public(immutable(address))
MAIN_POOL: public(immutable(address))
INSURANCE_POOL: public(immutable(address))
LIQUIDATOR: public(immutable(address))
ORDER_DESK: public(immutable(address))


@deploy
def __init__(
    token: address,
    risk_book: address,
    main_pool: address,
    insurance_pool: address,
    liquidator: address,
    order_desk: address,
):
    TOKEN = token
    RISK_BOOK = risk_book
    MAIN_POOL = main_pool
    INSURANCE_POOL = insurance_pool
    LIQUIDATOR = liquidator
    ORDER_DESK = order_desk


# Margin


@external
def deposit(account: uint256, amount: uint256):
    assert amount != 0, "clearing_house: zero amount"
    assert margin_accounts._owner(account) != empty(address), "clearing_house: no owner"
    margin_accounts._add_cash(account, amount)
    log IClearingHouse.Deposited(account=account, sender=msg.sender, amount=amount)
    self._pull(amount)


@external
def withdraw(account: uint256, amount: uint256, receiver: address):
    assert amount != 0, "clearing_house: zero amount"
    assert receiver not in [empty(address), self], "clearing_house: no receiver"
    assert margin_accounts._owner(account) == msg.sender, "clearing_house: not the owner"
    live_until: uint256 = staticcall IOrderDesk(ORDER_DESK).live_until(account)
    assert block.timestamp > live_until, "clearing_house: live order"

    a: margin_accounts.Account = margin_accounts._load(account)
    if a.count != 0:
        free: bool = self._may_leave(a, amount)
        if not free or a.purse.cash < amount:
            self._settle(account, a)
            a = margin_accounts._load(account)
            free = self._may_leave(a, amount)
            assert free, "risk_book: no equity"
    assert a.purse.cash >= amount, "clearing_house: not enough cash"
    a.purse.cash -= amount
    margin_accounts._store_purse(account, a.purse, a.count)
    log IClearingHouse.Withdrawn(account=account, receiver=receiver, amount=amount)
    self._push(receiver, amount)


@external
def settle(account: uint256) -> bool:
    return self._settle(account, margin_accounts._load(account))


@external
def pay_claim(account: uint256) -> uint256:
    if staticcall IRiskBook(RISK_BOOK).is_due():
        self._checkpoint()
    booked: bool = staticcall IRiskBook(RISK_BOOK).is_booked()
    assert not booked, "clearing_house: claims are frozen"
    a: margin_accounts.Account = margin_accounts._load(account)
    purse: cash_ledger.Purse = empty(cash_ledger.Purse)
    main: cash_ledger.Main = empty(cash_ledger.Main)
    purse, main = cash_ledger._pay_claim(a.purse, cash_ledger._load())
    cash_ledger._store(main)
    margin_accounts._store_purse(account, purse, a.count)
    log IClearingHouse.ClaimPaid(account=account, amount=purse.cash - a.purse.cash)
    return purse.cash - a.purse.cash


# The market


@external
def checkpoint():
    self._checkpoint()


@external
def trade(
    account: uint256, order: IRiskBook.OrderLeg[8], prices: uint256[2], limit: int256, reduce_only: bool
) -> int256:
    assert msg.sender == ORDER_DESK, "clearing_house: only order desk"
    for leg: IRiskBook.OrderLeg in order:
        assert integers._size(leg.face) < 2**127, "trade: face too large"
    a: margin_accounts.Account = margin_accounts._load(account)
    main: cash_ledger.Main = cash_ledger._load()
    t: IRiskBook.Trade = extcall IRiskBook(RISK_BOOK).trade(
        a.legs, order, prices, reduce_only, main.cash, main.claims
    )
    main = self._sweep(main, t.sweep)
    purse: cash_ledger.Purse = empty(cash_ledger.Purse)
    loss: uint256 = 0
    purse, main, loss = cash_ledger._realise(a.purse, main, t.gain, False)

    # The worse of the two totals; the difference goes to main.
    total: int256 = max(t.total, t.own_total)
    difference: uint256 = convert(total - t.total, uint256)
    charge: uint256 = t.fee + t.impact + difference
    equity: uint256 = purse.cash + purse.claim
    assert loss == 0 and equity >= charge, "trade: bankrupt"
    assert total <= limit, "trade: over limit"
    assert equity >= charge + t.initial, "trade: below initial margin"
    assert purse.cash >= charge + t.cash_floor, "trade: not enough cash"
    purse.cash -= charge
    main.cash += charge
    cash_ledger._store(main)
    margin_accounts._store(account, purse, t.legs, a)
    log IClearingHouse.Traded(
        account=account,
        legs=margin_accounts._compact(t.legs),
        gain=t.gain,
        fee=t.fee,
        impact=t.impact,
        difference=difference,
        total=total,
        cash=purse.cash,
        claim=purse.claim,
    )
    return total


@external
def liquidate(account: uint256, rewarded: uint256, reward_share: uint256, reward_floor: uint256) -> uint256:
    assert msg.sender == LIQUIDATOR, "clearing_house: only liquidator"
    a: margin_accounts.Account = margin_accounts._load(account)
    main: cash_ledger.Main = cash_ledger._load()
    l: IRiskBook.Liquidation = extcall IRiskBook(RISK_BOOK).liquidate(
        a.purse.cash + a.purse.claim, a.legs, main.cash, main.claims
    )
    main = self._sweep(main, l.sweep)
    if l.fraction == 0:
        cash_ledger._store(main)
        log IClearingHouse.PassedOver(account=account)
        return 0

    purse: cash_ledger.Purse = empty(cash_ledger.Purse)
    loss: uint256 = 0
    purse, main, loss = cash_ledger._realise(a.purse, main, l.gain, l.booked)
    if loss != 0:
        insured: uint256 = 0
        main, insured = cash_ledger._cover(main, loss)
        log IClearingHouse.BadDebt(account=account, loss=loss, insured=insured)
    penalty: uint256 = min(l.penalty, purse.cash)
    reward: uint256 = min(max(penalty * reward_share // c.PERMILLE, reward_floor), penalty)
    purse.cash -= penalty
    cash_ledger._insure(penalty - reward)
    cash_ledger._store(main)
    margin_accounts._store(account, purse, l.legs, a)
    margin_accounts._add_cash(rewarded, reward)
    log IClearingHouse.Liquidated(
        account=account,
        rewarded=rewarded,
        fraction=l.fraction,
        scenario_sum=l.scenario_sum,
        gain=l.gain,
        penalty=penalty,
        reward=reward,
        cash=purse.cash,
        claim=purse.claim,
    )
    return l.fraction


# The pools


@external
def pool_deposit(amount: uint256):
    if msg.sender == MAIN_POOL:
        main: cash_ledger.Main = cash_ledger._load()
        main.cash += amount
        cash_ledger._store(main)
    else:
        assert msg.sender == INSURANCE_POOL, "clearing_house: only pools"
        cash_ledger._insure(amount)
    log IClearingHouse.PoolDeposited(pool=msg.sender, amount=amount)
    self._pull(amount)


@external
def pool_withdraw(amount: uint256):
    if msg.sender == MAIN_POOL:
        main: cash_ledger.Main = cash_ledger._load()
        assert main.cash >= main.claims + amount, "clearing_house: not enough cash"
        main.cash -= amount
        cash_ledger._store(main)
    else:
        assert msg.sender == INSURANCE_POOL, "clearing_house: only pools"
        backstop: cash_ledger.Backstop = cash_ledger._load_backstop()
        assert backstop.insurance >= amount, "clearing_house: not enough cash"
        backstop.insurance -= amount
        cash_ledger._store_backstop(backstop)
    log IClearingHouse.PoolWithdrawn(pool=msg.sender, amount=amount)
    self._push(msg.sender, amount)


# Views


@view
@external
def pool_flow() -> IRiskBook.PoolFlow:
    main: cash_ledger.Main = cash_ledger._load()
    return staticcall IRiskBook(RISK_BOOK).pool_flow(main.cash, main.claims)


@view
@external
def equity() -> int256:
    main: cash_ledger.Main = cash_ledger._load()
    return staticcall IRiskBook(RISK_BOOK).equity(main.cash, main.claims)


@view
@external
def ledgers() -> IClearingHouse.Ledgers:
    main: cash_ledger.Main = cash_ledger._load()
    backstop: cash_ledger.Backstop = cash_ledger._load_backstop()
    return IClearingHouse.Ledgers(
        main=main.cash, claims=main.claims, insurance=backstop.insurance, treasury=backstop.treasury
    )


@view
@external
def account(account: uint256) -> IClearingHouse.Account:
    a: margin_accounts.Account = margin_accounts._load(account)
    return IClearingHouse.Account(cash=a.purse.cash, claim=a.purse.claim, legs=a.legs)


# Steps shared by several actions


@internal
def _settle(account: uint256, a: margin_accounts.Account) -> bool:
    """
    @notice Realise an account's legs and pay its claim, unless it is bankrupt.
    """
    main: cash_ledger.Main = cash_ledger._load()
    s: IRiskBook.Settlement = extcall IRiskBook(RISK_BOOK).settle(
        a.purse.cash + a.purse.claim, a.legs, main.cash, main.claims
    )
    main = self._sweep(main, s.sweep)
    if s.skipped:
        cash_ledger._store(main)
        log IClearingHouse.PassedOver(account=account)
        return False
    purse: cash_ledger.Purse = empty(cash_ledger.Purse)
    loss: uint256 = 0
    purse, main, loss = cash_ledger._realise(a.purse, main, s.gain, s.booked)
    cash_ledger._store(main)
    margin_accounts._store(account, purse, s.legs, a)
    log IClearingHouse.Settled(account=account, gain=s.gain, cash=purse.cash, claim=purse.claim)
    return True


@internal
def _checkpoint():
    main: cash_ledger.Main = cash_ledger._load()
    sweep: IRiskBook.Sweep = extcall IRiskBook(RISK_BOOK).checkpoint(main.cash, main.claims)
    cash_ledger._store(self._sweep(main, sweep))


@internal
def _sweep(main: cash_ledger.Main, sweep: IRiskBook.Sweep) -> cash_ledger.Main:
    """
    @notice Pay insurance and treasury what a checkpoint found due.
    """
    if sweep.insurance == 0 and sweep.treasury == 0:
        return main
    log IClearingHouse.Swept(insurance=sweep.insurance, treasury=sweep.treasury)
    return cash_ledger._sweep(main, sweep.insurance, sweep.treasury)


@internal
def _may_leave(a: margin_accounts.Account, amount: uint256) -> bool:
    """
    @notice Whether initial margin remains when `amount` leaves; False if a checkpoint is due first. Reverts if it does not.
    """
    return extcall IRiskBook(RISK_BOOK).withdrawal_check(a.purse.cash + a.purse.claim, a.legs, amount)


@internal
def _pull(amount: uint256):
    """
    @notice Take tokens from the caller.
    """
    done: bool = extcall IERC20(TOKEN).transferFrom(msg.sender, self, amount, default_return_value=True)
    assert done, "clearing_house: transfer failed"


@internal
def _push(receiver: address, amount: uint256):
    """
    @notice Send tokens.
    """
    done: bool = extcall IERC20(TOKEN).transfer(receiver, amount, default_return_value=True)
    assert done, "clearing_house: transfer failed"
