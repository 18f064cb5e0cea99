"""Terminal settlement: the pool is exhausted for good, everybody is resolved once, every claim is paid the same part."""

from itertools import permutations

import boa
import pytest

from everstock.chain.in_process import account_of
from everstock.model.waterfall import Stage
from tests.leaning import BOUGHT, WINDOW, WRITTEN, opened
from tests.liquidity import NEVER, Pool

CRASH = 200_000
IN_SETTLEMENT = "clearing_house: in settlement"


def ledger_sum(market, *people):
    """All ledgers, the accounts of `people` included."""
    ledgers = market.house.ledgers()
    cash = sum(market.account(person).cash for person in people)
    return ledgers.main + ledgers.insurance + ledgers.treasury + cash


# When it begins


def test_settlement__third_checkpoint_without_equity_over_a_window__begins(market):
    market.move(BTC=CRASH)
    assert [event.count for event in market.events("SettlementNear")] == [1]
    market.move(after=300)
    assert [event.count for event in market.events("SettlementNear")] == [2]
    assert market.stage == Stage.ACTIVE
    market.move(after=300)
    (began,) = market.events("SettlementBegan")
    assert began.insurance == market.house.ledgers().insurance
    assert market.stage == Stage.SETTLING


@pytest.mark.parametrize(
    ("gaps", "count"),
    [
        # Too close together to count.
        ([1, 1, 1, 600], 2),
        ([179, 421], 2),
        # Enough of them, but not over a whole window.
        ([180, 180, 180], 3),
        ([300, 299], 3),
    ],
)
def test_settlement__checkpoints_too_close_or_too_soon__does_not_begin(market, gaps, count):
    market.move(BTC=CRASH)
    for gap in gaps:
        market.move(after=gap)
    assert market.stage == Stage.ACTIVE
    assert market.house.settlement().count == count
    market.pass_window()
    assert market.stage == Stage.SETTLING


def test_settlement__equity_back_in_between__starts_counting_anew(market):
    market.move(BTC=CRASH)
    market.move(after=300)
    market.move(after=60, BTC=120_000)
    market.move(after=60, BTC=CRASH)
    assert [event.count for event in market.events("SettlementNear")] == [1]
    market.move(after=300)
    assert market.stage == Stage.ACTIVE
    market.move(after=300)
    assert market.stage == Stage.SETTLING


def test_settlement__of_a_market_where_nobody_has_anything_at_stake__never_begins(market):
    """A market without providers has no equity either."""
    fresh = Pool(market.protocol, market.main_pool)
    market.trade(market.buyer, (market.call, -2_000), reduce_only=True)
    market.trade(market.writer, (market.call, 300), reduce_only=True)
    fresh.lose(market.house.ledgers().main)
    for _ in range(4):
        market.move(after=300)
    assert market.house.settlement().count == 0 and market.stage == Stage.ACTIVE


def test_settlement__claims_that_main_cannot_pay__wait_for_it_though_no_leg_and_no_window_is_open(market):
    """Whoever asks first gets no more than the others: both have the same part in the end.

    Writers go bankrupt who owed the winners more than they had. Nobody's legs are left to open a window.
    """
    other, writer = market.trader("other buyer", 100), market.trader("bigger writer", 600)
    market.trade(other, (market.call, 100))
    market.trade(writer, (market.call, -2_700))
    while market.index["BTC"] < 300_000:
        market.move(after=700, BTC=min(market.index["BTC"] * 1.08, 300_000))
    for winner in (market.buyer, other):
        market.house.settle(account_of(winner))
    for winner in (other, market.buyer):
        market.trade(winner, (market.call, -BOUGHT), reduce_only=True)
    market.liquidate(market.writer, writer)
    market.move(after=60)
    (checkpoint,) = market.events("Checkpoint")
    assert checkpoint.equity < 0 and checkpoint.window_end < market.now
    assert 0 < market.house.ledgers().main < market.house.ledgers().claims
    for winner in (market.buyer, other):
        assert market.account(winner).claim > 0
        with boa.reverts("clearing_house: claims are frozen"):
            market.house.pay_claim(account_of(winner))
    market.move(after=300)
    market.move(after=300)
    market.settle_all()
    settlement = market.house.settlement()
    assert settlement.paid < settlement.claims
    for winner in (market.buyer, other):
        claim = market.account(winner).claim
        assert market.house.pay_claim(account_of(winner)) == claim * settlement.paid // settlement.claims


