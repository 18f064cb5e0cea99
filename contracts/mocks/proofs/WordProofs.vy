# pragma version 0.4.3
# pragma optimize codesize
"""
@title WordProofs
@license AGPL-3.0-only
@notice Every packed word of the modules gives back what was put into it, whatever stood there before, and touches no other.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from interfaces import IPool

from contracts.modules import cash_ledger
from contracts.modules import checkpoints
from contracts.modules import constants as c
from contracts.modules import legs
from contracts.modules import margin_accounts
from contracts.modules import parameters
from contracts.modules import pool_risk
from contracts.modules import pool_shares
from contracts.modules import series_book

initializes: cash_ledger
initializes: checkpoints
initializes: margin_accounts
initializes: pool_risk
initializes: pool_shares
initializes: series_book


@deploy
def __init__(token: address):
    """
    @param token Anything with decimals that can be approved.
    """
    checkpoints.__init__()
    pool_risk.__init__(18)
    pool_shares.__init__("", "", token, self, self, self)


# legs


@pure
@external
def check_leg(series: uint256, units: int256, gain: int256) -> bool:
    self._assume(series < 2**16 and self._fits(units, 113) and self._fits(gain, 127))
    leg: uint256 = legs._pack(series, units, gain)
    return legs._series(leg) == series and legs._units(leg) == units and legs._gain(leg) == gain


@pure
@external
def check_leg_word(leg: uint256) -> bool:
    """
    @notice No bit of a leg is without a meaning.
    """
    return legs._pack(legs._series(leg), legs._units(leg), legs._gain(leg)) == leg


# series_book


@external
def check_series(id: uint256, s: series_book.Series) -> bool:
    self._assume(id < 2**16)
    self._assume_series(s)
    series_book._store(id, s)
    series_book._store_size(id, s)
    return self._is_same(series_book._load(id), s)


@external
def check_series_held(id: uint256, s: series_book.Series) -> bool:
    """
    @notice The short way to load one that is held is the long one; one that is not held is nothing.
    """
    self._assume(id < 2**16)
    self._assume_series(s)
    series_book._store(id, s)
    series_book._store_size(id, s)
    if s.long_units | s.short_units == 0:
        return series_book._load_held(id).strike == 0
    return self._is_same(series_book._load_held(id), s)


@external
def check_series_alone(id: uint256, other: uint256, s: series_book.Series) -> bool:
    """
    @notice Storing a series writes its own three words, and no other series, count or list.
    """
    self._assume(id < 2**16 and other < 2**16 and id != other)
    self._assume_series(s)
    before: uint256[3] = series_book.words[other]
    lists: uint256[3] = [series_book.count, series_book.active[0], series_book.active[1]]
    series_book._store(id, s)
    series_book._store_size(id, s)
    after: uint256[3] = series_book.words[other]
    return (
        before[0] == after[0]
        and before[1] == after[1]
        and before[2] == after[2]
        and lists[0] == series_book.count
        and lists[1] == series_book.active[0]
        and lists[2] == series_book.active[1]
    )


@external
def refuse_series_too_large(id: uint256, s: series_book.Series) -> bool:
    self._assume(id < 2**16 and (s.long_units >= 2**112 or s.short_units >= 2**112))
    series_book._store_size(id, s)
    return True


# pool_risk


@external
def check_exposure(underlying: uint256, exposure: pool_risk.Exposure) -> bool:
    """
    @notice Written with nothing added, it is what it was; the other underlying's stays.
    """
    self._assume(underlying < 2 and exposure.checkpoint_price < 2**64 and self._is_unsaturated(exposure.delta))
    for loss: int256 in exposure.losses:
        self._assume(self._is_unsaturated(loss))
    other: uint256[2] = pool_risk.words[1 - underlying]
    worst: uint256 = pool_risk._affect(underlying, exposure, empty(pool_risk.Effect))
    stored: pool_risk.Exposure = pool_risk._exposure(underlying)
    same: bool = stored.delta == exposure.delta and stored.checkpoint_price == exposure.checkpoint_price
    for i: uint256 in range(6):
        same = same and stored.losses[i] == exposure.losses[i]
    return (
        same
        and other[0] == pool_risk.words[1 - underlying][0]
        and other[1] == pool_risk.words[1 - underlying][1]
        and pool_risk._checkpoint_price(underlying) == exposure.checkpoint_price
        and worst < 2**63
    )


@external
def check_totals(totals: pool_risk.Totals) -> bool:
    """
    @notice What does not fit is the most that fits, and its neighbours do not notice.
    """
    self._assume(totals.open_legs < 2**32)
    pool_risk._store_totals(totals)
    stored: pool_risk.Totals = pool_risk._load_totals()
    return (
        stored.worst == min(totals.worst, 2**64 - 1)
        and stored.written == min(totals.written, 2**64 - 1)
        and stored.accrued == min(totals.accrued, 2**96 - 1)
        and stored.open_legs == totals.open_legs
    )


# checkpoints


@external
def check_state(state: checkpoints.State) -> bool:
    self._assume(state.scale < 2**60 and state.utilisation < 2**16)
    self._assume(state.time < 2**32 and state.window_end < 2**32 and state.negative_since < 2**32)
    checkpoints._store(state)
    stored: checkpoints.State = checkpoints._load()
    return (
        stored.scale == state.scale
        and stored.time == state.time
        and stored.window_end == state.window_end
        and stored.negative_since == state.negative_since
        and stored.utilisation == state.utilisation
        and stored.depth == min(state.depth, 2**64 - 1)
    )


@external
def check_queued_redemptions(amount: uint256) -> bool:
    """
    @notice Setting them leaves anchors and their time alone, and the state's word.
    """
    anchors: uint256 = checkpoints.anchors
    state: uint256 = checkpoints.state
    checkpoints._set_queued_redemptions(amount)
    return (
        checkpoints._queued_redemptions() == min(amount, 2**96 - 1)
        and checkpoints.anchors & (2**160 - 1) == anchors & (2**160 - 1)
        and checkpoints.state == state
    )


@external
def check_anchors(first: uint256, second: uint256, shock: uint256) -> bool:
    """
    @notice Anchors are replaced by both prices and the time once they are a window old, never before; queued redemptions stay.
    """
    self._assume(first < 2**64 and second < 2**64 and shock < 1_000)
    before: uint256 = checkpoints.anchors
    jumped: bool = checkpoints._has_jumped([first, second], shock)
    after: uint256 = checkpoints.anchors
    if block.timestamp < ((before >> 128) & (2**32 - 1)) + c.SETTLE_WINDOW:
        return after == before
    return (
        after & (2**64 - 1) == first
        and (after >> 64) & (2**64 - 1) == second
        and (after >> 128) & (2**32 - 1) == block.timestamp
        and after >> 160 == before >> 160
    )


# margin_accounts and cash_ledger


@external
def check_purse(id: uint256, other: uint256, purse: cash_ledger.Purse) -> bool:
    """
    @notice An account without legs; no other account notices.
    """
    self._assume(id != other and purse.cash < 2**112 and purse.claim < 2**112)
    before: uint256 = margin_accounts._purses[other]
    margin_accounts._store_purse(id, purse, 0)
    account: margin_accounts.Account = margin_accounts._load(id)
    return (
        account.purse.cash == purse.cash
        and account.purse.claim == purse.claim
        and account.count == 0
        and margin_accounts._purses[other] == before
    )


@external
def check_purse_count(id: uint256, purse: cash_ledger.Purse, count: uint256) -> bool:
    self._assume(purse.cash < 2**112 and purse.claim < 2**112 and count <= c.MAX_LEGS)
    margin_accounts._store_purse(id, purse, count)
    account: margin_accounts.Account = margin_accounts._load(id)
    return account.purse.cash == purse.cash and account.purse.claim == purse.claim and account.count == count


@external
def check_account(id: uint256, purse: cash_ledger.Purse, first: uint256[2], second: uint256[2]) -> bool:
    """
    @notice An account stored twice with up to two legs each time, the second time over the first, is what was stored last.
    """
    self._assume(purse.cash < 2**112 and purse.claim < 2**112)
    self._assume((first[0] != 0 or first[1] == 0) and (second[0] != 0 or second[1] == 0))
    margin_accounts._store(id, purse, self._eight(first), empty(margin_accounts.Account))
    margin_accounts._store(id, purse, self._eight(second), margin_accounts._load(id))
    account: margin_accounts.Account = margin_accounts._load(id)
    count: uint256 = convert(second[0] != 0, uint256) + convert(second[1] != 0, uint256)
    return account.count == count and account.legs[0] == second[0] and account.legs[1] == second[1]


@external
def refuse_purse_too_large(id: uint256, purse: cash_ledger.Purse, count: uint256) -> bool:
    self._assume(purse.cash >= 2**112 or purse.claim >= 2**112)
    margin_accounts._store_purse(id, purse, count)
    return True


@external
def check_add_cash(id: uint256, purse: cash_ledger.Purse, count: uint256, amount: uint256) -> bool:
    """
    @notice Crediting cash leaves claim and number of legs alone.
    """
    self._assume(purse.cash < 2**112 and purse.claim < 2**112 and count < 2**8 and amount < 2**112 - purse.cash)
    margin_accounts._store_purse(id, purse, count)
    margin_accounts._add_cash(id, amount)
    word: uint256 = margin_accounts._purses[id]
    return (
        word & (2**112 - 1) == purse.cash + amount
        and (word >> 112) & (2**112 - 1) == purse.claim
        and word >> 224 == count
    )


@external
def refuse_add_cash_too_much(id: uint256, amount: uint256) -> bool:
    self._assume(amount < 2**255 and amount >= 2**112 - (margin_accounts._purses[id] & (2**112 - 1)))
    margin_accounts._add_cash(id, amount)
    return True


@external
def check_ledgers(main: cash_ledger.Main, backstop: cash_ledger.Backstop) -> bool:
    self._assume(main.cash < 2**128 and main.claims < 2**128)
    self._assume(backstop.insurance < 2**128 and backstop.treasury < 2**128)
    cash_ledger._store(main)
    cash_ledger._store_backstop(backstop)
    one: cash_ledger.Main = cash_ledger._load()
    two: cash_ledger.Backstop = cash_ledger._load_backstop()
    return (
        one.cash == main.cash
        and one.claims == main.claims
        and two.insurance == backstop.insurance
        and two.treasury == backstop.treasury
    )


@external
def refuse_ledgers_too_large(main: cash_ledger.Main) -> bool:
    self._assume(main.cash >= 2**128 or main.claims >= 2**128)
    cash_ledger._store(main)
    return True


@external
def refuse_backstop_too_large(backstop: cash_ledger.Backstop) -> bool:
    self._assume(backstop.insurance >= 2**128 or backstop.treasury >= 2**128)
    cash_ledger._store_backstop(backstop)
    return True


# pool_shares


@pure
@external
def check_pair(pair: pool_shares.Pair) -> bool:
    self._assume(pair.assets < 2**112 and pair.shares < 2**144)
    read: pool_shares.Pair = pool_shares._pair(pool_shares._word(pair))
    return read.assets == pair.assets and read.shares == pair.shares


@pure
@external
def refuse_pair_too_large(pair: pool_shares.Pair) -> bool:
    self._assume(pair.assets >= 2**112 or pair.shares >= 2**144)
    return pool_shares._word(pair) != 0


@pure
@external
def check_pair_sums(pair: pool_shares.Pair, more: pool_shares.Pair) -> bool:
    """
    @notice More of both, then less of both, is what it was; in between it is the sum.
    """
    self._assume(pair.assets < 2**112 and pair.shares < 2**144)
    self._assume(more.assets < 2**112 - pair.assets and more.shares < 2**144 - pair.shares)
    sum: uint256 = pool_shares._plus(pool_shares._word(pair), more.assets, more.shares)
    read: pool_shares.Pair = pool_shares._pair(sum)
    return (
        read.assets == pair.assets + more.assets
        and read.shares == pair.shares + more.shares
        and pool_shares._minus(sum, more.assets, more.shares) == pool_shares._word(pair)
    )


@view
@external
def check_ticket(controller: address, pair: pool_shares.Pair) -> bool:
    self._assume(pair.assets < 2**112 and pair.shares < 2**144)
    ticket: IPool.Ticket = pool_shares._ticket(pool_shares._ticket_words(controller, pair))
    return (
        ticket.controller == controller
        and ticket.requested_at == block.timestamp
        and ticket.assets == pair.assets
        and ticket.shares == pair.shares
    )


@external
def check_queue(queue: IPool.Queue) -> bool:
    self._assume(queue.deposits_given < 2**40 and queue.deposits_done < 2**40)
    self._assume(queue.redemptions_given < 2**40 and queue.redemptions_done < 2**40)
    self._assume(queue.queued_redemptions < 2**96)
    pool_shares._store_queue(queue)
    stored: IPool.Queue = pool_shares._load_queue()
    return (
        stored.deposits_given == queue.deposits_given
        and stored.deposits_done == queue.deposits_done
        and stored.redemptions_given == queue.redemptions_given
        and stored.redemptions_done == queue.redemptions_done
        and stored.queued_redemptions == queue.queued_redemptions
    )


# parameters


@pure
@external
def check_parameters(rates: uint256[16], min_margin: uint256, min_face: uint256, carries: int256[2]) -> bool:
    """
    @notice Both words, laid out as the module says, are read back field by field.
    """
    self._assume(min_margin < 2**96 and min_face < 2**96 and self._fits(carries[0], 16) and self._fits(carries[1], 16))
    word: uint256 = 0
    for key: uint256 in range(16):
        self._assume(rates[key] < 2**16)
        word = word | rates[key] << (16 * key)
    limits: uint256 = min_margin | min_face << 96
    for u: uint256 in range(2):
        limits = limits | (convert(convert(carries[u], bytes32), uint256) & (2**16 - 1)) << (192 + 16 * u)
    same: bool = True
    for key: uint256 in range(16):
        same = same and parameters._rate(word, key) == rates[key]
    return (
        same
        and parameters._min_margin(limits) == min_margin
        and parameters._min_face(limits) == min_face
        and parameters._carry(limits, 0) == carries[0]
        and parameters._carry(limits, 1) == carries[1]
    )


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"


@internal
@pure
def _fits(number: int256, bits: uint256) -> bool:
    """
    @notice Whether a two's complement number of so many bits.
    """
    half: int256 = convert(1 << (bits - 1), int256)
    return -half <= number and number < half


@internal
@pure
def _is_unsaturated(number: int256) -> bool:
    return -pool_risk.SATURATED <= number and number <= pool_risk.SATURATED


@internal
@pure
def _assume_series(s: series_book.Series):
    """
    @notice Every field fits its place.
    """
    self._assume(s.strike < 2**56 and s.underlying < 2 and s.time < 2**32 and s.price < 2**64)
    self._assume(self._fits(s.long_rate, 48) and self._fits(s.short_rate, 48))
    self._assume(self._fits(s.long_gain, 128) and self._fits(s.short_gain, 128))
    self._assume(s.long_units < 2**112 and s.short_units < 2**112 and s.notice < 2**32)


@internal
@pure
def _is_same(a: series_book.Series, b: series_book.Series) -> bool:
    return (
        a.strike == b.strike
        and a.is_put == b.is_put
        and a.underlying == b.underlying
        and a.time == b.time
        and a.price == b.price
        and a.long_rate == b.long_rate
        and a.short_rate == b.short_rate
        and a.long_gain == b.long_gain
        and a.short_gain == b.short_gain
        and a.long_units == b.long_units
        and a.short_units == b.short_units
        and a.notice == b.notice
    )


@internal
@pure
def _eight(few: uint256[2]) -> uint256[8]:
    return [few[0], few[1], 0, 0, 0, 0, 0, 0]
