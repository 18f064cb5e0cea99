"""What the owner of the oracle sets, inside which bounds, and that nobody else does."""

import boa
import pytest

from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import OPENING, START, VARIANCES, deployer_of, events, price

from .feeds import BTC, ETH, refused

NOT_OWNER = "ownable: caller is not the owner"
BTC_USD = "BTC / USD"
ZERO_ADDRESS = "0x" + 40 * "0"
MIN_VARIANCE = 10**6
MAX_VARIANCE = 10**12
FIELDS = (
    "pyth_id",
    "chainlink",
    "chainlink_max_age",
    "min_price",
    "max_price",
    "max_confidence",
    "narrow_gap",
    "wide_gap",
)


def feed(protocol, **changes) -> tuple:
    """BTC's feed with some of it changed, without its description."""
    values = dict(zip(FIELDS, protocol.feed("BTC").as_tuple(), strict=True))
    return tuple((values | changes).values())


def test_constructor__knows_pyth_and_the_sequencer_feed_and_has_an_owner(protocol, oracle):
    assert oracle.owner() == protocol.owner
    assert oracle.PYTH() == protocol.pyth.address
    assert oracle.SEQUENCER() == protocol.sequencer.address


def test_constructor__no_owner__reverts(protocol):
    with boa.reverts("price_oracle: no owner"):
        deployer_of("PriceOracle").deploy(ZERO_ADDRESS, protocol.pyth.address, protocol.sequencer.address)


# Feeds


def test_set_feed__writes_it_and_says_so(protocol, oracle):
    wanted = feed(protocol, min_price=price(90_000), wide_gap=2_000)
    oracle.set_feed(7, wanted, BTC_USD, sender=protocol.owner)
    (event,) = events(oracle, "FeedSet")
    assert (event.underlying, tuple(event.feed)) == (7, wanted)
    assert tuple(oracle.feed(7)) == wanted


def test_set_feed__changes_what_the_next_price_is_checked_against(protocol, feeds, oracle):
    oracle.set_feed(BTC, feed(protocol, max_price=price(119_999)), BTC_USD, sender=protocol.owner)
    with refused("price_oracle: price out of band"):
        feeds.bring(feeds.message())


@pytest.mark.parametrize(
    "changes",
    [
        {"pyth_id": bytes(32)},
        {"chainlink_max_age": 0},
        {"chainlink_max_age": 2**32},
        {"min_price": 0},
        {"min_price": price(10_000_000)},
        {"max_price": price(1_000)},
        {"max_price": 2**64},
        {"max_confidence": 0},
        {"max_confidence": 100_000},
        {"narrow_gap": 3_001},
        {"wide_gap": 999},
        {"wide_gap": 100_000},
    ],
    ids=str,
)
def test_set_feed__out_of_bounds__reverts(protocol, oracle, changes):
    with boa.reverts("price_oracle: feed out of bounds"):
        oracle.set_feed(BTC, feed(protocol, **changes), BTC_USD, sender=protocol.owner)


@pytest.mark.parametrize(
    "changes",
    [
        {"chainlink_max_age": 1},
        {"chainlink_max_age": 2**32 - 1},
        {"min_price": 1},
        {"min_price": price(10_000_000) - 1},
        {"max_price": 2**64 - 1},
        {"max_confidence": 1},
        {"max_confidence": 99_999},
        {"narrow_gap": 0},
        {"narrow_gap": 3_000},
        {"narrow_gap": 0, "wide_gap": 0},
        {"wide_gap": 99_999},
    ],
    ids=str,
)
def test_set_feed__at_a_bound__is_taken(protocol, oracle, changes):
    oracle.set_feed(BTC, feed(protocol, **changes), BTC_USD, sender=protocol.owner)
    assert tuple(oracle.feed(BTC)) == feed(protocol, **changes)


def test_set_feed__chainlink_feed_of_other_decimals__reverts(protocol, oracle):
    other = deployer_of("ChainlinkFeed").deploy(protocol.operator, 18, "BTC / USD")
    with boa.reverts("price_oracle: chainlink decimals"):
        oracle.set_feed(BTC, feed(protocol, chainlink=other.address), BTC_USD, sender=protocol.owner)


@pytest.mark.parametrize("description", ["ETH / USD", "BTC / USDT", "btc / usd", "BTC / USD ", ""])
def test_set_feed__chainlink_feed_of_something_else__reverts(protocol, oracle, description):
    with boa.reverts("price_oracle: chainlink description"):
        oracle.set_feed(BTC, feed(protocol), description, sender=protocol.owner)
    other = deployer_of("ChainlinkFeed").deploy(protocol.operator, 8, description)
    with boa.reverts("price_oracle: chainlink description"):
        oracle.set_feed(BTC, feed(protocol, chainlink=other.address), BTC_USD, sender=protocol.owner)


def test_set_feed__neither_a_contract_nor_none__reverts(protocol, oracle):
    with boa.reverts():
        oracle.set_feed(BTC, feed(protocol, chainlink=protocol.actor("nobody")), BTC_USD, sender=protocol.owner)


@pytest.mark.parametrize("max_age", [0, 1_800])
def test_set_feed__without_chainlink__has_no_age_and_no_description(protocol, oracle, max_age):
    wanted = feed(protocol, chainlink=ZERO_ADDRESS, chainlink_max_age=max_age)
    with boa.reverts("price_oracle: chainlink description"):
        oracle.set_feed(BTC, wanted, BTC_USD, sender=protocol.owner)
    oracle.set_feed(BTC, wanted, "", sender=protocol.owner)
    assert tuple(oracle.feed(BTC)) == wanted


# Variances


