"""Short replays of made-up crashes through the contracts: they add up, and the same seed makes the same."""

import json

import pytest
from click.testing import CliRunner

from everstock.replay.books import Book
from everstock.replay.command import run_replay
from everstock.replay.market import Event
from everstock.replay.outcome import Layer, Settings
from everstock.replay.run import perform
from everstock.replay.sources import of_files
from tests.unit.replay.prices import START, written

# A keeper that looks every four hours finds what a path without gaps would never leave: bankrupt accounts.
PAUSE = 4 * 3_600


@pytest.fixture(scope="module")
def crash(tmp_path_factory):
    files = written(tmp_path_factory.mktemp("crash"), factor=0.55)
    return perform(of_files(files), Settings(Book.WRITTEN, seed=3, insurance=50, pause=PAUSE))


@pytest.fixture(scope="module")
def surge(tmp_path_factory):
    files = written(tmp_path_factory.mktemp("surge"), factor=2.5)
    return perform(of_files(files), Settings(Book.LONG, seed=3, pause=PAUSE))


def test_writers_are_liquidated_in_a_crash_and_every_token_is_accounted_for(crash):
    assert crash.conservation_error == 0
    assert crash.problems == []
    assert crash.liquidations_full > 0
    assert crash.settlement is None
    assert (crash.start, crash.end) == (START, START + 48 * 3_600 - 900)


def test_the_draws_are_the_bad_debt(crash):
    assert crash.bad_debt > crash.bad_debt_insured > 0
    assert crash.drawn(Layer.INSURANCE) == crash.bad_debt_insured
    assert crash.drawn(Layer.MAIN) == crash.bad_debt - crash.bad_debt_insured
    assert crash.drawn(Layer.INSURANCE_AGAIN) == crash.drawn(Layer.PROFITS) == 0
    last = [draw for draw in crash.draws if draw.layer is Layer.INSURANCE][-1]
    assert last.left == 0 == crash.insurance.lowest


def test_no_account_was_overlooked_between_two_readings_of_all(crash, surge):
    assert crash.overlooked == surge.overlooked == 0


def test_a_surge_settles_a_pool_that_is_short_and_every_claim_is_paid_one_h(surge):
    assert surge.conservation_error == 0
    assert surge.problems == []
    assert surge.main.lowest < 0
    assert 0 < surge.h < 1
    cut = surge.settlement.claims - surge.settlement.paid
    assert surge.drawn(Layer.PROFITS) == cut > 0
    assert surge.drawn(Layer.INSURANCE_AGAIN) > 0
    assert surge.end < START + 47 * 3_600  # nothing more can happen


def test_the_command_says_the_same_as_the_run(crash, tmp_path):
    files = written(tmp_path, factor=0.55)
    terms = f"--book written --seed 3 --insurance 50 --pause {PAUSE} --json --out".split()
    arguments = ["--btc", str(files["BTC"]), "--eth", str(files["ETH"]), *terms, str(tmp_path / "out")]
    result = CliRunner().invoke(run_replay, arguments)
    assert result.exit_code == 0, result.output
    found, expected = json.loads(result.stdout), json.loads(json.dumps(crash.as_json()))
    for timed in ("wall_seconds", "cpu_seconds", "speed", "speed_of_core"):
        assert found.pop(timed) > 0
        expected.pop(timed)
    assert found == expected
    page = (tmp_path / "out" / "report.html").read_text()
    assert "data:image/png" in page
    assert "insurance" in page
    assert json.loads((tmp_path / "out" / "outcomes.json").read_text())[0]["draws"] == found["draws"]


def test_hits_are_the_liquidations(crash):
    assert len(crash.hits) == crash.liquidations
    assert all(isinstance(hit, Event) for hit in crash.hits)
