"""The tables add up and say which outcomes were not seen, and why."""

from tests.coverage.reasons import Unreached
from tests.coverage.report import markdown, rows
from tests.coverage.results import Programs, measure
from tests.coverage.source import Kind


def test_rows__add_up(sample):
    sample.call("choose", 2)
    *files, total = rows(sample.coverage())
    assert [row.file for row in files] == [source.file for source in sample.programs.sources]
    for column in range(1, len(total)):
        assert total[column] == sum(row[column] for row in files)


def test_rows__count_a_branch_once_both_outcomes_were_seen(sample):
    before = rows(sample.coverage())[0].both
    sample.call("either", 0)
    assert rows(sample.coverage())[0].both == before
    sample.call("either", 1)
    assert rows(sample.coverage())[0].both == before + 1


def test_markdown__gives_the_reason_for_an_outcome_that_was_not_seen(sample):
    sample.call("walk", [5, 7])
    line = "for item: uint256 in items:"
    name = Unreached(str(sample.folder / "Sample.vy"), "walk", line, "no item")
    text = markdown(sample.coverage(), {name: "there always are some"})
    assert f"| `walk` | `{line}` | no item | there always are some |" in text
    assert "| `walk` | `if item == 0:` | true | **no reason given** |" in text


def test_markdown__lists_lines_that_never_ran(sample):
    sample.call("choose", 2)
    text = markdown(sample.coverage(), {})
    file = sample.programs.sources[0].file
    assert f"- {file}, `choose`: `self.sum = 1`\n" in text
    assert f"- {file}, `choose`: `self.sum = 3`\n" not in text


def test_markdown__lists_what_was_seen_in_mocks_only(sample):
    sample.call("either", 0)
    (maps,) = sample.programs.maps.values()
    programs = Programs(sample.programs.sources, {"contracts/mocks/Sample.vy": maps})
    line = "| `either` | `return 1 if n == 0 else 2` | `n == 0` true |"
    (seen_in_mocks,) = markdown(measure(programs, [sample.recorder.found()]), {}).split("## Outcomes seen in mocks only")[1:]
    assert line in seen_in_mocks
    (seen_in_mocks,) = markdown(sample.coverage(), {}).split("## Outcomes seen in mocks only")[1:]
    assert line not in seen_in_mocks


def test_branches__have_every_kind_in_the_sample(sample):
    assert {branch.kind for source in sample.programs.sources for branch in source.branches} == set(Kind)
