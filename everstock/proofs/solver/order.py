"""What is known of products and quotients of numbers that are not negative if nothing is known but their order."""

import re
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from z3 import And, ArithRef, BoolRef, Implies

# Names of numbers as they are written in a formula.
_ARGUMENT: Final = re.compile(r"\|?p_[^\s()|]+\|?")
_UNKNOWN: Final = re.compile(r"\|unknown \d+\|")


@dataclass(frozen=True)
class _Operation:
    value: ArithRef
    first: ArithRef
    second: ArithRef
    shape: str


class Order:
    """Remembers operations, and says how those of one shape compare.

    The shape is the formula with every argument called x: of one formula at two places, it is those that are compared.
    """

    def __init__(self) -> None:
        self._products: list[_Operation] = []
        self._quotients: list[_Operation] = []
        self._shapes: dict[str, str] = {}
        self._texts: dict[str, str] = {}

    def product(self, value: ArithRef, first: ArithRef, second: ArithRef) -> None:
        """`value` is first * second."""
        self._products.append(self._operation("*", value, first, second))

    def quotient(self, value: ArithRef, first: ArithRef, second: ArithRef) -> None:
        """`value` is first / second, rounded down."""
        self._quotients.append(self._operation("/", value, first, second))

    def lemmas(self) -> list[BoolRef]:
        """That products grow with both factors, and quotients with the first number and against the second."""
        found = []
        for one, other in permutations(self._products, 2):
            if one.shape == other.shape:
                smaller = And(one.first <= other.first, one.second <= other.second)
                found.append(Implies(smaller, one.value <= other.value))
        for one, other in permutations(self._quotients, 2):
            if one.shape == other.shape:
                smaller = And(one.first <= other.first, one.second >= other.second)
                found.append(Implies(smaller, one.value <= other.value))
        return found

    def _operation(self, symbol: str, value: ArithRef, first: ArithRef, second: ArithRef) -> _Operation:
        shapes = [_ARGUMENT.sub("x", _UNKNOWN.sub(self._shape_of, term.sexpr())) for term in (first, second)]
        text = f"{shapes[0]} {symbol} {shapes[1]}"
        self._shapes[value.sexpr()] = self._texts.setdefault(text, f"shape{len(self._texts)}")
        return _Operation(value, first, second, self._shapes[value.sexpr()])

    def _shape_of(self, match: re.Match[str]) -> str:
        return self._shapes.get(match[0], match[0])
