"""Price messages made to measure, and what brings them to the oracle."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import boa
import pytest
from boa import BoaError
from boa.contracts.vyper.vyper_contract import VyperContract

from everstock.chain import addresses
from everstock.chain.in_process import UNDERLYINGS, Protocol, price
from everstock.chain.publisher import PriceUpdate, sign
from everstock.chain.transactions import reason_of

BTC, ETH = 0, 1
FEE: Final = 1  # wei for each message
# Where a message says nothing else, it comes this long after the one before it.
GAP_BEFORE: Final = 20

# Has no way to take ether.
REFUSER: Final = """
# pragma version 0.4.3
"""

# Calls back whenever ether arrives, and is content only if the call went through.
CALLER_BACK: Final = """
# pragma version 0.4.3

target: address
data: Bytes[8192]

@external
def call_back(target: address, data: Bytes[8192]):
    self.target = target
    self.data = data

@payable
@external
def __default__():
    raw_call(self.target, self.data)
"""


@dataclass
class Feeds:
    """Feeds of one protocol's oracle."""

    protocol: Protocol

    def message(self, underlying: int = BTC, usd: float | None = None, ago: int = 0, **changes: Any) -> PriceUpdate:
        """A price of `ago` seconds before now, the opening one unless given, as sure as in calm times."""
        name = UNDERLYINGS[underlying]
        raw = changes.pop("price", price(self.protocol.index[name] if usd is None else usd))
        time = self.protocol.now - ago
        fields = {
            "id": addresses.PYTH_IDS[name],
            "price": raw,
            "conf": raw // 2_000,
            "publish_time": time,
            "prev_publish_time": time - GAP_BEFORE,
            "ema_price": raw,
            "ema_conf": raw // 2_000,
        }
        return PriceUpdate(**(fields | changes))

    def bring(
        self,
        *messages: PriceUpdate | bytes,
        ids: Sequence[int] = (BTC,),
        value: int | None = None,
        sender: str | None = None,
    ) -> None:
        """Bring each message in an update of its own, for Pyth's fee unless given."""
        blobs = self.blobs(*messages)
        self.protocol.oracle.update(
            list(ids),
            blobs,
            value=FEE * len(blobs) if value is None else value,
            sender=sender or self.protocol.operator,
        )

    def first(
        self,
        *messages: PriceUpdate | bytes,
        ids: Sequence[int] = (BTC,),
        since: int | None = None,
        until: int | None = None,
        value: int | None = None,
        sender: str | None = None,
    ) -> list[tuple[int, int]]:
        """The first prices of an interval, ten seconds until now unless given, as (price, publish time)."""
        blobs = self.blobs(*messages)
        packed = self.protocol.oracle.first_prices(
            list(ids),
            blobs,
            self.protocol.now - 10 if since is None else since,
            self.protocol.now if until is None else until,
            value=FEE * len(blobs) if value is None else value,
            sender=sender or self.protocol.operator,
        )
        return [(word & 2**64 - 1, word >> 64) for word in packed]

    @staticmethod
    def blobs(*messages: PriceUpdate | bytes) -> list[bytes]:
        return [message if isinstance(message, bytes) else sign([message]).blob() for message in messages]

    def answer(self, underlying: int, usd: float, ago: int = 0) -> None:
        """Chainlink's latest answer."""
        feed, time = self.protocol.chainlink[UNDERLYINGS[underlying]], self.protocol.now - ago
        feed.publish(price(usd), time, time, sender=self.protocol.operator)

    def sequencer(self, answer: int, started_at: int) -> None:
        """What the sequencer feed says: 0 up, 1 down, and since when."""
        self.protocol.sequencer.publish(answer, started_at, self.protocol.now, sender=self.protocol.operator)

    def stored(self, underlying: int = BTC) -> tuple[int, int, bool]:
        """Price, publish time, and whether it is restricted."""
        word = self.protocol.oracle.word(underlying)
        return word & 2**64 - 1, word >> 64 & 2**32 - 1, bool(word >> 176 & 1)


def refuser() -> VyperContract:
    """A caller with ether that cannot take any back."""
    return _with_ether(boa.loads(REFUSER))


def caller_back(target: str, data: bytes) -> VyperContract:
    """A caller with ether that, when it takes some back, calls `target`."""
    contract = _with_ether(boa.loads(CALLER_BACK))
    contract.call_back(target, data)
    return contract


def _with_ether(contract: VyperContract) -> VyperContract:
    boa.env.set_balance(contract.address, 10**18)
    return contract


@contextmanager
def refused(reason: str) -> Iterator[None]:
    """The call inside must revert with just this reason: a string of ours, or the name of an error of Pyth's."""
    with pytest.raises(BoaError) as caught:
        yield
    assert reason_of(caught.value.stack_trace.last_frame.vm_error.args[0]) == reason
