"""Whether cases are divided once or crossed, by what they are and the configuration alone; and how they are dealt."""

from pathlib import Path

import pytest

from mmdmad.cases import Case, Part
from mmdmad.detectors.base import detectors
from mmdmad.errors import ConfigError
from mmdmad.pipeline.config import PipelineConfig, Shares
from mmdmad.pipeline.plan import MOST_STEPS, MOST_UNITS, plan
from mmdmad.pipeline.splits import split, too_few
from mmdmad.pipeline.stages import fingerprint


def texts(count: int, *, recordings: int = 0, modalities: tuple[str, ...] = ("text",)) -> list[Case]:
    def case(i: int) -> Case:
        parts = {m: Part(m, value=f"{m} {i}") for m in modalities}
        return Case(f"c{i}", parts, recording=f"r{i % recordings}" if recordings else None, row=i)

    return [case(i) for i in range(count)]


def config(**changes) -> PipelineConfig:
    return PipelineConfig.model_validate({"parts": {"text": {"detector": "knn"}}, **changes})


def folds_of(cases: list[Case], **changes) -> tuple[int, str]:
    made = plan(cases, config(**changes))
    return len(made.splits), made.why


def test_few_are_crossed_and_many_divided_once():
    assert folds_of(texts(40)) == (5, "crossed in 5 folds: 40 are few to learn from and to rank among")
    assert folds_of(texts(MOST_UNITS - 1))[0] == 5
    assert folds_of(texts(MOST_UNITS)) == (
        1, f"divided once: {MOST_UNITS} are enough to rank among a part of them",
    )  # fmt: skip
    copies = [*texts(300), *[Case(f"copy {i}", case.parts) for i, case in enumerate(texts(300) * 4)]]
    assert folds_of(copies)[0] == 5  # 1,500 cases, 300 different ones


