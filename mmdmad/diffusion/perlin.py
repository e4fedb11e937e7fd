"""Perlin noise and the masks cut from it: where synthetic anomalies lie.

Perlin, "An image synthesizer", SIGGRAPH 1985, with the quintic fade of Perlin, SIGGRAPH 2002. Zavrtanik, Kristan,
Skocaj, DRAEM, ICCV 2021, cut anomaly masks from it by a threshold; DiffusionAD and TransFusion do the same.
"""

import math

import torch
from torch import Tensor


def perlin_noise(height: int, width: int, waves: tuple[float, float], generator: torch.Generator) -> Tensor:
    """One field (height, width), float32, with `waves` (down, across) lattice cells over its sides.

    Values have mean 0 and lie within about +-0.7; the lattice lies at a random offset, so small fields differ too.

    >>> perlin_noise(6, 8, (2.0, 4.0), torch.Generator().manual_seed(0)).shape
    torch.Size([6, 8])
    """
    offset = torch.rand(2, generator=generator)
    sides = [torch.arange(n) * (w / max(n, 1)) + o for n, w, o in zip((height, width), waves, offset)]
    lattice = tuple(int(side[-1]) + 2 for side in sides)
    angle = torch.rand(lattice, generator=generator) * (2.0 * math.pi)
    down, across = torch.meshgrid(*sides, indexing="ij")
    row, column = down.long(), across.long()
    y, x = down - row, across - column

    def corner(i: int, j: int) -> Tensor:
        turn = angle[row + i, column + j]
        return torch.sin(turn) * (y - i) + torch.cos(turn) * (x - j)

    v, u = (t**3 * (t * (6.0 * t - 15.0) + 10.0) for t in (y, x))
    upper = torch.lerp(corner(0, 0), corner(0, 1), u)
    lower = torch.lerp(corner(1, 0), corner(1, 1), u)
    return torch.lerp(upper, lower, v)


def perlin_mask(
    height: int, width: int, generator: torch.Generator, share: tuple[float, float] = (0.02, 0.3), thin: float = 0.5
) -> Tensor:
    """A bool mask (height, width) that covers a random share of the cells, at least one.

    The waves over each side are 2^0 to 2^5 as in DRAEM, at most one every two cells. Blobs are where the noise is
    highest; with probability `thin` the mask is where it crosses zero, which gives curved lines: blobs alone would
    never teach a network what a crack or a scratch looks like.

    >>> mask = perlin_mask(8, 8, torch.Generator().manual_seed(0))
    >>> mask.dtype, bool(mask.any()), bool(mask.all())
    (torch.bool, True, False)
    """
    most = [min(5.0, math.log2(max(side / 2.0, 1.0))) for side in (height, width)]
    draws = torch.rand(5, generator=generator).tolist()
    waves = (2.0 ** (draws[0] * most[0]), 2.0 ** (draws[1] * most[1]))
    noise = perlin_noise(height, width, waves, generator)
    wanted = share[0] * (share[1] / share[0]) ** draws[2]  # small ones as often as large ones
    if draws[3] < thin:
        # A line through the whole field is rarer than a piece of one: a second field decides where it is seen.
        window = perlin_noise(height, width, (1.0, 1.0), generator)
        inside = window >= window.flatten().quantile(draws[4] * 0.8)
        depth = torch.where(inside, -noise.abs(), torch.full_like(noise, -torch.inf))
        wanted *= 0.5
    else:
        depth = noise
    count = min(max(1, round(wanted * noise.numel())), int(torch.isfinite(depth).sum()))
    chosen = torch.zeros(noise.numel(), dtype=torch.bool)
    chosen[depth.flatten().argsort(descending=True)[:count]] = True
    return chosen.reshape(height, width)
