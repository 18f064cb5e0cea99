"""Our Chainlink feed: rounds of an operator, answered as Base's proxies do."""

import boa
import pytest

FIRST_ROUND = (1 << 64) + 1


def test_describes_itself(btc_usd):
    assert (btc_usd.decimals(), btc_usd.description(), btc_usd.version()) == (8, "BTC / USD", 4)


def test_publish__by_anyone_else__reverts(btc_usd):
    with boa.reverts("chainlink_feed: operator only"):
        btc_usd.publish(1, 2, 3)


def test_latest__without_a_round__reverts(btc_usd):
    with boa.reverts("No data present"):
        btc_usd.latestRoundData()


def test_rounds__are_all_kept(btc_usd, operator):
    rounds = [(FIRST_ROUND + i, 100 + i, 10 + i, 20 + i, FIRST_ROUND + i) for i in range(3)]
    for id_, answer, started_at, updated_at, _ in rounds:
        assert btc_usd.publish(answer, started_at, updated_at, sender=operator) == id_
    assert btc_usd.latestRoundData() == rounds[-1]
    assert [btc_usd.getRoundData(round_[0]) for round_ in rounds] == rounds


@pytest.mark.parametrize("round_id", [0, 1, FIRST_ROUND - 1, FIRST_ROUND + 1, (2 << 64) + 1])
def test_round__never_published__reverts(btc_usd, operator, round_id):
    btc_usd.publish(1, 2, 3, sender=operator)
    with boa.reverts("No data present"):
        btc_usd.getRoundData(round_id)


def test_publish__wrong_answers__are_taken(btc_usd, operator):
    btc_usd.publish(-5, 0, 0, sender=operator)
    assert btc_usd.latestRoundData()[1:4] == (-5, 0, 0)
