"""The shape of the mark (invariant 11)."""

from collections.abc import Sequence
from typing import Final

from everstock.proofs.properties import Proof, Sweep

_WAD: Final = 10**18
_LOWEST: Final = 10**14
_HIGHEST: Final = 10**22
_SHARPNESSES: Final = range(5, 101)
_EACH: Final = tuple({"sharpness": n} for n in _SHARPNESSES)
_EVERYWHERE: Final = "every moneyness from 1e-4 to 1e4, n 5 to 100"
# Where the number of bits changes, of n and of n - 1.
_SOME: Final = tuple({"sharpness": n} for n in (5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 99, 100))
_SOMEWHERE: Final = "every moneyness from 1e-4 to 1e4, sixteen n from 5 to 100"

# Where something changes: the clamps, 1, where opening and listing end, and where a power of ten or two begins.
_SPECIAL: Final = (
    _LOWEST,
    _WAD // 100,
    _WAD // 10,
    2**59,
    _WAD // 2,
    _WAD * 3 // 4,
    _WAD,
    _WAD * 4 // 3,
    2**61,
    2 * _WAD,
    10 * _WAD,
    100 * _WAD,
    1_000 * _WAD,
    _HIGHEST,
)
_WINDOW: Final = 1_000
# Rows of moneynesses: the first, how many, and each from the last by what part of it.
_ROWS: Final = ((_LOWEST, 49, 2), (3 * 10**17, 49, 20), (9 * 10**17, 49, 240), (_WAD - 24, 49, 2**64))


def _windows(sharpness: int, width: int) -> list[tuple[int, ...]]:
    return [(sharpness, max(_LOWEST, point - width // 2), width) for point in _SPECIAL]


def _above_chord(worst: int, at: Sequence[int]) -> str:
    return f"at most {worst / 1_000:.3f} wei above the chord"


PROPERTIES: Final[Sequence[Proof | Sweep]] = (
    Proof(
        "moneyness: rounded down, or the nearer clamp",
        "MarkProofs",
        "check_moneyness",
        "price 64 bits, strike 56",
        "integers",
    ),
    Proof(
        "below 1 the time value never falls",
        "MarkProofs",
        "check_time_value_rises",
        "every two moneynesses from 1e-4 on, n 5 to 100",
        "order",
        _EACH,
    ),
    Proof(
        "from 1 on it never rises",
        "MarkProofs",
        "check_time_value_falls",
        "every two moneynesses up to 1e4, n 5 to 100",
        "order",
        _EACH,
    ),
    Proof("v - payoff <= 1 / (2n - 1)", "MarkProofs", "check_time_value_bounds", _EVERYWHERE, "order", _EACH),
    Proof(
        "call - put = m - 1 and v = payoff + tv, exactly, so v >= payoff",
        "MarkProofs",
        "check_parity",
        _SOMEWHERE,
        "order",
        _SOME,
    ),
    Proof(
        "mark, time value and slope at once are what each is alone",
        "MarkProofs",
        "check_value",
        _SOMEWHERE,
        "order",
        _SOME,
    ),
    Sweep(
        "calls never fall, puts never rise, both convex: from each wei to the next",
        "MarkProofs",
        "sweep_integers",
        f"n 5 to 100, {_WINDOW:,} moneynesses in a row around each of {len(_SPECIAL)} special ones",
        calls=tuple(call for n in _SHARPNESSES for call in _windows(n, _WINDOW)),
        quick=tuple(call for n in (5, 17, 100) for call in _windows(n, 300)),
        measured=_above_chord,
        names=("moneyness", "n"),
    ),
    Sweep(
        "the same in wider steps",
        "MarkProofs",
        "sweep_grid",
        "n 5 to 100, from 1e-4 to 1e4 in steps of a 4,096th",
        calls=tuple((n, _LOWEST, 2**40 - 1, 4_096) for n in _SHARPNESSES),
        quick=tuple((n, _LOWEST, 2**40 - 1, 256) for n in (5, 16, 17, 32, 100)),
        exhaustive=False,
        measured=_above_chord,
        names=("moneyness", "n"),
    ),
    Sweep(
        "convex over any distance: never 2 wei above a chord",
        "MarkProofs",
        "sweep_convexity",
        "n 5 to 100, every three of 49 moneynesses in rows from 1e-4, 0.3, 0.9 and 1 - 24e-18 on",
        calls=tuple((n, *row) for n in _SHARPNESSES for row in _ROWS),
        quick=tuple((n, *row) for n in (5, 17, 100) for row in _ROWS),
        exhaustive=False,
        measured=_above_chord,
        names=("low", "middle", "high", "n"),
    ),
)
