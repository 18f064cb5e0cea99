"""A market in process and its model, told the same: after each step both must agree to the unit, refusals included."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from boa import BoaError
from boa.contracts.vyper.vyper_contract import VyperContract
from hypothesis import note

from everstock.chain import addresses
from everstock.chain.deployment import UNDERLYINGS, seed_without_history
from everstock.chain.in_process import START, VARIANCES, Protocol, price
from everstock.chain.transactions import reason_of
from everstock.model import words
from everstock.model.cash_ledger import Ledgers, Purse
from everstock.model.market import Market
from everstock.model.parameters import Parameters
from everstock.model.pool_shares import Pair, Pool, Ticket
from everstock.model.price_oracle import Block, Feed, PriceOracle, Published, Round
from everstock.model.reverts import Revert
from everstock.model.volatility_oracle import Track, VolatilityOracle
from everstock.model.waterfall import Settlement

# Of whole tokens, enough for anything an actor does.
PURSE: Final = 10**9


@dataclass
class Tally:
    """How often each action was done, and how often it was refused, by reason."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    steps: int = 0

    def add(self, other: "Tally") -> None:
        self.done += other.done
        self.refused += other.refused
        self.steps += other.steps

    def clear(self) -> None:
        self.done.clear()
        self.refused.clear()
        self.steps = 0


