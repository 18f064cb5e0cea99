"""What events tell, whatever the chain and the node do meanwhile."""

from dataclasses import replace

import pytest

from everstock.keeper.rpc import RpcDown
from everstock.keeper.watch import Watch
from everstock.model.order_desk import ARMED
from everstock.model.series_book import FROZEN, OPEN
from tests.keeper.deployment import (
    address,
    cancelled,
    executed,
    liquidated,
    listed,
    manifest,
    noticed,
    requested,
    traded,
    triggered,
    voided,
)
from tests.keeper.fake_node import FakeNode, dies_at
from tests.keeper.states import link, order

WAD = 10**18


@pytest.fixture
def deployment():
    return manifest("TSLA.M", "NVDA.M")


@pytest.fixture
def tsla(deployment):
    return deployment.market("TSLA.M")


@pytest.fixture
def node():
    return FakeNode()


def follow(node, deployment, **options):
    """A watch that has caught up."""
    watch = Watch(node, deployment, **options)
    while not watch.catch_up(node.head):
        pass
    return watch


def seen(watch):
    """All that a watch knows."""
    return {
        symbol: (dict(facts.orders), set(facts.accounts), dict(facts.series), dict(facts.notices), dict(facts.bursts))
        for symbol, facts in watch.facts.items()
    }


