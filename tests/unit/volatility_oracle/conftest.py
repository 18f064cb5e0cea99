"""A volatility oracle that was appointed, and its model, told the same."""

import boa
import pytest

from everstock.chain.in_process import Protocol

from .samples import Samples

# snekmate's functions, as the contract uses them.
HARNESS = """
# pragma version 0.4.3

from snekmate.utils import math

@pure
@external
def ln(x: int256) -> int256:
    return math._wad_ln(x)

@pure
@external
def exp(x: int256) -> int256:
    return math._wad_exp(x)
"""


@pytest.fixture(scope="session")
def deployed():
    protocol = Protocol()
    protocol.appoint()
    return protocol


@pytest.fixture
def samples(deployed):
    return Samples(deployed.fork())


@pytest.fixture(scope="session")
def snekmate():
    return boa.loads(HARNESS)
