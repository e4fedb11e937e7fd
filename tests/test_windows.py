"""Recordings are cut on one clock: every row, frame and line lands in the windows of its own time, and nowhere else."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import ConfigError, DataError
from mmdmad.manifest import read_cases
from mmdmad.pairs import paired
from mmdmad.parts import Sensor, read
from mmdmad.windows import Windows, cut, seconds_of

START = datetime(2026, 5, 1, 12)


def table(seconds: Sequence[float] | np.ndarray, start: datetime | None = None) -> Sensor:
    times = np.asarray(seconds, float)
    return Sensor(times[:, None] * 1.0, times - times[0], ("level",), ("m",), start)


def sensor(seconds: Sequence[float] | np.ndarray, start: datetime | None = None) -> Part:
    return Part("sensor", value=table(seconds, start))


def log(folder: Path, seconds: Sequence[float], zone: str = "", start: datetime = START) -> Part:
    path = folder / "app.log"
    stamps = [(start + timedelta(seconds=s)).isoformat(sep=" ", timespec="milliseconds") for s in seconds]
    path.write_text("".join(f"{stamp}{zone} event\n" for stamp in stamps))
    return Part("text", path)


def one(**parts: Part) -> Cases:
    return Cases(
        (Case("pump", parts, group="hall", split="train", label=0),), extra={"columns": {"pump": {"shift": 2}}}
    )


def spans(cases: Cases, modality: str) -> list[tuple[int | None, int | None] | None]:
    return [(c.parts[modality].start, c.parts[modality].stop) if modality in c.parts else None for c in cases]


def test_windows_of_a_table() -> None:
    made = cut(one(sensor=sensor(range(65), START)), Windows.of("20s"))
    assert spans(made, "sensor") == [(0, 20), (20, 40), (40, 60)]
    assert [c.id for c in made] == [f"pump@2026-05-01T12:00:{s}" for s in ("00", "20", "40")]
    assert [c.time for c in made] == [START + timedelta(seconds=s) for s in (0, 20, 40)]
    assert {(c.recording, c.group, c.split, c.label) for c in made} == {("pump", "hall", "train", 0)}
    assert made.extra["columns"] == {c.id: {"shift": 2} for c in made}
    assert made.extra["notes"] == ("pump: the last 5 s are no whole window and are left out",)
    assert read(made[1].parts["sensor"]).values.ravel().tolist() == list(range(20, 40))
    assert made[1].parts["sensor"].case_id == made[1].id


def test_windows_overlap_with_a_step() -> None:
    made = cut(one(sensor=sensor(range(60))), Windows.of("20s", "15s"))
    assert spans(made, "sensor") == [(0, 20), (15, 35), (30, 50)]
    assert [c.id for c in made] == ["pump@0s", "pump@15s", "pump@30s"]
    assert made.extra["notes"] == ("pump: the last 10 s are no whole window and are left out",)


def test_a_whole_number_of_windows_leaves_nothing_out() -> None:
    made = cut(one(sensor=sensor(np.arange(600) * 0.1)), Windows.of("20s"))
    assert spans(made, "sensor") == [(0, 200), (200, 400), (400, 600)]
    assert made.extra["notes"] == ()


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.integers(1, 40), min_size=4, max_size=60),
    length=st.integers(1, 60),
    share=st.floats(0.3, 1.0),
    begin=st.integers(0, 30),
)
def test_every_row_is_in_the_windows_of_its_time(steps: list[int], length: int, share: float, begin: int) -> None:
    seconds = np.cumsum([0, *steps]) / 8  # eighths of a second are exact
    window, step = length / 4, max(1, round(length * share)) / 4
    later = begin / 8
    other = np.arange(0, seconds[-1] + 1, 0.5)
    cases = one(sensor=sensor(other, START), text=Part("text", value="none"))
    made_lines = {"sensor": sensor(seconds, START + timedelta(seconds=later))}
    cases = Cases((Case("pump", made_lines, time=START),))
    try:
        made = cut(cases, Windows(window, step))
    except DataError:
        lasts = float(np.median(np.diff(seconds)))
        assert seconds[-1] + lasts < window
        return
    for number, case in enumerate(made):
        assert case.time is not None
        since = (case.time - START).total_seconds() - later
        part = case.parts["sensor"]
        inside = np.flatnonzero((seconds >= since - 1e-9) & (seconds < since + window - 1e-9))
        assert (part.start, part.stop) == (inside[0], inside[-1] + 1), number


def test_parts_lie_on_one_clock(tmp_path: Path) -> None:
    lines = log(tmp_path, [-2.0, 5.0, 25.0, 25.5, 59.0])
    frames = Part("video", value=np.zeros((100, 4, 4), np.uint8), rate=2.0)
    made = cut(one(sensor=sensor(range(60), START), text=lines, video=frames), Windows.of("20s"))
    # The first line is two seconds before the table, and so the windows begin with it.
    assert [c.id for c in made] == [f"pump@2026-05-01T{t}" for t in ("11:59:58", "12:00:18", "12:00:38")]
    assert spans(made, "text") == [(0, 2), (2, 4), None]
    assert spans(made, "sensor") == [(0, 18), (18, 38), (38, 58)]
    assert spans(made, "video") == [(0, 40), (40, 80), (80, 100)]
    assert (
        "pump: the video has no dates of its own and is taken to begin with the text, at 2026-05-01T11:59:58; "
        "--offset video=2.5s moves it" in made.extra["notes"]
    )
    assert "pump: 1 of 3 windows hold nothing of the text and are cases without text" in made.extra["notes"]


def test_offsets_move_clocks(tmp_path: Path) -> None:
    lines = log(tmp_path, [0.0, 30.0])
    made = cut(one(sensor=sensor(range(40), START), text=lines), Windows.of("20s", offsets={"text": "-12s"}))
    assert [c.time for c in made] == [START + timedelta(seconds=s) for s in (-12, 8)]
    assert spans(made, "sensor") == [(0, 8), (8, 28)]
    assert spans(made, "text") == [(0, 1), (1, 2)]
    assert len(made) == 2
    moved = cut(one(sensor=sensor(range(40), START)), Windows.of("20s", offsets={"sensor": 60.0}))
    assert moved[0].time == START + timedelta(minutes=1)


LATE = (
    "2026-10-24T23:50:00+02:00",
    "2026-10-25T02:30:00+02:00",
    "2026-10-25T02:30:00+01:00",
    "2026-10-25T23:50:00+01:00",
)
"""Stamps of a server in Berlin in the night in which its clocks are set back."""


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("{} door open", None),
        ('{{"time": "{}", "msg": "door open"}}', None),
        ("at {} door open", "at %Y-%m-%dT%H:%M:%S%z"),
    ],
)
def test_entries_of_a_log_have_the_day_and_hour_of_their_own_zone(tmp_path, line, pattern, newest_first) -> None:
    stamps = [*LATE, *(f"2026-10-26T0{hour}:00:00+01:00" for hour in range(6))]
    lines = [line.format(stamp) + "\n" for stamp in stamps]
    (tmp_path / "app.log").write_text("".join(lines[::-1] if newest_first else lines))
    windows = Windows("entry") if pattern is None else Windows(600.0, log_time=pattern)
    made = cut(one(text=Part("text", tmp_path / "app.log")), windows)
    assert [case.time.isoformat() for case in made if case.time is not None][: len(LATE)] == list(LATE)


def test_a_window_has_the_zone_that_its_log_has_then(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("".join(f"{stamp} door open\n" for stamp in LATE))
    made = cut(one(text=Part("text", tmp_path / "app.log")), Windows.of("30min"))
    times = [case.time.isoformat() for case in made]
    assert times == ["2026-10-24T23:50:00+02:00", "2026-10-25T02:20:00+02:00", "2026-10-25T02:20:00+01:00"]
    assert made[0].id == "pump@2026-10-24T23:50:00+02:00"


def test_clocks_with_and_without_a_zone_are_not_mixed_in_silence(tmp_path: Path) -> None:
    lines = log(tmp_path, [0.0, 30.0], zone="Z")
    cases = one(sensor=sensor(range(40), START + timedelta(hours=2)), text=lines)
    with pytest.raises(DataError, match=r"the text have a zone, those of the sensor have none; .*--offset sensor=-2h"):
        cut(cases, Windows.of("20s"))
    made = cut(cases, Windows.of("20s", offsets={"sensor": "-2h"}))
    assert made[0].time == START.replace(tzinfo=UTC)
    assert spans(made, "sensor") == [(0, 20), (20, 40)]


def test_parts_without_a_second_in_common_are_refused(tmp_path: Path) -> None:
    cases = one(sensor=sensor(range(40), START), text=log(tmp_path, [3600.0, 3620.0]))
    with pytest.raises(DataError, match=r"no second in common; set their clocks with --offset"):
        cut(cases, Windows.of("20s"))


def test_drift_is_told() -> None:
    frames = Part("video", value=np.zeros((970, 2, 2), np.uint8), rate=1.0)
    made = cut(one(sensor=sensor(range(1000), START), video=frames), Windows.of("100s"))
    assert (
        "pump: the video lasts 30 s less than the sensor (970 s, 1000 s); if both ran all the time, their clocks drift "
        "apart by 3.00%" in made.extra["notes"]
    )
    close = Part("video", value=np.zeros((999, 2, 2), np.uint8), rate=1.0)
    quiet = cut(one(sensor=sensor(range(1000), START), video=close), Windows.of("100s")).extra["notes"]
    assert not [note for note in quiet if "drift" in note or "ends" in note]


def test_entries_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("2026-05-01 12:00:00 a\n  more\n2026-05-01 12:00:07 b\n")
    made = cut(one(text=Part("text", path)), Windows.of("entry"))
    assert [(c.id, c.time) for c in made] == [("pump@1", START), ("pump@2", START + timedelta(seconds=7))]
    assert [read(c.parts["text"]).text for c in made] == ["2026-05-01 12:00:00 a\n  more\n", "2026-05-01 12:00:07 b\n"]
    path.write_text("no times\nat all\n")
    made = cut(one(text=Part("text", path)), Windows.of("entry"))
    assert [(c.id, c.time) for c in made] == [("pump@1", None), ("pump@2", None)]
    assert made.extra["notes"][0].startswith("pump: text: no times are used, and each line is an entry: ")
    path.write_text("2026-05-02 12:00:00 a\n  more\n2026-05-01 12:00:07 b\n")
    made = cut(one(text=Part("text", path)), Windows.of("entry"))
    assert [c.time for c in made] == [None, None]
    assert [read(c.parts["text"]).text for c in made] == ["2026-05-02 12:00:00 a\n  more\n", "2026-05-01 12:00:07 b\n"]
    assert "86,393 s earlier" in made.extra["notes"][0]
    with pytest.raises(DataError, match="for a log alone"):
        cut(one(text=Part("text", path), sensor=sensor(range(9))), Windows.of("entry"))


def test_the_period_chooses_a_length() -> None:
    wave = Sensor(np.sin(np.arange(500) * 2 * np.pi / 25)[:, None], np.arange(500) * 0.5, ("x",), ("",))
    made = cut(one(sensor=Part("sensor", value=wave)), Windows.of("auto"))
    assert len(made) == 10
    assert spans(made, "sensor")[0] == (0, 50)
    assert made.extra["notes"][0] == "windows of 25 s, from the period of 12.5 s of the sensor"
    assert made.extra["windows"].length == 25.0
    short = Sensor(np.sin(np.arange(500) * 2 * np.pi / 8)[:, None], np.arange(500) * 0.5, ("x",), ("",))
    assert cut(one(sensor=Part("sensor", value=short)), Windows.of("auto")).extra["windows"].length == 16.0
    ramp = Part("sensor", value=table(range(100)))
    with pytest.raises(DataError, match=r"nothing in pump repeats.*give one: --window 60s"):
        cut(one(sensor=ramp), Windows.of("auto"))


def test_what_cannot_be_cut_is_refused_by_name_and_the_rest_goes_on() -> None:
    long, short = Case("long", {"sensor": sensor(range(50))}), Case("short", {"sensor": sensor(range(5))})
    picture = Case("both", {"sensor": sensor(range(50)), "image": Part("image", value=np.zeros((4, 4, 3), np.uint8))})
    made = cut(Cases((long, short, picture)), Windows.of("20s"))
    assert [c.id for c in made] == ["long@0s", "long@20s", "both@0s", "both@20s"]
    assert [(r.case_id, r.part) for r in made.refused] == [("short", "case"), ("both", "image")]
    assert made.refused[0].reason == "the recording lasts 5 s, less than a window of 20 s; give a shorter one"
    assert "has no time to be cut by" in made.refused[1].reason
    with pytest.raises(DataError, match=r"none of 1 recordings could be cut; the first, short: .* lasts 5 s"):
        cut(Cases((short,)), Windows.of("20s"))


def test_windows_of_a_faulty_recording_are_never_learned_from() -> None:
    faulty = Cases((Case("a", {"sensor": sensor(range(40))}, label=1, recording="monday"),))
    made = cut(faulty, Windows.of("20s"))
    assert {(c.label, c.recording) for c in made} == {(1, "monday")}
    assert made.extra["notes"] == (
        "a is labelled faulty as a whole, and so is each of its windows; some may be normal",
    )


def test_slices_are_cut_within_themselves() -> None:
    part = Part("sensor", value=table(range(100)), start=30, stop=80)
    assert spans(cut(one(sensor=part), Windows.of("20s")), "sensor") == [(30, 50), (50, 70)]


def test_rows_that_are_not_sorted_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"time": [0, 1, 3, 2, 4, 5], "x": range(6)}).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"row 4 is earlier than the row above it.*sort the table by time"):
        cut(one(sensor=Part("sensor", path)), Windows.of("2s"))


def test_silence_of_a_log_alone_makes_no_case(tmp_path: Path) -> None:
    made = cut(one(text=log(tmp_path, [0, 1, 2, 55, 56, 57, 58, 60])), Windows.of("20s"))
    assert spans(made, "text") == [(0, 3), (3, 7)]
    assert made.extra["notes"] == ("pump: 1 of 3 windows hold nothing of the text and are no cases",)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("60x",), "is not a duration"),
        (("0s",), "longer than 0 s"),
        (("-5s",), "longer than 0 s"),
        (("10s", "0s"), "longer than 0 s"),
        (("10s", "20s"), "leave out what lies between"),
        (("auto", "5s"), "without the length"),
        (("entry", "5s"), "without the length"),
        (("10s", None, {"smell": "1s"}), "smell"),
    ],
)
def test_windows_that_make_no_sense_are_refused(given: tuple, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Windows.of(*given)


def test_a_slip_in_the_unit_is_refused() -> None:
    with pytest.raises(DataError, match="at most 5000000 are allowed"):
        cut(one(sensor=sensor(np.arange(3) * 5e6)), Windows.of("1s"))


def test_durations_in_words() -> None:
    assert [seconds_of(w) for w in ("250ms", "2 min", "1h", "2d", " 7 ", "3SEC")] == [0.25, 120, 3600, 172_800, 7, 3]
    assert [str(Windows.of(*w)) for w in (("60s",), ("60s", "60s"), ("1min", "30s"), ("entry",), ("auto",))] == [
        "windows of 60 s",
        "windows of 60 s",
        "windows of 60 s, one every 30 s",
        "entries of a log",
        "windows of a length to be chosen",
    ]


def clocked(folder: Path, name: str, begin: int, dated: bool) -> Path:
    day = "2026-05-01 " if dated else ""
    rows = [f"{day}{(begin + i) // 3600 % 24:02d}:{(begin + i) // 60 % 60:02d}:{i % 60:02d}" for i in range(300)]
    if name.endswith(".csv"):
        (folder / name).write_text("Uhrzeit,x\n" + "".join(f"{row},{i % 7}\n" for i, row in enumerate(rows)))
    else:
        (folder / name).write_text("".join(f"{row} heartbeat\n" for row in rows))
    return folder / name


@pytest.mark.parametrize("dated", ["sensor", "text"])
def test_a_clock_without_a_date_beside_dates_is_asked_for_the_day(dated: str, tmp_path: Path) -> None:
    parts = {
        "sensor": Part("sensor", clocked(tmp_path, "a.csv", 6 * 3600, dated == "sensor")),
        "text": Part("text", clocked(tmp_path, "a.log", 6 * 3600 + 120, dated == "text")),
    }
    other = "text" if dated == "sensor" else "sensor"
    with pytest.raises(DataError, match=rf"the clock of the {other} has no date .*--offset {other}=0s"):
        cut(Cases((Case("pump", parts),)), Windows.of("60s"))
    made = cut(Cases((Case("pump", parts),)), Windows.of("60s", offsets={other: "60s"}))
    assert spans(made, dated)[0] == (0, 60)
    assert made[1].parts[other].start == 0


def test_clocks_without_dates_are_set_by_their_hands(tmp_path: Path) -> None:
    parts = {
        "sensor": Part("sensor", clocked(tmp_path, "a.csv", 24 * 3600 - 60, False)),
        "text": Part("text", clocked(tmp_path, "a.log", 60, False)),
    }
    made = cut(Cases((Case("pump", parts),)), Windows.of("60s"))
    assert [tuple(case.parts) for case in made][:3] == [("sensor",), ("sensor",), ("text", "sensor")]
    assert any("taken to show the same day" in note for note in made.extra["notes"])


@pytest.mark.parametrize(
    "name", ["CAM2_2026-05-01_12-00-20.npy", "20260501T120020_gate.npy", "cam-2026-05-01 12.00.20.npy"]
)
def test_a_clip_begins_at_the_time_in_its_name(tmp_path: Path, name: str) -> None:
    np.save(tmp_path / name, np.zeros((40, 4, 4), np.uint8))
    clip = Part("video", tmp_path / name, rate=1.0)
    made = cut(one(sensor=sensor(range(80), START), video=clip), Windows.of("20s"))
    assert spans(made, "video") == [None, (0, 20), (20, 40), None]
    assert any("it begins at 2026-05-01T12:00:20, by its name" in note for note in made.extra["notes"])
    late = cut(one(sensor=sensor(range(80), START), video=clip), Windows.of("20s", offsets={"video": "20s"}))
    assert spans(late, "video") == [None, None, (0, 20), (20, 40)]
    half = Part("video", tmp_path / name, rate=1.0, start=20, stop=40)
    assert spans(cut(one(sensor=sensor(range(80), START), video=half), Windows.of("20s")), "video")[2] == (20, 40)


@pytest.mark.parametrize("name", ["cam_17.npy", "20260501_000001.npy", "2026-05-01.npy"])
def test_a_name_that_holds_no_time_says_nothing_of_the_begin(tmp_path: Path, name: str) -> None:
    np.save(tmp_path / name, np.zeros((40, 4, 4), np.uint8))
    made = cut(one(sensor=sensor(range(80), START), video=Part("video", tmp_path / name, rate=1.0)), Windows.of("20s"))
    assert spans(made, "video") == [(0, 20), (20, 40), None, None]
    assert any("has no dates of its own" in note for note in made.extra["notes"])


def test_notes_beside_a_table_and_a_log_of_a_run_do_not_part_them(tmp_path: Path) -> None:
    for run in ("a", "b"):
        folder = tmp_path / run
        folder.mkdir()
        (folder / "vib.csv").write_text("t,x\n" + "".join(f"{i / 10:.1f},{i % 7}\n" for i in range(200)))
        lines = [f"2026-03-01 07:00:{i:02d} step {i}\n" for i in range(20)]
        (folder / "operator.log").write_text("".join(lines))
        (folder / "notes.txt").write_text("new bearing\n")
        (folder / "info.txt").write_text("2026-03-01 06:00:00 mounted by eve\n")
    (tmp_path / "notes.txt").write_text("all runs of spring\n")
    made = cut(read_cases(tmp_path), Windows(10.0))
    assert [case.pattern for case in made] == [("text", "sensor")] * 4  # two runs of 20 s
    assert any("left out as they are no logs" in note for note in made.extra["notes"])


def test_a_table_and_a_log_of_one_folder_alone_may_be_of_different_things(tmp_path: Path) -> None:
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "vib.csv").write_text("t,x\n" + "".join(f"{i / 10:.1f},{i % 7}\n" for i in range(200)))
        lines = [f"2026-03-01 07:00:{i:02d} step {i}\n" for i in range(20)]
        (tmp_path / run / "operator.log").write_text("".join(lines))
        known = sorted(case.pattern for case in paired(read_cases(tmp_path)))
        assert known == ([("sensor",), ("text",)] if run == "a" else [("text", "sensor")] * 2)
