"""Shares as a token: ERC-20 and permit, from snekmate; here only what a pool adds or could break."""

import boa
import pytest
from eth_account import Account
from eth_utils import keccak

from everstock.chain.in_process import events

from tests.liquidity import NEVER

PERMIT_TYPE = [
    {"name": "owner", "type": "address"},
    {"name": "spender", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]


@pytest.fixture
def signer():
    return Account.from_key(keccak(text="signer"))


@pytest.fixture
def permit(pool, signer, outsider):
    """Signs the signer's permit of `value` shares for the outsider and sends it; `domain` changes what is signed."""

    def send(value, deadline=None, nonce=0, key=signer, **domain):
        deadline = boa.env.timestamp if deadline is None else deadline
        own = {
            "name": pool.name(),
            "version": "1",
            "chainId": boa.env.evm.patch.chain_id,
            "verifyingContract": pool.address,
        }
        signed = key.sign_typed_data(
            domain_data=own | domain,
            message_types={"Permit": PERMIT_TYPE},
            message_data={
                "owner": signer.address,
                "spender": outsider,
                "value": value,
                "nonce": nonce,
                "deadline": deadline,
            },
        )
        r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
        pool.permit(signer.address, outsider, value, deadline, signed.v, r, s, sender=outsider)

    return send


def test_transfer__shares__free_and_redeemable_by_the_receiver(pool, holder, outsider, unit):
    pool.transfer(outsider, pool.balanceOf(holder) // 2, sender=holder)
    (event,) = events(pool.contract, "Transfer")
    assert (event.sender, event.receiver) == (holder, outsider)
    assert pool.leave(outsider, pool.balanceOf(outsider)) == 50 * unit


def test_transfer__escrowed_shares__out_of_reach(pool, holder, outsider):
    pool.request_redeem(holder, pool.balanceOf(holder))
    with boa.reverts("erc20: transfer amount exceeds balance"):
        pool.transfer(outsider, 1, sender=holder)


def test_transfer_from__the_pools_own_shares__nobody_can(pool, holder, outsider):
    pool.request_redeem(holder, pool.balanceOf(holder))
    with boa.reverts("erc20: insufficient allowance"):
        pool.transferFrom(pool.address, outsider, 1, sender=outsider)


def test_transfer__to_the_pool__moves_no_price_and_feeds_no_claim(pool, holder, alice, unit):
    price = pool.price()
    pool.transfer(pool.address, pool.balanceOf(holder) // 2, sender=holder)
    assert pool.price() == price
    pool.enter(alice, 10 * unit)
    assert pool.maxMint(alice) == 0
    assert pool.price() == price


def test_permit__signed_by_the_holder__lets_another_request_a_redemption(pool, holder, signer, outsider, permit):
    shares = pool.balanceOf(holder)
    pool.transfer(signer.address, shares, sender=holder)
    permit(shares)
    assert pool.nonces(signer.address) == 1
    pool.requestRedeem(shares, outsider, signer.address, sender=outsider)
    assert pool.pendingRedeemRequest(0, outsider) == shares
    assert pool.allowance(signer.address, outsider) == 0


def test_permit__replayed__reverts(permit):
    permit(1)
    with boa.reverts("erc20: invalid signature"):
        permit(1)


def test_permit__expired__reverts(permit):
    with boa.reverts("erc20: expired deadline"):
        permit(NEVER, deadline=boa.env.timestamp - 1)


def test_permit__by_another_key__reverts(permit):
    with boa.reverts("erc20: invalid signature"):
        permit(1, key=Account.from_key(keccak(text="thief")))


def test_permit__for_the_other_pool__reverts(protocol, pool, permit):
    (other,) = {protocol.main_pool, protocol.insurance_pool} - {pool.contract}
    for domain in ({"verifyingContract": other.address}, {"name": other.name()}, {"chainId": 1 + pool_chain()}):
        with boa.reverts("erc20: invalid signature"):
            permit(1, **domain)


def test_eip712_domain__names_the_pool(pool):
    fields, name, version, chain_id, contract, *_ = pool.eip712Domain()
    assert (fields, name, version, contract) == (b"\x0f", pool.name(), "1", pool.address)
    assert chain_id == pool_chain()


def pool_chain():
    return boa.env.evm.patch.chain_id
