"""Every kind of price update has a verdict, and what is possible follows from it: docs/PRICES.md."""

import pytest

from everstock.chain.in_process import Protocol
from everstock.replay.sources import DATA_VARIABLE, data_folders
from everstock.risk.page import found
from tests.scenarios import price_path
from tests.scenarios.price_path import ACTIONS, CASES, COMMAND, MINUTE, PAGE, YES
from tests.unit.price_oracle.feeds import BTC

# What an action may be refused for, and nothing else.
GUARDS = {"stale price", "far from chainlink", "settle window"}
# What needs no price.
ALWAYS = ("withdraw, none", "LP request")
# What lowers risk, or only finds out how things are.
SAFE = ("close", "liquidate", "checkpoint", *ALWAYS)


@pytest.fixture(scope="module")
def tape():
    folders = [folder for folder in data_folders() if price_path.is_in(folder)]
    if not folders:
        pytest.skip(f"the minutes of 2025-10-10 are in no data folder: name one in {DATA_VARIABLE}")
    return price_path.opened(folders[0], Protocol())


@pytest.fixture(scope="module")
def rows(tape):
    return price_path.run(tape)


def moments(rows, verdict):
    """What was possible right after this verdict on both prices."""
    return [dict(zip(ACTIONS, row.possible, strict=True)) for row in rows if row.possible and row.verdict == verdict]


def test_page__is_what_happened(tape, rows):
    text = PAGE.read_text()
    for name, lines in price_path.measure(tape, rows).items():
        assert found(text, name) == lines, f"docs/PRICES.md is old: run {COMMAND}"


def test_cases__are_all_in_the_table(rows):
    assert len({row.case for row in rows}) >= len(CASES) - 1
    verdicts = {row.verdict for row in rows}
    assert {"stored", "restricted", "passed over"} < verdicts
    assert sum(verdict.startswith("refused: ") for verdict in verdicts) >= 10


def test_whatever_comes__an_action_is_refused_for_its_price_alone(rows):
    refusals = {refusal for row in rows for refusal in row.possible if refusal != YES}
    assert refusals == GUARDS


def test_whatever_comes__who_has_no_legs_may_leave_and_providers_may_queue(rows):
    for row in rows:
        if row.possible:
            possible = dict(zip(ACTIONS, row.possible, strict=True))
            assert all(possible[name] == YES for name in ALWAYS), row


def test_restricted_price__stops_what_adds_risk_or_withdraws_and_nothing_else(rows):
    restricted = [possible for possible in moments(rows, "restricted") if possible["liquidate"] == YES]
    assert restricted
    for possible in restricted:
        assert {name for name, answer in possible.items() if answer == YES} == set(SAFE)
        assert {answer for answer in possible.values() if answer != YES} == {"far from chainlink"}


def test_refused_price__changes_nothing(tape):
    """And leaves what was stored to grow old."""
    with tape.undone():
        tape.tick(MINUTE)
        before = tape.feeds.stored(BTC)
        tape.pass_to(2 * MINUTE)
        tape.feeds.answer(BTC, 1.1 * tape.usd(tape.second)["BTC"])
        assert tape.bring(*tape.messages()) == "refused: too far from chainlink"
        assert tape.feeds.stored(BTC) == before
        assert tape.possible(["open"]) == [YES]
        tape.pass_to(2 * MINUTE + 1)
        assert tape.possible(["open"]) == ["stale price"]


def test_any_order_of_updates__times_never_go_back(tape):
    with tape.undone():
        tape.pass_to(45 * MINUTE)
        tape.chainlink()
        times = []
        for ago in (30, 5, 50, 0, 10, 59, 0):
            tape.bring(*tape.messages(ago=ago))
            times.append(tape.feeds.stored(BTC)[1])
        assert times == sorted(times)
        assert times[-1] == tape.protocol.now
