"""How a replay begins: LPs fill the pools of a fresh market in process, series are listed, and a book is opened."""

from collections.abc import Mapping
from typing import Final

from boa import BoaError
from boa.contracts.vyper.vyper_contract import VyperContract

from everstock.chain.deployment import FLOORS, UNDERLYINGS
from everstock.chain.in_process import VARIANCES, Protocol, account_of, price
from everstock.chain.transactions import reason_of
from everstock.demo.strikes import two_digits
from everstock.model.constants import PERMILLE
from everstock.model.volatility_oracle import Seed
from everstock.replay.books import RUNGS, Book, Series, book_of
from everstock.replay.market import Market, ReplayError

DEPOSIT_WAIT: Final = 600
MAX_FULFILLED: Final = 64


def opened(
    book: Book,
    *,
    seed: int,
    time: int,
    prices: Mapping[str, float],
    main: float,
    insurance: float,
    load: float,
) -> Market:
    """A market of `time` and `prices` (USD) in whose pools LPs put so many whole tokens, and a book opened against it.

    `load` is the part of what the pool may take on that the book uses. Raises `ReplayError` where it does not fit.
    """
    protocol = Protocol(main_deposit=0, insurance_deposit=0, index=dict(prices))
    _fill_pools(protocol, {protocol.main_pool: main, protocol.insurance_pool: insurance})
    keeper_ = protocol.actor("keeper")
    strikes = _list_series(protocol)
    parameters = protocol.parameters
    assert parameters is not None  # a Protocol has some from its start
    requirement = load * main * PERMILLE / parameters.open_buffer
    index = [prices[name] for name in UNDERLYINGS]
    holders = book_of(book, seed, list(strikes), index, requirement, parameters)
    ids = {}
    for holder in holders:
        try:
            trader = protocol.trader(holder.name, max(holder.cash, 2 * parameters.min_margin / protocol.unit))
            protocol.trade(trader, *((strikes[one], face) for one, face in holder.legs))
        except BoaError as error:
            reason = reason_of(protocol.clearing_house._computation.output)
            raise ReplayError(f"{holder.name} cannot open: {reason}; a smaller load may fit") from error
        ids[account_of(trader)] = holder
    seeds = {name: Seed(id_, 0, 0, VARIANCES[name], VARIANCES[name], FLOORS[name]) for id_, name in enumerate(UNDERLYINGS)}
    market = Market(
        protocol=protocol,
        lens=protocol.deployer.deploy("MarketLens"),
        keeper=keeper_,
        series=strikes,
        holders=ids,
        shift=protocol.now - time,
        variances={name: seed_.track() for name, seed_ in seeds.items()},
    )
    market.begin()
    return market


def _fill_pools(protocol: Protocol, tokens: Mapping[VyperContract, float]) -> None:
    for pool, amount in tokens.items():
        provider = protocol.actor(f"LP of {pool.address}")
        raw = round(amount * protocol.unit)
        protocol.token.mint(provider, raw)
        protocol.token.approve(pool.address, raw, sender=provider)
        pool.requestDeposit(raw, provider, provider, sender=provider)
    protocol.set_prices(after=DEPOSIT_WAIT)
    for pool in tokens:
        pool.fulfil(MAX_FULFILLED, 0)
    protocol.clearing_house.checkpoint()


def _list_series(protocol: Protocol) -> dict[Series, int]:
    """Calls and puts at a few strikes of each underlying; ids by series."""
    ids = {}
    for underlying, name in enumerate(UNDERLYINGS):
        index = protocol.index[name]
        for strike in sorted({two_digits(index / rung) for rung in RUNGS}):
            for is_put in (False, True):
                series = protocol.series_listing.list_series(underlying, price(strike), is_put)
                ids[Series(underlying, strike, is_put)] = series
    return ids

