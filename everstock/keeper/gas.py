"""How much gas actions take, rounded up from docs/GAS.md: an estimate to batch and to price them by.

A transaction's limit is larger, and verified by simulating with it; what is not used is not paid.
"""

from collections.abc import Iterable
from typing import Final

from everstock.keeper.state import Health, Order

# Storing two prices, with a transaction's own 21,000, and 300,000 that Pyth on Base takes to verify thirteen signatures
# (pyth-crosschain, pull request 1208) where the look-alike's checks one.
UPDATE: Final = 550_000
# The same, and both variances of both.
SAMPLE: Final = UPDATE + 80_000
# What a transaction takes that does nothing.
TRANSACTION: Final = 30_000
# Of 32 series; may come with anything that needs a price.
CHECKPOINT: Final = 1_200_000
ORDER: Final = 220_000
TRIGGER: Final = 80_000
LIQUIDATION: Final = 180_000
# Each leg of an order, or of an account.
LEG: Final = 50_000
# A request of a liquidity provider.
REQUEST: Final = 90_000
# Resolving an account, and the end of a settlement.
RESOLUTION: Final = 80_000
FINALIZE: Final = 150_000
VOID: Final = 120_000  # with what the payer may spend on taking its fee back

# What OrderDesk wants to be left before it fills an order (its TRADE_GAS), with what a call cannot pass on.
ORDER_RESERVE: Final = 3_100_000
# What a chain takes of one transaction (EIP-7825).
MOST: Final = 2**24


def of_order(order: Order) -> int:
    """What executing an order adds to a batch. Its account's other legs, some 32,000 gas each, are not counted."""
    return ORDER + LEG * len(order.legs)


def of_orders(orders: Iterable[Order]) -> int:
    """Executing a batch, a checkpoint aside."""
    return UPDATE + sum(map(of_order, orders))


def of_trigger(order: Order) -> int:
    """What triggering an order adds to a batch."""
    return TRIGGER


def of_account(health: Health) -> int:
    """What liquidating an account adds to a batch."""
    return LIQUIDATION + LEG * health.legs


def of_resolution(health: Health) -> int:
    """What resolving an account adds to a batch."""
    return RESOLUTION + LEG * health.legs


def limit(expected: int) -> int:
    """The gas limit of a transaction that is expected to take so much."""
    return min(expected + expected // 4, MOST)
