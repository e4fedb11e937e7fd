"""What people say of findings: on record with who, when and why, counted by the last word, and moving nothing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from mmdmad.ask.base import Scope, ask
from mmdmad.bench.synthetic_run import synthetic_run
from mmdmad.cli import app
from mmdmad.errors import RunError
from mmdmad.report import write_report
from mmdmad.store.db import DocumentRow
from mmdmad.store.run import Run


@pytest.fixture
def run(tmp_path: Path):
    made = synthetic_run(tmp_path / "run", 150, seed=5)
    yield made
    made.close()


def flagged(run: Run) -> list[str]:
    return [f.case_id for f in run.findings(verdict="anomalous")]


def call(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_word_has_who_when_and_why_and_the_same_word_is_one(run):
    (first, *_) = flagged(run)
    assert run.feedback(first, "confirmed", "bearing", "Kim")
    assert not run.feedback(first, "confirmed", "bearing", "Kim")
    assert not run.feedback(first, "confirmed", "", "Kim")  # no other reason was given
    (said,) = run.feedbacks(first)
    assert (said.label, said.note, said.who, said.earlier) == ("confirmed", "bearing", "Kim", False)
    assert abs(datetime.now(UTC) - said.at.replace(tzinfo=UTC)) < timedelta(minutes=5)
    assert run.feedback(first, "confirmed", "the seal too", "Kim")
    assert run.feedback(first, "confirmed", "bearing", "Sam")
    assert run.feedback(first, "false-alarm", who="Sam")
    assert [f.label for f in run.feedbacks(first)] == ["confirmed", "confirmed", "confirmed", "false alarm"]


def test_other_words_are_refused(run):
    with pytest.raises(RunError, match="'maybe' was given as feedback; allowed are confirmed and false-alarm"):
        run.feedback(flagged(run)[0], "maybe")
    assert run.feedbacks() == []


def test_the_last_word_counts_among_flagged_cases_and_moves_no_finding(run):
    before = list(run.findings())
    odd, (calm,) = flagged(run), [f.case_id for f in run.findings(verdict="normal", limit=1)]
    for case in odd[:3]:
        run.feedback(case, "confirmed")
    run.feedback(odd[0], "false alarm")
    run.feedback(calm, "confirmed")
    n = run.precision
    assert (n.flagged, n.judged, n.confirmed, n.missed, n.disputed) == (len(odd), 3, 2, 1, 1)
    assert n.unjudged == len(odd) - 3
    assert n.share == 2 / 3
    assert n.interval == pytest.approx((0.0943, 0.9916), abs=1e-4)  # Clopper and Pearson, from their tables
    assert list(run.findings()) == before


def test_nothing_is_said_of_a_share_of_nothing(run):
    assert run.precision.share is None
    assert run.precision.interval is None


def test_words_on_what_a_case_was_before_count_no_more(run):
    first = flagged(run)[0]
    run.feedback(first, "confirmed")
    with run._engine.begin() as connection:
        connection.execute(update(DocumentRow).where(DocumentRow.case_id == first).values(content="another"))
    assert [f.earlier for f in run.feedbacks()] == [True]
    assert run.precision.judged == 0
    assert "it counts no more" in ask(Scope(run), "feedback").evidence[0].evidence.caption
    assert run.feedback(first, "confirmed")  # the same word, of what it is now
    assert run.precision.judged == 1


def test_the_query_says_it_and_that_it_says_nothing_of_the_others(run):
    odd = flagged(run)
    assert ask(Scope(run), "feedback").idle
    run.feedback(odd[0], "confirmed", "bearing", "Kim")
    run.feedback(odd[1], "false alarm", "", "Sam")
    found = ask(Scope(run), "feedback")
    assert not found.idle
    assert (found.precision, found.judged, found.confirmed) == (0.5, 2, 1)
    first = found.evidence[0].evidence.caption
    assert f"Of {len(odd)} flagged cases people have judged 2: 1 is confirmed, 1 false" in first
    assert f"nobody has judged {len(odd) - 2}. That is a precision of 50 % (95 %: 1.26 % to 98.7 %)" in first
    assert "people judge what they choose, so it says nothing of the others" in first
    assert [w.case_id for w in found.words] == [odd[1], odd[0]]
    assert found.evidence[2].evidence.caption.startswith(f"{odd[0]}: confirmed, said by Kim on 2")
    assert found.evidence[2].evidence.caption.endswith("UTC (bearing).")
    (one,) = ask(Scope(run), "feedback", case_id=odd[0]).evidence
    assert one.case == odd[0]


def test_report_overview_chat_and_notebook_say_it(run, tmp_path):
    assert "What people said" not in write_report(run, tmp_path / "none.md").read_text()
    assert "people judged" not in run._repr_html_()
    run.feedback(flagged(run)[0], "confirmed", "<b>bearing</b>", "Kim")
    for name in ("r.html", "r.md"):
        page = write_report(run, tmp_path / name).read_text()
        assert "What people said" in page
        assert "people judge what they choose" in page
        assert "<b>bearing</b>" not in page
    sections = json.loads(write_report(run, tmp_path / "r.json").read_text())["sections"]
    assert "What people said" in [section["title"] for section in sections]
    captions = [one.evidence.caption for one in ask(Scope(run), "overview").evidence]
    assert sum("people have judged 1" in caption for caption in captions) == 1
    assert "people judged 1 of" in run._repr_html_()
    said = call("chat", run.path, "--ask", "Which findings were confirmed by people?")
    assert "people have judged 1: 1 is confirmed" in said.output


def test_the_command_records_and_lists(run):
    first = flagged(run)[0]
    assert "Nobody has said a word of all findings" in call("feedback", run.path).output
    said = call("feedback", run.path, first, "false-alarm", "--why", "a shadow", "--who", "Kim")
    assert (said.exit_code, said.output) == (0, f"{first}: false alarm by Kim\n")
    again = call("feedback", run.path, first, "false-alarm", "--why", "a shadow", "--who", "Kim")
    assert again.output == f"{first}: false alarm was the last word already by Kim\n"
    listed = call("feedback", run.path).output
    assert f"{first}: false alarm, said by Kim on" in listed
    assert "(a shadow)" in listed
    found = json.loads(call("feedback", run.path, "--json").output)
    assert [(w["case_id"], w["who"], w["why"]) for w in found["words"]] == [(first, "Kim", "a shadow")]


def test_the_command_takes_the_login_for_a_person(run, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "someone")
    assert call("feedback", run.path, flagged(run)[0], "confirmed").output.endswith(": confirmed by someone\n")

    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert call("feedback", run.path, flagged(run)[1], "confirmed").output.endswith(": confirmed\n")
    assert [f.who for f in run.feedbacks()] == ["someone", ""]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("case-000000", "perhaps"), "allowed are confirmed and false-alarm"),
        (("nobody", "confirmed"), "case 'nobody' was not judged"),
        (("--why", "so"), "--why and --who were given without a word"),
    ],
)
def test_the_command_says_what_is_allowed(run, words, problem):
    said = call("feedback", run.path, *words)
    assert said.exit_code != 0
    assert problem in str(said.exception)
