"""A keeper from block to block, against a deployment in memory and all the trouble there is."""

from dataclasses import dataclass, replace

import pytest
from eth_account import Account

from everstock.keeper.board import Board
from everstock.keeper.decide import EXEC_WINDOW, Policy
from everstock.keeper.hermes import HermesError
from everstock.keeper.rpc import RpcDown, RpcError
from everstock.keeper.run import Keeper
from everstock.keeper.state import Price
from everstock.model.order_desk import ARMED, MAX_LIVE, Trigger
from everstock.model.series_book import FROZEN, OPEN
from everstock.model.volatility_oracle import SPAN
from everstock.parameters import ORDER_DELAY
from tests.keeper.deployment import executed, manifest, traded
from tests.keeper.fake_node import FakeNode, dies_at
from tests.keeper.fake_protocol import FakeHermes, FakeProtocol
from tests.keeper.states import TSLA, USD, order

KEY = Account.from_key(b"\7" * 32)


@dataclass
class World:
    """Chain, prices, protocol and a keeper."""

    node: FakeNode
    hermes: FakeHermes
    protocol: FakeProtocol
    keeper: Keeper
    prices: tuple[float, float] = (100_000, 4_000)

    @property
    def tsla(self):
        return self.protocol.markets[TSLA]

    @property
    def happened(self):
        return self.protocol.happened

    @property
    def status(self):
        return self.keeper._board.status()

    def tick(self, seconds=2, logs=(), btc=None):
        """A price of the coming block's time, the block, and the keeper's look at it."""
        self.publish(seconds, btc)
        self.node.mine(seconds, logs)
        return self.keeper.step()

    def publish(self, seconds=2, btc=None):
        self.prices = (btc or self.prices[0], self.prices[1])
        self.hermes.publish(self.node.head.time + seconds, *self.prices)

    def requests(self, *accounts, symbol=TSLA, seconds=2, **terms):
        """Logs of orders, to be mined `seconds` from now."""
        time = self.node.head.time + seconds
        return self.protocol.request(symbol, *(order(time, account=account, **terms) for account in accounts))

    def restart(self):
        """Another keeper in the place of this one, which knows nothing."""
        self.keeper = new_keeper(self.node, self.hermes, self.protocol)


def new_keeper(node, hermes, protocol):
    return Keeper(protocol.manifest, node, hermes, KEY, Policy(), Board(KEY.address))


@pytest.fixture
def world():
    node, hermes, deployment = FakeNode(), FakeHermes(), manifest("TSLA.M", "NVDA.M")
    protocol = FakeProtocol(node, deployment, hermes)
    world = World(node, hermes, protocol, new_keeper(node, hermes, protocol))
    world.node.mine(logs=[protocol.list_series(symbol, s, s % 2) for symbol in protocol.markets for s in (1, 2)])
    for market in protocol.markets.values():
        market.brinks[1] = 50_000 * USD
        market.checkpoint_time, market.checkpoint_price = node.head.time, 100_000 * USD
    world.tick()
    world.tick()
    return world


# What it is there for


def test_prices__first_ones_are_brought(world):
    assert world.protocol.stored[0].price == 100_000 * USD
    assert world.status["sent"] == {
        "prices": 1,
        "orders": 0,
        "void": 0,
        "liquidations": 0,
        "checkpoint": 0,
        "fulfil": 0,
        "triggers": 0,
        "resolve": 0,
        "finalize": 0,
        "samples": 0,
    }


def test_samples__once_a_boundary_at_its_first_price(world):
    world.protocol.sampled = [0, 0]
    first = world.node.head.time // SPAN * SPAN
    while world.node.head.time < first + 2 * SPAN + 20:
        world.tick(40)
    sampled = {since: count for (what, since), count in world.happened.items() if what == "sampled"}
    assert sampled == dict.fromkeys((first, first + SPAN, first + 2 * SPAN), 1)
    assert world.protocol.sampled[0] == min(
        update.prices[0].publish_time
        for update in world.hermes.published
        if update.prices[0].publish_time >= first + 2 * SPAN
    )
    assert world.status["sent"]["samples"] == 3


def test_samples__taken_by_somebody_else__are_left_alone(world):
    boundary = world.node.head.time // SPAN * SPAN
    world.protocol.sampled = [boundary, boundary]
    for _ in range(3):
        world.tick()
    assert world.status["sent"]["samples"] == 0


