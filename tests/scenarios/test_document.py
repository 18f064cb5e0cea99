"""docs/SCENARIOS.md says what the scenarios measure."""

import pytest

from tests.scenarios import document, test_10_march_2017, write

SCENARIOS = {scenario.__name__.rpartition(".")[2]: scenario for scenario in write.SCENARIOS}


@pytest.mark.parametrize("name", SCENARIOS)
def test_document__agrees_with_what_was_measured(name):
    if name == "test_10_march_2017" and test_10_march_2017.data() is None:
        pytest.skip(test_10_march_2017.MISSING)
    page = document.PAGE.read_text()
    for table, measured in SCENARIOS[name].tables().items():
        assert document.found(page, table) == "\n".join(measured.lines()), f"{table}: run `{document.COMMAND}`"


def test_document__every_scenario__has_a_section_and_a_table():
    page = document.PAGE.read_text()
    for name in SCENARIOS:
        assert f"`tests/scenarios/{name}.py`" in page


def test_written__a_table_without_a_place__is_refused():
    with pytest.raises(document.PageError, match="0 places for nothing"):
        document.written("", {"nothing": document.Table(["a"], [["b"]])})


def test_written__then_found__is_the_table():
    table = document.Table(["of", "tokens"], [["own margin", "1.00"]])
    page = f"before\n<!-- some: written by `{document.COMMAND}` -->\nold\n<!-- end of some -->\nafter\n"
    page = document.written(page, {"some": table})
    assert document.found(page, "some") == "\n".join(table.lines())
    assert page.startswith("before\n") and page.endswith("\nafter\n") and "old" not in page
