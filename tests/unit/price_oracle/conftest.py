"""An oracle whose stored prices are a second old, and feeds to bring it others."""

import pytest

from everstock.chain.in_process import Protocol

from .feeds import Feeds


@pytest.fixture(scope="session")
def deployed():
    return Protocol()


@pytest.fixture
def protocol(deployed):
    protocol = deployed.fork()
    protocol.wait(1)
    return protocol


@pytest.fixture
def feeds(protocol):
    return Feeds(protocol)


@pytest.fixture
def oracle(protocol):
    return protocol.oracle
