"""A JSON-RPC client that says of every trouble which of two kinds it is.

Either the node answered that something cannot be done (`RpcError`), or it did not answer in a way that can be
understood (`RpcDown`): then nothing is known, not even whether a transaction was taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests

from everstock.chain.transactions import reason_of

# Nodes answer reverted calls with this code and the revert data.
REVERTED: Final = 3

Request = tuple[str, list[Any]]


class RpcDown(RuntimeError):
    """The node does not answer, or what it answers is no answer."""


class RpcError(RuntimeError):
    """The node refused, in its own words; `data` is what a reverted call returned, none if it was no revert."""

    def __init__(self, code: int, message: str, data: bytes | None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data

    @property
    def reason(self) -> str:
        """Why, in the contract's words where it was a contract that refused."""
        if self.data is not None:
            return reason_of(self.data)
        return str(self).removeprefix("execution reverted: ")


@dataclass(frozen=True)
class Block:
    """A block's header, as far as it matters here. `base_fee` is wei per gas."""

    number: int
    hash: str
    parent: str
    time: int
    base_fee: int


class Rpc:
    """A node, by its URL. Not safe for threads. `timeout` in seconds is for each request."""

    def __init__(self, url: str, timeout: float = 10) -> None:
        self.url = url
        self._timeout = timeout
        self._session = requests.Session()

    def call(self, method: str, *parameters: Any) -> Any:
        """The result of one request. Raises `RpcDown`, `RpcError`."""
        (answer,) = self.batch([(method, list(parameters))])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, asked: Sequence[Request]) -> list[Any]:
        """The results of several requests in one round trip; an `RpcError` in the place of one that was refused.

        Raises `RpcDown`.
        """
        if not asked:
            return []
        body = [
            {"jsonrpc": "2.0", "id": i, "method": method, "params": parameters}
            for i, (method, parameters) in enumerate(asked)
        ]
        answers = self._post(body if len(body) > 1 else body[0])
        if isinstance(answers, dict):
            answers = [answers]
        if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
            raise RpcDown(f"the node's answer is no JSON-RPC: {answers!r:.100}")
        by_id = {answer.get("id"): answer for answer in answers}
        return [_result(by_id, i, method) for i, (method, _) in enumerate(asked)]

    def block(self, tag: str = "latest") -> Block | None:
        """A block's header; none if there is no such block. Raises `RpcDown`, `RpcError`."""
        raw = self.call("eth_getBlockByNumber", tag, False)
        return None if raw is None else parse_block(raw)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _post(self, body: Any) -> Any:
        try:
            return self._session.post(self.url, json=body, timeout=self._timeout).json()
        except requests.exceptions.JSONDecodeError as error:
            raise RpcDown(f"the node's answer is no JSON: {error.doc[:100]!r}") from error
        except requests.RequestException as error:
            # Not its words, which name the URL, and that may hold a key.
            raise RpcDown(f"the node does not answer: {type(error).__name__}") from error


def quantity(raw: Any) -> int:
    """A number as nodes write it. Raises `RpcDown` if it is none."""
    try:
        return int(raw, 16)
    except (TypeError, ValueError) as error:
        raise RpcDown(f"the node answered {raw!r:.100} where a number was asked for") from error


def octets(raw: Any) -> bytes:
    """Bytes as nodes write them. Raises `RpcDown` if they are none."""
    try:
        return bytes.fromhex(raw.removeprefix("0x"))
    except (AttributeError, ValueError) as error:
        raise RpcDown(f"the node answered {raw!r:.100} where bytes were asked for") from error


def parse_block(raw: Any) -> Block:
    """A header out of a node's answer. Raises `RpcDown` if it is none."""
    try:
        return Block(
            number=quantity(raw["number"]),
            hash=raw["hash"],
            parent=raw["parentHash"],
            time=quantity(raw["timestamp"]),
            base_fee=quantity(raw["baseFeePerGas"]),
        )
    except (KeyError, TypeError) as error:
        raise RpcDown(f"the node answered {raw!r:.100} where a block was asked for") from error


def _result(answers: dict[Any, dict[str, Any]], id_: int, method: str) -> Any:
    answer = answers.get(id_)
    # A node that refuses a whole batch answers once, without an id.
    answer = answers.get(None) if answer is None else answer
    if answer is None:
        raise RpcDown(f"the node did not answer {method}")
    if "error" not in answer:
        if "result" not in answer:
            raise RpcDown(f"the node's answer to {method} has no result")
        return answer["result"]
    error = answer["error"]
    if not isinstance(error, dict):
        raise RpcDown(f"the node refused {method} with {error!r:.100}")
    return RpcError(error.get("code", 0), str(error.get("message", "")), _revert_data(error))


def _revert_data(error: dict[str, Any]) -> bytes | None:
    data = error.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        return octets(data)
    return b"" if error.get("code") == REVERTED else None
