from dataclasses import replace

import boa
import pytest
from eth_account import Account
from eth_utils import keccak

from everstock.chain.attestation import sign
from everstock.chain.in_process import events

from .custody import DAILY_LIMIT, DAY, NAME, TOKEN, UINT256_MAX, Custody

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

NOT_SIGNED = "stock_vault: not the custodian's signature"
OVER_LIMIT = "stock_vault: over daily limit"
REPLAYED = "stock_vault: replayed attestation"


def malleable_twin(signature: bytes) -> bytes:
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    return r + (SECP256K1_ORDER - s).to_bytes(32, "big") + bytes([55 - v])


def compact(signature: bytes) -> bytes:
    """The same signature in the 64 bytes of EIP-2098."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")


# What it does


def test_mint_in_kind__gives_the_participant_the_attested_tokens(vault, custody, participant):
    attestation = custody.mint(7 * TOKEN + 1)
    assert vault.balanceOf(participant) == vault.totalSupply() == 7 * TOKEN + 1
    assert vault.is_nonce_used(attestation.nonce)
    assert vault.is_custody_reference_used(attestation.custody_reference)
    assert vault.daily_limit_left() == DAILY_LIMIT - 7 * TOKEN - 1


def test_mint_in_kind__events_tell_everything(vault, custody, participant, outsider):
    attestation = custody.attest(3 * TOKEN)
    custody.submit(attestation, sender=outsider)
    (minted,) = events(vault, "MintedInKind")
    assert minted.participant == participant
    assert minted.custody_reference == attestation.custody_reference
    assert minted.submitter == outsider
    assert (minted.amount, minted.nonce) == (3 * TOKEN, attestation.nonce)
    (transfer,) = events(vault, "Transfer")
    assert (int(transfer.sender, 16), transfer.receiver, transfer.value) == (0, participant, 3 * TOKEN)


def test_mint_in_kind__submitted_by_an_outsider__tokens_go_to_the_participant(vault, custody, participant, outsider):
    custody.submit(custody.attest(), sender=outsider)
    assert vault.balanceOf(participant) == TOKEN
    assert vault.balanceOf(outsider) == 0


def test_mint_in_kind__nonces_work_in_any_order(vault, custody, participant):
    nonces = [256, 0, UINT256_MAX, 255, 1, 257, UINT256_MAX - 255]
    for nonce in nonces:
        assert not vault.is_nonce_used(nonce)
        custody.mint(nonce=nonce)
        assert vault.is_nonce_used(nonce)
    assert vault.balanceOf(participant) == len(nonces) * TOKEN
    for neighbour in (2, 254, 258, 511, 512, UINT256_MAX - 1, UINT256_MAX - 254, UINT256_MAX - 256):
        assert not vault.is_nonce_used(neighbour)


def test_mint_in_kind__signature_of_64_bytes__accepted(vault, custody, participant):
    attestation = custody.attest()
    vault.mint_in_kind(attestation.as_tuple(), compact(custody.sign(attestation)))
    assert vault.balanceOf(participant) == TOKEN


def test_mint_in_kind__smallest_amount(vault, custody, participant):
    custody.mint(1)
    assert vault.balanceOf(participant) == 1


# Input


def test_mint_in_kind__zero_amount__reverts(vault, custody, custodian):
    participant, _, *rest = custody.attest().as_tuple()
    terms = (participant, 0, *rest)
    signature = custodian.unsafe_sign_hash(vault.hash_attestation(terms)).signature
    with boa.reverts("stock_vault: zero amount"):
        vault.mint_in_kind(terms, signature)


def test_mint_in_kind__largest_amount__over_daily_limit(custody):
    with boa.reverts(OVER_LIMIT):
        custody.mint(UINT256_MAX)


def test_mint_in_kind__empty_custody_reference__reverts(vault, custody, custodian):
    participant, amount, _, nonce, deadline = custody.attest().as_tuple()
    terms = (participant, amount, b"\x00" * 32, nonce, deadline)
    signature = custodian.unsafe_sign_hash(vault.hash_attestation(terms)).signature
    with boa.reverts("stock_vault: empty custody reference"):
        vault.mint_in_kind(terms, signature)


def test_mint_in_kind__to_an_outsider__reverts(custody, participant, outsider):
    attestation = custody.attest(participant=outsider)
    with boa.reverts("stock_vault: not a participant"):
        custody.submit(attestation, sender=participant)


def test_mint_in_kind__participant_removed_after_signing__reverts(vault, custody, owner, participant):
    attestation = custody.attest()
    vault.set_participant(participant, False, sender=owner)
    with boa.reverts("stock_vault: not a participant"):
        custody.submit(attestation)


# Replay


def test_mint_in_kind__replayed_attestation__reverts(vault, custody, participant):
    attestation = custody.mint()
    with boa.reverts(REPLAYED):
        custody.submit(attestation)
    assert vault.totalSupply() == TOKEN


def test_mint_in_kind__replayed_with_the_malleable_twin_of_its_signature__reverts(vault, custody):
    attestation = custody.mint()
    with boa.reverts(REPLAYED):
        vault.mint_in_kind(attestation.as_tuple(), malleable_twin(custody.sign(attestation)))


def test_mint_in_kind__replayed_with_its_signature_in_64_bytes__reverts(vault, custody):
    attestation = custody.mint()
    with boa.reverts(REPLAYED):
        vault.mint_in_kind(attestation.as_tuple(), compact(custody.sign(attestation)))


def test_mint_in_kind__same_nonce_for_other_shares__reverts(custody):
    attestation = custody.mint()
    with boa.reverts(REPLAYED):
        custody.mint(nonce=attestation.nonce)


def test_mint_in_kind__same_custody_reference_twice__reverts(custody):
    attestation = custody.mint()
    with boa.reverts("stock_vault: custody reference used"):
        custody.mint(custody_reference=attestation.custody_reference)


def test_mint_in_kind__custody_reference_of_redeemed_shares__stays_used(vault, custody, participant):
    attestation = custody.mint()
    vault.redeem_in_kind(TOKEN, b"\x01" * 32, sender=participant)
    with boa.reverts("stock_vault: custody reference used"):
        custody.mint(custody_reference=attestation.custody_reference)


def test_mint_in_kind__cancelled_attestation__reverts(vault, custody, custodian):
    attestation = custody.attest()
    vault.cancel_attestation(attestation.nonce, sender=custodian.address)
    with boa.reverts(REPLAYED):
        custody.submit(attestation)


# Time


def test_mint_in_kind__in_the_second_of_its_deadline__works(vault, custody, participant):
    attestation = custody.attest(deadline=boa.env.timestamp + 100)
    boa.env.time_travel(seconds=100)
    custody.submit(attestation)
    assert vault.balanceOf(participant) == TOKEN


@pytest.mark.parametrize("late", [1, 365 * DAY])
def test_mint_in_kind__expired_attestation__reverts(custody, late):
    attestation = custody.attest(deadline=boa.env.timestamp + 100)
    boa.env.time_travel(seconds=100 + late)
    with boa.reverts("stock_vault: expired attestation"):
        custody.submit(attestation)


def test_mint_in_kind__deadline_zero__reverts(custody):
    with boa.reverts("stock_vault: expired attestation"):
        custody.mint(deadline=0)


def test_mint_in_kind__largest_deadline__works(vault, custody, participant):
    custody.mint(deadline=UINT256_MAX)
    assert vault.balanceOf(participant) == TOKEN


# Signature and domain


@pytest.mark.parametrize(
    "change",
    [
        {"amount": TOKEN + 1},
        {"custody_reference": keccak(text="other shares")},
        {"nonce": 2**200},
        {"deadline": UINT256_MAX},
    ],
    ids=lambda change: next(iter(change)),
)
def test_mint_in_kind__term_changed_after_signing__reverts(vault, custody, change):
    attestation = custody.attest()
    with boa.reverts(NOT_SIGNED):
        vault.mint_in_kind(replace(attestation, **change).as_tuple(), custody.sign(attestation))


def test_mint_in_kind__participant_changed_after_signing__reverts(vault, custody, owner, outsider):
    vault.set_participant(outsider, True, sender=owner)
    attestation = custody.attest()
    with boa.reverts(NOT_SIGNED):
        vault.mint_in_kind(replace(attestation, participant=outsider).as_tuple(), custody.sign(attestation))


def test_mint_in_kind__signed_by_another_key__reverts(vault, custody):
    attestation = custody.attest()
    signature = sign(attestation, custody.domain, Account.from_key(keccak(text="outsider")).key)
    with boa.reverts(NOT_SIGNED):
        vault.mint_in_kind(attestation.as_tuple(), signature)


@pytest.mark.parametrize(
    "change",
    [
        {"name": NAME + "."},
        {"version": "2"},
        {"chain_id": 8453},
        {"address": "0x000000000000000000000000000000000000dEaD"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_mint_in_kind__signed_for_another_domain__reverts(vault, custody, change):
    attestation = custody.attest()
    signature = sign(attestation, replace(custody.domain, **change), custody.account.key)
    with boa.reverts(NOT_SIGNED):
        vault.mint_in_kind(attestation.as_tuple(), signature)


def test_mint_in_kind__attestation_of_another_vault__reverts(
    vault, custody, deploy_vault, owner, custodian, participant
):
    other_vault = deploy_vault()
    other_vault.set_participant(participant, True, sender=owner)
    other_custody = Custody(other_vault, custodian, participant)
    attestation = other_custody.mint()
    assert other_vault.balanceOf(participant) == TOKEN
    with boa.reverts(NOT_SIGNED):
        vault.mint_in_kind(attestation.as_tuple(), sign(attestation, other_custody.domain, custodian.key))


def test_mint_in_kind__after_a_chain_split__works_on_its_own_chain_only(vault, custody, participant):
    attestation = custody.attest()
    custody.submit(attestation)
    boa.env.evm.patch.chain_id = 8454
    here = custody.attest()
    with boa.reverts(NOT_SIGNED):
        custody.submit(here)
    vault.mint_in_kind(here.as_tuple(), sign(here, replace(custody.domain, chain_id=8454), custody.account.key))
    assert vault.balanceOf(participant) == 2 * TOKEN


def test_mint_in_kind__malleable_twin_of_a_signature__reverts(vault, custody):
    attestation = custody.attest()
    with boa.reverts("ecdsa: invalid signature `s` value"):
        vault.mint_in_kind(attestation.as_tuple(), malleable_twin(custody.sign(attestation)))


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_mint_in_kind__signature_with_an_impossible_v__reverts(vault, custody, v):
    attestation = custody.attest()
    with boa.reverts("ecdsa: invalid signature"):
        vault.mint_in_kind(attestation.as_tuple(), custody.sign(attestation)[:64] + bytes([v]))


@pytest.mark.parametrize("length", [0, 1, 63])
def test_mint_in_kind__signature_cut_short__reverts(vault, custody, length):
    attestation = custody.attest()
    with boa.reverts(NOT_SIGNED):
        vault.mint_in_kind(attestation.as_tuple(), custody.sign(attestation)[:length])


def test_mint_in_kind__all_zero_signature__reverts(vault, custody):
    with boa.reverts("ecdsa: invalid signature"):
        vault.mint_in_kind(custody.attest().as_tuple(), b"\x00" * 65)


# Daily limit


def test_mint_in_kind__exactly_the_daily_limit__works(vault, custody, participant):
    custody.mint(DAILY_LIMIT)
    assert vault.balanceOf(participant) == DAILY_LIMIT
    assert vault.daily_limit_left() == 0


def test_mint_in_kind__one_unit_over_daily_limit__reverts(custody):
    with boa.reverts(OVER_LIMIT):
        custody.mint(DAILY_LIMIT + 1)


def test_mint_in_kind__many_small_mints_over_daily_limit__reverts(custody):
    for _ in range(10):
        custody.mint(DAILY_LIMIT // 10)
    with boa.reverts(OVER_LIMIT):
        custody.mint(1)


def test_mint_in_kind__second_limit_around_midnight__reverts(custody):
    boa.env.timestamp += DAY - boa.env.timestamp % DAY - 1
    custody.mint(DAILY_LIMIT)
    boa.env.time_travel(seconds=2)
    assert boa.env.timestamp % DAY == 1
    with boa.reverts(OVER_LIMIT):
        custody.mint(DAILY_LIMIT // 2)


def test_mint_in_kind__refused_over_daily_limit__works_once_enough_has_leaked(vault, custody, participant):
    custody.mint(DAILY_LIMIT)
    attestation = custody.attest(DAILY_LIMIT // 4)
    boa.env.time_travel(seconds=DAY // 4 - 1)
    with boa.reverts(OVER_LIMIT):
        custody.submit(attestation)
    boa.env.time_travel(seconds=1)
    custody.submit(attestation)
    assert vault.balanceOf(participant) == DAILY_LIMIT + DAILY_LIMIT // 4


def test_mint_in_kind__refused__uses_up_nothing(vault, custody):
    attestation = custody.attest(DAILY_LIMIT + 1)
    with boa.reverts(OVER_LIMIT):
        custody.submit(attestation)
    assert not vault.is_nonce_used(attestation.nonce)
    assert not vault.is_custody_reference_used(attestation.custody_reference)
    assert vault.daily_limit_left() == DAILY_LIMIT


# A custodian that is a contract


def test_mint_in_kind__contract_custodian_approved_the_digest__works(vault, custody, smart_custodian, participant):
    attestation = custody.attest()
    smart_custodian.approve_digest(vault.hash_attestation(attestation.as_tuple()))
    vault.mint_in_kind(attestation.as_tuple(), b"")
    assert vault.balanceOf(participant) == TOKEN


def test_mint_in_kind__contract_custodian_approved_nothing__reverts(vault, custody, smart_custodian):
    with boa.reverts(NOT_SIGNED):
        vault.mint_in_kind(custody.attest().as_tuple(), b"")


def test_mint_in_kind__contract_custodian_reverts__reverts(vault, custody, smart_custodian):
    attestation = custody.attest()
    smart_custodian.approve_digest(vault.hash_attestation(attestation.as_tuple()))
    smart_custodian.revert_when_asked()
    with boa.reverts(NOT_SIGNED):
        vault.mint_in_kind(attestation.as_tuple(), b"")


def test_mint_in_kind__contract_custodian_that_answers_nothing__reverts(vault, custody, owner):
    mute = boa.loads("@external\ndef __default__(): pass")
    vault.set_custodian(mute.address, sender=owner)
    with boa.reverts(NOT_SIGNED):
        vault.mint_in_kind(custody.attest().as_tuple(), b"")


def test_mint_in_kind__contract_custodian_reenters__tokens_are_minted_once(
    vault, custody, smart_custodian, participant
):
    attestation = custody.attest()
    smart_custodian.approve_digest(vault.hash_attestation(attestation.as_tuple()))
    smart_custodian.call_when_asked(vault.address, vault.mint_in_kind.prepare_calldata(attestation.as_tuple(), b""))
    vault.mint_in_kind(attestation.as_tuple(), b"")
    assert len(events(vault, "MintedInKind")) == 1
    assert vault.totalSupply() == vault.balanceOf(participant) == TOKEN


def test_mint_in_kind__contract_custodian_cancels_while_asked__changes_nothing(
    vault, custody, smart_custodian, participant
):
    attestation = custody.attest()
    other_nonce = 10**6
    smart_custodian.approve_digest(vault.hash_attestation(attestation.as_tuple()))
    smart_custodian.call_when_asked(vault.address, vault.cancel_attestation.prepare_calldata(other_nonce))
    vault.mint_in_kind(attestation.as_tuple(), b"")
    assert vault.balanceOf(participant) == TOKEN
    assert not vault.is_nonce_used(other_nonce)
