"""Every path of one function of compiled bytecode, for all arguments, any storage and any time: halmos as a library.

halmos on its own wants the output of a Solidity build. Its engine does not: it gets the runtime code of our contracts,
calldata made of symbols, storage of which nothing is known, and a clock below 2^32. A function under proof returns one
bool. It reverts with ASSUME where its arguments are outside of what it is about; any other revert is an outcome.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eth_hash.auto import keccak
from halmos.bytevec import ByteVec
from halmos.calldata import FunctionInfo, get_abi, mk_calldata
from halmos.config import ConfigSource, default_config
from halmos.sevm import EMPTY_BALANCE, SEVM, Block, CallContext, Contract, Exec, Message, Path
from halmos.utils import EVM, con, con_addr, create_solver
from z3 import ULT, BitVec, BitVecNumRef, BitVecRef, BoolRef, simplify

from everstock.proofs.solver import choices

ASSUME: Final = "assume"
# Error(string): its selector, then where the reason begins, its length, and itself.
_ERROR: Final = b"\x08\xc3\x79\xa0" + (32).to_bytes(32)

# For one condition while exploring. What is left undecided is followed, and decided at the end.
_BRANCHING_MILLISECONDS: Final = 60
# How often a path may take one jump both ways. Reaching it fails the proof.
_UNROLLING: Final = 128

# The block's time, beside the arguments.
NOW: Final = "now"

# A symbol of halmos: p_<argument>_<type>_<unique>_<number>.
_SYMBOL: Final = re.compile(r"^p_(?P<name>.+)_(?P<type>[a-z]+\d*)_[^_]+_[^_]*$")
_INTEGER: Final = re.compile(r"^(?P<unsigned>u?)int(?P<bits>\d+)$")


class ExplorationError(RuntimeError):
    """Not every path was seen to its end; nothing is proved then."""


@dataclass
class Paths:
    """How a function can end: each path as the list of its conditions, with the word or the reason it ends with."""

    arguments: dict[str, BitVecRef]
    returned: list[tuple[list[BoolRef], BitVecRef]] = field(default_factory=list)
    reverted: list[tuple[list[BoolRef], str]] = field(default_factory=list)
    assumed: int = 0

    @property
    def count(self) -> int:
        """Of paths inside the assumptions."""
        return len(self.returned) + len(self.reverted)


def explore(
    codes: Mapping[str, str], target: str, abi: Sequence[Mapping[str, Any]], signature: str, pins: Mapping[str, int]
) -> Paths:
    """Every path of `signature` at the address `target`; `codes` are runtime codes in hex by address.

    `pins` fixes arguments, or NOW, by name. Raises `ExplorationError` if a path was cut short or cannot be followed.
    """
    choices.teach()
    config = default_config().with_overrides(
        ConfigSource.command_line, storage_layout="generic", loop=_UNROLLING, no_status=True
    )
    name = signature.split("(")[0]
    info = FunctionInfo(name, name, signature, keccak(signature.encode())[:4].hex())
    encoded, _ = mk_calldata(get_abi({"abi": list(abi)}), info, config)
    calldata, arguments, conditions = _typed(encoded, {name: value for name, value in pins.items() if name != NOW})
    now = con(pins[NOW]) if NOW in pins else BitVec(f"p_{NOW}_uint32_0_00", 256)
    if NOW not in pins:
        arguments[NOW] = now
        conditions.append(ULT(now, con(2**32)))

    paths = Paths(arguments)
    engine = SEVM(config, info)
    for end in engine.run(_start(engine, codes, target, calldata, conditions, now)):
        output = end.context.output
        if end.context.is_stuck():
            raise ExplorationError(f"stuck: {end.context.get_stuck_reason()}")
        if output.error is None:
            paths.returned.append((list(end.path.conditions), _word(output.data)))
        elif (reason := _reason(output.data)) == ASSUME:
            paths.assumed += 1
        else:
            paths.reverted.append((list(end.path.conditions), reason))
    if engine.logs.bounded_loops:
        raise ExplorationError(f"a loop ran more than {_UNROLLING} times")
    return paths


def _start(
    engine: SEVM,
    codes: Mapping[str, str],
    target: str,
    calldata: ByteVec,
    conditions: Sequence[BoolRef],
    now: BitVecRef,
) -> Exec:
    """The state before the first instruction."""
    contracts = {con_addr(int(at, 16)): Contract.from_hexcode(code) for at, code in codes.items()}
    storage = {at: engine.mk_storagedata() for at in contracts}
    transient = {at: engine.mk_storagedata() for at in contracts}
    for data in [*storage.values(), *transient.values()]:
        data.symbolic = True
    path = Path(create_solver(timeout=_BRANCHING_MILLISECONDS))
    path.extend(conditions)
    here, caller = con_addr(int(target, 16)), con_addr(0xCA11E4)
    start = engine.mk_exec(
        code=contracts,
        storage=storage,
        transient_storage=transient,
        balance=EMPTY_BALANCE,
        block=Block(
            basefee=con(0),
            chainid=con(8453),
            coinbase=con_addr(0),
            difficulty=con(0),
            gaslimit=con(2**63 - 1),
            number=con(1),
            timestamp=now,
        ),
        context=CallContext(
            message=Message(target=here, caller=caller, origin=caller, value=0, data=calldata, call_scheme=EVM.CALL)
        ),
        pgm=contracts[here],
        path=path,
    )
    # Vyper's lock, free before a transaction. (As empty storage the engine would take it for the other storage's slot 0.)
    for at in contracts:
        engine.storage_model.store(start, transient, at, con(0), con(0))
    return start


def _typed(encoded: ByteVec, pins: Mapping[str, int]) -> tuple[ByteVec, dict[str, BitVecRef], list[BoolRef]]:
    """Calldata with the pinned arguments in place, the other arguments, and what their types promise."""
    calldata = ByteVec()
    calldata.append(encoded[0:4].unwrap())
    arguments: dict[str, BitVecRef] = {}
    conditions: list[BoolRef] = []
    pinned = set()
    for position in range(4, len(encoded), 32):
        word = encoded.get_word(position)
        symbol = _SYMBOL.match(str(word))
        if symbol is None:
            raise ExplorationError("a function under proof takes no dynamic arguments")
        name = symbol["name"]
        if name in pins:
            pinned.add(name)
            word = con(pins[name] % 2**256)
        else:
            arguments[name] = word
            conditions += _promised(word, symbol["type"])
        calldata.append(word)
    if unknown := set(pins) - pinned:
        raise ExplorationError(f"no argument is called {', '.join(sorted(unknown))}")
    return calldata, arguments, conditions


def _promised(word: BitVecRef, kind: str) -> list[BoolRef]:
    """What a type allows; Vyper refuses all else before a function begins."""
    integer = _INTEGER.match(kind)
    if integer is None:
        return [ULT(word, con(2 if kind == "bool" else 2**160))]
    bits = int(integer["bits"])
    if bits == 256:
        return []
    if integer["unsigned"]:
        return [ULT(word, con(2**bits))]
    return [word >= con(2**256 - 2 ** (bits - 1)), word < con(2 ** (bits - 1))]


def _word(data: ByteVec | None) -> BitVecRef:
    if data is None or len(data) != 32:
        raise ExplorationError("a function under proof returns one bool")
    content = _bytes(data)
    return data.get_word(0) if content is None else con(int.from_bytes(content))


def _reason(data: ByteVec | None) -> str:
    """Why a call reverted, or nothing where no reason is given."""
    content = _bytes(data) or b""
    if not content.startswith(_ERROR):
        return ""
    start = len(_ERROR) + 32
    return content[start : start + int.from_bytes(content[start - 32 : start])].decode()


def _bytes(data: ByteVec | None) -> bytes | None:
    """Data without symbols, or nothing."""
    if data is None or not len(data):
        return b""
    content = data.unwrap()
    if isinstance(content, bytes):
        return content
    content = simplify(content)
    return content.as_long().to_bytes(len(data)) if isinstance(content, BitVecNumRef) else None
