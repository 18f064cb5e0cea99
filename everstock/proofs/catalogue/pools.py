"""Shares, assets and what a redemption is paid."""

from collections.abc import Sequence
from typing import Final

from everstock.proofs.properties import Proof, Sweep


def _lost(worst: int, _at: Sequence[int]) -> str:
    return f"a deposit taken out at once loses at most {worst:,} raw units"


PROPERTIES: Final[Sequence[Proof | Sweep]] = (
    Proof(
        "shares of a deposit: rounded down, so its price does not fall",
        "PoolProofs",
        "check_to_shares",
        "assets 96 bits, equity 128, supply 144",
        "integers",
    ),
    Proof(
        "assets of shares: rounded down, so it does not fall either",
        "PoolProofs",
        "check_to_assets",
        "shares and supply 144 bits, equity 96",
        "integers",
    ),
    Proof("part of an amount: rounded down, never more than it", "PoolProofs", "check_part_down", "128 bits", "integers"),
    Proof("ceiling of a division", "PoolProofs", "check_ceil_div", "below 2^255", "integers"),
    Proof(
        "a redemption: no more than is available, than it is worth now, than it was worth when requested",
        "PoolProofs",
        "check_payable",
        "assets and equity 96 bits, shares 120",
        "integers",
    ),
    Sweep(
        "a redemption: the same, tried",
        "PoolProofs",
        "sweep_payable",
        "supply up to 24 million, every part of it by a million, every worth, equity and amount available up to 24",
        calls=tuple((equity, 10**6, 24) for equity in range(25)),
        quick=tuple((equity, 10**6, 8) for equity in range(0, 9, 2)),
        names=("equity", "supply", "shares", "assets", "available"),
    ),
    Sweep(
        "in and out again, out and in again: nobody gains",
        "PoolProofs",
        "sweep_round_trips",
        "every equity, supply and amount up to 150; equities of 10^6 to 10^15 about powers of ten",
        calls=tuple((equity, 150) for equity in (*range(151), *(10**k + d for k in range(6, 16) for d in (-1, 0, 1)))),
        quick=tuple((equity, 40) for equity in (0, 1, 2, 3, 40, 999_999, 10**6)),
        measured=_lost,
        names=("equity", "supply", "amount"),
    ),
)
