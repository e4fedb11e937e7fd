"""Times are found in logs as programs write them; what does not say when it was is refused with the cure."""

import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.parts import log_times as module
from mmdmad.parts import read
from mmdmad.parts.log_times import entries_of, log_times

NOON = datetime(2026, 5, 13, 12, 30)


def log(folder: Path, *lines: str, changed: datetime | None = None) -> Path:
    path = folder / "app.log"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    if changed is not None:
        os.utime(path, (changed.timestamp(), changed.timestamp()))
    return path


@pytest.mark.parametrize(
    ("first", "second", "start"),
    [
        ("2026-05-13 12:30:00,000 INFO [main] up", "2026-05-13 12:30:02,500 WARN hot", NOON),
        ("2026-05-13T12:30:00Z up", "2026-05-13T12:30:02.500Z hot", NOON.replace(tzinfo=UTC)),
        ("2026-05-13T14:30:00+02:00 up", "2026-05-13T14:30:02.5+02:00 hot", NOON.replace(tzinfo=UTC)),
        ("<34>1 2026-05-13T12:30:00Z h su - x", "<34>1 2026-05-13T12:30:02.5Z h su - x", NOON.replace(tzinfo=UTC)),
        ('{"level":"info","time":"2026-05-13T12:30:00"}', '{"m":"long","time":"2026-05-13T12:30:02.5"}', NOON),
        ("2026/05/13 12:30:00 [error] 1#1: x", "2026/05/13 12:30:02.5 [error] 1#1: y", NOON),
        (
            '10.0.0.1 - - [13/May/2026:14:30:00 +0200] "GET /"',
            '192.168.100.20 - eve [13/May/2026:14:30:02.5 +0200] "GET /"',
            NOON.replace(tzinfo=UTC),
        ),
        ("[Wed May 13 12:30:00.0 2026] [notice] x", "[Wed May 13 12:30:02.5 2026] [notice] y", NOON),
        ("- 17 2026-05-13-12.30.00.000000 R02 RAS", "- 18 2026-05-13-12.30.02.500000 R02 RAS", NOON),
        ("13.05.2026 12:30:00 ein", "13.05.2026 12:30:02,5 aus", NOON),
        ("05/13/2026 12:30:00 PM on", "05/13/2026 12:30:02.5 PM off", NOON),
        ("13 May 2026 12:30:00,000 on", "13 May 2026 12:30:02,500 off", NOON),
        ('{"ts":1778675400000}', '{"ts":1778675402500}', NOON.replace(tzinfo=UTC)),
        ("1778675400.0 on", "1778675402.5 off", NOON.replace(tzinfo=UTC)),
        ("[   12.000000] usb 1-1: new", "[   14.500000] usb 1-1: gone", None),
        ("23:59:59.0 on", "00:00:01.5 off", None),
    ],
)
def test_forms_that_programs_write(tmp_path: Path, first: str, second: str, start: datetime | None) -> None:
    line = log_times(log(tmp_path, first, second))
    assert line.start == start
    assert (line.start is None or line.start.tzinfo) == (start is None or start.tzinfo)
    assert line.times == pytest.approx([0.0, 2.5])
    assert line.lasts == 0.0


def test_lines_without_a_time_go_on_with_the_entry_above(tmp_path: Path) -> None:
    path = log(
        tmp_path,
        "started by hand",
        "2026-05-13 12:30:00,000 ERROR boom",
        "java.lang.Error: since 2026-05-13 12:00:00,000",
        "    2026-05-13 12:10:00,000 of another log",
        "",
        "2026-05-13 12:30:04,000 INFO on",
    )
    line = log_times(path)
    assert line.entries is not None
    assert line.entries.tolist() == [0, 5]
    assert line.times.tolist() == [0.0, 0.0, 0.0, 0.0, 0.0, 4.0]
    assert line.start == NOON
    assert line.notes == ("the first 1 lines have no time and count with the first entry",)


def test_the_form_is_the_one_that_stands_first(tmp_path: Path) -> None:
    path = log(tmp_path, "2026-05-13 12:30:00 due 13/May/2027:00:00:00", "2026-05-13 12:30:01 due 14/May/2027:00:00:00")
    assert log_times(path).start == NOON


