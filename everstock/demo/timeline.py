"""What happened, in order, in sentences."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from everstock.demo.cast import Profile
from everstock.demo.chronicle import Chronicle, Event
from everstock.demo.history import History
from everstock.demo.stage import TOKEN, Stage
from everstock.demo.summary import settle_windows
from everstock.replay.ticks import DECIMALS

# Liquidations that follow each other within so many seconds are told together.
TOGETHER: Final = 1_800
# Each further part of an index's first price that it falls or rises through is told.
STEP: Final = 0.10


@dataclass(frozen=True)
class Entry:
    """Something that happened at `time` (the episode's clock). `mark` is what kind of thing, for its color."""

    time: int
    text: str
    mark: str = "plain"

    @property
    def clock(self) -> str:
        return datetime.fromtimestamp(self.time, UTC).strftime("%d %b %H:%M")


def timeline(stage: Stage, history: History) -> list[Entry]:
    """All that is worth telling, in order of time."""
    offset, chronicle = stage.offset, stage.chronicle
    entries = [
        Entry(history.points[0].time, _beginning(history)),
        *_steps(history),
        *_windows(chronicle, offset),
        *_liquidations(chronicle, history.traders, offset),
        *_bad_debts(chronicle, history.traders, offset),
        *_leaving(chronicle, offset),
        Entry(history.points[-2].time, _end(history, stage), "plain"),
    ]
    return sorted(entries, key=lambda entry: entry.time)


def moves(history: History) -> str:
    """How far each index went from its first price at most, in a sentence."""
    first = history.points[0].prices
    told = []
    for name, start in first.items():
        prices = [point.prices[name] for point in history.points]
        fall, rise = 1 - min(prices) / start, max(prices) / start - 1
        told.append(f"{name} fell by {fall:.0%}" if fall >= rise else f"{name} rose by {rise:.0%}")
    hours = (history.points[-2].time - history.points[0].time) / 3_600
    return f"Within {hours:.0f} hours {' and '.join(told)} at most."


def tokens(amount: int, places: int = 0) -> str:
    """Raw units as whole tokens, for people."""
    return f"{amount / TOKEN:,.{places}f}"


def dollars(price: int) -> str:
    """A price of 8 decimals, for people."""
    usd = price / 10**DECIMALS
    return f"{usd:,.0f}" if usd >= 1_000 else f"{usd:,.2f}"


def _beginning(history: History) -> str:
    point = history.points[0]
    prices = " and ".join(f"{name} at {dollars(price)}" for name, price in point.prices.items())
    pools = " and ".join(f"{tokens(market.equity)} {symbol}" for symbol, market in point.markets.items())
    traders = sum(map(len, history.traders.values()))
    return (
        f"The replay begins, with {prices} dollars. {traders} traders have paid in margin; the main pools hold {pools}."
    )


def _steps(history: History) -> Iterator[Entry]:
    """Each further tenth of its first price that an index falls or rises by, and its lowest or highest price."""
    first = history.points[0].prices
    for name, start in first.items():
        prices = [(point.time, point.prices[name]) for point in history.points[:-1]]
        low, high = min(price for _, price in prices), max(price for _, price in prices)
        for down, extreme in ((True, low), (False, high)):
            if abs(extreme / start - 1) < STEP:
                continue
            reached = 0
            sign = "\N{MINUS SIGN}" if down else "+"
            for time, price in prices:
                move = 1 - price / start if down else price / start - 1
                steps = int(move / STEP)
                if price == extreme:
                    what = "lowest" if down else "highest"
                    yield Entry(time, f"{name} at its {what}: {dollars(price)} ({sign}{move:.0%}).", "price")
                    break
                if steps > reached:
                    reached = steps
                    verb = "falls below" if down else "rises above"
                    bound = round(start * (1 - reached * STEP if down else 1 + reached * STEP))
                    yield Entry(time, f"{name} {verb} {dollars(bound)} ({sign}{reached * STEP:.0%}).", "price")


def _windows(chronicle: Chronicle, offset: int) -> Iterator[Entry]:
    """Settle windows; those of several markets that open within a minute are told together."""
    by_start: dict[int, list[tuple[str, int]]] = {}
    for symbol in dict.fromkeys(event.market for event in chronicle.of("Checkpoint")):
        for start, end in settle_windows(chronicle.of("Checkpoint", market=symbol)):
            known = next((time for time in by_start if abs(time - start) < 60), start)
            by_start.setdefault(known, []).append((symbol, end))
    for number, (start, opened) in enumerate(sorted(by_start.items())):
        minutes = (max(end for _, end in opened) - start) / 60
        text = f"A settle window of {minutes:.0f} minutes opens in {' and '.join(symbol for symbol, _ in opened)}"
        # Said once.
        text += (
            "."
            if number
            else (
                ": an index is more than 10% from where it was ten minutes ago. No orders and no withdrawals; gains"
                " wait as claims until losers are found."
            )
        )
        yield Entry(start - offset, text, "window")


def _liquidations(chronicle: Chronicle, traders: Mapping[str, Mapping[int, Profile]], offset: int) -> Iterator[Entry]:
    for group in _together(chronicle.of("Liquidated")):
        by_market = Counter(event.market for event in group)
        kinds = Counter(
            traders[event.market][event.args["account"]].kind.value
            for event in group
            if event.args["account"] in traders[event.market]
        )
        penalties = {
            symbol: sum(event.args["penalty"] for event in group if event.market == symbol) for symbol in by_market
        }
        text = f"{len(group)} liquidation{'s' if len(group) > 1 else ''}, {_extent(group)}"
        if group[-1].time - group[0].time >= 60:
            text += f", until {datetime.fromtimestamp(group[-1].time - offset, UTC):%H:%M}"
        text += ": " + ", ".join(f"{kind} {number}" if len(group) > 1 else kind for kind, number in kinds.most_common())
        text += ". Penalties: " + " and ".join(f"{tokens(amount, 1)} {symbol}" for symbol, amount in penalties.items())
        yield Entry(group[0].time - offset, f"{text}.", "liquidation")


def _extent(group: Sequence[Event]) -> str:
    full = sum(event.args["fraction"] == TOKEN for event in group)
    if full in (0, len(group)):
        return "in full" if full else "in part"
    return f"{full} of them in full"


def _together(events: Iterable[Event]) -> Iterator[Sequence[Event]]:
    group: list[Event] = []
    for event in events:
        if group and event.time - group[-1].time > TOGETHER:
            yield group
            group = []
        group.append(event)
    if group:
        yield group


def _bad_debts(chronicle: Chronicle, traders: Mapping[str, Mapping[int, Profile]], offset: int) -> Iterator[Entry]:
    for event in chronicle.of("BadDebt"):
        profile = traders[event.market].get(event.args["account"])
        who = profile.name if profile else "an account"
        yield Entry(
            event.time - offset,
            f"{who} of {event.market} is bankrupt by {tokens(event.args['loss'], 2)}; insurance pays "
            f"{tokens(event.args['insured'], 2)} of it to the main pool.",
            "bad-debt",
        )


def _leaving(chronicle: Chronicle, offset: int) -> Iterator[Entry]:
    asked = list(chronicle.of("RedemptionQueued"))
    if asked:
        yield Entry(
            asked[0].time - offset,
            f"An LP of each main pool asks for a part of its shares back, worth {_worth(asked)}. That takes three "
            "days, and pays the lower of the share prices of then and now; until then it leaves less room for new "
            "risk.",
            "pool",
        )
    paid = list(chronicle.of("RedemptionExecuted"))
    if paid:
        yield Entry(
            paid[0].time - offset, f"The keeper redeems the LPs' shares: {_worth(paid)} leave the main pools.", "pool"
        )


def _worth(events: Sequence[Event]) -> str:
    return " and ".join(f"{tokens(event.args['assets'])} {event.market}" for event in events)


def _end(history: History, stage: Stage) -> str:
    left = sum(event.args["amount"] > 0 for event in stage.chronicle.of("Withdrawn"))
    prices = ", ".join(f"{name} {dollars(price)}" for name, price in history.points[-2].prices.items())
    return (
        f"The last prices: {prices}. Everybody closes at them, and {left} traders withdraw what they have; three "
        "days later the LPs who asked to leave do so."
    )
