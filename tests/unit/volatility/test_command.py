"""Both commands, with prices and without."""

import pytest
from click.testing import CliRunner

from everstock.replay.bars import PriceError
from everstock.volatility.command import run_carry, run_volatility
from everstock.volatility.history import find


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("command", [run_volatility, run_carry])
def test_command__without_data__says_what_is_missing(command, monkeypatch, tmp_path):
    monkeypatch.setenv("EVERSTOCK_DATA", str(tmp_path))
    monkeypatch.setattr("everstock.replay.sources.NEIGHBOUR", tmp_path / "none")
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 1
    assert "EVERSTOCK_DATA" in result.output and "Traceback" not in result.output


def test_carry__prints_what_to_set(monkeypatch):
    try:
        find("TSLA_2019-2025_1d.csv")
    except PriceError as error:
        pytest.skip(str(error))
    monkeypatch.setattr("everstock.volatility.carry.DRAWS", 200)
    result = CliRunner().invoke(run_carry, ["--since", "2023-01-01"])
    assert result.exit_code == 0, result.output
    for word in ("TSLA", "NVDA", "BTC", "ETH", "2023-01-03", "95%"):
        assert word in result.output


def test_volatility__writes_the_page_and_its_chart(monkeypatch, tmp_path):
    """The short stretches; the long one is `test_history`'s."""
    from everstock.volatility import report

    calm = report.STRETCHES["calm, July 2025"]
    try:
        find(calm.format("BTC"))
    except PriceError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(report, "STRETCHES", {report.YEARS: calm, "calm": calm})
    result = CliRunner().invoke(run_volatility, ["--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    text = (tmp_path / "VOLATILITY.md").read_text()
    assert "| calm | ETH | 720 | 0 |" in text
    assert (tmp_path / "volatility.png").read_bytes().startswith(b"\x89PNG")
