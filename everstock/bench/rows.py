"""What is measured: one row for each budget of whole transactions, in gas."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from everstock.bench import crowd
from everstock.bench.stage import DEPOSIT_WAIT, FACE, MARGIN, STRIKES, TOKEN, Stage, account_of

# Legs of the larger of two accounts that are compared.
MANY: Final = 8
# A call and a put at each strike.
SERIES: Final = 2 * sum(map(len, STRIKES.values()))
EXEC_WINDOW: Final = 60
# Of the larger of two books that are compared, beyond those of the smaller.
MANY_POSITIONS: Final = 10_000
WITHOUT_PRICES: Final = "without the price update"


@dataclass(frozen=True)
class Row:
    """One figure beside its budget, both in gas; `budget` is none where there is none to keep."""

    what: str
    measured: int
    budget: int | None = None
    note: str = ""

    @property
    def kept(self) -> bool:
        """Whether the budget is kept."""
        return self.budget is None or self.measured <= self.budget


def margin(stage: Stage) -> Iterator[Row]:
    """Deposits and withdrawals."""
    trader = stage.actor()
    deposit = stage.clearing_house.functions.deposit(account_of(trader), MARGIN // 2)
    yield Row("deposit margin, first ever", trader.transact(deposit)["gasUsed"], 75_000)
    yield Row("deposit margin, again", trader.transact(deposit)["gasUsed"], 55_000)
    withdraw = stage.clearing_house.functions.withdraw(account_of(trader), TOKEN, trader.address)
    yield Row("withdraw margin, no leg", trader.transact(withdraw)["gasUsed"], note="needs no price")
    stage.trade(trader, (stage.series[0], FACE))
    stage.move(after=EXEC_WINDOW)
    one = trader.transact(withdraw)["gasUsed"]
    yield Row("withdraw margin, one leg", one, 130_000)
    stage.trade(trader, *[(id_, FACE) for id_ in stage.series[1:MANY]])
    stage.move(after=EXEC_WINDOW)
    eight = trader.transact(withdraw)["gasUsed"]
    yield Row("withdraw margin, each further leg", _each(one, eight))


def orders(stage: Stage) -> Iterator[Row]:
    """Requests, executions, and what becomes of orders that are not executed."""
    trader, id_ = stage.trader(), stage.series[0]
    first, order = stage.request(trader, (id_, FACE))
    yield Row("request an order, first", first["gasUsed"], 80_000)
    opened = stage.without_prices(stage.execute(order))
    again, order = stage.request(trader, (id_, FACE))
    yield Row("request an order, again", again["gasUsed"], 60_000)
    increased = stage.without_prices(stage.execute(order))
    closed = stage.without_prices(stage.trade(trader, (id_, -2 * FACE)))
    yield Row("execute an order: open the first leg", opened, 220_000, WITHOUT_PRICES)
    yield Row("execute an order: increase it", increased, 205_000, WITHOUT_PRICES)
    yield Row("execute an order: close it", closed, 195_000, WITHOUT_PRICES)

    _, order = stage.request(trader, (id_, FACE))
    second, following = stage.request(trader, (id_, -FACE))
    yield Row("request an order while another is live", second["gasUsed"])
    both = stage.without_prices(stage.execute(order, following))
    yield Row("execute both in one call, opening and closing", both, note=WITHOUT_PRICES)

    combined = stage.without_prices(stage.trade(trader, *[(id_, FACE) for id_ in stage.series[:MANY]]))
    yield Row("execute an order that opens eight legs", combined, note=WITHOUT_PRICES)
    with_eight = stage.without_prices(stage.trade(trader, (id_, FACE)))
    yield Row("execute an order, each further leg of the account", _each(increased, with_eight), 40_000)

    _, order = stage.request(trader, (id_, FACE))
    stage.move(after=EXEC_WINDOW + 1)
    yield Row("void an order", stage.keeper.transact(stage.order_desk.functions.void(order))["gasUsed"])


def other_orders(stage: Stage) -> Iterator[Row]:
    """Conditional and signed ones: like market orders but for how they begin."""
    trader, id_, index = stage.trader(), stage.series[0], stage.index["BTC"]
    stage.trade(trader, (id_, FACE))
    requested, order = stage.request_conditional(trader, (id_, FACE), below=index)
    yield Row("request a stop, a limit or a take-profit", requested["gasUsed"])
    first, (order,) = stage.trigger(order)
    yield Row("trigger it", stage.without_prices(first), note=WITHOUT_PRICES)
    executed = stage.without_prices(stage.execute(order))
    yield Row("execute it: increase the leg", executed, 205_000, WITHOUT_PRICES)

    requested, bracket = stage.request_conditional(trader, (id_, -FACE), above=index * 1.001, below=index * 0.999)
    yield Row("request a bracket", requested["gasUsed"])
    again, (bracket,) = stage.trigger(bracket, stored=True, BTC=index * 1.001)
    yield Row("trigger it at a price that is stored", again["gasUsed"])
    yield Row("execute it: close half", stage.without_prices(stage.execute(bracket)), 205_000, WITHOUT_PRICES)

    eight = [stage.request_conditional(trader, (id_, FACE), above=1)[1] for _ in range(MANY)]
    many = stage.trigger(*eight, stored=True)[0]["gasUsed"]
    yield Row("trigger, each further order of a batch", _each(again["gasUsed"], many))
    _, order = stage.request_conditional(trader, (id_, FACE), above=1)
    yield Row("cancel before a trigger", trader.transact(stage.order_desk.functions.cancel(order))["gasUsed"])

    # Else it would have to wait for the eight.
    stage.move(after=EXEC_WINDOW + 1)
    relayed, order = stage.relay(trader, (id_, FACE))
    yield Row("relay a signed order", relayed["gasUsed"])
    yield Row("execute it: increase the leg again", stage.without_prices(stage.execute(order)), 205_000, WITHOUT_PRICES)
    allow = stage.order_desk.functions.set_delegate(account_of(trader), stage.keeper.address, True)
    yield Row("let a delegate trade", trader.transact(allow)["gasUsed"])


def liquidations(stage: Stage) -> Iterator[Row]:
    """In part, at a price that is already stored, by a keeper who has been rewarded before."""
    first = _liquidation(stage, 1)
    stage.give_margin(stage.keeper)
    one = _liquidation(stage, 1)
    yield Row("liquidate, one leg", one, 180_000)
    yield Row("liquidate, a keeper's first reward ever", first - one)
    yield Row("liquidate, each further leg", _each(one, _liquidation(stage, MANY)), 50_000)


def checkpoints(stage: Stage) -> Iterator[Row]:
    """Of all series, and of half of them."""
    full = _checkpoint(stage)
    removed = stage.remove_half()
    each = (full - _checkpoint(stage)) // removed
    yield Row("checkpoint, fixed part", full - SERIES * each, 110_000)
    yield Row("checkpoint, each active series", each, 28_000, f"{SERIES} series against {SERIES - removed}")


def deleveraging(stage: Stage) -> Iterator[Row]:
    """Of a book with all series held on both sides, by few and by many positions."""
    few = _deleveraging(stage, 0)
    many = _deleveraging(stage, MANY_POSITIONS)
    count = 2 * SERIES
    yield Row(f"deleverage {SERIES} series, {count} positions", few, 1_000_000)
    apart = f"{abs(many - few) / few:.2%} apart"
    yield Row(f"deleverage {SERIES} series, {count + MANY_POSITIONS:,} positions", many, 1_000_000, apart)


def settlement(stage: Stage) -> Iterator[Row]:
    """Resolving accounts of one and of eight legs, and the end."""
    one, eight = stage.trader(), stage.trader()
    stage.trade(one, (stage.series[0], FACE))
    stage.trade(eight, *[(id_, FACE) for id_ in stage.series[:MANY]])
    crowd.exhaust(stage)
    house = stage.clearing_house.functions
    alone = stage.keeper.transact(house.resolve([account_of(one)]))["gasUsed"]
    full = stage.keeper.transact(house.resolve([account_of(eight)]))["gasUsed"]
    yield Row("resolve an account of one leg", alone)
    yield Row("resolve an account, each further leg", _each(alone, full))
    for holder in stage.holders:
        stage.keeper.transact(house.resolve([account_of(holder)]))
    yield Row("finalize a settlement", stage.keeper.transact(house.finalize())["gasUsed"])
    yield Row("pay a claim at its end", stage.keeper.transact(house.pay_claim(account_of(eight)))["gasUsed"])


def pools(stage: Stage) -> Iterator[Row]:
    """An LP's deposit, with all series and with half of them."""
    full = _fulfilment(stage)
    removed = stage.remove_half()
    each = (full - _fulfilment(stage)) // removed
    yield Row("execute an LP request, fixed part", full - SERIES * each, 150_000)
    yield Row("execute an LP request, each active series", each, 12_000, f"{SERIES} series against {SERIES - removed}")


