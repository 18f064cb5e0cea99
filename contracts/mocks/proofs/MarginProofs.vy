# pragma version 0.4.3
# pragma optimize codesize
"""
@title MarginProofs
@license AGPL-3.0-only
@notice The liquidation fraction closes what is needed and no more; requirements are rounded up.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from contracts.mocks.proofs import IProofs
from contracts.modules import constants as c
from contracts.modules import pool_risk
from contracts.modules import portfolio_margin

initializes: pool_risk


@deploy
def __init__(decimals: uint256):
    pool_risk.__init__(decimals)


# The fraction of a liquidation


@pure
@external
def check_fraction(
    scenario_sum: uint256, equity: int256, min_margin: uint256, initial_ratio: uint256, penalty_rate: uint256
) -> bool:
    """
    @notice Of an account below maintenance: see `_is_fraction`.
    """
    self._assume(0 < scenario_sum and scenario_sum < 2**120 and 0 < min_margin and min_margin < 2**96)
    self._assume(1_050 <= initial_ratio and initial_ratio <= 5_000 and 10 <= penalty_rate and penalty_rate <= 900)
    self._assume(-(2**120) < equity and equity < 2**120 and equity < convert(max(scenario_sum, min_margin), int256))
    return self._is_fraction(scenario_sum, equity, min_margin, initial_ratio, penalty_rate)


@pure
@external
def sweep_fraction(
    scenario_sum: uint256, max_min_margin: uint256, ratio_step: uint256, rate_step: uint256
) -> IProofs.Tally:
    """
    @notice Every min_margin from 1 on, every equity from below zero to maintenance, every allowed ratio and rate on a grid.
    """
    tally: IProofs.Tally = empty(IProofs.Tally)
    for min_margin: uint256 in range(1, max_min_margin + 1, bound=1_000):
        maintenance: uint256 = max(scenario_sum, min_margin)
        for position: uint256 in range(maintenance + 3, bound=10_000):
            equity: int256 = convert(position, int256) - 3
            for ratios: uint256 in range((5_000 - 1_050) // ratio_step + 1, bound=5_000):
                ratio: uint256 = 1_050 + ratios * ratio_step
                for rates: uint256 in range((900 - 10) // rate_step + 1, bound=1_000):
                    rate: uint256 = 10 + rates * rate_step
                    tally.cases += 1
                    if not self._is_fraction(scenario_sum, equity, min_margin, ratio, rate):
                        if tally.broken == 0:
                            tally.at = [
                                convert(scenario_sum, int256),
                                equity,
                                convert(min_margin, int256),
                                convert(ratio, int256),
                                convert(rate, int256),
                                0,
                            ]
                        tally.broken += 1
    return tally


# Requirements of an account


@pure
@external
def check_initial(maintenance: uint256, initial_ratio: uint256) -> bool:
    """
    @notice maintenance * ratio, rounded up.
    """
    self._assume(maintenance < 2**128 and initial_ratio < 2**16)
    exact: uint256 = maintenance * initial_ratio
    initial: uint256 = portfolio_margin._initial(maintenance, initial_ratio)
    return initial * c.PERMILLE >= exact and initial * c.PERMILLE < exact + c.PERMILLE


@pure
@external
def check_maintenance(scenario_sum: uint256, min_margin: uint256) -> bool:
    maintenance: uint256 = portfolio_margin._maintenance(scenario_sum, min_margin)
    if scenario_sum == 0:
        return maintenance == 0
    return maintenance >= scenario_sum and maintenance >= min_margin and maintenance in [scenario_sum, min_margin]


@pure
@external
def check_scenario_sum(losses: int256[6][2], gross: uint256, gross_rate: uint256, scale: uint256) -> bool:
    """
    @notice Floor + 1 of the exact sum cut to whole units, a 1 / 300,000 raw unit at most.
    """
    self._assume(0 < gross and gross < 2**190 and gross_rate <= 5_000 and 2**19 < scale and scale <= c.WAD)
    for side: int256[6] in losses:
        for loss: int256 in side:
            self._assume(-(2**190) < loss and loss < 2**190)
    sum: uint256 = portfolio_margin._scenario_sum(
        portfolio_margin.Stress(losses=losses, gross=gross), gross_rate, scale
    )
    worst: int256 = unsafe_add(portfolio_margin._worst(losses[0]), portfolio_margin._worst(losses[1]))
    # In 1 / 300,000 units, times a wad.
    exact: uint256 = unsafe_add(
        unsafe_mul(convert(worst, uint256), c.BASIS), unsafe_mul(unsafe_mul(3, gross_rate), gross)
    )
    whole: uint256 = unsafe_mul(unsafe_div(exact, c.WAD), scale)
    divisor: uint256 = 3 * c.BASIS * c.WAD
    return unsafe_mul(unsafe_sub(sum, 1), divisor) <= whole and whole < unsafe_mul(sum, divisor)


@pure
@external
def check_worst(losses: int256[6], point: uint256) -> bool:
    """
    @notice Three times the worst is no less than three times a near point, or a far one, or 0.
    """
    for loss: int256 in losses:
        self._assume(-(2**228) < loss and loss < 2**228)
    worst: int256 = portfolio_margin._worst(losses)
    weighed: int256 = losses[point] if point > 3 else 3 * losses[point]
    return worst >= 0 and worst >= weighed


# The pool's requirement


@pure
@external
def check_requirement(worst: uint256, written: uint256, default_charge: uint256, scale: uint256, granule: uint256) -> bool:
    """
    @notice Rounded up: less than one raw unit above the exact sum, never below it.
    """
    self._assume(worst < 2**65 and written < 2**65 and default_charge <= 50_000)
    self._assume(scale <= c.WAD and 1 <= granule and granule <= 2**48)
    totals: pool_risk.Totals = pool_risk.Totals(worst=worst, written=written, accrued=0, open_legs=0)
    requirement: uint256 = pool_risk._requirement(totals, default_charge, scale, granule)
    granules: uint256 = worst * c.BASIS + default_charge * written
    exact: uint256 = granules * granule * scale
    if granules == 0:
        return requirement == 0
    return exact < requirement * (c.BASIS * c.WAD) and (requirement - 1) * (c.BASIS * c.WAD) <= exact


@view
@external
def check_granules_up(units: uint256) -> bool:
    self._assume(units < 2**128)
    granules: uint256 = pool_risk._granules_up(units)
    granule: uint256 = pool_risk.GRANULE
    return units <= granules * granule and granules * granule < units + granule


@view
@external
def check_written(written: uint256, change: int256) -> bool:
    """
    @notice More rounds up, less rounds down, never below 0: a series of them is never less than their sum.
    """
    self._assume(written < 2**64 and -(2**112) < change and change < 2**112)
    after: int256 = convert(pool_risk._written(written, change), int256)
    granule: int256 = convert(pool_risk.GRANULE, int256)
    exact: int256 = convert(written, int256) * granule + change
    if after == 0:
        return exact <= 0
    return exact <= after * granule and after * granule < exact + granule


@view
@external
def check_losses_up(loss: int256, effect: int256) -> bool:
    """
    @notice A loss in granules with an effect in units * wad, rounded up, unless it saturates.
    """
    self._assume(-pool_risk.SATURATED <= loss and loss <= pool_risk.SATURATED)
    self._assume(-(2**228) < effect and effect < 2**228)
    granule: int256 = convert(pool_risk.GRANULE * c.WAD, int256)
    sum: int256 = pool_risk._plus(loss, effect, granule)
    exact: int256 = loss * granule + effect
    if sum == pool_risk.SATURATED:
        return exact > (sum - 1) * granule
    if sum == -pool_risk.SATURATED:
        return exact <= sum * granule
    return exact <= sum * granule and (sum - 1) * granule < exact


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"


@internal
@pure
def _is_fraction(
    scenario_sum: uint256, equity: int256, min_margin: uint256, initial_ratio: uint256, penalty_rate: uint256
) -> bool:
    """
    @notice 0 < f <= 1. Where f < 1, what is left after the whole penalty has initial_ratio of its scenario sum and of
            min_margin, and closing 1e-18 less would have left no more than that. f is 1 exactly where equity is no more
            than the whole penalty, or is below initial_ratio * min_margin, or what is left would be, or nothing less
            reaches initial_ratio.
    @dev In 1e-3 raw units, times a wad. What is left of the scenario sum is taken as (1 - f) of it: that legs are kept in
         whole units is another matter.
    """
    f: uint256 = portfolio_margin._fraction(scenario_sum, equity, min_margin, initial_ratio, penalty_rate)
    # Safe, as are all below: amounts < 2^120, a ratio < 2^13, a wad < 2^60.
    part: int256 = convert(f, int256)
    wad: int256 = convert(c.WAD, int256)
    left: int256 = unsafe_mul(1_000, equity)
    target: int256 = convert(unsafe_mul(initial_ratio, scenario_sum), int256)
    penalty: int256 = convert(unsafe_mul(penalty_rate, scenario_sum), int256)
    smallest: int256 = convert(unsafe_mul(initial_ratio, min_margin), int256)
    if part < 1 or part > wad:
        return False
    if left <= penalty or left < smallest:
        return part == wad
    # By how much the rest is above its target at a fraction, and whether the account it leaves is large enough.
    rest: int256 = unsafe_sub(unsafe_mul(left, wad), unsafe_mul(penalty, part))
    kept: int256 = unsafe_mul(target, unsafe_sub(wad, part))
    step: int256 = unsafe_sub(target, penalty)
    if part < wad:
        return kept <= rest and rest <= unsafe_add(kept, step) and unsafe_mul(unsafe_sub(smallest, 1), wad) < rest
    # All of it: a wei less misses the target, or the least that reaches it leaves too little.
    if unsafe_sub(rest, kept) <= step:
        return True
    least: int256 = unsafe_add(unsafe_div(unsafe_mul(unsafe_sub(target, left), wad), step), 1)
    return unsafe_sub(unsafe_mul(left, wad), unsafe_mul(penalty, least)) < unsafe_mul(smallest, wad)
