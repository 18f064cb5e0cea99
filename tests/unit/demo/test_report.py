"""Charts, timeline and page of a made-up run: drawn, told, and complete in one file."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from everstock.demo import charts, report, timeline
from everstock.demo.cast import Kind, Profile
from everstock.demo.charts import Hit, Picture
from everstock.demo.chronicle import Event
from everstock.demo.history import History, MarketPoint, Point
from everstock.demo.statement import Statement
from everstock.demo.summary import Outcome, Result
from everstock.replay.sources import Replay

TOKEN = 10**18
START = 1_584_000_000
SYMBOLS = ("TSLA.M", "NVDA.M")


def profile(number, kind, market):
    return Profile(f"{kind.one} {number}", kind, market, 0, 100, 0.5, 1.0, 0.0, 0.1, number)


TRADERS = {symbol: {number: profile(number, kind, symbol) for number, kind in enumerate(Kind)} for symbol in SYMBOLS}


def history(fall=0.5, count=50):
    points = []
    for i in range(count):
        part = 1 - fall * i / count
        market = MarketPoint(
            equity=int(1_000 * TOKEN * part),
            requirement=100 * TOKEN,
            claims=0,
            insurance=(50 + i) * TOKEN,
            treasury=0,
            bought=500 * TOKEN * min(i, 10) // 10,
            written=300 * TOKEN * min(i, 10) // 10,
            main_supply=1_000 * TOKEN * 10**6,
            insurance_supply=50 * TOKEN * 10**6,
            window_end=0,
            equities={kind: int(100 * TOKEN * part) for kind in Kind},
        )
        prices = {"BTC": int(8_000 * 10**8 * part), "ETH": int(200 * 10**8 * part)}
        points.append(Point(START + 900 * i, i, prices, dict.fromkeys(SYMBOLS, market)))
    return History(TRADERS, points)


def picture(hits=True):
    marks = [Hit(START + 9_000 + 60 * i, SYMBOLS[i % 2], bool(i % 3)) for i in range(6)] if hits else []
    windows = {SYMBOLS[0]: [(START + 9_000, START + 9_600)]} if hits else {}
    return Picture(history(), marks, windows)


def outcome(problems=()):
    market = {
        "insurance_flows": dict.fromkeys(report.FLOWS, TOKEN),
        "main_share_price_end": 0.93,
        "least_equity_to_requirement": 2.5,
        **dict.fromkeys(
            (
                "main_pool_equity_start",
                "main_pool_equity_end",
                "main_pool_withdrawn",
                "insurance_start",
                "insurance_end",
                "insurance_change",
                "insurance_change_by_events",
                "premium_paid",
                "fees_paid",
                "impact_paid",
                "penalties_paid",
                "bad_debt",
                "conservation_error",
                "main_pool_unexplained",
                "claims_end",
                "accrued_end",
                "open_legs_end",
            ),
            0,
        ),
    }
    data = {
        "episode_start": START,
        "episode_end": START + 86_400,
        "shifted_by_seconds": 0,
        "mode": "devnet",
        "price_source": "a file of <prices>",
        "seed": 1,
        "ticks": 50,
        "blocks": 1_234,
        "transactions": 5_678,
        "traders": 18,
        "orders_executed": 4_321,
        "orders_cancelled": 3,
        "cancel_reasons": {"trade: over limit": 3},
        "liquidations": 6,
        "accounts_liquidated": 4,
        "settle_windows": 1,
        "bad_debt": 0,
        "bad_debt_insured": 0,
        "conservation_error": 0,
        "keeper_sent": {"orders": 9},
        "keeper_failed": {"orders": 1},
        "keeper_errors": 0,
        "markets": dict.fromkeys(SYMBOLS, market),
    }
    results = [
        Result(one, 100 * TOKEN, (80 + 10 * number) * TOKEN, int(number == 0))
        for symbol in SYMBOLS
        for number, one in TRADERS[symbol].items()
    ]
    return Outcome(data, {symbol: Statement() for symbol in SYMBOLS}, results, list(problems))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return charts.draw(picture(), tmp_path_factory.mktemp("charts"))


def written(folder: Path, drawn, problems=()):
    path = folder / "report.html"
    entries = [timeline.Entry(START, "It begins & ends.", "price")]
    replay = Replay("x", "A crash", "Things <fell>.", "files", {})
    report.write(
        path,
        outcome=outcome(problems),
        replay=replay,
        timeline=entries,
        charts=drawn,
        banner="Not real.",
        moves="BTC fell.",
    )
    return path.read_text()


def test_draw__makes_every_chart(drawn):
    assert set(drawn) == set(report.CHARTS)
    for path in drawn.values():
        assert path.read_bytes().startswith(b"\x89PNG")


def test_draw__a_run_in_which_nothing_happened(tmp_path):
    quiet = replace(picture(hits=False), history=history(fall=0.0, count=3))
    assert len(charts.draw(quiet, tmp_path)) == len(report.CHARTS)


def test_write__the_page_stands_alone(tmp_path, drawn):
    page = written(tmp_path, drawn)
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert len(sources) == len(report.CHARTS)
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in re.sub(r"base64,[^\"]*", "", page)
    assert "<script" not in page and "@import" not in page


def test_write__says_what_it_was_given(tmp_path, drawn):
    page = written(tmp_path, drawn)
    for text in (
        "A crash",
        "Things &lt;fell&gt;.",
        "a file of &lt;prices&gt;",
        "4,321",
        "It begins &amp; ends.",
        "Not real.",
        "BTC fell.",
    ):
        assert text in page
    assert "does not add up" not in page


def test_write__a_problem_is_at_the_top(tmp_path, drawn):
    page = written(tmp_path, drawn, ["conservation fails"])
    assert page.index("conservation fails") < page.index("Key figures")


def test_kind_rows__best_first_and_all_counted():
    rows = report.kind_rows(outcome().results)["TSLA.M"]
    assert [row.kind for row in rows] == list(reversed(Kind))
    assert sum(row.traders for row in rows) == len(Kind)
    assert sum(row.liquidated for row in rows) == 1
    assert rows[-1].gain == -20


def test_steps__each_further_tenth_once_and_the_lowest_last():
    told = [entry.text for entry in timeline._steps(history()) if entry.text.startswith("BTC")]
    assert told == [
        "BTC falls below 7,200 (\N{MINUS SIGN}10%).",
        "BTC falls below 6,400 (\N{MINUS SIGN}20%).",
        "BTC falls below 5,600 (\N{MINUS SIGN}30%).",
        "BTC falls below 4,800 (\N{MINUS SIGN}40%).",
        "BTC at its lowest: 4,160 (\N{MINUS SIGN}48%).",
    ]


def test_moves__says_how_far_each_index_went():
    assert timeline.moves(history(count=49)) == "Within 12 hours BTC fell by 49% and ETH fell by 49% at most."


def test_steps__calm__nothing():
    assert list(timeline._steps(history(fall=0.05))) == []


def test_together__a_long_pause_begins_a_new_group():
    events = [Event(1, 0, time, "TSLA.M", "clearing_house", "Liquidated", {}) for time in (0, 100, 1_900, 9_000)]
    assert [len(group) for group in timeline._together(events)] == [3, 1]
