"""Moneyness and sharpness to compare at: a grid of ours, and the shared vectors where they are at hand."""

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from . import exact
from .exact import WAD

# 134 exact cases, kept beside the repository: a clone of it alone is tested by the grid, which has the same formulas.
VECTORS: Final = Path(
    os.environ.get("EVERSTOCK_VECTORS", Path(__file__).parents[4] / "shared" / "vectors" / "everlasting.json")
)

SHARPNESSES: Final = (5, 6, 8, 12, 16, 17, 24, 31, 32, 33, 63, 64, 99, 100)
# Both sides of 1 and of a wei beside it, where opening ends, everyday moves, wings, and where a touch clamps.
MONEYNESSES: Final = (
    WAD,
    WAD - 1,
    WAD + 1,
    WAD // 2,
    2 * WAD,
    WAD * 19 // 20,
    WAD * 21 // 20,
    WAD * 3 // 4,
    WAD * 4 // 3,
    882_228_613_893_885_321,
    1_120_660_480_236_843_496,
    999_900_000_000_000_000,
    WAD // 100,
    100 * WAD,
    10**14,
    10**22,
)


@dataclass(frozen=True)
class Case:
    """What a mark and a slope are to be at one moneyness (a wad) and sharpness."""

    moneyness: int
    sharpness: int
    time_value: Fraction
    call: Fraction
    put: Fraction
    call_slope: Fraction
    put_slope: Fraction
    gamma: Fraction

    def __str__(self) -> str:
        return f"m={self.moneyness}-n={self.sharpness}"


def derived(moneyness: int, sharpness: int) -> Case:
    """A case by exact arithmetic."""
    m = Fraction(moneyness, WAD)
    time_value = exact.time_value(m, sharpness)
    return Case(
        moneyness,
        sharpness,
        time_value,
        exact.mark(m, sharpness, True),
        exact.mark(m, sharpness, False),
        exact.slope(m, sharpness, True),
        exact.slope(m, sharpness, False),
        exact.gamma(time_value, sharpness),
    )


def read(vector: dict[str, Any]) -> Case:
    """A case of the shared vectors."""
    numbers = ("time_value", "call", "put", "call_slope", "put_slope", "gamma_rate")
    return Case(int(vector["moneyness_wad"]), vector["sharpness"], *(Fraction(vector[name]) for name in numbers))


GRID: Final = [derived(moneyness, sharpness) for sharpness in SHARPNESSES for moneyness in MONEYNESSES]
SHARED: Final = [read(vector) for vector in json.loads(VECTORS.read_text())] if VECTORS.is_file() else []
