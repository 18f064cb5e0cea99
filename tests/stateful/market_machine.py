"""Anything that anyone may do to a market, in any order, at any prices."""

from fractions import Fraction
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import account_of
from everstock.model.constants import (
    HOUR,
    MAX_LEGS,
    MAX_WAIT,
    NOTICE_DELAY,
    NOTICE_PERIOD,
    PERMILLE,
    REDEMPTION_WAIT,
    SETTLE_WINDOW,
    WAD,
)
from everstock.model.parameters import BOUNDS, CARRY, DELEVERAGE_TARGET, MIN_MARGIN, TARGET_BOUNDS
from everstock.model.reverts import Revert
from everstock.model.risk_book import Health
from everstock.model.waterfall import Stage
from tests.stateful.machine import Machine

# Accounts by role. A role only says what its rules do more often; anybody may do anything.
BUYERS: Final = ("bull", "bear")
WRITERS: Final = ("call writer", "put writer")
OTHERS: Final = ("spreader", "market maker")
TRADERS: Final = BUYERS + WRITERS + OTHERS
PROVIDERS: Final = ("first lp", "second lp")
POOLS: Final = ("main_pool", "insurance_pool")

traders = st.sampled_from(TRADERS)
providers = st.sampled_from(PROVIDERS)
pools = st.sampled_from(POOLS)
sides = st.sampled_from([-1, 1])
# Face of an order over the equity of whoever places it: from dust to more than any margin carries.
sizes = st.one_of(st.sampled_from([0.01, 0.3, 1, 2, 4]), st.floats(0.001, 12))
parts = st.one_of(st.just(Fraction(1)), st.fractions(Fraction(1, 50), 1, max_denominator=50))
# Of a whole token, in thousandths; and amounts of a few raw units, where rounding shows.
amounts = st.one_of(st.integers(1, 200_000), st.integers(1_000, 20_000))
dust = st.integers(1, 3)
drifts = st.floats(0.97, 1.03)
# Within a checkpoint's reach, within a settle window's, and far beyond.
jumps = st.one_of(st.floats(0.94, 1.06), st.floats(0.88, 1.13), st.sampled_from([0.3, 0.5, 0.7, 1.3, 2.0, 3.0]), st.floats(0.3, 3))
# Moneyness of a series that is listed; a strike is the nearest of two digits.
listed = st.sampled_from([0.76, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.32])
places = st.integers(0, 31)


