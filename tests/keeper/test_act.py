"""Sending: nonces, fees, receipts, and all that can go wrong between a decision and a block."""

import pytest
from eth_abi import encode
from eth_account import Account

from everstock.keeper import gas
from everstock.keeper.act import LEAST_FEE_CAP, PATIENCE, Sender
from everstock.keeper.actions import Checkpoint, Liquidate, UpdatePrices, VoidOrder
from everstock.keeper.plan import Planner
from everstock.keeper.rpc import RpcDown, RpcError
from tests.keeper.deployment import manifest
from tests.keeper.fake_node import ETHER, FakeNode, refused
from tests.keeper.states import NOW, TSLA, order, update

KEY = Account.from_key(b"\7" * 32)
TIP = 1_000_000


def void(nonce=1):
    return VoidOrder(TSLA, order(nonce=nonce), gas.VOID)


def checkpoint(symbol=TSLA):
    return Checkpoint(symbol, None, gas.CHECKPOINT)


@pytest.fixture
def node():
    return FakeNode()


@pytest.fixture
def told():
    """What the sender reported."""
    return []


@pytest.fixture
def sender(node, told):
    made = new_sender(node, told)
    made.refresh(node.head)
    return made


def new_sender(node, told):
    return Sender(
        node,
        KEY,
        Planner(manifest("TSLA.M", "NVDA.M")),
        chain_id=8453,
        tip=TIP,
        report=lambda action, outcome, reason: told.append((action.kind, outcome, reason)),
    )


def next_block(node, sender, **options):
    node.mine(**options)
    sender.refresh(node.head)


# The plain way


def test_perform__sends_what_was_simulated(node, sender, told):
    assert sender.perform(void(), node.head)
    (sent,) = node.received
    assert sent.sender == KEY.address
    assert (sent.nonce, sent.to) == (0, manifest("TSLA.M").markets[0].order_desk)
    assert (sent.tip, sent.fee_cap) == (TIP, LEAST_FEE_CAP + TIP)
    assert sent.gas == gas.limit(gas.VOID)
    assert told == [("void", "sent", "")]
    assert sender.pending == (sent.hash,)
    assert sender.keys == void().keys


def test_perform__high_base_fee__may_double(node, sender):
    node.base_fee = 10**9
    node.mine()
    sender.refresh(node.head)
    sender.perform(void(), node.head)
    assert node.received[0].fee_cap == 2 * 10**9 + TIP


def test_perform__several__in_one_block_one_after_another(node, sender, told):
    for nonce in range(3):
        sender.perform(void(nonce), node.head)
    assert [sent.nonce for sent in node.received] == [0, 1, 2]
    next_block(node, sender)
    assert sender.pending == () and sender.keys == frozenset()
    assert told[3:] == 3 * [("void", "mined", "")]
    sender.perform(void(4), node.head)
    assert node.received[-1].nonce == 3


def test_perform__is_simulated_with_its_gas_limit_upon_the_pending_block(node, sender):
    asked = []
    node.answer = lambda request, block: asked.append((request, block)) or b""
    sender.perform(checkpoint(), node.head)
    ((request, block),) = asked
    assert (request["from"], request["gas"], block) == (KEY.address, hex(gas.limit(gas.CHECKPOINT)), "pending")


def test_perform__a_node_without_a_pending_block__is_asked_for_the_head_from_then_on(node, sender):
    asked = []

    def answer(request, block):
        asked.append(block)
        return RpcError(-32000, "pending state is not available", None) if block == "pending" else b""

    node.answer = answer
    assert sender.perform(void(), node.head)
    assert sender.perform(void(2), node.head)
    assert asked == ["pending", "latest", "latest"]


# What is not sent


def test_perform__simulation_reverts__nothing_is_sent_and_the_reason_told(node, sender, told):
    node.answer = lambda request, block: refused("order_desk: window open")
    assert not sender.perform(void(), node.head)
    assert node.received == []
    assert told == [("void", "refused", "order_desk: window open")]
    assert sender.failures.resting(node.head.number) == void().keys


