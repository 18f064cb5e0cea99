"""The pool's outcome as pictures: large ones in a folder, a small one for docs/."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from everstock.demo.charts import SOFT, STYLE, UNDERLYINGS
from everstock.risk import seller
from everstock.risk.history import History
from everstock.risk.hourly import Floats
from everstock.risk.seller import Hours

# The one in docs/ is small enough for a repository.
SMALL_DPI: Final = 72
LARGE_DPI: Final = 150


def draw(histories: Sequence[History], folder: Path, small: Path | None) -> list[Path]:
    """Outcome and distribution in `folder`, and both in one small picture; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with rc_context(STYLE):
        for name, panel in (("lp-history", _outcome), ("lp-rolling-years", _distribution)):
            figure = Figure(figsize=(9, 5), layout="constrained")
            panel(figure.subplots(), histories)
            written.append(folder / f"{name}.png")
            figure.savefig(written[-1], dpi=LARGE_DPI)
        if small:
            figure = Figure(figsize=(11, 4), layout="constrained")
            left, right = figure.subplots(1, 2)
            _outcome(left, histories)
            _distribution(right, histories)
            figure.savefig(small, dpi=SMALL_DPI)
            written.append(small)
    return written


def _outcome(axes: Axes, histories: Sequence[History]) -> None:
    """What the pool had earned by each day."""
    for history in histories:
        hours, colour = history.default.sold, UNDERLYINGS[history.closes.name]
        times = [datetime.fromtimestamp(time, UTC) for time in history.closes.time[1::24].tolist()]
        for profit, style, word in ((hours.hedged, "-", "hedged"), (hours.unhedged, ":", "unhedged")):
            label = f"{history.closes.name}, {word}"
            axes.plot(times, np.cumsum(profit)[::24], style, color=colour, linewidth=1.4, label=label)
    axes.set_title("A pool that sells straddles, earned so far")
    axes.set_ylabel("per unit of face")
    axes.legend(loc="upper left")


def _distribution(axes: Axes, histories: Sequence[History]) -> None:
    """How often a year brought what."""
    for history in histories:
        hours, colour = history.default.sold, UNDERLYINGS[history.closes.name]
        for profit, style, word in ((hours.hedged, "-", "hedged"), (hours.unhedged, ":", "unhedged")):
            returns = _sorted_years(hours, profit)
            label = f"{history.closes.name}, {word}"
            axes.plot(returns, np.linspace(0, 100, len(returns)), style, color=colour, label=label)
    axes.axvline(0, color=SOFT, linewidth=0.8)
    axes.set_title("All rolling years")
    axes.set_xlabel("earned in the year, per unit of face")
    axes.set_ylabel("% of years below")
    axes.legend(loc="lower right")


def _sorted_years(hours: Hours, profit: Floats) -> Floats:
    return np.sort(seller.rolling(hours, profit))
