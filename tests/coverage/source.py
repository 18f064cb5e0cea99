"""What there is to be covered: the lines and branches of a source file.

A line is one on which a statement of a function begins. A branch is a place whose two outcomes are told apart:

- `if`, `elif` and ternary: true, false;
- every operand of `and` and `or` but the last: true, false, one of which leaves the rest unevaluated (what the last one
  decides is an outcome of what the whole is part of);
- `assert`, and a call of a function that does nothing but assert its parameter: passes, reverts;
- `for`: goes round again, runs out; where the number of rounds is not fixed also an item, no item.

What the compiler adds by itself (checks of overflow, bounds and types, the selection of a function, locks) is no branch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple
from unittest.mock import patch

from boa import interpret
from vyper import ast
from vyper.compiler import CompilerData
from vyper.semantics.types import DArrayT
from vyper.semantics.types.function import ContractFunctionT

ROOT: Final = Path(__file__).parents[2]


class Kind(Enum):
    """What tells two outcomes apart."""

    IF = "if"
    TERNARY = "ternary"
    OPERAND = "operand"
    CHECK = "check"
    ROUND = "round"
    ITEMS = "items"


# Of each kind the outcome that holds, and the other.
NAMES: Final = {
    Kind.IF: ("true", "false"),
    Kind.TERNARY: ("true", "false"),
    Kind.OPERAND: ("true", "false"),
    Kind.CHECK: ("passes", "reverts"),
    Kind.ROUND: ("goes round again", "runs out"),
    Kind.ITEMS: ("an item", "no item"),
}


class Place(NamedTuple):
    """A node of a syntax tree: its file, relative to the repository if it is in it, and its extent."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Branch(NamedTuple):
    """A place with two outcomes."""

    kind: Kind
    place: Place


class Outcome(NamedTuple):
    """One of a branch's two: the first of its kind if `holds`, else the second."""

    branch: Branch
    holds: bool

    def other(self) -> "Outcome":
        """The other one."""
        return self._replace(holds=not self.holds)


@dataclass(frozen=True)
class Statement:
    """A statement of a function.

    It runs when the statement `before` it in its block has; the first in an `if` when the `outcome` that leads to it is
    seen. That decides where the compiler made no code of it; of the first of a function or loop it always does.
    """

    place: Place
    function: str
    before: Place | None
    outcome: Outcome | None


@dataclass(frozen=True)
class Source:
    """A file's statements and branches in the order of the text, each branch with the function it is in."""

    file: str
    text: list[str]
    statements: dict[Place, Statement] = field(default_factory=dict)
    branches: dict[Branch, str] = field(default_factory=dict)

    def line(self, place: Place) -> str:
        """The text of the line a place begins on, without its indentation."""
        return self.text[place.line - 1].strip()

    def words(self, outcome: Outcome) -> str:
        """An outcome in words: of an `if`, an `assert` and a loop its name, of part of a line with that part."""
        kind, place = outcome.branch
        name = NAMES[kind][0 if outcome.holds else 1]
        return f"`{self._extract(place)}` {name}" if kind in (Kind.TERNARY, Kind.OPERAND) else name

    def _extract(self, place: Place) -> str:
        """The text of a place on one line."""
        lines = self.text[place.line - 1 : place.end_line]
        lines[-1] = lines[-1][: place.end_column]
        lines[0] = lines[0][place.column :]
        return " ".join(line.strip() for line in lines)


def compiled(path: Path) -> CompilerData:
    """A contract or module as titanoboa compiles it, but not out of its cache: with all that the compiler knows."""
    with patch.object(interpret, "_disk_cache", None):
        return interpret.compiler_data(path.read_text(), path.stem, str(path))


def source_of(path: Path) -> Source:
    """What there is to be covered in a file."""
    data = compiled(path)
    source = Source(relative(path), path.read_text().splitlines())
    for function in data.annotated_vyper_module.get_children(ast.FunctionDef):
        for statement in _block(function.name, function.body, None):
            source.statements[statement.place] = statement
        for node in function.get_descendants():
            for branch in branches_of(node):
                source.branches[branch] = function.name
    return source


def relative(path: Path) -> str:
    """A path as it is in the repository; one that is elsewhere stays what it is."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def place_of(node: ast.VyperNode) -> Place:
    """Where a node is."""
    file = relative(Path(node.module_node.resolved_path))
    return Place(file, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def branches_of(node: ast.VyperNode) -> list[Branch]:
    """The branches that a node of a syntax tree makes: of `and` and `or` one for each operand but the last, else one, or
    none; of a loop two where the number of its rounds is not fixed."""
    match node:
        case ast.If():
            return [Branch(Kind.IF, place_of(node))]
        case ast.IfExp():
            return [Branch(Kind.TERNARY, place_of(node.test))]
        case ast.BoolOp():
            return [Branch(Kind.OPERAND, place_of(operand)) for operand in node.values[:-1]]
        case ast.Assert():
            return [Branch(Kind.CHECK, place_of(node))]
        case ast.Call() if _is_check(node):
            return [Branch(Kind.CHECK, place_of(node))]
        case ast.For():
            kinds = (Kind.ROUND,) if _is_fixed(node) else (Kind.ROUND, Kind.ITEMS)
            return [Branch(kind, place_of(node)) for kind in kinds]
    return []


def _block(function: str, nodes: list[ast.VyperNode], outcome: Outcome | None) -> Iterator[Statement]:
    """The statements of a block and of the blocks in it."""
    before = None
    for node in nodes:
        yield Statement(place_of(node), function, before, outcome)
        before, outcome = place_of(node), None
        match node:
            case ast.If():
                (branch,) = branches_of(node)
                yield from _block(function, node.body, Outcome(branch, True))
                yield from _block(function, node.orelse, Outcome(branch, False))
            case ast.For():
                yield from _block(function, node.body, None)


def _is_check(call: ast.Call) -> bool:
    """Whether the function called does nothing but assert its parameter."""
    function = call.func._metadata.get("type")
    if not isinstance(function, ContractFunctionT) or not function.is_internal or function.ast_def is None:
        return False
    match function.ast_def.body:
        case [ast.Assert(test=ast.Name(id=name))]:
            return any(argument.name == name for argument in function.arguments)
    return False


def _is_fixed(loop: ast.For) -> bool:
    """Whether a loop always makes the same number of rounds, unless it is left."""
    if isinstance(loop.iter, ast.Call):
        return not loop.iter.keywords
    return not isinstance(loop.iter._metadata["type"], DArrayT)
