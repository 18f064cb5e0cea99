# pragma version 0.4.3
# pragma optimize gas
# pragma nonreentrancy on
"""
@title OrderDesk
@license AGPL-3.0-only
@notice See interfaces/IOrderDesk.vyi.
@dev Why the price of an order is nobody's choice: Pyth proves of every price when the one before it was published. If
     that was before the earliest request + DELAY of a batch, it was before every order's; so a price is the first of
     an order just when it was not published before that order's own request + DELAY.
     Why a conditional order gives nobody a look ahead: triggering it commits it to a price that is yet to be published, as
     a request does. All that whoever triggers it can choose is when, among the seconds at which it is right.
     Why a live order is firm: it could be taken back, or left to its deadline, by somebody who sees what its price will be. So it
     cannot be cancelled, and its deadline is never inside its window: `_place` and `_is_due` see to that.
     Why an account's live orders are executed in the order they went live: with margin for one of them only, whoever chose
     which comes first would choose which is filled, with their prices in sight.
     Ether: what the desk holds is the fees of orders that wait and refunds not claimed; ether forced on it stays.
"""

from interfaces import IClearingHouse
from interfaces import IOrderDesk
from interfaces import IPriceOracle
from interfaces import IRiskBook

from modules import series_book

from snekmate.utils import ecdsa
from snekmate.utils import eip712_domain_separator
from snekmate.utils.interfaces import IERC5267

implements: IERC5267
implements: IOrderDesk

initializes: eip712_domain_separator

# The domain of signed orders
exports: eip712_domain_separator.eip712Domain

# From a request to the last second of both its price and its execution.
EXEC_WINDOW: public(constant(uint256)) = 60
# The longest DELAY: half the window, so that the other half is left to bring the price.
MAX_DELAY: public(constant(uint256)) = 30
# So many of an account's orders may go live in a minute of the clock, hence twice as many be live: whoever executes the last has
# to execute all before it, in the 60 s that it has, and each may have a price of its own.
MAX_LIVE: public(constant(uint256)) = 8
# A price triggers an order until it is so old. Seconds: enough to bring one, too little to hold one back for a bad moment.
TRIGGER_MAX_AGE: public(constant(uint256)) = 15
# A conditional order waits at most so long, so that every fee comes back one day. Seconds.
MAX_WAIT: public(constant(uint256)) = 365 * 86_400

# The least fee is (BASE_GAS + LEG_GAS * legs) * base fee + FLAT_FEE. Measured, as whole transactions that bring both
# prices: one leg for an account without any 0.33M gas, with eight 0.59M; eight legs 0.88M; to which Pyth's verification
# on Base adds 0.3M (pyth-crosschain, pull request 1208: two feeds, thirteen guardians). So an account full of legs pays
# a sixth above cost, as the base fee may rise until the execution, and one with few legs more. A checkpoint that
# falls due is not counted: anyone may make it apart.
BASE_GAS: constant(uint256) = 1_000_000
LEG_GAS: constant(uint256) = 50_000
# For a conditional order's trigger, and the share of its fee that whoever triggers it gets. Measured with both prices, 0.32M
# gas; Pyth's verification adds 0.3M.
TRIGGER_GAS: constant(uint256) = 800_000
# Wei a transaction for what the base fee does not measure: the tip, Pyth's fee, and L1 data of some 1.8 kB compressed. With the
# formula of docs.base.org (Fjord, execution engine) and Base's scalars, about 0.0023 and 1.06, the data is 0.3e13 while
# Ethereum's base fee is 20 gwei and its blobs' 1 gwei.
FLAT_FEE: constant(uint256) = 10**13
# So much of the least fee of a market order must be left when an order is triggered: what an execution costs, for an account full
# of legs, too.
PAYS_PERCENT: constant(uint256) = 90
# Gas that must be left before an order is filled: more than the dearest trade (eight legs and the first checkpoint of
# 32 series, 1.7M measured) and the 64th part that a call leaves behind.
TRADE_GAS: constant(uint256) = 3_000_000
# Gas that goes with a returned fee: enough for a wallet that is a contract, too little to be a nuisance.
REFUND_GAS: constant(uint256) = 50_000

MAX_FACE: constant(int256) = 2**127 - 1
MAX_SERIES_ID: constant(uint256) = 2**16 - 1
MAX_PRICE: constant(uint256) = 2**64 - 1

