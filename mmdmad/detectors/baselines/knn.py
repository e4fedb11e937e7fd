"""k nearest neighbours through scikit-learn: the baseline that every new detector must beat.

Ramaswamy, Rastogi, Shim, "Efficient Algorithms for Mining Outliers from Large Data Sets", SIGMOD 2000.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from sklearn.neighbors import NearestNeighbors

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import as_rows, owners, some, split
from mmdmad.detectors.kit.chunks import groups
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.trimming import ROUNDS, trusted
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens


@detector(
    About(
        "knn",
        "baseline",
        "Ramaswamy et al., SIGMOD 2000",
        "instant",
        branch="distance",
        formula="distance to the K-th nearest normal token",
        use="The baseline that every other method must beat.",
        avoid="Very large training sets without a subsample; clusters of different density.",
        fidelity="equal",
        differs="Features are standardised first.",
    )
)
class KNN(Detector):
    """Distance to the `neighbours`-th nearest training token ("largest") or the mean over them ("mean").

    Features are standardised; positions are ignored: this is the plain baseline. max_memory: training tokens kept at
    most, a seeded sample of them beyond ("auto": 200,000 where items are vectors, 10,000 where they are token sets).

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = KNN().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    _unseen_by = "few"

    def __init__(
        self,
        neighbours: int = 5,
        method: Literal["largest", "mean"] = "largest",
        max_memory: int | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.neighbours, self.method, self.max_memory = neighbours, method, max_memory
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.neighbours < 1 or (self.max_memory != "auto" and self.max_memory < 1):
            raise ConfigError(
                f"neighbours={self.neighbours}, max_memory={self.max_memory!r} were given; allowed are "
                "neighbours >= 1 and 'auto' or max_memory >= 1"
            )

    def _fit(self, items: Sequence[Tokens]) -> None:
        self._learn(items, np.arange(len(items)))
        for _ in range(ROUNDS if self.contamination > 0 else 0):
            self._learn(items, trusted(self._train_scores, self.contamination))

    def _learn(self, items: Sequence[Tokens], names: np.ndarray) -> None:
        """Scale by and remember the items of these numbers, and score all training items by the others' rows."""
        self.space_ = FeatureSpace.fit(some(items, names), components=items[0].values.shape[1], per_position=False)
        tokens, _ = self.space_.transform_all(items)
        owner = owners(items)
        limit = self.max_memory if self.max_memory != "auto" else 200_000 if len(owner) == len(items) else 10_000
        may = np.flatnonzero(np.isin(owner, names))
        kept = np.sort(np.random.default_rng(self.seed).permutation(may)[:limit])
        self._remember(tokens[kept])
        most = int(np.bincount(owner[kept]).max())
        scores = self._distances(tokens, owner, owner[kept], self.neighbours + most)
        self._train_scores = self._pooled(split(items, scores))

    def _remember(self, memory: np.ndarray) -> None:
        self.memory_ = memory
        self._index = NearestNeighbors().fit(memory)

    def _training_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        return self._train_scores

    def _distances(
        self, axes: np.ndarray, owner: np.ndarray | None, owners: np.ndarray | None, count: int
    ) -> np.ndarray:
        result = np.empty(len(axes))
        k = min(self.neighbours, len(self.memory_))
        for start in range(0, len(axes), 4096):
            part = axes[start : start + 4096]
            rows = self._index.kneighbors(part, min(count, len(self.memory_)), return_distance=False)
            # The index may round differently from batch to batch; differences in float64 do not.
            squares = np.empty(rows.shape)
            for column in range(rows.shape[1]):
                difference = part.astype(np.float64) - self.memory_[rows[:, column]]
                squares[:, column] = np.einsum("md,md->m", difference, difference)
            if owner is not None and owners is not None:
                squares[owners[rows] == owner[start : start + 4096, None]] = np.inf
            near = np.sqrt(np.sort(squares, axis=1)[:, :k])
            near[~np.isfinite(near)] = 0.0
            result[start : start + 4096] = near.max(axis=1) if self.method == "largest" else near.mean(axis=1)
        return result

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            rows = as_rows(group)
            axes, _ = self.space_.transform(rows.values, rows.position)
            scores.extend(rows.split(self._distances(axes, None, None, self.neighbours + 8)))
        return scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**self.space_.arrays(), "memory": self.memory_}, {}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        remembered = check_arrays(arrays, {"memory": "f n k"}, k=self.space_.width)["n"]
        judged = getattr(self, "decision_scores_", None)  # a member of a cascade is kept without them
        if judged is not None:
            trusted = int(len(judged) * (1 - self.contamination))  # every item has a token
            least = max(1, min(trusted, self.neighbours, trusted if self.max_memory == "auto" else self.max_memory))
            require(remembered >= least, f"{remembered} tokens are remembered; at least {least} are needed")
        self._remember(arrays["memory"])
