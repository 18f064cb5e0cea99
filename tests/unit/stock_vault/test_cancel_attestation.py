import boa
import pytest

from everstock.chain.in_process import events

from .custody import TOKEN, UINT256_MAX

NOT_CUSTODIAN = "stock_vault: not the custodian"


@pytest.mark.parametrize("nonce", [0, 255, 256, UINT256_MAX])
def test_cancel_attestation__uses_up_that_nonce_and_no_other(vault, custodian, nonce):
    vault.cancel_attestation(nonce, sender=custodian.address)
    (cancelled,) = events(vault, "AttestationCancelled")
    assert cancelled.nonce == nonce
    assert vault.is_nonce_used(nonce)
    assert not vault.is_nonce_used(nonce ^ 1)
    assert not vault.is_nonce_used(nonce ^ 256)


def test_cancel_attestation__custody_reference_stays_free_for_a_corrected_one(vault, custody, custodian, participant):
    wrong = custody.attest(2 * TOKEN)
    vault.cancel_attestation(wrong.nonce, sender=custodian.address)
    custody.mint(TOKEN, custody_reference=wrong.custody_reference)
    assert vault.balanceOf(participant) == TOKEN


def test_cancel_attestation__already_minted__reverts(vault, custody, custodian):
    attestation = custody.mint()
    with boa.reverts("stock_vault: nonce already used"):
        vault.cancel_attestation(attestation.nonce, sender=custodian.address)


def test_cancel_attestation__twice__reverts(vault, custodian):
    vault.cancel_attestation(7, sender=custodian.address)
    with boa.reverts("stock_vault: nonce already used"):
        vault.cancel_attestation(7, sender=custodian.address)


@pytest.mark.parametrize("role", ["owner", "participant", "outsider"])
def test_cancel_attestation__by_anyone_but_the_custodian__reverts(vault, actors, role):
    with boa.reverts(NOT_CUSTODIAN):
        vault.cancel_attestation(7, sender=actors[role])


def test_cancel_attestation__by_a_former_custodian__reverts(vault, owner, custodian, outsider):
    vault.set_custodian(outsider, sender=owner)
    with boa.reverts(NOT_CUSTODIAN):
        vault.cancel_attestation(7, sender=custodian.address)


def test_cancel_attestation__by_a_new_custodian__voids_what_the_old_one_signed(vault, custody, owner, custodian):
    successor = boa.env.generate_address("successor")
    attestation = custody.attest()
    vault.set_custodian(successor, sender=owner)
    vault.cancel_attestation(attestation.nonce, sender=successor)
    vault.set_custodian(custodian.address, sender=owner)
    with boa.reverts("stock_vault: replayed attestation"):
        custody.submit(attestation)


def test_cancel_attestation__by_a_contract_custodian__works(vault, smart_custodian):
    smart_custodian.execute(vault.address, vault.cancel_attestation.prepare_calldata(7))
    assert vault.is_nonce_used(7)


def test_cancel_attestation__minting_paused__works(vault, owner, custodian):
    vault.set_mint_paused(True, sender=owner)
    vault.cancel_attestation(7, sender=custodian.address)
    assert vault.is_nonce_used(7)
