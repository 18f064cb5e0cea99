"""Six people and a provider of liquidity in one market, and what they may do: the first three and the provider collude.

A step is a name of a verb and its arguments, so that a history is a list that Hypothesis can shorten.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from hypothesis import currently_in_test_context, note, settings
from hypothesis import strategies as st

from everstock.chain.in_process import account_of
from everstock.model.constants import REDEMPTION_WAIT, SETTLE_WINDOW, WAD
from everstock.model.market import Market
from everstock.model.parameters import CARRY
from everstock.model.reverts import Revert
from tests.economics.stage import Alone, Stage, index_of, list_near, move, open_pools, unit_of
from tests.economics.wealth import wealth

OWN: Final = (0, 1, 2)
EVERYONE: Final = (0, 1, 2, 3, 4, 5)
POOLS: Final = ("main_pool", "insurance_pool")
# A call and a put of each underlying near the money, and one each further off.
STRIKES: Final = (
    (0, 1.0, False),
    (0, 1.0, True),
    (0, 0.9, False),
    (0, 1.2, True),
    (1, 1.0, False),
    (1, 1.0, True),
    (1, 1.1, False),
    (1, 0.8, True),
)

Step = tuple[Any, ...]


def examples(count: int) -> settings:
    """So many examples, times EVERSTOCK_EXAMPLES in the environment."""
    return settings(max_examples=count * int(os.environ.get("EVERSTOCK_EXAMPLES", "1")), deadline=None)


@dataclass(frozen=True)
class Start:
    """A market before anybody tries anything. The book scale and the parameters are the model's alone to set."""

    main: int = 1_000  # whole tokens of the founder in each pool
    insurance: int = 100
    provided: float = 0.5  # what the colluding provider adds to each, times the founder's
    margins: tuple[float, ...] = (100, 100, 100, 100, 100, 100)  # whole tokens
    history: tuple[Step, ...] = ()
    scale: int = WAD
    decimals: int = 18
    parameters: tuple[tuple[str, int], ...] = ()


