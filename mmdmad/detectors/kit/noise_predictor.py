"""What detectors share whose network predicts the noise: one training, many scoring rules.

Ho, Jain, Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020: loss |e - e_net(x_t, t)|^2 over 1000 steps.
"""

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.device import normal_like
from mmdmad.diffusion.denoisers import MLP
from mmdmad.diffusion.noise import Schedule, add_noise, alpha_bars, alphas_bar
from mmdmad.diffusion.steppers import Eps

STEPS = 1000


class NoisePredictor(NeuralDetector):
    """A detector on a noise-predicting perceptron; `schedule` and `hidden` are constructor arguments."""

    schedule: Schedule
    hidden: tuple[int, ...]

    @property
    def _beta(self) -> tuple[float, float] | None:
        """Ends of the schedule's beta, None for its own."""
        return None

    def _build(self, width: int, positions: int) -> nn.Module:
        return MLP(width, tuple(self.hidden), time_width=32, positions=positions)

    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        level = torch.randint(0, STEPS, (len(tokens),), generator=generator)
        noise = normal_like(tokens, generator)
        noisy = add_noise(tokens, noise, alphas_bar(self.schedule, STEPS, self._beta)[level].float().to(tokens.device))
        return ((net(noisy, (level / STEPS).to(tokens.device), position) - noise) ** 2).mean(dim=1)

    def _eps(self, position: Tensor) -> Eps:
        """The trained network as eps(x_t, alpha bar); between two steps of the schedule the time is interpolated."""
        rising = alpha_bars(self.schedule, STEPS, self._beta)[::-1]

        def eps(noisy: Tensor, level: float) -> Tensor:
            step = float(np.interp(level, rising, np.arange(STEPS)[::-1]))
            time = torch.full((noisy.shape[0],), step / STEPS, device=noisy.device, dtype=noisy.dtype)
            return self.net_(noisy, time, position)

        return eps

    def _path(self, steps: list[int]) -> list[float]:
        """Alpha bars of these steps of the schedule."""
        return [alpha_bars(self.schedule, STEPS, self._beta)[step] for step in steps]