def test_orders__are_executed_once_at_their_first_price(world):
    requested_at = world.node.head.time + 2
    world.tick(logs=world.requests(1, 2, 3))
    for _ in range(5):
        world.tick()
    assert [world.happened["executed", TSLA, account, 1] for account in (1, 2, 3)] == [1, 1, 1]
    assert set(world.protocol.executed_at.values()) == {requested_at + ORDER_DELAY}
    assert world.status["sent"]["orders"] == 1


def test_orders__of_two_markets_and_seconds__share_no_transaction(world):
    world.tick(logs=world.requests(1) + world.requests(1, symbol="NVDA.M"))
    world.tick(logs=world.requests(2))
    for _ in range(5):
        world.tick()
    assert sum(count for (what, *_), count in world.happened.items() if what == "executed") == 3
    assert world.status["sent"]["orders"] == 3


def test_orders__of_one_account__are_executed_as_they_went_live(world):
    # The first's transaction is not mined for some blocks, in which the second has its price.
    world.tick(logs=world.requests(1, nonce=1))
    world.tick(logs=world.requests(1, nonce=2))
    for _ in range(4):
        world.publish()
        world.node.mine(empty=True)
        world.keeper.step()
        assert len(world.status["pending"]) <= 1
    world.tick()
    assert list(world.protocol.executed_at) == [(TSLA, 1, 1)]
    for _ in range(2):
        world.tick()
    assert list(world.protocol.executed_at) == [(TSLA, 1, 1), (TSLA, 1, 2)]
    first, second = world.protocol.executed_at.values()
    assert second == first + 2
    assert (world.status["sent"]["orders"], world.status["failed"]["orders"]) == (2, 0)


def test_orders__of_one_account__the_first_is_never_worth_it__the_second_waits_until_its_window_is_over(world):
    world.tick(logs=world.requests(1, nonce=1, fee=1))
    over = world.node.head.time + EXEC_WINDOW
    for _ in range(3):
        world.tick()
    world.tick(logs=world.requests(1, nonce=2))
    while world.node.head.time <= over:
        assert world.status["sent"]["orders"] == 0
        world.tick()
    world.tick()
    assert (world.happened["executed", TSLA, 1, 1], world.happened["executed", TSLA, 1, 2]) == (0, 1)
    assert world.happened["voided", TSLA, 1, 1] == 1
    assert world.status["failed"]["orders"] == 0


def test_orders__no_price_in_their_window__are_voided(world):
    world.tick(logs=world.requests(1))
    world.hermes.trouble = HermesError("Hermes answered 500")
    for _ in range(35):
        world.node.mine()
        world.keeper.step()
    assert world.happened["voided", TSLA, 1, 1] == 1
    assert world.tsla.orders == {}


def test_triggers__a_stop__is_triggered_by_its_price_and_executed_at_the_first_one_after(world):
    stop = Trigger(0, below=99_000 * USD).word | ARMED
    terms = {"trigger": stop, "deadline": world.node.head.time + 1_000}
    requested_at = world.node.head.time + 2
    logs = world.protocol.request(TSLA, *(order(requested_at, account=account, **terms) for account in (1, 2)))
    world.tick(logs=logs)
    for _ in range(4):
        world.tick()
    assert world.status["sent"]["triggers"] == 0
    world.tick(btc=98_900)
    triggered_at = world.node.head.time + 2
    for _ in range(6):
        world.tick(btc=99_500)
    assert [world.happened["triggered", TSLA, account, 1] for account in (1, 2)] == [1, 1]
    assert [world.happened["executed", TSLA, account, 1] for account in (1, 2)] == [1, 1]
    assert set(world.protocol.executed_at.values()) == {triggered_at + ORDER_DELAY}
    assert (world.status["sent"]["triggers"], world.status["sent"]["orders"]) == (1, 1)


