"""Anyone turns an account's gains into cash or a claim; its risk stays as it is. A bankrupt account is left to liquidators."""

import boa
import pytest

from everstock.chain.in_process import account_of, unpack_legs
from tests.liquidity import events


def test_settle__gain__is_paid_from_main(protocol, house, holder, stranger):
    before, main = protocol.account(holder), house.ledgers().main
    protocol.set_prices(after=60, BTC=124_000)
    assert house.settle(account_of(holder), sender=stranger)
    (settled,) = events(house, "Settled")
    after = protocol.account(holder)
    assert settled.gain > 0
    assert (after.cash, after.claim) == (settled.cash, settled.claim) == (before.cash + settled.gain, 0)
    assert house.ledgers().main == main - settled.gain
    assert [leg[:2] for leg in unpack_legs(after.legs)] == [leg[:2] for leg in unpack_legs(before.legs)]
    house.settle(account_of(holder))
    assert events(house, "Settled")[0].gain == 0


def test_settle__loss__is_paid_to_main(protocol, house, holder):
    before, main = protocol.account(holder).cash, house.ledgers().main
    protocol.set_prices(after=60, BTC=117_000)
    assert house.settle(account_of(holder))
    (settled,) = events(house, "Settled")
    assert settled.gain < 0
    assert protocol.account(holder).cash == before + settled.gain
    assert house.ledgers().main == main - settled.gain


def test_settle__in_a_settle_window__gains_become_a_claim(protocol, house, holder):
    before, main = protocol.account(holder).cash, house.ledgers().main
    protocol.set_prices(after=1, BTC=140_000)
    assert house.settle(account_of(holder))
    (settled,) = events(house, "Settled")
    assert (settled.cash, settled.claim) == (before, settled.gain)
    assert (house.ledgers().main, house.ledgers().claims) == (main, settled.gain)


def test_settle__loss_after_a_claim__takes_the_claim_first(protocol, house, holder):
    protocol.set_prices(after=1, BTC=140_000)
    house.settle(account_of(holder))
    cash, claim, ledgers = protocol.account(holder).cash, protocol.account(holder).claim, house.ledgers()
    protocol.set_prices(after=60, BTC=139_000)
    house.settle(account_of(holder))
    (settled,) = events(house, "Settled")
    assert settled.gain < 0
    assert (settled.cash, settled.claim) == (cash, claim + settled.gain)
    # Main owes that much less, and has no more than before.
    assert house.ledgers() == ledgers._replace(claims=settled.claim)


def test_settle__bankrupt__is_passed_over_and_stays_as_it_is(protocol, house, call):
    writer = protocol.trader("writer", 20)
    protocol.trade(writer, (call, -100))
    protocol.set_prices(after=1, BTC=160_000)
    house.checkpoint()
    before = protocol.account(writer)
    assert not house.settle(account_of(writer))
    (passed,) = events(house, "PassedOver")
    assert passed.account == account_of(writer)
    assert protocol.account(writer) == before


def test_settle__account_without_legs__changes_nothing(protocol, house, trader, unit):
    assert house.settle(account_of(trader))
    assert protocol.account(trader) == (100 * unit, 0, [0] * 8)


def test_settle__checkpoint_due__checkpoints_first(protocol, house, holder):
    protocol.set_prices(after=3_600)
    house.settle(account_of(holder))
    assert len(events(house, "Checkpoint")) == 1


@pytest.mark.parametrize("usd", [121_000, 119_000])
def test_settle__without_a_fresh_price__reverts(protocol, house, holder, usd):
    protocol.set_prices(after=1, BTC=usd)
    protocol.wait(61)
    with boa.reverts("price_oracle: stale price"):
        house.settle(account_of(holder))


def test_settle__more_than_an_account_holds__reverts(protocol, house, call, stranger):
    """An account's cash has 112 bits. Its owner can take some out, and is settled then."""
    protocol.deposit(stranger, 2**112 - 1)
    protocol.trade(stranger, (call, 40))
    protocol.set_prices(after=60, BTC=126_000)
    with boa.reverts("clearing_house: amount too large"):
        house.settle(account_of(stranger))
    house.withdraw(account_of(stranger), 100 * protocol.unit, stranger, sender=stranger)
    assert house.settle(account_of(stranger))
