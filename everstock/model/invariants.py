"""What holds of a market at any time, by the numbers of docs/INVARIANTS.md. Those about what an action does to a market,
rather than about the market as it is, are with the tests that cite their number."""

from collections.abc import Callable
from typing import Final

from everstock.model.constants import GAIN, MAX_LEGS, MAX_SERIES, WAD
from everstock.model.integers import ceil_div, floor_div
from everstock.model.market import Market
from everstock.model.market_book import FULL
from everstock.model.pool_shares import Pool
from everstock.model.series_book import FROZEN
from everstock.model.waterfall import Stage


class Broken(AssertionError):
    """An invariant that does not hold; its number comes first."""


def check(market: Market) -> None:
    """Raise `Broken` if any of `INVARIANTS` does not hold."""
    for number, invariant in INVARIANTS.items():
        said = invariant(market)
        if said:
            raise Broken(f"invariant {number}: {said}")


def ledgers_are_the_tokens(market: Market) -> str:
    """Tokens received and not sent are the sum of the four ledgers."""
    house = market.house
    cash = sum(account.purse.cash for account in house.accounts.values())
    ledgers = cash + house.ledgers.main + house.ledgers.insurance + house.ledgers.treasury
    return "" if house.tokens == ledgers else f"{house.tokens} tokens, {ledgers} in ledgers"


def equities_are_the_ledgers(market: Market) -> str:
    """Equities of all accounts, E, accrued, insurance and treasury are the ledgers, less one unit of rounding each."""
    house, risk = market.house, market.risk
    accounts = sum(
        account.purse.cash + _worth(market, account.purse.claim) + floor_div(_gain(market, account.legs), GAIN)
        for account in house.accounts.values()
    )
    pools = house.equity() + risk.totals.accrued + house.ledgers.insurance + house.ledgers.treasury
    lost = house.tokens - accounts - pools
    fits = 0 <= lost <= len(house.accounts) + 1
    return "" if fits else f"{lost} of {house.tokens} are in nobody's equity, with {len(house.accounts)} accounts"


def sums_are_sums(market: Market) -> str:
    """Units per series and side, `owed`, claims and the count of legs are sums over the accounts', exactly (claims at the end of
    settlement but for less than a unit each)."""
    risk, accounts = market.risk, market.house.accounts.values()
    legs = [leg for account in accounts for leg in account.legs]
    for id_, s in risk.book.series.items():
        bought = sum(leg.units for leg in legs if leg.series == id_ and leg.units > 0)
        written = -sum(leg.units for leg in legs if leg.series == id_ and leg.units < 0)
        if (bought, written) != (s.long_units, s.short_units):
            return f"series {id_} has units {s.long_units} and {s.short_units}, its legs {bought} and {written}"
    owed = _gain(market, legs)
    if owed != risk.owed:
        return f"owed is {risk.owed}, the legs have gained {owed}"
    claims = sum(_worth(market, account.purse.claim) for account in accounts)
    # At the end of settlement each is rounded down to what it is paid.
    dust = len(accounts) if market.house.stage == Stage.SETTLED else 0
    if not 0 <= market.house.ledgers.claims - claims <= dust:
        return f"claims are {market.house.ledgers.claims}, the accounts' {claims}"
    return "" if len(legs) == risk.totals.open_legs else f"{len(legs)} legs, {risk.totals.open_legs} counted"


def nothing_is_negative(market: Market) -> str:
    """No cash, no claim, no ledger and no count is below zero."""
    house = market.house
    amounts = [*vars(house.ledgers).values(), *vars(market.risk.totals).values(), house.tokens]
    amounts += [amount for account in house.accounts.values() for amount in vars(account.purse).values()]
    amounts += [units for s in market.risk.book.series.values() for units in (s.long_units, s.short_units)]
    return "" if min(amounts) >= 0 else f"{min(amounts)} somewhere"


def sides_never_win_together(market: Market) -> str:
    """What a unit bought and a unit written of a series have gained together, ever, is at most 0."""
    for id_, s in market.risk.book.series.items():
        if s.long_gain + s.short_gain > 0:
            return f"series {id_}: {s.long_gain} + {s.short_gain}"
    return ""