@dataclass
class Mirror:
    """The contracts and the model. `donated` is what anyone sent to a contract past its functions, raw units."""

    protocol: Protocol
    tally: Tally = field(default_factory=Tally)
    donated: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.block = Block(START)
        self.oracle = PriceOracle(self.block, Round(0, START - 86_400, START - 86_400))
        for id_, name in enumerate(UNDERLYINGS):
            feed = self.protocol.feed(name)
            chainlink = Round(price(self.protocol.index[name]), START, START)
            bounds = (feed.min_price, feed.max_price, feed.max_confidence, feed.narrow_gap, feed.wide_gap)
            self.oracle.feeds[id_] = Feed(chainlink, feed.chainlink_max_age, *bounds)
            self.oracle.set_variances(id_, VARIANCES[name], VARIANCES[name])
        seeds = [seed_without_history(name, VARIANCES[name]) for name in UNDERLYINGS]
        self.volatility = VolatilityOracle(self.oracle, {seed.underlying: seed.track() for seed in seeds})
        parameters = Parameters.of(self.protocol.parameters, UNDERLYINGS)
        self.model = Market.create(self.oracle, parameters, self.protocol.decimals)
        self.model.treasury.least_balance = self.protocol.parameters.treasury_least
        # As `Protocol` began.
        self.oracle.update(self._published(START))
        self.model.house.main_deposit(self.protocol.main_deposit * self.protocol.unit)
        self.model.house.insurance_deposit(self.protocol.insurance_deposit * self.protocol.unit)
        self.model.house.checkpoint()
        self.agree()

    # Telling both the same

    def tell(
        self,
        name: str,
        contract: VyperContract,
        call: Callable[[], Any],
        action: Callable[..., Any],
        *arguments: Any,
        same_result: bool = True,
    ) -> Any:
        """Let the contract do `call` and the model `action`; returns what the model did, or the `Revert` of both.

        Fails unless both did (and returned the same, if `same_result`) or both refused with the same reason.
        """
        refusal: Revert | None = None
        try:
            expected = self.model.do(action, *arguments)
        except Revert as revert:
            refusal = expected = revert
        try:
            result = call()
        except BoaError as error:
            reason = reason_of(contract._computation.output)
            assert refusal is not None, f"{name}: reverted with {reason!r}, the model did not: {error}"
            assert reason == refusal.reason, f"{name}: {reason!r}, the model says {refusal.reason!r}"
            self.tally.refused[name, reason] += 1
            note(f"  {name}: refused, {reason}")
            return refusal
        assert refusal is None, f"{name}: went through, the model refuses: {refusal}"
        if same_result:
            assert _plain(result) == _plain(expected), f"{name}: {result}, the model says {expected}"
        self.tally.done[name] += 1
        return expected

    # Time and prices

    @property
    def now(self) -> int:
        return self.block.timestamp

    def wait(self, seconds: int) -> None:
        """Let time pass without any price."""
        self.protocol.wait(seconds)
        self.block.timestamp = self.protocol.now

    def publish(self, after: int = 1, gap: float = 0, confidence: int = 50, **usd: float) -> list[bytes]:
        """Move feeds `after` seconds from now: Pyth to the prices given, Chainlink apart from it by `gap`, a fraction.

        `confidence` is Pyth's, in 1e-5 of the price. Returns the signed update, which nobody has brought yet.
        """
        self.wait(after)
        self.protocol.index |= usd
        for id_, name in enumerate(UNDERLYINGS):
            answer = price(self.protocol.index[name] * (1 + gap))
            self.protocol.chainlink[name].publish(answer, self.now, self.now, sender=self.protocol.operator)
            self.oracle.feeds[id_].chainlink = Round(answer, self.now, self.now)
        prices = {addresses.PYTH_IDS[name]: price(value) for name, value in self.protocol.index.items()}
        conf = {id_: value * confidence // 100_000 for id_, value in prices.items()}
        self.published = self._published(self.now, confidence)
        return [self.protocol.publisher.publish(prices, self.now, conf)]

    def bring(self, updates: Sequence[bytes]) -> Any:
        """Bring the latest signed update to the oracle."""
        return self.tell(
            "update prices", self.protocol.oracle, lambda: self.protocol.store(*updates), self.oracle.update, self.published
        )

    def _published(self, time: int, confidence: int = 50) -> dict[int, Published]:
        prices = [price(self.protocol.index[name]) for name in UNDERLYINGS]
        return {id_: Published(value, value * confidence // 100_000, -8, time) for id_, value in enumerate(prices)}

    # Agreement

    def agree(self) -> None:
        """Every word of storage is what the model says."""
        self._agree_on_the_book()
        self._agree_on_accounts()
        self._agree_on_pools()

    def _agree_on_the_book(self) -> None:
        risk, contract = self.model.risk, self.protocol.risk_book
        for id_ in range(len(UNDERLYINGS)):
            assert words.oracle_word(self.protocol.oracle.word(id_)) == self.oracle.stored(id_)
            assert Track(*self.protocol.volatility_oracle.track(id_)) == self.volatility.tracks[id_]
        stored = contract.market_words()
        assert words.state(stored.state) == risk.state
        assert words.anchors(stored.anchors) == (risk.anchors, risk.queued_redemptions)
        assert words.totals(stored.totals) == risk.totals
        assert [words.exposure(pair) for pair in stored.exposures] == risk.exposures
        assert [words.active(word) for word in stored.active] == risk.book.active
        assert stored.series_count == risk.book.count
        assert stored.owed == risk.owed
        parameters = replace(risk.parameters)
        words.set_parameters(parameters, stored.rates, stored.limits)
        assert parameters == risk.parameters
        for id_, series in risk.book.series.items():
            assert words.series(contract.series_words(id_)) == series, f"series {id_}"

    def _agree_on_accounts(self) -> None:
        house, contract = self.model.house, self.protocol.clearing_house
        assert Ledgers(*contract.ledgers()) == house.ledgers
        for id_, account in house.accounts.items():
            stored = contract.account(id_)
            assert Purse(stored.cash, stored.claim) == account.purse, f"account {id_:#x}"
            assert words.legs(stored.legs) == account.legs, f"account {id_:#x}"
        assert Settlement(*contract.settlement()) == house.settlement
        assert self.protocol.treasury.least_balance() == self.model.treasury.least_balance
        held = self.protocol.token.balanceOf(contract.address)
        assert held == house.tokens + self.donated["clearing_house"]

    def _agree_on_pools(self) -> None:
        for name, pool in self.pools().items():
            contract = getattr(self.protocol, name)
            queue = contract.queue()
            assert queue.deposits_given == pool.deposits.given and queue.deposits_done == pool.deposits.done
            assert queue.redemptions_given == pool.redemptions.given and queue.redemptions_done == pool.redemptions.done
            assert queue.queued_redemptions == pool.queued
            for ticket in range(1, pool.deposits.given + 1):
                assert _ticket(contract.deposit_ticket(ticket)) == pool.deposits.tickets.get(ticket), (name, ticket)
            for ticket in range(1, pool.redemptions.given + 1):
                assert _ticket(contract.redemption_ticket(ticket)) == pool.redemptions.tickets.get(ticket), (name, ticket)
            assert contract.totalSupply() == pool.supply
            assert contract.totalAssets() == pool.total_assets()
            for holder in pool.balances.keys() | pool.bought.keys() | pool.sold.keys():
                assert contract.balanceOf(holder) == pool.balances[holder]
                mine = [ticket for ticket in pool.deposits.tickets.values() if ticket.controller == holder]
                assert contract.pendingDepositRequest(0, holder) == sum(ticket.assets for ticket in mine)
                mine = [ticket for ticket in pool.redemptions.tickets.values() if ticket.controller == holder]
                assert contract.pendingRedeemRequest(0, holder) == sum(ticket.shares for ticket in mine)
                assert Pair(contract.maxDeposit(holder), contract.maxMint(holder)) == pool.bought[holder]
                assert Pair(contract.maxWithdraw(holder), contract.maxRedeem(holder)) == pool.sold[holder]
            assert self.protocol.token.balanceOf(contract.address) == pool.tokens + self.donated[name]

    def pools(self) -> Mapping[str, Pool]:
        """The model's pools by the contracts' names."""
        return {"main_pool": self.model.main_pool, "insurance_pool": self.model.insurance_pool}


def _plain(result: Any) -> Any:
    return list(result) if isinstance(result, tuple) else result


def _ticket(stored: Any) -> Ticket | None:
    """A request as the contract has it; none if it left."""
    if int(stored.controller, 16) == 0:
        return None
    return Ticket(str(stored.controller), stored.requested_at, stored.assets, stored.shares)
