"""Accounts below maintenance are closed as far as it takes, the healthy are left alone, and every loss has its bearer."""

import boa
import pytest

from everstock.chain.in_process import Protocol, account_of, deployer_of, unpack_legs
from everstock.chain.transactions import reason_of

from .views import PENALTY_RATE, REWARD_SHARE, WAD, Desk, closed_form

# Prices of BTC, from 120,000, at which the writer of 100 calls on 20 tokens is, in this order: healthy; below
# maintenance but worth more than the penalty; worth less than the penalty; bankrupt.
HEALTHY, WEAK, BROKE, BANKRUPT = 125_000, 131_000, 143_000, 156_000


def test_liquidate__nobody__reverts(protocol, liquidator):
    with boa.reverts("liquidator: no accounts"):
        protocol.liquidator.liquidate([], [], sender=liquidator)


# Healthy


def test_liquidate__healthy__is_passed_over_and_stays_as_it_is(protocol, desk, liquidator, writer):
    protocol.set_prices(after=60, BTC=HEALTHY)
    before, health = protocol.account(writer), desk.health(writer)
    assert not health.is_liquidatable
    assert protocol.liquidate(writer, by=liquidator) == [0]
    assert desk.events("Liquidated") == desk.events("BadDebt") == []
    assert protocol.account(writer) == before
    assert desk.health(writer) == health
    assert desk.cash(liquidator) == 0


@pytest.mark.parametrize("tokens", [0, 10])
def test_liquidate__account_without_legs__is_passed_over(protocol, liquidator, tokens):
    trader = protocol.trader("trader", tokens) if tokens else protocol.actor("trader")
    assert protocol.liquidate(trader, by=liquidator) == [0]


def test_liquidate__equity_of_exactly_maintenance__is_passed_over(protocol, desk, liquidator, writer):
    """A unit less is not."""
    protocol.set_prices(after=60, BTC=WEAK)
    health = desk.health(writer)
    protocol.deposit(writer, health.maintenance - health.equity - 1)
    with boa.env.anchor():
        assert protocol.liquidate(writer, by=liquidator) != [0]
    protocol.deposit(writer, 1)
    assert desk.health(writer).equity == health.maintenance
    assert protocol.liquidate(writer, by=liquidator) == [0]


# In part


