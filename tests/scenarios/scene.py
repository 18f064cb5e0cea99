"""The market of one scenario: its people, every event since it was deployed, and the checks that all scenarios share.

Amounts are raw units of M, index prices USD.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import permutations
from random import Random
from typing import Any, Final, Self

import boa
from boa.contracts.event_decoder import RawLogEntry

from everstock.chain.in_process import Protocol, account_of
from everstock.model import invariants, words
from everstock.model.constants import SETTLE_WINDOW, WAD
from everstock.model.waterfall import Stage
from everstock.parameters import RATES, MarketParameters
from tests.liquidity import Pool
from tests.stateful.logs import Log, rebuilt, recorded

DECIMALS: Final = 18
TOKEN: Final = 10**DECIMALS

# Layers of the waterfall, as `LayerDrawn` has them.
OWN_MARGIN, INSURANCE, MAIN, INSURANCE_AGAIN, PROFITS = 1, 2, 3, 4, 5


@dataclass
class Scene:
    """One market. Unknown attributes are the protocol's."""

    protocol: Protocol
    logs: list[Log]
    people: dict[str, str] = field(default_factory=dict)
    deposited: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.protocol, name)

    @property
    def house(self) -> Any:
        return self.protocol.clearing_house

    @contextmanager
    def trial(self) -> Iterator["Scene"]:
        """The market from here on, undone afterwards."""
        kept = self.mark
        with boa.env.anchor():
            yield Scene(self.protocol.fork(), self.logs, dict(self.people), dict(self.deposited))
        del self.logs[kept:]

    # People

    def person(self, name: str, amount: int) -> str:
        """A trader with `amount` of margin."""
        self.people[name] = self.protocol.trader(name, Fraction(amount, TOKEN))
        self.deposited[name] = amount
        return self.people[name]

    def provide(self, *, main: int = 0, insurance: int = 0) -> None:
        """Capital of two providers, with shares."""
        for name, contract, tokens in (
            ("lp", self.protocol.main_pool, main),
            ("insurer", self.protocol.insurance_pool, insurance),
        ):
            if tokens:
                pool = Pool(self.protocol, contract)
                pool.enter(pool.provider(name, 2 * tokens), tokens * TOKEN)
        self.house.checkpoint()

    def health(self, person: str) -> Any:
        """What an account is measured by, at the latest prices."""
        return self.lens.health(self.house.address, [account_of(person)])[0]

    def equity(self, person: str) -> int:
        return self.health(person).equity

    # Time and prices

    def move(self, after: int = 1, **usd: float) -> None:
        """New prices, and a checkpoint at them."""
        self.protocol.set_prices(after=after, **usd)
        self.house.checkpoint()

    def pass_window(self) -> None:
        """A checkpoint just when a settle window has ended."""
        self.move(after=SETTLE_WINDOW + 1)

    @property
    def scale(self) -> int:
        """D, a wad."""
        return words.state(self.risk_book.market_words().state).scale

    @property
    def requirement(self) -> int:
        """R, at the last checkpoint."""
        return self.events("Checkpoint")[-1].requirement

    @property
    def stage(self) -> Stage:
        return Stage(self.house.stage())

    def exhaust(self) -> None:
        """Checkpoints at the present price until terminal settlement begins."""
        for _ in range(3):
            if self.stage == Stage.ACTIVE:
                self.move(after=SETTLE_WINDOW // 2)
        assert self.stage == Stage.SETTLING

    def write_rates(self, **rates: int) -> None:
        """Write parameters of the first word past the bounds of RiskParameters, as no owner can: rules of other venues."""
        word = self.risk_parameters.rates()
        for name, rate in rates.items():
            place = 16 * RATES.index(name)
            word = word & ~(0xFFFF << place) | rate << place
        self.risk_book.set_parameters(word, self.risk_parameters.limits(), sender=self.risk_parameters.address)

    # Events

    @property
    def mark(self) -> int:
        """How many events there were so far, to be given to `events`."""
        return len(self.logs)

    def events(self, name: str, since: int = 0) -> list[Any]:
        """All events called `name` of the clearing house and its book, in their order."""
        contracts = {contract.address.canonical_address: contract for contract in (self.house, self.risk_book)}
        found = []
        for log in self.logs[since:]:
            if log.address in contracts:
                event = contracts[log.address].decode_log(RawLogEntry(0, log.address, list(log.topics), log.data))
                if type(event).__name__ == name:
                    found.append(event)
        return found

    def drawn(self, since: int = 0) -> dict[int, int]:
        """What each layer of the waterfall paid, by the events."""
        paid = dict.fromkeys((OWN_MARGIN, INSURANCE, MAIN, INSURANCE_AGAIN, PROFITS), 0)
        for event in self.events("LayerDrawn", since):
            paid[event.layer] += event.amount
        return paid

    # Where the waterfall runs: each draw is compared with the ledgers

    def liquidate(self, person: str) -> Any:
        """Liquidate an account at the stored price; returns the event, or None if it was healthy."""
        since, before, purse = self.mark, self.house.ledgers(), self.account(person)
        self.protocol.liquidate(person)
        liquidated = self.events("Liquidated", since)
        if not liquidated:
            return None
        (event,) = liquidated
        self._draws_are_the_ledgers(person, event, event.penalty - event.reward, since, before, purse)
        return event

    def resolve(self, person: str) -> Any:
        """Resolve an account in settlement; returns the event."""
        since, before, purse = self.mark, self.house.ledgers(), self.account(person)
        self.house.resolve([account_of(person)])
        (event,) = self.events("Settled", since)
        self._draws_are_the_ledgers(person, event, 0, since, before, purse)
        return event

    def finalize(self) -> Any:
        """The end of settlement; every claim is worth the same part from here on. Returns the event."""
        since, before = self.mark, self.house.ledgers()
        self.house.finalize()
        (event,) = self.events("SettlementFinished", since)
        drawn = self.drawn(since)
        assert event.claims == before.claims and event.paid == min(before.claims, before.main + before.insurance)
        assert drawn[INSURANCE_AGAIN] == max(0, event.paid - before.main)
        assert drawn[PROFITS] == event.claims - event.paid
        return event

    def paid_out(self, finished: Any) -> dict[str, int]:
        """Everybody's cash after the claims are paid, each by the one part that `finished` says."""
        cash = {}
        for name, person in self.people.items():
            account = self.account(person)
            worth = account.claim * finished.paid // finished.claims
            assert self.house.pay_claim(account_of(person)) == worth
            cash[name] = self.account(person).cash
            assert cash[name] == account.cash + worth
        return cash

    def settled_in_any_order(self) -> tuple[Any, dict[str, int]]:
        """Resolve everybody in many orders, finalize and pay; returns how settlement ended and everybody's cash, the same
        each time. The market itself is left as it was."""
        holders = [name for name, person in self.people.items() if self.units(person)]
        outcomes = []
        for order in orders(holders):
            with self.trial() as twin:
                for name in order:
                    twin.resolve(twin.people[name])
                finished = twin.finalize()
                outcomes.append((finished.claims, finished.paid, finished.insurance, twin.paid_out(finished)))
                twin.check()
        assert all(outcome == outcomes[0] for outcome in outcomes)
        return finished, outcomes[0][-1]

    def _draws_are_the_ledgers(
        self, person: str, event: Any, fined: int, since: int, before: Any, purse: Any
    ) -> None:
        """The draws of one account's loss are what its layers had before and have now.

        `fined` is what insurance got of a penalty, `purse` the account before.
        """
        after, swept = self.house.ledgers(), self.events("Swept", since)
        draws = {draw.layer: draw for draw in self.events("LayerDrawn", since)}
        insured = draws[INSURANCE].amount if INSURANCE in draws else 0
        assert after.insurance == before.insurance + sum(sweep.insurance for sweep in swept) - insured + fined
        if not draws:
            assert event.gain >= -purse.cash - purse.claim
            return
        borne = draws[OWN_MARGIN].amount if OWN_MARGIN in draws else 0
        assert borne == purse.cash + purse.claim and event.cash == event.claim == 0
        assert sum(draw.amount for draw in draws.values()) == -event.gain
        if INSURANCE in draws:
            assert draws[INSURANCE].left == after.insurance
        if MAIN in draws:
            assert draws[MAIN].left == after.main
            # Each only for what the one before it lacks.
            assert after.insurance == 0
        gone = sum(sweep.insurance + sweep.treasury for sweep in swept)
        assert after.main == before.main - gone + purse.cash + insured

    # What holds at any time

    def check(self) -> None:
        """Conservation to the unit, twice: tokens are the ledgers, and the market rebuilt from its events alone has the
        contracts' ledgers and accounts, and every invariant of docs/INVARIANTS.md that is about a market."""
        market = rebuilt(self.protocol, self.logs)
        invariants.check(market)
        ledgers = self.house.ledgers()
        assert vars(market.house.ledgers) == {name: getattr(ledgers, name) for name in vars(market.house.ledgers)}
        cash = 0
        for id_, account in market.house.accounts.items():
            stored = self.house.account(id_)
            assert (stored.cash, stored.claim) == (account.purse.cash, account.purse.claim)
            cash += stored.cash
        held = self.token.balanceOf(self.house.address)
        assert held == cash + ledgers.main + ledgers.insurance + ledgers.treasury


@contextmanager
def scene(
    *,
    token_usd: float,
    index: Mapping[str, float],
    main: float = 0,
    insurance: float = 0,
    **parameters: Any,
) -> Iterator[Scene]:
    """A market of a token worth `token_usd`, with whole tokens in both ledgers that are nobody's shares; undone afterwards.

    `parameters` replace those of the preset.
    """
    preset = replace(MarketParameters.preset(token_usd, DECIMALS), **parameters)
    with boa.env.anchor(), recorded() as logs:
        protocol = Protocol(
            decimals=DECIMALS, parameters=preset, main_deposit=main, insurance_deposit=insurance, index=dict(index)
        )
        protocol.lens = protocol.deployer.deploy("MarketLens")
        yield Scene(protocol, logs)


def orders(names: Sequence[str]) -> list[Sequence[str]]:
    """All orders of up to four; of more, the given one, its reverse and four others."""
    if len(names) <= 4:
        return list(permutations(names))
    chance = Random(len(names))
    return [names, names[::-1], *(chance.sample(names, len(names)) for _ in range(4))]


@dataclass(frozen=True)
class Table:
    """A table of docs/SCENARIOS.md, whose numbers a scenario measured."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    @classmethod
    def of(cls, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Self:
        assert all(len(row) == len(head) for row in rows)
        return cls(head, rows)

    def lines(self) -> list[str]:
        """Markdown; the first column is words, the others are numbers."""
        rule = ["---", *["---:"] * (len(self.head) - 1)]
        return ["| " + " | ".join(row) + " |" for row in (self.head, rule, *self.rows)]


def tokens(amount: int, places: int = 2) -> str:
    """Raw units as tokens, rounded to the nearest; a figure below half of the last place is 0."""
    text = f"{amount / TOKEN:,.{places}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def part(fraction: int, places: int = 1) -> str:
    """A wad as percent."""
    return f"{100 * fraction / WAD:.{places}f}%"
