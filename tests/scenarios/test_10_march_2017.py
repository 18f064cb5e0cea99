"""10 March 2017: the first bitcoin ETF was refused, the price fell by a quarter within minutes, BitMEX's fund was gone
and winning shorts were deleveraged (blog.bitmex.com/the-bitmex-insurance-fund; the last time that its XBT swap saw it
until then).

Eight longs and eight shorts of 100 tokens each, half of them opened at 16:00 and half at 21:00 UTC, at Kraken's prices;
between 21:15 and 21:30 the path goes from 1,289 to 968. Their swap is a call struck at 650 (see `test_bitmex`), so
gains are in plain dollars at a token's constant worth; BitMEX's queue is worked out in the same arithmetic, over the
same accounts. Who held what at BitMEX that day is not known: the accounts are made up, their prices are not.

BitMEX's queue (support.bitmex.com, "What is Auto-Deleveraging"): what a bankrupt position lacks comes from the fund;
when that is empty the position is closed at its bankruptcy price against the winner who ranks first by profit
percentage times effective leverage, then the next.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from everstock.model.constants import SETTLE_WINDOW, WAD
from everstock.model.waterfall import Stage
from everstock.replay.bars import read_csv
from everstock.replay.sources import DATA_VARIABLE, NEIGHBOUR, data_folders
from everstock.replay.ticks import path
from tests.scenarios.scene import INSURANCE, MAIN, TOKEN, Scene, Table, part, scene, tokens
from tests.scenarios.test_bitmex import BITMEX, FREE

FILE: Final = "BTCUSD_2017-03-10_etf-rejection_kraken_1h.csv"
MISSING: Final = f"there is no {FILE} in the folder {DATA_VARIABLE} names, nor in {NEIGHBOUR.name} beside the repository"

# Unix seconds: 16:00, 21:00, 21:30 (the low) and midnight UTC.
EARLY, LATE, LOW, MIDNIGHT = 1_489_161_600, 1_489_179_600, 1_489_181_400, 1_489_190_400
STRIKE: Final = 650
SIZE: Final = 100  # tokens of each position at its opening
FUND, POOL = 30, 110  # tokens
# What Everstock's own rule asks for a position, in raw units: initial margin of 19.1% of it, fee, and the impact on a pool
# as thin as this.
LEAST: Final = 22 * TOKEN


@dataclass(frozen=True)
class Position:
    """One account: longs have a positive side."""

    name: str
    side: int
    leverage: int
    opened_at: int

    def margin(self) -> int:
        """Raw units."""
        return SIZE * TOKEN // self.leverage


BOOK: Final = (
    *(Position(f"early long {x}x", 1, x, EARLY) for x in (2, 3, 5, 10)),
    *(Position(f"early short {x}x", -1, x, EARLY) for x in (3, 5, 10, 15)),
    *(Position(f"late long {x}x", 1, x, LATE) for x in (20, 25, 50, 100)),
    *(Position(f"late short {x}x", -1, x, LATE) for x in (2, 4, 20, 25)),
)
SHORTS: Final = [p for p in BOOK if p.side < 0]


def data() -> Path | None:
    """The file of prices, if there is one."""
    return next((folder / FILE for folder in data_folders() if (folder / FILE).is_file()), None)


needs_data = pytest.mark.skipif(data() is None, reason=MISSING)


@cache
def prices() -> Mapping[int, float]:
    """The corners of the path through Kraken's hourly bars, a quarter of an hour apart: USD by Unix seconds."""
    file = data()
    assert file is not None, MISSING
    times, usd = path(read_csv(file))
    return dict(zip(times.tolist(), usd.tolist(), strict=True))


def between(time: int) -> float:
    """The path at any time, USD."""
    return float(np.interp(time, list(prices()), list(prices().values())))


# BitMEX, in plain Python


@dataclass
class Venue:
    """What became of everybody at BitMEX, tokens. `queue` says who was deleveraged, in order, and by what part."""

    bankrupt: int
    fund: float  # left
    queue: dict[str, float]
    profit: dict[str, float]  # of the shorts, marked at the low


