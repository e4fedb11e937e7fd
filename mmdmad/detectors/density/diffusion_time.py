"""Diffusion time without a network (DTE-NP): how much noise would have brought a normal token here?

Livernoche, Jain, Hezaveh, Ravanbakhsh, "On Diffusion Modeling for Anomaly Detection", ICLR 2024, section 3. If
x = x_0 + s e with x_0 a normal token, the posterior of s^2 given one neighbour x_0 is an inverse gamma with
a = D / 2 - 1 and b = |x - x_0|^2 / 2, whose mode is |x - x_0|^2 / D. With the K nearest neighbours the score is the
mean of their squared distances over D: the continuous estimate of the noise variance s^2.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import as_rows, owners, positions, some, split
from mmdmad.detectors.kit.chunks import groups
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.neighbours import PositionMemory
from mmdmad.detectors.kit.trimming import ROUNDS, trusted
from mmdmad.errors import ConfigError
from mmdmad.tokens import Tokens


def mode_of_time(
    mean_square: np.ndarray, width: int, steps: int = 300, beta: tuple[float, float] = (1e-4, 1e-2)
) -> np.ndarray:
    """The most probable step t of the paper's grid, argmax of the inverse gamma over s_t^2 = 1 - prod(1 - beta).

    mean_square (M,) mean squared distance to the neighbours, width = D; returns steps (M,) float64 in 0..steps-1.

    >>> mode_of_time(np.array([0.0, 1e9]), width=8)
    array([  0., 299.])
    """
    noise = 1.0 - np.cumprod(1.0 - np.linspace(*beta, steps))
    modes = np.empty(len(mean_square))
    for start in range(0, len(mean_square), 65536):
        part = mean_square[start : start + 65536, None] / 2.0
        modes[start : start + 65536] = (width / 2.0 * np.log(noise) + part / noise).argmin(axis=1)
    return modes


@detector(
    About(
        "dte-np",
        "density",
        "Livernoche et al., ICLR 2024 (DTE, non-parametric)",
        "instant",
        branch="diffusion time",
        formula="mean of the K smallest |x - x_i|^2 / D",
        use="Embeddings and tables of any shape of normal; nothing to train, hard to beat.",
        avoid="Very large or contaminated training sets, and tokens whose features differ much in what they tell.",
        fidelity="equal",
        differs="The continuous mode in s^2; `mode_t` gives the released step of a grid, which orders the same "
        "but for ties and clipping.",
    )
)
class DiffusionTime(Detector):
    """Mean squared distance to the `neighbours` nearest training tokens over D: the continuous diffusion time.

    mode_t: give the paper's discrete step instead (300 steps, quantised and clipped; loses accuracy).
    components: principal axes kept ("auto": 128 with positions, 512 without); the rest enters by its squared length.
    per_position: compare tokens only within their position ("auto": where each has at least 8 training tokens).
    max_memory: training tokens remembered per position at most, a seeded sample of them beyond.
    contamination: this share of training items, those farthest from the others, is forgotten.
    Where more than 2.5 billion pairs of training tokens would be compared (50,000 with each other), the training
    items' own scores, and with them the threshold and what is forgotten, come from an approximate search
    (`mmdmad.detectors.kit.neighbours.Cells`); other items are always scored exactly.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = DiffusionTime().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    _unseen_by = "few"

    def __init__(
        self,
        neighbours: int = 5,
        mode_t: bool = False,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        max_memory: int = 200_000,
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.neighbours, self.mode_t = neighbours, mode_t
        self.components, self.per_position, self.max_memory = components, per_position, max_memory
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.neighbours < 1 or self.max_memory < 1:
            raise ConfigError(f"neighbours={self.neighbours}, max_memory={self.max_memory} were given; at least 1 each")

    def _fit(self, items: Sequence[Tokens]) -> None:
        self._learn(items, np.arange(len(items)))
        for _ in range(ROUNDS if self.contamination > 0 else 0):
            self._learn(items, trusted(self._train_scores, self.contamination))

    def _learn(self, items: Sequence[Tokens], names: np.ndarray) -> None:
        """Scale by and remember the items of these numbers, and score all training items by the others' tokens."""
        many = len(np.unique(positions(items))) > 1
        components = (128 if many and self.per_position else 512) if self.components == "auto" else self.components
        self.space_ = FeatureSpace.fit(some(items, names), components, self.per_position)
        axes, residual = self.space_.transform_all(items)
        owner, row = owners(items), self.space_.index(positions(items))
        keep = self._sample(row)
        keep = keep[np.isin(owner[keep], names)]
        self.memory_ = self._remember(axes, residual, row, owner, keep)
        self._train_scores = self._leave_own_out(items, axes, residual, row, owner)

    def _settled(self) -> dict[str, Any]:
        return {"per_position": bool(len(self.space_.positions))}

    def _sample(self, row: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        shuffled = rng.permutation(len(row))
        order = shuffled[np.argsort(row[shuffled], kind="stable")]
        starts = np.searchsorted(row[order], row[order], side="left")
        return np.sort(order[np.arange(len(order)) - starts < self.max_memory])

    def _remember(
        self, axes: np.ndarray, residual: np.ndarray, row: np.ndarray, owner: np.ndarray, keep: np.ndarray
    ) -> PositionMemory:
        return PositionMemory(axes[keep], residual[keep], row[keep], owner[keep], len(self.space_.positions))

    def _leave_own_out(
        self, items: Sequence[Tokens], axes: np.ndarray, residual: np.ndarray, row: np.ndarray, owner: np.ndarray
    ) -> np.ndarray:
        squares = self.memory_.nearest(axes, residual, row, self.neighbours, owner, approximate=True)
        scores = self._time(squares)
        return self._pooled(split(items, scores))

    def _training_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        return self._train_scores

    def _time(self, squares: np.ndarray) -> np.ndarray:
        found = np.isfinite(squares)
        mean = np.where(found, squares, 0.0).sum(axis=1) / np.maximum(found.sum(axis=1), 1)
        return mode_of_time(mean, self.n_features_in_) if self.mode_t else mean / self.n_features_in_

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            rows = as_rows(group)
            axes, residual = self.space_.transform(rows.values, rows.position)
            squares = self.memory_.nearest(axes, residual, self.space_.index(rows.position), self.neighbours)
            scores.extend(rows.split(self._time(squares)))
        return scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**self.space_.arrays(), **self.memory_.arrays()}, {}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        self.memory_ = PositionMemory.from_arrays(arrays, len(self.space_.positions), self.space_.width)
