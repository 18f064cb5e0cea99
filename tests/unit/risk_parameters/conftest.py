"""A market and the owner of its parameters."""

import pytest

from everstock.chain.in_process import Protocol


@pytest.fixture(scope="session")
def deployed():
    return Protocol()


@pytest.fixture
def protocol(deployed):
    protocol = deployed.fork()
    protocol.set_prices()
    return protocol


@pytest.fixture
def parameters(protocol):
    return protocol.risk_parameters
