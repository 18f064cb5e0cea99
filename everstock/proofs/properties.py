"""What a proof is about, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What came of a proof."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Proof:
    """A property that a solver is to prove of a function's bytecode, for all arguments.

    `contract` and `function` name it. `method` is bits, integers or order (see `solver.decide.Method`). `cases` give some
    arguments a value, one proof for each, and `makings` are the constructor arguments to prove it with, if not one default.
    With a `reason` the function must revert with it, else it must return true. `seconds` is the time for each question;
    `bounds` says in words which arguments it is about.
    """

    claim: str
    contract: str
    function: str
    bounds: str
    method: str = "bits"
    cases: Sequence[Mapping[str, int]] = ({},)
    reason: str = ""
    seconds: float = 60
    makings: Sequence[Sequence[object] | None] = (None,)

    @property
    def how(self) -> str:
        """The method, for a reader."""
        return f"solver, {self.method}"


@dataclass(frozen=True)
class Sweep:
    """A property that an EVM tries on many arguments, `calls` one after the other; `quick` are calls that take a second.

    `names` are those of the arguments that a broken case is shown with; `measured` turns the largest of what it measures,
    and where that was, into words.
    """

    claim: str
    contract: str
    function: str
    bounds: str
    calls: Sequence[tuple[int, ...]]
    quick: Sequence[tuple[int, ...]]
    exhaustive: bool = True
    measured: Callable[[int, Sequence[int]], str] | None = None
    names: Sequence[str] = ()

    @property
    def how(self) -> str:
        """The method, for a reader."""
        return "every value" if self.exhaustive else "dense grid"


@dataclass(frozen=True)
class Result:
    """What came of a property: over how many `cases` or paths, in how many seconds, and what was measured or went wrong."""

    of: Proof | Sweep
    verdict: Verdict
    cases: int
    seconds: float
    remark: str = ""
    example: Mapping[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether it is proved."""
        return self.verdict is Verdict.PROVED
