# pragma version 0.4.3
"""
@title Portfolio margin: the scenario test
@license AGPL-3.0-only
@notice What a book of options of one underlying would lose if the index jumped, and what an account must hold for it. Pure.
        Accounts and the pool are measured by the same six points, each with its own shock s: -s, -s/2, +s/2, +s, and -3s
        and +3s at a third of the loss. (Without the two far points a ratio spread could lose 88 times its maintenance.)
@dev Losses are sums of units * change of mark, so units * wad; D turns them into raw units of M at the very end. Unchecked
     throughout: units < 2^148, a mark or move < 2^75 and at most 16 terms, so every sum stays below 2^228.
"""

from contracts.modules import constants as c
from contracts.modules import everlasting
from contracts.modules import integers

# An account under the test.
struct Stress:
    losses: int256[6][2]  # per underlying, units * wad
    gross: uint256  # sum of |units| * max(1, m), units * wad; 0 without live legs


@internal
@pure
def _moves(moneyness: uint256, sharpness: uint256, is_put: bool, mark: uint256, shock: uint256) -> int256[6]:
    """
    @notice Change of the mark at each of the six points, wads.
    @param mark The mark at `moneyness`.
    @param shock s in 1e-3; 3 s < 1000.
    """
    # Safe: 6 s < 2000, so every factor is positive.
    near: uint256 = unsafe_mul(2, shock)
    far: uint256 = unsafe_mul(6, shock)
    return [
        self._move(moneyness, unsafe_sub(2_000, near), sharpness, is_put, mark),
        self._move(moneyness, unsafe_sub(2_000, shock), sharpness, is_put, mark),
        self._move(moneyness, unsafe_add(2_000, shock), sharpness, is_put, mark),
        self._move(moneyness, unsafe_add(2_000, near), sharpness, is_put, mark),
        self._move(moneyness, unsafe_sub(2_000, far), sharpness, is_put, mark),
        self._move(moneyness, unsafe_add(2_000, far), sharpness, is_put, mark),
    ]


@internal
@pure
def _move(moneyness: uint256, factor: uint256, sharpness: uint256, is_put: bool, mark: uint256) -> int256:
    """
    @notice Change of the mark when moneyness is multiplied by factor / 2000 (rounded down).
    """
    # Safe: moneyness <= 1e22 and factor < 4000, so the product is below 2^86 and a mark below 2^75.
    shifted: uint256 = unsafe_div(unsafe_mul(moneyness, factor), 2_000)
    # A difference below zero wraps around, and reads as what it is once signed.
    return convert(convert(unsafe_sub(everlasting._mark(shifted, sharpness, is_put), mark), bytes32), int256)


@internal
@pure
def _plus(losses: int256[6], moves: int256[6], units: int256) -> int256[6]:
    """
    @notice losses + units * moves, point by point.
    """
    return [
        unsafe_add(losses[0], unsafe_mul(units, moves[0])),
        unsafe_add(losses[1], unsafe_mul(units, moves[1])),
        unsafe_add(losses[2], unsafe_mul(units, moves[2])),
        unsafe_add(losses[3], unsafe_mul(units, moves[3])),
        unsafe_add(losses[4], unsafe_mul(units, moves[4])),
        unsafe_add(losses[5], unsafe_mul(units, moves[5])),
    ]


@internal
@pure
def _stressed(
    stress: Stress, underlying: uint256, moneyness: uint256, moves: int256[6], before: int256, after: int256
) -> Stress:
    """
    @notice The test of an account with one leg's units changed from `before` to `after`.
    """
    stressed: Stress = stress
    stressed.losses[underlying] = self._plus(stress.losses[underlying], moves, unsafe_sub(before, after))
    weight: uint256 = max(c.WAD, moneyness)
    # Safe: `before` was added earlier, so the difference is not negative.
    stressed.gross = unsafe_sub(
        unsafe_add(stress.gross, unsafe_mul(integers._size(after), weight)), unsafe_mul(integers._size(before), weight)
    )
    return stressed


@internal
@pure
def _worst(losses: int256[6]) -> int256:
    """
    @notice Three times the worst of the six losses, the far ones at a third; at least 0. Exact, in the unit of `losses`.
    """
    near: int256 = max(max(losses[0], losses[1]), max(losses[2], losses[3]))
    return max(max(unsafe_mul(3, near), max(losses[4], losses[5])), 0)


@internal
@pure
def _scenario_sum(stress: Stress, gross_rate: uint256, scale: uint256) -> uint256:
    """
    @notice The scenario sum of an account, raw units of M, rounded up (floor + 1; 0 without live legs).
    @param gross_rate In 1e-5. `scale` is D.
    """
    if stress.gross == 0:
        return 0
    worst: uint256 = convert(unsafe_add(self._worst(stress.losses[0]), self._worst(stress.losses[1])), uint256)
    total: uint256 = unsafe_add(unsafe_mul(worst, c.BASIS), unsafe_mul(unsafe_mul(3, gross_rate), stress.gross))
    return unsafe_add(unsafe_div(unsafe_mul(unsafe_div(total, c.WAD), scale), 3 * c.BASIS * c.WAD), 1)


@internal
@pure
def _maintenance(scenario_sum: uint256, min_margin: uint256) -> uint256:
    """
    @notice max(scenario sum, min_margin), 0 without live legs; raw units of M.
    """
    if scenario_sum == 0:
        return 0
    return max(scenario_sum, min_margin)


@internal
@pure
def _initial(maintenance: uint256, initial_ratio: uint256) -> uint256:
    """
    @notice maintenance * initial_ratio (1e-3), rounded up; raw units of M.
    """
    return unsafe_div(unsafe_add(unsafe_mul(maintenance, initial_ratio), 999), c.PERMILLE)


@internal
@pure
def _fraction(
    scenario_sum: uint256, equity: int256, min_margin: uint256, initial_ratio: uint256, penalty_rate: uint256
) -> uint256:
    """
    @notice The part of every leg a liquidation closes so that the rest stands at initial_ratio, a wad, rounded up (floor + 1):
            (initial_ratio S - equity) / (initial_ratio S - penalty_rate S). All of it where equity is no more than the whole
            penalty, or where the rest would have equity below initial_ratio * min_margin.
    @param scenario_sum S; it and `equity`, `min_margin` in raw units of M. The ratio and the rate in 1e-3.
    """
    # Equity, target and penalty in 1e-3 raw units. Safe: S < 2^170, min_margin < 2^96.
    left: int256 = unsafe_mul(equity, 1_000)
    target: int256 = convert(unsafe_mul(initial_ratio, scenario_sum), int256)
    penalty: int256 = convert(unsafe_mul(penalty_rate, scenario_sum), int256)
    smallest: int256 = convert(unsafe_mul(initial_ratio, min_margin), int256)
    wad: int256 = convert(c.WAD, int256)
    if left <= penalty or left < smallest:
        return c.WAD
    # Safe: equity < max(S, min_margin), so it is below the target here, and above the penalty.
    fraction: int256 = unsafe_add(
        unsafe_div(unsafe_mul(unsafe_sub(target, left), wad), unsafe_sub(target, penalty)), 1
    )
    if unsafe_sub(left, unsafe_div(unsafe_mul(penalty, fraction), wad)) < smallest:
        return c.WAD
    return convert(min(fraction, wad), uint256)
