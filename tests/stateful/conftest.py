"""The machines' markets, deployed once and outside of any test: what a test does is undone."""

import pytest

from tests.stateful.machine import deployed


@pytest.fixture(scope="session", autouse=True)
def markets():
    return [deployed(decimals) for decimals in (18, 6)]
