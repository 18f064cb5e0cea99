"""Orders that fail for a reason of the trader's own end, and pay whoever found out; nothing else ends one."""

from fractions import Fraction

import boa
import pytest
from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector
from hypothesis import given, settings
from hypothesis import strategies as st

from everstock.chain.in_process import DELAY, UNDERLYINGS, deployer_of, events, price

from .desk import NOTHING, reverts


def drift(protocol, factor, steps):
    """Move BTC far without ever opening a settle window."""
    for _ in range(steps):
        protocol.set_prices(after=700, BTC=protocol.index["BTC"] * factor)
        protocol.clearing_house.checkpoint()


def over_limit(protocol, trader, btc):
    return protocol.request(trader, (btc, 1), limit=0)


def mark_over_limit(protocol, trader, btc):
    return protocol.request(trader, (btc, 1), mark_limit=0)


def below_initial_margin(protocol, trader, btc):
    return protocol.request(trader, (btc, -2_000))


def bankrupt(protocol, trader, btc):
    protocol.trade(trader, (btc, -300))
    drift(protocol, 1.09, 6)
    return protocol.request(trader, (btc, 300))


def over_capacity(protocol, trader, btc):
    protocol.deposit(trader, 10**6 * protocol.unit)
    return protocol.request(trader, (btc, 30_000))


def moneyness_out_of_range(protocol, trader, btc):
    drift(protocol, 1.083, 9)
    return protocol.request(trader, (btc, 1))


def face_below_minimum(protocol, trader, btc):
    return protocol.request(trader, (btc, 0.1))


def face_too_large(protocol, trader, btc):
    return protocol.request(trader, (btc, (2**127 - 2**100) / protocol.unit))


def nothing_to_reduce(protocol, trader, btc):
    protocol.trade(trader, (btc, 1))
    return protocol.request(trader, (btc, 1), reduce_only=True)


