"""A detector with scikit-learn's signs for outliers: +1 for normal and -1 for odd, low scores for what is odd.

scikit-learn's outlier detectors (IsolationForest, OneClassSVM) have it the other way round from PyOD's and ours; this
adapter is for code that was written for them.
"""

import copy
from numbers import Real
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from mmdmad.errors import ConfigError, NotFittedError

if TYPE_CHECKING:
    from mmdmad.detectors.base import Data, Detector


class OutlierDetector(OutlierMixin, BaseEstimator):
    """`detector` as one of scikit-learn's outlier detectors; `Detector.as_outlier_detector` makes one.

    contamination: share of the training items that `predict` calls outliers, as scikit-learn has it, 0 < share <= 0.5;
    "auto": the detector's own `threshold_`, which is set for new items. `fit` fits a copy of `detector`.

    Fitted attributes: `detector_`, `offset_` (`decision_function` is `score_samples` less this), `n_features_in_` and,
    of a DataFrame, `feature_names_in_`.

    >>> from mmdmad.detectors import KNN
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> model = OutlierDetector(KNN()).fit(X)
    >>> model.predict([[0.0, 0.0], [9.0, 9.0]]), model.decision_function([[9.0, 9.0]]) < 0
    (array([ 1, -1]), array([ True]))
    """

    def __init__(self, detector: "Detector", contamination: float | Literal["auto"] = "auto") -> None:
        self.detector = detector
        self.contamination = contamination

    @classmethod
    def around(cls, fitted: "Detector") -> Self:
        """An adapter that is fitted because `fitted`, which has a threshold, is; it scores with a copy."""
        made = cls(fitted)
        made._take(copy.deepcopy(fitted), -fitted.threshold_)
        return made

    def fit(self, X: "Data", y: object = None) -> Self:
        """Fit a copy of the detector on X; `y` is ignored. Returns self."""
        if not hasattr(self.detector, "false_alarm_rate"):
            raise ConfigError(
                f"detector={self.detector!r} was given; allowed is a detector such as KNN() or make_detector('knn')"
            )
        auto = isinstance(self.contamination, str) and self.contamination == "auto"
        if not auto and not (isinstance(self.contamination, Real) and 0 < self.contamination <= 0.5):
            raise ConfigError(
                f"contamination={self.contamination!r} was given; allowed are 'auto' and 0 < contamination <= 0.5"
            )
        if auto and self.detector.false_alarm_rate is None:
            raise ConfigError(
                "contamination='auto' takes the detector's threshold, and with false_alarm_rate=None it has none"
            )
        made: Detector = clone(self.detector)
        if auto:
            made.fit(X)
            self._take(made, -made.threshold_)
        else:
            made.set_params(false_alarm_rate=None).fit(X)
            self._take(made, float(np.percentile(-made.decision_function(X), 100.0 * float(self.contamination))))
        return self

    def _take(self, fitted: "Detector", offset: float) -> None:
        self.detector_, self.offset_, self.n_features_in_ = fitted, offset, fitted.n_features_in_
        self.__dict__.pop("feature_names_in_", None)
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_

    def score_samples(self, X: "Data") -> np.ndarray:
        """Minus the detector's score of each item, float64 (N,); lower = more anomalous."""
        given = self.detector
        if not hasattr(self, "detector_") and hasattr(given, "n_features_in_") and not hasattr(given, "threshold_"):
            raise NotFittedError(
                f"this {type(given).__name__} learned no threshold (false_alarm_rate=None), which its outlier detector "
                "needs; call fit(X) of the outlier detector with a contamination, or set false_alarm_rate and fit anew"
            )
        check_is_fitted(self)
        return -self.detector_.decision_function(X)

    def decision_function(self, X: "Data") -> np.ndarray:
        """`score_samples` less `offset_`, float64 (N,); negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: "Data") -> np.ndarray:
        """-1 for outliers, +1 for the others, int (N,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_tags__(self) -> Tags:
        """Those of the detector."""
        return self.detector.__sklearn_tags__()
