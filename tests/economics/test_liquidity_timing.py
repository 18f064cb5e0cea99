"""What a provider of liquidity makes of knowing the next price move: invariants 27 to 29.

27. A redemption pays no more than its shares are worth when it is executed, nor than they were when it was requested: whoever
    asks to leave ahead of a fall that comes within the wait, or ahead of a rise, has in the end no more than had it held.
28. A deposit buys shares worth no more than it paid, but for a raw unit that E is rounded down by, at a price published after
    its wait: whoever asks to enter ahead of a rise that comes within the wait has no more than had it kept its tokens.
29. So all that anybody ever has of a pool is what was brought, and for each change of the share price what the shares held then
    gained by it; shares in the queue are held, tokens are not. Nor does what one provider does take from the others.

Knowing a price beforehand is worth something only beyond the waits, 10 minutes to enter and 3 days to leave, or while requests
that are due lie unexecuted: those are options on the next price. Anyone may execute them, as the keeper does at once, and that
alone ends it. Such an option is worth the next move of the share price on the whole request: 4 to 5% of it for a move of the
index by 5% that one knows, where the pool is short straddles at the money up to the open buffer (R is half of E), 14% for the
10% from which on a settle window stops all execution.
"""

from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from everstock.model.constants import DEPOSIT_WAIT, REDEMPTION_WAIT
from everstock.model.pool_shares import VIRTUAL_SHARES
from everstock.model.reverts import Revert
from tests.economics.scene import (
    POOLS,
    Scene,
    Start,
    Step,
    account_steps,
    examples,
    moments,
    parts,
    pools,
    provider_steps,
    starts,
)
from tests.economics.stage import Alone, told_both
from tests.economics.wealth import insurance_equity, main_equity, stake

OTHERS = (3, 4, 5)
# Less than would open a settle window, several times.
known_moves = st.lists(st.floats(0.955, 1.045), min_size=1, max_size=3)
# A provider with half as much as the founder, and a pool that is short straddles.
SHORT = Start(history=(("trade", 3, ((0, 2.0), (1, 2.0))), ("trade", 4, ((4, 1.5),)), ("trade", 5, ((2, -1.0),))))


def share_price(scene: Scene, pool: str) -> Fraction:
    """What a share is worth, raw units of M."""
    equity = main_equity(scene.market) if pool == "main_pool" else Fraction(scene.market.house.ledgers.insurance)
    return max(Fraction(0), (equity + 1) / (scene.stage.pools()[pool].supply + VIRTUAL_SHARES))


