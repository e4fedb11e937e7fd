"""Targets that aim away from an anomaly: what a network learns to take off, instead of the noise that was put on.

Plain functions over planes (B, k, h, w); alpha bar a is a number or one value a row.
"""

import math

import torch
from torch import Tensor

from mmdmad.diffusion.noise import rowwise


def anomaly_oriented(
    normal: Tensor, anomalous: Tensor, noise: Tensor, alpha_bar: Tensor, share: Tensor
) -> tuple[Tensor, Tensor]:
    """A noised anomalous plane, and the noise prediction that leads from it to the normal one.

    Yao et al., GLAD, ECCV 2024: z_syn = s z_anomalous + (1 - s) z_normal, where `share` s (B,) is t / T;
    x_t = sqrt(a) z_syn + sqrt(1 - a) e; the target is the e* whose clean estimate is z_normal,
    e* = (x_t - sqrt(a) z_normal) / sqrt(1 - a).

    >>> x, e, a = torch.ones(1, 2), torch.zeros(1, 2), torch.tensor([0.36])
    >>> noisy, target = anomaly_oriented(x, 3 * x, e, a, torch.tensor([0.5]))
    >>> ((noisy - 0.8 * target) / 0.6).round(decimals=4).tolist()
    [[1.0, 1.0]]
    """
    a = rowwise(alpha_bar, normal)
    mixed = torch.lerp(normal, anomalous, rowwise(share, normal))
    noisy = a.sqrt() * mixed + (1.0 - a).sqrt() * noise
    return noisy, (noisy - a.sqrt() * normal) / (1.0 - a).sqrt()


def deviation(clean: Tensor, other: Tensor, kept: Tensor, alpha_bar: Tensor) -> tuple[Tensor, Tensor]:
    """A plane that deviates where it was not kept, and the deviation.

    Beizaee et al., DeCo-Diff, CVPR 2025: x_t = m x_0 + (1 - m) (sqrt(a) x_0 + sqrt(1 - a) n) and the target
    d = (1 - m) (n - (1 - sqrt(a)) / sqrt(1 - a) x_0), so that x_t = x_0 + sqrt(1 - a) d. n is `other`: Gaussian noise
    or shuffled pieces of the plane; m (B, 1, h, w) is `kept`.

    >>> x, n, a = torch.randn(1, 1, 2, 2), torch.randn(1, 1, 2, 2), torch.tensor([0.36])
    >>> here, d = deviation(x, n, torch.zeros(1, 1, 2, 2), a)
    >>> bool(torch.allclose(x + 0.8 * d, here, atol=1e-6))
    True
    """
    a = rowwise(alpha_bar, clean)
    target = (1.0 - kept) * (other - (1.0 - a.sqrt()) / (1.0 - a).sqrt() * clean)
    return clean + (1.0 - a).sqrt() * target, target


def patches(height: int, width: int, share: float, side: int, generator: torch.Generator) -> Tensor:
    """A bool mask (height, width) of squares of `side` cells, of which about `share` are chosen, at a random offset.

    >>> patches(4, 4, 1.0, 2, torch.Generator().manual_seed(0)).all().item()
    True
    """
    rows, columns = math.ceil(height / side) + 1, math.ceil(width / side) + 1
    chosen = torch.rand((rows, columns), generator=generator) < share
    down, across = (int(torch.randint(0, side, (1,), generator=generator)) for _ in range(2))
    large = chosen.repeat_interleave(side, 0).repeat_interleave(side, 1)
    return large[down : down + height, across : across + width]
