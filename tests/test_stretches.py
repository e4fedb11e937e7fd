"""Neighbouring windows of one recording told as one: how they are grouped, and where they are told."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from mmdmad.ask.base import Scope
from mmdmad.ask.find import Find, find_cases
from mmdmad.ask.words import in_stretches, stretch_place
from mmdmad.cases import Case, Part
from mmdmad.commands.common import list_stretches
from mmdmad.findings import Finding, Guarantee, PartFinding, Slice
from mmdmad.judgement import cut_from
from mmdmad.parts import read
from mmdmad.report.html import render
from mmdmad.report.markdown import render as markdown
from mmdmad.report.model import build
from mmdmad.store import rows
from mmdmad.store.run import Run
from mmdmad.store.stretched import stretched
from mmdmad.stretches import stretches, window

BEGIN = datetime(2026, 3, 3, 9)


def cut(first, last, file="pump.csv", part="sensor", recording="r1", seconds=True):
    return Slice(
        part=part, file=file, recording=recording, first=first, last=last, start=float(first) if seconds else None,
        stop=float(last) if seconds else None,
    )  # fmt: skip


def finding(case_id, place, p_value=0.01, score=1.0, time=None, part="sensor"):
    own = PartFinding(modality=part, score=score, p_value=p_value, share=score, encoder="e", detector="d", cut=place)
    guarantee = Guarantee(rate=0.05, size=199, interval=(0.0, 0.1), pattern=(part,))
    verdict = "anomalous" if p_value <= 0.05 else "normal"
    return Finding(
        case_id=case_id, time=time, verdict=verdict, score=score, p_value=p_value, guarantee=guarantee, parts=(own,)
    )


def grouped(*found):
    return [s.cases for s in stretches(map(window, found))]


def test_windows_that_touch_or_overlap_are_one_and_those_apart_are_not():
    a, b, c, d = (cut(*ends) for ends in ((0, 60), (60, 120), (90, 150), (200, 260)))
    found = [finding("d", d, score=9.0), finding("b", b), finding("c", c), finding("a", a)]
    assert grouped(*found) == [("d",), ("a", "b", "c")]  # the most anomalous first, windows as they lie
    assert grouped(finding("a", a), finding("x", cut(61, 120))) == [("a",), ("x",)]


@pytest.mark.parametrize(
    "other",
    [{"file": "fan.csv"}, {"recording": "r2"}, {"part": "text"}],
    ids=["another file", "another of its name", "another part"],
)
def test_pieces_of_different_files_are_not_neighbours(other):
    assert len(grouped(finding("a", cut(0, 60)), finding("b", cut(60, 120, **other)))) == 2


def test_a_window_inside_a_longer_one_does_not_end_the_stretch():
    found = [finding("a", cut(0, 100)), finding("b", cut(10, 20)), finding("c", cut(100, 120))]
    assert grouped(*found) == [("a", "b", "c")]


def test_files_of_one_recording_go_on_one_another_by_the_clock():
    def hour(name, file, first, minute, recording="shift"):
        return finding(
            name, cut(first, first + 60, file=file, recording=recording), time=BEGIN + timedelta(minutes=minute)
        )

    assert grouped(hour("a", "9.csv", 3540, 59), hour("b", "10.csv", 0, 60)) == [("a", "b")]
    assert len(grouped(hour("a", "9.csv", 3540, 59), hour("b", "10.csv", 0, 61))) == 2
    assert len(grouped(hour("a", "9.csv", 3540, 59), hour("b", "10.csv", 0, 60, "other"))) == 2
    # within a file rows count: a manifest may give every slice the time of its file
    assert len(grouped(hour("a", "9.csv", 0, 0), hour("b", "9.csv", 600, 0))) == 2


def test_cases_that_are_no_pieces_stay_alone():
    assert grouped(finding("a", None), finding("b", None)) == [("a",), ("b",)]


def test_a_stretch_has_its_peak_its_parts_and_its_ends():
    found = [
        finding("a", cut(0, 60), 0.02, 3.0, BEGIN),
        finding("b", cut(60, 120), 0.005, 2.0, BEGIN + timedelta(seconds=60)),
        finding("c", cut(120, 180), 0.02, 9.0, BEGIN + timedelta(seconds=120)),
    ]
    (one,) = stretches(map(window, found))
    assert (one.peak, one.p_value, one.parts) == ("b", 0.005, ("sensor",))
    assert one.place == cut(0, 180)
    assert (one.begin, one.end) == (BEGIN, BEGIN + timedelta(seconds=180))
    assert stretch_place(one).words == "from 0 s to 3 min of pump.csv (2026-03-03 09:00:00 to 09:03:00)"
    lines = [finding(n, cut(k, k + 5, "app.log", "text", seconds=False), part="text") for n, k in (("a", 0), ("b", 5))]
    (log,) = stretches(map(window, lines))
    assert stretch_place(log).words == "from line 1 to line 10 of app.log"
    mixed = [finding("a", cut(0, 60), time=BEGIN), finding("b", cut(60, 120), time=BEGIN.replace(tzinfo=UTC))]
    assert stretches(map(window, mixed))[0].begin is None  # two clocks have no common begin


def test_a_part_knows_where_it_was_cut_from(tmp_path):
    file = tmp_path / "pump.csv"
    file.write_text("\n".join(["t [s],load", *(f"{i / 2},{i % 5}" for i in range(40))]) + "\n")
    part = Part("sensor", file, start=10, stop=20)
    made = cut_from(Case("a", {"sensor": part}), "sensor", read(part))
    assert (made.part, made.file, made.first, made.last, made.start, made.stop) == (
        "sensor",
        "pump.csv",
        10,
        20,
        5.0,
        10.0,
    )
    assert str(tmp_path) not in made.model_dump_json()
    rest = Part("sensor", file, start=30)
    assert cut_from(Case("a", {"sensor": rest}), "sensor", read(rest)).last == 40
    whole = Part("sensor", file)
    assert cut_from(Case("a", {"sensor": whole}), "sensor", read(whole)) is None
    named = cut_from(Case("a", {"sensor": whole}, recording="shift 4"), "sensor", read(whole))
    assert (named.recording, named.first, named.last) == ("shift 4", 0, 40)
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "pump.csv"
    twin.write_text(file.read_text())
    again = Part("sensor", twin, start=10, stop=20)
    assert cut_from(Case("a", {"sensor": again}), "sensor", read(again)).recording != made.recording


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Six flagged windows in two stretches, one flagged alone, and three that are not."""
    made = Run.create(tmp_path_factory.mktemp("stretches") / "pump", {"false_alarm_rate": 0.05})
    flagged = {0: 5.0, 1: 9.0, 2: 6.0, 10: 3.0, 11: 2.0, 12: 1.0, 20: 4.0}
    found = [
        finding(f"w{i:02}", cut(60 * i, 60 * i + 60), 0.005 if i in flagged else 0.5, flagged.get(i, 0.1),
                BEGIN + timedelta(minutes=i))
        for i in (*flagged, 4, 5, 6)
    ]  # fmt: skip
    with made._engine.begin() as connection:
        rows.put(connection, [rows.Judged(f) for f in found])
    yield made
    made.close()


