"""Reading a deployment as it would be at the newest prices."""

import pytest
from eth_abi import decode, encode

from everstock.keeper.abi import Garbled
from everstock.keeper.read import MAX_ACCOUNTS, MAX_HEALTHS, Reader
from everstock.keeper.rpc import RpcDown, RpcError
from everstock.keeper.state import NEVER, Health, Pool, Price
from everstock.keeper.watch import Facts
from tests.keeper.deployment import manifest
from tests.keeper.fake_node import FakeNode, refused
from tests.keeper.fake_protocol import FakeHermes, FakeProtocol
from tests.keeper.states import SERIES, TSLA, USD, order

KEEPER = "0x" + "77" * 20
DEPLOYMENT = manifest("TSLA.M", "NVDA.M")


@pytest.fixture
def node():
    return FakeNode()


@pytest.fixture
def protocol(node):
    made = FakeProtocol(node, DEPLOYMENT, FakeHermes())
    made.stored = [Price(100_000 * USD, node.head.time - 10), Price(4_000 * USD, node.head.time - 10)]
    return made


@pytest.fixture
def reader(node, protocol):
    return Reader(node, DEPLOYMENT, KEEPER)


def facts(**of_tsla):
    return {"TSLA.M": Facts(**of_tsla), "NVDA.M": Facts()}


def accounts(count):
    return dict.fromkeys(range(1, count + 1), True)


def newer(protocol, node, btc=49_000):
    return protocol.hermes.publish(node.head.time, btc, 4_000)


def test_read__without_news__what_is_stored(node, protocol, reader):
    protocol.markets[TSLA].brinks[1] = 50_000 * USD
    protocol.markets[TSLA].deposit_due = 5
    protocol.markets[TSLA].window_end = 7
    waiting = order()
    known = facts(
        orders={(7, 1): waiting},
        accounts=accounts(1),
        series=dict.fromkeys(SERIES, True),
        notices={2: 9},
        bursts={7: (5, 2)},
    )
    reading = reader.read(node.head, known, None)
    tsla, nvda = reading.markets
    assert reading.stored == tuple(protocol.stored)
    assert (reading.restricted, reading.refused) == ((False, False), "")
    assert (tsla.symbol, tsla.underlyings, tsla.orders, tsla.series) == (TSLA, (0, 1), (waiting,), SERIES)
    assert (tsla.notices, nvda.notices) == ({2: 9}, {})
    assert (tsla.bursts, nvda.bursts) == ({7: (5, 2)}, {})
    assert tsla.healths == (Health(1, equity=100, maintenance=100, legs=1, is_liquidatable=False),)
    assert tsla.pools == (Pool("main_pool", 5, NEVER), Pool("insurance_pool", NEVER, NEVER))
    assert (tsla.window_end, tsla.open_legs, nvda.open_legs) == (7, 1, 0)


def test_read__with_news__healths_and_what_is_due_at_its_prices__and_nothing_changed(node, protocol, reader):
    protocol.markets[TSLA].brinks[1] = 50_000 * USD
    for market in protocol.markets.values():
        market.checkpoint_time, market.checkpoint_price = node.head.time, 100_000 * USD
    reading = reader.read(node.head, facts(accounts=accounts(1)), newer(protocol, node))
    (tsla, _), (health,) = reading.markets, reading.markets[0].healths
    assert reading.stored[0].price == 100_000 * USD == protocol.stored[0].price
    assert tsla.is_due
    assert (health.is_liquidatable, health.shortfall) == (True, 1_000 * USD)


@pytest.mark.parametrize("far", [0, 1])
def test_read__far_from_chainlink__what_is_stored_and_what_will_be(node, protocol, reader, far):
    # Chainlink is as the newest price is, of which what is stored is 2% off; or the other way round.
    protocol.chainlink = [(100_000, 98_000)[far] * USD, 0]
    protocol.stored[0] = Price(98_000 * USD, node.head.time - 10, not far)
    reading = reader.read(node.head, facts(), newer(protocol, node, btc=100_000))
    assert reading.stored == tuple(protocol.stored)
    assert [price.restricted for price in reading.stored] == [not far, False]
    assert reading.restricted == (bool(far), False)
    around = protocol.chainlink[0] // 100
    assert reading.free == ((99 * around, 101 * around), (1, 2**64 - 1))