def test_dates_without_a_year(tmp_path: Path) -> None:
    path = log(tmp_path, "Dec 31 23:59:58 host a: x", "Jan  1 00:00:01 host b: y", changed=datetime(2026, 3, 1))
    line = log_times(path)
    assert line.start == datetime(2025, 12, 31, 23, 59, 58)
    assert line.times.tolist() == [0.0, 3.0]
    assert line.notes == ("its dates have no year; 2025 is taken, from the last change of the file",)
    beside = log_times(path, near=datetime(2020, 1, 1))
    assert beside.start == datetime(2019, 12, 31, 23, 59, 58)
    assert "2019 is taken, next to the other parts" in beside.notes[0]
    leap = log(tmp_path, "Feb 29 10:00:00 a", "Mar  1 10:00:00 b", changed=datetime(2024, 3, 1, 10))
    assert log_times(leap).times.tolist() == [0.0, 86_400.0]


def test_a_file_written_before_its_last_line_is_of_the_year_before(tmp_path: Path) -> None:
    path = log(tmp_path, "Nov 30 10:00:00 a", "Nov 30 10:00:05 b", changed=datetime(2026, 3, 1))
    assert log_times(path).start == datetime(2025, 11, 30, 10)


def test_a_few_lines_out_of_order_count_at_the_time_above(tmp_path: Path) -> None:
    path = log(tmp_path, "2026-05-13 12:30:00 a", "2026-05-13 12:30:05 b", "2026-05-13 12:30:03 c")
    line = log_times(path)
    assert line.times.tolist() == [0.0, 5.0, 5.0]
    assert line.notes == ("a line is up to 2 s earlier than one above, and counted at the time of that one",)


def test_five_minutes_back_are_the_most(tmp_path: Path) -> None:
    log_times(log(tmp_path, "2026-05-13 12:30:00 a", "2026-05-13 12:25:00 b"))
    with pytest.raises(ValueError, match=r"line 3 is 301 s earlier .* \(cut it there\)"):
        log_times(log(tmp_path, "", "2026-05-13 12:30:00 a", "2026-05-13 12:24:59 b"))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("hello", "world"), "no times were found in its first 2 lines; take --window entry, .*--log-time "),
        (("05/01/2026 10:00:00 a", "05/02/2026 10:00:00 b"), "day or the month comes first.*--log-time"),
        (("17/06/09 20:10:40 INFO a", "17/06/09 20:10:41 INFO b"), "years of two digits.*--log-time '%y/%m/%d"),
        (("2026-02-30 10:00:00 a", "2026-03-01 10:00:00 b"), "no calendar has"),
    ],
)
def test_what_does_not_say_when_it_was_is_refused(tmp_path: Path, lines: tuple[str, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        log_times(log(tmp_path, *lines))


def test_a_date_in_one_line_of_many_makes_no_log(tmp_path: Path) -> None:
    prose = [f"sentence {i}" for i in range(60)]
    with pytest.raises(ValueError, match="no times were found"):
        log_times(log(tmp_path, "on 2026-05-13 12:30:00 we met", *prose))


@pytest.mark.parametrize(
    ("pattern", "line", "other", "start"),
    [
        ("%y/%m/%d %H:%M:%S", "26/05/13 12:30:00 INFO", "26/05/13 12:30:02 INFO", NOON),
        ("%y%m%d %H%M%S", "260513 123000 148 INFO", "260513 123002 148 INFO", NOON),
        ("%d.%m.%Y um %H:%M:%S", "x 13.05.2026 um 12:30:00", "x 13.05.2026 um 12:30:02", NOON),
        ("%Y %j %H:%M:%S.%f", "2026 133 12:30:00.000000000", "2026 133 12:30:02.000000001", NOON),
        ("%s", "at 1778675400 up", "at 1778675402 up", NOON.replace(tzinfo=UTC)),
        ("%I:%M:%S %p", "11:59:59 PM a", "12:00:01 AM b", None),
    ],
)
def test_a_pattern_says_how_times_are_written(
    tmp_path: Path, pattern: str, line: str, other: str, start: datetime | None
) -> None:
    found = log_times(log(tmp_path, line, other), pattern)
    assert found.start == start
    assert found.times == pytest.approx([0.0, 2.0])


def test_a_pattern_without_a_year(tmp_path: Path) -> None:
    path = log(tmp_path, "03-17 16:13:38.811 1702 D", "03-17 16:13:39.811 1702 D", changed=datetime(2026, 4, 1))
    assert log_times(path, "%m-%d %H:%M:%S.%f").start == datetime(2026, 3, 17, 16, 13, 38, 811_000)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("%q", "has %q; there are %Y"),
        ("noon", "has no letter"),
        ("%H:%M", "none of its 2 lines"),
        ("%d", "is not '%d'"),
    ],
)
def test_a_pattern_that_does_not_fit_is_refused(tmp_path: Path, pattern: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        log_times(log(tmp_path, "up on day 39", "down on day 17"), pattern)


def test_blocks_join_where_a_line_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"2026-05-13 12:{i // 60:02d}:{i % 60:02d} value {i}" for i in range(200)]
    path = log(tmp_path, *lines)
    whole = log_times(path)
    monkeypatch.setattr(module, "BLOCK", 37)
    pieces = log_times(path)
    assert whole.times.tolist() == pieces.times.tolist() == list(range(200))
    assert whole.start == pieces.start


