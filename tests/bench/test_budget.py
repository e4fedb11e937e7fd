"""The suite of alarm budgets: its streams, their order, and what it counts."""

import numpy as np
import pytest

from mmdmad.bench import budget
from mmdmad.bench.budget import Scenario, row, scores_of, track_of
from mmdmad.errors import ConfigError


def test_scores_have_the_memory_and_the_spread_that_a_scenario_says():
    rng = np.random.default_rng(0)
    plain = scores_of(Scenario("a", memory=0.8), 20, rng)
    assert plain.shape == (20, 1440)
    assert plain.std() == pytest.approx(1, abs=0.03)
    assert np.corrcoef(plain[:, 1:].ravel(), plain[:, :-1].ravel())[0, 1] == pytest.approx(0.8, abs=0.02)
    apart = scores_of(Scenario("b", spread=2.0), 200, rng)
    assert apart.mean(axis=1).std() == pytest.approx(2, abs=0.3)


def test_each_day_is_a_line_of_its_own():
    track = track_of(np.array([[0.1, 0.2], [0.3, 0.4]]))
    assert track.state()["rows"] == [
        [0, 0, 0.0, 1.0, 0.1], [0, 0, 1.0, 2.0, 0.2], [1, 1, 0.0, 1.0, 0.3], [1, 1, 1.0, 2.0, 0.4],
    ]  # fmt: skip


def test_a_budget_that_can_be_kept_is_kept_and_one_that_cannot_is_refused(monkeypatch):
    monkeypatch.setattr(budget, "LATER", 40)
    kept = Scenario("windows exchangeable", days=10, most=20.0)
    monkeypatch.setattr(budget, "SCENARIOS", (kept, Scenario("short", days=2, most=2.0)))
    found = row(kept, 0, draws=3).metrics
    assert (found["above"], found["refused"]) == (0, 0)
    assert 14 < found["alarms_a_day"] < 20
    # of windows without memory about a level's share of a day is alarms
    assert found["alarms_a_day"] == pytest.approx(1440 * found["level"], rel=0.3)
    assert row(budget.SCENARIOS[1], 0, draws=2).metrics["refused"] == 1  # 4.74 in two days is more than 2 a day


def test_the_suite_runs_the_budget_alone(tmp_path):
    from mmdmad.bench import run_suite

    with pytest.raises(ConfigError, match="this suite runs budget"):
        run_suite("budget", detectors=["knn"])
