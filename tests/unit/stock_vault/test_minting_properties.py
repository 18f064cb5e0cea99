"""What holds after any sequence of mints, redemptions, waits and changes of the limit."""

from dataclasses import dataclass, field
from fractions import Fraction

import boa
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from everstock.chain.in_process import events

from .custody import BROKER_ACCOUNT, DAY, MAX_DAILY_LIMIT, Custody

# Waits that matter: none, seconds, parts of a day, days.
WAITS = st.one_of(st.just(0), st.integers(1, 600), st.integers(600, DAY), st.integers(DAY, 4 * DAY))

# Limits that divide a day badly as well as round ones; none, tiny, the largest.
LIMITS = st.one_of(st.sampled_from([0, 1, DAY - 1, MAX_DAILY_LIMIT]), st.integers(2, MAX_DAILY_LIMIT))

# A mint of a fraction of what is left, of all that is left, or of more than that.
FRACTIONS = st.one_of(st.just(Fraction(1)), st.fractions(0, 1, max_denominator=1_000))

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("mint"), FRACTIONS),
        st.tuples(st.just("mint"), FRACTIONS),
        st.tuples(st.just("mint too much"), st.integers(1, MAX_DAILY_LIMIT)),
        st.tuples(st.just("redeem"), FRACTIONS),
        st.tuples(st.just("wait"), WAITS),
        st.tuples(st.just("wait"), WAITS),
        st.tuples(st.just("set limit"), LIMITS),
    ),
    min_size=1,
    max_size=30,
)


@dataclass
class History:
    """What happened, in the test's own books."""

    limits: list = field(default_factory=list)  # (from when, limit)
    mints: list = field(default_factory=list)  # (when, amount)
    minted: int = 0
    redeemed: int = 0

    def bound(self, start, end) -> Fraction:
        """The documented bound on what is minted from `start` to `end`: the largest limit in force, plus what leaks."""
        ends = [since for since, _ in self.limits[1:]] + [end]
        in_force = [
            (limit, min(until, end) - max(since, start))
            for (since, limit), until in zip(self.limits, ends)
            if until >= start and since <= end
        ]
        return max(limit for limit, _ in in_force) + sum(Fraction(limit * time, DAY) for limit, time in in_force)


def play(vault, custody, owner, participant, limit, steps) -> History:
    vault.set_daily_limit(limit, sender=owner)
    history = History(limits=[(boa.env.timestamp, limit)])
    for action, value in steps:
        left = vault.daily_limit_left()
        note(f"{action} {value}, left {left}")
        if action == "wait":
            boa.env.time_travel(seconds=value)
        elif action == "set limit":
            vault.set_daily_limit(value, sender=owner)
            history.limits.append((boa.env.timestamp, value))
        elif action == "mint too much":
            with boa.reverts("stock_vault: over daily limit"):
                custody.mint(left + value)
        elif action == "mint" and (amount := int(left * value)):
            custody.mint(amount)
            history.mints.append((boa.env.timestamp, amount))
            history.minted += amount
        elif action == "redeem" and (amount := int(vault.balanceOf(participant) * value)):
            vault.redeem_in_kind(amount, BROKER_ACCOUNT, sender=participant)
            history.redeemed += amount
        assert vault.totalSupply() == vault.balanceOf(participant) == history.minted - history.redeemed
    return history


@pytest.fixture(scope="module")
def shared_vault(deploy_vault, owner, participant):
    vault = deploy_vault()
    vault.set_participant(participant, True, sender=owner)
    return vault


@given(limit=LIMITS, steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_minting__any_window__stays_within_the_documented_bound_and_supply_is_minted_less_redeemed(
    shared_vault, custodian, owner, participant, limit, steps
):
    custody = Custody(shared_vault, custodian, participant)
    history = play(shared_vault, custody, owner, participant, limit, steps)
    for first, (start, _) in enumerate(history.mints):
        total = 0
        for end, amount in history.mints[first:]:
            total += amount
            assert total <= history.bound(start, end)


@given(limit=st.integers(1, MAX_DAILY_LIMIT), waits=st.lists(st.integers(0, DAY), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_minting__a_thief_who_always_takes_all__gets_one_limit_and_what_leaks(
    shared_vault, custodian, owner, participant, limit, waits
):
    """The bound is tight as well: all of it can be had, less a unit lost to rounding at each mint."""
    custody = Custody(shared_vault, custodian, participant)
    shared_vault.set_daily_limit(limit, sender=owner)
    start = boa.env.timestamp
    custody.mint(limit)
    for wait in waits:
        boa.env.time_travel(seconds=wait)
        if left := shared_vault.daily_limit_left():
            custody.mint(left)
    bound = limit + Fraction(limit * (boa.env.timestamp - start), DAY)
    assert bound - len(waits) <= shared_vault.totalSupply() <= bound


@given(nonces=st.lists(st.integers(0, 1_023), min_size=1, max_size=25))
@settings(max_examples=40, deadline=None)
def test_minting__any_order_of_nonces__each_mints_once(shared_vault, custodian, participant, nonces):
    custody = Custody(shared_vault, custodian, participant)
    used = set()
    for nonce in nonces:
        if nonce in used:
            with boa.reverts("stock_vault: replayed attestation"):
                custody.mint(1, nonce=nonce)
        else:
            custody.mint(1, nonce=nonce)
            (minted,) = events(shared_vault, "MintedInKind")
            assert minted.nonce == nonce
            used.add(nonce)
    assert shared_vault.totalSupply() == len(used)
    assert all(shared_vault.is_nonce_used(nonce) == (nonce in used) for nonce in used | {n ^ 1 for n in used})