def test_liquidate__below_maintenance__closes_the_closed_form_and_the_rest_stands_at_initial_ratio(
    protocol, desk, liquidator, writer
):
    """Invariant 8."""
    protocol.set_prices(after=60, BTC=WEAK)
    before, legs = desk.health(writer), unpack_legs(protocol.account(writer).legs)
    assert before.is_liquidatable
    fraction = closed_form(before)
    assert 0 < fraction < WAD
    assert protocol.liquidate(writer, by=liquidator) == [fraction]

    ((_, units, _),) = legs
    ((series, left, _),) = unpack_legs(protocol.account(writer).legs)
    assert series == desk.btc_call
    assert left == -(-units * (WAD - fraction) // WAD)
    after = desk.health(writer)
    assert after.initial <= after.equity <= after.initial + after.initial // 10**15
    assert not after.is_liquidatable
    assert protocol.liquidate(writer, by=liquidator) == [0]


def test_liquidate__penalty__from_cash_a_fifth_to_the_caller_the_rest_to_insurance(
    protocol, desk, liquidator, writer
):
    protocol.set_prices(after=60, BTC=WEAK)
    before, insurance = desk.health(writer), desk.ledgers().insurance
    (fraction,) = protocol.liquidate(writer, by=liquidator)
    (event,) = desk.events("Liquidated")
    penalty = int(PENALTY_RATE * before.scenario_sum * fraction / WAD)
    reward = int(penalty * REWARD_SHARE)
    assert (event.account, event.rewarded) == (account_of(writer), account_of(liquidator))
    assert (event.fraction, event.scenario_sum, event.gain) == (fraction, before.scenario_sum, before.gain)
    assert (event.penalty, event.reward) == (penalty, reward)
    assert (event.cash, event.claim) == (before.equity - penalty, 0)
    assert reward > protocol.parameters.reward_floor
    assert desk.cash(liquidator) == reward
    swept = sum(one.insurance for one in desk.events("Swept"))
    assert desk.ledgers().insurance == insurance + penalty - reward + swept
    assert desk.cash(writer) == before.equity - penalty
    desk.check_conservation(writer, liquidator)


def test_liquidate__no_fee_and_no_impact(protocol, desk, liquidator, writer):
    """What leaves the account is its loss and the penalty."""
    protocol.set_prices(after=60, BTC=WEAK)
    before, treasury = desk.health(writer), desk.ledgers().treasury
    main = desk.ledgers().main
    protocol.liquidate(writer, by=liquidator)
    swept = sum(one.insurance + one.treasury for one in desk.events("Swept"))
    assert desk.ledgers().main == main - before.gain - swept
    assert desk.ledgers().treasury - treasury == sum(one.treasury for one in desk.events("Swept"))


def test_liquidate__hedged_book__stays_hedged(protocol, desk, liquidator):
    """All legs shrink by the same fraction, but for less than a unit."""
    trader = protocol.trader("trader", 20)
    protocol.trade(trader, (desk.btc_call, -100), (desk.btc_put, -50), (desk.eth_call, 20), (desk.eth_put, -10))
    protocol.set_prices(after=60, BTC=WEAK)
    before = protocol.units(trader)
    (fraction,) = protocol.liquidate(trader, by=liquidator)
    assert 0 < fraction < WAD
    after = protocol.units(trader)
    assert list(after) == list(before)
    for series, units in before.items():
        # Truncated: what is kept never outweighs the fraction.
        kept = abs(units) * (WAD - fraction) // WAD
        assert after[series] == (kept if units > 0 else -kept)
    health = desk.health(trader)
    assert health.initial - 10 <= health.equity <= health.initial + health.initial // 10**12


def test_liquidate__eight_legs__the_same_fraction_of_each(protocol, desk, liquidator):
    ids = [desk.btc_call, desk.btc_put, desk.eth_call, desk.eth_put]
    ids += [protocol.list_series(name, m) for name in ("BTC", "ETH") for m in (0.9, 1.1)]
    writer = protocol.trader("writer of eight", 40)
    protocol.trade(writer, *[(id_, -25) for id_ in ids])
    while not desk.health(writer).is_liquidatable:
        protocol.set_prices(after=700, BTC=protocol.index["BTC"] * 1.02, ETH=protocol.index["ETH"] * 1.02)
        protocol.clearing_house.checkpoint()
    before = protocol.units(writer)
    (fraction,) = protocol.liquidate(writer, by=liquidator)
    assert 0 < fraction < WAD
    after = protocol.units(writer)
    assert list(after) == ids
    for id_, units in before.items():
        assert after[id_] == -(-units * (WAD - fraction) // WAD)


def test_liquidate__units_of_the_series_and_the_pools_risk__follow(protocol, desk, liquidator, writer):
    protocol.set_prices(after=60, BTC=WEAK)
    protocol.clearing_house.checkpoint()
    before = desk.market()
    (fraction,) = protocol.liquidate(writer, by=liquidator)
    after = desk.market()
    assert after.exposures[0].short_face == -protocol.units(writer)[desk.btc_call]
    assert after.requirement < before.requirement
    assert after.open_legs == before.open_legs == 1
    # What remains of the delta is what remains of the face.
    kept = before.exposures[0].delta * (WAD - fraction) // WAD
    assert abs(after.exposures[0].delta - kept) <= 2**50


# In full


def test_liquidate__worth_no_more_than_the_penalty__closes_all_and_takes_what_is_left(
    protocol, desk, liquidator, writer
):
    protocol.set_prices(after=60, BTC=BROKE)
    before = desk.health(writer)
    assert 0 < before.equity <= PENALTY_RATE * before.scenario_sum
    assert protocol.liquidate(writer, by=liquidator) == [WAD]
    (event,) = desk.events("Liquidated")
    assert event.penalty == before.equity
    assert event.reward == int(before.equity * REWARD_SHARE) == desk.cash(liquidator)
    assert protocol.units(writer) == {} and desk.cash(writer) == 0
    assert desk.events("BadDebt") == []
    assert desk.market().open_legs == 0 and protocol.risk_book.market_words().owed == 0
    desk.check_conservation(writer, liquidator)


def test_liquidate__rest_would_be_smaller_than_the_smallest_account__closes_all(protocol, desk, liquidator):
    """Below initial_ratio * min_margin; the penalty is the ordinary one and the owner keeps what is left."""
    trader = protocol.trader("trader", 0.3)
    protocol.trade(trader, (desk.btc_call, -1.4))
    protocol.set_prices(after=60, BTC=133_000)
    before = desk.health(trader)
    assert before.is_liquidatable and before.equity > PENALTY_RATE * before.scenario_sum
    assert closed_form(before) < WAD
    assert protocol.liquidate(trader, by=liquidator) == [WAD]
    (event,) = desk.events("Liquidated")
    assert event.penalty == int(PENALTY_RATE * before.scenario_sum)
    assert desk.cash(trader) == before.equity - event.penalty > 0


@pytest.mark.parametrize(("btc", "is_floor"), [(112_000, True), (100_000, False)], ids=["floor", "all of the penalty"])
def test_liquidate__reward__is_at_least_its_floor_and_at_most_the_penalty(protocol, desk, liquidator, btc, is_floor):
    """A fifth of a small penalty would not pay for the gas: a holder of few calls that fell below the least margin."""
    small, floor = protocol.trader("small", 0.257), protocol.parameters.reward_floor
    protocol.trade(small, (desk.btc_call, 5))
    insurance = desk.ledgers().insurance
    protocol.set_prices(after=60, BTC=btc)
    assert desk.health(small).is_liquidatable
    assert protocol.liquidate(small, by=liquidator) == [WAD]
    (event,) = desk.events("Liquidated")
    assert int(event.penalty * REWARD_SHARE) < floor
    assert (event.penalty >= floor) == is_floor
    assert event.reward == (floor if is_floor else event.penalty) == desk.cash(liquidator)
    swept = sum(one.insurance for one in desk.events("Swept"))
    assert desk.ledgers().insurance == insurance + event.penalty - event.reward + swept


# Bankrupt


def test_liquidate__bankrupt__earns_nothing_and_insurance_pays_main(protocol, desk, liquidator, writer):
    protocol.set_prices(after=60, BTC=BANKRUPT)
    before, ledgers = desk.health(writer), desk.ledgers()
    loss = -before.equity
    assert 0 < loss < ledgers.insurance
    assert protocol.liquidate(writer, by=liquidator) == [WAD]
    ((bad_debt,), (event,)) = desk.events("BadDebt"), desk.events("Liquidated")
    assert (bad_debt.account, bad_debt.loss, bad_debt.insured) == (account_of(writer), loss, loss)
    assert (event.fraction, event.penalty, event.reward, event.cash, event.claim) == (WAD, 0, 0, 0, 0)
    assert desk.cash(liquidator) == desk.cash(writer) == 0
    after = desk.ledgers()
    swept = desk.events("Swept")
    assert after.insurance == ledgers.insurance - loss + sum(one.insurance for one in swept)
    assert after.main == ledgers.main - before.gain - sum(one.insurance + one.treasury for one in swept)
    desk.check_conservation(writer, liquidator)


def test_liquidate__bankrupt_beyond_insurance__the_rest_is_mains_loss(desk, liquidator):
    protocol = Protocol(insurance_deposit=1)
    view = Desk(protocol, desk.lens, protocol.list_series(), 0, 0, 0)
    writer = protocol.trader("writer", 20)
    protocol.trade(writer, (view.btc_call, -100))
    protocol.set_prices(after=60, BTC=BANKRUPT)
    protocol.clearing_house.checkpoint()
    before, ledgers = view.health(writer), view.ledgers()
    assert -before.equity > ledgers.insurance > 0 == ledgers.treasury
    protocol.liquidate(writer, by=liquidator)
    (bad_debt,) = view.events("BadDebt")
    assert (bad_debt.loss, bad_debt.insured) == (-before.equity, ledgers.insurance)
    after = view.ledgers()
    assert after.insurance == 0
    assert after.main == ledgers.main + before.cash + ledgers.insurance
    view.check_conservation(writer)


def test_liquidate__insurance_empty__main_bears_it_all(desk, liquidator):
    protocol = Protocol(insurance_deposit=0)
    view = Desk(protocol, desk.lens, protocol.list_series(), 0, 0, 0)
    writer = protocol.trader("writer", 20)
    protocol.trade(writer, (view.btc_call, -100))
    protocol.set_prices(after=60, BTC=BANKRUPT)
    protocol.liquidate(writer, by=liquidator)
    (bad_debt,) = view.events("BadDebt")
    assert bad_debt.loss > bad_debt.insured == 0
    assert view.cash(writer) == view.ledgers().insurance == 0


# In a settle window


def test_liquidate__in_a_settle_window__works(protocol, desk, liquidator, writer):
    protocol.set_prices(after=60, BTC=BROKE)
    protocol.clearing_house.checkpoint()
    assert desk.market().window_end > protocol.now
    assert protocol.liquidate(writer, by=liquidator) == [WAD]


def test_liquidate__gain_in_a_settle_window__becomes_a_claim(protocol, desk, liquidator, writer):
    """A weak account that was settled at the worst price has gained a little since: in a window nobody is paid."""
    protocol.set_prices(after=60, BTC=133_000)
    protocol.clearing_house.settle(account_of(writer))
    protocol.set_prices(after=60, BTC=132_800)
    before = desk.health(writer)
    assert desk.market().is_booked and before.is_liquidatable and before.gain > 0
    (fraction,) = protocol.liquidate(writer, by=liquidator)
    assert 0 < fraction < WAD
    (event,) = desk.events("Liquidated")
    assert event.claim == before.gain == desk.ledgers().claims
    assert event.cash == before.cash - event.penalty
    # It counts as equity all the same.
    after = desk.health(writer)
    assert after.initial <= after.equity <= after.initial + after.initial // 10**15


def test_liquidate__gain_outside_a_window__is_paid(protocol, desk, liquidator, writer):
    protocol.set_prices(after=60, BTC=131_900)
    protocol.clearing_house.settle(account_of(writer))
    protocol.set_prices(after=60, BTC=131_800)
    before = desk.health(writer)
    assert not desk.market().is_booked and before.is_liquidatable and before.gain > 0
    protocol.liquidate(writer, by=liquidator)
    (event,) = desk.events("Liquidated")
    assert event.claim == desk.ledgers().claims == 0
    assert event.cash == before.equity - event.penalty


def test_liquidate__equity_is_mostly_a_claim__the_penalty_takes_no_more_than_cash(
    protocol, desk, liquidator, writer
):
    """Settled at the worst price of a window, then up again: the gain is a claim, and only cash pays a penalty."""
    protocol.set_prices(after=60, BTC=BROKE)
    protocol.clearing_house.settle(account_of(writer))
    protocol.set_prices(after=60, BTC=139_000)
    before = desk.health(writer)
    fraction = closed_form(before)
    assert fraction < WAD and PENALTY_RATE * before.scenario_sum * fraction / WAD > before.cash
    assert protocol.liquidate(writer, by=liquidator) == [fraction]
    (event,) = desk.events("Liquidated")
    assert event.penalty == before.cash
    assert event.reward == int(before.cash * REWARD_SHARE)
    assert (event.cash, event.claim) == (0, before.gain)


# Batches


@pytest.fixture
def crowd(protocol, desk):
    """Writers of 100 calls each that are at `BANKRUPT` what they are called here."""
    tokens = {"healthy": 60, "weak": 36, "broke": 30, "bankrupt": 20}
    traders = {name: protocol.trader(name, amount) for name, amount in tokens.items()}
    for trader in traders.values():
        protocol.trade(trader, (desk.btc_call, -100))
    return traders


def test_liquidate__batch__each_its_own_way_with_one_checkpoint(protocol, desk, liquidator, crowd):
    protocol.set_prices(after=60, BTC=BANKRUPT)
    healths = {name: desk.health(trader) for name, trader in crowd.items()}
    fractions = dict(zip(crowd, protocol.liquidate(*crowd.values(), by=liquidator), strict=True))
    assert len(desk.events("Checkpoint")) == 1
    assert fractions == {"healthy": 0, "weak": closed_form(healths["weak"]), "broke": WAD, "bankrupt": WAD}
    assert fractions["weak"] < WAD
    liquidated, bad_debts = desk.events("Liquidated"), desk.events("BadDebt")
    assert [one.account for one in liquidated] == [account_of(crowd[name]) for name in ("weak", "broke", "bankrupt")]
    assert [one.account for one in bad_debts] == [account_of(crowd["bankrupt"])]
    assert desk.cash(liquidator) == sum(one.reward for one in liquidated)
    desk.check_conservation(liquidator, *crowd.values())


def test_liquidate__batch_in_a_market_without_equity__with_one_checkpoint_too(desk, liquidator):
    """When every price finds one due: a pool of 1,000 that stands against calls on 1,200."""
    protocol = Protocol(main_deposit=1_000)
    view = Desk(protocol, desk.lens, protocol.list_series(), 0, 0, 0)
    writers = [protocol.trader(f"writer {i}", 20) for i in range(4)]
    for trader in writers:
        protocol.trade(trader, (view.btc_call, -100))
    protocol.trade(protocol.trader("holder", 200), (view.btc_call, 1_200))
    protocol.set_prices(after=60, BTC=300_000)
    assert protocol.liquidate(*writers, by=liquidator) == [WAD] * 4
    assert view.market().depth == 0 and view.market().equity < 0
    protocol.set_prices(after=60)
    protocol.liquidate(*writers, by=liquidator)
    assert len(view.events("Checkpoint")) == 1


def test_liquidate__the_same_account_twice__is_healthy_the_second_time(protocol, liquidator, writer):
    protocol.set_prices(after=60, BTC=WEAK)
    first, second = protocol.liquidate(writer, writer, by=liquidator)
    assert first != 0 and second == 0


def test_liquidate__thirty_two_accounts__is_the_most(protocol, liquidator, writer):
    protocol.set_prices(after=60, BTC=WEAK)
    accounts = [account_of(writer), *range(2**200, 2**200 + 31)]
    fractions = protocol.liquidator.liquidate(accounts, [], sender=liquidator)
    assert fractions[0] != 0 and fractions[1:] == [0] * 31
    with boa.reverts():
        protocol.liquidator.liquidate([*accounts, 1], [], sender=liquidator)


def test_liquidate__oneself__is_a_liquidation_like_any_other(protocol, desk, writer):
    """The reward comes back, the rest of the penalty does not."""
    protocol.set_prices(after=60, BTC=WEAK)
    before = desk.health(writer)
    (fraction,) = protocol.liquidate(writer, by=writer)
    (event,) = desk.events("Liquidated")
    assert fraction == closed_form(before)
    assert event.account == event.rewarded == account_of(writer)
    assert desk.cash(writer) == before.equity - event.penalty + event.reward


def test_liquidate__by_who_has_a_live_order__reverts_where_there_is_a_reward(protocol, desk, writer):
    """A reward would be margin that comes under the order: whether that passes would be decided in sight of its price."""
    hunter = protocol.trader("hunter")
    protocol.set_prices(after=60, BTC=WEAK)
    order = protocol.request(hunter, (desk.btc_call, 1))
    with boa.reverts("clearing_house: live order"):
        protocol.liquidate(writer, by=hunter)
    assert protocol.liquidate(hunter, by=hunter) == [0]
    protocol.publish(after=protocol.parameters.order_delay)
    assert protocol.execute(order) == [True]
    before = desk.health(writer)
    assert protocol.liquidate(writer, by=hunter) == [closed_form(before)]


# Prices


def test_liquidate__stored_price_older_than_15_seconds__reverts(protocol, liquidator, writer):
    protocol.set_prices(after=60, BTC=WEAK)
    protocol.wait(15)
    with boa.env.anchor():
        assert protocol.liquidate(writer, by=liquidator) != [0]
    protocol.wait(1)
    with boa.reverts("price_oracle: stale price"):
        protocol.liquidate(writer, by=liquidator)


def test_liquidate__with_a_price__stores_it_first_and_returns_what_it_did_not_cost(
    protocol, desk, liquidator, writer
):
    update = protocol.publish(after=60, BTC=WEAK)
    before = boa.env.get_balance(liquidator)
    fractions = protocol.liquidator.liquidate([account_of(writer)], [update], value=10**15, sender=liquidator)
    assert fractions[0] != 0
    assert boa.env.get_balance(liquidator) == before - protocol.pyth.getUpdateFee([update])
    assert boa.env.get_balance(protocol.liquidator.address) == 0
    stored = protocol.oracle.word(0)
    assert (stored & 2**64 - 1, stored >> 64 & 2**32 - 1) == (WEAK * 10**8, protocol.now)


def test_liquidate__with_exactly_the_fee__needs_no_return(protocol, liquidator, writer):
    update = protocol.publish(after=60, BTC=WEAK)
    fee = protocol.pyth.getUpdateFee([update])
    assert protocol.liquidator.liquidate([account_of(writer)], [update], value=fee, sender=liquidator) != [0]


def test_liquidate__with_a_price_but_without_its_fee__reverts(protocol, liquidator, writer):
    update = protocol.publish(after=60, BTC=WEAK)
    with boa.reverts("price_oracle: fee not covered"):
        protocol.liquidator.liquidate([account_of(writer)], [update], sender=liquidator)


def test_liquidate__ether_without_a_price__comes_back(protocol, liquidator, writer):
    protocol.set_prices(after=60, BTC=WEAK)
    before = boa.env.get_balance(liquidator)
    protocol.liquidator.liquidate([account_of(writer)], [], value=10**15, sender=liquidator)
    assert boa.env.get_balance(liquidator) == before


def test_liquidate__caller_that_takes_no_ether__reverts_unless_none_is_left(protocol, desk, writer):
    caller = boa.loads("# pragma version 0.4.3\n")
    boa.env.set_balance(caller.address, 10**18)
    update = protocol.publish(after=60, BTC=WEAK)
    fee = protocol.pyth.getUpdateFee([update])
    accounts = [account_of(writer)]
    with boa.reverts("liquidator: refund failed"):
        protocol.liquidator.liquidate(accounts, [update], value=fee + 1, sender=caller.address)
    assert protocol.liquidator.liquidate(accounts, [update], value=fee, sender=caller.address) != [0]
    assert desk.cash(caller.address) > 0


def test_liquidator__ether_sent_to_it__is_refused(protocol, liquidator):
    sent = boa.env.execute_code(to_address=protocol.liquidator.address, sender=liquidator, value=1)
    assert sent.is_error and reason_of(sent.output) == "liquidator: no ether"


@pytest.mark.parametrize("factor", [1.02, 0.98])
def test_liquidate__price_beyond_the_narrow_gap__goes_on(protocol, desk, liquidator, writer, factor):
    """Pyth leads in a crash: what is restricted is risk, not its removal."""
    update = protocol.publish(after=60, BTC=WEAK)
    answer = round(WEAK * factor * 10**8)
    protocol.chainlink["BTC"].publish(answer, protocol.now, protocol.now, sender=protocol.operator)
    protocol.store(update)
    assert protocol.oracle.word(0) >> 176 == 1
    assert protocol.liquidate(writer, by=liquidator) != [0]


# Deployment and callers


def test_constructor__knows_its_market_and_reward(protocol):
    contract = protocol.liquidator
    assert contract.CLEARING_HOUSE() == protocol.clearing_house.address
    assert contract.ORACLE() == protocol.oracle.address
    assert contract.REWARD_SHARE() == protocol.parameters.reward_share
    assert contract.REWARD_FLOOR() == protocol.parameters.reward_floor


def test_constructor__reward_share_above_all_of_the_penalty__reverts(protocol):
    arguments = (protocol.clearing_house.address, protocol.oracle.address, [0, 1])
    with boa.reverts("liquidator: reward share"):
        deployer_of("Liquidator").deploy(*arguments, 1_001, 0)
    assert deployer_of("Liquidator").deploy(*arguments, 1_000, 0).REWARD_SHARE() == 1_000


def test_clearing_house_liquidate__by_anyone_else__reverts(protocol, liquidator, writer):
    for caller in (liquidator, protocol.owner, protocol.order_desk.address, protocol.main_pool.address):
        with boa.reverts("clearing_house: only liquidator"):
            protocol.clearing_house.liquidate(account_of(writer), account_of(caller), 200, 0, sender=caller)
