"""PatchCore: the distance of each patch to a small set of training patches that covers all of them.

Roth, Pemula, Zepeda, Schölkopf, Brox, Gehler, "Towards Total Recall in Industrial Anomaly Detection", CVPR 2022:
patch features are averaged over their neighbourhood (section 3.1), a greedy k-centre coreset chosen after a random
projection is the memory M (section 3.2, algorithm 1), and a picture's score is that of its most distant patch m_test,
s* = |m_test - m*|, lowered where its nearest patch m* has close company in memory (section 3.3, eq. 6 and 7):

    s = (1 - exp|m_test - m*| / sum over m in N_b(m*) of exp|m_test - m|) s*
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.special import softmax
from sklearn.random_projection import SparseRandomProjection

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import owners, some, split
from mmdmad.detectors.kit.chunks import groups
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.neighbours import Memory
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Layout, Tokens

PROJECTED = 128  # axes in which the coreset is chosen


def k_centre(rows: np.ndarray, count: int, first: int) -> np.ndarray:
    """Numbers of `count` rows, each the farthest from those before it (Gonzalez, 1985): no row is left far from them.

    Stops early when every row coincides with a chosen one.

    >>> k_centre(np.array([[0.0], [1.0], [10.0], [5.0]]), 3, first=0).tolist()
    [0, 2, 3]
    """
    chosen = [first]
    nearest = ((rows - rows[first]) ** 2).sum(axis=1)
    while len(chosen) < count and nearest.max() > 0:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((rows - rows[chosen[-1]]) ** 2).sum(axis=1))
    return np.array(chosen)


@detector(
    About(
        "patchcore",
        "baseline",
        "Roth et al., CVPR 2022",
        "seconds",
        branch="distance",
        formula="distance of the worst patch to a covering subset of normal patches, lowered where that has company",
        use="Pictures, aligned or not, with some training pictures and memory for a coreset.",
        avoid="Anomalies of relation between places: each patch is judged apart.",
        fidelity="reduced",
        differs="Features are standardised, the coreset is chosen among at most 50,000 tokens, and the map is not "
        "smoothed.",
    )
)
class PatchCore(Detector):
    """Distance to the nearest remembered token, re-weighted by eq. 7.

    neighbourhood: side of the square of cells over which the tokens of a `grid` with rows and columns are averaged, at
    the border over the cells there are (1: no averaging); tokens of other layouts are taken as they are. coreset:
    share of the training tokens remembered. max_tokens: training tokens from which they are chosen at most, a seeded
    sample beyond. neighbours: b of eq. 7. The weight of an item's highest token scales all its token scores, so that
    map and score agree; the item's score is the highest token (with `top`, the mean of that share of tokens).
    Features are standardised over all positions.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = PatchCore().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    _unseen_by = "split"

    def __init__(
        self,
        neighbourhood: int = 3,
        coreset: float = 0.1,
        max_tokens: int = 50_000,
        neighbours: int = 9,
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.001,
        seed: int = 0,
    ) -> None:
        self.neighbourhood, self.coreset, self.max_tokens = neighbourhood, coreset, max_tokens
        self.neighbours = neighbours
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.neighbourhood < 1 or self.neighbourhood % 2 == 0 or not 0 < self.coreset <= 1:
            raise ConfigError(
                f"neighbourhood={self.neighbourhood}, coreset={self.coreset} were given; allowed are an odd "
                "neighbourhood and 0 < coreset <= 1"
            )
        if self.max_tokens < 2 or self.neighbours < 1:
            raise ConfigError(
                f"max_tokens={self.max_tokens}, neighbours={self.neighbours} were given; allowed are max_tokens >= 2 "
                "and neighbours >= 1"
            )

    def _fit(self, items: Sequence[Tokens]) -> None:
        grids = {item.layout.shape for item in items if _has_rows(item.layout)}
        self.grid_: tuple[int, ...] = grids.pop() if len(grids) == 1 else ()
        averaged = self._averaged(items)
        learn = unsuspicious(averaged, self.contamination, self.top, self.seed)
        self.space_ = FeatureSpace.fit(some(averaged, learn), items[0].values.shape[1], False)
        rows, _ = self.space_.transform_all(averaged)
        owner = owners(items)
        may = np.flatnonzero(np.isin(owner, learn))
        self._learn(items, rows, owner, np.sort(np.random.default_rng(self.seed).permutation(may)[: self.max_tokens]))

    def _learn(self, items: Sequence[Tokens], rows: np.ndarray, owner: np.ndarray, kept: np.ndarray) -> None:
        """Remember a coreset of the kept rows and score the training items by the others' rows."""
        here = rows[kept]
        if here.shape[1] > PROJECTED:
            here = SparseRandomProjection(PROJECTED, random_state=self.seed).fit_transform(here)
        count = max(min(self.neighbours + 1, len(kept)), round(self.coreset * len(kept)))
        first = int(np.random.default_rng(self.seed).integers(len(kept)))
        chosen = kept[np.sort(k_centre(np.asarray(here), count, first))]
        self._remember(rows[chosen], owner[chosen])
        self._train_scores = self._leave_own_out(items, rows, owner)

    def _remember(self, memory: np.ndarray, owner: np.ndarray) -> None:
        self._memory = Memory(memory, np.zeros(len(memory), np.float32), owner)
        # N_b(m*) of every remembered token, itself included
        self._company = self._memory.nearest(memory, self._memory.residual, self.neighbours)[1]

    def _leave_own_out(self, items: Sequence[Tokens], rows: np.ndarray, owner: np.ndarray) -> np.ndarray:
        squares, _ = self._memory.nearest(rows, np.zeros(len(rows), np.float32), 1, owner)
        distances = np.sqrt(np.where(np.isfinite(squares[:, 0]), squares[:, 0], 0.0))
        return self._pooled(split(items, distances))

    def _training_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        return self._train_scores

    def _averaged(self, items: Sequence[Tokens]) -> list[Tokens]:
        return [Tokens.exact(self._average(item), item.layout) for item in items]

    def _average(self, item: Tokens) -> np.ndarray:
        """The item's tokens (L, D), averaged over their neighbourhood where they lie on a grid.

        An array (N, L, D) has no rows and columns of its own; with as many tokens as the training pictures it has
        theirs.
        """
        layout = item.layout
        if _has_rows(layout):
            shape = layout.shape
        elif layout.kind == "grid" and layout.size is None and len(layout) == int(np.prod(self.grid_ or (0,))):
            shape = self.grid_
        else:
            return item.values
        grid, side = item.values.reshape(*shape, -1).astype(np.float64), (self.neighbourhood, self.neighbourhood)
        total = uniform_filter(grid, side, axes=(0, 1), mode="constant")
        share = uniform_filter(np.ones(shape), side, mode="constant")  # of the square that lies within the grid
        return (total / share[..., None]).reshape(item.values.shape).astype(item.values.dtype)

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            averaged = self._averaged(group)
            rows, _ = self.space_.transform_all(averaged)
            squares, found = self._memory.nearest(rows, np.zeros(len(rows), np.float32), 1)
            distances, start = np.sqrt(squares[:, 0]), 0
            for item in group:
                own = slice(start, start + len(item.values))
                highest = start + int(distances[own].argmax())
                weight = self._weight(rows[highest], int(found[highest, 0]))
                scores.append(distances[own] * weight)
                start = own.stop
        return scores

    def _weight(self, token: np.ndarray, nearest: int) -> float:
        """The factor of eq. 7 for a token whose nearest remembered one is given."""
        company = self._company[nearest]
        if len(company) < 2:
            return 1.0
        gap = self._memory.axes[company].astype(np.float64) - token
        distances = np.sqrt((gap**2).sum(axis=1))
        return float(1.0 - softmax(distances)[company == nearest].sum())

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        memory = {"memory": self._memory.axes, "owner": self._memory.owner}
        return {**self.space_.arrays(), **memory}, {"grid": list(self.grid_)}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        self.grid_ = tuple(int(side) for side in values["grid"])
        require(len(self.grid_) in (0, 2) and min(self.grid_, default=1) >= 1, f"a grid of {self.grid_} is none")
        found = check_arrays(arrays, {"memory": "f n k", "owner": "i n"}, k=self.space_.width)
        require(found["n"] >= 1, "no token is remembered")
        self._remember(arrays["memory"], arrays["owner"])


def _has_rows(layout: Layout) -> bool:
    return layout.kind == "grid" and len(layout.shape) == 2 and min(layout.shape) > 1
