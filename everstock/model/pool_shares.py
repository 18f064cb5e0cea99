"""Shares and request queues of a pool: what the main and the insurance pool have in common, and each pool's own limits.

Holders and controllers are any hashable name. All actions may raise `Revert`.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from everstock.model.clearing_house import ClearingHouse
from everstock.model.constants import DEPOSIT_WAIT, MAX_WAIT, PERMILLE, REDEMPTION_WAIT
from everstock.model.integers import ceil_div
from everstock.model.reverts import Revert, require
from everstock.model.risk_book import PoolFlow
from everstock.model.waterfall import Stage

VIRTUAL_SHARES: Final = 10**6
# Entry is closed below 1 / LEAST_PRICE of the first share price, which is 1 / VIRTUAL_SHARES.
LEAST_PRICE: Final = 10**6
# A deposit of fewer shares could lose more than a thousandth to rounding.
LEAST_SHARES: Final = 1_000
MAX_BATCH: Final = 64
MAX_ASSETS: Final = 2**96 - 1

Holder = Hashable


@dataclass(frozen=True)
class Ticket:
    """A request in its queue."""

    controller: Holder
    requested_at: int
    assets: int  # of a deposit, escrowed; of a redemption, what its shares were worth when requested
    shares: int = 0  # of a redemption, escrowed

    def without(self, shares: int) -> "Ticket":
        """What is left of a redemption when a part of its shares was redeemed."""
        worth = self.assets * shares // self.shares
        return replace(self, assets=self.assets - worth, shares=self.shares - shares)


@dataclass
class Queue:
    """Requests first in, first out, by ticket from 1; those executed or taken back are gone."""

    wait: int  # seconds
    given: int = 0
    done: int = 0
    tickets: dict[int, Ticket] = field(default_factory=dict)

    def add(self, ticket: Ticket) -> int:
        self.given += 1
        self.tickets[self.given] = ticket
        return self.given

    @property
    def next(self) -> Ticket | None:
        """The request whose turn it is; none if nobody waits or it was taken back."""
        return self.tickets.get(self.done + 1)

    def is_due(self, time: int) -> bool:
        """Whether it is somebody's turn, and a price of that time may execute it."""
        if self.done == self.given:
            return False
        return self.next is None or time >= self.next.requested_at + self.wait


@dataclass
class Pair:
    """Tokens and shares that belong together."""

    assets: int = 0
    shares: int = 0

    def add(self, assets: int, shares: int) -> None:
        self.assets += assets
        self.shares += shares


