"""`python -m tests.scenarios.price_path`: what becomes of every kind of price update, and what the market then allows.

Writes docs/PRICES.md. Updates are made of the minutes of 2025-10-10 from 20:30 UTC on (BTC's mark price at one exchange,
ETH at another), as a path of seconds through their opens, highs, lows and closes (`tests.economics.latency`). Second 0 of a
case is 20:30.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boa
from boa import BoaError

from everstock.chain.deployment import CHAINLINK_MAX_AGE, UNDERLYINGS
from everstock.chain.in_process import DELAY, EXEC_WINDOW, Order, Protocol, account_of, events, price
from everstock.chain.publisher import PriceUpdate, forged, negative, sign, uncertain, zero
from everstock.chain.transactions import reason_of
from everstock.replay.bars import read_csv
from everstock.replay.sources import ROOT, data_folders
from everstock.risk.page import table, written
from tests.economics.latency import FILES, Session
from tests.liquidity import DEPOSIT_WAIT, Pool
from tests.unit.price_oracle.feeds import BTC, ETH, FEE, Feeds

PAGE: Final = ROOT / "docs" / "PRICES.md"
COMMAND: Final = "python -m tests.scenarios.price_path"
EPISODE: Final = "2025-10-10"
BEGINS: Final = "2025-10-10 20:30"
SECONDS: Final = 5_400
MINUTE: Final = 60
ACTIONS: Final = (
    "open", "close", "liquidate", "withdraw, legs", "withdraw, none", "checkpoint", "LP request", "LP executed",
)  # fmt: skip
YES: Final = "yes"


def is_in(folder: Path) -> bool:
    return all((folder / file).is_file() for file in FILES[EPISODE].values())


@dataclass(frozen=True)
class Row:
    """One moment of a case: what came, its verdict, and what is then possible: `YES` or the reason why not."""

    case: str
    comes: str
    verdict: str
    possible: Sequence[str] = ()


@dataclass
class Tape:
    """A market in the crash: a holder of calls, somebody without legs, a provider whose deposit waits to be executed."""

    protocol: Protocol
    session: Session
    folder: Path
    begin: int = 0
    feeds: Feeds = field(init=False)

    def __post_init__(self) -> None:
        p = self.protocol
        self.feeds = Feeds(p)
        self.begin = int(datetime.fromisoformat(BEGINS).replace(tzinfo=UTC).timestamp())
        # The market was opened the day before: it gets over the way here.
        for before in (3 * DEPOSIT_WAIT, 2 * DEPOSIT_WAIT, DEPOSIT_WAIT):
            p.wait(self.begin - before - 1 - p.now)
            p.set_prices(after=1, **self.usd(0))
            p.clearing_house.checkpoint()
        self.call = p.list_series("BTC", 1.0)
        self.holder, self.idle = p.trader("holder", 1_000), p.trader("idle")
        p.trade(self.holder, (self.call, 10))
        self.pool = Pool(p, p.main_pool)
        self.pool.request_deposit(self.pool.provider("provider"), 100 * p.unit)
        self.late = self.pool.provider("late provider")
        p.set_prices(after=DEPOSIT_WAIT, **self.usd(0))
        p.clearing_house.checkpoint()

    @contextmanager
    def undone(self) -> Iterator["Tape"]:
        """Whatever happens inside has not happened afterwards."""
        with boa.env.anchor():
            yield self

    # Time, and the two sources

    @property
    def second(self) -> int:
        return self.protocol.now - self.begin

    def usd(self, second: int) -> dict[str, float]:
        return {name: float(self.session.path[name][max(0, second)]) for name in UNDERLYINGS}

    def pass_to(self, second: int) -> None:
        self.protocol.wait(second - self.second)

    def chainlink(self, behind: int = 0) -> None:
        """Chainlink answers now, with prices of some seconds ago."""
        for u, name in enumerate(UNDERLYINGS):
            self.feeds.answer(u, self.usd(self.second - behind)[name])

    def messages(self, ago: int = 0, **changes: Any) -> list[PriceUpdate]:
        """What Pyth published some seconds ago, of both."""
        usd = self.usd(self.second - ago)
        return [self.feeds.message(u, usd[name], ago, **changes) for u, name in enumerate(UNDERLYINGS)]

    def bring(self, *messages: PriceUpdate | bytes, ids: Sequence[int] = (BTC, ETH)) -> str:
        """The verdict on some updates that are brought together."""
        try:
            self.feeds.bring(*messages, ids=ids)
        except BoaError as error:
            return f"refused: {reason(error)}"
        stored = events(self.protocol.oracle, "PriceStored")
        if not stored:
            return "passed over"
        return "restricted" if any(one.restricted for one in stored) else "stored"

    def tick(self, second: int, behind: int = 0) -> str:
        """Both sources say what they must at a second, Chainlink that of some seconds before."""
        self.pass_to(second)
        self.chainlink(behind)
        return self.bring(*self.messages())

    def keep(self) -> None:
        """As a keeper would: a checkpoint, if one is possible."""
        house = self.protocol.clearing_house
        if refusal_of(house.checkpoint) == YES:
            house.checkpoint()

    # What is possible

    def possible(self, names: Sequence[str] = ACTIONS) -> list[str]:
        """Each of these actions, on its own: `YES`, or why not."""
        p, house = self.protocol, self.protocol.clearing_house
        stored = [p.oracle.word(u) & 2**64 - 1 for u in range(len(UNDERLYINGS))]
        mine = account_of(self.holder)
        tried = (
            lambda: p.trade(self.holder, (self.call, 1), prices=stored),
            lambda: p.trade(self.holder, (self.call, -1), prices=stored, reduce_only=True),
            lambda: p.liquidate(self.holder),
            lambda: house.withdraw(mine, 1, self.holder, sender=self.holder),
            lambda: house.withdraw(account_of(self.idle), 1, self.idle, sender=self.idle),
            house.checkpoint,
            lambda: self.pool.request_deposit(self.late, 10 * p.unit),
            lambda: self.pool.fulfil(1, 0),
        )
        actions = dict(zip(ACTIONS, tried, strict=True))
        return [refusal_of(actions[name]) for name in names]

    def row(self, case: str, comes: str, verdict: str) -> Row:
        return Row(case, comes, verdict, self.possible())

    # Orders

    def execute(self, order: Order, *messages: PriceUpdate) -> str:
        """What becomes of an order with some first prices."""
        blobs = [sign([message]).blob() for message in messages]
        try:
            done = self.protocol.order_desk.execute(
                [order], blobs, value=FEE * len(blobs), sender=self.protocol.operator
            )
        except BoaError as error:
            return f"not yet: {reason(error)}"
        return "executed" if done == [True] else "cancelled"


def reason(error: BoaError) -> str:
    """Why a call reverted, without the name of the module that says so."""
    text = reason_of(error.stack_trace.last_frame.vm_error.args[0])
    return text.partition(": ")[2] or text


def refusal_of(action: Callable[[], Any]) -> str:
    """`YES`, or why not; nothing has happened."""
    with boa.env.anchor():
        try:
            action()
        except BoaError as error:
            return reason(error)
    return YES


# The cases: each begins at second 0, and says what it saw.

Case = Callable[[Tape], Iterator[Row]]


def ordinary(t: Tape) -> Iterator[Row]:
    verdicts = [t.tick(second) for second in range(20, 5 * MINUTE, 20)]
    yield t.row("as published", "both, every 20 s of five quiet minutes; Chainlink agrees", counted(verdicts))


def gaps(t: Tape) -> Iterator[Row]:
    yield t.row("a gap", "a price, just now", t.tick(MINUTE))
    t.pass_to(MINUTE + 16)
    yield t.row("a gap", "nothing for 16 s", "")
    t.pass_to(2 * MINUTE + 1)
    yield t.row("a gap", "nothing for 61 s", "")
    t.pass_to(2 * MINUTE + 30)
    t.chainlink()
    yield t.row("a gap", "then a price that is 61 s old", t.bring(*t.messages(ago=61)))
    yield t.row("a gap", "then a new one", t.tick(3 * MINUTE))
    t.pass_to(5 * MINUTE)
    t.chainlink()
    both = t.messages()
    yield t.row("a gap", "then, after two minutes, one of BTC alone", t.bring(both[BTC], ids=[BTC]))


def duplicates(t: Tape) -> Iterator[Row]:
    t.tick(MINUTE)
    again = t.bring(*t.messages())
    yield t.row("duplicates", "the same update again", again)
    other = t.bring(*t.messages(price=price(100_000)))
    yield t.row("duplicates", "another price of the same second", other)


def disorder(t: Tape) -> Iterator[Row]:
    t.pass_to(42 * MINUTE)
    t.chainlink()
    agos = (40, 25, 50, 10, 30, 10, 0, 5, 20)
    verdicts = [t.bring(*t.messages(ago=ago)) for ago in agos]
    words = ", ".join(str(ago) for ago in agos)
    yield t.row("out of order", f"updates of 21:12, {words} s old", counted(verdicts))


def confidence(t: Tape) -> Iterator[Row]:
    bars = {name: read_csv(t.folder / file) for name, file in FILES[EPISODE].items()}
    for minute, words in ((37, "21:07, a quiet minute"), (49, "21:19, the worst")):
        t.pass_to(minute * MINUTE)
        t.chainlink()
        row = int((bars["BTC"].start == t.protocol.now).nonzero()[0][0])
        # As wide as half of what the minute had between high and low.
        width = (bars["BTC"].high[row] - bars["BTC"].low[row]) / 2
        both = t.messages(conf=price(width))
        share = 100 * width / t.usd(t.second)["BTC"]
        t.bring(t.messages()[ETH], ids=[ETH])
        yield t.row("confidence", f"BTC as sure as {words}: {share:.2f}% of the price", t.bring(both[BTC], ids=[BTC]))
    yield t.row("confidence", "the same minute, 0.5%", t.bring(uncertain(t.messages()[BTC], 50), ids=[BTC]))


def sequencer(t: Tape) -> Iterator[Row]:
    t.tick(42 * MINUTE)
    t.feeds.sequencer(1, t.protocol.now)
    t.pass_to(42 * MINUTE + 5)
    t.chainlink()
    yield t.row("sequencer", "down since 21:12, the price of then still fresh", t.bring(*t.messages()))
    yield t.row("sequencer", "down for fifteen minutes", t.tick(57 * MINUTE))
    t.feeds.sequencer(0, t.protocol.now)
    yield t.row("sequencer", "back since a second", t.tick(57 * MINUTE + 1))
    yield t.row("sequencer", "back since 299 s", t.tick(57 * MINUTE + 299))
    yield t.row("sequencer", "back since 300 s", t.tick(57 * MINUTE + 300))


def stuck(t: Tape) -> Iterator[Row]:
    """Pyth repeats the price of 21:11 while the index and Chainlink fall."""
    held = t.usd(41 * MINUTE)
    shown = set()
    for minute in range(41, 56):
        t.pass_to(minute * MINUTE)
        t.chainlink()
        verdict = t.bring(t.feeds.message(BTC, held["BTC"]), ids=[BTC])
        if verdict not in shown:
            shown.add(verdict)
            gap = 100 * abs(held["BTC"] / t.usd(t.second)["BTC"] - 1)
            t.bring(t.messages()[ETH], ids=[ETH])
            t.keep()
            yield t.row("stuck", f"BTC of 21:11 again at {clock(minute)}, Chainlink {gap:.1f}% away", verdict)


def both_stuck(t: Tape) -> Iterator[Row]:
    """Nobody can tell, until Chainlink's answer is too old."""
    held = t.usd(41 * MINUTE)
    frozen = [lambda u=u, name=name: t.feeds.message(u, held[name]) for u, name in enumerate(UNDERLYINGS)]
    t.pass_to(41 * MINUTE)
    t.chainlink()
    for after, words in ((14 * MINUTE, "fourteen minutes"), (CHAINLINK_MAX_AGE + 1, "1,801 s")):
        t.pass_to(41 * MINUTE + after)
        verdict = t.bring(*(message() for message in frozen))
        yield t.row("stuck", f"both sources at their prices of 21:11 for {words}", verdict)


