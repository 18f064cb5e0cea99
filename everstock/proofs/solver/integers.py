"""Terms of bit vectors as terms of integers, where a solver can reason about products and quotients of 256 bits.

A word is read as any integer equal to it modulo 2^width, together with an interval that holds it. As long as the
interval says that nothing wraps, a sum is a sum and a product a product; where it does not, a new unknown stands for
what is left after wrapping, and is counted. Quotients are new unknowns with the property that defines them.
Nothing here approximates: what is unsatisfiable afterwards was so before.
"""

from collections.abc import Callable, Iterable
from typing import Final

import z3
from z3 import And, Bool, BoolRef, ExprRef, If, Implies, Int, IntVal, Not, Or

from everstock.proofs.solver import rewriting
from everstock.proofs.solver.numbers import Number, known, negative, plus, scaled
from everstock.proofs.solver.order import Order

# For a question whose answer only makes things easier.
_LOOK_MILLISECONDS: Final = 2_000


class Integers:
    """Translates conditions one by one; `facts` are what must hold besides.

    `bounds` are intervals of unknown words by name. With `opaque` a product or quotient of two unknowns is itself unknown
    and known only to grow with its factors: less than the truth, and enough where nothing but order matters. `wraps` counts
    the operations that might leave 256 bits. Unless all was `exact`, a solution need not be one of the words.
    """

    def __init__(self, bounds: dict[str, tuple[int, int]], *, opaque: bool = False) -> None:
        self.facts: list[BoolRef] = []
        self.wraps = 0
        self.exact = True
        self._bounds = bounds
        self._opaque = opaque
        self.order = Order()
        self._words: dict[int, tuple[ExprRef, Number]] = {}
        self._conditions: dict[int, tuple[ExprRef, BoolRef]] = {}
        self._divisions: dict[tuple[str, str, bool], tuple[Number, Number]] = {}
        # By quotient and divisor: what they multiply to, the dividend less the remainder.
        self._multiples: dict[tuple[str, str], Number] = {}
        self._certain: dict[str, bool] = {}
        self._supposed: list[BoolRef] = []
        self._count = 0

    def suppose(self, term: ExprRef) -> BoolRef:
        """The condition, which whatever is translated later may rest on."""
        condition = self.condition(term)
        self._supposed.append(condition)
        return condition

    def condition(self, term: ExprRef) -> BoolRef:
        """The condition about words as one about integers."""
        if term.get_id() not in self._conditions:
            self._conditions[term.get_id()] = (term, self._condition(term))
        return self._conditions[term.get_id()][1]

    # Conditions

    def _condition(self, term: ExprRef) -> BoolRef:
        kind, children = term.decl().kind(), term.children()
        match kind:
            case z3.Z3_OP_TRUE | z3.Z3_OP_FALSE:
                return term
            case z3.Z3_OP_NOT:
                return Not(self.condition(children[0]))
            case z3.Z3_OP_AND:
                return And(*map(self.condition, children))
            case z3.Z3_OP_OR:
                return Or(*map(self.condition, children))
            case z3.Z3_OP_IMPLIES:
                return Implies(*map(self.condition, children))
            case z3.Z3_OP_ITE:
                return If(*map(self.condition, children))
            case z3.Z3_OP_EQ | z3.Z3_OP_DISTINCT:
                equal = self._equal(*children)
                return equal if kind == z3.Z3_OP_EQ else Not(equal)
        a, b = (self.word(child) for child in children)
        size = children[0].size()
        match kind:
            case z3.Z3_OP_ULEQ | z3.Z3_OP_UGEQ | z3.Z3_OP_ULT | z3.Z3_OP_UGT:
                x, y = self._unsigned(a, size).value, self._unsigned(b, size).value
            case z3.Z3_OP_SLEQ | z3.Z3_OP_SGEQ | z3.Z3_OP_SLT | z3.Z3_OP_SGT:
                x, y = self._signed(a, size).value, self._signed(b, size).value
            case _:
                raise NotImplementedError(term.decl().name())
        match kind:
            case z3.Z3_OP_ULEQ | z3.Z3_OP_SLEQ:
                return x <= y
            case z3.Z3_OP_UGEQ | z3.Z3_OP_SGEQ:
                return x >= y
            case z3.Z3_OP_ULT | z3.Z3_OP_SLT:
                return x < y
        return x > y

    def _equal(self, one: ExprRef, other: ExprRef) -> BoolRef:
        if z3.is_bool(one):
            return self.condition(one) == self.condition(other)
        if not z3.is_bv(one):
            # Storage as a whole, which says how one state follows from another: nothing is taken from it, and whatever is
            # read from it is an unknown word.
            self._count += 1
            return Bool(f"condition {self._count}")
        # a xor b = 0, which is how Vyper compares.
        for word, zero in ((one, other), (other, one)):
            if word.decl().kind() == z3.Z3_OP_BXOR and word.num_args() == 2 and z3.is_bv_value(zero):
                if zero.as_long() == 0:
                    return self._equal(word.arg(0), word.arg(1))
        size = one.size()
        a, b = self.word(one), self.word(other)
        half = 2 ** (size - 1)
        if min(a.low, b.low) >= -half and max(a.high, b.high) < half:
            return a.value == b.value
        return self._unsigned(a, size).value == self._unsigned(b, size).value

    # Words

    def word(self, term: ExprRef) -> Number:
        """The word as an integer."""
        if term.get_id() not in self._words:
            self._words[term.get_id()] = (term, self._kept(self._word(term), term.size()))
        return self._words[term.get_id()][1]

    def _word(self, term: ExprRef) -> Number:
        size, children = term.size(), term.children()
        full, half = 2**size, 2 ** (size - 1)
        match term.decl().kind():
            case z3.Z3_OP_BNUM:
                number = term.as_long()
                return known(number - full if number >= half else number)
            case z3.Z3_OP_BADD:
                return self._fold(children, plus)
            case z3.Z3_OP_BMUL:
                return self._fold(children, self._product)
            case z3.Z3_OP_BSUB:
                return self._fold(children, lambda a, b: plus(a, negative(b)))
            case z3.Z3_OP_BNEG:
                return negative(self.word(children[0]))
            case z3.Z3_OP_BNOT:
                return plus(known(-1), negative(self.word(children[0])))
            case z3.Z3_OP_ITE:
                a, b = self.word(children[1]), self.word(children[2])
                return Number(
                    If(self.condition(children[0]), a.value, b.value), min(a.low, b.low), max(a.high, b.high)
                )
            case z3.Z3_OP_CONCAT:
                return self._concatenated(children)
            case z3.Z3_OP_EXTRACT:
                high, low = term.params()
                return self._extracted(children[0], high, low)
            case z3.Z3_OP_ZERO_EXT:
                return self._unsigned(self.word(children[0]), children[0].size())
            case z3.Z3_OP_SIGN_EXT:
                return self._signed(self.word(children[0]), children[0].size())
            case z3.Z3_OP_BSHL | z3.Z3_OP_BLSHR | z3.Z3_OP_BASHR if z3.is_bv_value(children[1]):
                return self._shifted(term.decl().kind(), self.word(children[0]), children[1].as_long(), size)
            case z3.Z3_OP_UNINTERPRETED:
                return self._named(term)
        return self._anything(size)

    def _named(self, term: ExprRef) -> Number:
        size = term.size()
        name = term.decl().name()
        if term.num_args() == 0:
            low, high = self._bounds.get(name, (0, 2**size - 1))
            value = Int(name)
            self.facts += [value >= low, value <= high]
            return Number(value, low, high)
        operations: dict[str, Callable[[Number, Number], Number]] = {
            rewriting.PRODUCT: self._product,
            rewriting.QUOTIENT: lambda a, b: self._divided(self._unsigned(a, size), self._unsigned(b, size), False)[0],
            rewriting.REMAINDER: lambda a, b: self._divided(self._unsigned(a, size), self._unsigned(b, size), False)[1],
            rewriting.SIGNED_QUOTIENT: lambda a, b: self._divided(self._signed(a, size), self._signed(b, size), True)[0],
            rewriting.SIGNED_REMAINDER: lambda a, b: self._divided(self._signed(a, size), self._signed(b, size), True)[1],
        }
        if name in operations:
            return operations[name](*map(self.word, term.children()))
        return self._anything(size)

    def _fold(self, terms: Iterable[ExprRef], operation: Callable[[Number, Number], Number]) -> Number:
        first, *others = map(self.word, terms)
        for other in others:
            first = operation(first, other)
        return first

    def _product(self, a: Number, b: Number) -> Number:
        for factor, divisor in ((a, b), (b, a)):
            if factor.quotient is not None:
                name, more = factor.quotient
                if (multiple := self._multiples.get((name, divisor.value.sexpr()))) is not None:
                    return plus(multiple, scaled(divisor, more)) if more else multiple
        ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        low, high = min(ends), max(ends)
        if not self._opaque or a.is_known or b.is_known or a.low < 0 or b.low < 0:
            return Number(a.value * b.value, low, high)
        self.exact = False
        product = self._unknown(low, high)
        self.order.product(product.value, a.value, b.value)
        return product

    def _divided(self, a: Number, b: Number, signed: bool) -> tuple[Number, Number]:
        """Quotient toward zero and remainder with the sign of `a`; both 0 where `b` is 0."""
        if b.low <= 0 < b.high and self._is_certain(b.value > 0):
            b = Number(b.value, 1, b.high, b.quotient)
        if a.low < 0 <= a.high and self._is_certain(a.value >= 0):
            a = Number(a.value, 0, a.high, a.quotient)
        key = (a.value.sexpr(), b.value.sexpr(), signed)
        if key in self._divisions:
            return self._divisions[key]
        largest = max(abs(a.low), abs(a.high))
        most = largest // (b.low if b.low > 0 else -b.high if b.high < 0 else 1)
        rest = max(0, min(largest, max(abs(b.low), abs(b.high)) - 1))
        if a.low >= 0 and b.low > 0:
            quotient, remainder = self._unknown(a.low // b.high, most), self._unknown(0, rest)
        else:
            quotient, remainder = self._unknown(-most, most), self._unknown(-rest, rest)
        q, r = quotient.value, remainder.value
        quotient = Number(q, quotient.low, quotient.high, (q.sexpr(), 0))
        self._divisions[key] = quotient, remainder
        if b.low > 0 or b.high < 0:
            self._multiples[q.sexpr(), b.value.sexpr()] = Number(a.value - r, min(a.low, 0), max(a.high, 0))
        if self._opaque and a.low >= 0 and b.low > 0 and not b.is_known:
            self.exact = False
            self.order.quotient(q, a.value, b.value)
            return quotient, remainder
        size = If(b.value < 0, -b.value, b.value) if b.low < 0 else b.value
        if self._opaque and a.low >= 0 and b.low > 0:
            self.order.quotient(q, a.value, b.value)
        defined = And(
            a.value == q * b.value + r,
            If(a.value < 0, And(r <= 0, -r < size), And(r >= 0, r < size)) if a.low < 0 else And(r >= 0, r < size),
        )
        self.facts.append(defined if b.low > 0 or b.high < 0 else If(b.value == 0, And(q == 0, r == 0), defined))
        return quotient, remainder

    def _concatenated(self, children: list[ExprRef]) -> Number:
        # Of the upper part any number will do that is equal modulo its own size: the rest of it is beyond the word.
        result = self.word(children[0])
        for child in children[1:]:
            result = plus(scaled(result, 2 ** child.size()), self._unsigned(self.word(child), child.size()))
        return result

    def _extracted(self, term: ExprRef, high: int, low: int) -> Number:
        if low == 0 and self.word(term).low >= -(2**high) and self.word(term).high < 2 ** (high + 1):
            return self.word(term)
        whole = self._unsigned(self.word(term), term.size())
        above = self._floored(whole, 2**low)
        if above.high < 2 ** (high + 1 - low):
            return above
        return plus(above, negative(scaled(self._floored(above, 2 ** (high + 1 - low)), 2 ** (high + 1 - low))))

    def _shifted(self, kind: int, a: Number, places: int, size: int) -> Number:
        if kind == z3.Z3_OP_BSHL:
            return scaled(a, 2**places) if places < size else known(0)
        whole = self._unsigned(a, size) if kind == z3.Z3_OP_BLSHR else self._signed(a, size)
        return self._floored(whole, 2 ** min(places, size))

    def _floored(self, a: Number, divisor: int) -> Number:
        """a / divisor, rounded toward minus infinity."""
        if divisor == 1:
            return a
        key = (a.value.sexpr(), f"floor {divisor}", True)
        if key not in self._divisions:
            quotient = self._unknown(a.low // divisor, a.high // divisor)
            self.facts += [quotient.value * divisor <= a.value, a.value < quotient.value * divisor + divisor]
            if self._opaque:
                self.order.quotient(quotient.value, a.value, IntVal(divisor))
            self._divisions[key] = quotient, quotient
        return self._divisions[key][0]

    def _is_certain(self, condition: BoolRef) -> bool:
        """Whether it follows from what was supposed, as far as a short look says."""
        key = condition.sexpr()
        if key not in self._certain:
            self._certain[key] = self._follows(condition)
        return self._certain[key]

    def _follows(self, condition: BoolRef) -> bool:
        for solver in (z3.Solver(), z3.SolverFor("QF_NIA")):
            solver.set(timeout=_LOOK_MILLISECONDS)
            solver.add(*self.facts, *self._supposed, Not(condition))
            if solver.check() == z3.unsat:
                return True
        return False

    # Intervals

    def _kept(self, a: Number, size: int) -> Number:
        """The same word with an interval of at most two periods; one that may be beyond them wraps."""
        if a.low >= -(2 ** (size - 1)) and a.high < 2**size:
            return a
        if a.low >= -(2**size) and a.high < 0:
            return plus(a, known(2**size))
        half = 2 ** (size - 1)
        if self._is_certain(And(a.value >= -half, a.value < half)):
            return Number(a.value, max(a.low, -half), min(a.high, half - 1), a.quotient)
        self.wraps += 1
        wrapped = self._unknown(0, 2**size - 1)
        times = self._unknown(a.low // 2**size, a.high // 2**size)
        self.facts.append(a.value == wrapped.value + times.value * 2**size)
        return wrapped

    def _unsigned(self, a: Number, size: int) -> Number:
        if a.low >= 0:
            return a
        if a.high < 0:
            return plus(a, known(2**size))
        if self._is_certain(a.value >= 0):
            return Number(a.value, 0, a.high, a.quotient)
        return Number(If(a.value < 0, a.value + 2**size, a.value), 0, 2**size - 1)

    def _signed(self, a: Number, size: int) -> Number:
        half = 2 ** (size - 1)
        if a.high < half:
            return a
        if a.low >= half:
            return plus(a, known(-(2**size)))
        return Number(If(a.value >= half, a.value - 2**size, a.value), -half, half - 1)

    def _anything(self, size: int) -> Number:
        """A word of which nothing is known."""
        self.exact = False
        return self._unknown(0, 2**size - 1)

    def _unknown(self, low: int, high: int) -> Number:
        self._count += 1
        value = Int(f"unknown {self._count}")
        self.facts += [value >= low, value <= high]
        return Number(value, low, high)
