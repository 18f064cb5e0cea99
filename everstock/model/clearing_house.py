"""The clearing house: accounts, their legs, the ledgers, and how money moves between them. All actions may raise `Revert`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from everstock.model.cash_ledger import Ledgers, Purse
from everstock.model.constants import LEAST_SCALE, PERMILLE
from everstock.model.market_book import Sweep
from everstock.model.positions import Leg
from everstock.model.reverts import require
from everstock.model.risk_book import Health, OrderLeg, PoolFlow, RiskBook
from everstock.model.waterfall import Settlement, Stage

MAX_CASH: Final = 2**112
MAX_LEDGER: Final = 2**128
MAX_FACE: Final = 2**127
# The publish time of a price that is never too early.
ALWAYS: Final = 2**64 - 1


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
    settlement: Settlement = field(default_factory=Settlement)
    accounts: dict[int, Account] = field(default_factory=dict)
    tokens: int = 0  # that it received and has not sent
    bad_debt: int = 0  # losses beyond accounts' cash so far, and what insurance paid of them: the sums of `BadDebt` events
    insured: int = 0

    # Margin

    def deposit(self, account: int, amount: int, live_until: int = 0) -> None:
        """`live_until` is until when an order of the account's is live, by the order desk."""
        require(amount != 0, "clearing_house: zero amount")
        require(account >> 96 != 0, "clearing_house: no owner")
        require(self.stage == Stage.ACTIVE, "clearing_house: in settlement")
        require(self.risk.now > live_until, "clearing_house: live order")
        self._add_cash(account, amount)
        self.tokens += amount

    def withdraw(self, account: int, amount: int, live_until: int = 0) -> None:
        """`live_until` as of `deposit`."""
        require(amount != 0, "clearing_house: zero amount")
        require(self.risk.now > live_until, "clearing_house: live order")
        a = self.account(account)
        if self.stage != Stage.ACTIVE:
            self._wind_up(account)
        elif a.legs:
            free = self._may_leave(a, amount)
            if not free or a.purse.cash < amount:
                self.settle(account)
                require(self._may_leave(a, amount), "risk_book: no equity")
        require(a.purse.cash >= amount, "clearing_house: not enough cash")
        a.purse.cash -= amount
        self.tokens -= amount

    def settle(self, account: int) -> bool:
        """Realise an account's legs and pay its claim; False if it is bankrupt and was passed over. In settlement this
        resolves the account, and what it lacks is borne by the waterfall."""
        a = self.account(account)
        s = self.risk.settle(self._base(a), a.legs, self.ledgers.main, self.ledgers.claims)
        self._sweep(s.sweep)
        if s.skipped:
            return False
        self._absorb(self.ledgers.realise(a.purse, s.gain, s.booked))
        self._store(a, s.legs)
        return True

    def pay_claim(self, account: int) -> int:
        """Pay an account's claim, as far as main cash allows or, once settlement is over, its part; returns what was paid."""
        a = self.account(account)
        if self.stage == Stage.SETTLED:
            return self._pay_part(a)
        if self.stage == Stage.ACTIVE and self.risk.is_due():
            self.checkpoint()
        require(not self.risk.is_booked(), "clearing_house: claims are frozen")
        before = a.purse.cash
        self.ledgers.pay_claim(a.purse)
        return a.purse.cash - before

    # The market

    def checkpoint(self, leaving: int = 0) -> None:
        """A checkpoint, and terminal settlement where it finds the market beyond recovery; `leaving` is what an overdue
        redemption needs."""
        sweep = self.risk.checkpoint(self.ledgers.main, self.ledgers.claims, leaving)
        self._sweep(sweep)
        if not sweep.alarm:
            return
        state = self.risk.state
        fatal = state.scale < LEAST_SCALE
        if state.negative_since and (self.risk.totals.open_legs or self.ledgers.claims):
            fatal = self.settlement.note(state.negative_since, self.risk.now) or fatal
        if fatal:
            self.risk.freeze()
            self.settlement.begin(self.ledgers.insurance)

    def trade(
        self,
        account: int,
        order: Sequence[OrderLeg],
        own_prices: Sequence[int],
        limit: int,
        mark_limit: int,
        reduce_only: bool,
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
        require(total - t.fee - t.impact <= mark_limit, "trade: mark over limit")
        require(equity >= charge + t.initial, "trade: below initial margin")
        require(a.purse.cash >= charge + t.cash_floor, "trade: not enough cash")
        a.purse.cash -= charge
        self.ledgers.main += charge
        self._store(a, t.legs)
        return total

    def liquidate(self, account: int, rewarded: int, live_until: int = 0) -> int:
        """Close the same fraction of every leg of an account below maintenance; returns the fraction, 0 if it is healthy.

        For the liquidator alone. The reward goes to the account `rewarded`; `live_until` is that one's.
        """
        a = self.account(account)
        l = self.risk.liquidate(self._base(a), a.legs, self.ledgers.main, self.ledgers.claims)
        self._sweep(l.sweep)
        if l.fraction == 0:
            return 0
        loss = self.ledgers.realise(a.purse, l.gain, l.booked)
        self._absorb(loss)
        penalty = min(l.penalty, a.purse.cash)
        p = self.risk.parameters
        reward = min(max(penalty * p.reward_share // PERMILLE, p.reward_floor), penalty)
        require(reward == 0 or self.risk.now > live_until, "clearing_house: live order")
        a.purse.cash -= penalty
        self.ledgers.insurance += penalty - reward
        self._store(a, l.legs)
        self._add_cash(rewarded, reward)
        return l.fraction

    # Terminal settlement

    def resolve(self, accounts: Sequence[int]) -> None:
        """Close accounts, those without legs aside: a net loss is collected, a net gain becomes a claim."""
        require(self.stage == Stage.SETTLING, "clearing_house: not in settlement")
        for account in accounts:
            if self.account(account).legs:
                self.settle(account)

    def finalize(self, main_has_shares: bool, insurance_has_shares: bool) -> None:
        """When every account is resolved: fix the part of its claim that everybody is paid, and who has the rest."""
        require(self.stage == Stage.SETTLING, "clearing_house: not in settlement")
        require(self.risk.totals.open_legs == 0, "clearing_house: accounts to resolve")
        self.settlement.finish(self.ledgers, main_has_shares, insurance_has_shares)

    # The pools

    def flow(self, leaving: int = 0) -> tuple[PoolFlow, Stage]:
        """What a pool executes LP requests at, and the market's stage then: after a checkpoint if one is due, or one that makes
        room for an overdue redemption of `leaving`."""
        require(self.stage != Stage.SETTLING, "clearing_house: in settlement")
        if self.stage == Stage.SETTLED:
            left = self.ledgers.main - self.ledgers.claims
            return PoolFlow(left, requirement=0, accrued=0, publish_time=ALWAYS, booked=False), self.stage
        if leaving or self.risk.is_due():
            self.checkpoint(leaving)
        if self.stage != Stage.ACTIVE:
            return PoolFlow(0, requirement=0, accrued=0, publish_time=0, booked=False), self.stage
        return self.pool_flow(), self.stage

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

    # The treasury

    def top_up(self, amount: int) -> None:
        """Move from the treasury to insurance."""
        self._spend_treasury(amount)
        self.ledgers.insurance += amount

    def withdraw_treasury(self, amount: int) -> None:
        self._spend_treasury(amount)
        self.tokens -= amount

    # Views

    @property
    def stage(self) -> Stage:
        return self.settlement.stage

    def is_trading(self) -> bool:
        """Whether the market as a whole lets orders be filled, and no checkpoint is due that might find otherwise."""
        return self.stage == Stage.ACTIVE and not self.risk.is_booked() and not self.risk.is_due()

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

    def _absorb(self, loss: int) -> None:
        """Layers 2 and 3 of the waterfall: insurance pays main for what an account lacks, the rest is main's."""
        self.bad_debt += loss
        self.insured += self.ledgers.cover(loss)

    def _wind_up(self, account: int) -> None:
        """Resolve an account in settlement if it was not, and pay its claim if settlement is over."""
        if self.account(account).legs:
            self.settle(account)
        if self.stage == Stage.SETTLED:
            self._pay_part(self.account(account))

    def _pay_part(self, a: Account) -> int:
        """Pay a claim at the end of settlement, for good."""
        paid = self.settlement.worth(a.purse.claim)
        a.purse.cash += paid
        a.purse.claim = 0
        self.ledgers.main -= paid
        self.ledgers.claims -= paid
        return paid

    def _spend_treasury(self, amount: int) -> None:
        require(amount != 0, "clearing_house: zero amount")
        require(self.ledgers.treasury >= amount, "clearing_house: not enough cash")
        self.ledgers.treasury -= amount

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
