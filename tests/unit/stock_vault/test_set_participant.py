import boa
import pytest

from everstock.chain.in_process import events

from .custody import BROKER_ACCOUNT, NOT_OWNER, TOKEN, ZERO_ADDRESS


@pytest.mark.parametrize("allowed", [True, False])
def test_set_participant__writes_the_list_and_says_so(vault, owner, participant, allowed):
    vault.set_participant(participant, allowed, sender=owner)
    (changed,) = events(vault, "ParticipantChanged")
    assert (changed.account, changed.allowed) == (participant, allowed)
    assert vault.is_participant(participant) is allowed


def test_set_participant__added__may_mint(vault, custody, owner, outsider):
    vault.set_participant(outsider, True, sender=owner)
    custody.mint(participant=outsider)
    assert vault.balanceOf(outsider) == TOKEN


def test_set_participant__removed__keeps_and_transfers_tokens_but_cannot_redeem(
    vault, custody, owner, participant, outsider
):
    custody.mint(2 * TOKEN)
    vault.set_participant(participant, False, sender=owner)
    with boa.reverts("stock_vault: not a participant"):
        vault.redeem_in_kind(TOKEN, BROKER_ACCOUNT, sender=participant)
    vault.transfer(outsider, TOKEN, sender=participant)
    assert vault.balanceOf(participant) == vault.balanceOf(outsider) == TOKEN


def test_set_participant__touches_nobody_else(vault, owner, participant, outsider):
    vault.set_participant(outsider, True, sender=owner)
    vault.set_participant(outsider, False, sender=owner)
    assert vault.is_participant(participant)


def test_set_participant__zero_address__reverts(vault, owner):
    with boa.reverts("stock_vault: zero address"):
        vault.set_participant(ZERO_ADDRESS, True, sender=owner)


@pytest.mark.parametrize("role", ["custodian", "participant", "outsider"])
def test_set_participant__by_anyone_but_the_owner__reverts(vault, actors, outsider, role):
    with boa.reverts(NOT_OWNER):
        vault.set_participant(outsider, True, sender=actors[role])
