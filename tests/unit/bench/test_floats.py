"""The benchmark of the float price says what it measured."""

from click.testing import CliRunner

from everstock.bench.floats import SAMPLE, run_bench_floats


def test_bench_floats__writes_a_row_for_each_figure(tmp_path):
    out = tmp_path / "SPEED.md"
    result = CliRunner().invoke(run_bench_floats, ["--legs", str(SAMPLE), "--out", str(out)])
    assert result.exit_code == 0, result.output
    rows = [line for line in out.read_text().splitlines() if line.startswith("| marks")]
    assert [row.split(" | ")[0] for row in rows] == ["| marks", "| marks and maintenance"]
    assert f"{SAMPLE:,} legs" in out.read_text()
