import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdmad.cases import Refusal
from mmdmad.explain import gather
from mmdmad.explain.normal import Normal
from mmdmad.explain.words import draft, fact, number, shown
from mmdmad.files import folder_name
from mmdmad.findings import Evidence, Finding
from mmdmad.parts import Sensor, Text, Video


def check(evidence: Evidence) -> None:
    """Every number, unit and name of a caption is in its facts; the caption is one sentence."""
    words = evidence.caption
    assert words[0].upper() == words[0]
    assert words.endswith((".", "?", "”."))
    for f in sorted((f for f in evidence.facts if isinstance(f.value, str)), key=lambda f: -len(str(f.value))):
        words = words.replace(str(f.value), " ")
    allowed = {number(f.value) for f in evidence.facts if not isinstance(f.value, str)}
    for f in evidence.facts:
        if not isinstance(f.value, str) and f.unit:
            words = words.replace(f" {shown(f)}", " ")
    for found in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", words):
        assert found in allowed, (found, evidence.caption)


def _with_sensor(samples, kind: str) -> dict:
    found = samples.signals(1000)
    values = found["sensor"].values.copy()
    if kind == "spike":
        values[80:82, 1] += 1.3
    elif kind == "dropout":
        values[90:120, 1] = np.nan
    elif kind == "zero":
        values[90:130, 1] = 0
    elif kind == "frozen":
        values[70:120, 0] = values[70, 0]
    elif kind == "drift":
        values[50:, 2] += np.linspace(0, 0.2, 150)
    elif kind == "shift":
        values[60:140, 1] += 1
    elif kind == "noise":
        values[60:140, 1] += np.random.default_rng(0).normal(0, 0.8, 80)
    return {**found, "sensor": Sensor(values, found["sensor"].times, samples.CHANNELS, samples.UNITS, None)}


JUDGEMENTS = {
    "normal": lambda s: s.judgement(p_value=0.6),
    "no verdict": lambda s: s.judgement(size=20),
    "image": lambda s: s.judgement(hot={"image": [0, 1, 12, 95]}),
    "nothing hot": lambda s: s.judgement(p=dict.fromkeys(("image", "text", "video", "sensor"), 0.003)),
    "text": lambda s: s.judgement(
        hot={"text": [1]}, found={**s.signals(1), "text": Text("unit 4 leaves\nfire {0} at 77.5 °C!\nall fine")}
    ),
    "new words": lambda s: s.judgement(
        p={"text": 0.002}, found={**s.signals(1), "text": Text("bearing hot\n\nsmoke at unit 9\nunit 3 leaves")}
    ),
    "video": lambda s: s.judgement(hot={"video": [16, 17, 35]}, found={**s.signals(3), "video": s.video(3, -3.0)}),
    "still video": lambda s: s.judgement(hot={"video": [16]}, found={**s.signals(3), "video": s.video(3, 0.0)}),
    "fast video": lambda s: s.judgement(hot={"video": [5]}, found={**s.signals(3), "video": s.video(3, 6.0)}),
    "odd": lambda s: s.judgement(odd="image", embeddings={"image": s.embedding(1, "B")}),
    "odd without groups": lambda s: s.judgement(odd="text"),
    "refused": lambda s: s.judgement(refused=(Refusal("c-017", "video", "no frames: 0 bytes", 3),)),
    "image only": lambda s: s.judgement(found={"image": s.image(4)}),
    "odd id": lambda s: s.judgement("case 12/34 <b>{x}</b>", hot={"sensor": [3]}),
    **{
        k: (lambda s, k=k: s.judgement(hot={"sensor": [3, 20, 40]}, found=_with_sensor(s, k)))
        for k in ("spike", "dropout", "zero", "frozen", "drift", "shift", "noise", "nothing")
    },
}


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_captions_say_only_what_their_facts_hold(samples, normals, name, tmp_path):
    judgement = JUDGEMENTS[name](samples)
    evidence = gather(judgement, normals, tmp_path / "artifacts")
    assert [e.id for e in evidence] == [f"E{i}" for i in range(1, len(evidence) + 1)]
    assert evidence[0].kind == "verdict"
    assert sum(e.kind == "part" for e in evidence) == len(judgement.parts)
    for e in evidence:
        check(e)
        if e.artifact is not None:
            with Image.open(tmp_path / e.artifact) as picture:
                assert picture.width > 100
    assert Finding.model_validate_json(judgement.finding(evidence).model_dump_json()) == judgement.finding(evidence)


def test_verdict_states_the_guarantee(samples, normals):
    verdict = gather(samples.judgement(), normals, None)[0]
    assert verdict.caption == (
        "Case c-017 (group A, 2026-03-03 08:15:20 UTC) is flagged as anomalous with joint p-value 0.004, at a "
        "declared false-alarm rate of 1 % (210 calibration cases of this pattern; 95 % interval 0.2 % to 2.9 %)."
    )
    values = {f.name: (f.value, f.unit) for f in verdict.facts}
    assert values["declared false-alarm rate"] == (1.0, "%")
    assert values["interval high"] == (2.9, "%")


