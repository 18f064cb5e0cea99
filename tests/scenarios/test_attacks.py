"""What somebody with money, several accounts and no scruples may try when a market is in trouble: each must fail or
cost him."""

from itertools import pairwise

import boa
import pytest

from everstock.chain.in_process import account_of, events
from everstock.model.waterfall import Stage
from tests.leaning import WINDOW, opened, with_providers
from tests.liquidity import MAX_WAIT, REDEMPTION_WAIT, Pool

WAD = 10**18
# BTC at which E < R, but not R / 2; and at which it is. The market leans on calls struck at 120,000.
THIN, THINNER = 164_000, 182_000


@pytest.fixture(scope="module")
def leaning():
    return with_providers()


@pytest.fixture
def market(leaning):
    return opened(leaning)


def figures(market):
    """E and R, as a checkpoint now has them."""
    market.house.checkpoint()
    (checkpoint,) = market.events("Checkpoint")
    return checkpoint.equity, checkpoint.requirement


def wealth(market, *people, pool=None):
    """Accounts at the latest prices, and what shares of a pool are worth, raw units."""
    held = sum(market.equity(person) for person in people)
    return held + (pool.convertToAssets(sum(pool.balanceOf(person) for person in people)) if pool else 0)


def largest(market, attacker, series, sign, face=10_000):
    """Trade as much of a series as the market lets him have; returns the face."""
    while face >= 1:
        with boa.env.anchor():
            try:
                market.trade(attacker, (series, sign * face))
            except boa.BoaError:
                face //= 2
                continue
        market.trade(attacker, (series, sign * face))
        return face
    return 0


# Setting it off


