"""One vault and its actors: owner, custodian (a key), participant, outsider."""

from pathlib import Path

import boa
import pytest
from eth_account import Account
from eth_utils import keccak

from .custody import DAILY_LIMIT, MAX_DAILY_LIMIT, NAME, SYMBOL, Custody

CONTRACTS = Path(__file__).parents[3] / "contracts"


@pytest.fixture(scope="session")
def owner():
    return boa.env.generate_address("owner")


@pytest.fixture(scope="session")
def custodian():
    return Account.from_key(keccak(text="custodian"))


@pytest.fixture(scope="session")
def participant():
    return boa.env.generate_address("participant")


@pytest.fixture(scope="session")
def outsider():
    return boa.env.generate_address("outsider")


@pytest.fixture(scope="session")
def actors(owner, custodian, participant, outsider):
    """Their addresses, for tests that go through the roles."""
    return {"owner": owner, "custodian": custodian.address, "participant": participant, "outsider": outsider}


@pytest.fixture(scope="session")
def vault_deployer():
    return boa.load_partial(str(CONTRACTS / "StockVault.vy"))


@pytest.fixture(scope="session")
def deploy_vault(vault_deployer, owner, custodian):
    defaults = {
        "name_": NAME,
        "symbol_": SYMBOL,
        "owner_": owner,
        "custodian_": custodian.address,
        "daily_limit_": DAILY_LIMIT,
        "max_daily_limit_": MAX_DAILY_LIMIT,
    }

    def deploy(**changes):
        return vault_deployer.deploy(*(defaults | changes).values())

    return deploy


@pytest.fixture
def vault(deploy_vault, owner, participant):
    vault = deploy_vault()
    vault.set_participant(participant, True, sender=owner)
    return vault


@pytest.fixture
def custody(vault, custodian, participant):
    return Custody(vault, custodian, participant)


@pytest.fixture
def smart_custodian(vault, owner):
    contract = boa.load(str(CONTRACTS / "mocks" / "SmartCustodian.vy"))
    vault.set_custodian(contract.address, sender=owner)
    return contract
