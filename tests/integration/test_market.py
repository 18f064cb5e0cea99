"""A whole market on the forked chain, used through Ape as people with wallets would."""

import ape
import pytest

from everstock.bench.stage import (
    DELAY,
    DEPOSIT_WAIT,
    MARGIN,
    NO_DEADLINE,
    NO_LIMIT,
    TOKEN,
    account_of,
    build,
)
from everstock.chain import artifacts, devnet
from everstock.chain.attestation import Attestation, VaultDomain, sign

DAY = 86_400
EXEC_WINDOW = 60
REDEMPTION_WAIT = 3 * DAY
FACE = 50 * TOKEN


@pytest.fixture(scope="session")
def built(provider, chain):
    """One market with 32 open series, made once."""
    return build(chain)


@pytest.fixture
def stage(built):
    """The same, undone after each test."""
    with built.rewound():
        yield built


@pytest.fixture
def see(stage):
    """The market's contracts by role, as Ape sees them."""
    names = {"vault": "StockVault", "oracle": "PriceOracle"}

    def contract(role):
        name = names.get(role, "".join(part.capitalize() for part in role.split("_")))
        return ape.Contract(getattr(stage, role).address, abi=artifacts.load(name).abi)

    return contract


@pytest.fixture
def keeper(stage):
    return ape.accounts[stage.keeper.address]


@pytest.fixture
def trader(stage):
    """An account with stock tokens, all of them margin."""
    return ape.accounts[stage.trader().address]


def margin_account(person):
    return int(person.address, 16) << 96


def terms(receipt, desk):
    """The order of a request's receipt."""
    (event,) = receipt.decode_logs(desk.Requested)
    return event.order


def fee_of(order):
    """The escrowed ether of an order's terms."""
    return order[10]


def request(see, trader, *legs, **changes):
    desk = see("order_desk")
    fee = desk.min_fee(len(legs), devnet.BASE_FEE)
    arguments = {"limit": NO_LIMIT, "mark_limit": NO_LIMIT, "reduce_only": False, "deadline": NO_DEADLINE} | changes
    receipt = desk.request(margin_account(trader), list(legs), *arguments.values(), value=2 * fee, sender=trader)
    return terms(receipt, desk)


def execute(stage, see, keeper, order, after=DELAY, **prices):
    update = stage.publish(after, **prices)
    return see("order_desk").execute([order], [update], value=stage.fee([update]), sender=keeper)


# Trading


def test_a_trade__from_deposit_to_withdrawal__pays_what_the_option_gained(stage, see, trader, keeper):
    house, desk, token = see("clearing_house"), see("order_desk"), see("vault")
    call_at_60k = stage.calls_on("BTC")[4]

    receipt = execute(stage, see, keeper, request(see, trader, (call_at_60k, FACE)), BTC=60_000)
    (executed,) = receipt.decode_logs(desk.Executed)
    assert executed.total > 0
    assert house.account(margin_account(trader)).legs[0] & 0xFFFF == call_at_60k

    receipt = execute(stage, see, keeper, request(see, trader, (call_at_60k, -FACE)), BTC=63_000)
    (traded,) = receipt.decode_logs(house.Traded)
    assert traded.legs == []
    # From 1/33 at the money to 0.05 + 1.05^-16 / 33, less the premium of a few seconds.
    assert traded.gain == pytest.approx(FACE * (0.05 + (1.05**-16 - 1) / 33), rel=1e-3)

    stage.chain.advance(EXEC_WINDOW)
    cash = house.account(margin_account(trader)).cash
    assert cash > MARGIN
    house.withdraw(margin_account(trader), cash, trader, sender=trader)
    assert token.balanceOf(trader) == cash


def test_execute__before_the_delay__reverts(stage, see, trader, keeper):
    order = request(see, trader, (stage.series[0], FACE))
    with ape.reverts("order_desk: too early"):
        execute(stage, see, keeper, order, after=DELAY - 3)


def test_execute__after_the_window__reverts_and_anyone_voids(stage, see, trader, keeper):
    order = request(see, trader, (stage.series[0], FACE))
    with ape.reverts("order_desk: window missed"):
        execute(stage, see, keeper, order, after=EXEC_WINDOW + 1)
    before = trader.balance
    see("order_desk").void(order, sender=keeper)
    assert trader.balance == before + fee_of(order)


def test_withdraw__under_a_live_order__reverts(stage, see, trader):
    request(see, trader, (stage.series[0], FACE))
    with ape.reverts("clearing_house: live order"):
        see("clearing_house").withdraw(margin_account(trader), TOKEN, trader, sender=trader)


