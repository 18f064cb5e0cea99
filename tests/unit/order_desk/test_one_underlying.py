"""A market of one underlying trades as one of two does on that."""

import pytest

from everstock.chain.in_process import DELAY, events, price

from .desk import reverts
from .test_execute import execute

BEFORE = 4_500


@pytest.fixture
def alone(protocol):
    """A market on ETH alone beside the usual one, with pools as large."""
    twin = protocol.fork()
    for role, contract in protocol.deploy_market("NVDA.M", underlyings=(1,)).contracts().items():
        setattr(twin, role, contract)
    twin.endow(twin.main_pool.address, twin.main_deposit)
    twin.endow(twin.insurance_pool.address, twin.insurance_deposit)
    twin.clearing_house.checkpoint()
    twin.eth = twin.series_listing.list_series(0, price(BEFORE), False)
    return twin


@pytest.mark.parametrize(("own", "newest"), [(4_500, 4_500), (4_510, 4_490), (4_490, 4_510)])
@pytest.mark.parametrize("face", [10, -3])
def test_execute__in_a_market_of_one__costs_what_it_does_in_one_of_two(protocol, alone, eth, own, newest, face):
    markets = ((protocol, eth, 1), (alone, alone.eth, 0))
    orders = [market.request(market.trader("buyer"), (series, face)) for market, series, _ in markets]
    update = protocol.publish(after=DELAY, ETH=own)
    if newest != own:
        protocol.set_prices(after=1, ETH=newest)
    traded = []
    for (market, _, underlying), order in zip(markets, orders, strict=True):
        assert execute(market, [order], [update]) == [True]
        (executed,) = events(market.order_desk, "Executed")
        (trade,) = events(market.order_desk, "Traded")
        traded.append((executed.prices[underlying], trade.total, trade.fee, trade.impact, trade.difference))
    assert executed.prices[1] == 0
    assert traded[0] == traded[1]
    assert (traded[0][-1] > 0) == (face * (own - newest) > 0)


def test_trigger__in_a_market_of_one(protocol, alone):
    trader = alone.trader("buyer")
    stop = alone.request_conditional(trader, (alone.eth, 1), underlying="BTC", above=4_600)
    update = protocol.publish(after=DELAY, ETH=4_600)
    assert alone.trigger(stop, updates=[update]) == [True]


def test_request_conditional__on_a_second_underlying__in_a_market_of_one__reverts(alone):
    with reverts(alone.order_desk, "order_desk: unknown underlying"):
        alone.request_conditional(alone.trader("buyer"), (alone.eth, 1), underlying="ETH", above=4_600)
