"""What holds after any sequence of requests, executions, claims, waits, gains and losses: the pool is its model to the
unit, tokens are where they should be, and no request lifts what all have together (invariants 1, 5 and 6)."""

from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.liquidity import DEPOSIT_WAIT, MAX_WAIT, REDEMPTION_WAIT, VIRTUAL_SHARES, Pool, pools, twin
from tests.protocol import Protocol

from .queue_model import PoolModel

WHO = st.integers(0, 2)
# Thousandths of a token, from just above the minimum (167) to more than the founder has.
AMOUNTS = st.integers(167, 2_000_000)
FRACTIONS = st.one_of(st.just(Fraction(1)), st.fractions(Fraction(1, 1_000), 1, max_denominator=1_000))
# Waits that matter; the last two let everything that waits be executed or taken back.
WAITS = st.sampled_from([1, DEPOSIT_WAIT - 1, DEPOSIT_WAIT, 3_600, REDEMPTION_WAIT, MAX_WAIT])
COUNTS = st.integers(0, 3)

REQUESTS = st.one_of(
    st.tuples(st.just("request deposit"), WHO, AMOUNTS), st.tuples(st.just("request redeem"), WHO, FRACTIONS)
)
EXECUTIONS = st.one_of(
    st.tuples(st.just("fulfil"), COUNTS, COUNTS),
    st.tuples(st.just("wait and fulfil"), WAITS, COUNTS),
    st.tuples(st.just("wait and fulfil"), st.just(REDEMPTION_WAIT), st.just(2)),
)
CLAIMS = st.tuples(st.sampled_from(["deposit", "mint", "redeem", "withdraw"]), WHO, FRACTIONS)
FORTUNES = st.one_of(
    st.tuples(st.just("gain"), AMOUNTS, st.none()),
    st.tuples(st.just("lose"), FRACTIONS, st.none()),
    st.tuples(st.just("transfer"), WHO, FRACTIONS),
    st.tuples(st.just("cancel"), st.integers(0, 5), st.none()),
)
# Rounds of a few steps each, so that most sequences get somewhere.
ROUNDS = st.lists(
    st.tuples(
        st.lists(REQUESTS, min_size=1, max_size=3),
        st.lists(FORTUNES, max_size=1),
        st.lists(EXECUTIONS, min_size=1, max_size=2),
        st.lists(CLAIMS, max_size=2),
    ),
    min_size=2,
    max_size=5,
)
STEPS = ROUNDS.map(lambda rounds: [step for parts in rounds for part in parts for step in part])


@pytest.fixture(scope="session", params=[18, 6])
def market_with_founder(request):
    """1,000 tokens in each pool, and a buyer of calls whose premium keeps coming in."""
    protocol = Protocol(decimals=request.param, main_deposit=0, insurance_deposit=0)
    protocol.founders = {}
    for name, pool in pools(protocol).items():
        protocol.founders[name] = pool.provider(f"founder of {name}", 1_000)
        pool.enter(protocol.founders[name], 1_000 * protocol.unit)
    protocol.buyer = protocol.trader("buyer", 5_000)
    protocol.trade(protocol.buyer, (protocol.list_series(), 1_000))
    return protocol


