"""The waterfall: who pays for a loser's loss, layer by layer, each only for what the ones before it lack.

    1 the account's own margin, its claim first
    2 the insurance pool
    3 the main pool
    and, when terminal settlement finds the main pool unable to pay its winners,
    4 the insurance pool again
    5 the winners' profits, every claim by the same part; nobody's principal

Terminal settlement: E <= 0 at three checkpoints over a settle window, no two of which are closer than three minutes, or a
book scaled down to a millionth. Every series is frozen, every account is resolved, every claim is paid the same part.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from everstock.model.cash_ledger import Ledgers
from everstock.model.constants import SETTLE_WINDOW

FATAL_COUNT: Final = 3
COUNT_GAP: Final = 180


class Stage(IntEnum):
    """A market's life."""

    ACTIVE = 0
    SETTLING = 1
    SETTLED = 2


@dataclass
class Settlement:
    """How far a market is from terminal settlement, or in it. Amounts in raw units of M, times in seconds."""

    stage: Stage = Stage.ACTIVE
    insurance: int = 0  # that there was when settlement began
    since: int = 0  # when the run of checkpoints that saw E <= 0 began,
    counted: int = 0  # when its last that counted was,
    count: int = 0  # and how many did
    claims: int = 0  # all of them at the end,
    paid: int = 0  # and what is paid on them

    def note(self, since: int, now: int) -> bool:
        """Note a checkpoint that saw E <= 0, in a run that began at `since`; whether the market is beyond recovery."""
        if since != self.since:
            self.count = 0
        if self.count == 0 or now >= self.counted + COUNT_GAP:
            self.count = min(self.count + 1, FATAL_COUNT)
            self.counted = now
        self.since = since
        return self.count == FATAL_COUNT and now >= since + SETTLE_WINDOW

    def begin(self, insurance: int) -> None:
        """From now on accounts are resolved."""
        self.stage = Stage.SETTLING
        self.insurance = insurance
        self.since = self.counted = self.count = 0

    def finish(self, ledgers: Ledgers, main_has_shares: bool, insurance_has_shares: bool) -> None:
        """When the last account is resolved: main pays the claims, then insurance, and what both lack is cut from every claim
        alike. What is left goes to insurance up to what it paid, then to main; to the treasury where a pool has no shares."""
        pot = ledgers.main + ledgers.insurance
        self.claims = ledgers.claims
        self.paid = min(self.claims, pot)
        insurance = min(pot - self.paid, self.insurance)
        main = pot - self.paid - insurance
        if not insurance_has_shares:
            ledgers.treasury += insurance
            insurance = 0
        if not main_has_shares:
            ledgers.treasury += main
            main = 0
        ledgers.insurance = insurance
        ledgers.main = main + self.paid
        ledgers.claims = self.paid
        self.stage = Stage.SETTLED

    def worth(self, claim: int) -> int:
        """What a claim is paid at the end of settlement, rounded down."""
        return claim * self.paid // self.claims if self.claims else 0
