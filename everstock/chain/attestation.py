"""The custodian's attestation: what it says, its EIP-712 digest, and its signature.

The contract side is `mint_in_kind` of `interfaces/IStockVault.vyi`, which defines the words used
here. Everything is checked before it is signed, because a signature cannot be taken back without a
transaction (`cancel_attestation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils import is_checksum_address, keccak, to_checksum_address

# The EIP-712 type, as StockVault hashes it.
ATTESTATION_TYPE = [
    {"name": "participant", "type": "address"},
    {"name": "amount", "type": "uint256"},
    {"name": "custody_reference", "type": "bytes32"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]

# Which fields a vault's domain has, as EIP-5267 says it: name, version, chain id, contract.
DOMAIN_FIELDS = b"\x0f"

_UINT256_LIMIT = 2**256


@dataclass(frozen=True)
class Attestation:
    """The custodian holds shares and lets tokens be minted for them.

    participant: checksummed address that gets the tokens.
    amount: raw units (1e-18 of a token), 1 to 2**256 - 1.
    custody_reference: 32 bytes, not all zero: the custodian's name for this receipt of shares; it
        backs one mint, ever.
    nonce: any number from 0 to 2**256 - 1 that the vault has not seen; order does not matter.
    deadline: Unix time, seconds; the attestation still works in that second.

    Raises ValueError if a field is outside these bounds.
    """

    participant: str
    amount: int
    custody_reference: bytes
    nonce: int
    deadline: int

    def __post_init__(self) -> None:
        if not is_checksum_address(self.participant) or int(self.participant, 16) == 0:
            raise ValueError(f"participant: not a checksummed, non-zero address: {self.participant!r}")
        if not 0 < self.amount < _UINT256_LIMIT:
            raise ValueError(f"amount: not a positive uint256: {self.amount}")
        if len(self.custody_reference) != 32 or not any(self.custody_reference):
            raise ValueError(f"custody_reference: not 32 bytes other than zero: {self.custody_reference!r}")
        if not 0 <= self.nonce < _UINT256_LIMIT:
            raise ValueError(f"nonce: not a uint256: {self.nonce}")
        if not 0 <= self.deadline < _UINT256_LIMIT:
            raise ValueError(f"deadline: not a uint256: {self.deadline}")

    def as_tuple(self) -> tuple[str, int, bytes, int, int]:
        """The struct as `mint_in_kind` and `hash_attestation` take it."""
        return astuple(self)


@dataclass(frozen=True)
class VaultDomain:
    """The EIP-712 domain of one vault on one chain; a signature is worth nothing in any other.

    name: the token's name.
    address: the vault's checksummed address.
    chain_id: EIP-155 chain id.
    version: of the signing domain.

    Raises ValueError if the address is not checksummed.
    """

    name: str
    address: str
    chain_id: int
    version: str = "1"

    def __post_init__(self) -> None:
        if not is_checksum_address(self.address):
            raise ValueError(f"address: not a checksummed address: {self.address!r}")

    @classmethod
    def from_eip5267(cls, fields: Sequence) -> VaultDomain:
        """The domain from what the vault's `eip712Domain()` returned.

        Raises ValueError if the domain has other fields than a vault's: it is not a vault.
        """
        present, name, version, chain_id, address, salt, extensions = fields
        if present != DOMAIN_FIELDS or any(salt) or extensions:
            raise ValueError(f"not the EIP-712 domain of a stock vault: {fields!r}")
        return cls(name=name, address=to_checksum_address(address), chain_id=chain_id, version=version)


def typed_data(attestation: Attestation, domain: VaultDomain) -> dict:
    """The message as `eth_signTypedData_v4` takes it, for a custodian whose key is in a wallet or HSM."""
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Attestation": ATTESTATION_TYPE,
        },
        "primaryType": "Attestation",
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": domain.address,
        },
        "message": {
            "participant": attestation.participant,
            "amount": attestation.amount,
            "custody_reference": attestation.custody_reference,
            "nonce": attestation.nonce,
            "deadline": attestation.deadline,
        },
    }


def digest(attestation: Attestation, domain: VaultDomain) -> bytes:
    """The 32 bytes that are signed; equal to the vault's `hash_attestation`."""
    message = _signable(attestation, domain)
    return keccak(b"\x19" + message.version + message.header + message.body)


def sign(attestation: Attestation, domain: VaultDomain, private_key: str | bytes) -> bytes:
    """The custodian's signature: 65 bytes, r then s (the lower one) then v (27 or 28).

    private_key: 32 bytes, or their hex string.

    Raises ValueError (from eth_account) if the key is not one of secp256k1.
    """
    return bytes(Account.sign_message(_signable(attestation, domain), private_key).signature)


def _signable(attestation: Attestation, domain: VaultDomain) -> SignableMessage:
    return encode_typed_data(full_message=typed_data(attestation, domain))
