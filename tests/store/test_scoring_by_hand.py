"""Judging into a store with a judge that can be told what to say: what waits, what is kept, refused and withdrawn."""

import dataclasses
import os
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from mmdmad.cases import Case, Cases, Lost, Part, Refusal
from mmdmad.errors import DataError, ModelError, PartError, RefusedError, RunError
from mmdmad.findings import Explanation
from mmdmad.pipeline import detector as pipeline
from mmdmad.store import attempt, db, rows, scoring
from mmdmad.store.run import Run
from mmdmad.store.scoring import Outcome, Scored, Scorer, Waiting, put_refusals, waiting


@pytest.fixture
def run(tmp_path):
    made = Run.create(tmp_path / "run", {"false_alarm_rate": 0.2})
    yield made
    made.close()


def case(name: str, text: str = "words", **more) -> Case:
    return Case(name, {"text": Part("text", value=text)}, **more)


class Judge:
    """Says what `answers` hold for a case: a finding, or an error."""

    parts_ = ("text", "image")

    def __init__(self, made, **answers) -> None:
        self.made, self.answers, self.calls = made, answers, []

    def finding(self, case, rate, artifacts):
        self.calls.append((case.id, rate, artifacts))
        answer = self.answers.get(case.id, self.made.finding(case.id, 0.5))
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_what_a_call_did_has_defaults():
    assert dataclasses.astuple(Scored(3, ())) == (3, (), 0, ())
    assert dataclasses.astuple(Outcome(True)) == (True, (), ())
    assert Waiting(case("a"), "new").before is None
    fields = {f.name: f.default for f in dataclasses.fields(Scorer)}
    assert (fields["simulated"], fields["replacing"]) == (False, False)


def test_refusals_are_told_once_for_each_stage_case_and_part(run):
    put_refusals(run._engine, "fit", [Refusal("a", "text", "first", 3), Refusal("a", "image", "other")])
    put_refusals(run._engine, "fit", [Refusal("a", "text", "second", 4)])
    put_refusals(run._engine, "score", [Refusal("a", "text", "third", 1), Refusal("b", "text", "fourth", 2)])
    assert run.refusals("fit") == [Refusal("a", "image", "other"), Refusal("a", "text", "second", 4)]
    assert run.refusals("score") == [Refusal("a", "text", "third", 1), Refusal("b", "text", "fourth", 2)]
    assert [r.reason for r in run.refusals()] == ["other", "third", "fourth", "second"]
    assert [r.reason for r in run.refusals(limit=2)] == ["other", "third"]
    assert run.refusals(limit=0) == []
    assert run.tally.refused() == 4


