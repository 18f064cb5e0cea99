"""What came of it, from chain reads and events alone, and whether all of it adds up."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from everstock.chain.manifest import MarketManifest
from everstock.demo.cast import Profile
from everstock.demo.chronicle import Chronicle, Event
from everstock.demo.history import History
from everstock.demo.reader import Reading, unpacked
from everstock.demo.stage import TOKEN, Actor, Stage
from everstock.demo.statement import Statement, statement
from everstock.replay.sources import Replay

# An index that fell or rose by so much is a reason to expect liquidations.
CRASH: Final = 0.20

# Of the clearing house: all that moves the insurance ledger.
INSURANCE_EVENTS: Final = ("Swept", "Liquidated", "BadDebt", "PoolDeposited", "PoolWithdrawn")

# Raw units by which E may differ from what events say: one for each account whose gains are still open, and each sum.
_ROUNDING: Final = 8

# Keys that add up over markets, though each market's are units of another token.
_ADDED: Final = (
    "orders_requested",
    "orders_executed",
    "orders_cancelled",
    "orders_voided",
    "liquidations",
    "accounts_liquidated",
    "bad_debt",
    "bad_debt_insured",
    "insurance_start",
    "insurance_end",
    "insurance_change",
    "insurance_change_by_events",
    "main_pool_equity_start",
    "main_pool_equity_end",
    "premium_paid",
    "fees_paid",
    "impact_paid",
    "difference_paid",
    "penalties_paid",
    "rewards_paid",
    "traders_price_result",
    "swept_to_insurance",
    "swept_to_treasury",
    "treasury_end",
    "main_pool_deposited",
    "main_pool_withdrawn",
    "main_pool_unexplained",
    "conservation_error",
    "checkpoints",
    "settle_windows",
    "series_listed",
)


@dataclass(frozen=True)
class Result:
    """What one trader paid in and ended with, raw units of its market's token."""

    profile: Profile
    paid_in: int
    ended_with: int
    liquidations: int

    @property
    def gain(self) -> int:
        return self.ended_with - self.paid_in


@dataclass(frozen=True)
class Outcome:
    """A finished run. `data` is summary.json; `problems` says what does not add up, in words."""

    data: dict[str, Any]
    statements: Mapping[str, Statement]
    results: Sequence[Result]
    problems: Sequence[str]

    def save(self, path: Path) -> None:
        """Write summary.json."""
        path.write_text(json.dumps(self.data, indent=2) + "\n")


def outcome(
    stage: Stage, replay: Replay, history: History, options: Mapping[str, Any], keeper: Mapping[str, Any]
) -> Outcome:
    """Everything, once the play is over. `options` are the command's, `keeper` is its last status."""
    readings = stage.reader.read(_everybody(stage))
    statements = {symbol: statement_of(stage, symbol, reading) for symbol, reading in readings.items()}
    results = _results(stage, readings)
    markets = {
        market.symbol: _market(stage.chronicle, history, market, readings[market.symbol], statements[market.symbol])
        for market in stage.manifest.markets
    }
    data = {
        "episode": replay.name,
        "price_source": replay.source,
        "mode": str(stage.chain.mode),
        "units": "raw units (1e-18) of each market's stock token; at the top level those of all markets added up",
        "episode_start": history.points[0].time,
        "episode_end": history.points[-2].time,
        "shifted_by_seconds": stage.offset,
        **options,
        "ticks": len(history.points) - 1,
        "blocks": stage.chronicle.last_block - stage.chronicle.first_block,
        "transactions": stage.chronicle.transactions.total(),
        "traders": len(stage.traders),
        **{key: sum(market[key] for market in markets.values()) for key in _ADDED},
        "cancel_reasons": dict(sum((Counter(market["cancel_reasons"]) for market in markets.values()), Counter())),
        "keeper_errors": keeper["errors"],
        "keeper_last_error": keeper["last_error"],
        "keeper_sent": keeper["sent"],
        "keeper_failed": keeper["failed"],
        "markets": markets,
    }
    problems = _problems(data, statements, readings, history)
    return Outcome(data, statements, results, problems)