def test_triggers__in_the_second_of_a_request__the_request_is_executed_first_though_its_nonce_is_higher(world):
    stop = Trigger(0, below=99_000 * USD).word | ARMED
    world.tick(logs=world.requests(1, nonce=1, trigger=stop, deadline=world.node.head.time + 1_000))
    for _ in range(3):
        world.tick()
    world.tick(btc=98_900)
    # In the block that the trigger is mined in, ahead of it.
    world.tick(logs=world.requests(1, nonce=2))
    assert world.happened["triggered", TSLA, 1, 1] == 1
    assert {o.requested_at for o in world.tsla.orders.values()} == {world.node.head.time}
    for _ in range(4):
        world.tick()
    assert list(world.protocol.executed_at) == [(TSLA, 1, 2), (TSLA, 1, 1)]
    assert (world.status["sent"]["orders"], world.status["failed"]["orders"]) == (1, 0)


def test_triggers__series_on_notice__wait_until_it_is_lifted_but_for_what_only_reduces(world):
    stop = Trigger(0, below=99_000 * USD).word | ARMED
    terms = {"trigger": stop, "deadline": world.node.head.time + 1_000}
    logs = world.requests(1, **terms) + world.requests(2, reduce_only=True, **terms)
    world.tick(logs=[*logs, world.protocol.set_notice(TSLA, 1, world.node.head.time + 63)])
    for _ in range(8):
        world.tick(btc=98_900)
    assert (world.happened["triggered", TSLA, 1, 1], world.happened["triggered", TSLA, 2, 1]) == (0, 1)
    world.tick(logs=[world.protocol.set_notice(TSLA, 1, OPEN)])
    world.tick()
    assert world.happened["triggered", TSLA, 1, 1] == 1
    assert world.status["failed"]["triggers"] == 0


@pytest.mark.parametrize("reduce_only", [True, False])
def test_triggers__series_retired__are_left_alone_until_their_deadline(world, reduce_only):
    stop = Trigger(0, below=99_000 * USD).word | ARMED
    deadline = world.node.head.time + 100
    world.tick(logs=world.requests(1, trigger=stop, deadline=deadline, reduce_only=reduce_only))
    world.tick(btc=98_900, logs=[world.protocol.set_notice(TSLA, 1, FROZEN)])
    while world.node.head.time <= deadline + 2:
        world.tick()
    assert (world.status["sent"]["triggers"], world.status["failed"]["triggers"]) == (0, 0)
    assert world.happened["voided", TSLA, 1, 1] == 1


def test_triggers__series_listed_late__are_triggered_then(world):
    stop = Trigger(0, below=99_000 * USD).word | ARMED
    world.tick(logs=world.requests(1, legs=((7, 1),), trigger=stop, deadline=world.node.head.time + 1_000))
    for _ in range(8):
        world.tick(btc=98_900)
    assert world.status["failed"]["triggers"] == 0
    world.tick(logs=[world.protocol.list_series(TSLA, 7, 0)])
    world.tick()
    assert world.happened["triggered", TSLA, 1, 1] == 1


def test_triggers__more_than_may_go_live_in_a_minute__the_rest_in_the_next(world):
    stop = Trigger(0, below=99_000 * USD).word | ARMED
    deadline = world.node.head.time + 1_000
    while world.node.head.time % 60 > 10:
        world.tick()
    for nonces in (range(1, 11), range(11, 21)):
        world.tick(logs=[log for n in nonces for log in world.requests(1, nonce=n, trigger=stop, deadline=deadline)])
    world.tick(logs=world.requests(1, nonce=21))
    world.tick()
    world.tick()
    for _ in range(10):
        world.tick(btc=98_900)
    live = sum(world.happened["triggered", TSLA, 1, nonce] for nonce in range(1, 21))
    assert (live, world.happened["executed", TSLA, 1, 21]) == (MAX_LIVE - 1, 1)
    for _ in range(70):
        world.tick()
    assert sum(world.happened["executed", TSLA, 1, nonce] for nonce in range(1, 22)) == 21
    assert (world.status["failed"]["triggers"], world.status["failed"]["orders"]) == (0, 0)


def far_from_chainlink(world, seconds=0, usd=102_000):
    """Somebody stores a price of `seconds` after the head, further than 1% from Chainlink's."""
    world.protocol.chainlink = [100_000 * USD, 0]
    time = world.node.head.time + seconds
    world.hermes.publish(time, usd, world.prices[1])
    world.protocol.stored = [Price(usd * USD, time, True), Price(world.prices[1] * USD, time)]


