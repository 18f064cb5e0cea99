"""What is known ahead is worth nothing at the desk where the price comes later; what the rest is worth: docs/LATENCY.md."""

from contextlib import contextmanager

import boa
import numpy as np
import pytest

from everstock.model.reverts import Revert
from everstock.replay.sources import DATA_VARIABLE, data_folders
from everstock.risk.page import found
from tests.economics import latency_page
from tests.economics.latency import (
    DELAY,
    EXEC_WINDOW,
    FACE,
    KEEPER,
    SPANS,
    STALE,
    TOKEN,
    ContractVenue,
    Leg,
    ModelVenue,
    Session,
    Stale,
    Tables,
    moments,
)
from tests.economics.latency_page import ATTACKERS, COMMAND, KNOWN, NOTHING, PAGE, PATIENT, Name
from tests.unit.order_desk.desk import reverts


@pytest.fixture(scope="module")
def folder():
    folders = [folder for folder in data_folders() if latency_page.is_in(folder)]
    if not folders:
        pytest.skip(f"the minutes of both crashes are in no data folder: name one in {DATA_VARIABLE}")
    return folders[0]


@pytest.fixture(scope="module")
def measured(folder):
    """Outcomes of all attackers, on the days and in the hours of the crashes."""
    return latency_page.measure(folder)


@pytest.fixture(scope="module")
def patient(folder):
    """The same in markets whose orders wait for 30 seconds."""
    return latency_page.measure(folder, PATIENT, KNOWN)


@pytest.fixture(scope="module")
def crash(folder):
    return Session.read(folder, *SPANS["crash hour"][1])


def apart(one, other):
    """By how many standard errors one mean is above another, at the same moments."""
    difference = one.profits - other.profits
    return difference.mean() / (difference.std(ddof=1) / len(difference) ** 0.5)


def test_attempts__are_a_thousand_of_each(measured, patient):
    for found, people in ((measured, ATTACKERS), (patient, PATIENT)):
        assert all(sum(len(outcomes[name].profits) for outcomes in found.values()) >= 1_000 for name in people)


@pytest.mark.parametrize("span", SPANS)
def test_knowing_the_price_of_ones_order__before_requesting_it__earns_no_more_than_knowing_nothing(measured, span):
    """Four seconds, and minds cannot be changed: see below."""
    outcomes = measured[span]
    assert outcomes[Name.FOUR].mean < 0
    assert min(apart(outcomes[Name.FOUR], outcomes[name]) for name in NOTHING) < 2.5


@pytest.mark.parametrize("span", SPANS)
def test_knowing_thirty_seconds__where_orders_wait_as_long__earns_no_more_than_knowing_nothing(patient, span):
    """What the desk promises of its delay, of the longest delay that a market can have."""
    outcomes = patient[span]
    assert outcomes[Name.THIRTY].mean < 0
    assert min(apart(outcomes[Name.THIRTY], outcomes[name]) for name in NOTHING) < 2.5


@pytest.mark.parametrize("span", SPANS)
def test_margin_that_follows_an_order__would_pay_who_sees_four_seconds(measured, span):
    """Why none may come under a live order. On the day all but a few minutes are too quiet for it."""
    outcomes = measured[span]
    assert apart(outcomes[Name.LATE_MARGIN], outcomes[Name.FOUR]) > 2.5
    assert (outcomes[Name.LATE_MARGIN].mean > 0) == (span == "crash hour")


@pytest.mark.parametrize("span", SPANS)
def test_knowing_nothing__loses_the_fees(measured, span):
    assert all(measured[span][name].mean < 0 for name in NOTHING)


@pytest.mark.parametrize("span", SPANS)
def test_naive_design__one_step__pays_who_knows_nothing_at_all(measured, span):
    """A stored price that is a minute old is a gift; at the desk nobody can have it."""
    assert measured[span][Name.STALE].chosen.mean > 3 * measured[span][Name.STALE].chosen.error
    assert measured[span][Name.WATCHED].chosen.mean < 0


@pytest.mark.parametrize("span", SPANS)
def test_knowing_thirty_seconds__pays_at_the_desk_too__but_never_more_than_in_one_step(measured, span):
    """What the issue hoped for does not hold: 26 seconds of a crash are more than the fees. docs/LATENCY.md."""
    desk, naive = measured[span][Name.THIRTY], measured[span][Name.NAIVE]
    assert desk.chosen.mean > 3 * desk.chosen.error
    assert apart(desk, naive) < 2.5


def test_knowing_thirty_seconds__on_a_quiet_minute__does_not_pay(measured):
    """Most minutes of a day of which one hour was the largest liquidation so far."""
    assert (measured["day"][Name.THIRTY].worth <= 0).mean() > 0.5