def _everybody(stage: Stage) -> dict[str, list[int]]:
    """Every account that any event ever named, by market."""
    found = {symbol: set(ids) for symbol, ids in stage.accounts().items()}
    for event in stage.chronicle.events:
        if event.role == "clearing_house":
            found[event.market] |= {event.args[key] for key in ("account", "rewarded") if key in event.args}
    return {symbol: sorted(ids) for symbol, ids in found.items()}


def statement_of(stage: Stage, symbol: str, reading: Reading) -> Statement:
    """A market's statement up to now; `reading` must hold all accounts that have legs."""
    market = stage.manifest.market(symbol)
    lens = stage.manifest.lens_contract(stage.chain.w3).functions
    block = stage.chronicle.last_block
    (words,) = stage.reader.many([stage.contracts[symbol]["risk_book"].functions.market_words()], block)
    return statement(
        stage.chronicle.events,
        market=symbol,
        underlyings=market.underlyings,
        sharpness=words.sharpness,
        pools={market.main_pool: "main", market.insurance_pool: "insurance"},
        scale=reading.market.scale,
        open_gains=sum(account.gain for account in reading.accounts.values()),
        unpack=unpacked,
        marks=lambda wanted: stage.reader.many([lens.mark(*one) for one in wanted], block),
    )


def _results(stage: Stage, readings: Mapping[str, Reading]) -> list[Result]:
    tokens = stage.reader.many(
        [
            stage.contracts[profile.market]["vault"].functions.balanceOf(actor.address)
            for profile, actor in stage.traders
        ],
        stage.chronicle.last_block,
    )
    hits = Counter((event.market, event.args["account"]) for event in stage.chronicle.of("Liquidated"))

    def result(profile: Profile, actor: Actor, wallet: int) -> Result:
        left = max(0, readings[profile.market].accounts[actor.id].equity)
        return Result(profile, profile.margin * TOKEN, wallet + left, hits[profile.market, actor.id])

    return [result(profile, actor, wallet) for (profile, actor), wallet in zip(stage.traders, tokens, strict=True)]


def _market(
    chronicle: Chronicle, history: History, market: MarketManifest, reading: Reading, made: Statement
) -> dict[str, Any]:
    symbol, first = market.symbol, history.points[0]
    begin, state = first.markets[symbol], reading.market

    def count(name: str) -> int:
        return sum(1 for _ in chronicle.of(name, market=symbol))

    ledgers = state.main + state.insurance + state.treasury + sum(account.cash for account in reading.accounts.values())
    flows = insurance_flows(chronicle.of(*INSURANCE_EVENTS, market=symbol, since=first.block), market.insurance_pool)
    hit = {event.args["account"] for event in chronicle.of("Liquidated", market=symbol)}
    reasons = Counter(event.args["reason"] for event in chronicle.of("Cancelled", market=symbol))
    return {
        "orders_requested": count("Requested"),
        "orders_executed": count("Executed"),
        "orders_cancelled": count("Cancelled"),
        "orders_voided": count("Voided"),
        "cancel_reasons": dict(reasons),
        "liquidations": count("Liquidated"),
        "accounts_liquidated": len(hit),
        "bad_debt": made.bad_debt,
        "bad_debt_insured": made.insured,
        "insurance_start": begin.insurance,
        "insurance_end": state.insurance,
        "insurance_change": state.insurance - begin.insurance,
        "insurance_change_by_events": sum(flows.values()),
        "insurance_flows": flows,
        "main_pool_equity_start": begin.equity,
        "main_pool_equity_end": state.equity,
        "main_share_price_start": share_price(begin.equity, begin.main_supply),
        "main_share_price_end": share_price(state.equity, reading.main_supply),
        "main_pool_deposited": made.main_deposited,
        "main_pool_withdrawn": made.main_withdrawn,
        "main_pool_unexplained": state.equity - made.main_equity(state.accrued),
        "requirement_end": state.requirement,
        "least_equity_to_requirement": min(
            (
                point.markets[symbol].equity / point.markets[symbol].requirement
                for point in history.points
                if point.markets[symbol].requirement
            ),
            default=None,
        ),
        "premium_paid": made.premium,
        "fees_paid": made.fees,
        "impact_paid": made.impact,
        "difference_paid": made.difference,
        "penalties_paid": made.penalties,
        "rewards_paid": made.rewards,
        "traders_price_result": made.price_result,
        "swept_to_insurance": made.swept_insurance,
        "swept_to_treasury": made.swept_treasury,
        "treasury_end": state.treasury,
        "accrued_end": state.accrued,
        "claims_end": state.claims,
        "open_legs_end": state.open_legs,
        "tokens_held": reading.tokens,
        "ledgers": ledgers,
        "conservation_error": reading.tokens - ledgers,
        "checkpoints": count("Checkpoint"),
        "settle_windows": len(settle_windows(chronicle.of("Checkpoint", market=symbol))),
        "series_listed": count("SeriesListed"),
    }


