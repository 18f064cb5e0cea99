"""Both pools of a market that starts empty, in turn; alice and bob provide liquidity, outsider does not."""

import pytest

from everstock.chain.in_process import Protocol
from tests.liquidity import pools


@pytest.fixture(scope="session")
def empty_market():
    return Protocol(main_deposit=0, insurance_deposit=0)


@pytest.fixture(scope="session")
def empty_market_of_six_decimals():
    return Protocol(decimals=6, main_deposit=0, insurance_deposit=0)


@pytest.fixture
def protocol(empty_market):
    return empty_market.fork()


@pytest.fixture(params=["main", "insurance"])
def pool(protocol, request):
    return pools(protocol)[request.param]


@pytest.fixture
def unit(protocol):
    return protocol.unit


@pytest.fixture
def alice(pool):
    return pool.provider("alice")


@pytest.fixture
def bob(pool):
    return pool.provider("bob")


@pytest.fixture
def outsider(protocol):
    return protocol.actor("outsider")


@pytest.fixture
def holder(pool, unit):
    """A provider who holds shares worth 100 tokens, and nothing else."""
    holder = pool.provider("holder", 100)
    pool.enter(holder, 100 * unit)
    return holder
