"""A pool moves its own ledger, and the main pool only what is above claims."""

import boa
import pytest

from everstock.chain.in_process import account_of, events


@pytest.fixture(params=["main", "insurance"])
def ledger(request):
    return request.param


@pytest.fixture
def pool(protocol, ledger):
    return {"main": protocol.main_pool, "insurance": protocol.insurance_pool}[ledger].address


def test_pool_deposit__adds_to_the_ledger_of_the_caller(protocol, house, pool, ledger, unit):
    before = getattr(house.ledgers(), ledger)
    protocol.fund(pool, 5 * unit)
    house.pool_deposit(5 * unit, sender=pool)
    (deposited,) = events(house, "PoolDeposited")
    assert (deposited.pool, deposited.amount) == (pool, 5 * unit)
    assert getattr(house.ledgers(), ledger) == before + 5 * unit


def test_pool_withdraw__takes_from_the_ledger_of_the_caller(protocol, house, pool, ledger, unit):
    before = getattr(house.ledgers(), ledger)
    house.pool_withdraw(5 * unit, sender=pool)
    (withdrawn,) = events(house, "PoolWithdrawn")
    assert (withdrawn.pool, withdrawn.amount) == (pool, 5 * unit)
    assert getattr(house.ledgers(), ledger) == before - 5 * unit
    assert protocol.token.balanceOf(pool) == 5 * unit


def test_pool_withdraw__more_than_its_ledger__reverts(house, pool, ledger):
    with boa.reverts("clearing_house: not enough cash"):
        house.pool_withdraw(getattr(house.ledgers(), ledger) + 1, sender=pool)


def test_pool_withdraw__main_pool__leaves_what_claims_need(protocol, house, holder):
    protocol.set_prices(after=1, BTC=140_000)
    house.settle(account_of(holder))
    ledgers = house.ledgers()
    assert ledgers.claims > 0
    with boa.reverts("clearing_house: not enough cash"):
        house.pool_withdraw(ledgers.main - ledgers.claims + 1, sender=protocol.main_pool.address)
    house.pool_withdraw(ledgers.main - ledgers.claims, sender=protocol.main_pool.address)


def test_pool_functions__by_anyone_else__revert(protocol, house, stranger):
    for caller in (stranger, protocol.liquidator.address, protocol.order_desk.address):
        for function in (house.pool_deposit, house.pool_withdraw):
            with boa.reverts("clearing_house: only pools"):
                function(1, sender=caller)


def test_pool_deposit__more_than_a_ledger_holds__reverts(protocol, house, pool):
    """A ledger has 128 bits."""
    protocol.fund(pool, 2**128)
    with boa.reverts("clearing_house: amount too large"):
        house.pool_deposit(2**128 - 1, sender=pool)
