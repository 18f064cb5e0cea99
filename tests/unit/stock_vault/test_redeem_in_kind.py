import boa
import pytest

from everstock.chain.in_process import events

from .custody import BROKER_ACCOUNT, DAILY_LIMIT, TOKEN, UINT256_MAX


def test_redeem_in_kind__burns_the_tokens(vault, custody, participant):
    custody.mint(10 * TOKEN)
    vault.redeem_in_kind(4 * TOKEN, BROKER_ACCOUNT, sender=participant)
    assert vault.balanceOf(participant) == vault.totalSupply() == 6 * TOKEN


def test_redeem_in_kind__events_tell_everything(vault, custody, participant):
    custody.mint(10 * TOKEN)
    vault.redeem_in_kind(4 * TOKEN, BROKER_ACCOUNT, sender=participant)
    (redeemed,) = events(vault, "RedeemedInKind")
    assert redeemed.redemption_id == 1
    assert redeemed.participant == participant
    assert redeemed.broker_account == BROKER_ACCOUNT
    assert redeemed.amount == 4 * TOKEN
    (transfer,) = events(vault, "Transfer")
    assert (transfer.sender, int(transfer.receiver, 16), transfer.value) == (participant, 0, 4 * TOKEN)


def test_redeem_in_kind__ids_count_up_from_one(vault, custody, participant):
    custody.mint(10 * TOKEN)
    ids = [vault.redeem_in_kind(TOKEN, BROKER_ACCOUNT, sender=participant) for _ in range(3)]
    assert ids == [1, 2, 3]
    assert vault.last_redemption_id() == 3


def test_redeem_in_kind__refused__takes_no_id(vault, custody, participant):
    custody.mint()
    with boa.reverts():
        vault.redeem_in_kind(2 * TOKEN, BROKER_ACCOUNT, sender=participant)
    assert vault.last_redemption_id() == 0


def test_redeem_in_kind__tokens_bought_from_somebody__works(vault, custody, owner, participant, outsider):
    custody.mint()
    vault.transfer(outsider, TOKEN, sender=participant)
    vault.set_participant(outsider, True, sender=owner)
    vault.redeem_in_kind(TOKEN, BROKER_ACCOUNT, sender=outsider)
    assert vault.totalSupply() == 0


def test_redeem_in_kind__by_an_outsider_who_holds_tokens__reverts(vault, custody, participant, outsider):
    custody.mint()
    vault.transfer(outsider, TOKEN, sender=participant)
    with boa.reverts("stock_vault: not a participant"):
        vault.redeem_in_kind(TOKEN, BROKER_ACCOUNT, sender=outsider)


def test_redeem_in_kind__by_the_owner__cannot_touch_others_tokens(vault, custody, owner):
    custody.mint()
    vault.set_participant(owner, True, sender=owner)
    with boa.reverts("erc20: burn amount exceeds balance"):
        vault.redeem_in_kind(TOKEN, BROKER_ACCOUNT, sender=owner)


def test_redeem_in_kind__zero_amount__reverts(vault, custody, participant):
    custody.mint()
    with boa.reverts("stock_vault: zero amount"):
        vault.redeem_in_kind(0, BROKER_ACCOUNT, sender=participant)


def test_redeem_in_kind__empty_broker_account__reverts(vault, custody, participant):
    custody.mint()
    with boa.reverts("stock_vault: empty broker account"):
        vault.redeem_in_kind(TOKEN, b"\x00" * 32, sender=participant)


@pytest.mark.parametrize("amount", [TOKEN + 1, UINT256_MAX])
def test_redeem_in_kind__more_than_held__reverts(vault, custody, participant, amount):
    custody.mint(TOKEN)
    with boa.reverts("erc20: burn amount exceeds balance"):
        vault.redeem_in_kind(amount, BROKER_ACCOUNT, sender=participant)


def test_redeem_in_kind__before_any_mint__reverts(vault, participant):
    with boa.reverts("erc20: burn amount exceeds balance"):
        vault.redeem_in_kind(1, BROKER_ACCOUNT, sender=participant)


def test_redeem_in_kind__minting_paused_and_limit_zero__works(vault, custody, owner, participant):
    custody.mint(TOKEN)
    vault.set_mint_paused(True, sender=owner)
    vault.set_daily_limit(0, sender=owner)
    vault.redeem_in_kind(TOKEN, BROKER_ACCOUNT, sender=participant)
    assert vault.totalSupply() == 0


def test_redeem_in_kind__gives_nothing_back_to_the_daily_limit(vault, custody, participant):
    custody.mint(DAILY_LIMIT)
    vault.redeem_in_kind(DAILY_LIMIT, BROKER_ACCOUNT, sender=participant)
    assert vault.daily_limit_left() == 0
    with boa.reverts("stock_vault: over daily limit"):
        custody.mint(1)
