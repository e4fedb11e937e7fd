"""Local outlier factor through scikit-learn: is a token's neighbourhood thinner than its neighbours' own?

Breunig, Kriegel, Ng, Sander, "LOF: Identifying Density-Based Local Outliers", SIGMOD 2000, eq. 7: the mean density of
the k nearest training tokens over the token's own density; about 1 inside a cluster, whatever its density, more
outside.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from sklearn.neighbors import LocalOutlierFactor

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import as_rows
from mmdmad.detectors.kit.chunks import groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.trimming import fit_trimmed
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens

CHUNK = 64


@detector(
    About(
        "lof",
        "baseline",
        "Breunig et al., SIGMOD 2000",
        "instant",
        branch="distance",
        formula="mean density of the K nearest normal tokens over the token's own",
        use="Clusters of different density, where one distance does not fit all.",
        avoid="Contaminated training sets, whose dense anomalies look normal.",
        fidelity="equal",
        differs="Features are standardised first; at most 20,000 training tokens are kept.",
    )
)
class LOF(Detector):
    """Local outlier factor of a token among the training tokens.

    neighbours: k (scikit-learn's and PyOD's 20; fewer where there are fewer tokens). max_memory: training tokens kept
    at most, a seeded sample of them beyond; fitting compares each with each. Features are standardised, positions
    ignored. `save` keeps the training tokens; `load` fits the same tokens again, which is deterministic and gives the
    same bits.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = LOF().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    _unseen_by = "few"

    def __init__(
        self,
        neighbours: int = 20,
        max_memory: int | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.neighbours, self.max_memory = neighbours, max_memory
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.neighbours < 1 or (self.max_memory != "auto" and self.max_memory < 2):
            raise ConfigError(
                f"neighbours={self.neighbours}, max_memory={self.max_memory!r} were given; allowed are "
                "neighbours >= 1 and 'auto' or max_memory >= 2"
            )

    def _fit(self, items: Sequence[Tokens]) -> None:
        fit_trimmed(items, self.contamination, self._fit_once, self._score_leaving_out)

    def _fit_once(self, items: Sequence[Tokens]) -> None:
        self.space_ = FeatureSpace.fit(items, components=items[0].values.shape[1], per_position=False)
        rows, _ = self.space_.transform_all(items)
        limit = (20_000 if len(rows) == len(items) else 10_000) if self.max_memory == "auto" else self.max_memory
        kept = np.sort(np.random.default_rng(self.seed).permutation(len(rows))[:limit])
        self._remember(rows[kept])

    def _remember(self, memory: np.ndarray) -> None:
        self.memory_ = memory
        k = min(self.neighbours, len(memory) - 1)
        self._model = LocalOutlierFactor(n_neighbors=k, novelty=True).fit(memory.astype(np.float64))

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            rows = as_rows(group)
            tokens, _ = self.space_.transform(rows.values, rows.position)
            scores.extend(rows.split(in_chunks(self._factor, tokens.astype(np.float64), CHUNK)))
        return scores

    def _factor(self, tokens: np.ndarray) -> np.ndarray:
        return -self._model.score_samples(tokens)

    def _training_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        return self._score_leaving_out(items)

    def _score_leaving_out(self, items: Sequence[Tokens]) -> np.ndarray:
        """Item scores; a token that is remembered has the factor scikit-learn gave it among the others."""
        own = {row.tobytes(): -factor for row, factor in zip(self.memory_, self._model.negative_outlier_factor_)}
        tokens, _ = self.space_.transform_all(items)
        pooled, start = [], 0
        for scores in self._score(items):
            for i, row in enumerate(tokens[start : start + len(scores)]):
                scores[i] = own.get(row.tobytes(), scores[i])
            start += len(scores)
            pooled.append(self._pool(scores))
        return np.array(pooled)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**self.space_.arrays(), "memory": self.memory_}, {}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        remembered = check_arrays(arrays, {"memory": "f n k"}, k=self.space_.width)["n"]
        require(remembered >= 2, f"{remembered} tokens are remembered; at least 2 is needed")
        self._remember(arrays["memory"])