@pytest.mark.parametrize("usd", [90_000, 120_000, 150_000])
def test_deleveraging__by_trading_as_much_as_there_is_room_for__is_not_set_off(market, usd):
    """Nobody can raise R above E: what adds risk must leave twice R, what sheds a hedge five quarters of it."""
    market.move(BTC=usd)
    market.pass_window()
    spread = market.list_series(moneyness=1.1)
    attacker, other = market.trader("attacker", 100_000), market.trader("attacker's other", 100_000)
    for series, sign in ((market.call, 1), (spread, 1), (spread, -1), (market.call, -1)):
        largest(market, attacker, series, sign)
        largest(market, other, series, -sign)
    # The most one-sided book that he can leave behind: everything of his that hedges the pool is closed.
    for person in (attacker, other):
        for series, units in market.units(person).items():
            largest(market, person, series, -1 if units > 0 else 1, face=abs(units) // market.unit)
    equity, requirement = figures(market)
    assert equity >= requirement * 5 // 4
    assert market.scale == WAD


def test_deleveraging__by_a_deposit_that_leaves_again__is_not_set_off(market):
    """Shares leave only what must stay, however they came."""
    attacker = Pool(market.protocol, market.main_pool).provider("attacker", 20_000)
    pool = Pool(market.protocol, market.main_pool)
    shares = pool.enter(attacker, 10_000 * market.unit)
    market.fund(market.buyer, 600 * market.unit)
    market.house.deposit(account_of(market.buyer), 600 * market.unit, sender=market.buyer)
    market.trade(market.buyer, (market.call, 3_000))
    pool.request_redeem(attacker, shares)
    pool.pass_redemption_wait()
    pool.fulfil(0, 1)
    assert pool.maxRedeem(attacker) < shares
    equity, requirement = figures(market)
    assert equity >= 2 * requirement - 1
    assert market.scale == WAD


def test_deleveraging__by_an_overdue_redemption__changes_nobodys_equity_and_takes_no_more_than_its_part(market):
    """That is what overdue redemptions are for; it cannot be aimed at anyone, and earns whoever leaves nothing."""
    pool = Pool(market.protocol, market.main_pool)
    market.move(BTC=150_000)
    market.pass_window()
    shares = pool.balanceOf(market.lp) // 2
    pool.request_redeem(market.lp, shares)
    for _ in range((REDEMPTION_WAIT + MAX_WAIT) // 86_400):
        market.move(after=86_400)
    market.set_prices(after=60)
    equity, requirement = figures(market)
    people = (market.buyer, market.writer, market.saver)
    before = [market.equity(person) for person in people]
    mine = wealth(market, pool=pool) + pool.convertToAssets(pool.balanceOf(market.lp) + shares)
    pool.fulfil(0, 1)
    assert events(pool.contract, "Deleveraged"), "there was no room without"
    assert [market.equity(person) for person in people] == before
    left = market.house.equity()
    assert market.scale >= WAD * left // equity - WAD // 10**6
    paid = pool.contract.redeem(pool.maxRedeem(market.lp), market.lp, market.lp, sender=market.lp)
    assert paid + pool.convertToAssets(pool.balanceOf(market.lp)) <= mine
    assert requirement > 0


@pytest.mark.parametrize("usd", [120_000, 131_000, 109_500])
def test_settle_window__by_trading_settling_and_checkpointing__is_not_set_off(market, usd):
    """A window opens for a price that jumped or equity that is gone; trades leave the price alone and pay for what they take."""
    market.move(BTC=usd)
    market.pass_window()
    attacker = market.trader("attacker", 50_000)
    largest(market, attacker, market.call, 1)
    largest(market, attacker, market.call, -1)
    for _ in range(5):
        market.house.settle(account_of(attacker))
        market.move(after=61)
        assert market.risk_book.market_words().state >> 92 & (2**32 - 1) <= market.now


def test_settle_window__by_checkpoints_after_a_jump__ends_within_two(market):
    """Anchors are replaced once they are a window old: whoever checkpoints all the time cannot hold one open."""
    market.move(after=1)
    market.move(after=WINDOW // 2)
    begin = market.now
    market.move(BTC=140_000)
    assert ends(market) > market.now
    while market.now < ends(market):
        market.move(after=20)
        assert market.now <= begin + 2 * WINDOW + 20
    market.trade(market.buyer, (market.call, -1))


def ends(market):
    """When the settle window is over."""
    return market.risk_book.market_words().state >> 92 & (2**32 - 1)


# Dodging it


def test_dodging__halved_before_and_doubled_after__is_dearer_than_standing_still(market):
    """Two who had the same: one who sees the deleveraging come and steps aside has paid twice and holds no more."""
    still, dodger = market.trader("still", 200), market.trader("dodger", 200)
    for person in (still, dodger):
        market.trade(person, (market.call, 100))
    market.move(BTC=THIN)
    # In the window nobody resizes; just before the checkpoint that deleverages, a trade is that checkpoint.
    with boa.reverts("risk_book: settle window"):
        market.trade(dodger, (market.call, -50))
    market.set_prices(after=WINDOW + 3_600)
    market.trade(dodger, (market.call, -30))
    assert market.scale < WAD
    after = market.units(dodger)[market.call] / market.units(still)[market.call]
    closed = 30 * market.unit * WAD // market.scale
    assert after == pytest.approx(1 - closed / market.units(still)[market.call], rel=1e-9)
    assert market.equity(dodger) < market.equity(still)


def test_dodging__by_a_leg_in_another_account__scales_with_the_rest(market):
    """One number scales all units there are: no account, and no size of one, is spared."""
    people = [market.trader(f"dodger {i}", 60) for i in range(6)]
    for i, person in enumerate(people):
        market.trade(person, (market.call, 2 + i))
    market.set_prices(after=1, BTC=THINNER)
    market.house.checkpoint()
    assert market.scale < WAD
    for i, person in enumerate(people):
        (leg,) = market.lens.legs(market.house.address, account_of(person))
        assert leg.face == (2 + i) * market.unit * market.scale // WAD


# Liquidating oneself


@pytest.mark.parametrize("usd", [128_000, 131_000, 134_000, 137_000, 140_000, 150_000])
def test_self_liquidation__by_a_second_account__never_gains(market, usd):
    """The reward is a part of the penalty, which the account pays itself; what it cannot pay, no liquidator earns."""
    attacker, other = market.trader("attacker", 62), market.trader("attacker's other", 1)
    market.trade(attacker, (market.call, -350))
    market.set_prices(after=1, BTC=usd)
    before = wealth(market, attacker, other)
    solvent = market.equity(attacker) >= 0
    fractions = market.liquidator.liquidate([account_of(attacker)], [], sender=other)
    after = wealth(market, attacker, other)
    if not solvent:
        # His debt is gone: it is limited to his margin, whoever liquidates him. His other account earned nothing of it.
        assert market.equity(other) == market.unit
        assert market.equity(attacker) == 0
    elif fractions[0]:
        assert after < before
    else:
        assert after == before
    assert bool(fractions[0]) or solvent


def test_self_liquidation__again_and_again__costs_more_each_time(market):
    """In parts, at one price after the other."""
    attacker, other = market.trader("attacker", 62), market.trader("attacker's other", 1)
    market.trade(attacker, (market.call, -350))
    closed = 0
    for usd in range(126_000, 140_000, 1_000):
        market.set_prices(after=1, BTC=usd)
        before = wealth(market, attacker, other)
        (fraction,) = market.liquidator.liquidate([account_of(attacker)], [], sender=other)
        assert wealth(market, attacker, other) <= before
        closed += fraction != 0
    assert closed >= 2


# Farming rewards


def test_dust__of_many_small_accounts__earns_no_more_than_their_penalties(market):
    """The least reward is paid out of the penalty as well, and an account must be opened with a margin far above it."""
    farmer = market.trader("farmer", 1)
    people = [market.trader(f"dust {i}", 0.5) for i in range(32)]
    for person in people:
        market.trade(person, (market.call, -2))
    spent = 32 * market.unit // 2 - sum(market.equity(person) for person in people)
    assert spent > 0, "opening costs"
    market.set_prices(after=1, BTC=145_000)
    before = wealth(market, farmer, *people)
    lost = max(0, -sum(min(0, market.equity(person)) for person in people))
    fractions = market.liquidator.liquidate([account_of(person) for person in people], [], sender=farmer)
    assert any(fractions)
    assert wealth(market, farmer, *people) <= before + lost


def test_dust__that_is_bankrupt__earns_its_liquidator_nothing(market):
    """Else whoever makes accounts that go bust would be paid by insurance for it."""
    farmer, dust = market.trader("farmer", 1), market.trader("dust", 1)
    market.trade(dust, (market.call, -5))
    market.set_prices(after=1, BTC=160_000)
    insurance = market.house.ledgers().insurance
    market.liquidator.liquidate([account_of(dust)], [], sender=farmer)
    assert market.equity(farmer) == market.unit
    assert market.house.ledgers().insurance < insurance


def test_rewards__healthy_accounts_over_and_over__earn_nothing(market):
    farmer = market.trader("farmer", 1)
    healthy = [account_of(market.buyer), account_of(market.saver), 0]
    for _ in range(3):
        assert market.liquidator.liquidate(healthy, [], sender=farmer) == [0, 0, 0]
        market.set_prices(after=1)
    assert market.equity(farmer) == market.unit


# Leaving between a jump and its checkpoint


@pytest.mark.parametrize(("name", "part"), [("main_pool", 0.99), ("insurance_pool", 1)])
def test_provider__between_a_jump_and_its_checkpoint__does_not_leave_ahead_of_it(market, name, part):
    """Requested long ago, and due: the execution is the checkpoint, which opens the window, in which nobody is paid."""
    pool = Pool(market.protocol, getattr(market, name))
    provider = {"main_pool": market.lp, "insurance_pool": market.insurer}[name]
    market.trade(market.buyer, (market.call, -1_500))  # leaves room to pay redemptions after the jump, too
    shares = pool.balanceOf(provider) // 10
    worth = pool.convertToAssets(shares)
    pool.request_redeem(provider, shares)
    for _ in range(3):
        market.move(after=REDEMPTION_WAIT // 3)
    market.set_prices(after=1, BTC=136_000)
    with boa.reverts("risk_book: settle window"):
        pool.fulfil(0, 1)
    assert pool.maxRedeem(provider) == 0
    market.house.checkpoint()
    market.liquidate(market.writer)
    market.set_prices(after=WINDOW + 1)
    pool.fulfil(0, 1)
    paid = pool.contract.redeem(pool.maxRedeem(provider), provider, provider, sender=provider)
    assert 0 < paid <= worth * part


def test_provider__requests_between_a_jump_and_its_checkpoint__at_a_price_after_it(market):
    """The price of a request is that of all series at the latest prices, not of those that were touched."""
    pool = Pool(market.protocol, market.main_pool)
    shares = pool.balanceOf(market.lp) // 4
    worth = pool.convertToAssets(shares)
    market.set_prices(after=1, BTC=150_000)
    pool.request_redeem(market.lp, shares)
    assert pool.redemption_ticket(1).assets < worth
    for _ in range(3):
        market.move(after=REDEMPTION_WAIT // 3, BTC=120_000)
    market.move(after=1)
    pool.fulfil(0, 1)
    paid = pool.contract.redeem(pool.maxRedeem(market.lp), market.lp, market.lp, sender=market.lp)
    assert paid < worth * 0.9


# Standing in settlement's way


def test_settlement__with_dust_accounts_in_the_way__is_finished_by_anyone_in_batches(market):
    """They cost whoever made them their margins, and whoever resolves them gas alone; no account can refuse."""
    dust = [market.trader(f"dust {i}", 1) for i in range(40)]
    for i, person in enumerate(dust):
        market.trade(person, (market.call, 1 if i % 2 else -1))
    gas = []
    market.exhaust()
    stranger = market.actor("stranger")
    with boa.reverts("risk_book: in settlement"):
        market.trade(dust[0], (market.call, 1))
    everybody = [market.buyer, market.writer, *dust]
    for begin in range(0, len(everybody), 14):
        with boa.reverts("clearing_house: accounts to resolve"):
            market.house.finalize(sender=stranger)
        batch = [account_of(person) for person in everybody[begin : begin + 14]]
        # Twice the same, an empty one and one that never was, do not stop a batch.
        market.house.resolve([*batch, batch[0], account_of(market.saver), 1], sender=stranger)
        gas.append(market.house._computation.get_gas_used())
    market.house.finalize(sender=stranger)
    assert market.stage == Stage.SETTLED
    assert all(abs(a - b) < 0.5 * a for a, b in pairwise(gas[1:]))
    paid = [market.house.pay_claim(account_of(person)) for person in everybody]
    assert sum(paid) <= market.house.settlement().paid


def test_settlement__an_owner_that_rejects_everything__is_resolved(market):
    """Resolving calls nobody: neither the owner nor the token."""
    hostile = market.token.address
    market.fund(market.saver, market.unit * 50)
    market.house.deposit(account_of(hostile), 50 * market.unit, sender=market.saver)
    market.trade(hostile, (market.call, -20))
    market.exhaust()
    market.token.set_refusing(True)
    market.house.resolve([account_of(hostile), account_of(market.buyer), account_of(market.writer)])
    market.house.finalize()
    assert market.stage == Stage.SETTLED


def test_settlement__begun_on_purpose__needs_equity_that_is_gone(market):
    """Checkpoints alone count only what they see: an attacker who calls them all day moves nothing."""
    market.move(BTC=150_000)
    for _ in range(20):
        market.move(after=181)
    assert market.stage == Stage.ACTIVE
    assert market.house.settlement().count == 0
