"""The clearing house: accounts, their legs, the ledgers, and how money moves between them. All actions may raise `Revert`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from everstock.model.cash_ledger import Ledgers, Purse
from everstock.model.constants import PERMILLE
from everstock.model.market_book import Sweep
from everstock.model.positions import Leg
from everstock.model.reverts import require
from everstock.model.risk_book import Health, OrderLeg, PoolFlow, RiskBook

MAX_CASH: Final = 2**112
MAX_LEDGER: Final = 2**128
MAX_FACE: Final = 2**127


@dataclass
class Account:
    """What one account has."""

    purse: Purse = field(default_factory=Purse)
    legs: list[Leg] = field(default_factory=list)


@dataclass
class ClearingHouse:
    """The books of one market. Accounts are by id, owner << 96 | subaccount; amounts are raw units of M."""

    risk: RiskBook
    ledgers: Ledgers = field(default_factory=Ledgers)
    accounts: dict[int, Account] = field(default_factory=dict)
    tokens: int = 0  # that it received and has not sent
    bad_debt: int = 0  # losses beyond accounts' cash so far, and what insurance paid of them: the sums of `BadDebt` events
    insured: int = 0

    # Margin

    def deposit(self, account: int, amount: int) -> None:
        require(amount != 0, "clearing_house: zero amount")
        require(account >> 96 != 0, "clearing_house: no owner")
        self._add_cash(account, amount)
        self.tokens += amount

    def withdraw(self, account: int, amount: int, live_until: int = 0) -> None:
        """`live_until` is until when an order of the account's is live, by the order desk."""
        require(amount != 0, "clearing_house: zero amount")
        require(self.risk.now > live_until, "clearing_house: live order")
        a = self.account(account)
        if a.legs:
            free = self._may_leave(a, amount)
            if not free or a.purse.cash < amount:
                self.settle(account)
                require(self._may_leave(a, amount), "risk_book: no equity")
        require(a.purse.cash >= amount, "clearing_house: not enough cash")
        a.purse.cash -= amount
        self.tokens -= amount

    def settle(self, account: int) -> bool:
        """Realise an account's legs and pay its claim; False if it is bankrupt and was passed over."""
        a = self.account(account)
        s = self.risk.settle(self._base(a), a.legs, self.ledgers.main, self.ledgers.claims)
        self._sweep(s.sweep)
        if s.skipped:
            return False
        self.ledgers.realise(a.purse, s.gain, s.booked)
        self._store(a, s.legs)
        return True

    def pay_claim(self, account: int) -> int:
        """Pay an account's claim as far as main cash allows; returns what was paid."""
        if self.risk.is_due():
            self.checkpoint()
        require(not self.risk.is_booked(), "clearing_house: claims are frozen")
        a = self.account(account)
        before = a.purse.cash
        self.ledgers.pay_claim(a.purse)
        return a.purse.cash - before

    # The market

    def checkpoint(self) -> None:
        self._sweep(self.risk.checkpoint(self.ledgers.main, self.ledgers.claims))

    def trade(
        self, account: int, order: Sequence[OrderLeg], own_prices: Sequence[int], limit: int, reduce_only: bool
    ) -> int:
        """Change an account's legs by an order; returns what it cost. For the order desk alone."""
        require(all(abs(leg.face) < MAX_FACE for leg in order), "trade: face too large")
        a = self.account(account)
        t = self.risk.trade(a.legs, order, own_prices, reduce_only, self.ledgers.main, self.ledgers.claims)
        self._sweep(t.sweep)
        loss = self.ledgers.realise(a.purse, t.gain, False)

        # The worse of the two totals; the difference goes to main.
        total = max(t.total, t.own_total)
        charge = t.fee + t.impact + total - t.total
        equity = self._base(a)
        require(loss == 0 and equity >= charge, "trade: bankrupt")
        require(total <= limit, "trade: over limit")
        require(equity >= charge + t.initial, "trade: below initial margin")
        require(a.purse.cash >= charge + t.cash_floor, "trade: not enough cash")
        a.purse.cash -= charge
        self.ledgers.main += charge
        self._store(a, t.legs)
        return total

    def liquidate(self, account: int, rewarded: int) -> int:
        """Close the same fraction of every leg of an account below maintenance; returns the fraction, 0 if it is healthy.

        For the liquidator alone. The reward goes to the account `rewarded`.
        """
        a = self.account(account)
        l = self.risk.liquidate(self._base(a), a.legs, self.ledgers.main, self.ledgers.claims)
        self._sweep(l.sweep)
        if l.fraction == 0:
            return 0
        loss = self.ledgers.realise(a.purse, l.gain, l.booked)
        if loss:
            self.bad_debt += loss
            self.insured += self.ledgers.cover(loss)
        penalty = min(l.penalty, a.purse.cash)
        p = self.risk.parameters
        reward = min(max(penalty * p.reward_share // PERMILLE, p.reward_floor), penalty)
        a.purse.cash -= penalty
        self.ledgers.insurance += penalty - reward
        self._store(a, l.legs)
        self._add_cash(rewarded, reward)
        return l.fraction

    # The pools

    def main_deposit(self, amount: int) -> None:
        self.ledgers.main += amount
        self.tokens += amount
        self._check_ledgers()

    def main_withdraw(self, amount: int) -> None:
        require(self.ledgers.main >= self.ledgers.claims + amount, "clearing_house: not enough cash")
        self.ledgers.main -= amount
        self.tokens -= amount

    def insurance_deposit(self, amount: int) -> None:
        self.ledgers.insurance += amount
        self.tokens += amount
        self._check_ledgers()

    def insurance_withdraw(self, amount: int) -> None:
        require(self.ledgers.insurance >= amount, "clearing_house: not enough cash")
        self.ledgers.insurance -= amount
        self.tokens -= amount

    # Views

    def account(self, account: int) -> Account:
        """An account, which exists once it is looked at."""
        return self.accounts.setdefault(account, Account())

    def health(self, account: int) -> Health:
        """What an account is measured by, at the latest prices."""
        a = self.account(account)
        return self.risk.health(self._base(a), a.legs)

    def equity_now(self) -> int:
        """E at the latest prices."""
        return self.risk.equity_now(self.ledgers.main, self.ledgers.claims)

    def equity(self) -> int:
        """E as of each series' last touch."""
        return self.risk.equity(self.ledgers.main, self.ledgers.claims)

    def pool_flow(self) -> PoolFlow:
        """What an LP request of the main pool is executed at."""
        return self.risk.pool_flow(self.ledgers.main, self.ledgers.claims)

    # Steps shared by several actions

    @staticmethod
    def _base(a: Account) -> int:
        return a.purse.cash + a.purse.claim

    def _may_leave(self, a: Account, amount: int) -> bool:
        return self.risk.withdrawal_check(self._base(a), a.legs, amount)

    def _sweep(self, sweep: Sweep) -> None:
        self.ledgers.sweep(sweep.insurance, sweep.treasury)

    def _add_cash(self, account: int, amount: int) -> None:
        a = self.account(account)
        a.purse.cash += amount
        self._check(a.purse)

    def _store(self, a: Account, legs: list[Leg]) -> None:
        a.legs = legs
        self._check(a.purse)
        self._check_ledgers()

    @staticmethod
    def _check(purse: Purse) -> None:
        require(max(purse.cash, purse.claim) < MAX_CASH, "clearing_house: amount too large")

    def _check_ledgers(self) -> None:
        ledgers = self.ledgers
        largest = max(ledgers.main, ledgers.claims, ledgers.insurance, ledgers.treasury)
        require(largest < MAX_LEDGER, "clearing_house: amount too large")