def test_page__is_what_was_measured(folder, measured, patient):
    text = PAGE.read_text()
    for name, lines in latency_page.tables(folder, measured, patient).items():
        assert found(text, name) == lines, f"docs/LATENCY.md is old: run {COMMAND}"


def test_path__has_every_bars_open_high_low_and_close(folder):
    """And stays inside them."""
    episode, begins, _ = SPANS["crash hour"][0]
    session = Session.read(folder, episode, begins, 3_600)
    minutes = {name: path.reshape(-1, 60) for name, path in session.path.items()}
    bars = latency_page.bars_of(folder, episode, begins, 60)
    for name, rows in minutes.items():
        assert rows[:, 0] == pytest.approx(bars[name].open)
        assert rows[:, -1] == pytest.approx(bars[name].close)
        assert rows.min(axis=1) == pytest.approx(bars[name].low)
        assert rows.max(axis=1) == pytest.approx(bars[name].high)


# On the contracts


@pytest.mark.parametrize("attacker", ATTACKERS.values(), ids=ATTACKERS)
def test_contracts__pay_each_attacker_what_the_model_pays_him(protocol, crash, attacker):
    second = moments(crash, 40, 7)[17]
    session = crash.since(second - STALE)
    model = ModelVenue(session)
    plan = attacker.plan(Tables(session, model.strikes()), STALE, np.random.default_rng(1))
    with boa.env.anchor():
        contracts = ContractVenue(protocol.fork(), session, model.strikes())
        gained = []
        for venue in (model, contracts):
            before = venue.wealth()
            if not isinstance(attacker, Stale):
                venue.bring(STALE)
            assert attacker.act(venue, plan)
            gained.append(venue.wealth() - before)
    assert gained[0] == gained[1]
    assert abs(gained[0]) < FACE * TOKEN


@pytest.mark.parametrize("venue", ["model", "contracts"])
def test_changing_ones_mind__by_cancelling_or_by_a_deadline__is_refused(protocol, crash, venue):
    """It gave most of the delay back while it was free: docs/LATENCY.md, point 3. So did margin that came later."""
    model = ModelVenue(crash)
    with boa.env.anchor():
        market = model if venue == "model" else ContractVenue(protocol.fork(), crash, model.strikes())
        now = market.begin + market.second
        for until in (DELAY, EXEC_WINDOW - 1):
            with refused(market, "order_desk: deadline too early"):
                market.request([Leg(0, 1)], deadline=now + until)
        order = market.request([Leg(0, 1)], deadline=now + EXEC_WINDOW)
        for age in (0, DELAY - 1, DELAY, EXEC_WINDOW):
            market.pass_to(now - market.begin + age)
            with refused(market, "order_desk: order is live"):
                market.cancel(order)


# Deep in the money, 10 tokens of face each: places of a call on BTC, a put on BTC, a put on ETH.
CALL, PUT, OTHER_PUT = 0, 2, 6
BOTH, ONE, SECOND = [True, True], [True, False], [False, True]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("pair", "tokens", "done"),
    [
        ((CALL, OTHER_PUT), 4, (BOTH, BOTH)),
        # Only what is executed first has margin.
        ((CALL, OTHER_PUT), 3, (ONE, ONE)),
        ((CALL, PUT), 3, (BOTH, BOTH)),
        # Not for the call alone, but for the call beside the put.
        ((CALL, PUT), 2, (SECOND, BOTH)),
    ],
)
def test_margin_for_two_orders__depends_on_which_was_requested_first__not_on_who_executes(
    protocol, crash, pair, tokens, done, first
):
    """Why orders have turns, docs/LATENCY.md, point 3: what is requested first is executed first."""
    with boa.env.anchor():
        own = protocol.fork()
        market = ContractVenue(own, crash, ModelVenue(crash).strikes())
        market.pass_to(KEEPER)
        market.bring(KEEPER)
        trader = own.trader("short of margin", tokens)
        orders = [own.request(trader, (market.series[place], FACE)) for place in (pair[first], pair[1 - first])]
        market.pass_to(KEEPER + market.delay)
        market._publish(KEEPER + market.delay)
        with refused(market, "order_desk: not its turn"):
            own.execute(*reversed(orders))
        assert own.execute(*orders) == done[first]


@contextmanager
def refused(market, reason):
    """What is inside must be refused with just this reason."""
    if isinstance(market, ModelVenue):
        with pytest.raises(Revert, match=f"^{reason}$"):
            yield
    else:
        with reverts(market.protocol.order_desk, reason):
            yield
