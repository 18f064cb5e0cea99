"""A compiled contract by program counter: which statement an instruction belongs to, and what a jump decides."""

from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from vyper.compiler.settings import anchor_settings
from vyper.ir.compile_ir import RuntimeHeader, assembly_to_evm

from tests.coverage.annotation import annotated
from tests.coverage.source import Branch, Outcome, Place, compiled, place_of

JUMP: Final = 0x56
JUMPI: Final = 0x57
# Ends of statements, which a jump from outside may reach, and the labels that jumps push, which the compiler replaces.
PASSED_OVER: Final = (0x5B, 0x61)


@dataclass
class Map:
    """One of the two programs of a contract: its constructor's or its own.

    `jumped` is what a conditional jump decides when it jumps (when it goes on, the other); `checks` are the calls of
    checks, by the program counter of their jump.
    """

    statements: dict[int, Place] = field(default_factory=dict)
    jumped: dict[int, Outcome] = field(default_factory=dict)
    checks: dict[int, Branch] = field(default_factory=dict)


def digest(code: bytes) -> str:
    """What identifies a program."""
    return sha256(code).hexdigest()


def maps_of(path: Path, known: Collection[Place]) -> dict[str, Map]:
    """The programs of a contract by their digests: constructor and contract. `known` are the statements looked for."""
    data = compiled(path)
    with annotated(), anchor_settings(data.settings):
        assembly = data.assembly
    (runtime,) = [item for item in assembly if isinstance(item, list) and isinstance(item[0], RuntimeHeader)]
    metadata = bytes.fromhex(data.integrity_sum)
    programs = (assembly_to_evm(assembly, compiler_metadata=metadata), assembly_to_evm(runtime[1:]))
    return {digest(code): _map(code, by_counter["pc_raw_ast_map"], known) for code, by_counter in programs}


def _map(code: bytes, marks: dict[int, Any], known: Collection[Place]) -> Map:
    result = Map()
    for counter, mark in marks.items():
        opcode = code[counter]
        # What the compiler adds of its own, such as a return at the end of a function, is nowhere.
        if opcode not in PASSED_OVER and mark.statement is not None and mark.statement.get("lineno"):
            place = place_of(mark.statement)
            if place in known:
                result.statements[counter] = place
        if opcode == JUMPI and mark.jumped:
            result.jumped[counter] = mark.jumped
        if opcode == JUMP and mark.check:
            result.checks[counter] = mark.check
    return result
