"""The book of a market: what an action reads once, what the pool owes, E and R, and the checkpoint."""

from dataclasses import dataclass, field, replace
from typing import Final

from everstock.model import checkpoints, pool_risk, portfolio_margin, series_book
from everstock.model.constants import GAIN, LEAST_SCALE, PERMILLE, SETTLE_WINDOW, WAD
from everstock.model.integers import ceil_div
from everstock.model.parameters import Parameters
from everstock.model.price_oracle import PriceOracle, Word
from everstock.model.reverts import require
from everstock.model.series_book import FROZEN, Growth, Quote, Series, SeriesBook, Terms

FOREVER: Final = 2**256 - 1
FULL: Final = 10_000  # utilisation, 1e-4


@dataclass(frozen=True)
class Prices:
    """The oracle's words an action works with, and the terms that follow."""

    words: list[Word]
    terms: list[Terms]

    @property
    def latest(self) -> list[int]:
        return [t.price for t in self.terms]

    @property
    def publish_time(self) -> int:
        """Of the older price."""
        return min(w.publish_time for w in self.words)

    @property
    def restricted(self) -> bool:
        """Whether no risk may be added and nothing withdrawn."""
        return any(w.restricted for w in self.words)


@dataclass(frozen=True)
class View:
    """A series brought to the present."""

    s: Series
    quote: Quote
    growth: Growth


@dataclass(frozen=True)
class Sweep:
    """What leaves main for insurance and treasury at a checkpoint; raw units of M."""

    insurance: int = 0
    treasury: int = 0
    alarm: bool = False  # E <= 0 or nearly, or D below a millionth