class MarketMachine(Machine):
    """One market with traders of several roles, providers of both pools, a liquidator, an owner and donors."""

    ACTIONS = frozenset(
        {
            "update prices",
            "deposit",
            "withdraw",
            "settle",
            "pay claim",
            "checkpoint",
            "buy",
            "write",
            "trade one leg",
            "trade combo",
            "trade all margin",
            "trade at own price",
            "close",
            "liquidate",
            "liquidate: in part",
            "liquidate: in full",
            "list",
            "delist",
            "give notice",
            "lift notice",
            "retire",
            "deleverage",
            "resolve",
            "finalize",
            "top up",
            "withdraw treasury",
            "set parameter",
            "set variances",
            "appoint",
            "sample",
            "donate",
            *(f"{pool}: {action}" for pool in POOLS for action in ("request deposit", "request redeem", "fulfil", "mint")),
        }
    )

    @initialize(
        main=st.sampled_from([300, 3_000, 30_000]),
        insurance=st.sampled_from([0, 30, 1_000]),
        margins=st.tuples(*[st.integers(5, 300)] * len(TRADERS)),
        strikes=st.lists(st.tuples(st.sampled_from([0, 1]), listed, st.booleans()), min_size=3, max_size=6, unique=True),
    )
    def begin(self, main: int, insurance: int, margins: tuple[int, ...], strikes: list[tuple[int, float, bool]]) -> None:
        self.people = {name: self.told.actor(name) for name in (*TRADERS, *PROVIDERS, "liquidator", "donor")}
        for pool, tokens in (("main_pool", main), ("insurance_pool", insurance)):
            if tokens:
                self.told.request_deposit(pool, self.people["first lp"], tokens * self.unit)
        self.told.bring(self.told.publish(after=SETTLE_WINDOW))
        for pool in POOLS:
            self.told.fulfil(pool, 1, 0)
            claimable = self.told.pools()[pool].bought[self.people["first lp"]].shares
            if claimable:
                self.told.claim(pool, "mint", self.people["first lp"], claimable)
        self.told.checkpoint()
        for name, margin in zip(TRADERS, margins, strict=True):
            self.told.deposit(self.account(name), margin * self.unit, self.people[name])
        for underlying, moneyness, is_put in strikes:
            self.list_near(underlying, moneyness, is_put)

    # Who and what

    def account(self, name: str) -> int:
        """The account of a person's that trades."""
        return account_of(self.people[name], TRADERS.index(name) % 2 if name in TRADERS else 0)

    def health(self, name: str) -> Health:
        return self.market.house.health(self.account(name))

    def face(self, name: str, size: float, side: int) -> int:
        """`size` times what a person has, raw units of M, never 0."""
        return side * max(1, round(max(self.health(name).equity, self.unit) * size))

    def series(self, place: int) -> int | None:
        """An active series; sometimes one that no longer is, or never was."""
        active = self.market.risk.active()
        if not active:
            return None
        return (active + [1, self.market.risk.book.count + 1])[place % (len(active) + 2)] if place > 28 else active[place % len(active)]

    def open_market(self) -> None:
        """Let a settle window pass and list something near the money, as people would who want to trade."""
        if self.market.risk.state.is_window_open(self.told.now):
            self.settle_window_passes()
        for underlying in (0, 1):
            if not any(self.is_near(id_) for id_ in self.market.risk.book.active[underlying]):
                self.list_near(underlying, 1.0, is_put=underlying == 1)

    def is_near(self, series: int) -> bool:
        """Whether a series may be traded at the latest price."""
        s = self.market.risk.book.series[series]
        moneyness = self.told.oracle.stored(s.underlying).price / s.strike
        return 0.6 < moneyness < 1.7 and s.opens(self.told.now)

    def near(self, place: int) -> int | None:
        """A series that may be traded."""
        near = [id_ for id_ in self.market.risk.active() if self.is_near(id_)]
        return near[place % len(near)] if near else None

    def list_near(self, underlying: int, moneyness: float, is_put: bool) -> None:
        strike = float(f"{self.told.protocol.index[UNDERLYINGS[underlying]] / moneyness:.1e}")
        self.told.list_series(underlying, strike, is_put)

    # Time and prices

    @rule(seconds=st.integers(1, 900), btc=drifts, eth=drifts)
    def drift(self, seconds: int, btc: float, eth: float) -> None:
        self.move(seconds, btc, eth)

    @rule(seconds=st.integers(1, 60), btc=jumps, eth=jumps)
    def jump(self, seconds: int, btc: float, eth: float) -> None:
        self.move(seconds, btc, eth)

    @rule(both=jumps, first=traders)
    def jump_with_a_keeper_at_hand(self, both: float, first: str) -> None:
        """A crash or a rally as it should go: losers are found, the window passes, winners are paid."""
        self.move(12, both, both)
        self.told.checkpoint()
        self.liquidate([first])
        self.liquidate(list(TRADERS))
        self.settle_window_passes()
        self.told.settle(self.account(first))
        self.told.pay_claim(self.account(first))

    @rule(seconds=st.sampled_from([0, 1, 14, 15, 16, 59, 60, 61]))
    def let_prices_age(self, seconds: int) -> None:
        self.told.wait(seconds)

    @rule(hours=st.one_of(st.integers(1, 30), st.just(73), st.just(200)), btc=drifts, eth=drifts)
    def skip_hours(self, hours: int, btc: float, eth: float) -> None:
        self.move(hours * HOUR + 1, btc, eth)

    @rule(gap=st.sampled_from([0.0, 0.005, 0.0102, 0.02, -0.02, 0.031, 0.5]))
    def chainlink_diverges(self, gap: float) -> None:
        self.told.bring(self.told.publish(after=2, gap=gap))

    @rule(confidence=st.sampled_from([499, 501, 5_000]))
    def pyth_is_uncertain(self, confidence: int) -> None:
        self.told.bring(self.told.publish(after=1, confidence=confidence))

    @rule()
    def settle_window_passes(self) -> None:
        """As a keeper would: a checkpoint now, one when the window has ended."""
        self.move(1, 1, 1)
        self.told.checkpoint()
        self.move(SETTLE_WINDOW + 1, 1, 1)
        self.told.checkpoint()

    # Margin

    @rule(name=traders, milli=amounts)
    def deposit(self, name: str, milli: int) -> None:
        self.told.deposit(self.account(name), milli * self.unit // 1_000, self.people[name])

    @rule(name=traders, amount=dust)
    def deposit_dust(self, name: str, amount: int) -> None:
        self.told.deposit(self.account(name), amount, self.people["donor"])

    @rule(name=traders, part=parts)
    def withdraw(self, name: str, part: Fraction) -> None:
        cash = self.market.house.account(self.account(name)).purse.cash
        self.told.withdraw(self.account(name), int(cash * part), self.people[name])

    @rule(name=traders, part=parts, more=st.sampled_from([0, 0, 1]))
    def withdraw_what_is_free(self, name: str, part: Fraction, more: int) -> None:
        """Up to just what initial margin leaves free, or a unit more."""
        health = self.health(name)
        free = max(0, health.equity - health.initial)
        self.told.withdraw(self.account(name), int(free * part) + more, self.people[name])

    # Trading

    @rule(name=traders, place=places, side=sides, size=sizes, reduce_only=st.booleans())
    def trade_one(self, name: str, place: int, side: int, size: float, reduce_only: bool) -> None:
        if (series := self.series(place)) is not None:
            legs = [(series, self.face(name, size, side))]
            self.told.trade(self.account(name), legs, reduce_only=reduce_only and size < 1, name="trade one leg")

    @rule(name=st.sampled_from(BUYERS), place=places, size=sizes)
    def buy(self, name: str, place: int, size: float) -> None:
        if (series := self.near(place)) is not None:
            self.told.trade(self.account(name), [(series, self.face(name, size, 1))], name="buy")

    @rule(name=st.sampled_from(WRITERS), place=places, size=sizes)
    def write(self, name: str, place: int, size: float) -> None:
        if (series := self.near(place)) is not None:
            self.told.trade(self.account(name), [(series, self.face(name, size, -1))], name="write")

    @rule(name=traders, legs=st.lists(st.tuples(places, sides, sizes), min_size=2, max_size=MAX_LEGS))
    def trade_combo(self, name: str, legs: list[tuple[int, int, float]]) -> None:
        order = {self.series(place): self.face(name, size / len(legs), side) for place, side, size in legs}
        order.pop(None, None)
        if order:
            self.told.trade(self.account(name), list(order.items()), name="trade combo")

    @rule(orders=st.lists(st.tuples(traders, places, sides, sizes), min_size=3, max_size=6))
    def busy_market(self, orders: list[tuple[str, int, int, float]]) -> None:
        self.open_market()
        for name, place, side, size in orders:
            if (series := self.near(place)) is not None:
                self.told.trade(self.account(name), [(series, self.face(name, size, side))], name="trade one leg")

    @rule(names=st.lists(traders, min_size=1, max_size=3, unique=True), place=places, side=sides)
    def as_much_as_margin_carries(self, names: list[str], place: int, side: int) -> None:
        """By halving the face until it is taken, so that the next move may find somebody below maintenance."""
        self.open_market()
        series = self.near(place)
        for name in names if series is not None else ():
            face = self.face(name, 8, side)
            while isinstance(self.told.trade(self.account(name), [(series, face)], name="trade all margin"), Revert):
                face //= 2
                if abs(face) < self.unit:
                    break

    @rule(btc=st.floats(0.9, 1.1), eth=st.floats(0.9, 1.1), first=traders)
    def squeeze(self, btc: float, eth: float, first: str) -> None:
        """A move that margin is there for: whoever has none to spare is liquidated, in part as a rule."""
        self.move(5, btc, eth)
        self.liquidate([first])
        self.liquidate(list(TRADERS))

    @rule(name=traders, part=parts, place=st.integers(0, 7), reduce_only=st.booleans())
    def close(self, name: str, part: Fraction, place: int, reduce_only: bool) -> None:
        """Part of one leg, or a little more than all of it."""
        legs = self.market.house.account(self.account(name)).legs
        if legs:
            leg = legs[place % len(legs)]
            face = -int(leg.units * self.market.risk.state.scale // WAD * part) or -1
            self.told.trade(self.account(name), [(leg.series, face)], reduce_only=reduce_only, name="close")

    @rule(name=traders, place=places, side=sides, off=st.floats(0.9, 1.1), loss=st.sampled_from([0, 0, 10**9]))
    def trade_at_own_price(self, name: str, place: int, side: int, off: float, loss: int) -> None:
        """As the order desk does when a newer price than the order's own is stored; sometimes with a limit that fails."""
        if (series := self.series(place)) is not None:
            own = [int(self.told.oracle.stored(u).price * off) for u in (0, 1)]
            legs = [(series, self.face(name, 0.5, side))]
            limit = -loss * self.unit if loss else 2**255 - 1
            self.told.trade(self.account(name), legs, own_prices=own, limit=limit, name="trade at own price")

    @rule(name=traders)
    def trade_past_every_bound(self, name: str) -> None:
        if (series := self.series(0)) is not None:
            self.told.trade(self.account(name), [(series, 2**127)], name="trade past bounds")
            self.told.trade(self.account(name), [(series, 2**127 - 1)], name="trade past bounds")

    # What anyone may do

    @rule(name=traders)
    def settle(self, name: str) -> None:
        self.told.settle(self.account(name))

    @rule(name=traders)
    def pay_claim(self, name: str) -> None:
        self.told.pay_claim(self.account(name))

    @rule()
    def checkpoint(self) -> None:
        """Invariant 7: deleveraging changes nobody's equity, and no leg's units."""
        house, scale = self.market.house, self.market.risk.state.scale
        before = {name: self.health(name).equity for name in TRADERS}
        legs = {name: [leg.units for leg in house.account(self.account(name)).legs] for name in TRADERS}
        self.told.checkpoint()
        if self.market.risk.state.scale < scale:
            self.told.tally.done["deleverage"] += 1
            assert {name: self.health(name).equity for name in TRADERS} == before, "invariant 7"
            assert legs == {name: [leg.units for leg in house.account(self.account(name)).legs] for name in TRADERS}

    @rule(btc=st.sampled_from([0.6, 0.75, 1.3, 1.6]), names=st.lists(traders, min_size=2, max_size=4, unique=True))
    def everybody_on_one_side(self, btc: float, names: list[str]) -> None:
        """As much of one series as the pool takes, then the move that hurts it most: deleveraging, or worse."""
        self.open_market()
        series = next((id_ for id_ in self.market.risk.book.active[0] if self.is_near(id_)), None)
        if series is None:
            return
        is_put = self.market.risk.book.series[series].is_put
        for name in names:
            self.told.deposit(self.account(name), 200 * self.unit, self.people[name])
            face = self.face(name, 8, 1)
            while isinstance(self.told.trade(self.account(name), [(series, face)], name="trade all margin"), Revert):
                face //= 2
                if face < self.unit:
                    break
        self.move(5, 1 / btc if is_put else btc, 1)
        self.checkpoint()
        self.liquidate(list(TRADERS))
        self.move(SETTLE_WINDOW + 1, 1, 1)
        self.checkpoint()

    # Terminal settlement

    @rule(gaps=st.lists(st.sampled_from([60, 179, 180, 250, 601]), min_size=2, max_size=5))
    def checkpoints_see_no_equity(self, gaps: list[int]) -> None:
        for gap in gaps:
            self.move(gap, 1, 1)
            self.checkpoint()

    @rule(names=st.lists(traders, min_size=1, max_size=6, unique=True))
    def resolve(self, names: list[str]) -> None:
        self.told.resolve([self.account(name) for name in names])
        self.forget_share_prices()

    @precondition(lambda self: self.market.house.stage != Stage.ACTIVE)
    @rule(names=st.permutations(TRADERS))
    def finish(self, names: list[str]) -> None:
        """Accounts are resolved in any order, some by a withdrawal of their own."""
        self.told.withdraw(self.account(names[0]), 1, self.people[names[0]])
        for name in names:
            self.told.resolve([self.account(name)])
        self.told.finalize()
        self.forget_share_prices()

    @rule()
    def finalize(self) -> None:
        self.told.finalize()
        self.forget_share_prices()

    @rule(part=parts)
    def treasury_tops_up(self, part: Fraction) -> None:
        self.told.top_up(int(self.market.house.ledgers.treasury * part))
        self.forget_share_prices()

    @rule(part=parts, more=st.sampled_from([0, 1]))
    def treasury_is_withdrawn(self, part: Fraction, more: int) -> None:
        spare = max(0, self.market.house.ledgers.treasury - self.market.treasury.least_balance)
        self.told.withdraw_treasury(int(spare * part) + more)

    @rule()
    def liquidate_all(self) -> None:
        self.liquidate(list(TRADERS))

    @rule(name=traders)
    def liquidate_one(self, name: str) -> None:
        self.liquidate([name])

    def liquidate(self, names: list[str]) -> None:
        """Invariant 8: a healthy account is never touched; what is left of another stands at initial_ratio."""
        fractions = self.told.liquidate([self.account(name) for name in names], self.people["liquidator"])
        if not isinstance(fractions, list):
            return
        for name, fraction in zip(names, fractions, strict=True):
            if 0 < fraction < WAD:
                after = self.health(name)
                self.told.tally.done["liquidate: in part"] += 1
                # A unit of S, and one of cash for its floor.
                target = self.market.risk.parameters.initial_ratio * (after.scenario_sum - 2)
                assert (after.equity + 2) * PERMILLE >= target, f"invariant 8: {after} after a liquidation"
            elif fraction == WAD:
                self.told.tally.done["liquidate: in full"] += 1
                assert not self.market.house.account(self.account(name)).legs

    @rule(underlying=st.sampled_from([0, 0, 1, 1, 2]), moneyness=listed, is_put=st.booleans())
    def list_series(self, underlying: int, moneyness: float, is_put: bool) -> None:
        if underlying < len(UNDERLYINGS):
            self.list_near(underlying, moneyness, is_put)
        else:
            self.told.list_series(underlying, 100, is_put)

    @rule(underlying=st.sampled_from([0, 1]), moneyness=st.sampled_from([0.5, 2.0]), is_put=st.booleans())
    def list_too_far(self, underlying: int, moneyness: float, is_put: bool) -> None:
        self.list_near(underlying, moneyness, is_put)

    @rule(action=st.sampled_from(["delist", "give_notice", "lift_notice", "retire"]), place=places)
    def change_listing(self, action: str, place: int) -> None:
        if (series := self.series(place)) is not None:
            self.told.listing(action, series)

    @precondition(lambda self: any(s.notice > 1 for s in self.market.risk.book.series.values()))
    @rule()
    def notice_period_passes(self) -> None:
        self.move(NOTICE_DELAY + NOTICE_PERIOD, 1, 1)
        self.told.checkpoint()
        for id_, s in list(self.market.risk.book.series.items()):
            if s.notice > 1:
                self.told.listing("retire", id_)

    @rule(place=places, quick=st.sampled_from([0, 1, 59, 60, 61]), name=traders, side=sides, taken=st.booleans())
    def nobody_uses_a_series(self, place: int, quick: int, name: str, side: int, taken: bool) -> None:
        """It is put on notice and leaves once that binds, unless somebody was quicker: then it stays."""
        unused = [id_ for id_ in self.market.risk.active() if not self.market.risk.book.series[id_].is_held]
        if not unused:
            return
        series = unused[place % len(unused)]
        self.move(HOUR, 1, 1)
        self.told.listing("give_notice", series)
        self.move(quick, 1, 1)
        if taken:
            self.told.trade(self.account(name), [(series, self.face(name, 0.3, side))], name="trade one leg")
        self.told.listing("delist", series)
        self.move(NOTICE_DELAY - quick, 1, 1)
        self.told.listing("lift_notice", series)
        self.told.listing("delist", series)

    @rule(place=places, factor=st.sampled_from([0.4, 2.5]), in_time=st.booleans())
    def goes_far_from_a_strike(self, place: int, factor: float, in_time: bool) -> None:
        """The series is put on notice; the index comes back in time, or after it was retired with whoever still holds it."""
        if (series := self.near(place)) is not None:
            name = UNDERLYINGS[self.market.risk.book.series[series].underlying]
            usd = self.told.protocol.index[name]
            self.told.trade(self.account(BUYERS[0]), [(series, self.unit)], name="buy")
            self.told.bring(self.told.publish(after=2, **{name: usd * factor}))
            self.settle_window_passes()
            self.told.listing("give_notice", series)
            if not in_time:
                self.move(NOTICE_DELAY + NOTICE_PERIOD, 1, 1)
                self.told.listing("retire", series)
            self.told.bring(self.told.publish(after=2, **{name: usd}))
            # Twice: the anchor of the way out is replaced only when the first window ends, which opens another.
            self.settle_window_passes()
            self.settle_window_passes()
            if in_time:
                self.told.listing("lift_notice", series)
            for trader in TRADERS:
                self.told.settle(self.account(trader))

    # Liquidity, and what goes past the market's functions

    @rule(pool=pools, lp=providers, milli=amounts)
    def request_deposit(self, pool: str, lp: str, milli: int) -> None:
        self.told.request_deposit(pool, self.people[lp], milli * self.unit // 1_000)

    @rule(pool=pools, lp=providers, part=parts)
    def request_redeem(self, pool: str, lp: str, part: Fraction) -> None:
        shares = self.told.pools()[pool].balances[self.people[lp]]
        self.told.request_redeem(pool, self.people[lp], int(shares * part))

    @rule(pool=pools, deposits=st.integers(0, 2), redemptions=st.integers(0, 2))
    def fulfil(self, pool: str, deposits: int, redemptions: int) -> None:
        self.told.fulfil(pool, deposits, redemptions)

    @rule(lp=providers, part=parts)
    def redemption_becomes_overdue(self, lp: str, part: Fraction) -> None:
        """Whoever waited a week longer than he had to is paid, and the book shrinks with what he takes."""
        self.request_redeem("main_pool", lp, part)
        self.move(REDEMPTION_WAIT + MAX_WAIT, 1, 1)
        scale = self.market.risk.state.scale
        self.told.fulfil("main_pool", 0, 2)
        if self.market.risk.state.scale < scale:
            self.told.tally.done["deleverage: overdue"] += 1

    @rule(pool=pools, lp=providers)
    def claim_all(self, pool: str, lp: str) -> None:
        model, person = self.told.pools()[pool], self.people[lp]
        self.told.claim(pool, "mint", person, model.bought[person].shares)
        self.told.claim(pool, "withdraw", person, model.sold[person].assets)

    @rule(contract=st.sampled_from(["clearing_house", *POOLS]), amount=st.one_of(dust, st.just(10**6)))
    def donate(self, contract: str, amount: int) -> None:
        self.told.donate(contract, self.people["donor"], amount)

    # The owner

    @rule(key=st.integers(0, DELEVERAGE_TARGET + 1), share=st.floats(0, 1))
    def set_parameter(self, key: int, share: float) -> None:
        """Anywhere inside the bounds, for any parameter; a market must bear what its bounds allow."""
        if key < CARRY:
            low, high = BOUNDS[key]
        elif key < MIN_MARGIN:
            low, high = -30_000, 30_000
        elif key == DELEVERAGE_TARGET:
            low, high = TARGET_BOUNDS
        else:
            low, high = 1, self.unit
        self.told.set_parameter(key, round(low + share * (high - low)))

    @rule(key=st.integers(0, CARRY - 1))
    def set_parameter_out_of_bounds(self, key: int) -> None:
        self.told.set_parameter(key, BOUNDS[key][1] + 1)

    @rule(underlying=st.sampled_from([0, 1]), fast=st.integers(10**8, 10**11), slow=st.integers(10**8, 10**11))
    def set_variances(self, underlying: int, fast: int, slow: int) -> None:
        self.told.set_variances(underlying, fast, slow)

    @rule(appointed=st.booleans())
    def appoint(self, appointed: bool) -> None:
        self.told.appoint(appointed)

    # Volatility

    @rule(seconds=st.integers(1, 1_500), late=st.sampled_from([0, 0, 3, 500]), btc=jumps, eth=drifts, latest=st.booleans())
    def sample(self, seconds: int, late: int, btc: float, eth: float, latest: bool) -> None:
        """At some price after some boundary, at once or late; now and then not the first."""
        self.move(seconds, btc, eth)
        self.told.wait(late)
        self.told.sample(latest)

    @rule(spans=st.lists(st.tuples(st.integers(590, 1_300), drifts), min_size=2, max_size=5))
    def a_keeper_samples(self, spans: list[tuple[int, float]]) -> None:
        self.told.appoint(True)
        for seconds, factor in spans:
            self.move(seconds, factor, factor)
            self.told.sample()

    # What holds after every step

    @invariant()
    def everything_agrees(self) -> None:
        self.verify()
