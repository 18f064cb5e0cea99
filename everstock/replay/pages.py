"""What replays leave behind: a page with a picture of each, their outcomes as data, and docs/REPLAYS.md."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from everstock.demo.charts import TOKEN
from everstock.demo.report import TEMPLATES, embedded, templates
from everstock.replay.bars import clock
from everstock.replay.charts import draw
from everstock.replay.outcome import Outcome, table_row

ROOT: Final = Path(__file__).resolve().parents[2]
DOC: Final = ROOT / "docs" / "REPLAYS.md"
REPORT: Final = "report.html"
OUTCOMES: Final = "outcomes.json"
_PAGES: Final = Path(__file__).parent / "templates"

_INTRODUCTION: Final = """\
# Replays

What past crashes do to a market, written by `make replays`, which also leaves a picture of each in `build/replay/report.html`.

The real contracts run in process, at the finest prices there are (`everstock/replay/`). Before the first, LPs put {main:,.0f} tokens into
the main pool and {insurance:,.0f} into insurance, and {accounts} accounts open a book that uses {load:.0%} of what the pool may take on:

- **long**: everybody has bought calls, puts and straddles, so the pool is short all of them
- **balanced**: for each who bought there is one who wrote the same; the pool is level until the first is liquidated
- **written**: five of six have written, so the pool is long

Nobody trades afterwards, which is the hardest case: no position is cut, no margin added. Every hour volatility is set
to what the volatility oracle would have measured. The keeper's own `decide` says what is done, {pace}; between two points of the data prices run
straight, so what jumps there in one instant shows in `docs/RISKS.md`, not here.

D is the part that every position is of what it was before deleveraging, h the part of each claim that terminal settlement paid (- where
there was none). Pools: start → lowest → end, in tokens. The conservation error is tokens held less all ledgers, in raw units. Speed is replayed
time over processor time, opening the market aside: the multiple of real time where a core is free.

"""


def write_report(outcomes: Sequence[Outcome], folder: Path) -> Path:
    """Write page, pictures and data of replays into `folder`; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for outcome in outcomes:
        path = folder / f"{outcome.name}_{outcome.settings.book}.png"
        draw(outcome, path)
        pictures.append((outcome, embedded(path)))
    environment = templates(_PAGES, TEMPLATES)
    environment.filters["clock"] = clock
    page = environment.get_template("replays.html.j2").render(
        outcomes=outcomes, rows=_rows(outcomes), pictures=pictures, pause=outcomes[0].settings.pause
    )
    (folder / REPORT).write_text(page)
    (folder / OUTCOMES).write_text(json.dumps([outcome.as_json() for outcome in outcomes], indent=2) + "\n")
    return folder / REPORT


def document(outcomes: Sequence[Outcome]) -> str:
    """docs/REPLAYS.md, of replays with the same settings but for their books."""
    first = outcomes[0]
    settings = first.settings
    pace = f"every {settings.pause} seconds" if settings.pause else "in the same second"
    head = _INTRODUCTION.format(
        main=settings.main, insurance=settings.insurance, accounts=first.accounts, load=settings.load, pace=pace
    )
    rows = _rows(outcomes)
    lines = ["| " + " | ".join(rows[0]) + " |", "| --- | --- |" + " ---: |" * (len(rows[0]) - 2)]
    lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
    sources = dict.fromkeys(f"- {outcome.title}: {outcome.source}" for outcome in outcomes)
    return head + "\n".join(lines) + "\n\nPrices:\n\n" + "\n".join(sources) + "\n"


def _rows(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    return [dict(table_row(outcome, TOKEN)) for outcome in outcomes]
