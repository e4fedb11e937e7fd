"""Windows of new recordings: which p-value decides, what is stored and said of them, and of their recordings."""

import json

import numpy as np
import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from mmdmad.ask.base import Scope, ask
from mmdmad.cases import Case, Cases, Part
from mmdmad.cli import app
from mmdmad.commands.common import list_recordings
from mmdmad.parts import Sensor
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.report.model import build
from mmdmad.store import db
from mmdmad.store.run import Run

EACH = 6
CONFIG = {
    "parts": {"sensor": {"encoder": "windows", "detector": "knn"}},
    "false_alarm_rate": 0.05, "calibration": "cross", "folds": 3,
}  # fmt: skip


def windows(name: str, seed: int, *, odd: int = 0, count: int = EACH) -> list[Case]:
    """Windows of one recording, of a level of its own; the last `odd` of them jump."""
    rng, made = np.random.default_rng(seed), []
    level = rng.normal(0, 0.3)
    for i in range(count):
        values = level + rng.normal(0, 1, (80, 2))
        values[30:60] += 9.0 * (i >= count - odd)
        sensor = Sensor(values, np.arange(80) / 20, ("a", "b"), ("g", "A"), None)
        made.append(Case(f"{name}-{i}", {"sensor": Part("sensor", value=sensor)}, recording=name))
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = Run.create(tmp_path_factory.mktemp("recordings") / "run", PipelineConfig.model_validate(CONFIG))
    made.fit(Cases(tuple(case for r in range(30) for case in windows(f"r{r}", r))))
    new = [case for r in range(4) for case in windows(f"new{r}", 100 + r)]
    made.score(Cases((*new, *windows("bad", 200, odd=2), *windows("r3", 3, count=2))))
    yield made
    made.close()


def captions(result):
    return [one.evidence.caption for one in result.evidence]


def test_the_verdict_rests_on_recordings_where_these_reach_the_rate(run):
    flagged = {f.case_id for f in run.findings(verdict="anomalous")}
    assert {"bad-4", "bad-5"} <= flagged
    for finding in run.findings():
        own, guarantee = finding.by_recording, finding.guarantee
        if finding.case_id.startswith("r3-"):
            assert (own, guarantee.among, guarantee.valid, guarantee.grounds.learned) == (None, "cases", True, True)
            assert "of one of the 30 recordings learned from" in finding.evidence[0].caption
            continue
        assert (own.count, guarantee.units, guarantee.size, guarantee.valid) == (30, 30, 180, True)
        assert guarantee.unit == guarantee.among[:-1] == "recording"
        assert finding.deciding_p_value == own.p_value
        assert (finding.verdict == "anomalous") is (own.p_value <= 0.05)
        assert own.whole >= own.p_value
        caption = finding.evidence[0].caption
        assert "among one window of each of 30 calibration recordings" in caption
        assert "among all 180 windows of these" in caption
    bad = run.finding("bad-5")
    assert bad.by_recording.p_value == bad.by_recording.whole == 1 / 31
    assert bad.p_value == 1 / 181
    assert bad.p_words == "p = 0.0323 among 30 recordings; 0.00552 among 180 windows"


def test_where_they_do_not_the_window_decides_and_says_how_many_more_it_takes(run):
    finding = run.at(0.02).finding("bad-5")
    assert (finding.guarantee.among, finding.guarantee.valid, finding.verdict) == ("cases", False, "anomalous")
    caption = finding.evidence[0].caption
    assert "a rate of 0.02 for new ones needs 49, 19 more; holds only if new recordings are like these" in caption
    assert "among one window of each of 30 calibration recordings its p-value is 0.0323" in caption
    assert finding.p_words == "p = 0.00552 among 180 windows; 0.0323 among 30 recordings"


