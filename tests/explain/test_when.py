"""Where in its file an odd stretch lies: seconds from the recording's start, the file, the clock, frames and lines."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from mmdmad.agents import grounding

from mmdmad.cases import Part
from mmdmad.explain import sensor, sensor_clock, text
from mmdmad.explain.events import Event
from mmdmad.explain.maps import Span
from mmdmad.explain.ranges import Ranges
from mmdmad.explain.sensor import ChannelView
from mmdmad.explain.text_normal import TextNormal
from mmdmad.explain.traces import traces
from mmdmad.explain.when import Recorded, on_clock, round_times, spoken
from mmdmad.parts import read


def facts(said):
    return {f.name: (f.value, f.unit) for f in said.facts}


@pytest.fixture(scope="module")
def pump(tmp_path_factory):
    """Four hours of a pump, a row a second from six in the morning on."""
    begin, file = datetime(2026, 3, 3, 6), tmp_path_factory.mktemp("pump") / "pump.csv"
    rows = (f"{(begin + timedelta(seconds=i)).isoformat(sep=' ')},{i % 7}" for i in range(14_400))
    file.write_text("\n".join(["time,load [A]", *rows]) + "\n")
    return file


def test_a_stretch_of_a_window_is_told_in_its_file_and_on_the_clock(pump):
    table = read(Part("sensor", pump, start=12_240, stop=12_300))
    said = Recorded.of_table(table).span(10.0, 25.0)
    assert said.words == "from 3 h 24 min 10 s to 3 h 24 min 25 s of pump.csv (2026-03-03 09:24:10 to 09:24:25)"
    assert facts(said) == {
        "start": (12_250.0, "s"), "stop": (12_265.0, "s"), "file": ("pump.csv", ""),
        "start time": ("2026-03-03 09:24:10", ""), "stop time": ("2026-03-03 09:24:25", ""),
    }  # fmt: skip
    said = Recorded.of_table(table).at(10.0)
    assert said.words == "at 3 h 24 min 10 s of pump.csv (2026-03-03 09:24:10)"
    assert facts(said) == {
        "time": (12_250.0, "s"), "file": ("pump.csv", ""), "clock time": ("2026-03-03 09:24:10", ""),
    }  # fmt: skip


def test_a_whole_table_has_no_file_to_be_named_and_its_clock_all_the_same(pump):
    assert Recorded.of_table(read(Part("sensor", pump))).span(0.0, 2.0).words == (
        "from 0 s to 2 s (2026-03-03 06:00:00 to 06:00:02)"
    )


def test_a_table_in_memory_counts_on_from_where_it_was_cut(pump):
    part = read(Part("sensor", pump, start=12_240, stop=12_300))
    again = read(Part("sensor", value=part, start=10, stop=40))
    assert (again.offset, again.file) == (12_250.0, "pump.csv")


@pytest.mark.parametrize("step", [0.001, 0.04, 1 / 30, 0.1, 0.25, 1.0, 3.0, 60.0, 0.0])
@pytest.mark.parametrize("offset", [0.0, 119.5, 12_300.0, 1e6 + 0.5])
def test_two_ends_are_never_one(step, offset):
    rng = np.random.default_rng(3)
    for start, length in zip(rng.uniform(0, 100, 50), rng.uniform(1e-3, 5, 50), strict=True):
        told = Recorded(offset, step=step).span(float(start), float(start + length))
        first, _, last = told.words.removeprefix("from ").partition(" to ")
        assert first != last != ""
        ends = [f.value for f in told.facts]
        assert ends[0] < ends[1]
        assert ends == pytest.approx(
            [offset + start, offset + start + length], abs=max(0.51 * step, 0.006 * (offset + start + length))
        )


def test_times_are_as_fine_as_the_rows():
    assert Recorded(step=0.04).at(1.23456).words == "at 1.23 s"
    assert Recorded(step=1 / 30).at(1.23456).words == "at 1.235 s"
    assert Recorded(step=60.0).span(60.0, 7200.0).words == "from 1 min to 2 h"
    assert Recorded(step=1.0).span(3.0, 3.0).words == "at 3 s"
    assert Recorded(step=1.0).span(3.0, 3.2).words == "from 3 s to 3.2 s"
    assert Recorded(step=1.0).at(0.0).words == "at 0 s"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (119.0, "119 s"),
        (120.0, "2 min"),
        (3599.6, "1 h"),
        (86_399.0, "23 h 59 min 59 s"),
        (3 * 86_400 + 5, "3 days 5 s"),
    ],
)
def test_minutes_hours_and_days(seconds, said):
    assert spoken(seconds) == said


def test_the_clock_has_its_zone_and_its_day():
    assert on_clock(datetime(2026, 3, 3, 9, 24, 10, tzinfo=UTC)) == "2026-03-03 09:24:10 UTC"
    east = timezone(timedelta(hours=2))
    assert on_clock(datetime(2026, 3, 3, 9, 24, 10, tzinfo=east)) == "2026-03-03 09:24:10 UTC+02:00"
    assert on_clock(datetime(2026, 3, 3, 9, 24, 59, 999_700), 3) == "2026-03-03 09:25:00"
    night = Recorded(start=datetime(2026, 3, 3, 23, 59, 50), step=1.0).span(0.0, 20.0)
    assert night.words == "from 0 s to 20 s (2026-03-03 23:59:50 to 2026-03-04 00:00:10)"
    assert Recorded(start=datetime.max, step=1.0).span(0.0, 20.0).words == "from 0 s to 20 s"


def test_frames_of_a_piece_of_a_clip_have_their_numbers_in_it(tmp_path):
    np.save(tmp_path / "cam.npy", np.zeros((100, 8, 8), np.uint8))
    clip = read(Part("video", tmp_path / "cam.npy", start=40, stop=80, rate=10.0))
    said = Recorded.of_clip(clip).span(0.5, 1.5)
    assert said.words == "from 4.5 s to 5.5 s of cam.npy (frames 45 to 54)"
    assert facts(said)["first frame"] == (45, "")
    assert Recorded.of_clip(clip).at(0.55).words == "at 4.5 s of cam.npy (frame 45)"
    assert Recorded.of_clip(clip).span(0.5, 0.6).words == "from 4.5 s to 4.6 s of cam.npy (frame 45)"
    whole = read(Part("video", tmp_path / "cam.npy", rate=10.0))
    assert Recorded.of_clip(whole).span(0.5, 1.5).words == "from 0.5 s to 1.5 s"


def test_lines_of_a_piece_of_a_log_have_their_numbers_in_it(tmp_path):
    (tmp_path / "app.log").write_text("".join(f"line {i} is fine\n" for i in range(1, 101)))
    signal = read(Part("text", tmp_path / "app.log", start=40, stop=43))
    second = signal.text.index("line 42")
    hot = Span(float(second), float(second + len("line 42 is fine")), 2.0)
    (said,) = text.evidence([hot], signal, TextNormal())
    assert said.caption == "Line 42 of app.log stands out: “line 42 is fine”."
    assert (facts(said)["line"], facts(said)["file"]) == ((42, ""), ("app.log", ""))
    (cold,) = text.evidence([Span(hot.start, hot.stop, 0.5)], signal, TextNormal())
    assert cold.caption.endswith("the least usual is line 42 of app.log: “line 42 is fine”.")
    whole = read(Part("text", tmp_path / "app.log"))
    assert (whole.before, whole.file) == (0, "")
    piece = read(Part("text", value=signal, start=1, stop=2))
    assert (piece.before, piece.file) == (41, "app.log")


def test_gaps_rates_and_channels_say_where_in_the_file(pump):
    recorded = Recorded(12_240.0, "pump.csv", datetime(2026, 3, 3, 9, 24), 1.0)
    normal = Ranges(sensor_clock.CLOCK, np.array([(1.0, 1.0, 1.0)] * 3), 60)
    (gap,) = sensor_clock.evidence(np.delete(np.arange(60.0), slice(20, 30)), normal, recorded)
    assert gap.caption == (
        "Rows are missing from 3 h 24 min 20 s to 3 h 24 min 30 s of pump.csv (2026-03-03 09:24:20 to 09:24:30); "
        "normal tables have no gap above 1 s."
    )
    times = np.arange(60.0)
    known = Ranges(("value",), np.array([(-1.0, 0.0, 1.0)]), 60)
    event = Event("level shift", 10.0, 25.0, 9.0, 7.0, 2.0, (-0.5, 0.5))
    view = ChannelView("load", "A", traces(np.zeros(60), times), known, np.zeros(60), [event], False, recorded)
    (shift,) = sensor.evidence([view], None, times)
    assert shift.caption == (
        "Channel load shifts up by 2 A to a mean of 7 A from 3 h 24 min 10 s to 3 h 24 min 25 s of pump.csv "
        "(2026-03-03 09:24:10 to 09:24:25); normal levels lie between -0.5 A and 0.5 A."
    )
    whole = Event("level shift", 0.0, 60.0, 9.0, 7.0, 0.0, (-0.5, 0.5))
    view = ChannelView("load", "A", traces(np.zeros(60), times), known, np.zeros(60), [whole], False, recorded)
    (level,) = sensor.evidence([view], None, times)
    assert "averages 7 A from 3 h 24 min to 3 h 25 min of pump.csv" in level.caption


def test_sentences_that_cite_such_times_are_believed_and_wrong_ones_are_not():
    said = Recorded(12_240.0, "pump 2.csv", datetime(2026, 3, 3, 9, 24), 1.0).span(10.0, 25.0)
    template = "the sensor data stand out most {when}."
    evidence = [sensor.draft("span", "sensor", template, said.facts, said.words).numbered(1, None)]
    for true in (
        evidence[0].caption,
        "The sensor data stand out from 3 h 24 min 10 s on.",
        "The sensor data stand out at 12250 s.",
        "The sensor data stand out for 15 s.",
        "The sensor data stand out from 3 hours, 24 minutes and 10 seconds on.",
        "The sensor data stand out at 09:24:10 on 2026-03-03.",
    ):
        assert grounding.check(true, ["E1"], evidence) == []
    for false in (
        "The sensor data stand out from 3 h 25 min 10 s on.",
        "The sensor data stand out from 3 h 24 min 11 s on.",
        "The sensor data stand out from 24 min 10 s on.",
        "The sensor data stand out at 10 s.",
        "The sensor data stand out at 09:25:10.",
    ):
        assert grounding.check(false, ["E1"], evidence) != [], false


def test_round_times_lie_in_the_stretch():
    for start, stop in ((0.0, 10.0), (12_251.0, 12_299.0), (3.2, 3.9), (5.0, 1e6)):
        marks = round_times(start, stop)
        assert 1 <= len(marks) <= 4
        assert all(start <= mark <= stop for mark in marks)


def test_a_quoted_address_that_ends_like_evidence_is_no_citation():
    caption = "line 36 of app.log stands out: “chip at 9F:16:E9”."
    evidence = [sensor.draft("words", "text", caption, []).numbered(1, None)]
    assert grounding.check(evidence[0].caption, ["E1"], evidence) == []
    assert "E9 is mentioned but not cited" in grounding.check("Line 36 stands out, as E9 says.", ["E1"], evidence)
