# pragma version 0.4.3
# pragma optimize codesize
"""
@title MarkProofs
@license AGPL-3.0-only
@notice The shape of the mark that margin and liquidation rely on (invariant 11), at every moneyness a touch can have.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from contracts.mocks.proofs import IProofs
from contracts.modules import constants as c
from contracts.modules import everlasting

# Points that `sweep_convexity` takes three at a time.
MAX_POINTS: constant(uint256) = 128


# For all values


@pure
@external
def check_time_value_rises(low: uint256, high: uint256, sharpness: uint256) -> bool:
    """
    @notice Below 1 the time value never falls as moneyness rises.
    """
    self._assume(c.MIN_MONEYNESS <= low and low <= high and high < c.WAD)
    return everlasting._time_value(low, sharpness) <= everlasting._time_value(high, sharpness)


@pure
@external
def check_time_value_falls(low: uint256, high: uint256, sharpness: uint256) -> bool:
    """
    @notice From 1 on it never rises.
    """
    self._assume(c.WAD <= low and low <= high and high <= c.MAX_MONEYNESS)
    return everlasting._time_value(low, sharpness) >= everlasting._time_value(high, sharpness)


@pure
@external
def check_time_value_bounds(moneyness: uint256, sharpness: uint256) -> bool:
    """
    @notice It is at most 1 / (2n - 1), its value at 1.
    """
    self._assume(c.MIN_MONEYNESS <= moneyness and moneyness <= c.MAX_MONEYNESS)
    most: uint256 = everlasting._time_value(c.WAD, sharpness)
    return everlasting._time_value(moneyness, sharpness) <= most and most == c.WAD // (2 * sharpness - 1)


@pure
@external
def check_parity(moneyness: uint256, sharpness: uint256) -> bool:
    """
    @notice call - put = m - 1, neither is below its payoff, and what they are above it is the time value: all exactly.
    """
    self._assume(c.MIN_MONEYNESS <= moneyness and moneyness <= c.MAX_MONEYNESS)
    call: uint256 = everlasting._mark(moneyness, sharpness, False)
    put: uint256 = everlasting._mark(moneyness, sharpness, True)
    time_value: uint256 = everlasting._time_value(moneyness, sharpness)
    call_payoff: uint256 = 0
    put_payoff: uint256 = 0
    if moneyness > c.WAD:
        call_payoff = moneyness - c.WAD
    else:
        put_payoff = c.WAD - moneyness
    return (
        call + c.WAD == put + moneyness
        and call == call_payoff + time_value
        and put == put_payoff + time_value
    )


@pure
@external
def check_value(moneyness: uint256, sharpness: uint256, is_put: bool) -> bool:
    """
    @notice All at once is what each is alone, and the slope is n tv or (1 - n) tv with its share of the payoff.
    """
    self._assume(c.MIN_MONEYNESS <= moneyness and moneyness <= c.MAX_MONEYNESS)
    value: everlasting.Value = everlasting._value(moneyness, sharpness, is_put)
    time_value: uint256 = everlasting._time_value(moneyness, sharpness)
    n: int256 = convert(sharpness, int256)
    tv: int256 = convert(time_value, int256)
    m: int256 = convert(moneyness, int256)
    slope: int256 = 0
    if moneyness < c.WAD:
        slope = n * tv - (m if is_put else 0)
    else:
        slope = (1 - n) * tv + (0 if is_put else m)
    return (
        value.time_value == time_value
        and value.mark == everlasting._mark(moneyness, sharpness, is_put)
        and value.slope == slope
    )


@pure
@external
def check_moneyness(price: uint256, strike: uint256) -> bool:
    """
    @notice price / strike rounded down, or the nearer clamp.
    """
    self._assume(price < 2**64 and 0 < strike and strike < 2**56)
    moneyness: uint256 = everlasting._moneyness(price, strike)
    exact: uint256 = price * c.WAD
    if moneyness == c.MIN_MONEYNESS:
        return exact < (moneyness + 1) * strike
    if moneyness == c.MAX_MONEYNESS:
        return exact >= moneyness * strike
    return (
        c.MIN_MONEYNESS < moneyness
        and moneyness < c.MAX_MONEYNESS
        and moneyness * strike <= exact
        and exact < (moneyness + 1) * strike
    )


# On many values


@pure
@external
def sweep_integers(sharpness: uint256, start: uint256, count: uint256) -> IProofs.Tally:
    """
    @notice Every moneyness from `start` on: both marks go the right way from each to the next, and each is convex within 2 wei
            over three in a row. Measures by how many 1e-3 wei the one in the middle is above the chord.
    """
    return self._shape(sharpness, start, count, max_value(uint256))


@pure
@external
def sweep_grid(sharpness: uint256, start: uint256, count: uint256, parts: uint256) -> IProofs.Tally:
    """
    @notice The same where each moneyness is the last and a `parts`-th of it, and a wei.
    """
    return self._shape(sharpness, start, count, parts)


@pure
@external
def sweep_convexity(sharpness: uint256, start: uint256, count: uint256, parts: uint256) -> IProofs.Tally:
    """
    @notice Every three of `count` points in a geometric row: the mark in the middle is at most 2 wei above the chord.
            Measures by how many 1e-3 wei it is above.
    """
    tally: IProofs.Tally = empty(IProofs.Tally)
    tally.worst = min_value(int256)
    points: int256[MAX_POINTS] = empty(int256[MAX_POINTS])
    calls: int256[MAX_POINTS] = empty(int256[MAX_POINTS])
    moneyness: uint256 = start
    for i: uint256 in range(count, bound=MAX_POINTS):
        moneyness = min(moneyness, c.MAX_MONEYNESS)
        points[i] = convert(moneyness, int256)
        calls[i] = convert(everlasting._mark(moneyness, sharpness, False), int256)
        moneyness += moneyness // parts + 1
    # Of a put it is the same: it differs from the call by a line.
    for i: uint256 in range(count, bound=MAX_POINTS):
        for j: uint256 in range(i + 1, count, bound=MAX_POINTS):
            for k: uint256 in range(j + 1, count, bound=MAX_POINTS):
                width: int256 = points[k] - points[i]
                if points[i] < points[j] and points[j] < points[k]:
                    tally.cases += 1
                    # Times the width.
                    excess: int256 = (
                        calls[j] * width - calls[i] * (points[k] - points[j]) - calls[k] * (points[j] - points[i])
                    )
                    if excess > 2 * width:
                        if tally.broken == 0:
                            tally.at = [points[i], points[j], points[k], convert(sharpness, int256), 0, 0]
                        tally.broken += 1
                    if excess * 1_000 // width > tally.worst:
                        tally.worst = excess * 1_000 // width
                        if tally.broken == 0:
                            tally.at = [points[i], points[j], points[k], convert(sharpness, int256), 0, 0]
    return tally


@internal
@pure
def _shape(sharpness: uint256, start: uint256, count: uint256, parts: uint256) -> IProofs.Tally:
    tally: IProofs.Tally = empty(IProofs.Tally)
    tally.worst = min_value(int256)
    last: uint256 = start
    last_call: int256 = convert(everlasting._mark(start, sharpness, False), int256)
    last_put: int256 = convert(everlasting._mark(start, sharpness, True), int256)
    # Rise of the call over the last step, and the step.
    rise: int256 = 0
    step: int256 = 0
    for _: uint256 in range(count, bound=2**40):
        moneyness: uint256 = last + last // parts + 1
        if moneyness > c.MAX_MONEYNESS:
            break
        call: int256 = convert(everlasting._mark(moneyness, sharpness, False), int256)
        put: int256 = convert(everlasting._mark(moneyness, sharpness, True), int256)
        tally.cases += 1
        here: int256 = convert(moneyness, int256)
        holds: bool = call >= last_call and put <= last_put and call - put == here - convert(c.WAD, int256)
        next_rise: int256 = call - last_call
        next_step: int256 = here - convert(last, int256)
        if step != 0:
            # How far the middle of the three is above the chord, times the width, and then in 1e-3 wei.
            width: int256 = step + next_step
            excess: int256 = rise * next_step - next_rise * step
            holds = holds and excess <= 2 * width
            if excess * 1_000 // width > tally.worst:
                tally.worst = excess * 1_000 // width
                if tally.broken == 0:
                    tally.at = [convert(last, int256), convert(sharpness, int256), 0, 0, 0, 0]
        if not holds:
            if tally.broken == 0:
                tally.at = [convert(last, int256), convert(sharpness, int256), 0, 0, 0, 0]
            tally.broken += 1
        last = moneyness
        last_call = call
        last_put = put
        rise = next_rise
        step = next_step
    return tally


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"
