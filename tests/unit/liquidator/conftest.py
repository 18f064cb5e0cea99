"""A market with calls and puts on both underlyings, a writer in trouble, and a liquidator."""

import pytest

from everstock.chain.in_process import Protocol, deployer_of

from .views import Desk


@pytest.fixture(scope="session")
def deployed():
    """The market, and a call and a put at the money on both underlyings."""
    protocol = Protocol()
    lens = deployer_of("MarketLens").deploy()
    series = [protocol.list_series(name, 1.0, is_put) for name in ("BTC", "ETH") for is_put in (False, True)]
    return protocol, lens, series


@pytest.fixture
def protocol(deployed):
    protocol = deployed[0].fork()
    protocol.set_prices()
    return protocol


@pytest.fixture
def desk(deployed, protocol):
    return Desk(protocol, deployed[1], *deployed[2])


@pytest.fixture
def liquidator(protocol):
    """Who liquidates."""
    return protocol.actor("liquidator")


@pytest.fixture
def writer(protocol, desk):
    """Has written 100 calls against 20 tokens, near what initial margin allows."""
    writer = protocol.trader("writer", 20)
    protocol.trade(writer, (desk.btc_call, -100))
    return writer
