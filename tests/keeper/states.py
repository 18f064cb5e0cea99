"""States of a keeper's world, made of what a test cares about."""

from dataclasses import replace

from everstock.keeper.state import Health, Market, Order, Price, State, Update
from everstock.model.order_desk import EXEC_WINDOW, Live
from everstock.parameters import ORDER_DELAY

NOW = 1_000_000
BTC, ETH = 0, 1
USD = 10**8
ETHER = 10**18
TSLA = "TSLA.M"
# Those that are listed.
SERIES = frozenset({1, 2, 3})


def update(*times: int, price: int = 100_000 * USD, name: str = "") -> Update:
    """Signed prices of BTC and ETH, published at these times (one: both)."""
    both = times * 2 if len(times) == 1 else times
    return Update((f"signed {name}{both}".encode(),), tuple(Price(price, time) for time in both), fee=2)


def order(requested_at: int = NOW - ORDER_DELAY, **terms) -> Order:
    """An order of one leg on BTC that pays well."""
    base = Order(
        account=7,
        nonce=1,
        legs=((1, 10**18),),
        limit=2**127 - 1,
        mark_limit=2**127 - 1,
        reduce_only=False,
        deadline=2**256 - 1,
        trigger=0,
        requested_at=requested_at,
        follows=0,
        fee=ETHER,
        payer="0x" + "11" * 20,
    )
    return replace(base, **terms)


def link(nonce: int, live_at: int) -> int:
    """What an order follows: the account's order of this nonce, which went live then."""
    return Live(live_at + EXEC_WINDOW, nonce).word


def health(account: int, shortfall: int = 1, legs: int = 1) -> Health:
    """An account that far below maintenance; healthy if it is not."""
    return Health(account, equity=100 - shortfall, maintenance=100, legs=legs, is_liquidatable=shortfall > 0)


def market(**facts) -> Market:
    """A market with positions, checkpointed a minute ago, with nothing to do."""
    base = Market(
        symbol=TSLA,
        underlyings=(BTC, ETH),
        order_delay=ORDER_DELAY,
        equity=10**22,
        requirement=10**21,
        claims=0,
        open_legs=3,
        depth=10**22,
        checkpoint_time=NOW - 60,
        window_end=0,
        is_due=False,
        series=SERIES,
    )
    return replace(base, **facts)


def state(*markets: Market, **facts) -> State:
    """A world at `NOW` whose stored prices are of this second, and Hermes knows none newer."""
    base = State(
        block=100,
        time=NOW,
        base_fee=5_000_000,
        stored=(Price(100_000 * USD, NOW), Price(100_000 * USD, NOW)),
        restricted=(False, False),
        free=((0, 2**64 - 1), (0, 2**64 - 1)),
        markets=markets or (market(),),
        latest=update(NOW),
    )
    return replace(base, **facts)


def stored(*ages: int, price: int = 100_000 * USD, restricted: tuple[bool, bool] = (False, False)) -> tuple[Price, Price]:
    """Stored prices of these ages (one: both), too far from Chainlink or not."""
    both = ages * 2 if len(ages) == 1 else ages
    first, second = (Price(price, NOW - age, far) for age, far in zip(both, restricted, strict=True))
    return first, second
