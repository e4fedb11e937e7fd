"""What the joint network knows about a case: marginal, conditional and joint denoising errors, and contradictions.

For x_t = alpha x + sigma eps with signal-to-noise ratio snr, the mean squared denoising error integrates to the
log density: -log p(x) = const + 1/2 * integral of error d snr (I-MMSE, Guo, Shamai and Verdu, IEEE Trans. Inf. Theory
51, 2005; for diffusion models Kong, Brekelmans and Ver Steeg, ICLR 2023). The constant is the same with and without
a condition, so half the weighted conditional error minus half the weighted marginal error is
log p(x_m) - log p(x_m | others): minus the pointwise mutual information (pmi) between a part and the others.

**A contradiction is a score, not that number in nats.** The integral is read between log snr -5 and 2 only. The part of
a pmi that lies above is what the others tell of a part to within less than a third of its deviation, and a network that
learned from some hundred cases is wrong there more than it knows. Two Gaussian parts of two dimensions with correlation
r, the exact denoiser in place of the network (tests/oracles/test_contradictions.py):

    r                                  0.3    0.6    0.9    0.97   0.995  0.999
    slope on minus the pmi, -5 to 2    0.86   0.81   0.57   0.30   0.07   0.01
    slope, -5 to 10                    0.99   1.00   1.00   1.00   1.00   0.98
    rank correlation, -5 to 2          1.00   1.00   1.00   0.99   0.98   0.96

So for weak links it is in nats, for tight ones large values are drawn together while their order stays. The mean of
exp(-pmi) is at most 1 on normal cases. On held-out normal cases of the simulated line the trained network's mean of
exp(contradiction) is 0.25 when read up to 2, 390 up to 5 and above a million up to 8, and no fault is found better;
training on the levels that are read, evenly in log snr, leaves 0.2, 15 and 1,000 and finds the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmdmad.diffusion.log_snr import snr_bank
from mmdmad.joint.model import JointDenoiser


@dataclass(frozen=True, eq=False)
class NoiseBank:
    """The fixed noise on which every error is measured: level (K,), weight = snr d(log snr) (K,), noise (K, D)."""

    level: Tensor
    weight: Tensor
    noise: Tensor

    def to(self, device: torch.device) -> "NoiseBank":
        """The same bank on another device."""
        return NoiseBank(self.level.to(device), self.weight.to(device), self.noise.to(device))


LOG_SNR = (-5.0, 2.0)  # see above


def noise_bank(width: int, levels: int, draws: int, seed: int, log_snr: tuple[float, float] = LOG_SNR) -> NoiseBank:
    """Noise for `levels` values of log snr, evenly spaced in `log_snr`, with `draws` antithetic draws each.

    Even spacing in log snr makes d snr = snr d(log snr). Antithetic pairs (eps and -eps) cancel the first-order part
    of the noise. Below the range nothing is visible; what parts tell of each other above it is left out, so errors are
    in nats only where that is nothing: with a denoiser exact enough, up to 3 above minus the logarithm of the least
    conditional variance.

    >>> noise_bank(3, levels=4, draws=2, seed=0).noise.shape
    torch.Size([8, 3])
    """
    fixed = snr_bank(width, levels, draws, seed, log_snr)
    snr = fixed.alpha_bar / (1.0 - fixed.alpha_bar)
    # alpha^2 / sigma^2 = snr on the cosine schedule: tan(pi/2 level) = snr^(-1/2).
    level = torch.atan(snr**-0.5) * (2 / torch.pi)
    return NoiseBank(level.float(), (snr * fixed.weight).float(), fixed.noise)


def denoising_error(
    model: JointDenoiser, bank: NoiseBank, x: Tensor, noisy: Sequence[int], given: Sequence[int]
) -> float:
    """Half the snr-weighted denoising error of the parts `noisy` of one case, knowing the parts `given`: a score.

    `x` (sum of dims,) holds the case's whitened vectors; parts in neither list count as missing. All `noisy` parts
    share one level, so that a list of several gives their joint error. The noise bank is the same for every call.
    The network may be on any device, `x` and the bank are taken there; the errors are summed on the CPU.
    """
    device = _device(model)
    x, bank = x.to(device), bank.to(device)
    parts = len(model.shape.dims)
    columns = torch.cat([torch.arange(model.columns(p).start, model.columns(p).stop, device=device) for p in noisy])
    level = torch.ones((len(bank.level), parts), device=device)
    for part in given:
        level[:, part] = 0.0
    for part in noisy:
        level[:, part] = bank.level
    angle = bank.level * (torch.pi / 2)
    entered = x.expand(len(level), -1).clone()
    entered[:, columns] = torch.cos(angle)[:, None] * x[columns] + torch.sin(angle)[:, None] * bank.noise[:, columns]
    with torch.inference_mode():
        estimate = model(entered, level)
    error = ((estimate[:, columns] - x[columns]) ** 2).sum(dim=1)
    return float(0.5 * (bank.weight * error).cpu().sum(dtype=torch.float64))


def contradiction(
    model: JointDenoiser, bank: NoiseBank, x: Tensor, part: int, given: Sequence[int], marginal: float | None = None
) -> float:
    """Conditional minus marginal error of `part`, a score: how much less likely it is once `given` are known.

    Positive: the others make this part less likely than it is by itself. Both errors use the same noise.
    """
    alone = denoising_error(model, bank, x, [part], []) if marginal is None else marginal
    return denoising_error(model, bank, x, [part], given) - alone


def contradictions(
    model: JointDenoiser, bank: NoiseBank, x: np.ndarray, wanted: Sequence[tuple[int, tuple[int, ...]]]
) -> np.ndarray:
    """Contradictions of one case for every (part, given) in `wanted`, float64; each marginal is computed once."""
    bank = bank.to(_device(model))  # once, not for every error
    tensor = torch.from_numpy(np.nan_to_num(np.asarray(x, np.float32))).to(_device(model))
    alone = {p: denoising_error(model, bank, tensor, [p], []) for p in sorted({part for part, _ in wanted})}
    return np.array([contradiction(model, bank, tensor, p, g, alone[p]) for p, g in wanted], np.float64)


def _device(model: JointDenoiser) -> torch.device:
    """Where the network is; the CPU for a denoiser in closed form, which has no weights."""
    return next((weight.device for weight in model.parameters()), torch.device("cpu"))
