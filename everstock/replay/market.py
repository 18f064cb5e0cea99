"""A market in process, once its pools are filled and its book is open, and a keeper that looks after it.

Everything but the estimate of what to look at (`watch`) is asked of the contracts; what to do is the keeper's own
`decide`. Times are those of the episode, Unix seconds: the chain's clock is `shift` ahead of it. Amounts are raw units.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final

from boa.contracts.vyper.vyper_contract import VyperContract

from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import Protocol, account_of, price, unpack_legs
from everstock.keeper import state as keeper
from everstock.keeper.actions import Checkpoint, Finalize, Liquidate, Resolve
from everstock.keeper.decide import Policy, decide
from everstock.model.constants import WAD
from everstock.model.order_desk import MAX_PRICE
from everstock.model.volatility_oracle import SPAN, Track
from everstock.model.waterfall import Stage
from everstock.parameters import ORDER_DELAY
from everstock.replay.books import Holder, Series

SYMBOL: Final = "TSLA.M"
# Of one call of the lens.
MAX_HEALTHS: Final = 100
# Rounds of looking and acting at one price; each liquidation makes it less likely that there is more to do.
MAX_ROUNDS: Final = 20
# The owner writes variances so often.
VARIANCE_SECONDS: Final = 3_600
POLICY: Final = Policy(block_seconds=0)


class ReplayError(RuntimeError):
    """A replay cannot go on; the message says why."""


@dataclass(frozen=True)
class Event:
    """An event of the market's contracts, at a time of the episode. `Deleveraged` also says the D `before`."""

    time: int
    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Reading:
    """The market at one time; `prices` are USD. Amounts raw units, D a wad, window_end a time of the episode."""

    time: int
    prices: Mapping[str, float]
    equity: int
    requirement: int
    insurance: int
    claims: int
    scale: int
    window_end: int


@dataclass(frozen=True)
class Account:
    """An account: units by series, and equity and maintenance when they were last read, at a time of the episode."""

    id: int
    units: Mapping[int, int]
    equity: int = 0
    maintenance: int = 0
    read_at: int = 0

    def is_below(self) -> bool:
        """Whether it was below maintenance."""
        return bool(self.units) and self.equity < self.maintenance


