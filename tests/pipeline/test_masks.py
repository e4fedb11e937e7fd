"""Cases that lack readings are ranked among normal parts masked to lack the same, and complete ones as ever."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdmad.calibration.conformal import false_alarm_range, pooled_p_value
from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import ModelError
from mmdmad.judgement import Judgement
from mmdmad.parts import Sensor, case_key
from mmdmad.pipeline import fit_part, kept, masked
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.levels import level
from mmdmad.pipeline.masks import Mask
from mmdmad.pipeline.model_manifest import write_manifest
from mmdmad.pipeline.splits import Split
from mmdmad.store.views import at_rate

ROWS = 64
CHANNELS = ("pressure", "heat", "flow")
CONFIG = {
    "parts": {"sensor": {"detector": "gaussian-diffusion", "encoder_params": {"length": 16, "stride": 4}}},
    "false_alarm_rate": 0.05,
}


def table(*seed: int, shift: float = 0.0) -> Sensor:
    """Three channels of autoregressive noise (0.8), each half made of one that they share."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(ROWS + 20, 4))
    for row in range(1, len(noise)):
        noise[row] += 0.8 * noise[row - 1]
    values = noise[20:, :3] + noise[20:, 3:]
    values[24:40, 0] += shift
    return Sensor(values, np.arange(ROWS, dtype=float), CHANNELS, ("", "", ""))


