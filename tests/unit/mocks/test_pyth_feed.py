"""Our Pyth: takes what the publisher signed, by the rules of the real one, and nothing else."""

from contextlib import contextmanager
from dataclasses import replace

import boa
import pytest
from boa import BoaError
from hypothesis import given, settings
from hypothesis import strategies as st

from everstock.chain import publisher
from everstock.chain.addresses import PYTH_BTC_USD, PYTH_ETH_USD
from everstock.chain.publisher import PriceUpdate, sign
from everstock.chain.transactions import reason_of

BTC = bytes.fromhex(PYTH_BTC_USD[2:])
ETH = bytes.fromhex(PYTH_ETH_USD[2:])
FOREVER = 2**64 - 1

btc = PriceUpdate(PYTH_BTC_USD, 100_000_00000000, 50_00000000, 1_000, 990, 99_900_00000000, 40_00000000)
eth = PriceUpdate(PYTH_ETH_USD, 4_000_00000000, 2_00000000, 1_000, 995, 3_990_00000000, 1_00000000)

int64 = st.integers(-(2**63), 2**63 - 1)
uint64 = st.integers(0, 2**64 - 1)
updates = st.builds(
    PriceUpdate,
    id=st.binary(min_size=32, max_size=32).filter(any).map(lambda id_: f"0x{id_.hex()}"),
    price=int64,
    conf=uint64,
    publish_time=st.integers(0, 2**32 - 1),
    prev_publish_time=uint64,
    ema_price=int64,
    ema_conf=uint64,
    expo=st.integers(-(2**31), 2**31 - 1),
)


@contextmanager
def reverts(name: str):
    """The call inside must revert with Pyth's custom error `name`."""
    with pytest.raises(BoaError) as caught:
        yield
    assert reason_of(caught.value.stack_trace.last_frame.vm_error.args[0]) == name


def feed_of(update: PriceUpdate) -> tuple:
    price = (update.price, update.conf, update.expo, update.publish_time)
    ema = (update.ema_price, update.ema_conf, update.expo, update.publish_time)
    return (bytes.fromhex(update.id[2:]), price, ema)


@given(batch=st.lists(updates, min_size=1, max_size=8, unique_by=lambda update: update.id))
@settings(max_examples=40, deadline=None)
def test_parse__any_signed_messages__come_back_as_they_were(pyth, batch):
    payer = boa.env.generate_address("payer")
    boa.env.set_balance(payer, 10**18)
    ids = [bytes.fromhex(update.id[2:]) for update in batch]
    parsed = pyth.parsePriceFeedUpdates([sign(batch).blob()], ids, 0, FOREVER, value=len(batch), sender=payer)
    assert [tuple(feed) for feed in parsed] == [feed_of(update) for update in batch]


@pytest.mark.parametrize(
    ("tampering", "error"),
    [
        (publisher.forged, "InvalidWormholeVaa"),
        (publisher.tampered, "InvalidUpdateData"),
        (publisher.truncated, "InvalidUpdateData"),
        (publisher.elsewhere, "InvalidUpdateDataSource"),
        (lambda update: b"", "InvalidUpdateData"),
        (lambda update: b"PNAU", "InvalidUpdateData"),
        (lambda update: b"PNAU\1\0\0\1" + bytes(200), "InvalidUpdateData"),
        (lambda update: b"XXXX" + sign([update]).blob()[4:], "InvalidUpdateData"),
        (lambda update: sign([update]).blob() + b"\0", "InvalidUpdateData"),
    ],
)
def test_update__not_what_the_publisher_signed__reverts(pyth, payer, tampering, error):
    with reverts(error):
        pyth.updatePriceFeeds([tampering(btc)], value=1_000, sender=payer)


def test_update__only_some_messages_of_a_root__are_taken(pyth, payer):
    batch = sign([btc, eth, replace(btc, id=f"0x{'07' * 32}")])
    pyth.updatePriceFeeds([batch.blob([PYTH_ETH_USD])], value=1, sender=payer)
    assert pyth.priceFeedExists(ETH)
    assert not pyth.priceFeedExists(BTC)


def test_update__stores_newer_prices_only(pyth, payer):
    pyth.updatePriceFeeds([sign([btc]).blob()], value=1, sender=payer)
    same_time = replace(btc, price=btc.price + 1)
    older = replace(btc, price=btc.price + 2, publish_time=btc.publish_time - 1)
    pyth.updatePriceFeeds([sign([same_time]).blob(), sign([older]).blob()], value=2, sender=payer)
    assert pyth.getPriceUnsafe(BTC)[0] == btc.price
    newer = replace(btc, price=btc.price + 3, publish_time=btc.publish_time + 1)
    pyth.updatePriceFeeds([sign([newer]).blob()], value=1, sender=payer)
    assert pyth.queryPriceFeed(BTC) == feed_of(newer)


