# pragma version 0.4.3
# pragma optimize codesize
"""
@title CostProofs
@license AGPL-3.0-only
@notice What a trade costs is rounded against whoever trades, and a trade and its opposite never pay.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from contracts.mocks.proofs import IProofs
from contracts.modules import constants as c
from contracts.modules import integers
from contracts.modules import trade_costs


@pure
@external
def check_marks(change: int256, scale: uint256, mark: uint256) -> bool:
    """
    @notice The marks of a leg are rounded up: less than a raw unit above the exact amount, paid or received.
    """
    self._assume(-(2**112) < change and change < 2**112 and scale <= c.WAD and mark < 2**75)
    cost: trade_costs.Cost = trade_costs._plus(empty(trade_costs.Cost), 0, c.WAD, mark, 0, change, scale, 0, 0)
    exact: int256 = unsafe_mul(change, convert(unsafe_mul(scale, mark), int256))
    wads: int256 = convert(c.WAD * c.WAD, int256)
    paid: int256 = unsafe_mul(cost.marks, wads)
    return exact <= paid and unsafe_sub(paid, wads) < exact


@pure
@external
def check_fee(
    change: int256, scale: uint256, moneyness: uint256, mark: uint256, fee_rate: uint256, fee_cap: uint256
) -> bool:
    """
    @notice The fee is above the smaller of its two exact amounts, by at most a raw unit. Its face is rounded up.
    """
    self._assume(-(2**112) < change and change < 2**112 and scale <= c.WAD and mark < 2**75)
    self._assume(moneyness <= c.MAX_MONEYNESS and fee_rate <= 1_000 and fee_cap <= 500)
    cost: trade_costs.Cost = trade_costs._plus(
        empty(trade_costs.Cost), 0, moneyness, mark, 0, change, scale, fee_rate, fee_cap
    )
    units: uint256 = convert(abs(change), uint256)
    face: uint256 = unsafe_div(unsafe_add(unsafe_mul(units, scale), c.WAD - 1), c.WAD)
    by_face: uint256 = unsafe_mul(unsafe_mul(fee_rate, face), max(c.WAD, moneyness))
    by_mark: uint256 = unsafe_mul(unsafe_mul(fee_cap, face), mark)
    one: uint256 = c.BASIS * c.WAD
    other: uint256 = c.PERMILLE * c.WAD
    above: bool = by_face < unsafe_mul(cost.fee, one) or by_mark < unsafe_mul(cost.fee, other)
    least: uint256 = unsafe_sub(cost.fee, 1)
    return cost.fee != 0 and above and unsafe_mul(least, one) <= by_face and unsafe_mul(least, other) <= by_mark


@pure
@external
def check_there_and_back(change: int256, scale: uint256, mark: uint256) -> bool:
    """
    @notice Bought and written back at one mark costs nothing or more, and at most a raw unit.
    """
    self._assume(0 < change and change < 2**112 and scale <= c.WAD and mark < 2**75)
    there: trade_costs.Cost = trade_costs._plus(empty(trade_costs.Cost), 0, c.WAD, mark, 0, change, scale, 0, 0)
    both: trade_costs.Cost = trade_costs._plus(there, 0, c.WAD, mark, 0, unsafe_sub(0, change), scale, 0, 0)
    return 0 <= both.marks and both.marks <= 1


@pure
@external
def check_impact(held: int256, added: int256, scale: uint256, depth: uint256, k: uint256) -> bool:
    """
    @notice Of deltas in whole raw units, rounded down: above the exact amount by at most a raw unit; nothing where the order
            flattens the book.
    """
    self._assume(-(2**172) < held and held < 2**172 and -(2**172) < added and added < 2**172)
    self._assume(0 < depth and depth < 2**112 and k <= 1_000 and scale <= c.WAD)
    impact: uint256 = trade_costs._impact(held, added, scale, depth, k)
    net: int256 = self._raw(held, scale)
    order: int256 = self._raw(added, scale)
    growth: int256 = unsafe_mul(order, unsafe_add(unsafe_mul(2, net), order))
    if growth <= 0:
        return impact == 0
    exact: uint256 = unsafe_mul(k, convert(growth, uint256))
    divisor: uint256 = unsafe_mul(2_000, depth)
    return exact < unsafe_mul(impact, divisor) and unsafe_mul(unsafe_sub(impact, 1), divisor) <= exact


@pure
@external
def check_total(marks: int256, fee: uint256, impact: uint256) -> bool:
    self._assume(-(2**200) < marks and marks < 2**200 and fee < 2**200 and impact < 2**200)
    cost: trade_costs.Cost = trade_costs.Cost(marks=marks, fee=fee, deltas=[0, 0])
    return trade_costs._total(cost, impact) == marks + convert(fee + impact, int256)


@pure
@external
def sweep_impact(limit: int256, k: uint256, scale: uint256) -> IProofs.Tally:
    """
    @notice Every book and order up to `limit` raw units, and every depth: in two parts an order is never cheaper, wherever it
            is parted. Measures how much cheaper it is whole, raw units.
    """
    tally: IProofs.Tally = empty(IProofs.Tally)
    width: uint256 = convert(2 * limit + 1, uint256)
    # A delta that is a raw unit of M.
    whole: int256 = convert(c.WAD * c.WAD // scale, int256)
    for depth: uint256 in range(1, convert(limit, uint256) + 1, bound=10_000):
        for i: uint256 in range(width, bound=10_000):
            held: int256 = (convert(i, int256) - limit) * whole
            for j: uint256 in range(width, bound=10_000):
                added: int256 = (convert(j, int256) - limit) * whole
                once: uint256 = trade_costs._impact(held, added, scale, depth, k)
                for l: uint256 in range(width, bound=10_000):
                    part: int256 = (convert(l, int256) - limit) * whole
                    twice: uint256 = trade_costs._impact(held, part, scale, depth, k) + trade_costs._impact(
                        held + part, added - part, scale, depth, k
                    )
                    tally.cases += 1
                    if twice < once:
                        if tally.broken == 0:
                            tally.at = [held, added, part, convert(depth, int256), convert(k, int256), convert(scale, int256)]
                        tally.broken += 1
                    tally.worst = max(tally.worst, convert(twice, int256) - convert(once, int256))
    return tally


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"


@internal
@pure
def _raw(delta: int256, scale: uint256) -> int256:
    """
    @notice Units * wad as raw units of M.
    """
    wad: int256 = convert(c.WAD, int256)
    units: int256 = integers._floor_div(delta, wad)
    return integers._floor_div(unsafe_mul(units, convert(scale, int256)), wad)
