"""What the tests of liquidations look at: accounts through the lens, events, ledgers."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from boa.contracts.vyper.vyper_contract import VyperContract

from everstock.chain.in_process import Protocol, account_of, events

WAD: Final = 10**18
# The default parameters, see everstock/parameters.py.
INITIAL_RATIO: Final = Fraction(3, 2)
PENALTY_RATE: Final = Fraction(3, 10)
REWARD_SHARE: Final = Fraction(1, 5)


@dataclass
class Desk:
    """A market as its liquidators see it."""

    protocol: Protocol
    lens: VyperContract
    btc_call: int
    btc_put: int
    eth_call: int
    eth_put: int

    def health(self, trader: str) -> Any:
        """An account at the stored price and the present time."""
        return self.lens.health(self.protocol.clearing_house.address, [account_of(trader)])[0]

    def market(self) -> Any:
        return self.lens.market(self.protocol.clearing_house.address)

    def events(self, name: str) -> list[Any]:
        """Of the liquidator's last call."""
        return events(self.protocol.liquidator, name)

    def ledgers(self) -> Any:
        return self.protocol.clearing_house.ledgers()

    def cash(self, trader: str) -> int:
        return self.protocol.account(trader).cash

    def check_conservation(self, *traders: str) -> None:
        """Invariant 1: tokens held are the four ledgers."""
        ledgers = self.ledgers()
        total = ledgers.main + ledgers.insurance + ledgers.treasury + sum(map(self.cash, traders))
        assert self.protocol.token.balanceOf(self.protocol.clearing_house.address) == total


def closed_form(health: Any) -> int:
    """The fraction of a partial liquidation, a wad: (ratio S - equity) / (ratio S - penalty_rate S), rounded up."""
    target = INITIAL_RATIO * health.scenario_sum
    exact = (target - health.equity) / (target - PENALTY_RATE * health.scenario_sum)
    return int(exact * WAD) + 1
