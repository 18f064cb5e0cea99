"""Properties tried on small domains; `make proofs` tries the large ones, and has solvers prove what they can for all."""

import pytest

from everstock.proofs.catalogue import CATALOGUE, MAKINGS
from everstock.proofs.contracts import ProofError, workbench
from everstock.proofs.mutants import MUTANTS, named, result_of
from everstock.proofs.properties import Proof, Sweep, Verdict
from everstock.proofs.run import sweep

PROPERTIES = [one for group in CATALOGUE.values() for one in group]
SWEEPS = [one for one in PROPERTIES if isinstance(one, Sweep)]
# One of a rounding, one of a formula: a change to a module that a sweep must notice.
NOTICED = [mutant for mutant in MUTANTS if mutant.function in ("sweep_units", "sweep_integers")]


@pytest.fixture(scope="module")
def bench():
    with workbench(MAKINGS) as built:
        yield built


@pytest.mark.parametrize("one", SWEEPS, ids=lambda one: one.function)
def test_sweep__small_domain__holds(bench, one):
    result = sweep(one, bench, quick=True)
    assert result.verdict is Verdict.PROVED, result
    assert result.cases >= 300


@pytest.mark.parametrize("mutant", NOTICED, ids=lambda mutant: mutant.function)
def test_sweep__of_a_changed_module__is_broken_with_an_example(mutant):
    result = result_of(mutant)
    assert result.verdict is Verdict.REFUTED
    assert result.example


def test_catalogue__every_function_that_states_a_property__is_in_it(bench):
    stated = {(one.contract, one.function) for one in PROPERTIES}
    for contract in {one.contract for one in PROPERTIES}:
        for function in bench.deployed(contract).contract.functions():
            if function.split("_")[0] in ("check", "refuse", "sweep"):
                assert (contract, function) in stated


def test_catalogue__every_property__is_stated_by_a_function_that_returns_what_it_must(bench):
    for one in PROPERTIES:
        outputs = bench.deployed(one.contract).contract.outputs(one.function)
        assert outputs == (["bool"] if isinstance(one, Proof) else ["(uint256,uint256,int256,int256[6])"])


def test_catalogue__what_must_revert__says_with_which_words():
    for one in PROPERTIES:
        if isinstance(one, Proof):
            assert bool(one.reason) == one.function.startswith("refuse_")


def test_mutants__each_one__changes_something_that_a_property_is_about():
    for mutant in MUTANTS:
        named(mutant.function)
    with pytest.raises(ProofError, match="no property is called nothing"):
        named("nothing")
