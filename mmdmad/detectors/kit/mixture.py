"""A Gaussian mixture over vectors of scale-wise statistics, as MSMA and MULDE end with, fitted by scikit-learn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from mmdmad.saved import check_arrays, require


@dataclass(frozen=True, eq=False)
class Mixture:
    """Standardisation, weights (n,), means (n, L) and Cholesky factors of the precisions (n, L, L)."""

    centre: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray, tried: Sequence[int], seed: int) -> Self:
        """Fit to vectors (M, L); of the numbers of components in `tried`, the lowest Bayesian criterion wins."""
        centre, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
        standard = (vectors - centre) / scale
        sizes = [n for n in tried if n * 10 <= len(standard)] or [1]
        fits = [GaussianMixture(n, reg_covar=1e-3, random_state=seed).fit(standard) for n in sizes]
        best = min(fits, key=lambda fit: fit.bic(standard))
        return cls(centre, scale, best.weights_, best.means_, np.asarray(best.precisions_cholesky_))

    def surprise(self, vectors: np.ndarray) -> np.ndarray:
        """Minus log-likelihood (M,) of standardised vectors (M, L), row by row in float64.

        >>> mixture = Mixture.fit(np.random.default_rng(0).normal(size=(200, 2)), tried=(1,), seed=0)
        >>> bool(np.diff(mixture.surprise(np.array([[0.0, 0.0], [5.0, 5.0]])))[0] > 10)
        True
        """
        standard, logs = (vectors - self.centre) / self.scale, []
        for weight, mean, factor in zip(self.weights, self.means, self.factors):
            squares = (np.einsum("ml,lk->mk", standard - mean, factor) ** 2).sum(axis=1)
            logs.append(np.log(weight) + np.log(np.diag(factor)).sum() - 0.5 * squares)
        return 0.5 * self.means.shape[1] * np.log(2 * np.pi) - np.logaddexp.reduce(np.stack(logs), axis=0)

    def surprise_of(self, vectors: Tensor) -> Tensor:
        """`surprise` in torch, float64 (M, L) to (M,), for graphs that are exported."""
        here = {name: torch.from_numpy(np.asarray(value, np.float64)) for name, value in vars(self).items()}
        gaps = ((vectors - here["centre"]) / here["scale"])[:, None] - here["means"]
        squares = (torch.einsum("mnl,nlk->mnk", gaps, here["factors"]) ** 2).sum(dim=2)
        volume = here["factors"].diagonal(dim1=1, dim2=2).log().sum(dim=1)
        logs = here["weights"].log() + volume - 0.5 * squares
        return 0.5 * self.means.shape[1] * math.log(2 * math.pi) - torch.logsumexp(logs, dim=1)

    def arrays(self) -> dict[str, np.ndarray]:
        """The fitted state as arrays, for safetensors."""
        return {f"mixture.{name}": value for name, value in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """The mixture that `arrays` gave; ModelError where it is none."""
        forms = {"centre": "f L", "scale": "f L", "weights": "f n", "means": "f n L", "factors": "f n L L"}
        check_arrays(arrays, {f"mixture.{name}": form for name, form in forms.items()})
        above = (arrays["mixture.scale"], arrays["mixture.weights"], np.diagonal(arrays["mixture.factors"], 0, 1, 2))
        require(all(len(one) and (one > 0).all() for one in above), "a scale, weight or factor is not above 0")
        return cls(*(arrays[f"mixture.{name}"] for name in ("centre", "scale", "weights", "means", "factors")))
