"""Principal components through scikit-learn: how much of a token lies outside the normal subspace.

Shyu, Chen, Sarinnapakorn, Chang, "A Novel Anomaly Detection Scheme Based on Principal Component Classifier", 2003.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.decomposition import PCA as Components

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import as_rows, some
from mmdmad.detectors.kit.chunks import groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens


@detector(
    About(
        "pca",
        "baseline",
        "Shyu et al., 2003",
        "instant",
        branch="subspace",
        formula="(sum over kept axes j of (v_j x)^2 / l_j + |what lies outside|^2 / noise) / D",
        use="Linear relations between features; a baseline that takes no time.",
        avoid="Several clusters or curved normal.",
        fidelity="reduced",
        differs="One sum over the axes, what lies outside over a noise variance, instead of the paper's two sums "
        "over major and minor axes with a threshold each.",
    )
)
class PCA(Detector):
    """Squared distances along the principal axes, each over its variance, and outside them over the noise variance.

    share: part of the variance that the kept axes explain; the mean variance of the others, at least 0.001 of a
    feature's own, is the noise (probabilistic PCA). Positions are ignored.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = PCA().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        share: float = 0.999,
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.share = share
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not 0 < self.share <= 1:
            raise ConfigError(f"share={self.share} was given; allowed is 0 < share <= 1")

    def _fit(self, items: Sequence[Tokens]) -> None:
        items = some(items, unsuspicious(items, self.contamination, self.top, self.seed))
        self.space_ = FeatureSpace.fit(items, components=items[0].values.shape[1], per_position=False)
        values, _ = self.space_.transform_all(items)
        with np.errstate(invalid="ignore"):  # shares of a variance of 0, which are not used
            fitted = Components(svd_solver="full").fit(values.astype(np.float64))
        explained = np.cumsum(np.nan_to_num(fitted.explained_variance_ratio_))
        kept = int((fitted.explained_variance_ > 1e-9).sum())  # none where nothing moved: all is outside then
        kept = min(kept, int(np.searchsorted(explained, self.share - 1e-12)) + 1)
        rest = fitted.explained_variance_[kept:]
        self.noise_ = max(float(rest.mean()) if len(rest) else 0.0, 1e-3)
        self.axes_ = fitted.components_[:kept].T.copy()
        self.factor_ = (fitted.components_[:kept] / np.sqrt(fitted.explained_variance_[:kept, None])).T.copy()

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            rows = as_rows(group)
            axes, _ = self.space_.transform(rows.values, rows.position)
            scores.extend(rows.split(in_chunks(self._distance, axes.astype(np.float64), 64)))
        return scores

    def _distance(self, rows: np.ndarray) -> np.ndarray:
        along = rows @ self.axes_
        outside = np.maximum((rows**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        return (((rows @ self.factor_) ** 2).sum(axis=1) + outside / self.noise_) / rows.shape[1]

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**self.space_.arrays(), "factor": self.factor_, "axes": self.axes_}, {"noise": self.noise_}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        check_arrays(arrays, {"factor": "f k m", "axes": "f k m"}, k=self.space_.width)
        self.factor_, self.axes_, self.noise_ = arrays["factor"], arrays["axes"], float(values["noise"])
        require(self.noise_ > 0, "the noise is not above 0")
