"""From actions to calls of contracts, and what a simulated call says about sending it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from everstock.chain.manifest import Manifest
from everstock.keeper.abi import Function, Interface
from everstock.keeper.actions import (
    Action,
    Checkpoint,
    ExecuteOrders,
    Finalize,
    Fulfil,
    Liquidate,
    Resolve,
    Sample,
    TriggerOrders,
    UpdatePrices,
    VoidOrder,
)
from everstock.keeper.multicall import Call, Multicall
from everstock.keeper.state import Update


@dataclass(frozen=True)
class Plan:
    """What to send for an action, and what to simulate before: the same, but for several calls in one, which are sent
    all or none and simulated one by one, because Multicall3 does not pass reasons on."""

    send: Call
    simulate: Call


@dataclass(frozen=True)
class Verdict:
    """What a simulation said. `refused` is a reason not to send; `idle` means there would be nothing to do."""

    refused: str = ""
    idle: bool = False


class Planner:
    """Knows which contract does what."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._multicall = Multicall(manifest.multicall)
        self._update = Interface("PriceOracle").function("update")
        self._sample = Interface("VolatilityOracle").function("sample")
        desk = Interface("OrderDesk")
        self._execute = desk.function("execute")
        self._trigger = desk.function("trigger")
        self._void = desk.function("void")
        self._liquidate = Interface("Liquidator").function("liquidate")
        house = Interface("ClearingHouse")
        self._checkpoint = house.function("checkpoint")
        self._resolve = house.function("resolve")
        self._finalize = house.function("finalize")
        self._fulfil = Interface("MainPool").function("fulfil")

    def plan(self, action: Action) -> Plan:
        """What to send for `action`."""
        match action:
            case UpdatePrices(ids=ids, update=update):
                return _single(self._store(ids, update))
            case Sample(ids=ids, update=update):
                oracle = self._manifest.volatility_oracle
                return _single(_call(oracle, self._sample, ids, update.blobs, value=update.fee))
            case ExecuteOrders(symbol=symbol, orders=orders, update=update):
                desk = self._manifest.market(symbol).order_desk
                terms = [order.terms for order in orders]
                return _single(_call(desk, self._execute, terms, update.blobs, value=update.fee))
            case TriggerOrders(symbol=symbol, orders=orders, update=update):
                desk = self._manifest.market(symbol).order_desk
                blobs, fee = ((), 0) if update is None else (update.blobs, update.fee)
                terms = [order.terms for order in orders]
                return _single(_call(desk, self._trigger, terms, blobs, value=fee))
            case VoidOrder(symbol=symbol, order=order):
                return _single(_call(self._manifest.market(symbol).order_desk, self._void, order.terms))
            case Liquidate(symbol=symbol, accounts=accounts, update=update):
                blobs, fee = ((), 0) if update is None else (update.blobs, update.fee)
                liquidator = self._manifest.market(symbol).liquidator
                return _single(_call(liquidator, self._liquidate, accounts, blobs, value=fee))
            case Checkpoint(symbol=symbol, update=update):
                market = self._manifest.market(symbol)
                return self._priced(market.underlyings, update, _call(market.clearing_house, self._checkpoint))
            case Fulfil(symbol=symbol, role=role, deposits=deposits, redemptions=redemptions, update=update):
                market = self._manifest.market(symbol)
                call = _call(getattr(market, role), self._fulfil, deposits, redemptions)
                return self._priced(market.underlyings, update, call)
            case Resolve(symbol=symbol, accounts=accounts):
                return _single(_call(self._manifest.market(symbol).clearing_house, self._resolve, accounts))
            case Finalize(symbol=symbol):
                return _single(_call(self._manifest.market(symbol).clearing_house, self._finalize))

    def judge(self, action: Action, returned: bytes) -> Verdict:
        """What the simulation of `action`, which returned this, says about sending it. Raises `Garbled`."""
        if isinstance(action, Checkpoint | Fulfil) and action.update is not None:
            results = self._multicall.results(returned)
            failed = [result.reason for result in results if not result.success]
            if failed:
                return Verdict(refused=failed[0])
            returned = results[-1].returned
        if isinstance(action, Liquidate):
            return Verdict(idle=not any(self._liquidate.decode(returned)))
        if isinstance(action, Sample):
            return Verdict(idle=self._sample.decode(returned) == 0)
        if isinstance(action, Fulfil):
            return Verdict(idle=not any(self._fulfil.decode(returned)))
        return Verdict()

    def _store(self, ids: Sequence[int], update: Update) -> Call:
        return _call(self._manifest.oracle, self._update, ids, update.blobs, value=update.fee)

    def _priced(self, ids: Sequence[int], update: Update | None, call: Call) -> Plan:
        """A call that does not bring prices itself, after they were stored."""
        if update is None:
            return _single(call)
        calls = [self._store(ids, update), call]
        return Plan(
            send=self._multicall.call(calls, may_fail=False), simulate=self._multicall.call(calls, may_fail=True)
        )


def _single(call: Call) -> Plan:
    return Plan(send=call, simulate=call)


def _call(to: str, function: Function, *arguments: Any, value: int = 0) -> Call:
    return Call(to, function.encode(*arguments), value)
