"""Traders who know prices before the chain does, on the real crashes of 2024-08-05 and 2025-10-10.

The data are bars of a minute. Inside a minute the path of seconds is made up: the open at its first second, the close
at its last, low and high at two seconds drawn at random, in the order that makes the way shorter, and between these
corners a Brownian bridge whose volatility is the minute's own (Parkinson: range / (2 sqrt(ln 2)) a minute), cut off at
low and high. A minute without trades stands still. Seeded.

An attacker who knows some seconds of the path opens one position of at most two legs, and closes it. Everything he does
goes through the order desk and the clearing house of the integer model, or of the contracts. He executes his own orders
in the second that their price is published in, brings no price that would harm him, and Chainlink always agrees with
Pyth: all in his favour.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from everstock.chain import addresses
from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import (
    DELAY,
    NO_DEADLINE,
    NO_LIMIT,
    START,
    STOCK_PRICE,
    VARIANCES,
    Protocol,
    account_of,
    price,
)
from everstock.model import float_price
from everstock.model.atomic import undone_on_revert
from everstock.model.constants import SETTLE_WINDOW
from everstock.model.market import Market
from everstock.model.order_desk import EXEC_WINDOW, Order, min_fee
from everstock.model.parameters import Parameters
from everstock.model.price_oracle import Block, Feed, PriceOracle, Published, Round
from everstock.model.reverts import Revert
from everstock.model.risk_book import OrderLeg
from everstock.parameters import MarketParameters
from everstock.replay.bars import Bars, read_csv

Floats = NDArray[np.float64]

# The attacker of the model's market.
OWNER: Final = f"0x{1:040x}"
DECIMALS: Final = 18
TOKEN: Final = 10**DECIMALS
# The pools' capital, an attacker's margin and the face of each of his legs, whole tokens: so small that impact is nothing.
MAIN: Final = 10_000
INSURANCE: Final = 1_000
MARGIN: Final = 1_000
FACE: Final = 10
# Who does not know holds as long as who knows 30 seconds may look ahead from his price; nobody holds longer than the other.
HOLD: Final = 26
LONGEST: Final = 300
# What the naive design leaves: prices that were published up to a minute ago.
STALE: Final = 60
KEEPER: Final = 10
# What may be listed near enough to what everybody wants: deep in the money for most delta per fee, at the money for gamma.
CALLS: Final = (1.25, 1.0)
PUTS: Final = (0.8, 1.0)
LEGS_OF: Final = tuple((m, False) for m in CALLS) + tuple((m, True) for m in PUTS)

FILES: Final[Mapping[str, Mapping[str, str]]] = {
    "2024-08-05": {
        "BTC": "BTCUSDT_2024-08-05_binance_1m.csv",
        "ETH": "ETHUSDT_2024-08-05_binance_1m.csv",
    },
    "2025-10-10": {
        "BTC": "BTCUSD-MARK_2025-10-10_binance-coinm_1m.csv",
        "ETH": "ETHUSD_2025-10-10_gemini_1m.csv",
    },
}
# (episode, first second, seconds): the day, and the hour of the crash.
DAY: Final = 86_400
SPANS: Final[Mapping[str, Sequence[tuple[str, str, int]]]] = {
    "day": (("2024-08-05", "2024-08-05 00:00", DAY), ("2025-10-10", "2025-10-10 00:02", DAY - 300)),
    "crash hour": (("2024-08-05", "2024-08-05 01:00", 3_600), ("2025-10-10", "2025-10-10 21:00", 3_600)),
}


def seconds_of(bars: Bars, seed: int) -> tuple[int, Floats]:
    """The path of seconds through bars of one length, and when it begins."""
    rng = np.random.default_rng(seed)
    length = int((bars.end - bars.start)[0])
    extremes = np.sort(rng.random((len(bars), length - 2)).argsort(axis=1)[:, :2] + 1, axis=1)
    low_first = abs(bars.open - bars.low) + abs(bars.high - bars.close)
    high_first = abs(bars.open - bars.high) + abs(bars.low - bars.close)
    down = low_first <= high_first
    second = np.stack([0 * bars.start, extremes[:, 0], extremes[:, 1], 0 * bars.start + length - 1], axis=1)
    values = [bars.open, np.where(down, bars.low, bars.high), np.where(down, bars.high, bars.low), bars.close]
    first, last = bars.first, bars.last
    at = (bars.start[:, None] - first + second).ravel()
    grid = np.arange(last - first)

    row = np.searchsorted(bars.start, first + grid, side="right") - 1
    inside = first + grid < bars.end[row]
    sigma = np.log(bars.high / bars.low) / (2 * math.log(2) ** 0.5) / length**0.5
    noise = np.cumsum(np.where(inside, sigma[row], 0) * rng.normal(size=len(grid)))
    logs = np.interp(grid, at, np.log(np.stack(values, axis=1)).ravel())
    logs += noise - np.interp(grid, at, noise[at])
    path = np.clip(np.exp(logs), bars.low[row], bars.high[row])
    return first, np.where(inside, path, bars.close[row])


@dataclass(frozen=True)
class Session:
    """Some hours of one episode, second by second: USD of each underlying. Second 0 is when a market opens in it."""

    name: str
    path: Mapping[str, Floats]

    @classmethod
    def read(cls, folder: Path, episode: str, begins: str, seconds: int, seed: int = 1) -> Self:
        """Of a data folder, from a UTC time on."""
        start = int(datetime.fromisoformat(begins).replace(tzinfo=UTC).timestamp())
        path = {}
        for name, file in FILES[episode].items():
            first, prices = seconds_of(read_csv(folder / file), seed)
            path[name] = prices[start - first : start - first + seconds]
        return cls(f"{episode} {begins[-5:]}", path)

    @property
    def seconds(self) -> int:
        return len(self.path["BTC"])

    def since(self, second: int) -> "Session":
        """What is left from a second on."""
        return Session(self.name, {name: prices[second:] for name, prices in self.path.items()})

    def prices(self, second: int) -> list[int]:
        """As published."""
        return [price(self.path[name][min(second, self.seconds - 1)]) for name in UNDERLYINGS]


class Leg(NamedTuple):
    place: int  # of the series, see `Tables`
    sign: int


class Plan(NamedTuple):
    """What an attacker does at one moment: seconds of the session."""

    legs: tuple[Leg, ...]
    opens: int  # the second whose price he opens at
    closes: int
    worth: float  # what he thinks it brings after fees, per face of a leg


@dataclass(frozen=True)
class Tables:
    """Marks and fees of every series at every second, in floats: what attackers plan with."""

    session: Session
    strikes: Sequence[tuple[int, float, bool]]  # underlying, strike, put
    parameters: MarketParameters = MarketParameters.preset(STOCK_PRICE, DECIMALS)

    @cached_property
    def marks(self) -> Floats:
        rows = []
        for u, strike, is_put in self.strikes:
            name = UNDERLYINGS[u]
            rows.append(float_price.mark(self.session.path[name] / strike, self.parameters.sharpness[name], is_put))
        return np.stack(rows)

    @cached_property
    def fees(self) -> Floats:
        rows = []
        for (u, strike, _), marks in zip(self.strikes, self.marks, strict=True):
            m = self.session.path[UNDERLYINGS[u]] / strike
            by_face = self.parameters.fee_rate / 100_000 * np.maximum(1, m)
            rows.append(np.minimum(by_face, self.parameters.fee_cap / 1_000 * marks))
        return np.stack(rows)

    @cached_property
    def positions(self) -> list[tuple[Leg, ...]]:
        """Every single leg, bought and written, and straddles."""
        singles = [(Leg(place, sign),) for place in range(len(self.strikes)) for sign in (1, -1)]
        at_money = [i for i, (m, _) in enumerate(LEGS_OF) if m == 1.0]
        straddles = [
            tuple(Leg(u * len(LEGS_OF) + i, sign) for i in at_money) for u in range(len(UNDERLYINGS)) for sign in (1, -1)
        ]
        return singles + straddles

    @cached_property
    def values(self) -> Floats:
        """Of every position."""
        return np.stack([sum(leg.sign * self.marks[leg.place] for leg in legs) for legs in self.positions])

    @cached_property
    def costs(self) -> Floats:
        """Fee of every position, one way."""
        return np.stack([sum(self.fees[leg.place] for leg in legs) for legs in self.positions])

    def best(self, opens: int, until: int) -> tuple[int, float]:
        """The position opened at a second that brings most by some later one, and how much."""
        values, costs = self.values[:, opens : until + 1], self.costs[:, opens : until + 1]
        worth = (values[:, 1:] - values[:, :1] - costs[:, 1:] - costs[:, :1]).max(axis=1)
        which = int(worth.argmax())
        return which, float(worth[which])

    def worths(self, opens: NDArray[np.intp], aheads: Sequence[int]) -> Floats:
        """What the best position opened at each of some seconds brings if closed at the best of those seconds later."""
        later = opens[:, None] + np.array(aheads)
        values = self.values[:, later] - self.values[:, opens, None]
        return (values - self.costs[:, later] - self.costs[:, opens, None]).max(axis=(0, 2))

    def ride(self, position: int, opens: int, ahead: int) -> int:
        """When who always sees `ahead` seconds further closes: where nothing better is in sight."""
        values = self.values[position]
        last = min(opens + LONGEST, len(values) - 1 - ahead)
        for second in range(opens + 1, last):
            if values[second] >= values[second + 1 : second + 1 + ahead].max():
                return second
        return last


@dataclass(frozen=True)
class Attacker:
    """Somebody who knows, or does not."""

    name: str
    ahead: int = 0  # seconds after the price of an order that he knows while it is still his choice
    delay: int = DELAY  # from choosing a moment to that price

    def plan(self, tables: Tables, second: int, rng: np.random.Generator) -> Plan:
        """The best position that he knows of, closed where nothing better is in sight.

        Where he knows nothing beyond his price, that which the move until then was good for.
        """
        opens = second + self.delay
        if not self.ahead:
            return Plan(between(tables, second, opens).legs, opens, opens + HOLD, 0.0)
        which, worth = tables.best(opens, opens + self.ahead)
        return Plan(tables.positions[which], opens, tables.ride(which, opens, self.ahead), worth)

    def act(self, venue: "Venue", plan: Plan) -> bool:
        """Open and close by the rules; whether there was anything to close."""
        return venue.round_trip(plan)


@dataclass(frozen=True)
class Guesser(Attacker):
    """Knows nothing: takes any position, or that which the last seconds were good for."""

    follows: bool = False

    def plan(self, tables: Tables, second: int, rng: np.random.Generator) -> Plan:
        opens = second + self.delay
        if self.follows:
            return Plan(between(tables, second - self.delay, second).legs, opens, opens + HOLD, 0.0)
        return Plan(tables.positions[int(rng.integers(len(tables.positions)))], opens, opens + HOLD, 0.0)


@dataclass(frozen=True)
class Naive(Attacker):
    """A design that trades at the stored price in one step."""

    def act(self, venue: "Venue", plan: Plan) -> bool:
        venue.bring(plan.opens)
        return venue.trade(plan.legs) and venue.close_at_once(plan.legs, plan.closes)


@dataclass(frozen=True)
class Stale(Attacker):
    """In that design: trades at a stored price that is a minute old, renews it and closes. Knows nothing ahead."""

    def plan(self, tables: Tables, second: int, rng: np.random.Generator) -> Plan:
        return between(tables, second - STALE, second)

    def act(self, venue: "Venue", plan: Plan) -> bool:
        venue.bring(plan.opens)
        venue.pass_to(plan.closes)
        return venue.trade(plan.legs) and venue.close_at_once(plan.legs, plan.closes)


@dataclass(frozen=True)
class Unwatched(Attacker):
    """At the desk, while nobody else executes orders or brings a price for a minute: executes what turned out well.

    Knows nothing ahead. `watched`: somebody does bring one price, a second before.
    """

    watched: bool = False

    def plan(self, tables: Tables, second: int, rng: np.random.Generator) -> Plan:
        return between(tables, second + self.delay, second + EXEC_WINDOW)

    def act(self, venue: "Venue", plan: Plan) -> bool:
        venue.pass_to(plan.opens - venue.delay)
        order = venue.request(plan.legs)
        venue.pass_to(plan.closes - venue.delay)
        closing = venue.request(opposite(plan.legs), closes=True)
        if self.watched:
            venue.bring(plan.closes - 1)
        venue.pass_to(plan.closes)
        return venue.execute(order, plan.opens) and (
            venue.execute(closing, plan.closes) or venue.close(plan.legs, plan.closes)
        )


def between(tables: Tables, first: int, last: int) -> Plan:
    """The position that brought most from one second to another."""
    worth = tables.values[:, last] - tables.values[:, first] - tables.costs[:, first] - tables.costs[:, last]
    which = int(worth.argmax())
    return Plan(tables.positions[which], first, last, float(worth[which]))


# Markets


class Venue:
    """A market in a session. Seconds are the session's; amounts raw units of M."""

    session: Session
    series: list[int]
    begin: int  # Unix seconds
    delay: int  # of its desk

    def round_trip(self, plan: Plan) -> bool:
        """Open and close at the prices of two seconds, each requested in time for it; False where opening is refused."""
        self.pass_to(plan.opens - self.delay)
        order = self.request(plan.legs)
        closing = None
        for second in range(plan.opens - self.delay, plan.opens):
            self.pass_to(second)
            if second == plan.closes - self.delay:
                closing = self.request(opposite(plan.legs), closes=True)
        self.pass_to(plan.opens)
        if not self.execute(order, plan.opens):
            return False
        if closing is None:
            return self.close(plan.legs, plan.closes)
        self.pass_to(plan.closes)
        return self.execute(closing, plan.closes) or self.close(plan.legs, plan.closes)

    def close(self, legs: Sequence[Leg], at: int) -> bool:
        """Close at the price of a second, or of the first after it that there is an order for and that is not refused."""
        while True:
            at = max(at, self.second + self.delay)
            self.pass_to(at - self.delay)
            order = self.request(opposite(legs), closes=True)
            self.pass_to(at)
            if self.execute(order, at):
                return True
            at = max(at, self.window_end()) + KEEPER

    def close_at_once(self, legs: Sequence[Leg], at: int) -> bool:
        """The same in one step."""
        while True:
            self.bring(at)
            if self.trade(opposite(legs)):
                return True
            at = max(at, self.window_end()) + KEEPER