def together(t: Tape) -> Iterator[Row]:
    """Chainlink three minutes behind, at 21:14: ETH is refused, BTC is not."""
    t.tick(44 * MINUTE - 30)
    t.pass_to(44 * MINUTE)
    t.chainlink(behind=3 * MINUTE)
    yield t.row("one of two", "both in one call, ETH 3.4% from Chainlink", t.bring(*t.messages()))
    yield t.row("one of two", "BTC in a call of its own, 2.2% away", t.bring(t.messages()[BTC], ids=[BTC]))


def jump(t: Tape) -> Iterator[Row]:
    """12% between two updates that both sources agree on."""
    t.tick(MINUTE)
    usd = {name: value * 0.88 for name, value in t.usd(MINUTE).items()}
    t.pass_to(2 * MINUTE)
    for u, name in enumerate(UNDERLYINGS):
        t.feeds.answer(u, usd[name])
    both = [t.feeds.message(u, usd[name]) for u, name in enumerate(UNDERLYINGS)]
    verdict = t.bring(*both)
    yield t.row("a jump", "12% down in a minute, both sources", verdict)
    t.protocol.clearing_house.checkpoint()
    yield t.row("a jump", "the same, after a checkpoint", "")


def chainlink_alone(t: Tape) -> Iterator[Row]:
    t.tick(MINUTE)
    t.pass_to(2 * MINUTE)
    t.feeds.answer(BTC, 0)
    yield t.row("chainlink", "it answers 0", t.bring(*t.messages()))
    t.pass_to(MINUTE + CHAINLINK_MAX_AGE)
    t.protocol.chainlink["BTC"].publish(
        price(t.usd(t.second)["BTC"]), t.begin + MINUTE, t.begin + MINUTE, sender=t.protocol.operator
    )
    t.feeds.answer(ETH, t.usd(t.second)["ETH"])
    yield t.row("chainlink", "its answer is 1,800 s old", t.bring(*t.messages()))
    t.pass_to(t.second + 1)
    yield t.row("chainlink", "its answer is 1,801 s old", t.bring(*t.messages()))


