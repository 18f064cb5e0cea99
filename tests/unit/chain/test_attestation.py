from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from everstock.chain.attestation import Attestation, VaultDomain, digest, sign, typed_data

CUSTODIAN = Account.from_key(keccak(text="custodian"))
PARTICIPANT = Account.from_key(keccak(text="participant")).address
VAULT = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def attestation():
    return Attestation(
        participant=PARTICIPANT,
        amount=12 * 10**18,
        custody_reference=keccak(text="receipt 1"),
        nonce=7,
        deadline=1_900_000_000,
    )


@pytest.fixture
def domain():
    return VaultDomain(name="Tesla, tokenized", address=VAULT, chain_id=8453)


@pytest.mark.parametrize(
    "field, value",
    [
        ("participant", PARTICIPANT.lower()),
        ("participant", "0x" + "00" * 20),
        ("participant", "custodian"),
        ("amount", 0),
        ("amount", -1),
        ("amount", 2**256),
        ("custody_reference", b""),
        ("custody_reference", b"\x01" * 31),
        ("custody_reference", b"\x01" * 33),
        ("custody_reference", b"\x00" * 32),
        ("nonce", -1),
        ("nonce", 2**256),
        ("deadline", -1),
        ("deadline", 2**256),
    ],
)
def test_attestation__field_out_of_bounds__names_the_field(attestation, field, value):
    with pytest.raises(ValueError, match=f"^{field}: "):
        replace(attestation, **{field: value})


def test_attestation__widest_fields__accepted(attestation):
    largest = 2**256 - 1
    widest = replace(attestation, amount=largest, custody_reference=b"\xff" * 32, nonce=largest, deadline=largest)
    assert widest.as_tuple() == (PARTICIPANT, largest, b"\xff" * 32, largest, largest)


def test_vault_domain__address_without_checksum__raises():
    with pytest.raises(ValueError, match="^address: "):
        VaultDomain(name="Tesla, tokenized", address=VAULT.lower(), chain_id=8453)


def test_from_eip5267__domain_of_a_vault__read_whole(domain):
    fields = (b"\x0f", domain.name, "1", 8453, VAULT.lower(), b"\x00" * 32, [])
    assert VaultDomain.from_eip5267(fields) == domain


@pytest.mark.parametrize("place, value", [(0, b"\x1f"), (5, b"\x01" * 32), (6, [1])])
def test_from_eip5267__domain_of_something_else__raises(place, value):
    fields = [b"\x0f", "Tesla, tokenized", "1", 8453, VAULT, b"\x00" * 32, []]
    fields[place] = value
    with pytest.raises(ValueError, match="not the EIP-712 domain of a stock vault"):
        VaultDomain.from_eip5267(fields)


def test_sign__recovers_to_the_custodian(attestation, domain):
    signature = sign(attestation, domain, CUSTODIAN.key)
    assert Account._recover_hash(digest(attestation, domain), signature=signature) == CUSTODIAN.address


def test_sign__65_bytes_with_the_lower_s(attestation, domain):
    for nonce in range(20):
        signature = sign(replace(attestation, nonce=nonce), domain, CUSTODIAN.key)
        assert len(signature) == 65
        assert int.from_bytes(signature[32:64], "big") <= SECP256K1_ORDER // 2
        assert signature[64] in (27, 28)


def test_sign__same_terms_same_signature(attestation, domain):
    assert sign(attestation, domain, CUSTODIAN.key) == sign(replace(attestation), domain, CUSTODIAN.key.hex())


@pytest.mark.parametrize("key", [b"", b"\x01" * 31, b"\x00" * 32])
def test_sign__not_a_key__raises(attestation, domain, key):
    with pytest.raises(ValueError):
        sign(attestation, domain, key)


@pytest.mark.parametrize(
    "field, value",
    [
        ("participant", VAULT),
        ("amount", 1),
        ("custody_reference", b"\x01" * 32),
        ("nonce", 8),
        ("deadline", 1_900_000_001),
    ],
)
def test_digest__every_term_counts(attestation, domain, field, value):
    assert digest(replace(attestation, **{field: value}), domain) != digest(attestation, domain)


@pytest.mark.parametrize(
    "field, value", [("name", "Nvidia, tokenized"), ("address", PARTICIPANT), ("chain_id", 1), ("version", "2")]
)
def test_digest__every_part_of_the_domain_counts(attestation, domain, field, value):
    assert digest(attestation, replace(domain, **{field: value})) != digest(attestation, domain)


def test_typed_data__is_what_a_wallet_signs(attestation, domain):
    message = encode_typed_data(full_message=typed_data(attestation, domain))
    assert CUSTODIAN.sign_message(message).signature == sign(attestation, domain, CUSTODIAN.key)
