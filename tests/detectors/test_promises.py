"""`mmdmad.testing` finds the promise that a detector breaks, and passes one that a third party might write."""

import numpy as np
import pytest

from mmdmad.detectors import KNN
from mmdmad.detectors.base import _REGISTRY, About, Detector, detector
from mmdmad.detectors.items import as_rows
from mmdmad.errors import ConfigError
from mmdmad.testing import PROMISES, BrokenPromiseError, check_detector, detector_checks, sklearn_checks


class DistanceToMedian(Detector):
    """A whole detector of a third party: distance to the median of the training tokens."""

    def __init__(self, contamination=0.0, false_alarm_rate=0.05, top=0.03, seed=0):
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _fit(self, items):
        values = as_rows(items).values.astype(np.float64)
        self.middle_ = np.median(values, axis=0)
        spread = np.median(np.abs(values - self.middle_), axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)

    def _score(self, items):
        rows = as_rows(items)
        return rows.split(np.abs((rows.values - self.middle_) / self.scale_).sum(axis=1))

    def _state(self):
        return {"middle": self.middle_, "scale": self.scale_}, {}

    def _set_state(self, arrays, values):
        self.middle_, self.scale_ = arrays["middle"], arrays["scale"]


@pytest.fixture
def distance():
    yield detector(About("distance-to-median", "baseline", "made up, 2026", "instant"))(DistanceToMedian)
    _REGISTRY.remove("distance-to-median")


def test_a_detector_of_a_third_party_keeps_every_promise(distance):
    assert check_detector(distance) == list(PROMISES)
    left_out = list(PROMISES)[:-2]
    assert check_detector(distance, leave_out=left_out) == list(PROMISES)[-2:]
    found = sklearn_checks(distance())
    assert found["failed"] == []
    assert len(found["passed"]) > 40


class Scores(KNN):
    """A KNN whose scores are changed."""

    def _score(self, items):
        return [self.change(i, scores) for i, scores in enumerate(super()._score(items))]


def change(function):
    return type("Changed", (Scores,), {"change": lambda self, i, scores: function(i, scores)})


class RewritesItsArgument(KNN):
    def _check_params(self):
        super()._check_params()
        self.neighbours = 7


class DrawsFromTheGlobalGenerator(KNN):
    def _fit(self, items):
        np.random.random()  # noqa: NPY002
        super()._fit(items)


class JudgesByWhatItLearned(KNN):
    def _unseen_scores(self, items):
        return np.sort(self._pooled(self._score(items)))  # each is its own nearest


class LabelsNothing(KNN):
    def _judge_training(self):
        super()._judge_training()
        self.labels_ = 0 * self.labels_


class ForgetsOnSaving(KNN):
    def _state(self):
        arrays, values = super()._state()
        return {**arrays, "memory": arrays["memory"] + 1.0}, values


class CallsEverythingNormal(KNN):
    def predict(self, X):
        return 0 * super().predict(X)


class SklearnsSigns(KNN):
    def score_samples(self, X):
        return -super().score_samples(X)


class ClipsInPlace(KNN):
    def decision_function(self, X):
        if isinstance(X, np.ndarray):
            np.clip(X, -50, 50, out=X)
        return super().decision_function(X)


class FollowsItsParameters(KNN):
    def decision_function(self, X):
        return super().decision_function(X) * self.neighbours


class LendsItself(KNN):
    def as_outlier_detector(self):
        made = super().as_outlier_detector()
        made.detector_ = self
        return made


class ZeroesItsInput(KNN):
    def decision_function(self, X):
        scores = super().decision_function(X)
        if isinstance(X, np.ndarray) and X.flags.writeable:
            X[...] = 0
        return scores


class TakesAnything(KNN):
    def _check_params(self):
        pass


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (RewritesItsArgument, "constructor_stores_its_arguments"),
        (DrawsFromTheGlobalGenerator, "fit_returns_itself_and_leaves_global_generators"),
        (JudgesByWhatItLearned(neighbours=1), "few_new_normal_rows_are_flagged"),
        (LabelsNothing, "declared_contamination_is_found_and_not_learned"),
        (ForgetsOnSaving, "saved_and_loaded_it_is_the_same"),
        (CallsEverythingNormal, "few_new_normal_rows_are_flagged"),
        (SklearnsSigns, "signs_are_those_of_pyod"),
        (ClipsInPlace, "the_input_is_left_as_it_was"),
        (ZeroesItsInput, "the_input_is_left_as_it_was"),
        (FollowsItsParameters, "set_params_acts_at_the_next_fit"),
        (LendsItself, "the_adapter_has_the_signs_of_scikit_learn"),
        (TakesAnything, "bad_arguments_are_refused"),
        (change(lambda i, scores: -scores), "a_planted_anomaly_ranks_first"),
        (change(lambda i, scores: scores * (1 + 1e-9 * i)), "scores_do_not_depend_on_the_batch"),
        (change(lambda i, scores: scores * (1 + 1e-9 * i)), "token_scores_do_not_depend_on_the_batch"),
        (change(lambda i, scores: scores[::-1]), "a_planted_token_is_found_in_a_sequence"),
        (change(lambda i, scores: scores.astype(int)), "scores_are_finite_and_differ"),
        (change(lambda i, scores: np.where(scores > 1e5, np.inf, scores)), "huge_values_score_high"),
        (change(lambda i, scores: scores[:3]), "items_may_have_uneven_numbers_of_tokens"),
    ],
)
def test_a_broken_promise_is_named(kind, broken):
    with pytest.raises(BrokenPromiseError, match=broken) as caught:
        check_detector(kind, only=[broken])
    assert "broke 1 promises" in str(caught.value)
    check_detector(KNN, only=[broken])


def test_a_detector_that_changes_its_input_harms_no_other():
    with pytest.raises(BrokenPromiseError):
        check_detector(ZeroesItsInput)
    assert check_detector(KNN) == list(PROMISES)


def test_whatever_is_raised_is_told_with_its_promise():
    def fail(i, scores):
        raise OSError("the disk is full")

    with pytest.raises(BrokenPromiseError, match="huge_values_score_high: OSError was raised: the disk is full"):
        check_detector(change(fail), only=["huge_values_score_high"])


def test_names_that_are_no_promise_are_refused():
    with pytest.raises(ConfigError, match="no promise is called nonsense"):
        check_detector(KNN, only=["nonsense"])


def test_checks_can_be_run_one_by_one():
    checks = dict(detector_checks(KNN(neighbours=3)))
    assert list(checks) == list(PROMISES)
    checks["fitted_attributes"]()
