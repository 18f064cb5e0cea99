"""A market to try properties on: the model alone, thousands of times a second, or the model and the contracts told both.

`Alone` has the verbs of `tests.stateful.actions.Actions`, so that a property is written once for either.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import boa

from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import NO_LIMIT, OPENING, START, STOCK_PRICE, VARIANCES, Protocol, account_of, price
from everstock.model.constants import SETTLE_WINDOW
from everstock.model.market import Market
from everstock.model.parameters import Parameters
from everstock.model.pool_shares import Pool
from everstock.model.price_oracle import Block, PriceOracle, Round, Word
from everstock.model.reverts import Revert
from everstock.model.risk_book import OrderLeg
from everstock.parameters import MarketParameters
from tests.stateful.actions import Actions

FOUNDER: Final = "founder"


@dataclass
class Alone:
    """The model without contracts. Actors are addresses; amounts raw units of M; a refusal is returned, as `Actions` does."""

    decimals: int = 18
    preset: MarketParameters | None = None

    def __post_init__(self) -> None:
        self.block = Block(START)
        self.oracle = PriceOracle(self.block, Round(0, START - 86_400, START - 86_400))
        self.unit = 10**self.decimals
        preset = self.preset or MarketParameters.preset(STOCK_PRICE, self.decimals)
        self.model = Market.create(self.oracle, Parameters.of(preset, UNDERLYINGS), self.decimals)
        self.index = dict(OPENING)
        self._addresses = count(0xE0)
        self.bring(self.publish(after=0))

    @property
    def now(self) -> int:
        return self.block.timestamp

    def actor(self, name: str) -> str:
        """An address of its own; the name is for whoever reads."""
        return f"{next(self._addresses):#042x}"

    # Time and prices

    def wait(self, seconds: int) -> None:
        self.block.timestamp += seconds

    def publish(self, after: int = 1, **usd: float) -> dict[int, int]:
        """Move the indexes `after` seconds from now; returns the prices, which nobody has brought yet."""
        self.wait(after)
        self.index |= usd
        return {u: price(self.index[name]) for u, name in enumerate(UNDERLYINGS)}

    def bring(self, prices: dict[int, int]) -> None:
        """Store prices as the latest. Guards are the oracle's own business, and tested with it."""
        for u, name in enumerate(UNDERLYINGS):
            before = self.oracle.stored(u)
            fast, slow = before.fast or VARIANCES[name], before.slow or VARIANCES[name]
            self.oracle.word[u] = Word(prices[u], self.now, fast, slow)

    # Verbs

    def deposit(self, account: int, amount: int, sender: str) -> Any:
        return self._do(self.model.house.deposit, account, amount)

    def withdraw(self, account: int, amount: int, sender: str) -> Any:
        return self._do(self.model.house.withdraw, account, amount)

    def settle(self, account: int) -> Any:
        return self._do(self.model.house.settle, account)

    def pay_claim(self, account: int) -> Any:
        return self._do(self.model.house.pay_claim, account)

    def checkpoint(self) -> Any:
        return self._do(self.model.house.checkpoint)

    def trade(self, account: int, legs: Sequence[tuple[int, int]], *, own_prices: Sequence[int] | None = None) -> Any:
        own = own_prices or [self.oracle.stored(u).price for u in (0, 1)]
        order = [OrderLeg(series, face) for series, face in legs]
        return self._do(self.model.house.trade, account, order, own, NO_LIMIT, NO_LIMIT, False)

    def liquidate(self, accounts: Sequence[int], by: str) -> Any:
        return self._do(self.model.liquidate, list(accounts), account_of(by))

    def list_series(self, underlying: int, strike_usd: float, is_put: bool) -> Any:
        return self._do(self.model.listing.list_series, underlying, price(strike_usd), is_put)

    def set_parameter(self, key: int, amount: int) -> Any:
        return self._do(self.model.set_parameter, key, amount)

    def set_variances(self, underlying: int, fast: int, slow: int) -> Any:
        return self._do(self.oracle.set_variances, underlying, fast, slow)

    def request_deposit(self, pool: str, lp: str, assets: int) -> Any:
        return self._do(self.pools()[pool].request_deposit, lp, assets)

    def request_redeem(self, pool: str, lp: str, shares: int) -> Any:
        return self._do(self.pools()[pool].request_redeem, lp, shares)

    def fulfil(self, pool: str, deposits: int, redemptions: int) -> Any:
        return self._do(self.pools()[pool].fulfil, deposits, redemptions)

    def claim(self, pool: str, kind: str, lp: str, amount: int) -> Any:
        """`mint` or `withdraw` what was executed."""
        model = self.pools()[pool]
        return self._do({"mint": model.claim_shares, "withdraw": model.claim_assets}[kind], lp, amount)

    def pools(self) -> dict[str, Pool]:
        return {"main_pool": self.model.main_pool, "insurance_pool": self.model.insurance_pool}

    def _do(self, action: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return self.model.do(action, *arguments)
        except Revert as refusal:
            return refusal


Stage = Alone | Actions


@contextmanager
def told_both(protocol: Protocol) -> Iterator[Actions]:
    """The contracts and the model, undone afterwards; when the block ends every word of storage has been compared."""
    with boa.env.anchor():
        stage = Actions(protocol.fork())
        yield stage
        stage.agree()


def unit_of(stage: Stage) -> int:
    """Raw units in a token of M."""
    return stage.unit if isinstance(stage, Alone) else stage.protocol.unit


def index_of(stage: Stage, underlying: int) -> float:
    """The latest index in USD."""
    return stage.oracle.stored(underlying).price / 10**8


def move(stage: Stage, after: int, btc: float, eth: float) -> None:
    """Multiply the indexes, `after` seconds from now, and bring the prices."""
    usd = {name: index_of(stage, u) * factor for u, (name, factor) in enumerate(zip(UNDERLYINGS, (btc, eth), strict=True))}
    stage.bring(stage.publish(after=after, **usd))


def open_pools(stage: Stage, main: int, insurance: int) -> str:
    """Let a founder provide both pools with whole tokens, up to a first checkpoint; returns the founder."""
    founder = stage.actor(FOUNDER)
    amounts = {"main_pool": main, "insurance_pool": insurance}
    for pool, tokens in amounts.items():
        if tokens:
            stage.request_deposit(pool, founder, tokens * unit_of(stage))
    move(stage, SETTLE_WINDOW, 1, 1)
    for pool, tokens in amounts.items():
        if tokens:
            stage.fulfil(pool, 1, 0)
            stage.claim(pool, "mint", founder, stage.pools()[pool].bought[founder].shares)
    stage.checkpoint()
    return founder


def list_near(stage: Stage, underlying: int, moneyness: float, is_put: bool) -> int:
    """List the series whose strike of two digits is nearest to index / moneyness; returns its id."""
    result = stage.list_series(underlying, float(f"{index_of(stage, underlying) / moneyness:.1e}"), is_put)
    assert not isinstance(result, Revert), result
    return result
