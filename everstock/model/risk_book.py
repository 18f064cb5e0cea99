"""The risk book: what an account's action, an order or a liquidation is worth. It knows no accounts; the clearing house
brings legs and takes back what they became."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from everstock.model import portfolio_margin, positions, series_book
from everstock.model.constants import LIQUIDATION_MAX_AGE, PERMILLE, TRADE_MAX_AGE, WAD
from everstock.model.integers import truncated_div
from everstock.model.market_book import FOREVER, MarketBook, Prices, Sweep, View
from everstock.model.positions import Change, Leg
from everstock.model.reverts import require
from everstock.model.series_book import FROZEN, Growth, Series
from everstock.model.trade_costs import Cost

# Where a settle window ends that never does.
NEVER: Final = 2**32 - 1


class OrderLeg(NamedTuple):
    """One leg of an order."""

    series: int
    face: int  # + buys, - writes


@dataclass
class Settlement:
    """What an account became by realising its legs."""

    legs: list[Leg]
    gain: int
    booked: bool  # gains become claims and no claim is paid
    skipped: bool  # the account is bankrupt; nothing was realised
    sweep: Sweep


@dataclass
class Trade:
    """What an order did."""

    legs: list[Leg]
    gain: int
    fee: int
    impact: int
    total: int  # at the latest prices
    own_total: int  # at the order's own prices
    initial: int  # what equity must be after all charges; 0 for a reducing order
    cash_floor: int  # what cash must be
    sweep: Sweep


@dataclass
class Liquidation:
    """What a liquidation did; `fraction` is 0 if the account is healthy and was passed over."""

    legs: list[Leg]
    gain: int
    scenario_sum: int
    fraction: int
    penalty: int
    booked: bool
    sweep: Sweep


@dataclass(frozen=True)
class Health:
    """An account at the latest prices; raw units of M."""

    equity: int
    scenario_sum: int
    maintenance: int
    initial: int

    @property
    def is_liquidatable(self) -> bool:
        return self.equity < self.maintenance


@dataclass(frozen=True)
class PoolFlow:
    """What an LP request is executed at."""

    equity: int  # E at the latest prices
    requirement: int  # R
    accrued: int  # insurance and treasury will have of it
    publish_time: int
    booked: bool  # no redemption is paid


class RiskBook(MarketBook):
    """A market's book with the actions its clearing house and its listing call. All may raise `Revert`."""

    # What the clearing house calls

    def checkpoint(self, main: int, claims: int, leaving: int = 0) -> Sweep:
        """`leaving` is what an overdue redemption needs."""
        return self.mark_all(self.read(TRADE_MAX_AGE), main, claims, leaving)

    def freeze(self) -> None:
        """Terminal settlement begins: every series is frozen at its last touch."""
        self.state.frozen = True
        self.state.window_end = NEVER
        self.totals.accrued = 0

    def settle(self, base: int, legs: Sequence[Leg], main: int, claims: int) -> Settlement:
        """Realise all legs as one net amount; `base` is cash and claim of the account. For good, and whatever the account has,
        once the market is frozen."""
        prices, sweep = None, Sweep()
        if not self.state.frozen:
            prices, sweep = self.begin(TRADE_MAX_AGE, main, claims)
        account = positions.visit(self, prices, legs, acting=True)
        skipped = prices is not None and base + account.gain < 0
        if skipped:
            self.add_growth(account.growth)
        else:
            positions.commit(self, account, len(legs), Change(), 0)
        return Settlement(
            legs=list(legs) if skipped else account.legs,
            gain=account.gain,
            booked=self.state.is_booked(self.now),
            skipped=skipped,
            sweep=sweep,
        )

    def trade(
        self,
        legs: Sequence[Leg],
        order: Sequence[OrderLeg],
        own_prices: Sequence[int],
        reduce_only: bool,
        main: int,
        claims: int,
    ) -> Trade:
        """Realise all legs, then change them by the order at the latest marks.

        `own_prices` are the order's own (USD, 8 decimals), per underlying; 0 where a market has no second.
        """
        prices, sweep = self.begin(TRADE_MAX_AGE, main, claims)
        self.only_closed_window()
        require(self.state.depth != 0, "risk_book: no equity")
        account = positions.visit(self, prices, legs, acting=True)
        sum_before = positions.scenario_sum(self, account.stress)
        requirement_before = self.requirement()

        change, latest, own = Change(), Cost(), Cost()
        cash_floor = 0
        for item in order:
            v = self._tradable(prices, item.series)
            u = v.s.underlying
            account.growth += v.growth
            before = account.units(item.series)
            units, opens = positions.units_of(item.face, before, self.state.scale, reduce_only)
            if opens:
                positions.check_opening(self, v, before + units)
                cash_floor = self.parameters.min_margin
            latest.add(u, v.quote, units, self.state.scale, self.parameters)
            own_quote = series_book.quote(v.s, own_prices[u], prices.terms[u].sharpness)
            own.add(u, own_quote, units, self.state.scale, self.parameters)
            moves = self.moves(v, self.parameters.account_shock)
            account.stress.change(u, v.quote, moves, before, before + units)
            positions.change_leg(self, prices, account, change, item.series, v, before + units)

        impact = positions.impact(self, latest)
        total = own_total = latest.total(impact)
        if self._differs(prices, own_prices):
            own_total = own.total(positions.impact(self, own))
        sum_after = positions.scenario_sum(self, account.stress)
        is_opening = sum_after > sum_before
        if is_opening:
            require(not prices.restricted, "risk_book: far from chainlink")
        accrued = latest.fee * self.parameters.common_share // PERMILLE
        positions.commit(self, account, len(legs), change, accrued)
        if self.requirement() > requirement_before:
            paid = sweep.insurance + sweep.treasury
            self._check_capacity(main + latest.fee - paid - account.gain, claims, is_opening)
        return Trade(
            legs=account.legs,
            gain=account.gain,
            fee=latest.fee,
            impact=impact,
            total=total,
            own_total=own_total,
            initial=positions.initial(self, sum_after) if is_opening else 0,
            cash_floor=cash_floor,
            sweep=sweep,
        )

    def liquidate(self, base: int, legs: Sequence[Leg], main: int, claims: int) -> Liquidation:
        """Realise an account below maintenance and close the same fraction of every leg."""
        prices, sweep = self.begin(LIQUIDATION_MAX_AGE, main, claims)
        booked = self.state.is_booked(self.now)
        account = positions.visit(self, prices, legs, acting=True)
        s = positions.scenario_sum(self, account.stress)
        equity = base + account.gain
        p = self.parameters
        if equity >= portfolio_margin.maintenance(s, p.min_margin):
            self.add_growth(account.growth)
            return Liquidation(list(legs), account.gain, s, 0, 0, booked, sweep)

        fraction = portfolio_margin.fraction(s, equity, p.min_margin, p.initial_ratio, p.penalty_rate)
        change = Change()
        # From the last leg to the first, for a leg that closes is replaced by the last.
        for leg in reversed(list(account.legs)):
            after = truncated_div(leg.units * (WAD - fraction), WAD)
            v = self.view(prices, leg.series)
            positions.change_leg(self, prices, account, change, leg.series, v, after)
        positions.commit(self, account, len(legs), change, 0)
        return Liquidation(
            legs=account.legs,
            gain=account.gain,
            scenario_sum=s,
            fraction=fraction,
            penalty=p.penalty_rate * s * fraction // (PERMILLE * WAD),
            booked=booked,
            sweep=sweep,
        )

    def withdrawal_check(self, base: int, legs: Sequence[Leg], amount: int) -> bool:
        """Whether `amount` may leave an account at once; False if a checkpoint is due first."""
        prices = self.read(TRADE_MAX_AGE)
        if self.must_checkpoint(prices):
            return False
        self.only_closed_window()
        require(not prices.restricted, "risk_book: far from chainlink")
        account = positions.visit(self, prices, legs, acting=False)
        left = base + account.gain - amount
        needed = positions.initial(self, positions.scenario_sum(self, account.stress))
        require(left >= needed, "risk_book: below initial margin")
        return True

    # What the market's other contracts call

    def add_series(self, underlying: int, strike: int, is_put: bool) -> int:
        self.only_closed_window()
        return self.book.add(Series(strike=strike, is_put=is_put, underlying=underlying, time=self.now))

    def set_notice(self, id_: int, time: int) -> None:
        """Let a series only close from `time` on, lift that (0), or freeze it (1) and take it off the list."""
        prices = self.read(TRADE_MAX_AGE)
        self.only_closed_window()
        v = self.view(prices, id_)
        self.add_growth(v.growth)
        self.book.series[id_] = replace(v.s, notice=time)
        if time == FROZEN:
            self.book.unlist(id_)

    # Views

    def pool_flow(self, main: int, claims: int) -> PoolFlow:
        """What an LP request of the main pool is executed at."""
        prices = self.read(TRADE_MAX_AGE)
        self.only_closed_window()
        require(not self.is_stale(prices), "risk_book: checkpoint due")
        require(not prices.restricted, "risk_book: far from chainlink")
        growth = self.remarked(prices)
        return PoolFlow(
            equity=self.equity(main, claims, growth),
            requirement=self.requirement(),
            accrued=self.totals.accrued + growth.accrued,
            publish_time=prices.publish_time,
            booked=self.state.is_booked(self.now),
        )

    def health(self, base: int, legs: Sequence[Leg]) -> Health:
        """What an account with `base` of cash and claim would be measured by, at the latest prices whatever their age. Frozen
        legs need no margin."""
        account = positions.visit(self, self._latest(), legs, acting=False)
        scenario_sum = positions.scenario_sum(self, account.stress)
        return Health(
            equity=base + account.gain,
            scenario_sum=scenario_sum,
            maintenance=portfolio_margin.maintenance(scenario_sum, self.parameters.min_margin),
            initial=positions.initial(self, scenario_sum),
        )

    def equity_now(self, main: int, claims: int) -> int:
        """E at the latest prices, whatever their age."""
        prices = self._latest()
        return self.equity(main, claims, Growth() if prices is None else self.remarked(prices))

    def is_due(self) -> bool:
        """Whether an action would first checkpoint."""
        return self.must_checkpoint(self.read(FOREVER))

    def is_booked(self) -> bool:
        """Whether gains become claims and no claim is paid."""
        return self.state.is_booked(self.now)

    def _latest(self) -> Prices | None:
        """The latest prices, whatever their age; none once the market is frozen."""
        return None if self.state.frozen else self.read(FOREVER)

    # Steps of a trade

    def _tradable(self, prices: Prices, id_: int) -> View:
        """A series that an order may name, brought to the present."""
        require(id_ in self.book.series, "trade: unknown series")
        v = self.view(prices, id_)
        require(v.s.notice != FROZEN, "trade: series is retired")
        return v

    def _check_capacity(self, main: int, claims: int, is_opening: bool) -> None:
        """What the pool must have for an order that raises R: `main` is its cash once the gain is booked and the fee is in."""
        buffer = self.parameters.open_buffer if is_opening else self.parameters.close_buffer
        queued = self.queued_redemptions if is_opening else 0
        left = self.equity(main, claims + queued)
        require(left * PERMILLE >= buffer * self.requirement(), "trade: over pool capacity")

    @staticmethod
    def _differs(prices: Prices, own_prices: Sequence[int]) -> bool:
        """Whether an order's own prices are not the latest."""
        return any(own not in (0, latest) for own, latest in zip(own_prices, prices.latest, strict=True))
