"""A memory of what did not work: what failed in company is tried alone, what failed alone rests for a while."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from everstock.keeper.state import Key

# Blocks of rest after a failure: one, two, four, and so on up to this. Short for what has a deadline, or others wait for.
LONGEST_REST: Final = {"account": 4, "order": 8, "prices": 4}
LONGEST_REST_OTHERWISE: Final = 64
# Blocks after which a failure is forgotten.
MEMORY: Final = 128


@dataclass
class _Failure:
    count: int
    at: int
    until: int


class Failures:
    """Failures by key, counted in blocks.

    What failed together with others is tried again at once, each by itself, because one may have failed for all.
    """

    def __init__(self) -> None:
        self._failures: dict[Key, _Failure] = {}

    def failed(self, keys: Iterable[Key], block: int) -> None:
        """An action with these keys failed at a block."""
        keys = list(keys)
        for key in keys:
            failure = self._failures.setdefault(key, _Failure(0, block, block))
            failure.at = block
            if len(keys) == 1:
                failure.count += 1
                longest = LONGEST_REST.get(str(key[0]), LONGEST_REST_OTHERWISE)
                failure.until = block + min(2 ** (failure.count - 1), longest)

    def worked(self, keys: Iterable[Key]) -> None:
        """An action with these keys worked: all is forgiven."""
        for key in keys:
            self._failures.pop(key, None)

    def resting(self, block: int) -> frozenset[Key]:
        """Keys to leave alone at a block."""
        return frozenset(key for key, failure in self._failures.items() if block < failure.until)

    def suspects(self, block: int) -> frozenset[Key]:
        """Keys that failed before, for which there is to be no company. Forgets what is long past."""
        self._failures = {key: f for key, f in self._failures.items() if block - f.at < MEMORY}
        return frozenset(self._failures)

    def forget(self) -> None:
        """Start anew, when block numbers go back."""
        self._failures.clear()