@dataclass
class Pool(ABC):
    """One pool. Amounts of M and of shares in raw units."""

    house: ClearingHouse
    supply: int = 0
    balances: dict[Holder, int] = field(default_factory=lambda: defaultdict(int))
    deposits: Queue = field(default_factory=lambda: Queue(DEPOSIT_WAIT))
    redemptions: Queue = field(default_factory=lambda: Queue(REDEMPTION_WAIT))
    bought: dict[Holder, Pair] = field(default_factory=lambda: defaultdict(Pair))  # to be claimed
    sold: dict[Holder, Pair] = field(default_factory=lambda: defaultdict(Pair))  # to be claimed
    tokens: int = 0  # escrowed and to be claimed

    # What the two pools do each in their own way

    @abstractmethod
    def equity_now(self) -> int:
        """What the pool is worth for a redemption request, raw units of M, at least 0."""

    @abstractmethod
    def total_assets(self) -> int:
        """What the pool was worth at the last touches, raw units of M, at least 0."""

    @abstractmethod
    def note_queued(self) -> None:
        """Redemptions came or went."""

    @abstractmethod
    def _fulfil(self, flow: PoolFlow, stage: Stage, deposits: int, redemptions: int) -> tuple[int, int]:
        """Execute requests of both queues, deposits first; returns how many were dealt with."""

    # Requests

    def request_deposit(self, owner: Holder, assets: int) -> int:
        """Escrow `assets` of an owner who is the controller, too; returns the ticket."""
        require(self.house.stage == Stage.ACTIVE, "pool: in settlement")
        require(assets <= MAX_ASSETS, "pool: amount too large")
        require(assets >= self._minimum(), "pool: below minimum")
        self.tokens += assets
        return self.deposits.add(Ticket(owner, self.house.risk.now, assets))

    def cancel_deposit(self, ticket: int) -> int:
        """Take back a deposit that was passed over, is overdue or can never execute; returns what was escrowed."""
        request = self.deposits.tickets.get(ticket)
        require(request is not None, "pool: no request")
        overdue = self.house.risk.now >= request.requested_at + DEPOSIT_WAIT + MAX_WAIT
        ended = self.house.stage != Stage.ACTIVE
        require(ticket <= self.deposits.done or overdue or ended, "pool: not overdue")
        del self.deposits.tickets[ticket]
        self.tokens -= request.assets
        return request.assets

    def request_redeem(self, owner: Holder, shares: int) -> int:
        """Escrow `shares` of an owner who is the controller, too; returns the ticket."""
        equity = self.equity_now()
        require(shares != 0, "pool: zero amount")
        require(self.house.stage != Stage.SETTLING, "pool: in settlement")
        require(shares <= self.balances[owner], "erc20: transfer amount exceeds balance")
        is_all = shares == self.balances[owner]
        assets = to_assets(shares, equity, self.supply)
        require(assets != 0, "pool: worth nothing")
        require(is_all or assets >= self._minimum(), "pool: below minimum")
        require(self.queued + assets <= MAX_ASSETS, "pool: amount too large")
        self.balances[owner] -= shares
        ticket = self.redemptions.add(Ticket(owner, self.house.risk.now, assets, shares))
        self.note_queued()
        return ticket

    def fulfil(self, deposits: int, redemptions: int) -> tuple[int, int]:
        """Execute up to so many requests of each queue; returns how many were dealt with."""
        asked = ((self.deposits, deposits), (self.redemptions, redemptions))
        if not any(count and queue.is_due(self.house.risk.now) for queue, count in asked):
            return 0, 0
        dealt = self._fulfil(*self.house.flow(), deposits, redemptions)
        self.note_queued()
        return dealt

    # Claims

    def claim_shares(self, controller: Holder, shares: int) -> int:
        """`mint`: hand out shares of executed deposits; returns the assets they stand for, rounded up."""
        claimable = self.bought[controller]
        self._check_claim(shares, claimable.shares)
        assets = ceil_div(claimable.assets * shares, claimable.shares)
        claimable.add(-assets, -shares)
        self.balances[controller] += shares
        return assets

    def claim_deposit(self, controller: Holder, assets: int) -> int:
        """`deposit`: hand out the shares of so many deposited assets, rounded down; returns them."""
        claimable = self.bought[controller]
        self._check_claim(assets, claimable.assets)
        shares = claimable.shares * assets // claimable.assets
        claimable.add(-assets, -shares)
        self.balances[controller] += shares
        return shares

    def claim_assets(self, controller: Holder, assets: int) -> int:
        """`withdraw`: hand out tokens of executed redemptions; returns the shares they stand for, rounded up."""
        claimable = self.sold[controller]
        self._check_claim(assets, claimable.assets)
        shares = ceil_div(claimable.shares * assets, claimable.assets)
        claimable.add(-assets, -shares)
        self.tokens -= assets
        return shares

    def claim_redemption(self, controller: Holder, shares: int) -> int:
        """`redeem`: hand out the tokens of so many redeemed shares, rounded down; returns them."""
        claimable = self.sold[controller]
        self._check_claim(shares, claimable.shares)
        assets = claimable.assets * shares // claimable.shares
        claimable.add(-assets, -shares)
        self.tokens -= assets
        return assets

    def transfer(self, sender: Holder, receiver: Holder, shares: int) -> None:
        require(shares <= self.balances[sender], "erc20: transfer amount exceeds balance")
        self.balances[sender] -= shares
        self.balances[receiver] += shares

    @property
    def queued(self) -> int:
        """What all waiting redemptions were worth when requested, raw units of M."""
        return sum(ticket.assets for ticket in self.redemptions.tickets.values())

    # Steps

    def overdue(self) -> int:
        """What the next redemption was worth when requested, if it could have executed MAX_WAIT ago; else 0."""
        queue = self.redemptions
        if queue.next is None or self.house.risk.now < queue.next.requested_at + REDEMPTION_WAIT + MAX_WAIT:
            return 0
        return queue.next.assets

    def _minimum(self) -> int:
        """The least a request must be worth, so that nobody clogs a queue with dust."""
        return max(1, self.house.risk.parameters.min_margin)

    def _is_entry_open(self, equity: int) -> bool:
        """Whether deposits may execute: not where they would pay for a loss, nor at a price next to nothing."""
        if equity < 0 or (equity == 0 and self.supply):
            return False
        return (equity + 1) * LEAST_PRICE * VIRTUAL_SHARES >= self.supply + VIRTUAL_SHARES

    def _execute_deposits(self, flow: PoolFlow, equity: int, count: int, expected: int = 0) -> tuple[int, int]:
        """Execute up to `count` deposits, in order, into a pool worth `equity`; what entered, and how many were dealt with.

        `expected` is the pool's but not in its equity yet: whoever enters pays for it.
        """
        entered = dealt = 0
        if not self._is_entry_open(equity):
            return entered, dealt
        while dealt < min(count, MAX_BATCH) and self.deposits.is_due(flow.publish_time):
            dealt += 1
            request = self.deposits.next
            self.deposits.done += 1
            if request is None:
                continue
            shares = to_shares(request.assets, equity + entered + expected, self.supply)
            if shares < LEAST_SHARES:
                continue  # passed over; it may be taken back
            del self.deposits.tickets[self.deposits.done]
            entered += request.assets
            self.supply += shares
            self.tokens -= request.assets
            self.bought[request.controller].add(request.assets, shares)
        return entered, dealt

    def _execute_redemptions(self, flow: PoolFlow, equity: int, count: int, limit: int) -> tuple[int, int]:
        """Execute up to `count` redemptions, in order, out of a pool worth `equity`, the last in part where `limit` (raw
        units of M, for all of them) demands it; what left, and how many were dealt with."""
        left = dealt = 0
        limit = min(limit, equity)
        queue = self.redemptions
        while dealt < min(count, MAX_BATCH) and queue.is_due(flow.publish_time) and left < limit:
            request = queue.next
            part = self._payable(request, equity - left, limit - left)
            is_whole = part.shares == request.shares
            if not is_whole and part.assets == 0:
                break
            dealt += 1
            left += part.assets
            self.supply -= part.shares
            self.tokens += part.assets
            self.sold[request.controller].add(part.assets, part.shares)
            if is_whole:
                queue.done += 1
                del queue.tickets[queue.done]
            else:
                queue.tickets[queue.done + 1] = request.without(part.shares)
                break
        return left, dealt

    def _payable(self, request: Ticket, equity: int, available: int) -> Pair:
        """Of a redemption, the shares that can be redeemed and what they pay: at the lower of the prices at request and now,
        no more than `available`."""
        assets = min(request.assets, to_assets(request.shares, equity, self.supply))
        if assets <= available:
            return Pair(assets, request.shares)
        shares = request.shares * available // assets
        at_request = request.assets * shares // request.shares
        return Pair(min(at_request, to_assets(shares, equity, self.supply)), shares)

    @staticmethod
    def _check_claim(amount: int, claimable: int) -> None:
        require(amount != 0, "pool: zero amount")
        require(amount <= claimable, "pool: more than claimable")


