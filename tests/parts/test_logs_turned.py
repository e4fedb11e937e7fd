"""Logs as viewers of events save them: newest first, a word of any length before the time, entries of many lines."""

from datetime import datetime, timedelta
from pathlib import Path

from mmdmad.cases import Case, Cases, Part
from mmdmad.parts import read
from mmdmad.parts.log_times import entries_of, log_times
from mmdmad.windows import Windows, cut

NOON = datetime(2026, 5, 13, 12)
LEVELS = ("Information", "Error", "Warning", "Critical")


def events(folder: Path, count: int, newest_first: bool, name: str = "events.log") -> Path:
    """An entry a minute, every third of them of three lines."""
    order = range(count - 1, -1, -1) if newest_first else range(count)
    lines = []
    for i in order:
        lines.append(f"{LEVELS[i % 4]},{NOON + timedelta(minutes=i):%d.%m.%Y %H:%M:%S},Source {i % 2},event {i}")
        lines += ["", f"  Details: retried 2026-05-0{i % 9 + 1} 08:00:00"] if i % 3 == 0 else []
    path = folder / name
    path.write_text("Level,Date and Time,Source,Message\n" + "\n".join(lines) + "\n", encoding="utf-8-sig")
    return path


def test_entries_are_found_whatever_the_length_of_the_word_before_their_time(tmp_path: Path) -> None:
    line = log_times(events(tmp_path, 40, newest_first=False))
    assert line.entries is not None
    assert len(line.entries) == 40
    assert line.start == NOON
    assert not line.newest_first


def test_a_log_with_its_newest_line_first_is_turned_round_and_every_entry_keeps_its_lines(tmp_path: Path) -> None:
    path = events(tmp_path, 40, newest_first=True)
    line = log_times(path)
    assert line.newest_first
    assert line.start == NOON
    assert "the newest line stands first: entries are taken in the order of time" in line.notes
    made = cut(Cases((Case("e", {"text": Part("text", path)}),)), Windows.of("entry"))
    assert [case.time for case in made] == [NOON + timedelta(minutes=i) for i in range(40)]
    texts = [read(case.parts["text"]).text for case in made]
    for i, text in enumerate(texts):
        assert f"event {i}\n" in text
        assert text.count("event ") == 1
        assert ("Details" in text) == (i % 3 == 0)


def test_windows_of_a_turned_log_hold_what_happened_in_them(tmp_path: Path) -> None:
    path = events(tmp_path, 41, newest_first=True)
    made = cut(Cases((Case("e", {"text": Part("text", path)}),)), Windows.of("10min"))
    assert [case.time for case in made] == [NOON + timedelta(minutes=10 * i) for i in range(4)]
    for i, case in enumerate(made):
        text = read(case.parts["text"]).text
        assert [f"event {k}\n" in text for k in range(41)] == [10 * i <= k < 10 * i + 10 for k in range(41)]


def test_a_log_of_less_than_five_minutes_is_turned_too(tmp_path: Path) -> None:
    path = tmp_path / "short.log"
    path.write_text("".join(f"2026-05-13 12:00:{59 - i:02} x{i}\n" for i in range(40)))
    line = log_times(path)
    assert line.newest_first
    assert line.times.tolist() == list(range(40))


def test_a_clock_that_was_set_back_once_turns_nothing(tmp_path: Path) -> None:
    path = tmp_path / "set.log"
    stamps = [NOON + timedelta(seconds=s) for s in (*range(0, 60, 5), *range(-900, -840, 5))]
    path.write_text("".join(f"{one} x\n" for one in stamps))
    line = entries_of(path)
    assert not line.newest_first
    assert any("earlier than a line above it" in note for note in line.notes)
