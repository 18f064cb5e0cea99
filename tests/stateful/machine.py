"""What the stateful machines share: a market undone after each run, time and prices, and what holds after every step."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

import boa
from hypothesis.stateful import RuleBasedStateMachine

from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import Protocol
from everstock.model import invariants
from everstock.model.market import Market
from everstock.model.pool_shares import VIRTUAL_SHARES
from everstock.model.waterfall import Stage
from tests.stateful.actions import Actions
from tests.stateful.logs import Log, assert_same, rebuilt, recorded
from tests.stateful.mirror import Tally

# What all runs of this process did.
TALLY: Final = Tally()


@cache
def deployed(decimals: int) -> tuple[Protocol, list[Log]]:
    """A market without capital, deployed once, and the logs of that; each run has it to itself and undoes what it did."""
    with recorded() as logs:
        return Protocol(decimals=decimals, main_deposit=0, insurance_deposit=0), logs


@dataclass(frozen=True)
class Moment:
    """What a pool's share price may depend on besides the pool, and the share prices then, as fractions."""

    time: int
    words: tuple[object, ...]
    bad_debt: int
    equities: tuple[int, int]
    supplies: tuple[int, int]


class Machine(RuleBasedStateMachine):
    """A run on one market."""

    # Of the market's token.
    decimals: ClassVar[int] = 18
    # What many runs together must have done, by the names of `Tally.done`.
    ACTIONS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        protocol, first_logs = deployed(self.decimals)
        self._open = ExitStack()
        self._open.enter_context(boa.env.anchor())
        self._logs = self._open.enter_context(recorded())
        self._first_logs = first_logs
        self.told = Actions(protocol.fork())
        self.unit = protocol.unit
        self._last: Moment | None = None
        self._is_verified = False

    def teardown(self) -> None:
        """A settlement that began comes to its end. Invariant 10: what the logs alone say is what is stored."""
        try:
            if self._is_verified:
                self.finish_settlement()
                assert_same(rebuilt(self.told.protocol, self._first_logs + self._logs), self.market)
        finally:
            TALLY.add(self.told.tally)
            self._open.close()

    def finish_settlement(self) -> None:
        """Resolve whoever is left, finalize, and pay everybody out. Invariant 9: every claim is paid the same part, and less
        than a unit per account is left behind."""
        house = self.market.house
        if house.stage == Stage.SETTLING:
            self.told.resolve([id_ for id_, account in house.accounts.items() if account.legs])
            self.told.finalize()
        if house.stage == Stage.SETTLED:
            claims = {id_: account.purse.claim for id_, account in house.accounts.items()}
            paid = {id_: self.told.pay_claim(id_) for id_ in claims}
            settlement = house.settlement
            for id_, claim in claims.items():
                assert paid[id_] == claim * settlement.paid // max(settlement.claims, 1), "invariant 9"
            assert house.ledgers.claims <= len(claims), "invariant 9"
            self.forget_share_prices()
            self.verify()

    @property
    def market(self) -> Market:
        return self.told.model

    def move(self, after: int, btc: float, eth: float) -> None:
        """Multiply the indexes, `after` seconds from now, as far as the oracle's bands allow, and bring the prices."""
        usd = {}
        for name, factor, id_ in zip(UNDERLYINGS, (btc, eth), (0, 1), strict=True):
            feed = self.told.oracle.feeds[id_]
            low, high = feed.min_price / 10**8, feed.max_price / 10**8
            usd[name] = min(max(self.told.protocol.index[name] * factor, low * 0.9), high * 1.1)
        self.told.bring(self.told.publish(after=after, **usd))

    def forget_share_prices(self) -> None:
        """What came or went just now is no action's doing."""
        self._last = None

    def verify(self) -> None:
        """Contracts and model agree, the invariants hold, and no share price fell but for bad debt."""
        self._is_verified = False
        self.told.tally.steps += 1
        self.told.agree()
        invariants.check(self.market)
        now = self._moment()
        if self._last is not None and (self._last.time, self._last.words) == (now.time, now.words):
            self._check_share_prices(self._last, now)
        self._last = now
        self._is_verified = True

    def _moment(self) -> Moment:
        market = self.market
        return Moment(
            time=self.told.now,
            words=(*(self.told.oracle.stored(u) for u in (0, 1)), repr(market.risk.parameters)),
            bad_debt=market.house.bad_debt,
            equities=(market.house.equity_now(), market.house.ledgers.insurance),
            supplies=(market.main_pool.supply, market.insurance_pool.supply),
        )

    @staticmethod
    def _check_share_prices(before: Moment, after: Moment) -> None:
        """Invariant 6: at unchanged price and time the share price of either pool falls only by recorded bad debt."""
        lost = after.bad_debt - before.bad_debt
        pools = zip(before.equities, before.supplies, after.equities, after.supplies, strict=True)
        for equity_before, supply_before, equity_after, supply_after in pools:
            old = (equity_before + 1) * (supply_after + VIRTUAL_SHARES)
            new = (equity_after + lost + 1) * (supply_before + VIRTUAL_SHARES)
            said = f"invariant 6: equity {equity_before} -> {equity_after}, shares {supply_before} -> {supply_after}"
            assert new >= old or equity_before <= 0, said
