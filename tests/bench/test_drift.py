"""The suite that simulates streams for the drift test."""

import numpy as np
import pytest

from mmdmad.bench import drift, run_suite
from mmdmad.bench.drift import CASES, Heard, Scenario
from mmdmad.bench.result import Meter
from mmdmad.errors import ConfigError

FEW = (
    Scenario("one deviation after 100", shift=1.0, good=100),
    Scenario("copies", equal="copies"),
)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(drift, "SCENARIOS", FEW)
    monkeypatch.setattr(drift, "STREAMS", 12)


def test_the_suite_says_when_each_test_speaks(few):
    result = run_suite("drift")
    rows = {(row["dataset"], row["detector"]): row for row in result["rows"]}
    assert set(rows) == {(s.name, d) for s in FEW for d in ("tolerance-10", "tolerance-20")}
    moved = rows["one deviation after 100", "tolerance-10"]
    assert moved["metrics"]["spoke"] >= 0.9
    assert moved["metrics"]["median"] <= 60
    assert moved["metrics"]["onset_error"] <= 20
    low, high = moved["intervals"]["spoke"]
    assert low < moved["metrics"]["spoke"] <= high == 1.0
    still = rows["copies", "tolerance-10"]["metrics"]
    assert still["spoke"] <= 1 / 6
    assert still["median"] == CASES + 1
    assert "onset_error" not in still
    assert "other random numbers" in result["summary"][0]["note"]


def test_a_test_that_is_none_is_refused(few):
    with pytest.raises(ConfigError, match="knn was given to drift; its tests are tolerance-10, tolerance-20"):
        run_suite("drift", detectors=["knn"])


def test_what_speaks_before_the_change_is_early_and_left_out():
    heard = Heard(np.array([5, 450, 0, 520]), np.array([1, 410, 0, 395]))
    row = drift._row(Scenario("", shift=1.0, good=400), "tolerance-10", 0, heard, Meter())
    assert row.metrics == {"spoke": 2 / 3, "within_100": 1 / 3, "median": 120, "early": 0.25, "onset_error": 7.5}
