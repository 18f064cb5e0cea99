"""Reading the chain as it would be if the newest prices were stored, without storing them.

One simulated call brings the update and then asks the lens, so that health and what is due are seen at prices that no
transaction has stored yet. What is read is of one block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from everstock.chain.manifest import Manifest, MarketManifest
from everstock.keeper.abi import Garbled, Interface
from everstock.keeper.multicall import Call, Multicall, Result
from everstock.keeper.rpc import Block, Rpc, RpcDown, RpcError, octets
from everstock.keeper.state import Health, Market, Pool, Price, Update
from everstock.keeper.watch import Facts
from everstock.model.waterfall import Stage

# interfaces/IMarketLens.vyi
MAX_HEALTHS: Final = 100
# Accounts of one request: as many as a node's bound on the gas of a call lets be read at once.
MAX_ACCOUNTS: Final = 200
POOLS: Final = ("main_pool", "insurance_pool")


class _Cut(Exception):
    """Multicall3 cut the healths of several accounts short."""


@dataclass(frozen=True)
class Reading:
    """What was read at a block: the parts of a `State` that the chain tells."""

    stored: tuple[Price, ...]
    restricted: tuple[bool, ...]
    free: tuple[tuple[int, int], ...]
    refused: str
    sampled: tuple[int, ...]
    markets: tuple[Market, ...]


class Reader:
    """Reads a deployment. `sender` is the account the simulated calls are made from; it needs the update's fee."""

    def __init__(self, rpc: Rpc, manifest: Manifest, sender: str) -> None:
        self._rpc = rpc
        self._manifest = manifest
        self._sender = sender
        self._ids = range(len(manifest.underlyings))
        self._multicall = Multicall(manifest.multicall)
        oracle, lens = Interface("PriceOracle"), Interface("MarketLens")
        self._word = oracle.function("word")
        self._track = Interface("VolatilityOracle").function("track")
        self._status = oracle.function("status")
        self._update = oracle.function("update")
        self._update_fee = oracle.function("update_fee")
        self._market = lens.function("market")
        self._health = lens.function("health")
        self._due = Interface("MainPool").function("due")
        # Accounts of one call of the lens; fewer where Multicall3 cuts long answers, as the look-alike's does.
        self._healths = MAX_HEALTHS

    def fees(self, block: Block, updates: Sequence[Update]) -> list[int]:
        """What Pyth charges for each update, wei; 0 for one that it cannot even read. Raises `RpcDown`."""
        calls = [Call(self._manifest.oracle, self._update_fee.encode(list(update.blobs))) for update in updates]
        answers = self._rpc.batch([("eth_call", [call.request(self._sender), hex(block.number)]) for call in calls])
        return [
            0 if isinstance(answer, RpcError) else self._update_fee.decode(octets(answer)) for answer in answers
        ]

    def read(self, block: Block, facts: Mapping[str, Facts], latest: Update | None) -> Reading:
        """The deployment at `block`, with `latest` stored if the oracle takes it. Raises `RpcDown`, `RpcError`."""
        while True:
            try:
                return self._read(block, facts, latest)
            except _Cut:
                self._healths //= 2

    def _read(self, block: Block, facts: Mapping[str, Facts], latest: Update | None) -> Reading:
        oracle = self._manifest.oracle
        words = [Call(oracle, self._word.encode(id_)) for id_ in self._ids]
        statuses = [Call(oracle, self._status.encode(id_)) for id_ in self._ids]
        tracks = [Call(self._manifest.volatility_oracle, self._track.encode(id_)) for id_ in self._ids]
        update = [] if latest is None else [self.update_call(self._ids, latest)]
        views = [call for market in self._manifest.markets for call in self._views(market)]
        chunks = [
            (market.symbol, accounts[i : i + self._healths])
            for market in self._manifest.markets
            for accounts in [list(facts[market.symbol].accounts)]
            for i in range(0, len(accounts), self._healths)
        ]
        per_request = max(1, MAX_ACCOUNTS // self._healths)
        requests = [chunks[i : i + per_request] for i in range(0, len(chunks), per_request)] or [[]]
        # The first also tells the stored prices, before and after, and the markets.
        first = [*words, *statuses, *tracks, *update, *words, *views, *map(self._health_call, requests[0])]
        others = [[*update, *map(self._health_call, request)] for request in requests[1:]]
        answers = self._simulate(block, [first, *others])

        results = iter(answers[0])
        stored = [self._word.decode(_returned(next(results))) for _ in self._ids]
        free = [self._decode_free(next(results)) for _ in self._ids]
        sampled = [self._track.decode(_returned(next(results)))["time"] for _ in self._ids]
        refused = "" if latest is None or (tried := next(results)).success else tried.reason
        after = [self._word.decode(_returned(next(results))) for _ in self._ids]
        seen = {market.symbol: [next(results) for _ in self._views(market)] for market in self._manifest.markets}
        healths: dict[str, list[Health]] = {symbol: [] for symbol in seen}
        rest = [*results, *(result for answer in answers[1:] for result in answer[len(update) :])]
        # A market cannot be read before its first prices.
        readable = [market for market in self._manifest.markets if seen[market.symbol][0].success]
        for (symbol, accounts), result in zip(chunks, rest, strict=True):
            if seen[symbol][0].success:
                healths[symbol] += self._decode_healths(accounts, result)
        return Reading(
            stored=tuple(_price(word) for word in stored),
            restricted=tuple(_price(word).restricted for word in after),
            free=tuple(free),
            refused=refused,
            sampled=tuple(sampled),
            markets=tuple(
                self._decode_market(market, facts[market.symbol], seen[market.symbol], healths[market.symbol])
                for market in readable
            ),
        )

    def update_call(self, ids: Sequence[int], update: Update) -> Call:
        """The call that stores the prices of these oracle ids."""
        return Call(self._manifest.oracle, self._update.encode(list(ids), list(update.blobs)), update.fee)

    def _views(self, market: MarketManifest) -> list[Call]:
        due = [Call(getattr(market, role), self._due.encode()) for role in POOLS]
        return [Call(self._manifest.lens, self._market.encode(market.clearing_house)), *due]

    def _health_call(self, chunk: tuple[str, list[int]]) -> Call:
        symbol, accounts = chunk
        house = self._manifest.market(symbol).clearing_house
        return Call(self._manifest.lens, self._health.encode(house, accounts))

    def _simulate(self, block: Block, requests: Sequence[Sequence[Call]]) -> list[list[Result]]:
        calls = [self._multicall.call(request, may_fail=True) for request in requests]
        answers = self._rpc.batch([("eth_call", [call.request(self._sender), hex(block.number)]) for call in calls])
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        results = [self._multicall.results(octets(answer)) for answer in answers]
        if [len(result) for result in results] != [len(request) for request in requests]:
            raise RpcDown("Multicall3 did not answer every call")
        return results

    def _decode_free(self, result: Result) -> tuple[int, int]:
        """The lowest and highest price that is not too far from Chainlink; any where Chainlink's own feed fails."""
        if not result.success:
            return 0, 2**64 - 1
        status = self._status.decode(result.returned)
        return status["lowest_free"], status["highest_free"]

    def _decode_healths(self, accounts: list[int], result: Result) -> list[Health]:
        try:
            rows = self._health.decode(_returned(result))
        except Garbled as error:
            if len(accounts) == 1:
                raise
            raise _Cut from error
        return [
            Health(account, row["equity"], row["maintenance"], row["legs"], row["is_liquidatable"])
            for account, row in zip(accounts, rows, strict=True)
        ]

    def _decode_market(
        self, market: MarketManifest, facts: Facts, seen: Sequence[Result], healths: Sequence[Health]
    ) -> Market:
        view = self._market.decode(seen[0].returned)
        return Market(
            symbol=market.symbol,
            underlyings=tuple(market.underlyings),
            order_delay=market.order_delay,
            equity=view["equity"],
            requirement=view["requirement"],
            claims=view["claims"],
            open_legs=view["open_legs"],
            depth=view["depth"],
            checkpoint_time=view["checkpoint_time"],
            window_end=view["window_end"],
            is_due=view["is_due"],
            stage=Stage(view["settlement"]["stage"]),
            pools=tuple(
                Pool(role, *self._due.decode(_returned(result)))
                for role, result in zip(POOLS, seen[1:], strict=True)
            ),
            healths=tuple(healths),
            orders=tuple(facts.orders.values()),
            series=frozenset(facts.series),
            notices=dict(facts.notices),
            bursts=dict(facts.bursts),
        )


def _returned(result: Result) -> bytes:
    """What a call that cannot fail returned. Raises `RpcDown` if it did."""
    if not result.success:
        raise RpcDown(f"a view was reverted: {result.reason}")
    return result.returned


def _price(word: int) -> Price:
    return Price(word & (2**64 - 1), word >> 64 & (2**32 - 1), bool(word >> 176 & 1))
