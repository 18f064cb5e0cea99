"""What of every contract was executed, in one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from boa.contracts.vyper.vyper_contract import VyperDeployer
from boa.vm.py_evm import titanoboa_computation

from tests.coverage.maps import JUMP, JUMPI, digest
from tests.coverage.source import ROOT

REVERT: Final = 0xFD


@dataclass
class Run:
    """What was executed of one program: `steps` from one program counter to the next; of the unconditional jumps those
    `followed` by another, and the `last` ones before a revert."""

    code: bytes
    steps: set[tuple[int, int]] = field(default_factory=set)
    followed: set[int] = field(default_factory=set)
    last: set[int] = field(default_factory=set)

    def note(self, counters: list[int]) -> None:
        """Add one execution's program counters."""
        self.steps.update(pairwise(counters))
        jumps = [counter for counter in counters if self.code[counter] == JUMP]
        self.followed.update(jumps[:-1])
        if jumps and self.code[counters[-1]] == REVERT:
            self.last.add(jumps[-1])


class Recorder:
    """Collects the runs of all programs compiled from files in a folder, by the digest of what the compiler made.

    What is deployed is longer than that: arguments follow a constructor, immutables a contract.
    """

    def __init__(self, folder: Path = ROOT / "contracts") -> None:
        self.folder = folder
        self.runs: dict[str, Run] = {}
        self._found: dict[bytes, Run | None] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what titanoboa compiles and runs inside."""
        init = VyperDeployer.__init__
        apply = titanoboa_computation.__dict__["apply_computation"].__func__

        def compiled(deployer: VyperDeployer, compiler_data: Any, filename: str | None = None) -> None:
            init(deployer, compiler_data, filename)
            if Path(compiler_data.file_input.resolved_path).is_relative_to(self.folder):
                self._register(compiler_data.bytecode)
                self._register(compiler_data.bytecode_runtime)

        def apply_computation(cls: type, *args: Any, **kwargs: Any) -> Any:
            computation = apply(cls, *args, **kwargs)
            self._note(computation.code)
            return computation

        with (
            patch.object(VyperDeployer, "__init__", compiled),
            patch.object(titanoboa_computation, "apply_computation", classmethod(apply_computation)),
        ):
            yield

    def found(self) -> dict[str, Any]:
        """What was executed of each program, as lists of program counters: all `executed`, conditional jumps with what
        came next (`branched`), and what `Run` says of the others."""
        return {
            name: {
                "executed": sorted({counter for step in run.steps for counter in step}),
                "branched": sorted(step for step in run.steps if run.code[step[0]] == JUMPI),
                "followed": sorted(run.followed),
                "last": sorted(run.last),
            }
            for name, run in self.runs.items()
            if run.steps
        }

    def _register(self, code: bytes) -> None:
        name = digest(code)
        if name not in self.runs:
            self.runs[name] = Run(code)
            self._found.clear()

    def _note(self, code: Any) -> None:
        # The one place titanoboa keeps the program counters of an execution.
        counters, program = code._trace, code._raw_code_bytes
        if not counters:
            return
        if program not in self._found:
            self._found[program] = self._run_of(program)
        if run := self._found[program]:
            run.note(counters)

    def _run_of(self, program: bytes) -> Run | None:
        runs = [run for run in self.runs.values() if program.startswith(run.code)]
        return max(runs, key=lambda run: len(run.code), default=None)
