"""A node's answers, and everything that is none."""

import json

import pytest
from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector

from everstock.keeper.rpc import Block, Rpc, RpcDown, RpcError, octets, parse_block, quantity
from tests.keeper.servers import break_off, hang_up, serving

PYTHS = function_signature_to_4byte_selector("InvalidUpdateData()")
REASON = bytes.fromhex("08c379a0") + encode(["string"], ["order_desk: too early"])


def answering(*answers):
    """A server that gives one answer after another, put as JSON-RPC unless it is bytes."""
    left = list(answers)

    def answer(_handler, _body):
        found = left.pop(0)
        return 200, found if isinstance(found, bytes) else json.dumps(found).encode()

    return serving(answer)


def result(value, id_=0):
    return {"jsonrpc": "2.0", "id": id_, "result": value}


def error(code, message, id_=0, **more):
    return {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message, **more}}


def test_call__returns_the_result():
    with answering(result("0x2105")) as server:
        assert Rpc(server.url).call("eth_chainId") == "0x2105"
    assert json.loads(server.bodies[0]) == {"jsonrpc": "2.0", "id": 0, "method": "eth_chainId", "params": []}


def test_batch__results_in_the_order_asked__errors_in_their_place():
    answers = [result("b", 1), error(-32000, "no", 2), result("a", 0)]
    with answering(answers) as server:
        first, second, third = Rpc(server.url).batch([("a", []), ("b", [1]), ("c", [])])
    assert (first, second) == ("a", "b")
    assert isinstance(third, RpcError) and str(third) == "no"


def test_batch__of_nothing__asks_nothing():
    assert Rpc("http://127.0.0.1:1").batch([]) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (error(3, "execution reverted: order_desk: too early", data=f"0x{REASON.hex()}"), "order_desk: too early"),
        (error(3, "execution reverted", data=f"0x{PYTHS.hex()}"), "InvalidUpdateData"),
        (error(3, "execution reverted"), "reverted without a reason"),
        (error(-32003, "insufficient funds for gas * price + value"), "insufficient funds for gas * price + value"),
        (error(-32000, "execution reverted: order_desk: too early"), "order_desk: too early"),
    ],
)
def test_error__says_why_in_words(answer, reason):
    with answering(answer) as server, pytest.raises(RpcError) as caught:
        Rpc(server.url).call("eth_call")
    assert caught.value.reason == reason


def test_error__for_a_whole_batch__is_each_ones():
    with answering(error(-32600, "batch too large", None)) as server:
        answers = Rpc(server.url).batch([("a", []), ("b", [])])
    assert [str(answer) for answer in answers] == 2 * ["batch too large"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"[1, 2]",
        b'"0x1"',
        {"jsonrpc": "2.0", "id": 7, "result": 1},
        {"jsonrpc": "2.0", "id": 0},
        {"jsonrpc": "2.0", "id": 0, "error": "broken"},
        error(3, "execution reverted", data="0xnothex"),
    ],
)
def test_answer_that_is_none__means_that_nothing_is_known(answer):
    with answering(answer) as server, pytest.raises(RpcDown):
        Rpc(server.url).call("eth_chainId")


def test_batch__one_answer_missing__means_that_nothing_is_known():
    with answering([result(1, 0)]) as server, pytest.raises(RpcDown, match="did not answer b"):
        Rpc(server.url).batch([("a", []), ("b", [])])


@pytest.mark.parametrize("ends", [hang_up, break_off])
def test_connection_that_breaks__means_that_nothing_is_known(ends):
    with serving(ends) as server, pytest.raises(RpcDown, match="does not answer"):
        Rpc(server.url).call("eth_chainId")


def test_node_that_is_not_there__means_that_nothing_is_known__and_its_url_is_not_told():
    with pytest.raises(RpcDown) as caught:
        Rpc("http://127.0.0.1:1/v2/secret-key").call("eth_chainId")
    assert "secret-key" not in str(caught.value)


def test_node_that_takes_too_long__means_that_nothing_is_known():
    def sleep(handler, _body):
        handler.rfile.read(1)

    with serving(sleep) as server, pytest.raises(RpcDown, match="ReadTimeout"):
        Rpc(server.url, timeout=0.05).call("eth_chainId")


def test_node_that_comes_back__answers_again():
    with answering(b"garbage", result("0x1")) as server:
        rpc = Rpc(server.url)
        with pytest.raises(RpcDown):
            rpc.call("eth_chainId")
        assert rpc.call("eth_chainId") == "0x1"


def test_block__none_and_one():
    raw = {"number": "0x10", "hash": "0xaa", "parentHash": "0xbb", "timestamp": "0x20", "baseFeePerGas": "0x5"}
    with answering(result(None), result(raw)) as server:
        rpc = Rpc(server.url)
        assert rpc.block("0x99") is None
        assert rpc.block() == Block(16, "0xaa", "0xbb", 32, 5)


@pytest.mark.parametrize(
    "nonsense",
    [{}, "block", 5, {"number": None}, {"number": "0x1", "hash": "0x", "parentHash": "0x", "timestamp": "soon"}],
)
def test_parse_block__nonsense__means_that_nothing_is_known(nonsense):
    with pytest.raises(RpcDown):
        parse_block(nonsense)


@pytest.mark.parametrize("nonsense", [None, 5, "", "0xzz", {}])
def test_quantity_and_octets__nonsense__means_that_nothing_is_known(nonsense):
    with pytest.raises(RpcDown):
        quantity(nonsense)
    if nonsense != "":
        with pytest.raises(RpcDown):
            octets(nonsense)
