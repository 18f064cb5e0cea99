# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Shares and request queues of a pool
@license AGPL-3.0-only
@notice All that the main and the insurance pool have in common: the share token, requests, their two queues, their
        results and claims. What a pool is worth and how much it may pay, its shell says. See interfaces/IPool.vyi.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from ethereum.ercs import IERC4626

from interfaces import IClearingHouse
from interfaces import IPool
from interfaces import IRiskBook
from interfaces import IRiskParameters

from contracts.modules import constants as c
from contracts.modules import parameters
from contracts.modules import waterfall
from snekmate.auth import ownable
from snekmate.tokens import erc20

initializes: ownable
initializes: erc20[ownable := ownable]

exports: (
    # The share token. Neither minting nor burning: shares come and go by requests.
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.transfer,
    erc20.approve,
    erc20.transferFrom,
    # Permit
    erc20.nonces,
    erc20.permit,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)

# Against inflation, and so the decimals of a share beyond those of M.
VIRTUAL_SHARES: constant(uint256) = 10**6
SHARE_DECIMALS: constant(uint8) = 6
# Entry is closed below 1 / LEAST_PRICE of the first share price, which is 1 / VIRTUAL_SHARES.
LEAST_PRICE: constant(uint256) = 10**6
# A deposit of fewer shares could lose more than a thousandth to rounding.
LEAST_SHARES: constant(uint256) = 1_000
# Requests of one kind in one `fulfil`.
MAX_BATCH: constant(uint256) = 64
# Tokens of one deposit, and of all waiting redemptions at their request prices.
MAX_ASSETS: constant(uint256) = 2**96 - 1
EIP712_VERSION: constant(String[20]) = "1"

# ERC-165 ids: itself, and as ERC-7540 names them its operators, deposits and redemptions, and ERC-7575.
INTERFACE_IDS: constant(bytes4[5]) = [0x01ffc9a7, 0xe3bc4e65, 0xce3bbe50, 0x620ee8e4, 0x2f0a18c5]

# Name (of the EIP-712 domain, too) and symbol of the shares: ours, as snekmate's symbols end at five characters.
name: public(immutable(String[50]))
symbol: public(immutable(String[20]))

# The stock token M and the market's other contracts.
asset: public(immutable(address))
CLEARING_HOUSE: public(immutable(address))
RISK_BOOK: public(immutable(address))
RISK_PARAMETERS: public(immutable(address))

# What one `fulfil` has done so far, before any of it is booked in the clearing house.
struct Batch:
    queue: IPool.Queue
    publish_time: uint256  # of the prices it executes at
    equity: int256  # of the pool, raw units of M
    supply: uint256  # of shares
    deposits: uint256  # requests dealt with
    redemptions: uint256
    entered: uint256  # raw units of M deposited
    minted: uint256  # shares
    left: uint256  # raw units of M redeemed
    burned: uint256  # shares

# Tokens and shares that belong together.
struct Pair:
    assets: uint256
    shares: uint256


# | deposits given 40 | deposits done 40 | redemptions given 40 | redemptions done 40 | queued redemptions 96 |,
# counts of tickets, and raw units of M at request prices
_queue: uint256

# ticket -> a deposit request:
#  first word
# | controller 160 | requested at 32 | unused 64 |
#  second word, a pair
# | assets 112 | unused 144 |
_deposits: HashMap[uint256, uint256[2]]

# ticket -> a redemption request:
#  first word
# | controller 160 | requested at 32 | unused 64 |
#  second word, a pair: what is left of it, and what that was worth when requested
# | assets 112 | shares 144 |
_redemptions: HashMap[uint256, uint256[2]]

# controller -> | assets waiting to be deposited 112 | shares waiting to be redeemed 144 |, a pair
_pending: HashMap[address, uint256]

# controller -> | assets deposited 112 | their shares, to be claimed 144 |, a pair
_bought: HashMap[address, uint256]

# controller -> | assets to be claimed 112 | shares redeemed for them 144 |, a pair
_sold: HashMap[address, uint256]

# controller -> operator -> whether it acts for the controller
isOperator: public(HashMap[address, HashMap[address, bool]])


