"""Where it begins: seeds out of history, inside bounds."""

import boa
import pytest

from everstock.chain.in_process import START, deployer_of, events, price
from everstock.model.volatility_oracle import CEILING

SEED = {"underlying": 0, "price": price(120_000), "time": START - 60, "fast": 10**9, "slow": 2 * 10**9, "floor": 10**8}


def deploy(protocol, *seeds):
    return deployer_of("VolatilityOracle").deploy(protocol.oracle.address, [tuple(seed.values()) for seed in seeds])


def test_constructor__seeds__are_where_it_is(deployed):
    oracle = deploy(deployed, SEED, SEED | {"underlying": 3, "price": 0, "time": 0})
    first, second = events(oracle, "Sampled")
    assert oracle.ORACLE() == deployed.oracle.address
    assert tuple(oracle.track(0)) == (price(120_000), START - 60, 10**17, 2 * 10**17, 10**8)
    assert oracle.variances(0) == (10**9, 2 * 10**9)
    assert tuple(oracle.track(3)) == (0, 0, 10**17, 2 * 10**17, 10**8)
    assert tuple(oracle.track(1)) == (0,) * 5
    assert (first.underlying, first.price, first.publish_time) == (0, price(120_000), START - 60)
    assert (second.underlying, second.fast, second.slow) == (3, 10**17, 2 * 10**17)


def test_constructor__seed_outside_floor_or_ceiling__is_written_inside(deployed):
    oracle = deploy(deployed, SEED | {"fast": 0, "slow": 1})
    assert oracle.variances(0) == (10**8, 10**8)


def test_constructor__without_seeds__knows_no_underlying(deployed):
    oracle = deploy(deployed)
    assert tuple(oracle.track(0)) == (0,) * 5
    assert not oracle.is_due(0)


def test_constructor__seeded_twice__reverts(deployed):
    with boa.reverts("volatility_oracle: seeded twice"):
        deploy(deployed, SEED, SEED)


@pytest.mark.parametrize(
    "change",
    [
        {"price": 2**64},
        {"price": 0},
        {"time": 0},
        {"time": START + 10**6},
        {"fast": CEILING + 1},
        {"slow": CEILING + 1},
        {"floor": 10**6 - 1},
        {"floor": CEILING + 1},
    ],
    ids=str,
)
def test_constructor__out_of_bounds__reverts(deployed, change):
    with boa.reverts("volatility_oracle: seed out of bounds"):
        deploy(deployed, SEED | change)
