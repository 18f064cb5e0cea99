"""An order that was signed is requested by whoever relays it: once, as it was signed, and nobody else's."""

from dataclasses import replace

import boa
import pytest
from eth_account import Account
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from everstock.chain.in_process import DELAY, EXEC_WINDOW, NO_DEADLINE, NO_LIMIT, Order, account_of, events, price
from everstock.chain.signed_orders import DeskDomain, as_tuple, digest, sign
from everstock.model.order_desk import ARMED, MAX_WAIT, SignedOrder, Trigger
from everstock.model.risk_book import OrderLeg

from .desk import ETHER, ZERO_ADDRESS, reverts

OWNER = Account.from_key(keccak(text="owner"))
SOMEBODY = Account.from_key(keccak(text="somebody"))
# secp256k1's order.
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

# Answers for a signature as it is told to; takes ether.
WALLET = """
# pragma version 0.4.3

expected: bytes32
answer: Bytes[64]
refusing: bool

@payable
@external
def __default__():
    pass

@external
def expect(signature: Bytes[1024], answer: Bytes[64], refusing: bool):
    self.expected = keccak256(signature)
    self.answer = answer
    self.refusing = refusing

@view
@external
@raw_return
def isValidSignature(digest: bytes32, signature: Bytes[1024]) -> Bytes[64]:
    assert not self.refusing
    if keccak256(signature) != self.expected:
        return abi_encode(empty(bytes32))
    return self.answer
"""


@pytest.fixture(scope="module")
def wallet_deployer():
    return boa.loads_partial(WALLET)


@pytest.fixture
def domain(desk):
    return DeskDomain.from_eip5267(desk.eip712Domain())


@pytest.fixture
def owner(protocol):
    """Whose account 0 has margin, and whose key signs."""
    protocol.deposit(OWNER.address, 100 * protocol.unit)
    return OWNER


@pytest.fixture
def signed(protocol, owner, btc):
    """A market order of the owner's."""
    return SignedOrder(
        account=account_of(owner.address),
        legs=(OrderLeg(btc, protocol.unit),),
        limit=NO_LIMIT,
        mark_limit=NO_LIMIT - 1,
        reduce_only=False,
        deadline=NO_DEADLINE,
        underlying=0,
        above=0,
        below=0,
        salt=7,
        valid_until=protocol.now + 30,
        relayer=ZERO_ADDRESS,
    )


def relay(desk, domain, order, relayer, key=OWNER, signer=None, value=ETHER):
    return desk.relay(
        as_tuple(order), signer or key.address, sign(order, domain, key.key), value=value, sender=relayer
    )


def test_domain__is_the_desks_own(protocol, desk, domain):
    assert domain == DeskDomain(desk.address, boa.env.evm.patch.chain_id)


@given(
    legs=st.lists(st.builds(OrderLeg, st.integers(0, 2**256 - 1), st.integers(-(2**255), 2**255 - 1)), max_size=8),
    words=st.lists(st.integers(0, 2**256 - 1), min_size=7, max_size=7),
    limits=st.lists(st.integers(-(2**127), 2**127 - 1), min_size=2, max_size=2),
    reduce_only=st.booleans(),
    relayer=st.sampled_from([ZERO_ADDRESS, SOMEBODY.address]),
)
@settings(max_examples=30, deadline=None)
def test_digest_of__is_that_of_eip_712(listed, legs, words, limits, reduce_only, relayer):
    desk = listed[0].order_desk
    order = SignedOrder(words[0], tuple(legs), *limits, reduce_only, *words[1:], relayer)
    assert desk.digest_of(as_tuple(order)) == digest(order, DeskDomain.from_eip5267(desk.eip712Domain()))


