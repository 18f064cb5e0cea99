import boa
import pytest

from everstock.chain.in_process import events

from .custody import BROKER_ACCOUNT, NOT_OWNER, TOKEN


@pytest.mark.parametrize("paused", [True, False])
def test_set_mint_paused__writes_and_says_so(vault, owner, paused):
    vault.set_mint_paused(paused, sender=owner)
    (changed,) = events(vault, "MintPauseChanged")
    assert changed.paused is paused
    assert vault.mint_paused() is paused


def test_set_mint_paused__minting_stops_and_goes_on(vault, custody, owner, participant):
    attestation = custody.attest()
    vault.set_mint_paused(True, sender=owner)
    with boa.reverts("stock_vault: minting paused"):
        custody.submit(attestation)
    vault.set_mint_paused(False, sender=owner)
    custody.submit(attestation)
    assert vault.balanceOf(participant) == TOKEN


def test_set_mint_paused__never_blocks_leaving(vault, custody, owner, participant, outsider):
    custody.mint(3 * TOKEN)
    vault.set_mint_paused(True, sender=owner)
    vault.redeem_in_kind(TOKEN, BROKER_ACCOUNT, sender=participant)
    vault.transfer(outsider, TOKEN, sender=participant)
    vault.approve(outsider, TOKEN, sender=participant)
    vault.transferFrom(participant, outsider, TOKEN, sender=outsider)
    assert vault.balanceOf(outsider) == vault.totalSupply() == 2 * TOKEN


@pytest.mark.parametrize("role", ["custodian", "participant", "outsider"])
def test_set_mint_paused__by_anyone_but_the_owner__reverts(vault, actors, role):
    with boa.reverts(NOT_OWNER):
        vault.set_mint_paused(True, sender=actors[role])
