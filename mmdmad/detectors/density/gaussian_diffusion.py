"""Gaussian diffusion in closed form: the exact diffusion model of a Gaussian, no network, no training loop.

If normal tokens follow N(m, S), a token noised to level s follows N(m, S + s^2 I), whose score is known exactly
(Song et al., "Score-Based Generative Modeling through SDEs", ICLR 2021, for the noise process):

    score(x, s) = -(S + s^2 I)^-1 (x - m)

Two scoring rules average over a geometric grid of noise levels s:

    energy      (x - m)^T (S + s^2 I)^-1 (x - m)        minus twice the noised log-density, up to its constant
    score-norm  s^2 |score(x, s)|^2                     the squared norms of MSMA (Mahmood et al., ICLR 2021)

Both are quadratic forms, so the whole grid folds into one matrix per Gaussian and a token costs one product. Axes that
were left out enter as one isotropic block of their mean variance, and the score is divided by D.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import Rows, as_rows, owners, positions, some
from mmdmad.detectors.kit.chunks import by_value, groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace, modelled_apart
from mmdmad.detectors.kit.tails import apart_by_tails
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens

CHUNK = 32
SHRINKAGE = (0.01, 0.03, 0.1, 0.3, 1.0)
FLOOR = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)


def level_weights(variance: np.ndarray, sigmas: np.ndarray, rule: str) -> np.ndarray:
    """Weight of each principal axis' square in the score, averaged over noise levels.

    variance (k,) along the axes, sigmas (n,) noise standard deviations in the same units; returns (k,) float64.

    >>> level_weights(np.array([1.0]), np.array([1.0]), "energy")
    array([0.5])
    """
    total = variance[:, None] + sigmas[None] ** 2
    each = 1.0 / total if rule == "energy" else sigmas[None] ** 2 / total**2
    return each.mean(axis=1)


@dataclass(frozen=True)
class Floor:
    """What held-out likelihood chose: the lowest noise variance and the shrinkage towards the pooled covariance."""

    noise: float
    shrinkage: float


@detector(
    About(
        "gaussian-diffusion",
        "density",
        "Song et al., ICLR 2021 (closed form for a Gaussian); scoring as MSMA",
        "instant",
        branch="score function",
        formula="mean over s of (x - m)^T (S + s^2 I)^-1 (x - m) / D",
        use="The first choice for sensor windows and, beneath heteroscedastic, for aligned pictures: closed form, one "
        "product a token, nothing to train.",
        avoid="Normal of several clusters or on a curve: one Gaussian a position covers the space between.",
        fidelity="idea",
        differs="The closed form for one Gaussian a position; taking the mean of its energies over noise levels, "
        "and its floor and shrinkage by held-out likelihood, is this library's.",
    )
)
class GaussianDiffusion(Detector):
    """The exact score of a Gaussian, summed over noise levels; one Gaussian a position where the layout has positions.

    rule: "energy" or "score-norm". levels: noise levels between the floor and `sigma_max` (in standard deviations of
    a feature). floor and shrinkage: the lowest noise variance and the weight of the pooled covariance in a position's
    own one; "auto" takes the pair with the highest likelihood on held-out training items, so no label is needed.
    components: principal axes kept ("auto": 128 with positions, 512 without); the rest counts as one isotropic block.
    per_position: model each position apart ("auto": where each has at least 8 training tokens; "held-out": where
    "auto" would, unless the highest scores of held-out training items are then much higher than with one model for
    all, see `mmdmad.detectors.kit.tails`).

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = GaussianDiffusion().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        rule: Literal["energy", "score-norm"] = "energy",
        levels: int = 10,
        sigma_max: float = 1.0,
        floor: float | Literal["auto"] = "auto",
        shrinkage: float | Literal["auto"] = "auto",
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto", "held-out"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.rule, self.levels, self.sigma_max = rule, levels, sigma_max
        self.floor, self.shrinkage = floor, shrinkage
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.rule not in ("energy", "score-norm"):
            raise ConfigError(f"rule={self.rule!r} was given; allowed are 'energy' and 'score-norm'")
        if self.levels < 1 or self.sigma_max <= 0:
            raise ConfigError(f"levels={self.levels}, sigma_max={self.sigma_max} were given; both must be positive")

    def _fit(self, items: Sequence[Tokens]) -> None:
        self._apart = self._where_apart(items)
        self._fit_once(items)
        for _ in range(2 if self.contamination > 0 else 0):
            scores = self._pooled(self._score(items))
            keep = np.sort(np.argsort(scores, kind="stable")[: max(2, round(len(items) * (1 - self.contamination)))])
            self._fit_once(some(items, keep))

    def _where_apart(self, items: Sequence[Tokens]) -> bool | Literal["auto"]:
        """`per_position`, with "held-out" decided on these items."""
        if self.per_position != "held-out":
            return self.per_position
        given = {**self.get_params(), "false_alarm_rate": None}
        return modelled_apart(items, "auto") and apart_by_tails(
            lambda apart: type(self)(**{**given, "per_position": apart}), items
        )

    def _fit_once(self, items: Sequence[Tokens]) -> None:
        many = len(np.unique(positions(items))) > 1
        components = (128 if many and self._apart else 512) if self.components == "auto" else self.components
        self.space_ = FeatureSpace.fit(items, components, self._apart)
        axes, _ = self.space_.transform_all(items)
        owner = owners(items)
        row = self.space_.index(positions(items))
        moments = _Moments(axes, row, len(self.space_.positions))
        self.floor_ = self._choose(axes, row, owner)
        sigmas = np.geomspace(np.sqrt(self.floor_.noise), max(self.sigma_max, np.sqrt(self.floor_.noise)), self.levels)
        centres, factors = [], []
        for p in range(len(self.space_.positions) + 1):
            mean, covariance = moments.of(p, self.floor_.shrinkage)
            variance, vectors = np.linalg.eigh(covariance)
            weights = level_weights(np.maximum(variance, 0.0), sigmas, self.rule)
            centres.append(mean)
            factors.append(vectors * np.sqrt(weights))
        self.centre_ = np.stack(centres).astype(np.float32)
        self.factor_ = np.stack(factors).astype(np.float32)
        self.rest_weight_ = float(level_weights(np.array([self.space_.rest]), sigmas, self.rule)[0])

    def _settled(self) -> dict[str, Any]:
        chosen = {"floor": self.floor_.noise, "shrinkage": self.floor_.shrinkage}
        return {**chosen, "per_position": bool(len(self.space_.positions))}

    def _choose(self, axes: np.ndarray, row: np.ndarray, owner: np.ndarray) -> Floor:
        """Noise floor and shrinkage with the highest likelihood on a quarter of the items, held out."""
        positions = len(self.space_.positions)
        floors = FLOOR if self.floor == "auto" else (float(self.floor),)
        shrinkages = SHRINKAGE if self.shrinkage == "auto" else (float(self.shrinkage),)
        shrinkages = shrinkages if positions else shrinkages[:1]
        if len(floors) * len(shrinkages) == 1:
            return Floor(floors[0], shrinkages[0])
        rng = np.random.default_rng(self.seed)
        held_out = rng.permutation(owner.max() + 1)[: max(1, (owner.max() + 1) // 4)]
        held = np.isin(owner, held_out)
        moments = _Moments(axes[~held], row[~held], positions)
        probe = np.unique(rng.permutation(positions)[:12]) if positions else np.array([0])
        total = np.zeros((len(shrinkages), len(floors)))
        for p in probe:
            here = axes[held & (row == p)].astype(np.float64)[:4096]
            for a, shrinkage in enumerate(shrinkages):
                mean, covariance = moments.of(int(p), shrinkage)
                variance, vectors = np.linalg.eigh(covariance)
                squares = ((here - mean) @ vectors) ** 2
                for f, noise in enumerate(floors):
                    scale = np.maximum(variance, 0.0) + noise
                    total[a, f] -= 0.5 * (squares / scale + np.log(scale)).sum()
        best = divmod(int(total.argmax()), len(floors))
        return Floor(float(floors[best[1]]), float(shrinkages[best[0]]))

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            rows = as_rows(group)
            scores.extend(rows.split(self._score_rows(rows)))
        return scores

    def _score_rows(self, rows: Rows) -> np.ndarray:
        axes, residual = self.space_.transform(rows.values, rows.position)
        scores = np.empty(len(axes))
        for p, index in by_value(self.space_.index(rows.position)):
            form = partial(_quadratic_form, centre=self.centre_[p], factor=self.factor_[p])
            scores[index] = in_chunks(form, axes[index], CHUNK)
        return (scores + self.rest_weight_ * residual) / self.n_features_in_

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays = {**self.space_.arrays(), "centre": self.centre_, "factor": self.factor_}
        return arrays, {
            "rest_weight": self.rest_weight_,
            "noise": self.floor_.noise,
            "shrinkage": self.floor_.shrinkage,
        }

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        check_arrays(arrays, {"centre": "f R k", "factor": "f R k f"}, R=len(self.space_.mean), k=self.space_.width)
        self.centre_, self.factor_ = arrays["centre"], arrays["factor"]
        self.rest_weight_ = float(values["rest_weight"])
        self.floor_ = Floor(float(values["noise"]), float(values["shrinkage"]))
        require(self.rest_weight_ >= 0 and self.floor_.noise > 0, "the weight of the rest or the noise is out of range")
        require(0 <= self.floor_.shrinkage <= 1, "the shrinkage is not between 0 and 1")


def _quadratic_form(axes: np.ndarray, centre: np.ndarray, factor: np.ndarray) -> np.ndarray:
    return (((axes - centre) @ factor) ** 2).sum(axis=1)


class _Moments:
    """Mean and covariance of the axes: one position's own, shrunk towards all positions' pooled one."""

    def __init__(self, axes: np.ndarray, row: np.ndarray, positions: int) -> None:
        self._axes, self._row, self._positions = axes, row, positions
        self._where = dict(by_value(row))
        self._mean = axes.mean(axis=0, dtype=np.float64)
        total = np.zeros((axes.shape[1], axes.shape[1]))
        for start in range(0, len(axes), 65536):
            part = axes[start : start + 65536] - self._mean.astype(np.float32)
            total += part.T @ part
        self._pooled = total / len(axes)

    def of(self, p: int, shrinkage: float) -> tuple[np.ndarray, np.ndarray]:
        """Mean (k,) and covariance (k, k) for row p; the pooled ones for the last row."""
        if p >= self._positions or p not in self._where:
            return self._mean, self._pooled
        here = self._axes[self._where[p]]
        mean = here.mean(axis=0, dtype=np.float64)
        centred = here - mean.astype(np.float32)
        own = (centred.T @ centred).astype(np.float64) / max(1, len(here) - 1)
        return mean, (1.0 - shrinkage) * own + shrinkage * self._pooled
