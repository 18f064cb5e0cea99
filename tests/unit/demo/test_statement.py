"""A market's money from its events: every case by hand, with marks that are easy to add up."""

import pytest

from everstock.demo.chronicle import Event
from everstock.demo.statement import StatementError, statement

WAD = 10**18
TSLA = "TSLA.M"
MAIN, INSURANCE = "0xMain", "0xInsurance"
STRIKE = 100 * 10**8


class Story:
    """Events in order. Series 1 is a call, 2 a put, both with strike 100 on underlying 0; prices in whole dollars."""

    def __init__(self):
        self.events = []
        for series, is_put in ((1, False), (2, True)):
            self.add("risk_book", "SeriesListed", series=series, underlying=0, strike=STRIKE, is_put=is_put)

    def add(self, role, name, market=TSLA, **args):
        market = "" if role == "oracle" else market
        self.events.append(Event(1, len(self.events), 1_000, market, role, name, args))

    def price(self, usd, underlying=0):
        self.add("oracle", "PriceStored", underlying=underlying, price=usd * 10**8)

    def trade(self, account, legs, gain=0, fee=0, impact=0, difference=0):
        self.add(
            "clearing_house",
            "Traded",
            account=account,
            legs=legs,
            gain=gain,
            fee=fee,
            impact=impact,
            difference=difference,
        )

    def liquidate(self, account, fraction, gain=0, penalty=0, reward=0):
        self.add(
            "clearing_house",
            "Liquidated",
            account=account,
            fraction=fraction,
            gain=gain,
            penalty=penalty,
            reward=reward,
        )

    def told(self, open_gains=0, market=TSLA, scale=WAD):
        return statement(
            self.events,
            market=market,
            underlyings=[0, 1],
            sharpness=[17, 17],
            pools={MAIN: "main", INSURANCE: "insurance"},
            scale=scale,
            open_gains=open_gains,
            unpack=dict,
            marks=marks,
        )


def marks(wanted):
    """A call is worth its moneyness, a put 3 less its moneyness."""
    assert len(wanted) == len(set(wanted))
    return [moneyness if is_call else 3 * WAD - moneyness for moneyness, _, is_call in wanted]


def test_premium__of_a_long__is_the_change_in_value_less_the_gain():
    story = Story()
    story.price(100)
    story.trade(1, {1: 1_000})
    story.price(120)
    story.trade(1, {}, gain=180)
    told = story.told()
    assert (told.price_result, told.gains, told.premium, told.legs) == (200, 180, 20, {})


def test_premium__of_a_short__is_negative_for_what_it_received():
    story = Story()
    story.price(100)
    story.trade(1, {1: -1_000})
    story.price(120)
    story.trade(1, {}, gain=-185)
    assert story.told().premium == -15


def test_premium__of_all_accounts_and_legs_is_added_up():
    story = Story()
    story.price(100)
    story.trade(1, {1: 1_000, 2: 500})
    story.trade(2, {1: -1_000})
    story.price(90)
    story.trade(1, {}, gain=-100 + 50 - 7)
    story.trade(2, {}, gain=100 + 4)
    assert story.told().premium == 7 - 4


def test_premium__of_what_is_still_open__counts_up_to_the_last_price():
    story = Story()
    story.price(100)
    story.trade(1, {1: 1_000})
    story.price(110)
    told = story.told(open_gains=95)
    assert (told.price_result, told.premium, told.legs) == (100, 5, {1: {1: 1_000}})


def test_premium__a_settlement_in_between__changes_nothing():
    story = Story()
    story.price(100)
    story.trade(1, {1: 1_000})
    story.price(110)
    story.add("clearing_house", "Settled", account=1, gain=97)
    story.price(105)
    story.trade(1, {}, gain=-52)
    assert story.told().premium == 5


def test_premium__a_claim_that_was_paid_is_no_gain():
    story = Story()
    story.price(100)
    story.trade(1, {1: 1_000})
    story.price(110)
    story.add("clearing_house", "ClaimPaid", account=1, amount=5)
    story.trade(1, {}, gain=97)
    assert story.told().premium == 3


def test_premium__prices_of_the_other_underlying_and_other_markets_do_not_matter():
    story = Story()
    story.price(100)
    story.trade(1, {1: 1_000})
    story.price(5_000, underlying=1)
    story.add(
        "clearing_house", "Traded", market="NVDA.M", account=1, legs={}, gain=10**6, fee=1, impact=1, difference=1
    )
    story.trade(1, {}, gain=-1)
    assert story.told().premium == 1


def test_liquidation__keeps_a_truncated_part_of_every_leg():
    story = Story()
    story.price(100)
    story.trade(1, {1: 1_001, 2: -1_001})
    story.liquidate(1, WAD // 2, gain=0, penalty=30, reward=6)
    told = story.told()
    assert told.legs == {1: {1: 500, 2: -500}}
    assert (told.penalties, told.rewards, told.insurance) == (30, 6, 24)
    story.liquidate(1, WAD)
    assert story.told().legs == {}


def test_retired_series__stays_at_its_price_and_goes_when_the_account_acts():
    story = Story()
    story.price(100)
    story.trade(1, {1: 1_000, 2: 10})
    story.price(150)
    story.add("series_listing", "Retired", series=1, price=150 * 10**8, long_gain=0, short_gain=0)
    story.price(500)
    story.add("clearing_house", "Settled", account=1, gain=500 - 40)
    told = story.told()
    assert (told.price_result, told.premium) == (500 - 40, 0)
    assert told.legs == {1: {2: 10}}


def test_moneyness__is_clamped_as_a_touch_does():
    story = Story()
    story.price(100)
    story.trade(1, {1: WAD})
    story.price(10**8)
    assert story.told().price_result == (10**4 - 1) * WAD


def test_pools__every_flow_has_its_place():
    story = Story()
    story.add("clearing_house", "PoolDeposited", pool=MAIN, amount=10_000)
    story.add("clearing_house", "PoolDeposited", pool=INSURANCE, amount=500)
    story.price(100)
    story.trade(1, {1: 1_000}, fee=8, impact=3, difference=2)
    story.price(120)
    story.liquidate(1, WAD, gain=190, penalty=5, reward=1)
    story.add("clearing_house", "BadDebt", account=1, loss=50, insured=30)
    story.add("clearing_house", "Swept", insurance=4, treasury=1)
    story.add("clearing_house", "PoolWithdrawn", pool=MAIN, amount=1_000)
    story.add("clearing_house", "PoolWithdrawn", pool=INSURANCE, amount=100)
    told = story.told()
    assert told.insurance == 500 + 4 + 5 - 1 - 30 - 100
    assert told.main_equity(accrued=2) == 10_000 - 1_000 - 190 + (8 + 3 + 2) - (50 - 30) - (4 + 1) - 2


def test_scaled_book__is_refused():
    with pytest.raises(StatementError, match="scaled"):
        Story().told(scale=WAD // 2)
