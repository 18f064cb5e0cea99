"""The whole protocol in process: shared feeds and oracle, one market with a token of its own, and actors by role.

Everything is deployed by the same code as on a chain (`everstock.chain.deployment`). Prices are floats in USD here and
nowhere else; amounts are raw units of M.
"""

import gc
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import boa
from boa.contracts.vyper.vyper_contract import VyperContract, VyperDeployer

from everstock.chain import addresses
from everstock.chain.deployment import (
    UNDERLYINGS,
    Feed,
    Market,
    base_feeds,
    deploy_market,
    deploy_oracle,
    deploy_volatility_oracle,
    seed_without_history,
)
from everstock.chain.publisher import DEVNET_PUBLISHER, PricePublisher
from everstock.model import words
from everstock.model.order_desk import MAX_WAIT, Trigger
from everstock.parameters import ORDER_DELAY, MarketParameters

CONTRACTS: Final = Path(__file__).parents[2] / "contracts"

# When every test begins: 2025-10-09 00:00 UTC.
START: Final = 1_759_968_000
OPENING: Final = {"BTC": 120_000.0, "ETH": 4_500.0}
# Sigma 60% and 72%, squared, per year in 1e-10.
VARIANCES: Final = {"BTC": 3_600_000_000, "ETH": 5_184_000_000}
STOCK_PRICE: Final = 300.0
MAX_LEGS: Final = 8
NO_LIMIT: Final = 2**127 - 1
NO_DEADLINE: Final = 2**256 - 1
# From a request to the first second of its price, unless a market's parameters say otherwise, and to the last of its execution.
DELAY: Final = ORDER_DELAY
EXEC_WINDOW: Final = 60


class Order(NamedTuple):
    """The terms of a requested order, as IOrderDesk.Order."""

    account: int
    nonce: int
    legs: list[tuple[int, int]]
    limit: int
    mark_limit: int
    reduce_only: bool
    deadline: int
    trigger: int  # packed; 0: a market order
    requested_at: int
    follows: int  # packed; 0: none
    fee: int
    payer: str


@cache
def deployer_of(name: str) -> VyperDeployer:
    """The compiled contract called `name`, wherever under contracts/ it is."""
    (path,) = CONTRACTS.rglob(f"{name}.vy")
    # The compiler makes objects by the hundred thousand, and those of a contract live as long as the process: the collector
    # would go through them again and again, and once more at the end.
    gc.disable()
    try:
        deployer = boa.load_partial(str(path))
    finally:
        gc.enable()
    gc.collect()
    gc.freeze()
    return deployer


class BoaDeployer:
    """Creates contracts in process."""

    def __init__(self, account: str) -> None:
        self.account = account

    @property
    def address(self) -> str:
        return str(self.account)

    @property
    def nonce(self) -> int:
        return boa.env.evm.vm.state.get_nonce(boa.env.eoa.__class__(self.account).canonical_address)

    def deploy(self, name: str, *arguments: Any) -> VyperContract:
        with boa.env.prank(self.account):
            return deployer_of(name).deploy(*arguments)


def events(contract: VyperContract, name: str) -> list[Any]:
    """The events called `name` that a contract's latest call logged, itself or by another: ask before calling a view."""
    return [event for event in contract.get_logs() if type(event).__name__ == name]


def account_of(owner: str, subaccount: int = 0) -> int:
    """The id of an owner's account at a clearing house."""
    return int(str(owner), 16) << 96 | subaccount


def price(usd: float) -> int:
    """A price or strike as the contracts have it: 8 decimals."""
    return round(usd * 10**8)


def unpack_legs(stored: Sequence[int]) -> list[tuple[int, int, int]]:
    """Packed legs as (series, units, G at entry)."""
    return [(leg.series, leg.units, leg.entry) for leg in words.legs(stored)]


