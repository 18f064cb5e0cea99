"""A market without series, and what to ask of one."""

import pytest

from everstock.chain.in_process import Protocol

from .views import Listing


@pytest.fixture(scope="session")
def deployed():
    return Protocol()


@pytest.fixture
def protocol(deployed):
    protocol = deployed.fork()
    protocol.set_prices()
    return protocol


@pytest.fixture
def listing(protocol):
    return Listing(protocol)