@dataclass
class Story:
    """A pool and its model, told the same."""

    pool: Pool
    kind: str
    people: list[str]
    model: PoolModel = field(default_factory=PoolModel)
    lost: int = 0

    def __post_init__(self) -> None:
        self.protocol = self.pool.protocol
        self.milli = self.protocol.unit // 1_000
        self.model.supply = self.pool.totalSupply()
        self.model.balances[self.people[0]] = self.model.supply
        # The founder's own deposit.
        self.model.deposits.requests.append(None)
        self.model.deposits.done = 1

    def tell(self, action: str, first, second) -> None:
        """One step; what makes no sense now is passed over."""
        getattr(self, action.replace(" ", "_"))(first, second)

    # Steps

    def request_deposit(self, who: int, milli: int) -> None:
        person, assets = self.people[who], milli * self.milli
        if assets <= self.protocol.token.balanceOf(person):
            self.pool.request_deposit(person, assets)
            self.model.request_deposit(person, self.protocol.now, assets)

    def request_redeem(self, who: int, part: Fraction) -> None:
        person, house = self.people[who], self.protocol.clearing_house
        equity = max(0, house.pool_flow().equity) if self.kind == "main" else house.ledgers().insurance
        shares = int(self.model.balances[person] * part)
        worth = self.model.to_assets(shares, equity)
        if worth and (part == 1 or worth >= self.pool.minimum):
            self.pool.request_redeem(person, shares)
            self.model.request_redeem(person, self.protocol.now, shares, equity)

    def fulfil(self, deposits: int, redemptions: int) -> None:
        house = self.protocol.clearing_house
        if self.protocol.risk_book.is_due():
            house.checkpoint()
        flow, ledgers = house.pool_flow(), house.ledgers()
        equity, time = flow.equity if self.kind == "main" else ledgers.insurance, flow.publish_time
        dealt_in, entered = self.model.fulfil_deposits(deposits, time, equity)
        limit = equity + entered
        if self.kind == "main":
            limit = min(limit - flow.kept, ledgers.main + entered - ledgers.claims)
        dealt_out, left = self.model.fulfil_redemptions(redemptions, time, equity + entered, limit)
        note(f"  {dealt_in} in, {dealt_out} out: {entered}, {left}")
        assert self.pool.fulfil(deposits, redemptions) == (dealt_in, dealt_out)
        after = house.ledgers()
        assert after.main + after.insurance == ledgers.main + ledgers.insurance + entered - left
        if self.kind == "main":
            assert left == 0 or house.pool_flow().equity >= flow.kept
            assert after.main >= after.claims

    def wait_and_fulfil(self, seconds: int, count: int) -> None:
        self.protocol.set_prices(after=seconds)
        self.fulfil(count, count)

    def deposit(self, who: int, part: Fraction) -> None:
        person = self.people[who]
        pair = self.model.bought[person]
        assets = int(pair.assets * part)
        if assets:
            shares = pair.shares * assets // pair.assets
            assert self.pool.contract.deposit(assets, person, sender=person) == shares
            self.model.claim(pair, assets, shares)
            self.model.balances[person] += shares

    def mint(self, who: int, part: Fraction) -> None:
        person = self.people[who]
        pair = self.model.bought[person]
        shares = int(pair.shares * part)
        if shares:
            assets = -(-pair.assets * shares // pair.shares)
            assert self.pool.mint(shares, person, sender=person) == assets
            self.model.claim(pair, assets, shares)
            self.model.balances[person] += shares

    def redeem(self, who: int, part: Fraction) -> None:
        person = self.people[who]
        pair = self.model.sold[person]
        shares = int(pair.shares * part)
        if shares:
            assets = pair.assets * shares // pair.shares
            assert self.pool.contract.redeem(shares, person, person, sender=person) == assets
            self.model.claim(pair, assets, shares)

    def withdraw(self, who: int, part: Fraction) -> None:
        person = self.people[who]
        pair = self.model.sold[person]
        assets = int(pair.assets * part)
        if assets:
            shares = -(-pair.shares * assets // pair.assets)
            assert self.pool.withdraw(assets, person, person, sender=person) == shares
            self.model.claim(pair, assets, shares)

    def transfer(self, who: int, part: Fraction) -> None:
        sender, receiver = self.people[who], self.people[(who + 1) % len(self.people)]
        shares = int(self.model.balances[sender] * part)
        self.pool.transfer(receiver, shares, sender=sender)
        self.model.balances[sender] -= shares
        self.model.balances[receiver] += shares

    def cancel(self, place: int, _: None) -> None:
        queue = self.model.deposits
        request = queue.requests[place] if place < len(queue.requests) else None
        if request and (place < queue.done or self.protocol.now >= request.time + DEPOSIT_WAIT + MAX_WAIT):
            assert self.pool.cancel_deposit(place + 1, request.controller, sender=request.controller) == request.assets
            queue.requests[place] = None

    def gain(self, milli: int, _: None) -> None:
        self.pool.gain(milli * self.milli)

    def lose(self, part: Fraction, _: None) -> None:
        """Part of all: insurance may lose everything, main no more than leaves it some equity."""
        ledgers = self.protocol.clearing_house.ledgers()
        if self.kind == "main":
            spare = min(ledgers.main - ledgers.claims, self.protocol.clearing_house.equity() * 9 // 10)
        else:
            spare = ledgers.insurance
        lost = int(max(0, spare) * part)
        if lost:
            self.pool.lose(lost)
            self.lost += lost

    # What holds

    def worth(self) -> tuple[Fraction, Fraction]:
        """Share price at the latest prices, and what all have together: tokens, waiting or not, and all shares."""
        house, model = self.protocol.clearing_house, self.model
        equity = house.pool_flow().equity if self.kind == "main" else house.ledgers().insurance
        price = Fraction(equity + 1, model.supply + VIRTUAL_SHARES)
        tokens = sum(self.protocol.token.balanceOf(person) for person in self.people)
        tokens += sum(request.assets for request in model.deposits.waiting())
        tokens += sum(pair.assets for pair in model.sold.values())
        return price, tokens + model.supply * price

    def check(self) -> None:
        pool, model, protocol = self.pool, self.model, self.protocol
        deposits, redemptions = model.deposits, model.redemptions
        queued = sum(request.assets for request in redemptions.waiting())
        assert tuple(pool.queue()) == (
            len(deposits.requests),
            deposits.done,
            len(redemptions.requests),
            redemptions.done,
            queued,
        )
        for person in self.people:
            bought, sold = model.bought[person], model.sold[person]
            assert pool.balanceOf(person) == model.balances[person]
            assert (pool.maxDeposit(person), pool.maxMint(person)) == (bought.assets, bought.shares)
            assert (pool.maxWithdraw(person), pool.maxRedeem(person)) == (sold.assets, sold.shares)
            assert pool.pendingDepositRequest(0, person) == sum(
                request.assets for request in deposits.waiting() if request.controller == person
            )
            assert pool.pendingRedeemRequest(0, person) == sum(
                request.shares for request in redemptions.waiting() if request.controller == person
            )
        escrowed = sum(request.shares for request in redemptions.waiting())
        unclaimed = sum(pair.shares for pair in model.bought.values())
        assert pool.balanceOf(pool.address) == escrowed + unclaimed
        assert pool.totalSupply() == model.supply == sum(model.balances.values()) + escrowed + unclaimed

        waiting = sum(request.assets for request in deposits.waiting())
        claimable = sum(pair.assets for pair in model.sold.values())
        assert pool.tokens() == waiting + claimable + self.lost
        ledgers = protocol.clearing_house.ledgers()
        held = protocol.token.balanceOf(protocol.clearing_house.address)
        cash = protocol.account(protocol.buyer).cash
        assert held == ledgers.main + ledgers.insurance + ledgers.treasury + cash
        at_book = protocol.risk_book.market_words().anchors >> 160
        assert at_book == (queued if self.kind == "main" else 0)


@pytest.mark.parametrize("kind", ["main", "insurance"])
@given(steps=STEPS)
@settings(max_examples=10, deadline=None)
def test_queue__any_sequence__is_the_model_and_enriches_nobody(market_with_founder, kind, steps):
    protocol = twin(market_with_founder)
    protocol.set_prices()
    protocol.clearing_house.checkpoint()
    pool = pools(protocol)[kind]
    people = [protocol.founders[kind], pool.provider("alice", 5_000), pool.provider("bob", 5_000)]
    protocol.token.mint(people[0], 1_000 * protocol.unit)
    story = Story(pool, kind, people)
    for action, first, second in steps:
        note(f"{action} {first} {second}")
        if protocol.risk_book.is_due():
            protocol.clearing_house.checkpoint()
        timeless = action not in ("wait and fulfil", "gain", "lose")
        if timeless:
            price, wealth = story.worth()
        story.tell(action, first, second)
        if timeless:
            later_price, later_wealth = story.worth()
            assert later_price >= price
            assert later_wealth <= wealth
        story.check()