def test_order__triggered__waits_with_its_new_terms(node, deployment, tsla):
    made = order(trigger=ARMED | 5)
    live_at = made.requested_at + 9
    live = replace(made, trigger=5, requested_at=live_at, follows=link(2, live_at), fee=made.fee // 2)
    node.mine(logs=[requested(tsla, made), triggered(tsla, live)])
    assert follow(node, deployment).facts["TSLA.M"].orders == {(7, 1): live}


def test_order__requested__waits_with_all_its_terms(node, deployment, tsla):
    made = order(legs=((1, 5), (3, -7)), limit=-4, reduce_only=True, follows=link(3, 99), payer=address(77))
    node.mine(logs=[requested(tsla, made)])
    watch = follow(node, deployment)
    assert watch.facts["TSLA.M"].orders == {(7, 1): made}
    assert watch.facts["NVDA.M"].orders == {}


@pytest.mark.parametrize("ended", [executed, cancelled, voided])
def test_order__ended__waits_no_more(node, deployment, tsla, ended):
    first, second = order(nonce=1), order(nonce=2)
    node.mine(logs=[requested(tsla, first), requested(tsla, second)])
    node.mine(logs=[ended(tsla, 7, 1)])
    assert follow(node, deployment).facts["TSLA.M"].orders == {(7, 2): second}


def test_bursts__count_what_goes_live_in_the_last_minute_however_it_ends(node, deployment, tsla):
    def at(second, nonce, **terms):
        return requested(tsla, order(600_000 + second, nonce=nonce, **terms))

    def bursts():
        return follow(node, deployment).facts["TSLA.M"].bursts

    node.mine(logs=[at(0, 1), at(9, 2), executed(tsla, 7, 1), at(9, 3, trigger=ARMED | 5), at(9, 1, account=8)])
    assert bursts() == {7: (10_000, 2), 8: (10_000, 1)}
    node.mine(logs=[triggered(tsla, order(600_059, nonce=3, trigger=5)), voided(tsla, 7, 2)])
    assert bursts() == {7: (10_000, 3), 8: (10_000, 1)}
    node.mine(logs=[at(60, 4)])
    assert bursts() == {7: (10_001, 1), 8: (10_000, 1)}


def test_accounts__are_watched_while_they_may_have_legs(node, deployment, tsla):
    node.mine(logs=[traded(tsla, 1, [5]), traded(tsla, 2, [5, 6]), traded(tsla, 3, [5]), traded(tsla, 4, [5])])
    node.mine(logs=[traded(tsla, 1, []), liquidated(tsla, 2, WAD // 2), liquidated(tsla, 3, WAD)])
    assert set(follow(node, deployment).facts["TSLA.M"].accounts) == {2, 4}


def test_series__are_known_once_they_are_listed(node, deployment, tsla):
    node.mine(logs=[listed(tsla, 1, 0), listed(tsla, 2, 1), listed(deployment.market("NVDA.M"), 1, 1)])
    watch = follow(node, deployment)
    assert watch.facts["TSLA.M"].series == {1: True, 2: True}
    assert watch.facts["NVDA.M"].series == {1: True}


def test_series__on_notice__are_known_until_it_is_lifted_and_retired_ones_for_good(node, deployment, tsla):
    nvda = deployment.market("NVDA.M")
    node.mine(logs=[*(listed(tsla, series, 0) for series in (1, 2, 3, 4)), listed(nvda, 1, 0)])
    node.mine(logs=[noticed(tsla, series, 1_000_061) for series in (1, 2, 3)])
    node.mine(logs=[noticed(tsla, 2, OPEN), noticed(tsla, 3, FROZEN)])
    watch = follow(node, deployment)
    assert watch.facts["TSLA.M"].notices == {1: 1_000_061, 3: FROZEN}
    assert watch.facts["TSLA.M"].series == dict.fromkeys((1, 2, 3, 4), True)
    assert watch.facts["NVDA.M"].notices == {}


def test_events_of_strangers__are_not_heeded(node, deployment, tsla):
    strange = {**requested(tsla, order()), "address": address(12345)}
    node.mine(logs=[strange])
    assert follow(node, deployment).facts["TSLA.M"].orders == {}


def story(node, deployment, each=lambda: None):
    """Forty blocks in which much happens; `each` is called after every one."""
    tsla, nvda = deployment.markets
    for i in range(40):
        logs = [listed(tsla, i + 1, i % 2)] if i % 5 == 0 else []
        # Given and, for every other one, lifted.
        logs += [noticed(tsla, i // 6 + 1, 61 if i % 6 == 0 else OPEN)] if i % 12 in (0, 3, 6) else []
        logs += [requested(nvda, order(account=i, nonce=1)), traded(tsla, i % 7, [] if i % 3 == 0 else [1])]
        logs += [executed(nvda, i - 3, 1)] if i > 3 else []
        node.mine(logs=logs)
        each()


def test_catch_up__in_whatever_steps__knows_the_same(node, deployment):
    stepwise = Watch(node, deployment)
    story(node, deployment, each=lambda: stepwise.catch_up(node.head))
    assert seen(stepwise) == seen(follow(node, deployment))
    assert seen(stepwise) == seen(follow(node, deployment, blocks=3))


def test_catch_up__a_node_that_refuses_long_ranges__is_asked_for_shorter_ones(node, deployment):
    story(node, deployment)
    whole = seen(follow(node, deployment))
    node.most_blocks = 3
    assert seen(follow(node, deployment)) == whole


def test_catch_up__a_long_way__is_done_in_bounded_steps(node, deployment):
    story(node, deployment)
    watch = Watch(node, deployment, blocks=2)
    assert not watch.catch_up(node.head, requests=5)
    assert watch.number == 10
    assert node.asked.count("eth_getLogs") == 5


def test_catch_up__interrupted_anywhere__knows_the_same_in_the_end(node, deployment):
    story(node, deployment)
    node.asked.clear()
    whole = seen(follow(node, deployment, blocks=7))
    for moment in range(len(node.asked)):
        watch = Watch(node, deployment, blocks=7)
        node.trouble = dies_at(moment)
        with pytest.raises(RpcDown):
            watch.catch_up(node.head)
        assert watch.catch_up(node.head)
        assert seen(watch) == whole
        node.trouble = lambda method: None


@pytest.mark.parametrize("depth", [1, 2, 5, 20, 39])
def test_chain_goes_back__what_it_said_is_undone(node, deployment, depth):
    watch = Watch(node, deployment)
    known = {}

    def follow_on():
        watch.catch_up(node.head)
        known[node.head.number] = seen(watch)

    story(node, deployment, each=follow_on)
    node.go_back(40 - depth)
    node.mine()
    watch.catch_up(node.head)
    assert watch.went_back == 1
    assert seen(watch) == known[40 - depth]


def test_chain_goes_back__a_longer_way_than_is_remembered__all_is_read_anew(node, deployment, tsla):
    node.mine(logs=[requested(tsla, order(nonce=1))])
    for i in range(300):
        node.mine(logs=[requested(tsla, order(nonce=i + 2))])
    watch = follow(node, deployment, blocks=10)
    node.go_back(2)
    node.mine(logs=[requested(tsla, order(nonce=1_000))])
    watch.catch_up(node.head)
    assert {nonce for _, nonce in watch.facts["TSLA.M"].orders} == {1, 2, 1_000}


def test_chain_goes_back__before_the_deployment__nothing_is_known(node, deployment, tsla):
    node.mine(logs=[requested(tsla, order())])
    node.mine()
    watch = follow(node, deployment)
    node.go_back(0)
    watch.catch_up(node.head)
    assert watch.facts["TSLA.M"].orders == {}


def test_chain_goes_back__interrupted__knows_the_same_in_the_end(node, deployment, tsla):
    for i in range(20):
        node.mine(logs=[requested(tsla, order(nonce=i))])
    for moment in range(3):
        watch = follow(node, deployment, blocks=1)
        node.go_back(10)
        node.mine(logs=[requested(tsla, order(nonce=99))])
        node.trouble = dies_at(moment)
        with pytest.raises(RpcDown):
            watch.catch_up(node.head)
        watch.catch_up(node.head)
        node.trouble = lambda method: None
        assert seen(watch) == seen(follow(node, deployment))
        for i in range(node.head.number, 21):
            node.mine(logs=[requested(tsla, order(nonce=i))])


def test_knows__heads_that_were_read__so_a_node_that_is_behind_is_no_rollback(node, deployment):
    node.mine()
    watch = follow(node, deployment)
    behind = node.head
    node.mine()
    watch.catch_up(node.head)
    assert watch.knows(behind)
    node.go_back(0)
    assert not watch.knows(node.mine())


def test_logs__that_are_none__are_trouble_with_the_node(node, deployment):
    watch = Watch(node, deployment)
    node.mine()
    for nonsense in (None, "logs", [None], [{"address": address(1)}], [{"address": 5, "topics": []}]):
        node._eth_getLogs = lambda wanted, nonsense=nonsense: nonsense
        with pytest.raises(RpcDown):
            watch.catch_up(node.head)


def test_logs__of_an_event_with_other_bytes__are_trouble_with_the_node(node, deployment, tsla):
    node.mine(logs=[{**requested(tsla, order()), "data": "0x1234"}])
    with pytest.raises(RpcDown, match="bytes are not"):
        Watch(node, deployment).catch_up(node.head)
