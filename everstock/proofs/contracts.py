"""The contracts under proof: compiled, and deployed on a chain of their own that runs long calls."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_abi import decode, encode
from eth_utils import keccak
from eth_utils.abi import collapse_if_tuple
from web3 import Web3

from everstock.chain import artifacts
from everstock.chain.anvil import Anvil
from everstock.chain.artifacts import ROOT

# A call may take minutes at hundreds of millions of gas a second.
_GAS: Final = 2**48
_CALL_SECONDS: Final = 3_600
# The clock of the chain: any time will do that is the same every time. 2025-10-09.
_TIME: Final = 1_759_968_000


class ProofError(RuntimeError):
    """A contract under proof does not compile, or a call to it failed."""


@dataclass(frozen=True)
class Compiled:
    """ABI and creation code of a contract."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes

    def signature(self, function: str) -> str:
        """The signature of a function by its name. Raises `ProofError` if there is none."""
        return f"{function}({','.join(map(collapse_if_tuple, self._entry(function)['inputs']))})"

    def outputs(self, function: str) -> list[str]:
        """The types that a function returns."""
        return [collapse_if_tuple(item) for item in self._entry(function)["outputs"]]

    def functions(self) -> list[str]:
        """Names of its functions."""
        return [entry["name"] for entry in self.abi if entry["type"] == "function"]

    def _entry(self, function: str) -> dict[str, Any]:
        for entry in self.abi:
            if entry["type"] == "function" and entry["name"] == function:
                return entry
        raise ProofError(f"{self.name} has no function {function}")


def compiled(name: str, root: Path = ROOT) -> Compiled:
    """The contract called `name`: the artifact that `make setup` left or, under another root, compiled now.

    Raises `ArtifactError` for the former, `ProofError` with the compiler's words for the latter.
    """
    if root == ROOT:
        artifact = artifacts.load(name)
        return Compiled(name, artifact.abi, artifact.bytecode)
    path = artifacts.sources(root)[name].relative_to(root)
    vyper = str(Path(sys.executable).parent / "vyper")
    command = [vyper, "-f", "abi,bytecode", "-p", str(root), str(path)]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ProofError(f"{name} does not compile:\n{result.stdout}{result.stderr}")
    abi, bytecode = result.stdout.strip().splitlines()
    return Compiled(name, json.loads(abi), bytes.fromhex(bytecode.removeprefix("0x")))


@dataclass(frozen=True)
class Deployed:
    """A contract on a chain, and those it was told of when it was made."""

    w3: Web3
    contract: Compiled
    address: str
    others: tuple[str, ...] = ()

    def codes(self) -> dict[str, str]:
        """Code with immutables, in hex, of it and of those it knows, by address."""
        addresses = {self.address, *self.others}
        return {one: self.w3.eth.get_code(Web3.to_checksum_address(one)).to_0x_hex() for one in sorted(addresses)}

    def call(self, function: str, *arguments: int) -> tuple[Any, ...]:
        """What `function` returns. Raises `ProofError` if it reverts."""
        signature = self.contract.signature(function)
        kinds = signature[len(function) + 1 : -1].split(",") if arguments else []
        data = keccak(text=signature)[:4] + encode(kinds, arguments)
        request = {"to": self.address, "data": f"0x{data.hex()}", "gas": hex(_GAS)}
        answer = self.w3.provider.make_request("eth_call", [request, "latest"])
        if "error" in answer:
            raise ProofError(f"{self.contract.name}.{function}{arguments}: {answer['error']['message']}")
        return decode(self.contract.outputs(function), bytes.fromhex(answer["result"].removeprefix("0x")))


class Workbench:
    """A chain with the contracts under proof on it, each made when it is first asked for.

    `arguments` are constructor arguments by contract; "@Name" stands for another contract's address.
    """

    def __init__(self, w3: Web3, root: Path, arguments: Mapping[str, Sequence[Any]]) -> None:
        self._w3 = w3
        self._root = root
        self._arguments = arguments
        self._compiled: dict[str, Compiled] = {}
        self._deployed: dict[str, Deployed] = {}

    def deployed(self, name: str, arguments: Sequence[Any] | None = None) -> Deployed:
        """The contract called `name`, made with `arguments` or those it has by default."""
        label = name if arguments is None else f"{name} {tuple(arguments)}"
        if label not in self._deployed:
            values = self._arguments.get(name, ()) if arguments is None else arguments
            others = [value[1:] for value in values if _is_reference(value)]
            if name not in self._compiled:
                self._compiled[name] = compiled(name, self._root)
            known = tuple(_address(other) for other in others)
            self._deployed[label] = Deployed(self._w3, self._compiled[name], _address(label), known)
            # Two may know each other: an address is known before there is code at it.
            for other in others:
                self.deployed(other)
            self._etch(self._deployed[label], [_address(v[1:]) if _is_reference(v) else v for v in values])
        return self._deployed[label]

    def _etch(self, contract: Deployed, values: Sequence[Any]) -> None:
        """Put the code that its constructor returns at its address; what the constructor stores is of no concern."""
        factory = Web3().eth.contract(abi=contract.contract.abi, bytecode=contract.contract.bytecode)
        data = factory.constructor(*values).data_in_transaction
        code = self._w3.eth.call({"data": data, "gas": 100_000_000})
        answer = self._w3.provider.make_request("anvil_setCode", [contract.address, f"0x{code.hex()}"])
        if "error" in answer:
            raise ProofError(f"{contract.contract.name}: {answer['error']['message']}")


def _address(label: str) -> str:
    return Web3.to_checksum_address(keccak(text=label)[-20:])


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("@")


@contextmanager
def workbench(arguments: Mapping[str, Sequence[Any]], root: Path = ROOT) -> Iterator[Workbench]:
    """A chain for proofs of the contracts under `root`. Raises `AnvilError`."""
    with Anvil(["--gas-limit", str(2 * _GAS), "--timestamp", str(_TIME), "--no-mining"]) as anvil:
        w3 = anvil.web3(_CALL_SECONDS)
        # In the very first block it would still be 1970.
        w3.provider.make_request("evm_mine", [])
        yield Workbench(w3, root, arguments)
