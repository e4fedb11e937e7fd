"""DDAE: a denoising autoencoder whose noise follows a diffusion schedule.

"Diffusion-Scheduled Denoising Autoencoders for Anomaly Detection in Tabular Data", KDD 2025. The network f predicts
the clean token from the noised one, x_t = sqrt(a_t) x + sqrt(1 - a_t) e, at every step t of a short schedule; the
paper's score sums its errors over the steps, here it is their mean:

    score(x) = mean over t of |x - f(x_t, t)|_2

Each step has one fixed noise draw, the same for every token, so a score never depends on its batch; and features are
standardised on the training tokens only (the authors' code uses all rows, test anomalies included).
"""

from typing import Literal

import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.device import normal_like
from mmdmad.diffusion.denoisers import MLP
from mmdmad.diffusion.noise import Schedule, add_noise, alpha_bars, alphas_bar, noise_bank, spaced_steps


@detector(
    About(
        "ddae",
        "reconstruction",
        "Diffusion-Scheduled Denoising Autoencoders, KDD 2025",
        "seconds",
        branch="basic",
        formula="mean_t |x - f(x_t, t)|_2, x_t = sqrt(a_t) x + sqrt(1 - a_t) e",
        use="Tables and embeddings where a network may be trained for some seconds and per-feature residuals "
        "are wanted.",
        avoid="Sentence embeddings after whitening, and sets so small that neighbours say as much.",
        fidelity="reduced",
        differs="The mean over 16 of the 49 steps instead of the sum over all, one fixed draw a step, and 1000 "
        "training steps that stop by held-out loss, their weights averaged; the contrastive loss of "
        "DDAE-C is left out.",
    )
)
class DenoisingAutoencoder(NeuralDetector):
    """Error of a clean-token prediction, averaged over noise levels.

    levels: steps T of the schedule; score_levels: how many of the steps 1..T-1 the score averages ("all", or a number
    of evenly spaced ones). schedule: of the noise. hidden: layer widths.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = DenoisingAutoencoder(steps=50).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        levels: int = 50,
        score_levels: int | Literal["all"] = 16,
        schedule: Schedule = "linear",
        hidden: tuple[int, ...] = (512, 512),
        steps: int = 1000,
        batch: int | Literal["auto"] = "auto",
        learning_rate: float = 1e-3,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.levels, self.score_levels, self.schedule, self.hidden = levels, score_levels, schedule, hidden
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _build(self, width: int, positions: int) -> nn.Module:
        return MLP(width, tuple(self.hidden), time_width=4, positions=positions, activation="leaky")

    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        level = torch.randint(1, self.levels, (len(tokens),), generator=generator)
        noise = normal_like(tokens, generator)
        noisy = add_noise(tokens, noise, alphas_bar(self.schedule, self.levels)[level].float().to(tokens.device))
        guess = net(noisy, (level / self.levels).to(tokens.device), position)
        return ((guess - tokens) ** 2).mean(dim=1)

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        a, total = alpha_bars(self.schedule, self.levels), torch.zeros(tokens.shape[0], device=tokens.device)
        count = self.levels - 1 if self.score_levels == "all" else self.score_levels
        used = [level + 1 for level in spaced_steps(self.levels - 2, count)]
        bank = noise_bank(self.levels, (tokens.shape[1],), self.seed).to(tokens.device)
        for level in used:
            time = torch.full((tokens.shape[0],), level / self.levels, device=tokens.device)
            guess = self.net_(add_noise(tokens, bank[level], a[level]), time, position)
            total = total + (guess - tokens).norm(dim=1)
        return total / len(used)
