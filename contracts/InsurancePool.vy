# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title InsurancePool
@license AGPL-3.0-only
@notice The liquidity providers who stand behind bankrupt accounts and an exhausted main pool. See interfaces/IPool.vyi.
@dev Equity is the insurance ledger; whoever enters pays for what is about to be swept into it, too. Nobody leaves ahead of
     a loss that already happened: redemptions are not paid in a settle window, nor while the main pool has E <= 0 and
     somebody may still win from it. Else E and R bind none.
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
from contracts.modules import pool_risk
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
    pool_shares._request_redeem(shares, controller, owner, self._ledgers().insurance)
    return 0


@external
def fulfil(deposits: uint256, redemptions: uint256) -> (uint256, uint256):
    if not pool_shares._has_waited(deposits, redemptions):
        return 0, 0
    flow: IRiskBook.PoolFlow = empty(IRiskBook.PoolFlow)
    stage: uint256 = 0
    flow, stage = extcall IClearingHouse(pool_shares.CLEARING_HOUSE).flow(0)
    ledgers: IClearingHouse.Ledgers = self._ledgers()
    batch: pool_shares.Batch = pool_shares._begin(integers._int(ledgers.insurance), flow.publish_time)
    if stage == waterfall.ACTIVE:
        batch = pool_shares._execute_deposits(batch, deposits, self._expected(flow.accrued))
    if stage == waterfall.SETTLED or flow.equity > 0 or self._is_idle(ledgers):
        batch = pool_shares._execute_redemptions(batch, redemptions, batch.equity)
    pool_shares._finish(batch)
    return batch.deposits, batch.redemptions


@view
@external
def totalAssets() -> uint256:
    return self._ledgers().insurance


@view
@external
def convertToShares(assets: uint256) -> uint256:
    return pool_shares._shares_for(assets, self._ledgers().insurance)


@view
@external
def convertToAssets(shares: uint256) -> uint256:
    return pool_shares._assets_for(shares, self._ledgers().insurance)


@internal
@view
def _expected(accrued: uint256) -> uint256:
    """
    @notice Insurance's part of what the next sweeps will bring, rounded up, raw units of M: it belongs to those who are in
            already.
    """
    rates: uint256 = staticcall IRiskParameters(pool_shares.RISK_PARAMETERS).rates()
    return accrued - accrued * parameters._rate(rates, parameters.TREASURY_SHARE) // c.PERMILLE


@internal
@view
def _is_idle(ledgers: IClearingHouse.Ledgers) -> bool:
    """
    @notice Whether nobody has a leg or a claim, so that nobody can call on insurance.
    """
    market: IRiskBook.MarketWords = staticcall IRiskBook(pool_shares.RISK_BOOK).market_words()
    return ledgers.claims == 0 and pool_risk._decode_totals(market.totals).open_legs == 0


@internal
@view
def _ledgers() -> IClearingHouse.Ledgers:
    return staticcall IClearingHouse(pool_shares.CLEARING_HOUSE).ledgers()
