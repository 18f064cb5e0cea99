"""What a set of people has together, exactly: no rounding hides in a measure that fractions are no part of."""

from collections.abc import Iterable
from fractions import Fraction

from everstock.model.constants import GAIN, PERMILLE
from everstock.model.market import Market
from everstock.model.market_book import FOREVER
from everstock.model.pool_shares import VIRTUAL_SHARES, Pool
from everstock.model.series_book import Growth


def remarked(market: Market) -> Growth:
    """What touching all series now would add to what the pool owes and to `accrued`."""
    return market.risk.remarked(market.risk.read(FOREVER))


def account_equity(market: Market, account: int) -> Fraction:
    """Cash, claim and gains at the latest price, raw units of M; negative where bankrupt."""
    a, risk = market.house.account(account), market.risk
    prices = risk.read(FOREVER)
    gains = sum(risk.view(prices, leg.series).s.gain(leg.units, leg.entry) for leg in a.legs)
    return a.purse.cash + a.purse.claim + Fraction(gains, GAIN)


def main_equity(market: Market) -> Fraction:
    """E at the latest price, raw units of M."""
    growth, ledgers = remarked(market), market.house.ledgers
    owed = Fraction(market.risk.owed + growth.owed, GAIN)
    return ledgers.main - owed - ledgers.claims - market.risk.totals.accrued - growth.accrued


def insurance_equity(market: Market) -> Fraction:
    """The insurance ledger and its share of what a sweep would bring now, raw units of M."""
    return Fraction(market.house.ledgers.insurance + unswept(market))


def unswept(market: Market) -> int:
    """Insurance's share of `accrued`, raw units of M: the treasury's rounds down."""
    accrued = market.risk.totals.accrued + remarked(market).accrued
    return accrued - accrued * market.risk.parameters.treasury_share // PERMILLE


def stake(pool: Pool, equity: Fraction, lp: str) -> Fraction:
    """What an LP has in a pool worth `equity`, raw units of M: shares, also those that wait to be redeemed, at the present
    price; deposits that wait; and what is to be claimed."""
    shares = pool.balances[lp] + pool.bought[lp].shares
    shares += sum(ticket.shares for ticket in pool.redemptions.tickets.values() if ticket.controller == lp)
    waiting = sum(ticket.assets for ticket in pool.deposits.tickets.values() if ticket.controller == lp)
    return waiting + pool.sold[lp].assets + max(Fraction(0), shares * (equity + 1) / (pool.supply + VIRTUAL_SHARES))


def wealth(market: Market, accounts: Iterable[int], lps: Iterable[str] = ()) -> Fraction:
    """What people have in accounts, a bankrupt one counting as zero, and in both pools; raw units of M."""
    total = sum((max(Fraction(0), account_equity(market, account)) for account in accounts), Fraction(0))
    for lp in lps:
        total += stake(market.main_pool, main_equity(market), lp)
        total += stake(market.insurance_pool, insurance_equity(market), lp)
    return total
