"""Price bars: what a file must be, and what cutting, joining and resampling keep."""

import gzip

import numpy as np
import pytest

from everstock.replay.bars import Bars, PriceError, read_csv, write_csv

START = 1_600_000_200  # a multiple of 300
HEADER = "timestamp,open,high,low,close"


def rows(count, seconds=300, start=START, price=100.0):
    return [(start + i * seconds, price + i, price + i + 2, price + i - 2, price + i + 1) for i in range(count)]


def bars(count, seconds=300, start=START, price=100.0):
    return Bars.of(rows(count, seconds, start, price), seconds)


def written(path, lines, header=HEADER):
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def as_lines(table):
    return [",".join(map(str, row)) for row in table]


def test_read_csv__what_was_written_comes_back(tmp_path):
    path = tmp_path / "folder" / "BTC.csv"
    write_csv(path, bars(5))
    assert vars(read_csv(path)).keys() == vars(bars(5)).keys()
    for name, column in vars(read_csv(path)).items():
        assert np.array_equal(column, vars(bars(5))[name])


def test_read_csv__compressed__is_read(tmp_path):
    path = tmp_path / "BTC.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("\n".join([HEADER, *as_lines(rows(3))]))
    assert len(read_csv(path)) == 3


def test_read_csv__minutes_without_a_trade__are_no_gap(tmp_path):
    table = rows(20, 60)
    del table[5:8]
    read = read_csv(written(tmp_path / "BTC.csv", as_lines(table)))
    assert (len(read), int((read.end - read.start)[0])) == (17, 60)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda table: table[:1], "fewer than two bars"),
        (lambda table: [*table[:2], table[1], *table[2:]], "not later than the one before"),
        (lambda table: table[::-1], "not later than the one before"),
        (lambda table: table[:5] + rows(5, start=START + 86_400), "a gap at 2020-09-13 12:55 UTC"),
        (lambda table: [*table, (START + 3_000, 1, 2, "abc", 1)], "line 12: not numbers"),
        (lambda table: [*table, (START + 3_000, 1, 2)], "line 12: not numbers"),
        (lambda table: [*table, (START + 3_000, 0, 2, 0, 1)], "not positive"),
        (lambda table: [*table, (START + 3_000, 1, 2, -1, 1)], "not positive"),
        (lambda table: [*table, (START + 3_000, 1, "inf", 1, 1)], "not a number"),
        (lambda table: [*table, (START + 3_000, 1, "nan", 1, 1)], "not a number"),
        (lambda table: [*table, ("nan", 1, 1, 1, 1)], "a time that is not a number"),
        (lambda table: [*table, (START + 3_000.5, 1, 1, 1, 1)], "not whole seconds"),
        (lambda table: [*table, (START + 3_000, 3, 2, 1, 1)], "outside low and high"),
    ],
)
def test_read_csv__what_is_wrong_is_said(tmp_path, change, complaint):
    path = written(tmp_path / "BTC.csv", as_lines(change(rows(10))))
    with pytest.raises(PriceError, match=complaint) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)


def test_read_csv__no_such_file_or_column_or_text__is_said(tmp_path):
    with pytest.raises(PriceError, match="no such file"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(PriceError, match="no column called high, low"):
        read_csv(written(tmp_path / "BTC.csv", ["1,2,3"], "timestamp,open,close"))
    (tmp_path / "BTC.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(PriceError, match="not a CSV file"):
        read_csv(tmp_path / "BTC.csv")
    (tmp_path / "BTC.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(PriceError, match="not a CSV file"):
        read_csv(tmp_path / "BTC.csv.gz")


def test_window__is_what_lies_inside():
    cut = bars(10).window(START + 600, START + 1_800)
    assert (cut.first, cut.last, len(cut)) == (START + 600, START + 1_800, 4)


def test_window__not_covered__reverts():
    with pytest.raises(PriceError, match="do not cover"):
        bars(10).window(START - 1_200, START + 1_800)
    with pytest.raises(PriceError, match="do not cover"):
        bars(10).window(START, START + 4_000)


def test_then__coarser_bars_take_over_where_the_finer_ones_end():
    fine = bars(10, 300)  # ends at 3,000 seconds
    coarse = bars(4, 1_800)  # from 1,800 to 3,600 is its second
    joined = fine.then(coarse)
    joined.check()
    assert (joined.start - START).tolist() == [*range(0, 1_800, 300), 1_800, 3_600, 5_400]
    assert joined.last == coarse.last
    assert joined.open[6] == coarse.open[1]


def test_then__nothing_later__changes_nothing():
    assert bars(10).then(bars(2)).last == bars(10).last


def test_then__wholly_inside_the_coarser__gives_way():
    joined = bars(2, 300, START).then(bars(2, 1_800, START))
    assert len(joined) == 2


def test_resampled__keeps_open_high_low_close_of_each_group():
    merged = bars(10, 60).resampled(300)
    assert merged.start.tolist() == [START, START + 300]
    assert merged.end.tolist() == [START + 300, START + 600]
    assert merged.open.tolist() == [100, 105]
    assert merged.close.tolist() == [105, 110]
    assert merged.high.tolist() == [106, 111]
    assert merged.low.tolist() == [98, 103]


def test_resampled__longer_bars_stay():
    hourly = bars(3, 3_600)
    assert hourly.resampled(300).start.tolist() == hourly.start.tolist()


def test_resampled__across_a_join__each_by_its_own_length():
    fine = bars(30, 60)
    joined = fine.then(bars(3, 1_800))
    merged = joined.resampled(300)
    merged.check()
    assert set((merged.end - merged.start).tolist()) == {300, 1_800}
