"""`everstock demo`: what it takes, and how it ends."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from everstock.demo import command
from everstock.demo.summary import Outcome
from everstock.replay.bars import Bars, write_csv

START = 1_599_998_400
MARKET = dict.fromkeys(
    (
        "main_pool_equity_start",
        "main_pool_withdrawn",
        "main_pool_equity_end",
        "insurance_start",
        "insurance_end",
        "premium_paid",
        "fees_paid",
        "bad_debt",
        "orders_executed",
        "orders_cancelled",
        "liquidations",
        "conservation_error",
    ),
    0,
)


@pytest.fixture
def performed(monkeypatch):
    """What would be performed; it ends well."""
    calls = []

    def perform(replay, ticks, settings, view, show):
        calls.append((replay, ticks, settings))
        return Outcome({"markets": {"TSLA.M": MARKET}}, {}, [], [])

    monkeypatch.setattr(command, "perform", perform)
    return calls


@pytest.fixture
def files(tmp_path):
    table = [(START + 300 * i, 100 + i, 101 + i, 99 + i, 100 + i) for i in range(50)]
    for name in ("btc.csv", "eth.csv"):
        write_csv(tmp_path / name, Bars.of(table, 300))
    return [str(tmp_path / "btc.csv"), str(tmp_path / "eth.csv")]


def run(*arguments):
    return CliRunner().invoke(command.run_demo, arguments)


def test_demo__own_prices__are_replayed(performed, files, tmp_path):
    result = run("--prices", *files, "--fast", "--seed", "5", "--out", str(tmp_path), "--speed", "60")
    assert result.exit_code == 0, result.output
    ((replay, ticks, settings),) = performed
    assert replay.source == "files: btc.csv, eth.csv"
    assert ticks[0].time == START
    assert (settings.seed, settings.fast, settings.speed, settings.out) == (5, True, 60.0, tmp_path)
    assert "report.html" in result.output


def test_demo__daily_figures__are_called_so(performed):
    result = run("--source", "daily")
    assert result.exit_code == 0, result.output
    assert "published daily figures with a seeded bridge" in result.output.replace("\n", " ")


def test_demo__what_does_not_add_up__is_said_and_fails(monkeypatch, files):
    broken = Outcome({"markets": {"TSLA.M": MARKET}}, {}, [], ["TSLA.M: conservation fails"])
    monkeypatch.setattr(command, "perform", lambda *arguments: broken)
    result = run("--prices", *files)
    assert result.exit_code == 1
    assert "TSLA.M: conservation fails" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--speed", "fast"], "neither a number nor max"),
        (["--speed", "0"], "must be above 0"),
        (["--episode", "2001"], "is not one of"),
        (["--traders", "17"], "18<=x"),
        (["--prices", "a.csv", "b.csv"], "does not exist"),
    ],
)
def test_demo__nonsense__is_refused_in_words(arguments, words):
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_demo__unusable_prices__are_no_traceback(files):
    Path(files[0]).write_text("timestamp,open,high,low,close\n1,2\n3,4\n")
    result = run("--prices", *files)
    assert result.exit_code == 1
    assert "not numbers" in result.output