@dataclass
class MarketBook:
    """Everything of a market but accounts and money. `underlyings` are ids at the oracle, the same twice for a market of
    one; `main` and `claims` below are main cash and the claims on it, raw units of M."""

    oracle: PriceOracle
    underlyings: tuple[int, int]
    parameters: Parameters
    granule: int
    book: SeriesBook = field(default_factory=SeriesBook)
    state: checkpoints.State = field(default_factory=checkpoints.State)
    anchors: checkpoints.Anchors = field(default_factory=checkpoints.Anchors)
    exposures: list[pool_risk.Exposure] = field(default_factory=lambda: [pool_risk.Exposure(), pool_risk.Exposure()])
    totals: pool_risk.Totals = field(default_factory=pool_risk.Totals)
    owed: int = 0  # exact sum of all legs' gains, 1e24: what the pool owes
    queued_redemptions: int = 0  # what the main pool's waiting redemptions are worth at request prices

    @property
    def now(self) -> int:
        return self.oracle.block.timestamp

    # Reading

    def read(self, max_age: int) -> Prices:
        """The latest prices. Raises `Revert` when one is older than `max_age` seconds, and in settlement."""
        require(not self.state.frozen, "risk_book: in settlement")
        words = self.oracle.words(self.underlyings, max_age)
        return Prices(words, [self.terms(u, word) for u, word in enumerate(words)])

    def terms(self, underlying: int, word: Word) -> Terms:
        """What the series of an underlying are valued with, at the state of now."""
        return series_book.terms(
            self.parameters,
            underlying,
            word.price,
            (word.fast, word.slow),
            self.state.scale,
            self.state.utilisation,
        )

    def view(self, prices: Prices | None, id_: int) -> View:
        """A series brought to the present price and time; stores nothing. Without prices, as it was frozen."""
        s = self.book.series[id_]
        if prices is None:
            return View(replace(s, notice=FROZEN), Quote(0, 0, 0, 0), Growth())
        t = prices.terms[s.underlying]
        q = series_book.quote(s, t.price, t.sharpness)
        s, growth = series_book.grow(s, t, q, self.now)
        return View(s, q, growth)

    def moves(self, v: View, shock: int) -> list[int]:
        """Change of a series' mark at each of the six points of a scenario test."""
        return portfolio_margin.moves(v.quote, self.parameters.sharpness[v.s.underlying], v.s.is_put, shock)

    def active(self) -> list[int]:
        """Ids of all active series."""
        return self.book.active[0] + self.book.active[1]

    def equity(self, main: int, claims: int, growth: Growth = Growth()) -> int:
        """E = main cash - owed - claims - accrued, raw units of M, rounded down; with `growth` added to what is stored."""
        return main - ceil_div(self.owed + growth.owed, GAIN) - claims - self.totals.accrued - growth.accrued

    def requirement(self) -> int:
        """R, raw units of M."""
        return pool_risk.requirement(self.totals, self.parameters.default_charge, self.state.scale, self.granule)

    def remarked(self, prices: Prices) -> Growth:
        """What touching every active series with units would add to `owed` and `accrued`. Stores nothing."""
        held = (id_ for id_ in self.active() if self.book.series[id_].is_held)
        return sum((self.view(prices, id_).growth for id_ in held), Growth())

    def is_stale(self, prices: Prices) -> bool:
        """Whether an hour passed or an index moved more than a quarter of the pool shock since the last checkpoint."""
        before = [exposure.checkpoint_price for exposure in self.exposures]
        return checkpoints.is_stale(self.state, prices.latest, before, self.parameters.pool_shock, self.now)

    def must_checkpoint(self, prices: Prices) -> bool:
        """Whether an action would first checkpoint. At depth 0 always; but in a settle window, where nothing can bring equity
        back, once a block: a batch has one."""
        done = self.state.time == self.now and self.state.is_window_open(self.now)
        return (self.state.depth == 0 and not done) or self.is_stale(prices)

    def only_closed_window(self) -> None:
        require(not self.state.is_window_open(self.now), "risk_book: settle window")

    # Acting

    def begin(self, max_age: int, main: int, claims: int) -> tuple[Prices, Sweep]:
        """Price, then a checkpoint if one is due. Returns what to act on, and the sweep."""
        prices = self.read(max_age)
        if not self.must_checkpoint(prices):
            return prices, Sweep()
        sweep = self.mark_all(prices, main, claims)
        return self.read(max_age), sweep

    def mark_all(self, prices: Prices, main: int, claims: int, leaving: int = 0) -> Sweep:
        """The checkpoint: touch every active series with units, rebuild the pool's scenario test from zero, and store what
        follows from E and R. `leaving` is what an overdue redemption needs."""
        effects = [pool_risk.Effect(), pool_risk.Effect()]
        growth = Growth()
        written = 0
        is_held = False
        for id_ in self.active():
            if not self.book.series[id_].is_held:
                continue
            is_held = True
            v = self.view(prices, id_)
            self.book.series[id_] = v.s
            growth += v.growth
            written += v.s.short_units
            self.affect(effects[v.s.underlying], v, v.s.long_units - v.s.short_units)
        self.exposures = [pool_risk.Exposure(checkpoint_price=price) for price in prices.latest]
        self.totals.worst = sum(
            pool_risk.affect(exposure, effect, self.granule)
            for exposure, effect in zip(self.exposures, effects, strict=True)
        )
        self.totals.written = ceil_div(written, self.granule)
        self.owed += growth.owed
        self.totals.accrued += growth.accrued
        self.follow(prices, self.equity(main, claims), leaving, is_held)
        return self.swept(main, claims)

    def follow(self, prices: Prices, equity: int, leaving: int, is_held: bool) -> None:
        """What a checkpoint stores of E and R: the settle window, D, utilisation, depth. Without any unit left D is 1 again."""
        state = self.state
        jumped = checkpoints.has_jumped(self.anchors, prices.latest, self.parameters.pool_shock, self.now)
        state.time = self.now
        if jumped or (equity <= 0 and self.totals.open_legs != 0):
            state.window_end = self.now + SETTLE_WINDOW
        if not is_held:
            state.scale = WAD
        if equity > 0:
            state.negative_since = 0
            state.scale = self.deleveraged(equity, leaving)
            state.utilisation = min(FULL, self.requirement() * FULL // equity)
            state.depth = min(equity // self.granule, checkpoints.MAX_DEPTH)
        else:
            state.negative_since = state.negative_since or self.now
            state.utilisation = FULL
            state.depth = 0

    def deleveraged(self, equity: int, leaving: int) -> int:
        """D, scaled down as far as it must be: to E = target * R where E < R outside a settle window, or E < R / 2 at once; and
        to E - leaving = buffer * R where an overdue redemption needs it (or to the ratio that E and R have, if that is less:
        whoever leaves takes no more of the book along than of its capital)."""
        requirement = self.requirement()
        free = equity * PERMILLE
        needed = self.parameters.deleverage_target * requirement
        if 2 * equity >= requirement and (equity >= requirement or self.state.is_window_open(self.now)):
            needed = min(self.parameters.withdraw_buffer * requirement, free)
            free -= min(leaving * PERMILLE, free)
        return self.state.scale if free >= needed else self.state.scale * free // needed

    def swept(self, main: int, claims: int) -> Sweep:
        """What of `accrued` main cash above claims can pay now; none while gains are booked."""
        amount = 0
        if main > claims and not self.state.is_booked(self.now):
            amount = min(self.totals.accrued, main - claims)
            self.totals.accrued -= amount
        self.totals.store()
        treasury = amount * self.parameters.treasury_share // PERMILLE
        alarm = self.state.depth == 0 or self.state.scale < LEAST_SCALE
        return Sweep(insurance=amount - treasury, treasury=treasury, alarm=alarm)

    def affect(self, effect: pool_risk.Effect, v: View, units: int) -> None:
        """Add what `units` more held by traders (fewer if negative) would cost the pool at each of its points."""
        effect.losses = portfolio_margin.plus(effect.losses, self.moves(v, self.parameters.pool_shock), units)
        effect.delta += units * v.quote.slope

    def add_growth(self, growth: Growth) -> None:
        """Book what touching series did."""
        self.owed += growth.owed
        self.totals.accrued += growth.accrued
        self.totals.store()
