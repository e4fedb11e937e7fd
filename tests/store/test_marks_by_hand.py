"""Cases as JSON and the marks of their files, configurations compared, and findings as flat rows, word by word."""

import hashlib
import json
import os
import platform
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from mmdmad.cases import Case, Part
from mmdmad.errors import RunError
from mmdmad.finding_table import SUFFIXES, cell, columns, export, flat
from mmdmad.findings import Explanation, Sentence
from mmdmad.parts import Text, content_key
from mmdmad.store import again, serial, setup
from mmdmad.store.setup import differences, read_settings, versions

WHEN = datetime(2026, 3, 1, 6, tzinfo=UTC)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    (tmp_path / "t.csv").write_text("a\n1\n2\n3\n")
    table = Part("sensor", tmp_path / "x" / ".." / "t.csv", start=1, stop=3, rate=50.0, row=7)
    (tmp_path / "x").mkdir()
    parts = {"text": Part("text", value="hello"), "sensor": table, "image": Part("image", value=object())}
    return Case("c", parts, WHEN, 1, "test", "A", 4, "pump.log")


def test_a_case_as_json(case: Case, tmp_path: Path) -> None:
    assert json.loads(serial.case_to_json(case)) == {
        "id": "c", "time": "2026-03-01T06:00:00+00:00", "label": 1, "split": "test", "group": "A", "row": 4,
        "recording": "pump.log",
        "parts": {
            "text": {"path": None, "start": None, "stop": None, "rate": None, "text": "hello", "row": None},
            "sensor": {"path": str(tmp_path / "t.csv"), "start": 1, "stop": 3, "rate": 50.0, "text": None, "row": 7},
            "image": {"path": None, "start": None, "stop": None, "rate": None, "text": None, "row": None},
        },
    }  # fmt: skip
    assert json.loads(serial.case_to_json(Case("d", {"text": Part("text", value=Text("read"))})))["parts"]["text"][
        "text"
    ] == "read"  # fmt: skip
    back = serial.case_from_json("c", serial.case_to_json(case))
    assert (back.id, back.time, back.label, back.split, back.group, back.row, back.recording) == (
        "c", WHEN, 1, "test", "A", 4, "pump.log",
    )  # fmt: skip
    assert set(back.parts) == {"text", "sensor"}  # what was only in memory cannot be read again
    table = back.parts["sensor"]
    assert (table.path, table.start, table.stop, table.rate) == (tmp_path / "t.csv", 1, 3, 50.0)
    assert (table.case_id, table.row, table.modality, table.value) == ("c", 7, "sensor", None)
    assert (back.parts["text"].value, back.parts["text"].path) == ("hello", None)
    assert serial.case_from_json("d", serial.case_to_json(Case("d", {}))).time is None
    for damaged in ("{", "[]", "{}", '{"id": 1, "parts": []}', '{"id": "c", "parts": {"text": {}}}', "[" * 100_000):
        with pytest.raises(RunError, match="what is stored of the files of case 'c' is damaged"):
            serial.case_from_json("c", damaged)


