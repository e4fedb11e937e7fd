"""Imputation along a diffusion: which tokens are observed, and the reverse process that fills in the others.

Masks are bool (T, ...) over time steps, True = observed. Pairs of masks are complementary, so that each token is
imputed exactly once.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from mmdmad.diffusion.noise import add_noise
from mmdmad.diffusion.prediction import to_eps, to_x0


def grating(steps: int, group: int, blocks: int, checker: bool = False) -> np.ndarray:
    """Two complementary masks (2, steps * group): `steps` cut into `blocks` blocks, every other one observed.

    Chen et al., ImDiffusion, PVLDB 17(3), 2023, sec. 4.2. All `group` tokens of a time share its fate; with `checker`
    neighbours within a time alternate, so that one channel can also be read off another.

    >>> grating(4, 1, blocks=2).astype(int).tolist()
    [[0, 0, 1, 1], [1, 1, 0, 0]]
    """
    block = np.arange(steps) // max(1, round(steps / blocks))
    first = (block[:, None] + (np.arange(group) if checker else np.zeros(group, int))) % 2 == 1
    return np.stack([first.ravel(), ~first.ravel()])


def change(series: np.ndarray, span: int) -> np.ndarray:
    """How much the `span` steps after each step differ from the `span` before it, (T,) in [0, 1/2]; series (T, D).

    Density ratio of adjacent stretches, after Xiao et al., DiffAD, KDD 2023: 1/2 minus the mean over both stretches'
    points of p_other / (p_own + p_other), which is 1/2 where they are alike. Densities are Gaussian kernel estimates
    with each point itself left out and the stretches' median distance as width. Ends, without a stretch on one side,
    take the nearest value. span is at least 2.

    >>> int(change(np.array([0.0, 0.1, 0.0, 9.0, 9.1, 9.0])[:, None], span=2).argmax())
    3
    """
    steps = len(series)
    out = np.zeros(steps)
    if steps < 2 * span:
        return out
    squares = ((series[:, None] - series[None]) ** 2).sum(axis=2, dtype=np.float64)
    centres = range(span, steps - span + 1)
    first = np.arange(2 * span) < span
    for t in centres:
        near = squares[t - span : t + span, t - span : t + span]
        kernel = np.exp(-near / (np.median(near[~np.eye(2 * span, dtype=bool)]) + 1e-12))
        np.fill_diagonal(kernel, 0.0)
        before, after = kernel[:, first].sum(axis=1), kernel[:, ~first].sum(axis=1)
        own, other = np.where(first, before, after) / (span - 1), np.where(first, after, before) / span
        out[t] = max(0.0, 0.5 - float((other / (own + other + 1e-12)).mean()))
    out[: centres[0]], out[centres[-1] + 1 :] = out[centres[0]], out[centres[-1]]
    return out


def observed_by_change(series: np.ndarray, share: float, span: int = 4) -> np.ndarray:
    """DiffAD's choice of observed steps (T,) bool: about `share` of them, rarer where the series changes.

    Xiao et al., KDD 2023: the priority of a step is its distance d to the last observed one times the mean change
    over its own change, d CHG_avg / CHG; a step is observed once that exceeds the spacing 1 / share.

    >>> observed_by_change(np.zeros((20, 1)), share=0.2).nonzero()[0].tolist()
    [4, 9, 14, 19]
    """
    amount = change(series, span) + 0.05
    quiet, since = amount.mean() / amount, 0
    chosen = np.zeros(len(series), bool)
    for t in range(len(series)):
        since += 1
        if since * quiet[t] >= 1.0 / share:
            chosen[t], since = True, 0
    return chosen


def impute(
    velocity: Callable[[Tensor, float], Tensor],
    clean: Tensor,
    observed: Tensor,
    levels: Sequence[float],
    start: Tensor,
    noises: Sequence[Tensor],
    conditional: bool = False,
) -> list[Tensor]:
    """The tokens that the model believes in at each step of the reverse process, each (B, W, k).

    velocity(x, t): the network's v at time t; observed (B, W) bool; levels: falling times with their alpha bar
    cos^2(pi t / 2); start (W, k): noise the imputed tokens begin from. Unconditional, the paper's way: at each step
    the observed tokens enter noised to that step's level with `noises[step]`; conditional: they enter as they are.
    """
    given = observed[..., None]
    sample, beliefs = start.expand_as(clean), []
    for (here, there), noise in zip(pairwise([*levels, 0.0]), noises):
        a, b = (float(np.cos(np.pi / 2 * time) ** 2) for time in (here, there))
        known = clean if conditional else add_noise(clean, noise.expand_as(clean), a)
        noisy = torch.where(given, known, sample)
        v = velocity(noisy, here)
        belief = to_x0(v, noisy, a, "v")
        beliefs.append(belief)
        sample = add_noise(belief, to_eps(v, noisy, a, "v"), b)
    return beliefs
