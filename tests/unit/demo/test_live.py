"""What a person sees while it runs."""

import io

from rich.console import Console

from everstock.demo.cast import Kind
from everstock.demo.chronicle import Block, Event
from everstock.demo.history import MarketPoint, Point
from everstock.demo.live import PLAIN_LINES, RECENT, LiveView, PlainView, Tally, screen

TOKEN = 10**18
TIME = 1_584_000_000


def point():
    market = MarketPoint(
        4_321 * TOKEN,
        987 * TOKEN,
        0,
        55 * TOKEN,
        0,
        700 * TOKEN,
        300 * TOKEN,
        4_321 * TOKEN * 10**6,
        1,
        0,
        {Kind.BOTH: 1},
    )
    return Point(TIME, 7, {"BTC": 7_654_32000000, "ETH": 198_76000000}, {"TSLA.M": market})


def block(*events):
    told = tuple(
        Event(1, i, TIME + 100, "TSLA.M", "clearing_house", name, args) for i, (name, args) in enumerate(events)
    )
    return Block(1, TIME, {}, told)


def tally():
    return Tally(lambda market, account: {1: "put writer 8"}.get(account, "somebody"), offset=100)


def text_of(renderable):
    console = Console(file=io.StringIO(), width=140)
    console.print(renderable)
    return console.file.getvalue()


def test_screen__shows_prices_pools_and_what_happened():
    counted = tally()
    counted.take(block(("Liquidated", {"account": 1, "fraction": TOKEN // 4, "penalty": 12 * TOKEN})))
    counted.take(block(("Executed", {"account": 2, "total": -31 * TOKEN})))
    shown = text_of(screen(point(), counted, 0.43, 12.0, "an LP leaves"))
    for text in ("7,654.32", "198.76", "4,321", "987", "1.0000", "43%", "2020-03-12", "an LP leaves"):
        assert text in shown
    assert "put writer 8 liquidated by 25%, penalty 12.0" in shown
    assert "somebody: order for a total of -31.0" in shown


def test_tally__counts_all_and_keeps_the_last():
    counted = tally()
    for _ in range(3 * RECENT):
        counted.take(block(("Cancelled", {"account": 1, "reason": "trade: over limit"}), ("Transfer", {})))
    assert counted.of("TSLA.M", "Cancelled") == 3 * RECENT
    assert len(counted.recent) == RECENT
    assert counted.recent[0][0] == TIME


def test_plain_view__says_steps_and_so_many_lines():
    console = Console(file=io.StringIO(), width=200)
    with PlainView(console) as view:
        view.say("starting")
        for i in range(1_000):
            view.show(point(), tally(), i / 1_000)
    lines = console.file.getvalue().splitlines()
    assert "starting" in lines[0]
    assert len(lines) == 1 + PLAIN_LINES
    assert "TSLA.M: equity 4,321" in lines[1]


def test_live_view__leaves_nothing_behind():
    console = Console(file=io.StringIO(), width=140, force_terminal=True)
    with LiveView(console) as view:
        view.say("starting")
        view.show(point(), tally(), 0.5)
        view.say("closing")
    drawn = console.file.getvalue()
    assert "closing" in drawn
    # The cursor is shown again, on a cleared line.
    assert drawn.index("\x1b[?25h") < drawn.rindex("\x1b[2K")
