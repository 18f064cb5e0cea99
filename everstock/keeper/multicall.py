"""Several calls as one, through Multicall3 (https://www.multicall3.com): each sees what those before it did."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from everstock.chain.transactions import reason_of
from everstock.keeper.abi import Interface


@dataclass(frozen=True)
class Call:
    """A call of a contract with `value` wei."""

    to: str
    data: bytes
    value: int = 0

    def request(self, sender: str) -> dict[str, str]:
        """As nodes want it."""
        return {"from": sender, "to": self.to, "data": f"0x{self.data.hex()}", "value": hex(self.value)}


@dataclass(frozen=True)
class Result:
    """How a call went, and what it returned: its value, or why it was reverted."""

    success: bool
    returned: bytes

    @property
    def reason(self) -> str:
        """Why it was reverted."""
        return reason_of(self.returned)


class Multicall:
    """Multicall3 at `address`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._aggregate = Interface("Multicall3").function("aggregate3Value")

    def call(self, calls: Sequence[Call], *, may_fail: bool) -> Call:
        """All `calls` in one; unless they may fail, one that fails fails all."""
        listed: list[tuple[Any, ...]] = [(call.to, may_fail, call.value, call.data) for call in calls]
        return Call(self._address, self._aggregate.encode(listed), sum(call.value for call in calls))

    def results(self, returned: bytes) -> list[Result]:
        """How each went, from what `call` returned. Raises `Garbled`."""
        return [Result(result["success"], result["returnData"]) for result in self._aggregate.decode(returned)]
