"""A demo from beginning to end: stage, play, and everything that is written about it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from everstock.chain.devnet import Chain, Mode
from everstock.demo import charts, report
from everstock.demo.charts import Hit, Picture
from everstock.demo.history import History
from everstock.demo.live import Tally, View
from everstock.demo.play import Play
from everstock.demo.stage import KEEPER, TOKEN, Stage, opened, wallet
from everstock.demo.summary import Outcome, outcome, settle_windows
from everstock.demo.timeline import moves, timeline
from everstock.replay.sources import Replay
from everstock.replay.ticks import Pace, Tick

# Ticks and thoughts of a whole run, and of one in a hurry. A heartbeat stays below the hour after which premium is
# charged at the dearer end of a stretch.
FULL: Final = Pace(heartbeat=900, deviation=0.005, ticks=480)
FAST: Final = Pace(heartbeat=2_700, deviation=0.005, ticks=110)

SUMMARY: Final = "summary.json"
REPORT: Final = "report.html"

BANNERS: Final = {
    Mode.DEVNET: "On a local chain that looks like Base. Nothing here is worth anything.",
    Mode.FORK: "On a local fork of Base, with prices of our own. Nothing here is worth anything.",
}


@dataclass(frozen=True)
class Settings:
    """What a person asked for. `speed` is in multiples of real time, none for as fast as it goes."""

    out: Path
    seed: int = 1
    traders: int = 48
    fast: bool = False
    speed: float | None = None

    @property
    def pace(self) -> Pace:
        return FAST if self.fast else FULL


def perform(
    replay: Replay, ticks: Sequence[Tick], settings: Settings, view: View, show: Callable[[Chain], None]
) -> Outcome:
    """Run it and write everything into the `out` folder. `show` gets the chain once it runs.

    Raises `DemoError`, and what starting a chain or deploying raises. Whether the outcome is sound, its `problems` say.
    """
    out = settings.out
    out.mkdir(parents=True, exist_ok=True)
    for name in (SUMMARY, REPORT, *(f"{chart}.png" for chart in report.CHARTS)):
        (out / name).unlink(missing_ok=True)
    with opened(ticks, traders=settings.traders, seed=settings.seed, out=out, say=view.say, show=show) as stage:
        history = _played(stage, ticks, settings, view)
        view.say("adding up")
        assert stage.keeper is not None
        options = {"seed": settings.seed, "fast": settings.fast}
        found = outcome(stage, replay, history, options, stage.keeper.status() or {})
        view.say("drawing charts, writing the report")
        pictures = charts.draw(_picture(stage, history), out)
        lines = timeline(stage, history)
        banner = BANNERS[stage.chain.mode]
    report.write(
        out / REPORT,
        outcome=found,
        replay=replay,
        timeline=lines,
        charts=pictures,
        banner=banner,
        moves=moves(history),
    )
    found.save(out / SUMMARY)
    return found


def _played(stage: Stage, ticks: Sequence[Tick], settings: Settings, view: View) -> History:
    history = History({symbol: {} for symbol in stage.contracts})
    for profile, actor in stage.traders:
        history.traders[profile.market][actor.id] = profile
    names = {(symbol, wallet(KEEPER).id): "keeper" for symbol in stage.contracts}
    names |= {(profile.market, actor.id): profile.name for profile, actor in stage.traders}
    tally = Tally(lambda market, account: names.get((market, account), "somebody"), stage.offset)
    stage.driver.on_block = tally.take

    play = Play(stage, ticks, think=settings.pace.heartbeat, history=history, say=view.say)
    started = time.monotonic()
    length = max(1, ticks[-1].time - ticks[0].time)
    for point in play.run():
        elapsed = point.time - ticks[0].time
        view.show(point, tally, elapsed / length)
        if settings.speed is not None:
            time.sleep(max(0.0, elapsed / settings.speed - (time.monotonic() - started)))
    view.say("everybody closes and leaves")
    play.close()
    return history


def _picture(stage: Stage, history: History) -> Picture:
    """What the charts show: the replay without what came after it."""
    replayed = History(history.traders, history.points[:-1])
    end = replayed.points[-1].time + stage.offset
    liquidated = [event for event in stage.chronicle.of("Liquidated") if event.time <= end + 600]
    hits = [Hit(event.time - stage.offset, event.market, event.args["fraction"] == TOKEN) for event in liquidated]
    windows = {
        symbol: [
            (start - stage.offset, stop - stage.offset)
            for start, stop in settle_windows(stage.chronicle.of("Checkpoint", market=symbol))
            if start <= end
        ]
        for symbol in stage.contracts
    }
    return Picture(replayed, hits, windows)
