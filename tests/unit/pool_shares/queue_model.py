"""What a pool's queues and shares do, in plain integers: the rules of IPool and nothing of how they are stored."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.liquidity import DEPOSIT_WAIT, MAX_BATCH, REDEMPTION_WAIT, VIRTUAL_SHARES

LEAST_SHARES = 1_000
LEAST_PRICE = 10**6


@dataclass
class Request:
    """A request as long as it waits. `shares` is 0 for a deposit."""

    controller: str
    time: int
    assets: int
    shares: int = 0


@dataclass
class Queue:
    """Requests in order; those before `done` have left. One taken back or executed is None."""

    wait: int
    requests: list[Request | None] = field(default_factory=list)
    done: int = 0

    def next(self, publish_time: int) -> bool:
        """Whether the next may be dealt with at a price of that time."""
        if self.done == len(self.requests):
            return False
        request = self.requests[self.done]
        return request is None or publish_time >= request.time + self.wait

    def waiting(self) -> list[Request]:
        """All that wait, those passed over too."""
        return [request for request in self.requests if request]


@dataclass
class Pair:
    """Tokens and shares that belong together."""

    assets: int = 0
    shares: int = 0


@dataclass
class PoolModel:
    """One pool. `supply` are all its shares; what the pool is worth is told by whoever calls."""

    supply: int = 0
    deposits: Queue = field(default_factory=lambda: Queue(DEPOSIT_WAIT))
    redemptions: Queue = field(default_factory=lambda: Queue(REDEMPTION_WAIT))
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bought: dict[str, Pair] = field(default_factory=lambda: defaultdict(Pair))
    sold: dict[str, Pair] = field(default_factory=lambda: defaultdict(Pair))

    def request_deposit(self, who: str, time: int, assets: int) -> None:
        self.deposits.requests.append(Request(who, time, assets))

    def request_redeem(self, who: str, time: int, shares: int, equity: int) -> None:
        self.balances[who] -= shares
        self.redemptions.requests.append(Request(who, time, self.to_assets(shares, equity), shares))

    def to_assets(self, shares: int, equity: int) -> int:
        return shares * (equity + 1) // (self.supply + VIRTUAL_SHARES)

    def fulfil_deposits(self, count: int, publish_time: int, equity: int) -> tuple[int, int]:
        """How many were dealt with, and the tokens that entered."""
        if equity < 0 or (equity == 0 and self.supply):
            return 0, 0
        if (equity + 1) * LEAST_PRICE * VIRTUAL_SHARES < self.supply + VIRTUAL_SHARES:
            return 0, 0
        dealt = entered = 0
        queue = self.deposits
        while dealt < min(count, MAX_BATCH) and queue.next(publish_time):
            request = queue.requests[queue.done]
            if request:
                shares = request.assets * (self.supply + VIRTUAL_SHARES) // (equity + entered + 1)
                if shares >= LEAST_SHARES:
                    queue.requests[queue.done] = None
                    self.supply += shares
                    entered += request.assets
                    self.bought[request.controller].assets += request.assets
                    self.bought[request.controller].shares += shares
            dealt += 1
            queue.done += 1
        return dealt, entered

    def fulfil_redemptions(self, count: int, publish_time: int, equity: int, limit: int) -> tuple[int, int]:
        """How many were dealt with, and the tokens that left."""
        dealt = left = 0
        limit = min(limit, equity)
        queue = self.redemptions
        while dealt < min(count, MAX_BATCH) and queue.next(publish_time) and limit > left:
            request = queue.requests[queue.done]
            assets = min(request.assets, self.to_assets(request.shares, equity - left))
            shares = request.shares
            if assets > limit - left:
                shares = request.shares * (limit - left) // assets
                worth = request.assets * shares // request.shares
                assets = min(worth, self.to_assets(shares, equity - left))
                if assets == 0:
                    break
                queue.requests[queue.done] = Request(
                    request.controller, request.time, request.assets - worth, request.shares - shares
                )
            else:
                queue.requests[queue.done] = None
                queue.done += 1
            dealt += 1
            left += assets
            self.supply -= shares
            self.sold[request.controller].assets += assets
            self.sold[request.controller].shares += shares
            if shares != request.shares:
                break
        return dealt, left

    def claim(self, pair: Pair, assets: int, shares: int) -> None:
        pair.assets -= assets
        pair.shares -= shares