def written_is_not_understated(market: Market) -> str:
    """The written units that R is charged on are at least those of all active series."""
    risk = market.risk
    written = sum(risk.book.series[id_].short_units for id_ in risk.active())
    counted = risk.totals.written * risk.granule
    return "" if counted >= written else f"{written} written, {counted} counted"


def lists_are_whole(market: Market) -> str:
    """A series is active just if it is not frozen, once, with those of its underlying; no list and no account is overfull."""
    book = market.risk.book
    for u, ids in enumerate(book.active):
        mine = {id_ for id_, s in book.series.items() if s.underlying == u and s.notice != FROZEN}
        if set(ids) != mine or len(ids) != len(mine) or len(ids) > MAX_SERIES:
            return f"active of underlying {u} are {ids}, not frozen {sorted(mine)}"
    for id_, account in market.house.accounts.items():
        series = [leg.series for leg in account.legs]
        if len(series) > MAX_LEGS or len(set(series)) != len(series) or 0 in [leg.units for leg in account.legs]:
            return f"account {id_:#x} has legs {account.legs}"
    return ""


def state_fits(market: Market) -> str:
    """0 < D <= 1 (0 in settlement alone), utilisation at most 1, and where the last checkpoint saw E <= 0 depth is 0 and
    utilisation 1."""
    state = market.risk.state
    fits = int(not state.frozen) <= state.scale <= WAD and 0 <= state.utilisation <= FULL
    if state.negative_since:
        fits = fits and state.depth == 0 and state.utilisation == FULL
    return "" if fits else str(state)


def pools_add_up(market: Market) -> str:
    """A pool's shares are its holders', those escrowed and those to be claimed; its tokens what is escrowed and to be claimed."""
    for name, pool in (("main", market.main_pool), ("insurance", market.insurance_pool)):
        said = _pool_adds_up(pool)
        if said:
            return f"{name} pool: {said}"
    return ""


def queued_is_what_waits(market: Market) -> str:
    """What counts against new risk is what the main pool's waiting redemptions were worth when requested."""
    queued = market.main_pool.queued
    return "" if market.risk.queued_redemptions == queued else f"{market.risk.queued_redemptions} noted, {queued} wait"


def one_requirement(market: Market) -> str:
    """R's worst losses are those of its exposures, and R is 0 only for a book without either."""
    risk = market.risk
    worst = sum(max(*exposure.losses, 0) for exposure in risk.exposures)
    if risk.totals.worst != worst:
        return f"worst is {risk.totals.worst}, the exposures say {worst}"
    least = ceil_div(worst * risk.granule * risk.state.scale, WAD)
    return "" if risk.requirement() >= least else f"R is {risk.requirement()}, the worst loss {least}"


INVARIANTS: Final[dict[int, Callable[[Market], str]]] = {
    1: ledgers_are_the_tokens,
    2: equities_are_the_ledgers,
    3: sums_are_sums,
    4: nothing_is_negative,
    13: sides_never_win_together,
    14: written_is_not_understated,
    15: lists_are_whole,
    16: state_fits,
    17: pools_add_up,
    18: queued_is_what_waits,
    19: one_requirement,
}


def _gain(market: Market, legs: list) -> int:
    """What legs have gained at the last touches, exact, 1e24."""
    return sum(market.risk.book.series[leg.series].gain(leg.units, leg.entry) for leg in legs)


def _worth(market: Market, claim: int) -> int:
    """What a claim stands for: all of it, or its part at the end of settlement."""
    settlement = market.house.settlement
    return settlement.worth(claim) if settlement.stage == Stage.SETTLED else claim


def _pool_adds_up(pool: Pool) -> str:
    escrowed = sum(ticket.shares for ticket in pool.redemptions.tickets.values())
    shares = sum(pool.balances.values()) + escrowed + sum(pair.shares for pair in pool.bought.values())
    if shares != pool.supply:
        return f"{pool.supply} shares, {shares} somewhere"
    tokens = sum(ticket.assets for ticket in pool.deposits.tickets.values())
    tokens += sum(pair.assets for pair in pool.sold.values())
    return "" if tokens == pool.tokens else f"{pool.tokens} tokens, {tokens} for somebody"
