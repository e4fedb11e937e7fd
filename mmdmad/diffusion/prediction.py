"""What a network predicts, and how each prediction gives the others.

With a = alpha bar, x_t = sqrt(a) x_0 + sqrt(1 - a) e and v = sqrt(a) e - sqrt(1 - a) x_0 (Salimans and Ho, ICLR 2022).
"""

from typing import Literal

from torch import Tensor

from mmdmad.diffusion.noise import rowwise

Prediction = Literal["eps", "x0", "v"]


def target(kind: Prediction, clean: Tensor, noise: Tensor, alpha_bar: Tensor | float) -> Tensor:
    """What the network should output for this clean token and this noise.

    >>> import torch
    >>> target("v", torch.ones(1, 1), torch.zeros(1, 1), 0.0)
    tensor([[-1.]])
    """
    if kind == "eps":
        return noise
    if kind == "x0":
        return clean
    a = rowwise(alpha_bar, clean)
    return a.sqrt() * noise - (1.0 - a).sqrt() * clean


def to_eps(output: Tensor, noisy: Tensor, alpha_bar: Tensor | float, kind: Prediction) -> Tensor:
    """The noise e that an output stands for (a < 1)."""
    if kind == "eps":
        return output
    a = rowwise(alpha_bar, noisy)
    if kind == "x0":
        return (noisy - a.sqrt() * output) / (1.0 - a).sqrt()
    return (1.0 - a).sqrt() * noisy + a.sqrt() * output


def to_x0(output: Tensor, noisy: Tensor, alpha_bar: Tensor | float, kind: Prediction) -> Tensor:
    """The clean token x_0 that an output stands for (a > 0)."""
    if kind == "x0":
        return output
    a = rowwise(alpha_bar, noisy)
    if kind == "eps":
        return (noisy - (1.0 - a).sqrt() * output) / a.sqrt()
    return a.sqrt() * noisy - (1.0 - a).sqrt() * output


def to_v(output: Tensor, noisy: Tensor, alpha_bar: Tensor | float, kind: Prediction) -> Tensor:
    """The velocity v that an output stands for."""
    if kind == "v":
        return output
    a = rowwise(alpha_bar, noisy)
    clean, noise = to_x0(output, noisy, alpha_bar, kind), to_eps(output, noisy, alpha_bar, kind)
    return a.sqrt() * noise - (1.0 - a).sqrt() * clean


def to_score(output: Tensor, noisy: Tensor, alpha_bar: Tensor | float, kind: Prediction) -> Tensor:
    """The score, gradient of log p(x_t): -e / sqrt(1 - a) (Song et al., ICLR 2021)."""
    return -to_eps(output, noisy, alpha_bar, kind) / (1.0 - rowwise(alpha_bar, noisy)).sqrt()
