"""One market with a series on each underlying, a trader and a keeper; orders are requested at `protocol.now`."""

import boa
import pytest

from everstock.chain.in_process import Protocol

from .desk import wallet


@pytest.fixture(scope="session")
def listed():
    """The market, and the ids of an at-the-money call on each underlying."""
    protocol = Protocol()
    return protocol, protocol.list_series("BTC"), protocol.list_series("ETH")


@pytest.fixture
def protocol(listed):
    """A market of the test's own, with a stored price that another came before."""
    protocol = listed[0].fork()
    protocol.set_prices()
    protocol.set_prices(after=1)
    return protocol


@pytest.fixture
def desk(protocol):
    return protocol.order_desk


@pytest.fixture
def btc(listed):
    return listed[1]


@pytest.fixture
def eth(listed):
    return listed[2]


@pytest.fixture
def trader(protocol):
    return protocol.trader("trader")


@pytest.fixture
def other(protocol):
    return protocol.trader("other trader")


@pytest.fixture
def keeper(protocol):
    return protocol.actor("keeper")


@pytest.fixture
def wallet_trader(protocol):
    """A trader whose account belongs to a contract."""
    contract = wallet()
    protocol.deposit(contract.address, 100 * protocol.unit)
    return contract


@pytest.fixture
def wallet_keeper():
    """A keeper that is a contract."""
    return wallet()


@pytest.fixture
def earnings():
    """What an address gained in ether since the fixture's last call, or its first."""
    seen = {}

    def of(address):
        before = seen.get(str(address), None)
        seen[str(address)] = boa.env.get_balance(address)
        return 0 if before is None else seen[str(address)] - before

    return of
