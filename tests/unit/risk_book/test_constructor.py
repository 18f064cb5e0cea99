"""What a market may be made of."""

import boa
import pytest

from everstock.chain.in_process import Protocol, deployer_of


@pytest.fixture(scope="module")
def deploy():
    """Deploys another risk book for a market that is there, of a token and sharpness of one's own."""
    market = Protocol().market
    addresses = [
        contract.address
        for contract in (market.clearing_house, market.main_pool, market.series_listing, market.risk_parameters)
    ]
    oracle = market.risk_book.market_words().oracle

    def deploy(sharpness=(17, 17), decimals=18):
        return deployer_of("RiskBook").deploy(*addresses, oracle, [0, 1], list(sharpness), decimals)

    return deploy


@pytest.mark.parametrize("sharpness", [0, 4, 101, 2**256 - 1])
def test_constructor__sharpness_out_of_bounds__reverts(deploy, sharpness):
    for pair in ((sharpness, 17), (17, sharpness)):
        with boa.reverts("risk_book: sharpness"):
            deploy(sharpness=pair)


@pytest.mark.parametrize("sharpness", [5, 100])
def test_constructor__sharpness_at_a_bound__is_taken(deploy, sharpness):
    assert list(deploy(sharpness=(sharpness, 17)).market_words().sharpness) == [sharpness, 17]


@pytest.mark.parametrize("decimals", [0, 5, 19, 2**256 - 1])
def test_constructor__decimals_out_of_bounds__reverts(deploy, decimals):
    with boa.reverts("risk_book: decimals"):
        deploy(decimals=decimals)


@pytest.mark.parametrize("decimals", range(6, 19))
def test_constructor__granule__is_the_smallest_power_of_two_above_a_4096th_token(deploy, decimals):
    granule = deploy(decimals=decimals).market_words().granule
    assert granule & (granule - 1) == 0
    assert granule * 2**11 <= 10**decimals < granule * 2**12