@deploy
def __init__(
    name_: String[50], symbol_: String[20], token: address, clearing_house: address, risk_book: address, risk_parameters: address
):
    """
    @notice Approves the clearing house to pull what enters.
    """
    ownable.__init__()
    erc20.__init__("", "", staticcall IERC20Detailed(token).decimals() + SHARE_DECIMALS, name_, EIP712_VERSION)
    # snekmate makes the deployer owner and minter. Neither role opens anything here; nobody is to be seen holding them.
    erc20.is_minter[msg.sender] = False
    log erc20.RoleMinterChanged(minter=msg.sender, status=False)
    ownable._transfer_ownership(empty(address))
    name = name_
    symbol = symbol_
    asset = token
    CLEARING_HOUSE = clearing_house
    RISK_BOOK = risk_book
    RISK_PARAMETERS = risk_parameters
    done: bool = extcall IERC20(token).approve(clearing_house, max_value(uint256), default_return_value=True)
    assert done, "pool: approval failed"


# Requests


@external
def requestDeposit(assets: uint256, controller: address, owner: address) -> uint256:
    assert msg.sender == owner or self.isOperator[owner][msg.sender], "pool: not the owner"
    self._check_controller(controller)
    assert self._stage() == waterfall.ACTIVE, "pool: in settlement"
    assert assets <= MAX_ASSETS, "pool: amount too large"
    assert assets >= self._minimum(), "pool: below minimum"

    queue: IPool.Queue = self._load_queue()
    queue.deposits_given += 1
    self._store_queue(queue)
    self._deposits[queue.deposits_given] = self._ticket_words(controller, Pair(assets=assets, shares=0))
    self._pending[controller] = self._plus(self._pending[controller], assets, 0)
    log IPool.DepositRequest(controller=controller, owner=owner, requestId=0, sender=msg.sender, assets=assets)
    log IPool.DepositQueued(ticket=queue.deposits_given, controller=controller, assets=assets)
    done: bool = extcall IERC20(asset).transferFrom(owner, self, assets, default_return_value=True)
    assert done, "pool: transfer failed"
    return 0


@external
def cancel_deposit(ticket: uint256, receiver: address) -> uint256:
    request: IPool.Ticket = self._ticket(self._deposits[ticket])
    assert request.controller != empty(address), "pool: no request"
    self._check_caller(request.controller)
    self._check_receiver(receiver)
    passed_over: bool = ticket <= self._load_queue().deposits_done
    overdue: bool = block.timestamp >= request.requested_at + c.DEPOSIT_WAIT + c.MAX_WAIT
    ended: bool = self._stage() != waterfall.ACTIVE
    assert passed_over or overdue or ended, "pool: not overdue"

    self._deposits[ticket] = empty(uint256[2])
    self._pending[request.controller] = self._minus(self._pending[request.controller], request.assets, 0)
    log IPool.DepositCancelled(
        ticket=ticket, controller=request.controller, receiver=receiver, assets=request.assets
    )
    self._send(receiver, request.assets)
    return request.assets


@external
def setOperator(operator: address, approved: bool) -> bool:
    self.isOperator[msg.sender][operator] = approved
    log IPool.OperatorSet(controller=msg.sender, operator=operator, approved=approved)
    return True


# Claims


@external
def deposit(assets: uint256, receiver: address, controller: address = msg.sender) -> uint256:
    claimable: Pair = self._pair(self._bought[controller])
    self._check_claim(controller, receiver, assets, claimable.assets)
    shares: uint256 = claimable.shares * assets // claimable.assets
    self._claim_shares(controller, receiver, assets, shares)
    return shares


@external
def mint(shares: uint256, receiver: address, controller: address = msg.sender) -> uint256:
    claimable: Pair = self._pair(self._bought[controller])
    self._check_claim(controller, receiver, shares, claimable.shares)
    assets: uint256 = self._ceil_div(claimable.assets * shares, claimable.shares)
    self._claim_shares(controller, receiver, assets, shares)
    return assets


@external
def redeem(shares: uint256, receiver: address, controller: address) -> uint256:
    claimable: Pair = self._pair(self._sold[controller])
    self._check_claim(controller, receiver, shares, claimable.shares)
    assets: uint256 = claimable.assets * shares // claimable.shares
    self._claim_assets(controller, receiver, assets, shares)
    return assets


