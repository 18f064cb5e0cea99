"""The machines, for as long as an ordinary test run has; `make test-deep` runs them for as long as one likes."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.deep import MACHINES, Chunk, factory

QUICK = settings(
    max_examples=3, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("decimals", [18, 6])
def test_machine__any_history__is_the_models(name, decimals):
    run_state_machine_as_test(factory(Chunk(name, decimals, seed=0)), settings=QUICK)