def lacking(kind: str, *seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows that are left (ROWS,) and the readings that are lost (ROWS, 3), drawn without looking at any reading."""
    rng = np.random.default_rng(seed)
    rows, lost = np.ones(ROWS, bool), np.zeros((ROWS, 3), bool)
    if kind == "channel":
        lost[:, rng.integers(3)] = True
    elif kind == "block":
        first = rng.integers(1, 30)
        rows[first : first + rng.integers(8, 30)] = False
    elif kind == "scattered":
        rows[1:-1] = rng.random(ROWS - 2) > 0.3
    elif kind == "empty rows":
        lost[rng.random(ROWS) < 0.25] = True
        lost[0] = False
    elif kind == "readings":
        first = rng.integers(0, 30)
        lost[first : first + 20, rng.integers(3)] = True
    elif kind == "both":
        rows[20:36] = False
        lost[:, rng.integers(3)] = True
    return rows, lost


def without(signal: Sensor, rows: np.ndarray, lost: np.ndarray) -> Sensor:
    values = np.where(lost, np.nan, signal.values)[rows]
    return replace(signal, values=values, times=signal.times[rows])


def case(name: str, signal: Sensor) -> Case:
    return Case(name, {"sensor": Part("sensor", value=signal)}, split="train")


def fitted(seed: int, count: int, **config) -> JointDetector:
    normal = Cases(tuple(case(f"n{i}", table(seed, i)) for i in range(count)))
    return JointDetector.from_config({**CONFIG, **config}).fit(normal)


KINDS = ("channel", "block", "scattered", "empty rows", "readings", "both")


@pytest.fixture(scope="module")
def model() -> JointDetector:
    return fitted(0, 60)


@pytest.fixture(scope="module")
def once() -> JointDetector:
    return fitted(0, 120, calibration="split", false_alarm_rate=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("calibration", "count"), [("split", 400), ("cross", 150)])
def test_normal_cases_that_lack_readings_are_flagged_at_the_declared_rate(calibration: str, count: int) -> None:
    """Also: whole ones are caught as often as masked ones where the fault lies in what is left, nearly so."""
    flagged, caught = dict.fromkeys((*KINDS, "none"), 0), dict.fromkeys((*KINDS, "none"), 0)
    fits, masks, each, odd = 6, 3, 25, 8
    for fit in range(fits):
        model = fitted(fit, count, calibration=calibration)
        for number, kind in enumerate(flagged):
            for draw in range(masks):
                rows, lost = lacking(kind, fit, number, draw)
                for i in range(each + odd):
                    signal = table(fit, number, draw, i, 7)
                    if i >= each:
                        signal.values[44:56, 1 if lost[:, 0].any() else 0] += 6.0
                    found = model.judge(case("t", without(signal, rows, lost)))
                    assert found.guarantee.valid
                    assert bool(found.guarantee.missing) == (kind != "none")
                    (flagged if i < each else caught)[kind] += found.p_value <= 0.05
        size = found.guarantee.size
    for name, counts, judged in (("flagged", flagged, each), ("caught", caught, odd)):
        print(calibration, size, name, {kind: round(n / (fits * masks * judged), 3) for kind, n in counts.items()})
    # six calibration sets vary less than one, so the band of one holds all the more
    few, many = false_alarm_range(0.05, size, fits * masks * each, level=0.999)
    for kind, n in flagged.items():
        assert (few if calibration == "split" else 0) <= n <= many, kind
    few, many = false_alarm_range(0.05, size * fits, len(KINDS) * fits * masks * each, level=0.999)
    total = sum(flagged[kind] for kind in KINDS)
    assert (few if calibration == "split" else 0) <= total <= many
    for kind in ("channel", "block", "readings"):
        assert caught[kind] >= 0.75 * caught["none"], kind


@contextmanager
def folds(model: JointDetector, **changes) -> Iterator[None]:
    before = model.folds_
    model.folds_ = tuple(replace(fold, **changes) for fold in before)
    try:
        yield
    finally:
        model.folds_ = before


def lacks(model: JointDetector, kind: str, *seed: int) -> Judgement:
    return model.judge(case("t", without(table(9, *seed), *lacking(kind, 3))))


def test_complete_cases_are_ranked_as_if_there_were_no_masks(model: JointDetector, monkeypatch) -> None:
    cases = [case(f"c{i}", table(50, i)) for i in range(5)]
    before = [model.judge(one).finding() for one in cases]
    assert all(one.guarantee.valid and not one.guarantee.missing for one in before)
    monkeypatch.setattr(masked, "mask_of", None)
    with folds(model, kept=None):
        assert [model.judge(one).finding() for one in cases] == before


def test_a_p_value_is_the_rank_among_kept_parts_that_are_judged_as_cases_that_lack_the_same(
    once: JointDetector,
) -> None:
    rows, lost = lacking("both", 3)
    (fold,) = once.folds_
    parts = [fold.kept.signals["sensor"].part(row).value for row in range(len(fold.kept.units))]
    scores = np.array([once.judge(case("k", without(one, rows, lost))).score for one in parts])
    plain = fold.calibration.joint_scores()["sensor",]
    assert len(scores) == len(plain) == 36
    for i in range(8):
        found = lacks(once, "both", i)
        assert found.p_value * 37 == pytest.approx(1 + (scores >= found.score).sum())
        assert (found.guarantee.valid, found.guarantee.size) == (False, 36)  # 36 are too few for 2 %


def test_each_fold_ranks_its_own(model: JointDetector) -> None:
    found = lacks(model, "block", 1)
    _, measured, _ = model._measure(case("t", without(table(9, 1), *lacking("block", 3))), None)
    ranking = masked.ranked_like(model.folds_, found.signals, measured)
    alone = [
        calibration.judge(case_key(found.case), fold.compared({"sensor": ranking.measured["sensor"][number]}), {}, 0.05)
        for number, (fold, calibration) in enumerate(zip(model.folds_, ranking.among, strict=True))
    ]
    assert [one.ranked(("sensor",)).size for one in ranking.among] == [12] * 5
    assert found.p_value == pooled_p_value([one.p_value for one in alone], [12] * 5)
    for fold, calibration in zip(model.folds_, ranking.among, strict=True):
        assert not np.array_equal(calibration.joint_scores()["sensor",], fold.calibration.joint_scores()["sensor",])
        assert calibration.tails_ == fold.calibration.tails_


def test_what_is_ranked_among_depends_on_the_mask_alone() -> None:
    first, second = fitted(0, 60), fitted(0, 60)
    odd = replace(table(9, 1), values=50 * table(9, 1).values)
    first.judge(case("odd", without(odd, *lacking("block", 3))))
    for i in range(3):
        assert lacks(first, "block", i).finding() == lacks(second, "block", i).finding()


def test_a_fault_in_what_is_left_is_found(model: JointDetector) -> None:
    rows, lost = lacking("channel", 3)
    left = int(np.flatnonzero(~lost[0])[0])
    for i in range(5):
        signal = table(9, i)
        signal.values[44:56, left] += 10
        found = model.judge(case("t", without(signal, rows, lost)))
        assert (found.verdict, found.guarantee.valid) == ("anomalous", True)
    usual = [lacks(model, "channel", i) for i in range(20)]
    assert sum(one.verdict == "anomalous" for one in usual) <= 4


def test_a_mask_that_takes_nothing_changes_nothing(once: JointDetector) -> None:
    (fold,) = once.folds_
    made, why = masked._masked(fold, ("sensor",), (("sensor", Mask(bytes(ROWS))),))
    assert why == ""
    np.testing.assert_allclose(
        made.calibration.joint_scores()["sensor",], fold.calibration.joint_scores()["sensor",], rtol=1e-9
    )


def test_words_of_a_verdict_say_what_is_missing_at_any_rate(model: JointDetector) -> None:
    finding = model.finding(case("t", without(table(9, 1), *lacking("channel", 3))))
    name = finding.guarantee.missing
    assert name in ("'pressure'", "'heat'", "'flow'")
    assert f"60 calibration cases of this pattern that lack the same ({name})" in finding.evidence[0].caption
    assert "may itself be a fault" in finding.evidence[0].caption
    grounds = finding.guarantee.grounds
    again = at_rate(finding.guarantee.pattern, "case", grounds, 0.05)
    assert again == finding.guarantee
    assert at_rate(finding.guarantee.pattern, "case", grounds, 0.001).valid is False


def test_a_model_keeps_what_it_masks_and_checks_it(model: JointDetector, tmp_path: Path) -> None:
    folder, twice = tmp_path / "model", tmp_path / "twice"
    model.save(folder)
    again = JointDetector.load(folder)
    for kind in ("block", "channel"):
        assert lacks(again, kind, 1).finding() == lacks(model, kind, 1).finding()
    again.save(twice)
    home = folder / "folds" / "2" / "kept"
    names = ["cases", "parts-sensor", "references-sensor"]
    assert sorted(file.name for file in home.iterdir()) == [
        f"{n}.{kind}" for n in names for kind in ("json", "safetensors")
    ]
    for file in home.iterdir():
        assert (twice / file.relative_to(folder)).read_bytes() == file.read_bytes()

    def changed(name: str, edit) -> None:
        before = (home / name).read_text()
        values = json.loads(before)
        edit(values)
        (home / name).write_text(json.dumps(values))
        write_manifest(folder)
        with pytest.raises(ModelError, match=name.split(".")[0]):
            JointDetector.load(folder)
        (home / name).write_text(before)

    changed("cases.json", lambda v: v["units"].pop())
    changed("cases.json", lambda v: v.update(modalities=["text"]))
    changed("parts-sensor.json", lambda v: v["shapes"]["0"].update(values=[65, 3]))
    changed("parts-sensor.json", lambda v: v["shapes"]["0"].update(times=[-1]))
    changed("parts-sensor.json", lambda v: v["values"].update({"0": 7}))
    changed("parts-sensor.json", lambda v: (v["shapes"].pop("0"), v["values"].pop("0")))


def test_without_kept_cases_there_is_a_verdict_without_a_promise_and_the_reason(model: JointDetector) -> None:
    with folds(model, kept=None):  # a model saved before there were any
        bare = lacks(model, "block", 1)
    assert bare.verdict in ("anomalous", "normal")
    assert (bare.guarantee.valid, bare.guarantee.missing) == (False, "")
    assert "(no normal part was kept to be masked like it)" in bare.guarantee.note
    named, refused = level(model, [case(f"n{i}", table(60, i)) for i in range(30)])
    assert refused == ()
    after = lacks(named.of(model), "block", 1)
    assert (after.guarantee.valid, after.guarantee.missing) == (False, "")
    half = model.judge(
        case("t", without(table(9, 1), np.r_[True, np.zeros(40, bool), np.ones(23, bool)], lacking("", 0)[1]))
    )
    assert "(it lacks more than 50 % of its rows)" in half.guarantee.note
    assert not half.guarantee.valid


def test_too_few_that_fit_are_not_ranked_among(monkeypatch) -> None:
    table_bytes = ROWS * (3 * 9 + 8)
    monkeypatch.setattr(masked, "FEWEST", 45)
    monkeypatch.setattr(fit_part, "BYTES", 5 * 10 * table_bytes)
    enough = lacks(fitted(0, 60), "block", 1)
    assert (bool(enough.guarantee.missing), enough.guarantee.size) == (True, 50)
    monkeypatch.setattr(fit_part, "BYTES", 5 * 8 * table_bytes)
    few = lacks(fitted(0, 60), "block", 1)
    assert (few.guarantee.missing, few.guarantee.valid, few.guarantee.size) == ("", False, 60)
    assert "(40 of 60 calibration cases can be masked so; others were too large to keep" in few.guarantee.note


def test_windows_of_recordings_are_ranked_among_one_of_each() -> None:
    windows = [replace(case(f"r{r}-{w}", table(70, r, w)), recording=f"r{r}") for r in range(20) for w in range(3)]
    model = JointDetector.from_config(CONFIG).fit(Cases(tuple(windows)))
    lone = replace(case("t", without(table(71), *lacking("block", 3))), recording="new")
    found = model.judge(lone)
    assert (found.guarantee.valid, found.guarantee.among, found.guarantee.units) == (True, "recordings", 20)
    assert found.by_recording.count == 20
    assert found.by_recording.whole == 1.0  # masked, it cannot speak for a recording


def test_the_joint_score_is_that_of_what_is_left(tiny) -> None:
    cases = tiny.tiny_cases(60, 0)
    joint = {"steps": 60, "width": 16, "levels": 4, "draws": 2, "dims": 3}
    parts = {m: s for m, s in tiny.tiny_config().model_dump()["parts"].items() if m in ("image", "sensor")}
    model = JointDetector(tiny.tiny_config(parts=parts, joint=joint, calibration="cross", false_alarm_rate=0.05)).fit(
        cases
    )
    whole = tiny.tiny_case(5, 0, drop=("text", "video"))
    signal = whole.parts["sensor"].value
    values = signal.values.copy()
    values[:, 0] = np.nan
    silent = Part("sensor", value=replace(signal, values=values))
    found = model.judge(replace(whole, parts={**whole.parts, "sensor": silent}))
    assert (found.guarantee.missing, found.guarantee.valid, found.guarantee.size) == ("'vibration'", True, 60)
    assert found.guarantee.pattern == ("image", "sensor")
    assert len(found.contradictions) == 2
    for fold in model.folds_:
        (made,) = fold.kept.ranked.values()
        link = ("sensor", ("image",))
        assert made.calibration.size(link) == 12
        assert made.calibration.size("image") == 12
        np.testing.assert_array_equal(
            made.calibration.scores_["part:image"], fold.calibration.scores_["part:image"]
        )  # that part lacks nothing
        assert not np.array_equal(
            made.calibration.scores_["link:sensor|image"], fold.calibration.scores_["link:sensor|image"]
        )


def frames(folder: Path, seed: int, left: np.ndarray) -> Case:
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number in np.flatnonzero(left):
        pixels = rng.normal(90, 10, (8, 8, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"2026-03-01T06-00-{number:02d}.png")
    return Case(folder.name, {"video": Part("video", folder)}, split="train")


def test_clips_are_masked_from_their_files_as_long_as_these_are_what_they_were(tiny, tmp_path: Path) -> None:
    every, some = np.ones(12, bool), ~np.isin(np.arange(12), [4, 5, 6])
    normal = [frames(tmp_path / f"n{i}", i, every) for i in range(40)]
    config = {"parts": {"video": {"encoder": "tiny-video", "detector": "gaussian-diffusion"}}, "false_alarm_rate": 0.05}
    model = JointDetector.from_config(config).fit(Cases(tuple(normal)))
    lone = frames(tmp_path / "t", 99, some)
    found = model.judge(lone)
    assert (found.guarantee.missing, found.guarantee.valid) == ("25 % of the frames in one piece", True)
    assert found.guarantee.size == 40
    model.save(tmp_path / "model")
    again = JointDetector.load(tmp_path / "model")
    assert again.judge(lone).finding() == found.finding()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(next(iter(sorted((tmp_path / "n7").iterdir()))))
    changed = JointDetector.load(tmp_path / "model").judge(lone)
    assert (changed.guarantee.missing, changed.guarantee.valid) == ("", False)
    assert "(n7 holds no more what was learned from)" in changed.guarantee.note


def test_rows_are_drawn_by_content_from_every_unit() -> None:
    cases = tuple(Case(str(i), {}) for i in range(12))
    units = ("x",) * 4 + ("a",) * 5 + ("b", "b", "c")
    rows = Split(cases, tuple("abcdefghijkl"), range(2), range(2, 4), range(4, 12), "recording", units, folds=2)
    assert kept.drawn(rows, 0) == list(range(4, 12))
    few = kept._drawn(rows, rows.counted, 4, 0)
    assert sorted(units[row] for row in few) == ["a", "a", "b", "c"]
    assert kept._drawn(rows, rows.counted, 4, 0) == few
    assert kept.drawn_references(rows, 0) == [2, 3]
