"""PaDiM: one Gaussian a position over a random choice of channels.

Defard, Setkov, Loesch, Audigier, "PaDiM: a Patch Distribution Modeling Framework for Anomaly Detection and
Localization", ICPR International Workshops 2021. Per position p, with d of the D channels drawn at random (section
III-C), mean m and covariance S + e I (eq. 1), the token's score is its Mahalanobis distance (eq. 2)

    sqrt((x - m)^T (S + e I)^-1 (x - m))

and the picture's score the highest of its map.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from sklearn.covariance import ledoit_wolf, shrunk_covariance

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import as_rows, columns, positions
from mmdmad.detectors.kit.chunks import by_value, groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.trimming import fit_trimmed
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens

CHUNK = 64
POOLED = 20_000  # tokens of all positions from which the Gaussian of unknown positions is learned


@detector(
    About(
        "padim",
        "baseline",
        "Defard et al., ICPR workshops 2021",
        "instant",
        branch="subspace",
        formula="sqrt((x - m_p)^T (S_p + e I)^-1 (x - m_p)) at position p over random channels",
        use="Aligned pictures: a Gaussian for each position.",
        avoid="Pictures that are not aligned; fewer training pictures than channels.",
        fidelity="reduced",
        differs="The covariance is shrunk by Ledoit and Wolf's estimate unless `shrinkage` is 0, channels are "
        "standardised, and the map is not smoothed.",
    )
)
class PaDiM(Detector):
    """Mahalanobis distance of a token to its position's Gaussian, on a random subset of channels.

    channels: how many are drawn, by `seed` (100 for ResNet-18 in the paper; all where there are fewer). noise: e of
    eq. 1, in variances of a standardised feature. shrinkage: weight of the isotropic covariance in each position's
    own one; "auto" takes Ledoit and Wolf's (Journal of Multivariate Analysis, 2004), which a position with fewer
    pictures than channels needs; 0 is the paper's. per_position: a Gaussian a position ("auto": where each has at
    least 8 training tokens), else one for all; positions never seen get one of all tokens together.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = PaDiM().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        channels: int = 100,
        noise: float = 0.01,
        shrinkage: float | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.001,
        seed: int = 0,
    ) -> None:
        self.channels, self.noise, self.shrinkage, self.per_position = channels, noise, shrinkage, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.channels < 1 or self.noise <= 0:
            raise ConfigError(
                f"channels={self.channels}, noise={self.noise} were given; allowed are channels >= 1 and noise > 0"
            )
        if self.shrinkage != "auto" and not 0 <= self.shrinkage <= 1:
            raise ConfigError(f"shrinkage={self.shrinkage} was given; allowed are 'auto' and 0 <= shrinkage <= 1")

    def _fit(self, items: Sequence[Tokens]) -> None:
        drawn = np.random.default_rng(self.seed).permutation(items[0].values.shape[1])[: self.channels]
        self.drawn_ = np.sort(drawn)

        def score(items: Sequence[Tokens]) -> np.ndarray:
            return self._pooled(self._score(items))

        fit_trimmed(items, self.contamination, self._fit_once, score)

    def _fit_once(self, items: Sequence[Tokens]) -> None:
        self.space_ = FeatureSpace.fit(columns(items, self.drawn_), len(self.drawn_), self.per_position)
        rows, _ = self.space_.transform_all(columns(items, self.drawn_))
        place = self.space_.index(positions(items))
        count, width = len(self.space_.positions) + 1, rows.shape[1]
        self.mean_, self.factor_ = np.empty((count, width)), np.empty((count, width, width))
        some = np.sort(np.random.default_rng(self.seed).permutation(len(rows))[:POOLED])
        where = {p: index for p, index in by_value(place) if p < count - 1 and len(index) > 1}
        for p in (count - 1, *where):
            here = rows[where.get(p, some)].astype(np.float64)
            mean = here.mean(axis=0)
            variance, vectors = np.linalg.eigh(self._covariance(here - mean))
            factor = vectors / np.sqrt(np.maximum(variance, 0.0) + self.noise)
            if p == count - 1:  # all together, for positions never seen or seen once
                self.mean_[:], self.factor_[:] = mean, factor
            self.mean_[p], self.factor_[p] = mean, factor

    def _settled(self) -> dict[str, Any]:
        return {"per_position": bool(len(self.space_.positions))}

    def _covariance(self, centred: np.ndarray) -> np.ndarray:
        if self.shrinkage == "auto":
            return np.asarray(ledoit_wolf(centred, assume_centered=True)[0])
        return np.asarray(shrunk_covariance(centred.T @ centred / max(1, len(centred) - 1), self.shrinkage))

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            rows = as_rows(columns(group, self.drawn_))
            tokens, _ = self.space_.transform(rows.values, rows.position)
            found = np.empty(len(tokens))
            for p, index in by_value(self.space_.index(rows.position)):
                distance = partial(_mahalanobis, mean=self.mean_[p], factor=self.factor_[p])
                found[index] = in_chunks(distance, tokens[index].astype(np.float64), CHUNK)
            scores.extend(rows.split(found))
        return scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        fitted = {"drawn": self.drawn_, "mean": self.mean_, "factor": self.factor_}
        return {**self.space_.arrays(), **fitted}, {}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        drawn = check_arrays(arrays, {"drawn": "i c"})["c"]
        inside = (arrays["drawn"] >= 0) & (arrays["drawn"] < self.n_features_in_)
        require(inside.all() and (np.diff(arrays["drawn"]) > 0).all(), "drawn holds no channels in increasing order")
        self.space_ = FeatureSpace.from_arrays(arrays, drawn)
        sizes = {"R": len(self.space_.mean), "k": self.space_.width}
        check_arrays(arrays, {"mean": "f R k", "factor": "f R k k"}, **sizes)
        self.drawn_, self.mean_, self.factor_ = arrays["drawn"], arrays["mean"], arrays["factor"]


def _mahalanobis(tokens: np.ndarray, mean: np.ndarray, factor: np.ndarray) -> np.ndarray:
    return np.sqrt((((tokens - mean) @ factor) ** 2).sum(axis=1))
