"""The leaning market of tests/leaning.py, deployed once."""

import pytest

from everstock.chain.in_process import Protocol
from tests.leaning import lean, opened, with_providers


@pytest.fixture(scope="session")
def leaning():
    return with_providers()


@pytest.fixture(scope="session")
def nobodys():
    """The same, but the capital of both pools is nobody's: they have no shares."""
    return lean(Protocol(main_deposit=1_000, insurance_deposit=100))


@pytest.fixture
def market(leaning):
    """The market of one test. `saver` has cash and no leg."""
    return opened(leaning)
