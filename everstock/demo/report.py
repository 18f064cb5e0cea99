"""One page for people, with everything in it: what was replayed, what happened, who won, and whether it adds up."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from everstock.demo.cast import Kind
from everstock.demo.summary import Outcome, Result
from everstock.demo.timeline import Entry
from everstock.replay.sources import Replay

TOKEN: Final = 10**18
TEMPLATES: Final = Path(__file__).parent / "templates"

# Title and how to read it, by a chart's name; in the order they are shown.
CHARTS: Final[Mapping[str, tuple[str, str]]] = {
    "index": (
        "The indexes, and every liquidation",
        "Both lines are the prices that the feeds published. Each mark is one liquidation, drawn on both lines at "
        "its moment: a triangle for TSLA.M, a circle for NVDA.M, hollow where only a part of every leg was closed. "
        "In the shaded bands a settle window was open: no orders and no withdrawals until losers are found.",
    ),
    "main_pool": (
        "The main pool",
        "Above: what the pool is worth (E), and what it must be able to lose (R), in tokens. As long as the colored"
        " line is above the grey area every winner can be paid. Below: the price of one share, 1 when its LPs came."
        " It rises with premium, fees and traders' losses, and falls when traders win.",
    ),
    "insurance": (
        "The insurance fund",
        "Above: the fund in tokens (the axis does not begin at zero). Small steps are its share of fees and of the "
        "load on premium, swept at checkpoints; jumps are liquidation penalties; a step down would be a bankrupt "
        "account. Below: the same as a share of all open face, bought and written, which is how BitMEX shows its "
        "fund. It begins high because hardly anything is open yet.",
    ),
    "traders": (
        "Who gains, who loses",
        "The equity of all traders of a kind together, of the margin that they paid in. Above the dashed line they "
        "are winning. The legend is in the order in which they end.",
    ),
}

FLOWS: Final = {
    "fees_and_loads": "share of fees and of the load on premium",
    "penalties": "liquidation penalties",
    "rewards": "of these, rewards to liquidators",
    "bad_debt": "paid to the main pool for bankrupt accounts",
    "deposits": "deposits of LPs",
    "withdrawals": "withdrawals of LPs",
}


@dataclass(frozen=True)
class KindRow:
    """Traders of one kind in one market, in whole tokens."""

    kind: Kind
    traders: int
    paid_in: float
    ended_with: float
    liquidated: int

    @property
    def gain(self) -> float:
        return self.ended_with - self.paid_in


def write(
    path: Path,
    *,
    outcome: Outcome,
    replay: Replay,
    timeline: Sequence[Entry],
    charts: Mapping[str, Path],
    banner: str,
    moves: str,
) -> None:
    """Write the page; pictures are put into it. `moves` is a sentence on how far the indexes went."""
    environment = templates(TEMPLATES)
    page = environment.get_template("report.html.j2").render(
        data=outcome.data,
        statements=outcome.statements,
        problems=outcome.problems,
        replay=replay,
        banner=banner,
        moves=moves,
        start=_clock(outcome.data["episode_start"]),
        end=_clock(outcome.data["episode_end"]),
        timeline=timeline,
        charts=[(*CHARTS[name], embedded(charts[name])) for name in CHARTS],
        kinds=kind_rows(outcome.results),
        best=_best(outcome.results),
        worst=_worst(outcome.results),
        flows=FLOWS,
    )
    path.write_text(page)


def templates(*folders: Path) -> Environment:
    """Templates of these folders, with the filters that all pages use."""
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"tokens": _tokens, "signed": _signed, "count": _count, "minus": _minus}
    return environment


def kind_rows(results: Sequence[Result]) -> dict[str, list[KindRow]]:
    """By market: its kinds of traders, the best first."""
    rows: dict[str, list[KindRow]] = {}
    for market in dict.fromkeys(result.profile.market for result in results):
        mine = [result for result in results if result.profile.market == market]
        for kind in Kind:
            ones = [result for result in mine if result.profile.kind is kind]
            if ones:
                rows.setdefault(market, []).append(
                    KindRow(
                        kind=kind,
                        traders=len(ones),
                        paid_in=sum(one.paid_in for one in ones) / TOKEN,
                        ended_with=sum(one.ended_with for one in ones) / TOKEN,
                        liquidated=sum(one.liquidations > 0 for one in ones),
                    )
                )
        rows[market].sort(key=lambda row: -row.gain / row.paid_in)
    return rows


def _best(results: Sequence[Result]) -> Result:
    return max(results, key=lambda result: result.gain / result.paid_in)


def _worst(results: Sequence[Result]) -> Result:
    return min(results, key=lambda result: result.gain / result.paid_in)


def embedded(path: Path) -> str:
    """A picture as an address of itself, so that a page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _tokens(amount: int, places: int = 1) -> str:
    """Raw units as whole tokens."""
    return _minus(f"{amount / TOKEN:,.{places}f}")


def _signed(amount: int, places: int = 1) -> str:
    """The same with its sign; nothing at all is a zero."""
    return "0" if amount == 0 else _minus(f"{amount / TOKEN:+,.{places}f}")


def _minus(number: str) -> str:
    """A number with a minus sign for a hyphen."""
    return number.replace("-", "\N{MINUS SIGN}")


def _count(number: Any) -> str:
    return f"{number:,}"


def _clock(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%d %B %Y, %H:%M UTC")
