# pragma version 0.4.3
# pragma optimize codesize
"""
@title PoolProofs
@license AGPL-3.0-only
@notice Shares and assets of a pool turn into each other rounded down, whoever goes in and out again never gains, and its
        words give back what was put into them.
@dev See everstock/proofs: a function under proof reverts with "assume" outside of what it is about, and else returns true.
"""

from interfaces import IPool

from contracts.mocks.proofs import IProofs
from contracts.modules import pool_shares

initializes: pool_shares


@deploy
def __init__(token: address):
    """
    @param token Anything with decimals that can be approved.
    """
    pool_shares.__init__("", "", token, self, self, self)


# Shares and assets


@pure
@external
def check_to_shares(assets: uint256, equity: uint256, supply: uint256) -> bool:
    """
    @notice assets * (supply + virtual) / (equity + 1), rounded down; so the price of a share does not fall by a deposit.
    """
    self._assume(assets < 2**96 and equity < 2**128 and supply < 2**144)
    shares: uint256 = pool_shares._to_shares_down(assets, equity, supply)
    exact: uint256 = unsafe_mul(assets, unsafe_add(supply, pool_shares.VIRTUAL_SHARES))
    worth: uint256 = unsafe_mul(shares, unsafe_add(equity, 1))
    return worth <= exact and exact < unsafe_add(worth, unsafe_add(equity, 1))


@pure
@external
def check_to_assets(shares: uint256, equity: uint256, supply: uint256) -> bool:
    """
    @notice shares * (equity + 1) / (supply + virtual), rounded down; so it does not fall by a redemption either.
    """
    self._assume(shares < 2**144 and equity < 2**96 and supply < 2**144)
    assets: uint256 = pool_shares._to_assets_down(shares, equity, supply)
    exact: uint256 = unsafe_mul(shares, unsafe_add(equity, 1))
    whole: uint256 = unsafe_add(supply, pool_shares.VIRTUAL_SHARES)
    worth: uint256 = unsafe_mul(assets, whole)
    return worth <= exact and exact < unsafe_add(worth, whole)


@pure
@external
def check_part_down(amount: uint256, part: uint256, whole: uint256) -> bool:
    self._assume(amount < 2**128 and part <= whole and whole < 2**128 and whole != 0)
    share: uint256 = pool_shares._part_down(amount, part, whole)
    exact: uint256 = unsafe_mul(amount, part)
    worth: uint256 = unsafe_mul(share, whole)
    return worth <= exact and exact < unsafe_add(worth, whole) and share <= amount


@pure
@external
def check_ceil_div(numerator: uint256, denominator: uint256) -> bool:
    self._assume(numerator < 2**255 and 0 < denominator and denominator < 2**255)
    quotient: uint256 = pool_shares._ceil_div(numerator, denominator)
    product: uint256 = unsafe_mul(quotient, denominator)
    return numerator <= product and product < unsafe_add(numerator, denominator)


@pure
@external
def check_payable(
    assets: uint256, shares: uint256, equity: uint256, supply: uint256, available: uint256
) -> bool:
    """
    @notice See `_is_payable`.
    """
    self._assume(assets < 2**96 and 0 < shares and shares <= supply and supply < 2**120)
    self._assume(equity < 2**96 and 0 < available and available < 2**96)
    return self._is_payable(assets, shares, equity, supply, available)


@pure
@external
def sweep_round_trips(equity: uint256, limit: uint256) -> IProofs.Tally:
    """
    @notice Every amount up to `limit`, and every supply: assets in and out again, and shares out and in again, never gain.
            Measures the most that is lost of a deposit, raw units of M.
    """
    tally: IProofs.Tally = empty(IProofs.Tally)
    for supply: uint256 in range(limit + 1, bound=10_000):
        for amount: uint256 in range(1, limit + 1, bound=10_000):
            tally.cases += 1
            shares: uint256 = pool_shares._to_shares_down(amount, equity, supply)
            back: uint256 = pool_shares._to_assets_down(shares, equity + amount, supply + shares)
            holds: bool = back <= amount
            if amount <= supply:
                assets: uint256 = pool_shares._to_assets_down(amount, equity, supply)
                if assets <= equity:
                    again: uint256 = pool_shares._to_shares_down(assets, equity - assets, supply - amount)
                    holds = holds and again <= amount
            if not holds:
                if tally.broken == 0:
                    tally.at = [convert(equity, int256), convert(supply, int256), convert(amount, int256), 0, 0, 0]
                tally.broken += 1
            elif convert(amount, int256) - convert(back, int256) > tally.worst:
                tally.worst = convert(amount - back, int256)
                tally.at = [convert(equity, int256), convert(supply, int256), convert(amount, int256), 0, 0, 0]
    return tally


@pure
@external
def sweep_payable(equity: uint256, supply_step: uint256, limit: uint256) -> IProofs.Tally:
    """
    @notice Every redemption, of every worth at request, against every amount available, up to `limit`; shares and supply in
            steps, for a share has six decimals more than M.
    """
    tally: IProofs.Tally = empty(IProofs.Tally)
    for supplies: uint256 in range(1, limit + 1, bound=1_000):
        supply: uint256 = supplies * supply_step
        for parts: uint256 in range(1, supplies + 1, bound=1_000):
            shares: uint256 = parts * supply_step
            for assets: uint256 in range(limit + 1, bound=1_000):
                for available: uint256 in range(1, limit + 1, bound=1_000):
                    tally.cases += 1
                    if not self._is_payable(assets, shares, equity, supply, available):
                        if tally.broken == 0:
                            tally.at = [
                                convert(equity, int256),
                                convert(supply, int256),
                                convert(shares, int256),
                                convert(assets, int256),
                                convert(available, int256),
                                0,
                            ]
                        tally.broken += 1
    return tally


# Words


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


@internal
@pure
def _assume(holds: bool):
    assert holds, "assume"


@internal
@pure
def _is_payable(assets: uint256, shares: uint256, equity: uint256, supply: uint256, available: uint256) -> bool:
    """
    @notice A redemption is paid no more than is available, than its shares are worth now, and than that part of them was worth
            when requested; and it gives up no more shares than it has.
    """
    batch: pool_shares.Batch = empty(pool_shares.Batch)
    batch.equity = convert(equity, int256)
    batch.supply = supply
    request: IPool.Ticket = empty(IPool.Ticket)
    request.assets = assets
    request.shares = shares
    part: pool_shares.Pair = pool_shares._payable(batch, request, available)
    worth: uint256 = unsafe_mul(part.shares, unsafe_add(equity, 1))
    return (
        part.assets <= available
        and part.shares <= shares
        and unsafe_mul(part.assets, unsafe_add(supply, pool_shares.VIRTUAL_SHARES)) <= worth
        and unsafe_mul(part.assets, shares) <= unsafe_mul(assets, part.shares)
    )
