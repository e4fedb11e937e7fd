"""The suite of questions to very many findings, on very few; a question that fails is told, not dropped."""

import json

import pytest

from mmdmad.bench import questions_at_scale as scale
from mmdmad.bench import run_suite
from mmdmad.bench.scale_worker import QUESTIONS, main
from mmdmad.bench.synthetic_run import synthetic_findings, synthetic_run
from mmdmad.errors import ConfigError, RunError
from mmdmad.store.run import Run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("scale") / "run"
    synthetic_run(made, 150).close()
    return made


def test_the_suite_measures_each_question_in_its_own_process(tmp_path):
    made = run_suite("questions-at-scale", detectors=["count", "find"], sample=30, work=tmp_path)
    assert [row["detector"] for row in made["rows"]] == ["count", "find"]
    for row in made["rows"]:
        assert row["dataset"] == "30 findings"
        assert 0 < row["metrics"]["seconds"] < 100
        assert 10 < row["metrics"]["peak_mb"] < 5000
    kept = tmp_path / "questions-at-scale" / "run-30-0"
    assert Run.open(kept).count() == 30
    scale.stored(kept, 30, 0)
    with pytest.raises(RunError, match="holds 30 findings, not 31"):
        scale.stored(kept, 31, 0)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered(folder, question, capsys):
    main(str(folder), question)
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {"seconds", "seconds_open", "peak_mb"}
    assert min(figures.values()) > 0


def test_questions_that_fail_are_told(folder, monkeypatch):
    with pytest.raises(ConfigError, match="there are count, "):
        run_suite("questions-at-scale", detectors=["smell"], sample=3)
    with pytest.raises(RunError, match=r"smell failed over .*KeyError"):
        scale.measured(folder, "smell")
    monkeypatch.setattr(scale, "LIMIT", 0.01)
    with pytest.raises(RunError, match="no answer after"):
        scale.measured(folder, "count")


def test_made_up_findings_are_seeded_and_of_every_kind():
    some = list(synthetic_findings(400, seed=1))
    assert some == list(synthetic_findings(400, seed=1))
    assert some != list(synthetic_findings(400, seed=2))
    assert {f.verdict for f in some} == {"anomalous", "normal", "no verdict"}
    assert {len(f.parts) for f in some} == {2, 3, 4}
    assert all(f.simulated for f in some)
    assert {f.time is None for f in some} == {f.group is None for f in some} == {True, False}
    for f in some:
        shares = sum(p.share for p in f.parts) + sum(c.share for c in f.contradictions)
        assert shares == pytest.approx(f.score, abs=0.002)
        assert (f.verdict == "anomalous") == (f.guarantee.valid and f.p_value <= f.guarantee.rate)
