"""Whatever traders, keepers and wallets do: the desk holds what it owes, and everybody gets what is theirs, once."""

import boa
from boa.contracts.vyper.vyper_contract import VyperContract
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from everstock.chain.in_process import DELAY, EXEC_WINDOW, Order, account_of, events
from everstock.model.order_desk import ARMED, MAX_LIVE

from .desk import reverts, wallet

fees = st.integers(0, 10**18)
picks = st.integers(0, 99)


class OrderDeskEther(RuleBasedStateMachine):
    """Three traders, two of them wallets that may refuse ether; whatever moves is accounted for beside."""

    def __init__(self, market, series):
        super().__init__()
        self.series = series
        self.protocol = market.fork()
        self.protocol.set_prices()
        self.protocol.set_prices(after=1)
        self.desk = self.protocol.order_desk
        self.keeper = self.protocol.actor("keeper")
        self.wallets: list[VyperContract] = [wallet(), wallet()]
        self.traders = [self.protocol.trader("trader"), *(str(w.address) for w in self.wallets)]
        for contract in self.wallets:
            self.protocol.deposit(str(contract.address), 1_000 * self.protocol.unit)
        self.wallets[0].set_refusing(True)
        self.refusing = dict(zip(self.traders, (False, True, False)))
        # What is waiting, by account and nonce; what ended; what could not be returned; what was forced on it.
        self.waiting = {}
        self.ended = []
        self.refunds = {trader: 0 for trader in self.traders}
        self.forced = 0
        self.wealth = {who: boa.env.get_balance(who) for who in (*self.traders, self.keeper)}

    def make_room(self, trader):
        """Let the minute pass in which no more of the trader's orders may go live."""
        ended = (order for order in self.ended if order.trigger < ARMED)
        live = (order for order in self.waiting.values() if order.trigger < ARMED)
        minutes = [order.requested_at // EXEC_WINDOW for order in (*ended, *live) if order.account == account_of(trader)]
        recent = [minute for minute in minutes if minute >= self.protocol.now // EXEC_WINDOW]
        if max(map(recent.count, recent), default=0) >= MAX_LIVE - 1:
            self.protocol.set_prices(after=EXEC_WINDOW)

    def end(self, order, receiver):
        """The order is gone and its fee is the receiver's."""
        del self.waiting[order.account, order.nonce]
        self.ended.append(order)
        if self.refusing.get(receiver, False):
            self.refunds[receiver] += order.fee
        else:
            self.wealth[receiver] += order.fee

    def pick(self, index, *, armed=True):
        """One of the waiting orders, or of those that do not wait for a trigger; None if there is none."""
        waiting = [order for order in self.waiting.values() if armed or order.trigger < ARMED]
        return waiting[index % len(waiting)] if waiting else None

    def waits_for_trigger(self, order):
        """Whether it is conditional and was not triggered, or in vain."""
        missed = self.protocol.now > order.requested_at + EXEC_WINDOW
        return order.trigger >= ARMED or (order.trigger != 0 and missed)

    def pass_time(self, order, age):
        """Until the order is so old, if it is not older already."""
        self.protocol.set_prices(after=max(0, order.requested_at + age - self.protocol.now))
        return self.protocol.now - order.requested_at

    @rule(who=st.integers(0, 2), extra=fees, face=st.sampled_from([1, -1, 0.1]))
    def request(self, who, extra, face):
        trader = self.traders[who]
        self.make_room(trader)
        fee = self.desk.min_fee(1) + extra
        order = self.protocol.request(trader, (self.series, face), fee=fee)
        self.waiting[order.account, order.nonce] = order
        self.wealth[trader] -= fee
        note(f"request {order.nonce} of trader {who}")

    @rule(who=st.integers(0, 2), extra=fees)
    def trigger(self, who, extra):
        """A conditional order that any price triggers, and which ends within its window as a market order does."""
        trader = self.traders[who]
        self.make_room(trader)
        fee = self.desk.min_fee(1, boa.env.evm.vm.state.base_fee, True) + extra
        deadline = self.protocol.now + DELAY + EXEC_WINDOW
        order = self.protocol.request_conditional(trader, (self.series, 0.1), above=1, fee=fee, deadline=deadline)
        self.protocol.set_prices(after=DELAY)
        self.protocol.clearing_house.checkpoint()
        assert self.desk.trigger([order], [], sender=self.keeper) == [True]
        (event,) = events(self.desk, "Triggered")
        live = Order(*event.order)
        self.waiting[order.account, order.nonce] = live
        self.wealth[trader] -= fee
        self.wealth[self.keeper] += fee - live.fee
        note(f"trigger {order.nonce} of trader {who}")

    @rule(who=st.integers(0, 2), extra=fees)
    def request_conditional(self, who, extra):
        """One that nobody triggers."""
        trader = self.traders[who]
        fee = self.desk.min_fee(1, boa.env.evm.vm.state.base_fee, True) + extra
        order = self.protocol.request_conditional(trader, (self.series, 1), below=1, fee=fee)
        self.waiting[order.account, order.nonce] = order
        self.wealth[trader] -= fee
        note(f"request conditional {order.nonce} of trader {who}")

    @rule(index=picks, age=st.sampled_from([0, DELAY - 1, DELAY, EXEC_WINDOW + 1]))
    def cancel(self, index, age):
        order = self.pick(index)
        if order is None:
            return
        self.pass_time(order, age)
        if not self.waits_for_trigger(order):
            with reverts(self.desk, "order_desk: order is live"):
                self.desk.cancel(order, sender=order.payer)
        else:
            self.desk.cancel(order, sender=order.payer)
            self.end(order, order.payer)

    @rule(index=picks, age=st.sampled_from([0, EXEC_WINDOW, EXEC_WINDOW + 1]))
    def void(self, index, age):
        order = self.pick(index)
        if order is None:
            return
        is_open = self.pass_time(order, age) <= EXEC_WINDOW and order.trigger < ARMED
        if is_open or (order.trigger and self.protocol.now <= order.deadline):
            reason = "window open" if is_open else "may yet be triggered"
            with reverts(self.desk, f"order_desk: {reason}"):
                self.desk.void(order, sender=self.keeper)
        else:
            self.desk.void(order, sender=self.keeper)
            self.end(order, order.payer)

    @rule(
        index=picks,
        age=st.sampled_from([DELAY, DELAY + 1, EXEC_WINDOW, EXEC_WINDOW + 1]),
        again=st.booleans(),
        extra=fees,
    )
    def execute(self, index, age, again, extra):
        """All that went live in one second, some twice, with too much ether; unless earlier ones have to come first."""
        order = self.pick(index, armed=False)
        if order is None:
            return
        age = self.pass_time(order, age)
        batch = [other for other in self.waiting.values() if other.requested_at == order.requested_at]
        batch = [other for other in batch if other.trigger < ARMED][:4]
        updates = self.protocol.first_prices(order)
        cost = self.protocol.oracle.update_fee(updates)
        call = [*batch, *batch] if again else batch
        if age > EXEC_WINDOW:
            with reverts(self.desk, "order_desk: window missed"):
                self.desk.execute(call, updates, value=cost + extra, sender=self.keeper)
            return
        if any(
            other.account in {one.account for one in batch}
            and other.trigger < ARMED
            and other.requested_at < order.requested_at
            and self.protocol.now <= other.requested_at + EXEC_WINDOW
            for other in self.waiting.values()
        ):
            with reverts(self.desk, "order_desk: not its turn"):
                self.desk.execute(call, updates, value=cost + extra, sender=self.keeper)
            return
        done = self.desk.execute(call, updates, value=cost + extra, sender=self.keeper)
        assert len(events(self.desk, "Executed")) + len(events(self.desk, "Cancelled")) == len(batch)
        assert not any(done[len(batch) :])
        self.wealth[self.keeper] -= cost
        for executed in batch:
            self.end(executed, self.keeper)

    @rule(index=picks)
    def replay(self, index):
        """Whatever ended an order, nothing does a second time."""
        if not self.ended:
            return
        order = self.ended[index % len(self.ended)]
        with reverts(self.desk, "order_desk: unknown order"):
            self.desk.cancel(order, sender=order.payer)
        with reverts(self.desk, "order_desk: unknown order"):
            self.desk.void(order, sender=self.keeper)
        with reverts(self.desk, "order_desk: unknown order"):
            self.desk.execute([order], [], sender=self.keeper)

    @rule(who=st.integers(0, 2), to=st.integers(0, 2))
    def claim_refund(self, who, to):
        owner, receiver = self.traders[who], self.traders[to]
        if self.refunds[owner] == 0:
            with reverts(self.desk, "order_desk: nothing to claim"):
                self.desk.claim_refund(receiver, sender=owner)
        elif self.refusing[receiver]:
            with reverts(self.desk, "order_desk: refund failed"):
                self.desk.claim_refund(receiver, sender=owner)
        else:
            assert self.desk.claim_refund(receiver, sender=owner) == self.refunds[owner]
            self.wealth[receiver] += self.refunds[owner]
            self.refunds[owner] = 0

    @rule(which=st.integers(0, 1), refusing=st.booleans())
    def tell_wallet(self, which, refusing):
        self.wallets[which].set_refusing(refusing)
        self.refusing[self.traders[which + 1]] = refusing

    @rule(amount=fees)
    def force(self, amount):
        boa.env.set_balance(self.desk.address, boa.env.get_balance(self.desk.address) + amount)
        self.forced += amount

    @invariant()
    def desk_holds_what_it_owes(self):
        owed = sum(order.fee for order in self.waiting.values()) + sum(self.refunds.values())
        assert boa.env.get_balance(self.desk.address) == owed + self.forced

    @invariant()
    def everybody_has_what_is_theirs(self):
        for who, wealth in self.wealth.items():
            assert boa.env.get_balance(who) == wealth
        for trader, amount in self.refunds.items():
            assert self.desk.refunds(trader) == amount


def test_ether__is_all_accounted_for(listed):
    market, series, _ = listed
    run_state_machine_as_test(
        lambda: OrderDeskEther(market, series),
        settings=settings(max_examples=15, stateful_step_count=30, deadline=None),
    )