def test_orders__somebody_stored_a_price_far_from_chainlink__the_newest_is_brought_and_then_they_are_executed(world):
    world.tick(logs=world.requests(1, 2))
    world.tick()
    world.publish()
    world.node.mine()
    # No older than the orders' first one, and before they were sent.
    far_from_chainlink(world)
    world.tick()
    assert world.protocol.stored[0].restricted
    world.tick()
    assert not world.protocol.stored[0].restricted
    world.tick()
    assert [world.happened["executed", TSLA, account, 1] for account in (1, 2)] == [1, 1]
    assert (world.status["sent"]["orders"], world.status["failed"]["orders"]) == (1, 0)


def two_of_a_second(world, account):
    """Logs of one account's order that only reduces and of one behind it that does not, to be mined in the next block."""
    time = world.node.head.time + 2
    first, second = (order(time, account=account, nonce=nonce, reduce_only=nonce == 1) for nonce in (1, 2))
    return world.protocol.request(TSLA, first, second)


def test_orders__one_waits_for_a_price_near_chainlink__those_before_it_do_not_wait_for_it(world):
    world.protocol.chainlink = [98_000 * USD, 0]
    world.tick(logs=two_of_a_second(world, account=1))
    for _ in range(30):
        world.tick()
    assert [world.happened["executed", TSLA, 1, nonce] for nonce in (1, 2)] == [1, 0]


@pytest.mark.parametrize("waiting", [World.requests, two_of_a_second])
def test_orders__many_wait_for_a_price_near_chainlink__a_public_hermes_takes_all_questions(world, waiting):
    world.protocol.chainlink = [98_000 * USD, 0]
    asked = [len(world.hermes.asked)]
    for account in range(100, 145):
        world.tick(logs=waiting(world, account))
        asked.append(len(world.hermes.asked))
    # 30 in ten seconds, five blocks.
    assert max(later - before for before, later in zip(asked, asked[5:], strict=False)) <= 30
    world.tick(logs=world.requests(1, reduce_only=True))
    for _ in range(4):
        world.tick()
    assert world.happened["executed", TSLA, 1, 1] == 1


def test_restart__many_seconds_orders__a_public_hermes_takes_all_questions(world):
    for account in range(40):
        world.node.mine(1, world.requests(account, seconds=1))
        world.hermes.publish(world.node.head.time, *world.prices)
    asked = [len(world.hermes.asked)]
    for _ in range(20):
        world.tick()
        asked.append(len(world.hermes.asked))
    assert max(later - before for before, later in zip(asked, asked[5:], strict=False)) <= 30
    ended = {outcome: sum(world.happened[outcome, TSLA, account, 1] for account in range(40)) for outcome in ("executed", "voided")}
    assert ended == {"executed": 40, "voided": 0}


def test_orders__own_price_far_from_chainlink__are_executed_once_a_newer_one_is_stored(world):
    world.protocol.chainlink = [100_000 * USD, 0]
    world.tick(logs=world.requests(1))
    world.tick()
    world.tick(btc=101_500)
    assert world.status["failed"]["orders"] == 1
    for _ in range(3):
        assert not world.happened["executed", TSLA, 1, 1]
        world.tick(btc=100_000)
    assert world.happened["executed", TSLA, 1, 1] == 1
    assert (world.status["sent"]["orders"], world.status["failed"]["orders"]) == (1, 1)


@pytest.mark.parametrize("accounts", [(1,), (1, 2)])
def test_orders__somebody_stores_a_price_far_from_chainlink_ahead_of_them__are_sent_again_as_soon_as_that_is_mended(
    world, accounts
):
    world.tick(logs=world.requests(*accounts))
    world.tick()
    world.tick()
    assert world.status["sent"]["orders"] == 1
    far_from_chainlink(world, seconds=1)
    for _ in range(3):
        assert not world.happened["executed", TSLA, 1, 1]
        world.tick()
    assert [world.happened["executed", TSLA, account, 1] for account in accounts] == len(accounts) * [1]
    assert (world.status["sent"]["orders"], world.status["failed"]["orders"]) == (2, 1)


