"""A claim is paid as far as main cash allows, once gains are no longer booked."""

import boa
import pytest

from everstock.chain.in_process import account_of, events


@pytest.fixture
def winner(protocol, house, holder):
    """The holder after a jump, with a claim that nobody has paid yet."""
    protocol.set_prices(after=1, BTC=140_000)
    house.settle(account_of(holder))
    assert protocol.account(holder).claim > 0
    return holder


def test_pay_claim__in_a_settle_window__reverts(house, winner, stranger):
    with boa.reverts("clearing_house: claims are frozen"):
        house.pay_claim(account_of(winner), sender=stranger)


def test_pay_claim__after_the_window__checkpoints_and_pays_all(protocol, house, winner, stranger):
    # A checkpoint takes the new price for its anchor; the one an hour later sees no jump.
    protocol.set_prices(after=600)
    house.checkpoint()
    before, ledgers = protocol.account(winner), house.ledgers()
    protocol.set_prices(after=3_600)
    assert house.pay_claim(account_of(winner), sender=stranger) == before.claim
    (paid,), (_,), (swept,) = (events(house, name) for name in ("ClaimPaid", "Checkpoint", "Swept"))
    assert (paid.account, paid.amount) == (account_of(winner), before.claim)
    after = protocol.account(winner)
    assert (after.cash, after.claim, after.legs) == (before.cash + before.claim, 0, before.legs)
    assert house.ledgers().claims == 0
    assert house.ledgers().main == ledgers.main - before.claim - swept.insurance - swept.treasury


def test_pay_claim__no_checkpoint_due__pays_without_one(protocol, house, winner):
    protocol.set_prices(after=600)
    claim = protocol.account(winner).claim
    assert house.pay_claim(account_of(winner)) == claim
    assert events(house, "Checkpoint") == []


def test_pay_claim__main_without_cash__pays_when_there_is_some(protocol, house, unpaid, unit):
    holder, writer = unpaid
    claim = protocol.account(holder).claim
    assert house.pay_claim(account_of(holder)) == 0
    protocol.endow(protocol.main_pool.address, 1)
    assert house.pay_claim(account_of(holder)) == unit < claim
    assert house.ledgers().main == 0 and house.ledgers().claims == claim - unit
    house.settle(account_of(writer))
    assert house.pay_claim(account_of(holder)) == claim - unit
    assert protocol.account(holder).claim == house.ledgers().claims == 0


def test_pay_claim__account_without_one__pays_nothing(house, trader):
    assert house.pay_claim(account_of(trader)) == 0