@dataclass
class Protocol:
    """One market and all it stands on. `trader(name)` and friends make funded actors.

    The owner writes variances until `appoint` lets the volatility oracle do so.
    """

    decimals: int = 18
    parameters: MarketParameters | None = None
    main_deposit: int = 10_000  # whole tokens in the main pool from the start
    insurance_deposit: int = 1_000
    index: dict[str, float] = field(default_factory=lambda: dict(OPENING))

    def __post_init__(self) -> None:
        boa.env.evm.patch.timestamp = START
        self.owner = self.actor("owner")
        self.operator = self.actor("feed operator")
        self.timelock = self.actor("timelock")
        self.deployer = BoaDeployer(self.actor("deployer"))
        self.publisher = PricePublisher()
        self.pyth = self.deployer.deploy("PythFeed", DEVNET_PUBLISHER.address)
        self.chainlink = {
            name: self.deployer.deploy("ChainlinkFeed", self.operator, 8, f"{name} / USD") for name in UNDERLYINGS
        }
        self.sequencer = self.deployer.deploy("ChainlinkFeed", self.operator, 0, "sequencer")
        self.sequencer.publish(0, START - 86_400, START - 86_400, sender=self.operator)
        self.oracle = deploy_oracle(self.deployer, self.owner, self.pyth.address, self.sequencer.address)
        for id_, name in enumerate(UNDERLYINGS):
            self.oracle.set_feed(id_, *self.feed(name).arguments(), sender=self.owner)
            self.oracle.set_variances(id_, VARIANCES[name], VARIANCES[name], sender=self.owner)

        seeds = [seed_without_history(name, VARIANCES[name]) for name in UNDERLYINGS]
        self.volatility_oracle = deploy_volatility_oracle(self.deployer, self.oracle.address, seeds)

        self.unit = 10**self.decimals
        self.parameters = self.parameters or MarketParameters.preset(STOCK_PRICE, self.decimals)
        self.token = self.deployer.deploy("HostileToken", self.decimals)
        self.market = self.deploy_market("TSLA.M")
        for role, contract in self.market.contracts().items():
            setattr(self, role, contract)
        self.set_prices()
        self.endow(self.main_pool.address, self.main_deposit)
        self.endow(self.insurance_pool.address, self.insurance_deposit)
        self.clearing_house.checkpoint()

    def deploy_market(self, name: str, underlyings: Sequence[int] = (0, 1)) -> Market:
        """A market of the token, empty, on the same oracle; `underlyings` are the oracle's ids, one or two."""
        return deploy_market(
            self.deployer,
            owner=self.owner,
            timelock=self.timelock,
            token=self.token.address,
            decimals=self.decimals,
            name=name,
            oracle=self.oracle.address,
            parameters=self.parameters,
            underlyings=underlyings,
        )

    def fork(self) -> "Protocol":
        """The same contracts for one test or example, which titanoboa undoes: with prices and a publisher of its own."""
        twin = copy(self)
        twin.index = dict(self.index)
        twin.publisher = PricePublisher()
        return twin

    # Actors

    def actor(self, name: str) -> str:
        """An address with ether, known by a name."""
        address = boa.env.generate_address(name)
        boa.env.set_balance(address, 10**20)
        return address

    def trader(self, name: str, tokens: float = 100) -> str:
        """An actor with `tokens` whole tokens of cash in account 0."""
        trader = self.actor(name)
        self.deposit(trader, round(tokens * self.unit))
        return trader

    def fund(self, holder: str, amount: int) -> None:
        """Give `amount` raw units of M, approved for the clearing house."""
        self.token.mint(holder, amount)
        self.token.approve(self.clearing_house.address, 2**256 - 1, sender=holder)

    def deposit(self, trader: str, amount: int, subaccount: int = 0) -> None:
        """Put `amount` fresh raw units of M into an account of `trader`."""
        self.fund(trader, amount)
        self.clearing_house.deposit(account_of(trader, subaccount), amount, sender=trader)

    def endow(self, pool: str, tokens: float) -> None:
        """Put whole tokens into a pool's ledger without any shares: nobody's capital, for tests of the market itself."""
        amount = round(tokens * self.unit)
        if amount:
            self.fund(pool, amount)
            self.clearing_house.pool_deposit(amount, sender=pool)

    # Time and prices

    @property
    def now(self) -> int:
        return boa.env.evm.patch.timestamp

    def wait(self, seconds: int) -> None:
        """Let time pass without any price."""
        boa.env.evm.patch.timestamp += seconds

    def feed(self, underlying: str) -> Feed:
        """The feed of an underlying, with this test's Chainlink."""
        base = base_feeds()[UNDERLYINGS.index(underlying)]
        return Feed(**{**vars(base), "chainlink": str(self.chainlink[underlying].address)})

    def publish(self, after: int = 0, **usd: float) -> bytes:
        """Move feeds to new prices `after` seconds from now (Chainlink too) and return the signed update, stored nowhere."""
        self.wait(after)
        self.index |= usd
        for name, feed in self.chainlink.items():
            feed.publish(price(self.index[name]), self.now, self.now, sender=self.operator)
        return self.publisher.publish({addresses.PYTH_IDS[name]: price(usd) for name, usd in self.index.items()}, self.now)

    def store(self, *updates: bytes) -> None:
        """Bring signed updates to the oracle."""
        self.oracle.update([0, 1], list(updates), value=self.pyth.getUpdateFee(list(updates)), sender=self.operator)

    def set_prices(self, after: int = 0, **usd: float) -> None:
        """Publish prices and bring them to the oracle: `set_prices(BTC=60_000, after=10)`."""
        self.store(self.publish(after, **usd))

    def appoint(self) -> None:
        """Let the volatility oracle write the variances from now on."""
        self.oracle.set_volatility_oracle(self.volatility_oracle.address, sender=self.owner)

    def sample(self, *updates: bytes, by: str | None = None) -> int:
        """Bring signed first prices since the latest boundary to the volatility oracle; how many it sampled."""
        fee = self.oracle.update_fee(list(updates))
        return self.volatility_oracle.sample([0, 1], list(updates), value=fee, sender=by or self.operator)

    # Trading, past the order desk

    def list_series(self, underlying: str = "BTC", moneyness: float = 1.0, is_put: bool = False) -> int:
        """List the series whose strike of two digits is nearest to index / moneyness."""
        strike = float(f"{self.index[underlying] / moneyness:.1e}")
        return self.series_listing.list_series(UNDERLYINGS.index(underlying), price(strike), is_put)

    def trade(
        self,
        trader: str,
        *legs: tuple[int, float],
        prices: Sequence[int] | None = None,
        limit: int = NO_LIMIT,
        mark_limit: int = NO_LIMIT,
        reduce_only: bool = False,
        subaccount: int = 0,
    ) -> int:
        """Trade (series, whole tokens of face) as the order desk would, its own `prices` the latest unless given.

        Returns the order's total.
        """
        prices = [price(self.index[name]) for name in UNDERLYINGS] if prices is None else prices
        order = [(series, round(face * self.unit)) for series, face in legs]
        order += [(0, 0)] * (MAX_LEGS - len(order))
        terms = (order, list(prices), limit, mark_limit, reduce_only)
        return self.clearing_house.trade(account_of(trader, subaccount), *terms, sender=self.order_desk.address)

    # Trading through the order desk

    def request(
        self,
        trader: str,
        *legs: tuple[int, float],
        limit: int = NO_LIMIT,
        mark_limit: int = NO_LIMIT,
        reduce_only: bool = False,
        deadline: int = NO_DEADLINE,
        fee: int | None = None,
        subaccount: int = 0,
    ) -> Order:
        """Request an order of (series, whole tokens of face) for the least fee unless given; returns its terms."""
        account = account_of(trader, subaccount)
        order = [(series, round(face * self.unit)) for series, face in legs]
        fee = self.order_desk.min_fee(len(legs)) if fee is None else fee
        terms = (order, limit, mark_limit, reduce_only, deadline)
        self.order_desk.request(account, *terms, value=fee, sender=trader)
        return self._requested()

    def request_conditional(
        self,
        trader: str,
        *legs: tuple[int, float],
        underlying: str = "BTC",
        above: float = 0,
        below: float = 0,
        limit: int = NO_LIMIT,
        mark_limit: int = NO_LIMIT,
        reduce_only: bool = False,
        deadline: int | None = None,
        fee: int | None = None,
        subaccount: int = 0,
        by: str | None = None,
    ) -> Order:
        """Request an order that a price in USD, at or above one or at or below another (0: none), triggers."""
        account = account_of(trader, subaccount)
        order = [(series, round(face * self.unit)) for series, face in legs]
        if fee is None:
            fee = self.order_desk.min_fee(len(legs), boa.env.evm.vm.state.base_fee, True)
        trigger = Trigger(UNDERLYINGS.index(underlying), price(above), price(below))
        terms = (order, limit, mark_limit, reduce_only, self.now + MAX_WAIT if deadline is None else deadline)
        sender = by or trader
        desk = self.order_desk
        desk.request_conditional(account, *terms, *trigger, value=fee, sender=sender)
        return self._requested()

    def _requested(self) -> Order:
        """The terms of the order that was just requested, as its event has them."""
        (event,) = events(self.order_desk, "Requested")
        return Order(*event.order)

    def trigger(self, *orders: Order, updates: Sequence[bytes] = (), by: str | None = None) -> list[bool]:
        """Trigger conditional orders at the latest price published, unless `updates` are given; returns which were."""
        updates = list(updates) or self.publisher.blobs([addresses.PYTH_IDS[name] for name in UNDERLYINGS])
        fee = self.oracle.update_fee(updates)
        return self.order_desk.trigger(orders, updates, value=fee, sender=by or self.operator)

    def first_prices(self, order: Order, *underlyings: str) -> list[bytes]:
        """The signed updates with an order's own prices, once published, of all underlyings unless some are named."""
        ids = [addresses.PYTH_IDS[name] for name in underlyings or UNDERLYINGS]
        return self.publisher.blobs(ids, order.requested_at + self.parameters.order_delay)

    def execute(self, *orders: Order, by: str | None = None) -> list[bool]:
        """Execute orders at the first prices of the earliest; returns which were traded."""
        updates = self.first_prices(min(orders, key=lambda order: order.requested_at))
        fee = self.oracle.update_fee(updates)
        return self.order_desk.execute(orders, updates, value=fee, sender=by or self.operator)

    def order(self, trader: str, *legs: tuple[int, float], by: str | None = None, **terms: Any) -> bool:
        """Request an order, let its delay pass at unchanged prices, and execute it; returns whether it was traded."""
        order = self.request(trader, *legs, **terms)
        self.publish(after=self.parameters.order_delay)
        return self.execute(order, by=by)[0]

    def liquidate(self, *traders: str, by: str | None = None) -> list[int]:
        """Liquidate accounts 0 at the stored price; returns the fractions closed."""
        return self.liquidator.liquidate([account_of(trader) for trader in traders], [], sender=by or self.operator)

    # Reading

    def account(self, trader: str, subaccount: int = 0) -> Any:
        """Cash, claim and packed legs of an account."""
        return self.clearing_house.account(account_of(trader, subaccount))

    def units(self, trader: str, subaccount: int = 0) -> dict[int, int]:
        """Units by series of an account's legs."""
        return {series: units for series, units, _ in unpack_legs(self.account(trader, subaccount).legs)}
