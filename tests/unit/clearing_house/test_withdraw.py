"""An owner takes out what margin leaves free: at once without legs, at the present price with legs."""

import boa
import pytest

from everstock.chain.in_process import account_of, deployer_of, events, price
from everstock.model.waterfall import Stage
from tests.liquidity import ZERO_ADDRESS


@pytest.fixture(scope="session")
def lens():
    return deployer_of("MarketLens").deploy()


@pytest.fixture
def health(house, lens):
    def health(trader):
        return lens.health(house.address, [account_of(trader)])[0]

    return health


def withdraw(house, trader, amount, receiver=None, sender=None):
    house.withdraw(account_of(trader), amount, receiver or trader, sender=sender or trader)


def test_withdraw__all_cash_without_legs__needs_no_price(protocol, house, trader, stranger, unit):
    protocol.wait(86_400)
    withdraw(house, trader, 100 * unit, receiver=stranger)
    (withdrawn,) = events(house, "Withdrawn")
    assert (withdrawn.account, withdrawn.receiver, withdrawn.amount) == (account_of(trader), stranger, 100 * unit)
    assert protocol.token.balanceOf(stranger) == 100 * unit
    assert protocol.account(trader).cash == 0


def test_withdraw__of_nothing__reverts(house, trader):
    with boa.reverts("clearing_house: zero amount"):
        withdraw(house, trader, 0)


@pytest.mark.parametrize("is_house", [False, True])
def test_withdraw__to_nobody_or_the_house_itself__reverts(house, trader, is_house):
    with boa.reverts("clearing_house: no receiver"):
        withdraw(house, trader, 1, receiver=house.address if is_house else ZERO_ADDRESS)


def test_withdraw__by_anyone_else__reverts(house, trader, stranger):
    with boa.reverts("clearing_house: not the owner"):
        withdraw(house, trader, 1, receiver=stranger, sender=stranger)


def test_withdraw__more_than_there_is__reverts(house, trader, unit):
    with boa.reverts("clearing_house: not enough cash"):
        withdraw(house, trader, 100 * unit + 1)


def test_withdraw__while_an_order_lives__reverts_until_its_window_has_passed(protocol, house, trader, call):
    protocol.request(trader, (call, 1))
    protocol.wait(60)
    with boa.reverts("clearing_house: live order"):
        withdraw(house, trader, 1)
    protocol.wait(1)
    withdraw(house, trader, 1)


def test_withdraw__once_the_order_is_executed__passes(protocol, house, trader, call):
    protocol.order(trader, (call, 1))
    withdraw(house, trader, 1)


def test_withdraw__token_that_does_not_move__reverts(protocol, house, trader):
    protocol.token.set_refusing(True)
    with boa.reverts("clearing_house: transfer failed"):
        withdraw(house, trader, 1)


# With legs


def test_withdraw__down_to_initial_margin__and_no_further(protocol, house, holder, health):
    free = health(holder).equity - health(holder).initial
    with boa.reverts("risk_book: below initial margin"):
        withdraw(house, holder, free + 1)
    withdraw(house, holder, free)
    assert health(holder).equity == health(holder).initial
    # Its gains are where they were.
    assert events(house, "Settled") == []


def test_withdraw__checkpoint_due__checkpoints_and_settles_first(protocol, house, holder, unit):
    protocol.set_prices(after=3_600, BTC=121_000)
    withdraw(house, holder, unit)
    assert len(events(house, "Checkpoint")) == len(events(house, "Settled")) == 1
    (settled,) = events(house, "Settled")
    assert settled.gain > 0
    assert protocol.account(holder).cash == settled.cash - unit


def test_withdraw__more_than_the_cash_but_not_than_the_gains__settles_first(protocol, house, call, health, unit):
    """Gains in a retired series need no margin, so that all there is may leave."""
    winner = protocol.trader("winner", 5)
    protocol.trade(winner, (call, 60))
    protocol.set_prices(after=60, BTC=125_000)
    protocol.risk_book.set_notice(call, 1, sender=protocol.series_listing.address)
    assert health(winner).gain > unit
    withdraw(house, winner, health(winner).equity)
    (settled,) = events(house, "Settled")
    assert settled.gain > unit
    assert (health(winner).equity, health(winner).legs) == (0, 0)


def test_withdraw__more_than_cash_and_gains__reverts(protocol, house, call, health):
    winner = protocol.trader("winner", 5)
    protocol.trade(winner, (call, 60))
    protocol.set_prices(after=60, BTC=125_000)
    protocol.risk_book.set_notice(call, 1, sender=protocol.series_listing.address)
    with boa.reverts("risk_book: below initial margin"):
        withdraw(house, winner, health(winner).equity + 1)


def test_withdraw__price_restricted__reverts(protocol, house, holder):
    update = protocol.publish(after=1)
    protocol.chainlink["BTC"].publish(price(122_000), protocol.now, protocol.now, sender=protocol.operator)
    protocol.store(update)
    with boa.reverts("risk_book: far from chainlink"):
        withdraw(house, holder, 1)


def test_withdraw__without_a_fresh_price__reverts(protocol, house, holder):
    protocol.wait(61)
    with boa.reverts("price_oracle: stale price"):
        withdraw(house, holder, 1)


def test_withdraw__in_a_settle_window__only_without_legs(protocol, house, holder, stranger, unit):
    protocol.deposit(stranger, unit)
    protocol.set_prices(after=1, BTC=140_000)
    house.checkpoint()
    with boa.reverts("risk_book: settle window"):
        withdraw(house, holder, 1)
    withdraw(house, stranger, unit)


def test_withdraw__pool_worth_next_to_nothing__settles_the_market_and_pays(protocol, house, holder):
    """A pool of one unit could carry a book of next to nothing only: terminal settlement, in which cash is free."""
    house.checkpoint()
    house.pool_withdraw(house.equity() - 1, sender=protocol.main_pool.address)
    house.checkpoint()
    assert house.equity() == 1 and house.stage() == Stage.SETTLING
    withdraw(house, holder, 1)
    assert not protocol.units(holder)