def test_perform__too_little_gas_expected__takes_what_the_node_estimates(node, sender):
    limit = hex(gas.limit(gas.VOID))
    node.answer = lambda request, block: RpcError(-32000, "out of gas", None) if request["gas"] == limit else b""
    assert sender.perform(void(), node.head)
    assert node.received[0].gas == gas.limit(1_000_000)


def test_perform__all_accounts_healthy_by_now__nothing_is_sent(node, sender, told):
    node.answer = lambda request, block: encode(["uint256[]"], [[0, 0]])
    assert not sender.perform(Liquidate(TSLA, (1, 2), None, 10**6), node.head)
    assert (node.received, told) == ([], [("liquidations", "idle", "")])


def test_perform__not_enough_ether__says_so(node, sender, told):
    node.balance = 10**12
    next_block(node, sender)
    assert not sender.perform(void(), node.head)
    assert told == [("void", "refused", "not enough ether")]


def test_perform__node_refuses_the_transaction__the_nonce_is_used_again(node, sender, told):
    node._eth_sendRawTransaction = lambda raw: RpcError(-32000, "txpool is full", None)
    assert not sender.perform(void(), node.head)
    assert told == [("void", "refused", "txpool is full")]
    del node._eth_sendRawTransaction
    next_block(node, sender)
    assert sender.perform(void(2), node.head)
    assert node.received[0].nonce == 0


def test_perform__failed_in_company__all_are_suspects_and_none_rests(node, sender):
    node.answer = lambda request, block: refused("risk_book: checkpoint due")
    sender.perform(Liquidate(TSLA, (1, 2), None, 10**6), node.head)
    number = node.head.number
    assert len(sender.failures.suspects(number)) == 2
    assert sender.failures.resting(number) == frozenset()


# What becomes of what was sent


def test_receipt__of_a_revert__is_told_with_its_reason(node, sender, told):
    sender.perform(void(), node.head)
    node.execute = lambda sent, block: (False, [])
    node.answer = lambda request, block: refused("order_desk: unknown order")
    next_block(node, sender)
    assert told[-1] == ("void", "reverted", "order_desk: unknown order")
    assert sender.keys == frozenset()
    assert sender.failures.suspects(node.head.number) == void().keys
    next_block(node, sender)
    node.answer, node.execute = (lambda request, block: b""), (lambda sent, block: (True, []))
    assert sender.perform(void(2), node.head)
    next_block(node, sender)
    assert told[-1] == ("void", "mined", "")


def test_receipt__of_a_revert_that_does_not_happen_again__is_told(node, sender, told):
    sender.perform(void(), node.head)
    node.execute = lambda sent, block: (False, [])
    next_block(node, sender)
    assert told[-1] == ("void", "reverted", "reverted in its block, though not upon the one before")


def test_receipt__of_a_block_that_was_not_read_yet__waits(node, sender, told):
    sender.perform(void(), node.head)
    earlier = node.head
    node.mine()
    sender.refresh(earlier)
    assert sender.keys == void().keys
    sender.refresh(node.head)
    assert told[-1] == ("void", "mined", "")


def test_nonce_taken_by_another_transaction__is_told(node, sender, told):
    sender.perform(void(), node.head)
    node.pool.clear()
    node.nonces.append(1)
    node.blocks.append(node.head)
    sender.refresh(node.head)
    assert told[-1][:2] == ("void", "replaced")
    assert sender.keys == frozenset()


def test_stuck__is_sent_again_for_more_until_mined(node, sender, told):
    sender.perform(void(), node.head)
    node.least_fee = 2 * LEAST_FEE_CAP
    for _ in range(5 * PATIENCE):
        next_block(node, sender)
    first, *others = node.received
    assert others
    assert all(sent.nonce == 0 and sent.data == first.data for sent in others)
    fees = [sent.fee_cap for sent in node.received]
    assert all(later * 100 > earlier * 110 for earlier, later in zip(fees, fees[1:], strict=False))
    assert fees[-1] >= node.least_fee > fees[-2]
    assert told == [("void", "sent", ""), ("void", "mined", "")]
    assert sender.pending == ()


