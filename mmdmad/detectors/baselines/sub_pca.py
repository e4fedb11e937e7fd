"""Sub-PCA: what of a window lies outside the few shapes that normal windows are made of?

Principal components of subsequences, the strongest simple method on univariate series in Liu and Paparrizos, "The
Elephant in the Room: Towards A Reliable Time-Series Anomaly Detection Benchmark", NeurIPS 2024 (TSB-AD). A token of a
sensor table is a window of one channel, so each channel has components of its own. With v_j and l_j the components
beyond the k that explain `share` of the variance, the residual space, and x a centred window:

    mahalanobis       mean over j > k of (v_j x)^2 / l_j
    reconstruction    mean over j > k of (v_j x)^2
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from sklearn.decomposition import PCA as Components

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import as_rows, positions, some
from mmdmad.detectors.kit.chunks import by_value, groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays
from mmdmad.tokens import Tokens

CHUNK = 64
FLOOR = 1e-3  # least variance of a direction, in variances of a standardised feature


@detector(
    About(
        "sub-pca",
        "baseline",
        "Liu and Paparrizos, NeurIPS 2024 (Sub-PCA of TSB-AD)",
        "instant",
        branch="subspace",
        formula="mean over j > k of (v_j x)^2 / l_j, x a window, k components explain the share",
        use="Sensor windows, a channel for itself: the strong simple baseline of TSB-AD.",
        avoid="Relations between channels, and windows much shorter than a period.",
        fidelity="reduced",
        differs="Only the residual space is scored, on the windows that the encoder cuts, not on one window a "
        "time step.",
    )
)
class SubPCA(Detector):
    """Size of a window's part in the residual space of its channel's principal components.

    share: part of the variance that the main components explain; at least one direction is always left to the
    residual space. rule: "mahalanobis", each residual direction over its variance, or "reconstruction", its plain
    square. per_position: components for each channel apart ("auto": where each has at least 8 training windows), else
    for all together. Unlike `pca`, what moves within the main components costs nothing.

    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 1)) * np.sin(np.arange(8)) + 0.01 * rng.normal(size=(200, 8))
    >>> scores = SubPCA().fit(X).decision_function(np.array([2 * np.sin(np.arange(8)), np.cos(np.arange(8))]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        share: float = 0.9,
        rule: Literal["mahalanobis", "reconstruction"] = "mahalanobis",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.share, self.rule, self.per_position = share, rule, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not 0 < self.share < 1 or self.rule not in ("mahalanobis", "reconstruction"):
            raise ConfigError(
                f"share={self.share}, rule={self.rule!r} were given; allowed are 0 < share < 1 and 'mahalanobis' or "
                "'reconstruction'"
            )

    def _fit(self, items: Sequence[Tokens]) -> None:
        items = some(items, unsuspicious(items, self.contamination, self.top, self.seed))
        self.space_ = FeatureSpace.fit(items, items[0].values.shape[1], self.per_position)
        rows, _ = self.space_.transform_all(items)
        place = self.space_.index(positions(items))
        count, width = len(self.space_.positions) + 1, rows.shape[1]
        self.mean_, self.factor_ = np.empty((count, width)), np.empty((count, width, width))
        where = {p: index for p, index in by_value(place) if p < count - 1 and len(index) > 1}
        for p in (count - 1, *where):
            here = rows[where.get(p, slice(None))].astype(np.float64)
            mean, factor = here.mean(axis=0), self._residual_space(here)
            if p == count - 1:  # all together, for positions never seen or seen once
                self.mean_[:], self.factor_[:] = mean, factor
            self.mean_[p], self.factor_[p] = mean, factor

    def _settled(self) -> dict[str, Any]:
        return {"per_position": bool(len(self.space_.positions))}

    def _residual_space(self, rows: np.ndarray) -> np.ndarray:
        """Matrix (D, D) whose squared product with a centred row sums to its score; zero on the main components."""
        width = rows.shape[1]
        if rows.var(axis=0).sum() < 1e-12:  # nothing ever moved here: every direction is residual
            return np.eye(width) / np.sqrt(width * (FLOOR if self.rule == "mahalanobis" else 1.0))
        fitted = Components(svd_solver="covariance_eigh").fit(rows)
        explained = np.cumsum(fitted.explained_variance_ratio_)
        main = min(int(np.searchsorted(explained, self.share - 1e-12)) + 1, width - 1, len(explained))
        kept = fitted.components_[:main]
        beyond, variance = fitted.components_[main:], np.maximum(fitted.explained_variance_[main:], FLOOR)
        if self.rule == "reconstruction":
            return (np.eye(width) - kept.T @ kept) / np.sqrt(width - main)
        # fewer rows than features: directions that no row has count with the floor
        outside = np.eye(width) - fitted.components_.T @ fitted.components_
        form = beyond.T @ (beyond / np.sqrt(variance)[:, None]) + outside / np.sqrt(FLOOR)
        return form / np.sqrt(max(1, width - main))

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            rows = as_rows(group)
            tokens, _ = self.space_.transform(rows.values, rows.position)
            found = np.empty(len(tokens))
            for p, index in by_value(self.space_.index(rows.position)):
                form = partial(_square, mean=self.mean_[p], factor=self.factor_[p])
                found[index] = in_chunks(form, tokens[index].astype(np.float64), CHUNK)
            scores.extend(rows.split(found))
        return scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**self.space_.arrays(), "mean": self.mean_, "factor": self.factor_}, {}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        sizes = {"R": len(self.space_.mean), "k": self.space_.width}
        check_arrays(arrays, {"mean": "f R k", "factor": "f R k k"}, **sizes)
        self.mean_, self.factor_ = arrays["mean"], arrays["factor"]


def _square(rows: np.ndarray, mean: np.ndarray, factor: np.ndarray) -> np.ndarray:
    return (((rows - mean) @ factor) ** 2).sum(axis=1)
