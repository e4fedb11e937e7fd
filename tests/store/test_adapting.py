"""`--adapt` from a fit to every place that says so: a slow drift is followed, nothing is promised, and it goes on."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select
from typer.testing import CliRunner

from mmdmad.ask.base import Scope, ask
from mmdmad.cases import Case, Cases, Part
from mmdmad.cli import app
from mmdmad.errors import RunError
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.report import write_report
from mmdmad.store import adapting, db
from mmdmad.store.run import Run

pytestmark = pytest.mark.usefixtures("tiny")
START = datetime(2026, 4, 1, 6, tzinfo=UTC)
CONFIG = {
    "parts": {"image": {"encoder": "tiny-image", "detector": "knn", "detector_params": {"top": 0.1}}},
    "false_alarm_rate": 0.1, "calibration": "cross", "folds": 3,
}  # fmt: skip


def pictures(folder: Path, count: int, first: int = 0, slope: float = 0.0) -> list[Case]:
    """Pictures a minute apart, from the minute `first` on, the later the brighter; a row of a CSV file each."""
    made, rows = [], ["id,image,time"]
    for i in range(first, first + count):
        rng = np.random.default_rng([7, i, slope > 0])
        pixels = rng.normal(90 + rng.normal(0, 6) + slope * i, 8, (16, 16, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"p{i:03d}.png")
        time = START + timedelta(minutes=i)
        made.append(Case(f"p{i:03d}", {"image": Part("image", path=folder / f"p{i:03d}.png")}, time=time))
        rows.append(f"p{i:03d},p{i:03d}.png,{time.isoformat()}")
    (folder / "list.csv").write_text("\n".join(rows) + "\n")
    return made


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """A window that some dozens of cases fill."""
    monkeypatch.setattr("mmdmad.calibration.moving.WINDOW", 40)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("adapt")
    (folder / "learned").mkdir()
    (folder / "moving").mkdir()
    run = Run.create(folder / "run", PipelineConfig.model_validate(CONFIG))
    run.fit([Case(f"n{c.id}", dict(c.parts)) for c in pictures(folder / "learned", 60)])
    run.close()
    pictures(folder / "moving", 160, slope=0.1)
    return folder


def opened(home: Path, folder: Path) -> Run:
    shutil.copytree(home / "run", folder)
    return Run.open(folder)


def moving(home: Path) -> list[Case]:
    return pictures(home / "moving", 160, slope=0.1)


def flagged(run: Run, cases: list[Case]) -> float:
    return float(np.mean([run.finding(case.id).verdict == "anomalous" for case in cases]))


def test_a_slow_drift_is_followed_without_a_promise_in_one_call_or_two(home, tmp_path):
    cases = moving(home)
    fixed = opened(home, tmp_path / "fixed")
    fixed.score(Cases(tuple(cases)))
    run = opened(home, tmp_path / "run")
    run.score(Cases(tuple(cases[::-1])), adapt=True)  # the order of time, not that of the list
    late = cases[100:]
    assert flagged(fixed, late) > 0.45
    assert flagged(run, late) < 0.6 * flagged(fixed, late)
    for case in cases:
        found, plain = run.finding(case.id), fixed.finding(case.id)
        assert (found.guarantee.valid, found.guarantee.method, found.guarantee.bound) == (False, "moving", None)
        assert "moving reference, which can learn a slow fault" in found.guarantee.note
        assert found.score == plain.score
        said = f"Among the calibration cases of the fit its joint p-value is {plain.p_value:.3g}."
        assert found.evidence[-1].caption == said
        assert (found.verdict == "anomalous") == (found.p_value <= 0.1)
    at = run.at(0.3)
    assert all(not f.guarantee.valid and f.guarantee.method == "moving" for f in at.findings())
    assert at.count(verdict="anomalous") == sum(f.p_value <= 0.3 for f in run.findings())
    # the stream hears what it heard without
    with run._engine.connect() as one, fixed._engine.connect() as other:
        columns = select(db.StreamRow.case_id, db.StreamRow.fixed, db.StreamRow.online).order_by(db.StreamRow.place)
        assert list(one.execute(columns)) == list(other.execute(columns))
    # two calls end where one does
    twice = opened(home, tmp_path / "twice")
    twice.score(Cases(tuple(cases[:70])), adapt=True)
    twice.close()
    twice = Run.open(tmp_path / "twice")
    twice.score(Cases(tuple(cases)), adapt=True)
    assert [f.p_value for f in twice.findings(order="id")] == [f.p_value for f in run.findings(order="id")]
    assert [(one.ranked, one.entered <= one.ranked) for one in adapting.adapted(twice._engine)] == [
        (70, True),
        (90, True),
    ]
    for one in (fixed, run, twice):
        one.close()


def test_late_cases_are_ranked_and_do_not_enter_and_times_are_needed(home, tmp_path):
    cases = moving(home)
    run = opened(home, tmp_path / "run")
    run.score(Cases(tuple(cases[50:80])), adapt=True)
    run.score(Cases(tuple(cases[:10])), adapt=True)
    assert [(one.ranked, one.entered) for one in adapting.adapted(run._engine)][1] == (10, 0)
    with pytest.raises(RunError, match="no case has a time, so nothing says which come first; --adapt needs times"):
        run.score(Cases((Case("x", dict(cases[90].parts)),)), adapt=True)
    with run._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '{\"last\": 1, \"references\": 5}' WHERE key = 'adapting'")
    with pytest.raises(RunError, match="the moving reference of the run is damaged"):
        run.score(Cases(tuple(cases[90:92])), adapt=True)
    run.close()


def test_command_report_overview_and_chat_say_it(home, tmp_path):
    run = opened(home, tmp_path / "run")
    assert run.adapted == ""
    said = CliRunner().invoke(app, ["score", str(run.path), "--data", str(home / "moving" / "list.csv"), "--adapt"])
    assert said.exit_code == 0, said.output
    told = "160 cases were ranked among the latest ones before them (--adapt"
    assert told in said.output
    for name in ("r.html", "r.md", "r.json"):
        assert told in write_report(run, tmp_path / name).read_text()
    assert json.loads((tmp_path / "r.json").read_text())["adapted"].startswith(told)
    assert any(one.evidence.caption.startswith(told) for one in ask(Scope(run), "overview").evidence)
    assert told in CliRunner().invoke(app, ["chat", str(run.path), "--ask", "Give me an overview."]).output
    run.close()