def bitmex(fund: float) -> Venue:
    """The liquidation of all that are bankrupt at the low, highest leverage first, by the fund and then by the queue."""
    usd = prices()[LOW]
    opened = {p.name: prices()[p.opened_at] for p in BOOK}
    size = {p.name: 1.0 for p in BOOK}  # what is left of each position
    profit = {p.name: 0.0 for p in SHORTS}  # of what was closed
    queue: dict[str, float] = {}
    bankrupt = 0
    longs = sorted((p for p in BOOK if p.side > 0), key=lambda p: (-p.leverage, p.opened_at))
    for loser in longs:
        bankruptcy = opened[loser.name] * (1 - 1 / loser.leverage)
        lacking = SIZE * (bankruptcy - usd) / opened[loser.name]
        if lacking <= 0:
            continue
        bankrupt += 1
        paid = min(fund, lacking)
        fund -= paid
        # In bitcoin-like contracts: a position of 100 tokens opened at another price has another number of them.
        left = (1 - paid / lacking) * SIZE / opened[loser.name]
        ranked = sorted(SHORTS, key=lambda p: -_rank(p, opened[p.name], usd))
        for winner in ranked:
            mine = size[winner.name] * SIZE / opened[winner.name]
            taken = min(left, mine)
            if taken <= 0:
                continue
            left -= taken
            share = taken * opened[winner.name] / SIZE
            size[winner.name] -= share
            queue[winner.name] = queue.get(winner.name, 0.0) + share
            profit[winner.name] += taken * (opened[winner.name] - bankruptcy)
    for p in SHORTS:
        profit[p.name] += size[p.name] * SIZE * (opened[p.name] - usd) / opened[p.name]
    return Venue(bankrupt, fund, queue, profit)


def _rank(p: Position, opened: float, usd: float) -> float:
    """Profit percentage times effective leverage: the value at the mark by what separates it from bankruptcy."""
    gained = (opened - usd) / opened
    return gained * (usd / opened) / (1 / p.leverage + gained)


def due() -> dict[str, float]:
    """What the shorts have gained at the low, tokens."""
    opened = {p.name: prices()[p.opened_at] for p in SHORTS}
    return {name: SIZE * (usd - prices()[LOW]) / usd for name, usd in opened.items()}


# Everstock


@dataclass(frozen=True)
class Outcome:
    """What became of everybody in one run; raw units but for `scale` and `h`, wads."""

    refused: int  # accounts that had to bring more margin than at BitMEX
    liquidated: int
    bankrupt: int
    from_insurance: int
    insurance: int  # left at the low
    from_main: int
    cut: int  # from profits
    scale: int  # D after the low
    h: int
    profit: dict[str, int]  # of the shorts, at the low
    stage: Stage


@contextmanager
def the_day(own_rule: bool, capital: bool) -> Iterator[tuple[Scene, int]]:
    """The market at 21:15, with everybody in it, and its series; `capital` is the main pool's."""
    with scene(
        token_usd=1_250, index={"BTC": 1_250.0, "ETH": 100.0}, main=POOL, insurance=FUND, **({} if own_rule else FREE)
    ) as market:
        # Kraken's 968 is below the band that the present feed is held to.
        feed = replace(market.feed("BTC"), min_price=100 * 10**8)
        market.oracle.set_feed(0, *feed.arguments(), sender=market.owner)
        market.move(after=SETTLE_WINDOW, BTC=float(STRIKE))
        market.pass_window()
        series = market.list_series()
        market.move(after=SETTLE_WINDOW + 1, BTC=prices()[EARLY])
        market.pass_window()
        if not own_rule:
            market.write_rates(**BITMEX)
        time = EARLY
        _enter(market, series, EARLY, own_rule)
        for corner in sorted(t for t in prices() if EARLY < t < LOW):
            market.move(after=corner - time, BTC=prices()[corner])
            time = corner
            if corner == LATE:
                _enter(market, series, LATE, own_rule)
        if not capital:
            # Between themselves, as at BitMEX. Rounding keeps E above 0 as long as nobody is bankrupt.
            market.house.pool_withdraw(market.house.ledgers().main, sender=market.main_pool.address)
            assert market.house.equity() > 0
        yield market, series