def test_what_waits(run, made, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("one")
    given = Case("a", {"text": Part("text", file)}, label=0)
    found, refused = waiting(run._engine, [given, given, case("b"), replace(case("b"), row=7), case("b", "other")])
    assert [(w.case.id, w.how, w.before) for w in found] == [("a", "new", None), ("b", "new", None)]
    assert [(r.case_id, r.part) for r in refused] == [("b", "case")]
    run._model = Judge(made)
    run.score(Cases((given,)))
    assert waiting(run._engine, [given]) == ([], [])
    file.write_text("one")  # written again, the same inside
    os.utime(file, (1, 1))
    assert waiting(run._engine, [given]) == ([], [])
    with Session(run._engine) as session:
        kept = session.get(db.DocumentRow, "a")
        assert kept.stamp == scoring.serial.stamp(given)
    (one,) = waiting(run._engine, [replace(given, label=1)])[0]
    assert (one.how, one.before.case_id) == ("relabelled", "a")
    file.write_text("two")
    (one,) = waiting(run._engine, [given])[0]
    assert (one.how, one.before) == ("changed", run.finding("a"))


def test_a_judged_case_is_stored_with_its_refusals(run, made):
    judge = Judge(
        made,
        a=made.finding("a", 0.05, refused=("image: torn",)),
        b=PartError("blank", part="case", refused=(Refusal("b", "text", "blank"),)),
    )
    scorer = Scorer(run._engine, judge, 0.2, run.path / "artifacts", simulated=True)
    put_refusals(run._engine, "score", [Refusal("a", "sensor", "earlier"), Refusal("x", "case", "stays")])
    put_refusals(run._engine, "fit", [Refusal("a", "sensor", "of the fit")])
    torn = Refusal("a", "image", "torn", 5)
    assert scorer.judge(Waiting(case("a", row=5), "new")) == Outcome(True, (torn,), (torn,))
    assert run.finding("a").simulated
    assert run.refusals("score") == [Refusal("x", "case", "stays"), torn]
    assert [r.reason for r in run.refusals("fit")] == ["of the fit"]
    blank = Refusal("b", "case", "blank", 6)
    assert scorer.judge(Waiting(case("b", row=6), "new")) == Outcome(False, (blank,), (Refusal("b", "text", "blank"),))
    assert run.finding("b") is None
    assert blank in run.refusals("score")
    assert judge.calls == [("a", 0.2, run.path / "artifacts"), ("b", 0.2, run.path / "artifacts")]
    plain = Scorer(run._engine, judge, 0.2, run.path / "artifacts")
    plain.judge(Waiting(case("c"), "new"))
    assert not run.finding("c").simulated


@pytest.mark.parametrize("how", ["changed", "other"])
def test_other_content_under_a_known_id(run, made, how):
    before = made.finding("a", 0.05)
    judge = Judge(made, a=made.finding("a", 0.9))
    scorer = Scorer(run._engine, judge, 0.2, run.path / "artifacts")
    outcome = scorer.judge(Waiting(case("a", row=2), how, before))
    assert (outcome.judged, outcome.parts, len(outcome.refused)) == (False, (), 1)
    assert "that finding is kept" in outcome.refused[0].reason
    assert outcome.refused[0].row == 2
    assert run.finding("a") is None
    assert run.refusals("score") == [outcome.refused[0]]
    # only files that lie where they lay can have taken the earlier verdict's ground away
    assert judge.calls == ([("a", 0.2, None)] if how == "changed" else [])
    replacing = Scorer(run._engine, judge, 0.2, run.path / "artifacts", replacing=True)
    assert replacing.judge(Waiting(case("a"), how, before)).judged
    assert run.finding("a").p_value == 0.9
    for known in ("relabelled", "new"):
        assert scorer.judge(Waiting(case("a"), known, before)).judged


def test_a_part_that_is_lost_withdraws_the_verdict(run, made):
    before = made.finding("a", 0.05, parts=(made.part("text"), made.part("image")))
    judge = Judge(made, a=made.finding("a", refused=("image: torn",)))
    scorer = Scorer(run._engine, judge, 0.2, run.path / "artifacts")
    outcome = scorer.judge(Waiting(case("a", row=3), "changed", before))
    assert outcome == Outcome(False, (Refusal("a", "case", "image: torn", 3),), ())
    found = run.finding("a")
    assert (found.verdict, found.refused) == ("no verdict", ("case: image: torn",))
    assert run.refusals("score") == list(outcome.refused)
    with Session(run._engine) as session:
        row = session.get(db.DocumentRow, "a")
        assert (row.stamp, row.content) == ("", "")  # no marks: it is judged again, whatever it holds then
    (one,) = waiting(run._engine, [case("a")])[0]
    assert (one.how, one.before) == ("new", None)
    # a part that was never judged is no loss
    alone = Judge(made, b=made.finding("b", refused=("image: torn",)))
    outcome = Scorer(run._engine, alone, 0.2, run.path).judge(Waiting(case("b"), "changed", made.finding("b", 0.05)))
    assert "that finding is kept" in outcome.refused[0].reason


def test_what_a_call_of_score_adds_up(run, made, monkeypatch):
    judge = run._model = Judge(
        made, a=made.finding("a", 0.05, refused=("image: torn",)),
        b=PartError("blank", part="case", refused=(Refusal("b", "image", "blank"),)),
    )  # fmt: skip
    bars = []
    monkeypatch.setattr("mmdmad.store.scoring.bar", lambda items, what, size: bars.append((what, size)) or items)
    both = {"text": Part("text", value="w"), "image": Part("image", value=1)}
    lost = Refusal("lost", "sensor", "no such file", 9)
    given = Cases((Case("a", both), Case("b", both), case("c"), case("c", "other")), (lost,))
    done = run.score(given)
    assert (done.done, done.skipped, bars) == (2, 0, [])
    assert [r.case_id for r in done.refused] == ["lost", "c", "a", "b"]
    assert done.lost == (Lost("image", 2, Refusal("a", "image", "torn")),)
    assert judge.calls[0][1:] == (0.2, run.path / "artifacts")
    assert run.tally.learned() == ["text", "image"]
    assert not run.simulated
    again = run.score(Cases((Case("a", both), case("c"), case("d"))), progress=True)
    assert (again.done, again.skipped, again.refused) == (1, 2, ())
    assert bars == [("judging", 1)]
    run.score(Cases((case("a", "w"),), extra={"simulated": False}))
    assert not run.simulated
    run.score(Cases((), extra={"simulated": True}))
    assert run.simulated


def test_the_declared_rate(run, made, tmp_path):
    assert run.false_alarm_rate is None
    assert run.rate == 0.2
    bare = Run.create(tmp_path / "bare", {})
    assert bare.rate == 0.01
    bare.close()
    none = Run.create(tmp_path / "none", {"false_alarm_rate": None})
    assert none.rate == 0.01
    none._model = Judge(made)
    none.score(Cases((case("a"),)), false_alarm_rate=0.05)
    assert none.false_alarm_rate == none.rate == 0.05
    none.score(Cases((case("b"),)))
    assert [call[1] for call in none._model.calls] == [0.05, 0.05]
    with pytest.raises(RunError, match=r"was scored at a declared false-alarm rate of 0\.05, not 0\.1; score at 0\.05"):
        none.score(Cases(()), false_alarm_rate=0.1)
    none._set_meta(false_alarm_rate="often")
    with pytest.raises(RunError, match=r"has the false-alarm rate 'often'; restore cases\.sqlite from a copy"):
        _ = none.rate
    none.close()


def test_words_and_feedback_beside_a_finding(run, made):
    run._model = Judge(made)
    run.score(Cases((case("a"), case("b"))))
    run.feedback("b", "confirmed")
    run.feedback("a", "false-alarm", "note", "Kim")
    assert [(f.case_id, f.label, f.note, f.who) for f in run.feedbacks()] == [
        ("b", "confirmed", "", ""), ("a", "false alarm", "note", "Kim"),
    ]  # fmt: skip
    assert [f.label for f in run.feedbacks("a")] == ["false alarm"]
    assert run.feedbacks("nobody") == []
    words = Explanation(sentences=(), faithfulness=1.0, llm="offline", prompt="p")
    run.set_explanation("a", words)
    assert run.finding("a").explanation == words
    assert run.finding("b").explanation is None
    assert run.finding("nobody") is None
    assert run.case("a").parts["text"].value == "words"
    for ask in (lambda: run.case("nobody"), lambda: run.feedback("nobody", "confirmed")):
        with pytest.raises(RunError, match=r"case 'nobody' was not judged in .*; `mmdmad score` judges cases"):
            ask()
    assert [f.case_id for f in run.findings(order="id")] == ["a", "b"]
    with Session(run._engine) as session:
        assert session.get(db.DocumentRow, "a").digest == rows.document(run.finding("a"))["digest"]


class Learner:
    """Stands in for JointDetector: fails with what it is told to."""

    error: Exception | None = None
    calls: list = []  # noqa: RUF012

    @classmethod
    def from_config(cls, config):
        return cls()

    def fit(self, cases, *, work, progress):
        self.calls.append((work, progress))
        if self.error is not None:
            raise self.error
        self.refused_ = (Refusal("a", "text", "odd", 1),)
        return self

    def save(self, folder):
        folder.mkdir()
        (folder / "whole").write_text("")


@pytest.fixture
def learner(monkeypatch):
    made = type("Fresh", (Learner,), {"calls": [], "damaged": []})
    monkeypatch.setattr(pipeline, "JointDetector", made)
    # a model that only remembers cannot be damaged; that a fit asks for it is looked at where a fit ends
    monkeypatch.setattr(Run, "measure_sensitivity", lambda self, seconds: made.damaged.append(seconds))
    return made


def test_a_fit_that_fails_leaves_the_folder_free(run, learner, tmp_path):
    given = Cases((case("a"), case("b")), (Refusal("x", "image", "gone"),))
    learner.error = RefusedError("nothing", (Refusal("a", "text", "blank"),))
    with pytest.raises(RefusedError):
        run.fit(given)
    assert run.refusals("fit") == [Refusal("a", "text", "blank"), Refusal("x", "image", "gone")]
    assert run._meta("fit_failed") == "true"
    assert (run._meta("fit_cases"), run._meta("fit_size")) == (None, None)
    again = Run.create(run.path, {"false_alarm_rate": 0.3})  # it may be begun anew
    assert again.config == {"false_alarm_rate": 0.3}
    learner.error = DataError("too few")
    with pytest.raises(DataError, match="too few"):
        again.fit(given)
    assert again.refusals("fit") == []  # what an earlier attempt refused is forgotten
    again.close()


def test_a_damaged_stage_is_told_with_what_to_do(run, learner):
    learner.error = ModelError("it is torn", run.path / "work" / "stages" / "x")
    with pytest.raises(ModelError, match=r"delete .*stages and go on with `mmdmad fit --resume`"):
        run.fit(Cases((case("a"),)))
    assert run._meta("fit_failed") is None
    assert run._meta("fit_size") == "1"


def test_a_fit_that_ends(run, learner, tmp_path):
    (run.path / "model.part").mkdir()
    (run.path / "model.part" / "left").write_text("")
    assert run.fit(Cases((case("a"), case("b"))), progress=True) is run
    assert learner.calls == [(run.path / "work", True)]
    assert len(learner.damaged) == 1
    assert run.fitted
    assert [p.name for p in (run.path / "model").iterdir()] == ["whole"]
    assert run.refusals() == [Refusal("a", "text", "odd", 1)]
    assert isinstance(run.model, learner)
    assert (run._meta("fit_size"), run._meta("fit_failed")) == ("2", None)
    with pytest.raises(RunError, match=r"already holds a run; judge with `mmdmad score` \(Run.open\), or name another"):
        Run.create(run.path, {})
    run.fit(Cases((case("a"), case("b"))), resume=True)
    assert len(learner.calls) == 1


def test_a_folder_whose_fit_is_unfinished_is_gone_on_with(run):
    with Session(run._engine) as session, session.begin():
        attempt.begin(session, "mark", 7)
        assert not attempt.failed(session)
    with pytest.raises(RunError, match="already holds a run; go on with the same command and --resume"):
        Run.create(run.path, {})
    with Session(run._engine) as session, session.begin():
        attempt.fail(session)
        assert attempt.failed(session)
    with Session(run._engine) as session, session.begin():
        attempt.begin(session, "mark", 7)
        assert not attempt.failed(session)


def test_where_cases_came_from_is_remembered(run, tmp_path):
    inside = Part("text", tmp_path / "a.txt", root=tmp_path)

    def remembered(*cases, **extra) -> tuple:
        with Session(run._engine) as session, session.begin():
            attempt.remember(session, Cases(cases, root=tmp_path, extra=extra))
        return tuple(run._meta(key) for key in attempt.SOURCE)

    def one(split=None, part=inside):
        return Case("a", {"text": part}, split=split)

    data = str(tmp_path)
    assert remembered(one()) == (data, None, None)
    assert remembered(one("train")) == (data, None, None)
    assert remembered(one("ok")) == (data, "ok", None)
    assert remembered(one("ok"), one("train")) == (data, None, None)
    assert remembered(one("ok"), one("other")) == (data, None, None)
    assert remembered(one("ok"), one("ok"), manifest="m.csv") == (str(tmp_path / "m.csv"), "ok", None)
    assert remembered(one("train", replace(inside, root=None))) == (data, None, "yes")
    assert remembered(one("train", Part("text", value="in memory"))) == (data, None, None)
    with Session(run._engine) as session, session.begin():
        attempt.remember(session, Cases((one("ok"),)))
        assert attempt.go_on(session, tmp_path) == f"mmdmad fit --data DATA --run {tmp_path} --resume"
