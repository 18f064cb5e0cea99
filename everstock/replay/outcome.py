"""What came of a replay: counted from the market's events, and checked against its ledgers.

Amounts are raw units of M unless a name says otherwise, times Unix seconds of the episode, D a fraction of 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import Any, Final

from everstock.demo.summary import settle_windows
from everstock.model.constants import WAD
from everstock.replay.books import Book
from everstock.replay.market import Event, Market, Reading


class Layer(IntEnum):
    """Of the waterfall, as `LayerDrawn` numbers them."""

    OWN_MARGIN = 1
    INSURANCE = 2
    MAIN = 3
    INSURANCE_AGAIN = 4
    PROFITS = 5


@dataclass(frozen=True)
class Settings:
    """What a replay begins with: whole tokens in the pools, and the part of their capacity that the book uses.

    The keeper looks at most every `pause` seconds.
    """

    book: Book
    seed: int = 1
    main: float = 10_000
    insurance: float = 1_000
    load: float = 0.9
    pause: int = 0


@dataclass(frozen=True)
class Deleveraging:
    """A checkpoint that scaled the book from D `before` to `after`."""

    time: int
    before: float
    after: float


@dataclass(frozen=True)
class Draw:
    """One layer of the waterfall paid `amount` for the loss of `account` ("" in settlement) and had `left`."""

    time: int
    layer: Layer
    account: str
    amount: int
    left: int


@dataclass(frozen=True)
class Span:
    """An amount when the replay began, its lowest, and at the end."""

    start: int
    lowest: int
    end: int


@dataclass(frozen=True)
class Settlement:
    """A terminal settlement: every claim was paid h = paid / claims of itself. `finished` is None if it did not end."""

    began: int
    finished: int | None
    claims: int
    paid: int

    @property
    def h(self) -> float | None:
        """None while it is not known."""
        if self.finished is None:
            return None
        return self.paid / self.claims if self.claims else 1.0


@dataclass(frozen=True)
class Outcome:
    """A finished replay. `problems` says whatever does not add up, which is nothing."""

    name: str
    title: str
    source: str
    settings: Settings
    start: int
    end: int
    ticks: int
    looks: int
    wall_seconds: float
    cpu_seconds: float
    accounts: int
    liquidations_full: int
    liquidations_partial: int
    accounts_liquidated: int
    bankrupt: int
    bad_debt: int
    bad_debt_insured: int
    checkpoints: int
    windows: Sequence[tuple[int, int]]
    deleveragings: Sequence[Deleveraging]
    draws: Sequence[Draw]
    main: Span
    insurance: Span
    settlement: Settlement | None
    conservation_error: int
    overlooked: int
    problems: Sequence[str]
    readings: Sequence[Reading]
    hits: Sequence[Event]

    @property
    def liquidations(self) -> int:
        return self.liquidations_full + self.liquidations_partial

    @property
    def speed(self) -> float:
        """Multiple of real time, from the first tick to the last, by the clock on the wall."""
        return (self.end - self.start) / self.wall_seconds

    @property
    def speed_of_core(self) -> float:
        """The same by processor time: what it is where nothing else runs on that core."""
        return (self.end - self.start) / self.cpu_seconds

    @property
    def lowest_scale(self) -> float:
        return min((one.after for one in self.deleveragings), default=1.0)

    @property
    def h(self) -> float | None:
        return self.settlement.h if self.settlement else None

    def drawn(self, layer: Layer) -> int:
        """All that a layer paid."""
        return sum(draw.amount for draw in self.draws if draw.layer is layer)

    def as_json(self) -> dict[str, Any]:
        """Everything but the course of it, as plain values. Amounts are raw units; `settings` are whole tokens."""
        data = {name: value for name, value in vars(self).items() if name not in _NOT_JSON}
        data |= {name: asdict(data[name]) for name in ("settings", "main", "insurance")}
        data |= {
            "liquidations": self.liquidations,
            "settle_windows": [list(window) for window in self.windows],
            "deleveragings": [asdict(one) for one in self.deleveragings],
            "lowest_scale": self.lowest_scale,
            "draws": [asdict(draw) | {"layer": draw.layer.name.lower()} for draw in self.draws],
            "drawn": {layer.name.lower(): self.drawn(layer) for layer in Layer},
            "settlement": asdict(self.settlement) if self.settlement else None,
            "h": self.h,
            "speed": self.speed,
            "speed_of_core": self.speed_of_core,
            "problems": list(self.problems),
        }
        return data


_NOT_JSON: Final = ("windows", "readings", "hits")


def counted(
    market: Market,
    settings: Settings,
    *,
    name: str,
    title: str,
    source: str,
    ticks: int,
    looks: int,
    overlooked: int,
    wall_seconds: float,
    cpu_seconds: float,
) -> Outcome:
    """The outcome of a market that a replay is done with. Pays the claims of one that was settled, to see at what h."""
    market.reconcile()
    settlement = _settlement(market.events)
    problems = []
    if settlement and settlement.finished is not None:
        claims, wrong = market.pay_claims()
        if wrong:
            problems.append(f"{wrong} of {claims} claims were paid other than floor(claim * paid / claims)")
        market.reconcile()
    first, last = market.readings[0], market.readings[-1]
    draws = _draws(market)
    problems += _problems(market, draws, settlement)
    liquidated = _named(market.events, "Liquidated")
    full = sum(event.args["fraction"] == WAD for event in liquidated)
    checkpoints = _named(market.events, "Checkpoint")
    dated = [replace(one, args={"window_end": one.args["window_end"] - market.shift}) for one in checkpoints]
    bad = _named(market.events, "BadDebt")
    return Outcome(
        name=name,
        title=title,
        source=source,
        settings=settings,
        start=first.time,
        end=last.time,
        ticks=ticks,
        looks=looks,
        wall_seconds=wall_seconds,
        cpu_seconds=cpu_seconds,
        accounts=len(market.holders),
        liquidations_full=full,
        liquidations_partial=len(liquidated) - full,
        accounts_liquidated=len({event.args["account"] for event in liquidated}),
        bankrupt=len({event.args["account"] for event in bad}),
        bad_debt=sum(event.args["loss"] for event in bad),
        bad_debt_insured=sum(event.args["insured"] for event in bad),
        checkpoints=len(checkpoints),
        windows=settle_windows(dated),
        deleveragings=_deleveragings(market.events),
        draws=draws,
        main=_span([reading.equity for reading in market.readings]),
        insurance=_span([reading.insurance for reading in market.readings], _left(draws)),
        settlement=settlement,
        conservation_error=market.conservation_error,
        overlooked=overlooked,
        problems=problems,
        readings=tuple(market.readings),
        hits=tuple(liquidated),
    )


def insurance_after(start: int, events: Sequence[Event]) -> tuple[int, list[str]]:
    """The insurance ledger that events leave of `start`, and what they say of it that is not so.

    What a settlement's end leaves is its own event's word: it depends on the main pool.
    """
    fund, wrong = start, []
    for event in events:
        args = event.args
        match event.name:
            case "Swept":
                fund += args["insurance"]
            case "Liquidated":
                fund += args["penalty"] - args["reward"]
            case "ToppedUp":
                fund += args["amount"]
            case "LayerDrawn" if args["layer"] in (Layer.INSURANCE, Layer.INSURANCE_AGAIN):
                fund -= args["amount"]
                if fund != args["left"]:
                    wrong.append(f"insurance has {fund} raw units after a draw, its event says {args['left']}")
            case "SettlementBegan" if fund != args["insurance"]:
                wrong.append(f"settlement began with {args['insurance']} raw units of insurance, events make it {fund}")
            case "SettlementFinished":
                fund = args["insurance"]
    return fund, wrong


def _problems(market: Market, draws: Sequence[Draw], settlement: Settlement | None) -> list[str]:
    found = []
    if market.conservation_error:
        found.append(f"conservation fails: tokens held and ledgers differ by {market.conservation_error} raw units")
    fund, wrong = insurance_after(market.readings[0].insurance, market.events)
    found += wrong
    if fund != market.readings[-1].insurance:
        found.append(f"insurance holds {market.readings[-1].insurance} raw units, its events leave {fund}")
    bad = _named(market.events, "BadDebt")
    lost, insured = sum(one.args["loss"] for one in bad), sum(one.args["insured"] for one in bad)
    drawn = {layer: sum(draw.amount for draw in draws if draw.layer is layer) for layer in Layer}
    if insured != drawn[Layer.INSURANCE] or lost != drawn[Layer.INSURANCE] + drawn[Layer.MAIN]:
        found.append(
            f"bad debt of {lost} raw units, {insured} of it insured, is not what the layers paid: "
            f"{drawn[Layer.INSURANCE]} and {drawn[Layer.MAIN]}"
        )
    if settlement and settlement.finished is not None and drawn[Layer.PROFITS] != settlement.claims - settlement.paid:
        found.append(f"claims were cut by {settlement.claims - settlement.paid}, the layer says {drawn[Layer.PROFITS]}")
    return found


def _draws(market: Market) -> list[Draw]:
    return [
        Draw(
            time=event.time,
            layer=Layer(event.args["layer"]),
            account=market.holders[event.args["account"]].name if event.args["account"] else "",
            amount=event.args["amount"],
            left=event.args["left"],
        )
        for event in _named(market.events, "LayerDrawn")
    ]


def _deleveragings(events: Sequence[Event]) -> list[Deleveraging]:
    found = _named(events, "Deleveraged")
    return [Deleveraging(event.time, event.args["before"] / WAD, event.args["scale"] / WAD) for event in found]


def _settlement(events: Sequence[Event]) -> Settlement | None:
    began, finished = _named(events, "SettlementBegan"), _named(events, "SettlementFinished")
    if not began:
        return None
    if not finished:
        return Settlement(began[0].time, None, 0, 0)
    return Settlement(began[0].time, finished[0].time, finished[0].args["claims"], finished[0].args["paid"])


def _left(draws: Sequence[Draw]) -> list[int]:
    """What insurance had after each draw."""
    return [draw.left for draw in draws if draw.layer in (Layer.INSURANCE, Layer.INSURANCE_AGAIN)]


def _span(amounts: Sequence[int], between: Sequence[int] = ()) -> Span:
    return Span(amounts[0], min(*amounts, *between), amounts[-1])


def _named(events: Sequence[Event], name: str) -> list[Event]:
    return [event for event in events if event.name == name]


def table_row(outcome: Outcome, unit: int) -> Mapping[str, str]:
    """The outcome in a line of a table, by heading; amounts in whole tokens."""

    def span(one: Span) -> str:
        return " → ".join(f"{amount / unit:,.0f}" for amount in (one.start, one.lowest, one.end))

    return {
        "episode": outcome.title,
        "book": str(outcome.settings.book),
        "liquidations": f"{outcome.liquidations} ({outcome.liquidations_full} full)",
        "bad debt": f"{outcome.bad_debt / unit:,.1f}",
        "checkpoints": f"{outcome.checkpoints}",
        "windows": f"{len(outcome.windows)}",
        "deleveragings": f"{len(outcome.deleveragings)}",
        "lowest D": f"{outcome.lowest_scale:.3f}",
        "insurance": span(outcome.insurance),
        "main": span(outcome.main),
        "h": "-" if outcome.h is None else f"{outcome.h:.4f}",
        "conservation error": f"{outcome.conservation_error}",
        "speed": f"{outcome.speed_of_core:,.0f}x",
    }
