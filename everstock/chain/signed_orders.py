"""Orders that are signed and relayed: their EIP-712 message, its digest, and signatures.

The contract side is `relay` of `interfaces/IOrderDesk.vyi`, which defines the words used here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils import keccak, to_checksum_address

from everstock.model.order_desk import SignedOrder

NAME: Final = "Everstock OrderDesk"
VERSION: Final = "1"
# Which fields the domain has, as EIP-5267 says it: name, version, chain id, contract.
DOMAIN_FIELDS: Final = b"\x0f"

# The EIP-712 types, as OrderDesk hashes them.
TYPES: Final = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "Leg": [{"name": "series", "type": "uint256"}, {"name": "face", "type": "int256"}],
    "Order": [
        {"name": "account", "type": "uint256"},
        {"name": "legs", "type": "Leg[]"},
        {"name": "limit", "type": "int128"},
        {"name": "mark_limit", "type": "int128"},
        {"name": "reduce_only", "type": "bool"},
        {"name": "deadline", "type": "uint256"},
        {"name": "underlying", "type": "uint256"},
        {"name": "above", "type": "uint256"},
        {"name": "below", "type": "uint256"},
        {"name": "salt", "type": "uint256"},
        {"name": "valid_until", "type": "uint256"},
        {"name": "relayer", "type": "address"},
    ],
}


@dataclass(frozen=True)
class DeskDomain:
    """The EIP-712 domain of one order desk on one chain; a signature is worth nothing in any other."""

    address: str
    chain_id: int

    @classmethod
    def from_eip5267(cls, fields: Sequence[Any]) -> "DeskDomain":
        """The domain from what the desk's `eip712Domain()` returned. Raises `ValueError` if it is not a desk's."""
        present, name, version, chain_id, address, salt, extensions = fields
        if (present, name, version) != (DOMAIN_FIELDS, NAME, VERSION) or any(salt) or extensions:
            raise ValueError(f"not the EIP-712 domain of an order desk: {fields!r}")
        return cls(to_checksum_address(address), chain_id)


def typed_data(order: SignedOrder, domain: DeskDomain) -> dict[str, Any]:
    """The message as `eth_signTypedData_v4` takes it."""
    return {
        "types": TYPES,
        "primaryType": "Order",
        "domain": {
            "name": NAME,
            "version": VERSION,
            "chainId": domain.chain_id,
            "verifyingContract": domain.address,
        },
        "message": {**vars(order), "legs": [leg._asdict() for leg in order.legs]},
    }


def digest(order: SignedOrder, domain: DeskDomain) -> bytes:
    """The 32 bytes that are signed; equal to the desk's `digest_of`."""
    message = _signable(order, domain)
    return keccak(b"\x19" + message.version + message.header + message.body)


def sign(order: SignedOrder, domain: DeskDomain, private_key: str | bytes) -> bytes:
    """A key's signature: 65 bytes, r then s (the lower one) then v (27 or 28)."""
    return bytes(Account.sign_message(_signable(order, domain), private_key).signature)


def as_tuple(order: SignedOrder) -> tuple[Any, ...]:
    """The struct as `relay` takes it."""
    return tuple({**vars(order), "legs": [tuple(leg) for leg in order.legs]}.values())


def _signable(order: SignedOrder, domain: DeskDomain) -> SignableMessage:
    return encode_typed_data(full_message=typed_data(order, domain))
