"""What a trade costs: marks, fee and delta of an order at one set of prices, and its impact."""

from dataclasses import dataclass, field

from everstock.model.constants import BASIS, PERMILLE, WAD
from everstock.model.integers import ceil_div, floor_div
from everstock.model.parameters import Parameters
from everstock.model.series_book import Quote


@dataclass
class Cost:
    """An order at one set of prices."""

    marks: int = 0  # bought less written, raw units of M, rounded up leg by leg
    fee: int = 0  # raw units of M
    deltas: list[int] = field(default_factory=lambda: [0, 0])  # per underlying, units * wad

    def add(self, underlying: int, q: Quote, change: int, scale: int, parameters: Parameters) -> None:
        """One more leg, of `change` units: its fee is min(fee_rate face max(1, m), fee_cap mark face), floor + 1."""
        face = ceil_div(abs(change) * scale, WAD)
        by_face = parameters.fee_rate * face * max(WAD, q.moneyness) // (BASIS * WAD)
        by_mark = parameters.fee_cap * face * q.mark // (PERMILLE * WAD)
        self.fee += min(by_face, by_mark) + 1
        self.marks += ceil_div(change * scale * q.mark, WAD * WAD)
        self.deltas[underlying] += change * q.slope

    def total(self, impact: int) -> int:
        """What the order costs: bought marks less written, fee and impact; raw units of M."""
        return self.marks + self.fee + impact


def impact(held: int, added: int, scale: int, depth: int, k: int) -> int:
    """max(0, k ((X + d)^2 - X^2) / (2 depth)), raw units of M, floor + 1 where positive.

    `held` is X, the traders' net delta, and `added` d, the order's: units * wad. `depth` in raw units of M, `k` in 1e-3.
    """
    net = floor_div(floor_div(held, WAD) * scale, WAD)
    order = floor_div(floor_div(added, WAD) * scale, WAD)
    growth = order * (2 * net + order)
    return k * growth // (2 * PERMILLE * depth) + 1 if growth > 0 else 0
