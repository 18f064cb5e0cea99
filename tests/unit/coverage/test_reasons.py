"""Every outcome that was not seen needs a reason, and no reason outlives its need."""

import pytest

from tests.coverage.reasons import ReasonsError, Unreached, load, problems

LINE = "for item: uint256 in items:"


def walk(sample, *outcomes):
    """Reasons for outcomes of the loop over items."""
    return {Unreached(str(sample.folder / "Sample.vy"), "walk", LINE, outcome): "so it is" for outcome in outcomes}


def about(sample, reasons):
    """What is wrong about the loop over items."""
    return [problem for problem in problems(sample.coverage(), reasons) if LINE in problem]


def test_problems__an_outcome_without_a_reason(sample):
    sample.call("walk", [5, 7])
    (problem,) = about(sample, {})
    assert problem.startswith("never seen, and no reason given: ")
    assert problem.endswith(f"Sample.vy, walk: {LINE} -> no item")


def test_problems__an_outcome_with_a_reason__is_none(sample):
    sample.call("walk", [5, 7])
    assert about(sample, walk(sample, "no item")) == []


def test_problems__a_reason_for_what_was_seen(sample):
    sample.call("walk", [5, 7])
    (problem,) = about(sample, walk(sample, "no item", "an item"))
    assert problem.startswith("a reason for what was seen, or is not there: ")
    assert problem.endswith("-> an item")


def test_problems__a_reason_for_a_line_that_is_not_there(sample):
    gone = Unreached("contracts/Gone.vy", "walk", LINE, "no item")
    (problem,) = [problem for problem in problems(sample.coverage(), {gone: "so it is"}) if "Gone.vy" in problem]
    assert problem == f"a reason for what was seen, or is not there: contracts/Gone.vy, walk: {LINE} -> no item"


def test_problems__a_line_that_never_ran__whatever_the_reasons(sample):
    found = list(problems(sample.coverage(), walk(sample, "no item", "an item", "runs out", "goes round again")))
    assert any(problem.startswith("never run: ") and problem.endswith(f"walk: {LINE}") for problem in found)


def write(path, *entries):
    """A file of reasons for one contract."""
    path.write_text("".join(f'[["contracts/Market.vy"]]\n{entry}\n' for entry in entries))
    return path


ENTRY = "in = 'trade'\nline = 'if \"a\" == b:'\nnever = 'true'\nwhy = 'it cannot be'"


def test_load__names_each_reason_by_file_function_line_and_outcome(tmp_path):
    name = Unreached("contracts/Market.vy", "trade", 'if "a" == b:', "true")
    assert load(write(tmp_path / "reasons.toml", ENTRY)) == {name: "it cannot be"}


def test_load__the_same_twice__raises(tmp_path):
    with pytest.raises(ReasonsError, match=r"twice: contracts/Market\.vy, trade"):
        load(write(tmp_path / "reasons.toml", ENTRY, ENTRY))


@pytest.mark.parametrize("entry", [ENTRY.replace("it cannot be", ""), ENTRY.replace("in =", "at ="), "in = 'trade'"])
def test_load__an_entry_that_is_incomplete__raises(tmp_path, entry):
    with pytest.raises(ReasonsError, match=r"reasons\.toml: contracts/Market\.vy: an entry has in, line, never, why"):
        load(write(tmp_path / "reasons.toml", entry))


def test_load__no_toml__raises(tmp_path):
    with pytest.raises(ReasonsError, match=r"reasons\.toml: "):
        load(write(tmp_path / "reasons.toml", "in = trade"))


def test_load__the_reasons_that_are_kept__are_complete():
    load()
