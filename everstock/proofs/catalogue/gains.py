"""What a touch adds to the gain indexes, and the rates it does it at."""

from collections.abc import Sequence
from typing import Final

from everstock.proofs.properties import Proof, Sweep

_WAD: Final = 10**18
_WHEN: Final = "any time between touches up to 2^32 s"


def _rate(worst: int, at: Sequence[int]) -> str:
    return f"largest {worst / 2**47:.1%} of what 48 bits hold, at n = {at[0]}, m = {at[1] / _WAD:,.4g}"


def _together(worst: int, _at: Sequence[int]) -> str:
    return f"both together at most {worst} (1e-24)"


PROPERTIES: Final[Sequence[Proof | Sweep]] = (
    Proof(
        "rates: a long's rounded up, a short's and both loads down, a short's never above a long's",
        "GainProofs",
        "check_rates",
        "tv up to 1/9, slopes 75 bits, variances 40, carry 16, multiples 26, every n",
        "integers",
    ),
    Proof(
        "gain indexes: both grow by the exact amount rounded down, owed by exactly what units make of it",
        "GainProofs",
        "check_gains",
        f"any mark below 2^75, rates 48 bits, units 112, every D, {_WHEN}",
        "integers",
    ),
    Proof(
        "gain indexes: of as many longs as shorts, both together gain nothing",
        "GainProofs",
        "check_both_sides",
        f"the same, {_WHEN}",
        "integers",
    ),
    Proof(
        "gain of a leg: units times the growth of its side's index, exactly",
        "GainProofs",
        "check_gain_of_leg",
        "units 112 bits, G 126",
        "integers",
    ),
    Proof(
        "resizing a leg moves its own units and no others",
        "GainProofs",
        "check_resized",
        "sides and units 112 bits",
        "integers",
    ),
    Sweep(
        "gain indexes: the same with real marks and rates on both ends",
        "GainProofs",
        "sweep_both_sides",
        "calls and puts, every two of 60 prices from half to twice the strike, carry +-10%, 1 to 90 minutes, five n, two D",
        calls=tuple((n, d, t, 60) for n in (5, 16, 17, 31, 100) for d in (_WAD, 10**15 + 7) for t in (1, 60, 90)),
        quick=((17, _WAD, 60, 16), (100, 10**15 + 7, 90, 16)),
        exhaustive=False,
        measured=_together,
        names=("n", "is put", "first price", "second price", "carry"),
    ),
    Sweep(
        "rates fit their 48 bits at the parameters' bounds",
        "GainProofs",
        "sweep_rates_fit",
        "every n, moneyness from 1e-4 to 1e4 in steps of a 256th, sigma 1,000%, carry +-30%, load + kappa = 3",
        calls=tuple((n, 256) for n in range(5, 101)),
        quick=((5, 16), (17, 16), (100, 16)),
        exhaustive=False,
        measured=_rate,
        names=("n", "moneyness", "carry", "is put"),
    ),
)
