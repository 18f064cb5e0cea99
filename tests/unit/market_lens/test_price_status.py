"""What stands in the way of whoever would act at the stored prices, told beforehand: each is tried, too."""

import boa
import pytest

from everstock.chain.in_process import OPENING, account_of

STALE = "price_oracle: stale price"
WINDOW = "risk_book: settle window"
FAR = "risk_book: far from chainlink"
SETTLEMENT = "risk_book: in settlement"


def told(lens) -> tuple[str, str, str, str]:
    status = lens.price_status()
    return status.checkpoint, status.trade, status.risk, status.liquidation


def test_price_status__in_calm_times__nothing(protocol, lens):
    assert told(lens) == ("", "", "", "")
    status = lens.price_status()
    assert [tuple(one) for one in status.underlyings] == [tuple(protocol.oracle.status(id_)) for id_ in (0, 1)]


@pytest.mark.parametrize(
    ("age", "expected"),
    [(15, ("", "", "", "")), (16, ("", "", "", STALE)), (60, ("", "", "", STALE)), (61, (STALE,) * 4)],
)
def test_price_status__as_prices_age__liquidations_are_refused_first(protocol, lens, age, expected):
    protocol.wait(age)
    assert told(lens) == expected
    holder = protocol.actor("nobody")
    with boa.env.anchor():
        if expected[3]:
            with boa.reverts(STALE):
                protocol.liquidate(holder)
        else:
            protocol.liquidate(holder)
    if expected[0]:
        with boa.reverts(STALE):
            protocol.clearing_house.checkpoint()
    else:
        protocol.clearing_house.checkpoint()


def test_price_status__restricted__refuses_what_adds_risk(protocol, lens, series):
    holder = protocol.trader("holder")
    protocol.trade(holder, (series[0], 10))
    update = protocol.publish(after=1)
    feed = protocol.chainlink["BTC"]
    feed.publish(round(OPENING["BTC"] * 0.985 * 10**8), protocol.now, protocol.now, sender=protocol.operator)
    protocol.store(update)
    assert told(lens) == ("", "", FAR, "")
    status = lens.price_status().underlyings[0]
    assert status.is_restricted and status.highest_free < status.price < status.highest
    with boa.reverts(FAR):
        protocol.trade(holder, (series[0], 1))
    with boa.reverts(FAR):
        protocol.clearing_house.withdraw(account_of(holder), 1, holder, sender=holder)
    protocol.trade(holder, (series[0], -1))


def test_price_status__settle_window__refuses_trades(protocol, lens, series):
    holder = protocol.trader("holder")
    protocol.trade(holder, (series[0], 10))
    protocol.set_prices(after=60, BTC=100_000)
    protocol.clearing_house.checkpoint()
    assert told(lens) == ("", WINDOW, WINDOW, "")
    with boa.reverts(WINDOW):
        protocol.trade(holder, (series[0], -1))
    protocol.clearing_house.settle(account_of(holder))
    protocol.wait(61)
    assert told(lens) == (STALE,) * 4
    protocol.set_prices(after=600)
    assert told(lens) == ("", "", "", "")


def test_price_status__index_jumped_and_nobody_checkpointed__refuses_what_its_own_checkpoint_would(protocol, lens, series):
    """That checkpoint opens a settle window, and is undone with the action."""
    holder = protocol.trader("holder")
    protocol.trade(holder, (series[0], 10))
    protocol.set_prices(after=60, BTC=107_000)
    assert told(lens) == ("", WINDOW, WINDOW, "")
    with boa.reverts(WINDOW):
        protocol.trade(holder, (series[0], -1))
    with boa.reverts(WINDOW):
        protocol.clearing_house.withdraw(account_of(holder), 1, holder, sender=holder)
    assert told(lens) == ("", WINDOW, WINDOW, "")


def test_price_status__index_far_from_its_anchor_and_no_checkpoint_due__refuses_nothing(protocol, lens, series):
    """A minute later it comes as near to the last checkpoint, not to the anchor, which is still that of before."""
    holder = protocol.trader("holder")
    protocol.trade(holder, (series[0], 10))
    for usd in (113_000, 108_000):
        protocol.set_prices(after=60, BTC=usd)
        if usd == 113_000:
            protocol.clearing_house.checkpoint()
    assert told(lens) == ("", "", "", "")
    protocol.trade(holder, (series[0], -1))


def test_price_status__in_settlement__refuses_everything(protocol, lens, series):
    """Longs of 90 times the pool's capital, and the index doubles."""
    holder = protocol.trader("holder", 3_000)
    protocol.endow(protocol.main_pool.address, 20_000)
    protocol.clearing_house.checkpoint()
    protocol.trade(holder, (series[0], 9_000))
    protocol.set_prices(after=60, BTC=600_000)
    for _ in range(4):
        protocol.clearing_house.checkpoint()
        protocol.set_prices(after=200)
        if protocol.clearing_house.settlement().stage:
            break
    assert told(lens) == (SETTLEMENT,) * 4
    protocol.wait(3_600)
    assert told(lens) == (SETTLEMENT,) * 4
    with boa.reverts(SETTLEMENT):
        protocol.clearing_house.checkpoint()