@external
def withdraw(assets: uint256, receiver: address, controller: address) -> uint256:
    claimable: Pair = self._pair(self._sold[controller])
    self._check_claim(controller, receiver, assets, claimable.assets)
    shares: uint256 = self._ceil_div(claimable.shares * assets, claimable.assets)
    self._claim_assets(controller, receiver, assets, shares)
    return shares


# Views


@view
@external
def pendingDepositRequest(requestId: uint256, controller: address) -> uint256:
    return 0 if requestId != 0 else self._pair(self._pending[controller]).assets


@view
@external
def claimableDepositRequest(requestId: uint256, controller: address) -> uint256:
    return 0 if requestId != 0 else self._pair(self._bought[controller]).assets


@view
@external
def pendingRedeemRequest(requestId: uint256, controller: address) -> uint256:
    return 0 if requestId != 0 else self._pair(self._pending[controller]).shares


@view
@external
def claimableRedeemRequest(requestId: uint256, controller: address) -> uint256:
    return 0 if requestId != 0 else self._pair(self._sold[controller]).shares


@view
@external
def maxDeposit(controller: address) -> uint256:
    return self._pair(self._bought[controller]).assets


@view
@external
def maxMint(controller: address) -> uint256:
    return self._pair(self._bought[controller]).shares


@view
@external
def maxRedeem(controller: address) -> uint256:
    return self._pair(self._sold[controller]).shares


@view
@external
def maxWithdraw(controller: address) -> uint256:
    return self._pair(self._sold[controller]).assets


@view
@external
def due() -> (uint256, uint256):
    queue: IPool.Queue = self._load_queue()
    return self._deposit_due(queue), self._redemption_due(queue)


@view
@external
def queue() -> IPool.Queue:
    return self._load_queue()


@view
@external
def deposit_ticket(ticket: uint256) -> IPool.Ticket:
    return self._ticket(self._deposits[ticket])


@view
@external
def redemption_ticket(ticket: uint256) -> IPool.Ticket:
    return self._ticket(self._redemptions[ticket])


@view
@external
def share() -> address:
    return self


@view
@external
def previewDeposit(assets: uint256) -> uint256:
    raise "pool: asynchronous"


@view
@external
def previewMint(shares: uint256) -> uint256:
    raise "pool: asynchronous"


@view
@external
def previewRedeem(shares: uint256) -> uint256:
    raise "pool: asynchronous"


@view
@external
def previewWithdraw(assets: uint256) -> uint256:
    raise "pool: asynchronous"


@view
@external
def supportsInterface(interface_id: bytes4) -> bool:
    return interface_id in INTERFACE_IDS


# What the shells complete


@internal
def _request_redeem(shares: uint256, controller: address, owner: address, equity: uint256) -> uint256:
    """
    @notice Take a redemption request.
    @param equity Of the pool, raw units of M, which gives the price at request.
    @return What all waiting redemptions were worth when requested, raw units of M.
    """
    assert shares != 0, "pool: zero amount"
    self._check_controller(controller)
    assert self._stage() != waterfall.SETTLING, "pool: in settlement"
    if msg.sender != owner and not self.isOperator[owner][msg.sender]:
        erc20._spend_allowance(owner, msg.sender, shares)
    is_all: bool = shares == erc20.balanceOf[owner]
    erc20._transfer(owner, self, shares)
    assets: uint256 = self._to_assets_down(shares, equity, erc20.totalSupply)
    assert assets != 0, "pool: worth nothing"
    assert is_all or assets >= self._minimum(), "pool: below minimum"

    queue: IPool.Queue = self._load_queue()
    queue.redemptions_given += 1
    queue.queued_redemptions += assets
    assert queue.queued_redemptions <= MAX_ASSETS, "pool: amount too large"
    self._store_queue(queue)
    self._redemptions[queue.redemptions_given] = self._ticket_words(controller, Pair(assets=assets, shares=shares))
    self._pending[controller] = self._plus(self._pending[controller], 0, shares)
    log IPool.RedeemRequest(controller=controller, owner=owner, requestId=0, sender=msg.sender, shares=shares)
    log IPool.RedemptionQueued(
        ticket=queue.redemptions_given, controller=controller, shares=shares, assets=assets
    )
    return queue.queued_redemptions