@pytest.mark.parametrize("is_stored", [True, False])
def test_orders__far_from_chainlink_for_long__are_executed_as_soon_as_it_follows(world, is_stored):
    # One that only reduces is executed, and its price stored.
    world.tick(logs=world.requests(1) + (world.requests(2, reduce_only=True) if is_stored else []))
    world.protocol.chainlink = [98_000 * USD, 0]
    for _ in range(15):
        world.tick()
    # Tried again and again, ever more rarely.
    assert (world.happened["executed", TSLA, 1, 1], world.happened["executed", TSLA, 2, 1]) == (0, is_stored)
    assert 3 <= world.status["failed"]["orders"] <= 6
    world.protocol.chainlink = [100_000 * USD, 0]
    for _ in range(3):
        world.tick()
    assert world.happened["executed", TSLA, 1, 1] == 1


def test_triggers__an_underlying_far_from_chainlink__wait_but_for_what_only_reduces(world):
    stop = Trigger(0, below=100_500 * USD).word | ARMED
    terms = {"trigger": stop, "deadline": world.node.head.time + 1_000}
    world.protocol.chainlink = [0, 3_900 * USD]
    world.tick(logs=world.requests(1, **terms) + world.requests(2, reduce_only=True, **terms))
    for _ in range(8):
        world.tick()
    assert (world.happened["triggered", TSLA, 1, 1], world.happened["triggered", TSLA, 2, 1]) == (0, 1)
    world.protocol.chainlink = [0, 4_000 * USD]
    world.tick()
    world.tick()
    assert world.happened["triggered", TSLA, 1, 1] == 1
    assert world.status["failed"]["triggers"] == 0


def test_liquidation__at_a_price_that_nobody_stored(world):
    world.tick(logs=[traded(world.protocol.manifest.market(TSLA), 1, [5])])
    world.tick(btc=49_000)
    world.tick()
    assert world.happened["liquidated", TSLA, 1] == 1
    assert world.happened["liquidated", "NVDA.M", 1] == 0  # whose event it never saw
    assert world.status["sent"]["liquidations"] == 1


def test_checkpoint__hourly(world):
    for hour in range(1, 4):
        for seconds in (3_600, 2, 2):
            world.tick(seconds)
        assert world.happened["checkpoint", TSLA] == world.happened["checkpoint", "NVDA.M"] == hour


def test_checkpoint__before_the_hour_is_over(world):
    """Premium of more than an hour is the worse end's for either side."""
    times = [world.tsla.checkpoint_time]
    while len(times) < 4:
        world.tick(50)
        if world.tsla.checkpoint_time != times[-1]:
            times.append(world.tsla.checkpoint_time)
    assert all(3_300 <= later - before <= 3_600 for before, later in zip(times, times[1:], strict=False))


def test_liquidity__is_fulfilled_once_it_has_waited(world):
    world.tsla.deposit_due = due = world.node.head.time + 20
    while world.node.head.time < due:
        world.tick()
        assert world.happened["fulfilled", TSLA] == 0
    world.tick()
    world.tick()
    assert world.happened["fulfilled", TSLA] == 1


def test_idle_block__asks_little(world):
    world.tick()
    world.node.asked.clear()
    world.tick()
    assert sorted(set(world.node.asked)) == [
        "eth_call",
        "eth_getBalance",
        "eth_getBlockByNumber",
        "eth_getLogs",
        "eth_getTransactionCount",
    ]
    assert len(world.node.asked) == 7
    assert world.keeper.step() is False
    assert len(world.node.asked) == 8


# Prices and time


def test_hermes_ahead_of_the_chain__the_price_of_the_head_is_used(world):
    world.tick(logs=[traded(world.protocol.manifest.market(TSLA), 1, [5])])
    # Hermes is three seconds ahead of the block, as on a chain of two seconds.
    for ahead in range(4):
        world.hermes.publish(world.node.head.time + 2 + ahead, 49_000, 4_000)
    world.node.mine()
    world.keeper.step()
    world.node.mine()
    world.keeper.step()
    assert world.happened["liquidated", TSLA, 1] == 1
    assert world.status["failed"]["liquidations"] == 0


def test_hermes_ahead_with_a_gap__what_was_used_last_is_used_again(world):
    world.tick()
    world.hermes.publish(world.node.head.time + 100, 49_000, 4_000)
    world.node.mine()
    assert world.keeper.step()
    assert world.status["block"] == world.node.head.number


