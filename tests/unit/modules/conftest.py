"""The modules that RiskBook is made of, without RiskBook."""

import pytest

from everstock.chain.in_process import deployer_of


@pytest.fixture(scope="session")
def harness():
    """Of a market whose token has 18 decimals."""
    return deployer_of("ModuleHarness").deploy(18)


@pytest.fixture(scope="session")
def small_harness():
    """Of a market whose token has 6 decimals."""
    return deployer_of("ModuleHarness").deploy(6)
