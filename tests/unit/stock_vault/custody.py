"""A custodian's back office, and the numbers that the tests of the vault share."""

from dataclasses import replace
from itertools import count

import boa
from eth_utils import keccak

from everstock.chain.attestation import Attestation, VaultDomain, sign

NAME = "Tesla, tokenized"
SYMBOL = "TSLA.M"
TOKEN = 10**18
DAY = 86_400
DAILY_LIMIT = 1_000 * TOKEN
MAX_DAILY_LIMIT = 5_000 * TOKEN
BROKER_ACCOUNT = keccak(text="the participant's account at the broker")
ZERO_ADDRESS = "0x" + "00" * 20
UINT256_MAX = 2**256 - 1

NOT_OWNER = "ownable: caller is not the owner"


class Custody:
    """Attests with fresh nonces and custody references, signs, and submits."""

    def __init__(self, vault, account, participant):
        self.vault = vault
        self.account = account
        self.domain = VaultDomain.from_eip5267(vault.eip712Domain())
        self._participant = participant
        self._serial = count(1)

    def attest(self, amount=TOKEN, **changes) -> Attestation:
        serial = next(self._serial)
        attestation = Attestation(
            participant=self._participant,
            amount=amount,
            custody_reference=keccak(text=f"receipt {serial}"),
            nonce=serial,
            deadline=boa.env.timestamp + 30 * DAY,
        )
        return replace(attestation, **changes)

    def sign(self, attestation) -> bytes:
        return sign(attestation, self.domain, self.account.key)

    def submit(self, attestation, sender=None):
        sender = sender or attestation.participant
        self.vault.mint_in_kind(attestation.as_tuple(), self.sign(attestation), sender=sender)

    def mint(self, amount=TOKEN, **changes) -> Attestation:
        attestation = self.attest(amount, **changes)
        self.submit(attestation)
        return attestation
