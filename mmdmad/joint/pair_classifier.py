"""Baseline for contradictions: a classifier that tells true pairs of parts from shuffled ones."""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.neural_network import MLPClassifier

from mmdmad.calibration.patterns import Link
from mmdmad.calibration.whitening import Whitener
from mmdmad.cases import Modality
from mmdmad.errors import DataError


class ShuffledPairs:
    """One small network per pair of parts, trained on true pairs (0) and on pairs with the partner shuffled (1).

    The log odds of "shuffled" estimate log p(a) p(b) / p(a, b), minus the pointwise mutual information (density ratio
    by classification; Gutmann and Hyvarinen, JMLR 13, 2012). A part's contradiction given several parts is the mean
    over the pairs.

    >>> rng = np.random.default_rng(0); a = rng.normal(size=(200, 2)); b = a + 0.1 * rng.normal(size=(200, 2))
    >>> model = ShuffledPairs(shuffles=4, epochs=40).fit({"image": a, "text": b}); link = ("text", ("image",))
    >>> model.contradictions({"image": a[0], "text": -b[0]}, [link])[link] > 0
    True
    """

    def __init__(self, dims: int = 12, width: int = 64, shuffles: int = 8, epochs: int = 30, seed: int = 0) -> None:
        self.dims, self.width, self.shuffles, self.epochs, self.seed = dims, width, shuffles, epochs, seed

    def fit(self, vectors: Mapping[Modality, np.ndarray]) -> "ShuffledPairs":
        """Learn from normal cases: one array (N, E_m) a modality, rows of NaN where a case lacks the part."""
        if len(vectors) < 2:
            raise DataError(f"{len(vectors)} modalities were given; contradictions need at least two")
        rng = np.random.default_rng(self.seed)
        seen = {m: np.isfinite(v).all(axis=1) for m, v in vectors.items()}
        self.whiteners_ = {m: Whitener(self.dims).fit(v[seen[m]]) for m, v in vectors.items()}
        white = {m: self.whiteners_[m].transform(v) for m, v in vectors.items()}
        self.pairs_: dict[frozenset[Modality], tuple[Modality, Modality, MLPClassifier]] = {}
        names = list(vectors)
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                both = np.flatnonzero(seen[a] & seen[b])
                if len(both) < 4:
                    continue
                x, y = white[a][both], white[b][both]
                true = np.tile(_features(x, y), (self.shuffles, 1))
                false = np.concatenate([_features(x, y[rng.permutation(len(y))]) for _ in range(self.shuffles)])
                network = MLPClassifier(
                    (self.width,),
                    alpha=1e-2,
                    batch_size=128,
                    max_iter=self.epochs,
                    n_iter_no_change=self.epochs,
                    random_state=self.seed,
                )
                network.fit(np.concatenate([true, false]), np.repeat([0, 1], len(true)))
                self.pairs_[frozenset((a, b))] = (a, b, network)
        return self

    def contradictions(self, vectors: Mapping[Modality, np.ndarray], wanted: Sequence[Link]) -> dict[Link, float]:
        """Contradiction (log odds) of each wanted (part, given parts) of one case with part vectors (E_m,)."""
        white = {m: self.whiteners_[m].transform(v[None]) for m, v in vectors.items()}
        found = {}
        for part, given in wanted:
            pairs = [self.pairs_[key] for g in given if (key := frozenset((part, g))) in self.pairs_]
            odds = [_log_odds(network, _features(white[a], white[b])) for a, b, network in pairs]
            if odds:
                found[part, given] = float(np.mean(odds))
        return found


def _features(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([a, b], axis=1).astype(np.float64)


def _log_odds(network: MLPClassifier, features: np.ndarray) -> float:
    p = float(np.clip(network.predict_proba(features)[0, 1], 1e-12, 1 - 1e-12))
    return float(np.log(p) - np.log1p(-p))
