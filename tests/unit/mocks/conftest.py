"""The contracts of the look-alike, each deployed alone."""

from pathlib import Path

import boa
import pytest

from everstock.chain.publisher import DEVNET_PUBLISHER

MOCKS = Path(__file__).parents[3] / "contracts" / "mocks"


@pytest.fixture(scope="session")
def operator():
    return boa.env.generate_address("operator")


@pytest.fixture
def payer():
    """Whoever brings an update, with ether to pay for it."""
    payer = boa.env.generate_address("payer")
    boa.env.set_balance(payer, 10**18)
    return payer


@pytest.fixture(scope="session")
def pyth():
    return boa.load(str(MOCKS / "PythFeed.vy"), DEVNET_PUBLISHER.address)


@pytest.fixture(scope="session")
def btc_usd(operator):
    return boa.load(str(MOCKS / "ChainlinkFeed.vy"), operator, 8, "BTC / USD")


@pytest.fixture(scope="session")
def usdc(operator):
    return boa.load(str(MOCKS / "USDC.vy"), operator)


@pytest.fixture(scope="session")
def weth():
    return boa.load(str(MOCKS / "WETH9.vy"))


@pytest.fixture(scope="session")
def multicall():
    return boa.load(str(MOCKS / "Multicall3.vy"))
