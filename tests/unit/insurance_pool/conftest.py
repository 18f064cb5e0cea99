"""A market whose 100 tokens of insurance belong to one provider, lp, and a writer of calls on BTC who can go bust."""

import pytest

from everstock.chain.in_process import Protocol
from tests.liquidity import Pool


@pytest.fixture(scope="session")
def market_with_insurer():
    protocol = Protocol(main_deposit=1_000, insurance_deposit=0)
    pool = Pool(protocol, protocol.insurance_pool)
    protocol.lp = pool.provider("lp", 200)
    pool.enter(protocol.lp, 100 * protocol.unit)
    protocol.call = protocol.list_series(moneyness=1.0)
    protocol.writer = protocol.trader("writer", 20)
    protocol.trade(protocol.writer, (protocol.call, -100))
    return protocol


@pytest.fixture
def protocol(market_with_insurer):
    return market_with_insurer.fork()


@pytest.fixture
def pool(protocol):
    return Pool(protocol, protocol.insurance_pool)


@pytest.fixture
def unit(protocol):
    return protocol.unit


@pytest.fixture
def lp(protocol):
    return protocol.lp


@pytest.fixture
def writer(protocol):
    return protocol.writer


@pytest.fixture
def bob(pool):
    return pool.provider("bob")


@pytest.fixture
def go_bust(protocol, writer):
    """The index jumps so far that the writer owes more than he has, and he is liquidated."""

    def go():
        protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 1.4)
        protocol.clearing_house.checkpoint()
        return protocol.liquidate(writer)

    return go
