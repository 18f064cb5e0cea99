"""One market's money, exact, from its events alone: premium, fees, what the pool won, where insurance came from.

Premium is what an account's gains differ from its options' change in value. Between two of its actions a leg of u
units (+ bought, - written) gains u (v1 - v0) less the premium it paid or plus what it received; v are the marks at
the prices in force at both. Every action realises all legs and logs the net gain, every price is an event, and legs
follow from events, so

    net premium paid by traders = sum of u (v1 - v0) - sum of gains

over all accounts and all stretches between actions, the last one up to now. It is exact but for gains, each of which
is one floor, and the gain index, whose every touch is another. Marks are the lens's, which are the contracts' own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from everstock.demo.chronicle import ORACLE, Event

WAD: Final = 10**18
# Moneyness is clamped to these, as a touch does.
MIN_MONEYNESS: Final = 10**14
MAX_MONEYNESS: Final = 10**22

# (moneyness, sharpness, is_call) of every mark wanted, to marks, wads.
FetchMarks = Callable[[Sequence[tuple[int, int, bool]]], Sequence[int]]


class StatementError(RuntimeError):
    """Events from which no statement can be made."""


@dataclass(frozen=True)
class Series:
    """A series as it was listed. `underlying` is 0 or 1, `strike` USD with 8 decimals."""

    underlying: int
    strike: int
    is_put: bool


@dataclass
class Statement:
    """Sums over all events of a market, raw units. `gains` are those that accounts realised, `price_result` what their
    options rose in value, `open_gains` the gains of legs that are still open."""

    gains: int = 0
    open_gains: int = 0
    price_result: int = 0
    fees: int = 0
    impact: int = 0
    difference: int = 0
    penalties: int = 0
    rewards: int = 0
    bad_debt: int = 0
    insured: int = 0
    swept_insurance: int = 0
    swept_treasury: int = 0
    main_deposited: int = 0
    main_withdrawn: int = 0
    insurance_deposited: int = 0
    insurance_withdrawn: int = 0
    legs: Mapping[int, Mapping[int, int]] = field(default_factory=dict)

    @property
    def premium(self) -> int:
        """What longs paid less what shorts received."""
        return self.price_result - self.gains - self.open_gains

    @property
    def swept(self) -> int:
        """What insurance and treasury got out of main."""
        return self.swept_insurance + self.swept_treasury

    @property
    def insurance(self) -> int:
        """What the insurance ledger must be."""
        income = self.insurance_deposited + self.swept_insurance + self.penalties - self.rewards
        return income - self.insured - self.insurance_withdrawn

    def main_equity(self, accrued: int) -> int:
        """What E must be, but for rounding, if `accrued` is still owed to insurance and treasury."""
        income = self.premium - self.price_result + self.fees + self.impact + self.difference
        lost = self.bad_debt - self.insured + self.swept + accrued
        return self.main_deposited - self.main_withdrawn + income - lost


@dataclass
class _Book:
    """Legs of all accounts of one market, and what they were worth when last realised, by moneyness."""

    underlyings: Sequence[int]  # oracle ids
    prices: dict[int, int] = field(default_factory=dict)  # by oracle id
    series: dict[int, Series] = field(default_factory=dict)
    frozen: dict[int, int] = field(default_factory=dict)  # price of a retired series
    legs: dict[int, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    entries: dict[tuple[int, int], int] = field(default_factory=dict)  # moneyness by account and series
    # (series, moneyness then, moneyness now) -> units
    stretches: dict[tuple[int, int, int], int] = field(default_factory=lambda: defaultdict(int))

    def moneyness(self, id_: int) -> int:
        series = self.series[id_]
        price = self.frozen.get(id_) or self.prices[self.underlyings[series.underlying]]
        return min(max(price * WAD // series.strike, MIN_MONEYNESS), MAX_MONEYNESS)

    def realise(self, account: int) -> None:
        """Every leg of an account from its last moneyness to the present one; retired ones are gone then."""
        for id_, units in self.legs[account].items():
            now = self.moneyness(id_)
            self.stretches[id_, self.entries[account, id_], now] += units
            self.entries[account, id_] = now
        self.legs[account] = {id_: units for id_, units in self.legs[account].items() if id_ not in self.frozen}

    def hold(self, account: int, legs: Mapping[int, int]) -> None:
        """Set an account's legs at the present prices."""
        self.legs[account] = {id_: units for id_, units in legs.items() if units}
        for id_ in self.legs[account]:
            self.entries[account, id_] = self.moneyness(id_)


