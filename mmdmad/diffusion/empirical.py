"""The exact denoiser of a finite training set, which needs no network: a softmax over its points."""

import numpy as np

HALVINGS = 50


def posterior_weights(squares: np.ndarray, effective: float) -> np.ndarray:
    """Posterior weights of training points, at the noise level where `effective` of them count.

    A point y_j of a finite set, noised to level s, was y_j with probability w_j = softmax_j(-|x - y_j|^2 / (2 s^2)),
    and the best denoiser is sum_j w_j y_j (Karras et al., "Elucidating the Design Space of Diffusion-Based Generative
    Models", NeurIPS 2022, appendix B.3). Distances grow with the number of features and differ from point to point, so
    s is not given but found for each x by halving an interval, such that 1 / sum_j w_j^2 is `effective`; Hinton and
    Roweis ("Stochastic Neighbor Embedding", NIPS 2002) choose their widths in this way, by the entropy.

    squares (M, K): squared distances; infinite for points that do not count. Returns (M, K) float64, rows summing to
    1; uniform over all points where there are no more than `effective`.

    >>> posterior_weights(np.array([[1.0, 2.0, 9.0]]), effective=1.0).round(3)
    array([[1., 0., 0.]])
    >>> posterior_weights(np.array([[1.0, 1.0, np.inf]]), effective=5.0)
    array([[0.5, 0.5, 0. ]])
    """
    there = np.isfinite(squares)
    above = np.where(there, squares, np.inf) - squares.min(axis=1, keepdims=True)
    usual = np.maximum(np.max(above, axis=1, initial=0.0, where=there), np.finfo(np.float64).tiny)
    low, high = np.full(len(squares), np.log(1e-9)), np.full(len(squares), np.log(1e9))

    def weights(level: np.ndarray) -> np.ndarray:
        with np.errstate(under="ignore"):
            raw = np.exp(-above / (usual * np.exp(level))[:, None])
        return np.asarray(raw / raw.sum(axis=1, keepdims=True))

    for _ in range(HALVINGS):
        middle = (low + high) / 2
        few = 1.0 / (weights(middle) ** 2).sum(axis=1) < effective
        low, high = np.where(few, middle, low), np.where(few, high, middle)
    return weights((low + high) / 2)
