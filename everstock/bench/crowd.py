"""Thousands of open positions in a market, and a pool that cannot carry them: what deleveraging is measured on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from eth_utils import keccak, to_checksum_address
from web3.contract.contract import ContractFunction

from everstock.bench.stage import GAS_LIMIT, MAX_LEGS, NO_LIMIT, TOKEN, Stage, price
from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.transactions import Reverted, call
from everstock.model.constants import SETTLE_WINDOW

# Of each leg, and of each account that holds eight.
FACE: Final = TOKEN
MARGIN: Final = 50 * TOKEN
# Transactions of one block: they fit its gas.
BATCH: Final = 30


def populate(stage: Stage, positions: int) -> None:
    """Open that many legs (a multiple of eight) of accounts that nobody else has, alternately bought and written.

    They trade past the order desk, in its name. Raises `Reverted` if any of it fails.
    """
    house = stage.clearing_house
    accounts = [int.from_bytes(keccak(text=f"crowd {i}")[:20], "big") << 96 for i in range(positions // MAX_LEGS)]
    prices = [price(stage.index[name]) for name in UNDERLYINGS]
    stage.owner.transact(stage.vault.functions.approve(house.address, 2**256 - 1))
    with _impersonated(stage, stage.owner.address):
        _send(stage, stage.owner.address, [house.functions.deposit(account, MARGIN) for account in accounts])
    orders = []
    for number, account in enumerate(accounts):
        first = MAX_LEGS * (number // 2) % len(stage.series)
        side = 1 if number % 2 else -1
        legs = [(id_, side * FACE) for id_ in stage.series[first : first + MAX_LEGS]]
        orders.append(house.functions.trade(account, legs, prices, NO_LIMIT, NO_LIMIT, False))
    with _impersonated(stage, stage.order_desk.address):
        _send(stage, stage.order_desk.address, orders)


def drain(stage: Stage) -> None:
    """Take so much out of the main pool's ledger that E is nine tenths of R."""
    flow = call(stage.clearing_house.functions.pool_flow())
    equity, requirement = flow[:2]
    _take(stage, equity - requirement * 9 // 10)


def exhaust(stage: Stage) -> None:
    """Take all that the main pool has, raise the indexes, and let three checkpoints see it: settlement begins."""
    _take(stage, call(stage.clearing_house.functions.ledgers())[0])
    stage.move(BTC=stage.index["BTC"] * 1.04, ETH=stage.index["ETH"] * 1.04)
    checkpoint = stage.clearing_house.functions.checkpoint()
    stage.keeper.transact(checkpoint)
    for _ in range(2):
        stage.move(after=SETTLE_WINDOW // 2)
        stage.keeper.transact(checkpoint)


def _take(stage: Stage, amount: int) -> None:
    """Take from the main pool's ledger, in the pool's name."""
    with _impersonated(stage, stage.main_pool.address):
        _send(stage, stage.main_pool.address, [stage.clearing_house.functions.pool_withdraw(amount)])


@contextmanager
def _impersonated(stage: Stage, address: str) -> Iterator[None]:
    """Transactions inside may be sent from `address`, a contract's too, without its signature."""
    stage.chain.rpc("anvil_impersonateAccount", to_checksum_address(address))
    stage.chain.fund(address)
    try:
        yield
    finally:
        stage.chain.rpc("anvil_stopImpersonatingAccount", to_checksum_address(address))


def _send(stage: Stage, sender: str, functions: list[ContractFunction]) -> None:
    """Send calls from `sender`, many to a block."""
    chain = stage.chain
    chain.rpc("evm_setAutomine", False)
    try:
        for i in range(0, len(functions), BATCH):
            hashes = [
                function.transact({"from": to_checksum_address(sender), "gas": GAS_LIMIT // 8, "gasPrice": 10**9})
                for function in functions[i : i + BATCH]
            ]
            chain.mine()
            for hash_ in hashes:
                if chain.w3.eth.get_transaction_receipt(hash_)["status"] != 1:
                    raise Reverted("a transaction of the crowd failed", hash_.to_0x_hex())
    finally:
        chain.rpc("evm_setAutomine", True)
