"""A modality of another distribution goes all the way: read, fitted, scored, told, reported, asked about, exported.

`toyaudio` is its own file, its reader and its encoder; nothing in mmdmad knows it.
"""

import csv
import json
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.encoders import base as encoders
from mmdmad.manifest import read_cases
from mmdmad.modalities import base as modalities
from mmdmad.parts import content_key, read
from mmdmad.reasons import main_reason, missing
from mmdmad.report import write_report
from mmdmad.store.run import Run

RATE = 8000
CONFIG = {
    "parts": {
        "audio": {"encoder": "auto", "detector": "gaussian-diffusion", "detector_params": {"top": 0.1}},
        "sensor": {"encoder": "windows", "detector": "gaussian-diffusion"},
    },
    "joint": {"dims": 2, "width": 16, "steps": 60, "batch": 64, "levels": 4, "draws": 2},
    "false_alarm_rate": 0.05,
}


@pytest.fixture(scope="module", autouse=True)
def toy():
    """The toy in the registries, for this file alone."""
    encoders.encoders()
    modalities.modalities()
    sys.path.insert(0, str(Path(__file__).parent))
    import toyaudio.audio
    import toyaudio.encoder

    yield toyaudio
    modalities._REGISTRY.remove("audio")
    encoders._REGISTRY.remove("toy-spectrum")
    sys.path.remove(str(Path(__file__).parent))
    for name in [m for m in sys.modules if m.split(".")[0] == "toyaudio"]:
        del sys.modules[name]


