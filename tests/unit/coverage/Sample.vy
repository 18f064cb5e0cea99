# pragma version 0.4.3
# One function for each way to branch; see test_measure.py.

from . import sample_module

MOST: constant(uint256) = 4

LIMIT: immutable(uint256)

sum: public(uint256)


@deploy
def __init__(limit: uint256):
    if limit > 100:
        self.sum = limit
    LIMIT = limit


@external
def choose(n: uint256) -> uint256:
    if n == 0:
        self.sum = 1
    elif n == 1:
        self.sum = 2
        return 7
    else:
        self.sum = 3
    if n > LIMIT:
        return 8
    return 9


@external
def leave(n: uint256):
    if n == 0:
        self.sum = 1
        return
    self.sum = 2


@pure
@external
def either(n: uint256) -> uint256:
    return 1 if n == 0 else 2


@pure
@external
def combine(a: bool, b: bool, c: bool) -> bool:
    if (a and b) or c:
        return True
    return not (a or b or c)


@pure
@external
def check(n: uint256):
    assert n != 0, "sample: zero"
    assert n != 1
    assert n < 10 and n != 2, "sample: odd"


@pure
@external
def check_by_module(n: uint256) -> uint256:
    sample_module._require(n != 0, "sample: zero")
    if n > 5:
        self._last(n)
    sample_module._require(n != 1, "sample: one")
    return n


@external
def walk(items: DynArray[uint256, 4]):
    for item: uint256 in items:
        if item == 0:
            break
        if item == 1:
            continue
        self.sum += item


@external
def repeat(n: uint256):
    for i: uint256 in range(MOST):
        if i == n:
            return
    for i: uint256 in range(n, bound=4):
        self.sum += i


@pure
@external
def begin(n: uint256) -> uint256:
    one: uint256 = 0
    two: uint256 = 0
    three: uint256 = 0
    assert n != 0, "sample: zero"
    four: uint256 = 0
    return one + two + three + four


@internal
@pure
def _last(n: uint256):
    sample_module._require(n < 100, "sample: large")
