"""Markets with series on both underlyings, seen through the lens."""

from types import SimpleNamespace

import pytest

from everstock.chain.in_process import Protocol, deployer_of

from .views import Lens


@pytest.fixture(scope="session")
def lens_contract():
    return deployer_of("MarketLens").deploy()


def listed(protocol: Protocol) -> SimpleNamespace:
    """The market with a call and a put at the money and one of each beside it, on both underlyings."""
    series = [
        protocol.list_series(underlying, moneyness, is_put)
        for underlying in ("BTC", "ETH")
        for moneyness, is_put in ((1.0, False), (1.0, True), (0.85, False), (1.15, True))
    ]
    return SimpleNamespace(protocol=protocol, series=series)


@pytest.fixture(scope="session")
def listed_market():
    return listed(Protocol())


@pytest.fixture(scope="session")
def listed_market_of_six_decimals():
    return listed(Protocol(decimals=6))


@pytest.fixture
def protocol(listed_market):
    protocol = listed_market.protocol.fork()
    protocol.set_prices()
    return protocol


@pytest.fixture
def series(listed_market):
    return listed_market.series


@pytest.fixture
def lens(lens_contract, protocol):
    return Lens(lens_contract, protocol)
