"""Prices for a volatility oracle and for its model, which must agree after each."""

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import boa
import pytest

from everstock.chain import addresses
from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import Protocol, price
from everstock.chain.publisher import PriceUpdate, sign
from everstock.chain.transactions import reason_of
from everstock.model.price_oracle import Block, Feed, PriceOracle, Published, Round
from everstock.model.volatility_oracle import SPAN, Track, VolatilityOracle
from everstock.model.words import oracle_word

BTC, ETH = 0, 1
# A band that no test's prices leave.
BAND: Final = (1, 2**64 - 1)


@dataclass
class Samples:
    """One volatility oracle and its model."""

    protocol: Protocol
    model: VolatilityOracle = field(init=False)

    def __post_init__(self) -> None:
        protocol = self.protocol
        oracle = PriceOracle(Block(protocol.now), Round(0, protocol.now - 86_400, 0), appointed=True)
        for id_, name in enumerate(UNDERLYINGS):
            pyth_id, chainlink, max_age, _, _, *guards = protocol.feed(name).as_tuple()
            feed = (pyth_id, chainlink, max_age, *BAND, *guards)
            protocol.oracle.set_feed(id_, feed, f"{name} / USD", sender=protocol.owner)
            oracle.feeds[id_] = Feed(Round(1, 0, 0), max_age, *BAND, *guards)
            oracle.word[id_] = oracle_word(protocol.oracle.word(id_))
        self.model = VolatilityOracle(oracle, {id_: self.track(id_) for id_ in (BTC, ETH)})

    # What happens

    def at(self, time: int) -> None:
        """Let time pass until `time`."""
        assert time >= self.protocol.now
        self.protocol.wait(time - self.protocol.now)
        self.model.oracle.block.timestamp = time

    def message(self, id_: int, raw: int, time: int, previous: int) -> PriceUpdate:
        """A price of 8 decimals, published at `time`, the one before it at `previous`."""
        name = UNDERLYINGS[id_]
        return PriceUpdate(addresses.PYTH_IDS[name], raw, 1, time, previous, raw, 1)

    def answer(self, id_: int, raw: int) -> None:
        """Chainlink's answer, now."""
        feed = self.protocol.chainlink[UNDERLYINGS[id_]]
        feed.publish(raw, self.protocol.now, self.protocol.now, sender=self.protocol.operator)
        self.model.oracle.feeds[id_].chainlink = Round(raw, self.protocol.now, self.protocol.now)

    def sample(self, usd: Mapping[int, float], time: int | None = None, since: int | None = None, **call: Any) -> int:
        """Sample prices that were the first after the latest boundary, or after `since`; both must do the same.

        They are published at `time`, by default now.
        """
        since = self.boundary if since is None else since
        time = self.protocol.now if time is None else time
        raws = {id_: price(value) for id_, value in usd.items()}
        for id_, raw in raws.items():
            self.answer(id_, raw)
        batch = sign([self.message(id_, raw, time, since - 1) for id_, raw in raws.items()])
        fee = self.protocol.oracle.update_fee([batch.blob()])
        sampled = self.protocol.volatility_oracle.sample(
            list(raws), [batch.blob()], **({"value": fee, "sender": self.protocol.operator} | call)
        )
        expected = self.model.sample({id_: Published(raw, 1, -8, time, since - 1) for id_, raw in raws.items()})
        assert sampled == expected
        self.agree()
        return sampled

    # What is there

    @property
    def boundary(self) -> int:
        return self.protocol.now // SPAN * SPAN

    def track(self, id_: int) -> Track:
        return Track(*self.protocol.volatility_oracle.track(id_))

    def agree(self) -> None:
        for id_ in (BTC, ETH):
            assert self.track(id_) == self.model.tracks[id_]
            assert oracle_word(self.protocol.oracle.word(id_)) == self.model.oracle.stored(id_)
            assert tuple(self.protocol.volatility_oracle.variances(id_)) == self.model.tracks[id_].written()


@contextmanager
def refused(reason: str):
    """The call inside must revert with just this reason, a string of ours or the name of an error of Pyth's."""
    with pytest.raises(boa.BoaError) as caught:
        yield
    assert reason_of(caught.value.stack_trace.last_frame.vm_error.args[0]) == reason