@dataclass
class Market:
    """One market over time. `step` brings the next prices; `look` lets the keeper see and act."""

    protocol: Protocol
    lens: VyperContract
    keeper: str
    series: Mapping[Series, int]
    holders: Mapping[int, Holder]
    shift: int
    variances: dict[str, Track]
    accounts: dict[int, Account] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    # Tokens held less the ledgers, as far from 0 as they ever were when all was added up.
    conservation_error: int = 0
    # As the keeper sees it, from the first look on, and the prices of the last checkpoint, USD.
    state: keeper.Market = field(init=False)
    checkpointed: tuple[float, ...] = ()
    # Both variances of each underlying as the oracle has them, 1e-10 a year.
    written: dict[str, tuple[int, int]] = field(default_factory=dict)
    _next_variances: int = 0
    _scale: int = WAD

    @property
    def now(self) -> int:
        """The episode's time."""
        return self.protocol.now - self.shift

    @property
    def latest(self) -> Reading:
        return self.readings[-1]

    @property
    def index(self) -> tuple[float, ...]:
        """Prices that the contracts have, USD."""
        return tuple(self.protocol.index[name] for name in UNDERLYINGS)

    @property
    def unit(self) -> int:
        return self.protocol.unit

    def is_active(self) -> bool:
        return self.state.stage == Stage.ACTIVE

    def is_over(self) -> bool:
        """Whether the market was settled: nothing more can happen."""
        return self.state.stage == Stage.SETTLED

    def fork(self) -> "Market":
        """The same contracts, which titanoboa puts back, with records of its own."""
        twin = copy(self)
        twin.protocol = self.protocol.fork()
        twin.accounts, twin.events, twin.readings = dict(self.accounts), list(self.events), list(self.readings)
        twin.variances = dict(self.variances)
        twin.written = dict(self.written)
        return twin

    def begin(self) -> None:
        """Read everything for the first time; R was last rebuilt from zero just before."""
        self.written = {name: track.written() for name, track in self.variances.items()}
        self._read_legs(self.holders)
        self._house.checkpoint()
        self.look([], everybody=True)

    def sample(self, time: int, prices: Mapping[str, float]) -> None:
        """Let volatility be measured, whether or not anybody brings these prices to the chain."""
        for name, track in self.variances.items():
            if track.time < time // SPAN * SPAN:
                self.variances[name] = track.moved(price(prices[name]), time)

    def step(self, time: int, prices: Mapping[str, float]) -> None:
        """Bring prices of `time` to both feeds and the oracle."""
        self.protocol.set_prices(after=time - self.now, **prices)

    def look(self, suspects: Sequence[int], everybody: bool = False) -> list[int]:
        """Read the market and some accounts, and do what the keeper decides, until there is nothing more to do.

        Returns the accounts that were below maintenance at first.
        """
        wanted = list(self.accounts) if everybody else list(suspects)
        below: list[int] = []
        for number in range(MAX_ROUNDS):
            scale = self.latest.scale if self.readings else 0
            self._read_market()
            if not self.is_active() or scale != self.latest.scale:
                # Resolution wants all who are left; a new D changes what every leg shows.
                wanted = list(self.accounts)
            self._read_accounts(wanted)
            if number == 0:
                below = [id_ for id_ in wanted if self.accounts[id_].is_below()]
            actions = decide(self._state(wanted), POLICY)
            if not actions:
                break
            # A checkpoint leaves the equity of all others as it is.
            wanted = [id_ for action in actions for id_ in self._do(action)]
        else:
            raise ReplayError(f"the keeper had something to do {MAX_ROUNDS} times at one price")
        if everybody:
            self._write_variances()
            self.reconcile()
        return below

    def reconcile(self) -> None:
        """Add up every ledger, and compare it with the tokens."""
        ledgers = self._house.ledgers()
        cash = sum(self._house.account(id_).cash for id_ in (*self.accounts, account_of(self.keeper)))
        held = self.protocol.token.balanceOf(self._house.address)
        error = held - (cash + ledgers.main + ledgers.insurance + ledgers.treasury)
        self.conservation_error = max(self.conservation_error, error, key=abs)

    def pay_claims(self) -> tuple[int, int]:
        """After settlement, pay every claim; returns how many there were, and how many were paid other than at h."""
        settlement = self._house.settlement()
        count = wrong = 0
        for id_ in self.accounts:
            claim = self._house.account(id_).claim
            if claim:
                paid = self._house.pay_claim(id_, sender=self.keeper)
                self._log(self._house)
                count += 1
                wrong += paid != claim * settlement.paid // settlement.claims
        return count, wrong

    @property
    def _house(self) -> VyperContract:
        return self.protocol.clearing_house

    def _read_market(self) -> None:
        view = self.lens.market(self._house.address)
        self.state = keeper.Market(
            symbol=SYMBOL,
            underlyings=tuple(range(len(UNDERLYINGS))),
            order_delay=ORDER_DELAY,
            equity=view.equity,
            requirement=view.requirement,
            claims=view.claims,
            open_legs=view.open_legs,
            depth=view.depth,
            checkpoint_time=view.checkpoint_time,
            window_end=view.window_end,
            is_due=view.is_due,
            stage=Stage(view.settlement.stage),
        )
        self._scale = view.scale
        self.checkpointed = tuple(exposure.checkpoint_price / 10**8 for exposure in view.exposures)
        self.readings.append(
            Reading(
                time=self.now,
                prices=dict(self.protocol.index),
                equity=view.equity,
                requirement=view.requirement,
                insurance=view.insurance,
                claims=view.claims,
                scale=view.scale,
                window_end=view.window_end - self.shift,
            )
        )

    def _read_accounts(self, ids: Iterable[int]) -> None:
        """Read equity and maintenance of accounts that have legs."""
        held = [id_ for id_ in ids if self.accounts[id_].units]
        for begin in range(0, len(held), MAX_HEALTHS):
            batch = held[begin : begin + MAX_HEALTHS]
            for id_, health in zip(batch, self.lens.health(self._house.address, batch), strict=True):
                self.accounts[id_] = Account(id_, self.accounts[id_].units, health.equity, health.maintenance, self.now)

    def _state(self, ids: Iterable[int]) -> keeper.State:
        """What the keeper knows of the accounts `ids` and the market."""
        stored = tuple(keeper.Price(price(usd), self.protocol.now) for usd in self.index)
        known = (self.accounts[id_] for id_ in ids)
        healths = tuple(
            keeper.Health(one.id, one.equity, one.maintenance, len(one.units), one.is_below())
            for one in known
            if one.units
        )
        market = keeper.Market(**{**vars(self.state), "healths": healths})
        return keeper.State(
            block=0,
            time=self.protocol.now,
            base_fee=0,
            stored=stored,
            restricted=(False, False),
            free=2 * ((0, MAX_PRICE),),
            markets=(market,),
        )

    def _do(self, action: object) -> tuple[int, ...]:
        """Do what was decided; returns the accounts that it changed."""
        match action:
            case Liquidate(accounts=ids):
                self.protocol.liquidator.liquidate(list(ids), [], sender=self.keeper)
                self._log(self.protocol.liquidator)
                self._read_legs(ids)
                return ids
            case Resolve(accounts=ids):
                self._house.resolve(list(ids), sender=self.keeper)
                self._log(self._house)
                self._read_legs(ids)
                return ids
            case Checkpoint():
                self._house.checkpoint(sender=self.keeper)
            case Finalize():
                self._house.finalize(sender=self.keeper)
            case _:
                raise ReplayError(f"nothing in a replay calls for {action}")
        self._log(self._house)
        return ()

    def _read_legs(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            legs = unpack_legs(self._house.account(id_).legs)
            self.accounts[id_] = Account(id_, {series: units for series, units, _ in legs if units})

    def _log(self, contract: VyperContract) -> None:
        """Keep the events of the last call of `contract`, other contracts' too."""
        for event in contract.get_logs():
            args = event._asdict()
            args.pop("address", None)
            if type(event).__name__ == "Deleveraged":
                args["before"], self._scale = self._scale, args["scale"]
            self.events.append(Event(self.now, type(event).__name__, args))

    def _write_variances(self) -> None:
        """Once an hour the owner writes what volatility was."""
        if self.now < self._next_variances or not self.is_active():
            return
        self._next_variances = self.now + VARIANCE_SECONDS
        for id_, name in enumerate(UNDERLYINGS):
            self.written[name] = self.variances[name].written()
            self.protocol.oracle.set_variances(id_, *self.written[name], sender=self.protocol.owner)
