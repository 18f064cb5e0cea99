import boa
import pytest

from everstock.chain.in_process import events

from .custody import TOKEN, UINT256_MAX, ZERO_ADDRESS


@pytest.fixture
def holder(custody, participant):
    custody.mint(10 * TOKEN)
    return participant


def test_transfer__to_anyone__free(vault, holder, outsider):
    assert vault.transfer(outsider, 4 * TOKEN, sender=holder) is True
    (transfer,) = events(vault, "Transfer")
    assert (transfer.sender, transfer.receiver, transfer.value) == (holder, outsider, 4 * TOKEN)
    assert (vault.balanceOf(holder), vault.balanceOf(outsider)) == (6 * TOKEN, 4 * TOKEN)


def test_transfer__between_outsiders__free(vault, holder, outsider):
    stranger = boa.env.generate_address("stranger")
    vault.transfer(outsider, TOKEN, sender=holder)
    vault.transfer(stranger, TOKEN, sender=outsider)
    assert vault.balanceOf(stranger) == TOKEN


def test_transfer__to_oneself__changes_nothing(vault, holder):
    vault.transfer(holder, 10 * TOKEN, sender=holder)
    assert vault.balanceOf(holder) == vault.totalSupply() == 10 * TOKEN


def test_transfer__zero__allowed_as_the_standard_says(vault, holder, outsider):
    assert vault.transfer(outsider, 0, sender=holder) is True
    assert vault.balanceOf(holder) == 10 * TOKEN


@pytest.mark.parametrize("amount", [10 * TOKEN + 1, UINT256_MAX])
def test_transfer__more_than_held__reverts(vault, holder, outsider, amount):
    with boa.reverts("erc20: transfer amount exceeds balance"):
        vault.transfer(outsider, amount, sender=holder)


def test_transfer__to_zero_address__reverts(vault, holder):
    with boa.reverts("erc20: transfer to the zero address"):
        vault.transfer(ZERO_ADDRESS, TOKEN, sender=holder)


def test_transfer_from__within_allowance__uses_it_up(vault, holder, outsider):
    vault.approve(outsider, 5 * TOKEN, sender=holder)
    assert vault.transferFrom(holder, outsider, 4 * TOKEN, sender=outsider) is True
    assert vault.balanceOf(outsider) == 4 * TOKEN
    assert vault.allowance(holder, outsider) == TOKEN


def test_transfer_from__unlimited_allowance__stays(vault, holder, outsider):
    vault.approve(outsider, UINT256_MAX, sender=holder)
    vault.transferFrom(holder, outsider, 4 * TOKEN, sender=outsider)
    assert vault.allowance(holder, outsider) == UINT256_MAX


@pytest.mark.parametrize("role", ["owner", "custodian", "outsider"])
def test_transfer_from__without_allowance__reverts(vault, holder, actors, role):
    taker = actors[role]
    with boa.reverts("erc20: insufficient allowance"):
        vault.transferFrom(holder, taker, 1, sender=taker)


def test_approve__replaces_the_allowance_and_says_so(vault, holder, outsider):
    vault.approve(outsider, TOKEN, sender=holder)
    assert vault.approve(outsider, 2 * TOKEN, sender=holder) is True
    (approval,) = events(vault, "Approval")
    assert (approval.owner, approval.spender, approval.value) == (holder, outsider, 2 * TOKEN)
    assert vault.allowance(holder, outsider) == 2 * TOKEN


def test_approve__zero_address__reverts(vault, holder):
    with boa.reverts("erc20: approve to the zero address"):
        vault.approve(ZERO_ADDRESS, TOKEN, sender=holder)
