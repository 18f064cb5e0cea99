"""The publisher remembers what it signed, and what came before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everstock.chain.publisher import CONFIDENCE_BP, PricePublisher, PriceUpdate, cut, sign

BTC = f"0x{'b7' * 32}"
ETH = f"0x{'e7' * 32}"
PRICE = 100_000_00000000


@pytest.fixture
def publisher():
    return PricePublisher()


def test_message__is_85_bytes_in_pyths_order():
    update = PriceUpdate(BTC, -1, 2, 3, 4, 5, 6, expo=-8)
    message = update.encode()
    assert len(message) == 85
    assert message[1:33].hex() == BTC[2:]
    assert message[33:41] == b"\xff" * 8
    assert [int.from_bytes(message[a:b], "big") for a, b in ((41, 49), (53, 61), (61, 69), (69, 77), (77, 85))] == [
        2,
        3,
        4,
        5,
        6,
    ]
    assert int.from_bytes(message[49:53], "big", signed=True) == -8


def test_message__a_field_that_does_not_fit__raises():
    with pytest.raises(OverflowError):
        PriceUpdate(BTC, 2**63, 1, 1, 1, 1, 1).encode()


def test_sign__nothing__raises():
    with pytest.raises(ValueError, match="nothing to sign"):
        sign([])


def test_publish__first_of_a_feed__follows_nothing(publisher):
    publisher.publish({BTC: PRICE}, 100)
    assert publisher.latest(BTC) == PriceUpdate(
        BTC, PRICE, PRICE * CONFIDENCE_BP // 10_000, 100, 0, PRICE, PRICE * CONFIDENCE_BP // 10_000
    )


def test_publish__each_carries_the_time_of_the_one_before(publisher):
    for time in (100, 100, 103):
        publisher.publish({BTC: PRICE}, time)
    publisher.publish({ETH: PRICE}, 103)
    assert publisher.latest(BTC).prev_publish_time == 100
    assert publisher.latest(ETH).prev_publish_time == 0


def test_publish__moving_average__covers_an_hour(publisher):
    publisher.publish({BTC: 1_000}, 0)
    publisher.publish({BTC: 2_000}, 1_800)
    assert publisher.latest(BTC).ema_price == 1_500
    publisher.publish({BTC: 3_000}, 10_000)
    assert publisher.latest(BTC).ema_price == 3_000


@pytest.mark.parametrize("price", [0, -1, 2**63])
def test_publish__price_that_is_none__raises(publisher, price):
    with pytest.raises(ValueError, match="not a positive int64"):
        publisher.publish({BTC: price}, 100)


def test_publish__time_before_the_last__raises_and_keeps_nothing(publisher):
    publisher.publish({BTC: PRICE}, 100)
    with pytest.raises(ValueError, match="before the last update"):
        publisher.publish({ETH: PRICE, BTC: PRICE}, 99)
    assert publisher.ids == [BTC]


@given(times=st.lists(st.integers(1, 50), min_size=1).map(sorted), wanted=st.integers(0, 60))
def test_first_from__is_the_earliest_at_or_after(times, wanted):
    publisher = PricePublisher()
    for i, time in enumerate(times):
        publisher.publish({BTC: PRICE + i}, time)
    batch = publisher.first_batch_from(BTC, wanted)
    expected = next((PRICE + i for i, time in enumerate(times) if time >= wanted), None)
    assert (None if batch is None else batch.updates[0].price) == expected
    if batch is not None:
        assert batch.updates[0].prev_publish_time < wanted or wanted <= 0


def test_select__missing_feeds__are_named(publisher):
    publisher.publish({BTC: PRICE}, 100)
    with pytest.raises(KeyError) as caught:
        publisher.select([BTC, ETH])
    assert caught.value.args == (ETH,)


def test_blobs__feeds_of_one_slot__share_a_blob(publisher):
    together = publisher.publish({BTC: PRICE, ETH: PRICE}, 100)
    assert publisher.blobs([BTC, ETH]) == [together]
    publisher.publish({ETH: PRICE}, 101)
    assert len(publisher.blobs([BTC, ETH])) == 2
    assert cut(publisher.select([BTC, ETH], 100)) == [together]


def test_publish__upper_case_ids__are_the_same_feed(publisher):
    publisher.publish({BTC.upper().replace("0X", "0x"): PRICE}, 100)
    assert publisher.latest(BTC) is not None
