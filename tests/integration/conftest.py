"""One forked chain for all integration tests, with Ape connected to it; each test's changes are undone."""

import ape
import pytest

from everstock.chain import devnet
from everstock.chain.ape_bridge import connected


@pytest.fixture(scope="session")
def chain():
    """The chain that Everstock runs on: a fork of the look-alike, or of Base if BASE_RPC_URL is set.

    Its time moves only as told, so that no test depends on how fast the machine is.
    """
    with devnet.fork() as chain:
        chain.stop_clock()
        yield chain


@pytest.fixture(scope="session", autouse=True)
def provider(chain):
    """Ape, connected to `chain`."""
    with connected(chain) as provider:
        yield provider


@pytest.fixture(autouse=True)
def _isolation(provider):
    with ape.chain.isolate():
        yield


@pytest.fixture
def feeds(chain):
    """The means to move prices, opened anew for each test."""
    return chain.open_feeds()


@pytest.fixture
def wallet(chain):
    """An account with ether and no part in anything."""
    return chain.wallet(9)
