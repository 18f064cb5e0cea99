"""Anyone may list a strike of two digits near the index, while there is room."""

import boa
import pytest

from everstock.chain import addresses
from everstock.chain.deployment import deploy_oracle
from everstock.chain.in_process import START, deployer_of, events, price

from .views import BTC, ETH, HOUR, MAX_SERIES, NOTICE_DELAY

# Strikes of two digits between 3/4 and 4/3 of the index: of BTC at 120,000, of ETH at 4,500.
BTC_STRIKES = [90_000, 91_000, 95_000, 99_000, 100_000, 110_000, 120_000, 130_000, 140_000, 150_000, 160_000]
ETH_STRIKES = [3_400, 4_000, 4_500, 5_000, 5_900, 6_000]


def test_constructor__knows_its_market(protocol, listing):
    assert listing.RISK_BOOK() == protocol.risk_book.address
    assert listing.ORACLE() == protocol.oracle.address


@pytest.mark.parametrize("is_put", [False, True], ids=["call", "put"])
@pytest.mark.parametrize(
    ("underlying", "strike"), [(BTC, usd) for usd in BTC_STRIKES] + [(ETH, usd) for usd in ETH_STRIKES]
)
def test_list_series__strike_of_two_digits_near_the_index__is_active(protocol, listing, underlying, strike, is_put):
    lister = protocol.actor("lister")
    id_ = listing.add(strike, underlying, is_put, by=lister)
    ((listed,), (added,)) = listing.events("Listed"), listing.events("SeriesListed")
    assert id_ == 1
    assert (listed.series, listed.lister) == (1, lister)
    assert (added.series, added.underlying, added.strike, added.is_put) == (1, underlying, price(strike), is_put)
    assert listing.active(underlying) == [1] and listing.active(1 - underlying) == []
    word, gains, size = protocol.risk_book.series_words(id_)
    assert word & 2**56 - 1 == price(strike)
    assert word >> 56 & 1 == is_put and word >> 57 & 1 == underlying
    assert word >> 64 & 2**32 - 1 == START
    assert gains == size == 0


def test_list_series__ids__count_up_over_both_underlyings(listing):
    assert [listing.add(110_000), listing.add(4_000, ETH), listing.add(110_000, is_put=True)] == [1, 2, 3]
    assert (listing.active(BTC), listing.active(ETH)) == ([1, 3], [2])


def test_list_series__can_be_traded_at_once(protocol, listing):
    id_ = listing.add(120_000)
    protocol.trade(protocol.trader("trader"), (id_, 10))
    assert listing.units(id_) == (10 * protocol.unit, 0)


@pytest.mark.parametrize("strike", [121_000, 119_999, 100_000.00000001, 123_456.789, 95_500])
def test_list_series__strike_of_more_than_two_digits__reverts(listing, strike):
    with boa.reverts("series_listing: strike of more than two digits"):
        listing.add(strike)


@pytest.mark.parametrize("raw", [0, 2**56, 2**64, 2**256 - 1])
def test_list_series__strike_that_no_word_holds__reverts(protocol, listing, raw):
    with boa.reverts("series_listing: strike out of range"):
        listing.list_series(BTC, raw, False)


@pytest.mark.parametrize(
    ("underlying", "strike"),
    [(BTC, 89_000), (BTC, 170_000), (BTC, 10_000), (BTC, 720_000_000), (ETH, 3_300), (ETH, 6_100), (BTC, 0.00000001)],
)
def test_list_series__strike_too_far_from_the_index__reverts(listing, underlying, strike):
    with boa.reverts("series_listing: strike too far from index"):
        listing.add(strike, underlying)


def test_list_series__at_the_ends_of_the_range__three_quarters_and_four_thirds(protocol, listing):
    """Moneyness, the index over the strike, from 3/4 to 4/3, both included."""
    listing.add(160_000)
    listing.add(90_000)
    for btc, strike in ((119_999.99, 160_000), (120_000.01, 90_000)):
        protocol.set_prices(after=1, BTC=btc)
        with boa.reverts("series_listing: strike too far from index"):
            listing.add(strike, is_put=True)


def test_list_series__listed_already__reverts_unless_it_is_the_other_kind(listing):
    listing.add(120_000)
    with boa.reverts("series_listing: already listed"):
        listing.add(120_000)
    listing.add(120_000, is_put=True)
    with boa.reverts("series_listing: already listed"):
        listing.add(120_000, is_put=True)