@internal
@view
def _has_waited(deposits: uint256, redemptions: uint256) -> bool:
    """
    @notice Whether the next request of either queue, if any of it are asked for, has waited.
    """
    queue: IPool.Queue = self._load_queue()
    return (
        (deposits != 0 and block.timestamp >= self._deposit_due(queue))
        or (redemptions != 0 and block.timestamp >= self._redemption_due(queue))
    )


@internal
@view
def _overdue() -> int256:
    """
    @notice What the next redemption was worth when requested, if it could have executed MAX_WAIT ago; else 0. Raw units of M.
    """
    queue: IPool.Queue = self._load_queue()
    if block.timestamp - c.MAX_WAIT < self._redemption_due(queue):
        return 0
    return convert(self._ticket(self._redemptions[queue.redemptions_done + 1]).assets, int256)


@internal
@view
def _stage() -> uint256:
    """
    @notice The market's stage, see the module `waterfall`.
    """
    return staticcall IClearingHouse(CLEARING_HOUSE).stage()


@internal
@view
def _begin(equity: int256, publish_time: uint256) -> Batch:
    """
    @notice A batch that has done nothing.
    """
    batch: Batch = empty(Batch)
    batch.queue = self._load_queue()
    batch.publish_time = publish_time
    batch.equity = equity
    batch.supply = erc20.totalSupply
    return batch


@internal
def _execute_deposits(so_far: Batch, count: uint256, expected: uint256) -> Batch:
    """
    @notice Execute up to `count` deposits, in order.
    @param expected What is the pool's but not in its equity yet, raw units of M: whoever enters pays for it.
    """
    b: Batch = so_far
    if not self._is_entry_open(b):
        return b
    for _: uint256 in range(MAX_BATCH):
        if b.deposits == count or b.publish_time < self._deposit_due(b.queue):
            break
        b.deposits += 1
        b.queue.deposits_done += 1
        ticket: uint256 = b.queue.deposits_done
        request: IPool.Ticket = self._ticket(self._deposits[ticket])
        if request.controller == empty(address):
            log IPool.DepositPassedOver(ticket=ticket, controller=empty(address), assets=0)
            continue
        shares: uint256 = self._to_shares_down(request.assets, convert(b.equity, uint256) + expected, b.supply)
        if shares < LEAST_SHARES:
            log IPool.DepositPassedOver(ticket=ticket, controller=request.controller, assets=request.assets)
            continue

        b.equity += convert(request.assets, int256)
        b.supply += shares
        b.entered += request.assets
        b.minted += shares
        self._deposits[ticket] = empty(uint256[2])
        self._pending[request.controller] = self._minus(self._pending[request.controller], request.assets, 0)
        self._bought[request.controller] = self._plus(self._bought[request.controller], request.assets, shares)
        log IPool.DepositExecuted(
            ticket=ticket, controller=request.controller, assets=request.assets, shares=shares
        )
    return b


@internal
def _execute_redemptions(so_far: Batch, count: uint256, limit: int256) -> Batch:
    """
    @notice Execute up to `count` redemptions, in order, the last of them in part where `limit` demands it.
    @param limit What they may take in all, raw units of M.
    """
    b: Batch = so_far
    for _: uint256 in range(MAX_BATCH):
        if b.redemptions == count or b.publish_time < self._redemption_due(b.queue):
            break
        available: int256 = min(limit, so_far.equity) - convert(b.left, int256)
        if available <= 0:
            break
        ticket: uint256 = b.queue.redemptions_done + 1
        request: IPool.Ticket = self._ticket(self._redemptions[ticket])
        part: Pair = self._payable(b, request, convert(available, uint256))
        if part.shares != request.shares and part.assets == 0:
            break

        b.redemptions += 1
        b.equity -= convert(part.assets, int256)
        b.supply -= part.shares
        b.left += part.assets
        b.burned += part.shares
        self._pending[request.controller] = self._minus(self._pending[request.controller], 0, part.shares)
        self._sold[request.controller] = self._plus(self._sold[request.controller], part.assets, part.shares)
        log IPool.RedemptionExecuted(
            ticket=ticket, controller=request.controller, shares=part.shares, assets=part.assets
        )
        if part.shares != request.shares:
            worth: uint256 = self._part_down(request.assets, part.shares, request.shares)
            b.queue.queued_redemptions -= worth
            self._redemptions[ticket][1] = self._word(
                Pair(assets=request.assets - worth, shares=request.shares - part.shares)
            )
            break
        b.queue.redemptions_done += 1
        b.queue.queued_redemptions -= request.assets
        self._redemptions[ticket] = empty(uint256[2])
    return b


