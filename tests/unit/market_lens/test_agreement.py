"""What the lens foretells is, to the unit, what the market then does: in markets that went through anything."""

from fractions import Fraction

import boa
from boa import BoaError
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from everstock.chain.in_process import Protocol, account_of, events

from .views import GAIN, Lens, exact_gain, reason, rescale, stored_series

TRADERS = ("ann", "bob", "cyd")
TOKENS = 30

# What a step may be refused for; anything else fails the test.
REFUSALS = {
    "trade: below initial margin",
    "trade: over pool capacity",
    "trade: not enough cash",
    "trade: bankrupt",
    "trade: moneyness out of range",
    "trade: series is retired",
    "trade: series is on notice",
    "risk_book: settle window",
    "risk_book: no equity",
    "clearing_house: claims are frozen",
}

TRADER = st.sampled_from(TRADERS)
PLACE = st.integers(0, 7)  # of a series in the list
SIDE = st.sampled_from([-1, 1])

# At first every trader takes on about all that the margin carries, in one order of one to three series.
OPENINGS = st.tuples(*[st.lists(st.tuples(PLACE, SIDE), min_size=1, max_size=3, unique_by=lambda leg: leg[0])] * 3)
OPENED = 120
# A naked call, a straddle and a pair of puts, all written.
WRITERS = ([(0, -1)], [(4, -1), (5, -1)], [(1, -1), (5, -1)])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), TRADER, st.tuples(PLACE, st.sampled_from([-60, -20, -5, 5, 20, 60]))),
        st.tuples(st.just("move"), st.floats(0.75, 1.35), st.floats(0.75, 1.35), st.integers(1, 5_000)),
        st.tuples(st.just("move"), st.floats(0.95, 1.05), st.floats(0.95, 1.05), st.integers(1, 60)),
        st.tuples(st.just("settle"), TRADER),
        st.tuples(st.just("liquidate"), TRADER),
        st.tuples(st.just("checkpoint")),
        st.tuples(st.just("scale"), st.fractions(Fraction(1, 50), 1, max_denominator=50)),
        st.tuples(st.just("retire"), PLACE),
        st.tuples(st.just("vary"), st.integers(10**8, 10**11), st.integers(10**8, 10**11)),
    ),
    max_size=6,
)

# Of BTC and ETH: somebody is to be liquidated often, and bankrupt now and then.
LAST_MOVE = st.tuples(*[st.sampled_from([0.7, 0.8, 0.87, 0.94, 1.0, 1.06, 1.13, 1.2, 1.3])] * 2)


def opening(legs_of_traders) -> list:
    """The steps by which each trader fills the account."""
    return [
        ("trade", name, *[(place, side * OPENED / len(legs)) for place, side in legs])
        for name, legs in zip(TRADERS, legs_of_traders, strict=True)
    ]


def play(protocol: Protocol, series: list[int], steps: list) -> dict[str, str]:
    """Trade, crash, liquidate and so on; returns the traders by name."""
    traders = {name: protocol.trader(name, TOKENS) for name in TRADERS}
    for action, *values in steps:
        try:
            if action == "trade":
                name, *legs = values
                protocol.trade(traders[name], *[(series[place], face) for place, face in legs])
            elif action == "move":
                btc, eth, seconds = values
                protocol.set_prices(
                    after=seconds, BTC=protocol.index["BTC"] * btc, ETH=protocol.index["ETH"] * eth
                )
            elif action == "settle":
                protocol.clearing_house.settle(account_of(traders[values[0]]))
            elif action == "liquidate":
                protocol.liquidate(traders[values[0]])
            elif action == "checkpoint":
                protocol.clearing_house.checkpoint()
            elif action == "scale":
                rescale(protocol, values[0])
            elif action == "retire":
                id_ = series[values[0]]
                if stored_series(protocol, id_)["notice"] != 1:
                    protocol.risk_book.set_notice(id_, 1, sender=protocol.series_listing.address)
            elif action == "vary":
                for underlying in (0, 1):
                    protocol.oracle.set_variances(underlying, *values, sender=protocol.owner)
            note(f"{action} {values}")
        except BoaError as error:
            note(f"{action} {values}: {reason(error)}")
            assert reason(error) in REFUSALS, reason(error)
    return traders


def check_settle(protocol: Protocol, trader: str, health) -> None:
    """Settling realises the gain that the lens showed, and passes over whom it showed as bankrupt."""
    with boa.env.anchor():
        done = protocol.clearing_house.settle(account_of(trader))
        assert done == (health.equity >= 0)
        if done:
            (settled,) = events(protocol.clearing_house, "Settled")
            assert settled.gain == health.gain
            after = protocol.account(trader)
            assert after.cash + after.claim == health.equity


