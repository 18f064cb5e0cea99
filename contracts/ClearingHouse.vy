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
from contracts.modules import checkpoints
from contracts.modules import constants as c
from contracts.modules import integers
from contracts.modules import margin_accounts
from contracts.modules import pool_risk
from contracts.modules import waterfall

implements: IClearingHouse

initializes: cash_ledger
initializes: margin_accounts
initializes: waterfall[cash_ledger := cash_ledger]

# The publish time of a price that is never too early.
FOREVER: constant(uint256) = 2**64 - 1

# The stock token M and the market's other contracts.
TOKEN: public(immutable(address))
RISK_BOOK: public(immutable(address))
MAIN_POOL: public(immutable(address))
INSURANCE_POOL: public(immutable(address))
LIQUIDATOR: public(immutable(address))
ORDER_DESK: public(immutable(address))
TREASURY: public(immutable(address))


@deploy
def __init__(
    token: address,
    risk_book: address,
    main_pool: address,
    insurance_pool: address,
    liquidator: address,
    order_desk: address,
    treasury: address,
):
    TOKEN = token
    RISK_BOOK = risk_book
    MAIN_POOL = main_pool
    INSURANCE_POOL = insurance_pool
    LIQUIDATOR = liquidator
    ORDER_DESK = order_desk
    TREASURY = treasury


# Margin


@external
def deposit(account: uint256, amount: uint256):
    assert amount != 0, "clearing_house: zero amount"
    assert margin_accounts._owner(account) != empty(address), "clearing_house: no owner"
    self._only_active()
    self._no_live_order(account)
    margin_accounts._add_cash(account, amount)
    log IClearingHouse.Deposited(account=account, sender=msg.sender, amount=amount)
    self._pull(amount)


@external
def withdraw(account: uint256, amount: uint256, receiver: address):
    assert amount != 0, "clearing_house: zero amount"
    assert receiver not in [empty(address), self], "clearing_house: no receiver"
    assert margin_accounts._owner(account) == msg.sender, "clearing_house: not the owner"
    self._no_live_order(account)

    a: margin_accounts.Account = margin_accounts._load(account)
    if waterfall._stage() != waterfall.ACTIVE:
        a = self._wound_up(account, a)
    elif a.count != 0:
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
    if waterfall._stage() == waterfall.ACTIVE and staticcall IRiskBook(RISK_BOOK).is_due():
        self._checkpoint(0)
    return self._pay_claim(account)


# The market


@external
def checkpoint():
    self._checkpoint(0)


