"""Chats and exports of telephones with clocks of minutes, and times that stand inside the lines of an entry."""

from datetime import datetime
from pathlib import Path

import pytest

from mmdmad.parts.log_times import entries_of, log_times


def log(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("03.11.2025, 17:50 - Max: on", "13.11.2025, 17:51 - Eva: off"),
        ("[03.11.2025, 17:50] Max: on", "[13.11.2025, 17:51] Eva: off"),
        ("11/3/25, 5:50\u202fPM - Max: on", "11/13/25, 5:51\u202fPM - Eva: off"),
        ("3/11/2025, 5:50 p. m. - Max: on", "13/11/2025, 5:51 p. m. - Eva: off"),
        ('"03.11.2025 17:50","Max","on"', '"13.11.2025 17:51","Eva","off"'),
    ],
)
def test_minutes_at_the_begin_of_a_line_are_times(tmp_path: Path, first: str, later: str) -> None:
    found = log_times(log(tmp_path / "chat.txt", f"{first}\nmore at 18:00\n{later}\n"))
    assert found.start == datetime(2025, 11, 3, 17, 50)
    assert found.entries.tolist() == [0, 2]
    assert found.times[-1] == 10 * 86_400 + 60


def test_an_order_that_nothing_decides_is_asked_with_what_to_write(tmp_path: Path) -> None:
    path = log(tmp_path / "chat.txt", "03.11.25, 05:50 - Max: on\nmore\n03.11.25, 05:52 - Eva: off\n")
    with pytest.raises(ValueError, match=r"'%d\.%m\.%y, %H:%M'"):
        log_times(path)
    assert entries_of(path).entries.tolist() == [0, 2]
    assert log_times(path, "%d.%m.%y, %H:%M").start == datetime(2025, 11, 3, 5, 50)


ENTRIES = "".join(f"2025-11-03 09:16:{i:02d},893 INFO [pool-{i % 3}] Booked order {i}\n" for i in range(40))


@pytest.mark.parametrize(
    "trace",
    [
        "java.sql.SQLException: no connection\nCaused by: java.net.Timeout: 2025-11-03 09:16:00 read timed out\n",
        "TimeoutError: no answer since 2025-11-03 09:16:00\n",
        "panic: deadline 2025-11-03 09:16:00 exceeded\ngoroutine 1 [running]:\n",
        "until 2025-11-03 09:16:00\n",
    ],
)
def test_a_time_inside_a_trace_begins_no_entry(tmp_path: Path, trace: str) -> None:
    end = "2025-11-03 09:17:00,000 INFO end\n"
    found = log_times(log(tmp_path / "app.log", ENTRIES + trace + end))
    assert len(found.entries) == 41
    assert found.entries[-1] == 40 + trace.count("\n")
    assert not any("earlier" in note for note in found.notes)


def test_a_time_that_an_exception_tells_of_begins_none_after_a_level_either(tmp_path: Path) -> None:
    lines = [f"{'INFO' if i % 2 else 'ERROR'} 2025-11-03 09:16:{i:02d},893 job {i}\n" for i in range(40)]
    lines.insert(20, "Caused by: x.Timeout: 2025-11-03 09:10:00 timed out\n")
    found = log_times(log(tmp_path / "app.log", "".join(lines)))
    assert len(found.entries) == 40


def test_a_level_before_the_time_of_some_entries_is_no_trace(tmp_path: Path) -> None:
    others = "WARN 2025-11-03 09:17:00,000 late\n[error] 2025-11-03 09:17:01,000 later\n"
    found = log_times(log(tmp_path / "app.log", ENTRIES + others))
    assert len(found.entries) == 42
