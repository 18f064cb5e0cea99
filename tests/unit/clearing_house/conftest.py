"""A market with a call and a put on BTC at the money and a call on ETH; each test has prices of its own."""

import pytest

from everstock.chain.in_process import Protocol, account_of


@pytest.fixture(scope="session")
def deployed():
    protocol = Protocol()
    return protocol, *(protocol.list_series("BTC", is_put=is_put) for is_put in (False, True)), protocol.list_series("ETH")


@pytest.fixture
def protocol(deployed):
    protocol = deployed[0].fork()
    protocol.set_prices()
    return protocol


@pytest.fixture
def house(protocol):
    return protocol.clearing_house


@pytest.fixture
def call(deployed):
    return deployed[1]


@pytest.fixture
def put(deployed):
    return deployed[2]


@pytest.fixture
def eth_call(deployed):
    return deployed[3]


@pytest.fixture
def unit(protocol):
    return protocol.unit


@pytest.fixture
def trader(protocol):
    """Has 100 tokens of cash."""
    return protocol.trader("trader")


@pytest.fixture
def stranger(protocol):
    return protocol.actor("stranger")


@pytest.fixture
def holder(protocol, trader, call):
    """The trader, with 40 calls bought."""
    protocol.trade(trader, (call, 40))
    return trader


@pytest.fixture
def walk(protocol, house):
    """Moves BTC to a price in steps that open no settle window, with a checkpoint after each."""

    def walk(usd):
        while protocol.index["BTC"] != usd:
            now = protocol.index["BTC"]
            protocol.set_prices(after=700, BTC=min(now * 1.08, usd) if usd > now else max(now * 0.92, usd))
            house.checkpoint()

    return walk


@pytest.fixture
def unpaid(protocol, house, holder, call, walk):
    """The holder with a claim beyond all margin that main has no cash for, a writer's loss not being collected yet; both."""
    writer = protocol.trader("writer", 2_000)
    protocol.trade(writer, (call, -400))
    walk(300_000)
    house.pool_withdraw(house.ledgers().main, sender=protocol.main_pool.address)
    house.settle(account_of(holder))
    assert protocol.account(holder).claim > 0 and house.equity() > 0
    return holder, writer