@pytest.mark.parametrize("trouble", [HermesError("Hermes answered 500"), HermesError("Hermes' answer is none")])
def test_hermes_makes_trouble__the_rest_goes_on_and_it_is_told_once(world, trouble):
    world.hermes.trouble = trouble
    for _ in range(5):
        world.node.mine()
        assert world.keeper.step()
    assert (world.status["errors"], world.status["last_error"]) == (1, str(trouble))
    world.hermes.trouble = None
    world.tick(logs=world.requests(1))
    for _ in range(4):
        world.tick()
    assert world.happened["executed", TSLA, 1, 1] == 1


def test_hermes_gives_a_price_that_is_not_the_first__it_is_asked_again(world):
    world.tick(logs=world.requests(1))
    right = world.hermes.first_from
    world.tick()
    world.hermes.first_from = lambda time: world.hermes.latest()
    world.publish()
    world.publish(3)
    world.node.mine(3)
    world.keeper.step()
    assert world.status["failed"]["orders"] == 1
    world.hermes.first_from = right
    world.tick()
    world.tick()
    assert world.happened["executed", TSLA, 1, 1] == 1


def test_oracle_refuses__what_needs_no_new_price_goes_on(world):
    world.tick(logs=world.requests(1))
    world.protocol.refused = "price_oracle: sequencer down"
    for _ in range(35):
        world.tick()
    assert world.happened["executed", TSLA, 1, 1] == 0
    assert world.happened["voided", TSLA, 1, 1] == 1
    assert world.status["sent"]["prices"] == 1


# Trouble with the node


def drama(world):
    """Blocks in which a bit of everything happens; how many."""
    market = world.protocol.manifest.market(TSLA)
    yield world.requests(1, 2) + [traded(market, 1, [5])], None
    yield world.requests(3, nonce=2), None
    yield [], None
    world.tsla.deposit_due = world.node.head.time + 2
    yield [], 49_000
    for _ in range(6):
        yield [], None


def outcome(world):
    """What must have happened however it went: everything, and once."""
    done = {key: count for key, count in world.happened.items() if key[0] in ("executed", "liquidated", "fulfilled")}
    return done, world.tsla.orders, world.tsla.brinks


EXPECTED = (
    {
        ("executed", TSLA, 1, 1): 1,
        ("executed", TSLA, 2, 1): 1,
        ("executed", TSLA, 3, 2): 1,
        ("liquidated", TSLA, 1): 1,
        ("fulfilled", TSLA): 1,
    },
    {},
    {},
)


def test_drama__without_trouble(world):
    for logs, btc in drama(world):
        world.tick(logs=logs, btc=btc)
    assert outcome(world) == EXPECTED
    assert world.status["errors"] == 0


@pytest.mark.parametrize("moment", range(0, 90, 3))
def test_drama__the_node_dies_at_any_moment_and_comes_back(world, moment):
    world.node.trouble = dies_at(moment)
    for logs, btc in drama(world):
        world.publish(btc=btc)
        world.node.mine(2, logs)
        try:
            world.keeper.step()
        except RpcDown:
            # It may be called again for the same block.
            world.keeper.step()
    assert outcome(world) == EXPECTED
    assert world.status["block"] == world.node.head.number


@pytest.mark.parametrize("moment", range(0, 60, 3))
def test_drama__answers_get_lost_at_any_moment(world, moment):
    count = iter(range(moment + 1))

    def silence(_methods):
        if next(count, None) == moment:
            raise RpcDown("the node does not answer")

    world.node.silence = silence
    for logs, btc in drama(world):
        world.publish(btc=btc)
        world.node.mine(2, logs)
        try:
            world.keeper.step()
        except RpcDown:
            world.keeper.step()
    assert outcome(world) == EXPECTED


@pytest.mark.parametrize("moment", range(10))
def test_drama__the_keeper_restarts_at_any_block(world, moment):
    for i, (logs, btc) in enumerate(drama(world)):
        world.tick(logs=logs, btc=btc)
        if i == moment:
            world.restart()
            world.keeper.step()
    world.tick()
    world.tick()
    assert outcome(world) == EXPECTED


