"""The examples of "The BitMEX Insurance Fund" (blog.bitmex.com/the-bitmex-insurance-fund).

Two customers, A long and B short 10 bitcoin at 3,500 with 1 bitcoin of margin each; the price goes to 4,000, and A
expects $5,000 where B has $4,000. And one long of 100 bitcoin at 4,000 with 100x leverage and 0.5% maintenance:
liquidated at 3,980, bankrupt at 3,960; if the market takes the position at 3,978 the fund grows, if it takes it at
3,800 the fund pays.

How they are told here. A token of M stands for $4,000, the bitcoin of the article at its last price, so "1 BTC of
margin" is one token. The swap is a call struck at about half the index: its mark follows moneyness, the time value
being less than a millionth, so a face of N gains N (P - P0) / K tokens. That is the article's own plain dollars,
divided by $4,000. It is not the inverse contract of BitMEX, whose margin is worth less where its longs lose: that is
computed beside, and only computed.

BitMEX's rule is written into the market past the bounds of its parameters: no scenario shock, a gross rate, and a
penalty of all of the scenario sum with nothing for the liquidator. Everstock's maintenance is a share of what a
position is worth now, not of what it was opened at; 0.503% now is 0.5% of 4,000 at 3,980, and the liquidation price
comes out at 3,980.02.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import boa
import pytest

from everstock.chain.in_process import account_of, price
from everstock.model.constants import SETTLE_WINDOW, WAD
from everstock.model.everlasting import value
from everstock.model.waterfall import Stage
from tests.scenarios.scene import INSURANCE, MAIN, PROFITS, TOKEN, Scene, Table, part, scene, tokens

BITCOIN_USD: Final = 4_000  # what a token of M stands for

# A position of 100 tokens on a call struck at 2,000, bought at 4,000; and one that gains $10 a dollar on a call at 1,800.
LONG_FACE: Final = 50
PAIR_FACE: Final = 4.5
PAIR_OPENED, PAIR_CLOSED = 3_500, 4_000
# First prices that a liquidator may bring.
ARTICLE: Final = (3_981, 3_980, 3_978, 3_970, 3_960, 3_950, 3_800)
FURTHER: Final = (3_700, 3_500, 3_300, 3_200)

# Nothing but the price moves anything.
FREE: Final = {
    "fee_rate": 0,
    "impact": 0,
    "load": 0,
    "kappa": 0,
    "carry": {"BTC": 0, "ETH": 0},
    "default_charge": 0,
    "reward_share": 0,
    "reward_floor": 0,
}
# 0.503% of what it is worth now; 1% of what it is opened at.
BITMEX: Final = {"account_shock": 0, "gross_rate": 503, "initial_ratio": 1_988, "penalty_rate": 1_000}

# What a face of 50 can differ by, because the swap's mark is not quite the index: 40 cents.
BASIS: Final = TOKEN // 10_000


# BitMEX's own arithmetic


def dollars(bitcoin: float, opened: float, closed: float) -> float:
    """What a long gains in the article's plain dollars, in bitcoin of $4,000."""
    return bitcoin * (closed - opened) / BITCOIN_USD


def inverse(bitcoin: float, opened: float, closed: float) -> float:
    """What a long of the inverse contract gains, in bitcoin: contracts of a dollar, paid 1/opened - 1/closed each."""
    return bitcoin * opened * (1 / opened - 1 / closed)


# The scenes


@contextmanager
def swap_market(opened: float, strike: float, *, bitmex: bool, fund: float, main: float) -> Iterator[tuple[Scene, int]]:
    """A market with a series struck at about half of the index, listed when the index was there; and the series."""
    with scene(
        token_usd=BITCOIN_USD,
        index={"BTC": strike, "ETH": 100.0},
        main=main,
        insurance=fund,
        **(FREE if bitmex else {}),
    ) as market:
        series = market.list_series()
        market.move(after=SETTLE_WINDOW, BTC=opened)
        market.pass_window()
        if bitmex:
            market.write_rates(**BITMEX)
        yield market, series


