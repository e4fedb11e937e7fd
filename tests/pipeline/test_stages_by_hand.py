"""The stages of a fit and what a detector says of many cases, with stand-ins for what is slow."""

import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from mmdmad.cases import Case, Cases, Part, Refusal
from mmdmad.errors import DataError, NotFittedError, PartError, RefusalWarning, RefusedError
from mmdmad.findings import Finding, Guarantee, PartFinding
from mmdmad.pipeline import detector as pipeline
from mmdmad.pipeline import fitting, folds
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.fit_part import Table
from mmdmad.pipeline.fitting import held_out_contradictions
from mmdmad.pipeline.folds import Fold
from mmdmad.pipeline.splits import Split


def case(name: str, *modalities: str, **more) -> Case:
    return Case(name, {m: Part(m, value=f"{m} of {name}") for m in modalities or ("text",)}, **more)


def finding(name: str, refused: tuple[str, ...] = ()) -> Finding:
    part = PartFinding(modality="text", score=1.0, p_value=0.5, share=1.0, encoder="e", detector="d")
    guarantee = Guarantee(rate=0.1, size=99, interval=(0.0, 1.0), pattern=("text",))
    return Finding(
        case_id=name, verdict="normal", score=1.0, p_value=0.5, guarantee=guarantee, parts=(part,), refused=refused
    )


class Says(JointDetector):
    """A detector that says what it is told to; what it was asked is kept."""

    def __init__(self, **answers) -> None:
        super().__init__(PipelineConfig(false_alarm_rate=0.2))
        self.folds_, self.answers, self.asked = (Fold({"text": None}, None, None),), answers, []

    def finding(self, case, false_alarm_rate=None, artifacts=None, *, cache=None):
        self.asked.append((case.id, false_alarm_rate, artifacts, cache))
        answer = self.answers.get(case.id, finding(case.id))
        if isinstance(answer, Exception):
            raise answer
        return answer


def torn(name: str) -> PartError:
    return PartError("blank", part="case", case_id=name, refused=(Refusal(name, "text", "blank"),))


def test_findings_come_in_order_and_the_rest_is_refused():
    model = Says(b=torn("b"), c=finding("c", ("image: torn",)))
    given = [case("a"), case("b", row=4), case("c", "text", "image", row=5)]
    with pytest.warns(RefusalWarning, match="the one image part was refused; the first, of case c: torn") as told:
        found = model.score(given, 0.3, work=Path("w"), artifacts=Path("art"))
    assert told[0].filename == __file__  # it points to who called
    assert len(told) == 1
    assert [f.case_id for f in found] == ["a", "c"]
    assert found.refused == (Refusal("b", "case", "blank", 4),)
    assert model.asked == [(name, 0.3, Path("art"), Path("w") / "tokens") for name in "abc"]
    assert not any(f.simulated for f in found)
    model.asked.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RefusalWarning)
        assert model.score([case("a"), case("b")]).refused == (Refusal("b", "case", "blank"),)
    assert model.asked[0] == ("a", None, None, None)
    with pytest.warns(RefusalWarning, match="the one text part was refused; the first, of case b: blank"):
        model.score([case("b")])


def test_simulated_cases_are_said_to_be_simulated():
    model = Says()
    for extra, simulated in (({"simulated": True}, True), ({"simulated": False}, False), ({}, False)):
        found = model.score(Cases((case("a"), case("b")), extra=extra))
        assert [f.simulated for f in found] == [simulated] * 2
    assert not model.score([case("a")])[0].simulated


def test_what_a_manifest_could_not_locate_counts_as_refused():
    gone = (Refusal("a", "image", "no such file"),)
    with pytest.warns(RefusalWarning, match="the one image part was refused; the first, of case a: no such file"):
        Says().score(Cases((case("a"),), gone))


def test_what_is_not_fitted_says_so():
    for ask in (lambda m: m.score([]), lambda m: m.judge(case("a")), lambda m: m.save("x")):
        with pytest.raises(NotFittedError, match="this JointDetector is not fitted"):
            ask(JointDetector())
        nothing = JointDetector()
        nothing.folds_ = (Fold({}, None, None),)
        with pytest.raises(DataError, match="this JointDetector has learned no modality"):
            ask(nothing)
    assert JointDetector().config == PipelineConfig()
    assert JointDetector.from_config({"seed": 4}).config.seed == 4


class Knows:
    """A part model that takes what it is given."""

    def __init__(self, name: str, made: list) -> None:
        self.name, self.made = name, made

    def given(self, part):
        return part

    def looked_at(self, part, cache, signal):
        self.made.append((self.name, part.case_id, part.row, cache, signal))
        if "torn" in str(part.value):
            raise PartError("it is torn", part=self.name)
        return ("tokens", part.value)


