# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy off
"""
@title One tokenized stock
@license AGPL-3.0-only
@notice See IStockVault for what each function does and why it reverts.
@dev No lock is needed: the one call that leaves this contract is the STATICCALL to an ERC-1271
     custodian, and all state changes come after it.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.tokens.interfaces import IERC20Permit
from snekmate.utils.interfaces import IERC5267
from interfaces import IStockVault

implements: IERC20
implements: IERC20Detailed
implements: IERC20Permit
implements: IERC5267
implements: IStockVault


from snekmate.auth import ownable
from snekmate.auth import ownable_2step
from snekmate.tokens import erc20
from snekmate.utils import eip712_domain_separator
from snekmate.utils import signature_checker

initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: erc20[ownable := ownable]
uses: eip712_domain_separator


exports: (
    # The token, as a holder sees it. Not `mint` and `set_minter` (the custodian's word is the only
    # way in), nor `burn` and `burn_from` (who burns without redeeming loses shares in custody).
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.transfer,
    erc20.approve,
    erc20.transferFrom,
    # Permit and the EIP-712 domain, which attestations share.
    erc20.nonces,
    erc20.permit,
    erc20.DOMAIN_SEPARATOR,
    eip712_domain_separator.eip712Domain,
    # The owner. Not `renounce_ownership`: a stolen custodian key must always be replaceable.
    ownable.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)


_DAY: constant(uint256) = 86_400  # seconds

_DECIMALS: constant(uint8) = 18

_EIP712_VERSION: constant(String[20]) = "1"

_ATTESTATION_TYPE_HASH: constant(bytes32) = keccak256(
    "Attestation(address participant,uint256 amount,bytes32 custody_reference,uint256 nonce,uint256 deadline)"
)


# The name of the token, and of its EIP-712 domain. Ours, not snekmate's, whose symbols end at five
# characters: "TSLA.M" has six.
name: public(immutable(String[50]))

# The symbol of the token.
symbol: public(immutable(String[20]))

# The most `daily_limit` may be set to, raw units a day.
MAX_DAILY_LIMIT: public(immutable(uint256))


# Whose signature mints; never zero, because that is what a signature of a wrong length "recovers" to.
custodian: public(address)

# The accounts that may mint and redeem in kind.
is_participant: public(HashMap[address, bool])

# The custody references that have backed a mint.
is_custody_reference_used: public(HashMap[bytes32, bool])

# Nonces used or cancelled, one bit each: nonce n is bit n % 256 of word n // 256.
_used_nonces: HashMap[uint256, uint256]

# The size of the leaky bucket, and what it leaks a day, raw units.
daily_limit: public(uint256)

# What was in the bucket at `_bucket_time`, raw units.
_bucket: uint256

# When `_bucket` was last written, Unix seconds.
_bucket_time: uint256

# Whether minting is stopped.
mint_paused: public(bool)

# The id of the latest redemption; ids count up from 1.
last_redemption_id: public(uint256)


@deploy
def __init__(
    name_: String[50],
    symbol_: String[20],
    owner_: address,
    custodian_: address,
    daily_limit_: uint256,
    max_daily_limit_: uint256,
):
    """
    @notice Deploys the token of one stock, without participants.
    @param name_ The name of the token and of its EIP-712 domain, such as "Tesla, tokenized".
    @param symbol_ Its symbol, such as "TSLA.M".
    @param owner_ Keeps the list of participants, the custodian, the daily limit and the pause.
    @param custodian_ Signs attestations.
    @param daily_limit_ Raw units a day.
    @param max_daily_limit_ What `daily_limit` can never be set above, raw units a day.
    @custom:reverts stock_vault: zero address
    @custom:reverts stock_vault: max daily limit too large
    @custom:reverts stock_vault: over max daily limit
    """
    assert owner_ != empty(address), "stock_vault: zero address"
    # Keeps daily_limit * elapsed far from overflow, so that no limit can block `set_daily_limit`.
    assert max_daily_limit_ <= convert(max_value(uint128), uint256), "stock_vault: max daily limit too large"

    name = name_
    symbol = symbol_
    MAX_DAILY_LIMIT = max_daily_limit_

    ownable.__init__()
    ownable_2step.__init__()
    erc20.__init__("", "", _DECIMALS, name_, _EIP712_VERSION)
    # snekmate makes the deployer a minter. The role opens nothing here; nobody is to be seen holding it.
    erc20.is_minter[msg.sender] = False
    log erc20.RoleMinterChanged(minter=msg.sender, status=False)

    self._set_custodian(custodian_)
    self._set_daily_limit(daily_limit_)
    ownable_2step._transfer_ownership(owner_)


@view
@external
def is_nonce_used(nonce: uint256) -> bool:
    return self._is_nonce_used(nonce)


@view
@external
def daily_limit_left() -> uint256:
    return self._daily_limit_left(self._bucket_now())


@view
@external
def hash_attestation(attestation: IStockVault.Attestation) -> bytes32:
    return self._hash_attestation(attestation)


@external
def mint_in_kind(attestation: IStockVault.Attestation, signature: Bytes[65]):
    assert not self.mint_paused, "stock_vault: minting paused"
    assert attestation.amount != 0, "stock_vault: zero amount"
    assert attestation.custody_reference != empty(bytes32), "stock_vault: empty custody reference"
    assert self.is_participant[attestation.participant], "stock_vault: not a participant"
    assert block.timestamp <= attestation.deadline, "stock_vault: expired attestation"
    assert not self._is_nonce_used(attestation.nonce), "stock_vault: replayed attestation"
    assert not self.is_custody_reference_used[attestation.custody_reference], "stock_vault: custody reference used"
    assert signature_checker._is_valid_signature_now(
        self.custodian, self._hash_attestation(attestation), signature
    ), "stock_vault: not the custodian's signature"

    bucket: uint256 = self._bucket_now()
    assert attestation.amount <= self._daily_limit_left(bucket), "stock_vault: over daily limit"

    self._use_nonce(attestation.nonce)
    self.is_custody_reference_used[attestation.custody_reference] = True
    self._write_bucket(bucket + attestation.amount)
    erc20._mint(attestation.participant, attestation.amount)

    log IStockVault.MintedInKind(
        participant=attestation.participant,
        custody_reference=attestation.custody_reference,
        submitter=msg.sender,
        amount=attestation.amount,
        nonce=attestation.nonce,
    )


@external
def redeem_in_kind(amount: uint256, broker_account: bytes32) -> uint256:
    assert self.is_participant[msg.sender], "stock_vault: not a participant"
    assert amount != 0, "stock_vault: zero amount"
    assert broker_account != empty(bytes32), "stock_vault: empty broker account"

    redemption_id: uint256 = self.last_redemption_id + 1
    self.last_redemption_id = redemption_id
    erc20._burn(msg.sender, amount)

    log IStockVault.RedeemedInKind(
        redemption_id=redemption_id,
        participant=msg.sender,
        broker_account=broker_account,
        amount=amount,
    )
    return redemption_id


@external
def cancel_attestation(nonce: uint256):
    assert msg.sender == self.custodian, "stock_vault: not the custodian"
    assert not self._is_nonce_used(nonce), "stock_vault: nonce already used"

    self._use_nonce(nonce)

    log IStockVault.AttestationCancelled(nonce=nonce)


@external
def set_participant(account: address, allowed: bool):
    ownable._check_owner()
    assert account != empty(address), "stock_vault: zero address"

    self.is_participant[account] = allowed

    log IStockVault.ParticipantChanged(account=account, allowed=allowed)


@external
def set_custodian(new_custodian: address):
    ownable._check_owner()
    self._set_custodian(new_custodian)


@external
def set_daily_limit(new_limit: uint256):
    ownable._check_owner()
    self._set_daily_limit(new_limit)


@external
def set_mint_paused(paused: bool):
    ownable._check_owner()

    self.mint_paused = paused

    log IStockVault.MintPauseChanged(paused=paused)


@internal
def _set_custodian(new_custodian: address):
    assert new_custodian != empty(address), "stock_vault: zero address"

    previous: address = self.custodian
    self.custodian = new_custodian

    log IStockVault.CustodianChanged(previous=previous, current=new_custodian)


@internal
def _set_daily_limit(new_limit: uint256):
    assert new_limit <= MAX_DAILY_LIMIT, "stock_vault: over max daily limit"

    # Up to now the bucket leaked at the previous limit.
    self._write_bucket(self._bucket_now())
    previous: uint256 = self.daily_limit
    self.daily_limit = new_limit

    log IStockVault.DailyLimitChanged(previous=previous, current=new_limit)


@view
@internal
def _bucket_now() -> uint256:
    """
    @notice What is in the bucket now, raw units, rounded up: against whoever mints.
    """
    leaked: uint256 = self.daily_limit * (block.timestamp - self._bucket_time) // _DAY
    bucket: uint256 = self._bucket
    # Safe: leaked < bucket in the branch that subtracts.
    return unsafe_sub(bucket, leaked) if leaked < bucket else 0


@view
@internal
def _daily_limit_left(bucket: uint256) -> uint256:
    """
    @notice The room above `bucket`, raw units; none while a lowered limit lies below it.
    """
    limit: uint256 = self.daily_limit
    # Safe: bucket < limit in the branch that subtracts.
    return unsafe_sub(limit, bucket) if bucket < limit else 0


@internal
def _write_bucket(bucket: uint256):
    self._bucket = bucket
    self._bucket_time = block.timestamp


@view
@internal
def _is_nonce_used(nonce: uint256) -> bool:
    return (self._used_nonces[nonce >> 8] & (1 << (nonce & 255))) != 0


@internal
def _use_nonce(nonce: uint256):
    self._used_nonces[nonce >> 8] |= 1 << (nonce & 255)


@view
@internal
def _hash_attestation(attestation: IStockVault.Attestation) -> bytes32:
    return eip712_domain_separator._hash_typed_data_v4(keccak256(abi_encode(_ATTESTATION_TYPE_HASH, attestation)))