@dataclass(frozen=True)
class Pair:
    """What became of A and B; raw units."""

    opened_with: int  # each
    winner: int  # cash of A in the end
    loser: int
    from_insurance: int
    from_main: int
    cut: int  # from profits
    fined: int  # B's penalty
    stage: Stage


@cache
def pair(*, bitmex: bool, fund: int, capital: bool) -> Pair:
    """A and B, and the price that jumps from 3,500 to 4,000. Without `capital` the pool between them has nothing of its
    own: then nothing can carry A's position once B's is gone, and the market settles."""
    with swap_market(PAIR_OPENED, 1_800, bitmex=bitmex, fund=fund, main=40) as (market, series):
        margin = TOKEN if bitmex else least_margin(market, series, -PAIR_FACE)
        winner, loser = market.person("A", margin), market.person("B", margin)
        market.trade(loser, (series, -PAIR_FACE))
        market.trade(winner, (series, PAIR_FACE))
        if not capital:
            # All but a dust that keeps E above 0 while both are solvent.
            market.house.pool_withdraw(market.house.equity() - 10**6, sender=market.main_pool.address)
        since = market.mark
        market.set_prices(after=SETTLE_WINDOW, BTC=PAIR_CLOSED)
        event = market.liquidate(loser)
        market.check()
        if capital:
            market.pass_window()
            market.house.settle(account_of(winner))
            finished = {"A": market.account(winner).cash, "B": market.account(loser).cash}
        else:
            market.exhaust()
            _, finished = market.settled_in_any_order()
            market.resolve(winner)
            market.finalize()
        market.check()
        drawn = market.drawn(since)
        return Pair(
            margin, finished["A"], finished["B"], drawn[INSURANCE], drawn[MAIN], drawn[PROFITS], event.penalty, market.stage
        )


@dataclass(frozen=True)
class Long:
    """The 100x long, and what it was after its liquidation at one price; raw units."""

    fraction: int  # closed, a wad
    fined: int  # to insurance
    reward: int
    from_insurance: int
    kept: int  # cash it is left with


@cache
def longs(bitmex: bool) -> Mapping[int, Long]:
    """A long of 100 tokens bought at 4,000, by the first price that a liquidator brings."""
    with swap_market(4_000, 2_000, bitmex=bitmex, fund=10, main=1_000) as (market, series):
        margin = TOKEN if bitmex else least_margin(market, series, LONG_FACE)
        market.trade(market.person("long", margin), (series, LONG_FACE))
        result = {}
        for usd in ARTICLE if bitmex else ARTICLE + FURTHER:
            with market.trial() as twin:
                result[usd] = _liquidated(twin, usd)
        return result


def _liquidated(market: Scene, usd: float) -> Long:
    since, trader = market.mark, market.people["long"]
    market.set_prices(after=60, BTC=usd)
    event = market.liquidate(trader)
    market.check()
    if event is None:
        return Long(0, 0, 0, 0, market.account(trader).cash)
    drawn = market.drawn(since)
    assert drawn[MAIN] == 0
    return Long(event.fraction, event.penalty - event.reward, event.reward, drawn[INSURANCE], event.cash)


def long(usd: int, bitmex: bool) -> Long:
    """The same, of one price."""
    return longs(bitmex)[usd]