def test_relay__requests_what_was_signed__for_the_relayers_fee(protocol, desk, domain, keeper, signed, earnings):
    earnings(keeper), earnings(desk.address)
    assert relay(desk, domain, signed, keeper) == 1
    (event,) = events(desk, "Requested")
    order = Order(
        signed.account,
        1,
        [tuple(leg) for leg in signed.legs],
        signed.limit,
        signed.mark_limit,
        False,
        NO_DEADLINE,
        0,
        protocol.now,
        0,
        ETHER,
        keeper,
    )
    assert tuple(event.order) == tuple(order)
    (spent,) = events(desk, "SignatureSpent")
    assert (spent.account, spent.digest, spent.sender) == (signed.account, digest(signed, domain), keeper)
    assert earnings(keeper) == -earnings(desk.address) == -ETHER
    assert desk.is_spent(signed.account, digest(signed, domain))
    assert desk.live_until(signed.account) == protocol.now + EXEC_WINDOW
    protocol.publish(after=DELAY)
    assert protocol.execute(order) == [True]
    assert len(protocol.units(OWNER.address)) == 1


def test_relay__conditional(protocol, desk, domain, keeper, signed):
    stop = replace(signed, underlying=1, above=price(4_600), below=price(4_400), deadline=protocol.now + MAX_WAIT)
    relay(desk, domain, stop, keeper)
    (event,) = events(desk, "Requested")
    assert event.order.trigger == Trigger(1, price(4_600), price(4_400)).word | ARMED
    assert desk.live_until(signed.account) == 0
    protocol.publish(after=DELAY, ETH=4_600)
    assert protocol.trigger(event.order) == [True]


def test_cancel__relayed__by_the_owner__returns_the_fee_to_the_relayer(protocol, desk, domain, owner, keeper, signed, earnings):
    relay(desk, domain, replace(signed, above=price(130_000), deadline=protocol.now + MAX_WAIT), keeper)
    (event,) = events(desk, "Requested")
    with reverts(desk, "order_desk: neither owner nor delegate"):
        desk.cancel(event.order, sender=keeper)
    earnings(keeper)
    desk.cancel(event.order, sender=owner.address)
    assert earnings(keeper) == ETHER


def test_cancel__relayed_market_order__reverts(desk, domain, owner, keeper, signed):
    relay(desk, domain, signed, keeper)
    (event,) = events(desk, "Requested")
    with reverts(desk, "order_desk: order is live"):
        desk.cancel(event.order, sender=owner.address)


@pytest.mark.parametrize("above", [0, 5])
def test_relay__deadline_nearer_than_the_window__reverts(protocol, desk, domain, keeper, signed, above):
    """Counted from the relaying, not from the signature."""
    signed = replace(signed, above=above, deadline=protocol.now + EXEC_WINDOW)
    protocol.wait(1)
    with reverts(desk, "order_desk: deadline too early"):
        relay(desk, domain, signed, keeper)
    protocol.wait(-1)
    assert relay(desk, domain, signed, keeper) == 1


def test_relay__twice__reverts(protocol, desk, domain, keeper, other, signed):
    relay(desk, domain, signed, keeper)
    for relayer in (keeper, other):
        with reverts(desk, "order_desk: signature spent"):
            relay(desk, domain, signed, relayer)
    # The same terms with another salt are another order.
    assert relay(desk, domain, replace(signed, salt=8), other) == 2


def test_relay__until_it_expires(protocol, desk, domain, keeper, signed):
    protocol.wait(31)
    with reverts(desk, "order_desk: signature expired"):
        relay(desk, domain, signed, keeper)
    boa.env.evm.patch.timestamp -= 1
    assert relay(desk, domain, signed, keeper) == 1


def test_relay__by_another_than_its_relayer__reverts(protocol, desk, domain, keeper, other, signed):
    theirs = replace(signed, relayer=keeper)
    with reverts(desk, "order_desk: not the relayer"):
        relay(desk, domain, theirs, other)
    assert relay(desk, domain, theirs, keeper) == 1


