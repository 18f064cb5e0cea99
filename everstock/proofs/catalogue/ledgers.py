"""Money between the ledgers."""

from collections.abc import Sequence
from typing import Final

from everstock.proofs.properties import Proof, Sweep

_MONEY: Final = "accounts 112 bits, main 128, gains within +-2^112"

PROPERTIES: Final[Sequence[Proof | Sweep]] = (
    Proof(
        "realising: cash only changes hands, claims move alike, the account is richer by its gain",
        "LedgerProofs",
        "check_realise",
        f"{_MONEY}, booked or not",
        "integers",
    ),
    Proof("realising while gains are booked: main pays nothing", "LedgerProofs", "check_realise_booked", _MONEY, "integers"),
    Proof("paying a claim: as far as main cash goes, and no further", "LedgerProofs", "check_pay_claim", _MONEY, "integers"),
    Proof(
        "covering a loss: insurance pays what it has, the treasury nothing",
        "LedgerProofs",
        "check_cover",
        "any ledgers, losses below 2^127",
    ),
    Proof(
        "sweeping: what leaves main arrives at insurance and treasury",
        "LedgerProofs",
        "check_sweep",
        "any ledgers, main cash enough",
    ),
    Proof("insuring: adds to insurance alone", "LedgerProofs", "check_insure", "any ledgers, sums below 2^128"),
)
