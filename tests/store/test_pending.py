"""What a stop half-way leaves behind: the number of cases given and not yet done, right at every moment."""

import pytest
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from mmdmad.ask.base import Scope, ask
from mmdmad.cases import Case, Cases, Part
from mmdmad.cli import app
from mmdmad.errors import PartError, RunError
from mmdmad.store.db import MetaRow
from mmdmad.store.pending import Pending
from mmdmad.store.run import Run


class Judge:
    """Judges every case, but stops at one called "stop" and refuses ones called "broken"."""

    parts_ = ("text",)
    joint_scores = dict

    def __init__(self, made):
        self.made = made

    def finding(self, case, rate, artifacts):
        if case.id == "stop":
            raise KeyboardInterrupt
        if case.id.startswith("broken"):
            raise PartError("the file ends too early", part="case", case_id=case.id)
        return self.made.finding(case.id, 0.5)


@pytest.fixture
def run(tmp_path, made):
    opened = Run.create(tmp_path / "run", {"false_alarm_rate": 0.1})
    opened._model = Judge(made)
    yield opened
    opened.close()


def cases(*names):
    return Cases(tuple(Case(name, {"text": Part("text", value=name)}) for name in names))


def test_nothing_is_left_of_a_call_that_ended(run):
    assert run.pending == Pending(0, 0)
    run.score(cases("a", "broken", "b"))
    assert run.pending == Pending(3, 0)
    assert run.pending.words == ""


def test_a_stop_leaves_what_was_not_reached_and_going_on_clears_it(run, tmp_path):
    given = cases("a", "broken", "stop", "b", "c")
    with pytest.raises(KeyboardInterrupt):
        run.score(given)
    assert run.pending == Pending(5, 3)
    for name in ("overview", "data_quality"):
        said = ask(Scope(run, tmp_path), name).evidence[0].evidence.caption
        assert said.startswith("3 of the 5 cases that were to be judged last are not judged yet")
        assert "mmdmad score" in said
    assert "3 of the 5 cases that were to be judged last" in run._repr_html_()
    run._model.finding = lambda case, rate, artifacts: run._model.made.finding(case.id, 0.5)
    run.score(given)
    assert run.pending == Pending(4, 0)  # the one that was judged before needs nothing
    assert "not judged yet" not in ask(Scope(run, tmp_path), "overview").evidence[0].evidence.caption


def test_an_id_that_is_used_again_is_done_too(run):
    run.score(cases("a", "b"))
    run.score(Cases((Case("a", {"text": Part("text", value="other")}),)))
    assert run.pending == Pending(1, 0)
    assert run.count() == 2


@pytest.mark.parametrize(("given", "left"), [("5", "9"), ("5", "x"), ("-1", "-1")])
def test_damaged_counts_are_refused(run, given, left):
    with Session(run._engine) as session, session.begin():
        session.merge(MetaRow(key="given", value=given))
        session.merge(MetaRow(key="unjudged", value=left))
    with pytest.raises(RunError, match="damaged"):
        run.pending  # noqa: B018


def test_words():
    assert Pending(1, 1).words.startswith("The one case that was to be judged last is not")
    assert Pending(9, 1).words.startswith("1 of the 9 cases that were to be judged last is not")


def test_the_next_call_of_score_says_what_was_left(run, tmp_path, made, monkeypatch):
    given = cases("a", "stop", "b")
    with pytest.raises(KeyboardInterrupt):
        run.score(given)
    monkeypatch.setattr(Run, "open", lambda path: run)
    run._model.finding = lambda case, rate, artifacts: made.finding(case.id, 0.5)
    manifest = tmp_path / "m.csv"
    manifest.write_text("id,text\nc,some words\n")
    said = CliRunner().invoke(app, ["score", str(run.path), "--data", str(manifest)]).output
    assert "before this: 2 of the 3 cases that were to be judged last are not judged yet" in said
    assert run.pending == Pending(1, 0)
