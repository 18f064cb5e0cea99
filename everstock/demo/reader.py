"""The state of all markets in one request, at the latest stored prices and all at the same block: through the lens."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from eth_abi import decode
from eth_utils.abi import get_abi_output_types
from web3 import Web3
from web3.contract.contract import ContractFunction

from everstock.chain.manifest import Manifest
from everstock.chain.transactions import Reverted, reason_of
from everstock.model import words

# Accounts in one call of the lens.
BATCH: Final = 100


@dataclass(frozen=True)
class Account:
    """An account at the latest prices, raw units. `legs` are signed units by series."""

    cash: int
    claim: int
    gain: int
    equity: int
    initial: int
    is_liquidatable: bool
    legs: Mapping[int, int]


@dataclass(frozen=True)
class Reading:
    """One market. `market` and `series` are the lens's structs; supplies are those of the pools' shares, `tokens` what
    the clearing house holds, all raw units."""

    market: SimpleNamespace
    series: Sequence[SimpleNamespace]
    accounts: Mapping[int, Account]
    main_supply: int
    insurance_supply: int
    tokens: int


class Reader:
    """Reads markets of one deployment."""

    def __init__(self, w3: Web3, manifest: Manifest) -> None:
        self._w3 = w3
        self._lens = manifest.lens_contract(w3)
        self._contracts = {
            market.symbol: {
                role: market.contract(w3, role) for role in ("vault", "clearing_house", "main_pool", "insurance_pool")
            }
            for market in manifest.markets
        }

    def many(self, functions: Iterable[ContractFunction], block: int) -> list[Any]:
        """What all of `functions` return at one block, structs as namespaces. Raises `Reverted` if any reverts."""
        functions = list(functions)
        requests = [
            ("eth_call", [{"to": function.address, "data": function._encode_transaction_data()}, hex(block)])
            for function in functions
        ]
        answers = self._w3.provider.make_batch_request(requests)
        return [_decoded(function, answer) for function, answer in zip(functions, answers, strict=True)]

    def read(self, accounts: Mapping[str, Sequence[int]], *, legs: bool = True) -> dict[str, Reading]:
        """Every market as of the latest block with those accounts; without `legs` theirs stay empty."""
        wanted: list[ContractFunction] = []
        for symbol, contracts in self._contracts.items():
            house = contracts["clearing_house"]
            ids = accounts[symbol]
            wanted += [
                self._lens.functions.market(house.address),
                self._lens.functions.option_chain(house.address),
                contracts["main_pool"].functions.totalSupply(),
                contracts["insurance_pool"].functions.totalSupply(),
                contracts["vault"].functions.balanceOf(house.address),
            ]
            wanted += [
                self._lens.functions.health(house.address, ids[i : i + BATCH]) for i in range(0, len(ids), BATCH)
            ]
            wanted += [house.functions.account(id_) for id_ in ids] if legs else []
        answers = iter(self.many(wanted, self._w3.eth.block_number))
        readings = {}
        for symbol in self._contracts:
            ids = accounts[symbol]
            market, chain, main_supply, insurance_supply, tokens = (next(answers) for _ in range(5))
            health = [one for _ in range(0, len(ids), BATCH) for one in next(answers)]
            stored = [next(answers) for _ in ids] if legs else [None] * len(ids)
            readings[symbol] = Reading(
                market=market,
                series=chain.series,
                accounts={id_: _account(h, s) for id_, h, s in zip(ids, health, stored, strict=True)},
                main_supply=main_supply,
                insurance_supply=insurance_supply,
                tokens=tokens,
            )
        return readings


def unpacked(stored: Iterable[int]) -> dict[int, int]:
    """Signed units by series of packed legs."""
    return {leg.series: leg.units for leg in words.legs(stored)}


def account_of(address: str) -> int:
    """An owner's account 0 at a clearing house."""
    return int(address, 16) << 96


def _account(health: SimpleNamespace, stored: SimpleNamespace | None) -> Account:
    return Account(
        cash=health.cash,
        claim=health.claim,
        gain=health.gain,
        equity=health.equity,
        initial=health.initial,
        is_liquidatable=health.is_liquidatable,
        legs={} if stored is None else unpacked(stored.legs),
    )


def _decoded(function: ContractFunction, answer: Mapping[str, Any]) -> Any:
    if "error" in answer:
        data = answer["error"].get("data") or "0x"
        raise Reverted(f"{function.fn_name}: {reason_of(bytes.fromhex(data[2:]))}")
    outputs = function.abi["outputs"]
    values = decode(get_abi_output_types(function.abi), bytes.fromhex(answer["result"][2:]))
    named = [_named(output, value) for output, value in zip(outputs, values, strict=True)]
    return named[0] if len(named) == 1 else named


def _named(component: Mapping[str, Any], value: Any) -> Any:
    kind = component["type"]
    if kind.endswith("]"):
        element = {**component, "type": kind[: kind.rindex("[")]}
        return [_named(element, item) for item in value]
    if kind == "tuple":
        parts = zip(component["components"], value, strict=True)
        return SimpleNamespace(**{part["name"]: _named(part, item) for part, item in parts})
    return value
