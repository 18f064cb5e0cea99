import boa
import pytest

from everstock.chain.in_process import deployer_of, events
from tests.liquidity import NEVER

TOKEN_THAT_REFUSES_APPROVAL = """
@external
def decimals() -> uint8:
    return 18

@external
def approve(spender: address, amount: uint256) -> bool:
    return False
"""


def test_constructor__names_and_addresses__as_told(protocol):
    main, insurance = protocol.main_pool, protocol.insurance_pool
    assert (main.name(), main.symbol()) == ("Everstock TSLA.M main pool", "esTSLA.M")
    assert (insurance.name(), insurance.symbol()) == ("Everstock TSLA.M insurance pool", "eiTSLA.M")
    for pool in (main, insurance):
        assert pool.asset() == protocol.token.address
        assert pool.CLEARING_HOUSE() == protocol.clearing_house.address
        assert pool.RISK_BOOK() == protocol.risk_book.address
        assert pool.share() == pool.address


def test_constructor__decimals__six_more_than_the_tokens(pool, empty_market_of_six_decimals):
    assert pool.decimals() == 18 + 6
    assert empty_market_of_six_decimals.main_pool.decimals() == 6 + 6
    assert empty_market_of_six_decimals.insurance_pool.decimals() == 6 + 6


def test_constructor__clearing_house__may_pull_what_enters(protocol, pool):
    assert protocol.token.allowance(pool.address, protocol.clearing_house.address) == NEVER


def test_constructor__roles__held_and_offered_to_nobody(protocol):
    deployer = protocol.actor("deployer of a pool")
    others = (protocol.clearing_house, protocol.risk_book, protocol.risk_parameters)
    arguments = ("A pool", "POOL", protocol.token.address, *(contract.address for contract in others))
    with boa.env.prank(deployer):
        pool = deployer_of("MainPool").deploy(*arguments)
    assert [(event.minter, event.status) for event in events(pool, "RoleMinterChanged")] == [
        (deployer, True),
        (deployer, False),
    ]
    assert int(events(pool, "OwnershipTransferred")[-1].new_owner, 16) == 0
    offered = {entry["name"] for entry in pool.abi if entry["type"] == "function"}
    assert not offered & {"owner", "is_minter", "set_minter", "transfer_ownership", "burn", "burn_from"}
    assert not [entry for entry in pool.abi if entry["type"] == "function" and entry["stateMutability"] == "payable"]


@pytest.mark.parametrize("role", ["MainPool", "InsurancePool"])
def test_constructor__token_that_refuses_approval__reverts(protocol, role):
    token = boa.loads(TOKEN_THAT_REFUSES_APPROVAL)
    with boa.reverts("pool: approval failed"):
        deployer_of(role).deploy(
            "A pool",
            "POOL",
            token.address,
            protocol.clearing_house.address,
            protocol.risk_book.address,
            protocol.risk_parameters.address,
        )
