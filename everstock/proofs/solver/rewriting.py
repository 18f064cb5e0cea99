"""The EVM's meaning for what the engine leaves as names: products, quotients and remainders of two unknowns."""

from typing import Final

from z3 import BitVecVal, ExprRef, If, SRem, UDiv, URem, is_app, simplify

PRODUCT: Final = "f_evm_bvmul_256"
QUOTIENT: Final = "f_evm_bvudiv_256"
REMAINDER: Final = "f_evm_bvurem_256"
SIGNED_QUOTIENT: Final = "f_evm_bvsdiv_256"
SIGNED_REMAINDER: Final = "f_evm_bvsrem_256"
XOR: Final = "f_evm_bvxor_256"

_BITWISE: Final = (XOR,)
_ALL: Final = (PRODUCT, QUOTIENT, REMAINDER, SIGNED_QUOTIENT, SIGNED_REMAINDER, XOR)


class Rewriter:
    """Rewrites terms, each shared part once: all names or, without `arithmetic`, only those of operations on bits."""

    def __init__(self, *, arithmetic: bool) -> None:
        self._names = _ALL if arithmetic else _BITWISE
        self._known: dict[int, tuple[ExprRef, ExprRef]] = {}

    def __call__(self, term: ExprRef) -> ExprRef:
        """The term rewritten."""
        stack = [term]
        while stack:
            top = stack[-1]
            missing = [child for child in top.children() if child.get_id() not in self._known]
            if missing:
                stack += missing
                continue
            stack.pop()
            # The term is kept beside what became of it, for its id is its own only as long as it lives.
            self._known.setdefault(top.get_id(), (top, self._rewritten(top)))
        return self._known[term.get_id()][1]

    def _rewritten(self, term: ExprRef) -> ExprRef:
        if not is_app(term) or term.num_args() == 0:
            return term
        children = [self._known[child.get_id()][1] for child in term.children()]
        if term.decl().name() in self._names:
            return _meaning(term.decl().name(), *children)
        if all(before.get_id() == after.get_id() for before, after in zip(term.children(), children)):
            return term
        return simplify(term.decl()(*children))


def _meaning(name: str, a: ExprRef, b: ExprRef) -> ExprRef:
    """Anything divided by 0 is 0."""
    zero = BitVecVal(0, a.size())
    results = {
        PRODUCT: lambda: a * b,
        QUOTIENT: lambda: If(b == zero, zero, UDiv(a, b)),
        REMAINDER: lambda: If(b == zero, zero, URem(a, b)),
        SIGNED_QUOTIENT: lambda: If(b == zero, zero, a / b),
        SIGNED_REMAINDER: lambda: If(b == zero, zero, SRem(a, b)),
        XOR: lambda: a ^ b,
    }
    return results[name]()