@pytest.mark.parametrize(
    ("kind", "event", "channel"),
    [
        ("spike", "spike", "current"),
        ("dropout", "dropout", "current"),
        ("zero", "dropout", "current"),
        ("frozen", "frozen", "vibration"),
        ("drift", "drift", "speed"),
        ("shift", "level shift", "current"),
        ("noise", "noise burst", "current"),
    ],
)
def test_sensor_evidence_names_channel_and_event(samples, normals, kind, event, channel):
    judgement = samples.judgement(hot={"sensor": [15]}, found=_with_sensor(samples, kind))
    said = [{f.name: f.value for f in e.facts} for e in gather(judgement, normals, None) if e.kind == "channel"]
    assert (said[0]["channel"], said[0]["event"]) == (channel, event)


@pytest.mark.parametrize(("sign", "word"), [(1, "up"), (-1, "down")])
def test_sensor_evidence_says_where_a_drift_goes(samples, normals, sign, word):
    found = samples.signals(1000)
    values = found["sensor"].values.copy()
    values[50:, 2] += sign * np.linspace(0, 0.2, 150)
    table = Sensor(values, found["sensor"].times, samples.CHANNELS, samples.UNITS, None)
    judgement = samples.judgement(hot={"sensor": [40]}, found={**found, "sensor": table})
    drift = next(e for e in gather(judgement, normals, None) if "drifts" in e.caption)
    facts = {f.name: f.value for f in drift.facts}
    assert facts["direction"] == word
    assert f"Channel speed drifts {word} by" in drift.caption
    assert facts["rise"] == pytest.approx(0.2, abs=0.05)
    assert facts["last value"] == pytest.approx(0.4 + sign * 0.2, abs=0.05)


@pytest.mark.parametrize(("sign", "word"), [(1, "up"), (-1, "down")])
def test_sensor_evidence_says_when_and_where_a_spike_goes(samples, normals, sign, word):
    found = samples.signals(1000)
    values = found["sensor"].values.copy()
    values[80:82, 1] += sign * 1.3
    table = Sensor(values, found["sensor"].times, samples.CHANNELS, samples.UNITS, None)
    judgement = samples.judgement(hot={"sensor": [20]}, found={**found, "sensor": table})
    spike = next(e for e in gather(judgement, normals, None) if "spikes" in e.caption)
    facts = {f.name: f.value for f in spike.facts}
    assert facts["direction"] == word
    assert facts["time"] in (1.6, 1.62)  # rows 80 and 81 at 50 a second
    assert facts["jump"] == pytest.approx(1.3, abs=0.2)
    assert facts["value"] == pytest.approx(values[80:82, 1].mean(), abs=0.1)


def test_sensor_that_stands_out_only_as_a_whole_says_its_least_usual_time(samples, normals):
    judgement = samples.judgement(p={"sensor": 0.003})
    (span,) = [e for e in gather(judgement, normals, None) if e.part == "sensor" and e.kind in ("span", "channel")]
    assert span.caption.startswith("No single channel stands out; the least usual time is ")
    times = {f.name: float(f.value) for f in span.facts}
    assert 0 <= times["start"] <= times["stop"] <= judgement.signals["sensor"].times[-1]


def test_image_evidence_names_the_place_and_box(samples, normals):
    evidence = gather(samples.judgement(hot={"image": [10, 11]}), normals, None)
    (region,) = [e for e in evidence if e.kind == "region"]
    facts = {f.name: f.value for f in region.facts}
    assert facts["place"] == "upper right"
    assert (facts["left"], facts["top"], facts["right"], facts["bottom"]) == (80, 0, 96, 8)


def test_text_evidence_gives_offsets_and_new_words(samples, normals):
    text = "unit 4 leaves\nfire at station 3\nall fine"
    judgement = samples.judgement(hot={"text": [1]}, found={**samples.signals(1), "text": Text(text)})
    words = next(e for e in gather(judgement, normals, None) if e.kind == "words")
    facts = {f.name: f.value for f in words.facts}
    assert text[facts["first character"] : facts["last character"] + 1] == "fire at station 3" == facts["quote"]
    assert facts["line"] == 2
    assert facts["never seen"] == "“fire”"


def test_video_evidence_measures_a_reversed_movement(samples, normals):
    judgement = samples.judgement(hot={"video": [21]}, found={**samples.signals(1), "video": samples.video(1, -3.0)})
    said = [e for e in gather(judgement, normals, None) if e.kind == "frames"]
    facts = {f.name: f.value for f in said[0].facts}
    assert (facts["start"], facts["stop"]) == (0.5, 1.0)
    facts = {f.name: f.value for f in said[1].facts}
    assert (facts["direction"], facts["normal direction"]) == ("left", "right")


def test_contradiction_names_the_groups_that_each_side_looks_like(samples, normals):
    judgement = samples.judgement(odd="image", embeddings={"image": samples.embedding(1, "B")})
    said = [e for e in gather(judgement, normals, None) if e.kind == "contradiction"]
    facts = {f.name: f.value for f in said[0].facts}
    assert (facts["group of the part"], facts["group of the others"]) == ("B", "A")
    assert facts["others"] == "text, sensor and video"


