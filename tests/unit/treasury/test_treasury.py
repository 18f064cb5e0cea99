"""The operator's own capital: it goes to insurance at any time, out only through the timelock, and never all of it."""

import boa
import pytest

from everstock.chain.in_process import Protocol, deployer_of, events
from tests.liquidity import ZERO_ADDRESS


@pytest.fixture(scope="session")
def earning():
    """A market whose treasury has earned something: 50 tokens above what must stay."""
    # A pool that carries so much that a few trades' fees are enough.
    protocol = Protocol(main_deposit=1_000_000)
    buyer = protocol.trader("buyer", 200_000)
    series = protocol.list_series()
    while protocol.clearing_house.ledgers().treasury < 50 * protocol.unit + protocol.treasury.least_balance():
        for face in (150_000, -150_000):
            protocol.trade(buyer, (series, face))
        protocol.set_prices(after=3_600)
        protocol.clearing_house.checkpoint()
    return protocol


@pytest.fixture
def protocol(earning):
    return earning.fork()


@pytest.fixture
def treasury(protocol):
    return protocol.treasury


def test_top_up__by_the_owner__moves_it_to_insurance(protocol, treasury):
    before = protocol.clearing_house.ledgers()
    treasury.top_up(20 * protocol.unit, sender=protocol.owner)
    after = protocol.clearing_house.ledgers()
    assert after.treasury == before.treasury - 20 * protocol.unit
    assert after.insurance == before.insurance + 20 * protocol.unit
    (event,) = events(treasury, "ToppedUp")
    assert event.amount == 20 * protocol.unit


def test_top_up__all_of_it__goes_below_what_must_stay(protocol, treasury):
    treasury.top_up(protocol.clearing_house.ledgers().treasury, sender=protocol.owner)
    assert protocol.clearing_house.ledgers().treasury == 0


@pytest.mark.parametrize("amount", [0, 2**256 - 1])
def test_top_up__nothing_or_more_than_there_is__reverts(protocol, treasury, amount):
    reason = "clearing_house: not enough cash" if amount else "clearing_house: zero amount"
    with boa.reverts(reason):
        treasury.top_up(amount, sender=protocol.owner)


def test_withdraw__by_the_timelock__down_to_what_must_stay(protocol, treasury):
    spare = protocol.clearing_house.ledgers().treasury - treasury.least_balance()
    receiver = protocol.actor("receiver")
    with boa.reverts("treasury: below least balance"):
        treasury.withdraw(spare + 1, receiver, sender=protocol.timelock)
    treasury.withdraw(spare, receiver, sender=protocol.timelock)
    (event,) = events(treasury, "TreasuryWithdrawn")
    assert (event.receiver, event.amount) == (receiver, spare)
    assert protocol.token.balanceOf(receiver) == spare
    assert protocol.clearing_house.ledgers().treasury == treasury.least_balance()


def test_withdraw__to_nobody__reverts(protocol, treasury):
    for receiver in (ZERO_ADDRESS, protocol.clearing_house.address):
        with boa.reverts("treasury: no receiver"):
            treasury.withdraw(1, receiver, sender=protocol.timelock)


def test_withdraw__nothing__reverts(protocol, treasury):
    with boa.reverts("clearing_house: zero amount"):
        treasury.withdraw(0, protocol.owner, sender=protocol.timelock)


def test_withdraw__token_that_returns_false__reverts(protocol, treasury):
    protocol.token.set_refusing(True)
    with boa.reverts("clearing_house: transfer failed"):
        treasury.withdraw(1, protocol.owner, sender=protocol.timelock)


def test_set_least_balance__by_the_timelock__binds_the_next_withdrawal(protocol, treasury):
    treasury.set_least_balance(protocol.clearing_house.ledgers().treasury, sender=protocol.timelock)
    (event,) = events(treasury, "LeastBalanceSet")
    assert event.amount == treasury.least_balance()
    with boa.reverts("treasury: below least balance"):
        treasury.withdraw(1, protocol.owner, sender=protocol.timelock)


def test_everything__by_anyone_else__reverts(protocol, treasury):
    stranger = protocol.actor("stranger")
    with boa.reverts("ownable: caller is not the owner"):
        treasury.top_up(1, sender=stranger)
    with boa.reverts("ownable: caller is not the owner"):
        treasury.top_up(1, sender=protocol.timelock)
    for caller in (stranger, protocol.owner):
        with boa.reverts("treasury: only timelock"):
            treasury.withdraw(1, caller, sender=caller)
        with boa.reverts("treasury: only timelock"):
            treasury.set_least_balance(0, sender=caller)
        with boa.reverts("clearing_house: only treasury"):
            protocol.clearing_house.top_up(1, sender=caller)
        with boa.reverts("clearing_house: only treasury"):
            protocol.clearing_house.withdraw_treasury(1, caller, sender=caller)


def test_constructor__without_an_owner__reverts(protocol):
    with boa.reverts("treasury: no owner"):
        deployer_of("Treasury").deploy(ZERO_ADDRESS, protocol.timelock, protocol.clearing_house.address, 0)