def test_the_store_groups_what_is_flagged_and_reads_nothing_where_nothing_was_cut(run, tmp_path, monkeypatch):
    monkeypatch.setattr("mmdmad.store.stretched.PAGE", 2)
    together = stretched(run, verdict="anomalous")
    assert [s.cases for s in together] == [("w00", "w01", "w02"), ("w20",), ("w10", "w11", "w12")]
    assert together == stretches(map(window, run.findings(verdict="anomalous")))
    assert stretched(run, verdict="anomalous", since=BEGIN + timedelta(minutes=11))[0].cases == ("w20",)
    other = Run.create(tmp_path / "whole", {"false_alarm_rate": 0.05})
    with other._engine.begin() as connection:
        rows.put(connection, [rows.Judged(finding("a", None))])
    monkeypatch.setattr("mmdmad.store.stretched.stretches", None)
    assert stretched(other, verdict="anomalous") == ()
    other.close()


def test_the_report_tells_neighbouring_windows_once_and_counts_them_all(run):
    report = build(run)
    assert report.headline == "7 of 10 cases are flagged as anomalous, in 3 events"
    assert "counts and the rate are of each" in report.promise
    assert [f.case_id for f, _ in report.entries] == ["w01", "w20", "w10"]
    assert (report.unlisted, len(report.findings), len(report.stretches)) == (0, 7, 3)
    page = render(report, run)
    assert page.count("<article") == 3
    assert "3 windows side by side from 0 s to 3 min of pump.csv (2026-03-03 09:00:00 to 09:03:00), by sensor" in page
    assert '<p class="note">w10, w11, w12</p>' in page
    assert page.count('href="#f1"') == 5  # at a glance, from its event, and from the dots of its three windows
    text = markdown(report)
    assert re.findall(r"^## \d\. (\S+):", text, re.M) == ["w01", "w20", "w10"]
    assert "this one is the most anomalous. All: w10, w11, w12." in text
    few = report.model_copy(update={"findings": report.findings[:1]})
    assert ([f.case_id for f, _ in few.entries], few.unlisted) == (["w01"], 4)


def test_asked_what_was_flagged_it_tells_stretches(run, tmp_path):
    asked = Find(verdict="anomalous")
    found = find_cases(Scope(run=run, folder=tmp_path), asked)
    assert (found.total, found.stretches, found.cases) == (7, 3, ("w01", "w20", "w10"))
    said = [one.evidence.caption for one in found.evidence]
    assert said[0] == "There are 7 flagged cases, in 3 stretches of windows side by side."
    assert "the most anomalous of 3 windows side by side from 0 s to 3 min of pump.csv" in said[1]
    assert "windows" not in said[2]
    page = find_cases(Scope(run=run, folder=tmp_path), Find(verdict="anomalous", limit=1, offset=2))
    assert page.cases == ("w10",)
    assert find_cases(Scope(run=run, folder=tmp_path), Find()).stretches is None
    assert find_cases(Scope(run=run, folder=tmp_path), Find(verdict="anomalous", order="time")).stretches is None


def test_the_command_lists_stretches(run, capsys):
    list_stretches(run)
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("windows side by side as one, 3 in all")
    assert out[1] == (
        "  0 s to 3 min of pump.csv (2026-03-03 09:00:00 to 09:03:00): 3 windows, most anomalous w01 (p = 0.005), "
        "by sensor"
    )
    assert ": 1 window, w20 (p = 0.005)" in out[2]


def test_where_no_windows_lie_side_by_side_nothing_is_said_of_stretches():
    alone = stretches(map(window, [finding("a", cut(0, 60)), finding("b", cut(90, 120))]))
    assert in_stretches(2, alone) == ""