def test_missing_and_refused_parts_are_said(samples, normals):
    found = samples.signals(5)
    del found["video"], found["text"]
    refused = (Refusal("c-017", "text", "not UTF-8 at byte 3", 7),)
    missing = [e for e in gather(samples.judgement(found=found, refused=refused), normals, None) if e.kind == "missing"]
    assert [e.part for e in missing] == ["text", "video"]
    assert "not UTF-8 at byte 3" in missing[0].caption
    assert "60 of 60" in missing[1].caption


def test_neighbours_are_the_nearest_normal_cases(samples, normals):
    near = normals.nearest("image", samples.embedding(24, "A"))
    assert near.ids[0] == "n-024"
    assert near.distances[0] == pytest.approx(0, abs=1e-4)
    assert set(near.groups) == {"A"}


def test_normal_saved_and_loaded_says_the_same(samples, normals, tmp_path):
    normals.save(tmp_path)
    again = Normal.load(tmp_path)
    judgement = samples.judgement(hot={"sensor": [3], "image": [4], "video": [5], "text": [0]}, odd="image")
    assert gather(judgement, again, None) == gather(judgement, normals, None)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["normal.json", "normal.safetensors"]


def test_pictures_are_bit_equal_when_made_again(samples, normals, tmp_path):
    judgement = samples.judgement(hot={"sensor": [3], "image": [4], "video": [5]})
    first = gather(judgement, normals, tmp_path / "a" / "artifacts")
    second = gather(judgement, normals, tmp_path / "b" / "artifacts")
    assert first == second
    for name in {e.artifact for e in first if e.artifact}:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_quiet_cases_get_no_pictures(samples, normals, tmp_path):
    evidence = gather(samples.judgement(p_value=0.6), normals, tmp_path / "artifacts")
    assert not any(e.artifact for e in evidence)
    assert not (tmp_path / "artifacts").exists()


def test_marked_text_is_stored_beside(samples, normals, tmp_path):
    judgement = samples.judgement("Ω/../x", hot={"text": [1]})
    gather(judgement, normals, tmp_path / "artifacts")
    stored = json.loads((tmp_path / "artifacts" / folder_name("Ω/../x") / "text.json").read_text())
    assert stored["text"] == judgement.signals["text"].text
    hot = [s for s in stored["spans"] if s["heat"] > 1]
    assert len(hot) == 1


@pytest.mark.parametrize(
    "case_id", ["../../etc", "a/b", "CON", "con", "Ab", "ab", ".", "", "x" * 300, "é", "e\u0301", "a\x00b", "\udcff"]
)
def test_folder_names_are_safe_and_differ(case_id, tmp_path):
    name = folder_name(case_id)
    assert re.fullmatch(r"[a-z0-9~_-]{1,100}", name)
    folder = tmp_path / name
    folder.mkdir()
    assert folder.resolve().parent == tmp_path.resolve()


def test_folder_names_do_not_clash():
    ids = ["a", "A", "a ", "a/", "é", "e", "a~1", "", " ", "con", "CON"]
    assert len({folder_name(i) for i in ids}) == len(ids)


def test_braces_in_a_case_are_not_a_template():
    made = draft("words", "text", "it says {quote}.", [fact("quote", "{p} {0.__class__}")])
    assert made.caption == "It says {p} {0.__class__}."


def test_facts_are_rounded_as_they_are_said():
    assert fact("x", 0.0123456).value == 0.0123
    assert shown(fact("x", 1 / 3, "A")) == "0.333 A"
    with pytest.raises(ValueError, match="cannot be stated"):
        fact("x", float("nan"))


def test_video_of_one_frame(samples, normals):
    clip = Video.from_array(np.zeros((1, 8, 8, 3), np.uint8), 5)
    evidence = gather(samples.judgement(hot={"video": [0]}, found={**samples.signals(1), "video": clip}), normals, None)
    for e in evidence:
        check(e)


def test_nothing_is_written_outside_the_artifact_folder(samples, normals, tmp_path):
    gather(samples.judgement("../../escape"), normals, tmp_path / "run" / "artifacts")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    assert all(isinstance(p, Path) for p in (tmp_path / "run").rglob("*"))


@pytest.mark.parametrize("hot", [(), (0, 1, 12)])
@pytest.mark.parametrize("odd", [False, True])
def test_that_no_place_stands_out_is_said_only_where_nothing_else_is(samples, normals, hot, odd):
    from dataclasses import replace

    made = samples.judgement(p={"image": 0.003}, hot={"image": list(hot)})
    views = {"look": (3.0, 1.0)} if odd else {}
    parts = {**made.parts, "image": replace(made.parts["image"], views=views)}
    found = [e for e in gather(replace(made, parts=parts), normals, None) if e.part == "image"]
    kinds = [e.kind for e in found if e.kind in ("region", "whole")]
    assert kinds == (["region"] if hot or not odd else []) + (["whole"] if odd else [])
    if odd and not hot:
        assert "has another look" in next(e for e in found if e.kind == "whole").caption