def check_liquidate(protocol: Protocol, trader: str, health) -> None:
    """Whom the lens shows as liquidatable, and no other, is liquidated, at the scenario sum it showed."""
    with boa.env.anchor():
        (fraction,) = protocol.liquidate(trader)
        assert (fraction != 0) == health.is_liquidatable
        if fraction:
            (liquidated,) = events(protocol.liquidator, "Liquidated")
            assert liquidated.gain == health.gain
            assert liquidated.scenario_sum == health.scenario_sum


def check_withdrawal(protocol: Protocol, trader: str, health) -> None:
    """What exceeds the initial margin that the lens showed may leave, and not a unit more."""
    stored = protocol.account(trader)
    base = stored.cash + stored.claim
    free = health.equity - health.initial

    def may_leave(amount: int) -> bool:
        with boa.env.anchor():
            return protocol.risk_book.withdrawal_check(base, stored.legs, amount)

    if free < 0:
        with boa.reverts("risk_book: below initial margin"):
            may_leave(0)
    else:
        assert may_leave(free)
        with boa.reverts("risk_book: below initial margin"):
            may_leave(free + 1)


def check_market(protocol: Protocol, lens: Lens, ids: list[int]) -> None:
    """A checkpoint finds the E, and every series the gains and rates, that the lens showed before it."""
    before, chain = lens.market(), lens.chain()
    assert before.stored_equity == protocol.clearing_house.equity()
    assert before.is_due == protocol.risk_book.is_due()
    assert before.is_booked == protocol.risk_book.is_booked()
    with boa.env.anchor():
        protocol.clearing_house.checkpoint()
        (event,) = events(protocol.clearing_house, "Checkpoint")
        assert event.equity == before.equity
        after = lens.market()
        assert after.requirement == event.requirement
        assert after.utilisation == event.utilisation
        assert after.window_end == event.window_end
        assert after.stored_equity == after.equity
        assert after.checkpoint_time == protocol.now and not (after.depth and after.is_due)
        for view in chain.series:
            stored = stored_series(protocol, view.id)
            if view.long_units or view.short_units:
                for name in ("strike", "is_put", "long_rate", "short_rate", "long_gain", "short_gain"):
                    assert getattr(view, name) == stored[name]
                assert stored["time"] == protocol.now
            assert (view.long_units, view.short_units) == (stored["long_units"], stored["short_units"])
    retired = {id_ for id_ in ids if stored_series(protocol, id_)["notice"] == 1}
    assert {view.id for view in chain.series} == set(ids) - retired


def check_everything(protocol: Protocol, lens_contract, series: list[int], openings, steps, last_move) -> None:
    lens = Lens(lens_contract, protocol)
    traders = play(protocol, series, [*opening(openings), *steps, ("move", *last_move, 7)])
    healths = dict(zip(traders, lens.health(*traders.values()), strict=True))
    note(str(healths))
    check_market(protocol, lens, series)
    for name, trader in traders.items():
        health = healths[name]
        stored = protocol.account(trader)
        assert (health.cash, health.claim) == (stored.cash, stored.claim)
        assert health.equity == health.cash + health.claim + health.gain
        assert health.legs == sum(leg != 0 for leg in stored.legs)
        check_settle(protocol, trader, health)
        check_liquidate(protocol, trader, health)

    protocol.clearing_house.checkpoint()
    market = lens.market()
    # Invariant 3, without any rounding.
    assert sum(exact_gain(protocol, trader) for trader in traders.values()) == Fraction(market.owed, GAIN)
    assert lens.health(*traders.values()) == list(healths.values())
    for name, trader in traders.items():
        if protocol.now >= market.window_end and market.depth:
            check_withdrawal(protocol, trader, healths[name])


@given(openings=OPENINGS, steps=STEPS, last_move=LAST_MOVE)
@example(openings=WRITERS, steps=[], last_move=(1.13, 0.94))
@example(openings=WRITERS, steps=[("scale", Fraction(1, 3))], last_move=(0.8, 1.2))
@settings(max_examples=10, deadline=None)
def test_lens__any_market__agrees_with_what_the_market_then_does(
    listed_market, lens_contract, openings, steps, last_move
):
    market = listed_market
    check_everything(market.protocol.fork(), lens_contract, market.series, openings, steps, last_move)


@given(openings=OPENINGS, steps=STEPS, last_move=LAST_MOVE)
@example(openings=WRITERS, steps=[("scale", Fraction(1, 7))], last_move=(1.13, 0.94))
@settings(max_examples=10, deadline=None)
def test_lens__any_market_of_six_decimals__agrees_with_what_the_market_then_does(
    listed_market_of_six_decimals, lens_contract, openings, steps, last_move
):
    market = listed_market_of_six_decimals
    check_everything(market.protocol.fork(), lens_contract, market.series, openings, steps, last_move)