# The last bit of a conditional order's trigger while it waits for that, not for its price.
ARMED: constant(uint256) = 2**255

# EIP-712, and what a wallet answers to a signature of its own (EIP-1271).
ORDER_TYPE_HASH: constant(bytes32) = keccak256(
    "Order(uint256 account,Leg[] legs,int128 limit,int128 mark_limit,bool reduce_only,uint256 deadline,uint256 underlying,uint256 above,uint256 below,uint256 salt,uint256 valid_until,address relayer)Leg(uint256 series,int256 face)"
)
LEG_TYPE_HASH: constant(bytes32) = keccak256("Leg(uint256 series,int256 face)")
IS_VALID_SIGNATURE: constant(bytes4) = 0x1626BA7E

CLEARING_HOUSE: public(immutable(address))
RISK_BOOK: immutable(address)
ORACLE: public(immutable(address))
# From a request to the first second its price may be published at: longer than whoever requests may know prices ahead
# of the chain's clock. Seconds.
DELAY: public(immutable(uint256))

# The market's underlyings at the oracle.
UNDERLYINGS: immutable(DynArray[uint256, 8])

# account -> nonce -> hash of the terms of an order that is waiting. Written out wherever it is needed: a function of its own would
# copy the order.
order_hash: public(HashMap[uint256, HashMap[uint256, bytes32]])

#  low to high bits
# | last nonce 64 | live until 32 | last live nonce 64 | live orders 8 |
# account -> its last order; the last that went live, with the last second of its window; and as of `_live_orders` then
_accounts: HashMap[uint256, uint256]

# account -> who may trade for its owner, beside the owner
is_delegate: public(HashMap[uint256, HashMap[address, bool]])

# account -> digest of a signed order -> whether it was relayed or revoked
is_spent: public(HashMap[uint256, HashMap[bytes32, bool]])

# payer -> fees that could not be returned, wei
refunds: public(HashMap[address, uint256])


@deploy
def __init__(
    clearing_house: address, risk_book: address, oracle: address, underlyings: DynArray[uint256, 8], delay: uint256
):
    """
    @param delay DELAY, from 1 to MAX_DELAY seconds.
    @dev Reverts with "order_desk: delay out of range".
    """
    assert delay != 0 and delay <= MAX_DELAY, "order_desk: delay out of range"
    eip712_domain_separator.__init__("Everstock OrderDesk", "1")
    CLEARING_HOUSE = clearing_house
    RISK_BOOK = risk_book
    ORACLE = oracle
    UNDERLYINGS = underlyings
    DELAY = delay


@payable
@external
@reentrant
def __default__():
    """
    @notice Takes back what the oracle did not need, in the middle of `trigger` or `execute`.
    """
    assert msg.sender == ORACLE, "order_desk: no ether"


# Orders


@payable
@external
def request(
    account: uint256,
    legs: DynArray[IRiskBook.OrderLeg, 8],
    limit: int128,
    mark_limit: int128,
    reduce_only: bool,
    deadline: uint256,
) -> uint256:
    self._only_trader(account, msg.sender)
    word: uint256 = self._accounts[account]
    order: IOrderDesk.Order = IOrderDesk.Order(
        account=account,
        nonce=self._next_nonce(word),
        legs=legs,
        limit=limit,
        mark_limit=mark_limit,
        reduce_only=reduce_only,
        deadline=deadline,
        trigger=0,
        requested_at=block.timestamp,
        follows=self._follows(account, word),
        fee=msg.value,
        payer=msg.sender,
    )
    self._place(order, word)
    return order.nonce


@payable
@external
def request_conditional(
    account: uint256,
    legs: DynArray[IRiskBook.OrderLeg, 8],
    limit: int128,
    mark_limit: int128,
    reduce_only: bool,
    deadline: uint256,
    underlying: uint256,
    above: uint256,
    below: uint256,
) -> uint256:
    self._only_trader(account, msg.sender)
    word: uint256 = self._accounts[account]
    order: IOrderDesk.Order = IOrderDesk.Order(
        account=account,
        nonce=self._next_nonce(word),
        legs=legs,
        limit=limit,
        mark_limit=mark_limit,
        reduce_only=reduce_only,
        deadline=deadline,
        trigger=self._armed(underlying, above, below),
        requested_at=block.timestamp,
        follows=0,
        fee=msg.value,
        payer=msg.sender,
    )
    self._place(order, word)
    return order.nonce


