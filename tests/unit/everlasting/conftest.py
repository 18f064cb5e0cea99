"""Both ways to the module: the lens, as anyone reaches it, and the harness."""

import pytest

from everstock.chain.in_process import deployer_of


@pytest.fixture(scope="session")
def lens():
    return deployer_of("MarketLens").deploy()


@pytest.fixture(scope="session")
def harness():
    return deployer_of("ModuleHarness").deploy(18)
