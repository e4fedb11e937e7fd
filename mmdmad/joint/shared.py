"""Which directions of a part's vector have to do with the other parts: the joint network looks at these first.

A whitened vector holds many directions that are the part's own business (grain of a picture, wording of a text). They
carry nothing about how parts go together, but each costs the joint network data and its errors noise.
"""

from collections.abc import Sequence

import numpy as np

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
SHUFFLES = 5
MOST_ROWS = 1500  # kernels grow with the square of the cases; so many decide well enough


def kernel(part: np.ndarray) -> np.ndarray:
    """Linear plus additive Gaussian kernel (N, N) of whitened vectors (N, d); rows of NaN (missing) are zero to all.

    The Gaussian half, a mean over coordinates (Duvenaud et al., "Additive Gaussian processes", 2011), sees links that
    are not linear without drowning in the many coordinates that have nothing to do with them.
    """
    seen = np.isfinite(part).all(axis=1)
    x = np.where(seen[:, None], part, 0.0).astype(np.float64)
    bumps = np.zeros((len(x), len(x)))
    for column in x.T:
        bumps += np.exp(-0.5 * np.subtract.outer(column, column) ** 2)
    both = seen[:, None] & seen[None]
    return np.where(both, (x @ x.T + bumps) / x.shape[1], 0.0)


def shared_directions(own: np.ndarray, others: Sequence[np.ndarray], most: int, seed: int = 0) -> np.ndarray:
    """Orthonormal directions (d, k), k <= most, of `own` (N, d), whitened, that the other parts predict best.

    The other parts predict own vectors by kernel ridge regression; its leave-one-out predictions (closed form, Allen's
    PRESS; ridge by least error) share the covariance A with the truth, and the directions are the leading
    eigenvectors of A: an eigenvalue is the held-out share of variance that the others explain. Directions that are
    not above what shuffled cases give are left out (parallel analysis, Horn 1965), all but one: to miss a weak link
    costs more than one direction of noise. At least 2 stay.

    >>> rng = np.random.default_rng(0); a = rng.normal(size=(200, 3)); b = rng.normal(size=(200, 4))
    >>> b[:, 3] = a[:, 2] ** 2 - 1 + 0.1 * b[:, 3]
    >>> int(np.abs(shared_directions(b, [a], most=3)[:, 0]).argmax())
    3
    """
    usable = np.isfinite(own).all(axis=1) & np.any([np.isfinite(o).all(axis=1) for o in others], axis=0)
    rows = np.flatnonzero(usable)[:MOST_ROWS]
    y = own[rows].astype(np.float64)
    y = y - y.mean(axis=0)
    grams = np.sum([kernel(o[rows]) for o in others], axis=0)
    values, vectors = np.linalg.eigh(grams)
    held_out = [_held_out(np.maximum(values, 0.0), vectors, y, ridge) for ridge in RIDGES]
    best = int(np.argmin([((y - predicted) ** 2).sum() for predicted in held_out]))
    eigenvalues, directions = _shared(held_out[best], y)
    rng = np.random.default_rng(seed)
    chance = 0.0
    for _ in range(SHUFFLES):
        shuffled = y[rng.permutation(len(y))]
        predicted = _held_out(np.maximum(values, 0.0), vectors, shuffled, RIDGES[best])
        chance = max(chance, float(_shared(predicted, shuffled)[0][0]))
    kept = min(most, max(2, int((eigenvalues > chance).sum()) + 1), directions.shape[1])
    chosen = directions[:, :kept]
    return chosen * np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(kept)])


def _held_out(values: np.ndarray, vectors: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """Leave-one-out predictions (N, d) of y by kernel ridge regression, from the kernel's eigenvalues and -vectors."""
    shrink = values / (values + ridge * len(y))
    leverage = np.minimum((vectors**2) @ shrink, 1 - 1e-6)
    fitted: np.ndarray = vectors @ (shrink[:, None] * (vectors.T @ y))
    return y - (y - fitted) / (1 - leverage)[:, None]


def _shared(predicted: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Descending eigenvalues and eigenvectors of the covariance of held-out predictions and truth."""
    shared = predicted.T @ y / len(y)
    eigenvalues, directions = np.linalg.eigh((shared + shared.T) / 2)
    return eigenvalues[::-1], directions[:, ::-1]