def write_sound(path: Path, rng: np.random.Generator, odd: bool) -> None:
    time = np.arange(RATE // 2) / RATE
    samples = 0.2 * np.sin(2 * np.pi * 440 * time + rng.uniform(0, 6)) + rng.normal(0, 0.02, len(time))
    if odd:  # a hiss from 0.2 to 0.3 s
        samples[1600:2400] += rng.normal(0, 0.25, 800)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """120 normal cases and eight to judge: two with a hiss, one without a sound, one with a broken file."""
    folder, rng = tmp_path_factory.mktemp("line"), np.random.default_rng(0)
    rows = ["id,audio,sensor,split"]
    for i in range(128):
        split, odd = ("train", False) if i < 120 else ("test", i in (121, 124))
        name = f"{split}-{i:03d}"
        write_sound(folder / f"{name}.wav", rng, odd)
        table = np.column_stack([np.arange(40) / 10, rng.normal(5, 1) + rng.normal(0, 0.1, 40)])
        np.savetxt(folder / f"{name}.csv", table, "%.4f", ",", header="time,load [A]", comments="")
        rows.append(f"{name},{'' if i == 126 else f'{name}.wav'},{name}.csv,{split}")
    (folder / "test-127.wav").write_bytes(b"RIFF, but no sound")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(line, tmp_path_factory):
    made = Run.create(tmp_path_factory.mktemp("toy") / "run", CONFIG)
    cases = read_cases(line / "manifest.csv")
    made.fit(cases.where(split="train"))
    made.score(cases.where(split="test"))
    yield made
    made.close()


def ask(run: Run, question: str) -> str:
    from mmdmad.agents.investigator import Investigator

    investigator = Investigator(run, thread=question, folder=run.path.parent)
    try:
        return investigator.ask(question).text
    finally:
        investigator.close()


def test_a_manifest_and_a_folder_name_sounds(line):
    cases = read_cases(line / "manifest.csv")
    assert len(cases) == 128
    assert cases[0].pattern == ("sensor", "audio")  # those of mmdmad first
    assert read(cases[0].parts["audio"]).rate == RATE
    (line / "alone").mkdir()
    (line / "alone" / "a.wav").write_bytes((line / "train-000.wav").read_bytes())
    (found,) = read_cases(line / "alone")
    assert found.pattern == ("audio",)
    assert content_key(found.parts["audio"]) == content_key(cases[0].parts["audio"])


def test_sounds_in_memory_are_told_apart(line):
    sounds = [read(Part("audio", line / f"train-00{i}.wav")) for i in (0, 0, 1)]
    first, same, other = (content_key(Part("audio", value=sound)) for sound in sounds)
    assert first == same != other


def test_odd_sounds_are_flagged_and_told(run):
    flagged = run.findings(verdict="anomalous")
    assert {f.case_id for f in flagged[:2]} == {"test-121", "test-124"}
    for finding in flagged[:2]:
        assert finding.part("audio").p_value == min(p.p_value for p in finding.parts)
        told = next(e for e in finding.evidence if e.part == "audio" and e.kind == "span")
        start, stop = (next(f.value for f in told.facts if f.name == name) for name in ("start", "stop"))
        assert start < 0.26 < stop
        assert "normal sounds have" in told.caption
        assert (run.path / told.artifact).is_file()
    assert [f.case_id for f in run.findings(missing="audio")] == ["test-126", "test-127"]
    assert any("broken" in r.reason or "cannot be decoded" in r.reason for r in run.refusals())
    lacking = next(e for e in run.finding("test-126").evidence if e.kind == "missing")
    assert lacking.caption == "The case has no audio part; 120 of 120 normal cases have one."


def test_parts_that_the_model_never_learned_are_not_called_missing(run):
    assert missing(run.finding("test-126")) == ["audio"]
    assert missing(run.finding("test-125")) == []
    assert run.tally.by("missing") == {"audio": 2}
    assert run.finding("test-126").lacks == ("audio",)
    older = run.finding("test-125").model_copy(update={"lacks": None})
    assert missing(older) == ["image", "text", "video"]


def test_a_loaded_model_says_the_same(run, line):
    case = next(c for c in read_cases(line / "manifest.csv") if c.id == "test-121")
    with_name = Run.open(run.path).model.finding(case, 0.05)
    assert with_name.evidence == tuple(e.model_copy(update={"artifact": None}) for e in run.finding(case.id).evidence)


def test_words_and_pictures_reach_note_and_report(run, tmp_path):
    from mmdmad.agents.explainer import explain

    note = explain(run.finding("test-121"))
    assert note.faithfulness == 1.0
    assert "sound stands out from" in note.text
    page = write_report(run, tmp_path / "report.html").read_text()
    assert "audio: the wave, red where it is unusual" in page
    assert page.count("data:image/png") >= 2
    assert "the sound stands out from" in write_report(run, tmp_path / "report.md").read_text().lower()
    models = json.loads(write_report(run, tmp_path / "report.json").read_text())["models"]
    assert [m["modality"] for m in models] == ["sensor", "audio"]


def test_questions_about_sounds_are_answered(run, line):
    driven = sum(main_reason(f) == "audio" for f in run.findings(verdict="anomalous"))
    assert driven >= 2
    assert f"There are {driven} flagged cases" in ask(run, "How many flagged cases are mainly driven by the sound?")
    assert "test-126" in ask(run, "Which cases lack the audio?")
    assert "sound stands out from" in ask(run, "What is unusual in the noise of test-121?")
    assert "Audio" in ask(run, "Which part of test-124 stands out?") or "audio" in ask(run, "Which part of test-124?")


def test_a_new_sound_is_scored_from_the_chat(run, line):
    (run.path.parent / "new.wav").write_bytes((line / "test-121.wav").read_bytes())
    assert "anomalous" in ask(run, "Score new.wav")


def test_tables_have_columns_for_sounds(run, tmp_path):
    rows = list(csv.DictReader(run.export(tmp_path / "table.csv").open()))
    assert {"audio_p_value", "audio_share", "audio_score", "image_p_value"} <= rows[0].keys()
    assert all((row["audio_p_value"] == "") == (row["case_id"] in ("test-126", "test-127")) for row in rows)
    run.export(tmp_path / "table.parquet")
    (first,) = [json.loads(x) for x in run.export(tmp_path / "t.jsonl").read_text().splitlines() if "test-121" in x]
    assert first["parts"][1]["modality"] == "audio"


def test_what_was_found_stays_readable_where_the_modality_is_not(run, tmp_path, monkeypatch):
    things = dict(modalities._REGISTRY._things)
    things.pop("audio")
    monkeypatch.setattr(modalities._REGISTRY, "_things", things)
    again = Run.open(run.path)
    assert [*again.findings()] == [*run.findings()]
    assert "audio" in write_report(again, tmp_path / "report.html").read_text()
    assert "audio_p_value" in again.export(tmp_path / "table.csv").read_text()
    assert "sound stands out" in ask(again, "Why was test-121 flagged?")
    with pytest.raises(Exception, match="no modality is called 'audio'; there are image, text, sensor, video"):
        _ = again.model
