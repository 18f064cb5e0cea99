"""What an order makes of units, and what it costs."""

from collections.abc import Sequence
from typing import Final

from everstock.proofs.properties import Proof, Sweep

_WAD: Final = 10**18
_SCALES: Final = (_WAD, _WAD // 2, _WAD // 3, _WAD * 2 // 3, _WAD - 1, _WAD // 7, 10**12 + 1)
_ORDERS: Final = "face 127 bits, leg 112, every D from 2^19 to 1"


def _cheaper(worst: int, _at: Sequence[int]) -> str:
    return f"parting costs up to {worst:,} raw units more"


PROPERTIES: Final[Sequence[Proof | Sweep]] = (
    Proof(
        "units: what closes rounds up and never beyond the leg, what opens rounds down, reduce-only opens nothing",
        "UnitProofs",
        "check_units",
        _ORDERS,
        "integers",
    ),
    Proof(
        "units: reduce-only with nothing to reduce is refused",
        "UnitProofs",
        "refuse_units_nothing_to_reduce",
        _ORDERS,
        reason="trade: nothing to reduce",
    ),
    Sweep(
        "units: the same, tried",
        "UnitProofs",
        "sweep_units",
        "every face and leg within +-300, D of 1, 1/2, 1/3, 2/3, 1/7, 1 - 1e-18, 1e-6 + 1e-18",
        calls=tuple((scale, 300) for scale in _SCALES),
        quick=tuple((scale, 60) for scale in _SCALES),
        names=("face", "before", "D", "reduce only"),
    ),
    Proof("marks of a leg: rounded up", "CostProofs", "check_marks", "units 112 bits, marks 75, every D", "integers"),
    Proof(
        "fee: above the smaller of its two amounts by at most a raw unit",
        "CostProofs",
        "check_fee",
        "units 112 bits, marks 75, every rate, cap and D",
        "integers",
    ),
    Proof(
        "marks there and back cost nothing or a raw unit",
        "CostProofs",
        "check_there_and_back",
        "units 112 bits, marks 75, every D",
        "integers",
    ),
    Proof(
        "impact: above the exact amount by at most a raw unit, nothing for what flattens the book",
        "CostProofs",
        "check_impact",
        "deltas 172 bits, depth 112, every k and D; deltas in whole raw units",
        "integers",
    ),
    Proof("total: marks, fee and impact", "CostProofs", "check_total", "200 bits each", "integers"),
    Sweep(
        "impact: an order in two parts is never cheaper",
        "CostProofs",
        "sweep_impact",
        "at D = 1, every book, order and first part within +-20 and depth up to 20; k of 0.001, 0.05 and 1",
        calls=tuple((20, k, _WAD) for k in (1, 50, 1_000)),
        quick=((5, 50, _WAD), (5, 1_000, _WAD)),
        measured=_cheaper,
        names=("held", "added", "part", "depth", "k", "D"),
    ),
)