def opposite(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    return tuple(Leg(leg.place, -leg.sign) for leg in legs)


@dataclass
class ModelVenue(Venue):
    """The integer model."""

    session: Session
    face: int = FACE
    delay: int = DELAY
    block: Block = field(default_factory=lambda: Block(START))

    def __post_init__(self) -> None:
        parameters = MarketParameters.preset(STOCK_PRICE, DECIMALS)
        self.oracle = PriceOracle(self.block, Round(0, START - DAY, START - DAY))
        for u, name in enumerate(UNDERLYINGS):
            answer = Round(1, START, START)
            self.oracle.feeds[u] = Feed(answer, 2 * DAY, 1, 2**63, 500, 1_000, 3_000)
            self.oracle.set_variances(u, VARIANCES[name], VARIANCES[name])
        listed = Parameters.of(parameters, UNDERLYINGS)
        self.market = Market.create(self.oracle, listed, DECIMALS, order_delay=self.delay)
        self.account = account_of(OWNER)
        self.begin = START + 1
        self.bring(0)
        house = self.market.house
        house.main_deposit(MAIN * TOKEN)
        house.insurance_deposit(INSURANCE * TOKEN)
        house.checkpoint()
        self.series = [self._list(u, m, is_put) for u in range(len(UNDERLYINGS)) for m, is_put in LEGS_OF]
        house.deposit(self.account, MARGIN * self.face // FACE * TOKEN)

    def _list(self, u: int, m: float, is_put: bool) -> int:
        strike = price(float(f"{self.session.path[UNDERLYINGS[u]][0] / m:.1e}"))
        return self.market.listing.list_series(u, strike, is_put)

    def strikes(self) -> list[tuple[int, float, bool]]:
        series = [self.market.risk.book.series[id_] for id_ in self.series]
        return [(s.underlying, s.strike / 10**8, s.is_put) for s in series]

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever happens inside has not happened afterwards."""
        over = Revert("over")
        try:
            with undone_on_revert(self.market):
                yield
                raise over
        except Revert as revert:
            if revert is not over:
                raise

    @property
    def second(self) -> int:
        return self.block.timestamp - self.begin

    def pass_to(self, second: int) -> None:
        self.block.timestamp = max(self.block.timestamp, self.begin + second)

    def bring(self, second: int) -> None:
        """Store the prices of a second in it."""
        self.pass_to(second)
        self.oracle.update(self._published(second))

    def keep(self) -> None:
        """A keeper's minute."""
        if self.market.risk.is_due():
            self.market.do(self.market.house.checkpoint)

    def _published(self, second: int) -> dict[int, Published]:
        time = self.begin + second
        found = {}
        for u, amount in enumerate(self.session.prices(second)):
            self.oracle.feeds[u].chainlink.answer = amount
            self.oracle.feeds[u].chainlink.updated_at = time
            found[u] = Published(amount, amount // 2_000, -8, time, time - 1)
        return found

    def request(self, legs: Sequence[Leg], *, closes: bool = False, deadline: int = NO_DEADLINE) -> Order:
        """Request an order now."""
        return self.market.desk.request(
            account=self.account,
            legs=self._legs(legs),
            limit=NO_LIMIT,
            mark_limit=NO_LIMIT,
            reduce_only=closes,
            deadline=deadline,
            fee=min_fee(len(legs), 0),
            payer=OWNER,
            base_fee=0,
        )

    def cancel(self, order: Order) -> None:
        """Try to take an order back."""
        self.market.do(self.market.desk.cancel, order, OWNER)

    def execute(self, order: Order, at: int) -> bool:
        """Without undoing a refusal, for speed: the next order, if there is one, is another."""
        return self._done(self.market.desk.execute, [order], self._published(at)) == [True]

    def trade(self, legs: Sequence[Leg]) -> bool:
        """In one step, at the stored price."""
        stored = [self.oracle.stored(u).price for u in range(len(UNDERLYINGS))]
        trade = self.market.house.trade
        return self._done(self.market.do, trade, self.account, self._legs(legs), stored, NO_LIMIT, NO_LIMIT, False) is not None

    def window_end(self) -> int:
        return self.market.risk.state.window_end - self.begin

    def wealth(self) -> int:
        """Of the attacker, who has no legs."""
        a = self.market.house.account(self.account)
        assert not a.legs
        return a.purse.cash + a.purse.claim

    def _legs(self, legs: Sequence[Leg]) -> list[OrderLeg]:
        return [OrderLeg(self.series[leg.place], leg.sign * self.face * TOKEN) for leg in legs]

    def _done(self, action: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return action(*arguments)
        except Revert as revert:
            assert revert.reason in ("risk_book: settle window", "risk_book: no equity"), revert.reason
            return None


@dataclass
class ContractVenue(Venue):
    """The contracts, in process, of a protocol without capital until now."""

    protocol: Protocol
    session: Session
    strikes: Sequence[tuple[int, float, bool]]  # of the model's market

    def __post_init__(self) -> None:
        for pool, tokens in (("main_pool", MAIN), ("insurance_pool", INSURANCE)):
            self.protocol.endow(getattr(self.protocol, pool).address, tokens)
        # It was opened at other prices: once it has seen the jump and its window is over, it is as if opened at these.
        for _ in range(3):
            self.protocol.wait(SETTLE_WINDOW + 1)
            self.begin = self.protocol.now
            self.bring(0)
            self.protocol.clearing_house.checkpoint()
        self.series = [self.protocol.series_listing.list_series(u, price(k), is_put) for u, k, is_put in self.strikes]
        self.attacker = self.protocol.trader("attacker", MARGIN)

    @property
    def delay(self) -> int:
        return self.protocol.parameters.order_delay

    @property
    def second(self) -> int:
        return self.protocol.now - self.begin

    def pass_to(self, second: int) -> None:
        self.protocol.wait(max(0, second - self.second))

    def bring(self, second: int) -> None:
        self.pass_to(second)
        self.protocol.store(self._publish(second))

    def _publish(self, second: int) -> bytes:
        prices = dict(zip(UNDERLYINGS, self.session.prices(second), strict=True))
        now, operator = self.protocol.now, self.protocol.operator
        for name, amount in prices.items():
            self.protocol.chainlink[name].publish(amount, now, now, sender=operator)
        ids = {addresses.PYTH_IDS[name]: amount for name, amount in prices.items()}
        return self.protocol.publisher.publish(ids, self.begin + second)

    def request(self, legs: Sequence[Leg], *, closes: bool = False, deadline: int = NO_DEADLINE) -> Any:
        chosen = [(self.series[leg.place], leg.sign * FACE) for leg in legs]
        return self.protocol.request(self.attacker, *chosen, reduce_only=closes, deadline=deadline)

    def cancel(self, order: Any) -> None:
        self.protocol.order_desk.cancel(order, sender=self.attacker)

    def execute(self, order: Any, at: int) -> bool:
        """All but an order that is cancelled for its owner's own reason raises: no attempt here meets a window."""
        if self.protocol.publisher.latest(addresses.PYTH_IDS["BTC"]).publish_time < self.begin + at:
            self._publish(at)
        return self.protocol.execute(order) == [True]

    def trade(self, legs: Sequence[Leg]) -> bool:
        chosen = [(self.series[leg.place], leg.sign * FACE) for leg in legs]
        stored = [self.protocol.oracle.word(u) & 2**64 - 1 for u in range(len(UNDERLYINGS))]
        self.protocol.trade(self.attacker, *chosen, prices=stored)
        return True

    def window_end(self) -> int:
        return 0

    def wealth(self) -> int:
        account = self.protocol.account(self.attacker)
        assert not self.protocol.units(self.attacker)
        return account.cash + account.claim


# Many attempts


@dataclass(frozen=True)
class Outcome:
    """What attempts brought, in basis points of a leg's face, fees paid; 0 where the market refused."""

    profits: Floats
    worth: Floats  # what the attacker knew it to bring, per face
    refused: int

    @property
    def mean(self) -> float:
        return float(self.profits.mean())

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return float(self.profits.std(ddof=1) / len(self.profits) ** 0.5)

    @property
    def chosen(self) -> "Outcome":
        """Of an attacker who leaves alone what he does not know to pay: those attempts bring 0."""
        return Outcome(np.where(self.worth > 0, self.profits, 0), self.worth, self.refused)

    @property
    def total(self) -> float:
        """Of all attempts, in faces of a leg."""
        return float(self.profits.sum()) / 10_000

    def __add__(self, other: "Outcome") -> "Outcome":
        both = (np.concatenate(pair) for pair in ((self.profits, other.profits), (self.worth, other.worth)))
        return Outcome(*both, self.refused + other.refused)


def moments(session: Session, count: int, seed: int) -> list[int]:
    """Seconds at which all attackers try, in order; far enough from both ends."""
    rng = np.random.default_rng(seed)
    return sorted(rng.integers(STALE + 1, session.seconds - 2 * LONGEST, count).tolist())


def attempts(
    session: Session,
    attackers: Sequence[Attacker],
    count: int,
    *,
    seed: int = 1,
    face: int = FACE,
    delay: int = DELAY,
) -> dict[str, Outcome]:
    """So many attempts of each attacker, by name, at the same moments: each alone in a market that a keeper keeps.

    `delay` is the desk's, and should be the attackers'.
    """
    market = ModelVenue(session, face, delay)
    tables = Tables(session, market.strikes())
    chances = [np.random.default_rng((seed, i)) for i in range(len(attackers))]
    found: list[list[float]] = [[] for _ in attackers]
    worth: list[list[float]] = [[] for _ in attackers]
    refused = [0] * len(attackers)
    for second in moments(session, count, seed):
        for moment in [*range(market.second + KEEPER, second - STALE, KEEPER), second - STALE]:
            market.bring(moment)
            market.keep()
        for i, attacker in enumerate(attackers):
            plan = attacker.plan(tables, second, chances[i])
            before = market.wealth()
            with market.undone():
                if not isinstance(attacker, Stale):
                    market.bring(second)
                done = attacker.act(market, plan)
                gained = market.wealth() - before
            found[i].append(10_000 * gained / (face * TOKEN))
            worth[i].append(plan.worth)
            refused[i] += not done
    return {
        attacker.name: Outcome(np.array(found[i]), np.array(worth[i]), refused[i]) for i, attacker in enumerate(attackers)
    }
