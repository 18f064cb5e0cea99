"""What is said of a contract is said of the bytecode that is deployed."""

import pytest
from boa.contracts.vyper.vyper_contract import VyperDeployer

from tests.coverage.maps import digest, maps_of
from tests.coverage.results import CONTRACTS
from tests.coverage.source import compiled


@pytest.mark.parametrize("name", ["OrderDesk", "mocks/ModuleHarness"])
def test_map__is_of_just_the_bytecode_that_is_deployed(name):
    path = CONTRACTS / f"{name}.vy"
    data = VyperDeployer(compiled(path)).compiler_data
    assert set(maps_of(path, set())) == {digest(data.bytecode), digest(data.bytecode_runtime)}