def least_margin(market: Scene, series: int, face: float) -> int:
    """The least margin that Everstock's own rule opens a position with, to a hundredth of a token up."""
    with market.trial() as twin:
        probe = twin.person("probe", 1_000 * TOKEN)
        twin.trade(probe, (series, face))
        needed = twin.health(probe).initial + 1_000 * TOKEN - twin.account(probe).cash
    cent = TOKEN // 100
    return -(-needed // cent) * cent


# A and B


@pytest.mark.parametrize(("usd", "basis"), [(4_000, 0.5e-6), (3_980, 0.6e-6), (3_800, 1.1e-6), (3_000, 5e-5)])
def test_swap__is_a_call_at_half_the_index__whose_mark_is_moneyness_less_one(usd, basis):
    m = usd * WAD // 2_000
    assert 0 <= value(m, 17, is_put=False).mark - (m - WAD) < basis * WAD


def test_two_traders__without_a_fund__winner_gets_what_the_loser_had():
    result = pair(bitmex=True, fund=0, capital=False)
    assert result.stage == Stage.SETTLED
    assert result.loser == 0
    assert result.winner - TOKEN == pytest.approx(TOKEN, abs=BASIS)
    assert dollars(10, PAIR_OPENED, PAIR_CLOSED) == 1.25
    assert result.cut == pytest.approx(0.25 * TOKEN, abs=BASIS)


def test_two_traders__with_a_fund__winner_gets_all_and_the_fund_pays_the_difference():
    result = pair(bitmex=True, fund=10, capital=True)
    assert result.stage == Stage.ACTIVE
    assert result.winner - TOKEN == pytest.approx(1.25 * TOKEN, abs=BASIS)
    assert result.from_insurance == pytest.approx(0.25 * TOKEN, abs=BASIS)
    assert result.from_main == result.cut == 0


def test_two_traders__inverse_contract__expects_the_same_quarter():
    """At 4,000 a quarter of a bitcoin is $1,000 either way: the pair's numbers do not depend on the contract."""
    assert inverse(10, PAIR_OPENED, PAIR_CLOSED) == pytest.approx(dollars(10, PAIR_OPENED, PAIR_CLOSED))


def test_two_traders__capital_but_no_fund__the_pool_pays_the_difference():
    result = pair(bitmex=True, fund=0, capital=True)
    assert result.winner - TOKEN == pytest.approx(1.25 * TOKEN, abs=BASIS)
    assert result.from_main == pytest.approx(0.25 * TOKEN, abs=BASIS)
    assert result.cut == 0


def test_two_traders__own_rule__nobody_trades_at_ten_times():
    with swap_market(PAIR_OPENED, 1_800, bitmex=False, fund=10, main=40) as (market, series):
        trader = market.person("B", TOKEN)
        with boa.reverts("trade: below initial margin"):
            market.trade(trader, (series, -PAIR_FACE))


def test_two_traders__own_rule__loser_still_has_something_and_nobody_else_pays():
    result = pair(bitmex=False, fund=10, capital=True)
    assert result.opened_with > 1.25 * TOKEN
    assert result.loser > 0 and result.fined > 0
    assert result.from_insurance == result.from_main == result.cut == 0
    # All but fee, impact and premium of ten minutes.
    assert 1.23 * TOKEN < result.winner - result.opened_with < 1.25 * TOKEN


# The long of 100 bitcoin


def test_long_100x__price_at_3981__is_left_alone():
    assert long(3_981, bitmex=True).fraction == 0


@pytest.mark.parametrize("usd", [3_980, 3_978, 3_960])
def test_long_100x__price_from_3980_down__is_liquidated_in_full(usd):
    result = long(usd, bitmex=True)
    assert result.fraction == WAD
    assert result.kept == result.reward == 0


@pytest.mark.parametrize(("usd", "gained"), [(3_980, 0.5), (3_978, 0.45), (3_970, 0.25)])
def test_long_100x__closed_above_bankruptcy__fund_grows_by_all_that_is_left(usd, gained):
    assert dollars(100, 3_960, usd) == pytest.approx(gained)
    assert long(usd, bitmex=True).fined == pytest.approx(gained * TOKEN, abs=BASIS)


def test_long_100x__closed_at_3960__is_bankrupt_and_costs_nobody():
    result = long(3_960, bitmex=True)
    assert result.fined < BASIS and result.from_insurance < BASIS


@pytest.mark.parametrize(("usd", "lost"), [(3_950, 0.25), (3_800, 4)])
def test_long_100x__closed_below_bankruptcy__fund_pays(usd, lost):
    assert -dollars(100, 3_960, usd) == pytest.approx(lost)
    result = long(usd, bitmex=True)
    assert result.from_insurance == pytest.approx(lost * TOKEN, abs=BASIS)
    assert result.fined == result.kept == 0


def test_inverse_contract__has_its_prices_where_the_article_rounds_them():
    """0.5 and 1 bitcoin are gone at 3,980.10 and 3,960.40: rounded as in the article."""
    assert inverse(100, 4_000, 400_000 / 100.5) == pytest.approx(-0.5)
    assert inverse(100, 4_000, 400_000 / 101) == pytest.approx(-1)
    assert 400_000 / 100.5 == pytest.approx(3_980, abs=0.1) and 400_000 / 101 == pytest.approx(3_960, abs=0.4)


def test_long_100x__own_rule__is_refused():
    with swap_market(4_000, 2_000, bitmex=False, fund=10, main=1_000) as (market, series):
        trader = market.person("long", TOKEN)
        with boa.reverts("trade: below initial margin"):
            market.trade(trader, (series, LONG_FACE))


@pytest.mark.parametrize("usd", [3_980, 3_960, 3_800])
def test_own_rule__prices_of_the_article__do_not_liquidate(usd):
    assert long(usd, bitmex=False).fraction == 0


def test_own_rule__below_maintenance__closes_a_part_and_leaves_the_rest_to_the_trader():
    result = long(3_700, bitmex=False)
    assert 0 < result.fraction < WAD
    assert result.fined > 0 and result.reward > 0 and result.kept > 10 * TOKEN
    assert result.from_insurance == 0


# The document


def tables() -> dict[str, Table]:
    """What docs/SCENARIOS.md says of these."""
    return {"bitmex-pair": _pair_table(), "bitmex-fund": _fund_table(), "bitmex-own-rule": _own_table()}


def _pair_table() -> Table:
    columns = [
        pair(bitmex=True, fund=0, capital=False),
        pair(bitmex=True, fund=10, capital=True),
        pair(bitmex=False, fund=10, capital=True),
    ]
    article = dollars(10, PAIR_OPENED, PAIR_CLOSED)
    rows: list[tuple[str, Any]] = [
        ("margin of each", lambda p: tokens(p.opened_with)),
        ("A gains", lambda p: tokens(p.winner - p.opened_with)),
        ("B is left with", lambda p: tokens(p.loser)),
        ("insurance pays", lambda p: tokens(p.from_insurance)),
        ("A's profit is cut by", lambda p: tokens(p.cut)),
        ("B's penalty", lambda p: tokens(p.fined)),
    ]
    source = ["1.00", f"1.00 or {article:.2f}", "0.00", f"0.00 or {article - 1:.2f}", f"{article - 1:.2f} or 0.00", "none"]
    head = ["tokens", "the article: without, with a fund", "BitMEX's rule, no fund", "BitMEX's rule, fund", "own rule"]
    body = [[name, said, *[show(p) for p in columns]] for (name, show), said in zip(rows, source, strict=True)]
    return Table.of(head, body)


def _fund_table() -> Table:
    rows = []
    for usd in (3_981, 3_980, 3_978, 3_960, 3_800):
        result = long(usd, bitmex=True)
        held = result.fraction == 0
        rows.append(
            [
                f"{usd:,}",
                "held" if held else f"{dollars(100, 3_960, usd):+.2f}",
                "held" if held else f"{1 + inverse(100, 4_000, usd):+.2f}",
                "held" if held else _signed(result.fined - result.from_insurance),
                "held" if held else tokens(result.kept),
            ]
        )
    head = ["closed at", "the fund, article's dollars", "the fund, inverse contract", "the fund, measured", "trader keeps"]
    return Table.of(head, rows)


def _own_table() -> Table:
    rows = []
    for usd in (3_980, 3_800, *FURTHER):
        result = long(usd, bitmex=False)
        rows.append(
            [
                f"{usd:,}",
                part(result.fraction),
                _signed(result.fined - result.from_insurance),
                tokens(result.reward),
                tokens(result.kept),
            ]
        )
    head = ["first price brought", "closed", "insurance", "liquidator", "trader's cash, after"]
    return Table.of(head, rows)


def _signed(amount: int) -> str:
    text = tokens(amount)
    return text if text.startswith("-") or amount <= 0 or float(text) == 0 else "+" + text


def test_strikes__are_listed_when_the_index_was_there():
    """Anybody may list at 3/4 to 4/3 of the index only: the swap's strike is one of the past."""
    with swap_market(4_000, 2_000, bitmex=True, fund=10, main=1_000) as (market, _):
        with boa.reverts("series_listing: strike too far from index"):
            market.series_listing.list_series(0, price(1_900), False)
