"""The replay, tick by tick, and what comes after it: everybody closes and leaves, and one LP with them.

One tick is one burst of blocks: feeds move, the keeper brings the price, checkpoints and liquidates; every so often
strikes are listed and traders request orders, which the keeper executes at the first price published four seconds
later.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from web3.contract.contract import ContractFunction

from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.devnet import BASE_FEE
from everstock.chain.transactions import call
from everstock.demo import strikes
from everstock.demo.cast import Profile, Provider
from everstock.demo.driver import BLOCK_SECONDS
from everstock.demo.history import History, Point
from everstock.demo.reader import Account, Reading
from everstock.demo.stage import (
    FOREVER,
    LISTER,
    LISTING_GAS,
    NO_LIMIT,
    POOL_GAS,
    TOKEN,
    Actor,
    Stage,
    wallet,
)
from everstock.demo.strikes import Listed
from everstock.demo.traders import Quote, Trader, View, Wish
from everstock.parameters import ORDER_DELAY
from everstock.replay.ticks import DECIMALS, Tick

WAD: Final = 10**18
# From an order's request to its price, and until its account's margin is free again.
DELAY: Final = ORDER_DELAY
EXEC_WINDOW: Final = 60
REDEMPTION_WAIT: Final = 3 * 86_400
# A series without units may be put on notice so long after its last use, and be delisted once that binds.
UNUSED_WAIT: Final = 3_600
# Parts of the replay: until when every trader has come, and when the leaving LP asks for its tokens.
OPENING: Final = 0.15
LEAVING: Final = 0.2
# Orders that close everything, at most.
CLOSING_ROUNDS: Final = 4
REQUEST_GAS: Final = 500_000
SETTLE_GAS: Final = 3_000_000


@dataclass
class Play:
    """A replay on a stage. `think` is how many seconds of the episode lie between the traders' decisions."""

    stage: Stage
    ticks: Sequence[Tick]
    think: int
    history: History
    say: Callable[[str], None] = lambda line: None
    refusals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        start = self.ticks[0].time
        length = self.ticks[-1].time - start
        stage = self.stage
        self._traders = [
            (Trader(profile, stage.parameters[profile.market], start, int(OPENING * length)), profile, actor)
            for profile, actor in stage.traders
        ]
        self._next_thought = start
        self._leaving_at = start + int(LEAVING * length)
        self._accounts = stage.accounts()
        self._fees: dict[int, int] = {}

    def run(self) -> Iterator[Point]:
        """What was read before the first tick, and after each. Raises `DemoError`."""
        yield self._record(self.ticks[0].time, self.ticks[0].prices)
        for tick in self.ticks:
            self._tick(tick)
            yield self._record(tick.time, tick.prices)

    # One tick

    def _tick(self, tick: Tick) -> None:
        driver = self.stage.driver
        time = max(tick.time + self.stage.offset, driver.now + BLOCK_SECONDS)
        self.stage.publish(tick.prices, time)
        driver.burst(time)
        if tick.time >= self._next_thought:
            self._next_thought = tick.time + self.think
            readings = self.stage.reader.read(self._accounts)
            leaving = self._list(tick, readings)
            self._leave(tick)
            self._trade(self._wishes(tick, readings, leaving))

    def _list(self, tick: Tick, readings: Mapping[str, Reading]) -> dict[str, set[int]]:
        """New strikes where the index went, and away with those that nobody holds; these, by market."""
        leaving: dict[str, set[int]] = {symbol: set() for symbol in readings}
        for symbol, reading in readings.items():
            listing = self.stage.contracts[symbol]["series_listing"].functions
            if self._is_window_open(reading):
                continue
            for id_, name in enumerate(UNDERLYINGS):
                index = tick.prices[name] / 10**DECIMALS
                active = _listed(reading, id_)
                for series in strikes.unused(index, active, self.stage.driver.now, UNUSED_WAIT):
                    self._try(listing.give_notice(series))
                    leaving[symbol].add(series)
                for noticed in reading.series:
                    if noticed.underlying == id_ and noticed.notice:
                        # Held by whoever was quicker than the notice, it stays.
                        held = noticed.long_units or noticed.short_units
                        self._try((listing.lift_notice if held else listing.delist)(noticed.id))
                for strike, is_put in strikes.wanted(index, active):
                    self._try(listing.list_series(id_, round(strike * 10**DECIMALS), is_put))
        return leaving

    def _try(self, function: ContractFunction) -> None:
        """Send what may be refused, unless it would be anyway."""
        lister = wallet(LISTER).account
        if self.stage.driver.would_revert(lister, function) is None:
            self.stage.driver.send(lister, function, gas=LISTING_GAS, refused=self.refusals.append)

    def _leave(self, tick: Tick) -> None:
        """The LPs who leave ask for a part of their shares back."""
        if not self._leaving_at or tick.time < self._leaving_at:
            return
        self._leaving_at = 0
        for provider, actor in self._leavers():
            pool = self.stage.contracts[provider.market][provider.pool]
            shares = int(call(pool.functions.balanceOf(actor.address)) * provider.leaves)
            request = pool.functions.requestRedeem(shares, actor.address, actor.address)
            self.stage.driver.send(actor.account, request, gas=POOL_GAS)
            self.say(
                f"{provider.name} asks for {provider.leaves:.0%} of its shares back; it will get them in three days"
            )

    def _leavers(self) -> list[tuple[Provider, Actor]]:
        return [(provider, actor) for provider, actor in self.stage.providers if provider.leaves]

    # Orders

    def _wishes(
        self, tick: Tick, readings: Mapping[str, Reading], leaving: Mapping[str, set[int]]
    ) -> list[tuple[Profile, Actor, Wish]]:
        """What every trader wants now. While a settle window is open nobody asks: no order can be filled in it."""
        quotes = {symbol: _quotes(reading, leaving[symbol]) for symbol, reading in readings.items()}
        wishes = []
        for trader, profile, actor in self._traders:
            reading = readings[profile.market]
            if self._is_window_open(reading):
                continue
            account = reading.accounts[actor.id]
            wish = trader.decide(_view(tick.time, quotes[profile.market], account, reading.market.scale))
            if wish is not None:
                wishes.append((profile, actor, wish))
        return wishes

    def _trade(self, wishes: Sequence[tuple[Profile, Actor, Wish]]) -> None:
        """Request all of them in one block, and give the keeper the price that they are executed at."""
        driver = self.stage.driver
        for profile, actor, wish in wishes:
            self._request(profile, actor, wish)
        if not wishes:
            # Nothing may be on its way when the feeds move next: a keeper's price would no longer fit Chainlink's.
            driver.burst()
            return
        driver.mine()
        driver.mine()
        time = driver.now + DELAY - BLOCK_SECONDS
        self.stage.publish(self.stage.prices, time, chainlink=False)
        driver.burst(time)

    def _request(self, profile: Profile, actor: Actor, wish: Wish) -> None:
        desk = self.stage.contracts[profile.market]["order_desk"]
        legs = [(series, round(face * TOKEN)) for series, face in wish.legs]
        limit = NO_LIMIT if wish.limit is None else round(wish.limit * TOKEN)
        request = desk.functions.request(actor.id, legs, limit, NO_LIMIT, wish.reduce_only, FOREVER)
        self.stage.driver.send(actor.account, request, value=self._fee(profile.market, len(legs)), gas=REQUEST_GAS)

    def _fee(self, symbol: str, legs: int) -> int:
        """The least fee of an order of so many legs; the base fee stays, and so does this."""
        if legs not in self._fees:
            desk = self.stage.contracts[symbol]["order_desk"]
            self._fees[legs] = call(desk.functions.min_fee(legs, BASE_FEE))
        return self._fees[legs]

    # After the last tick

    def close(self) -> Point:
        """Everybody closes, is paid and leaves at the last prices; three days later so does the LP who asked to.

        Returns what was read at the end.
        """
        self._wait_for_window()
        for _ in range(CLOSING_ROUNDS):
            if not self._close_all():
                break
        self._settle()
        self._pass(EXEC_WINDOW + BLOCK_SECONDS)
        self._withdraw()
        self._pass(REDEMPTION_WAIT)
        self._redeem()
        self._pass(BLOCK_SECONDS)
        last = self.ticks[-1]
        return self._record(self.stage.driver.now - self.stage.offset, last.prices)

    def _wait_for_window(self) -> None:
        """Until no settle window is open: at unchanged prices none opens once the anchor has caught up."""
        for _ in range(CLOSING_ROUNDS):
            readings = self.stage.reader.read(self._accounts, legs=False)
            ends = [reading.market.window_end for reading in readings.values()]
            if max(ends) <= self.stage.driver.now:
                return
            self._pass(max(ends) - self.stage.driver.now + BLOCK_SECONDS)
            self._checkpoint()

    def _close_all(self) -> bool:
        """One order for every account with legs, to close them; whether there was any."""
        readings = self.stage.reader.read(self._accounts)
        wishes = []
        for _, profile, actor in self._traders:
            legs = readings[profile.market].accounts[actor.id].legs
            if legs:
                # Twice what there is: reduce-only clamps it to just that.
                closing = tuple((series, -2 * units / TOKEN) for series, units in legs.items())
                wishes.append((profile, actor, Wish(closing, reduce_only=True)))
        if wishes:
            self._pass(EXEC_WINDOW)
            self._trade(wishes)
        return bool(wishes)

    def _settle(self) -> None:
        """Realise what could not be closed, and pay all claims."""
        self._pass(BLOCK_SECONDS)
        readings = self.stage.reader.read(self._accounts)
        lister = wallet(LISTER).account
        for symbol, reading in readings.items():
            house = self.stage.contracts[symbol]["clearing_house"].functions
            for id_, account in reading.accounts.items():
                if account.legs:
                    self.stage.driver.send(lister, house.settle(id_), gas=SETTLE_GAS, refused=self.refusals.append)
                elif account.claim:
                    self.stage.driver.send(lister, house.pay_claim(id_), gas=SETTLE_GAS, refused=self.refusals.append)
        self.stage.driver.burst()

    def _withdraw(self) -> None:
        """Every trader without legs takes all its cash."""
        readings = self.stage.reader.read(self._accounts)
        for _, profile, actor in self._traders:
            account = readings[profile.market].accounts[actor.id]
            house = self.stage.contracts[profile.market]["clearing_house"].functions
            if account.cash and not account.legs:
                withdraw = house.withdraw(actor.id, account.cash, actor.address)
                self.stage.driver.send(actor.account, withdraw, gas=POOL_GAS)
        self.stage.driver.burst()

    def _redeem(self) -> None:
        """The leaving LPs claim the tokens of the shares that the keeper redeemed."""
        for provider, actor in self._leavers():
            pool = self.stage.contracts[provider.market][provider.pool]
            shares = call(pool.functions.maxRedeem(actor.address))
            if shares:
                claim = pool.functions.redeem(shares, actor.address, actor.address)
                self.stage.driver.send(actor.account, claim, gas=POOL_GAS)

    def _checkpoint(self) -> None:
        lister = wallet(LISTER).account
        for contracts in self.stage.contracts.values():
            checkpoint = contracts["clearing_house"].functions.checkpoint()
            self.stage.driver.send(lister, checkpoint, gas=SETTLE_GAS, refused=self.refusals.append)
        self.stage.driver.burst()

    def _pass(self, seconds: int) -> None:
        """Let time pass at unchanged prices."""
        time = self.stage.driver.now + seconds
        self.stage.publish(self.stage.prices, time)
        self.stage.driver.burst(time)

    # Reading

    def _record(self, time: int, prices: Mapping[str, int]) -> Point:
        readings = self.stage.reader.read(self._accounts, legs=False)
        return self.history.record(time, self.stage.chronicle.last_block, prices, readings)

    def _is_window_open(self, reading: Reading) -> bool:
        return self.stage.driver.now < reading.market.window_end


def _listed(reading: Reading, underlying: int) -> list[Listed]:
    return [
        Listed(
            series=series.id,
            strike=series.strike / 10**DECIMALS,
            is_put=series.is_put,
            held=bool(series.long_units or series.short_units),
            last_use=series.last_touch,
        )
        for series in reading.series
        if series.underlying == underlying
    ]


def _quotes(reading: Reading, leaving: set[int]) -> list[Quote]:
    return [
        Quote(series.id, series.underlying, series.is_put, series.moneyness / WAD, series.notice == 0)
        for series in reading.series
        if series.id not in leaving
    ]


def _view(time: int, quotes: Sequence[Quote], account: Account, scale: int) -> View:
    return View(
        time=time,
        quotes=quotes,
        equity=account.equity / TOKEN,
        initial=account.initial / TOKEN,
        legs={series: units * scale / WAD / TOKEN for series, units in account.legs.items()},
    )
