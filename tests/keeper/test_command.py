"""`everstock keeper`, as far as it goes without a chain."""

import pytest
import structlog
from click.testing import CliRunner

from everstock.keeper.command import run_keeper
from tests.keeper.deployment import manifest

PRIVATE_KEY = "0x" + "07" * 32


@pytest.fixture(autouse=True)
def _log():
    yield
    structlog.reset_defaults()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs it on a deployment whose node is not there; returns exit code and output."""
    path = tmp_path / "manifest.json"
    manifest("TSLA.M").save(path)
    monkeypatch.setenv("KEEPER_KEY", PRIVATE_KEY)
    monkeypatch.setenv("NO_KEY", "hunter2")
    monkeypatch.delenv("NOT_SET", raising=False)

    def run(*arguments, manifest_path=path):
        where = ["--rpc", "http://127.0.0.1:1/secret", "--hermes", "http://127.0.0.1:1"]
        result = CliRunner().invoke(run_keeper, ["--manifest", str(manifest_path), *where, *arguments])
        return result.exit_code, result.output

    return run


def test_help__teaches():
    text = CliRunner().invoke(run_keeper, ["--help"]).output
    for word in ("--manifest", "--key-env", "--metrics-port", "/status", "SIGTERM", "liquidations"):
        assert word in text


@pytest.mark.parametrize("arguments", [(), ("--key-env", "KEEPER_KEY", "--key-index", "1")])
def test_key__none_or_two__is_refused(run, arguments):
    code, output = run(*arguments)
    assert code == 2
    assert "name either --key-env or --key-index" in output


def test_key__variable_not_set__is_refused(run):
    assert run("--key-env", "NOT_SET")[1].endswith("Error: the environment variable NOT_SET is not set\n")


def test_key__that_is_none__is_refused_and_not_repeated(run):
    code, output = run("--key-env", "NO_KEY")
    assert code == 1
    assert "NO_KEY is no private key" in output
    assert "hunter2" not in output


def test_manifest__missing__is_said(run, tmp_path):
    code, output = run("--key-env", "KEEPER_KEY", manifest_path=tmp_path / "other.json")
    assert code == 1
    assert "there is no deployment at" in output


def test_once__no_node__is_said_without_its_url(run):
    code, output = run("--key-env", "KEEPER_KEY", "--once")
    assert code == 1
    assert "the node does not answer: ConnectionError" in output
    assert "secret" not in output


def test_hermes_key__variable_not_set__is_refused(run):
    code, output = run("--key-env", "KEEPER_KEY", "--hermes-key-env", "NOT_SET")
    assert code == 1
    assert "NOT_SET is not set" in output
