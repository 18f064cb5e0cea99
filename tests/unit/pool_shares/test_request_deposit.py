import boa
import pytest
from eth_utils import keccak

from everstock.chain.in_process import events

from tests.liquidity import NEVER, ZERO_ADDRESS


def test_request_deposit__own_tokens__escrowed_and_queued(protocol, pool, alice, unit):
    held = protocol.token.balanceOf(alice)
    assert pool.requestDeposit(10 * unit, alice, alice, sender=alice) == 0
    (request,) = events(pool.contract, "DepositRequest")
    assert (request.controller, request.owner, request.requestId, request.sender, request.assets) == (
        alice,
        alice,
        0,
        alice,
        10 * unit,
    )
    (queued,) = events(pool.contract, "DepositQueued")
    assert (queued.ticket, queued.controller, queued.assets) == (1, alice, 10 * unit)

    assert protocol.token.balanceOf(alice) == held - 10 * unit
    assert pool.tokens() == 10 * unit
    assert pool.pendingDepositRequest(0, alice) == 10 * unit
    assert pool.claimableDepositRequest(0, alice) == 0
    assert tuple(pool.deposit_ticket(1)) == (alice, protocol.now, 10 * unit, 0)
    assert (pool.totalAssets(), pool.totalSupply()) == (0, 0)


def test_request_deposit__several_of_one_controller__add_up_on_tickets_of_their_own(pool, alice, bob, unit):
    tickets = [
        pool.request_deposit(alice, 10 * unit),
        pool.request_deposit(bob, 20 * unit),
        pool.request_deposit(alice, 30 * unit),
    ]
    assert tickets == [1, 2, 3]
    assert [pool.deposit_ticket(ticket).assets for ticket in tickets] == [10 * unit, 20 * unit, 30 * unit]
    assert pool.pendingDepositRequest(0, alice) == 40 * unit
    assert pool.pendingDepositRequest(1, alice) == 0


def test_request_deposit__for_another_controller__his(pool, alice, bob, unit):
    pool.requestDeposit(10 * unit, bob, alice, sender=alice)
    assert pool.pendingDepositRequest(0, alice) == 0
    assert pool.pendingDepositRequest(0, bob) == 10 * unit
    assert pool.deposit_ticket(1).controller == bob


def test_request_deposit__by_operator__takes_the_owners_tokens(protocol, pool, alice, outsider, unit):
    pool.setOperator(outsider, True, sender=alice)
    held = protocol.token.balanceOf(alice)
    pool.requestDeposit(10 * unit, outsider, alice, sender=outsider)
    (request,) = events(pool.contract, "DepositRequest")
    assert (request.controller, request.owner, request.sender) == (outsider, alice, outsider)
    assert protocol.token.balanceOf(alice) == held - 10 * unit


def test_request_deposit__by_former_operator__reverts(pool, alice, outsider, unit):
    pool.setOperator(outsider, True, sender=alice)
    pool.setOperator(outsider, False, sender=alice)
    with boa.reverts("pool: not the owner"):
        pool.requestDeposit(10 * unit, outsider, alice, sender=outsider)


def test_request_deposit__by_holder_of_a_token_allowance__reverts(protocol, pool, alice, outsider, unit):
    protocol.token.approve(outsider, NEVER, sender=alice)
    with boa.reverts("pool: not the owner"):
        pool.requestDeposit(10 * unit, outsider, alice, sender=outsider)


@pytest.mark.parametrize("controller", ["nobody", "the pool"])
def test_request_deposit__controller_that_could_not_claim__reverts(pool, alice, unit, controller):
    address = ZERO_ADDRESS if controller == "nobody" else pool.address
    with boa.reverts("pool: no controller"):
        pool.requestDeposit(10 * unit, address, alice, sender=alice)


def test_request_deposit__zero__reverts(pool, alice):
    with boa.reverts("pool: below minimum"):
        pool.request_deposit(alice, 0)


def test_request_deposit__below_minimum__reverts(pool, alice):
    with boa.reverts("pool: below minimum"):
        pool.request_deposit(alice, pool.minimum - 1)
    pool.request_deposit(alice, pool.minimum)


@pytest.mark.parametrize("assets", [2**96, NEVER])
def test_request_deposit__too_large__reverts(pool, alice, assets):
    with boa.reverts("pool: amount too large"):
        pool.request_deposit(alice, assets)


@pytest.mark.parametrize("assets, shares", [(2**112 - 1, 0), (0, 2**144 - 1)])
def test_request__more_pending_than_a_word_holds__reverts(protocol, pool, holder, unit, assets, shares):
    """No market comes near: it would take 65,536 deposits of the largest size."""
    layout = pool.compiler_data.storage_layout["storage_layout"]["pool_shares"]["_pending"]
    slot = int.from_bytes(keccak(layout["slot"].to_bytes(32) + int(holder, 16).to_bytes(32)))
    boa.env.set_storage(pool.address, slot, assets | shares << 112)
    protocol.token.mint(holder, unit)
    with boa.reverts("pool: amount too large"):
        if assets:
            pool.request_deposit(holder, unit)
        else:
            pool.request_redeem(holder, pool.balanceOf(holder))


def test_request_deposit__more_than_held__reverts(protocol, pool, alice):
    with pytest.raises(boa.BoaError):
        pool.request_deposit(alice, protocol.token.balanceOf(alice) + 1)
    assert pool.queue().deposits_given == 0


def test_request_deposit__without_approval__reverts(protocol, pool, alice, unit):
    protocol.token.approve(pool.address, 0, sender=alice)
    with pytest.raises(boa.BoaError):
        pool.request_deposit(alice, 10 * unit)
    assert pool.queue().deposits_given == 0


def test_request_deposit__token_that_returns_false__reverts(protocol, pool, alice, unit):
    protocol.token.set_refusing(True)
    with boa.reverts("pool: transfer failed"):
        pool.request_deposit(alice, 10 * unit)


def test_request_deposit__in_settle_window__works(pool, alice, unit):
    pool.open_settle_window()
    assert pool.request_deposit(alice, 10 * unit) == 1


def test_request_deposit__without_a_fresh_price__works(protocol, pool, alice, unit):
    protocol.wait(86_400)
    assert pool.request_deposit(alice, 10 * unit) == 1
