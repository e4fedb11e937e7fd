"""A detector of several folds, whole: what it says, how it is stored and resumed, and that one fold is as it was."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from mmdmad.calibration.conformal import pooled_p_value
from mmdmad.cases import Case, Cases, Refusal
from mmdmad.errors import ModelError, RefusalWarning
from mmdmad.parts import case_key
from mmdmad.pipeline import fitting
from mmdmad.pipeline import folds as folds_module
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.model_manifest import write_manifest

JOINT = {"steps": 20, "width": 16, "levels": 4, "draws": 2, "dims": 3}
PARTS = {
    "image": {"encoder": "tiny-image", "detector": "knn", "detector_params": {"top": 0.1}},
    "text": {"encoder": "tiny-text", "detector": "dte-np", "letters": True},
}


@pytest.fixture(scope="module")
def config(tiny):
    return tiny.tiny_config(parts=PARTS, joint=JOINT, calibration="cross", false_alarm_rate=0.05)


def some(tiny, count: int, seed: int, **odd) -> Cases:
    return Cases(tuple(tiny.tiny_case(seed, i, drop=("sensor", "video"), **odd) for i in range(count)))


@pytest.fixture(scope="module")
def model(tiny, config):
    return JointDetector(config).fit(some(tiny, 60, 0))


@pytest.fixture(scope="module")
def judged(tiny, model):
    return [model.judge(case) for case in [*some(tiny, 12, 1), *some(tiny, 6, 2, spoil="image")]]


def test_every_case_is_ranked_among_all(model, judged):
    assert len(model.folds_) == 5
    assert model.why_ == "crossed in 5 folds: it was asked for"
    for one in judged:
        said = one.guarantee
        assert (said.method, said.size, said.units, said.unit, said.valid) == ("cross", 60, 60, "case", True)
        assert said.attained == 3 / 61
        assert said.bound == 2 * (4 + 3) / 65
        assert one.p_value * 61 == pytest.approx(round(one.p_value * 61))
    assert min(one.p_value for one in judged) == 1 / 61
    assert np.mean([one.p_value for one in judged[12:]]) < np.mean([one.p_value for one in judged[:12]])


def test_a_p_value_adds_up_the_places_within_the_folds(tiny, model):
    case = some(tiny, 1, 3)[0]
    one = model.judge(case)
    _, measured, _ = model._measure(case, None)
    alone = []
    for number, fold in enumerate(model.folds_):
        mine = {m: found[number] for m, found in measured.items()}
        alone.append(fold.calibration.judge(case_key(case), fold.compared(mine), fold.contradictions(mine), 0.05))
    sizes = [fold.calibration.ranked(("image", "text")).size for fold in model.folds_]
    assert sizes == [12] * 5
    assert one.p_value == pooled_p_value([said.p_value for said in alone], sizes)
    assert len({said.fused.score for said in alone}) == 5  # each fold has learned something of its own
    assert one.score == pytest.approx(np.mean([said.fused.score for said in alone]))
    assert one.finding().single_score in {said.fused.score for said in alone}
    for m, part in one.parts.items():
        assert part.p_value == pooled_p_value([said.parts[m] for said in alone], sizes)
        assert part.score == pytest.approx(np.mean([found.score for found in measured[m]]))
        np.testing.assert_allclose(part.token_scores, np.mean([found.token_scores for found in measured[m]], axis=0))
        assert part.scale[0] == pytest.approx(np.mean([fold.parts[m].scale[0] for fold in model.folds_]))
    beside = [f.parts["text"].beside(x)["letters"] for f, x in zip(model.folds_, measured["text"], strict=True)]
    assert one.parts["text"].views["letters"] == pytest.approx(tuple(np.mean(beside, axis=0)))
    pieces = ["amber", "qqq"]
    again = [fold.parts["text"].again(one.signals["text"]) for fold in model.folds_]
    assert one.parts["text"].again is None or np.allclose(
        one.parts["text"].again(pieces), np.mean([ask(pieces) for ask in again], axis=0)
    )


def test_shares_add_up_exactly(judged):
    for one in judged:
        shares = [p.share for p in one.parts.values()] + [c.share for c in one.contradictions]
        assert math.fsum(shares) == one.score
        assert all(0 < c.p_value <= 1 for c in one.contradictions)
        assert len(one.contradictions) == 2


def test_no_fold_learned_what_it_ranks_with(tiny, config, monkeypatch):
    learned: list[set[str]] = []
    ranked: list[int] = []
    fit = fitting.fit_part

    def watch(config, rows, modality, cache, progress, out):
        learned.append({rows.cases[i].id for i in rows.fit})
        ranked.append(len({rows.cases[i].id for i in rows.calibration} & learned[-1]))
        fit(config, rows, modality, cache, progress, out)

    monkeypatch.setattr(fitting, "fit_part", watch)
    JointDetector(config).fit(some(tiny, 60, 0))
    assert ranked == [0] * 10
    assert len({frozenset(ids) for ids in learned}) == 5


def test_an_encoder_that_does_not_learn_runs_once_a_part(tiny, config, model, monkeypatch):
    count = {"image": 0}
    encode = tiny.TinyImage.encode

    def counted(self, signal):
        count["image"] += 1
        return encode(self, signal)

    monkeypatch.setattr(tiny.TinyImage, "encode", counted)
    model.judge(some(tiny, 1, 4)[0])
    assert count["image"] == 1
    count["image"] = 0
    JointDetector(config).fit(some(tiny, 60, 0))
    assert count["image"] == 60


def saved(model: JointDetector, folder: Path) -> dict[str, bytes]:
    model.save(folder)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_save_and_load_give_the_same(tiny, model, tmp_path):
    files = saved(model, tmp_path / "model")
    assert {name.split("/")[1] for name in files if name.startswith("folds/")} == set("01234")
    assert "calibration.json" not in files
    again = JointDetector.load(tmp_path / "model")
    assert again.why_ == model.why_
    for case in [*some(tiny, 3, 5), *some(tiny, 2, 5, spoil="text")]:
        assert again.judge(case).finding() == model.judge(case).finding()
    assert saved(again, tmp_path / "again") == files


def test_a_fit_that_was_killed_ends_bit_equal(tiny, config, model, tmp_path, monkeypatch):
    cases = some(tiny, 60, 0)
    whole = saved(model, tmp_path / "whole")
    calls = 0
    for name in ("fit_part", "held_out_contradictions"):
        real = getattr(fitting, name)

        def stops(*args, real=real):
            nonlocal calls
            calls += 1
            if calls in (4, 9, 14):  # in the second, the fourth and the fifth fold
                raise KeyboardInterrupt
            return real(*args)

        monkeypatch.setattr(fitting, name, stops)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            JointDetector(config).fit(cases, work=tmp_path / "work")
    resumed = JointDetector(config).fit(cases, work=tmp_path / "work")
    assert calls == 15 + 3  # nothing was done twice but what was killed
    assert saved(resumed, tmp_path / "resumed") == whole


def test_damaged_folds_are_refused(model, tmp_path):
    folder = tmp_path / "model"

    def change(name: str, edit) -> None:
        saved(model, folder)
        values = json.loads((folder / name).read_text())
        edit(values)
        (folder / name).write_text(json.dumps(values))
        (folder / "manifest.json").unlink()
        write_manifest(folder)

    change("pipeline.json", lambda v: v.update(folds=6))
    with pytest.raises(ModelError, match="folds/5"):
        JointDetector.load(folder)
    for wrong in (0, 51):
        change("pipeline.json", lambda v, wrong=wrong: v.update(folds=wrong))
        with pytest.raises(ModelError, match="folds"):
            JointDetector.load(folder)
    change("folds/3/calibration.json", lambda v: v["scores"].pop("part:image"))
    with pytest.raises(ModelError, match=r"folds/3/calibration\.json.*part:image"):
        JointDetector.load(folder)
    change("folds/2/calibration.json", lambda v: v.update(unit="recording"))
    with pytest.raises(ModelError, match="different units"):
        JointDetector.load(folder)
    saved(model, folder)
    (folder / "folds" / "1" / "text" / "part.json").write_text("{}")
    with pytest.raises(ModelError, match=r"folds/1/text/part\.json"):
        JointDetector.load(folder)


def test_a_modality_that_one_fold_cannot_learn_is_left_out_of_all(tiny, config, monkeypatch):
    real, seen = fitting.too_few, []

    def too_few(rows, modality, needed, known=None):
        if modality == "image":
            seen.append(rows)
            if len(seen) == 3:
                return "only 3 usable image parts in the reference split; 8 are needed to learn image"
        return real(rows, modality, needed, known)

    monkeypatch.setattr(fitting, "too_few", too_few)
    with pytest.warns(RefusalWarning, match="all 60 image parts were refused"):
        made = JointDetector(config).fit(some(tiny, 60, 0))
    assert [set(fold.parts) for fold in made.folds_] == [{"text"}] * 5
    assert made.joint_ is None
    told = [(r.case_id, r.part) for r in made.refused_]
    assert len(told) == len(set(told)) == 60
    assert made.judge(some(tiny, 1, 9)[0]).lacks == ()


def test_what_is_wrong_with_a_part_itself_is_told_before_that_there_are_too_few():
    few = Refusal("a", "text", "only 3 usable text parts in the fit split; 8 are needed to learn text")
    own, other = Refusal("a", "text", "it is torn"), Refusal("a", "image", "it is torn")
    assert fitting._told_once([few, other, own, Refusal("a", "text", "later")]) == (own, other)
    assert fitting._told_once([own, few]) == (own,)


def test_maps_of_other_places_are_not_mixed(model, tiny):
    found = model._measure(some(tiny, 1, 3)[0], None)[1]["image"]
    moved = [found[0], *[type(f)(**{**vars(f), "token_scores": f.token_scores[:4]}) for f in found[1:]]]
    assert np.array_equal(folds_module.mean_token_scores(moved), found[0].token_scores)
    assert not np.array_equal(folds_module.mean_token_scores(found), found[0].token_scores)


def test_windows_of_one_recording_are_crossed_in_blocks(tiny):
    def windows(count, seed, name):
        return [Case(c.id, c.parts, recording=name, row=i) for i, c in enumerate(some(tiny, count, seed))]

    config = tiny.tiny_config(parts={"text": PARTS["text"]}, calibration="auto", false_alarm_rate=0.05)
    made = JointDetector(config).fit(Cases(tuple(windows(80, 0, "a"))))
    assert len(made.folds_) == 5
    more, other = (made.judge(windows(1, 7, name)[0]).guarantee for name in ("a", "b"))
    assert (more.method, more.unit, more.size, more.units, more.bound) == ("cross", "block", 80, 5, None)
    assert (more.valid, other.valid) == (True, False)
