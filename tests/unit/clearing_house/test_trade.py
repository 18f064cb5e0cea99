"""What an account must be able to bear of an order, and who may bring one."""

import boa
import pytest

from everstock.chain.in_process import MAX_LEGS, NO_LIMIT, account_of, price


def order_of(*legs):
    return [*legs, *[(0, 0)] * (MAX_LEGS - len(legs))]


PRICES = [price(120_000), price(4_500)]


def test_trade__by_anyone_but_the_order_desk__reverts(protocol, house, call, trader):
    for caller in (trader, protocol.liquidator.address):
        with boa.reverts("clearing_house: only order desk"):
            house.trade(account_of(trader), order_of((call, 1)), PRICES, NO_LIMIT, NO_LIMIT, False, sender=caller)


@pytest.mark.parametrize("face", [2**127, -(2**127), 2**255 - 1])
def test_trade__face_too_large__reverts(protocol, house, call, trader, face):
    with boa.reverts("trade: face too large"):
        house.trade(
            account_of(trader), order_of((call, face)), PRICES, NO_LIMIT, NO_LIMIT, False, sender=protocol.order_desk.address
        )


@pytest.mark.parametrize("usd", [57_000, 250_000])
def test_trade__opening_far_from_the_money__reverts(protocol, trader, call, walk, usd):
    """With the index below half the strike, or above twice."""
    walk(usd)
    with boa.reverts("trade: moneyness out of range"):
        protocol.trade(trader, (call, 10))


def test_trade__over_its_limit__reverts(protocol, trader, call):
    with boa.env.anchor():
        total = protocol.trade(trader, (call, 10))
    with boa.reverts("trade: over limit"):
        protocol.trade(trader, (call, 10), limit=total - 1)
    assert protocol.trade(trader, (call, 10), limit=total) == total


def marks_of(protocol, trader, leg, **terms):
    """What an order would come to less fee and impact."""
    with boa.env.anchor():
        protocol.trade(trader, leg, **terms)
        (traded,) = (event for event in protocol.clearing_house.get_logs() if type(event).__name__ == "Traded")
    return traded.total - traded.fee - traded.impact


@pytest.mark.parametrize("face", [10, -10])
def test_trade__marks_over_their_limit__reverts(protocol, trader, call, face):
    marks = marks_of(protocol, trader, (call, face))
    assert (marks > 0) == (face > 0)
    with boa.reverts("trade: mark over limit"):
        protocol.trade(trader, (call, face), mark_limit=marks - 1)
    protocol.trade(trader, (call, face), mark_limit=marks)


def test_trade__marks_at_the_worse_prices__are_what_the_limit_binds(protocol, trader, call):
    worse = [price(protocol.index["BTC"] * 1.01), price(protocol.index["ETH"])]
    marks = marks_of(protocol, trader, (call, 10), prices=worse)
    assert marks > marks_of(protocol, trader, (call, 10))
    with boa.reverts("trade: mark over limit"):
        protocol.trade(trader, (call, 10), prices=worse, mark_limit=marks - 1)
    protocol.trade(trader, (call, 10), prices=worse, mark_limit=marks)


def test_trade__below_initial_margin__reverts(protocol, trader, call):
    with boa.reverts("trade: below initial margin"):
        protocol.trade(trader, (call, -1_000))


def test_trade__that_adds_nothing_to_the_margin__needs_no_initial_margin(protocol, trader, call):
    """Risk as large as before, or less, may be had with what is left of margin."""
    protocol.trade(trader, (call, -480))
    protocol.set_prices(after=60, BTC=125_000)
    with boa.reverts("trade: below initial margin"):
        protocol.trade(trader, (call, -1))
    for back in (1, 2):
        protocol.trade(trader, (call, -1), (call, back))


def test_trade__price_far_from_chainlinks__may_lower_risk_and_add_none(protocol, house, holder, call):
    update = protocol.publish(after=60)
    protocol.chainlink["BTC"].publish(price(121_800), protocol.now, protocol.now, sender=protocol.operator)
    protocol.store(update)
    with boa.reverts("risk_book: far from chainlink"):
        protocol.trade(holder, (call, 1))
    protocol.trade(holder, (call, -1))


@pytest.mark.parametrize("settled", [True, False])
def test_trade__gain_of_the_trader__is_no_capital_to_trade_against(protocol, house, unit, call, settled):
    """What a trade realises is no longer the pool's: it takes on as much as if the gain had been paid before."""
    house.pool_withdraw(9_000 * unit, sender=protocol.main_pool.address)
    buyer = protocol.trader("buyer", 1_000)
    protocol.trade(buyer, (call, 1_000))
    protocol.set_prices(after=60, BTC=126_000)
    house.checkpoint()
    if settled:
        house.settle(account_of(buyer))
    with boa.reverts("trade: over pool capacity"):
        protocol.trade(buyer, (call, 1_400))
    protocol.trade(buyer, (call, 1_350))


def test_trade__more_than_the_equity__reverts(protocol, call):
    poor = protocol.trader("poor", 1)
    with boa.reverts("trade: bankrupt"):
        protocol.trade(poor, (call, 1_000))


def test_trade__claim_that_main_cannot_pay__is_no_cash_to_open_with(protocol, house, unpaid):
    """Equity may lie in a claim, but whoever opens keeps the least margin in cash."""
    holder, _ = unpaid
    at_the_money = protocol.list_series("BTC")
    house.withdraw(account_of(holder), protocol.account(holder).cash, holder, sender=holder)
    with boa.reverts("trade: not enough cash"):
        protocol.trade(holder, (at_the_money, 1))
    protocol.deposit(holder, protocol.unit)
    protocol.trade(holder, (at_the_money, 1))
    assert protocol.account(holder).claim > 0
