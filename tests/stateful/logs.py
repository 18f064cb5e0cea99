"""Every log that calls in process emit, as an indexer would find them on a chain."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boa
from boa.contracts.event_decoder import RawLogEntry
from eth_utils import to_checksum_address

from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import START, Protocol
from everstock.model.cash_ledger import Ledgers
from everstock.model.market import Market
from everstock.model.parameters import Parameters
from everstock.model.price_oracle import Block, PriceOracle, Round
from everstock.model.rebuild import Rebuilder


@dataclass(frozen=True)
class Log:
    """One log as a chain has it. `topics` are numbers."""

    time: int
    address: bytes
    topics: tuple[int, ...]
    data: bytes


@contextmanager
def recorded() -> Iterator[list[Log]]:
    """All logs of calls made inside, views and reverted calls aside, in their order."""
    logs: list[Log] = []
    original = boa.env.execute_code

    def execute_code(*arguments: Any, is_modifying: bool = True, simulate: bool = False, **named: Any) -> Any:
        computation = original(*arguments, is_modifying=is_modifying, simulate=simulate, **named)
        if is_modifying and not simulate:
            time = boa.env.evm.patch.timestamp
            entries = sorted(computation.get_raw_log_entries())
            logs.extend(Log(time, address, tuple(topics), data) for _, address, topics, data in entries)
        return computation

    boa.env.execute_code = execute_code
    try:
        yield logs
    finally:
        boa.env.execute_code = original


def rebuilt(protocol: Protocol, logs: list[Log]) -> Market:
    """The market of `protocol` out of all of its logs since it was deployed."""
    contracts = {"oracle": protocol.oracle, **protocol.market.contracts()}
    roles = {contract.address.canonical_address: role for role, contract in contracts.items()}
    parameters = Parameters.of(protocol.parameters, UNDERLYINGS)
    oracle = PriceOracle(Block(START), Round(0, 0, 0))
    pools = {role: to_checksum_address(str(contracts[role].address)) for role in ("main_pool", "insurance_pool")}
    market = Market.create(oracle, parameters, protocol.decimals)
    market.treasury.least_balance = protocol.parameters.treasury_least
    rebuilder = Rebuilder(market, pools)
    for log in logs:
        role = roles.get(log.address)
        if role is not None:
            name, args = _decoded(contracts[role], log)
            rebuilder.take(role, name, args, log.time)
    return rebuilder.market


def assert_same(found: Market, expected: Market) -> None:
    """The same in everything that a chain stores: prices, book, accounts, ledgers, pools and orders."""
    assert found.oracle.word == expected.oracle.word
    for name in ("underlyings", "parameters", "granule", "book", "state", "anchors", "exposures", "totals", "owed"):
        assert getattr(found.risk, name) == getattr(expected.risk, name), name
    assert found.risk.queued_redemptions == expected.risk.queued_redemptions
    assert found.house.ledgers == expected.house.ledgers
    assert isinstance(found.house.ledgers, Ledgers)
    for id_ in found.house.accounts.keys() | expected.house.accounts.keys():
        assert found.house.account(id_) == expected.house.account(id_), f"account {id_:#x}"
    assert found.treasury.least_balance == expected.treasury.least_balance
    for name in ("settlement", "tokens", "bad_debt", "insured"):
        assert getattr(found.house, name) == getattr(expected.house, name), name
    for pool, other in ((found.main_pool, expected.main_pool), (found.insurance_pool, expected.insurance_pool)):
        for name in ("supply", "deposits", "redemptions", "tokens"):
            assert getattr(pool, name) == getattr(other, name), name
        for name in ("balances", "bought", "sold"):
            mine, theirs = getattr(pool, name), getattr(other, name)
            assert all(mine[holder] == theirs[holder] for holder in mine.keys() | theirs.keys()), name
    assert found.desk.waiting == expected.desk.waiting
    for account in found.desk.last_nonce.keys() | expected.desk.last_nonce.keys():
        assert found.desk.last_nonce[account] == expected.desk.last_nonce[account]
        assert found.desk.live[account] == expected.desk.live[account]
        assert found.desk.bursts[account] == expected.desk.bursts[account]
    assert found.desk.spent == expected.desk.spent
    for account in found.desk.delegates.keys() | expected.desk.delegates.keys():
        assert found.desk.delegates[account] == expected.desk.delegates[account]


def _decoded(contract: Any, log: Log) -> tuple[str, Mapping[str, Any]]:
    event = contract.decode_log(RawLogEntry(0, log.address, list(log.topics), log.data))
    args = _plain(event)
    del args["address"]
    return type(event).__name__, args


def _plain(value: Any) -> Any:
    """Structs as mappings."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if type(value).__name__ == "Address" else value