def live_through(scene: Scene, wait: int, moves: list[float]) -> None:
    """Let the index move several times while a request waits, then once a settle window has passed."""
    for factor in moves:
        scene.pass_time(wait // len(moves) + 1, factor, factor)
        scene.checkpoint()
    scene.window_passes()


def check_redemption(scene: Scene, pool: str, part: float, moves: list[float]) -> None:
    """Invariant 27."""
    model = scene.stage.pools()[pool]
    waiting = sum(ticket.shares for ticket in model.redemptions.tickets.values())
    assume(waiting == 0 and not isinstance(scene.request_redeem(pool, part), Revert))
    shares, before = model.redemptions.next.shares, share_price(scene, pool)
    live_through(scene, REDEMPTION_WAIT, moves)
    already, held = model.sold[scene.lp].assets, share_price(scene, pool)
    scene.fulfil(pool, 0, 1)
    left = model.redemptions.next.shares if model.redemptions.next else 0
    paid = model.sold[scene.lp].assets - already
    assert paid <= (shares - left) * min(before, held), f"invariant 27: {paid} for {shares - left} shares"


def check_deposit(scene: Scene, pool: str, tokens: float, moves: list[float]) -> None:
    """Invariant 28."""
    model = scene.stage.pools()[pool]
    assume(not model.deposits.tickets and not isinstance(scene.request_deposit(pool, tokens), Revert))
    live_through(scene, DEPOSIT_WAIT, moves)
    already = model.bought[scene.lp].shares
    scene.fulfil(pool, 1, 0)
    bought = model.bought[scene.lp].shares - already
    worth = bought * share_price(scene, pool)
    assert worth < scene.raw(tokens) + 1, f"invariant 28: {float(worth)} for {scene.raw(tokens)}"


@given(start=starts(5), pool=pools, part=parts, moves=known_moves)
@examples(40)
def test_redemption__whatever_is_known__pays_no_more_than_holding(start, pool, part, moves):
    check_redemption(Scene.begin(Alone(start.decimals), start), pool, part, moves)


@given(start=starts(5), pool=pools, tokens=st.floats(1, 5_000), moves=known_moves)
@examples(40)
def test_deposit__whatever_is_known__buys_no_more_than_it_paid(start, pool, tokens, moves):
    check_deposit(Scene.begin(Alone(start.decimals), start), pool, tokens, moves)


@given(late=st.integers(0, 59))
@examples(20)
def test_requests__due__are_not_executed_at_a_price_from_before(late):
    """Invariant 28: a price published a second before the wait is over executes nothing, however late it is used."""
    scene = Scene.begin(Alone(), SHORT)
    for pool in POOLS:
        scene.request_deposit(pool, 20)
    scene.pass_time(DEPOSIT_WAIT - 1, 1.01, 1)
    scene.stage.wait(late)
    assert [scene.fulfil(pool, 1, 0) for pool in POOLS] == [(0, 0)] * 2
    scene.pass_time(1, 1, 1)
    assert [scene.fulfil(pool, 1, 0) for pool in POOLS] == [(1, 0)] * 2


# What the provider does, and what time and others do meanwhile.
meanwhile = st.one_of(moments(), account_steps(OTHERS))


def check_history(scene: Scene, plan: list[Step]) -> None:
    """Invariant 29: the provider's wealth stays below what was brought and what its shares gained while held."""
    founder = next(holder for holder in scene.market.main_pool.balances if holder != scene.lp)
    most = scene.pocket + stakes(scene, scene.lp)
    for step in plan:
        is_own = step[0] in ("request_deposit", "request_redeem", "fulfil", "collect")
        before, others = stakes(scene, scene.lp), stakes(scene, founder)
        scene.do(step)
        if is_own:
            most += step[0] == "fulfil"
            assert stakes(scene, founder) > others - 1, f"invariant 29: {step} takes from the founder"
        else:
            most += stakes(scene, scene.lp) - before
        profit = scene.pocket + stakes(scene, scene.lp) - most
        assert profit <= 0, f"invariant 29: {step} brings {float(profit)}"


def stakes(scene: Scene, lp: str) -> Fraction:
    """What a provider has in both pools, its shares at the present share price; raw units of M."""
    market = scene.market
    return stake(market.main_pool, main_equity(market), lp) + stake(market.insurance_pool, insurance_equity(market), lp)


@given(start=starts(4), plan=st.lists(st.one_of(provider_steps(), provider_steps(), meanwhile), min_size=1, max_size=20))
@examples(40)
def test_any_history__a_provider_has_no_more_than_its_shares_gained(start, plan):
    check_history(Scene.begin(Alone(start.decimals), start), plan)


COMES_AND_GOES: list[Step] = [
    ("request_redeem", "main_pool", 0.5),
    ("request_redeem", "insurance_pool", 1.0),
    ("pass_time", REDEMPTION_WAIT - 30, 0.97, 1.0),
    ("request_deposit", "main_pool", 300.0),
    ("checkpoint",),
    ("pass_time", DEPOSIT_WAIT, 1.02, 1.01),
    ("fulfil", "main_pool", 0, 1),
    ("pass_time", 5, 0.98, 1.0),
    ("fulfil", "main_pool", 1, 1),
    ("fulfil", "insurance_pool", 1, 1),
    ("collect", "main_pool"),
    ("collect", "insurance_pool"),
]


@given(plan=st.lists(provider_steps(), min_size=1, max_size=4))
@example(plan=COMES_AND_GOES)
@examples(1)
def test_contracts__any_history__a_provider_has_no_more_than_its_shares_gained(protocol, plan):
    with told_both(protocol) as stage:
        check_history(Scene.begin(stage, SHORT), plan)


@pytest.mark.parametrize(("move", "loss"), [(1.05, 0.046), (0.95, 0.039), (1.099, 0.142)])
def test_request_left_unexecuted__is_worth_the_next_move(move, loss):
    """A limit, not a merit: what a provider gets out of a due redemption by executing it just before a move it knows."""
    scene = Scene.begin(Alone(), Start(provided=0.02, margins=(100, 100, 100, 1_500, 1_500, 100)))
    capital = scene.market.house.equity_now()
    scene.do(("request_redeem", "main_pool", 1.0))
    scene.pass_time(REDEMPTION_WAIT, 1, 1)
    scene.checkpoint()
    while scene.market.risk.requirement() < capital * 0.485:
        straddle = [(scene.series[place], capital // 40) for place in (0, 1)]
        assert not isinstance(scene.stage.trade(scene.account(3), straddle), Revert)
    before = share_price(scene, "main_pool")
    scene.pass_time(5, move, 1)
    assert 1 - share_price(scene, "main_pool") / before == pytest.approx(loss, abs=0.005)