class MainPool(Pool):
    """Its equity is E. A redemption must leave E at `kept` and main cash at the claims, and is not paid while gains are
    booked as claims; while it waits it counts against new risk."""

    def equity_now(self) -> int:
        """E at the latest prices. Where an LP flow may not execute a checkpoint brings all series to one price, and where
        there is no fresh price either, the last touches have to do."""
        try:
            return max(self.house.pool_flow().equity, 0)
        except Revert:
            with suppress(Revert):
                self.house.checkpoint()
            return self.total_assets()

    def total_assets(self) -> int:
        return max(self.house.equity(), 0)

    def note_queued(self) -> None:
        self.house.risk.queued_redemptions = self.queued

    def _fulfil(self, flow: PoolFlow, stage: Stage, deposits: int, redemptions: int) -> tuple[int, int]:
        house = self.house
        # An overdue redemption is paid, and takes its share of the book along.
        overdue = min(self._free_cash(), self.overdue())
        if redemptions and overdue > 0 and stage == Stage.ACTIVE and flow.equity - overdue < self._kept(flow):
            flow, stage = house.flow(overdue)
        if stage == Stage.SETTLING:
            return 0, 0

        takes = deposits if stage == Stage.ACTIVE else 0
        entered, came = self._execute_deposits(flow, flow.equity, takes)
        house.main_deposit(entered)
        left = went = 0
        if redemptions and not flow.booked:
            equity = flow.equity + entered
            cash = self._free_cash()
            limit = equity - self._kept(flow)
            if min(overdue, cash) > limit:
                left, went = self._execute_redemptions(flow, equity, 1, min(overdue, cash))
            else:
                left, went = self._execute_redemptions(flow, equity, redemptions, min(limit, cash))
        if left:
            house.main_withdraw(left)
        return came, went

    def _free_cash(self) -> int:
        """Main cash above claims, raw units of M."""
        return self.house.ledgers.main - self.house.ledgers.claims

    def _kept(self, flow: PoolFlow) -> int:
        """What a redemption must leave of E: withdraw_buffer (or open_buffer, if that is more) * R, rounded up."""
        p = self.house.risk.parameters
        return ceil_div(max(p.withdraw_buffer, p.open_buffer) * flow.requirement, PERMILLE)


