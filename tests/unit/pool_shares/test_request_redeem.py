from fractions import Fraction

import boa
import pytest

from everstock.chain.in_process import events

from tests.liquidity import NEVER, ZERO_ADDRESS


def test_request_redeem__own_shares__escrowed_and_queued(protocol, pool, holder):
    shares = pool.balanceOf(holder)
    worth = pool.convertToAssets(shares // 2)
    assert pool.requestRedeem(shares // 2, holder, holder, sender=holder) == 0
    (request,) = events(pool.contract, "RedeemRequest")
    assert (request.controller, request.owner, request.requestId, request.sender, request.shares) == (
        holder,
        holder,
        0,
        holder,
        shares // 2,
    )
    (queued,) = events(pool.contract, "RedemptionQueued")
    assert (queued.ticket, queued.controller, queued.shares, queued.assets) == (1, holder, shares // 2, worth)

    assert pool.balanceOf(holder) == shares - shares // 2
    assert pool.balanceOf(pool.address) == shares // 2
    assert pool.totalSupply() == shares
    assert pool.pendingRedeemRequest(0, holder) == shares // 2
    assert pool.pendingRedeemRequest(1, holder) == 0
    assert pool.claimableRedeemRequest(0, holder) == 0
    assert tuple(pool.redemption_ticket(1)) == (holder, protocol.now, worth, shares // 2)
    assert pool.queue().queued_redemptions == worth


def test_request_redeem__several_of_one_controller__add_up_on_tickets_of_their_own(pool, holder):
    quarter = pool.balanceOf(holder) // 4
    assert [pool.request_redeem(holder, quarter) for _ in range(3)] == [1, 2, 3]
    assert pool.pendingRedeemRequest(0, holder) == 3 * quarter
    assert pool.queue().queued_redemptions == sum(pool.redemption_ticket(ticket).assets for ticket in (1, 2, 3))


def test_request_redeem__request_price__is_what_convert_to_assets_said(pool, holder, unit):
    pool.gain(7 * unit + 3)
    shares = pool.balanceOf(holder) // 3
    worth = pool.convertToAssets(shares)
    pool.request_redeem(holder, shares)
    assert pool.redemption_ticket(1).assets == worth


def test_request_redeem__with_an_allowance__uses_it_up(pool, holder, outsider):
    shares = pool.balanceOf(holder) // 2
    pool.approve(outsider, shares + 5, sender=holder)
    pool.requestRedeem(shares, outsider, holder, sender=outsider)
    assert pool.allowance(holder, outsider) == 5
    assert pool.pendingRedeemRequest(0, outsider) == shares
    with boa.reverts("erc20: insufficient allowance"):
        pool.requestRedeem(shares, outsider, holder, sender=outsider)


def test_request_redeem__with_an_unlimited_allowance__leaves_it(pool, holder, outsider):
    pool.approve(outsider, NEVER, sender=holder)
    pool.requestRedeem(pool.balanceOf(holder) // 2, outsider, holder, sender=outsider)
    assert pool.allowance(holder, outsider) == NEVER


def test_request_redeem__by_operator__needs_no_allowance_and_uses_none(pool, holder, outsider):
    pool.setOperator(outsider, True, sender=holder)
    pool.approve(outsider, 5, sender=holder)
    pool.requestRedeem(pool.balanceOf(holder) // 2, holder, holder, sender=outsider)
    assert pool.allowance(holder, outsider) == 5


def test_request_redeem__of_a_stranger__reverts(pool, holder, outsider):
    with boa.reverts("erc20: insufficient allowance"):
        pool.requestRedeem(pool.balanceOf(holder), outsider, holder, sender=outsider)


@pytest.mark.parametrize("controller", ["nobody", "the pool"])
def test_request_redeem__controller_that_could_not_claim__reverts(pool, holder, controller):
    address = ZERO_ADDRESS if controller == "nobody" else pool.address
    with boa.reverts("pool: no controller"):
        pool.requestRedeem(pool.balanceOf(holder), address, holder, sender=holder)


def test_request_redeem__zero__reverts(pool, holder):
    with boa.reverts("pool: zero amount"):
        pool.request_redeem(holder, 0)


def test_request_redeem__more_than_held__reverts(pool, holder):
    for shares in (pool.balanceOf(holder) + 1, NEVER):
        with boa.reverts("erc20: transfer amount exceeds balance"):
            pool.request_redeem(holder, shares)


def test_request_redeem__shares_already_escrowed__reverts(pool, holder):
    shares = pool.balanceOf(holder)
    pool.request_redeem(holder, shares)
    with boa.reverts("erc20: transfer amount exceeds balance"):
        pool.request_redeem(holder, shares)


def test_request_redeem__below_minimum__reverts(pool, holder):
    least = pool.convertToShares(pool.minimum)
    with boa.reverts("pool: below minimum"):
        pool.request_redeem(holder, least // 2)
    pool.request_redeem(holder, least + 10**6)


def test_request_redeem__all_that_is_held_though_below_minimum__works(pool, holder, outsider):
    dust = pool.convertToShares(pool.minimum // 2)
    pool.transfer(outsider, dust, sender=holder)
    assert pool.request_redeem(outsider, dust) == 1


def test_request_redeem__worth_less_than_one_unit__reverts(pool, holder, outsider):
    pool.transfer(outsider, 10**6 - 1, sender=holder)
    with boa.reverts("pool: worth nothing"):
        pool.request_redeem(outsider, 10**6 - 1)


def test_request_redeem__of_a_pool_worth_nothing__reverts(pool, holder):
    pool.lose(pool.totalAssets())
    pool.transfer(pool.protocol.actor("another holder"), 1, sender=holder)
    with boa.reverts("pool: worth nothing"):
        pool.request_redeem(holder, pool.balanceOf(holder) // 2)


def test_request_redeem__more_than_the_queue_counts__reverts(protocol, pool):
    whale = pool.provider("whale", Fraction(2**98, protocol.unit))
    for _ in range(2):
        pool.enter(whale, 2**96 - 1)
    half = pool.balanceOf(whale) // 2
    pool.request_redeem(whale, half)
    with boa.reverts("pool: amount too large"):
        pool.request_redeem(whale, half)


def test_request_redeem__in_settle_window__works(pool, holder):
    pool.open_settle_window()
    assert pool.request_redeem(holder, pool.balanceOf(holder)) == 1


def test_request_redeem__without_a_fresh_price__works(protocol, pool, holder):
    protocol.wait(86_400)
    assert pool.request_redeem(holder, pool.balanceOf(holder)) == 1


def test_request_redeem__once_made__cannot_be_taken_back(protocol, pool, holder):
    pool.request_redeem(holder, pool.balanceOf(holder))
    protocol.wait(365 * 86_400)
    with boa.reverts("pool: no request"):
        pool.cancel_deposit(1, holder, sender=holder)
    assert not [entry for entry in pool.abi if "cancel" in entry.get("name", "") and "deposit" not in entry["name"]]
