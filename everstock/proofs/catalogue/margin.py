"""The scenario sum, what follows from it, and the fraction of a liquidation."""

from collections.abc import Sequence
from typing import Final

from everstock.proofs.properties import Proof, Sweep

# A granule differs by the decimals of M.
_DECIMALS: Final = tuple((decimals,) for decimals in range(6, 19))

PROPERTIES: Final[Sequence[Proof | Sweep]] = (
    Proof(
        "liquidation: 0 < f <= 1, the rest reaches initial_ratio and a wei less would not; f = 1 just where it is to be",
        "MarginProofs",
        "check_fraction",
        "S and |equity| below 2^120, min_margin 96 bits, every ratio 1.05 to 5 and rate 0.01 to 0.9",
        "integers",
    ),
    Sweep(
        "liquidation: the same, tried",
        "MarginProofs",
        "sweep_fraction",
        "every S and min_margin up to 24, every equity from -3 to maintenance, ratios by 0.1, rates by 0.05",
        calls=tuple((s, 24, 100, 50) for s in range(1, 25)),
        quick=tuple((s, 10, 395, 89) for s in range(1, 11)),
        names=("S", "equity", "min_margin", "ratio", "rate"),
    ),
    Proof("maintenance: the larger of S and min_margin", "MarginProofs", "check_maintenance", "every amount", "integers"),
    Proof(
        "initial: maintenance times its ratio, rounded up",
        "MarginProofs",
        "check_initial",
        "below 2^128, ratio 16 bits",
        "integers",
    ),
    Proof(
        "worst of six losses: no point is worse, the far ones at a third",
        "MarginProofs",
        "check_worst",
        "losses within +-2^228",
        "integers",
        cases=tuple({"point": point} for point in range(6)),
    ),
    Proof(
        "scenario sum: floor + 1 of the exact sum cut to whole units",
        "MarginProofs",
        "check_scenario_sum",
        "losses and gross below 2^190, every gross_rate, every D",
        "integers",
    ),
    Proof(
        "R: above the exact sum by at most a raw unit, 0 for an empty book",
        "MarginProofs",
        "check_requirement",
        "both sums below 2^65, every charge, every D, granules up to 2^48",
        "integers",
    ),
    Proof(
        "granules of units: rounded up",
        "MarginProofs",
        "check_granules_up",
        "units below 2^128, 6 to 18 decimals",
        "integers",
        makings=_DECIMALS,
    ),
    Proof(
        "written face: more rounds up, less rounds down, never below 0",
        "MarginProofs",
        "check_written",
        "64 bits of granules, changes of 112 bits, 6 to 18 decimals",
        "integers",
        makings=_DECIMALS,
    ),
    Proof(
        "the pool's losses: rounded up to granules, or saturated",
        "MarginProofs",
        "check_losses_up",
        "64 bits of granules, effects within +-2^228, 6 to 18 decimals",
        "integers",
        makings=_DECIMALS,
    ),
)
