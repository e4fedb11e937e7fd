"""A report of many findings stays small: cards, lines and points have limits, counts are SQL's, nothing is hidden."""

import json

import pytest

from mmdmad.ask.timeline import Point
from mmdmad.bench.synthetic_run import synthetic_findings, synthetic_run
from mmdmad.cases import Cases, Refusal
from mmdmad.findings import Finding
from mmdmad.report import model, write_report
from mmdmad.report.timeline import lay_out

COUNT = 150


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = synthetic_run(tmp_path_factory.mktemp("limits") / "run", COUNT, seed=2)
    made.score(Cases((), tuple(Refusal(f"bad-{i}", "image", "the file is truncated", i) for i in range(7))))
    yield made
    made.close()


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(model, "DETAILED", 2)
    monkeypatch.setattr(model, "LISTED", 3)
    monkeypatch.setattr(model, "REFUSED", 4)


def test_what_a_report_has_no_room_for_is_counted(run, small, tmp_path):
    flagged = sum(f.verdict == "anomalous" for f in synthetic_findings(COUNT, seed=2))
    assert flagged > 5
    report = model.build(run)
    assert (len(report.findings), report.flagged, report.unlisted) == (5, flagged, flagged - 5)
    assert (len(report.refused), report.refused_in_all) == (4, 7)
    for form in ("md", "html"):
        text = write_report(run, tmp_path / f"r.{form}").read_text()
        assert f"{flagged - 5} more cases are flagged" in text
        assert "3 more were refused" in text
    assert json.loads(write_report(run, tmp_path / "r.json").read_text())["flagged"] == flagged


def test_a_report_reads_no_more_findings_than_it_shows(run, small, monkeypatch):
    read = []
    real = Finding.model_validate_json
    monkeypatch.setattr(Finding, "model_validate_json", lambda text, **more: read.append(1) or real(text, **more))
    report = model.build(run)
    assert report.judged == COUNT
    assert len(read) <= 5 + 3 + len(report.bases)


def test_with_room_for_all_nothing_is_said_of_more(run, tmp_path):
    assert "more cases are flagged" not in write_report(run, tmp_path / "r.html").read_text()
    assert "more were refused" not in write_report(run, tmp_path / "r.md").read_text()


def test_cases_without_a_time_stand_at_their_place_among_all():
    points = [Point(case_id=str(i), time=None, p_value=0.5, verdict="normal", place=i) for i in range(0, 1000, 100)]
    timeline = lay_out(points, 0.05, True)
    assert timeline.sampled
    assert not timeline.by_time
    assert [t.label for t in timeline.ticks_x] == ["1", "226", "451", "676", "901"]
    steps = {round(b.x - a.x) for a, b in zip(timeline.dots, timeline.dots[1:])}
    assert max(steps) - min(steps) <= 1