def test_list_series__seventeenth_of_an_underlying__reverts(listing):
    strikes = range(91_000, 99_000, 1_000)
    for usd in strikes:
        listing.add(usd)
        listing.add(usd, is_put=True)
    assert len(listing.active()) == MAX_SERIES
    with boa.reverts("series_listing: no room"):
        listing.add(120_000)
    listing.add(4_500, ETH)


def test_list_series__after_a_delisting__takes_the_place_with_a_new_id(protocol, listing):
    ids = [listing.add(usd, is_put=is_put) for usd in range(91_000, 99_000, 1_000) for is_put in (False, True)]
    protocol.set_prices(after=HOUR)
    listing.give_notice(ids[5])
    protocol.set_prices(after=NOTICE_DELAY)
    listing.delist(ids[5])
    assert listing.add(120_000) == MAX_SERIES + 1
    assert set(listing.active()) == set(ids) - {ids[5]} | {MAX_SERIES + 1}
    with boa.reverts("series_listing: no room"):
        listing.add(130_000)


def test_list_series__ids_used_up__reverts(protocol, listing):
    """After 65,535 series; here the count is set, for want of patience."""
    layout = protocol.risk_book.compiler_data.storage_layout["storage_layout"]["series_book"]["count"]
    boa.env.set_storage(protocol.risk_book.address, layout["slot"], 2**16 - 2)
    assert listing.add(120_000) == 2**16 - 1
    with boa.reverts("series_listing: no room"):
        listing.add(130_000)


@pytest.mark.parametrize("underlying", [2, 3, 2**256 - 1])
def test_list_series__unknown_underlying__reverts(listing, underlying):
    with boa.reverts("series_listing: unknown underlying"):
        listing.add(120_000, underlying)


def test_list_series__market_of_one_underlying__has_no_second(protocol):
    market = protocol.deploy_market("NVDA.M", underlyings=(1,))
    with boa.reverts("series_listing: unknown underlying"):
        market.series_listing.list_series(1, price(4_500), False)
    assert market.series_listing.list_series(0, price(4_500), False) == 1


def test_list_series__underlying_without_variances__not_before_it_has_some(protocol):
    """An oracle set up late, or in the wrong order: options would cost their carry alone."""
    oracle = deploy_oracle(protocol.deployer, protocol.owner, protocol.pyth.address, protocol.sequencer.address)
    oracle.set_feed(0, *protocol.feed("BTC").arguments(), sender=protocol.owner)
    blobs = protocol.publisher.blobs([addresses.PYTH_IDS["BTC"]])
    oracle.update([0], blobs, value=oracle.update_fee(blobs), sender=protocol.operator)
    listing = protocol.deployer.deploy("SeriesListing", protocol.risk_book.address, oracle.address)
    with boa.reverts("series_listing: no variance"):
        listing.list_series(0, price(120_000), False)
    oracle.set_variances(0, 10**9, 10**9, sender=protocol.owner)
    # All its own conditions hold.
    with boa.reverts("risk_book: wrong caller"):
        listing.list_series(0, price(120_000), False)


def test_list_series__price_older_than_a_minute__reverts(protocol, listing):
    protocol.wait(61)
    with boa.reverts("price_oracle: stale price"):
        listing.add(120_000)


def test_list_series__in_a_settle_window__reverts(protocol, listing):
    protocol.set_prices(after=60, BTC=140_000)
    protocol.clearing_house.checkpoint()
    with boa.reverts("risk_book: settle window"):
        listing.add(120_000)
    protocol.set_prices(after=600)
    listing.add(120_000)


def test_list_series__by_anyone_past_the_listing__reverts(protocol, listing):
    """RiskBook takes a series, a notice or a retirement from its listing alone."""
    book, id_ = protocol.risk_book, listing.add(120_000)
    for caller in (protocol.owner, protocol.operator, protocol.clearing_house.address):
        with boa.reverts("risk_book: wrong caller"):
            book.add_series(BTC, price(130_000), False, sender=caller)
        with boa.reverts("risk_book: wrong caller"):
            book.set_notice(id_, protocol.now, sender=caller)
        with boa.reverts("risk_book: wrong caller"):
            book.set_notice(id_, 1, sender=caller)


def test_listing__of_another_market__cannot_touch_this_one(protocol, listing):
    stranger = deployer_of("SeriesListing").deploy(protocol.risk_book.address, protocol.oracle.address)
    with boa.reverts("risk_book: wrong caller"):
        stranger.list_series(BTC, price(120_000), False)
    assert events(protocol.risk_book, "SeriesListed") == []
