"""A market out of its logs alone.

What no log says follows: a touch from the prices, variances and time of its block; what a trade did to a series from the
legs before and after it. So whoever has the logs has the market, to the unit, and needs no node that keeps old state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from everstock.model import positions
from everstock.model.cash_ledger import Purse
from everstock.model.constants import PERMILLE, WAD
from everstock.model.integers import truncated_div
from everstock.model.market import Market
from everstock.model.market_book import FOREVER, Prices
from everstock.model.order_desk import Order
from everstock.model.pool_shares import Pool, Ticket
from everstock.model.positions import Change, Visit
from everstock.model.risk_book import OrderLeg
from everstock.model.series_book import FROZEN, Series
from everstock.model.words import legs as unpacked
from everstock.model.words import oracle_word, set_parameters

NOBODY: Final = "0x" + 40 * "0"


class Contradiction(AssertionError):
    """A log that does not fit what the logs before it say."""


@dataclass
class Rebuilder:
    """Takes a market's logs in their order. `market` is as deployed, before anything happened to it.

    `pools` are the two pools' addresses by role ("main_pool", "insurance_pool"). Structs in arguments are mappings.
    """

    market: Market
    pools: Mapping[str, str]
    _deleveraging: tuple[int, int] | None = None

    def take(self, role: str, name: str, args: Mapping[str, Any], time: int) -> None:
        """One log: the emitting contract's role in the manifest, the event's name and arguments, the block's time.

        Logs that change nothing are passed over. Raises `Contradiction` if it says otherwise than those before it.
        """
        self.market.oracle.block.timestamp = time
        prefix, first = ("pool", [self._pool(role)]) if role in self.pools else (role, [])
        handler = getattr(self, f"_{prefix}_{name}", None)
        if handler is not None:
            handler(*first, **args)

    # Prices

    def _oracle_PriceStored(self, underlying: int, price: int, publish_time: int, restricted: bool) -> None:
        stored = self.market.oracle.stored(underlying)
        self.market.oracle.word[underlying] = replace(
            stored, price=price, publish_time=publish_time, restricted=restricted
        )

    def _oracle_VariancesSet(self, underlying: int, fast: int, slow: int) -> None:
        stored = self.market.oracle.stored(underlying)
        self.market.oracle.word[underlying] = replace(stored, fast=fast, slow=slow)

    # The book

    def _risk_book_SeriesListed(self, series: int, underlying: int, strike: int, is_put: bool) -> None:
        listed = Series(strike=strike, is_put=is_put, underlying=underlying, time=self.market.risk.now)
        self._agree("series id", self.market.risk.book.add(listed), series)

    def _risk_book_NoticeSet(self, series: int, time: int) -> None:
        risk = self.market.risk
        v = risk.view(risk.read(FOREVER), series)
        risk.add_growth(v.growth)
        risk.book.series[series] = replace(v.s, notice=time)
        if time == FROZEN:
            risk.book.unlist(series)

    def _risk_book_Deleveraged(self, scale: int, leaving: int) -> None:
        """Comes before its checkpoint, which says what became of E and R."""
        self._deleveraging = (scale, leaving)

    def _risk_book_Checkpoint(
        self, words: Sequence[int], equity: int, requirement: int, utilisation: int, window_end: int
    ) -> None:
        risk, ledgers = self.market.risk, self.market.house.ledgers
        stored = [oracle_word(word) for word in words]
        prices = Prices(stored, [risk.terms(u, word) for u, word in enumerate(stored)])
        scale, leaving = self._deleveraging or (None, 0)
        self._deleveraging = None
        sweep = risk.mark_all(prices, ledgers.main, ledgers.claims, leaving)
        # Swept from accrued, so E is what it was.
        found = (risk.equity(ledgers.main - sweep.insurance - sweep.treasury, ledgers.claims), risk.requirement())
        self._agree("E and R at a checkpoint", found, (equity, requirement))
        state = risk.state
        self._agree("a checkpoint's state", (state.utilisation, state.window_end), (utilisation, window_end))
        if scale is not None:
            self._agree("D", state.scale, scale)

    def _risk_book_QueuedRedemptionsSet(self, amount: int) -> None:
        self.market.risk.queued_redemptions = amount

    def _risk_book_ParametersSet(self, rates: int, limits: int) -> None:
        set_parameters(self.market.risk.parameters, rates, limits)

    # Who has what

    def _clearing_house_Deposited(self, account: int, sender: str, amount: int) -> None:
        self.market.house.account(account).purse.cash += amount
        self.market.house.tokens += amount

    def _clearing_house_Withdrawn(self, account: int, receiver: str, amount: int) -> None:
        self.market.house.account(account).purse.cash -= amount
        self.market.house.tokens -= amount

    def _clearing_house_ClaimPaid(self, account: int, amount: int, claim: int) -> None:
        house = self.market.house
        house.account(account).purse = Purse(house.account(account).purse.cash + amount, claim)
        house.ledgers.main -= amount
        house.ledgers.claims -= amount

    def _clearing_house_Swept(self, insurance: int, treasury: int) -> None:
        self.market.house.ledgers.sweep(insurance, treasury)

    def _clearing_house_PoolDeposited(self, pool: str, amount: int) -> None:
        self._flow(pool, amount)

    def _clearing_house_PoolWithdrawn(self, pool: str, amount: int) -> None:
        self._flow(pool, -amount)

    def _clearing_house_PassedOver(self, account: int) -> None:
        self.market.risk.add_growth(self._visit(account)[1].growth)

    def _clearing_house_Settled(self, account: int, gain: int, cash: int, claim: int) -> None:
        _, visit = self._visit(account)
        self._commit(account, visit, Change(), 0, gain)
        self._pay(account, cash, claim)

    def _clearing_house_Traded(
        self, account: int, legs: Sequence[int], gain: int, fee: int, cash: int, claim: int, **_: int
    ) -> None:
        risk = self.market.risk
        prices, visit = self._visit(account)
        after = unpacked(legs)
        units = {leg.series: leg.units for leg in visit.legs} | dict.fromkeys((leg.series for leg in after), 0)
        change = Change()
        for series in units:
            kept = next((leg.units for leg in after if leg.series == series), 0)
            if kept != visit.units(series):
                v = risk.view(prices, series)
                visit.growth += v.growth
                positions.change_leg(risk, prices, visit, change, series, v, kept)
        self._agree("legs", sorted(visit.legs), sorted(after))
        # In the order that the order's legs were filled in.
        visit.legs = after
        self._commit(account, visit, change, fee * risk.parameters.common_share // PERMILLE, gain)
        self._pay(account, cash, claim)

    def _clearing_house_BadDebt(self, account: int, loss: int, insured: int) -> None:
        house = self.market.house
        house.bad_debt += loss
        house.insured += insured
        house.ledgers.cover(insured)

    def _clearing_house_Liquidated(
        self, account: int, rewarded: int, fraction: int, gain: int, penalty: int, reward: int, cash: int, claim: int, **_: int
    ) -> None:
        risk, house = self.market.risk, self.market.house
        prices, visit = self._visit(account)
        change = Change()
        for leg in reversed(list(visit.legs)):
            after = truncated_div(leg.units * (WAD - fraction), WAD)
            positions.change_leg(risk, prices, visit, change, leg.series, risk.view(prices, leg.series), after)
        self._commit(account, visit, change, 0, gain)
        self._pay(account, cash + penalty, claim)
        house.account(account).purse.cash -= penalty
        house.ledgers.insurance += penalty - reward
        house.account(rewarded).purse.cash += reward

    # Terminal settlement and the treasury

    def _clearing_house_SettlementNear(self, since: int, count: int) -> None:
        settlement = self.market.house.settlement
        settlement.note(since, self.market.risk.now)
        self._agree("checkpoints that saw E <= 0", settlement.count, count)

    def _clearing_house_SettlementBegan(self, insurance: int) -> None:
        self.market.risk.freeze()
        self.market.house.settlement.begin(insurance)

    def _clearing_house_SettlementFinished(
        self, claims: int, paid: int, main: int, insurance: int, treasury: int
    ) -> None:
        house = self.market.house
        self._agree("claims", house.ledgers.claims, claims)
        self.market.finalize()
        left = (house.ledgers.main - paid, house.ledgers.insurance, house.ledgers.treasury)
        self._agree("what settlement leaves", left, (main, insurance, treasury))

    def _clearing_house_ToppedUp(self, amount: int) -> None:
        self.market.house.top_up(amount)

    def _clearing_house_TreasuryWithdrawn(self, receiver: str, amount: int) -> None:
        self.market.house.withdraw_treasury(amount)

    def _treasury_LeastBalanceSet(self, amount: int) -> None:
        self.market.treasury.least_balance = amount

    # The pools

    def _pool_DepositQueued(self, pool: Pool, ticket: int, controller: str, assets: int) -> None:
        self._agree("ticket", pool.deposits.add(Ticket(str(controller), self.market.risk.now, assets)), ticket)
        pool.tokens += assets

    def _pool_RedemptionQueued(self, pool: Pool, ticket: int, controller: str, shares: int, assets: int) -> None:
        given = pool.redemptions.add(Ticket(str(controller), self.market.risk.now, assets, shares))
        self._agree("ticket", given, ticket)

    def _pool_DepositExecuted(self, pool: Pool, ticket: int, controller: str, assets: int, shares: int) -> None:
        pool.deposits.done = ticket
        del pool.deposits.tickets[ticket]
        pool.supply += shares
        pool.tokens -= assets
        pool.bought[str(controller)].add(assets, shares)

    def _pool_DepositPassedOver(self, pool: Pool, ticket: int, controller: str, assets: int) -> None:
        pool.deposits.done = ticket

    def _pool_DepositCancelled(self, pool: Pool, ticket: int, controller: str, receiver: str, assets: int) -> None:
        del pool.deposits.tickets[ticket]
        pool.tokens -= assets

    def _pool_RedemptionExecuted(self, pool: Pool, ticket: int, controller: str, shares: int, assets: int) -> None:
        request = pool.redemptions.tickets.pop(ticket)
        if shares == request.shares:
            pool.redemptions.done = ticket
        else:
            pool.redemptions.tickets[ticket] = request.without(shares)
        pool.supply -= shares
        pool.tokens += assets
        pool.sold[str(controller)].add(assets, shares)

    def _pool_Deposit(self, pool: Pool, sender: str, owner: str, assets: int, shares: int) -> None:
        pool.bought[str(sender)].add(-assets, -shares)

    def _pool_Withdraw(self, pool: Pool, sender: str, receiver: str, owner: str, assets: int, shares: int) -> None:
        pool.sold[str(owner)].add(-assets, -shares)
        pool.tokens -= assets

    def _pool_Transfer(self, pool: Pool, sender: str, receiver: str, value: int) -> None:
        """Shares that the pool holds are escrowed or to be claimed, and counted there."""
        outside = {NOBODY, *self.pools.values()}
        for holder, change in ((str(sender), -value), (str(receiver), value)):
            if holder not in outside:
                pool.balances[holder] += change

    # The order desk

    def _order_desk_Requested(self, account: int, nonce: int, order: Mapping[str, Any]) -> None:
        desk = self.market.desk
        desk.last_nonce[account] = nonce
        desk.waiting[account, nonce] = requested = _order(order)
        if requested.trigger == 0:
            desk.go_live(requested)

    def _order_desk_Triggered(self, account: int, nonce: int, sender: str, order: Mapping[str, Any]) -> None:
        self.market.desk.waiting[account, nonce] = live = _order(order)
        self.market.desk.go_live(live)

    def _order_desk_DelegateSet(self, account: int, delegate: str, allowed: bool) -> None:
        delegates = self.market.desk.delegates[account]
        (delegates.add if allowed else delegates.discard)(str(delegate))

    def _order_desk_SignatureSpent(self, account: int, digest: bytes, sender: str) -> None:
        self.market.desk.spent.add((account, digest))

    def _order_desk_Executed(self, account: int, nonce: int, **_: Any) -> None:
        del self.market.desk.waiting[account, nonce]

    def _order_desk_Voided(self, account: int, nonce: int) -> None:
        del self.market.desk.waiting[account, nonce]

    def _order_desk_Cancelled(self, account: int, nonce: int, **_: Any) -> None:
        del self.market.desk.waiting[account, nonce]

    # Steps

    def _visit(self, account: int) -> tuple[Prices | None, Visit]:
        """Touch the series of an account's legs at the stored prices; in settlement there is nothing to touch."""
        prices = None if self.market.risk.state.frozen else self.market.risk.read(FOREVER)
        return prices, positions.visit(self.market.risk, prices, self.market.house.account(account).legs, acting=True)

    def _commit(self, account: int, visit: Visit, change: Change, accrued: int, gain: int) -> None:
        self._agree("gain", visit.gain, gain)
        a = self.market.house.account(account)
        positions.commit(self.market.risk, visit, len(a.legs), change, accrued)
        a.legs = visit.legs

    def _pay(self, account: int, cash: int, claim: int) -> None:
        """Cash moves between an account and main, and a claim is one on main."""
        house = self.market.house
        before = house.account(account).purse
        house.ledgers.main += before.cash - cash
        house.ledgers.claims += claim - before.claim
        house.account(account).purse = Purse(cash, claim)

    def _flow(self, pool: str, amount: int) -> None:
        ledgers = self.market.house.ledgers
        if str(pool) == self.pools["main_pool"]:
            ledgers.main += amount
        else:
            ledgers.insurance += amount
        self.market.house.tokens += amount

    def _pool(self, role: str) -> Pool:
        return self.market.main_pool if role == "main_pool" else self.market.insurance_pool

    @staticmethod
    def _agree(what: str, found: Any, said: Any) -> None:
        if found != said:
            raise Contradiction(f"{what}: {said} in the log, {found} by those before it")


def _order(terms: Mapping[str, Any]) -> Order:
    """An order out of its event."""
    legs = tuple(OrderLeg(leg["series"], leg["face"]) for leg in terms["legs"])
    return Order(**{**terms, "legs": legs, "payer": str(terms["payer"])})