def test_each_part_of_a_case_is_measured_by_its_model(monkeypatch):
    monkeypatch.setattr(folds, "read", lambda part: f"signal of {part.value}")
    made: list = []
    model = JointDetector()
    model.folds_ = (Fold({m: Knows(m, made) for m in ("image", "text", "video")}, None, None),)
    given = Case(
        "a", {m: Part(m, value=v) for m, v in (("text", "t"), ("image", "torn"), ("sensor", "s"))}, row=8,
    )  # fmt: skip
    signals, measured, refused = model._measure(given, Path("cache"))
    assert signals == {"text": "signal of t"}
    assert measured == {"text": [("tokens", "t")]}
    assert refused == (
        Refusal("a", "image", "it is torn", 8),
        Refusal("a", "sensor", "this model has not learned sensor; it knows image, text, video", 8),
    )
    assert made == [
        ("image", "a", 8, Path("cache"), "signal of torn"), ("text", "a", 8, Path("cache"), "signal of t"),
    ]  # fmt: skip
    with pytest.raises(PartError, match=r"no part can be judged \(image: it is torn\)") as why:
        model.judge(Case("b", {"image": Part("image", value="torn")}, row=3))
    assert (why.value.part, why.value.case_id, why.value.row, len(why.value.refused)) == ("case", "b", 3, 1)
    with pytest.raises(PartError, match=r"no part can be judged \(the case has no parts\)"):
        model.judge(Case("b", {}))


def test_normal_cases_are_read_with_the_parts_that_are_known(monkeypatch):
    monkeypatch.setattr(pipeline, "read", lambda part: part.value)
    model = JointDetector()
    model.folds_ = (Fold({m: Knows(m, []) for m in ("image", "text")}, None, None),)
    cases = [case("a", "image", "text"), case("b", "text"), case("c", "image", "text", "sensor")]
    embeddings = {"image": np.array([[1.0], [2.0], [np.nan]]), "text": np.array([[4.0], [5.0], [6.0]])}
    rows = list(model._normal_rows(cases, embeddings))
    assert [(c.id, signals, {m: e.tolist() for m, e in known.items()}) for c, signals, known in rows] == [
        ("a", {"image": "image of a", "text": "text of a"}, {"image": [1.0], "text": [4.0]}),
        ("b", {"text": "text of b"}, {"text": [5.0]}), ("c", {"text": "text of c"}, {"text": [6.0]}),
    ]  # fmt: skip


ABOUT = {"config": PipelineConfig().model_dump(mode="json"), "modalities": ["text"], "joint": False, "refused": []}


