"""A fitted model is untrusted: damaged, swapped or forged files are refused in one line that names the file."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mmdmad.encoders import base as encoder_registry
from mmdmad.errors import ModelError, NotFittedError
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.model_manifest import verify, write_manifest

RATE = 0.2


@pytest.fixture(scope="module")
def saved(tiny, tmp_path_factory):
    """A model with every kind of file: encoder states, letters, a part as a whole, a joint network."""
    parts = {
        "image": {"encoder": "tiny-image", "detector": "knn", "whole": True},
        "text": {"encoder": "tiny-text", "detector": "dte-np", "letters": True},
        "sensor": {"encoder": "windows", "detector": "gaussian-diffusion"},
        "video": {"encoder": "tiny-video", "detector": "pca"},
    }
    config = tiny.tiny_config(parts=parts, joint={"steps": 20, "width": 16, "levels": 4, "draws": 2, "dims": 3})
    folder = tmp_path_factory.mktemp("saved") / "model"
    JointDetector(config).fit(tiny.tiny_cases(80, 3)).save(folder)
    return folder


@pytest.fixture(scope="module")
def cases(tiny):
    return [tiny.tiny_case(4, 0), tiny.tiny_case(4, 1, spoil="sensor"), tiny.tiny_case(4, 2, spoil="text")]


def scores(folder: Path, cases) -> list[tuple]:
    model = JointDetector.load(folder)
    found = [model.judge(case, RATE) for case in cases]
    return [(j.score, j.p_value, tuple(p.score for p in j.parts.values())) for j in found]


@pytest.fixture(scope="module")
def wanted(saved, cases):
    return scores(saved, cases)


@pytest.fixture
def model(saved, tmp_path):
    return Path(shutil.copytree(saved, tmp_path / "model"))


def forge(folder: Path) -> None:
    """A manifest that agrees with the files as they are now, whatever they hold."""
    listed = json.loads((folder / "manifest.json").read_text())
    for name, entry in listed["files"].items():
        data = (folder / name).read_bytes()
        entry |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        if name.endswith(".safetensors"):
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            header.pop("__metadata__", None)
            entry["arrays"] = {key: [one["dtype"], one["shape"]] for key, one in header.items()}
    (folder / "manifest.json").write_text(json.dumps(listed))


def arrays(file: Path, change: Callable[[dict], None]) -> None:
    held = load_file(file)
    change(held)
    save_file({k: np.ascontiguousarray(v) for k, v in held.items()}, file)


def values(file: Path, change: Callable[[dict], None]) -> None:
    held = json.loads(file.read_text())
    change(held)
    file.write_text(json.dumps(held))


def refused(folder: Path, word: str, cases) -> str:
    """The line with which the model is refused; it names a file and what to do."""
    with pytest.raises(ModelError) as why:
        scores(folder, cases)
    said = str(why.value)
    assert "\n" not in said
    assert word in said, said
    assert "fit again" in said or "move it" in said or "put the file" in said, said
    return said


NAMES = (
    *("pipeline.json", "calibration.json", "normal/normal.json", "normal/normal.safetensors"),
    *("joint/joint.json", "joint/joint.safetensors", "sensor/part.json", "sensor/encoder.safetensors"),
    *("sensor/likeness-0.safetensors", "sensor/detector/config.json", "sensor/detector/model.safetensors"),
    *("text/letters.safetensors", "image/whole/whole.safetensors", "image/likeness-1.safetensors"),
)


def test_the_manifest_lists_every_file_with_hash_types_and_shapes(saved):
    listed = json.loads((saved / "manifest.json").read_text())["files"]
    assert set(listed) == {p.relative_to(saved).as_posix() for p in saved.rglob("*.*")} - {"manifest.json"}
    assert set(listed) >= set(NAMES)
    for name, entry in listed.items():
        assert entry["sha256"] == hashlib.sha256((saved / name).read_bytes()).hexdigest()
        held = load_file(saved / name) if name.endswith(".safetensors") else {}
        assert {key: tuple(shape) for key, (_, shape) in entry["arrays"].items()} == {
            k: v.shape for k, v in held.items()
        }
    assert listed["sensor/likeness-0.safetensors"]["arrays"]["spread"] == ["F64", [1]]


def test_untouched_and_copied_models_score_alike(model, cases, wanted):
    (model / ".DS_Store").write_bytes(b"left by a file browser")
    assert scores(model, cases) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_changed_cut_and_missing_files_are_refused_by_name(model, name, cases):
    whole = (model / name).read_bytes()
    for damaged in (whole[:-7], whole + b" ", b"", bytes([whole[0] ^ 1]) + whole[1:], whole[:-1] + b"\xff"):
        (model / name).write_bytes(damaged)
        refused(model, name, cases)
    (model / name).unlink()
    if name == "pipeline.json":
        with pytest.raises(NotFittedError, match=r"pipeline\.json"):
            JointDetector.load(model)
    else:
        refused(model, name, cases)


def test_a_file_of_other_types_or_shapes_is_named_with_them(model):
    arrays(model / "sensor/likeness-0.safetensors", lambda held: held.update(spread=held["spread"].astype(np.float32)))
    forged = json.loads((model / "manifest.json").read_text())
    wanted = forged["files"]["sensor/likeness-0.safetensors"]["arrays"]
    forge(model)
    listed = json.loads((model / "manifest.json").read_text())
    listed["files"]["sensor/likeness-0.safetensors"]["arrays"] = wanted
    (model / "manifest.json").write_text(json.dumps(listed))
    with pytest.raises(ModelError, match=r"likeness-0.safetensors: spread is \('F32', \(1,\)\); the manifest says"):
        verify(model)


def test_files_that_belong_to_no_model_are_refused(model, cases):
    (model / "sensor" / "extra.json").write_text("{}")
    refused(model, "extra.json", cases)
    (model / "sensor" / "extra.json").unlink()
    shutil.copy(model / "image/likeness-0.safetensors", model / "sensor/likeness-1.safetensors")
    refused(model, "sensor/likeness-1.safetensors", cases)


def test_a_model_without_a_manifest_or_with_a_damaged_one_is_refused(model, cases):
    for text in ("", "{", "[]", '{"files": {"pipeline.json": {"sha256": "x", "bytes": 1}}}', '{"files": {}}', "\udcff"):
        (model / "manifest.json").write_text(text, errors="surrogateescape")
        refused(model, "", cases)
    (model / "manifest.json").unlink()
    refused(model, "manifest.json", cases)


def test_links_lead_nowhere(model, cases, tmp_path):
    shutil.move(model / "sensor" / "detector", tmp_path / "elsewhere")
    (model / "sensor" / "detector").symlink_to(tmp_path / "elsewhere")
    refused(model, "detector", cases)
    (model / "sensor" / "detector").unlink()
    shutil.move(tmp_path / "elsewhere", model / "sensor" / "detector")
    shutil.move(model / "calibration.json", tmp_path / "calibration.json")
    (model / "calibration.json").symlink_to(tmp_path / "calibration.json")
    refused(model, "calibration.json", cases)


def test_pipes_are_not_waited_for(model, cases):
    (model / "manifest.json").unlink()
    os.mkfifo(model / "manifest.json")
    refused(model, "manifest.json", cases)


@pytest.mark.parametrize(
    "modalities", [["../../x"], ["/etc"], ["sensor", "sensor"], [], ["audio"], ["text/../sensor"], "sensor", [3]]
)
def test_modalities_are_names_and_never_paths(model, modalities, cases):
    values(model / "pipeline.json", lambda held: held.update(modalities=modalities))
    forge(model)
    refused(model, "pipeline.json", cases)


def every_array(saved: Path, step: int) -> list[tuple[Path, str, np.ndarray]]:
    """File, name and content of every `step`-th array of a model."""
    found = [
        (file.relative_to(saved), key, array)
        for file in sorted(saved.rglob("*.safetensors"))
        for key, array in sorted(load_file(file).items())
    ]
    return found[::step]


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_numbers_that_are_not_finite_are_refused_in_every_array(model, cases, saved, step):
    tried = 0
    for name, key, array in every_array(saved, step):
        if array.dtype.kind != "f" or not array.size:
            continue
        bad = array.copy()
        bad.reshape(-1)[-1] = (np.nan, np.inf)[tried % 2]
        arrays(model / name, lambda held, key=key, bad=bad: held.update({key: bad}))
        forge(model)
        assert key in refused(model, str(name), cases)
        shutil.copy(saved / name, model / name)
        tried += 1
    assert tried > 60 / step


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_arrays_of_other_shapes_are_refused_or_do_not_matter(model, cases, saved, step):
    """Never an error of another kind, and never a score that is not a number."""
    for name, key, array in every_array(saved, step):
        for other in (array[: len(array) // 2], np.zeros((0, *array.shape[1:]), array.dtype), array.reshape(-1)):
            if other.shape == array.shape:
                continue
            arrays(model / name, lambda held, key=key, other=other: held.update({key: other}))
            forge(model)
            with contextlib.suppress(ModelError):
                assert np.isfinite([found[:2] for found in scores(model, cases[:1])]).all()
            shutil.copy(saved / name, model / name)


OUT_OF_RANGE = [
    ("sensor/likeness-0.safetensors", lambda h: h.update(spread=np.zeros(1))),
    ("sensor/likeness-0.safetensors", lambda h: h.update(sizes=np.array([0, 15, 12, 1]))),
    ("sensor/likeness-0.safetensors", lambda h: h.update(sizes=np.array([10, 15, 12, 7]))),
    ("sensor/likeness-0.safetensors", lambda h: h.update({"whitener.scale": -h["whitener.scale"] - 1})),
    ("sensor/likeness-0.safetensors", lambda h: [h.update({k: np.zeros_like(v)}) for k, v in list(h.items())]),
    ("joint/joint.safetensors", lambda h: h.update({"image.components": 0 * h["image.components"]})),
    ("joint/joint.safetensors", lambda h: h.pop("text.mean")),
    ("sensor/encoder.safetensors", lambda h: h.update(scale=-h["scale"])),
    ("sensor/encoder.safetensors", lambda h: h.update(joint_scale=0 * h["joint_scale"])),
    ("sensor/detector/model.safetensors", lambda h: h.update({"space.scale": 0 * h["space.scale"]})),
    ("text/detector/model.safetensors", lambda h: h.update({"memory.row": h["memory.row"] + 10**6})),
    ("text/letters.safetensors", lambda h: h.update(indices=h["indices"] + 10**6)),
    ("text/letters.safetensors", lambda h: h.update(indptr=h["indptr"][::-1].copy())),
    ("text/letters.safetensors", lambda h: h.update(weight=-h["weight"])),
    ("image/whole/whole.safetensors", lambda h: h.update(scale=-h["scale"] - 1)),
    ("normal/normal.safetensors", lambda h: h.update({"sensor.0": h["sensor.0"][:, ::-1].copy()})),
]


@pytest.mark.parametrize(("name", "change"), OUT_OF_RANGE)
def test_arrays_out_of_their_range_are_refused(model, name, change, cases):
    arrays(model / name, change)
    forge(model)
    refused(model, name, cases)


def deep(path: str, value: object) -> Callable[[dict], None]:
    """Sets the value at a path such as "tails.part:sensor.0"."""

    def change(held: dict) -> None:
        *way, last = path.split("/")
        for step in way:
            held = held[int(step) if isinstance(held, list) else step]
        held[int(last) if isinstance(held, list) else last] = value

    return change


WRONG_VALUES = [
    ("calibration.json", deep("tails", {})),
    ("calibration.json", deep("extra", 1)),
    ("calibration.json", deep("scores/part:sensor", [3.0, 1.0, 2.0])),
    ("calibration.json", deep("scores/part:audio", [1.0])),
    ("calibration.json", deep("natural/joint:sensor", 10**6)),
    ("calibration.json", deep("tails/part:sensor/1", 1.5)),
    ("calibration.json", deep("tails/part:sensor/2", 0.0)),
    ("calibration.json", deep("tails/part:sensor/3", -0.5)),
    ("calibration.json", deep("tails/part:sensor/0", 1e9)),
    ("calibration.json", deep("tails/part:sensor/5", 1e9)),
    ("calibration.json", deep("seed", -1)),
    ("joint/joint.json", deep("dims", [1, 1, 1, 1])),
    ("joint/joint.json", deep("modalities", ["image", "text", "sensor", "smell"])),
    ("joint/joint.json", deep("settings/width", 10**9)),
    ("joint/joint.json", deep("settings/width", 32)),
    ("sensor/part.json", deep("modality", "text")),
    ("sensor/part.json", deep("encoder", "../../evil")),
    ("sensor/part.json", deep("encoder", "tiny-text")),
    ("sensor/part.json", deep("version", 3)),
    ("sensor/part.json", deep("params/nope", 1)),
    ("sensor/part.json", deep("scale", [3.0, 1.0])),
    ("sensor/part.json", deep("state/length", 10**12)),
    ("sensor/part.json", deep("state/channels", ["vibration"])),
    ("sensor/part.json", deep("state/interval", -1.0)),
    ("sensor/detector/config.json", deep("detector", "os.system")),
    ("sensor/detector/config.json", deep("params/levels", 0)),
    ("sensor/detector/config.json", deep("params/nope", 0)),
    ("sensor/detector/config.json", deep("n_features_in_", 3)),
    ("sensor/detector/config.json", deep("threshold_", "high")),
    ("sensor/detector/config.json", deep("state/noise", -1.0)),
    ("normal/normal.json", deep("n_cases", -4)),
    ("normal/normal.json", deep("learned/text/words", {"belt": "often"})),
    ("normal/normal.json", deep("ids/image", ["one"])),
    ("pipeline.json", deep("config/parts/sensor/detector", 4)),
]


@pytest.mark.parametrize(("name", "change"), WRONG_VALUES)
def test_values_out_of_their_range_are_refused(model, name, change, cases):
    values(model / name, change)
    forge(model)
    said = refused(model, "", cases)
    assert name.split("/")[0] in said


@pytest.mark.parametrize("version", ["2", None])
def test_what_another_version_of_an_encoder_learned_is_not_judged_with(model, cases, version):
    def change(about):
        assert about["version"] == encoder_registry.make_encoder("windows").version == "3"
        # models saved before versions were kept have none
        about.pop("version") if version is None else about.update(version=version)

    values(model / "sensor/part.json", change)
    forge(model)
    assert "fit again" in refused(model, f"version {version or 1} of the encoder windows; this mmdmad has", cases)


def test_a_joint_model_cannot_be_switched_off(model, cases):
    values(model / "pipeline.json", deep("joint", False))
    forge(model)
    assert "belongs to other parts" in refused(model, "calibration.json", cases)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_numbers_that_json_takes_but_no_fit_writes_are_refused(model, number, cases):
    text = (model / "sensor/detector/config.json").read_text()
    line = next(line for line in text.splitlines() if '"threshold_"' in line)
    (model / "sensor/detector/config.json").write_text(text.replace(line, f'"threshold_": {number},'))
    forge(model)
    refused(model, "sensor/detector/config.json", cases)


def test_a_manifest_is_not_written_over_damage(model):
    arrays(model / "sensor/likeness-0.safetensors", lambda held: held.update(spread=np.array([np.nan])))
    with pytest.raises(ModelError, match="spread holds numbers that are not finite"):
        write_manifest(model)


def test_saving_again_leaves_no_moment_with_a_stale_manifest(model, monkeypatch):
    loaded = JointDetector.load(model)

    monkeypatch.setattr("mmdmad.pipeline.detector.write_manifest", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        loaded.save(model)
    with pytest.raises(ModelError, match=r"manifest\.json"):
        JointDetector.load(model)


NUMBERS = {
    "more components than anybody has": ("text/part.json", ["params", "components"], 10**9, "components"),
    "a rate above all": ("pipeline.json", ["config", "false_alarm_rate"], 0.9, "false_alarm_rate"),
    "the parts in another order": ("joint/joint.json", ["modalities"], None, "another order"),
    "a wider network": ("joint/joint.json", ["settings", "width"], 16_384, "parameters"),
    "a bank of noise without end": ("joint/joint.json", ["settings", "levels"], 4096, "levels times draws"),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_are_bounded_and_agree_with_the_arrays(model, cases, kind):
    name, path, value, word = NUMBERS[kind]

    def change(held):
        for step in path[:-1]:
            held = held[step]
        last = path[-1]
        held[last] = held[last][::-1] if value is None else value
        if last == "levels":
            held["draws"] = 4096

    values(model / name, change)
    forge(model)
    refused(model, word, cases)


def test_arrays_are_as_they_were_written(model, cases):
    whole = (file := model / "image/detector/model.safetensors").read_bytes()
    for change, word in ((lambda a: a.astype(np.float16), "float16"), (lambda a: a[:1], "tokens are remembered")):
        file.write_bytes(whole)
        arrays(file, lambda held, change=change: held.update(memory=change(held["memory"])))
        forge(model)
        refused(model, word, cases)


def test_values_end_and_name_everything_once(model, cases, monkeypatch):
    file, most = model / "text" / "part.json", (model / "manifest.json").stat().st_size + 1000
    monkeypatch.setattr("mmdmad.saved.LARGEST_VALUES", most)
    twice = (whole := file.read_text()).replace("{", '{"modality": "text", ', 1)
    for text, word in ((twice, "stands twice"), (" " * most + whole, "bytes")):
        file.write_text(text)
        forge(model)
        refused(model, word, cases)
