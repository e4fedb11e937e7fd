"""Baseline for contradictions: what a linear view of the other parts cannot explain (CCA residual)."""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.cross_decomposition import CCA

from mmdmad.calibration.patterns import Link
from mmdmad.calibration.whitening import Whitener
from mmdmad.cases import Modality
from mmdmad.errors import DataError


class CcaResidual:
    """Canonical correlation analysis (Hotelling 1936) of each pair of parts; contradiction = residual of the pair.

    In canonical coordinates a_k and b_k of a pair have correlation r_k. Under a Gaussian law
    log p(a_k) - log p(a_k | b_k) = [(a_k - r_k b_k)^2 / (1 - r_k^2) - a_k^2 + log(1 - r_k^2)] / 2, minus the pointwise
    mutual information. A part's contradiction given several parts is the mean over the pairs.

    >>> rng = np.random.default_rng(0); a = rng.normal(size=(200, 2)); b = a + 0.1 * rng.normal(size=(200, 2))
    >>> model = CcaResidual(dims=2).fit({"image": a, "text": b}); link = ("text", ("image",))
    >>> model.contradictions({"image": a[0], "text": -b[0]}, [link])[link] > 0
    True
    """

    def __init__(self, dims: int = 12, components: int = 8) -> None:
        self.dims, self.components = dims, components

    def fit(self, vectors: Mapping[Modality, np.ndarray]) -> "CcaResidual":
        """Learn from normal cases: one array (N, E_m) a modality, rows of NaN where a case lacks the part."""
        if len(vectors) < 2:
            raise DataError(f"{len(vectors)} modalities were given; contradictions need at least two")
        seen = {m: np.isfinite(v).all(axis=1) for m, v in vectors.items()}
        self.whiteners_ = {m: Whitener(self.dims).fit(v[seen[m]]) for m, v in vectors.items()}
        white = {m: self.whiteners_[m].transform(v).astype(np.float64) for m, v in vectors.items()}
        self.pairs_: dict[tuple[Modality, Modality], tuple[CCA, np.ndarray, np.ndarray]] = {}
        names = list(vectors)
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                both = seen[a] & seen[b]
                size = min(self.components, white[a].shape[1], white[b].shape[1], max(1, int(both.sum()) - 2))
                if both.sum() < 4:
                    continue
                cca = CCA(n_components=size, max_iter=2000).fit(white[a][both], white[b][both])
                u, v = cca.transform(white[a][both], white[b][both])
                scale = np.stack([u.std(axis=0), v.std(axis=0)])
                scale[scale < 1e-12] = 1.0
                r = np.clip(np.mean(u * v, axis=0) / scale[0] / scale[1], -0.995, 0.995)
                self.pairs_[a, b] = (cca, scale, r)
        return self

    def contradictions(self, vectors: Mapping[Modality, np.ndarray], wanted: Sequence[Link]) -> dict[Link, float]:
        """Contradiction (nats) of each wanted (part, given parts) of one case with part vectors (E_m,)."""
        white = {m: self.whiteners_[m].transform(v[None]).astype(np.float64) for m, v in vectors.items()}
        found = {}
        for part, given in wanted:
            residuals = [r for g in given if (r := self._residual(white, part, g)) is not None]
            if residuals:
                found[part, given] = float(np.mean(residuals))
        return found

    def _residual(self, white: Mapping[Modality, np.ndarray], part: Modality, given: Modality) -> float | None:
        forward = (part, given) in self.pairs_
        pair = (part, given) if forward else (given, part)
        if pair not in self.pairs_:
            return None
        cca, scale, r = self.pairs_[pair]
        u, v = cca.transform(white[pair[0]], white[pair[1]])
        u, v = u[0] / scale[0], v[0] / scale[1]
        mine, other = (u, v) if forward else (v, u)
        return float(0.5 * (((mine - r * other) ** 2) / (1 - r**2) - mine**2 + np.log(1 - r**2)).sum())