def statement(
    events: Iterable[Event],
    *,
    market: str,
    underlyings: Sequence[int],
    sharpness: Sequence[int],
    pools: Mapping[str, str],
    scale: int,
    open_gains: int,
    unpack: Callable[[Iterable[int]], Mapping[int, int]],
    marks: FetchMarks,
) -> Statement:
    """The statement of `market` over all `events` (of all markets and the oracle, in order, from the deployment on).

    `underlyings` are its ids at the oracle, `pools` "main" and "insurance" by address, `scale` its D;
    `open_gains` the sum of the accounts' unrealised gains now; `unpack` turns packed legs into units by series. Raises
    `StatementError` for a market whose book was scaled.
    """
    if scale != WAD:
        raise StatementError(f"the book of {market} was scaled, to {scale}: units are no longer faces")
    book = _Book(underlyings)
    sums = Statement(open_gains=open_gains)
    for event in events:
        if event.role == ORACLE and event.name == "PriceStored":
            book.prices[event.args["underlying"]] = event.args["price"]
        elif event.market == market:
            _take(event, book, sums, pools, unpack)
    for account in list(book.legs):
        book.realise(account)
    sums.price_result = _price_result(book, sharpness, marks)
    sums.legs = {account: legs for account, legs in book.legs.items() if legs}
    return sums


def _take(
    event: Event,
    book: _Book,
    sums: Statement,
    pools: Mapping[str, str],
    unpack: Callable[[Iterable[int]], Mapping[int, int]],
) -> None:
    args = event.args
    match event.name:
        case "SeriesListed":
            book.series[args["series"]] = Series(args["underlying"], args["strike"], args["is_put"])
        case "Retired":
            book.frozen[args["series"]] = args["price"]
        case "Settled":
            book.realise(args["account"])
            sums.gains += args["gain"]
        case "Traded":
            book.realise(args["account"])
            book.hold(args["account"], unpack(args["legs"]))
            sums.gains += args["gain"]
            sums.fees += args["fee"]
            sums.impact += args["impact"]
            sums.difference += args["difference"]
        case "Liquidated":
            book.realise(args["account"])
            kept = WAD - args["fraction"]
            book.hold(args["account"], {id_: _part(u, kept) for id_, u in book.legs[args["account"]].items()})
            sums.gains += args["gain"]
            sums.penalties += args["penalty"]
            sums.rewards += args["reward"]
        case "BadDebt":
            sums.bad_debt += args["loss"]
            sums.insured += args["insured"]
        case "Swept":
            sums.swept_insurance += args["insurance"]
            sums.swept_treasury += args["treasury"]
        case "PoolDeposited" | "PoolWithdrawn":
            flow = f"{pools[args['pool']]}_{event.name.removeprefix('Pool').lower()}"
            setattr(sums, flow, getattr(sums, flow) + args["amount"])


def _price_result(book: _Book, sharpness: Sequence[int], marks: FetchMarks) -> int:
    """Sum of units times change of mark, raw units, rounded down."""
    wanted: dict[tuple[int, int, bool], int] = {}

    def key(id_: int, moneyness: int) -> tuple[int, int, bool]:
        series = book.series[id_]
        return moneyness, sharpness[series.underlying], not series.is_put

    for id_, then, now in book.stretches:
        wanted[key(id_, then)] = wanted[key(id_, now)] = 0
    for mark, found in zip(wanted, marks(list(wanted)), strict=True):
        wanted[mark] = found
    total = sum(
        units * (wanted[key(id_, now)] - wanted[key(id_, then)]) for (id_, then, now), units in book.stretches.items()
    )
    return total // WAD


def _part(units: int, kept: int) -> int:
    """What a liquidation that keeps `kept` (a wad) leaves of a leg: truncated."""
    size = abs(units) * kept // WAD
    return size if units > 0 else -size