@external
def trade(
    account: uint256,
    order: IRiskBook.OrderLeg[8],
    prices: uint256[2],
    limit: int256,
    mark_limit: int256,
    reduce_only: bool,
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
    assert total - convert(t.fee + t.impact, int256) <= mark_limit, "trade: mark over limit"
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
        main = waterfall._absorb(account, integers._size(l.gain), loss, main)
    penalty: uint256 = min(l.penalty, purse.cash)
    reward: uint256 = min(max(penalty * reward_share // c.PERMILLE, reward_floor), penalty)
    if reward != 0:
        self._no_live_order(rewarded)
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


# Terminal settlement


@external
def resolve(accounts: DynArray[uint256, 32]):
    assert waterfall._stage() == waterfall.SETTLING, "clearing_house: not in settlement"
    for account: uint256 in accounts:
        a: margin_accounts.Account = margin_accounts._load(account)
        if a.count != 0:
            self._settle(account, a)


@external
def finalize():
    assert waterfall._stage() == waterfall.SETTLING, "clearing_house: not in settlement"
    words: IRiskBook.MarketWords = staticcall IRiskBook(RISK_BOOK).market_words()
    assert pool_risk._decode_totals(words.totals).open_legs == 0, "clearing_house: accounts to resolve"
    cash_ledger._store(waterfall._finish(cash_ledger._load(), self._has_shares(MAIN_POOL), self._has_shares(INSURANCE_POOL)))


# The pools


@external
def flow(leaving: uint256) -> (IRiskBook.PoolFlow, uint256):
    stage: uint256 = waterfall._stage()
    assert stage != waterfall.SETTLING, "clearing_house: in settlement"
    result: IRiskBook.PoolFlow = empty(IRiskBook.PoolFlow)
    main: cash_ledger.Main = cash_ledger._load()
    if stage == waterfall.SETTLED:
        result.equity = integers._difference(main.cash, main.claims)
        result.publish_time = FOREVER
        return result, stage
    if leaving != 0:
        assert msg.sender == MAIN_POOL, "clearing_house: only main pool"
        self._checkpoint(leaving)
    elif staticcall IRiskBook(RISK_BOOK).is_due():
        self._checkpoint(0)
    stage = waterfall._stage()
    if stage == waterfall.ACTIVE:
        main = cash_ledger._load()
        result = staticcall IRiskBook(RISK_BOOK).pool_flow(main.cash, main.claims)
    return result, stage


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


# The treasury


@external
def top_up(amount: uint256):
    assert msg.sender == TREASURY, "clearing_house: only treasury"
    self._spend_treasury(amount)
    cash_ledger._insure(amount)
    log IClearingHouse.ToppedUp(amount=amount)


@external
def withdraw_treasury(amount: uint256, receiver: address):
    assert msg.sender == TREASURY, "clearing_house: only treasury"
    self._spend_treasury(amount)
    log IClearingHouse.TreasuryWithdrawn(receiver=receiver, amount=amount)
    self._push(receiver, amount)


# Views


@view
@external
def stage() -> uint256:
    return waterfall._stage()


@view
@external
def is_trading() -> bool:
    if waterfall._stage() != waterfall.ACTIVE or staticcall IRiskBook(RISK_BOOK).is_booked():
        return False
    return not staticcall IRiskBook(RISK_BOOK).is_due()


@view
@external
def settlement() -> IClearingHouse.Settlement:
    return waterfall._settlement_now()


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
    if loss != 0:
        main = waterfall._absorb(account, integers._size(s.gain), loss, main)
    cash_ledger._store(main)
    margin_accounts._store(account, purse, s.legs, a)
    log IClearingHouse.Settled(account=account, gain=s.gain, cash=purse.cash, claim=purse.claim)
    return True


@internal
def _pay_claim(account: uint256) -> uint256:
    """
    @notice Pay an account's claim: as far as main cash allows, or its part at the end of settlement.
    """
    a: margin_accounts.Account = margin_accounts._load(account)
    main: cash_ledger.Main = cash_ledger._load()
    purse: cash_ledger.Purse = empty(cash_ledger.Purse)
    if waterfall._stage() == waterfall.SETTLED:
        purse, main = cash_ledger._pay(cash_ledger.Purse(cash=a.purse.cash, claim=0), main, waterfall._worth(a.purse.claim))
    else:
        booked: bool = staticcall IRiskBook(RISK_BOOK).is_booked()
        assert not booked, "clearing_house: claims are frozen"
        purse, main = cash_ledger._pay_claim(a.purse, main)
    paid: uint256 = purse.cash - a.purse.cash
    cash_ledger._store(main)
    margin_accounts._store_purse(account, purse, a.count)
    log IClearingHouse.ClaimPaid(account=account, amount=paid, claim=purse.claim)
    return paid


@internal
def _wound_up(account: uint256, a: margin_accounts.Account) -> margin_accounts.Account:
    """
    @notice An account in settlement, resolved if it was not, and its claim paid if settlement is over.
    """
    if a.count != 0:
        self._settle(account, a)
    if waterfall._stage() == waterfall.SETTLED:
        self._pay_claim(account)
    return margin_accounts._load(account)


@internal
def _checkpoint(leaving: uint256):
    """
    @notice A checkpoint, and terminal settlement where it finds the market beyond recovery.
    @param leaving What an overdue redemption needs, raw units of M.
    """
    main: cash_ledger.Main = cash_ledger._load()
    sweep: IRiskBook.Sweep = extcall IRiskBook(RISK_BOOK).checkpoint(main.cash, main.claims, leaving)
    cash_ledger._store(self._sweep(main, sweep))
    if sweep.alarm:
        words: IRiskBook.MarketWords = staticcall IRiskBook(RISK_BOOK).market_words()
        state: checkpoints.State = checkpoints._decode(words.state)
        at_stake: bool = pool_risk._decode_totals(words.totals).open_legs != 0 or main.claims != 0
        fatal: bool = state.scale < c.LEAST_SCALE
        if state.negative_since != 0 and at_stake:
            fatal = waterfall._count(state.negative_since) or fatal
        if fatal:
            extcall IRiskBook(RISK_BOOK).freeze()
            waterfall._begin()


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
@view
def _only_active():
    assert waterfall._stage() == waterfall.ACTIVE, "clearing_house: in settlement"


@internal
@view
def _no_live_order(account: uint256):
    """
    @notice Refuse to change the margin that an order was requested with: whoever could would decide at its price whether
            it is traded.
    """
    live_until: uint256 = staticcall IOrderDesk(ORDER_DESK).live_until(account)
    assert block.timestamp > live_until, "clearing_house: live order"


@internal
@view
def _has_shares(pool: address) -> bool:
    return staticcall IERC20(pool).totalSupply() != 0


@internal
def _spend_treasury(amount: uint256):
    backstop: cash_ledger.Backstop = cash_ledger._load_backstop()
    assert amount != 0, "clearing_house: zero amount"
    assert backstop.treasury >= amount, "clearing_house: not enough cash"
    backstop.treasury -= amount
    cash_ledger._store_backstop(backstop)


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