def test_the_stamp_of_a_case(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    os.utime(file, ns=(5, 7_000))
    case = replace(case, parts={m: p for m, p in case.parts.items() if m != "image"})
    table = ["sensor", 1, 3, 50.0, str(file), 8]
    text = ["text", None, None, None, content_key(case.parts["text"])]
    head = ["c", "A", 1, "2026-03-01 06:00:00+00:00"]
    assert json.loads(serial.stamp(case)) == [*head, [[*table, 7_000], text]]
    assert json.loads(serial.stamp(case, times=False)) == [*head, [table, text]]
    assert serial.places(case) == [("sensor", str(file), 1, 3), ("text", None, None, None)]
    marks = [["sensor", 1, 3, 50.0, content_key(case.parts["sensor"])], text]
    assert serial.content(case) == hashlib.sha256(json.dumps([*head, marks]).encode()).hexdigest()
    digest = hashlib.sha256()
    for one in (case, replace(case, id="d")):
        digest.update(serial.stamp(one, times=False).encode() + b"\n")
    assert serial.fingerprint([case, replace(case, id="d")]) == digest.hexdigest()
    file.unlink()
    assert json.loads(serial.stamp(case)) == [*head, [table[:-1], text]]
    broken = serial._content(Part("text", tmp_path / "nothing.txt"))
    assert broken.startswith("unreadable: ")


def test_how_a_case_stands_to_what_was_judged_under_its_id(made, tmp_path: Path) -> None:
    file, other = tmp_path / "a.txt", tmp_path / "b.txt"
    file.write_text("first")
    case = Case("a", {"text": Part("text", file)}, WHEN, 0, group="A")
    content, source = serial.content(case), serial.case_to_json(case)
    found = made.finding("a", 0.0123)
    stands = lambda given, before=found: again.standing(given, before, content, source)  # noqa: E731
    assert stands(case) == "same"
    assert stands(case, made.finding("a", parts=())) == "new"
    for change in ({"time": None}, {"group": "B"}, {"label": 1}, {"time": None, "group": None, "label": None}):
        assert stands(replace(case, **change)) == "relabelled"
    file.write_text("second")
    assert stands(case) == "changed"
    assert stands(replace(case, label=1)) == "changed"
    other.write_text("second")
    moved = replace(case, parts={"text": Part("text", other)}, row=9)
    assert stands(moved) == "other"
    reason = again.used_again(moved, found, "other")
    assert (reason.case_id, reason.part, reason.row) == ("a", "case", 9)
    assert reason.reason.startswith(
        "the id was judged before (anomalous, p = 0.0123) from other files; that finding is kept: give the new case "
    )
    assert "from other content; that" in again.used_again(moved, found, "changed").reason
    assert again.twice(moved).row == 9
    assert again.twice(moved).reason == "two cases of this id were given, with other content; give each its own id"


def test_a_withdrawn_verdict(made) -> None:
    before = made.finding("a", 0.0123, 7.5, simulated=True, evidence=(made.evidence(1, "part"),))
    case = Case("a", {}, WHEN, 1, group="B", row=3)
    found = again.withdrawn(before, case, "it is empty")
    assert (found.case_id, found.time, found.group, found.label) == ("a", WHEN, "B", 1)
    assert (found.verdict, found.score, found.p_value, found.parts) == ("no verdict", 0.0, 1.0, ())
    assert (found.refused, found.simulated, found.contradictions) == (("case: it is empty",), True, ())
    assert found.guarantee == before.guarantee.model_copy(
        update={
            "valid": False, "note": "its files were replaced since it was judged, and cannot be used: it is empty",
        }
    )  # fmt: skip
    (one,) = found.evidence
    assert (one.id, one.kind, one.part) == ("E1", "verdict", None)
    assert one.caption == (
        "Case a has no verdict: its files were replaced since, and cannot be used (it is empty). "
        "It was judged anomalous before, with joint p-value 0.0123."
    )
    assert [(f.name, f.value) for f in one.facts] == [
        ("case", "a"), ("verdict", "no verdict"), ("verdict before", "anomalous"), ("p-value", 0.0123),
        ("reason", "it is empty"),
    ]  # fmt: skip
    assert not again.withdrawn(made.finding("a"), case, "x").simulated
    lost = made.finding("a", refused=("text: blank", "image: torn", "sensor: odd"))
    both = made.finding("a", parts=(made.part("text"), made.part("sensor")))
    assert again.lost_parts(both, lost) == "text: blank; sensor: odd"
    assert again.lost_parts(made.finding("a", parts=()), lost) == ""


def test_where_two_configurations_differ() -> None:
    ours = {"a": {"b": 1, "c": [1, 2]}, "d": {}, "e": (1,), "f": None}
    assert differences(ours, {"a": {"b": 1, "c": [1, 2]}, "d": {}, "e": [1], "f": None}) == []
    assert differences(ours, {"a": {"b": 2, "c": [2, 1]}, "d": {"x": 1}, "g": "h"}) == [
        "a.b: 1 there, 2 given", "a.c: [1, 2] there, [2, 1] given", "d: {} there, None given",
        "d.x: None there, 1 given", "e: [1] there, None given", "g: None there, 'h' given",
    ]  # fmt: skip
    assert differences({1: {2: "x"}}, {1: {2: "y"}}) == ["1.2: 'x' there, 'y' given"]


def test_versions_of_what_numbers_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == version("numpy")
    assert next(iter(found)) == "python"
    assert set(found) <= {"python", *setup.PACKAGES}
    monkeypatch.setattr(setup, "PACKAGES", ("no-such-package-at-all", "numpy"))
    assert versions() == {"python": platform.python_version(), "numpy": version("numpy")}


SETTINGS = {"config": {}, "versions": {"python": "3"}, "created": "2026"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "cannot be read"), ("[]", r"cannot be read \(: Input should be"),
        ('{"config": {}, "versions": {}}', r"\(created: Field required\)"),
        ('{"config": [], "versions": {}, "created": ""}', r"\(config: Input should be a valid dictionary\)"),
        ('{"config": {}, "versions": {"a": 1}, "created": ""}', r"\(versions\.a: Input should be a valid string\)"),
        ('{"config": {}, "config": {}}', "stands twice"), ("[" * 100_000, "cannot be read"),
    ],
)  # fmt: skip
def test_settings_that_are_none(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(RunError, match=told) as why:
        read_settings(tmp_path / "config.json")
    assert str(why.value).endswith("restore it from a copy, or start a new run")


def test_settings_that_are_sound(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    for given in (SETTINGS, {**SETTINGS, "format": 3}, {**SETTINGS, "more": [1]}):
        file.write_text(json.dumps(given))
        assert read_settings(file) == given
    assert setup.MAX_BYTES == 4 * 1024 * 1024
    text = json.dumps(SETTINGS)
    file.write_text(text + " " * (setup.MAX_BYTES - len(text)))
    assert read_settings(file) == SETTINGS
    file.write_text(text + " " * (setup.MAX_BYTES - len(text) + 1))
    with pytest.raises(RunError, match="it has more than 4194304 bytes"):
        read_settings(file)
    with pytest.raises(RunError, match=r"\(No such file or directory\)"):
        read_settings(tmp_path / "nothing.json")


def test_a_finding_as_one_flat_row(made) -> None:
    words = Explanation(
        sentences=(Sentence(text="It spikes.", cites=("E1",), grounded=True),), faithfulness=1.0, llm="o", prompt="p"
    )
    one = made.finding(
        "a", 0.03, 4.5, parts=(made.part("text", 0.2, 3.0, 7.0), made.part("image", 0.1, 2.0)), group="A", label=1,
        contradictions=tuple(made.contradiction(m, p) for m, p in (("text", 0.3), ("image", 0.2), ("video", 0.25))),
        time="2026-04-01T06:00:00+02:00", refused=("video: torn", "sensor: odd"), explanation=words, simulated=True,
    )  # fmt: skip
    assert {name: value for name, value in flat(one).items() if value is not None} == {
        "case_id": "a", "time": "2026-04-01T06:00:00+02:00", "group": "A", "label": 1, "verdict": "anomalous",
        "p_value": 0.03, "score": 4.5, "false_alarm_rate": 0.1, "calibration_size": 99, "image_p_value": 0.1,
        "image_share": 2.0, "image_score": 2.0, "text_p_value": 0.2, "text_share": 3.0, "text_score": 7.0,
        "contradiction": "image", "contradiction_p_value": 0.2, "explanation": "It spikes. [E1]",
        "refused": "video: torn; sensor: odd", "simulated": True,
    }  # fmt: skip
    head = columns()
    assert list(flat(one)) == head
    assert head[:9] == [
        "case_id", "time", "group", "label", "verdict", "p_value", "score", "false_alarm_rate", "calibration_size",
    ]  # fmt: skip
    assert head[9:12] == ["image_p_value", "image_share", "image_score"]
    assert head[-8:] == [
        "contradiction", "contradiction_p_value", "recording_p_value", "whole_recording_p_value", "decided_by",
        "explanation", "refused", "simulated",
    ]  # fmt: skip
    assert columns(["smell"])[-11:-8] == ["smell_p_value", "smell_share", "smell_score"]
    plain = flat(made.finding("b"))
    assert (plain["time"], plain["explanation"], plain["refused"], plain["contradiction"]) == (None, None, "", None)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1-1", "@SUM(A1)", "\t=1", " =1", "\ufeff=1", "\u200b@x", "＝1", "\tx", "\rx", "\nx", "-"]
)
def test_texts_that_a_spreadsheet_would_run_are_quoted(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("value", ["-5", "+5.25", "1e5", "-1.5E-7", "a=1", "'=1", "", "x\t=1", -0.5, None, True, 7])
def test_numbers_and_plain_texts_stay_as_they_are(value: object) -> None:
    assert cell(value) == value
    assert type(cell(value)) is type(value)


def test_tables_are_written_whole(made, tmp_path: Path) -> None:
    assert SUFFIXES == (".parquet", ".csv", ".jsonl")
    found = [made.finding("=a", group="x,y"), made.finding("b", 0.05, time="2026-04-01T06:00:00")]
    lines = export(found, tmp_path / "t.csv").read_bytes().decode("utf-8").split("\r\n")
    assert lines[0].startswith('"case_id","time","group"')
    assert lines[1].startswith('"\'=a","","x,y","","normal",0.5,1.0,0.1,99,')
    assert lines[2].startswith('"b","2026-04-01T06:00:00","","","anomalous",0.05')
    assert len(lines) == 4
    text = export(found, tmp_path / "t.jsonl").read_text("utf-8")
    assert text == "".join(f.model_dump_json() + "\n" for f in found)
    with pytest.raises(RunError, match=r"t\.xlsx: tables are written as \.parquet, \.csv, \.jsonl"):
        export(found, tmp_path / "t.xlsx")
