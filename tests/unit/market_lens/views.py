"""The lens pointed at one market, and what the market itself has stored, decoded without the contracts' modules."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import boa
from boa import BoaError
from boa.contracts.vyper.vyper_contract import VyperContract

from everstock.chain.in_process import Protocol, account_of, unpack_legs
from everstock.chain.transactions import reason_of

WAD: Final = 10**18
GAIN: Final = 10**24


@dataclass
class Lens:
    """The lens, for accounts 0 by their owners."""

    contract: VyperContract
    protocol: Protocol

    @property
    def house(self) -> str:
        return str(self.protocol.clearing_house.address)

    def health(self, *traders: str) -> list[Any]:
        return self.contract.health(self.house, [account_of(trader) for trader in traders])

    def of(self, trader: str) -> Any:
        return self.health(trader)[0]

    def legs(self, trader: str) -> list[Any]:
        return self.contract.legs(self.house, account_of(trader))

    def chain(self) -> Any:
        return self.contract.option_chain(self.house)

    def series(self, id_: int) -> Any:
        (one,) = [series for series in self.chain().series if series.id == id_]
        return one

    def price_status(self) -> Any:
        return self.contract.price_status(self.house)

    def market(self) -> Any:
        return self.contract.market(self.house)


def signed(bits: int, width: int) -> int:
    """The low `width` bits as a two's complement number."""
    bits %= 2**width
    return bits - 2**width if bits >> (width - 1) else bits


def stored_series(protocol: Protocol, id_: int) -> dict[str, Any]:
    """A series as its three words have it."""
    price, gain, size = protocol.risk_book.series_words(id_)
    return {
        "strike": price % 2**56,
        "is_put": bool(price >> 56 & 1),
        "underlying": price >> 57 & 1,
        "time": price >> 64 & 2**32 - 1,
        "price": price >> 96 & 2**64 - 1,
        "long_rate": signed(price >> 160, 48),
        "short_rate": signed(price >> 208, 48),
        "long_gain": signed(gain, 128),
        "short_gain": signed(gain >> 128, 128),
        "long_units": size % 2**112,
        "short_units": size >> 112 & 2**112 - 1,
        "notice": size >> 224,
    }


def exact_gain(protocol: Protocol, trader: str) -> Fraction:
    """What an account's legs have gained as of each series' last touch, raw units of M."""
    total = 0
    for id_, units, entry in unpack_legs(protocol.account(trader).legs):
        series = stored_series(protocol, id_)
        total += abs(units) * (series["long_gain" if units > 0 else "short_gain"] - entry)
    return Fraction(total, GAIN)


def state_slot(protocol: Protocol) -> int:
    """Where RiskBook keeps the state that a checkpoint leaves behind."""
    return protocol.risk_book.compiler_data.storage_layout["storage_layout"]["checkpoints"]["state"]["slot"]


def rescale(protocol: Protocol, part: Fraction) -> None:
    """Touch every series, then scale the book as deleveraging does: only D changes."""
    protocol.clearing_house.checkpoint()
    address, slot = protocol.risk_book.address, state_slot(protocol)
    word = boa.env.get_storage(address, slot)
    scale = word % 2**60
    boa.env.set_storage(address, slot, word - scale + int(scale * part))


def reason(error: BoaError) -> str:
    """What a call reverted with."""
    return reason_of(error.stack_trace.last_frame.vm_error.args[0])