def test_bytes_that_are_no_text_do_not_move_lines(tmp_path: Path) -> None:
    path = tmp_path / "odd.log"
    path.write_bytes(b"2026-05-13 12:30:00 caf\xe9\r\n2026-05-13 12:30:01 tea\r\n\r\n2026-05-13 12:30:09 end")
    assert log_times(path).times.tolist() == [0.0, 1.0, 1.0, 9.0]


def test_lines_alone_are_entries(tmp_path: Path) -> None:
    line = entries_of(log(tmp_path, "a", "b", "c"))
    assert line.entries is not None
    assert line.entries.tolist() == [0, 1, 2]
    assert line.start is None
    assert np.array_equal(line.times, [0, 1, 2])
    assert len(line.notes) == 1
    assert line.notes[0].startswith("no times are used, and each line is an entry: no times were found in its first 3")
    assert "--log-time" in line.notes[0]
    assert "--window entry" not in line.notes[0]


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("2026-10-25 02:59:30 a", "2026-10-25 02:00:00 b", "3,570 s earlier"),
        ("2026-05-13 12:30:00 a", "2026-05-12 12:30:00 b", "86,400 s earlier"),
        ("05/01/2026 10:00:00 a", "05/02/2026 10:00:00 b", "day or the month comes first"),
        ("2026-05-13T12:30:00Z a", "2026-05-13T12:31:00 b", "offset"),
        ("2026-02-30 10:00:00 a", "2026-03-01 10:00:00 b", "no calendar has"),
    ],
)
def test_entries_whose_times_cannot_be_used_say_why_and_keep_their_lines(
    tmp_path: Path, first: str, second: str, why: str
) -> None:
    line = entries_of(log(tmp_path, first, "  at Main.java:12", second, "\tat Main.java:7", "caused by x"))
    assert line.entries is not None
    assert line.entries.tolist() == [0, 2]
    assert line.start is None
    assert line.times.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert len(line.notes) == 1
    assert line.notes[0].startswith("no times are used, and an entry begins at each line with a stamp: ")
    assert why in line.notes[0]


def test_entries_with_times_are_those_of_the_windows(tmp_path: Path) -> None:
    path = log(tmp_path, "2026-05-13 12:30:00 a", " more", "2026-05-13 12:30:09 b")
    line = entries_of(path)
    assert line.start == NOON
    assert line.times.tolist() == [0.0, 0.0, 9.0]
    assert line.notes == ()