def prices(stage: Stage) -> Iterator[Row]:
    """Bringing a price, by itself; and sampling it."""
    yield Row("price update of both underlyings", stage.move()["gasUsed"], note="our Pyth checks one signature, Base's thirteen")
    stage.sample()
    yield Row("sample the volatility of both underlyings", stage.sample()["gasUsed"], note="with the price update")
    trader = stage.trader()
    stage.trade(trader, (stage.series[0], FACE))
    stage.move()
    settle = stage.clearing_house.functions.settle(account_of(trader))
    yield Row("settle an account, one leg", stage.keeper.transact(settle)["gasUsed"])


# Each measured on the same market; what one changes is undone before the next.
GROUPS: Final[tuple[Callable[[Stage], Iterator[Row]], ...]] = (
    margin,
    orders,
    other_orders,
    liquidations,
    checkpoints,
    deleveraging,
    settlement,
    pools,
    prices,
)


def _each(one: int, many: int) -> int:
    """Gas of each leg beyond the first."""
    return (many - one) // (MANY - 1)


def _liquidation(stage: Stage, legs: int) -> int:
    """Gas of a partial liquidation of a writer of that many calls after a rise."""
    with stage.rewound():
        trader = stage.trader()
        calls = stage.calls_on("BTC")[:legs]
        face = stage.largest_face(trader, calls, side=-1)
        stage.trade(trader, *[(id_, -face) for id_ in calls])
        while not stage.is_liquidatable(trader):
            stage.move(after=2, BTC=stage.index["BTC"] * 1.005)
        stage.keeper.transact(stage.clearing_house.functions.checkpoint())
        stage.move(after=2)
        liquidate = stage.liquidator.functions.liquidate([account_of(trader)], [])
        receipt = stage.keeper.transact(liquidate)
        stage.check_partial(receipt)
        return receipt["gasUsed"]


