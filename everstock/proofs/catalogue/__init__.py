"""What is proved, subject by subject. To prove more, add a function to a contract of contracts/mocks/proofs and an entry."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from everstock.proofs.catalogue import gains, ledgers, margin, marks, pools, trades, words
from everstock.proofs.properties import Proof, Sweep

CATALOGUE: Final[Mapping[str, Sequence[Proof | Sweep]]] = {
    "Words": words.PROPERTIES,
    "Integers": words.INTEGERS,
    "Marks": marks.PROPERTIES,
    "Gains and premium": gains.PROPERTIES,
    "Margin and liquidation": margin.PROPERTIES,
    "Orders": trades.PROPERTIES,
    "Ledgers": ledgers.PROPERTIES,
    "Pools": pools.PROPERTIES,
}

# Constructor arguments, "@Name" for another contract's address.
MAKINGS: Final[Mapping[str, Sequence[Any]]] = {
    "MarginProofs": (18,),
    "OracleProofs": ("@PriceOracle",),
    "ParameterProofs": ("@RiskParameters",),
    "PriceOracle": ("@OracleProofs", "@OracleProofs", "@OracleProofs"),
    "RiskParameters": (
        "@ParameterProofs",
        "@ParameterProofs",
        [100, 500, 80, 125, 50, 200, 125, 250, 1_500, 5_000, 2_000, 1_250, 2_000, 300, 500, 200],
        [10_000, 10_000],
        1,
        1,
        1_250,
    ),
    "PoolProofs": ("@USDC",),
    "USDC": ("@PoolProofs",),
}
