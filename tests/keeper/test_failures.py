"""What failed is left alone for a while, and for ever only if it fails for ever."""

import pytest

from everstock.keeper.actions import PRICES_KEY
from everstock.keeper.failures import LONGEST_REST, LONGEST_REST_OTHERWISE, MEMORY, Failures

ORDER = ("order", "TSLA.M", 7, 1)
ACCOUNT = ("account", "TSLA.M", 7)
OTHER = ("account", "TSLA.M", 8)
POOL = ("pool", "TSLA.M", "main_pool")


def rests(key, times=12):
    """Blocks that a key rests after each of so many failures in a row, tried again as soon as may be."""
    failures, block, found = Failures(), 100, []
    for _ in range(times):
        failures.failed([key], block)
        since = block
        while key in failures.resting(block):
            block += 1
        found.append(block - since)
    return found


@pytest.mark.parametrize(
    ("key", "longest"),
    [
        (ORDER, LONGEST_REST["order"]),
        (ACCOUNT, LONGEST_REST["account"]),
        (PRICES_KEY, LONGEST_REST["prices"]),
        (POOL, LONGEST_REST_OTHERWISE),
    ],
)
def test_rest__doubles_up_to_what_its_kind_bears(key, longest):
    found = rests(key)
    assert found[:3] == [1, 2, 4]
    assert found[-1] == max(found) == longest


def test_failure_in_company__no_rest_but_suspicion():
    failures = Failures()
    failures.failed([ACCOUNT, OTHER], 100)
    assert failures.resting(100) == frozenset()
    assert failures.suspects(101) == {ACCOUNT, OTHER}


def test_success__forgives():
    failures = Failures()
    failures.failed([ACCOUNT, OTHER], 100)
    failures.failed([ACCOUNT], 101)
    failures.worked([ACCOUNT])
    assert failures.resting(101) == frozenset()
    assert failures.suspects(101) == {OTHER}


def test_failure__is_forgotten_in_the_end():
    failures = Failures()
    failures.failed([ORDER], 100)
    assert failures.suspects(100 + MEMORY - 1) == {ORDER}
    assert failures.suspects(100 + MEMORY) == frozenset()


def test_forget__all():
    failures = Failures()
    failures.failed([ORDER], 100)
    failures.forget()
    assert failures.resting(100) == failures.suspects(100) == frozenset()
