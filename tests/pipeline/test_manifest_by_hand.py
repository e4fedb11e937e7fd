"""The manifest of a model's files, and letters that are read back: what is not as it was written is refused."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from mmdmad.errors import ModelError
from mmdmad.pipeline import model_manifest
from mmdmad.pipeline.letters import Letters
from mmdmad.pipeline.model_manifest import LEFT_BY_SYSTEMS, ModelManifest, listed, relist, verify, write_manifest


@pytest.fixture
def folder(tmp_path):
    from safetensors.numpy import save_file

    made = tmp_path / "model"
    (made / "old").mkdir(parents=True)
    (made / "a.json").write_text("{}")
    (made / "old" / "b.json").write_text("[1]")
    save_file({"x": np.zeros((2, 3), np.float32), "y": np.ones(1)}, made / "c.safetensors")
    write_manifest(made)
    return made


def test_a_manifest_lists_every_file(folder):
    files = json.loads((folder / "manifest.json").read_text())["files"]
    assert list(files) == ["a.json", "c.safetensors", "old/b.json"]
    assert (files["a.json"]["bytes"], files["a.json"]["arrays"]) == (2, {})
    assert files["c.safetensors"]["arrays"] == {"x": ["F32", [2, 3]], "y": ["F64", [1]]}
    assert files["a.json"]["sha256"] == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert listed(folder) == {"a.json", "c.safetensors", "old/b.json"}
    assert listed(folder / "old") == frozenset()
    verify(folder)
    write_manifest(folder)  # again: the manifest does not list itself
    verify(folder)


def test_a_folder_takes_the_place_of_another_in_the_manifest(folder):
    (folder / "new").mkdir()
    (folder / "new" / "d.json").write_text("{}")
    (folder / "older.json").write_text("{}")
    before = json.loads((folder / "manifest.json").read_text())["files"]
    relist(folder, "old", "new")
    after = json.loads((folder / "manifest.json").read_text())["files"]
    assert list(after) == ["a.json", "c.safetensors", "new/d.json"]
    assert after["a.json"] == before["a.json"]
    assert after["new/d.json"] == after["a.json"]


@pytest.mark.parametrize("name", ["x.txt", "x", "x.safetensor", "x.zzz", "x.JSON", "x.js", "a.pkl"])
def test_no_other_kind_of_file_is_a_part_of_a_model(folder, name):
    (folder / name).write_text("{}")
    with pytest.raises(ModelError, match="no part of a model is called that; models are safetensors and JSON"):
        write_manifest(folder)
    with pytest.raises(ModelError, match="the file is none of the model's"):
        verify(folder)


def test_what_is_not_as_it_was_written_is_refused(folder):
    manifest = folder / "manifest.json"
    content, files = manifest.read_text(), json.loads(manifest.read_text())["files"]

    def refused(told: str, **entry) -> None:
        manifest.write_text(json.dumps({"files": {**files, "a.json": {**files["a.json"], **entry}}}))
        with pytest.raises(ModelError, match=told):
            verify(folder)

    refused("it has 2 bytes, 3 were written", bytes=3)
    refused("another SHA-256", sha256="0" * 64)
    refused(r"z is not there; the manifest says \('F32', \(1,\)\)", arrays={"z": ["F32", [1]]})
    for wrong in ({"bytes": -1}, {"sha256": "0" * 63}, {"sha256": "G" * 64}, {"sha256": "0" * 65}, {"more": 1}):
        refused("manifest", **wrong)
    for arrays, told in (
        ({"x": ["F32", [2, 3]]}, r"y is \('F64', \(1,\)\); the manifest says nothing of it"),
        ({"x": ["F32", [3, 2]], "y": ["F64", [1]]}, r"x is \('F32', \(2, 3\)\); the manifest says \('F32', \(3, 2\)\)"),
    ):
        changed = {**files["c.safetensors"], "arrays": arrays}
        manifest.write_text(json.dumps({"files": {**files, "c.safetensors": changed}}))
        with pytest.raises(ModelError, match=told):
            verify(folder)
    manifest.write_text(content)
    for left in (*LEFT_BY_SYSTEMS, "._a.json"):
        (folder / left).write_text("x")
    verify(folder)
    (folder / "a.json").rename(folder / "0.json")  # what is missing is told before what is there instead
    with pytest.raises(ModelError, match=r"a\.json: the file is missing"):
        verify(folder)
    manifest.unlink()
    with pytest.raises(ModelError, match="nothing tells whether the model is whole"):
        verify(folder)
    with pytest.raises(ValidationError):
        ModelManifest(files={}, more=1)
    assert model_manifest.NAME == "manifest.json"


def test_letters_that_fit_cannot_have_learned_are_refused(tmp_path):
    from safetensors.numpy import load_file, save_file

    letters = Letters().fit(["belt one runs", "belt two runs"])
    letters.save(tmp_path)
    file = tmp_path / "letters.safetensors"
    held = load_file(file)
    assert held["shape"].tolist() == [2, len(held["seen"])]
    assert letters.scores(["belt one runs"])[0] < letters.scores(["a wholly other line"])[0] <= 1.0
    assert Letters.load(tmp_path).scores(["belt one runs"]).tolist() == letters.scores(["belt one runs"]).tolist()
    # two texts: each is held against the one other
    assert letters.own_scores().shape == (2,)
    assert letters.own_scores()[0] == pytest.approx(letters.own_scores()[1])
    assert 0 < letters.own_scores()[0] < 1
    for name, wrong in (
        ("shape", held["shape"] + [1, 0]), ("shape", held["shape"] + [0, 1]), ("seen", held["seen"][::-1].copy()),
        ("seen", np.repeat(held["seen"][:1], len(held["seen"]))), ("weight", 0 * held["weight"]),
        ("weight", -held["weight"]), ("indices", held["indices"] + 10**6), ("data", held["data"][:-1]),
    ):  # fmt: skip
        save_file({**held, name: wrong}, file)
        with pytest.raises(ModelError, match="letters"):
            Letters.load(tmp_path)
    first = held["indptr"][1]
    one = {"shape": np.array([1, len(held["seen"])]), "indptr": held["indptr"][:2]}
    one |= {"data": held["data"][:first], "indices": held["indices"][:first]}
    save_file({**held, **one}, file)
    with pytest.raises(ModelError, match="shape is not that of its arrays"):
        Letters.load(tmp_path)


def test_many_texts_are_compared_in_pieces(monkeypatch):
    from mmdmad.pipeline import letters as module

    texts = [f"{word} {other} runs" for word in ("belt", "motor", "gate") for other in ("left", "right", "up", "down")]
    whole = Letters().fit(texts)
    own, others = whole.own_scores(), whole.scores(texts)
    assert (module.NEIGHBOURS, module.FLOOR, module.BUCKETS, module.CHUNK) == (5, 1e-3, 2**28, 256)
    monkeypatch.setattr(module, "CHUNK", 5)
    assert whole.own_scores().tolist() == own.tolist()
    assert whole.scores(texts).tolist() == others.tolist()
    assert (own > others).all()
