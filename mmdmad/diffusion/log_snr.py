"""Fixed noise for integrals of denoising errors over log snr, the logarithm of the signal-to-noise ratio.

For x_t = alpha x + sigma e with snr = alpha^2 / sigma^2, the errors of the best denoiser integrate to the likelihood,

    -log p(x) = const + 1/2 integral of E|e - e^(x_t)|^2 d log snr = const + 1/2 integral of E|x - x^(x_t)|^2 d snr

(I-MMSE: Guo, Shamai, Verdu, IEEE Trans. Inf. Theory 51, 2005; Kingma, Salimans, Poole, Ho, "Variational Diffusion
Models", NeurIPS 2021; point by point: Kong, Brekelmans, Ver Steeg, ICLR 2023). In log snr the integrand is at most
about one a feature wherever the data varies, so few evenly spaced levels do; steps of a schedule are crowded where
there is hardly any noise, and there one draw of e outweighs all that x says.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class SnrBank:
    """K fixed noise draws: `alpha_bar` (K,) float64, `weight` (K,) float64 = d log snr a draw, `noise` (K, D) float32.

    Sums over the bank, weighted, are integrals over log snr. Shared between callers: do not write into it.
    """

    alpha_bar: Tensor
    weight: Tensor
    noise: Tensor


@lru_cache(maxsize=16)
def snr_bank(width: int, levels: int, draws: int, seed: int, log_snr: tuple[float, float]) -> SnrBank:
    """Noise for the middles of `levels` even pieces of the range `log_snr`, `draws` a level, in antithetic pairs.

    A pair e and -e cancels the first-order part of the noise. Every row meets the same draws, so that what they have
    in common does not change an order, and no score depends on its batch.

    >>> bank = snr_bank(3, levels=4, draws=2, seed=0, log_snr=(-5.0, 3.0))
    >>> bank.noise.shape, float(bank.weight.sum()), bool((bank.noise[0] == -bank.noise[1]).all())
    (torch.Size([8, 3]), 8.0, True)
    """
    generator = torch.Generator().manual_seed(seed)
    edges = torch.linspace(*log_snr, levels + 1, dtype=torch.float64)
    middle = (edges[1:] + edges[:-1]) / 2
    half = torch.randn((levels, (draws + 1) // 2, width), generator=generator)
    noise = torch.cat([half, -half], dim=1)[:, :draws].reshape(levels * draws, width)
    weight = ((edges[1:] - edges[:-1]) / draws).repeat_interleave(draws)
    return SnrBank(torch.sigmoid(middle).repeat_interleave(draws), weight, noise)
