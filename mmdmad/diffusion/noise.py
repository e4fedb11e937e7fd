"""Noise: how much signal is left at each step, and how to add noise. Small pure functions over torch tensors.

Notation of the field: x_t = sqrt(a) x_0 + sqrt(1 - a) e with e ~ N(0, I), where a ("alpha bar") falls from 1 (clean)
to about 0 (noise). The same point seen without the shrinking is x_t / sqrt(a) = x_0 + s e with s^2 = (1 - a) / a.
"""

import math
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

from mmdmad.errors import ConfigError

Schedule = Literal["linear", "quadratic", "cosine", "vp"]
SCHEDULES: tuple[Schedule, ...] = ("linear", "quadratic", "cosine", "vp")
_IN_DIFFUSERS = {"linear": "linear", "quadratic": "scaled_linear", "cosine": "squaredcos_cap_v2"}


@lru_cache(maxsize=64)
def alphas_bar(schedule: Schedule = "linear", steps: int = 1000, beta: tuple[float, float] | None = None) -> Tensor:
    """Alpha bar after each of `steps` steps, float64 (steps,), falling.

    linear: Ho et al., DDPM, NeurIPS 2020, beta 1e-4 to 0.02. quadratic: linear in sqrt(beta), as CSDI. cosine: Nichol
    and Dhariwal, ICML 2021. vp: Song et al., ICLR 2021, continuous beta(t) = 0.1 + 19.9 t. `beta` gives other ends.
    The tensor is shared between callers: do not write into it.

    >>> [round(float(alphas_bar(name, 1000)[-1]), 6) for name in ("linear", "cosine", "vp")]
    [4e-05, 0.0, 4.3e-05]
    """
    if schedule not in SCHEDULES or steps < 1:
        raise ConfigError(f"schedule={schedule!r}, steps={steps} were given; allowed are {SCHEDULES} and steps >= 1")
    if schedule == "vp":
        low, high = beta or (0.1, 20.0)
        time = torch.arange(1, steps + 1, dtype=torch.float64) / steps
        return torch.exp(-(low * time + 0.5 * (high - low) * time**2))
    from diffusers import DDPMScheduler

    low, high = beta or (1e-4, 0.02)
    betas = DDPMScheduler(steps, beta_start=low, beta_end=high, beta_schedule=_IN_DIFFUSERS[schedule]).betas
    return torch.cumprod(1.0 - betas.double(), dim=0)


@lru_cache(maxsize=64)
def alpha_bars(schedule: Schedule, steps: int, beta: tuple[float, float] | None = None) -> tuple[float, ...]:
    """`alphas_bar` as plain numbers, for scores that walk along single levels.

    >>> alpha_bars("linear", 1000)[0] == float(alphas_bar("linear", 1000)[0])
    True
    """
    return tuple(alphas_bar(schedule, steps, beta).tolist())


def alpha_bar_at(time: Tensor, schedule: Literal["cosine", "vp"] = "cosine") -> Tensor:
    """Alpha bar at continuous times in [0, 1]: 1 at 0 (given), about 0 at 1 (pure noise).

    cosine: cos^2(pi t / 2) (Nichol and Dhariwal, ICML 2021, without the offset). vp: exp(-integral of beta), Song et
    al., ICLR 2021, eq. 33.

    >>> alpha_bar_at(torch.tensor([0.0, 0.5])).round(decimals=3).tolist()
    [1.0, 0.5]
    """
    if schedule == "cosine":
        return torch.cos(time * (math.pi / 2.0)) ** 2
    return torch.exp(-(0.1 * time + 0.5 * 19.9 * time**2))


def add_noise(clean: Tensor, noise: Tensor, alpha_bar: Tensor | float) -> Tensor:
    """x_t = sqrt(a) x_0 + sqrt(1 - a) e; `alpha_bar` a number or one value per row of `clean` (B, ...).

    >>> add_noise(torch.ones(1, 2), torch.zeros(1, 2), 0.25)
    tensor([[0.5000, 0.5000]])
    """
    a = rowwise(alpha_bar, clean)
    return a.sqrt() * clean + (1.0 - a).sqrt() * noise


def rowwise(value: Tensor | float, like: Tensor) -> Tensor:
    """A number or (B,) values, shaped to multiply `like` (B, ...) row by row, in its type.

    >>> rowwise(torch.ones(3), torch.zeros(3, 4, 5)).shape
    torch.Size([3, 1, 1])
    """
    tensor = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    return tensor.reshape(tensor.shape + (1,) * (like.ndim - tensor.ndim)) if tensor.ndim else tensor


def snr(alpha_bar: Tensor) -> Tensor:
    """Signal to noise ratio a / (1 - a) (Kingma et al., Variational Diffusion Models, NeurIPS 2021).

    >>> snr(torch.tensor([0.5, 0.75])).tolist()
    [1.0, 3.0]
    """
    return alpha_bar / (1.0 - alpha_bar)


def sigma(alpha_bar: Tensor) -> Tensor:
    """Noise standard deviation for unit signal, sqrt((1 - a) / a).

    >>> sigma(torch.tensor([0.5])).tolist()
    [1.0]
    """
    return ((1.0 - alpha_bar) / alpha_bar).sqrt()


def alpha_bar_of(sigmas: Tensor) -> Tensor:
    """The inverse of `sigma`: 1 / (1 + s^2).

    >>> alpha_bar_of(torch.tensor([1.0])).tolist()
    [0.5]
    """
    return 1.0 / (1.0 + sigmas**2)


def sigma_grid(
    low: float, high: float, count: int, kind: Literal["geometric", "linear", "karras"] = "geometric"
) -> Tensor:
    """`count` noise levels from `low` up to `high`, float64.

    geometric: Song and Ermon, NeurIPS 2019; linear: MULDE, CVPR 2024; karras: Karras et al., NeurIPS 2022, eq. 5 with
    rho = 7.

    >>> [round(value, 6) for value in sigma_grid(0.01, 1.0, 3).tolist()]
    [0.01, 0.1, 1.0]
    """
    unit = torch.linspace(0.0, 1.0, count, dtype=torch.float64)
    if kind == "geometric":
        return torch.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    if kind == "linear":
        return low + unit * (high - low)
    if kind == "karras":
        return (low ** (1 / 7) + unit * (high ** (1 / 7) - low ** (1 / 7))) ** 7
    raise ConfigError(f"kind={kind!r} was given; allowed are 'geometric', 'linear' and 'karras'")


def spaced_steps(last: int, count: int) -> list[int]:
    """About `count` steps from 0 up to `last`, evenly spaced, both ends in, ascending.

    >>> spaced_steps(100, 3)
    [0, 50, 100]
    """
    return list(_spaced(last, count))


@lru_cache(maxsize=64)
def _spaced(last: int, count: int) -> tuple[int, ...]:
    steps = torch.linspace(0, last, max(2, count), dtype=torch.float64)
    return tuple(sorted({round(step) for step in steps.tolist()}))


def noise_bank(count: int, shape: tuple[int, ...], seed: int) -> Tensor:
    """`count` fixed noise draws of one token set's shape, float32; indexed by noise level, never by row.

    Every item meets the same draws, so its score depends neither on its batch nor on its place in it. The tensor is
    shared between callers: do not write into it.

    >>> bool((noise_bank(2, (3,), seed=1) == noise_bank(2, (3,), seed=1)).all())
    True
    """
    return _bank(count, tuple(int(side) for side in shape), seed)


@lru_cache(maxsize=16)
def _bank(count: int, shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn((count, *shape), generator=torch.Generator().manual_seed(seed))