@payable
@external
def relay(order: IOrderDesk.SignedOrder, signer: address, signature: Bytes[1024]) -> uint256:
    self._only_trader(order.account, signer)
    assert order.relayer in [empty(address), msg.sender], "order_desk: not the relayer"
    assert block.timestamp <= order.valid_until, "order_desk: signature expired"
    digest: bytes32 = self._digest(order)
    self._spend(order.account, digest)
    assert self._has_signed(signer, digest, signature), "order_desk: wrong signature"

    word: uint256 = self._accounts[order.account]
    conditional: bool = order.above != 0 or order.below != 0
    placed: IOrderDesk.Order = IOrderDesk.Order(
        account=order.account,
        nonce=self._next_nonce(word),
        legs=order.legs,
        limit=order.limit,
        mark_limit=order.mark_limit,
        reduce_only=order.reduce_only,
        deadline=order.deadline,
        trigger=self._armed(order.underlying, order.above, order.below) if conditional else 0,
        requested_at=block.timestamp,
        follows=0 if conditional else self._follows(order.account, word),
        fee=msg.value,
        payer=msg.sender,
    )
    self._place(placed, word)
    return placed.nonce


@external
def revoke(account: uint256, digest: bytes32):
    self._only_trader(account, msg.sender)
    self._spend(account, digest)


@payable
@external
def trigger(orders: DynArray[IOrderDesk.Order, 8], updates: DynArray[Bytes[4096], 2]) -> DynArray[bool, 8]:
    held: uint256 = self.balance - msg.value
    # Before a price is paid for, so that whoever comes second, or for what was just taken back, loses little.
    waiting: bool = False
    for order: IOrderDesk.Order in orders:
        waiting = waiting or self._waits(order)
    assert waiting, "order_desk: unknown order"
    if len(updates) != 0:
        extcall IPriceOracle(ORACLE).update(UNDERLYINGS, updates, value=msg.value)
    assert staticcall IClearingHouse(CLEARING_HOUSE).is_trading(), "order_desk: market does not trade"

    words: DynArray[uint256, 8] = []
    restricted: bool = False
    for underlying: uint256 in UNDERLYINGS:
        word: uint256 = staticcall IPriceOracle(ORACLE).word(underlying)
        words.append(word)
        restricted = restricted or (word >> 176) & 1 != 0
        # Of all: who could leave out one that has moved, or is far from Chainlink, would trigger what cannot be executed then.
        assert block.timestamp <= self._published(word) + TRIGGER_MAX_AGE, "order_desk: stale price"

    earned: uint256 = 0
    triggered: DynArray[bool, 8] = []
    for order: IOrderDesk.Order in orders:
        # Again: it may be twice in the list.
        due: bool = self._waits(order) and self._is_due(order, words[(order.trigger >> 128) & 255], restricted)
        if due:
            earned += self._make_live(order)
        triggered.append(due)
    assert earned != 0, "order_desk: not triggered"

    # The shares, and what the oracle left of the value sent.
    self._pay(earned + self.balance - held)
    return triggered


@payable
@external
def execute(orders: DynArray[IOrderDesk.Order, 8], updates: DynArray[Bytes[4096], 2]) -> DynArray[bool, 8]:
    held: uint256 = self.balance - msg.value
    assert len(orders) != 0, "order_desk: no orders"
    waiting: DynArray[bool, 8] = []
    earliest: uint256 = max_value(uint256)
    earned: uint256 = 0
    for order: IOrderDesk.Order in orders:
        taken: bool = self._take(order)
        waiting.append(taken)
        if taken:
            assert order.trigger < ARMED, "order_desk: not triggered"
            assert block.timestamp >= order.requested_at + DELAY, "order_desk: too early"
            assert block.timestamp <= order.requested_at + EXEC_WINDOW, "order_desk: window missed"
            # Once what it follows can no longer be executed, nor can any before that.
            assert order.follows == 0 or not self._is_live(order.account, order.follows), "order_desk: not its turn"
            earliest = min(earliest, order.requested_at)
            earned += order.fee
    assert earliest != max_value(uint256), "order_desk: unknown order"

    # Of all underlyings, whichever are traded: margin depends on all, and who could leave one out would choose.
    words: DynArray[uint256, 8] = extcall IPriceOracle(ORACLE).first_prices(
        UNDERLYINGS, updates, earliest + DELAY, earliest + EXEC_WINDOW, value=msg.value
    )
    prices: uint256[2] = [0, 0]
    published: uint256 = 0
    prices, published = self._unpacked(words)
    executed: DynArray[bool, 8] = []
    for i: uint256 in range(len(orders), bound=8):
        if waiting[i]:
            assert published >= orders[i].requested_at + DELAY, "order_desk: not the first price"
            executed.append(self._fill(orders[i], prices))
        else:
            executed.append(False)

    # The fees, and what the oracle left of the value sent.
    self._pay(earned + self.balance - held)
    return executed


