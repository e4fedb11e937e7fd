"""What older runs hold is read as today's: here what normal looks like, once one table of four modalities."""

import hashlib
import json
from pathlib import Path
from pydoc import locate

import numpy as np
import pytest
from safetensors.numpy import save_file

from mmdmad.errors import ModelError
from mmdmad.explain import gather
from mmdmad.explain.normal import Normal
from mmdmad.pipeline.model_manifest import verify, write_manifest
from mmdmad.store.run import Run
from mmdmad.store.upgrades import reference_to_normal


def old_reference(folder: Path, normals: Normal) -> Path:
    """`model/reference` as formats 1 to 3 wrote it."""
    folder.mkdir(parents=True)
    arrays = {f"embedding.{m}": v for m, v in normals.embeddings.items()}
    sensor, video, text = (normals.of(m) for m in ("sensor", "video", "text"))
    arrays |= {f"sensor.{i}": r.table for i, r in enumerate(sensor.ranges.values())}
    arrays |= {f"video.{i}": r.table for i, r in enumerate(video.ranges.values())}
    values = {
        "ids": normals.ids,
        "groups": normals.groups,
        "sensor": [{"group": g, "channel": c, "names": r.names, "size": r.size} for (g, c), r in sensor.ranges.items()],
        "video": [{"group": g, "names": r.names, "size": r.size} for g, r in video.ranges.items()],
        "units": sensor.units,
        "words": text.words,
        "templates": text.templates,
        "n_texts": text.n_texts,
        "n_cases": normals.n_cases,
    }
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "reference.safetensors")
    (folder / "reference.json").write_text(json.dumps(values))
    return folder


@pytest.fixture
def run(tmp_path, normals):
    """A run of format 3."""
    folder = tmp_path / "run"
    Run.create(folder, {"false_alarm_rate": 0.01}).close()
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "format": 3}))
    old_reference(folder / "model" / "reference", normals)
    (folder / "model" / "pipeline.json").write_text('{"modalities": []}')
    write_manifest(folder / "model")
    return folder


def holds(run: Path) -> list[str]:
    """What lies in the run but for its database, found sound."""
    verify(run / "model")
    return sorted(p.name for folder in (run, run / "model") for p in folder.iterdir() if "sqlite" not in p.name)


def untemplated(normals: Normal, folder: Path) -> Normal:
    """The same, with no line of a log learned."""
    normals.save(folder / "copy")
    made = Normal.load(folder / "copy")
    made.of("text").log = type(made.of("text").log)()
    return made


UP_TO_DATE = ["config.json", "manifest.json", "model", "normal", "pipeline.json"]


def test_an_old_reference_says_the_same_as_what_is_normal(run, samples, normals, tmp_path):
    Run.open(run).close()
    assert holds(run) == UP_TO_DATE
    again = Normal.load(run / "model" / "normal")
    normals = untemplated(normals, tmp_path)  # an old reference knows no templates of log lines
    hot = {"sensor": [4], "video": [10], "text": [1]}
    for judgement in (samples.judgement(hot=hot), samples.judgement(odd="text", group="B", hot={"text": [0]})):
        assert gather(judgement, again, None) == gather(judgement, normals, None)
    assert again.of("sensor").units == normals.of("sensor").units
    assert again.of("text").words == normals.of("text").words


def test_modalities_that_were_not_learned_stay_unlearned(run, samples):
    file = run / "model" / "reference" / "reference.json"
    values = json.loads(file.read_text())
    file.write_text(json.dumps({**values, "sensor": [], "video": [], "n_texts": 0, "words": {}, "templates": {}}))
    write_manifest(run / "model")
    Run.open(run).close()
    assert Normal.load(run / "model" / "normal").learned == {}


STOPS = {
    "converted": ("os.replace", "model-reference.old"),
    "moved aside": ("os.replace", "normal"),
    "put in place": ("mmdmad.store.upgrades.relist", "normal"),
    "listed": ("shutil.rmtree", "model-reference.old"),
}


@pytest.mark.parametrize("moment", STOPS)
def test_it_may_stop_at_any_moment_and_run_again(run, normals, monkeypatch, moment):
    name, last = STOPS[moment]
    real, stopped = locate(name), []

    def stops(*args, **options):
        if args[-1] == last or Path(args[-1] if name == "os.replace" else args[0]).name == last:
            stopped.append(args)
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(name, stops)
    with pytest.raises(KeyboardInterrupt):
        reference_to_normal(run, None)
    monkeypatch.undo()
    assert len(stopped) == 1
    for _ in range(2):
        reference_to_normal(run, None)
        assert holds(run) == UP_TO_DATE
        assert Normal.load(run / "model" / "normal").n_cases == normals.n_cases


@pytest.mark.parametrize("content", ["{", "[]", '{"ids": {}}', "\xff"])
@pytest.mark.parametrize("forged", [True, False])
def test_a_damaged_reference_stays_as_it_is_and_the_findings_stay_readable(run, caplog, content, forged):
    file, manifest = run / "model" / "reference" / "reference.json", run / "model" / "manifest.json"
    file.write_text(content, encoding="latin-1")
    if forged:  # somebody has made new hashes
        entries = json.loads(manifest.read_text())
        new = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "bytes": file.stat().st_size}
        entries["files"]["reference/reference.json"] = {**new, "arrays": {}}
        manifest.write_text(json.dumps(entries))
    before = manifest.read_bytes()
    opened = Run.open(run)
    assert opened.count() == 0
    opened.close()
    assert "reference.json" in caplog.text
    assert "the findings can still be read" in caplog.text
    assert file.read_text(encoding="latin-1") == content
    assert manifest.read_bytes() == before
    assert not (run / "model" / "normal").exists()


def test_damage_is_not_given_new_hashes(run):
    file = run / "model" / "reference" / "reference.json"
    values = json.loads(file.read_text())
    file.write_text(json.dumps({**values, "n_cases": values["n_cases"] + 1}))  # sound JSON, but not what was written
    before = (run / "model" / "manifest.json").read_bytes()
    Run.open(run).close()
    assert (run / "model" / "manifest.json").read_bytes() == before
    assert not (run / "model" / "normal").exists()
    with pytest.raises(ModelError):
        verify(run / "model")
