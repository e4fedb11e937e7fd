"""MULDE: an energy network approximates minus the log-density of noised normal tokens, at every noise scale.

Micorek, Possegger, Narnhofer, Bischof, Kozinski, "MULDE: Multiscale Log-Density Estimation via Denoising Score
Matching for Video Anomaly Detection", CVPR 2024. The score is minus the energy's gradient, s = -df/dx, trained by

    1/2 |sigma s(x + sigma e, sigma) + e|^2 + beta / 2 f(x, sigma)^2,    sigma log-uniform,

where the second term ties the scales' free constants together; both are divided by D here, so that beta means the same
for any width. At test the energies of the clean token at several scales form a vector, of which arcsinh is taken, and
a Gaussian mixture over the training vectors gives its surprise. arcsinh is the identity near 0 and a logarithm far out:
energies grow with the square of the distance, and a few of them would shape the mixture; the paper does not take it.
Training differentiates twice; scoring is forward only.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.mixture import Mixture
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.device import normal_like
from mmdmad.diffusion.denoisers import MLP
from mmdmad.diffusion.noise import sigma_grid
from mmdmad.tokens import Tokens


@detector(
    About(
        "mulde",
        "density",
        "Micorek et al., CVPR 2024 (MULDE)",
        "minutes",
        branch="score function",
        formula="-log p(arcsinh f(x, s_1), ..., arcsinh f(x, s_L)), f an energy with score -df/dx",
        use="Features of video or any embedding when a density is wanted and scoring must be forward only.",
        avoid="Tight training budgets: training differentiates twice; blind near local modes.",
        fidelity="reduced",
        differs="Two layers of 512 instead of 4096 and 1500 training steps; arcsinh of the energies before the "
        "mixture, the regulariser over D, no smoothing over time.",
    )
)
class Energy(NeuralDetector):
    """Surprise of a token's energies over noise scales, after arcsinh.

    scales: how many, evenly spaced between sigma_min and sigma_max; beta: weight of the regulariser; mixture:
    components tried for the mixture, of which the lowest Bayesian criterion is kept, on at most 20,000 tokens.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = Energy(steps=50).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        scales: int = 16,
        sigma_min: float = 1e-3,
        sigma_max: float = 1.0,
        beta: float = 0.1,
        mixture: tuple[int, ...] = (1, 3, 5),
        hidden: tuple[int, ...] = (512, 512),
        steps: int = 1500,
        batch: int | Literal["auto"] = "auto",
        learning_rate: float = 5e-4,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.scales, self.sigma_min, self.sigma_max, self.beta, self.mixture = (
            scales,
            sigma_min,
            sigma_max,
            beta,
            mixture,
        )
        self.hidden = hidden
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _build(self, width: int, positions: int) -> nn.Module:
        return MLP(width, tuple(self.hidden), time_width=32, positions=positions, out=1, activation="gelu")

    def _time(self, sigma: Tensor) -> Tensor:
        return (sigma / self.sigma_min).log() / math.log(self.sigma_max / self.sigma_min)

    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        unit = torch.rand(len(tokens), generator=generator)
        sigma = (self.sigma_min * (self.sigma_max / self.sigma_min) ** unit).to(tokens.device)
        noise = normal_like(tokens, generator)
        time = self._time(sigma)
        with torch.enable_grad():
            noisy = (tokens + sigma[:, None] * noise).requires_grad_(True)
            energy = net(noisy, time, position).sum()
            slope = torch.autograd.grad(energy, noisy, create_graph=net.training)[0]
        matching = ((noise - sigma[:, None] * slope) ** 2).mean(dim=1)
        return 0.5 * matching + 0.5 * self.beta * net(tokens, time, position)[:, 0] ** 2 / tokens.shape[1]

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        energies = []
        for sigma in sigma_grid(self.sigma_min, self.sigma_max, self.scales, "linear").float().to(tokens.device):
            energies.append(self.net_(tokens, self._time(sigma).expand(tokens.shape[0]), position)[:, 0])
        return torch.stack(energies, dim=1)

    def _after_training(self, tokens: np.ndarray, row: np.ndarray, owner: np.ndarray) -> None:
        sample = np.sort(np.random.default_rng(self.seed).permutation(len(tokens))[:20_000])
        energies = self._in_chunks(tokens[sample], row[sample])
        self.mixture_ = Mixture.fit(np.arcsinh(energies), self.mixture, self.seed)

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        return [self.mixture_.surprise(np.arcsinh(energies)) for energies in super()._score(items)]

    def _finish(self, raw: Tensor) -> Tensor:
        size = raw.abs()  # arcsinh, written out: runtimes have it in single precision only
        return self.mixture_.surprise_of(raw.sign() * (size + (size**2 + 1.0).sqrt()).log())

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return {**arrays, **self.mixture_.arrays()}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        self.mixture_ = Mixture.from_arrays(arrays)
