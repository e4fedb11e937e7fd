"""Guidance of a reverse process towards a given grid: plain functions over tensors (B, k, h, w)."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor

from mmdmad.diffusion.noise import add_noise
from mmdmad.diffusion.steppers import Eps, ddim_step


def guide(eps: Tensor, noisy: Tensor, towards: Tensor, alpha_bar: float, weight: float) -> Tensor:
    """Noise prediction moved so that the clean estimate comes nearer to `towards`.

    Mousakhan, Brox, Tayyub, DDAD, 2023: y_t = sqrt(a) y + sqrt(1 - a) e and e^ = e - sqrt(1 - a) w (y_t -
    x_t). The clean estimate becomes x^_0 + (1 - a) w (y - x^_0). Zhang et al., DiffusionAD, 2023, use the same rule
    with a noisier estimate as y.

    >>> import torch
    >>> e = guide(torch.zeros(1), torch.zeros(1), torch.ones(1), 0.25, 2.0)
    >>> round(float((0.0 - 0.75**0.5 * e) / 0.25**0.5), 4)
    1.5
    """
    if not weight:
        return eps
    there = add_noise(towards, eps, alpha_bar)
    return eps - (1.0 - alpha_bar) ** 0.5 * weight * (there - noisy)


def guided_walk(
    eps: Eps,
    start: Tensor,
    towards: Tensor,
    path: Sequence[float],
    weight: float,
    eta: float = 0.0,
    noises: Sequence[Tensor] | None = None,
) -> Tensor:
    """DDIM along a rising path of alpha bars with `guide` at each step (DDAD); weight 0 is plain DDIM."""
    here = start
    for step, (a, b) in enumerate(pairwise(path)):
        moved = guide(eps(here, a), here, towards, a, weight)
        here = ddim_step(here, moved, a, b, eta, noises[step] if noises is not None and eta else None)
    return here


def one_step(eps: Eps, clean: Tensor, noise: Tensor, near: float, far: float, weight: float) -> Tensor:
    """Noise to norm in one step, guided by a noisier estimate (Zhang et al., DiffusionAD, 2023).

    The estimate from the noisier level (alpha bar `far`) has lost anomalies and details, the one from the lesser level
    `near` has kept both; the second is moved towards the first.

    >>> import torch
    >>> x, e = torch.randn(2, 1, 4, 4), torch.randn(1, 1, 4, 4)
    >>> bool(torch.allclose(one_step(lambda noisy, a: e.expand_as(noisy), x, e, 0.9, 0.4, 1.0), x, atol=1e-5))
    True
    """
    noise = noise.expand_as(clean)
    farther, nearer = add_noise(clean, noise, far), add_noise(clean, noise, near)
    norm = (farther - (1.0 - far) ** 0.5 * eps(farther, far)) / far**0.5
    moved = guide(eps(nearer, near), nearer, norm, near, weight)
    return (nearer - (1.0 - near) ** 0.5 * moved) / near**0.5
