import boa
import pytest
from eth_account import Account
from eth_utils import keccak

from everstock.chain.in_process import events

from .custody import DAILY_LIMIT, NOT_OWNER, TOKEN, ZERO_ADDRESS, Custody

NOT_SIGNED = "stock_vault: not the custodian's signature"


@pytest.fixture
def successor():
    return Account.from_key(keccak(text="successor"))


def test_set_custodian__writes_and_says_so(vault, owner, custodian, successor):
    vault.set_custodian(successor.address, sender=owner)
    (changed,) = events(vault, "CustodianChanged")
    assert (changed.previous, changed.current) == (custodian.address, successor.address)
    assert vault.custodian() == successor.address


def test_set_custodian__the_new_ones_attestations_work(vault, owner, participant, successor):
    vault.set_custodian(successor.address, sender=owner)
    Custody(vault, successor, participant).mint()
    assert vault.balanceOf(participant) == TOKEN


def test_set_custodian__what_the_old_one_signed_is_void(vault, custody, owner, successor):
    attestation = custody.attest()
    vault.set_custodian(successor.address, sender=owner)
    with boa.reverts(NOT_SIGNED):
        custody.submit(attestation)


def test_set_custodian__old_one_reinstated__unused_attestations_work_again(
    vault, custody, owner, participant, successor
):
    attestation = custody.attest()
    vault.set_custodian(successor.address, sender=owner)
    vault.set_custodian(custody.account.address, sender=owner)
    custody.submit(attestation)
    assert vault.balanceOf(participant) == TOKEN


def test_set_custodian__used_nonces_and_references_stay_used(vault, custody, owner, participant, successor):
    attestation = custody.mint()
    vault.set_custodian(successor.address, sender=owner)
    new_custody = Custody(vault, successor, participant)
    with boa.reverts("stock_vault: replayed attestation"):
        new_custody.submit(attestation)
    with boa.reverts("stock_vault: custody reference used"):
        new_custody.mint(nonce=10**6, custody_reference=attestation.custody_reference)


def test_set_custodian__gives_nothing_back_to_the_daily_limit(vault, custody, owner, successor):
    custody.mint(DAILY_LIMIT)
    vault.set_custodian(successor.address, sender=owner)
    assert vault.daily_limit_left() == 0


def test_set_custodian__zero_address__reverts(vault, owner):
    with boa.reverts("stock_vault: zero address"):
        vault.set_custodian(ZERO_ADDRESS, sender=owner)


@pytest.mark.parametrize("role", ["custodian", "participant", "outsider"])
def test_set_custodian__by_anyone_but_the_owner__reverts(vault, actors, outsider, role):
    with boa.reverts(NOT_OWNER):
        vault.set_custodian(outsider, sender=actors[role])