def test_read__chainlink_fails__the_rest_goes_on(node, protocol, reader):
    whole = node.answer

    def failing(request, tag):
        (results,) = decode(["(bool,bytes)[]"], whole(request, tag))
        failed = [(False, b"")] * 2
        return encode(["(bool,bytes)[]"], [[*results[:2], *failed, *results[4:]]])

    node.answer = failing
    reading = reader.read(node.head, facts(), None)
    assert reading.free == ((0, 2**64 - 1),) * 2
    assert reading.stored == tuple(protocol.stored)


def test_read__news_refused__says_why_and_reads_at_what_is_stored(node, protocol, reader):
    protocol.markets[TSLA].brinks[1] = 50_000 * USD
    protocol.refused = "price_oracle: too far from chainlink"
    reading = reader.read(node.head, facts(accounts=accounts(1)), newer(protocol, node))
    assert reading.refused == "price_oracle: too far from chainlink"
    assert not reading.markets[0].healths[0].is_liquidatable


def test_read__before_the_first_prices__no_market(node, protocol, reader):
    protocol.stored = [Price(0, 0), Price(0, 0)]
    reading = reader.read(node.head, facts(accounts=accounts(3)), None)
    assert (reading.markets, reading.stored) == ((), (Price(0, 0), Price(0, 0)))


@pytest.mark.parametrize("count", [0, 1, MAX_HEALTHS, MAX_HEALTHS + 1, MAX_ACCOUNTS, 2 * MAX_ACCOUNTS + 1])
def test_read__however_many_accounts__all_healths(node, protocol, reader, count):
    protocol.markets[TSLA].brinks |= {account: account for account in accounts(count)}
    reading = reader.read(node.head, facts(accounts=accounts(count)), newer(protocol, node))
    assert [health.account for health in reading.markets[0].healths] == list(accounts(count))
    assert node.asked.count("eth_call") == max(1, -(-count // MAX_ACCOUNTS))


def test_read__a_multicall_that_cuts_long_answers__is_asked_for_less(node, protocol, reader):
    whole = node.answer

    def cut(request, tag):
        (results,) = decode(["(bool,bytes)[]"], whole(request, tag))
        return encode(["(bool,bytes)[]"], [[(ok, data[:2_048]) for ok, data in results]])

    node.answer = cut
    assert len(reader.read(node.head, facts(accounts=accounts(40)), None).markets[0].healths) == 40
    node.asked.clear()
    reader.read(node.head, facts(accounts=accounts(40)), None)
    # It has learnt.
    assert node.asked == ["eth_call"]


def test_read__other_bytes_than_the_contracts__is_trouble_with_the_node(node, protocol, reader):
    whole = node.answer
    for broken in (b"", b"\0" * 64, encode(["(bool,bytes)[]"], [[(True, b"")] * 11])):
        node.answer = lambda request, tag, broken=broken: broken
        with pytest.raises(RpcDown):
            reader.read(node.head, facts(), None)

    def no_healths(request, tag):
        (results,) = decode(["(bool,bytes)[]"], whole(request, tag))
        return encode(["(bool,bytes)[]"], [[*results[:-1], (True, b"\0")]])

    node.answer = no_healths
    with pytest.raises(Garbled):
        reader.read(node.head, facts(accounts=accounts(3)), None)


def test_read__a_view_that_reverts__is_trouble_with_the_node(node, protocol, reader):
    whole = node.answer

    def failing(request, tag):
        (results,) = decode(["(bool,bytes)[]"], whole(request, tag))
        return encode(["(bool,bytes)[]"], [[*results[:-1], (False, refused("out of gas").data)]])

    node.answer = failing
    with pytest.raises(RpcDown, match="out of gas"):
        reader.read(node.head, facts(), None)


def test_read__refused_by_the_node__says_so(node, protocol, reader):
    node.answer = lambda request, tag: RpcError(-32000, "header not found", None)
    with pytest.raises(RpcError, match="header not found"):
        reader.read(node.head, facts(), None)


def test_fees__of_each_update__and_none_for_what_pyth_cannot_read(node, protocol, reader):
    updates = [newer(protocol, node), newer(protocol, node)]
    assert reader.fees(node.head, updates) == [2, 2]
    assert reader.fees(node.head, []) == []
    node.answer = lambda request, tag: refused("InvalidUpdateData")
    assert reader.fees(node.head, updates) == [0, 0]