def test_run__outlives_trouble_and_stops_when_told(world):
    steps = iter([RpcDown("dead"), RpcError(-32000, "header not found", None), True, None])

    def step():
        happens = next(steps)
        if happens is None:
            world.keeper.stop.set()
        elif isinstance(happens, Exception):
            raise happens
        return False

    world.keeper.step = step
    world.keeper.run(poll=0.001)
    assert (world.status["errors"], world.status["last_error"]) == (2, "header not found")


def test_step__told_to_stop__sends_nothing_more(world):
    world.tick(logs=world.requests(1))
    world.keeper.stop.set()
    sent = len(world.node.received)
    for _ in range(3):
        world.tick()
    assert len(world.node.received) == sent


# Others on the chain


def test_another_keeper_is_faster__its_block_is_no_trouble(world):
    market = world.protocol.manifest.market(TSLA)
    world.tick(logs=world.requests(1, 2))
    world.tick()
    world.tick()  # sends the execution of both
    # The other one's transaction comes first in the block.
    del world.tsla.orders[1, 1], world.tsla.orders[2, 1]
    world.tick(logs=[executed(market, 1, 1), executed(market, 2, 1)])
    assert world.status["failed"]["orders"] == 1
    assert world.status["pending"] == []
    world.tick(logs=world.requests(3))
    for _ in range(4):
        world.tick()
    assert world.happened["executed", TSLA, 3, 1] == 1


def test_chain_goes_back__orders_wait_again_and_are_executed_again(world):
    before = world.protocol._snapshot()
    number = world.node.head.number
    world.tick(logs=world.requests(1))
    for _ in range(4):
        world.tick()
    assert world.happened["executed", TSLA, 1, 1] == 1
    world.node.go_back(number)
    world.protocol._restore(before)
    world.hermes.published = [u for u in world.hermes.published if u.prices[0].publish_time <= world.node.head.time]
    world.tick(logs=world.requests(1, 2))
    for _ in range(5):
        world.tick()
    assert [world.happened["executed", TSLA, account, 1] for account in (1, 2)] == [1, 1]
    assert world.status["block"] == world.node.head.number


def test_node_shows_an_older_block__nothing_is_undone(world):
    world.tick(logs=world.requests(1))
    handled = world.status["block"]
    latest, blocks = world.node.blocks[-1], world.node.blocks
    world.node.blocks = blocks[:-1]
    assert world.keeper.step() is False
    world.node.blocks = blocks
    assert world.node.head == latest
    assert world.status["block"] == handled
    for _ in range(4):
        world.tick()
    assert world.happened["executed", TSLA, 1, 1] == 1


# What it tells


def test_status__a_block_is_handled_before_its_transactions_are_mined(world):
    world.tick(logs=world.requests(1))
    world.tick()
    world.tick()
    assert world.status["block"] == world.node.head.number
    assert world.status["time"] == world.node.head.time
    assert len(world.status["pending"]) == 1


def test_status__a_block_that_could_not_be_dealt_with__is_not_handled(world):
    handled = world.status["block"]
    world.publish()
    world.node.mine()
    world.node.trouble = dies_at(3)
    with pytest.raises(RpcDown):
        world.keeper.step()
    assert world.status["block"] == handled
    world.keeper.step()
    assert world.status["block"] == handled + 1


def test_orders__fee_too_low_for_the_base_fee__wait_for_a_calmer_block(world):
    world.node.base_fee = 10**14
    world.tick(logs=world.requests(1, fee=10**16))
    for _ in range(5):
        world.tick()
    assert world.tsla.orders
    world.node.base_fee = 5_000_000
    for _ in range(3):
        world.tick()
    assert world.happened["executed", TSLA, 1, 1] == 1
    assert EXEC_WINDOW > 20  # and still in time


def test_terms__reach_the_order_desk_as_they_were_requested(world):
    terms = {"legs": ((1, 5), (2, -7)), "limit": -3, "reduce_only": True, "deadline": 10**12}
    made = order(world.node.head.time + 2, account=5, nonce=9, **terms)
    world.tick(logs=world.protocol.request(TSLA, made))
    seen = []
    execute = world.protocol._execute_orders
    world.protocol._execute_orders = lambda market, orders, *rest: seen.append(orders[0]) or execute(
        market, orders, *rest
    )
    for _ in range(4):
        world.tick()
    assert replace(made, payer=made.payer.lower()).terms == seen[-1]
