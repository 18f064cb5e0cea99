import boa
import pytest

from everstock.chain.in_process import account_of, events, price
from tests.liquidity import DEPOSIT_WAIT, MAX_BATCH, NEVER, REDEMPTION_WAIT, VIRTUAL_SHARES

# Deposits


def test_fulfil__first_deposit__buys_shares_at_the_first_price(pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(1, 0) == (1, 0)
    (executed,) = events(pool.contract, "DepositExecuted")
    assert (executed.ticket, executed.controller, executed.assets, executed.shares) == (
        1,
        alice,
        10 * unit,
        10 * unit * VIRTUAL_SHARES,
    )
    assert pool.totalAssets() == 10 * unit
    assert pool.totalSupply() == pool.balanceOf(pool.address) == 10 * unit * VIRTUAL_SHARES
    assert pool.tokens() == 0
    assert pool.pendingDepositRequest(0, alice) == 0
    assert pool.claimableDepositRequest(0, alice) == pool.maxDeposit(alice) == 10 * unit
    assert pool.maxMint(alice) == 10 * unit * VIRTUAL_SHARES
    assert pool.queue().deposits_done == 1


def test_fulfil__before_the_wait__does_nothing(protocol, pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    protocol.set_prices(after=DEPOSIT_WAIT - 1)
    assert pool.fulfil(1, 1) == (0, 0)
    assert pool.pendingDepositRequest(0, alice) == 10 * unit


def test_fulfil__price_from_before_the_end_of_the_wait__does_nothing(protocol, pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    protocol.set_prices(after=DEPOSIT_WAIT - 1)
    protocol.wait(30)
    assert pool.fulfil(1, 0) == (0, 0)
    protocol.set_prices()
    assert pool.fulfil(1, 0) == (1, 0)


def test_fulfil__one_price_newer_than_the_other__the_older_counts(protocol, pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    protocol.set_prices(after=DEPOSIT_WAIT - 1)
    update = protocol.publish(after=1)
    protocol.oracle.update([0], [update], value=protocol.oracle.update_fee([update]), sender=protocol.operator)
    assert pool.fulfil(1, 0) == (0, 0)
    protocol.oracle.update([1], [update], value=protocol.oracle.update_fee([update]), sender=protocol.operator)
    assert pool.fulfil(1, 0) == (1, 0)


def test_fulfil__stale_price__reverts(protocol, pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    protocol.wait(61)
    with boa.reverts("price_oracle: stale price"):
        pool.fulfil(1, 0)


def test_fulfil__settle_window__reverts_until_it_ends(protocol, pool, holder, alice, unit):
    pool.request_redeem(holder, pool.balanceOf(holder))
    pool.request_deposit(alice, 10 * unit)
    pool.pass_redemption_wait()
    pool.open_settle_window()
    for deposits, redemptions in ((1, 0), (0, 1)):
        with boa.reverts("risk_book: settle window"):
            pool.fulfil(deposits, redemptions)
    protocol.set_prices(after=600)
    assert pool.fulfil(1, 1) == (1, 1)


def test_fulfil__price_too_far_from_chainlink__reverts(protocol, pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    update = protocol.publish(after=DEPOSIT_WAIT)
    protocol.chainlink["BTC"].publish(
        price(protocol.index["BTC"] * 1.02), protocol.now, protocol.now, sender=protocol.operator
    )
    protocol.store(update)
    with boa.reverts("risk_book: far from chainlink"):
        pool.fulfil(1, 0)


def test_fulfil__checkpoint_due__checkpoints_first(protocol, pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    protocol.set_prices(after=3_600)
    pool.fulfil(1, 0)
    assert len(events(pool.contract, "Checkpoint")) == 1
    assert protocol.risk_book.market_words().state >> 60 & (2**32 - 1) == protocol.now


def test_fulfil__nothing_asked_for__does_nothing(pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(0, 0) == (0, 0)
    assert pool.fulfil(0, NEVER) == (0, 0)


def test_fulfil__nothing_queued__does_nothing_even_in_a_settle_window(pool):
    pool.open_settle_window()
    assert pool.fulfil(NEVER, NEVER) == (0, 0)


def test_fulfil__by_anyone__same(pool, alice, outsider, unit):
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(1, 0, sender=outsider) == (1, 0)


def test_fulfil__again__executes_nothing_twice(pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    pool.fulfil(NEVER, NEVER)
    assert pool.fulfil(NEVER, NEVER) == (0, 0)
    assert pool.maxDeposit(alice) == 10 * unit


def test_fulfil__several__in_the_order_of_their_tickets(pool, alice, bob, unit):
    for provider, tokens in ((alice, 10), (bob, 20), (alice, 30)):
        pool.request_deposit(provider, tokens * unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(2, 0) == (2, 0)
    assert [event.ticket for event in events(pool.contract, "DepositExecuted")] == [1, 2]
    assert pool.fulfil(2, 0) == (1, 0)
    assert [event.ticket for event in events(pool.contract, "DepositExecuted")] == [3]
    assert (pool.maxDeposit(alice), pool.maxDeposit(bob)) == (40 * unit, 20 * unit)


def test_fulfil__younger_request__waits_by_itself(protocol, pool, alice, bob, unit):
    pool.request_deposit(alice, 10 * unit)
    protocol.set_prices(after=300)
    pool.request_deposit(bob, 10 * unit)
    protocol.set_prices(after=300)
    assert pool.fulfil(MAX_BATCH, 0) == (1, 0)
    protocol.set_prices(after=300)
    assert pool.fulfil(MAX_BATCH, 0) == (1, 0)


def test_fulfil__more_than_a_batch__stops_at_the_batch(pool, unit):
    crowd = pool.provider("crowd", 1_000)
    for _ in range(MAX_BATCH + 1):
        pool.request_deposit(crowd, unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(NEVER, NEVER) == (MAX_BATCH, 0)
    assert pool.fulfil(NEVER, NEVER) == (1, 0)


def test_fulfil__deposit_into_a_pool_that_earned__pays_the_higher_price(pool, holder, alice, unit):
    pool.gain(100 * unit)
    shares = pool.enter(alice, 50 * unit)
    assert shares == pytest.approx(25 * unit * VIRTUAL_SHARES, rel=1e-9)
    assert pool.convertToAssets(shares) <= 50 * unit


def test_fulfil__deposit_that_would_lose_a_thousandth_to_rounding__passed_over(pool, alice, bob, unit):
    # Nobody holds shares, so one share is worth a millionth of what is there.
    pool.gain(1_000_000 * unit)
    small = pool.request_deposit(alice, 999 * unit)
    pool.request_deposit(pool.provider("whale", 2_000), 1_001 * unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(MAX_BATCH, 0) == (2, 0)
    (passed,) = events(pool.contract, "DepositPassedOver")
    assert (passed.ticket, passed.controller, passed.assets) == (small, alice, 999 * unit)
    assert [event.ticket for event in events(pool.contract, "DepositExecuted")] == [small + 1]
    assert pool.pendingDepositRequest(0, alice) == 999 * unit

    assert pool.cancel_deposit(small, alice, sender=alice) == 999 * unit
    assert pool.tokens() == 0


def test_fulfil__share_price_below_a_millionth__entry_closed(protocol, pool, holder, alice, unit):
    pool.lose(pool.totalAssets() - 100 * unit // 10**6 + 1)
    ticket = pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(MAX_BATCH, 0) == (0, 0)
    pool.gain(2)
    assert pool.fulfil(MAX_BATCH, 0) == (1, 0)
    assert pool.deposit_ticket(ticket).assets == 0


def test_fulfil__pool_worth_nothing_with_shares__entry_closed(pool, holder, alice, unit):
    pool.lose(pool.totalAssets())
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(MAX_BATCH, 0) == (0, 0)


def test_fulfil__pool_worth_nothing_with_next_to_no_shares__entry_closed(pool, holder, alice, unit):
    pool.leave(holder, pool.balanceOf(holder) - 10**11)
    pool.lose(pool.totalAssets())
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    assert pool.fulfil(MAX_BATCH, 0) == (0, 0)


def test_fulfil__entry_closed__redemptions_go_on(pool, holder, alice, unit):
    pool.lose(pool.totalAssets() - 10)
    pool.request_deposit(alice, 10 * unit)
    pool.request_redeem(holder, pool.balanceOf(holder))
    pool.pass_redemption_wait()
    assert pool.fulfil(MAX_BATCH, MAX_BATCH) == (0, 1)


# Redemptions


def test_fulfil__redemption_of_half__pays_half(protocol, pool, holder, unit):
    shares = pool.balanceOf(holder) // 2
    pool.request_redeem(holder, shares)
    pool.pass_redemption_wait()
    assert pool.fulfil(0, 1) == (0, 1)
    (executed,) = events(pool.contract, "RedemptionExecuted")
    assert (executed.ticket, executed.controller, executed.shares, executed.assets) == (1, holder, shares, 50 * unit)
    assert pool.totalSupply() == shares
    assert pool.balanceOf(pool.address) == 0
    assert pool.tokens() == 50 * unit
    assert pool.totalAssets() == 50 * unit
    assert pool.pendingRedeemRequest(0, holder) == 0
    assert pool.claimableRedeemRequest(0, holder) == pool.maxRedeem(holder) == shares
    assert pool.maxWithdraw(holder) == 50 * unit
    assert (pool.queue().redemptions_done, pool.queue().queued_redemptions) == (1, 0)


def test_fulfil__redemption_before_its_wait__does_nothing(protocol, pool, holder):
    pool.request_redeem(holder, pool.balanceOf(holder))
    protocol.set_prices(after=REDEMPTION_WAIT - 1)
    assert pool.fulfil(MAX_BATCH, MAX_BATCH) == (0, 0)
    protocol.set_prices(after=1)
    assert pool.fulfil(MAX_BATCH, MAX_BATCH) == (0, 1)


def test_fulfil__redemption_at_a_price_from_before_the_end_of_its_wait__does_nothing(protocol, pool, holder):
    pool.request_redeem(holder, pool.balanceOf(holder))
    protocol.set_prices(after=REDEMPTION_WAIT - 1)
    protocol.wait(30)
    assert pool.fulfil(0, 1) == (0, 0)
    protocol.set_prices()
    assert pool.fulfil(0, 1) == (0, 1)


def test_fulfil__price_rose_since_the_request__pays_the_request_price(pool, holder, alice, unit):
    pool.enter(alice, 100 * unit)
    pool.request_redeem(holder, pool.balanceOf(holder))
    asked = pool.redemption_ticket(1).assets
    pool.gain(20 * unit)
    pool.pass_redemption_wait()
    before = pool.price()
    pool.fulfil(0, 1)
    assert pool.maxWithdraw(holder) == asked
    assert pool.price() > before
    assert pool.convertToAssets(pool.balanceOf(alice)) == pytest.approx(120 * unit, rel=1e-9)


def test_fulfil__price_fell_since_the_request__pays_the_price_now(pool, holder, alice, unit):
    pool.enter(alice, 100 * unit)
    pool.request_redeem(holder, pool.balanceOf(holder))
    pool.lose(20 * unit)
    pool.pass_redemption_wait()
    pool.fulfil(0, 1)
    assert pool.maxWithdraw(holder) == pytest.approx(90 * unit, rel=1e-9)
    assert pool.queue().queued_redemptions == 0


def test_fulfil__pool_with_nothing_to_pay__redemption_waits_rather_than_burn_for_nothing(pool, holder, unit):
    pool.request_redeem(holder, pool.balanceOf(holder))
    pool.lose(pool.totalAssets())
    pool.pass_redemption_wait()
    assert pool.fulfil(0, MAX_BATCH) == (0, 0)
    pool.gain(3 * unit)
    assert pool.fulfil(0, MAX_BATCH) == (0, 1)
    assert pool.maxWithdraw(holder) == pytest.approx(3 * unit, rel=1e-9)


def test_fulfil__dust_that_became_worthless__leaves_the_queue_unpaid(protocol, pool, holder, outsider, unit):
    pool.transfer(outsider, 10**6, sender=holder)
    pool.request_redeem(outsider, 10**6)
    pool.request_redeem(holder, pool.balanceOf(holder))
    pool.lose(pool.totalAssets() // 2)
    pool.pass_redemption_wait()
    assert pool.fulfil(0, MAX_BATCH) == (0, 2)
    assert (pool.maxRedeem(outsider), pool.maxWithdraw(outsider)) == (10**6, 0)
    assert pool.redeem(10**6, outsider, outsider, sender=outsider) == 0
    assert pool.maxWithdraw(holder) == pytest.approx(50 * unit, rel=1e-9)


def test_fulfil__last_shares__leave_next_to_nothing(pool, holder, unit):
    pool.gain(unit // 3)
    pool.leave(holder, pool.balanceOf(holder))
    assert pool.totalSupply() == 0
    # The virtual shares' part of a third of a token, over the request price.
    assert pool.totalAssets() <= 10


def test_fulfil__more_redemptions_than_a_batch__stops_at_the_batch(pool, holder):
    part = pool.balanceOf(holder) // (MAX_BATCH + 1)
    for _ in range(MAX_BATCH + 1):
        pool.request_redeem(holder, part)
    pool.pass_redemption_wait()
    assert pool.fulfil(NEVER, NEVER) == (0, MAX_BATCH)
    assert pool.fulfil(NEVER, NEVER) == (0, 1)


def test_fulfil__both_queues__count_apart(pool, holder, alice, unit):
    pool.request_redeem(holder, pool.balanceOf(holder))
    pool.pass_redemption_wait()
    pool.request_deposit(alice, 10 * unit)
    assert pool.fulfil(MAX_BATCH, MAX_BATCH) == (0, 1)
    pool.pass_deposit_wait()
    assert pool.fulfil(MAX_BATCH, MAX_BATCH) == (1, 0)


def test_fulfil__deposit_and_redemption_in_one_call__at_one_price(pool, holder, alice, unit):
    pool.request_redeem(holder, pool.balanceOf(holder) // 2)
    pool.request_deposit(alice, 30 * unit)
    pool.pass_redemption_wait()
    before = pool.price()
    assert pool.fulfil(1, 1) == (1, 1)
    assert pool.maxWithdraw(holder) == 50 * unit
    assert pool.convertToAssets(pool.maxMint(alice)) == 30 * unit
    assert pool.totalAssets() == 80 * unit
    assert pool.price() >= before


# The token


def test_fulfil__token_that_returns_false__reverts(protocol, pool, holder, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    pool.request_redeem(holder, pool.balanceOf(holder))
    pool.pass_redemption_wait()
    protocol.token.set_refusing(True)
    for deposits, redemptions in ((1, 0), (0, 1)):
        with boa.reverts("clearing_house: transfer failed"):
            pool.fulfil(deposits, redemptions)


def reentries(pool):
    return {
        "fulfil": pool.fulfil.prepare_calldata(0, 0),
        "setOperator": pool.setOperator.prepare_calldata(pool.address, True),
        "totalAssets": pool.totalAssets.prepare_calldata(),
        "queue": pool.queue.prepare_calldata(),
        "deposit": pool.deposit.prepare_calldata(1, pool.protocol.owner, pool.protocol.owner),
        "requestRedeem": pool.requestRedeem.prepare_calldata(1, pool.protocol.owner, pool.protocol.owner),
    }


@pytest.fixture
def ready_for_everything(protocol, pool, holder, alice, bob, unit):
    """Something to execute each way, to claim each way, and to take back."""
    pool.request_deposit(alice, 10 * unit)
    pool.request_redeem(holder, pool.balanceOf(holder) // 2)
    pool.pass_redemption_wait()
    pool.fulfil(1, 1)
    pool.request_redeem(holder, pool.balanceOf(holder))
    pool.request_deposit(bob, 10 * unit)
    protocol.wait(8 * 86_400)
    protocol.set_prices()


@pytest.mark.parametrize("reentry", ["fulfil", "setOperator", "totalAssets", "queue", "deposit", "requestRedeem"])
@pytest.mark.usefixtures("ready_for_everything")
def test_reentry__through_the_token__reverts(protocol, pool, holder, alice, bob, unit, reentry):
    calls = {
        "requestDeposit": lambda: pool.requestDeposit(10 * unit, alice, alice, sender=alice),
        "deposits": lambda: pool.fulfil(1, 0),
        "redemptions": lambda: pool.fulfil(0, 1),
        "redeem": lambda: pool.redeem(pool.maxRedeem(holder), holder, holder, sender=holder),
        "withdraw": lambda: pool.withdraw(unit, holder, holder, sender=holder),
        "cancel": lambda: pool.cancel_deposit(3, bob, sender=bob),
    }
    for call in calls.values():
        protocol.token.set_hook(pool.address, reentries(pool)[reentry])
        with pytest.raises(boa.BoaError), boa.env.anchor():
            call()
        # The hook itself works: what is not locked, it may call.
        protocol.token.set_hook(pool.address, pool.balanceOf.prepare_calldata(alice))
        with boa.env.anchor():
            call()


def test_fulfil__within_a_call_of_the_clearing_house__reverts(protocol, pool, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    protocol.fund(alice, unit)
    protocol.token.set_hook(pool.address, pool.fulfil.prepare_calldata(1, 0))
    with pytest.raises(boa.BoaError):
        protocol.clearing_house.deposit(account_of(alice), unit, sender=alice)