def test_what_pipeline_json_may_hold():
    assert pipeline._About(**ABOUT).modalities == ("text",)
    for wrong in (
        {"modalities": []}, {"modalities": ["text", "text"]}, {"modalities": ["../text"]}, {"more": 1},
        {"refused": [["a", "text", "blank"]]},
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            pipeline._About(**{**ABOUT, **wrong})
    only = PipelineConfig(parts={"image": {}}).model_dump(mode="json")
    with pytest.raises(ValidationError, match="modalities text are not those of its configuration"):
        pipeline._About(**{**ABOUT, "config": only})


def rows(count: int, fit: int, reference: int) -> Split:
    cases = tuple(case(f"c{i}", "image", "text", row=i) for i in range(count))
    return Split(cases, tuple(map(str, range(count))), range(fit), range(fit, reference), range(reference, count))


@pytest.mark.parametrize(("both", "needed", "learned"), [(4, 4, True), (4, 5, False), (5, 5, True), (0, 2, False)])
def test_a_joint_network_needs_enough_cases_of_two_parts(monkeypatch, tmp_path, both, needed, learned):
    fitted = []

    class Joint:
        def __init__(self, settings, seed):
            self.how = (settings, seed)

        def fit(self, vectors, checkpoint, tick):
            fitted.append((self.how, {m: len(v) for m, v in vectors.items()}, checkpoint, tick))
            return self

        def save(self, folder):
            (folder / "saved").write_text("")

        @classmethod
        def load(cls, folder):
            assert (folder / "saved").is_file()
            return "loaded"

    monkeypatch.setattr(fitting, "JointModel", Joint)
    progress = SimpleNamespace(steps=lambda what, total: (what, total))
    config = PipelineConfig(min_parts=needed, seed=6, joint={"steps": 7})
    vectors = {"image": np.ones((12, 2)), "text": np.ones((12, 3)), "sensor": np.full((12, 1), np.nan)}
    vectors["text"][both:8, 1] = np.nan  # beyond the fit split there are more
    tables = {m: Table(np.zeros(12), v, np.zeros((12, 1)), ()) for m, v in vectors.items()}
    assert fitting._learns_jointly(config, rows(12, 8, 10), tables) == learned
    assert not fitting._learns_jointly(config, rows(12, 8, 10), {"image": tables["image"]})
    if learned:
        assert fitting._fit_joint(config, rows(12, 8, 10), vectors, tmp_path, progress) == "loaded"
        ((how, sizes, checkpoint, tick),) = fitted
        assert how == (config.joint, 6)
        assert sizes == {"image": 8, "text": 8, "sensor": 8}
        assert checkpoint == tmp_path / "joint-checkpoint.safetensors"
        assert tick == ("joint network", 7)
        assert (tmp_path / "joint").is_dir()


def test_contradictions_of_held_out_cases_are_of_parts_that_have_a_score():
    asked = []

    class Joint:
        def contradictions(self, known, wanted):
            asked.append((dict(known), list(wanted)))
            return {link: 10.0 * len(asked) + i for i, link in enumerate(wanted)}

    def table(*scores: float) -> Table:
        return Table(np.array(scores), np.arange(float(len(scores)))[:, None], np.zeros((len(scores), 1)), ())

    nan, seen = np.nan, []
    tables = {"image": table(nan, nan, 1.0, 1.0, nan), "text": table(nan, nan, 1.0, nan, 1.0)}
    progress = SimpleNamespace(over=lambda items, what, size: seen.append((what, size)) or items)
    found = held_out_contradictions(Joint(), tables, rows(5, 2, 4), progress)
    assert seen == [("contradictions", 3)]
    assert [({m: v.tolist() for m, v in known.items()}, wanted) for known, wanted in asked] == [
        ({"image": [2.0], "text": [2.0]}, [("image", ("text",)), ("text", ("image",))]),
        ({"image": [3.0]}, []), ({"text": [4.0]}, []),
    ]  # fmt: skip
    np.testing.assert_array_equal(found["image", ("text",)], [nan, nan, 10, nan, nan])
    np.testing.assert_array_equal(found["text", ("image",)], [nan, nan, 11, nan, nan])
    assert set(found) == {("image", ("text",)), ("text", ("image",))}


def test_reference_and_calibration_cases_are_calibrated_apart(monkeypatch, tmp_path):
    seen = []

    class Calibration:
        def __init__(self, seed=0, unit="case"):
            self.seed = seed
            assert unit == "case"

        def fit(self, reference, calibration, units, order, contents, groups):
            assert groups is None  # no column of groups was named
            assert (units, order) == (["3", "4", "5"], None)  # each stands for itself
            assert contents == ["3", "4", "5"]  # the keys of what they hold, by which a window is drawn
            seen.append((self.seed, reference, calibration))
            return self

        def state(self):
            return {"seed": self.seed}

        @classmethod
        def from_state(cls, values):
            return values

    monkeypatch.setattr(fitting, "JointCalibration", Calibration)
    link = ("image", ("text",))
    monkeypatch.setattr(fitting, "held_out_contradictions", lambda *_: {link: np.arange(6.0) + 50})
    tables = {"text": Table(np.arange(6.0), np.zeros((6, 1)), np.zeros((6, 1)), ())}
    for joint, name in ((object(), "a"), (None, "b")):
        made = fitting._calibrate(PipelineConfig(seed=3), rows(6, 2, 3), tables, joint, tmp_path / name, None)
        assert made == {"seed": 3}
    (seed, reference, calibration), (_, alone, _) = seen
    assert seed == 3
    assert (reference.parts["text"].tolist(), calibration.parts["text"].tolist()) == ([2.0], [3.0, 4.0, 5.0])
    assert reference.links[link].tolist() == [52.0]
    assert calibration.links[link].tolist() == [53.0, 54.0, 55.0]
    assert alone.links == {}


def test_why_nothing_can_be_learned():
    few = "only 3 usable text parts in the fit split; 8 are needed to learn text"
    of = lambda reasons: fitting._nothing_learned(  # noqa: E731
        rows(4, 2, 3), 8, [Refusal(f"c{i}", m, why) for i, (m, why) in enumerate(reasons)]
    )
    plain = of([("text", few)])
    assert type(plain) is DataError
    assert str(plain) == (
        "no modality can be learned from 4 cases; each needs 8 readable parts in the fit, the reference and the "
        "calibration split"
    )
    assert type(of([])) is DataError
    assert type(of([("text", few), ("text", few), ("text", "torn")])) is DataError
    half = of([("text", few), ("text", "torn")])
    assert type(half) is RefusedError
    assert [r.case_id for r in half.refused] == ["c0", "c1"]
    every = of([("text", "torn")] * 4)
    assert str(every).endswith("; all 4 text parts were refused; the first, of case c0: torn")


def test_every_part_of_a_kind_of_which_there_are_too_few_is_refused(monkeypatch):
    def read(part):
        if part.case_id == "c1":
            raise PartError("torn", part="text")

    monkeypatch.setattr(fitting, "read", read)
    some = rows(3, 1, 2)
    some = Split((*some.cases, case("d", "image")), (*some.keys, "d"), some.fit, some.reference, range(2, 4))
    found = list(fitting._not_learned(some, "text", "too few"))
    assert found == [
        Refusal("c0", "text", "too few", 0), Refusal("c1", "text", "torn", 1), Refusal("c2", "text", "too few", 2),
    ]  # fmt: skip
