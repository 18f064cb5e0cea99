import boa
import pytest

from .custody import DAILY_LIMIT, DAY, TOKEN, Custody


def test_daily_limit_left__nothing_minted__all_of_it(vault):
    boa.env.time_travel(seconds=100 * DAY)
    assert vault.daily_limit_left() == DAILY_LIMIT


@pytest.mark.parametrize("elapsed", [0, 1, 60, DAY // 2, DAY - 1, DAY, DAY + 1, 365 * DAY])
def test_daily_limit_left__grows_evenly_over_a_day_after_all_was_used(vault, custody, elapsed):
    custody.mint(DAILY_LIMIT)
    boa.env.time_travel(seconds=elapsed)
    assert vault.daily_limit_left() == DAILY_LIMIT * min(elapsed, DAY) // DAY


def test_daily_limit_left__mints_in_a_row__each_counts(vault, custody):
    custody.mint(DAILY_LIMIT // 2)
    boa.env.time_travel(seconds=DAY // 4)
    custody.mint(DAILY_LIMIT // 2)
    assert vault.daily_limit_left() == DAILY_LIMIT // 4


def test_daily_limit_left__unused_days_are_not_saved_up(vault, custody):
    custody.mint(TOKEN)
    boa.env.time_travel(seconds=30 * DAY)
    custody.mint(DAILY_LIMIT)
    assert vault.daily_limit_left() == 0


def test_daily_limit_left__a_limit_that_does_not_divide_the_day__rounds_against_the_minter(
    deploy_vault, owner, custodian, participant
):
    vault = deploy_vault(daily_limit_=DAY - 1)
    vault.set_participant(participant, True, sender=owner)
    Custody(vault, custodian, participant).mint(DAY - 1)
    boa.env.time_travel(seconds=1)
    assert vault.daily_limit_left() == 0
    boa.env.time_travel(seconds=1)
    assert vault.daily_limit_left() == 1


def test_daily_limit_left__does_not_look_at_the_pause(vault, owner):
    vault.set_mint_paused(True, sender=owner)
    assert vault.daily_limit_left() == DAILY_LIMIT
