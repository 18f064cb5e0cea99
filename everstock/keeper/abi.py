"""Calls, answers and events of our contracts, as bytes and as values, from their artifacts."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils import keccak

from everstock.chain import artifacts
from everstock.keeper.rpc import RpcDown, octets


class Garbled(RpcDown):
    """Returned bytes are not what the contract returns: there is another one, or none."""


class Function:
    """A function of a contract; `inputs` and `outputs` are its ABI types. Structs it returns are dictionaries here."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.name: str = entry["name"]
        self.inputs = _types(entry["inputs"])
        self.outputs = _types(entry["outputs"])
        self.selector = _signature_hash(entry)[:4]
        self._returned = entry["outputs"]

    def encode(self, *arguments: Any) -> bytes:
        """Calldata."""
        return self.selector + encode(self.inputs, arguments)

    def decode(self, returned: bytes) -> Any:
        """What a call returned: the value if it is one, otherwise a list. Raises `Garbled`."""
        values = _decode(self.outputs, returned)
        named = [_named(field, value) for field, value in zip(self._returned, values, strict=True)]
        return named[0] if len(named) == 1 else named


class Event:
    """An event of a contract; `topic` is what its logs begin with. Structs in it are dictionaries here."""

    def __init__(self, entry: dict[str, Any]) -> None:
        fields = entry["inputs"]
        self.topic = f"0x{_signature_hash(entry).hex()}"
        self._indexed = [field for field in fields if field["indexed"]]
        self._data = [field for field in fields if not field["indexed"]]

    def decode(self, log: dict[str, Any]) -> dict[str, Any]:
        """A log's fields by name. Raises `Garbled`, `RpcDown`."""
        topics = b"".join(octets(topic) for topic in log["topics"][1:])
        fields = (*self._indexed, *self._data)
        values = (*_decode(_types(self._indexed), topics), *_decode(_types(self._data), octets(log["data"])))
        return {field["name"]: _named(field, value) for field, value in zip(fields, values, strict=True)}


class Interface:
    """A contract's functions and events."""

    def __init__(self, contract: str) -> None:
        """Raises `ArtifactError` if there is no such contract or it was not compiled."""
        self._abi = _load(contract)

    def function(self, name: str) -> Function:
        """The function called `name`; of several, the one with the most arguments."""
        found = [entry for entry in self._abi if entry["type"] == "function" and entry["name"] == name]
        return Function(max(found, key=lambda entry: len(entry["inputs"])))

    def event(self, name: str) -> Event:
        """The event called `name`."""
        (found,) = (entry for entry in self._abi if entry["type"] == "event" and entry["name"] == name)
        return Event(found)


@cache
def _load(contract: str) -> list[dict[str, Any]]:
    return artifacts.load(contract).abi


def _signature_hash(entry: dict[str, Any]) -> bytes:
    return keccak(text=f"{entry['name']}({','.join(_types(entry['inputs']))})")


def _types(fields: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """ABI types, structs spelled out."""
    return tuple(
        f"({','.join(_types(field['components']))}){field['type'].removeprefix('tuple')}"
        if field["type"].startswith("tuple")
        else field["type"]
        for field in fields
    )


def _named(field: dict[str, Any], value: Any) -> Any:
    """A decoded value with its structs as dictionaries."""
    if field["type"].startswith("tuple["):
        return [_struct(field["components"], item) for item in value]
    return _struct(field["components"], value) if field["type"] == "tuple" else value


def _struct(fields: Sequence[dict[str, Any]], values: Sequence[Any]) -> dict[str, Any]:
    return {field["name"]: _named(field, value) for field, value in zip(fields, values, strict=True)}


def _decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    try:
        return decode(types, data)
    except (DecodingError, OverflowError) as error:
        raise Garbled(f"{len(data)} bytes are not ({', '.join(types)}): {error}") from error