@internal
def _finish(b: Batch):
    """
    @notice Mint and burn what a batch did, then move its tokens.
    """
    self._store_queue(b.queue)
    if b.minted != 0:
        erc20._mint(self, b.minted)
    if b.burned != 0:
        erc20._burn(self, b.burned)
    if b.entered != 0:
        extcall IClearingHouse(CLEARING_HOUSE).pool_deposit(b.entered)
    if b.left != 0:
        extcall IClearingHouse(CLEARING_HOUSE).pool_withdraw(b.left)


@internal
@view
def _shares_for(assets: uint256, equity: uint256) -> uint256:
    """
    @notice Shares worth `assets` of a pool of that equity, rounded down.
    """
    return self._to_shares_down(assets, equity, erc20.totalSupply)


@internal
@view
def _assets_for(shares: uint256, equity: uint256) -> uint256:
    """
    @notice What `shares` are worth in a pool of that equity, rounded down.
    """
    return self._to_assets_down(shares, equity, erc20.totalSupply)


# Prices


@internal
@pure
def _is_entry_open(b: Batch) -> bool:
    """
    @notice Whether deposits may execute: not where they would pay for a loss, nor at a price next to nothing.
    """
    if b.equity < 0 or (b.equity == 0 and b.supply != 0):
        return False
    return (convert(b.equity, uint256) + 1) * (LEAST_PRICE * VIRTUAL_SHARES) >= b.supply + VIRTUAL_SHARES


@internal
@pure
def _payable(b: Batch, request: IPool.Ticket, available: uint256) -> Pair:
    """
    @notice Of a redemption, the shares that can be redeemed and what they pay: at the lower of both prices, no more
            than `available`.
    """
    supply: uint256 = b.supply
    equity: uint256 = convert(b.equity, uint256)
    assets: uint256 = min(request.assets, self._to_assets_down(request.shares, equity, supply))
    if assets <= available:
        return Pair(assets=assets, shares=request.shares)
    shares: uint256 = self._part_down(request.shares, available, assets)
    return Pair(
        assets=min(
            self._part_down(request.assets, shares, request.shares), self._to_assets_down(shares, equity, supply)
        ),
        shares=shares,
    )


@internal
@pure
def _to_shares_down(assets: uint256, equity: uint256, supply: uint256) -> uint256:
    return assets * (supply + VIRTUAL_SHARES) // (equity + 1)


@internal
@pure
def _to_assets_down(shares: uint256, equity: uint256, supply: uint256) -> uint256:
    return shares * (equity + 1) // (supply + VIRTUAL_SHARES)


@internal
@pure
def _part_down(amount: uint256, part: uint256, whole: uint256) -> uint256:
    return amount * part // whole


@internal
@pure
def _ceil_div(numerator: uint256, denominator: uint256) -> uint256:
    # Safe: a denominator is never 0 (it is what a claim of at least 1 is part of).
    return unsafe_add(unsafe_div(numerator, denominator), convert(numerator % denominator != 0, uint256))


@internal
@view
def _minimum() -> uint256:
    """
    @notice The least a request must be worth, raw units of M: min_margin, so that nobody clogs a queue with dust.
    """
    return max(1, parameters._min_margin(staticcall IRiskParameters(RISK_PARAMETERS).limits()))


# Claims


@internal
@view
def _check_claim(controller: address, receiver: address, amount: uint256, claimable: uint256):
    self._check_caller(controller)
    self._check_receiver(receiver)
    assert amount != 0, "pool: zero amount"
    assert amount <= claimable, "pool: more than claimable"


