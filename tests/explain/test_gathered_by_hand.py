"""In which order evidence is gathered, what is worth more than a line, and what lies in the folder of a case."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pictures

from mmdmad import explain
from mmdmad.cases import Case, Part
from mmdmad.errors import ModelError
from mmdmad.explain import gather, stands_out
from mmdmad.explain.base import Look
from mmdmad.explain.normal import Normal
from mmdmad.explain.words import draft
from mmdmad.findings import Contradiction
from mmdmad.modalities.base import modality_of

SHARES = {"image": 4.0, "text": 3.0, "sensor": 2.0, "video": 1.0}


def judged(samples, *, p_value=0.004, rate=0.01, shares=SHARES, clashes=(), valid=True, **p):
    """A judgement of four parts with p-value 0.5 each, but those that are given."""
    made = samples.judgement(p_value=p_value)
    parts = {m: replace(part, share=shares[m], p_value=p.get(m, 0.5)) for m, part in made.parts.items()}
    found = tuple(Contradiction(part=m, given=("video",), score=1.0, p_value=0.001, share=s) for m, s in clashes)
    guarantee = made.guarantee.model_copy(update={"rate": rate, "valid": valid})
    total = sum(shares.values()) + sum(c.share for c in found)
    return replace(made, parts=parts, contradictions=found, score=total, guarantee=guarantee)


@pytest.fixture
def looks(monkeypatch):
    """Looks that find one sentence, a picture and a marked text; which parts were looked at is kept."""
    asked = []

    def look(part, judgement, normal):
        asked.append(part.modality)
        said = [draft("context", part.modality, f"{part.modality} seen.", [])]
        return Look(
            said, lambda: Pictures.new("RGB", (3, 2), (9, 8, 7)), {"text": "é"} if part.modality == "text" else None
        )

    monkeypatch.setattr(explain, "_look", look)
    return asked


def order(evidence):
    return [(e.kind, e.part) for e in evidence]


def test_the_verdict_comes_first_then_parts_by_share_then_neighbours(samples, normals, looks):
    evidence = gather(judged(samples, p_value=0.4, text=0.05), normals, None)
    assert order(evidence) == [
        ("verdict", None), ("part", "image"), ("part", "text"), ("context", "text"), ("part", "sensor"),
        ("part", "video"), ("neighbour", "text"),
    ]  # fmt: skip
    assert [e.id for e in evidence] == [f"E{i}" for i in range(1, 8)]
    assert looks == ["text"]
    assert {e.artifact for e in evidence} == {None}


def test_without_a_part_that_stands_out_the_first_part_is_compared(samples, normals, looks):
    evidence = gather(judged(samples, p_value=0.4), normals, None)
    assert order(evidence)[-1] == ("neighbour", "image")
    assert [k for k, _ in order(evidence)].count("neighbour") == 1
    assert looks == []


@pytest.mark.parametrize(("share", "place"), [(4.0, 1), (4.5, 1), (3.99, 7)])
def test_a_contradiction_that_carries_as_much_as_any_part_comes_before_them(samples, normals, looks, share, place):
    evidence = gather(judged(samples, p_value=0.4, clashes=[("video", share)], text=0.05), normals, None)
    kinds = order(evidence)
    assert kinds.index(("contradiction", "video")) == (place if place == 1 else 6)
    assert kinds[-2:] == [("neighbour", "text"), ("neighbour", "video")]
    assert [k for k, _ in kinds].count("contradiction") == 1


def test_what_is_missing_and_how_parts_were_read_comes_last(samples, normals, looks):
    made = judged(samples, p_value=0.4)
    read = {m: replace(s, notes=("white is 4095",)) if m == "image" else s for m, s in made.signals.items()}
    parts = {m: p for m, p in made.parts.items() if m != "video"}
    evidence = gather(replace(made, signals=read, parts=parts), normals, None)
    assert order(evidence)[-3:] == [("neighbour", "image"), ("missing", "video"), ("context", "image")]


@pytest.mark.parametrize(
    ("p_value", "rate", "valid", "drawn"),
    [(0.05, 0.01, True, True), (0.0501, 0.01, True, False), (0.2, 0.2, True, True), (0.201, 0.2, True, False),
     (0.05, 0.01, False, True), (0.06, 0.01, False, False)],
)  # fmt: skip
def test_cases_that_are_flagged_or_close_to_it_get_pictures(
    samples, normals, looks, tmp_path, p_value, rate, valid, drawn
):
    evidence = gather(judged(samples, p_value=p_value, rate=rate, valid=valid), normals, tmp_path / "artifacts")
    assert (tmp_path / "artifacts").exists() == drawn
    pictures = {e.part: e.artifact for e in evidence if e.kind == "part"}
    assert looks == (["image", "text", "sensor", "video"] if drawn else [])
    if drawn:
        assert pictures == {e.part: f"artifacts/c-017/{e.id}.png" for e in evidence if e.kind == "part"}
        with Pictures.open(tmp_path / pictures["sensor"]) as picture:
            assert (picture.format, picture.size, picture.getpixel((0, 0))) == ("PNG", (3, 2), (9, 8, 7))
        assert json.loads((tmp_path / "artifacts/c-017/text.json").read_text(encoding="utf-8")) == {"text": "é"}
        assert "é" in (tmp_path / "artifacts/c-017/text.json").read_text(encoding="utf-8")
        assert len(list((tmp_path / "artifacts/c-017").iterdir())) == 5
        found = {e.part: e.artifact for e in evidence if e.kind == "context"}
        assert found == ({"image": pictures["image"]} if p_value <= rate and valid else {})
    assert {e.artifact for e in evidence if e.kind not in ("part", "context")} == {None}


def test_an_earlier_judgement_of_a_case_leaves_nothing_behind(samples, normals, looks, tmp_path):
    folder = tmp_path / "artifacts" / "c-017"
    folder.mkdir(parents=True)
    (folder / "E99.png").write_bytes(b"old")
    gather(judged(samples), normals, tmp_path / "artifacts")
    assert not (folder / "E99.png").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").write_text("mine")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    folder.symlink_to(other)
    gather(judged(samples), normals, tmp_path / "artifacts")
    assert (other / "kept").read_text() == "mine"
    assert not folder.is_symlink()
    assert (folder / "E2.png").exists()


def test_a_look_without_a_picture_names_none(samples, normals, monkeypatch, tmp_path):
    monkeypatch.setattr(explain, "_look", lambda *_: Look())
    evidence = gather(judged(samples), normals, tmp_path / "artifacts")
    assert {e.artifact for e in evidence} == {None}
    assert list((tmp_path / "artifacts" / "c-017").iterdir()) == []


def test_a_part_stands_out_by_itself_or_as_a_main_reason(samples):
    def names(**how):
        made = judged(samples, **how)
        return [m for m, part in made.parts.items() if stands_out(part, made)]

    assert names(p_value=0.5, text=0.05, video=0.0501) == ["text"]
    assert names(p_value=0.5, rate=0.1, text=0.1, video=0.1001) == ["text"]
    assert names(p_value=0.5) == []
    assert names(p_value=0.004) == ["image"]  # flagged: the part with the largest share
    assert names(p_value=0.004, shares={**SHARES, "video": 4.0}) == ["image", "video"]
    assert names(p_value=0.004, clashes=[("video", 4.5)]) == ["video"]
    assert names(p_value=0.004, clashes=[("video", 3.0)]) == ["image", "video"]
    assert names(p_value=0.5, clashes=[("video", 4.5)]) == []
    assert names(p_value=0.004, valid=False) == []


def test_a_modality_is_asked_to_look_with_what_it_remembers(samples, normals, monkeypatch):
    asked = []

    class Asked:
        def look(self, seen):
            asked.append(seen)
            return None if seen.judged.modality == "image" else Look(("found",))

    monkeypatch.setattr(explain, "modality_of", lambda name: Asked())
    made = judged(samples, text=0.01)
    assert explain._look(made.parts["image"], judged(samples, p_value=0.4), normals).drafts == ()
    assert explain._look(made.parts["text"], made, normals).drafts == ("found",)
    first, second = asked
    assert (first.telling, second.telling) == (False, True)
    assert second.signal is made.signals["text"]
    assert second.judged is made.parts["text"]
    assert second.group == "A"
    assert second.normal is normals.of("text")


def line(positions, groups=None):
    """Normal cases n-0, n-1, … whose pictures lie at these places."""
    rows = (
        (Case(f"n-{i}", {"image": Part("image")}, group=None if groups is None else groups[i]), {}, {"image": vector})
        for i, vector in enumerate(np.atleast_2d(positions))
    )
    return Normal.fit(rows)


def test_distances_count_in_the_median_distance_to_the_nearest_other_case():
    known = line([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [6.0, 0.0], [10.0, 0.0]], "ABABA")  # 1, 1, 2, 3 and 4 apart
    near = known.nearest("image", np.array([4.0, 0.0]))
    assert near.ids == ("n-2", "n-3", "n-1", "n-0", "n-4")
    assert near.groups == ("A", "B", "B", "A", "A")
    assert near.distances == pytest.approx([0.5, 1.0, 1.5, 2.0, 3.0])
    assert not near.alike
    assert known.nearest("image", np.array([4.0, 0.0]), 2).ids == ("n-2", "n-3")
    assert len(line(np.arange(9.0)[:, None]).nearest("image", np.zeros(1)).ids) == 5
    assert line(np.arange(9.0)[:, None]).nearest("image", np.zeros(1)).groups == ("",) * 5
    assert line(np.arange(9.0)[:, None]).nearest("image", np.array([2.5])).ids[:2] == ("n-2", "n-3")
    assert known.n_cases == 5


def test_the_axes_of_an_embedding_count_alike_but_a_narrow_one_no_more_than_a_tenth():
    places = np.array([[-1.0, -100.0], [1.0, 100.0], [-1.0, 100.0], [1.0, -100.0]])
    _, spread, usual = line(places)._space("image")
    assert spread == pytest.approx([5.05, 100.0])
    assert usual == pytest.approx(2 / 5.05)


def test_one_normal_case_or_twins_have_no_usual_distance():
    near = line([[1.0, 2.0]]).nearest("image", np.array([1.0, 2.0]))
    assert (near.ids, near.alike, near.distances.tolist()) == (("n-0",), True, [0.0])
    twins = np.repeat(np.arange(5.0), 2)[:, None]
    near = line(twins).nearest("image", np.array([2.0]))
    assert near.alike
    assert near.ids[:2] == ("n-4", "n-5")
    assert near.distances.tolist() == [0.0, 0.0, np.inf, np.inf, np.inf]
    apart = np.concatenate([twins, twins[:1] + 100])
    assert line(apart).nearest("image", np.array([2.0])).alike


@pytest.mark.parametrize(("off", "far"), [(0.9e-5, False), (1.2e-5, True)])
def test_what_differs_by_a_hundred_thousandth_is_another(off, far):
    alike = line(np.ones((6, 3)))
    near = alike.nearest("image", np.array([1.0 + off, 1.0, 1.0]))
    assert near.alike
    assert (near.distances > 0).tolist() == [far] * 5
    varied = np.ones((6, 3))
    varied[:, :1] = np.arange(6.0)[:, None]
    near = line(varied).nearest("image", np.array([2.0, 1.0 + off * varied.mean(), 1.0]))
    assert near.alike == far


@pytest.mark.parametrize(("gap", "alike"), [(1e-4, True), (1e-2, False)])
def test_cases_nearer_than_a_thousandth_of_their_spread_are_twins(gap, alike):
    places = np.concatenate([np.arange(10.0), np.arange(10.0) + gap])[:, None]
    assert line(places).nearest("image", np.array([3.0])).alike == alike


def test_what_is_saved_is_checked_when_it_is_loaded(tmp_path):
    known = line([[0.0], [1.0], [3.0]], "ABA")
    known.save(tmp_path / "deep" / "normal")
    again = Normal.load(tmp_path / "deep" / "normal")
    assert (again.ids, again.groups, again.n_cases) == (known.ids, known.groups, 3)
    assert again.embeddings["image"].tolist() == known.embeddings["image"].tolist()
    assert again.embeddings["image"].dtype == np.float32
    file = tmp_path / "deep" / "normal" / "normal.json"
    values = json.loads(file.read_text())
    for change, said in (
        ({"groups": {"image": ["A", "B"]}}, "the groups of image are not one a case"),
        ({"groups": {}}, "ids and groups are of other parts"),
        ({"ids": {"image": ["a"]}}, "normal.safetensors"),
        ({"n_cases": -1}, "n_cases"),
        ({"learned": {"image": {}}}, "sizes"),
        ({"more": 1}, "more"),
    ):
        file.write_text(json.dumps(values | change))
        with pytest.raises(ModelError, match=said):
            Normal.load(tmp_path / "deep" / "normal")


def test_what_a_modality_is_said_to_remember_that_remembers_nothing_is_refused(normals, tmp_path, monkeypatch):
    normals.save(tmp_path)
    monkeypatch.setattr(type(modality_of("image")), "normal", lambda self: None)
    with pytest.raises(ModelError, match="image remembers nothing of normal parts"):
        Normal.load(tmp_path)


def test_a_fault_in_what_a_modality_remembers_names_the_file_it_lies_in(samples, normals, tmp_path):
    normals.save(tmp_path)
    file = tmp_path / "normal.json"
    values = json.loads(file.read_text())
    for part, key, named in (("text", "words", "normal.json"), ("sensor", "units", "normal.safetensors")):
        broken = values | {"learned": {**values["learned"], part: {**values["learned"][part], key: 7}}}
        file.write_text(json.dumps(broken))
        with pytest.raises(ModelError, match=named):
            Normal.load(tmp_path)


def test_spaces_are_measured_on_at_most_400_cases_spread_over_all():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(900, 2))
    _, spread, usual = line(places)._space("image")
    z = places.astype(np.float32) / places.std(axis=0)
    some = z[np.linspace(0, 899, 400).astype(int)]
    distance = np.sort(np.linalg.norm(some[:, None] - z[None], axis=2), axis=1)[:, 1]
    assert usual == pytest.approx(np.median(distance), rel=1e-4)
    assert spread == pytest.approx(places.std(axis=0), rel=1e-5)