class InsurancePool(Pool):
    """Its equity is the insurance ledger; whoever enters pays for what is about to be swept into it, too. Nobody leaves ahead of a loss that already happened: not in a settle window, nor
    while the main pool has E <= 0 and somebody may still win from it."""

    def equity_now(self) -> int:
        return self.total_assets()

    def total_assets(self) -> int:
        return self.house.ledgers.insurance

    def note_queued(self) -> None:
        """They bind nobody."""

    def _fulfil(self, flow: PoolFlow, stage: Stage, deposits: int, redemptions: int) -> tuple[int, int]:
        takes = deposits if stage == Stage.ACTIVE else 0
        entered, came = self._execute_deposits(flow, self.total_assets(), takes, self._expected(flow))
        self.house.insurance_deposit(entered)
        went = 0
        is_idle = self.house.ledgers.claims == 0 and self.house.risk.totals.open_legs == 0
        if stage == Stage.SETTLED or flow.equity > 0 or is_idle:
            equity = self.total_assets()
            left, went = self._execute_redemptions(flow, equity, redemptions, equity)
            self.house.insurance_withdraw(left)
        return came, went

    def _expected(self, flow: PoolFlow) -> int:
        """Insurance's part of what the next sweeps will bring, rounded up: it belongs to those who are in already."""
        return flow.accrued - flow.accrued * self.house.risk.parameters.treasury_share // PERMILLE


def to_shares(assets: int, equity: int, supply: int) -> int:
    """Shares worth `assets` of a pool of that equity, rounded down."""
    return assets * (supply + VIRTUAL_SHARES) // (equity + 1)


def to_assets(shares: int, equity: int, supply: int) -> int:
    """What `shares` are worth in a pool of that equity, rounded down."""
    return shares * (equity + 1) // (supply + VIRTUAL_SHARES)