@dataclass
class Scene:
    """The market and its people. `pocket` is what the colluding took out of it less what they brought, raw units of M."""

    stage: Stage
    people: list[str] = field(default_factory=list)
    series: list[int] = field(default_factory=list)
    lp: str = ""
    pocket: int = 0

    @classmethod
    def begin(cls, stage: Stage, start: Start) -> "Scene":
        scene = cls(stage)
        if isinstance(stage, Alone):
            stage.model.risk.state.scale = start.scale
            for name, value in start.parameters:
                setattr(stage.model.risk.parameters, name, value)
        open_pools(stage, start.main, start.insurance)
        scene.series = [list_near(stage, *strike) for strike in STRIKES]
        scene.people = [stage.actor(f"trader {i}") for i in EVERYONE]
        scene.lp = stage.actor("colluding lp")
        for who, tokens in enumerate(start.margins):
            scene.deposit(who, tokens)
        if start.provided:
            for pool, tokens in zip(POOLS, (start.main, start.insurance), strict=True):
                scene.request_deposit(pool, start.provided * tokens)
            scene.pass_time(SETTLE_WINDOW, 1, 1)
            for pool in POOLS:
                scene.fulfil(pool, 1, 0)
                scene.collect(pool)
        for step in start.history:
            scene.do(step)
        return scene

    @property
    def market(self) -> Market:
        return self.stage.model

    def account(self, who: int) -> int:
        return account_of(self.people[who])

    def raw(self, tokens: float) -> int:
        return round(tokens * unit_of(self.stage))

    def wealth(self) -> Fraction:
        """Of those who collude, in the market and out of it."""
        return self.pocket + wealth(self.market, [self.account(who) for who in OWN], [self.lp])

    def do(self, step: Step) -> Any:
        result = getattr(self, step[0])(*step[1:])
        if currently_in_test_context():
            note(f"  {step}: {result}")
        return result

    def _paid(self, result: Any, amount: int) -> Any:
        """Note what left the market (entered it if negative) unless it was refused."""
        if not isinstance(result, Revert):
            self.pocket += amount
        return result

    # Verbs of accounts

    def deposit(self, who: int, tokens: float) -> Any:
        amount = self.raw(tokens)
        paid = -amount if who in OWN else 0
        return self._paid(self.stage.deposit(self.account(who), amount, self.people[who]), paid)

    def withdraw(self, who: int, part: float) -> Any:
        """Of cash."""
        amount = int(self.market.house.account(self.account(who)).purse.cash * part)
        paid = amount if who in OWN else 0
        return self._paid(self.stage.withdraw(self.account(who), amount, self.people[who]), paid)

    def trade(self, who: int, legs: Sequence[tuple[int, float]], off: float = 1.0) -> Any:
        """Legs of (place of a series, face over the account's equity), at own prices that are `off` the latest."""
        equity = max(self.market.house.health(self.account(who)).equity, unit_of(self.stage))
        order = {self.series[place]: int(equity * size) or 1 for place, size in legs}
        own = [int(self.stage.oracle.stored(u).price * off) for u in (0, 1)]
        return self.stage.trade(self.account(who), list(order.items()), own_prices=own)

    def load_up(self, who: int, place: int, size: float) -> Any:
        """One leg as large as margin carries, by halving: the next move may find the account below maintenance."""
        for _ in range(8):
            result = self.trade(who, ((place, size),))
            if not isinstance(result, Revert):
                return result
            size /= 2
        return result

    def trade_dust(self, who: int, place: int, face: int) -> Any:
        """A few raw units."""
        return self.stage.trade(self.account(who), [(self.series[place], face)])

    def close(self, who: int, place: int, part: float) -> Any:
        """Of one of the account's legs."""
        legs = self.market.house.account(self.account(who)).legs
        if not legs:
            return None
        leg = legs[place % len(legs)]
        size = max(1, abs(leg.units) * self.market.risk.state.scale // WAD * round(1_000 * part) // 1_000)
        return self.stage.trade(self.account(who), [(leg.series, -size if leg.units > 0 else size)])

    def settle(self, who: int) -> Any:
        return self.stage.settle(self.account(who))

    def pay_claim(self, who: int) -> Any:
        return self.stage.pay_claim(self.account(who))

    def liquidate(self, who: int, by: int) -> Any:
        return self.stage.liquidate([self.account(who)], self.people[by])

    def liquidate_all(self, by: int) -> list[Any]:
        """All three who collude, one of whom earns the reward."""
        return [self.liquidate(who, by) for who in OWN]

    def checkpoint(self) -> Any:
        return self.stage.checkpoint()

    # Verbs of the provider

    def request_deposit(self, pool: str, tokens: float) -> Any:
        amount = self.raw(tokens)
        return self._paid(self.stage.request_deposit(pool, self.lp, amount), -amount)

    def request_redeem(self, pool: str, part: float) -> Any:
        return self.stage.request_redeem(pool, self.lp, int(self.stage.pools()[pool].balances[self.lp] * part))

    def fulfil(self, pool: str, deposits: int, redemptions: int) -> Any:
        return self.stage.fulfil(pool, deposits, redemptions)

    def collect(self, pool: str) -> None:
        """Claim all that was executed."""
        model = self.stage.pools()[pool]
        if shares := model.bought[self.lp].shares:
            self.stage.claim(pool, "mint", self.lp, shares)
        if assets := model.sold[self.lp].assets:
            self._paid(self.stage.claim(pool, "withdraw", self.lp, assets), assets)

    # Time

    def pass_time(self, seconds: int, btc: float, eth: float) -> None:
        move(self.stage, seconds, btc, eth)

    def set_carry(self, underlying: int, carry: int) -> Any:
        """The owner's; 1e-5 a year."""
        return self.stage.set_parameter(CARRY + underlying, carry)

    def set_variances(self, underlying: int, fast: int, slow: int) -> Any:
        """The oracle's; per year in 1e-10."""
        return self.stage.set_variances(underlying, fast, slow)

    def window_passes(self) -> None:
        """As a keeper would: a checkpoint now, one when a settle window has ended."""
        self.checkpoint()
        self.pass_time(SETTLE_WINDOW + 1, 1, 1)
        self.checkpoint()

    def index(self, underlying: int) -> float:
        return index_of(self.stage, underlying)


# Strategies

places = st.integers(0, len(STRIKES) - 1)
pools = st.sampled_from(POOLS)
parts = st.sampled_from([0.1, 0.5, 0.999, 1.0])
sizes = st.one_of(st.sampled_from([-4.0, -1.0, -0.3, 0.3, 1.0, 4.0]), st.floats(0.01, 8), st.floats(-8, -0.01))
waits = st.sampled_from([1, 30, 900, 3_599, 3_700, 30_000, REDEMPTION_WAIT])
drifts = st.floats(0.96, 1.04)
jumps = st.one_of(drifts, st.floats(0.85, 1.16), st.floats(0.5, 2.0))


def trades_of(people: Sequence[int]) -> st.SearchStrategy[Step]:
    """Orders of one to three legs, some at own prices that differ from the latest."""
    legs = st.lists(st.tuples(places, sizes), min_size=1, max_size=3).map(tuple)
    return st.tuples(st.just("trade"), st.sampled_from(people), legs, st.sampled_from([1.0, 1.0, 0.99, 1.02]))


def account_steps(people: Sequence[int]) -> st.SearchStrategy[Step]:
    """Anything that some people may do with their accounts at unchanged price and time."""
    who = st.sampled_from(people)
    return st.one_of(
        trades_of(people),
        trades_of(people),
        st.tuples(st.just("trade_dust"), who, places, st.sampled_from([-1_000, -7, -1, 1, 7, 1_000])),
        st.tuples(st.just("close"), who, places, parts),
        st.tuples(st.just("settle"), who),
        st.tuples(st.just("liquidate"), who, who),
        st.tuples(st.just("liquidate_all"), who),
        st.tuples(st.just("checkpoint")),
        st.tuples(st.just("deposit"), who, st.floats(0.001, 50)),
        st.tuples(st.just("withdraw"), who, parts),
        st.tuples(st.just("pay_claim"), who),
    )


def provider_steps() -> st.SearchStrategy[Step]:
    """Anything that the provider may do."""
    return st.one_of(
        st.tuples(st.just("request_deposit"), pools, st.floats(0.2, 500)),
        st.tuples(st.just("request_redeem"), pools, parts),
        st.tuples(st.just("fulfil"), pools, st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("collect"), pools),
    )


def steps_of(people: Sequence[int]) -> st.SearchStrategy[Step]:
    """Anything that some people and the provider may do at unchanged price and time."""
    return st.one_of(account_steps(people), account_steps(people), provider_steps())


def openings() -> st.SearchStrategy[Step]:
    """A book before anything happens to it."""
    loads = st.tuples(st.just("load_up"), st.sampled_from(EVERYONE), places, st.sampled_from([-12.0, 12.0]))
    return st.one_of(trades_of(EVERYONE), loads)


def moments() -> st.SearchStrategy[Step]:
    """Time and prices, carry and variances."""
    variances = st.integers(10**9, 10**11)
    return st.one_of(
        st.tuples(st.just("pass_time"), waits, drifts, drifts),
        st.tuples(st.just("pass_time"), waits, jumps, jumps),
        st.tuples(st.just("window_passes")),
        st.tuples(st.just("set_carry"), st.integers(0, 1), st.integers(-30_000, 30_000)),
        st.tuples(st.just("set_variances"), st.integers(0, 1), variances, variances),
    )


def histories(longest: int) -> st.SearchStrategy[tuple[Step, ...]]:
    """What anybody did before, and what prices did: a book is opened and requests are made, the market moves, and so on."""
    opening = st.lists(openings(), min_size=2, max_size=5)
    requests = st.lists(provider_steps(), max_size=3)
    first = st.tuples(st.just("pass_time"), st.sampled_from([30, SETTLE_WINDOW, REDEMPTION_WAIT]), jumps, drifts)
    later = st.lists(st.one_of(steps_of(EVERYONE), moments()), max_size=longest)
    return st.tuples(opening, requests, first, later).map(lambda parts: (*parts[0], *parts[1], parts[2], *parts[3]))


def starts(longest: int = 8) -> st.SearchStrategy[Start]:
    """Any market: utilisation from none to full, any book scale, parameters anywhere inside their bounds."""
    tokens = st.sampled_from([0.3, 3.0, 30.0, 300.0])
    parameters = st.fixed_dictionaries(
        {},
        optional={
            "fee_rate": st.just(0),
            "fee_cap": st.just(1),
            "impact": st.sampled_from([0, 1_000]),
            "load": st.sampled_from([0, 1_500]),
            "kappa": st.sampled_from([0, 1_500]),
            "gross_rate": st.just(0),
            "default_charge": st.just(0),
            "initial_ratio": st.just(1_050),
            "penalty_rate": st.sampled_from([10, 900]),
            "common_share": st.just(0),
            "min_face": st.just(1),
            "min_margin": st.just(1),
            "reward_floor": st.just(0),
        },
    )
    return st.builds(
        Start,
        main=st.sampled_from([100, 1_000, 20_000]),
        insurance=st.sampled_from([0, 10, 1_000]),
        provided=st.sampled_from([0.0, 0.5, 20.0]),
        margins=st.tuples(*[tokens] * len(EVERYONE)),
        history=histories(longest),
        scale=st.sampled_from([WAD, WAD, WAD * 37 // 100 + 7, WAD // 1_000 + 1]),
        decimals=st.sampled_from([18, 6]),
        parameters=parameters.map(lambda chosen: tuple(sorted(chosen.items()))),
    )
