from dataclasses import replace

import boa
import pytest
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from everstock.chain.attestation import digest

from .custody import UINT256_MAX, Custody

TYPE = b"Attestation(address participant,uint256 amount,bytes32 custody_reference,uint256 nonce,uint256 deadline)"


def test_hash_attestation__follows_eip_712_word_by_word(vault, custody):
    """Written out from the standard, without the library that the vault and the helper rely on."""
    attestation = custody.attest()
    struct_hash = keccak(
        keccak(TYPE)
        + bytes.fromhex(attestation.participant[2:]).rjust(32, b"\x00")
        + attestation.amount.to_bytes(32, "big")
        + attestation.custody_reference
        + attestation.nonce.to_bytes(32, "big")
        + attestation.deadline.to_bytes(32, "big")
    )
    separator = keccak(
        keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
        + keccak(text=vault.name())
        + keccak(text="1")
        + boa.env.evm.patch.chain_id.to_bytes(32, "big")
        + bytes.fromhex(vault.address[2:]).rjust(32, b"\x00")
    )
    assert vault.DOMAIN_SEPARATOR() == separator
    assert vault.hash_attestation(attestation.as_tuple()) == keccak(b"\x19\x01" + separator + struct_hash)


@given(
    participant=st.integers(1, 2**160 - 1),
    amount=st.integers(1, UINT256_MAX),
    custody_reference=st.binary(min_size=32, max_size=32).filter(any),
    nonce=st.integers(0, UINT256_MAX),
    deadline=st.integers(0, UINT256_MAX),
)
@settings(max_examples=50, deadline=None)
def test_hash_attestation__equals_the_helpers_digest(shared_custody, participant, **fields):
    attestation = replace(
        shared_custody.attest(), participant=boa.util.abi.Address(participant.to_bytes(20, "big")), **fields
    )
    assert shared_custody.vault.hash_attestation(attestation.as_tuple()) == digest(attestation, shared_custody.domain)


@pytest.fixture(scope="module")
def shared_custody(deploy_vault, custodian, participant):
    return Custody(deploy_vault(), custodian, participant)