def test_update__too_small_a_fee__reverts(pyth, payer):
    blob = sign([btc, eth]).blob()
    assert pyth.getUpdateFee([blob, blob]) == 4
    with reverts("InsufficientFee"):
        pyth.updatePriceFeeds([blob, blob], value=3, sender=payer)
    with reverts("InsufficientFee"):
        pyth.parsePriceFeedUpdates([blob], [BTC], 0, FOREVER, value=1, sender=payer)


def test_update_if_necessary__nothing_newer__reverts(pyth, payer):
    blob = sign([btc]).blob()
    pyth.updatePriceFeedsIfNecessary([blob], [BTC], [btc.publish_time], value=1, sender=payer)
    with reverts("NoFreshUpdate"):
        pyth.updatePriceFeedsIfNecessary([blob], [BTC], [btc.publish_time], value=1, sender=payer)
    with reverts("InvalidArgument"):
        pyth.updatePriceFeedsIfNecessary([blob], [BTC], [], value=1, sender=payer)


@pytest.mark.parametrize(
    ("min_time", "max_time", "found", "found_unique"),
    [
        # publish_time is 1000, prev_publish_time 990.
        (1_001, FOREVER, False, False),
        (1_000, FOREVER, True, True),
        (991, FOREVER, True, True),
        (990, FOREVER, True, False),
        (0, FOREVER, True, False),
        (991, 1_000, True, True),
        (991, 999, False, False),
    ],
)
def test_parse__within_the_range_and_the_first_of_it(pyth, payer, min_time, max_time, found, found_unique):
    blob = sign([btc]).blob()
    for parse, expected in (
        (pyth.parsePriceFeedUpdates, found),
        (pyth.parsePriceFeedUpdatesUnique, found_unique),
    ):
        if expected:
            assert parse([blob], [BTC], min_time, max_time, value=1, sender=payer) == [feed_of(btc)]
        else:
            with reverts("PriceFeedNotFoundWithinRange"):
                parse([blob], [BTC], min_time, max_time, value=1, sender=payer)


def test_parse_unique__second_update_of_a_second__reverts(pyth, payer):
    with reverts("PriceFeedNotFoundWithinRange"):
        pyth.parsePriceFeedUpdatesUnique(
            [publisher.not_first(btc)], [BTC], btc.publish_time, FOREVER, value=1, sender=payer
        )


def test_parse__keeps_the_order_asked_for_and_the_first_match(pyth, payer):
    later = replace(btc, price=1, publish_time=1_001, prev_publish_time=1_000)
    blobs = [sign([btc, eth]).blob(), sign([later]).blob()]
    parsed = pyth.parsePriceFeedUpdates(blobs, [ETH, BTC], 0, FOREVER, value=3, sender=payer)
    assert [tuple(feed) for feed in parsed] == [feed_of(eth), feed_of(btc)]


def test_parse__a_feed_that_is_missing_or_asked_for_twice__reverts(pyth, payer):
    blob = sign([btc]).blob()
    for ids in ([ETH], [BTC, ETH], [BTC, BTC]):
        with reverts("PriceFeedNotFoundWithinRange"):
            pyth.parsePriceFeedUpdates([blob], ids, 0, FOREVER, value=1, sender=payer)


def test_parse__stores_nothing(pyth, payer):
    pyth.parsePriceFeedUpdates([sign([btc]).blob()], [BTC], 0, FOREVER, value=1, sender=payer)
    assert not pyth.priceFeedExists(BTC)


def test_price__never_stored__reverts(pyth):
    for read in (pyth.getPriceUnsafe, pyth.getEmaPriceUnsafe, pyth.queryPriceFeed):
        with reverts("PriceFeedNotFound"):
            read(BTC)


def test_price__older_or_newer_than_age__reverts(pyth, payer):
    now = boa.env.timestamp
    for publish_time in (now - 10, now + 10):
        update = replace(btc, publish_time=publish_time)
        with boa.env.anchor():
            pyth.updatePriceFeeds([sign([update]).blob()], value=1, sender=payer)
            assert pyth.getPriceNoOlderThan(BTC, 10)[0] == btc.price
            assert pyth.getEmaPriceNoOlderThan(BTC, 10)[0] == btc.ema_price
            with reverts("StalePrice"):
                pyth.getPriceNoOlderThan(BTC, 9)


def test_negative_and_zero_prices__are_taken_as_pyth_does(pyth, payer):
    for make, price in ((publisher.negative, -btc.price), (publisher.zero, 0)):
        parsed = pyth.parsePriceFeedUpdates([make(btc)], [BTC], 0, FOREVER, value=1, sender=payer)
        assert parsed[0][1][0] == price
