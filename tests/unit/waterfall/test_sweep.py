"""What insurance and the treasury are due leaves main only from what stands above claims (invariant 4)."""

from everstock.chain.in_process import account_of
from everstock.model import words
from tests.liquidity import Pool


def accrued(market):
    """Due to insurance and the treasury, raw units."""
    return words.totals(market.risk_book.market_words().totals).accrued


def test_sweep__while_a_claim_waits__is_paid_only_from_what_main_has_above_it(market):
    writer = market.trader("rich writer", 2_000)
    market.trade(writer, (market.call, -1_900))
    market.set_prices(after=1, BTC=122_000)
    pool = Pool(market.protocol, market.main_pool)
    pool.lose(market.house.ledgers().main - 10 * market.unit)
    market.house.settle(account_of(market.buyer))
    claim = market.house.ledgers().claims
    assert claim > 0 and market.house.ledgers().main == 0
    pool.gain(claim + accrued(market) // 2)
    due = accrued(market)
    market.house.checkpoint()
    (swept,) = market.events("Swept")
    ledgers = market.house.ledgers()
    assert 0 < swept.insurance + swept.treasury < due
    assert ledgers.main == ledgers.claims == claim