@external
def void(order: IOrderDesk.Order):
    assert self._take(order), "order_desk: unknown order"
    assert order.trigger >= ARMED or block.timestamp > order.requested_at + EXEC_WINDOW, "order_desk: window open"
    assert order.trigger == 0 or block.timestamp > order.deadline, "order_desk: may yet be triggered"
    log IOrderDesk.Voided(account=order.account, nonce=order.nonce)
    self._return_fee(order)


@external
def cancel(order: IOrderDesk.Order):
    self._only_trader(order.account, msg.sender)
    assert self._take(order), "order_desk: unknown order"
    assert self._waits_for_trigger(order), "order_desk: order is live"
    self._log_cancelled(order, "order_desk: taken back")
    self._return_fee(order)


@external
def claim_refund(receiver: address) -> uint256:
    assert receiver != empty(address), "order_desk: no receiver"
    amount: uint256 = self.refunds[msg.sender]
    assert amount != 0, "order_desk: nothing to claim"
    self.refunds[msg.sender] = 0
    log IOrderDesk.RefundClaimed(owner=msg.sender, receiver=receiver, amount=amount)
    done: bool = raw_call(receiver, b"", value=amount, revert_on_failure=False)
    assert done, "order_desk: refund failed"
    return amount


# Delegates


@external
def set_delegate(account: uint256, delegate: address, allowed: bool):
    assert self._owner(account) == msg.sender, "order_desk: not the owner"
    assert delegate != empty(address), "order_desk: no delegate"
    self.is_delegate[account][delegate] = allowed
    log IOrderDesk.DelegateSet(account=account, delegate=delegate, allowed=allowed)


# Views


@view
@external
def live_until(account: uint256) -> uint256:
    # The last to go live is the last to be executed.
    return self._until(self._follows(account, self._accounts[account]))


@view
@external
def last_nonce(account: uint256) -> uint256:
    return self._accounts[account] & (2**64 - 1)


@view
@external
def digest_of(order: IOrderDesk.SignedOrder) -> bytes32:
    return self._digest(order)


@view
@external
def min_fee(legs: uint256, base_fee: uint256 = block.basefee, conditional: bool = False) -> uint256:
    return self._min_fee(legs, base_fee, conditional)


# Steps of a request


@internal
def _place(order: IOrderDesk.Order, word: uint256):
    """
    @notice Let an order wait, the account's next.
    @param word What is stored of the account.
    """
    self._check_legs(order.legs)
    assert order.fee >= self._min_fee(len(order.legs), block.basefee, order.trigger != 0), "order_desk: fee too low"
    assert order.deadline >= block.timestamp + EXEC_WINDOW, "order_desk: deadline too early"
    assert self._are_open(order.legs, order.reduce_only), "order_desk: series not open"
    self.order_hash[order.account][order.nonce] = keccak256(abi_encode(order))
    if order.trigger == 0:
        assert self._live_orders(word) < MAX_LIVE, "order_desk: too many live orders"
        self._accounts[order.account] = self._went_live(word, order.nonce, order.nonce)
    else:
        assert order.deadline <= block.timestamp + MAX_WAIT, "order_desk: deadline too late"
        self._accounts[order.account] = word + 1
    log IOrderDesk.Requested(account=order.account, nonce=order.nonce, order=order)


