"""What a fit says that it would catch: planted in held-out normals, kept in the run, told by report and chat."""

import numpy as np
import pytest
from mmdmad.agents.grounding import check
from mmdmad.agents.investigator import Investigator
from sqlalchemy import update
from sqlalchemy.orm import Session

from mmdmad.ask.base import Scope, ask
from mmdmad.ask.sensitivity import _kind
from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import RunError
from mmdmad.parts import Sensor
from mmdmad.pipeline import planting
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.planted import DAMAGES
from mmdmad.pipeline.sensitivity import Kind, Tried
from mmdmad.report.model import build
from mmdmad.store import db
from mmdmad.store.run import Run

CONFIG = {"parts": {"sensor": {"encoder": "windows", "detector": "knn"}}, "false_alarm_rate": 0.05, "folds": 3}


def cases(count: int, seed: int = 0, **more) -> Cases:
    rng, made = np.random.default_rng(seed), []
    for i in range(count):
        sensor = Sensor(rng.normal(0, 1, (60, 2)), np.arange(60) / 20, ("a", "b"), ("g", "A"), None)
        made.append(Case(f"n{i}", {"sensor": Part("sensor", value=sensor)}, **more))
    return Cases(tuple(made))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = Run.create(tmp_path_factory.mktemp("sensitive") / "run", PipelineConfig.model_validate(CONFIG))
    made.fit(cases(60))
    made.measure_sensitivity(600.0)
    yield made
    made.close()


def test_larger_damage_is_caught_more_and_none_hardly(run):
    found = run.sensitivity
    (kind,) = found.kinds
    assert (found.cases, found.stopped, found.rate, found.free) == (20, False, 0.05, True)
    shares = {one.size: one.share(0.05) for one in kind.tried}
    assert list(shares) == [0, 1, 2, 4, 8, 16]
    assert shares[0] <= 0.2
    assert shares[16] == 1.0
    assert kind.half(0.05).size in (2, 4, 8)
    assert all(len(one.p_values) == 20 and min(one.p_values) >= 1 / 61 for one in kind.tried)
    assert (found.usual.size, found.share) == (60, 1.0)


def test_damaged_cases_are_judged_by_folds_that_neither_learned_nor_rank_with_them(run, monkeypatch):
    model, seen = run.model, []
    monkeypatch.setattr(planting, "_p_value", lambda fold, case, measured, said: seen.append((fold, case.id)) or 0.5)
    planting.sensitivity(model, model.held_out_, 0.05, 600.0)
    held_out = [{case.id for case in part} for part in model.held_out_]
    assert {id(fold) for fold, _ in seen} == {id(fold) for fold in model.folds_}
    for fold, name in seen:
        assert name in held_out[[id(one) for one in model.folds_].index(id(fold))]


def test_a_p_value_is_that_of_its_fold_counted_for_all(run):
    model, case = run.model, run.model.held_out_[1][0]
    known = planting._measured(model.folds_[1], case)
    said = planting.promised([fold.calibration for fold in model.folds_], ("sensor",), 0.05)
    calibration = model.folds_[1].calibration
    score = calibration.fuse(model.folds_[1].compared(known), {}).score
    scores = calibration.joint_scores()["sensor",]
    expected = (1 + 60 * np.mean(scores >= score)) / 61
    assert planting._p_value(model.folds_[1], case, known, said) == pytest.approx(expected)
    none = said.model_copy(update={"attained": 0.0})
    assert planting._p_value(model.folds_[1], case, known, none) == 1.0


def test_it_ends_when_its_time_is_used_up(run):
    found = planting.sensitivity(run.model, run.model.held_out_, 0.05, 0.0)
    assert (found.cases, found.stopped) == (1, True)
    assert [len(one.p_values) for one in found.kinds[0].tried] == [1] * 6


def test_it_is_told_by_chat_and_report_and_at_another_rate(run):
    run.score(cases(3, seed=9))
    captions = [one.evidence.caption for one in ask(Scope(run), "would_catch").evidence]
    assert captions[0] == (
        "Verdicts rest on 60 calibration cases: no p-value is below 0.0164, and a declared 5 % attains 4.92 %."
    )
    assert captions[1] == "The smallest rate is 2 %; 1 % needs 39 normal cases more."
    assert "spreads in 10 % of the rows of a channel on, at 5 %" in captions[2]
    said = Investigator(run, llm="offline", thread="t").ask("what would you have caught?")
    assert not said.withheld
    assert captions[2] in said.text
    (section,) = [one for one in build(run).sections if one.title == "What this model would catch"]
    assert [e.caption for e in section.evidence] == captions
    other = [one.evidence.caption for one in ask(Scope(run.at(0.01)), "would_catch").evidence]
    assert "at a declared 1 % nothing can be flagged" in other[0]


def test_older_runs_and_damaged_ones(run, tmp_path):
    none = Run.create(tmp_path / "run", PipelineConfig.model_validate(CONFIG))
    assert none.sensitivity is None
    assert ask(Scope(none), "would_catch").idle
    none.close()
    kept = run.sensitivity
    with Session(run._engine) as session, session.begin():
        session.execute(update(db.MetaRow).where(db.MetaRow.key == "sensitivity").values(value='{"rate": 2}'))
    with pytest.raises(RunError, match="planted damage is damaged"):
        _ = run.sensitivity
    with Session(run._engine) as session, session.begin():
        session.merge(db.MetaRow(key="sensitivity", value=kept.model_dump_json()))


def test_what_ranks_by_group_is_read_at_its_own_rate_alone(tmp_path):
    made = Run.create(tmp_path / "run", PipelineConfig.model_validate(CONFIG | {"by": "group"}))
    made.fit(cases(40, group="A"))
    assert not made.sensitivity.free
    other = [one.evidence.caption for one in ask(Scope(made.at(0.1)), "would_catch").evidence]
    assert "Planted damage was measured at 5 %, and not at 10 %." in other
    made.close()


@pytest.mark.parametrize("modality", DAMAGES)
def test_what_is_said_of_each_kind_is_in_its_evidence(modality):
    for size in DAMAGES[modality].sizes:
        for p_values in ((0.01, 0.02, 0.3), (0.2, 0.3, 0.01), (0.5, 0.6, 0.7)):
            tried = tuple(Tried(size=s, p_values=p_values if s else (0.5, 0.04)) for s in (0.0, size))
            said = _kind(Kind(modality=modality, tried=tried), 0.05).evidence.model_copy(update={"id": "E1"})
            assert check(said.caption, ["E1"], [said]) == []
