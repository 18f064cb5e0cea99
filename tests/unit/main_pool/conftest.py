"""A market whose 1,000 tokens of main pool belong to one provider, lp, with a call and a put on BTC at the money."""

import pytest

from everstock.chain.in_process import Protocol
from tests.liquidity import Pool


@pytest.fixture(scope="session")
def market_with_provider():
    protocol = Protocol(main_deposit=0, insurance_deposit=100)
    pool = Pool(protocol, protocol.main_pool)
    protocol.lp = pool.provider("lp", 2_000)
    pool.enter(protocol.lp, 1_000 * protocol.unit)
    protocol.call = protocol.list_series(moneyness=1.0)
    protocol.put = protocol.list_series(moneyness=1.0, is_put=True)
    return protocol


@pytest.fixture
def protocol(market_with_provider):
    return market_with_provider.fork()


@pytest.fixture
def pool(protocol):
    return Pool(protocol, protocol.main_pool)


@pytest.fixture
def unit(protocol):
    return protocol.unit


@pytest.fixture
def lp(protocol):
    return protocol.lp


@pytest.fixture
def bob(pool):
    return pool.provider("bob")