def _enter(market: Scene, series: int, time: int, own_rule: bool) -> None:
    """Longs and shorts of one time, in turns, so that a thin pool can carry them."""
    longs, shorts = ([p for p in BOOK if p.opened_at == time and p.side == side] for side in (1, -1))
    for p in (p for two in zip(shorts, longs, strict=True) for p in two):
        margin = max(p.margin(), LEAST) if own_rule else p.margin()
        person = market.person(p.name, margin)
        market.trade(person, (series, p.side * SIZE * STRIKE / prices()[time]))


@cache
def everstock(*, own_rule: bool, capital: bool) -> Outcome:
    """The low, its liquidations, and what follows: the rest of the day's prices with capital; without, the price stands
    still until the market has settled, for a queue and a haircut can only be compared at one price."""
    with the_day(own_rule, capital) as (market, _):
        since = market.mark
        market.set_prices(after=900, BTC=prices()[LOW])
        at_low = {p.name: market.health(market.people[p.name]) for p in SHORTS}
        events = [market.liquidate(person) for person in market.people.values()]
        market.check()
        h, cut = WAD, 0
        profit = {name: health.equity - market.deposited[name] for name, health in at_low.items()}
        if capital:
            market.house.checkpoint()
            scale, insurance = market.scale, market.house.ledgers().insurance
            for corner in sorted(t for t in prices() if LOW < t < MIDNIGHT):
                market.move(after=900, BTC=between(corner))
        else:
            scale, insurance = market.scale, market.house.ledgers().insurance
            market.exhaust()
            finished, cash = market.settled_in_any_order()
            h = finished.paid * WAD // finished.claims
            cut = finished.claims - finished.paid
            profit = {name: cash[name] - market.deposited[name] for name in profit}
        market.check()
        drawn = market.drawn(since)
        return Outcome(
            refused=sum(p.margin() < LEAST for p in BOOK) if own_rule else 0,
            liquidated=sum(event is not None for event in events),
            bankrupt=len({event.account for event in market.events("BadDebt", since)}),
            from_insurance=drawn[INSURANCE],
            insurance=insurance,
            from_main=drawn[MAIN],
            cut=cut,
            scale=scale,
            h=h,
            profit=profit,
            stage=market.stage,
        )


# What they say


def share(profit: Mapping[str, float], name: str) -> float:
    """What a short gets of what it has gained."""
    return profit[name] / due()[name]


@needs_data
def test_the_day__low__is_a_quarter_below_the_price_a_quarter_of_an_hour_before():
    assert prices()[LOW] == 968
    assert prices()[LOW] / prices()[LOW - 900] < 0.76


@needs_data
def test_bitmex__fund_of_30__is_gone_and_the_queue_pays_the_rest():
    venue = bitmex(FUND)
    assert venue.fund == 0
    cut = sum(due().values()) - sum(venue.profit.values())
    # The swap's basis at 968 is 5e-5 of a face.
    assert cut == pytest.approx(everstock(own_rule=False, capital=False).cut / TOKEN, abs=0.02)


@needs_data
def test_bitmex__fund_that_suffices__deleverages_nobody():
    venue = bitmex(100)
    assert venue.queue == {} and 0 < venue.fund < 1
    assert venue.profit == pytest.approx(due())


@needs_data
def test_bitmex__queue__takes_the_highest_leverage_and_leaves_others_alone():
    venue = bitmex(FUND)
    assert list(venue.queue)[:2] == ["late short 25x", "late short 20x"]
    assert share(venue.profit, "late short 25x") < 0.12
    assert share(venue.profit, "late short 2x") == pytest.approx(1)


