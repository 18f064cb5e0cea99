"""What is covered is what ran, and an outcome is seen just when it was."""

import pytest

from tests.coverage.results import OutdatedRecordingError, measure, trace

pytestmark = pytest.mark.parametrize("compiled_sample", ["gas", "codesize", "none"], indirect=True)


def test_constructor__is_covered_by_its_own_map(sample):
    assert sample.seen("__init__") == {"if limit > 100: -> false"}
    assert sample.not_run("__init__") == ["self.sum = limit"]


def test_if__that_was_false__leaves_its_lines_uncovered(sample):
    sample.call("choose", 2)
    assert sample.run("choose") == ["if n == 0:", "elif n == 1:", "self.sum = 3", "if n > LIMIT:", "return 9"]
    assert sample.seen("choose") == {"if n == 0: -> false", "elif n == 1: -> false", "if n > LIMIT: -> false"}


def test_if__that_returns__leaves_what_follows_uncovered(sample):
    sample.call("choose", 1)
    assert sample.run("choose") == ["if n == 0:", "elif n == 1:", "self.sum = 2", "return 7"]
    assert sample.seen("choose") == {"if n == 0: -> false", "elif n == 1: -> true"}


def test_if__that_was_true_once_and_false_once__is_seen_both_ways(sample):
    sample.call("choose", 0)
    sample.call("choose", 6)
    assert {"if n > LIMIT: -> true", "if n > LIMIT: -> false"} <= sample.seen("choose")
    assert sample.not_run("choose") == ["self.sum = 2", "return 7"]


def test_return__without_a_value__is_covered_when_it_ran(sample):
    sample.call("leave", 1)
    assert sample.run("leave") == ["if n == 0:", "self.sum = 2"]
    sample.call("leave", 0)
    assert sample.not_run("leave") == []


@pytest.mark.parametrize("n, outcome", [(0, "true"), (1, "false")])
def test_ternary__is_a_branch(sample, n, outcome):
    sample.call("either", n)
    assert sample.seen("either") == {f"return 1 if n == 0 else 2 -> `n == 0` {outcome}"}


@pytest.mark.parametrize(
    "arguments, line, outcomes",
    [
        ((False, True, False), "if (a and b) or c:", ["`a` false", "`a and b` false", "false"]),
        ((True, False, True), "if (a and b) or c:", ["`a` true", "`a and b` false", "true"]),
        ((True, True, False), "if (a and b) or c:", ["`a` true", "`a and b` true", "true"]),
        ((False, True, False), "return not (a or b or c)", ["`a` false", "`b` true"]),
        ((True, False, False), "return not (a or b or c)", ["`a` true"]),
        ((False, False, False), "return not (a or b or c)", ["`a` false", "`b` false"]),
    ],
)
def test_operands__but_the_last_are_branches(sample, arguments, line, outcomes):
    sample.call("combine", *arguments)
    assert {seen for seen in sample.seen("combine") if seen.startswith(line)} == {f"{line} -> {o}" for o in outcomes}


def test_assert__that_reverts__leaves_what_follows_uncovered(sample):
    sample.call("check", 1, reverts=True)
    assert sample.seen("check") == {'assert n != 0, "sample: zero" -> passes', "assert n != 1 -> reverts"}
    assert sample.not_run("check") == ['assert n < 10 and n != 2, "sample: odd"']


def test_assert__of_operands__is_a_branch_beside_theirs(sample):
    line = 'assert n < 10 and n != 2, "sample: odd"'
    sample.call("check", 2, reverts=True)
    assert {seen for seen in sample.seen("check") if seen.startswith(line)} == {
        f"{line} -> reverts",
        f"{line} -> `n < 10` true",
    }
    sample.call("check", 10, reverts=True)
    sample.call("check", 3)
    assert {f"{line} -> passes", f"{line} -> `n < 10` false"} <= sample.seen("check")


def test_call_of_a_check__is_an_assert_of_its_own(sample):
    sample.call("check_by_module", 1, reverts=True)
    assert sample.seen("check_by_module") == {
        'sample_module._require(n != 0, "sample: zero") -> passes',
        "if n > 5: -> false",
        'sample_module._require(n != 1, "sample: one") -> reverts',
    }
    assert sample.not_run("check_by_module") == ["self._last(n)", "return n"]


def test_call_of_a_check__that_ends_its_function__passes_when_it_does(sample):
    line = 'sample_module._require(n < 100, "sample: large")'
    sample.call("check_by_module", 100, reverts=True)
    assert sample.seen("_last") == {f"{line} -> reverts"}
    sample.call("check_by_module", 6)
    assert sample.seen("_last") == {f"{line} -> reverts", f"{line} -> passes"}


def test_for__over_a_list__may_have_no_item(sample):
    line = "for item: uint256 in items:"
    sample.call("walk", [])
    assert sample.seen("walk") == {f"{line} -> no item"}
    assert sample.run("walk") == [line]


def test_for__that_is_left__does_not_run_out(sample):
    line = "for item: uint256 in items:"
    sample.call("walk", [5, 0])
    assert sample.seen("walk") == {
        f"{line} -> an item",
        f"{line} -> goes round again",
        "if item == 0: -> true",
        "if item == 0: -> false",
        "if item == 1: -> false",
    }
    assert sample.not_run("walk") == ["continue"]


def test_for__that_goes_on__runs_out(sample):
    line = "for item: uint256 in items:"
    sample.call("walk", [1])
    assert sample.seen("walk") == {
        f"{line} -> an item",
        f"{line} -> runs out",
        "if item == 0: -> false",
        "if item == 1: -> true",
    }
    assert sample.not_run("walk") == ["break", "self.sum += item"]


def test_for__of_a_fixed_number__has_no_branch_for_none(sample):
    line = "for i: uint256 in range(MOST):"
    sample.call("repeat", 0)
    assert sample.seen("repeat") == {"if i == n: -> true"}
    sample.call("repeat", 3)
    assert sample.seen("repeat") == {f"{line} -> goes round again", "if i == n: -> true", "if i == n: -> false"}
    sample.call("repeat", 4)
    assert {
        f"{line} -> runs out",
        "for i: uint256 in range(n, bound=4): -> an item",
        "for i: uint256 in range(n, bound=4): -> goes round again",
        "for i: uint256 in range(n, bound=4): -> runs out",
    } <= sample.seen("repeat")


def test_statements__that_were_merged__are_covered_together(sample):
    sample.call("begin", 0, reverts=True)
    assert sample.not_run("begin") == ["four: uint256 = 0", "return one + two + three + four"]


def test_nothing_called__covers_only_the_constructor(sample):
    coverage = sample.coverage()
    (source, _) = coverage.sources
    assert {statement.function for statement in coverage.uncovered(source)} >= {"choose", "walk", "_last"}
    assert sample.run("choose") == []


def test_recording_of_other_code__is_refused(sample, tmp_path):
    for name in ("Sample.vy", "sample_module.vy"):
        (tmp_path / name).write_text((sample.folder / name).read_text().replace("self.sum = 3", "self.sum = 4"))
    programs = trace([tmp_path / "Sample.vy"], [tmp_path / "Sample.vy"])
    with pytest.raises(OutdatedRecordingError, match=r"no test ran .*Sample\.vy as it is now"):
        measure(programs, [sample.recorder.found()])
