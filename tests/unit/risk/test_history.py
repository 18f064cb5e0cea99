"""The eight years: the prototype's numbers, and what docs/LP_HISTORY.md says."""

import pytest
from click.testing import CliRunner

from everstock.cli import everstock
from everstock.risk import command, page, report
from everstock.risk.history import HALF_LIVES, History
from everstock.risk.hourly import FLOORS, read
from everstock.risk.page import PageError

from .test_hourly import walk


@pytest.fixture(scope="module")
def histories():
    folder = command.folder_with_history()
    if folder is None:
        pytest.skip(f"the eight-year series is in no data folder: name one in {command.DATA_VARIABLE}")
    return [History(read(name, folder)) for name in FLOORS]


def test_history__charged_at_the_opening_end__is_the_prototypes(histories):
    for history in histories:
        for hours, load, *expected in report.PROTOTYPE[history.closes.name]:
            found = history.as_prototype(hours, load)
            figures = [found.per_year(what) for what in (found.premium, found.unhedged, found.hedged)]
            assert figures == pytest.approx(expected, abs=0.006)


def test_history__defaults__hedged_pool_loses_in_no_rolling_year(histories):
    for history in histories:
        for hours in (history.default.sold, history.default.bought):
            assert report.seller.rolling(hours, hours.hedged).min() > 0


def test_history__defaults__nobody_earns_right_after_jumps(histories):
    for history in histories:
        for buys in (True, False):
            for trades in history.all_informed(history.oracle(HALF_LIVES), buys=buys):
                assert trades.after(0.1).mean < 0


def test_page__outcomes_prototype_and_years__are_those_measured(histories):
    text = command.PAGE.read_text()
    for name, lines in (
        ("outcomes", report.outcomes(histories)),
        ("prototype", report.prototype(histories)),
        ("years", report.years(histories)),
    ):
        assert page.found(text, name) == lines, f"docs/LP_HISTORY.md is old: run {command.COMMAND}"


def test_page__has_every_table_of_the_command():
    history = History(walk(0.6, 10_000))
    tables = report.tables([history])
    page.written(command.PAGE.read_text(), tables, command.COMMAND)


def test_command__without_data__says_where_it_looked(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "data_folders", lambda: [tmp_path])
    result = CliRunner().invoke(everstock, ["lp-history", "--no-write", "--out", str(tmp_path)])
    assert result.exit_code == 1 and command.DATA_VARIABLE in result.output


def test_command__writes_pictures(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "folder_with_history", lambda: tmp_path)
    monkeypatch.setattr(command, "read", lambda name, folder: walk(0.6, 10_000))
    result = CliRunner().invoke(everstock, ["lp-history", "--no-write", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {"lp-history.png", "lp-rolling-years.png"}


def test_written__no_place_or_two__is_refused():
    place = "<!-- a: written by `x` -->\n<!-- end of a -->\n"
    assert page.found(page.written(place, {"a": ["| 1 |"]}, "x"), "a") == ["| 1 |"]
    for text in ("", place * 2):
        with pytest.raises(PageError, match=f"{2 if text else 0} places for a"):
            page.written(text, {"a": []}, "x")
    with pytest.raises(PageError):
        page.found("", "a")