@internal
@view
def _armed(underlying: uint256, above: uint256, below: uint256) -> uint256:
    """
    @notice A trigger that was not yet reached, as orders have it.
    """
    assert underlying < len(UNDERLYINGS), "order_desk: unknown underlying"
    assert above != 0 or below != 0, "order_desk: no trigger"
    assert above <= MAX_PRICE and below <= MAX_PRICE, "order_desk: trigger too large"
    assert above == 0 or below < above, "order_desk: triggers crossed"
    return ARMED | (underlying << 128) | (below << 64) | above


@internal
@pure
def _check_legs(legs: DynArray[IRiskBook.OrderLeg, 8]):
    """
    @notice Refuse what could never be filled, and what nobody could say how to fill.
    """
    assert len(legs) != 0, "order_desk: no legs"
    for i: uint256 in range(len(legs), bound=8):
        leg: IRiskBook.OrderLeg = legs[i]
        assert leg.series != 0 and leg.series <= MAX_SERIES_ID, "order_desk: unknown series"
        assert leg.face != 0, "order_desk: zero face"
        assert leg.face <= MAX_FACE and leg.face >= -MAX_FACE, "order_desk: face too large"
        for j: uint256 in range(i, bound=8):
            assert legs[j].series != leg.series, "order_desk: series twice"


@internal
@view
def _are_open(legs: DynArray[IRiskBook.OrderLeg, 8], reduce_only: bool) -> bool:
    """
    @notice Whether every leg's series may be traded as an order wants, now and as long as it lives: whoever requested for a
            series that could still be listed, as a call or a put, or opened again, would choose with the price in sight. What closes
            one binds later than an order lives (SeriesListing).
    """
    for leg: IRiskBook.OrderLeg in legs:
        words: uint256[3] = staticcall IRiskBook(RISK_BOOK).series_words(leg.series)
        notice: uint256 = words[2] >> 224
        if words[0] == 0 or notice == series_book.FROZEN or (notice != 0 and not reduce_only):
            return False
    return True


@internal
@pure
def _min_fee(legs: uint256, base_fee: uint256, conditional: bool) -> uint256:
    fee: uint256 = self._execution_gas(legs) * base_fee + FLAT_FEE
    if conditional:
        fee += TRIGGER_GAS * base_fee + FLAT_FEE
    return fee


@internal
@pure
def _execution_gas(legs: uint256) -> uint256:
    return BASE_GAS + LEG_GAS * legs


# Steps of a relay


@internal
@view
def _digest(order: IOrderDesk.SignedOrder) -> bytes32:
    """
    @notice What is signed of an order, by EIP-712.
    """
    legs: DynArray[bytes32, 8] = []
    for leg: IRiskBook.OrderLeg in order.legs:
        legs.append(keccak256(abi_encode(LEG_TYPE_HASH, leg.series, leg.face)))
    return eip712_domain_separator._hash_typed_data_v4(
        keccak256(
            abi_encode(
                ORDER_TYPE_HASH,
                order.account,
                # An encoded list is its offset, its length and its members.
                keccak256(slice(abi_encode(legs), 64, 32 * len(legs))),
                order.limit,
                order.mark_limit,
                order.reduce_only,
                order.deadline,
                order.underlying,
                order.above,
                order.below,
                order.salt,
                order.valid_until,
                order.relayer,
            )
        )
    )


@internal
def _spend(account: uint256, digest: bytes32):
    """
    @notice Let a signed order be of no more use.
    """
    assert not self.is_spent[account][digest], "order_desk: signature spent"
    self.is_spent[account][digest] = True
    log IOrderDesk.SignatureSpent(account=account, digest=digest, sender=msg.sender)


