import boa
import pytest

from everstock.chain.in_process import events

from .custody import DAILY_LIMIT, DAY, MAX_DAILY_LIMIT, NOT_OWNER, TOKEN, UINT256_MAX


@pytest.mark.parametrize("limit", [0, 1, DAILY_LIMIT, MAX_DAILY_LIMIT])
def test_set_daily_limit__writes_and_says_so(vault, owner, limit):
    vault.set_daily_limit(limit, sender=owner)
    (changed,) = events(vault, "DailyLimitChanged")
    assert (changed.previous, changed.current) == (DAILY_LIMIT, limit)
    assert vault.daily_limit() == vault.daily_limit_left() == limit


def test_set_daily_limit__raised__adds_the_difference_at_once(vault, custody, owner):
    custody.mint(DAILY_LIMIT)
    vault.set_daily_limit(3 * DAILY_LIMIT, sender=owner)
    assert vault.daily_limit_left() == 2 * DAILY_LIMIT


def test_set_daily_limit__lowered_below_what_was_minted__nothing_left_until_it_leaked(vault, custody, owner):
    custody.mint(DAILY_LIMIT)
    vault.set_daily_limit(DAILY_LIMIT // 2, sender=owner)
    assert vault.daily_limit_left() == 0
    boa.env.time_travel(seconds=DAY)
    assert vault.daily_limit_left() == 0
    boa.env.time_travel(seconds=DAY // 2)
    assert vault.daily_limit_left() == DAILY_LIMIT // 4
    with boa.reverts("stock_vault: over daily limit"):
        custody.mint(DAILY_LIMIT // 4 + 1)
    custody.mint(DAILY_LIMIT // 4)


def test_set_daily_limit__past_time_leaked_at_the_previous_limit(vault, custody, owner):
    custody.mint(DAILY_LIMIT)
    boa.env.time_travel(seconds=DAY // 2)
    vault.set_daily_limit(MAX_DAILY_LIMIT, sender=owner)
    assert vault.daily_limit_left() == MAX_DAILY_LIMIT - DAILY_LIMIT // 2


def test_set_daily_limit__down_and_up_again__frees_nothing(vault, custody, owner):
    custody.mint(DAILY_LIMIT)
    vault.set_daily_limit(0, sender=owner)
    vault.set_daily_limit(DAILY_LIMIT, sender=owner)
    assert vault.daily_limit_left() == 0


def test_set_daily_limit__zero__no_mint_gets_through(vault, custody, owner):
    vault.set_daily_limit(0, sender=owner)
    boa.env.time_travel(seconds=10 * DAY)
    with boa.reverts("stock_vault: over daily limit"):
        custody.mint(1)


def test_set_daily_limit__leaves_balances_alone(vault, custody, owner, participant):
    custody.mint(DAILY_LIMIT)
    vault.set_daily_limit(1, sender=owner)
    assert vault.balanceOf(participant) == vault.totalSupply() == DAILY_LIMIT


@pytest.mark.parametrize("limit", [MAX_DAILY_LIMIT + 1, UINT256_MAX])
def test_set_daily_limit__above_its_bound__reverts(vault, owner, limit):
    with boa.reverts("stock_vault: over max daily limit"):
        vault.set_daily_limit(limit, sender=owner)


@pytest.mark.parametrize("role", ["custodian", "participant", "outsider"])
def test_set_daily_limit__by_anyone_but_the_owner__reverts(vault, actors, role):
    with boa.reverts(NOT_OWNER):
        vault.set_daily_limit(TOKEN, sender=actors[role])