def test_stuck__would_fail_by_now__is_cancelled(node, sender, told):
    sender.perform(checkpoint(), node.head)
    node.least_fee = LEAST_FEE_CAP + 2 * TIP
    node.answer = lambda request, block: refused("price_oracle: stale price")
    for _ in range(PATIENCE + 1):
        next_block(node, sender)
    original, cancelling = node.received
    assert (cancelling.nonce, cancelling.to, cancelling.data) == (0, KEY.address.lower(), b"")
    assert told[-1] == ("checkpoint", "replaced", "price_oracle: stale price")
    assert sender.pending == ()


def test_stuck__others_wait_behind_it_with_their_nonces(node, sender, told):
    node.least_fee = LEAST_FEE_CAP + 2 * TIP
    for nonce in range(3):
        sender.perform(void(nonce), node.head)
    for _ in range(2 * PATIENCE):
        next_block(node, sender)
    assert node.nonce == 3
    assert told[3:] == 3 * [("void", "mined", "")]


# A node that dies


def test_node_dies_before_it_has_the_transaction__it_is_sent_again_once(node, sender, told):
    def dead(method):
        if method == "eth_sendRawTransaction":
            raise RpcDown("the node does not answer")

    node.trouble = dead
    with pytest.raises(RpcDown):
        sender.perform(void(), node.head)
    assert (node.received, sender.keys) == ([], void().keys)
    node.trouble = lambda method: None
    sender.refresh(node.head)
    next_block(node, sender)
    assert len(node.received) == 1
    assert told == [("void", "sent", ""), ("void", "mined", "")]


@pytest.mark.parametrize("is_mined", [False, True])
def test_node_dies_after_it_has_the_transaction__it_is_not_sent_twice(node, sender, told, is_mined):
    def dead(methods):
        if "eth_sendRawTransaction" in methods:
            raise RpcDown("the node does not answer")

    node.silence = dead
    with pytest.raises(RpcDown):
        sender.perform(void(), node.head)
    node.silence = lambda methods: None
    if is_mined:
        node.mine()
    sender.refresh(node.head)
    next_block(node, sender)
    assert len(node.received) == 1
    assert told[-1] == ("void", "mined", "")
    sender.perform(void(2), node.head)
    assert node.received[-1].nonce == 1


def test_node_dies_while_a_revert_is_explained__it_is_explained_later(node, sender, told):
    sender.perform(void(), node.head)
    node.execute = lambda sent, block: (False, [])

    def dead(method):
        if method == "eth_call":
            raise RpcDown("the node does not answer")

    node.trouble = dead
    with pytest.raises(RpcDown):
        next_block(node, sender)
    node.trouble = lambda method: None
    sender.refresh(node.head)
    assert [outcome for _, outcome, _ in told] == ["sent", "reverted"]


# Another life


def test_restart__transactions_on_their_way__are_waited_for(node, sender, told):
    sender.perform(void(), node.head)
    sender.perform(void(2), node.head)
    again = new_sender(node, told)
    again.refresh(node.head)
    assert again.is_held
    next_block(node, again)
    assert not again.is_held
    again.perform(void(3), node.head)
    assert node.received[-1].nonce == 2


def test_restart__transactions_that_are_stuck__are_cancelled(node, sender, told):
    sender.perform(void(), node.head)
    node.least_fee = LEAST_FEE_CAP + 2 * TIP
    again = new_sender(node, told)
    again.refresh(node.head)
    for _ in range(4 * PATIENCE):
        next_block(node, again)
    assert not again.is_held
    assert node.nonce == 1
    assert node.received[-1].to == KEY.address.lower()


def test_chain_goes_back__nonces_begin_where_it_is(node, sender, told):
    for nonce in range(3):
        sender.perform(void(nonce), node.head)
        next_block(node, sender)
    sender.perform(void(3), node.head)
    node.go_back(1)
    node.mine()
    sender.forget()
    sender.refresh(node.head)
    assert not sender.is_held and sender.pending == ()
    assert sender.perform(void(4), node.head)
    assert node.received[-1].nonce == node.nonce


def test_balance__is_kept_back_for_what_was_sent(node, sender, told):
    node.balance = ETHER // 1_000
    next_block(node, sender)
    expensive = UpdatePrices((0, 1), update(NOW), gas.MOST)
    results = [sender.perform(expensive, node.head) for _ in range(4)]
    assert results == [True, True, False, False]
