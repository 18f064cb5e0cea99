"""What a person sees while the replay runs: a live view on a terminal, lines elsewhere."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from everstock.demo.chronicle import Block, Event
from everstock.demo.history import Point
from everstock.demo.stage import TOKEN
from everstock.demo.summary import share_price

RECENT: Final = 8
# A plain log says how things stand so many times.
PLAIN_LINES: Final = 40
# Columns of the live view at most.
WIDTH: Final = 110


@dataclass
class Tally:
    """What has happened so far, counted by market and event; told every block. `name` finds a trader's name."""

    name: Callable[[str, int], str]
    offset: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    blocks: int = 0
    transactions: int = 0
    recent: deque[tuple[int, str, str]] = field(default_factory=lambda: deque(maxlen=RECENT))

    def take(self, block: Block) -> None:
        """Count a block and keep the lines worth showing: (time, style, text)."""
        self.blocks += 1
        self.transactions += len(block.receipts)
        for event in block.events:
            self.counts[event.market, event.name] += 1
            found = self._line(event)
            if found:
                self.recent.append((event.time - self.offset, *found))

    def of(self, market: str, name: str) -> int:
        """How often an event happened in a market."""
        return self.counts[market, name]

    def _line(self, event: Event) -> tuple[str, str] | None:
        args = event.args
        match event.name:
            case "Liquidated":
                part = "liquidated" if args["fraction"] == TOKEN else f"liquidated by {args['fraction'] / TOKEN:.0%}"
                who = self.name(event.market, args["account"])
                return "bold red", f"{event.market}  {who} {part}, penalty {args['penalty'] / TOKEN:,.1f}"
            case "BadDebt":
                return "bold red", f"{event.market}  bad debt of {args['loss'] / TOKEN:,.2f}"
            case "Executed":
                who = self.name(event.market, args["account"])
                return "green", f"{event.market}  {who}: order for a total of {args['total'] / TOKEN:,.1f}"
            case "Cancelled":
                who = self.name(event.market, args["account"])
                return "yellow", f"{event.market}  {who}: order cancelled, {args['reason']}"
            case "RedemptionQueued" | "RedemptionExecuted":
                return "cyan", f"{event.market}  {event.name} of {args['assets'] / TOKEN:,.0f}"
        return None


class View(Protocol):
    """Somewhere to show a run."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, line: str) -> None:
        """A step, or something to know."""

    def show(self, point: Point, tally: Tally, done: float) -> None:
        """How things stand, `done` of it (0 to 1) being behind."""


class PlainView:
    """Lines, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._shown = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def say(self, line: str) -> None:
        self._console.print(f"{time.monotonic() - self._started:6.1f} s  {line}", highlight=False, soft_wrap=True)

    def show(self, point: Point, tally: Tally, done: float) -> None:
        step = int(done * PLAIN_LINES)
        if step == self._shown:
            return
        self._shown = step
        prices = "  ".join(f"{name} {price / 10**8:,.0f}" for name, price in point.prices.items())
        markets = "  ".join(
            f"{symbol}: equity {market.equity / TOKEN:,.0f}, open {market.interest / TOKEN:,.0f}, "
            f"insurance {market.insurance / TOKEN:,.0f}, {tally.of(symbol, 'Liquidated')} liquidations, "
            f"{tally.of(symbol, 'Executed')} orders"
            for symbol, market in point.markets.items()
        )
        self.say(f"{done:4.0%}  {_clock(point.time)}  {prices}  {markets}")


class LiveView:
    """A view that redraws itself in place."""

    def __init__(self, console: Console) -> None:
        self._started = time.monotonic()
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._last: tuple[Point, Tally, float] | None = None
        self._step = ""

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        self._step = line
        self._draw()

    def show(self, point: Point, tally: Tally, done: float) -> None:
        self._last = (point, tally, done)
        self._draw()

    def _draw(self) -> None:
        if self._last is None:
            self._live.update(Text(f" {self._step} ...", style="dim"))
        else:
            self._live.update(screen(*self._last, time.monotonic() - self._started, self._step))


def screen(point: Point, tally: Tally, done: float, elapsed: float, step: str = "") -> RenderableType:
    """The live view's content."""
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    prices = Text()
    for name, price in point.prices.items():
        prices.append(f"{name} ", style="dim")
        prices.append(f"{price / 10**8:,.2f}   ", style="bold")
    head.add_row(prices, Text(f"{_clock(point.time)} UTC", style="bold"))
    bar = Table.grid(expand=True)
    bar.add_column(ratio=1)
    bar.add_column(justify="right", width=34)
    said = f"{done:4.0%}  {elapsed:,.0f} s  {tally.blocks:,} blocks"
    bar.add_row(ProgressBar(total=1.0, completed=done), Text(said, style="dim"))

    table = Table(expand=True, box=None, pad_edge=False, header_style="dim")
    table.add_column("market")
    names = ("equity", "share", "required", "bought", "written", "insurance", "orders", "cancelled")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("liquidated", justify="right")
    for symbol, market in point.markets.items():
        liquidations = tally.of(symbol, "Liquidated")
        table.add_row(
            Text(symbol, style="bold"),
            f"{market.equity / TOKEN:,.0f}",
            f"{share_price(market.equity, market.main_supply):.4f}",
            f"{market.requirement / TOKEN:,.0f}",
            f"{market.bought / TOKEN:,.0f}",
            f"{market.written / TOKEN:,.0f}",
            f"{market.insurance / TOKEN:,.1f}",
            f"{tally.of(symbol, 'Executed'):,}",
            f"{tally.of(symbol, 'Cancelled'):,}",
            Text(f"{liquidations:,}", style="bold red" if liquidations else ""),
        )
    lines = [
        Text.assemble((f"{_clock(when)[5:]}  ", "dim"), (text, style)) for when, style, text in reversed(tally.recent)
    ]
    lines += [Text("")] * (RECENT - len(lines))
    parts: list[RenderableType] = [head, bar, Text(""), table, Text(""), *lines]
    if step:
        parts.append(Text(step, style="dim"))
    return Constrain(Panel(Group(*parts), title="Everstock", border_style="blue"), WIDTH)


def _clock(time_: int) -> str:
    return datetime.fromtimestamp(time_, UTC).strftime("%Y-%m-%d %H:%M")