def nonsense(t: Tape) -> Iterator[Row]:
    t.tick(MINUTE)
    t.pass_to(MINUTE + 10)
    t.chainlink()
    whole = round(t.usd(t.second)["BTC"] * 10**5)
    one = t.messages()[BTC]
    band = t.feeds.message(BTC, 900)
    for words, message in (
        ("a price of zero", zero(one)),
        ("a negative price", negative(one)),
        ("exponent 1", t.feeds.message(BTC, price=1_200, conf=0, expo=1)),
        ("exponent -19", t.feeds.message(BTC, price=2**62, conf=0, expo=-19)),
        ("below the band", band),
        ("published a second from now", t.feeds.message(BTC, t.usd(t.second)["BTC"], ago=-1)),
        ("signed by somebody else", forged(one)),
    ):
        yield Row("nonsense", words, t.bring(message, ids=[BTC]))
    exponent = t.feeds.message(BTC, price=whole, conf=whole // 2_000, expo=-5)
    yield Row("nonsense", "the right price with exponent -5", t.bring(exponent, ids=[BTC]))


def orders(t: Tape) -> Iterator[Row]:
    """An order whose first price comes when a guard has something to say."""
    for minute, words in ((43, "restricted, 2.8% from Chainlink"), (44, "refused, 3.4% away")):
        with t.undone():
            t.tick(minute * MINUTE - DELAY)
            # Of another account: it would keep the other waiting.
            opens = t.protocol.request(t.idle, (t.call, 1))
            closes = t.protocol.request(t.holder, (t.call, -1), reduce_only=True)
            t.pass_to(t.second + DELAY)
            t.chainlink(behind=180)
            first = t.messages()
            for order, what in ((opens, "adds risk"), (closes, "reduces")):
                with t.undone():
                    verdict = t.execute(order, *first)
                yield Row("an order", f"{what}; its first price is {words}", verdict)
            t.pass_to(t.second + EXEC_WINDOW - DELAY + 1)
            voided = refusal_of(lambda opens=opens: t.protocol.order_desk.void(opens))
            yield Row("an order", "61 s after its request: void it", "voided" if voided == YES else f"not yet: {voided}")


CASES: Final[Sequence[Case]] = (
    ordinary,
    gaps,
    duplicates,
    disorder,
    confidence,
    sequencer,
    stuck,
    both_stuck,
    together,
    jump,
    chainlink_alone,
    nonsense,
    orders,
)


# The minutes of the fall, and what is of interest in them.
FALL: Final = range(41, 57)
IN_THE_FALL: Final = ("open", "close", "liquidate", "withdraw, legs", "checkpoint")


def leading(t: Tape, behind: int = 3 * MINUTE) -> Iterator[Sequence[str]]:
    """Pyth leads Chainlink by some seconds, minute by minute through the fall: gaps, verdicts, what is possible."""
    for minute in FALL:
        gaps, verdicts = led(t, minute, behind)
        t.keep()
        yield [clock(minute), *(f"{gap:+.1%}" for gap in gaps), *verdicts, *t.possible(IN_THE_FALL)]


def lags(t: Tape) -> Iterator[Sequence[str]]:
    """What becomes of the two prices of each of these minutes, by how far Chainlink is behind."""
    for behind in (15, 30, MINUTE, 2 * MINUTE, 3 * MINUTE):
        with t.undone():
            verdicts = [verdict for minute in FALL for verdict in led(t, minute, behind)[1]]
        refused = len(verdicts) - verdicts.count("stored") - verdicts.count("restricted")
        yield [f"{behind} s", str(verdicts.count("stored")), str(verdicts.count("restricted")), str(refused)]


def led(t: Tape, minute: int, behind: int) -> tuple[list[float], list[str]]:
    """Gaps and verdicts of both."""
    t.pass_to(minute * MINUTE)
    t.chainlink(behind)
    both = t.messages()
    verdicts = [t.bring(both[u], ids=[u]).removeprefix("refused: ") for u in (BTC, ETH)]
    now, then = t.usd(t.second), t.usd(t.second - behind)
    return [now[name] / then[name] - 1 for name in UNDERLYINGS], verdicts


def run(t: Tape) -> list[Row]:
    """All cases, each from the beginning."""
    rows: list[Row] = []
    for case in CASES:
        with t.undone():
            rows += case(t)
    return rows


def opened(folder: Path, protocol: Protocol) -> Tape:
    return Tape(protocol, Session.read(folder, EPISODE, BEGINS, SECONDS), folder)


def measure(t: Tape, rows: Sequence[Row]) -> dict[str, Sequence[str]]:
    """All tables by name, given what `run` saw."""
    words = ("case", "what comes", "verdict")
    possible = [[row.case, row.comes, row.verdict, *row.possible] for row in rows if row.possible]
    others = [[row.case, row.comes, row.verdict] for row in rows if not row.possible]
    head = ("time", *(f"{name} from Chainlink" for name in UNDERLYINGS), *(f"{name}'s price" for name in UNDERLYINGS))
    with t.undone():
        minutes = list(leading(t))
    return {
        "cases": table((*words, *ACTIONS), possible, words=3 + len(ACTIONS)),
        "messages and orders": table(words, others, words=3),
        "leading": table((*head, *IN_THE_FALL), minutes, words=5 + len(IN_THE_FALL)),
        "lags": table(("Chainlink behind by", "stored", "restricted", "refused"), list(lags(t))),
    }


def counted(verdicts: Sequence[str]) -> str:
    """How many of each, in the order they first came."""
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))


def clock(minute: int) -> str:
    start = int(datetime.fromisoformat(BEGINS).replace(tzinfo=UTC).timestamp())
    return datetime.fromtimestamp(start + minute * MINUTE, UTC).strftime("%H:%M")


if __name__ == "__main__":
    (first, *_) = [folder for folder in data_folders() if is_in(folder)]
    tape = opened(first, Protocol())
    PAGE.write_text(written(PAGE.read_text(), measure(tape, run(tape)), COMMAND))
