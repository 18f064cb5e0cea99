from dataclasses import replace

import boa
import pytest

from everstock.chain.in_process import DELAY, EXEC_WINDOW, STOCK_PRICE, Protocol, deployer_of
from everstock.parameters import MarketParameters

from .desk import ETHER, reverts

MAX_DELAY = 30


def test_constructor__knows_its_market_and_the_times(protocol, desk):
    assert desk.CLEARING_HOUSE() == protocol.clearing_house.address
    assert desk.ORACLE() == protocol.oracle.address
    assert (desk.DELAY(), desk.EXEC_WINDOW()) == (DELAY, EXEC_WINDOW)


@pytest.mark.parametrize("delay", [0, MAX_DELAY + 1, 2**256 - 1])
def test_constructor__a_delay_of_nothing_or_beyond_the_longest__reverts(protocol, delay):
    with boa.reverts("order_desk: delay out of range"):
        deployer_of("OrderDesk").deploy(
            protocol.clearing_house.address, protocol.risk_book.address, protocol.oracle.address, [0, 1], delay
        )


def test_constructor__of_a_market_with_another_delay__its_prices_are_that_much_later():
    parameters = replace(MarketParameters.preset(STOCK_PRICE, 18), order_delay=MAX_DELAY)
    with boa.env.anchor():
        protocol = Protocol(parameters=parameters)
        desk, trader, keeper = protocol.order_desk, protocol.trader("trader"), protocol.actor("keeper")
        assert (desk.DELAY(), desk.MAX_DELAY()) == (MAX_DELAY, MAX_DELAY)
        order = protocol.request(trader, (protocol.list_series(), 1))
        early = protocol.publish(after=MAX_DELAY - 1)
        with reverts(desk, "order_desk: too early"):
            desk.execute([order], [early], value=2, sender=keeper)
        protocol.publish(after=1)
        with reverts(desk, "PriceFeedNotFoundWithinRange"):
            desk.execute([order], [early], value=2, sender=keeper)
        assert protocol.execute(order, by=keeper) == [True]


def test_default__ether_from_anyone_but_the_oracle__reverts(protocol, desk, trader):
    with reverts(desk, "order_desk: no ether"):
        desk.__default__(value=ETHER, sender=trader)
    boa.env.set_balance(protocol.oracle.address, 1)
    desk.__default__(value=1, sender=protocol.oracle.address)
