"""When a checkpoint is due and when a settle window opens: the state a checkpoint leaves behind, and the prices it is
compared with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from everstock.model.constants import HOUR, PERMILLE, SETTLE_WINDOW, WAD

MAX_DEPTH: Final = 2**64 - 1


@dataclass
class State:
    """What the last checkpoint left behind."""

    scale: int = WAD  # D
    time: int = 0  # of the last checkpoint
    window_end: int = 0  # the settle window is open before this time
    negative_since: int = 0  # first of an unbroken run of checkpoints that saw E <= 0; 0 if the last saw more
    frozen: bool = False  # terminal settlement has begun: every series is frozen
    utilisation: int = 0  # min(1, R / E), 1e-4
    depth: int = 0  # E, granules; 0 if E <= 0

    def is_window_open(self, now: int) -> bool:
        return now < self.window_end

    def is_booked(self, now: int) -> bool:
        """Whether gains become claims and nobody is paid from main."""
        return self.is_window_open(now) or self.negative_since != 0


@dataclass
class Anchors:
    """Prices that a jump is measured from; replaced only once they are a settle window old."""

    prices: list[int] = field(default_factory=lambda: [0, 0])
    time: int = 0


def moved(price: int, reference: int, shock: int, part: int) -> bool:
    """Whether max(p / p0, p0 / p) - 1 > shock / part; never while p0 is 0. `shock` in 1e-3."""
    lower, higher = sorted((price, reference))
    return reference != 0 and (higher - lower) * part * PERMILLE > shock * lower


def is_stale(state: State, prices: Sequence[int], checkpoint_prices: Sequence[int], shock: int, now: int) -> bool:
    """Whether an hour passed or an index moved more than a quarter of the pool shock since the last checkpoint."""
    return now >= state.time + HOUR or any(
        moved(price, reference, shock, 4) for price, reference in zip(prices, checkpoint_prices, strict=True)
    )


def has_jumped(anchors: Anchors, prices: Sequence[int], shock: int, now: int) -> bool:
    """Whether an index is more than half the pool shock from its anchor. Anchors a window old are replaced afterwards."""
    jumped = any(moved(price, anchor, shock, 2) for price, anchor in zip(prices, anchors.prices, strict=True))
    if now >= anchors.time + SETTLE_WINDOW:
        anchors.prices = list(prices)
        anchors.time = now
    return jumped
