"""Tables in a page of docs/, between two comments each: `<!-- name: written by ... -->` and `<!-- end of name -->`.

What is written by hand stands around them and stays.
"""

import re
from collections.abc import Mapping, Sequence


class PageError(RuntimeError):
    """The page has no place for a table."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> list[str]:
    """Lines of Markdown; the first so many columns are words, the others numbers."""
    assert all(len(row) == len(head) for row in rows), "every row has a cell for each column"
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    return ["| " + " | ".join(row) + " |" for row in (head, rule, *rows)]


def written(page: str, tables: Mapping[str, Sequence[str]], command: str) -> str:
    """The page with each table in its place. Raises `PageError` if one has none, or two."""
    for name, lines in tables.items():
        begin, end = f"<!-- {name}: written by `{command}` -->", f"<!-- end of {name} -->"
        place = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        block = "\n".join([begin, "", *lines, "", end])
        page, places = place.subn(lambda _, block=block: block, page)
        if places != 1:
            raise PageError(f"there are {places} places for {name}")
    return page


def found(page: str, name: str) -> list[str]:
    """The lines of a table as the page has it. Raises `PageError` if it has no place for it."""
    place = re.search(rf"<!-- {re.escape(name)}: [^\n]*-->\n(.*?)<!-- end of {re.escape(name)} -->", page, re.DOTALL)
    if place is None:
        raise PageError(f"there is no place for {name}")
    return place.group(1).strip().splitlines()
