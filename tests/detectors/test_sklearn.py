"""scikit-learn's own checks over every detector and its adapter, and what scikit-learn's users type."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import is_outlier_detector
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmdmad.detectors import KNN, DiffusionTime, Ensemble
from mmdmad.detectors.base import detectors
from mmdmad.detectors.outlier import OutlierDetector
from mmdmad.errors import ConfigError, DataError, DataTypeError, NotFittedError
from mmdmad.testing import EXEMPT, sklearn_checks
from mmdmad.testing.samples import odd as unlike
from mmdmad.testing.samples import vectors
from mmdmad.testing.scikit_learn import count
from tests.detectors.test_contract import tiny

CHECKS = 40  # that have to run, of 45 in scikit-learn 1.9; older releases have fewer


def small(name):
    made = tiny(name)
    return made.set_params(steps=2) if "steps" in made.get_params() else made


NAMES = [
    pytest.param(name, marks=pytest.mark.slow if cls.about.cost == "minutes" else ())
    for name, cls in detectors().items()
]


@pytest.mark.parametrize("name", NAMES)
def test_scikit_learn_checks_pass(name):
    found = sklearn_checks(small(name))
    assert found["failed"] == []
    assert len(set(found["passed"])) >= CHECKS, count(found)
    assert set(found["exempt"]) == set(EXEMPT)


@pytest.mark.parametrize("name", [n for n, c in detectors().items() if c.about.cost == "instant"])
def test_the_adapter_passes_the_outlier_checks_too(name):
    found = sklearn_checks(small(name).as_outlier_detector())
    assert found["failed"] == found["exempt"] == []
    assert {"check_outliers_train", "check_outliers_fit_predict"} <= set(found["passed"])
    assert len(set(found["passed"])) >= CHECKS, count(found)


def test_the_adapter_of_a_fitted_detector_is_fitted():
    X, odd = vectors(), np.concatenate([vectors(9, seed=1), unlike()])
    fitted = KNN().fit(X)
    adapter = fitted.as_outlier_detector()
    assert adapter.offset_ == -fitted.threshold_
    assert adapter.predict(odd)[9] == -1
    assert np.array_equal(adapter.fit(X).score_samples(odd), -fitted.decision_function(odd))
    with pytest.raises(SklearnNotFittedError):
        KNN().as_outlier_detector().predict(X)


def test_the_share_of_the_adapter_is_of_training_rows():
    X = vectors(200)
    for share in (0.1, 0.3):
        adapter = OutlierDetector(Ensemble(), contamination=share)
        assert (adapter.fit_predict(X) == -1).sum() == round(200 * share)
        assert (adapter.decision_function(X) < 0).sum() == round(200 * share)
        assert adapter.detector.false_alarm_rate == 0.05  # a copy was fitted
    for wrong in (0.0, 0.6, "some"):
        with pytest.raises(ConfigError, match=r"0 < contamination <= 0\.5"):
            OutlierDetector(KNN(), contamination=wrong).fit(X)
    with pytest.raises(ConfigError, match="false_alarm_rate=None"):
        OutlierDetector(KNN(false_alarm_rate=None)).fit(X)


def test_scorers_see_an_outlier_detector_whose_high_scores_are_odd():
    X, y = np.concatenate([vectors(60), 3.0 * vectors(20, seed=5)]), np.repeat([0, 1], [60, 20])
    assert is_outlier_detector(KNN())
    order = np.random.default_rng(0).permutation(80)
    shares = cross_val_score(make_pipeline(StandardScaler(), DiffusionTime()), X[order], y[order], scoring="roc_auc")
    assert shares.min() > 0.7
    grid = GridSearchCV(DiffusionTime(), {"neighbours": [1, 5]}, scoring="average_precision", cv=3, n_jobs=1)
    assert grid.fit(X[order], y[order]).best_params_["neighbours"] in (1, 5)
    named = make_pipeline(StandardScaler(), KNN())
    assert named.set_params(knn__neighbours=3).fit(X).named_steps["knn"].neighbours == 3
    assert "KNN(neighbours=3)" in repr(named)
    assert "KNN" in named._repr_html_()


def test_repr_shows_what_was_changed():
    assert repr(KNN()) == "KNN()"
    assert repr(KNN(neighbours=7, method="mean", false_alarm_rate=None)) == (
        "KNN(neighbours=7, method='mean', false_alarm_rate=None)"
    )


def test_errors_are_those_that_scikit_learns_users_catch():
    with pytest.raises(SklearnNotFittedError) as caught:
        KNN().predict(vectors(3))
    assert isinstance(caught.value, NotFittedError)
    assert type(caught.value).__name__ == "NotFittedError"
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, SklearnNotFittedError)
    assert str(again) == str(caught.value)
    for kind in (ConfigError, DataError, DataTypeError, NotFittedError):
        assert issubclass(kind, ValueError)
    with pytest.raises(ValueError, match="allowed"):
        KNN(top=2.0).fit(vectors(5))


def test_errors_and_detectors_base_do_not_import_scikit_learn():
    code = (
        "import sys, mmdmad, mmdmad.errors, mmdmad.detectors.base, mmdmad.calibration.crossfit\n"
        "print('sklearn' in sys.modules)\n"
        "error = mmdmad.errors.NotFittedError('x')\n"
        "print('sklearn' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "True"]
