"""A thin market that everybody leans on one side of: 1,000 tokens of main pool (LP's shares), 100 of insurance (another's),
a buyer of BTC calls at the money for about all that the pool carries, and a writer of the same calls without much to spare."""

from dataclasses import dataclass
from typing import Any

import boa

from everstock.chain.in_process import Protocol, account_of, events
from everstock.model.waterfall import Stage
from tests.liquidity import Pool

BOUGHT = 2_000
WRITTEN = 300
WINDOW = 600


@dataclass
class Market:
    """The market, its people, and how to bring it to its knees. Unknown attributes are the protocol's."""

    protocol: Protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self.protocol, name)

    @property
    def house(self):
        return self.protocol.clearing_house

    @property
    def scale(self) -> int:
        """D."""
        return self.protocol.risk_book.market_words().state & (2**60 - 1)

    @property
    def stage(self) -> Stage:
        return Stage(self.house.stage())

    def move(self, after: int = 1, **usd: float) -> None:
        """New prices, and a checkpoint at them."""
        self.protocol.set_prices(after=after, **usd)
        self.house.checkpoint()

    def pass_window(self) -> None:
        """A checkpoint just when a settle window has ended."""
        self.move(after=WINDOW + 1)

    def exhaust(self, usd: float = 200_000) -> None:
        """The pool owes its buyer more than it has, and three checkpoints see it: terminal settlement begins."""
        self.move(BTC=usd)
        self.move(after=300)
        self.move(after=300)
        assert self.stage == Stage.SETTLING

    def equity(self, person: str) -> int:
        """What a person has at the latest prices."""
        return self.lens.health(self.house.address, [account_of(person)])[0].equity

    def events(self, name: str) -> list[Any]:
        """Of the clearing house's last call."""
        return events(self.house, name)

    def recover(self) -> None:
        """Settlement of a market that has more than it owes: the pool lost what it had, and was given more than that back, as
        only a test can."""
        self.move(BTC=170_000)
        Pool(self.protocol, self.protocol.main_pool).lose(self.house.equity() + 10 * self.protocol.unit)
        for _ in range(3):
            self.move(after=300)
        assert self.stage == Stage.SETTLING
        self.protocol.endow(self.protocol.main_pool.address, 200)

    def settle_all(self, *people: str) -> None:
        """Resolve, in this order, and finalize."""
        for person in people:
            self.house.resolve([account_of(person)])
        self.house.finalize()


def lean(protocol: Protocol) -> Protocol:
    """Let people trade in a market with capital."""
    protocol.lens = protocol.deployer.deploy("MarketLens")
    protocol.call = protocol.list_series(moneyness=1.0)
    protocol.buyer = protocol.trader("buyer", 400)
    protocol.writer = protocol.trader("writer", 60)
    protocol.saver = protocol.trader("saver", 70)
    protocol.trade(protocol.writer, (protocol.call, -WRITTEN))
    protocol.trade(protocol.buyer, (protocol.call, BOUGHT))
    protocol.ready = protocol.now
    return protocol


def with_providers() -> Protocol:
    """Pools of an LP's and of an insurer's."""
    protocol = Protocol(main_deposit=0, insurance_deposit=0)
    for name, contract, tokens in (("lp", protocol.main_pool, 1_000), ("insurer", protocol.insurance_pool, 100)):
        pool = Pool(protocol, contract)
        setattr(protocol, name, pool.provider(name, 2 * tokens))
        pool.enter(getattr(protocol, name), tokens * protocol.unit)
    return lean(protocol)


def opened(protocol: Protocol) -> Market:
    """A market as it was when people had traded; its anchors are old enough to follow the first move."""
    boa.env.evm.patch.timestamp = protocol.ready
    market = Market(protocol.fork())
    market.set_prices(after=WINDOW)
    return market
