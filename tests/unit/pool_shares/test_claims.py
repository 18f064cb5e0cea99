"""`deposit` and `mint` hand out shares, `redeem` and `withdraw` tokens, of what was executed."""

import boa
import pytest

from everstock.chain.in_process import events

from tests.liquidity import NEVER, VIRTUAL_SHARES, ZERO_ADDRESS


@pytest.fixture
def bought(pool, alice, unit):
    """Alice has the shares of 10 tokens to claim."""
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    pool.fulfil(1, 0)
    return pool.maxMint(alice)


@pytest.fixture
def sold(pool, holder):
    """The holder has 50 tokens to claim."""
    pool.request_redeem(holder, pool.balanceOf(holder) // 2)
    pool.pass_redemption_wait()
    pool.fulfil(0, 1)
    return pool.maxRedeem(holder)


CLAIMS = ["deposit", "mint", "redeem", "withdraw"]


def claim(pool, function, amount, receiver, controller, sender):
    return getattr(pool, function)(amount, receiver, controller, sender=sender)


@pytest.fixture
def claimer(alice, holder, bought, sold):
    """Who may claim by each function."""
    return {"deposit": alice, "mint": alice, "redeem": holder, "withdraw": holder}


def most(pool, function, controller):
    return getattr(pool, f"max{function.capitalize()}")(controller)


# Shares


def test_deposit__all__hands_out_all_shares(pool, alice, bought, unit):
    assert pool.deposit(10 * unit, alice, alice, sender=alice) == bought == 10 * unit * VIRTUAL_SHARES
    (event,) = events(pool.contract, "Deposit")
    assert (event.sender, event.owner, event.assets, event.shares) == (alice, alice, 10 * unit, bought)
    assert pool.balanceOf(alice) == bought
    assert pool.balanceOf(pool.address) == 0
    assert pool.claimableDepositRequest(0, alice) == pool.maxDeposit(alice) == pool.maxMint(alice) == 0


def test_deposit__two_arguments__claims_the_callers_own(pool, alice, outsider, bought, unit):
    pool.deposit(4 * unit, outsider, sender=alice)
    (event,) = events(pool.contract, "Deposit")
    assert (event.sender, event.owner) == (alice, outsider)
    assert pool.balanceOf(outsider) == 4 * bought // 10


def test_deposit__part__in_proportion_rounded_down(pool, holder, alice, unit):
    pool.gain(unit // 3)
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    pool.fulfil(1, 0)
    assets, shares = pool.maxDeposit(alice), pool.maxMint(alice)
    assert pool.deposit(7, alice, sender=alice) == 7 * shares // assets
    assert (pool.maxDeposit(alice), pool.maxMint(alice)) == (assets - 7, shares - 7 * shares // assets)


def test_deposit__of_requests_at_different_prices__shares_the_average(pool, holder, alice, unit):
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    pool.fulfil(1, 0)
    pool.gain(110 * unit)
    pool.request_deposit(alice, 10 * unit)
    pool.pass_deposit_wait()
    pool.fulfil(1, 0)
    assert pool.deposit(10 * unit, alice, sender=alice) == pytest.approx(7.5 * unit * VIRTUAL_SHARES, rel=1e-9)


def test_mint__two_arguments__claims_the_callers_own(pool, alice, bought, unit):
    assert pool.mint(bought // 2, alice, sender=alice) == 5 * unit
    (event,) = events(pool.contract, "Deposit")
    assert (event.sender, event.owner, event.assets, event.shares) == (alice, alice, 5 * unit, bought // 2)
    assert pool.mint(bought - bought // 2, alice, alice, sender=alice) == 5 * unit
    assert pool.maxDeposit(alice) == pool.maxMint(alice) == 0


def test_mint__part__uses_up_assets_rounded_up(pool, alice, bought, unit):
    assert pool.mint(1, alice, sender=alice) == 1
    assert (pool.maxDeposit(alice), pool.maxMint(alice)) == (10 * unit - 1, bought - 1)


def test_mint__shares_left_after_rounding__still_claimable(pool, alice, bought, unit):
    pool.deposit(10 * unit - 1, alice, sender=alice)
    left = pool.maxMint(alice)
    pool.mint(1, alice, sender=alice)
    assert (pool.maxDeposit(alice), pool.maxMint(alice)) == (0, left - 1)
    assert pool.mint(left - 1, alice, sender=alice) == 0
    assert pool.balanceOf(alice) == bought


# Tokens


def test_redeem__all__hands_out_all_tokens(protocol, pool, holder, outsider, sold, unit):
    assert pool.redeem(sold, outsider, holder, sender=holder) == 50 * unit
    (event,) = events(pool.contract, "Withdraw")
    assert (event.sender, event.receiver, event.owner, event.assets, event.shares) == (
        holder,
        outsider,
        holder,
        50 * unit,
        sold,
    )
    assert protocol.token.balanceOf(outsider) == 50 * unit
    assert pool.tokens() == 0
    assert pool.claimableRedeemRequest(0, holder) == pool.maxRedeem(holder) == pool.maxWithdraw(holder) == 0


def test_redeem__part__in_proportion_rounded_down(pool, holder, sold, unit):
    assert pool.redeem(sold // 3, holder, holder, sender=holder) == 50 * unit * (sold // 3) // sold


def test_withdraw__part__uses_up_shares_rounded_up(protocol, pool, holder, sold, unit):
    assert pool.withdraw(7, holder, holder, sender=holder) == -(-7 * sold // (50 * unit))
    assert pool.maxWithdraw(holder) == 50 * unit - 7
    assert protocol.token.balanceOf(holder) == 7
    assert pool.withdraw(50 * unit - 7, holder, holder, sender=holder) == sold - -(-7 * sold // (50 * unit))
    assert pool.maxRedeem(holder) == 0


def test_withdraw__tokens_left_after_rounding__still_claimable(pool, holder, sold, unit):
    pool.redeem(sold - 1, holder, holder, sender=holder)
    assert (pool.maxRedeem(holder), pool.maxWithdraw(holder)) == (1, 1)
    assert pool.withdraw(1, holder, holder, sender=holder) == 1


def test_redeem__receiver_the_token_refuses__stays_claimable_to_another(protocol, pool, holder, outsider, sold, unit):
    protocol.token.set_refusing(True)
    for function in ("redeem", "withdraw"):
        with boa.reverts("pool: transfer failed"):
            claim(pool, function, 1, holder, holder, holder)
    protocol.token.set_refusing(False)
    assert pool.redeem(sold, outsider, holder, sender=holder) == 50 * unit


# All four


@pytest.mark.parametrize("function", CLAIMS)
def test_claim__by_operator__to_wherever_he_likes(pool, claimer, outsider, function):
    controller = claimer[function]
    pool.setOperator(outsider, True, sender=controller)
    claim(pool, function, most(pool, function, controller), outsider, controller, outsider)
    assert most(pool, function, controller) == 0


@pytest.mark.parametrize("function", CLAIMS)
def test_claim__by_anyone_else__reverts(pool, claimer, outsider, function):
    with boa.reverts("pool: not the controller"):
        claim(pool, function, 1, outsider, claimer[function], outsider)


@pytest.mark.parametrize("function", CLAIMS)
def test_claim__by_holder_of_an_allowance__reverts(protocol, pool, claimer, outsider, function):
    pool.approve(outsider, NEVER, sender=claimer[function])
    protocol.token.approve(outsider, NEVER, sender=claimer[function])
    with boa.reverts("pool: not the controller"):
        claim(pool, function, 1, outsider, claimer[function], outsider)


@pytest.mark.parametrize("function", CLAIMS)
def test_claim__zero__reverts(pool, claimer, function):
    with boa.reverts("pool: zero amount"):
        claim(pool, function, 0, claimer[function], claimer[function], claimer[function])


@pytest.mark.parametrize("function", CLAIMS)
def test_claim__more_than_claimable__reverts(pool, claimer, function):
    controller = claimer[function]
    for amount in (most(pool, function, controller) + 1, NEVER):
        with boa.reverts("pool: more than claimable"):
            claim(pool, function, amount, controller, controller, controller)


@pytest.mark.parametrize("function", CLAIMS)
def test_claim__twice__reverts(pool, claimer, function):
    controller = claimer[function]
    amount = most(pool, function, controller)
    claim(pool, function, amount, controller, controller, controller)
    with boa.reverts("pool: more than claimable"):
        claim(pool, function, amount, controller, controller, controller)


@pytest.mark.parametrize("function", CLAIMS)
def test_claim__what_still_waits__reverts(pool, bob, holder, unit, function):
    pool.request_deposit(bob, unit)
    pool.request_redeem(holder, pool.balanceOf(holder))
    for controller in (bob, holder):
        with boa.reverts("pool: more than claimable"):
            claim(pool, function, 1, controller, controller, controller)


@pytest.mark.parametrize("receiver", ["nobody", "the pool"])
@pytest.mark.parametrize("function", CLAIMS)
def test_claim__receiver_that_would_lose_it__reverts(pool, claimer, function, receiver):
    address = ZERO_ADDRESS if receiver == "nobody" else pool.address
    with boa.reverts("pool: no receiver"):
        claim(pool, function, 1, address, claimer[function], claimer[function])


@pytest.mark.parametrize("function", CLAIMS)
def test_claim__in_settle_window_without_a_price__works(protocol, pool, claimer, function):
    pool.open_settle_window()
    protocol.wait(300)
    controller = claimer[function]
    claim(pool, function, most(pool, function, controller), controller, controller, controller)


@pytest.mark.parametrize("function", CLAIMS)
def test_claim__moves_no_share_price(pool, claimer, function):
    before = pool.totalAssets(), pool.totalSupply()
    controller = claimer[function]
    claim(pool, function, most(pool, function, controller) // 3, controller, controller, controller)
    assert (pool.totalAssets(), pool.totalSupply()) == before
