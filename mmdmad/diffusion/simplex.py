"""Simplex noise: smooth random fields whose coarse structure is stronger than white noise's.

Perlin, "Noise hardware", SIGGRAPH course 2001; the gradient-and-skew construction in two dimensions. AnoDDPM (Wyatt et
al., CVPRW 2022) adds octaves of it: octave n has twice the frequency and `persistence` times the amplitude
of the one before, which gives a spectrum that falls with frequency as that of natural pictures does.
"""

import math

import torch
from torch import Tensor

SKEW = (math.sqrt(3.0) - 1.0) / 2.0
UNSKEW = (3.0 - math.sqrt(3.0)) / 6.0
TABLE = 256
VARIANCE = math.sqrt(3.0) * math.pi / (2 * 90 * 1024)
"""Variance of one octave: sqrt(3) corners a unit area, each giving 1/2 r^2 (1/2 - r^2)^8 integrated over its disc."""


def simplex_octave(x: Tensor, y: Tensor, table: Tensor, directions: Tensor) -> Tensor:
    """One octave at places x, y (any one shape, in units of its wavelength); values have mean 0.

    table: (N, 256) permutations, directions: (N, 256) gradient angles; x and y have N as their first dimension.
    Each of the three corners of the triangle that holds a place gives max(0, 1/2 - r^2)^4 (g . r), r the way from it.
    """
    skewed = (x + y) * SKEW
    column, row = torch.floor(x + skewed), torch.floor(y + skewed)
    first = (column + row) * UNSKEW
    x0, y0 = x - (column - first), y - (row - first)
    right = (x0 > y0).to(x.dtype)
    flat, total = (x.shape[0], -1), torch.zeros_like(x)
    for step_x, step_y, shift in ((0.0, 0.0, 0.0), (right, 1.0 - right, UNSKEW), (1.0, 1.0, 2.0 * UNSKEW)):
        dx, dy = x0 - step_x + shift, y0 - step_y + shift
        a = ((column + step_x).long() % TABLE).reshape(flat)
        b = ((row + step_y).long() % TABLE).reshape(flat)
        corner = table.gather(1, (table.gather(1, b) + a) % TABLE)
        angle = directions.gather(1, corner).reshape(x.shape)
        near = torch.clamp(0.5 - dx**2 - dy**2, min=0.0) ** 4
        total = total + near * (torch.cos(angle) * dx + torch.sin(angle) * dy)
    return total


def simplex_noise(
    count: int,
    height: int,
    width: int,
    generator: torch.Generator,
    octaves: int = 6,
    persistence: float = 0.8,
    frequency: float = 1 / 64,
) -> Tensor:
    """`count` independent fields (count, height, width), float32, zero mean and unit variance over all draws.

    frequency: of the first octave, in waves a cell; octave n has frequency * 2^n and amplitude persistence^n. The
    paper's values are the defaults (a first wave of 64 pixels, six octaves, persistence 0.8).

    >>> field = simplex_noise(2, 8, 12, torch.Generator().manual_seed(0))
    >>> field.shape, field.dtype
    (torch.Size([2, 8, 12]), torch.float32)
    """
    table = torch.rand((count, TABLE), generator=generator).argsort(dim=1)
    directions = torch.rand((count, TABLE), generator=generator, dtype=torch.float64) * (2.0 * math.pi)
    # Each octave starts somewhere else: at the origin all octaves would be zero together.
    origin = torch.rand((count, octaves, 2), generator=generator, dtype=torch.float64) * TABLE
    down = torch.arange(height, dtype=torch.float64).reshape(1, -1, 1)
    across = torch.arange(width, dtype=torch.float64).reshape(1, 1, -1)
    total = torch.zeros((count, height, width), dtype=torch.float64)
    power = 0.0
    for n in range(octaves):
        scale = frequency * 2.0**n
        y, x = (down * scale + origin[:, n, :1, None]), (across * scale + origin[:, n, 1:, None])
        y, x = torch.broadcast_tensors(y, x)
        total += persistence**n * simplex_octave(x, y, table, directions)
        power += persistence ** (2 * n)
    return (total / math.sqrt(power * VARIANCE)).float()
