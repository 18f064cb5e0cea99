"""The parts of the summary that need no chain."""

import pytest

from everstock.demo.chronicle import Event
from everstock.demo.history import History, MarketPoint, Point
from everstock.demo.reader import account_of, unpacked
from everstock.demo.summary import insurance_flows, largest_move, settle_windows, share_price


def event(name, time=0, **args):
    return Event(1, 0, time, "TSLA.M", "clearing_house", name, args)


def history(*prices):
    market = MarketPoint(1, 0, 0, 0, 0, 0, 0, 10**6, 10**6, 0, {})
    points = [Point(i, i, {"BTC": btc, "ETH": eth}, {"TSLA.M": market}) for i, (btc, eth) in enumerate(prices)]
    return History({}, points)


def test_insurance_flows__each_event_on_its_line_and_other_pools_on_none():
    flows = insurance_flows(
        [
            event("Swept", insurance=40, treasury=10),
            event("Liquidated", penalty=30, reward=6),
            event("BadDebt", loss=20, insured=15),
            event("PoolDeposited", pool="mine", amount=100),
            event("PoolDeposited", pool="other", amount=999),
            event("PoolWithdrawn", pool="mine", amount=7),
            event("PoolWithdrawn", pool="other", amount=999),
        ],
        "mine",
    )
    assert flows == {
        "fees_and_loads": 40,
        "penalties": 30,
        "rewards": -6,
        "bad_debt": -15,
        "deposits": 100,
        "withdrawals": -7,
    }


def test_settle_windows__one_that_is_prolonged_counts_once():
    def checkpoint(time, end):
        return event("Checkpoint", time=time, window_end=end)

    told = [
        checkpoint(100, 0),
        checkpoint(200, 800),
        checkpoint(500, 1_100),
        checkpoint(600, 1_100),
        checkpoint(1_200, 1_100),
        checkpoint(2_000, 2_600),
    ]
    assert settle_windows(told) == [(200, 1_100), (2_000, 2_600)]


def test_share_price__is_1_at_the_first_deposit_and_never_below_0():
    assert share_price(10**18, 10**24) == 1
    assert share_price(2 * 10**18, 10**24) == 2
    assert share_price(-5, 10**24) == 0
    assert share_price(0, 0) == 1


@pytest.mark.parametrize(
    ("prices", "move"), [([(100, 10), (80, 10)], 0.25), ([(100, 10), (100, 13)], 0.3), ([(100, 10)], 0.0)]
)
def test_largest_move__of_any_index_either_way(prices, move):
    assert largest_move(history(*prices)) == pytest.approx(move)


def test_unpacked__units_are_signed():
    written = (2**113 - 5) << 16 | 7
    assert unpacked([written, 3 | 9 << 16 | 1 << 200, 0]) == {7: -5, 3: 9}


def test_account_of__is_the_owner_shifted():
    assert account_of("0x" + "00" * 19 + "01") == 1 << 96