def test_set_volatility_oracle__then_it_alone_writes_variances(protocol, oracle):
    appointed, other = protocol.actor("volatility oracle"), protocol.actor("another one")
    assert oracle.volatility_oracle() == ZERO_ADDRESS
    oracle.set_volatility_oracle(appointed, sender=protocol.owner)
    (event,) = events(oracle, "VolatilityOracleSet")
    assert event.volatility_oracle == oracle.volatility_oracle() == appointed
    oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=appointed)
    for caller in (protocol.owner, other):
        with boa.reverts("price_oracle: not the volatility oracle"):
            oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=caller)
    with boa.reverts("price_oracle: variance out of bounds"):
        oracle.set_variances(BTC, MIN_VARIANCE, MAX_VARIANCE + 1, sender=appointed)


def test_set_volatility_oracle__another_or_none__the_first_no_longer_writes(protocol, oracle):
    first, second = protocol.actor("first"), protocol.actor("second")
    for appointed in (first, second):
        oracle.set_volatility_oracle(appointed, sender=protocol.owner)
    oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=second)
    with boa.reverts("price_oracle: not the volatility oracle"):
        oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=first)
    oracle.set_volatility_oracle(ZERO_ADDRESS, sender=protocol.owner)
    oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=protocol.owner)
    with boa.reverts(NOT_OWNER):
        oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=second)


def test_set_variances__writes_both_and_says_so_and_leaves_the_price_alone(protocol, feeds, oracle):
    feeds.answer(BTC, 122_000)
    feeds.bring(feeds.message())
    before = feeds.stored()
    assert before[2]
    oracle.set_variances(BTC, MIN_VARIANCE, MAX_VARIANCE, sender=protocol.owner)
    (event,) = events(oracle, "VariancesSet")
    assert (event.underlying, event.fast, event.slow) == (BTC, MIN_VARIANCE, MAX_VARIANCE)
    assert oracle.word(BTC) >> 96 & 2**40 - 1 == MIN_VARIANCE
    assert oracle.word(BTC) >> 136 & 2**40 - 1 == MAX_VARIANCE
    assert feeds.stored() == before


@pytest.mark.parametrize("variance", [0, MIN_VARIANCE - 1, MAX_VARIANCE + 1, 2**256 - 1])
def test_set_variances__out_of_bounds__reverts(protocol, oracle, variance):
    for fast, slow in ((variance, MIN_VARIANCE), (MIN_VARIANCE, variance)):
        with boa.reverts("price_oracle: variance out of bounds"):
            oracle.set_variances(BTC, fast, slow, sender=protocol.owner)


# Nobody else


def test_owner_functions__by_anyone_else__revert(protocol, oracle):
    for caller in (protocol.operator, protocol.deployer.address, protocol.actor("stranger")):
        with boa.reverts(NOT_OWNER):
            oracle.set_feed(BTC, feed(protocol), BTC_USD, sender=caller)
        with boa.reverts(NOT_OWNER):
            oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=caller)
        with boa.reverts(NOT_OWNER):
            oracle.set_volatility_oracle(caller, sender=caller)
        with boa.reverts(NOT_OWNER):
            oracle.transfer_ownership(caller, sender=caller)


def test_transfer_ownership__takes_effect_when_it_is_accepted(protocol, oracle):
    heir = protocol.actor("heir")
    oracle.transfer_ownership(heir, sender=protocol.owner)
    assert (oracle.owner(), oracle.pending_owner()) == (protocol.owner, heir)
    with boa.reverts(NOT_OWNER):
        oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=heir)
    with boa.reverts("ownable_2step: caller is not the new owner"):
        oracle.accept_ownership(sender=protocol.operator)
    oracle.accept_ownership(sender=heir)
    assert oracle.owner() == heir
    oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=heir)
    with boa.reverts(NOT_OWNER):
        oracle.set_variances(BTC, MIN_VARIANCE, MIN_VARIANCE, sender=protocol.owner)


# Reading


def test_words__of_two_underlyings__as_stored(protocol, oracle):
    first, second = oracle.words(BTC, ETH, 60)
    for word, name in ((first, "BTC"), (second, "ETH")):
        assert word & 2**64 - 1 == price(OPENING[name])
        assert word >> 64 & 2**32 - 1 == START
        assert word >> 96 & 2**40 - 1 == word >> 136 & 2**40 - 1 == VARIANCES[name]
        assert word >> 176 == 0
    assert oracle.words(ETH, ETH, 60) == (second, second)


def test_words__older_than_asked__revert_whichever_of_the_two_it_is(protocol, feeds, oracle):
    protocol.wait(14)
    oracle.words(BTC, ETH, 15)
    protocol.wait(1)
    with boa.reverts("price_oracle: stale price"):
        oracle.words(BTC, ETH, 15)
    feeds.bring(feeds.message(BTC))
    oracle.words(BTC, BTC, 15)
    for pair in ((BTC, ETH), (ETH, BTC)):
        with boa.reverts("price_oracle: stale price"):
            oracle.words(*pair, 15)


def test_words__never_stored__revert_at_any_age(protocol, oracle):
    oracle.set_variances(9, MIN_VARIANCE, MIN_VARIANCE, sender=protocol.owner)
    for pair in ((9, 9), (BTC, 9)):
        with boa.reverts("price_oracle: stale price"):
            oracle.words(*pair, 2**256 - 1)


def test_word__whatever_its_age__and_zero_if_there_is_none(protocol, oracle):
    protocol.wait(10**6)
    assert oracle.word(BTC) & 2**64 - 1 == price(OPENING[UNDERLYINGS[BTC]])
    assert oracle.word(9) == 0
    assert tuple(oracle.feed(9)) == (bytes(32), ZERO_ADDRESS, 0, 0, 0, 0, 0, 0)
