import boa
import pytest

from everstock.chain.in_process import events

from .custody import DAILY_LIMIT, MAX_DAILY_LIMIT, NAME, SYMBOL, UINT256_MAX, ZERO_ADDRESS

RUNTIME_LIMIT = 24_576
RUNTIME_SPARE = 1_500


def test_constructor__sets_what_it_was_told(deploy_vault, owner, custodian):
    vault = deploy_vault()
    assert vault.name() == NAME
    assert vault.symbol() == SYMBOL
    assert vault.decimals() == 18
    assert vault.owner() == owner
    assert vault.pending_owner() == ZERO_ADDRESS
    assert vault.custodian() == custodian.address
    assert vault.daily_limit() == vault.daily_limit_left() == DAILY_LIMIT
    assert vault.MAX_DAILY_LIMIT() == MAX_DAILY_LIMIT
    assert vault.totalSupply() == 0
    assert vault.last_redemption_id() == 0
    assert not vault.mint_paused()
    assert not vault.is_participant(owner)


def test_constructor__events_tell_the_first_custodian_and_limit(deploy_vault, custodian):
    vault = deploy_vault()
    (custodian_changed,) = events(vault, "CustodianChanged")
    assert (custodian_changed.previous, custodian_changed.current) == (ZERO_ADDRESS, custodian.address)
    (limit_changed,) = events(vault, "DailyLimitChanged")
    assert (limit_changed.previous, limit_changed.current) == (0, DAILY_LIMIT)


def test_constructor__longest_name_and_symbol__kept_whole(deploy_vault):
    vault = deploy_vault(name_="n" * 50, symbol_="s" * 20)
    assert (vault.name(), vault.symbol()) == ("n" * 50, "s" * 20)
    assert vault.eip712Domain()[1] == "n" * 50


def test_constructor__domain_is_name_version_chain_and_address(deploy_vault):
    vault = deploy_vault()
    fields, name, version, chain_id, contract, salt, extensions = vault.eip712Domain()
    assert (fields, name, version) == (b"\x0f", NAME, "1")
    assert (chain_id, contract) == (boa.env.evm.patch.chain_id, vault.address)
    assert (salt, extensions) == (b"\x00" * 32, [])


@pytest.mark.parametrize("role", ["owner_", "custodian_"])
def test_constructor__zero_address__reverts(deploy_vault, role):
    with boa.reverts("stock_vault: zero address"):
        deploy_vault(**{role: ZERO_ADDRESS})


def test_constructor__limit_above_its_bound__reverts(deploy_vault):
    with boa.reverts("stock_vault: over max daily limit"):
        deploy_vault(daily_limit_=MAX_DAILY_LIMIT + 1)


@pytest.mark.parametrize("bound", [2**128, UINT256_MAX])
def test_constructor__bound_above_uint128__reverts(deploy_vault, bound):
    with boa.reverts("stock_vault: max daily limit too large"):
        deploy_vault(max_daily_limit_=bound)


def test_constructor__largest_bound__never_overflows_the_leak(deploy_vault, owner):
    vault = deploy_vault(daily_limit_=2**128 - 1, max_daily_limit_=2**128 - 1)
    boa.env.time_travel(seconds=2**40)
    assert vault.daily_limit_left() == 2**128 - 1
    vault.set_daily_limit(1, sender=owner)
    assert vault.daily_limit_left() == 1


@pytest.mark.parametrize(
    "absent",
    [
        "mint",
        "burn",
        "burn_from",
        "set_minter",
        "is_minter",
        "renounce_ownership",
    ],
)
def test_constructor__no_way_in_but_attestation_and_no_way_out_but_redemption(deploy_vault, absent):
    assert not hasattr(deploy_vault(), absent)


def test_constructor__nobody_is_left_a_minter(deploy_vault):
    statuses = {event.minter: event.status for event in events(deploy_vault(), "RoleMinterChanged")}
    assert not any(statuses.values())


def test_constructor__runtime_code_leaves_room(deploy_vault):
    assert len(boa.env.get_code(deploy_vault().address)) <= RUNTIME_LIMIT - RUNTIME_SPARE
