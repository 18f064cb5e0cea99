"""The engine taught what Vyper means where it works with bits.

Vyper takes the larger of two numbers without a jump, as b xor (a xor b) * (a > b), and compares by a xor b = 0. The engine
would turn these into a tangle of single bits. Here the exclusive or of two words is kept as it is until it meets what it
was made for, and becomes a choice or a comparison.
"""

from typing import Final

from halmos.bitvec import HalmosBitVec, HalmosBool
from z3 import Z3_OP_ITE, BitVecSort, BoolRef, ExprRef, Function, If, Not, eq, is_app, is_bv_value

_WORD: Final = BitVecSort(256)
# Still to be given its meaning; see `rewriting`.
XOR: Final = Function("f_evm_bvxor_256", _WORD, _WORD, _WORD)

_mul = HalmosBitVec.mul
_xor = HalmosBitVec.bitwise_xor
_is_zero = HalmosBitVec.is_zero
_is_non_zero = HalmosBitVec.is_non_zero


def teach() -> None:
    """Replace four of the engine's operations; what they mean stays the same."""
    HalmosBitVec.mul = _product
    HalmosBitVec.bitwise_xor = _exclusive_or
    HalmosBitVec.is_zero = _zero
    HalmosBitVec.is_non_zero = _non_zero


def _product(self: HalmosBitVec, other: HalmosBitVec, *, abstraction=None) -> HalmosBitVec:
    if self.size == 256:
        for factor, word in ((self, other), (other, self)):
            if factor.is_symbolic and (condition := _switch(factor.as_z3())) is not None:
                return HalmosBitVec(If(condition, word.as_z3(), 0), size=256)
    return _mul(self, other, abstraction=abstraction)


def _exclusive_or(self: HalmosBitVec, other: HalmosBitVec) -> HalmosBitVec:
    if self.size != 256 or (self.is_concrete and other.is_concrete):
        return _xor(self, other)
    a, b = self.as_z3(), other.as_z3()
    for choice, base in ((a, b), (b, a)):
        if is_app(choice) and choice.decl().kind() == Z3_OP_ITE:
            condition, yes, no = choice.children()
            if _is_number(no, 0) and (changed := _without(yes, base)) is not None:
                return HalmosBitVec(If(condition, changed, base), size=256)
            if _is_number(yes, 0) and (changed := _without(no, base)) is not None:
                return HalmosBitVec(If(condition, base, changed), size=256)
    return HalmosBitVec(XOR(a, b), size=256)


def _zero(self: HalmosBitVec) -> HalmosBool:
    pair = _pair(self)
    return _is_zero(self) if pair is None else HalmosBool(pair[0] == pair[1])


def _non_zero(self: HalmosBitVec) -> HalmosBool:
    pair = _pair(self)
    return _is_non_zero(self) if pair is None else HalmosBool(pair[0] != pair[1])


def _pair(word: HalmosBitVec) -> list[ExprRef] | None:
    """The two words whose exclusive or it is."""
    if word.is_concrete or not eq(word.as_z3().decl(), XOR):
        return None
    return word.as_z3().children()


def _without(term: ExprRef, base: ExprRef) -> ExprRef | None:
    """What x is where the term is base xor x."""
    if not eq(term.decl(), XOR):
        return None
    one, other = term.children()
    return other if eq(one, base) else one if eq(other, base) else None


def _switch(term: ExprRef) -> BoolRef | None:
    """The condition of a term that is 1 where it holds and 0 elsewhere."""
    if not is_app(term) or term.decl().kind() != Z3_OP_ITE:
        return None
    condition, yes, no = term.children()
    if _is_number(yes, 1) and _is_number(no, 0):
        return condition
    return Not(condition) if _is_number(yes, 0) and _is_number(no, 1) else None


def _is_number(term: ExprRef, number: int) -> bool:
    return is_bv_value(term) and term.as_long() == number
