"""Sending transactions: simulated first, several to a block, never waited for.

Nonces are counted here. A transaction that is not mined is sent again with a higher fee, or cancelled if by then it
would fail. Transactions that nobody here remembers (of an earlier life of this keeper, or from before the chain went
back) are waited for before anything is sent.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

from everstock.keeper import gas
from everstock.keeper.actions import Action
from everstock.keeper.failures import Failures
from everstock.keeper.multicall import Call
from everstock.keeper.plan import Plan, Planner, Verdict
from everstock.keeper.rpc import Block, Rpc, RpcError, octets, quantity
from everstock.keeper.state import Key

# What a simulation runs upon: the head and, where a node knows, what is about to follow; nodes that do not tell say so.
PENDING: Final = "pending"
HEAD: Final = "latest"
# A cap on the fee is no price: what is paid is the block's base fee and the tip. It only must not be below the
# base fee when the transaction is mined, which on Base moves from about 0.005 gwei.
LEAST_FEE_CAP: Final = 20_000_000
# Blocks without being mined after which a transaction is sent again, at so much more (nodes want 10% at least).
PATIENCE: Final = 5
RAISE_PERCENT: Final = 25
TRANSFER_GAS: Final = 21_000

# How a node says that it has a transaction already, or that its nonce is used, or its fee no more than the one it
# replaces; geth's, reth's and Anvil's words.
_KNOWN: Final = ("already known", "already imported", "known transaction")
_USED: Final = ("nonce too low", "nonce is too low")
_UNDERPRICED: Final = ("underpriced",)


@dataclass
class Flight:
    """A transaction on its way. `action` is none for one that cancels, or that is not ours to know."""

    nonce: int
    since: int
    action: Action | None = None
    plan: Plan | None = None
    gas: int = 0
    fee_cap: int = 0
    tip: int = 0
    raw: bytes = b""
    is_received: bool = True
    is_told: bool = False
    hashes: list[str] = field(default_factory=list)

    @property
    def keys(self) -> frozenset[Key]:
        """What it deals with."""
        return frozenset() if self.action is None else self.action.keys


# Told of what became of an action: "sent" and "mined", or "idle", "refused", "reverted", "replaced"; and why.
Report = Callable[[Action, str, str], None]


class Sender:
    """Sends from one account, which nobody else may send from. Not safe for threads."""

    def __init__(
        self,
        rpc: Rpc,
        account: LocalAccount,
        planner: Planner,
        *,
        chain_id: int,
        tip: int,
        report: Report,
    ) -> None:
        """`tip` is wei per gas."""
        self._rpc = rpc
        self._account = account
        self._planner = planner
        self._chain_id = chain_id
        self._tip = tip
        self._report = report
        self._flights: list[Flight] = []
        # Transactions of the account that were mined, and whether all others on their way are known.
        self._mined = 0
        self._is_synced = False
        self._block = PENDING
        self.failures = Failures()
        self.balance = 0

    @property
    def keys(self) -> frozenset[Key]:
        """What transactions on their way deal with."""
        return frozenset().union(*(flight.keys for flight in self._flights))

    @property
    def pending(self) -> tuple[str, ...]:
        """Hashes of the transactions on their way, the last one sent of each nonce."""
        return tuple(flight.hashes[-1] for flight in self._flights if flight.hashes)

    @property
    def is_held(self) -> bool:
        """Whether transactions that nobody remembers must be mined first."""
        return any(flight.plan is None for flight in self._flights)

    def refresh(self, head: Block) -> None:
        """Find out what became of transactions, and see to those that are stuck. Raises `RpcDown`, `RpcError`."""
        address = self._account.address
        asked: list[tuple[str, list[Any]]] = [
            ("eth_getBalance", [address, "latest"]),
            ("eth_getTransactionCount", [address, "latest"]),
            ("eth_getTransactionCount", [address, "pending"]),
        ]
        hashes = [hash_ for flight in self._flights for hash_ in flight.hashes]
        answers = self._rpc.batch([*asked, *(("eth_getTransactionReceipt", [hash_]) for hash_ in hashes)])
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        self.balance, mined, pending = map(quantity, answers[:3])
        self._mined = max(self._mined, mined)
        self._settle(head, dict(zip(hashes, answers[3:], strict=True)))
        if not self._is_synced:
            known = {flight.nonce for flight in self._flights}
            strangers = [nonce for nonce in range(self._mined, pending) if nonce not in known]
            self._flights += [Flight(nonce, head.number) for nonce in strangers]
            self._is_synced = True
        for flight in list(self._flights):
            if not flight.is_received:
                self._transmit(flight, again=True)
            elif head.number - flight.since >= PATIENCE:
                self._hasten(flight, head)

    def perform(self, action: Action, head: Block) -> bool:
        """Simulate an action and send it if that goes well; whether it was sent. Raises `RpcDown`."""
        plan = self._planner.plan(action)
        verdict, limit = self._simulate(action, plan, self._block)
        if verdict.idle or verdict.refused:
            self._failed(action, "idle" if verdict.idle else "refused", verdict.refused, head.number)
            return False
        fee_cap = max(2 * head.base_fee, LEAST_FEE_CAP) + self._tip
        cost = plan.send.value + limit * fee_cap
        if self.balance < cost:
            self._failed(action, "refused", "not enough ether", head.number)
            return False
        flight = Flight(self._next_nonce(), head.number, action, plan, limit, fee_cap, self._tip)
        self._sign(flight, plan.send)
        self._flights.append(flight)
        self.balance -= cost
        self._transmit(flight, again=False)
        return flight in self._flights

    def forget(self) -> None:
        """The chain went back: what was sent may be gone, mined again or waiting again."""
        self._flights.clear()
        self._mined = 0
        self._is_synced = False
        self.failures.forget()

    # What became of transactions

    def _settle(self, head: Block, receipts: dict[str, Any]) -> None:
        for flight in list(self._flights):
            receipt = next((receipts[hash_] for hash_ in flight.hashes if receipts.get(hash_) is not None), None)
            if receipt is not None:
                # One from beyond the head is left for when the head's events are known, too.
                if _mined_at(receipt) <= head.number:
                    self._conclude(flight, receipt)
                    self._flights.remove(flight)
            elif flight.nonce < self._mined:
                self._flights.remove(flight)
                if flight.action is not None:
                    self._report(flight.action, "replaced", "another transaction took its nonce")

    def _conclude(self, flight: Flight, receipt: dict[str, Any]) -> None:
        if flight.action is None:
            return
        if quantity(receipt.get("status")) == 1:
            self.failures.worked(flight.keys)
            self._report(flight.action, "mined", "")
        else:
            at = _mined_at(receipt)
            self._failed(flight.action, "reverted", self._why(flight, at), at)

    def _why(self, flight: Flight, block: int) -> str:
        """Why a mined transaction failed: it is made once more as a call upon the block before."""
        assert flight.plan is not None
        request = {**flight.plan.send.request(self._account.address), "gas": hex(flight.gas)}
        (answer,) = self._rpc.batch([("eth_call", [request, hex(block - 1)])])
        if isinstance(answer, RpcError):
            return answer.reason
        return "reverted in its block, though not upon the one before"

    def _failed(self, action: Action, outcome: str, reason: str, block: int) -> None:
        self.failures.failed(action.keys, block)
        self._report(action, outcome, reason)

    # Sending

    def _next_nonce(self) -> int:
        """The first that is neither mined nor on its way."""
        taken = {flight.nonce for flight in self._flights}
        return next(nonce for nonce in itertools.count(self._mined) if nonce not in taken)

    def _simulate(self, action: Action, plan: Plan, block: str) -> tuple[Verdict, int]:
        """Whether to send an action, and with which gas limit."""
        sender = self._account.address
        limit = gas.limit(action.gas)
        (called,) = self._rpc.batch([("eth_call", [{**plan.simulate.request(sender), "gas": hex(limit)}, block])])
        if not isinstance(called, RpcError):
            return self._planner.judge(action, octets(called)), limit
        if called.data is None and PENDING in str(called) and block == PENDING:
            self._block = HEAD
            return self._simulate(action, plan, HEAD)
        # Perhaps that was too little gas.
        (estimated,) = self._rpc.batch([("eth_estimateGas", [plan.send.request(sender), block])])
        if isinstance(estimated, RpcError):
            return Verdict(refused=called.reason), 0
        return Verdict(), gas.limit(quantity(estimated))

    def _sign(self, flight: Flight, call: Call) -> None:
        signed = self._account.sign_transaction(
            {
                "chainId": self._chain_id,
                "nonce": flight.nonce,
                "to": to_checksum_address(call.to),
                "value": call.value,
                "data": call.data,
                "gas": flight.gas,
                "maxFeePerGas": flight.fee_cap,
                "maxPriorityFeePerGas": flight.tip,
            }
        )
        flight.raw = bytes(signed.raw_transaction)
        flight.hashes.append(signed.hash.to_0x_hex())

    def _transmit(self, flight: Flight, *, again: bool) -> None:
        """Hand a signed transaction to the node, which may have it `again`, or one of its nonce.

        Raises `RpcDown`, after which it is not known to have arrived.
        """
        flight.is_received = False
        (answer,) = self._rpc.batch([("eth_sendRawTransaction", [f"0x{flight.raw.hex()}"])])
        flight.is_received = True
        words = str(answer).lower() if isinstance(answer, RpcError) else ""
        if not words or any(known in words for known in _KNOWN):
            if flight.action is not None and not flight.is_told:
                self._report(flight.action, "sent", "")
            flight.is_told = True
        elif again and any(underpriced in words for underpriced in _UNDERPRICED):
            # The one before is still there, and will be followed by one that pays more.
            flight.since -= PATIENCE
        elif again and any(used in words for used in _USED):
            # It was mined, or one of its forerunners: the next look at receipts will tell.
            return
        else:
            self._flights.remove(flight)
            self._is_synced = False
            if flight.action is not None:
                self._failed(flight.action, "refused", words, flight.since)

    def _hasten(self, flight: Flight, head: Block) -> None:
        """Send a stuck transaction again for a higher fee: itself if it still would work, otherwise nothing at all."""
        flight.since = head.number
        flight.tip = max(self._tip, flight.tip * (100 + RAISE_PERCENT) // 100 + 1)
        raised = flight.fee_cap * (100 + RAISE_PERCENT) // 100 + 1
        flight.fee_cap = max(raised, 2 * head.base_fee + flight.tip, LEAST_FEE_CAP + flight.tip)
        verdict = Verdict(refused="not ours to know")
        if flight.action is not None and flight.plan is not None:
            # Upon the head alone: in a pending block it may be already.
            verdict, _ = self._simulate(flight.action, flight.plan, HEAD)
        if flight.plan is not None and not (verdict.idle or verdict.refused):
            self._sign(flight, flight.plan.send)
        else:
            if flight.action is not None:
                self._failed(flight.action, "replaced", verdict.refused or "nothing to do any more", head.number)
                flight.action = None
            flight.gas = TRANSFER_GAS
            self._sign(flight, Call(self._account.address, b""))
        self._transmit(flight, again=True)


def _mined_at(receipt: Any) -> int:
    """The number of the block a receipt is of."""
    return quantity(receipt.get("blockNumber")) if isinstance(receipt, dict) else quantity(receipt)
