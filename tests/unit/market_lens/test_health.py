"""The state of accounts: every case once, with numbers a person can follow.

That they are right to the unit in any market is the business of test_agreement.py.
"""

import boa
import pytest

from everstock.chain.in_process import Protocol, account_of

from .views import WAD, Lens

ATM_CALL, ATM_PUT = 0, 1  # places in the list of series, on BTC


def test_health__account_without_legs__owes_and_needs_nothing(protocol, lens):
    trader = protocol.trader("trader", 10)
    health = lens.of(trader)
    assert health == (10 * protocol.unit, 0, 0, 10 * protocol.unit, 0, 0, 0, 0, False)


def test_health__unknown_account__is_empty(lens):
    assert lens.contract.health(lens.house, [12345]) == [(0, 0, 0, 0, 0, 0, 0, 0, False)]


def test_health__no_accounts__is_no_answer(lens):
    assert lens.health() == []


def test_health__written_call__gains_premium_by_the_second_and_loses_when_the_index_rises(protocol, lens, series):
    writer = protocol.trader("writer", 30)
    protocol.trade(writer, (series[ATM_CALL], -100))
    at_once = lens.of(writer)
    assert at_once.gain == 0 and at_once.legs == 1 and not at_once.is_liquidatable
    assert at_once.maintenance == at_once.scenario_sum
    assert at_once.initial == -(-at_once.maintenance * 3 // 2)

    protocol.wait(600)
    later = lens.of(writer)
    assert later.gain > 0 and later.equity == later.cash + later.gain

    protocol.set_prices(BTC=130_000)
    risen = lens.of(writer)
    # Half of a move of 8.3% at the money, and more the further it goes.
    assert -10 * WAD < risen.gain < -4 * WAD


def test_health__price_older_than_any_action_takes__is_used_as_it_is(protocol, lens, series):
    writer = protocol.trader("writer", 30)
    protocol.trade(writer, (series[ATM_CALL], -100))
    protocol.wait(86_400)
    assert lens.of(writer).gain > 0
    with boa.reverts("price_oracle: stale price"):
        protocol.clearing_house.settle(account_of(writer))


def test_health__small_account__needs_at_least_the_least_margin(protocol, lens, series):
    trader = protocol.trader("trader", 1)
    protocol.trade(trader, (series[ATM_CALL], 0.5))
    health = lens.of(trader)
    assert health.scenario_sum < health.maintenance == protocol.parameters.min_margin


def test_health__crash__writer_of_puts_is_liquidatable_then_bankrupt_and_the_holder_gains(protocol, lens, series):
    writer, holder = protocol.trader("writer", 20), protocol.trader("holder", 20)
    protocol.trade(writer, (series[ATM_PUT], -80))
    protocol.trade(holder, (series[ATM_PUT], 80))
    assert [health.is_liquidatable for health in lens.health(writer, holder)] == [False, False]

    protocol.set_prices(after=60, BTC=98_000)
    short, long = lens.health(writer, holder)
    assert short.is_liquidatable and 0 < short.equity < short.maintenance
    assert not long.is_liquidatable and long.gain > 0

    protocol.set_prices(after=60, BTC=80_000)
    short, long = lens.health(writer, holder)
    assert short.is_liquidatable and short.equity < 0
    assert long.equity > 40 * WAD


def test_health__hedged_book__is_measured_as_a_whole(protocol, lens, series):
    """A spread needs less than its legs by themselves."""
    spread, naked = protocol.trader("spread", 50), protocol.trader("naked", 50)
    protocol.trade(spread, (series[ATM_CALL], -100), (series[2], 100))
    protocol.trade(naked, (series[ATM_CALL], -100))
    of_spread, of_naked = lens.health(spread, naked)
    assert of_spread.scenario_sum < of_naked.scenario_sum
    assert of_spread.legs == 2


def test_health__retired_series__is_paid_but_needs_no_margin(protocol, lens, series):
    writer = protocol.trader("writer", 30)
    protocol.trade(writer, (series[ATM_CALL], -50))
    protocol.set_prices(after=60, BTC=121_000)
    protocol.risk_book.set_notice(series[ATM_CALL], 1, sender=protocol.series_listing.address)
    protocol.set_prices(after=60, BTC=150_000)
    frozen = lens.of(writer)
    assert -WAD < frozen.gain < 0
    assert (frozen.scenario_sum, frozen.maintenance, frozen.initial) == (0, 0, 0)
    assert frozen.legs == 1 and not frozen.is_liquidatable
    protocol.clearing_house.settle(account_of(writer))
    settled = lens.of(writer)
    assert settled.legs == settled.gain == 0 and settled.cash == frozen.equity


def test_health__hundred_accounts_over_many_series__each_as_if_asked_alone(protocol, lens, series):
    """More accounts than series, so that most legs are answered out of the call's own memory."""
    traders = [protocol.trader(f"trader {i}", 10) for i in range(12)]
    for i, trader in enumerate(traders):
        protocol.trade(trader, *[(series[(i + j) % 8], 5 if j % 2 else -5) for j in range(1 + i % 4)])
    protocol.set_prices(after=900, BTC=123_000, ETH=4_400)
    everyone = (traders * 9)[:100]
    alone = {trader: lens.of(trader) for trader in traders}
    assert lens.health(*everyone) == [alone[trader] for trader in everyone]


def test_health__series_with_ids_that_meet_in_the_calls_memory__are_told_apart(lens_contract):
    """Ids 1 and 65 share a place; so do they with what moved aside."""
    protocol = Protocol()
    lens = Lens(lens_contract, protocol)
    kept = protocol.list_series("BTC"), protocol.list_series("BTC", is_put=True)
    trader = protocol.trader("trader", 30)
    protocol.trade(trader, *[(id_, -20) for id_ in kept])
    for number in range(3, 67):
        id_ = protocol.list_series("ETH", is_put=number % 2 == 0)
        assert id_ == number
        if number in (65, 66):
            protocol.trade(trader, (id_, -20))
        else:
            protocol.risk_book.set_notice(id_, 1, sender=protocol.series_listing.address)
    protocol.set_prices(after=3_000, BTC=125_000, ETH=4_400)
    health = lens.of(trader)
    assert health.legs == 4
    with boa.env.anchor():
        protocol.clearing_house.settle(account_of(trader))
        assert protocol.account(trader).cash == health.equity
        assert lens.of(trader).scenario_sum == health.scenario_sum


def test_health__more_series_than_the_calls_memory_holds__each_as_if_asked_alone(lens_contract):
    """Of 80 series, retired but for the last sixteen."""
    protocol = Protocol(main_deposit=100_000)
    lens = Lens(lens_contract, protocol)
    traders = []
    for batch in range(5):
        ids = [protocol.list_series("BTC", 120 / strike, put) for strike in range(92, 100) for put in (False, True)]
        for half in (ids[:8], ids[8:]):
            traders.append(protocol.trader(f"trader {len(traders)}", 50))
            protocol.trade(traders[-1], *[(id_, 1 + batch) for id_ in half])
        if batch < 4:
            for id_ in ids:
                protocol.risk_book.set_notice(id_, 1, sender=protocol.series_listing.address)
    protocol.set_prices(after=60, BTC=123_000)
    assert {leg.series for trader in traders for leg in lens.legs(trader)} == set(range(1, 81))
    alone = [lens.of(trader) for trader in traders]
    assert lens.health(*traders) == alone
    assert lens.health(*reversed(traders)) == alone[::-1]


@pytest.mark.parametrize(("legs", "most"), [(1, 10_000), (2, 7_500), (8, 5_000)])
def test_health__gas__per_leg_of_accounts_that_share_series(lens_contract, legs, most):
    """Every slot is warm here; on a chain an account's word and each leg's are cold, which costs 2,000 more a slot."""
    protocol = Protocol(main_deposit=100_000)
    lens = Lens(lens_contract, protocol)
    series = [protocol.list_series(u, m, put) for u in ("BTC", "ETH") for m in (1.0, 0.85) for put in (False, True)]
    traders = [protocol.trader(f"trader {i}", 50) for i in range(4)]
    for trader in traders:
        protocol.trade(trader, *[(id_, 5) for id_ in series[:legs]])
    protocol.set_prices(after=60)

    def gas(count: int) -> int:
        before = boa.env.get_gas_used()
        lens.health(*traders[:count])
        return boa.env.get_gas_used() - before

    gas(4)
    cold = 2_000 * (1 + legs)
    assert ((gas(4) - gas(2)) / 2 + cold) / legs <= most
