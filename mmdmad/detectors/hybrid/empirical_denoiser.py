"""The exact denoiser of the training items as a reconstruction, and Gaussian diffusion of what it leaves.

A network that denoises perfectly answers with a mean of the training items, weighted by how near they are (Karras et
al., NeurIPS 2022, appendix B.3, `diffusion/empirical.py`). On whole pictures this mean knows the light, the kind and
the pose of the piece at hand, which a model of each position does not: what is left of a token after it is judged by
the closed form of `gaussian-diffusion`,

    r = x - sum_j w_j y_j,   score = mean over s of (r - m)^T (S + s^2 I)^-1 (r - m)

with m and S of the training items' own remainders, each without itself among its neighbours. The noise level of the
reconstruction adapts to the item, as in GLAD (Yao et al., ECCV 2024): it is the one at which `effective` items count.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.density.gaussian_diffusion import GaussianDiffusion
from mmdmad.detectors.items import some
from mmdmad.detectors.kit.chunks import groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.diffusion.empirical import posterior_weights
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays
from mmdmad.tokens import Tokens

CHUNK = 32
NUMBERS = 2**25  # that are remembered at most, in half precision 64 MB
LARGEST = 6e4  # what half precision holds
AROUND = 5  # nearest items that are looked at, times `effective`


@detector(
    About(
        "empirical-denoiser",
        "hybrid",
        "Karras et al., NeurIPS 2022, appendix B.3 (exact denoiser); scoring in closed form",
        "instant",
        branch="exact denoiser",
        formula="gaussian-diffusion of r = x - sum_j w_j y_j, w = softmax(-|item - item_j|^2 / 2 s^2)",
        use="Aligned pictures of several kinds or lights: each is compared with the training pictures like it.",
        avoid="Pieces that come again in training and in use: their copies are the mean. Items of uneven length "
        "are compared with the mean of all.",
        fidelity="idea",
        differs="The exact denoiser is the paper's; using what it leaves of an item as anomaly score is this "
        "library's.",
    )
)
class EmpiricalDenoiser(Detector):
    """Distance of an item's tokens from the mean of the training items it is most like.

    effective: how many training items that mean is made of (1 / sum of squared weights). memory: items remembered at
    most, a seeded draw (fewer where they are large: 2^25 numbers in all). components: principal axes of a token in
    which items are compared and their mean is taken; the rest of a token is judged as it is. per_position: tokens are
    standardised and judged by position ("auto": where each position has at least 8 training tokens).

    Items are compared token by token, so all training items need the same positions; otherwise, and for items whose
    positions are others, the mean of all training tokens takes the place of the reconstruction.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = EmpiricalDenoiser().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        effective: float = 20.0,
        memory: int = 20_000,
        components: int = 128,
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.effective, self.memory, self.components, self.per_position = effective, memory, components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.effective < 1 or self.memory < 2 or self.components < 1:
            raise ConfigError(
                f"effective={self.effective}, memory={self.memory}, components={self.components} were given; allowed "
                "are effective >= 1, memory >= 2 and components >= 1"
            )

    def _fit(self, items: Sequence[Tokens]) -> None:
        kept = unsuspicious(items, self.contamination, self.top, self.seed)
        trusted = some(items, kept)
        self.space_ = FeatureSpace.fit(trusted, self.components, self.per_position)
        self.positions_ = trusted[0].layout.positions()
        numbers = len(self.positions_) * self.space_.width
        most = min(len(trusted), self.memory, max(2, NUMBERS // numbers))
        drawn = np.sort(np.random.default_rng(self.seed).permutation(len(trusted))[:most])
        alike = all(self._alike(item) for item in trusted)
        memory = np.zeros((most if alike else 0, numbers), np.float16)
        for place, i in enumerate(drawn.tolist() if alike else ()):
            memory[place] = np.clip(self._axes(self._standard(trusted[i])), -LARGEST, LARGEST).ravel()
        self._remember(memory)
        own = np.full(len(items), -1)
        if alike:
            own[kept[drawn]] = np.arange(most)
        left = self._left(items, own)
        self.inner_ = self._judge().set_params(false_alarm_rate=self.false_alarm_rate).fit(some(left, kept))
        self._train_scores = self.inner_.decision_function(left)

    def _judge(self) -> GaussianDiffusion:
        return GaussianDiffusion(per_position=self.per_position, false_alarm_rate=None, top=self.top, seed=self.seed)

    def _unseen_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        """Those of the closed form, whose items are what is left of the trusted ones without themselves."""
        return self.inner_.unseen_scores_

    def _training_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        return self._train_scores

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        return [
            scores
            for group in groups(items)
            for scores in self.inner_.token_scores(self._left(group, np.full(len(group), -1)))
        ]

    def _left(self, items: Sequence[Tokens], own: np.ndarray) -> list[Tokens]:
        """Items of standardised tokens less their reconstruction; `own` (N,) is each one's row in memory, or -1."""
        made = []
        for item, mine in zip(items, own.tolist()):
            standard = self._standard(item)
            if len(self._rows) and self._alike(item):
                mean = self._mean(self._axes(standard).reshape(1, -1), mine).reshape(len(standard), -1)
                standard = standard - self._back(mean)
            made.append(Tokens(standard, item.layout))
        return made

    def _mean(self, axes: np.ndarray, own: int) -> np.ndarray:
        """The exact denoiser's answer (1, L * k) for an item (1, L * k)."""
        squares = (axes**2).sum() + self._squares - 2.0 * (self._rows @ axes[0])
        squares = np.maximum(squares.astype(np.float64), 0.0)
        if own >= 0:
            squares[own] = np.inf
        near = np.argsort(squares, kind="stable")[: int(np.ceil(AROUND * self.effective))]
        weights = posterior_weights(squares[None, near], self.effective)
        return np.asarray(weights.astype(np.float32) @ self._rows[near])

    def _standard(self, item: Tokens) -> np.ndarray:
        return self.space_.standardise(item.values, item.layout.positions())

    def _axes(self, standard: np.ndarray) -> np.ndarray:
        basis = self.space_.basis
        return in_chunks(lambda part: part @ basis, standard, CHUNK) if basis.shape[1] else standard

    def _back(self, axes: np.ndarray) -> np.ndarray:
        basis = self.space_.basis
        return in_chunks(lambda part: part @ basis.T, axes, CHUNK) if basis.shape[1] else axes

    def _alike(self, item: Tokens) -> bool:
        return np.array_equal(item.layout.positions(), self.positions_)

    def _remember(self, memory: np.ndarray) -> None:
        self.memory_ = memory
        self._rows = memory.astype(np.float32)
        self._squares = (self._rows**2).sum(axis=1)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = self.inner_._state()
        own = {"memory": self.memory_, "positions": self.positions_}
        inner = {f"inner.{name}": array for name, array in arrays.items()}
        return {**self.space_.arrays(), **own, **inner}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        places = check_arrays(arrays, {"positions": "i L"})["L"]
        check_arrays(arrays, {"memory": f"h n {places * self.space_.width}"})
        self.positions_ = arrays["positions"]
        self._remember(arrays["memory"])
        self.inner_ = self._judge()
        self.inner_.n_features_in_ = self.n_features_in_
        inner = {name.removeprefix("inner."): a for name, a in arrays.items() if name.startswith("inner.")}
        self.inner_._set_state(inner, values)
