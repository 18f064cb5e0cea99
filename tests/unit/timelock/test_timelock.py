"""What the timelock guards: nothing happens before everybody could see it coming."""

import boa
import pytest

from everstock.chain.deployment import TIMELOCK_DELAY, deploy_timelock
from everstock.chain.in_process import Protocol, deployer_of

NONE = bytes(32)


@pytest.fixture(scope="session")
def guarded():
    """A market whose treasury listens to a real timelock, in which the owner proposes and executes."""
    protocol = Protocol()
    timelock = deploy_timelock(protocol.deployer, protocol.owner)
    treasury = deployer_of("Treasury").deploy(protocol.owner, timelock.address, protocol.clearing_house.address, 7)
    return protocol, timelock, treasury


@pytest.fixture
def proposal(guarded):
    """To let the treasury keep 8 raw units."""
    _, timelock, treasury = guarded
    payload = treasury.set_least_balance.prepare_calldata(8)
    return treasury.address, 0, payload, NONE, NONE


def test_execute__after_the_delay__does_what_was_proposed(guarded, proposal):
    protocol, timelock, treasury = guarded
    timelock.schedule(*proposal, TIMELOCK_DELAY, sender=protocol.owner)
    protocol.wait(TIMELOCK_DELAY - 1)
    with boa.reverts("timelock_controller: operation is not ready"):
        timelock.execute(*proposal, sender=protocol.owner)
    protocol.wait(1)
    timelock.execute(*proposal, sender=protocol.owner)
    assert treasury.least_balance() == 8


def test_schedule__with_less_than_the_delay__reverts(guarded, proposal):
    protocol, timelock, _ = guarded
    with boa.reverts("timelock_controller: insufficient delay"):
        timelock.schedule(*proposal, TIMELOCK_DELAY - 1, sender=protocol.owner)


def test_schedule_and_execute__by_anyone_else__revert(guarded, proposal):
    protocol, timelock, _ = guarded
    stranger = protocol.actor("stranger")
    with boa.reverts("access_control: account is missing role"):
        timelock.schedule(*proposal, TIMELOCK_DELAY, sender=stranger)
    timelock.schedule(*proposal, TIMELOCK_DELAY, sender=protocol.owner)
    protocol.wait(TIMELOCK_DELAY)
    with boa.reverts("access_control: account is missing role"):
        timelock.execute(*proposal, sender=stranger)


def test_cancel__by_its_proposer__it_never_happens(guarded, proposal):
    protocol, timelock, _ = guarded
    timelock.schedule(*proposal, TIMELOCK_DELAY, sender=protocol.owner)
    timelock.cancel(timelock.hash_operation(*proposal), sender=protocol.owner)
    protocol.wait(TIMELOCK_DELAY)
    with boa.reverts("timelock_controller: operation is not ready"):
        timelock.execute(*proposal, sender=protocol.owner)


def test_delay_and_roles__change_only_through_the_timelock(guarded):
    protocol, timelock, _ = guarded
    with boa.reverts("timelock_controller: caller must be timelock"):
        timelock.update_delay(1, sender=protocol.owner)
    with boa.reverts("access_control: account is missing role"):
        timelock.grantRole(timelock.PROPOSER_ROLE(), protocol.owner, sender=protocol.owner)
    assert not timelock.hasRole(timelock.DEFAULT_ADMIN_ROLE(), protocol.deployer.address)


def test_carry__of_a_market_whose_parameters_listen_to_it__changes_when_its_time_has_come(guarded):
    """The market is deployed with a stand-in for a timelock, which hands its parameters over."""
    protocol, timelock, _ = guarded
    parameters = protocol.risk_parameters
    assert parameters.owner() == protocol.timelock
    parameters.transfer_ownership(timelock.address, sender=protocol.timelock)
    for payload in (parameters.accept_ownership.prepare_calldata(), parameters.set_parameter.prepare_calldata(16, 15_500)):
        operation = (parameters.address, 0, payload, NONE, NONE)
        timelock.schedule(*operation, TIMELOCK_DELAY, sender=protocol.owner)
        protocol.wait(TIMELOCK_DELAY - 10)
        protocol.set_prices()
        with boa.reverts("timelock_controller: operation is not ready"):
            timelock.execute(*operation, sender=protocol.owner)
        protocol.set_prices(after=10)
        timelock.execute(*operation, sender=protocol.owner)
    assert parameters.parameter(16) == 15_500
    with boa.reverts("ownable: caller is not the owner"):
        parameters.set_parameter(16, 0, sender=protocol.owner)
