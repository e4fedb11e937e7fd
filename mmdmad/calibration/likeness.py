"""A detector score compared with those of similar normal cases.

A coarse texture scores higher than a smooth one though both are normal; one tail for all products would let the coarse
ones raise the alarm and hide faults on the smooth ones. So a part's score is standardised by the scores of the normal
reference parts most like it. The comparison is a fixed function of the part, so conformal p-values stay valid.
"""

import numpy as np

from mmdmad.calibration.whitening import Whitener
from mmdmad.saved import check_arrays, require


class Likeness:
    """Mean and spread of detector scores among the `neighbours` nearest reference parts (whitened vectors).

    Scores are compared in the log where every reference score is positive (distances, energies and times are, and
    vary by factors), else as they are. The spread is pulled towards the spread around such means over all reference
    parts, by the weight of `prior` further neighbours, so that a handful of equal scores cannot make every other score
    a surprise.

    >>> rng = np.random.default_rng(0); kind = np.repeat([0.0, 1.0], 60); vectors = kind[:, None] + [[0.0, 0.0]]
    >>> scores = 5 * kind + 0.1 * rng.normal(size=120)
    >>> like = Likeness().fit(vectors, vectors, scores)
    >>> like.standardise(np.zeros(2), 1.0) > 5, abs(like.standardise(np.ones(2), 5.0)) < 1
    (True, True)
    """

    def __init__(self, neighbours: int = 10, prior: int = 15, dims: int = 12) -> None:
        self.neighbours, self.prior, self.dims = neighbours, prior, dims

    def fit(self, space: np.ndarray, vectors: np.ndarray, scores: np.ndarray) -> "Likeness":
        """Whiten by the vectors `space` (N, E) of the fit split; remember reference vectors (n, E) and scores (n,)."""
        self.whitener_ = Whitener(self.dims).fit(space)
        self.vectors_ = self.whitener_.transform(vectors)
        scores = np.asarray(scores, np.float64)
        self.logarithmic_ = bool((scores > 0).all())
        self.scores_ = np.log(scores) if self.logarithmic_ else scores
        found = [self._nearest(v, skip=i) for i, v in enumerate(self.vectors_)]
        self.spread_ = float(np.sqrt(np.mean([np.var(self.scores_[near]) for near in found]))) or 1e-12
        return self

    def standardise(self, vector: np.ndarray, score: float) -> float:
        """(score - mean) / spread among the reference parts most like this vector (E,)."""
        return self._standardise(self.whitener_.transform(vector[None])[0], self._scaled(score), skip=None)

    def reference(self) -> np.ndarray:
        """Standardised scores (n,) of the reference parts themselves, each compared with the others."""
        rows = zip(self.vectors_, self.scores_, strict=True)
        return np.array([self._standardise(v, float(s), skip=i) for i, (v, s) in enumerate(rows)])

    def high(self, share: float) -> float:
        """The score that this share of the reference parts stays below."""
        level = float(np.quantile(self.scores_, share))
        return float(np.exp(level)) if self.logarithmic_ else level

    def state(self) -> dict[str, np.ndarray]:
        """What was learned, as arrays."""
        own = {"vectors": self.vectors_, "scores": self.scores_, "spread": np.array([self.spread_])}
        own["sizes"] = np.array([self.neighbours, self.prior, self.dims, int(self.logarithmic_)])
        return own | {f"whitener.{k}": v for k, v in self.whitener_.state().items()}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> "Likeness":
        """The comparison that `state` described; ModelError where it is nothing that `fit` can have learned."""
        known = check_arrays(arrays, {"vectors": "f n d", "scores": "f n", "spread": "f 1", "sizes": "i 4"})
        *sizes, logarithmic = (int(n) for n in arrays["sizes"])
        require(min(sizes) >= 1 and logarithmic in (0, 1), f"sizes {[*sizes, logarithmic]} are none that fit writes")
        require(arrays["spread"][0] > 0, "the spread of scores is not above 0")
        require(known["n"] >= 2, f"{known['n']} reference parts cannot be compared with")
        made = cls(*sizes)
        made.logarithmic_ = bool(logarithmic)
        made.whitener_ = Whitener(made.dims).set_state(
            {k: arrays[f"whitener.{k}"] for k in ("mean", "scale", "components")}
        )
        width = len(made.whitener_.components_)
        require(known["d"] == width, f"vectors are {known['d']} wide, those of the whitener {width}")
        made.vectors_, made.scores_, made.spread_ = arrays["vectors"], arrays["scores"], float(arrays["spread"][0])
        return made

    def _scaled(self, score: float) -> float:
        if not self.logarithmic_:
            return score
        # A score of zero (a copy of a training part) is as normal as can be: just below the smallest one seen.
        return float(np.log(score)) if score > 0 else float(self.scores_.min()) - 1.0

    def _nearest(self, white: np.ndarray, skip: int | None) -> np.ndarray:
        distance = ((self.vectors_.astype(np.float64) - white) ** 2).sum(axis=1)
        if skip is not None:
            distance[skip] = np.inf
        count = min(self.neighbours, len(distance) - (skip is not None))
        return np.argsort(distance, kind="stable")[:count]

    def _standardise(self, white: np.ndarray, score: float, skip: int | None) -> float:
        near = self.scores_[self._nearest(white, skip)]
        spread = np.sqrt((len(near) * near.var() + self.prior * self.spread_**2) / (len(near) + self.prior))
        return float((score - near.mean()) / spread)
