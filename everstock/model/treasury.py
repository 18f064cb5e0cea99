"""The treasury of a market: what the operator earns, and the capital it puts first. All actions may raise `Revert`."""

from dataclasses import dataclass

from everstock.model.clearing_house import ClearingHouse
from everstock.model.reverts import require


@dataclass
class Treasury:
    """Its owner may top up insurance at any time; only the timelock takes anything out, above what must stay."""

    house: ClearingHouse
    least_balance: int = 0  # raw units of M

    def top_up(self, amount: int) -> None:
        self.house.top_up(amount)

    def withdraw(self, amount: int) -> None:
        self.house.withdraw_treasury(amount)
        require(self.house.ledgers.treasury >= self.least_balance, "treasury: below least balance")

    def set_least_balance(self, amount: int) -> None:
        self.least_balance = amount
