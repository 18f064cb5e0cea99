"""Tables of docs/SCENARIOS.md, between two comments each: `<!-- name: written by ... -->` and `<!-- end of name -->`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.scenarios.scene import Table

PAGE: Final = Path(__file__).parents[2] / "docs" / "SCENARIOS.md"
COMMAND: Final = "python -m tests.scenarios.write"


class PageError(RuntimeError):
    """The page has no place for a table."""


def written(page: str, tables: Mapping[str, Table]) -> str:
    """The page with each table in its place."""
    for name, table in tables.items():
        begin, end = f"<!-- {name}: written by `{COMMAND}` -->", f"<!-- end of {name} -->"
        place = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        block = "\n".join([begin, "", *table.lines(), "", end])
        page, places = place.subn(lambda _, block=block: block, page)
        if places != 1:
            raise PageError(f"{PAGE.name} has {places} places for {name}")
    return page


def found(page: str, name: str) -> str:
    """A table as the page has it, without the comments."""
    place = re.search(rf"<!-- {name}: [^\n]*-->\n(.*?)<!-- end of {name} -->", page, re.DOTALL)
    if place is None:
        raise PageError(f"{PAGE.name} has no place for {name}")
    return place.group(1).strip()
