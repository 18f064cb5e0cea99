"""Portfolio margin: what a book of options of one underlying would lose if the index jumped, and what an account must hold
for it. Accounts and the pool are measured by the same six points, each with its own shock s: -s, -s/2, +s/2, +s, and -3s
and +3s at a third of the loss."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from everstock.model import everlasting
from everstock.model.constants import BASIS, PERMILLE, WAD
from everstock.model.integers import ceil_div
from everstock.model.series_book import Quote

POINTS = 6


@dataclass
class Stress:
    """An account under the test."""

    losses: list[list[int]] = field(default_factory=lambda: [[0] * POINTS, [0] * POINTS])  # per underlying, units * wad
    gross: int = 0  # sum of |units| * max(1, m), units * wad; 0 without live legs

    def change(self, underlying: int, q: Quote, moves: Sequence[int], before: int, after: int) -> None:
        """One leg's units go from `before` to `after`."""
        self.losses[underlying] = plus(self.losses[underlying], moves, before - after)
        self.gross += (abs(after) - abs(before)) * max(WAD, q.moneyness)


def moves(q: Quote, sharpness: int, is_put: bool, shock: int) -> list[int]:
    """Change of the mark at each of the six points, wads; `shock` is s in 1e-3."""
    factors = (2_000 - 2 * shock, 2_000 - shock, 2_000 + shock, 2_000 + 2 * shock, 2_000 - 6 * shock, 2_000 + 6 * shock)
    return [everlasting.mark(q.moneyness * factor // 2_000, sharpness, is_put) - q.mark for factor in factors]


def plus(losses: Sequence[int], moves: Sequence[int], units: int) -> list[int]:
    """losses + units * moves, point by point."""
    return [loss + units * move for loss, move in zip(losses, moves, strict=True)]


def worst(losses: Sequence[int]) -> int:
    """Three times the worst of the six losses, the far ones at a third; at least 0. Exact, in the unit of `losses`."""
    return max(3 * max(losses[:4]), *losses[4:], 0)


def scenario_sum(stress: Stress, gross_rate: int, scale: int) -> int:
    """The scenario sum S, raw units of M, rounded up (floor + 1; 0 without live legs). `gross_rate` in 1e-5, `scale` is D."""
    if stress.gross == 0:
        return 0
    total = sum(worst(losses) for losses in stress.losses) * BASIS + 3 * gross_rate * stress.gross
    return total // WAD * scale // (3 * BASIS * WAD) + 1


def maintenance(scenario_sum: int, min_margin: int) -> int:
    """max(S, min_margin), 0 without live legs; raw units of M."""
    return max(scenario_sum, min_margin) if scenario_sum else 0


def initial(maintenance: int, initial_ratio: int) -> int:
    """maintenance * initial_ratio (1e-3), rounded up; raw units of M."""
    return ceil_div(maintenance * initial_ratio, PERMILLE)


def fraction(scenario_sum: int, equity: int, min_margin: int, initial_ratio: int, penalty_rate: int) -> int:
    """The part of every leg a liquidation closes so that the rest stands at initial_ratio, a wad, rounded up (floor + 1):

        (initial_ratio S - equity) / (initial_ratio S - penalty_rate S)

    All of it where equity is no more than the whole penalty, or where the rest would have equity below initial_ratio *
    min_margin. Amounts in raw units of M, the ratio and the rate in 1e-3.
    """
    left = equity * PERMILLE
    target = initial_ratio * scenario_sum
    penalty = penalty_rate * scenario_sum
    smallest = initial_ratio * min_margin
    if left <= penalty or left < smallest:
        return WAD
    part = (target - left) * WAD // (target - penalty) + 1
    if left - penalty * part // WAD < smallest:
        return WAD
    return min(part, WAD)