def insurance_flows(events: Iterable[Event], pool: str) -> dict[str, int]:
    """What moved the insurance ledger, raw units, from a market's `INSURANCE_EVENTS`; `pool` is its insurance pool."""
    flows = dict.fromkeys(("fees_and_loads", "penalties", "rewards", "bad_debt", "deposits", "withdrawals"), 0)
    for event in events:
        args = event.args
        match event.name:
            case "Swept":
                flows["fees_and_loads"] += args["insurance"]
            case "Liquidated":
                flows["penalties"] += args["penalty"]
                flows["rewards"] -= args["reward"]
            case "BadDebt":
                flows["bad_debt"] -= args["insured"]
            case "PoolDeposited" if args["pool"] == pool:
                flows["deposits"] += args["amount"]
            case "PoolWithdrawn" if args["pool"] == pool:
                flows["withdrawals"] -= args["amount"]
    return flows


def settle_windows(checkpoints: Iterable[Event]) -> list[tuple[int, int]]:
    """When settle windows were open, chain time, from `Checkpoint` events; one that was prolonged counts once."""
    windows: list[tuple[int, int]] = []
    for event in checkpoints:
        end = event.args["window_end"]
        if end <= event.time:
            continue
        if windows and event.time < windows[-1][1]:
            windows[-1] = (windows[-1][0], end)
        else:
            windows.append((event.time, end))
    return windows


def share_price(equity: int, supply: int) -> float:
    """Tokens per million raw shares per raw unit: 1 at the first deposit."""
    return max(equity, 0) * 10**6 / supply if supply else 1.0


def _problems(
    data: Mapping[str, Any], statements: Mapping[str, Statement], readings: Mapping[str, Reading], history: History
) -> list[str]:
    """Whatever does not add up, or shows that nothing happened."""
    found = []
    for symbol, market in data["markets"].items():
        made, reading = statements[symbol], readings[symbol]
        if market["conservation_error"]:
            held, ledgers = market["tokens_held"], market["ledgers"]
            found.append(f"{symbol}: conservation fails: {held} raw units held, the ledgers add up to {ledgers}")
        if (
            market["insurance_change"] != market["insurance_change_by_events"]
            or made.insurance != market["insurance_end"]
        ):
            found.append(
                f"{symbol}: the insurance fund changed by {market['insurance_change']} raw units, "
                f"events say {market['insurance_change_by_events']}"
            )
        legs = {id_: dict(account.legs) for id_, account in reading.accounts.items() if account.legs}
        if legs != {id_: dict(held) for id_, held in made.legs.items()}:
            found.append(f"{symbol}: legs rebuilt from events are not those that are stored")
        if abs(market["main_pool_unexplained"]) > _ROUNDING + len(legs):
            found.append(f"{symbol}: {market['main_pool_unexplained']} raw units of main's equity come from no event")
    if not data["orders_executed"]:
        found.append("nothing happened: no order was executed")
    move = largest_move(history)
    if not data["liquidations"] and move >= CRASH:
        found.append(f"nothing happened: an index moved by {move:.0%}, and nobody was liquidated")
    return found


def largest_move(history: History) -> float:
    """How far an index went from its first price at most, as a fraction of the lower of the two."""
    first = history.points[0].prices
    pairs = [(first[name], price) for point in history.points for name, price in point.prices.items()]
    return max(max(pair) / min(pair) - 1 for pair in pairs)
