"""The moving reference: it follows what moves slowly, keeps its rate where nothing moves, and learns no short event."""

import json

import numpy as np
import pytest

from mmdmad.calibration.moving import MOST, WINDOW, MovingReference
from mmdmad.errors import DataError, ModelError


def flags(scores: np.ndarray, calibration: np.ndarray, rate: float) -> np.ndarray:
    reference, found = MovingReference(calibration, rate), []
    for score in scores:
        flagged = reference.rank(score, 0.5) <= rate
        reference.enter(score, flagged=flagged)
        found.append(flagged)
    return np.array(found)


def test_ranks_by_hand():
    reference = MovingReference([1.0, 2.0, 2.0, 3.0], 0.2)
    assert reference.rank(9.0, 0.99) == 1 / 5
    assert reference.rank(0.0, 0.0) == 5 / 5
    assert [reference.rank(2.0, u) for u in (0.0, 0.4, 0.9)] == [2 / 5, 3 / 5, 4 / 5]


def test_the_oldest_goes_and_calibration_scores_are_thinned_evenly():
    reference = MovingReference(np.arange(1001.0), 0.05)
    assert len(reference) == WINDOW
    assert (reference.state()["scores"][0], reference.state()["scores"][-1]) == (0.0, 1000.0)
    assert np.diff(reference.state()["scores"]).max() <= 6
    reference.enter(5000.0, flagged=False)
    assert len(reference) == WINDOW
    assert reference.state()["scores"][0] != 0.0
    assert reference.rank(4000.0, 0.5) == 2 / (WINDOW + 1)
    assert MovingReference(np.arange(5000.0), 0.001).most == 2000  # as many as the rate needs


@pytest.mark.parametrize(("rate", "low", "high"), [(0.01, 0.004, 0.02), (0.05, 0.035, 0.075), (0.1, 0.08, 0.125)])
def test_where_nothing_moves_the_rate_stays(rate, low, high):
    """Entering unflagged cases alone ends at .26, .64 and more in the last thousand."""
    last = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        last.append(flags(rng.normal(size=4000), rng.normal(size=150), rate)[-1000:].mean())
    assert low <= np.mean(last) <= high


def test_a_slow_drift_is_followed_and_faults_are_still_found():
    rng = np.random.default_rng(3)
    calibration, slow = rng.normal(size=300), np.linspace(0, 4, 6000)
    odd = rng.random(6000) < 0.01
    odd[3000:3030] = True
    found = flags(rng.normal(size=6000) + slow + 5 * odd, calibration, 0.05)
    assert found[~odd].mean() <= 0.1
    assert found[odd].mean() >= 0.95
    still = np.quantile(calibration, 0.95)
    assert (rng.normal(size=6000) + slow > still)[3000:].mean() >= 0.8  # what a fixed level would flag


def test_an_event_is_not_learned_and_a_long_one_is():
    rng = np.random.default_rng(4)
    scores = rng.normal(size=1500)
    scores[500:600] += 6
    assert flags(scores, rng.normal(size=300), 0.05)[500:600].all()
    scores = rng.normal(size=4000)
    scores[500:3500] += 6
    assert flags(scores, rng.normal(size=300), 0.05)[3000:3500].mean() < 0.5


def test_it_goes_on_from_its_state():
    rng = np.random.default_rng(5)
    one = MovingReference(rng.normal(size=50), 0.1)
    for score in rng.normal(size=70):
        one.enter(score, flagged=score > 1)
    two = MovingReference.from_state(json.loads(json.dumps(one.state())))
    for score in rng.normal(size=300):
        assert one.rank(score, 0.3) == two.rank(score, 0.3)
        assert one.enter(score, flagged=score > 1) == two.enter(score, flagged=score > 1)
    assert one.state() == two.state()


def test_what_is_no_state_or_score_is_refused():
    with pytest.raises(DataError):
        MovingReference([np.nan], 0.1)
    with pytest.raises(DataError):
        MovingReference([1.0], 0.1).enter(np.inf, flagged=False)
    good = MovingReference([1.0], 0.1).state()
    for wrong in ({**good, "credit": MOST + 1}, {**good, "scores": [1.0] * 500}, {**good, "rate": 0.0}, {"rate": 0.1}):
        with pytest.raises(ModelError):
            MovingReference.from_state(wrong)
