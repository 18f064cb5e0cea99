import boa
import pytest
from eth_account import Account
from eth_utils import keccak

from everstock.chain.in_process import events

from .custody import NAME, TOKEN, UINT256_MAX

PERMIT_TYPE = [
    {"name": "owner", "type": "address"},
    {"name": "spender", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]


@pytest.fixture
def holder():
    return Account.from_key(keccak(text="holder"))


@pytest.fixture
def permit(vault, holder, outsider):
    """Signs a permit of the holder for the outsider, and sends it; whatever is passed changes what is signed."""

    def send(deadline=None, signer=holder, value=TOKEN, nonce=0, **domain):
        deadline = boa.env.timestamp if deadline is None else deadline
        signed = signer.sign_typed_data(
            domain_data={
                "name": NAME,
                "version": "1",
                "chainId": boa.env.evm.patch.chain_id,
                "verifyingContract": vault.address,
            }
            | domain,
            message_types={"Permit": PERMIT_TYPE},
            message_data={
                "owner": holder.address,
                "spender": outsider,
                "value": value,
                "nonce": nonce,
                "deadline": deadline,
            },
        )
        r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
        vault.permit(holder.address, outsider, value, deadline, signed.v, r, s, sender=outsider)

    return send


@pytest.mark.parametrize("value", [0, 1, UINT256_MAX])
def test_permit__signed_by_the_holder__sets_the_allowance(vault, permit, holder, outsider, value):
    permit(value=value)
    (approval,) = events(vault, "Approval")
    assert (approval.owner, approval.spender, approval.value) == (holder.address, outsider, value)
    assert vault.allowance(holder.address, outsider) == value
    assert vault.nonces(holder.address) == 1


def test_permit__then_transfer_from__needs_no_transaction_of_the_holder(
    vault, custody, permit, participant, holder, outsider
):
    custody.mint()
    vault.transfer(holder.address, TOKEN, sender=participant)
    permit(value=TOKEN)
    vault.transferFrom(holder.address, outsider, TOKEN, sender=outsider)
    assert vault.balanceOf(outsider) == TOKEN


def test_permit__replayed__reverts(permit):
    permit()
    with boa.reverts("erc20: invalid signature"):
        permit(nonce=0)


def test_permit__expired__reverts(permit):
    with boa.reverts("erc20: expired deadline"):
        permit(deadline=boa.env.timestamp - 1)


def test_permit__signed_by_another__reverts(permit, custodian):
    with boa.reverts("erc20: invalid signature"):
        permit(signer=custodian)


@pytest.mark.parametrize(
    "domain",
    [
        {"name": "Nvidia, tokenized"},
        {"version": "2"},
        {"chainId": 8453},
        {"verifyingContract": "0x000000000000000000000000000000000000dEaD"},
    ],
    ids=lambda domain: next(iter(domain)),
)
def test_permit__signed_for_another_domain__reverts(permit, domain):
    with boa.reverts("erc20: invalid signature"):
        permit(**domain)


def test_permit__nonces_are_apart_from_attestation_nonces(vault, custody, permit, holder):
    custody.mint(nonce=0)
    permit(nonce=0)
    assert vault.nonces(holder.address) == 1
    assert not vault.is_nonce_used(1)
