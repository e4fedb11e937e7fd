"""Isolation forest through scikit-learn: how few random cuts set a token apart?

Liu, Ting, Zhou, "Isolation Forest", ICDM 2008, eq. 2: 2^(-E[h(x)] / c(n)) with h the depth at which a tree isolates x
and c(n) the mean depth of an unsuccessful search; between 0 and 1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest as Forest

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import as_rows, some
from mmdmad.detectors.kit.chunks import groups
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens

ENOUGH = 30  # trees that have to judge a row which they did not draw


def usual_depth(count: np.ndarray) -> np.ndarray:
    """Mean depth c(n) of an unsuccessful search among `count` (n,) tokens (eq. 1).

    >>> usual_depth(np.array([1, 2, 256])).round(3)
    array([ 0.   ,  1.   , 10.245])
    """
    n = np.maximum(np.asarray(count, np.float64), 2.0)
    depth = 2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    return np.where(count <= 1, 0.0, np.where(count == 2, 1.0, depth))


@detector(
    About(
        "isolation-forest",
        "baseline",
        "Liu et al., ICDM 2008",
        "instant",
        branch="partition",
        formula="2^(-E[depth at which random cuts isolate x] / c(n))",
        use="Tables with features that do not matter and features of very different scale.",
        avoid="Anomalies that show only in relations between features.",
        fidelity="equal",
        differs="For features that are constant in training a term is added, which no forest has.",
    )
)
class IsolationForest(Detector):
    """Isolation score of a token, from `trees` trees over `sample` training tokens each.

    No tree can cut a feature that is constant in training, so a token that changes one would pass unseen: the largest
    such change d, in the feature's own unit, adds d / (1 + d). A seeded sample of `trees` times `sample` training
    tokens is remembered, more than which the forest cannot use. `save` keeps them; `load` grows the same trees from
    them again, which is deterministic and gives the same bits. Positions are ignored.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = IsolationForest().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        trees: int = 100,
        sample: int = 256,
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.trees, self.sample = trees, sample
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.trees < 1 or self.sample < 2:
            raise ConfigError(
                f"trees={self.trees}, sample={self.sample} were given; allowed are trees >= 1 and sample >= 2"
            )

    def _fit(self, items: Sequence[Tokens]) -> None:
        items = some(items, unsuspicious(items, self.contamination, self.top, self.seed))
        self.space_ = FeatureSpace.fit(items, components=items[0].values.shape[1], per_position=False)
        rows, _ = self.space_.transform_all(items)
        kept = np.random.default_rng(self.seed).permutation(len(rows))[: self.trees * self.sample]
        self._grow(rows[np.sort(kept)])
        self._all_are_rows = len(items) == len(rows) == len(kept)

    def _grow(self, memory: np.ndarray) -> None:
        self.memory_ = memory
        self._constant = np.flatnonzero(np.ptp(memory, axis=0) == 0)
        sample = min(self.sample, len(memory))
        self._model = Forest(n_estimators=self.trees, max_samples=sample, random_state=self.seed).fit(memory)

    def _unseen_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        """Single rows are scored by the trees whose sample they are not in, if there are enough of those."""
        usual = self.trees * (1.0 - self._model.max_samples_ / len(self.memory_))
        return np.sort(self._out_of_bag()) if self._all_are_rows and usual >= ENOUGH else super()._unseen_scores(items)

    def _out_of_bag(self) -> np.ndarray:
        """Scores (M,) of the remembered tokens, each by the trees that did not draw it."""
        total, trees = np.zeros(len(self.memory_)), np.zeros(len(self.memory_))
        for tree, drawn in zip(self._model.estimators_, self._model.estimators_samples_):
            out = np.setdiff1d(np.arange(len(self.memory_)), drawn)
            path = tree.decision_path(self.memory_[out])
            leaf = tree.apply(self.memory_[out])
            total[out] += np.asarray(path.sum(axis=1)).ravel() - 1.0 + usual_depth(tree.tree_.n_node_samples[leaf])
            trees[out] += 1
        known = trees > 0
        return np.asarray(2.0 ** (-total[known] / trees[known] / usual_depth(np.array([self._model.max_samples_]))))

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            rows = as_rows(group)
            tokens, _ = self.space_.transform(rows.values, rows.position)
            found = -self._model.score_samples(tokens)
            if len(self._constant):
                change = np.abs(tokens[:, self._constant].astype(np.float64) - self.memory_[0, self._constant])
                found = found + (change / (1.0 + change)).max(axis=1)
            scores.extend(rows.split(found))
        return scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**self.space_.arrays(), "memory": self.memory_}, {}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        remembered = check_arrays(arrays, {"memory": "f n k"}, k=self.space_.width)["n"]
        require(remembered >= 1, f"{remembered} tokens are remembered; at least 1 is needed")
        self._grow(arrays["memory"])
