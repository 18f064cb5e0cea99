"""A whole market in plain integers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from everstock.model.atomic import undone_on_revert
from everstock.model.clearing_house import ClearingHouse
from everstock.model.order_desk import Desk
from everstock.model.parameters import Parameters
from everstock.model.pool_risk import granule_of
from everstock.model.pool_shares import InsurancePool, MainPool
from everstock.model.price_oracle import PriceOracle
from everstock.model.risk_book import RiskBook
from everstock.model.series_listing import SeriesListing
from everstock.model.treasury import Treasury
from everstock.parameters import ORDER_DELAY


@dataclass
class Market:
    """One market and its contracts. Amounts of M in raw units, prices in USD with 8 decimals, ether in wei."""

    oracle: PriceOracle
    risk: RiskBook
    house: ClearingHouse
    main_pool: MainPool
    insurance_pool: InsurancePool
    desk: Desk
    listing: SeriesListing
    treasury: Treasury

    @classmethod
    def create(
        cls,
        oracle: PriceOracle,
        parameters: Parameters,
        decimals: int,
        underlyings: tuple[int, int] = (0, 1),
        order_delay: int = ORDER_DELAY,
    ) -> Self:
        """A market as deployed. `decimals` are M's, `underlyings` ids at the oracle, the same twice for a market of one."""
        risk = RiskBook(oracle, underlyings, parameters, granule_of(decimals))
        house = ClearingHouse(risk)
        return cls(
            oracle=oracle,
            risk=risk,
            house=house,
            main_pool=MainPool(house),
            insurance_pool=InsurancePool(house),
            desk=Desk(house, order_delay),
            listing=SeriesListing(risk),
            treasury=Treasury(house),
        )

    def do(self, action: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Perform an action of any part, all or nothing: `market.do(market.house.deposit, account, amount)`.

        Raises `Revert`, and then nothing has changed.
        """
        with undone_on_revert(self):
            return action(*arguments, **named)

    def liquidate(self, accounts: list[int], rewarded: int) -> list[int]:
        """The liquidator's batch: one checkpoint for all. Returns the fraction closed of each, 0 of the healthy."""
        return [self.house.liquidate(account, rewarded, self.desk.live_until(rewarded)) for account in accounts]

    def finalize(self) -> None:
        """The end of terminal settlement: fix what every claim is paid."""
        self.house.finalize(self.main_pool.supply != 0, self.insurance_pool.supply != 0)

    def set_parameter(self, key: int, amount: int) -> None:
        """The owner changes a parameter, after a checkpoint at the old ones."""
        self.risk.parameters.check(key, amount)
        self.house.checkpoint()
        self.risk.parameters.set(key, amount)
