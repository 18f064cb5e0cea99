"""ABI and bytecode of our contracts, from the manifest that `ape compile` leaves in `.build/`.

Ape itself is not imported: it takes a second to load, and nothing that runs beside a chain needs it. Because Ape
looks only at a contract's own file when it decides what to compile again, this module keeps a fingerprint of each
contract together with all it imports, and compiles what differs (`python -m everstock.chain.artifacts`).
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from web3 import Web3
from web3.contract import Contract

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = Path(".build") / "__local__.json"
FINGERPRINTS = Path(".build") / "fingerprints.json"

_IMPORT = re.compile(r"^(?:from\s+(?P<package>[\w.]+)\s+import\s+(?P<name>\w+)|import\s+(?P<path>[\w.]+))", re.M)


class ArtifactError(RuntimeError):
    """A contract is unknown, was never compiled, or changed since it was compiled."""


@dataclass(frozen=True)
class Artifact:
    """One compiled contract. Bytecodes are raw bytes; `runtime` is without immutables."""

    name: str
    source: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    runtime: bytes

    @property
    def runtime_size(self) -> int:
        """Bytes of runtime code, of the 24,576 that a chain allows; immutables not counted."""
        return len(self.runtime)

    def at(self, w3: Web3, address: str) -> Contract:
        """The contract at `address`, as web3 sees it."""
        return w3.eth.contract(address=Web3.to_checksum_address(address), abi=self.abi)

    def init_code(self, *arguments: Any) -> bytes:
        """Creation code with the constructor's encoded `arguments` appended."""
        factory = Web3().eth.contract(abi=self.abi, bytecode=self.bytecode)
        return bytes.fromhex(factory.constructor(*arguments).data_in_transaction.removeprefix("0x"))


def sources(root: Path = ROOT) -> dict[str, Path]:
    """Every deployable's path by its name: the `CamelCase.vy` files under `contracts/`, modules left out."""
    folder = root / "contracts"
    found = [path for path in sorted(folder.rglob("*.vy")) if path.relative_to(folder).parts[0] != "modules"]
    return {path.stem: path for path in found}


def fingerprint(source: Path, root: Path = ROOT) -> str:
    """A hash over `source` and every file of this repository that it imports, directly or not."""
    seen: set[Path] = set()
    queue = [source]
    while queue:
        path = queue.pop()
        if path in seen:
            continue
        seen.add(path)
        queue.extend(_imports(path, root))
    digest = hashlib.sha256()
    for path in sorted(seen):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def outdated(root: Path = ROOT) -> list[str]:
    """Names of the contracts that have no artifact or changed since theirs was made."""
    known = _fingerprints(root) if (root / MANIFEST).is_file() else {}
    return [name for name, path in sources(root).items() if known.get(name) != fingerprint(path, root)]


def compile_outdated(root: Path = ROOT) -> list[str]:
    """Compile what `outdated` names, with Ape, and return those names.

    Raises `ArtifactError` with the compiler's words if any fails, after all that do compile are done.
    """
    names = outdated(root)
    if names and (problem := _compile(names, root)):
        # One that fails spoils its company: find out which, and keep the others.
        problems = [problem for name in names if (problem := _compile([name], root))] if len(names) > 1 else [problem]
        if problems:
            raise ArtifactError("\n\n".join(["the contracts do not compile", *problems]))
    return names


def load(name: str, root: Path = ROOT) -> Artifact:
    """The artifact of the contract called `name`.

    Raises `ArtifactError` if there is no such contract, or it was not compiled, or something it is made of changed
    since.
    """
    path = sources(root).get(name)
    if path is None:
        raise ArtifactError(f"no contract is called {name}: there are {', '.join(sources(root))}")
    if not (root / MANIFEST).is_file():
        raise ArtifactError("the contracts were never compiled: run `make setup`")
    if _fingerprints(root).get(name) != fingerprint(path, root):
        raise ArtifactError(f"{path.relative_to(root)} changed since it was compiled: run `make setup`")
    data = _contract_types(root)[name]
    return Artifact(
        name=name,
        source=data["sourceId"],
        abi=data["abi"],
        bytecode=bytes.fromhex(data["deploymentBytecode"]["bytecode"].removeprefix("0x")),
        runtime=bytes.fromhex(data["runtimeBytecode"]["bytecode"].removeprefix("0x")),
    )


def _compile(names: list[str], root: Path) -> str:
    """Compile those contracts; the compiler's complaint, or nothing."""
    paths = sources(root)
    prints = {name: fingerprint(paths[name], root) for name in names}
    # ape-vyper finds the compiler by `which vyper`.
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(tools / "ape"), "compile", "--force", *(str(paths[name].relative_to(root)) for name in names)]
    result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        output = result.stdout + result.stderr
        return output[max(0, output.rfind("ERROR:")) :].strip()
    known = {name: value for name, value in _fingerprints(root).items() if name in paths}
    (root / FINGERPRINTS).write_text(json.dumps({**known, **prints}, indent=1, sort_keys=True))
    return ""


def _imports(path: Path, root: Path) -> list[Path]:
    """Files of this repository that `path` imports; libraries are pinned elsewhere and left out."""
    found = []
    for match in _IMPORT.finditer(path.read_text()):
        package, name = (match["package"], match["name"]) if match["package"] else ("", match["path"])
        dots = len(package) - len(package.lstrip("."))
        # One dot is the importing file's own folder, each further one its parent.
        folder = path.parents[dots - 1] if dots else root
        stem = folder.joinpath(*filter(None, package.split(".")), *name.split("."))
        found += [file for file in (stem.with_suffix(".vy"), stem.with_suffix(".vyi")) if file.is_file()]
    return found


def _fingerprints(root: Path) -> dict[str, str]:
    path = root / FINGERPRINTS
    return json.loads(path.read_text()) if path.is_file() else {}


def _contract_types(root: Path) -> dict[str, dict[str, Any]]:
    path = root / MANIFEST
    return _parse_manifest(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _parse_manifest(path: Path, _modified: int) -> dict[str, dict[str, Any]]:
    return json.loads(path.read_text())["contractTypes"]


def main() -> None:
    """Compile what is outdated and say so."""
    try:
        names = compile_outdated()
    except ArtifactError as error:
        sys.exit(str(error))
    print(f"compiled {', '.join(names)}" if names else "contracts are up to date")


if __name__ == "__main__":
    main()