@internal
def _claim_shares(controller: address, receiver: address, assets: uint256, shares: uint256):
    """
    @notice Hand out shares of executed deposits.
    """
    self._bought[controller] = self._minus(self._bought[controller], assets, shares)
    log IERC4626.Deposit(sender=controller, owner=receiver, assets=assets, shares=shares)
    erc20._transfer(self, receiver, shares)


@internal
def _claim_assets(controller: address, receiver: address, assets: uint256, shares: uint256):
    """
    @notice Hand out tokens of executed redemptions.
    """
    self._sold[controller] = self._minus(self._sold[controller], assets, shares)
    log IERC4626.Withdraw(sender=msg.sender, receiver=receiver, owner=controller, assets=assets, shares=shares)
    self._send(receiver, assets)


@internal
def _send(receiver: address, amount: uint256):
    done: bool = extcall IERC20(asset).transfer(receiver, amount, default_return_value=True)
    assert done, "pool: transfer failed"


@internal
@view
def _check_caller(controller: address):
    assert msg.sender == controller or self.isOperator[controller][msg.sender], "pool: not the controller"


@internal
@view
def _check_controller(controller: address):
    assert controller not in [empty(address), self], "pool: no controller"


@internal
@view
def _check_receiver(receiver: address):
    assert receiver not in [empty(address), self], "pool: no receiver"


# Words


@internal
@view
def _deposit_due(queue: IPool.Queue) -> uint256:
    """
    @notice From when on the next deposit may execute.
    """
    if queue.deposits_done == queue.deposits_given:
        return max_value(uint256)
    return self._ticket(self._deposits[queue.deposits_done + 1]).requested_at + c.DEPOSIT_WAIT


@internal
@view
def _redemption_due(queue: IPool.Queue) -> uint256:
    """
    @notice From when on the next redemption may execute.
    """
    if queue.redemptions_done == queue.redemptions_given:
        return max_value(uint256)
    return self._ticket(self._redemptions[queue.redemptions_done + 1]).requested_at + c.REDEMPTION_WAIT


@internal
@view
def _load_queue() -> IPool.Queue:
    word: uint256 = self._queue
    return IPool.Queue(
        deposits_given=word & (2**40 - 1),
        deposits_done=(word >> 40) & (2**40 - 1),
        redemptions_given=(word >> 80) & (2**40 - 1),
        redemptions_done=(word >> 120) & (2**40 - 1),
        queued_redemptions=word >> 160,
    )


@internal
def _store_queue(queue: IPool.Queue):
    """
    @dev Fits: a trillion requests are out of reach, and what is queued is kept below 2^96.
    """
    self._queue = (
        queue.deposits_given
        | (queue.deposits_done << 40)
        | (queue.redemptions_given << 80)
        | (queue.redemptions_done << 120)
        | (queue.queued_redemptions << 160)
    )


@internal
@view
def _ticket_words(controller: address, pair: Pair) -> uint256[2]:
    """
    @notice A request made now.
    """
    return [convert(controller, uint256) | (block.timestamp << 160), self._word(pair)]


@internal
@pure
def _ticket(words: uint256[2]) -> IPool.Ticket:
    """
    @notice A request out of its two words.
    """
    pair: Pair = self._pair(words[1])
    return IPool.Ticket(
        controller=convert(words[0] & (2**160 - 1), address),
        requested_at=words[0] >> 160,
        assets=pair.assets,
        shares=pair.shares,
    )


@internal
@pure
def _pair(word: uint256) -> Pair:
    return Pair(assets=word & (2**112 - 1), shares=word >> 112)


@internal
@pure
def _word(pair: Pair) -> uint256:
    assert pair.assets < 2**112 and pair.shares < 2**144, "pool: amount too large"
    return pair.assets | (pair.shares << 112)


@internal
@pure
def _plus(word: uint256, assets: uint256, shares: uint256) -> uint256:
    """
    @notice A packed pair with more of both.
    """
    pair: Pair = self._pair(word)
    return self._word(Pair(assets=pair.assets + assets, shares=pair.shares + shares))


@internal
@pure
def _minus(word: uint256, assets: uint256, shares: uint256) -> uint256:
    """
    @notice A packed pair with less of both.
    """
    pair: Pair = self._pair(word)
    return self._word(Pair(assets=pair.assets - assets, shares=pair.shares - shares))