def test_what_is_asked_for_is_done():
    assert folds_of(texts(40), calibration="split") == (1, "divided once: it was asked for")
    assert folds_of(texts(MOST_UNITS), calibration="cross")[0] == 5
    assert folds_of(texts(80), folds=8)[0] == 8
    assert folds_of(texts(60, recordings=30), folds=4)[0] == 4
    assert folds_of(texts(120, recordings=30))[0] == 10
    assert folds_of(texts(60, recordings=7))[0] == 7
    assert folds_of(texts(2), calibration="cross") == (1, "divided once: 2 different cases")
    for wrong in ({"folds": 2}, {"folds": 51}, {"calibration": "both"}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            PipelineConfig.load(wrong)


def test_networks_are_trained_once_where_folds_would_take_long():
    both = texts(40, modalities=("image", "text"))
    parts = {"parts": {"text": {"detector": "knn"}, "image": {"detector": "knn"}}}
    assert folds_of(both, **parts) == (1, "divided once: 5 folds would train networks for 10000 steps")
    assert folds_of(both)[0] == 5  # the image is not looked at: nothing is learned jointly
    steps = MOST_STEPS // 4
    assert folds_of(both, **parts, joint={"steps": steps})[0] == 5
    assert folds_of(both, **parts, joint={"steps": steps + 1})[0] == 1
    assert folds_of(texts(40), parts={"text": {"detector": "ddae"}})[0] == 5
    assert folds_of(texts(40), parts={"text": {"detector": "ddae", "detector_params": {"steps": 1501}}})[0] == 1
    slow = next(name for name, kind in detectors().items() if kind.about.cost == "minutes")
    assert folds_of(texts(40), parts={"text": {"detector": slow}}) == (
        1, f"divided once: {slow} takes minutes to learn, and each fold would again",
    )  # fmt: skip
    assert folds_of(texts(40), parts={"text": {"detector": slow}}, calibration="cross")[0] == 5
    assert folds_of(texts(40), parts={"text": {"detector": "knn"}, "image": {"detector": slow}})[0] == 5
    assert folds_of(texts(40), parts={"text": {"detector": "nobody knows"}})[0] == 5  # it is refused when it is made


def test_every_case_is_ranked_with_once_and_never_by_what_learned_it():
    made = plan(texts(103), config())
    ranked = [case.id for case, _ in made.calibration]
    assert sorted(ranked) == sorted(case.id for case in texts(103))
    for rows in made.splits:
        parts = [{rows.cases[i].id for i in part} for part in (rows.fit, rows.reference, rows.calibration)]
        assert sum(map(len, parts)) == 103 == len(set.union(*parts))
        assert [round(len(part), -1) for part in parts] == [60, 20, 20]
    beside = [{rows.cases[i].id for i in rows.reference} for rows in made.splits]
    assert sum(map(len, beside)) == len(set.union(*beside)) == 103  # each group is the reference of one fold


def test_folds_lose_no_modality_that_one_split_would_learn():
    assert folds_of(texts(60, recordings=20), min_parts=8)[0] == 6  # of ten or seven groups one would have six windows
    assert folds_of(texts(60, recordings=20), min_parts=6)[0] == 10
    mixed = [Case(c.id, c.parts if i % 2 else {"image": Part("image", value=str(i))}, recording=c.recording)
             for i, c in enumerate(texts(200, recordings=50))]  # fmt: skip
    both = {"parts": {"text": {"detector": "knn"}, "image": {"detector": "knn"}}, "joint": {"steps": 1}}
    made = plan(mixed, config(**both, min_parts=14))
    assert len(made.splits) < 10
    assert not any(too_few(rows, m, 14) for rows in made.splits for m in ("text", "image"))
    assert folds_of(texts(20), min_parts=8)[0] == 5  # neither way learns anything: it is said as always


def test_units_stay_whole_in_every_fold():
    copies = [Case(f"c{i}", {"text": Part("text", value=f"text {i // 3}")}) for i in range(240)]
    for cases in (copies, texts(300, recordings=12)):
        for rows in plan(cases, config()).splits:
            found = [{rows.unit(i) for i in part} for part in (rows.fit, rows.reference, rows.calibration)]
            assert sum(map(len, found)) == len(set.union(*found))
    assert len(plan(copies, config()).calibration) == 80  # copies count once


def test_blocks_are_ranked_with_whole_and_far_from_what_is_learned():
    made = plan(texts(100, recordings=1), config())
    assert [len(rows.calibration) for rows in made.splits] == [20] * 5
    for number, rows in enumerate(made.splits):
        held, beside, fit = ([rows.cases[i].row for i in part] for part in (rows.calibration, rows.reference, rows.fit))
        assert sorted(held) == list(range(20 * number, 20 * number + 20))
        assert min(abs(a - b) for a in held for b in [*fit, *beside]) == 2
        assert min(abs(a - b) for a in beside for b in fit) == 2
    three = plan(texts(300, recordings=3), config())
    assert [len({rows.unit(i) for i in rows.calibration}) for rows in three.splits] == [3] * 5


def test_neither_order_nor_names_decide_the_folds():
    def dealt(cases):
        return [
            sorted(rows.cases[i].parts["text"].value for i in rows.calibration) for rows in plan(cases, config()).splits
        ]

    renamed = [Case(f"other {case.id}", case.parts) for case in texts(90)][::-1]
    assert dealt(renamed) == dealt(texts(90))
    assert [rows.keys for rows in plan(texts(90), config()).splits] == [
        rows.keys for rows in plan(texts(90)[::-1], config()).splits
    ]
    other = plan(texts(90), config(seed=1)).splits[0].keys
    assert other != plan(texts(90), config()).splits[0].keys


def test_divided_once_is_the_split_as_it_was():
    for cases in (texts(80), texts(200, recordings=20), texts(100, recordings=1)):
        made = plan(cases, config(calibration="split", seed=4))
        rows = split(cases, Shares(), 4)
        assert (made.first.keys, made.first.fit, made.first.reference) == (rows.keys, rows.fit, rows.reference)
        assert made.fingerprint(config(seed=4)) == fingerprint(config(seed=4), rows)
    crossed = plan(texts(80), config())
    marks = {fingerprint(config(), rows) for rows in crossed.splits}
    assert len(marks) == 5
    assert crossed.fingerprint(config()) not in marks
    assert crossed.fingerprint(config()) == plan(texts(80)[::-1], config()).fingerprint(config())


def test_the_first_folder_of_a_path_decides_nothing(tmp_path: Path):
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("\n".join(f"line {i}" for i in range(60)))
        part = Part("text", tmp_path / name / "a.txt", root=tmp_path / name)
        cases = [
            Case(str(i), {"text": Part("text", part.path, start=i, stop=i + 1, root=part.root)}) for i in range(60)
        ]
        made.append(plan(cases, config()))
    assert [rows.keys for rows in made[0].splits] == [rows.keys for rows in made[1].splits]
    assert made[0].first.kind == "block"


def test_many_cases_are_divided_once_however_few_their_recordings(monkeypatch):
    monkeypatch.setattr("mmdmad.pipeline.plan.MOST_CASES", 60)
    assert folds_of(texts(59))[0] == 5
    assert folds_of(texts(60))[0] == 1
