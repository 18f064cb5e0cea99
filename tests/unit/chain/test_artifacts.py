"""Artifacts are what the sources say, or an error that tells what to do."""

import json

import pytest

from everstock.chain import artifacts
from everstock.chain.artifacts import ArtifactError


@pytest.fixture
def root(tmp_path):
    """A repository with one contract that imports a module, which imports an interface."""
    files = {
        "contracts/Vault.vy": "from contracts.modules import ledger\nfrom snekmate.auth import ownable\n",
        "contracts/Desk.vy": "import interfaces.IDesk as IDesk\n",
        "contracts/modules/ledger.vy": "from interfaces import IVault\nfrom . import rounding\n",
        "contracts/modules/rounding.vy": "",
        "interfaces/IVault.vyi": "",
        "interfaces/IDesk.vyi": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def compiled(root):
    """The same, with a manifest as Ape leaves it."""
    (root / ".build").mkdir()
    types = {
        name: {
            "abi": [],
            "sourceId": f"contracts/{name}.vy",
            "deploymentBytecode": {"bytecode": "0x6001"},
            "runtimeBytecode": {"bytecode": "0x01"},
        }
        for name in ("Vault", "Desk")
    }
    (root / artifacts.MANIFEST).write_text(json.dumps({"contractTypes": types}))
    prints = {name: artifacts.fingerprint(path, root) for name, path in artifacts.sources(root).items()}
    (root / artifacts.FINGERPRINTS).write_text(json.dumps(prints))
    return root


def test_sources__are_the_deployables(root):
    assert list(artifacts.sources(root)) == ["Desk", "Vault"]


@pytest.mark.parametrize(
    "changed", ["contracts/modules/ledger.vy", "contracts/modules/rounding.vy", "interfaces/IVault.vyi"]
)
def test_outdated__whatever_is_imported_counts(compiled, changed):
    assert artifacts.outdated(compiled) == []
    with (compiled / changed).open("a") as file:
        file.write("# changed\n")
    assert artifacts.outdated(compiled) == ["Vault"]
    with pytest.raises(ArtifactError, match=r"contracts/Vault.vy changed since it was compiled: run `make setup`"):
        artifacts.load("Vault", compiled)
    assert artifacts.load("Desk", compiled).runtime_size == 1


def test_load__never_compiled__raises(root):
    with pytest.raises(ArtifactError, match="never compiled: run `make setup`"):
        artifacts.load("Vault", root)
    assert artifacts.outdated(root) == ["Desk", "Vault"]


def test_load__no_such_contract__names_those_there_are(compiled):
    with pytest.raises(ArtifactError, match="no contract is called Bank: there are Desk, Vault"):
        artifacts.load("Bank", compiled)


def test_load__this_repository__gives_code_and_abi():
    feed = artifacts.load("ChainlinkFeed")
    assert feed.source == "contracts/mocks/ChainlinkFeed.vy"
    assert {entry["name"] for entry in feed.abi if entry["type"] == "function"} >= {"latestRoundData", "getRoundData"}
    operator = "0x" + "11" * 20
    assert feed.init_code(operator, 8, "BTC / USD").startswith(feed.bytecode)
