"""Steppers: plain functions that walk a token set along the noise levels, each naming its paper.

`Eps` is a trained noise predictor eps(x_t, a) for one noise level a ("alpha bar", a float) shared by the batch. Paths
are sequences of alpha bars: falling towards noise, rising towards data. Nothing here draws random numbers; noise comes
in as tensors, so that a score depends on nothing else.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from mmdmad.diffusion.noise import add_noise

Eps = Callable[[Tensor, float], Tensor]


def ddim_step(
    noisy: Tensor, eps: Tensor, here: float, there: float, eta: float = 0.0, noise: Tensor | None = None
) -> Tensor:
    """One step between alpha bars, towards data or noise (Song et al., DDIM, ICLR 2021, eq. 12 and 16).

    eta = 0 is deterministic and works both ways; eta = 1 is ancestral DDPM and needs `noise`, towards data only.

    >>> x0, e = torch.tensor([2.0]), torch.tensor([1.0])
    >>> x = add_noise(x0, e, 0.25)
    >>> bool(torch.allclose(ddim_step(x, e, 0.25, 0.81), add_noise(x0, e, 0.81)))
    True
    """
    clean = (noisy - (1.0 - here) ** 0.5 * eps) / here**0.5
    spread = eta * ((1.0 - there) / (1.0 - here)) ** 0.5 * (1.0 - here / there) ** 0.5 if eta else 0.0
    moved = there**0.5 * clean + max(1.0 - there - spread**2, 0.0) ** 0.5 * eps
    if spread:
        if noise is None:
            raise ValueError("eta > 0 needs noise")
        moved = moved + spread * noise
    return moved


def walk(
    eps: Eps, start: Tensor, path: Sequence[float], eta: float = 0.0, noises: Sequence[Tensor] | None = None
) -> Tensor:
    """DDIM along a path of alpha bars that begins at `start`'s own; `noises` one per step when eta > 0."""
    here = start
    for step, (a, b) in enumerate(pairwise(path)):
        noise = noises[step] if noises is not None and eta else None
        here = ddim_step(here, eps(here, a), a, b, eta, noise)
    return here


def reconstruct(
    eps: Eps,
    clean: Tensor,
    path: Sequence[float],
    noise: Tensor,
    eta: float = 0.0,
    noises: Sequence[Tensor] | None = None,
) -> Tensor:
    """Partial noise, then denoise: what the model makes of a token noised to path[0] (AnoDDPM, CVPRW 2022).

    `path` rises from the chosen noise level to about 1; the steps are DDIM's (eta 0) or ancestral (eta 1).
    """
    return walk(eps, add_noise(clean, noise, path[0]), path, eta, noises)


def invert(eps: Eps, clean: Tensor, path: Sequence[float]) -> Tensor:
    """DDIM inversion: the noise a clean token comes from (Song et al., ICLR 2021, sec. 4.3; InvAD uses 3 steps).

    `path` falls from about 1 to the last noise level; the first network call sees the clean token at path[0].
    """
    return walk(eps, clean, path)


def ancestral(eps: Eps, start: Tensor, path: Sequence[float], noises: Sequence[Tensor]) -> Tensor:
    """DDPM ancestral sampling along a rising path (Ho et al., NeurIPS 2020, algorithm 2, posterior variance)."""
    return walk(eps, start, path, eta=1.0, noises=noises)


def _slope(eps: Eps, point: Tensor, sigma: float) -> Tensor:
    """dx/ds of the probability-flow ODE in x = x_t / sqrt(a), s = sqrt((1 - a) / a): the predicted noise itself."""
    return eps(point / (1.0 + sigma**2) ** 0.5, 1.0 / (1.0 + sigma**2))


def flow_ode(eps: Eps, start: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Heun's method on the probability-flow ODE (Karras et al., NeurIPS 2022, algorithm 1), either direction.

    `start` and the result are in unshrunk coordinates x_0 + s e at sigmas[0] and sigmas[-1].
    """
    point = start
    for s, t in pairwise(sigmas):
        slope = _slope(eps, point, s)
        ahead = point + (t - s) * slope
        point = point + (t - s) * 0.5 * (slope + _slope(eps, ahead, t)) if t > 0 else ahead
    return point


def flow_log_likelihood(eps: Eps, tokens: Tensor, sigmas: Sequence[float], probes: Tensor | None = None) -> Tensor:
    """log p of rows (B, D) in nats, by the change of variables along the probability-flow ODE (B,).

    Song et al., ICLR 2021, appendix D.2: log p(x) = log N(x_S; 0, (1 + S^2) I) + integral of the divergence from the
    lowest noise level to S = sigmas[-1], the data having about unit variance. Heun in log-spaced `sigmas`, ascending.
    `probes` (P, D) of signs: Hutchinson's estimate of the trace with these fixed probes; without: the exact trace,
    D network passes a step.
    """
    width = tokens.shape[1]
    weight = 1.0 if probes is None else 1.0 / len(probes)
    probes = torch.eye(width, dtype=tokens.dtype, device=tokens.device) if probes is None else probes.to(tokens)

    def slope_and_trace(point: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        trace = torch.zeros(len(point), dtype=point.dtype, device=point.device)
        slope = _slope(eps, point, sigma)
        for probe in probes:
            direction = probe.expand_as(point)
            change = torch.func.jvp(lambda p: _slope(eps, p, sigma), (point,), (direction,))[1]
            trace = trace + (change * direction).sum(dim=1) * weight
        return slope, trace

    point, total = tokens, torch.zeros(len(tokens), dtype=tokens.dtype, device=tokens.device)
    with torch.no_grad():
        for s, t in pairwise(sigmas):
            slope, trace = slope_and_trace(point, s)
            slope_ahead, trace_ahead = slope_and_trace(point + (t - s) * slope, t)
            point = point + (t - s) * 0.5 * (slope + slope_ahead)
            total = total + (t - s) * 0.5 * (trace + trace_ahead)
    variance = 1.0 + sigmas[-1] ** 2
    volume = torch.log(torch.tensor(2.0 * torch.pi * variance, device=tokens.device))
    prior = -0.5 * ((point**2).sum(dim=1) / variance + width * volume)
    return prior.to(total) + total
