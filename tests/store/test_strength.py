"""How far cases at the floor of their p-value lie beyond all calibration cases of their pattern."""

import numpy as np
import pytest

from mmdmad.errors import ModelError
from mmdmad.findings import Findings
from mmdmad.store import rows
from mmdmad.store.run import Run
from mmdmad.store.strength import Beyond, beyond
from tests.store.made import finding, part


@pytest.fixture
def run(tmp_path):
    made = Run.create(tmp_path / "run", {"false_alarm_rate": 0.1})
    yield made
    made.close()


def put(run, *findings):
    with run._engine.begin() as connection:
        rows.put(connection, [rows.Judged(one, one.case_id, one.case_id, "{}") for one in findings])


def knows(run, monkeypatch, scores):
    """The run's model has these calibration scores; a list of how often it was asked."""
    asked = []

    def calibration():
        asked.append(1)
        if isinstance(scores, Exception):
            raise scores
        return scores

    monkeypatch.setattr(Run, "findings", lambda self, **more: Findings([], calibration=calibration))
    return asked


TEXT = {("text",): np.linspace(0.1, 4.0, 99)}


def test_only_cases_at_the_floor_have_a_ratio(run, monkeypatch):
    put(run, finding("far", 0.01, 10.0), finding("near", 0.02, 3.0), finding("usual", 0.5, 1.0))
    knows(run, monkeypatch, TEXT)
    assert beyond(run) == Beyond(times={"far": 2.5})


def test_of_folds_the_score_of_one_counts(run, monkeypatch):
    put(run, finding("far", 0.01, 10.0, single_score=6.0))
    knows(run, monkeypatch, TEXT)
    assert beyond(run).times == {"far": 1.5}


def test_a_case_ranked_among_others_has_none(run, monkeypatch):
    other = finding("image", 0.01, 9.0, parts=(part("image"),))
    put(run, finding("few", 1 / 50, 10.0, size=49), other, finding("far", 0.01, 8.0))
    knows(run, monkeypatch, TEXT)
    assert beyond(run).times == {"far": 2.0}


def test_the_model_is_read_only_where_a_case_is_at_the_floor(run, monkeypatch):
    put(run, finding("usual", 0.5, 1.0))
    asked = knows(run, monkeypatch, TEXT)
    assert beyond(run) == Beyond()
    assert asked == []


def test_a_damaged_model_costs_the_ratios_alone_and_is_said(run, monkeypatch):
    put(run, finding("far", 0.01, 10.0))
    knows(run, monkeypatch, ModelError("a file is cut short"))
    found = beyond(run)
    assert found.times == {}
    assert "cut short" in found.problem


def test_a_run_without_a_model_has_none(run):
    put(run, finding("far", 0.01, 10.0))
    assert beyond(run) == Beyond()