def _checkpoint(stage: Stage) -> int:
    """Gas of a checkpoint after time and the index have moved."""
    stage.move(BTC=stage.index["BTC"] * 1.001, ETH=stage.index["ETH"] * 1.001)
    return stage.keeper.transact(stage.clearing_house.functions.checkpoint())["gasUsed"]


def _deleveraging(stage: Stage, positions: int) -> int:
    """Gas of a checkpoint that scales the book down, with that many positions more than the stage opened."""
    with stage.rewound():
        crowd.populate(stage, positions)
        stage.move(BTC=stage.index["BTC"] * 1.001, ETH=stage.index["ETH"] * 1.001)
        stage.keeper.transact(stage.clearing_house.functions.checkpoint())
        stage.move(BTC=stage.index["BTC"] * 1.001, ETH=stage.index["ETH"] * 1.001)
        crowd.drain(stage)
        receipt = stage.keeper.transact(stage.clearing_house.functions.checkpoint())
        stage.check_deleveraged(receipt)
        return receipt["gasUsed"]


def _fulfilment(stage: Stage) -> int:
    """Gas of executing one deposit request into the main pool that holds LPs already."""
    stage.request_deposit()
    stage.move(after=DEPOSIT_WAIT + 1, BTC=stage.index["BTC"] * 1.001)
    stage.keeper.transact(stage.clearing_house.functions.checkpoint())
    stage.move(after=2)
    return stage.keeper.transact(stage.main_pool.functions.fulfil(1, 0))["gasUsed"]

