# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title MainPool
@license AGPL-3.0-only
@notice The liquidity providers who are the counterparty of every trade. See interfaces/IPool.vyi.
@dev A redemption must leave equity at `_kept` and main cash at claims, and is not paid while
     gains are booked as claims; while it waits it counts against new risk.
"""

from ethereum.ercs import IERC165
from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.tokens.interfaces import IERC20Permit
from snekmate.utils.interfaces import IERC5267

from interfaces import IClearingHouse
from interfaces import IPool
from interfaces import IRiskBook
from interfaces import IRiskParameters

from contracts.modules import constants as c
from contracts.modules import integers
from contracts.modules import parameters
from contracts.modules import pool_shares
from contracts.modules import waterfall

implements: IERC165
implements: IERC20
implements: IERC20Detailed
implements: IERC20Permit
implements: IERC5267
implements: IPool

initializes: pool_shares

exports: pool_shares.__interface__


@deploy
def __init__(
    name: String[50], symbol: String[20], token: address, clearing_house: address, risk_book: address, risk_parameters: address
):
    pool_shares.__init__(name, symbol, token, clearing_house, risk_book, risk_parameters)


@external
def requestRedeem(shares: uint256, controller: address, owner: address) -> uint256:
    queued: uint256 = pool_shares._request_redeem(shares, controller, owner, self._assets_now())
    extcall IRiskBook(pool_shares.RISK_BOOK).set_queued_redemptions(queued)
    return 0


@external
def fulfil(deposits: uint256, redemptions: uint256) -> (uint256, uint256):
    if not pool_shares._has_waited(deposits, redemptions):
        return 0, 0
    flow: IRiskBook.PoolFlow = empty(IRiskBook.PoolFlow)
    stage: uint256 = 0
    flow, stage = extcall IClearingHouse(pool_shares.CLEARING_HOUSE).flow(0)
    # An overdue redemption is paid, and takes its share of the book along.
    overdue: int256 = min(self._free_cash(0), pool_shares._overdue())
    if redemptions != 0 and overdue > 0 and stage == waterfall.ACTIVE:
        if flow.equity - overdue < self._kept(flow.requirement):
            flow, stage = extcall IClearingHouse(pool_shares.CLEARING_HOUSE).flow(convert(overdue, uint256))
    if stage == waterfall.SETTLING:
        return 0, 0

    batch: pool_shares.Batch = pool_shares._begin(flow.equity, flow.publish_time)
    if stage == waterfall.ACTIVE:
        batch = pool_shares._execute_deposits(batch, deposits, 0)
    queued: uint256 = batch.queue.queued_redemptions
    if redemptions != 0 and queued != 0 and not flow.booked:
        cash: int256 = self._free_cash(batch.entered)
        limit: int256 = batch.equity - self._kept(flow.requirement)
        if min(overdue, cash) > limit:
            batch = pool_shares._execute_redemptions(batch, 1, min(overdue, cash))
        else:
            batch = pool_shares._execute_redemptions(batch, redemptions, min(limit, cash))
    pool_shares._finish(batch)
    if batch.queue.queued_redemptions != queued:
        extcall IRiskBook(pool_shares.RISK_BOOK).set_queued_redemptions(batch.queue.queued_redemptions)
    return batch.deposits, batch.redemptions


@view
@external
def totalAssets() -> uint256:
    return self._total_assets()


@view
@external
def convertToShares(assets: uint256) -> uint256:
    return pool_shares._shares_for(assets, self._total_assets())


@view
@external
def convertToAssets(shares: uint256) -> uint256:
    return pool_shares._assets_for(shares, self._total_assets())


@internal
@view
def _total_assets() -> uint256:
    """
    @notice E as of each series' last touch, at least 0.
    """
    return convert(max(staticcall IClearingHouse(pool_shares.CLEARING_HOUSE).equity(), 0), uint256)


@internal
def _assets_now() -> uint256:
    """
    @notice E at the latest prices, at least 0: whoever touches some series and not others must not sway the price of a
            request. Where an LP flow may not execute (a settle window, say) a checkpoint brings all series to one price;
            where there is no fresh price either, nobody can touch any, and the last touches have to do.
    """
    fresh: bool = False
    data: Bytes[160] = b""
    fresh, data = raw_call(
        pool_shares.CLEARING_HOUSE,
        method_id("pool_flow()"),
        max_outsize=160,
        is_static_call=True,
        revert_on_failure=False,
    )
    if fresh:
        flow: IRiskBook.PoolFlow = abi_decode(data, IRiskBook.PoolFlow)
        return convert(max(flow.equity, 0), uint256)
    fresh = raw_call(pool_shares.CLEARING_HOUSE, method_id("checkpoint()"), revert_on_failure=False)
    return self._total_assets()


@internal
@view
def _free_cash(entered: uint256) -> int256:
    """
    @notice Main cash above claims once `entered` is in, raw units of M.
    """
    ledgers: IClearingHouse.Ledgers = staticcall IClearingHouse(pool_shares.CLEARING_HOUSE).ledgers()
    return integers._difference(ledgers.main + entered, ledgers.claims)


@internal
@view
def _kept(requirement: uint256) -> int256:
    """
    @notice What a redemption must leave of E: the larger of withdraw_buffer and open_buffer times R, raw units of M, rounded
            up.
    """
    if requirement == 0:
        return 0
    rates: uint256 = staticcall IRiskParameters(pool_shares.RISK_PARAMETERS).rates()
    buffer: uint256 = max(
        parameters._rate(rates, parameters.WITHDRAW_BUFFER), parameters._rate(rates, parameters.OPEN_BUFFER)
    )
    return integers._int((buffer * requirement + c.PERMILLE - 1) // c.PERMILLE)
