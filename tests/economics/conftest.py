"""The contracts that a few examples of each property run on as well."""

import pytest

from tests.stateful.machine import deployed


@pytest.fixture(scope="session")
def protocol():
    """A market without capital, deployed once and outside of any test: what an example does is undone."""
    return deployed(18)[0]