def test_windows_and_whole_recordings_have_rates_of_their_own(run):
    found = ask(Scope(run), "recording_rates")
    assert {one.name for one in found.recordings} == {"new0", "new1", "new2", "new3", "bad"}
    assert found.recordings[0].name == "bad"
    for one in found.recordings:
        mine = [f for f in run.findings() if f.case_id.startswith(f"{one.name}-")]
        assert one.p_value == min(f.by_recording.whole for f in mine)
        assert (one.windows, one.flagged) == (EACH, sum(f.verdict == "anomalous" for f in mine))
        assert run.finding(one.peak).by_recording.whole == one.p_value
    assert found.learned == 2
    whole = sum(one.p_value <= 0.05 for one in found.recordings)
    assert (found.whole, found.expected) == (whole, pytest.approx(5 / 31, abs=1e-6))
    touched = sum(one.flagged > 0 for one in found.recordings)
    assert found.with_flagged == touched
    said = " ".join(captions(found))
    assert "2 windows are of recordings that were learned from" in said
    assert f"in {touched} of 5 recordings. The declared 5 % is of windows" in said
    assert f"{whole} of 5 recordings" in said
    few = ask(Scope(run.at(0.02)), "recording_rates")
    assert (few.whole, few.expected) == (None, None)
    assert "that takes 49 calibration recordings, there are 30, so 19 more" in " ".join(captions(few))


def test_who_reads_the_run_meets_both_p_values(run, capsys, tmp_path):
    list_recordings(run)
    assert "The declared 5 % is of windows" in capsys.readouterr().out
    report = build(run)
    assert [s.place for s in report.sections if s.title == "Windows and whole recordings"] == ["folded"]
    basis = next(b.guarantee for b in report.bases if b.guarantee.among == "recordings")
    assert (basis.ranked_words, basis.reach) == ("30 recordings", 1 / 31)
    told = CliRunner().invoke(app, ["report", str(run.path), "--out", str(tmp_path / "report.md")])
    assert told.exit_code == 0, told.output
    page = (tmp_path / "report.md").read_text()
    assert "p = 0.0323 among 30 recordings; 0.00552 among 180 windows" in page
    assert "| 30 recordings |" in page
    answer = CliRunner().invoke(app, ["chat", str(run.path), "--ask", "Why was bad-5 flagged?"])
    assert "among recordings 0.0323" in answer.output or "0.0323 among" in answer.output
    out = run.export(tmp_path / "table.jsonl") or tmp_path / "table.jsonl"
    rows = {row["case_id"]: row for row in map(json.loads, (tmp_path / "table.jsonl").read_text().splitlines())}
    assert rows["bad-5"]["by_recording"] == {"p_value": 1 / 31, "whole": 1 / 31, "count": 30}, out
    frame = run.findings().to_dataframe().set_index("case_id")
    assert frame.loc["bad-5", "decided_by"] == "recording_p_value"
    assert frame.loc["bad-5", "recording_p_value"] == 1 / 31
    assert "among 30 recordings" in run.finding("bad-5")._repr_html_()


def test_a_share_of_false_reports_is_not_proved_for_windows(run):
    assert ask(Scope(run), "discoveries").proved is False
    assert "are windows of recordings" in captions(ask(Scope(run), "discoveries"))[2]


def test_names_and_order_move_nothing(run):
    cases = [case for r in range(30) for case in windows(f"r{r}", r)]
    renamed = [Case(f"x{i}", c.parts, recording=f"{c.recording}!") for i, c in enumerate(reversed(cases))]
    from mmdmad.pipeline.detector import JointDetector

    again = JointDetector(PipelineConfig.model_validate(CONFIG)).fit(Cases(tuple(renamed)))
    for mine, other in zip(run.model.folds_, again.folds_, strict=True):
        one, two = (f.calibration.recordings_["joint:sensor"] for f in (mine, other))
        assert one.drawn.tolist() == pytest.approx(two.drawn.tolist())
        assert one.most.tolist() == pytest.approx(two.most.tolist())


def test_cases_of_the_format_before_are_read_as_they_were(run):
    """They have none of the columns, and no p-value among recordings."""
    new = ("recordings", "drawn_p", "whole_p", "deciding_p", "ranked")
    with run._engine.connect() as connection, connection.begin() as undone:
        connection.execute(update(db.CaseRow).values(dict.fromkeys(new)))
        undone.commit()
    try:
        points, _ = run.tally.points(1000)
        assert {p.case_id: p.p_value for p in points} == {f.case_id: f.p_value for f in run.findings()}
        assert {g.size for g in run.tally.groups()} == {180}
        assert run.tally.recordings() == []
    finally:
        from mmdmad.store import rows

        with run._engine.begin() as connection:
            for finding in run.findings():
                rows.rewrite(connection, finding)
    assert len(run.tally.recordings()) == 5
