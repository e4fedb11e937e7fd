"""Vectors for the joint model: what a part's tokens say as a whole, whitened and short."""

import numpy as np

from mmdmad.errors import DataError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens, varies


def part_vector(tokens: Tokens) -> np.ndarray:
    """One float32 vector for a part: the embedding, and for series mean and spread of the tokens of each channel.

    A sensor's tokens belong to named channels, and which regime a machine runs in is a matter of levels per channel;
    the mean over all channels would blur it. Pictures, clips and texts are described by embedding and token spread.

    >>> part_vector(Tokens(np.ones((1, 3)))).shape
    (6,)
    """
    layout = tokens.layout
    if layout.kind == "steps" and layout.position is not None:
        positions = layout.positions()
        groups = [tokens.values[positions == p] for p in np.unique(positions)]
        pooled = [np.concatenate([g.mean(axis=0), g.std(axis=0)]) for g in groups]
        return np.concatenate([tokens.embedding(), *pooled]).astype(np.float32)
    return np.concatenate([tokens.embedding(), tokens.values.std(axis=0)]).astype(np.float32)


def moving(vectors: np.ndarray) -> np.ndarray:
    """Which features of part vectors (N, E) move by more than the rounding of their encoder, bool (E,).

    The features share a unit, and a spread of tokens that are all alike is rounding at the level of the tokens, not at
    its own; so a feature is held against its own level and the usual one. What hardly moves carries no information,
    and has no scale to judge a change by.

    >>> moving(1e-9 * np.array([[1.0, 2.0, 0.0], [3.0, 2.0, 0.0]])).tolist()
    [True, False, False]
    """
    x = np.asarray(vectors, np.float64)
    usual = np.sqrt((x**2).mean(axis=0)).mean()
    level = np.maximum(np.abs(x.mean(axis=0)), usual)
    return varies(x.std(axis=0), level, float(np.finfo(np.float32).eps))


class Whitener:
    """Standardises vectors, keeps the leading principal components and gives each unit variance.

    Components that carry less than `floor` of the largest variance are dropped: whitening would blow up their noise.
    Whitened values are clipped at `limit` standard deviations, so that one broken part cannot drive the joint network
    far from what it has seen.

    >>> data = np.random.default_rng(0).normal(size=(50, 6)) @ np.diag([3, 2, 1, 1, 1, 0])
    >>> Whitener(dims=4).fit(data).transform(data).std(axis=0).round(1)
    array([1., 1., 1., 1.], dtype=float32)
    """

    def __init__(self, dims: int = 12, floor: float = 1e-3, limit: float = 6.0) -> None:
        self.dims, self.floor, self.limit = dims, floor, limit

    def fit(self, vectors: np.ndarray) -> "Whitener":
        """Learn centre, scale and components from vectors (N, E)."""
        x = np.asarray(vectors, np.float64)
        if x.ndim != 2 or len(x) < 2:
            raise DataError(f"vectors of shape {x.shape} were given; at least two rows (N, E) are needed")
        self.mean_ = x.mean(axis=0)
        moves = moving(x)
        self.scale_ = np.divide(1.0, x.std(axis=0), out=np.zeros(x.shape[1]), where=moves)
        _, singular, rows = np.linalg.svd((x - self.mean_) * self.scale_, full_matrices=False)
        variance = singular**2 / max(1, len(x) - 1)
        kept = int(np.sum(variance > self.floor * max(float(variance[0]), 1e-12)))
        kept = max(1, min(kept, self.dims, len(x) - 1))
        rows = rows[:kept]
        # The sign of a singular vector is arbitrary; fix it, so that every machine gets the same vectors.
        rows *= np.sign(rows[np.arange(kept), np.abs(rows).argmax(axis=1)])[:, None]
        self.components_ = rows / np.sqrt(np.maximum(variance[:kept], 1e-12))[:, None]
        return self

    def transform(self, vectors: np.ndarray) -> np.ndarray:
        """Whitened float32 vectors (N, d), d <= dims; a row of NaN (missing part) stays NaN."""
        x = np.asarray(vectors, np.float64)
        if x.shape[-1] != len(self.mean_):
            raise DataError(f"vectors of width {x.shape[-1]} were given; {len(self.mean_)} is what was learned")
        # einsum keeps each row's sum independent of how many rows are in the batch.
        white = np.einsum("ne,de->nd", (x - self.mean_) * self.scale_, self.components_)
        return np.clip(white, -self.limit, self.limit).astype(np.float32)

    def rotate(self, directions: np.ndarray) -> "Whitener":
        """Keep only these orthonormal directions (d, k) of the whitened vectors; they stay white."""
        self.components_ = directions.T @ self.components_
        return self

    def state(self) -> dict[str, np.ndarray]:
        """What was learned, as arrays."""
        return {"mean": self.mean_, "scale": self.scale_, "components": self.components_}

    def set_state(self, arrays: dict[str, np.ndarray]) -> "Whitener":
        """Restore what `state` gave; ModelError where it is nothing that `fit` can have learned."""
        check_arrays(arrays, {"mean": "f E", "scale": "f E", "components": "f d E"})
        require((arrays["scale"] >= 0).all(), "scale holds a number below 0")
        require(np.abs(arrays["components"]).max(axis=1, initial=0).all(), "components holds a direction of zeros")
        self.mean_, self.scale_, self.components_ = arrays["mean"], arrays["scale"], arrays["components"]
        return self
