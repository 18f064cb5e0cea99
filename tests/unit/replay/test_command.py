"""What `everstock replay` says when it cannot run."""

import pytest
from click.testing import CliRunner

from everstock.replay.command import run_replay
from tests.unit.replay.prices import written


@pytest.fixture
def files(tmp_path):
    return written(tmp_path, factor=0.9)


def refused(*arguments):
    result = CliRunner().invoke(run_replay, [str(argument) for argument in arguments])
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    return [line for line in result.output.splitlines() if line][-1]


def test_a_file_that_is_not_there(files, tmp_path):
    assert refused("--btc", tmp_path / "none.csv", "--eth", files["ETH"]).endswith("none.csv: there is no such file")


def test_a_file_that_is_malformed(files):
    files["ETH"].write_text("timestamp,open,high,low,close\n1600000000,1,2,1,1\n1600003600,1,2,1,much\n")
    said = refused("--btc", files["BTC"], "--eth", files["ETH"])
    assert said.startswith(f"Error: {files['ETH']}, line 3: not numbers")


def test_series_that_do_not_overlap(files):
    files["ETH"].write_text("timestamp,open,high,low,close\n1500000000,400,400,400,400\n1500003600,400,400,400,400\n")
    assert refused("--btc", files["BTC"], "--eth", files["ETH"]).startswith("Error: the files do not overlap: ")


def test_prices_outside_the_band_of_the_oracle(files):
    said = refused("--btc", files["ETH"], "--eth", files["ETH"])
    assert said.startswith("Error: BTC leaves the oracle's band of 1,000 to 10,000,000 dollars at 2020-09-13 12:00 UTC: 400.00")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "Error: name an episode with --episode, or a file each with --btc and --eth"),
        (("--btc", "x.csv"), "Error: name an episode with --episode, or a file each with --btc and --eth"),
        (("--episode", "covid-2020", "--btc", "x.csv"), "Error: name an episode or files, not both"),
        (("--all", "--episode", "covid-2020"), "Error: --all names its episodes itself"),
        (("--episode", "covid-2020", "--main", "0"), "Error: Invalid value for --main, --insurance: a pool needs more than 0 tokens"),
    ],
)
def test_questions_that_make_no_sense(arguments, reason):
    assert refused(*arguments) == reason
