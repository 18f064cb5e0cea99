import boa
import pytest

from everstock.chain.in_process import events

from .custody import NOT_OWNER, ZERO_ADDRESS


def test_transfer_ownership__only_offers_it(vault, owner, outsider):
    vault.transfer_ownership(outsider, sender=owner)
    assert (vault.owner(), vault.pending_owner()) == (owner, outsider)
    with boa.reverts(NOT_OWNER):
        vault.set_mint_paused(True, sender=outsider)


def test_transfer_ownership__zero_address__withdraws_the_offer(vault, owner, outsider):
    vault.transfer_ownership(outsider, sender=owner)
    vault.transfer_ownership(ZERO_ADDRESS, sender=owner)
    with boa.reverts("ownable_2step: caller is not the new owner"):
        vault.accept_ownership(sender=outsider)


@pytest.mark.parametrize("role", ["custodian", "participant", "outsider"])
def test_transfer_ownership__by_anyone_but_the_owner__reverts(vault, actors, outsider, role):
    with boa.reverts(NOT_OWNER):
        vault.transfer_ownership(outsider, sender=actors[role])


def test_accept_ownership__hands_over_every_power(vault, owner, outsider):
    vault.transfer_ownership(outsider, sender=owner)
    vault.accept_ownership(sender=outsider)
    (transferred,) = events(vault, "OwnershipTransferred")
    assert (transferred.previous_owner, transferred.new_owner) == (owner, outsider)
    assert (vault.owner(), vault.pending_owner()) == (outsider, ZERO_ADDRESS)
    vault.set_mint_paused(True, sender=outsider)
    with boa.reverts(NOT_OWNER):
        vault.set_mint_paused(False, sender=owner)


def test_accept_ownership__nothing_offered__reverts(vault, outsider):
    with boa.reverts("ownable_2step: caller is not the new owner"):
        vault.accept_ownership(sender=outsider)


def test_accept_ownership__twice__reverts(vault, owner, outsider):
    vault.transfer_ownership(outsider, sender=owner)
    vault.accept_ownership(sender=outsider)
    with boa.reverts("ownable_2step: caller is not the new owner"):
        vault.accept_ownership(sender=outsider)
