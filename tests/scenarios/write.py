"""`python -m tests.scenarios.write`: run the scenarios and write what they measured into docs/SCENARIOS.md."""

from collections.abc import Mapping
from typing import Final

from tests.scenarios import test_10_march_2017, test_bitmex, test_cme_layers, test_hedges_through_adl, test_shield
from tests.scenarios.document import PAGE, written
from tests.scenarios.scene import Table

SCENARIOS: Final = (test_bitmex, test_10_march_2017, test_cme_layers, test_shield, test_hedges_through_adl)


def tables() -> Mapping[str, Table]:
    """All tables of the page by name."""
    return {name: table for scenario in SCENARIOS for name, table in scenario.tables().items()}


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(), tables()))