@internal
@view
def _has_signed(signer: address, digest: bytes32, signature: Bytes[1024]) -> bool:
    """
    @notice Whether a signature is a key's own, or a wallet says that it is its.
    """
    if not signer.is_contract:
        return len(signature) == 65 and ecdsa._recover_sig(digest, slice(signature, 0, 65)) == signer
    done: bool = False
    answer: Bytes[32] = b""
    done, answer = raw_call(
        signer,
        abi_encode(digest, signature, method_id=IS_VALID_SIGNATURE),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    return done and len(answer) == 32 and convert(answer, bytes32) == convert(IS_VALID_SIGNATURE, bytes32)


# Steps of a trigger


@internal
@view
def _is_due(order: IOrderDesk.Order, word: uint256, restricted: bool) -> bool:
    """
    @notice Whether the stored price triggers an order that waits.
    @param word The oracle's, of the underlying that the order names.
    @param restricted Whether the price of any underlying is too far from Chainlink for risk to be added.
    """
    if not self._waits_for_trigger(order) or block.timestamp + EXEC_WINDOW > order.deadline:
        return False
    if self._published(word) < order.requested_at + DELAY or (restricted and not order.reduce_only):
        return False
    # Else nobody but its trader would execute it, who could wait and see.
    left: uint256 = order.fee - self._trigger_share(order)
    if PAYS_PERCENT * self._min_fee(len(order.legs), block.basefee, False) > 100 * left:
        return False
    above: uint256 = order.trigger & MAX_PRICE
    below: uint256 = (order.trigger >> 64) & MAX_PRICE
    price: uint256 = word & (2**64 - 1)
    reached: bool = price <= below or (above != 0 and price >= above)
    return (
        reached
        and self._are_open(order.legs, order.reduce_only)
        and self._live_orders(self._accounts[order.account]) < MAX_LIVE
    )


@internal
@pure
def _published(word: uint256) -> uint256:
    """
    @notice When a price was published, given as the oracle's word.
    """
    return (word >> 64) & (2**32 - 1)


@internal
@pure
def _trigger_share(order: IOrderDesk.Order) -> uint256:
    """
    @notice What of an order's fee goes to whoever triggers it, wei.
    """
    return order.fee * TRIGGER_GAS // (TRIGGER_GAS + self._execution_gas(len(order.legs)))


@internal
def _make_live(order: IOrderDesk.Order) -> uint256:
    """
    @notice Make a conditional order a market order of now.
    @return What whoever does so earns, wei.
    """
    share: uint256 = self._trigger_share(order)
    live: IOrderDesk.Order = order
    live.trigger = order.trigger & (ARMED - 1)
    live.requested_at = block.timestamp
    word: uint256 = self._accounts[order.account]
    live.follows = self._follows(order.account, word)
    live.fee = order.fee - share
    self.order_hash[order.account][order.nonce] = keccak256(abi_encode(live))
    self._accounts[order.account] = self._went_live(word, order.nonce, word & (2**64 - 1))
    log IOrderDesk.Triggered(account=order.account, nonce=order.nonce, sender=msg.sender, order=live)
    return share


# Steps of an execution


@internal
@pure
def _unpacked(words: DynArray[uint256, 8]) -> (uint256[2], uint256):
    """
    @notice The oracle's answer as prices per underlying of the market, and when the oldest was published.
    """
    prices: uint256[2] = [0, 0]
    published: uint256 = max_value(uint256)
    for i: uint256 in range(len(words), bound=2):
        prices[i] = words[i] & (2**64 - 1)
        published = min(published, words[i] >> 64)
    return prices, published


@internal
def _fill(order: IOrderDesk.Order, prices: uint256[2]) -> bool:
    """
    @notice Trade an order that was taken, or cancel it for a reason of the trader's own; any other reverts.
    @return Whether it was traded.
    """
    # So that no choice of a gas limit decides how an order ends.
    assert msg.gas >= TRADE_GAS, "order_desk: not enough gas"
    legs: IRiskBook.OrderLeg[8] = empty(IRiskBook.OrderLeg[8])
    for i: uint256 in range(len(order.legs), bound=8):
        legs[i] = order.legs[i]
    done: bool = False
    answer: Bytes[132] = b""
    done, answer = raw_call(
        CLEARING_HOUSE,
        abi_encode(
            order.account,
            legs,
            prices,
            convert(order.limit, int256),
            convert(order.mark_limit, int256),
            order.reduce_only,
            method_id=method_id("trade(uint256,(uint256,int256)[8],uint256[2],int256,int256,bool)"),
        ),
        max_outsize=132,
        revert_on_failure=False,
    )
    if done:
        log IOrderDesk.Executed(
            account=order.account,
            nonce=order.nonce,
            executor=msg.sender,
            prices=prices,
            total=extract32(answer, 0, output_type=int256),
        )
        return True
    if not self._is_traders_own(answer):
        raw_revert(answer)
    self._log_cancelled(order, abi_decode(slice(answer, 4, len(answer) - 4), String[64]))
    return False


@internal
@pure
def _is_traders_own(answer: Bytes[132]) -> bool:
    """
    @notice Whether a trade was refused for a reason of the trader's own ("trade: "), not by a guard or for want of gas.
    @dev Nobody can forge one: a trade calls the risk book, and that reads the oracle's storage; nothing that a token, a
         trader or whoever executes has a part in.
    """
    # Error(string): selector 4 | offset 32 | length 32 | text.
    if len(answer) < 100 or slice(answer, 0, 4) != method_id("Error(string)"):
        return False
    return slice(answer, 68, 7) == b"trade: "


@internal
def _log_cancelled(order: IOrderDesk.Order, reason: String[64]):
    log IOrderDesk.Cancelled(account=order.account, nonce=order.nonce, sender=msg.sender, reason=reason)


# Steps shared by several actions


@internal
@pure
def _next_nonce(word: uint256) -> uint256:
    return (word & (2**64 - 1)) + 1


@internal
@pure
def _last_live(word: uint256) -> uint256:
    """
    @notice The last of an account's orders that went live, as `follows` has it.
    """
    return (word >> 64) & (2**96 - 1)


@internal
@pure
def _until(live: uint256) -> uint256:
    """
    @notice The last second of the window of an order that went live, given as of `follows`.
    """
    return live & (2**32 - 1)


@internal
@view
def _is_live(account: uint256, live: uint256) -> bool:
    """
    @notice Whether an order that went live, given as of `follows`, may still be executed.
    """
    return block.timestamp <= self._until(live) and self.order_hash[account][live >> 32] != empty(bytes32)


@internal
@view
def _follows(account: uint256, word: uint256) -> uint256:
    """
    @notice What an order follows that goes live now.
    @param word What is stored of its account.
    """
    last: uint256 = self._last_live(word)
    return last if self._is_live(account, last) else 0


@internal
@view
def _live_orders(word: uint256) -> uint256:
    """
    @notice How many of an account's orders went live in this minute of the clock, of EXEC_WINDOW seconds.
    """
    # The last did so an EXEC_WINDOW before its window's end.
    is_now: bool = self._until(self._last_live(word)) // EXEC_WINDOW == block.timestamp // EXEC_WINDOW + 1
    return word >> 160 if is_now else 0


@internal
@view
def _went_live(word: uint256, nonce: uint256, last: uint256) -> uint256:
    """
    @notice What to store of an account as one of its orders goes live.
    @param last Nonce of its last order.
    """
    return last | ((block.timestamp + EXEC_WINDOW) << 64) | (nonce << 96) | ((self._live_orders(word) + 1) << 160)


@internal
@view
def _waits(order: IOrderDesk.Order) -> bool:
    """
    @notice Whether an order waits, with just these terms.
    """
    return self.order_hash[order.account][order.nonce] == keccak256(abi_encode(order))


@internal
@view
def _waits_for_trigger(order: IOrderDesk.Order) -> bool:
    """
    @notice Whether an order that waits does so for a price to trigger it: conditional, and not triggered or in vain.
    """
    if order.trigger >= ARMED:
        return True
    return order.trigger != 0 and block.timestamp > order.requested_at + EXEC_WINDOW


@internal
def _take(order: IOrderDesk.Order) -> bool:
    """
    @notice Remove an order from those that wait.
    @return Whether it waited, with just these terms.
    """
    if self.order_hash[order.account][order.nonce] != keccak256(abi_encode(order)):
        return False
    self.order_hash[order.account][order.nonce] = empty(bytes32)
    return True


@internal
def _pay(amount: uint256):
    """
    @notice Send the caller ether it earned.
    """
    done: bool = raw_call(msg.sender, b"", value=amount, revert_on_failure=False)
    assert done, "order_desk: payment failed"


@internal
def _return_fee(order: IOrderDesk.Order):
    """
    @notice Send the fee back to who paid it, or keep it for them.
    """
    done: bool = raw_call(order.payer, b"", value=order.fee, gas=REFUND_GAS, revert_on_failure=False)
    if not done:
        self.refunds[order.payer] += order.fee
        log IOrderDesk.RefundKept(owner=order.payer, amount=order.fee)


@internal
@view
def _only_trader(account: uint256, who: address):
    """
    @notice Refuse whoever may not trade for an account.
    """
    assert who == self._owner(account) or self.is_delegate[account][who], "order_desk: neither owner nor delegate"


@internal
@pure
def _owner(account: uint256) -> address:
    return convert(account >> 96, address)
