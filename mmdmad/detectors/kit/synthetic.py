"""Synthetic anomalies on grids of tokens, for networks that learn to tell them from normal.

Zhang et al., DiffusionAD, 2023, and Zavrtanik et al., DRAEM, ICCV 2021, paste textures or shuffled patches into
pictures inside a Perlin mask. Here the same is done to planes of standardised tokens of any width, pixels or features:
the texture is a piece of another plane, taken from elsewhere in it. On features this matters more than it seems:
a token that is normal somewhere else is changed in the way real things change tokens, random directions are not.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.diffusion.perlin import perlin_mask

WEIGHT = (0.1, 1.0)  # of the pasted tokens
SHARE = 0.5  # of the planes that hold an anomaly, as in DiffusionAD
NEAR = 2  # cells: half of the pieces come from no further away, which is the harder half


@dataclass(frozen=True, eq=False)
class Mover:
    """Tokens of one position as they would be standardised (and whitened) at another.

    mean, scale (P + 1, D) and basis (D, k) are those of a FeatureSpace, in units of the last row; deviation (k,) is
    what the axes were divided by, and `usual` the length of what is left out that counts as 1.
    """

    mean: Tensor
    scale: Tensor
    basis: Tensor
    deviation: Tensor
    usual: float

    @classmethod
    def of(cls, space: FeatureSpace) -> "Mover":
        """The mover of a fitted space."""
        deviation = torch.from_numpy(space.variance + space.rest).float().sqrt()
        usual = max(space.rest * space.left_out, 1e-12) ** 0.5
        # Around the mean of all, in which a large offset costs float32 no digits.
        gaps = (space.mean - space.mean[-1]) / space.scale[-1]
        ratio = space.scale / space.scale[-1]
        mean, scale, basis = (torch.from_numpy(part).float() for part in (gaps, ratio, space.basis))
        return cls(mean, scale, basis, deviation, usual)

    def __call__(self, tokens: Tensor, here: Tensor, there: Tensor) -> Tensor:
        """Tokens (n, k) that lie at rows `here` (n,), as if they lay at rows `there` (n,)."""
        if len(self.mean) == 1:
            return tokens
        if not self.basis.shape[1]:
            return (tokens * self.scale[here] + self.mean[here] - self.mean[there]) / self.scale[there]
        # What lies outside the axes is not known token by token; its length is taken along.
        values = (tokens[:, :-1] * self.deviation) @ self.basis.T
        values = (values * self.scale[here] + self.mean[here] - self.mean[there]) / self.scale[there]
        axes = values @ self.basis
        outside = (values.square().sum(dim=1) - axes.square().sum(dim=1)).clamp(min=0.0)
        length = (outside + ((tokens[:, -1] + 1.0).clamp(min=0.0) * self.usual) ** 2).sqrt()
        return torch.cat([axes / self.deviation, (length / self.usual - 1.0)[:, None]], dim=1)


def synthesise(
    planes: Tensor, known: Tensor, place: Tensor, mover: Mover, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Planes (B, k, h, w) of which about half hold an anomaly, and where: float (B, 1, h, w), 1 = anomalous.

    known and place (B, 1, h, w): 0 where a plane was padded; the row of each cell's position. Inside a Perlin mask a
    token x becomes sqrt(1 - b^2) x + b (s + n e): s a token of another plane of the batch (its own where there is
    one), near or far from the place, b log-uniform so that weak anomalies are as many as strong ones, e white noise
    and n uniform in [0, 1]. The square root keeps the length: a plain mean of two normal tokens is shorter than both,
    and a network would learn that anomalies are short. Drawn on the CPU.

    >>> generator, space = torch.Generator().manual_seed(0), FeatureSpace(*[__import__("numpy").ones((1, 2))] * 5, 0.0)
    >>> changed, mask = synthesise(*(torch.zeros(4, n, 8, 8) + (n == 1) for n in (2, 1, 1)), Mover.of(space), generator)
    >>> changed.shape, mask.shape, bool((changed[mask.expand_as(changed) == 0] == 0).all())
    (torch.Size([4, 2, 8, 8]), torch.Size([4, 1, 8, 8]), True)
    """
    changed, mask = planes.clone(), torch.zeros_like(known)
    sizes = [(int(one[0].any(dim=1).sum()), int(one[0].any(dim=0).sum())) for one in known]
    low, high = WEIGHT
    for i, (odd, reach, strength, rough) in enumerate(torch.rand((len(planes), 4), generator=generator).tolist()):
        if odd >= SHARE:
            continue
        inside = perlin_mask(*sizes[i], generator)
        row, column = inside.nonzero(as_tuple=True)
        other = (i + int(torch.randint(1, max(2, len(planes)), (1,), generator=generator))) % len(planes)
        height, width = sizes[other]
        way = [_way(side, reach < 0.5, generator) for side in (height, width)]
        from_row, from_column = (row + way[0]) % height, (column + way[1]) % width
        piece = mover(
            planes[other, :, from_row, from_column].T,
            place[other, 0, from_row, from_column].long(),
            place[i, 0, row, column].long(),
        )
        piece = piece + rough * torch.randn(piece.shape, generator=generator)
        weight = low * (high / low) ** strength
        old = planes[i, :, row, column].T
        changed[i, :, row, column] = ((1.0 - weight**2) ** 0.5 * old + weight * piece).T
        mask[i, 0, row, column] = 1.0
    return changed, mask


def _way(side: int, near: bool, generator: torch.Generator) -> int:
    """How far along one side a piece is moved."""
    low, high = (-NEAR, NEAR + 1) if near else (0, side)
    return int(torch.randint(low, high, (1,), generator=generator))
