"""Which prices are worth a look: an estimate in floats of what the contracts would say, since asking them takes time.

At each tick a keeper on a chain asks about every account. In process that is a fifth of a second, and most ticks change
nothing. So what was read last is carried forward in floats, exact but for the premium since (bounded from above), and the
contracts are asked where an account might be below maintenance, a checkpoint might be due or might deleverage, an index
has moved by `MOVE`, or an hour has passed. Whatever is done is decided on what the contracts say, never on the estimate;
every hour all accounts are read, and `missed` counts those found below maintenance that the estimate had not suspected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from everstock.chain.deployment import UNDERLYINGS
from everstock.model import float_price
from everstock.model.constants import BASIS, PERMILLE, RATE, WAD, YEAR
from everstock.model.float_price import Floats, Legs
from everstock.model.parameters import Parameters
from everstock.model.waterfall import COUNT_GAP
from everstock.replay.market import Market

# Of an index since the last look, for the record.
MOVE: Final = 0.02
# Seconds after which everything is read anew.
EVERYBODY: Final = 3_600
# Of maintenance: below that an account is worth asking about.
SLACK: Final = 1e-4

@dataclass
class Watch:
    """A market as it was last read, in whole tokens. Prices are USD, times the episode's.

    `pause` is how many seconds pass between two looks at least: a keeper that is slow, or a chain that is full.
    """

    market: Market
    pause: int = 0
    missed: int = 0
    _parameters: Parameters = field(init=False)
    _known: dict[int, tuple[float, int]] = field(default_factory=dict)
    _everybody_at: int = 0

    def __post_init__(self) -> None:
        self._parameters = Parameters.of(self.market.protocol.parameters, UNDERLYINGS)
        self.refresh(everybody=True)

    def look(self, time: int, prices: Mapping[str, float]) -> bool:
        """Bring prices to the market and let its keeper act, if they are worth a look; returns whether they were."""
        if time < self.market.now + self.pause:
            return False
        at = np.array([prices[name] for name in UNDERLYINGS])
        suspects = self.suspects(time, at)
        everybody = time >= self._everybody_at + EVERYBODY or not self.market.is_active()
        moved = float(np.abs(np.log(at / self._looked_at)).max()) >= MOVE
        if not (everybody or suspects or moved or self._calls_for_checkpoint(time, at)):
            return False
        self.market.step(time, prices)
        below = self.market.look(suspects, everybody)
        self.missed += len(set(below) - set(suspects))
        self.refresh(everybody)
        return True

    def suspects(self, time: int, at: Floats) -> list[int]:
        """Accounts that may be below maintenance."""
        if not self._ids:
            return []
        legs, count = self._legs_at(at), len(self._ids)
        equity = self._fixed + float_price.values(legs, self._parameters, count)
        equity -= self._premium(legs) * (time - self._read_at) / YEAR
        least = self.market.protocol.parameters.min_margin / self.market.unit
        needed = float_price.maintenance(legs, self._parameters, count, least)
        return [self._ids[i] for i in np.flatnonzero(equity < needed * (1 + SLACK))]

    def refresh(self, everybody: bool) -> None:
        """Take over what the market has just read: every account's legs, and what of its equity is not their value."""
        market = self.market
        self._looked_at = np.array(market.index)
        if everybody:
            self._everybody_at = market.now
        series = {id_: one for one, id_ in market.series.items()}
        held = [account for account in market.accounts.values() if account.units]
        self._ids = [account.id for account in held]
        scale = market.latest.scale / WAD / market.unit
        legs = [(i, series[id_], units * scale) for i, one in enumerate(held) for id_, units in one.units.items()]
        self._strikes = np.array([one.strike for _, one, _ in legs], dtype=np.float64)
        self._legs = Legs(
            account=np.array([i for i, _, _ in legs], dtype=np.intp),
            underlying=np.array([one.underlying for _, one, _ in legs], dtype=np.intp),
            moneyness=np.ones(len(legs)),
            is_put=np.array([one.is_put for _, one, _ in legs], dtype=np.bool_),
            face=np.array([face for _, _, face in legs], dtype=np.float64),
        )
        values = float_price.values(self._legs_at(self._looked_at), self._parameters, len(held))
        self._value = float(values.sum())
        for account, value in zip(held, values.tolist(), strict=True):
            if account.read_at == market.now:
                self._known[account.id] = (account.equity / market.unit - value, market.now)
        known = [self._known[id_] for id_ in self._ids]
        self._fixed = np.array([fixed for fixed, _ in known], dtype=np.float64)
        self._read_at = np.array([read_at for _, read_at in known], dtype=np.float64)

    def _legs_at(self, at: Floats) -> Legs:
        return self._legs._replace(moneyness=float_price.moneyness(at[self._legs.underlying], self._strikes))

    def _premium(self, legs: Legs) -> Floats:
        """What each account pays in a year at most, wherever the indexes were meanwhile."""
        surcharged = 1 + (self._parameters.load + self._parameters.kappa) / PERMILLE
        variance, carry, gamma = np.array(
            [
                (max(self.market.written[name]) / RATE, abs(self._parameters.carry[u]) / BASIS, n * (n - 1) / 2 / (2 * n - 1))
                for u, (name, n) in enumerate(zip(UNDERLYINGS, self._parameters.sharpness, strict=True))
            ]
        ).T[:, legs.underlying]
        # The time value is largest at the money; no slope is above max(1, m).
        dearest = np.where(legs.face > 0, variance * gamma, 0) + carry * np.maximum(legs.moneyness, 1)
        return np.bincount(legs.account, np.abs(legs.face) * dearest * surcharged, len(self._ids))

    def _calls_for_checkpoint(self, time: int, at: Floats) -> bool:
        """Whether the keeper might want one: an index moved, E <= 0 is to be counted, or E fell below R."""
        market, state = self.market, self.market.state
        ratio = at / np.array(market.checkpointed)
        if float(np.maximum(ratio, 1 / ratio).max()) - 1 > self._parameters.pool_shock / PERMILLE / 4:
            return True
        clock = time + market.shift
        if state.depth == 0:
            return clock >= state.checkpoint_time + COUNT_GAP
        gained = float(float_price.values(self._legs_at(at), self._parameters, len(self._ids)).sum()) - self._value
        equity, requirement = state.equity / market.unit - gained, state.requirement / market.unit
        return 0 < equity < (requirement / 2 if clock < state.window_end else requirement)