def test_settlement__nothing_left_to_scale__begins_at_once(market):
    """E is positive, but R is more than a million times as much."""
    market.move(BTC=122_000)
    equity = market.house.equity()
    Pool(market.protocol, market.main_pool).lose(equity - 10**12)
    market.house.checkpoint()
    assert 0 < market.scale < 10**12 and market.house.equity() > 0
    assert market.stage == Stage.SETTLING


# What can be done meanwhile


def test_settling__everything_but_resolving_and_taking_free_cash__reverts(market):
    market.exhaust()
    buyer, saver = account_of(market.buyer), market.saver
    for reason, call in {
        IN_SETTLEMENT: lambda: market.house.deposit(account_of(saver), 1, sender=saver),
        "clearing_house: claims are frozen": lambda: market.house.pay_claim(buyer),
        "clearing_house: accounts to resolve": market.house.finalize,
        "risk_book: in settlement": market.house.checkpoint,
    }.items():
        with boa.reverts(reason):
            call()
    for call in (
        lambda: market.trade(market.buyer, (market.call, -1)),
        lambda: market.liquidate(market.writer),
        lambda: market.risk_parameters.set_parameter(0, 1, sender=market.timelock),
    ):
        with boa.reverts("risk_book: in settlement"):
            call()
    for call in (
        lambda: market.series_listing.list_series(1, 4_500 * 10**8, False),
        lambda: market.series_listing.give_notice(market.call),
    ):
        with boa.reverts():
            call()


def test_settling__cash_without_legs__is_free_at_once(market):
    market.exhaust()
    market.wait(86_400)
    market.house.withdraw(account_of(market.saver), 70 * market.unit, market.saver, sender=market.saver)
    assert market.token.balanceOf(market.saver) == 70 * market.unit


def test_settling__a_withdrawal_resolves_the_account_first(market):
    market.exhaust()
    cash = market.account(market.buyer).cash
    market.house.withdraw(account_of(market.buyer), cash, market.buyer, sender=market.buyer)
    assert market.token.balanceOf(market.buyer) == cash
    left = market.account(market.buyer)
    assert left.cash == 0 and left.claim > 0 and not any(left.legs)


def test_settle__in_settlement__resolves(market):
    market.exhaust()
    assert market.house.settle(account_of(market.writer))
    assert not market.units(market.writer)