CHANGES = {
    "legs": (OrderLeg(1, 2),),
    "limit": 5,
    "mark_limit": -5,
    "reduce_only": True,
    "deadline": NO_DEADLINE - 1,
    "underlying": 1,
    "above": 1,
    "below": 1,
    "salt": 8,
    "valid_until": 2**255,
}


@pytest.mark.parametrize("field", CHANGES)
def test_relay__other_terms_than_were_signed__reverts(protocol, desk, domain, owner, keeper, signed, field):
    other = replace(signed, **{field: CHANGES[field]})
    with reverts(desk, "order_desk: wrong signature"):
        desk.relay(as_tuple(other), owner.address, sign(signed, domain, owner.key), value=ETHER, sender=keeper)


def test_relay__of_another_account_of_the_owner__reverts(protocol, desk, domain, owner, keeper, signed):
    other = replace(signed, account=account_of(owner.address, 1))
    with reverts(desk, "order_desk: wrong signature"):
        desk.relay(as_tuple(other), owner.address, sign(signed, domain, owner.key), value=ETHER, sender=keeper)


def test_relay__signed_for_another_chain_or_desk__reverts(protocol, desk, domain, keeper, signed):
    for elsewhere in (replace(domain, chain_id=domain.chain_id + 1), replace(domain, address=keeper)):
        with reverts(desk, "order_desk: wrong signature"):
            relay(desk, elsewhere, signed, keeper)


def test_relay__signed_by_somebody_else__reverts(protocol, desk, domain, owner, keeper, signed):
    with reverts(desk, "order_desk: neither owner nor delegate"):
        relay(desk, domain, signed, keeper, key=SOMEBODY)
    with reverts(desk, "order_desk: wrong signature"):
        relay(desk, domain, signed, keeper, key=SOMEBODY, signer=owner.address)


def test_relay__for_an_account_of_nobody__reverts(protocol, desk, domain, keeper, signed):
    nobodys = replace(signed, account=5)
    with reverts(desk, "order_desk: wrong signature"):
        desk.relay(as_tuple(nobodys), ZERO_ADDRESS, b"", value=ETHER, sender=keeper)
    with reverts(desk, "ecdsa: invalid signature"):
        desk.relay(as_tuple(nobodys), ZERO_ADDRESS, bytes(65), value=ETHER, sender=keeper)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: b"", "order_desk: wrong signature"),
        (lambda s: s[:64], "order_desk: wrong signature"),
        (lambda s: s + b"\0", "order_desk: wrong signature"),
        (lambda s: s[:64] + bytes([55 - s[64]]), "order_desk: wrong signature"),
        (lambda s: s[:64] + b"\0", "ecdsa: invalid signature"),
        (
            lambda s: s[:32] + (N - int.from_bytes(s[32:64], "big")).to_bytes(32, "big") + bytes([55 - s[64]]),
            "ecdsa: invalid signature `s` value",
        ),
    ],
    ids=["empty", "short", "long", "other v", "no v", "high s"],
)
def test_relay__malformed_signature__reverts(desk, domain, owner, keeper, signed, change, reason):
    with reverts(desk, reason):
        desk.relay(as_tuple(signed), owner.address, change(sign(signed, domain, owner.key)), value=ETHER, sender=keeper)


def test_relay__signed_by_a_delegate__while_they_are_one(protocol, desk, domain, owner, keeper, signed):
    desk.set_delegate(signed.account, SOMEBODY.address, True, sender=owner.address)
    assert relay(desk, domain, signed, keeper, key=SOMEBODY) == 1
    desk.set_delegate(signed.account, SOMEBODY.address, False, sender=owner.address)
    with reverts(desk, "order_desk: neither owner nor delegate"):
        relay(desk, domain, replace(signed, salt=8), keeper, key=SOMEBODY)


