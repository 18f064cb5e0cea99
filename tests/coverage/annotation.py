"""Tells the compiler to say of every instruction which statement it belongs to and what it decides.

Vyper's own source map is for error messages: it has gaps, ascribes what is used twice to where it is used last, and does
not say which way a jump goes when its condition holds, which the optimizer turns around. So the steps of Vyper 0.4.3 that
make and move statements and conditional jumps are wrapped, from the syntax tree to the assembly. Nothing they return
changes, which every measurement proves: what ran is found by the digest of the bytecode.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Final
from unittest.mock import patch

from vyper import ast
from vyper.codegen import self_call
from vyper.codegen.expr import Expr
from vyper.codegen.ir_node import IRnode
from vyper.codegen.stmt import Stmt
from vyper.ir import compile_ir, optimizer

from tests.coverage.source import Branch, Kind, Outcome, branches_of

# How the compiler calls the counters of loops of the source, and of no others.
COUNTERS: Final = ("range_ix", "for_list_ix")


@dataclass(frozen=True)
class Mark:
    """Takes the place of a node in the compiler's source map: the statement, and what a jump there decides.

    A conditional jump has the outcome it `jumped` for, a call of a check the `check` it makes.
    """

    statement: ast.VyperNode | None
    jumped: Outcome | None = None
    check: Branch | None = None
    # The compiler asks for these.
    node_id: int = 0

    def get_original_node(self) -> "Mark":
        """What the compiler puts into its source map."""
        return self


@contextmanager
def annotated() -> Iterator[None]:
    """Whatever is compiled inside has a `Mark` for the node of every instruction that belongs to one."""
    with ExitStack() as stack:

        def wrap(owner: Any, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
            stack.enter_context(patch.object(owner, name, wrapper(getattr(owner, name))))

        # What an arm of an `if` decides, and what any other node does.
        stack.enter_context(patch.object(IRnode, "arm", None, create=True))
        stack.enter_context(patch.object(IRnode, "decides", (), create=True))
        wrap(Stmt, "parse_If", _choice)
        wrap(Stmt, "parse_Assert", _assert)
        wrap(Stmt, "parse_For", _loop)
        wrap(Expr, "parse_IfExp", _choice)
        wrap(Expr, "parse_BoolOp", _operands)
        wrap(self_call, "ir_for_self_call", _call)
        wrap(optimizer, "_optimize", _optimized)
        wrap(compile_ir, "_compile_to_assembly", _assembled)
        stack.enter_context(patch.object(compile_ir, "_optimize_inefficient_jumps", _optimize_inefficient_jumps))
        yield


# From the syntax tree to the intermediate representation


def _node(parser: Stmt | Expr) -> ast.VyperNode:
    return parser.stmt if isinstance(parser, Stmt) else parser.expr


def _fork(ir: IRnode, branch: Branch) -> None:
    """Mark the arms of an `if`: of three arguments the second runs when the first holds, and the third when not."""
    for place, holds in zip(range(1, len(ir.args)), (True, False), strict=False):
        # A node may be used elsewhere, too.
        ir.args[place] = copy(ir.args[place])
        ir.args[place].arm = Outcome(branch, holds)


def _choice(parse: Callable[..., IRnode]) -> Callable[..., IRnode]:
    def parse_choice(parser: Stmt | Expr) -> IRnode:
        ir = parse(parser)
        (branch,) = branches_of(_node(parser))
        _fork(ir, branch)
        return ir

    return parse_choice


def _operands(parse: Callable[..., IRnode]) -> Callable[..., IRnode]:
    def parse_operands(parser: Expr) -> IRnode:
        ir = rest = parse(parser)
        for branch in branches_of(parser.expr):
            _fork(rest, branch)
            # What follows is evaluated where `and` holds, or `or` does not.
            rest = rest.args[1 if isinstance(parser.expr.op, ast.And) else 2]
        return ir

    return parse_operands


def _assert(parse: Callable[..., IRnode]) -> Callable[..., IRnode]:
    def parse_assert(parser: Stmt) -> IRnode:
        ir = parse(parser)
        (branch,) = branches_of(parser.stmt)
        if ir.value == "if":
            # With a reason: if the condition is zero, revert.
            ir.args[1].arm = Outcome(branch, False)
        else:
            ir.decides = (branch,)
        return ir

    return parse_assert


def _loop(parse: Callable[..., IRnode]) -> Callable[..., IRnode]:
    def parse_loop(parser: Stmt) -> IRnode:
        ir = parse(parser)
        _outermost_loop(ir).decides = tuple(branches_of(parser.stmt))
        return ir

    return parse_loop


def _outermost_loop(ir: IRnode) -> IRnode:
    nodes = [ir]
    while nodes:
        node = nodes.pop()
        if node.value == "repeat" and str(node.args[0].value).startswith(COUNTERS):
            return node
        nodes += reversed(node.args)
    raise ValueError("a loop without rounds")


def _call(generate: Callable[..., IRnode]) -> Callable[..., IRnode]:
    def ir_for_self_call(call: ast.Call, context: Any) -> IRnode:
        ir = generate(call, context)
        for node in ir.args:
            if node.value == "goto":
                node.decides = tuple(branches_of(call))
        return ir

    return ir_for_self_call


# Through the optimizer, which makes new nodes of old ones


def _optimized(optimize: Callable[..., tuple[bool, IRnode]]) -> Callable[..., tuple[bool, IRnode]]:
    def _optimize(node: IRnode, parent: IRnode | None) -> tuple[bool, IRnode]:
        changed, result = optimize(node, parent)
        if result is not node:
            result.arm = node.arm
            if result.value == node.value and node.decides:
                result.decides = node.decides
            if result.args and isinstance(node.ast_source, ast.Stmt) and not isinstance(result.ast_source, ast.Stmt):
                result.ast_source = node.ast_source
        return changed, result

    return _optimize


# To assembly


def _assembled(compile_: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    # The statements around the node that is being compiled.
    statements: list[ast.VyperNode | None] = [None]

    def _compile_to_assembly(code: IRnode, *args: Any, **kwargs: Any) -> list[Any]:
        # Not an expression's source: one node may stand for a parameter wherever that is used.
        statement = code.ast_source if isinstance(code.ast_source, ast.Stmt) else statements[-1]
        code.ast_source = _mark(code, statement)
        statements.append(statement)
        try:
            assembly = compile_(code, *args, **kwargs)
        finally:
            statements.pop()
        return _rounds(assembly, code) if code.value == "repeat" and code.decides else assembly

    return _compile_to_assembly


def _mark(code: IRnode, statement: ast.VyperNode | None) -> Mark:
    """The mark of the instructions that a node itself makes, not its arguments."""
    match code.value:
        case "if" if code.args[1].arm is not None:
            # Jumps to its last argument, or past its only one.
            return Mark(statement, jumped=code.args[1].arm.other())
        case "assert" if code.decides:
            return Mark(statement, jumped=Outcome(code.decides[0], False))
        case "assert_unreachable" if code.decides:
            return Mark(statement, jumped=Outcome(code.decides[0], True))
        case "goto" if code.decides:
            return Mark(statement, check=code.decides[0])
    return Mark(statement)


def _rounds(assembly: list[Any], code: IRnode) -> list[Any]:
    """The assembly of a loop with its own jumps marked: the last goes round again, the one before it skips the loop. (A
    first of three is the compiler's check of the bound.)"""
    own = [item for item in assembly if item == "JUMPI" and item.ast_source is code.ast_source]
    branches = {branch.kind: branch for branch in code.decides}
    own[-1].ast_source = replace(code.ast_source, jumped=Outcome(branches[Kind.ROUND], True))
    if Kind.ITEMS in branches:
        own[-2].ast_source = replace(code.ast_source, jumped=Outcome(branches[Kind.ITEMS], False))
    return assembly


def _optimize_inefficient_jumps(assembly: list[Any]) -> bool:
    """The compiler's function of that name, but for the jump that is turned around, whose mark is turned around too.

    `_sym_common JUMPI _sym_x JUMP _sym_common JUMPDEST` becomes `ISZERO _sym_x JUMPI _sym_common JUMPDEST`.
    """
    changed = False
    i = 0
    while i < len(assembly) - 6:
        common, jumpi, other, jump, label, jumpdest = assembly[i : i + 6]
        if (
            compile_ir.is_symbol(common)
            and jumpi == "JUMPI"
            and compile_ir.is_symbol(other)
            and jump == "JUMP"
            and label == common
            and jumpdest == "JUMPDEST"
        ):
            changed = True
            mark = jumpi.ast_source
            if mark.jumped:
                mark = replace(mark, jumped=mark.jumped.other())
            assembly[i : i + 4] = ["ISZERO", other, compile_ir.Instruction("JUMPI", mark, jumpi.error_msg)]
        else:
            i += 1
    return changed
