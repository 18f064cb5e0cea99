"""Anyone adds margin to anyone's account, and what the token did not move is not booked."""

import boa
import pytest

from everstock.chain.in_process import account_of, events


def test_deposit__into_anothers_account__is_theirs_and_paid_by_who_called(protocol, house, trader, stranger, unit):
    protocol.fund(stranger, 5 * unit)
    house.deposit(account_of(trader), 5 * unit, sender=stranger)
    (deposited,) = events(house, "Deposited")
    assert (deposited.account, deposited.sender, deposited.amount) == (account_of(trader), stranger, 5 * unit)
    assert protocol.account(trader).cash == 105 * unit
    assert protocol.token.balanceOf(stranger) == 0


def test_deposit__into_a_subaccount__leaves_the_others_alone(protocol, trader, unit):
    protocol.deposit(trader, unit, subaccount=7)
    assert protocol.account(trader, 7).cash == unit
    assert protocol.account(trader).cash == 100 * unit


def test_deposit__of_nothing__reverts(house, trader):
    with boa.reverts("clearing_house: zero amount"):
        house.deposit(account_of(trader), 0, sender=trader)


@pytest.mark.parametrize("account", [0, 2**96 - 1])
def test_deposit__into_nobodys_account__reverts(protocol, house, trader, account):
    protocol.fund(trader, 1)
    with boa.reverts("clearing_house: no owner"):
        house.deposit(account, 1, sender=trader)


def test_deposit__while_an_order_lives__reverts_whoever_pays(protocol, house, trader, stranger, call):
    """Or its owner would decide at its price, by margin that comes or does not, whether it is traded."""
    order = protocol.request(trader, (call, 1))
    protocol.fund(stranger, 2)
    for wait in (0, 4, 56):
        protocol.wait(wait)
        with boa.reverts("clearing_house: live order"):
            house.deposit(account_of(trader), 1, sender=stranger)
    protocol.deposit(trader, 1, subaccount=1)
    protocol.wait(1)
    house.deposit(account_of(trader), 1, sender=stranger)
    protocol.order_desk.void(order, sender=stranger)
    protocol.order(trader, (call, 1))
    house.deposit(account_of(trader), 1, sender=stranger)


def test_deposit__token_that_does_not_move__reverts(protocol, house, trader):
    protocol.fund(trader, 1)
    protocol.token.set_refusing(True)
    with boa.reverts("clearing_house: transfer failed"):
        house.deposit(account_of(trader), 1, sender=trader)


def test_deposit__more_than_an_account_holds__reverts(protocol, house, stranger):
    """An account's cash has 112 bits."""
    protocol.fund(stranger, 2**112)
    house.deposit(account_of(stranger), 2**112 - 1, sender=stranger)
    with boa.reverts("clearing_house: amount too large"):
        house.deposit(account_of(stranger), 1, sender=stranger)
    assert protocol.account(stranger).cash == 2**112 - 1
