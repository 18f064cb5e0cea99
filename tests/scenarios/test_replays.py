"""The worst hours of past crashes, with each book, through the real contracts.

`make replays` runs the whole days with a keeper that never sleeps and writes docs/REPLAYS.md; here it looks only every ten
minutes, which is quicker, and leaves more to the waterfall.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from everstock.replay import sources
from everstock.replay.books import Book
from everstock.replay.episodes import EPISODES
from everstock.replay.outcome import Layer, Settings
from everstock.replay.run import perform
from everstock.replay.sources import Source

PAUSE = 600
# UTC, the fall and what came after.
HOURS = {
    "covid-2020": ("2020-03-12 09:30", "2020-03-12 13:00"),
    "2024-08-05": ("2024-08-05 00:00", "2024-08-05 03:00"),
    "2025-10-10": ("2025-10-10 20:30", "2025-10-10 22:30"),
    "2025-10-10-minutes": ("2025-10-10 20:30", "2025-10-10 22:30"),
}


def _utc(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.fixture(scope="module", params=HOURS)
def crash(request):
    """The worst hours of an episode, from a data folder."""
    episode = EPISODES[request.param]
    folders = sources.data_folders()
    if not any((folder / file).is_file() for folder in folders for files in episode.files.values() for file in files):
        pytest.skip(f"no prices of {episode.name}: no folder {sources.NEIGHBOUR}, nor one that {sources.DATA_VARIABLE} names")
    replay = sources.of_episode(episode, source=Source.FOLDER)
    start, end = map(_utc, HOURS[request.param])
    return replace(replay, series={name: bars.window(start, end) for name, bars in replay.series.items()})


@pytest.fixture(scope="module", params=Book)
def outcome(crash, request):
    return perform(crash, Settings(request.param, pause=PAUSE))


def test_every_token_is_accounted_for(outcome):
    assert outcome.conservation_error == 0


def test_what_each_layer_paid_is_what_was_lost(outcome):
    assert outcome.problems == []
    assert outcome.drawn(Layer.INSURANCE) == outcome.bad_debt_insured
    assert outcome.drawn(Layer.INSURANCE) + outcome.drawn(Layer.MAIN) == outcome.bad_debt
    # Main pays only once insurance is empty.
    if outcome.drawn(Layer.MAIN):
        assert outcome.insurance.lowest == 0


def test_nobody_below_maintenance_was_overlooked(outcome):
    assert outcome.overlooked == 0


def test_the_book_only_shrinks_and_by_checkpoints_alone(outcome):
    scale = 1.0
    for one in outcome.deleveragings:
        assert one.after < one.before <= scale
        scale = one.after
    assert outcome.checkpoints >= len(outcome.deleveragings)


def test_principal_survives_the_waterfall(outcome):
    """No layer but the first takes anything of an account, unless winners' profits are cut in a settlement."""
    if outcome.settlement is None:
        assert outcome.drawn(Layer.INSURANCE_AGAIN) == outcome.drawn(Layer.PROFITS) == 0
    else:
        assert outcome.drawn(Layer.PROFITS) == outcome.settlement.claims - outcome.settlement.paid
    assert all(draw.account for draw in outcome.draws if draw.layer in (Layer.OWN_MARGIN, Layer.INSURANCE, Layer.MAIN))


def test_the_crash_was_lived_through(outcome):
    """The keeper saw prices fall, and checkpointed; a pool that had sold options paid for them; in the deepest writers broke."""
    assert outcome.checkpoints >= 2
    first = outcome.readings[0].prices
    assert min(reading.prices[name] / first[name] for reading in outcome.readings for name in first) < 0.93
    if outcome.settings.book is Book.LONG:
        assert outcome.main.lowest < 0.95 * outcome.main.start
    elif outcome.name == "covid-2020":
        assert outcome.liquidations > 0
