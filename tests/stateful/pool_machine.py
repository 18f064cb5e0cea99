"""The redemption queues: anything that liquidity providers may do to both pools, in any order, while the market around them
wins, loses, runs dry and stands in settle windows."""

from fractions import Fraction
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from everstock.chain.in_process import account_of
from everstock.model.constants import DEPOSIT_WAIT, HOUR, MAX_WAIT, REDEMPTION_WAIT, SETTLE_WINDOW
from tests.stateful.machine import Machine

POOLS: Final = ("main_pool", "insurance_pool")
PROVIDERS: Final = ("founder", "second lp", "third lp", "fourth lp")

pools = st.sampled_from(POOLS)
providers = st.sampled_from(PROVIDERS)
parts = st.one_of(st.just(Fraction(1)), st.fractions(Fraction(1, 1_000), 1, max_denominator=1_000))
# Thousandths of a token, from just below the least request to twice the founder's.
amounts = st.one_of(st.integers(160, 3_000), st.integers(160, 2_000_000))
counts = st.sampled_from([0, 1, 2, 3, 64])


class PoolMachine(Machine):
    """Both pools of one market whose buyer and writer make it win and lose."""

    ACTIONS = frozenset(
        f"{pool}: {action}"
        for pool in POOLS
        for action in (
            "request deposit",
            "request redeem",
            "cancel deposit",
            "fulfil",
            "deposit",
            "mint",
            "redeem",
            "withdraw",
            "transfer",
        )
    )

    @initialize(
        main=st.sampled_from([20, 500, 5_000]),
        bought=st.sampled_from([0.0, 0.5, 2.0]),
        written=st.sampled_from([0.0, 0.5, 1.0]),
    )
    def begin(self, main: int, bought: float, written: float) -> None:
        """`bought` and `written` are faces over the main pool's capital."""
        told = self.told
        self.people = {name: told.actor(name) for name in (*PROVIDERS, "buyer", "writer", "liquidator", "donor")}
        founder = self.people["founder"]
        told.request_deposit("main_pool", founder, main * self.unit)
        told.request_deposit("insurance_pool", founder, 50 * self.unit)
        told.bring(told.publish(after=DEPOSIT_WAIT))
        for pool in POOLS:
            told.fulfil(pool, 1, 0)
            told.claim(pool, "mint", founder, told.pools()[pool].bought[founder].shares)
        told.checkpoint()
        series = told.list_series(0, 120_000, False)
        for name, size in (("writer", -written), ("buyer", bought)):
            told.deposit(account_of(self.people[name]), main * self.unit, self.people[name])
            if size:
                told.trade(account_of(self.people[name]), [(series, round(size * main * self.unit))])

    # Requests and claims

    @rule(pool=pools, lp=providers, milli=amounts)
    def request_deposit(self, pool: str, lp: str, milli: int) -> None:
        self.told.request_deposit(pool, self.people[lp], milli * self.unit // 1_000)

    @rule(pool=pools, lp=providers, part=parts)
    def request_redeem(self, pool: str, lp: str, part: Fraction) -> None:
        """Of the provider's shares, or of the first who has any."""
        balances = self.told.pools()[pool].balances
        holders = [self.people[name] for name in (lp, *PROVIDERS) if balances[self.people[name]]]
        person = (holders or [self.people[lp]])[0]
        self.told.request_redeem(pool, person, int(balances[person] * part))

    @rule(pool=pools, leaving=st.lists(st.tuples(providers, parts), min_size=1, max_size=4), btc=st.floats(0.97, 1.03))
    def some_leave(self, pool: str, leaving: list[tuple[str, Fraction]], btc: float) -> None:
        """Requests of several, executed together at another price when all have waited."""
        for lp, part in leaving:
            self.request_redeem(pool, lp, part)
        self.move(REDEMPTION_WAIT, btc, 1)
        self.told.fulfil(pool, 0, len(leaving))
        for lp, part in leaving:
            self.claim(pool, lp, "redeem" if part < 1 else "withdraw", part)

    @rule(pool=pools, coming=st.lists(st.tuples(providers, amounts), min_size=1, max_size=4), btc=st.floats(0.97, 1.03))
    def some_come(self, pool: str, coming: list[tuple[str, int]], btc: float) -> None:
        for lp, milli in coming:
            self.request_deposit(pool, lp, milli)
        self.move(DEPOSIT_WAIT, btc, 1)
        self.told.fulfil(pool, len(coming), 0)
        for lp, _ in coming:
            self.claim(pool, lp, "mint", Fraction(1))

    @rule(pool=pools, lp=providers)
    def request_too_much(self, pool: str, lp: str) -> None:
        shares = self.told.pools()[pool].balances[self.people[lp]]
        self.told.request_redeem(pool, self.people[lp], shares + 1)
        self.told.request_deposit(pool, self.people[lp], 2**96)

    @rule(pool=pools, ticket=st.integers(1, 12))
    def cancel_deposit(self, pool: str, ticket: int) -> None:
        self.told.cancel_deposit(pool, ticket)

    @rule(pool=pools, lp=providers, kind=st.sampled_from(["deposit", "mint", "redeem", "withdraw"]), part=parts)
    def claim(self, pool: str, lp: str, kind: str, part: Fraction) -> None:
        """Of what is the provider's, or of the first who has anything to claim."""
        model = self.told.pools()[pool]
        results = model.bought if kind in ("deposit", "mint") else model.sold
        owners = [self.people[name] for name in (lp, *PROVIDERS) if results[self.people[name]].shares]
        person = (owners or [self.people[lp]])[0]
        claimable = {
            "deposit": model.bought[person].assets,
            "mint": model.bought[person].shares,
            "redeem": model.sold[person].shares,
            "withdraw": model.sold[person].assets,
        }[kind]
        self.told.claim(pool, kind, person, int(claimable * part))

    @rule(pool=pools, lp=providers, kind=st.sampled_from(["deposit", "mint", "redeem", "withdraw"]))
    def claim_too_much(self, pool: str, lp: str, kind: str) -> None:
        self.told.claim(pool, kind, self.people[lp], 2**110)

    @rule(pool=pools, sender=providers, receiver=providers, part=parts)
    def transfer_shares(self, pool: str, sender: str, receiver: str, part: Fraction) -> None:
        if sender != receiver:
            shares = int(self.told.pools()[pool].balances[self.people[sender]] * part)
            self.told.transfer_shares(pool, self.people[sender], self.people[receiver], shares)

    # Execution

    @rule(pool=pools, deposits=counts, redemptions=counts)
    def fulfil(self, pool: str, deposits: int, redemptions: int) -> None:
        self.told.fulfil(pool, deposits, redemptions)

    @rule(
        wait=st.sampled_from([DEPOSIT_WAIT - 1, DEPOSIT_WAIT, HOUR, REDEMPTION_WAIT, MAX_WAIT]),
        pool=pools,
        deposits=counts,
        redemptions=counts,
    )
    def wait_and_fulfil(self, wait: int, pool: str, deposits: int, redemptions: int) -> None:
        self.move(wait, 1, 1)
        self.told.fulfil(pool, deposits, redemptions)

    # Time, prices, fortunes

    @rule(seconds=st.sampled_from([1, 59, 61]))
    def let_prices_age(self, seconds: int) -> None:
        self.told.wait(seconds)

    @rule(btc=st.one_of(st.floats(0.96, 1.04), st.sampled_from([0.6, 0.88, 1.12, 1.25, 1.6])))
    def market_moves(self, btc: float) -> None:
        self.move(30, btc, 1)
        self.told.checkpoint()

    @rule(gap=st.sampled_from([0.011, 0.04]))
    def chainlink_diverges(self, gap: float) -> None:
        self.told.bring(self.told.publish(after=2, gap=gap))

    @rule()
    def settle_window_passes(self) -> None:
        self.move(SETTLE_WINDOW + 1, 1, 1)
        self.told.checkpoint()

    @rule(name=st.sampled_from(["buyer", "writer"]))
    def somebody_is_settled_or_liquidated(self, name: str) -> None:
        account = account_of(self.people[name])
        self.told.liquidate([account], self.people["liquidator"])
        self.told.settle(account)
        self.told.pay_claim(account)

    @rule(pool=pools, milli=st.integers(1, 2_000_000))
    def pool_gains(self, pool: str, milli: int) -> None:
        """As if by trades: its ledger grows and nobody gets shares."""
        self.told.endow(pool, milli * self.unit // 1_000)
        self.forget_share_prices()

    @rule(pool=pools, part=parts)
    def pool_loses(self, pool: str, part: Fraction) -> None:
        """Insurance may lose all it has, main all its free cash: share prices next to nothing, entry closed."""
        ledgers = self.market.house.ledgers
        spare = ledgers.insurance if pool == "insurance_pool" else max(0, ledgers.main - ledgers.claims)
        if int(spare * part):
            self.told.bereave(pool, int(spare * part))
            self.forget_share_prices()

    @rule(pool=pools, amount=st.one_of(st.integers(1, 3), st.just(10**9)))
    def donate(self, pool: str, amount: int) -> None:
        self.told.donate(pool, self.people["donor"], amount)

    # What holds after every step

    @invariant()
    def everything_agrees(self) -> None:
        self.verify()