def ninth_leg(protocol, trader, btc):
    series = [
        protocol.list_series(name, moneyness, is_put)
        for name in UNDERLYINGS
        for moneyness in (0.85, 1.15)
        for is_put in (True, False)
    ]
    protocol.trade(trader, *[(id_, 0.5) for id_ in series])
    return protocol.request(trader, (btc, 1))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (over_limit, "trade: over limit"),
        (mark_over_limit, "trade: mark over limit"),
        (below_initial_margin, "trade: below initial margin"),
        (bankrupt, "trade: bankrupt"),
        (over_capacity, "trade: over pool capacity"),
        (moneyness_out_of_range, "trade: moneyness out of range"),
        (face_below_minimum, "trade: face below minimum"),
        (face_too_large, "trade: face too large"),
        (nothing_to_reduce, "trade: nothing to reduce"),
        (ninth_leg, "trade: ninth leg"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_execute__the_traders_own_doing__cancels_and_pays(
    protocol, desk, trader, keeper, btc, earnings, case, expected
):
    order = case(protocol, trader, btc)
    protocol.publish(after=DELAY)
    before = protocol.account(trader), protocol.clearing_house.ledgers()
    earnings(trader), earnings(keeper)
    assert protocol.execute(order, by=keeper) == [False]
    (event,) = events(desk, "Cancelled")
    assert (event.account, event.nonce, event.sender) == (order.account, order.nonce, keeper)
    assert event.reason == expected
    assert not events(desk, "Executed")
    assert (protocol.account(trader), protocol.clearing_house.ledgers()) == before
    # Pyth's fee is two wei.
    assert earnings(keeper) == order.fee - 2
    assert earnings(trader) == 0
    assert desk.order_hash(order.account, order.nonce) == NOTHING
    with reverts(desk, "order_desk: unknown order"):
        protocol.execute(order, by=keeper)


def test_execute__cancelled__keeps_the_price_it_brought(protocol, trader, btc):
    order = over_limit(protocol, trader, btc)
    protocol.publish(after=DELAY, BTC=121_000)
    protocol.execute(order)
    assert protocol.oracle.word(0) & (2**64 - 1) == price(121_000)


def test_execute__sure_to_fail_but_no_price_brought__reverts(protocol, desk, trader, keeper, btc):
    order = over_limit(protocol, trader, btc)
    protocol.publish(after=DELAY)
    with reverts(desk, "PriceFeedNotFoundWithinRange"):
        desk.execute([order], [], sender=keeper)


@given(
    faces=st.lists(
        st.one_of(st.integers(-(2**127) + 1, 2**127 - 1), st.integers(-(10**24), 10**24)).filter(bool),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=25, deadline=None)
def test_execute__whatever_its_faces__an_order_ends(listed, faces):
    """No choice of faces makes an order that can be neither executed nor cancelled: a trap for keepers."""
    protocol = listed[0].fork()
    protocol.set_prices(after=1)
    series = [listed[1], listed[2], protocol.list_series("BTC", 0.9, True), protocol.list_series("ETH", 0.9, True)]
    trader = protocol.trader("trader", 1_000)
    order = protocol.request(trader, *[(id_, Fraction(face, protocol.unit)) for id_, face in zip(series, faces)])
    protocol.publish(after=DELAY)
    (done,) = protocol.execute(order)
    assert done or events(protocol.order_desk, "Cancelled")[0].reason.startswith("trade: ")


# What a trade may answer


HOUSE = """
# pragma version 0.4.3
answer: Bytes[512]

@external
def set_answer(answer: Bytes[512]):
    self.answer = answer

@external
def __default__():
    raw_revert(self.answer)
"""


def error(text):
    return function_signature_to_4byte_selector("Error(string)") + encode(["string"], [text])


@pytest.fixture(scope="session")
def mock_house():
    """A clearing house that refuses every trade in words of our choice."""
    return boa.loads(HOUSE)


@pytest.fixture
def answer(protocol, mock_house, trader, btc):
    """Executes an order that the clearing house refuses with the given data; returns the desk."""
    desk = deployer_of("OrderDesk").deploy(
        mock_house.address, protocol.risk_book.address, protocol.oracle.address, [0, 1], DELAY
    )
    protocol.order_desk = desk
    order = protocol.request(trader, (btc, 1))
    protocol.publish(after=DELAY)

    def run(data):
        mock_house.set_answer(data)
        return desk, lambda: protocol.execute(order)

    return run


@pytest.mark.parametrize("text", ["trade: ", "trade: x", "trade: over limit", "trade: " + 57 * "x"])
def test_execute__refused_with_a_traders_reason__cancels_with_it(answer, text):
    desk, execute = answer(error(text))
    assert execute() == [False]
    assert [event.reason for event in events(desk, "Cancelled")] == [text]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        error(""),
        error("trade:"),
        error("Trade: over limit"),
        error("a trade: over limit"),
        error("price_oracle: stale price"),
        error("risk_book: settle window"),
        error("clearing_house: trade: x"),
        error("risk_book: a reason that is as long as two words of memory: 64."),
        error("trade: over limit")[:4],
        error("trade: over limit")[:99],
        function_signature_to_4byte_selector("Panic(uint256)") + encode(["uint256"], [0x11]),
        function_signature_to_4byte_selector("Trade(string)") + encode(["string"], ["trade: over limit"]),
        b"trade: over limit",
        NOTHING + b"trade: ",
    ],
)
def test_execute__refused_with_anything_else__reverts_with_the_same(answer, data):
    desk, execute = answer(data)
    with pytest.raises(boa.BoaError):
        execute()
    assert desk._computation.output == data


def test_execute__refused_with_more_words_than_any_of_ours__reverts(answer):
    desk, execute = answer(error("trade: " + 58 * "x"))
    with pytest.raises(boa.BoaError):
        execute()
    assert desk._computation.output == b""