def test_a_time_in_a_line_that_goes_on_begins_no_entry_however_few_there_are(tmp_path: Path) -> None:
    many = [f"2026-05-13 12:30:{second:02d} app ERROR: slow query" for second in range(40)]
    path = log(tmp_path, *many, "\tWHERE made < '2025-01-01 00:00:00' AND state = 4", "2026-05-13 12:30:40 app LOG: on")
    line = log_times(path)
    assert line.entries is not None
    assert line.entries.tolist() == [*range(40), 41]
    assert line.times[39:].tolist() == [39.0, 39.0, 40.0]


def test_levels_set_to_the_right_begin_entries(tmp_path: Path) -> None:
    lines = [f"{level:>8} 2026-05-13 12:30:0{i} x" for i, level in enumerate(("INFO", "CRITICAL", "INFO", "WARNING"))]
    assert log_times(log(tmp_path, *lines)).entries.tolist() == [0, 1, 2, 3]  # type: ignore[union-attr]


def test_headers_are_no_entries_wherever_they_stand(tmp_path: Path) -> None:
    block = ["#Software: Web Server 10", "#Serial: 4711", "#Date: 2026-05-13 09:00:00", "#Fields: date time method"]
    path = log(
        tmp_path, *block, "2026-05-13 12:30:00 GET", "2026-05-13 12:30:01 GET", *block, "2026-05-13 12:30:02 GET"
    )
    line = log_times(path)
    assert line.entries is not None
    assert line.entries.tolist() == [0, 5, 10]
    assert line.times.tolist() == [0.0] * 5 + [1.0] * 5 + [2.0]
    assert line.notes == (
        "8 lines are headers (as #Fields: is), no entry, and read as blank",
        "the first 4 lines have no time and count with the first entry",
    )


def test_lines_that_only_look_like_headers_are_entries(tmp_path: Path) -> None:
    lines = ["2026-05-13 12:30:00 on", "# Time: 2026-05-13 12:30:07 off", "#Error: disk", "2026-05-13 12:30:09 on"]
    line = log_times(log(tmp_path, *lines, *lines[-1:] * 20))
    assert not [note for note in line.notes if "header" in note]
    assert read(Part("text", tmp_path / "app.log", start=1, stop=4)).text == "\n".join(lines[1:]) + "\n"  # type: ignore[attr-defined]


def test_headers_are_blank_where_lines_of_a_log_are_read(tmp_path: Path) -> None:
    path = log(tmp_path, "a", "#Date: 2026-05-13", "#Fields: time", "b", "#fields\tts", "#close 2026-05-13")
    assert read(Part("text", path, start=0, stop=6)).text == "a\n\n\nb\n"  # type: ignore[attr-defined]


def test_marks_of_a_reader_of_logs_begin_no_entry(tmp_path: Path) -> None:
    first = "-- Logs begin at Wed 2026-05-13 08:00:00 CET, end at Wed 2026-05-13 13:00:00 CET. --"
    path = log(tmp_path, first, "2026-05-13T12:30:00+0000 a", "-- Boot 3f1c5c2b --", "2026-05-13T12:30:09+0000 b")
    line = log_times(path)
    assert line.start == NOON.replace(tzinfo=UTC)
    assert line.times.tolist() == [0.0, 0.0, 0.0, 9.0]


@pytest.mark.parametrize("pattern", [None, "%d.%m.%Y %H:%M:%S", r"%d.%m.%Y\t%H:%M:%S", "%d.%m.%Y\t%H:%M:%S"])
def test_date_and_clock_in_two_columns_of_a_table(tmp_path: Path, pattern: str | None) -> None:
    path = log(tmp_path, "1\t13.05.2026\t12:30:00.5\tan", "2\t13.05.2026\t12:30:02.5\taus")
    line = log_times(path, pattern)
    assert line.start is not None
    assert line.start.replace(microsecond=0) == NOON
    assert line.times == pytest.approx([0.0, 2.0])


def test_milliseconds_behind_a_colon_are_part_of_the_stamp(tmp_path: Path) -> None:
    path = tmp_path / "plc.log"
    path.write_text("".join(f"2026-03-14 12:03:{i:02}:567 step {i}\n" for i in range(20)))
    line = log_times(path)
    assert line.start == datetime(2026, 3, 14, 12, 3, 0, 567000)
    assert line.times.tolist() == pytest.approx(list(range(20)))