def test_pools__in_settlement__take_no_request_and_execute_none(market):
    for pool, lp in ((market.main_pool, market.lp), (market.insurance_pool, market.insurer)):
        pool.requestDeposit(market.unit, lp, lp, sender=lp)
        pool.requestRedeem(pool.balanceOf(lp) // 2, lp, lp, sender=lp)
    market.exhaust()
    market.wait(10 * 86_400)
    for pool, lp in ((market.main_pool, market.lp), (market.insurance_pool, market.insurer)):
        with boa.reverts("pool: in settlement"):
            pool.requestDeposit(market.unit, lp, lp, sender=lp)
        with boa.reverts("pool: in settlement"):
            pool.requestRedeem(1, lp, lp, sender=lp)
        with boa.reverts(IN_SETTLEMENT):
            pool.fulfil(1, 1)
        # What waits to enter goes back; nobody need wait until it is overdue.
        assert pool.cancel_deposit(1 + (pool.queue().deposits_done == 1), lp, sender=lp) == market.unit


def test_resolve_and_finalize__before_settlement__revert(market):
    for call in (lambda: market.house.resolve([account_of(market.buyer)]), market.house.finalize):
        with boa.reverts("clearing_house: not in settlement"):
            call()


# Who gets what


def test_finalize__pays_every_claim_the_same_part_and_cuts_no_principal(market):
    other = market.trader("other buyer", 100)
    market.trade(other, (market.call, 100))
    people = (market.buyer, other, market.writer, market.saver)
    deposited = {person: market.account(person).cash for person in people}
    before = ledger_sum(market, *people)
    market.exhaust()
    market.settle_all(market.writer, market.buyer, other)
    settlement = market.house.settlement()
    assert settlement.paid < settlement.claims

    for person in (market.buyer, other):
        account = market.account(person)
        assert account.cash == deposited[person]
        worth = account.claim * settlement.paid // settlement.claims
        assert market.house.pay_claim(account_of(person)) == worth
        assert market.account(person).cash == deposited[person] + worth
    assert market.account(market.saver).cash == deposited[market.saver]
    assert ledger_sum(market, *people) == before
    # Invariant 9: less than a unit per account is left behind.
    ledgers = market.house.ledgers()
    assert ledgers.claims <= 2 and ledgers.main == ledgers.claims and ledgers.insurance == 0


def test_finalize__order_of_resolution__makes_no_difference(market):
    other = market.trader("other buyer", 100)
    market.trade(other, (market.call, 100))
    market.exhaust()
    outcomes = set()
    for order in permutations((market.writer, market.buyer, other)):
        with boa.env.anchor():
            market.settle_all(*order)
            settlement, ledgers = market.house.settlement(), market.house.ledgers()
            cash = tuple(market.account(person).cash for person in (market.writer, market.buyer, other))
            outcomes.add((settlement.claims, settlement.paid, ledgers.treasury, cash))
    assert len(outcomes) == 1


def test_resolve__a_bankrupt_loser__insurance_pays_what_his_margin_lacks(market):
    market.exhaust()
    insurance = market.house.ledgers().insurance
    market.house.resolve([account_of(market.writer)])
    (debt,) = market.events("BadDebt")
    draws = {event.layer: (event.amount, event.left) for event in market.events("LayerDrawn")}
    (settled,) = market.events("Settled")
    assert draws[1] == (-settled.gain - debt.loss, 0)
    assert draws[2] == (debt.insured, insurance - debt.insured)
    assert sum(amount for amount, _ in draws.values()) == -settled.gain
    assert market.account(market.writer).cash == 0


@pytest.mark.parametrize("spent", [True, False])
def test_finalize__says_what_the_last_layers_bore(market, spent):
    """Whether insurance was spent on a bankrupt writer, or is there to pay winners with."""
    if not spent:
        market.trade(market.writer, (market.call, WRITTEN), reduce_only=True)
    market.exhaust()
    market.house.resolve([account_of(person) for person in (market.writer, market.buyer)])
    before = market.house.ledgers()
    assert (before.insurance == 0) == spent
    market.house.finalize()
    (finished,) = market.events("SettlementFinished")
    draws = {event.layer: event.amount for event in market.events("LayerDrawn")}
    assert draws.get(4, 0) == max(0, min(before.claims - before.main, before.insurance))
    assert draws[5] == finished.claims - finished.paid
    assert finished.paid == before.main + before.insurance


def test_finalize__more_than_enough__insurance_has_back_what_it_paid_and_main_the_rest(market):
    market.recover()
    insurance = market.house.settlement().insurance
    market.house.resolve([account_of(market.writer)])
    assert market.house.ledgers().insurance < insurance
    market.settle_all(market.buyer)
    settlement, ledgers = market.house.settlement(), market.house.ledgers()
    assert settlement.paid == settlement.claims
    assert ledgers.insurance == insurance
    assert market.main_pool.totalAssets() == ledgers.main - ledgers.claims > 0


def test_finalize__pools_without_shares__leave_the_rest_to_the_treasury(nobodys):
    market = opened(nobodys)
    market.recover()
    before = market.house.ledgers()
    market.settle_all(market.writer, market.buyer)
    after, settlement = market.house.ledgers(), market.house.settlement()
    assert after.insurance == 0 and after.main == after.claims == settlement.paid
    assert after.treasury > before.treasury + settlement.insurance


def test_settled__everything_but_claims_cash_and_redemptions__reverts(market):
    market.exhaust()
    market.settle_all(market.writer, market.buyer)
    assert market.stage == Stage.SETTLED
    for reason, call in {
        IN_SETTLEMENT: lambda: market.house.deposit(account_of(market.saver), 1, sender=market.saver),
        "clearing_house: not in settlement": market.house.finalize,
        "risk_book: in settlement": market.house.checkpoint,
        "pool: in settlement": lambda: market.main_pool.requestDeposit(market.unit, market.lp, market.lp, sender=market.lp),
    }.items():
        with boa.reverts(reason):
            call()
    claim = market.account(market.buyer).claim
    market.house.withdraw(account_of(market.buyer), 400 * market.unit, market.buyer, sender=market.buyer)
    assert claim > 0 and market.account(market.buyer).claim == 0


def test_pay_claim__twice_at_the_end__pays_once(market):
    market.exhaust()
    market.settle_all(market.writer, market.buyer)
    assert market.house.pay_claim(account_of(market.buyer)) > 0
    assert market.house.pay_claim(account_of(market.buyer)) == 0


def test_settled__providers_redeem_what_is_left(market):
    market.recover()
    market.settle_all(market.writer, market.buyer)
    for contract, lp in ((market.main_pool, market.lp), (market.insurance_pool, market.insurer)):
        pool = Pool(market.protocol, contract)
        worth = contract.totalAssets()
        pool.request_redeem(lp, contract.balanceOf(lp))
        assert contract.fulfil(0, 1) == (0, 0)
        # The cooldown still runs, but no price is needed.
        market.wait(3 * 86_400)
        assert contract.fulfil(1, 1) == (0, 1)
        paid = contract.redeem(contract.maxRedeem(lp), lp, lp, sender=lp)
        assert worth - 2 <= paid <= worth
    ledgers = market.house.ledgers()
    assert ledgers.main - ledgers.claims <= 2 and ledgers.insurance <= 2
    assert market.main_pool.due() == (NEVER, NEVER)


def test_settlement__while_a_window_is_open__booked_claims_are_part_of_it(market):
    market.move(BTC=CRASH)
    market.house.settle(account_of(market.buyer))
    booked = market.account(market.buyer).claim
    assert booked > 0
    market.move(after=WINDOW // 2)
    market.move(after=WINDOW // 2)
    market.settle_all(market.writer, market.buyer)
    # Less the premium of the ten minutes since.
    assert market.house.settlement().claims == pytest.approx(booked, rel=1e-4)


def test_resolve__nobody__changes_nothing(market):
    market.exhaust()
    before = market.house.ledgers()
    market.house.resolve([])
    assert market.house.ledgers() == before and market.stage == Stage.SETTLING


def test_finalize__without_a_claim__pays_none(market):
    """Nobody won: the pool has nothing, but owes insurance and the treasury their share of fees, which settlement voids."""
    market.trade(market.writer, (market.call, 300))
    market.set_prices(after=1, BTC=119_999)
    Pool(market.protocol, market.main_pool).lose(market.house.ledgers().main)
    for _ in range(3):
        market.move(after=300)
    assert market.stage == Stage.SETTLING
    market.settle_all(market.buyer)
    assert market.house.settlement().claims == 0
    assert market.house.pay_claim(account_of(market.saver)) == 0


def test_lens__in_settlement_and_after__shows_series_frozen_and_nothing_due(market):
    """Frozen at their last touch: whatever the index does, no mark moves any more."""
    market.exhaust()
    assert not market.lens.market(market.house.address).is_due
    before = market.equity(market.buyer)
    market.set_prices(after=60, BTC=90_000)
    assert market.equity(market.buyer) == before
    market.settle_all(market.buyer, market.writer)
    assert not market.lens.market(market.house.address).is_due


def test_withdraw__pool_with_less_equity_than_a_granule__reverts(market):
    """E is above 0, so no window opens, but no depth is left to trade against: what may leave waits, too."""
    market.trade(market.writer, (market.call, 300))
    market.trade(market.buyer, (market.call, -1_999))
    Pool(market.protocol, market.main_pool).lose(market.house.equity() - 10**14)
    market.house.checkpoint()
    with boa.reverts("risk_book: no equity"):
        market.house.withdraw(account_of(market.buyer), market.unit, market.buyer, sender=market.buyer)


def test_is_trading__until_settlement_begins(market):
    assert market.house.is_trading()
    market.exhaust()
    assert not market.house.is_trading()
    market.settle_all(market.buyer, market.writer)
    assert not market.house.is_trading()