def test_a_dead_sequencer__stops_prices_but_not_accounts_without_legs(stage, see, trader, keeper):
    stage.chain.feeds.set_sequencer(up=False)
    update = stage.publish(10)
    with ape.reverts("price_oracle: sequencer down"):
        see("oracle").update([0, 1], [update], value=stage.fee([update]), sender=keeper)
    see("clearing_house").withdraw(margin_account(trader), MARGIN, trader, sender=trader)


# When it goes wrong


def test_a_writer_below_maintenance__is_liquidated_and_insurance_gains(stage, see, keeper):
    house = see("clearing_house")
    writer = stage.trader()
    calls = stage.calls_on("BTC")[3:6]
    face = stage.largest_face(writer, calls, side=-1)
    stage.trade(writer, *[(id_, -face) for id_ in calls])
    while not stage.is_liquidatable(writer):
        stage.move(after=2, BTC=stage.index["BTC"] * 1.005)
    # What is swept to insurance is swept now.
    house.checkpoint(sender=keeper)
    stage.move(after=2)
    insurance = house.ledgers().insurance

    receipt = see("liquidator").liquidate([account_of(writer)], [], sender=keeper)

    (event,) = receipt.decode_logs(house.Liquidated)
    assert 0 < event.fraction < TOKEN
    assert house.ledgers().insurance == insurance + event.penalty - event.reward
    assert house.account(account_of(stage.keeper)).cash == event.reward
    assert not stage.is_liquidatable(writer)


def test_a_crash__opens_a_settle_window_and_books_gains_as_claims(stage, see, trader, keeper):
    house = see("clearing_house")
    execute(stage, see, keeper, request(see, trader, (stage.calls_on("BTC")[4], FACE)))
    order = request(see, trader, (stage.series[0], FACE))
    with ape.reverts("risk_book: settle window"):
        execute(stage, see, keeper, order, BTC=stage.index["BTC"] * 1.2)
    stage.move(after=2)
    house.checkpoint(sender=keeper)
    house.settle(margin_account(trader), sender=keeper)
    assert house.account(margin_account(trader)).claim > 0
    with ape.reverts("clearing_house: claims are frozen"):
        house.pay_claim(margin_account(trader), sender=keeper)

    stage.move(after=DEPOSIT_WAIT)
    house.checkpoint(sender=keeper)
    stage.move(after=DEPOSIT_WAIT + 1)
    house.pay_claim(margin_account(trader), sender=keeper)
    assert house.account(margin_account(trader)).claim == 0


# Liquidity and the vault


def test_an_lp__deposits_and_redeems_after_the_waits(stage, see, keeper):
    pool, token = see("main_pool"), see("vault")
    lp = ape.accounts[stage.actor().address]
    token.approve(pool, MARGIN, sender=lp)
    pool.requestDeposit(MARGIN, lp, lp, sender=lp)
    pool.fulfil(1, 0, sender=keeper)
    assert pool.claimableDepositRequest(0, lp) == 0

    stage.move(after=DEPOSIT_WAIT)
    pool.fulfil(1, 0, sender=keeper)
    assert pool.claimableDepositRequest(0, lp) == MARGIN
    pool.deposit(MARGIN, lp, lp, sender=lp)
    shares = pool.balanceOf(lp)

    pool.requestRedeem(shares, lp, lp, sender=lp)
    stage.move(after=REDEMPTION_WAIT)
    pool.fulfil(0, 1, sender=keeper)
    worth = pool.maxWithdraw(lp)
    assert worth == pytest.approx(MARGIN, rel=0.01)
    pool.withdraw(worth, lp, lp, sender=lp)
    assert token.balanceOf(lp) == worth


def test_a_share_of_stock__becomes_a_token_and_goes_home(stage, see):
    vault = see("vault")
    owner, participant = ape.accounts[stage.owner.address], ape.accounts[stage.chain.wallet(9).address]
    vault.set_participant(participant, True, sender=owner)
    held = vault.balanceOf(participant)
    attestation = Attestation(participant.address, 7 * TOKEN, b"\7" * 32, 7, stage.chain.now + DAY)
    domain = VaultDomain.from_eip5267(tuple(vault.eip712Domain()))
    signature = sign(attestation, domain, stage.owner.account.key)
    mint = (attestation.participant, attestation.amount, attestation.custody_reference, 7, attestation.deadline)

    vault.mint_in_kind(mint, signature, sender=participant)
    assert vault.balanceOf(participant) == held + 7 * TOKEN
    with ape.reverts("stock_vault: replayed attestation"):
        vault.mint_in_kind(mint, signature, sender=participant)
    vault.redeem_in_kind(7 * TOKEN, b"broker 12345".ljust(32, b"\0"), sender=participant)
    assert vault.balanceOf(participant) == held