@needs_data
def test_everstock__no_capital_behind_it__every_winner_is_paid_the_same_part():
    result = everstock(own_rule=False, capital=False)
    assert result.insurance == 0 and result.from_insurance == FUND * TOKEN
    assert 0.6 < result.h / WAD < 0.65
    for name in due():
        # Apart from the swap's basis, and premium of the ten minutes that settlement takes.
        assert share(result.profit, name) / TOKEN == pytest.approx(result.h / WAD, rel=1e-3)


@needs_data
def test_everstock__a_pool_behind_it__pays_what_the_fund_lacks_and_shrinks_the_book():
    result = everstock(own_rule=False, capital=True)
    assert result.stage == Stage.ACTIVE and result.cut == 0
    assert result.insurance == 0 and result.from_insurance == FUND * TOKEN
    assert 0 < result.from_main < POOL * TOKEN
    assert 0 < result.scale < WAD
    for name, gained in due().items():
        assert result.profit[name] / TOKEN == pytest.approx(gained, rel=1e-3)


@needs_data
def test_everstock__same_losses__whoever_pays_them():
    ways = [everstock(own_rule=False, capital=capital) for capital in (False, True)]
    assert ways[0].bankrupt == ways[1].bankrupt == 6
    assert ways[0].from_main == pytest.approx(ways[1].from_main, abs=10)


@needs_data
def test_everstock__own_rule__two_thirds_of_the_fund_are_left():
    result = everstock(own_rule=True, capital=True)
    assert result.stage == Stage.ACTIVE and result.cut == 0
    assert result.from_main == 0 and result.insurance > 0
    assert result.bankrupt == 6
    assert 0.6 < 1 - result.from_insurance / (FUND * TOKEN) < 0.7


# The document


def tables() -> dict[str, Table]:
    """What docs/SCENARIOS.md says of these."""
    return {"etf-layers": _layers_table(), "etf-winners": _winners_table()}


def _layers_table() -> Table:
    venue = bitmex(FUND)
    bare, pool = everstock(own_rule=False, capital=False), everstock(own_rule=False, capital=True)
    own = everstock(own_rule=True, capital=True)
    cut = sum(due().values()) - sum(venue.profit.values())
    least, most = (100 * choose(share(venue.profit, name) for name in due()) for choose in (min, max))
    rows = [
        ["accounts that must bring more margin", "0", *[str(way.refused) for way in (bare, pool, own)]],
        ["bankrupt at 968", str(venue.bankrupt), *[str(way.bankrupt) for way in (bare, pool, own)]],
        ["the fund pays", f"{FUND - venue.fund:.2f}", *[tokens(way.from_insurance) for way in (bare, pool, own)]],
        ["the main pool pays", "has none", "has none", *[tokens(way.from_main) for way in (pool, own)]],
        ["winners' profits are cut by", f"{cut:.2f}", *[tokens(way.cut) for way in (bare, pool, own)]],
        ["whose profits", f"{len(venue.queue)} of {len(SHORTS)} winners", "all alike", "nobody's", "nobody's"],
        ["paid of a profit", f"{least:.0f} to {most:.0f}%", part(bare.h), part(pool.h), part(own.h)],
        ["positions afterwards", "the chosen closed", "closed", f"all at {part(pool.scale)}", f"all at {part(own.scale)}"],
    ]
    head = ["tokens", "BitMEX's queue", "no capital", "a pool of 110", "own rule, a pool of 110"]
    return Table.of(head, rows)


def _winners_table() -> Table:
    venue = bitmex(FUND)
    bare, pool = everstock(own_rule=False, capital=False), everstock(own_rule=False, capital=True)
    rows = [
        [
            name,
            f"{gained:.2f}",
            f"{100 * venue.queue.get(name, 0):.0f}%",
            f"{venue.profit[name]:.2f}",
            tokens(bare.profit[name]),
            tokens(pool.profit[name]),
        ]
        for name, gained in due().items()
    ]
    head = ["winner", "gained at 968", "closed by the queue", "BitMEX", "no capital", "a pool of 110"]
    return Table.of(head, rows)
