# pragma version 0.4.3
"""
@title The waterfall
@license AGPL-3.0-only
@notice Who pays for a loser's loss, layer by layer, each only for what the ones before it lack:
            1 the account's own margin, its claim first
            2 the insurance pool
            3 the main pool
            and, when terminal settlement finds the main pool unable to pay its winners,
            4 the insurance pool again
            5 the winners' profits, every claim by the same part; nobody's principal.
        Each draw is one event that says how much of its layer is left.
@dev Terminal settlement: E <= 0 at three checkpoints (FATAL_COUNT) over a settle window, no two of which are closer than
     COUNT_GAP, or a book scaled down to a millionth. Every series is frozen, every account is resolved, every claim is
     paid the same part. Amounts in raw units of M, times in seconds.
"""

from interfaces import IClearingHouse

from contracts.modules import cash_ledger
from contracts.modules import constants as c

uses: cash_ledger

FATAL_COUNT: constant(uint256) = 3
COUNT_GAP: constant(uint256) = 180

# A market's life.
ACTIVE: constant(uint256) = 0
SETTLING: constant(uint256) = 1
SETTLED: constant(uint256) = 2

OWN_MARGIN: constant(uint256) = 1
INSURANCE: constant(uint256) = 2
MAIN: constant(uint256) = 3
INSURANCE_AGAIN: constant(uint256) = 4
PROFITS: constant(uint256) = 5

#  low to high bits
# | insurance when settlement began 128 | run of checkpoints that saw E <= 0: since 40 | last counted 40 | count 8 | stage 8 |
_settlement: uint256

# | paid on all claims 128 | all claims 128 | at the end of settlement: a claim is worth claim * paid / claims
_payout: uint256


@internal
@view
def _stage() -> uint256:
    return self._settlement >> 216


@internal
@view
def _settlement_now() -> IClearingHouse.Settlement:
    """
    @notice Both words, unpacked.
    """
    word: uint256 = self._settlement
    return IClearingHouse.Settlement(
        stage=word >> 216,
        insurance=word & (2**128 - 1),
        since=(word >> 128) & (2**40 - 1),
        counted=(word >> 168) & (2**40 - 1),
        count=(word >> 208) & (2**8 - 1),
        claims=self._payout >> 128,
        paid=self._payout & (2**128 - 1),
    )


@internal
def _absorb(account: uint256, lost: uint256, missing: uint256, main: cash_ledger.Main) -> cash_ledger.Main:
    """
    @notice Layers 1 to 3: a bankrupt account lost `lost`, of which its margin lacks `missing`.
    """
    m: cash_ledger.Main = main
    insured: uint256 = 0
    m, insured = cash_ledger._cover(main, missing)
    log IClearingHouse.BadDebt(account=account, loss=missing, insured=insured)
    self._log(OWN_MARGIN, account, lost - missing, 0)
    self._log(INSURANCE, account, insured, cash_ledger._load_backstop().insurance)
    self._log(MAIN, account, missing - insured, m.cash)
    return m


@internal
def _count(since: uint256) -> bool:
    """
    @notice Note a checkpoint that saw E <= 0, in a run of such that began at `since`.
    @return Whether the market is beyond recovery.
    """
    s: IClearingHouse.Settlement = self._settlement_now()
    if s.since != since:
        s.count = 0
    if s.count == 0 or block.timestamp >= s.counted + COUNT_GAP:
        s.count = min(s.count + 1, FATAL_COUNT)
        s.counted = block.timestamp
    self._settlement = (since << 128) | (s.counted << 168) | (s.count << 208)
    log IClearingHouse.SettlementNear(since=since, count=s.count)
    return s.count == FATAL_COUNT and block.timestamp >= since + c.SETTLE_WINDOW


@internal
def _begin():
    """
    @notice From now on accounts are resolved.
    """
    insurance: uint256 = cash_ledger._load_backstop().insurance
    self._settlement = insurance | (SETTLING << 216)
    log IClearingHouse.SettlementBegan(insurance=insurance)


@internal
def _finish(main: cash_ledger.Main, main_has_shares: bool, insurance_has_shares: bool) -> cash_ledger.Main:
    """
    @notice Layers 4 and 5, when the last account is resolved: main pays the claims, then insurance, and what both lack is
            cut from every claim alike. What is left goes to insurance up to what it paid, then to main; to the treasury
            where a pool has no shares.
    @return Main with the claims it will pay, and the cash for them.
    """
    backstop: cash_ledger.Backstop = cash_ledger._load_backstop()
    paid: uint256 = min(main.claims, main.cash + backstop.insurance)
    left: uint256 = main.cash + backstop.insurance - paid
    began_with: uint256 = self._settlement & (2**128 - 1)
    from_insurance: uint256 = paid - min(paid, main.cash)
    self._log(INSURANCE_AGAIN, 0, from_insurance, backstop.insurance - from_insurance)
    self._log(PROFITS, 0, main.claims - paid, paid)
    insurance: uint256 = min(left, began_with)
    rest: uint256 = left - insurance
    if not insurance_has_shares:
        backstop.treasury += insurance
        insurance = 0
    if not main_has_shares:
        backstop.treasury += rest
        rest = 0
    backstop.insurance = insurance
    cash_ledger._store_backstop(backstop)
    self._settlement = began_with | (SETTLED << 216)
    self._payout = paid | (main.claims << 128)
    log IClearingHouse.SettlementFinished(claims=main.claims, paid=paid, main=rest, insurance=insurance, treasury=backstop.treasury)
    return cash_ledger.Main(cash=rest + paid, claims=paid)


@internal
@view
def _worth(claim: uint256) -> uint256:
    """
    @notice What a claim is paid at the end of settlement, rounded down.
    """
    word: uint256 = self._payout
    if word >> 128 == 0:
        return 0
    return claim * (word & (2**128 - 1)) // (word >> 128)


@internal
def _log(layer: uint256, account: uint256, amount: uint256, left: uint256):
    if amount != 0:
        log IClearingHouse.LayerDrawn(layer=layer, account=account, amount=amount, left=left)
