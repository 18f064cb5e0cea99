"""What the oracle says of itself before anybody sends a transaction: it must be what becomes of one."""

from dataclasses import astuple

import boa
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import OPENING, START, price
from everstock.chain.transactions import reason_of
from everstock.model.price_oracle import Block, Feed, PriceOracle, Round
from everstock.model.words import oracle_word

from .feeds import BTC, ETH, Feeds, refused

NO_FEED = "0x" + 40 * "0"


def without_chainlink(protocol):
    """BTC's feed has no Chainlink from now on."""
    pyth_id, _, _, *guards = protocol.feed("BTC").as_tuple()
    protocol.oracle.set_feed(BTC, (pyth_id, NO_FEED, 0, *guards), "", sender=protocol.owner)


def modelled(protocol) -> PriceOracle:
    """The model with the same feeds, answers and words."""
    model = PriceOracle(Block(protocol.now), _round(protocol.sequencer))
    for id_, name in enumerate(UNDERLYINGS):
        _, chainlink, max_age, *guards = protocol.oracle.feed(id_)
        answer = None if chainlink == NO_FEED else _round(protocol.chainlink[name])
        max_confidence, narrow, wide = guards[2:]
        model.feeds[id_] = Feed(answer, max_age, *guards[:2], max_confidence, narrow, wide)
        model.word[id_] = oracle_word(protocol.oracle.word(id_))
    return model


def _round(feed) -> Round:
    _, answer, started_at, updated_at, _ = feed.latestRoundData()
    return Round(answer, started_at, updated_at)


def test_status__in_calm_times__refuses_nothing(protocol, oracle):
    protocol.wait(9)
    status = oracle.status(BTC)
    opening = price(OPENING["BTC"])
    assert (status.refusal, status.price, status.publish_time, status.age) == ("", opening, START, 10)
    assert (status.is_restricted, status.chainlink_price, status.chainlink_age, status.gap) == (False, opening, 10, 0)
    assert status.grace_end == START - 86_400 + 300
    assert (status.lowest, status.highest) == (opening * 97 // 100, opening * 103 // 100)
    assert (status.lowest_free, status.highest_free) == (opening * 99 // 100, opening * 101 // 100)


def test_status__chainlink_moves_away__the_stored_price_has_a_gap(feeds, oracle):
    feeds.answer(BTC, 118_000)
    status = oracle.status(BTC)
    assert status.gap == -(-2_000 * 10**5 // 118_000)
    assert status.highest_free < status.price < status.highest
    assert not status.is_restricted


@pytest.mark.parametrize("edge", ["lowest", "highest", "lowest_free", "highest_free"])
def test_status__prices_at_its_edges__are_taken_and_those_beyond_are_not(protocol, feeds, oracle, edge):
    feeds.answer(BTC, 118_765.43219876)
    raw = getattr(oracle.status(BTC), edge)
    beyond = raw + (1 if edge.startswith("highest") else -1)
    with boa.env.anchor():
        feeds.bring(feeds.message(price=raw))
        assert feeds.stored() == (raw, protocol.now, not edge.endswith("free"))
    if edge.endswith("free"):
        feeds.bring(feeds.message(price=beyond))
        assert feeds.stored()[2]
    else:
        with refused("price_oracle: too far from chainlink"):
            feeds.bring(feeds.message(price=beyond))


def test_status__near_the_end_of_the_band__the_band_bounds(feeds, oracle):
    feeds.answer(BTC, 1_001)
    status = oracle.status(BTC)
    assert status.lowest == status.lowest_free == price(1_000)
    assert status.highest == price(1_001) * 103 // 100


def test_status__without_chainlink__only_the_band_bounds(protocol, feeds, oracle):
    without_chainlink(protocol)
    status = oracle.status(BTC)
    assert (status.refusal, status.chainlink_price, status.chainlink_age, status.gap) == ("", 0, 0, 0)
    assert status.lowest == status.lowest_free == price(1_000)
    assert status.highest == status.highest_free == price(10_000_000)


def test_update__without_chainlink__no_gap_is_asked_and_nothing_restricted(protocol, feeds):
    without_chainlink(protocol)
    protocol.chainlink["BTC"].publish(0, 0, 0, sender=protocol.operator)
    feeds.bring(feeds.message(usd=60_000))
    assert feeds.stored() == (price(60_000), protocol.now, False)
    protocol.wait(1)
    with refused("price_oracle: price out of band"):
        feeds.bring(feeds.message(price=price(1_000) - 1))


def test_status__unknown_underlying__says_so(oracle):
    status = oracle.status(7)
    assert (status.refusal, status.price, status.highest) == ("price_oracle: unknown underlying", 0, 0)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (lambda feeds, now: feeds.sequencer(1, now - 10_000), "sequencer down"),
        (lambda feeds, now: feeds.sequencer(0, 0), "sequencer down"),
        (lambda feeds, now: feeds.sequencer(0, now - 299), "sequencer grace period"),
        (lambda feeds, now: feeds.answer(BTC, 0), "chainlink answer not positive"),
        (lambda feeds, now: feeds.answer(BTC, 120_000, ago=1_801), "chainlink too old"),
    ],
)
def test_status__a_feed_in_trouble__the_reason_is_that_of_any_update(protocol, feeds, oracle, happens, reason):
    happens(feeds, protocol.now)
    assert oracle.status(BTC).refusal == f"price_oracle: {reason}"
    with refused(f"price_oracle: {reason}"):
        feeds.bring(feeds.message())
    with refused(f"price_oracle: {reason}"):
        feeds.first(feeds.message())


@given(
    ago=st.integers(0, 4_000),
    answer=st.one_of(st.integers(-1, 0), st.integers(10**12, 9 * 10**14)),
    sequencer=st.sampled_from([(0, 86_400), (0, 299), (0, 300), (1, 5)]),
    chainlink=st.booleans(),
    factor=st.floats(0.95, 1.05),
)
@settings(max_examples=40, deadline=None)
def test_status__whatever_the_feeds_say__is_the_models_and_foretells_an_update(deployed, ago, answer, sequencer, chainlink, factor):
    with boa.env.anchor():
        protocol = deployed.fork()
        feeds = Feeds(protocol)
        protocol.wait(5_000)
        if not chainlink:
            without_chainlink(protocol)
        updated = protocol.now - ago
        protocol.chainlink["BTC"].publish(answer, updated, updated, sender=protocol.operator)
        feeds.sequencer(sequencer[0], protocol.now - sequencer[1])
        model = modelled(protocol)
        for id_ in (BTC, ETH, 7):
            assert tuple(protocol.oracle.status(id_)) == astuple(model.status(id_))
        status = protocol.oracle.status(BTC)
        raw = round(max(answer, price(2_000)) * factor)
        try:
            feeds.bring(feeds.message(price=raw))
        except boa.BoaError as error:
            reason = reason_of(error.stack_trace.last_frame.vm_error.args[0])
            note(reason)
            assert reason == status.refusal if status.refusal else not status.lowest <= raw <= status.highest
        else:
            assert not status.refusal and status.lowest <= raw <= status.highest
            assert feeds.stored()[2] is not (status.lowest_free <= raw <= status.highest_free)
