"""`everstock keeper`, as far as it goes without a chain."""

import json
from contextlib import contextmanager

import pytest
import structlog
from click.testing import CliRunner

from everstock.keeper.command import run_keeper
from everstock.parameters import ORDER_DELAY
from tests.keeper.deployment import manifest, word
from tests.keeper.servers import serving

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

    def run(*arguments, manifest_path=path, rpc="http://127.0.0.1:1/secret"):
        where = ["--rpc", rpc, "--hermes", "http://127.0.0.1:1"]
        result = CliRunner().invoke(run_keeper, ["--manifest", str(manifest_path), *where, *arguments])
        return result.exit_code, result.output

    return run


@contextmanager
def node(delay):
    """A node without blocks, whose order desks answer `delay` to whatever they are asked."""
    answers = {
        "eth_chainId": {"result": hex(8453)},
        "eth_getCode": {"result": "0x00"},
        "eth_call": delay,
        "eth_getBlockByNumber": {"result": None},
    }

    def answer(_handler, body):
        asked = json.loads(body)
        return 200, json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answers[asked["method"]]}).encode()

    with serving(answer) as served:
        yield served


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


def test_manifest__whose_delay_is_the_order_desks__is_followed(run):
    with node({"result": word(ORDER_DELAY)}) as served:
        assert run("--key-env", "KEEPER_KEY", "--once", rpc=served.url) == (1, "Error: the node has no blocks\n")
        assert sum(b"eth_call" in body for body in served.bodies) == 1


@pytest.mark.parametrize("arguments", [(), ("--once",)])
def test_manifest__of_another_delay_than_the_order_desks__is_refused(run, arguments):
    with node({"result": word(ORDER_DELAY + 1)}) as served:
        code, output = run("--key-env", "KEEPER_KEY", *arguments, rpc=served.url)
    said = f"the deployment's order_delay is {ORDER_DELAY} s, its order desk's {ORDER_DELAY + 1} s"
    assert (code, output) == (1, f"Error: TSLA.M: {said}\n")


@pytest.mark.parametrize(
    "answer",
    [{"result": "0x"}, {"result": "0x1234"}, {"error": {"code": 3, "message": "execution reverted", "data": "0x"}}],
)
def test_manifest__something_else_where_the_order_desk_should_be__is_refused(run, answer):
    with node(answer) as served:
        code, output = run("--key-env", "KEEPER_KEY", rpc=served.url)
    assert code == 1
    assert output.startswith("Error: TSLA.M: the order desk at 0x")
    assert "does not tell its delay" in output


def test_once__no_node__is_said_without_its_url(run):
    code, output = run("--key-env", "KEEPER_KEY", "--once")
    assert code == 1
    assert "the node does not answer: ConnectionError" in output
    assert "secret" not in output


def test_hermes_key__variable_not_set__is_refused(run):
    code, output = run("--key-env", "KEEPER_KEY", "--hermes-key-env", "NOT_SET")
    assert code == 1
    assert "NOT_SET is not set" in output
