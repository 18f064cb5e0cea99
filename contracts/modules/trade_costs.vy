# pragma version 0.4.3
"""
@title What a trade costs
@license AGPL-3.0-only
@notice Marks, fee and delta of an order at one set of prices, and its impact. Pure.
@dev Unchecked: units < 2^148, a mark or slope < 2^75, D < 2^60, at most 8 legs; no product reaches 2^255 while a leg fits
     its slot, and one that does not reverts when it is packed.
"""

from contracts.modules import constants as c
from contracts.modules import integers

# An order at one set of prices.
struct Cost:
    marks: int256  # bought less written, raw units of M, rounded up leg by leg
    fee: uint256  # raw units of M
    deltas: int256[2]  # per underlying, units * wad


@internal
@pure
def _plus(
    cost: Cost,
    underlying: uint256,
    moneyness: uint256,
    mark: uint256,
    slope: int256,
    change: int256,
    scale: uint256,
    fee_rate: uint256,
    fee_cap: uint256,
) -> Cost:
    """
    @notice The cost with one leg's: its fee is min(fee_rate face max(1, m), fee_cap mark face), rounded up (floor + 1).
    @param change Units. `scale` is D; `fee_rate` in 1e-5, `fee_cap` in 1e-3.
    """
    sum: Cost = cost
    face: uint256 = unsafe_div(unsafe_add(unsafe_mul(integers._size(change), scale), c.WAD - 1), c.WAD)
    by_face: uint256 = unsafe_div(
        unsafe_mul(unsafe_mul(fee_rate, face), max(c.WAD, moneyness)), c.BASIS * c.WAD
    )
    by_mark: uint256 = unsafe_div(unsafe_mul(unsafe_mul(fee_cap, face), mark), c.PERMILLE * c.WAD)
    sum.fee = unsafe_add(unsafe_add(cost.fee, min(by_face, by_mark)), 1)
    sum.marks = unsafe_add(
        cost.marks,
        integers._ceil_div(
            unsafe_mul(change, convert(unsafe_mul(scale, mark), int256)), convert(c.WAD * c.WAD, int256)
        ),
    )
    sum.deltas[underlying] = unsafe_add(cost.deltas[underlying], unsafe_mul(change, slope))
    return sum


@internal
@pure
def _impact(held: int256, added: int256, scale: uint256, depth: uint256, k: uint256) -> uint256:
    """
    @notice max(0, k ((X + d)^2 - X^2) / (2 depth)), raw units of M, rounded up (floor + 1 where positive).
    @param held X, the traders' net delta, and `added` d, the order's: units * wad. `scale` is D.
    @param depth Raw units of M, not 0. `k` in 1e-3.
    """
    factor: int256 = convert(scale, int256)
    wad: int256 = convert(c.WAD, int256)
    net: int256 = integers._floor_div(unsafe_mul(integers._floor_div(held, wad), factor), wad)
    order: int256 = integers._floor_div(unsafe_mul(integers._floor_div(added, wad), factor), wad)
    growth: int256 = unsafe_mul(order, unsafe_add(unsafe_mul(2, net), order))
    if growth <= 0:
        return 0
    return unsafe_add(
        unsafe_div(unsafe_mul(k, convert(growth, uint256)), unsafe_mul(2 * c.PERMILLE, depth)), 1
    )


@internal
@pure
def _total(cost: Cost, impact: uint256) -> int256:
    """
    @notice What an order costs at one set of prices: bought marks less written, fee and impact; raw units of M.
    """
    return unsafe_add(cost.marks, integers._int(unsafe_add(cost.fee, impact)))