@pytest.mark.parametrize("length", [0, 65, 130, 1024])
def test_relay__signed_by_a_wallet__as_it_says(protocol, desk, domain, keeper, signed, wallet_deployer, length):
    contract = wallet_deployer.deploy()
    protocol.deposit(contract.address, 100 * protocol.unit)
    signature = b"\7" * length
    theirs = replace(signed, account=account_of(contract.address))
    call = (as_tuple(theirs), contract.address, signature)
    valid = bytes.fromhex("1626ba7e") + bytes(28)
    for answer, refusing in ((valid, True), (bytes(32), False), (b"", False), (valid[:31], False)):
        contract.expect(signature, answer, refusing)
        with reverts(desk, "order_desk: wrong signature"):
            desk.relay(*call, value=ETHER, sender=keeper)
    contract.expect(signature + b"\1" if length < 1024 else b"", valid, False)
    with reverts(desk, "order_desk: wrong signature"):
        desk.relay(*call, value=ETHER, sender=keeper)
    contract.expect(signature, valid, False)
    assert desk.relay(*call, value=ETHER, sender=keeper) == 1


def test_relay__signed_by_a_key_for_a_wallet__reverts(protocol, desk, domain, keeper, signed, wallet_trader):
    theirs = replace(signed, account=account_of(wallet_trader.address))
    with reverts(desk, "order_desk: wrong signature"):
        relay(desk, domain, theirs, keeper, signer=wallet_trader.address)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"legs": ()}, "order_desk: no legs"),
        ({"legs": (OrderLeg(1, 1),) * 2}, "order_desk: series twice"),
        ({"deadline": 0}, "order_desk: deadline too early"),
        ({"above": 5}, "order_desk: deadline too late"),
        ({"above": 5, "below": 5}, "order_desk: triggers crossed"),
        ({"underlying": 2, "below": 5}, "order_desk: unknown underlying"),
    ],
)
def test_relay__what_could_not_be_requested__reverts(desk, domain, keeper, signed, changes, reason):
    with reverts(desk, reason):
        relay(desk, domain, replace(signed, **changes), keeper)
    # It is not spent by that.
    assert not desk.is_spent(signed.account, digest(replace(signed, **changes), domain))


def test_relay__fee_below_the_least__reverts(desk, domain, keeper, signed):
    with reverts(desk, "order_desk: fee too low"):
        relay(desk, domain, signed, keeper, value=desk.min_fee(1) - 1)


def test_revoke__makes_it_useless(protocol, desk, domain, owner, keeper, signed):
    desk.revoke(signed.account, digest(signed, domain), sender=owner.address)
    (event,) = events(desk, "SignatureSpent")
    assert (event.account, event.digest, event.sender) == (signed.account, digest(signed, domain), owner.address)
    with reverts(desk, "order_desk: signature spent"):
        relay(desk, domain, signed, keeper)
    with reverts(desk, "order_desk: signature spent"):
        desk.revoke(signed.account, digest(signed, domain), sender=owner.address)


def test_revoke__what_was_relayed__reverts(desk, domain, owner, keeper, signed):
    relay(desk, domain, signed, keeper)
    with reverts(desk, "order_desk: signature spent"):
        desk.revoke(signed.account, digest(signed, domain), sender=owner.address)


def test_revoke__by_who_may_not_trade_for_the_account__reverts_and_in_their_own_changes_nothing(
    desk, domain, trader, keeper, signed
):
    with reverts(desk, "order_desk: neither owner nor delegate"):
        desk.revoke(signed.account, digest(signed, domain), sender=trader)
    desk.revoke(account_of(trader), digest(signed, domain), sender=trader)
    assert relay(desk, domain, signed, keeper) == 1


def test_revoke__by_a_delegate__passes(desk, domain, owner, trader, keeper, signed):
    desk.set_delegate(signed.account, trader, True, sender=owner.address)
    desk.revoke(signed.account, digest(signed, domain), sender=trader)
    with reverts(desk, "order_desk: signature spent"):
        relay(desk, domain, signed, keeper)
