"""Share price and rounding: whoever acts loses the fraction, and nobody's request moves another's price down
(invariants 5 and 6)."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.liquidity import MAX_BATCH, pools

# Python and contracts in turn: an example takes a tenth of a second.
FEW = settings(
    max_examples=8,
    deadline=timedelta(seconds=20),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


@pytest.fixture(params=[18, 6])
def market(request, empty_market, empty_market_of_six_decimals):
    return empty_market if request.param == 18 else empty_market_of_six_decimals


def fresh(market, kind):
    """A pool whose prices start anew; its market is rolled back after each example."""
    return pools(market.fork())[kind]


# Between min_margin (50 dollars) and 30 million dollars, and what the ledger may gain by, in thousandths of a token.
amounts = st.integers(200, 10**8)
gains = st.integers(0, 10**8)


@pytest.mark.parametrize("kind", ["main", "insurance"])
@given(first=amounts, gain=gains, second=amounts)
@FEW
def test_rounding__deposit_then_redemption__never_profits(market, kind, first, gain, second):
    pool = fresh(market, kind)
    milli = pool.protocol.unit // 1_000
    alice, bob = pool.provider("alice", first), pool.provider("bob", second)
    pool.enter(alice, first * milli)
    pool.gain(gain * milli + gain % 7)
    before = pool.price()
    shares = pool.enter(bob, second * milli)
    entered = pool.price()
    assert entered >= before
    left = pool.leave(bob, shares)
    assert left <= second * milli
    assert pool.price() >= entered
    # What rounding takes is less than a thousandth, and no more than two units of M where shares are fine.
    assert left >= second * milli * 999 // 1_000


@pytest.mark.parametrize("kind", ["main", "insurance"])
@given(
    bait=amounts,
    donated=gains,
    gained=gains,
    victims=st.lists(amounts, min_size=1, max_size=3),
    kept=st.integers(1, 10**6),
)
@FEW
def test_inflation__first_depositor__gains_nothing(market, kind, bait, donated, gained, victims, kept):
    """The attacker is the first, leaves next to nothing in, and pays for whatever the pool gains meanwhile."""
    pool = fresh(market, kind)
    protocol = pool.protocol
    milli = protocol.unit // 1_000
    attacker = pool.provider("attacker", bait)
    spent = bait * milli
    shares = pool.enter(attacker, spent)
    back = pool.leave(attacker, shares - kept)

    protocol.token.mint(pool.address, donated * milli)
    protocol.token.mint(protocol.clearing_house.address, donated * milli)
    pool.gain(gained * milli)
    crowd = [pool.provider(f"victim {i}", tokens) for i, tokens in enumerate(victims)]
    for victim, tokens in zip(crowd, victims, strict=True):
        pool.request_deposit(victim, tokens * milli)
    pool.pass_deposit_wait()
    pool.fulfil(MAX_BATCH, 0)

    back += pool.convertToAssets(kept)
    assert back <= spent + gained * milli
    for ticket, (victim, tokens) in enumerate(zip(crowd, victims, strict=True), start=2):
        worth = pool.convertToAssets(pool.maxMint(victim))
        if pool.deposit_ticket(ticket).assets:
            assert pool.cancel_deposit(ticket, victim, sender=victim) == tokens * milli
        else:
            assert worth >= tokens * milli * 999 // 1_000 - 1


@pytest.mark.parametrize("decimals", [18, 6])
@pytest.mark.parametrize("kind", ["main", "insurance"])
def test_donation__to_pool_or_clearing_house__changes_nothing(
    empty_market, empty_market_of_six_decimals, kind, decimals
):
    pool = fresh(empty_market if decimals == 18 else empty_market_of_six_decimals, kind)
    protocol, unit = pool.protocol, pool.protocol.unit
    alice = pool.provider("alice", 100)
    shares = pool.enter(alice, 100 * unit)
    seen = pool.totalAssets(), pool.totalSupply(), pool.convertToAssets(shares), pool.convertToShares(unit)
    protocol.token.mint(pool.address, 1_000 * unit)
    protocol.token.mint(protocol.clearing_house.address, 1_000 * unit)
    assert (pool.totalAssets(), pool.totalSupply(), pool.convertToAssets(shares), pool.convertToShares(unit)) == seen
    assert pool.leave(alice, shares) == 100 * unit
    assert pool.tokens() == 1_000 * unit


def test_share_price__through_every_kind_of_request_of_others__never_falls(pool, holder, alice, bob, unit):
    """Invariant 6."""
    pool.gain(unit // 7)
    price = pool.price()

    def holds(step):
        nonlocal price
        assert pool.price() >= price, step
        price = pool.price()

    pool.request_deposit(alice, 33 * unit + 1)
    holds("request deposit")
    pool.pass_deposit_wait()
    pool.fulfil(1, 0)
    holds("deposit")
    shares = pool.maxMint(alice)
    pool.mint(shares // 3, alice, sender=alice)
    pool.mint(pool.maxMint(alice), bob, sender=alice)
    holds("claim shares")
    pool.request_redeem(alice, shares // 3)
    pool.request_redeem(bob, pool.balanceOf(bob) // 2)
    holds("request redemption")
    pool.gain(unit // 11)
    holds("gain")
    pool.pass_redemption_wait()
    pool.fulfil(0, 2)
    holds("redemption at the request price")
    pool.withdraw(pool.maxWithdraw(alice), alice, alice, sender=alice)
    holds("claim tokens")
    assert pool.convertToAssets(pool.balanceOf(holder)) >= 100 * unit
