"""Partial-noise reconstruction: noise a token half-way, denoise it, see what changed.

Wyatt, Leach, Schmon, Willcocks, "AnoDDPM: Anomaly Detection With Denoising Diffusion Probabilistic Models Using
Simplex Noise", CVPRW 2022, here in token space with Gaussian noise: q(x_s | x) at step s of T, then the learned
reverse process back to 0; the score is the mean squared change, averaged over a few fixed noise draws.

`compat` is the DDPM baseline of Livernoche, Jain, Hezaveh, Ravanbakhsh, "On Diffusion Modeling for Anomaly Detection",
ICLR 2024, as its authors' code has it: no noise is added, neither to the token nor on the way. From the token itself,
taken as step `start`, `start` means of the reverse process

    x_{t-1} = (x_t - beta_t e_net(x_t, t) / sqrt(1 - a_t)) / sqrt(1 - beta_t)

lead back to 0, so the score is how far the network's idea of the noise moves a clean token.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.noise_predictor import STEPS, NoisePredictor
from mmdmad.diffusion.denoisers import ResidualMLP
from mmdmad.diffusion.noise import Schedule, add_noise, noise_bank, spaced_steps
from mmdmad.diffusion.steppers import walk
from mmdmad.diffusion.training import Plan
from mmdmad.errors import ConfigError


@detector(
    About(
        "partial-noise",
        "reconstruction",
        "Wyatt et al., CVPRW 2022 (AnoDDPM), on tokens",
        "seconds",
        branch="basic",
        formula="mean over draws of |x - x_back|^2, x_back = x noised to step 250 of 1000 and denoised",
        use="A first reconstruction of any tokens: what the model would have put in a token's place.",
        avoid="Anomalies smaller than the noise at that step hides, or tight budgets: several network calls a draw.",
        fidelity="idea",
        differs="The process on single tokens by a perceptron: Gaussian noise instead of simplex, few "
        "deterministic steps. `compat` is the DDPM baseline of Livernoche et al. as released.",
    )
)
class PartialNoise(NoisePredictor):
    """Squared change of a token that is noised to step `start` of 1000 and denoised again.

    start: the noise level (250 in the paper); walk: network calls back to 0 (DDIM, or ancestral with eta 1);
    repeats: noise draws averaged; noise_first False starts from the token itself without noising it, as the DDPM
    baseline of Livernoche et al. does. compat: that baseline as published: three residual blocks, linear beta 1e-4 to
    0.01, 400 epochs of batches of 64 at rate 1e-4 (stopped when the training loss is above that of 39 epochs before),
    `start` steps back without noise; `steps` still bounds the training, give it 400 N / 64 or more; `walk`, `repeats`,
    `eta`, `noise_first`, `schedule`, `hidden`, `batch` and `learning_rate` are not used then.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = PartialNoise(steps=50).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        start: int = 250,
        walk: int = 2,
        repeats: int = 3,
        eta: float = 0.0,
        noise_first: bool = True,
        compat: bool = False,
        schedule: Schedule = "linear",
        hidden: tuple[int, ...] = (512, 512),
        steps: int = 2000,
        batch: int | Literal["auto"] = "auto",
        learning_rate: float = 1e-3,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.start, self.walk, self.repeats, self.eta = start, walk, repeats, eta
        self.noise_first, self.compat, self.schedule, self.hidden = noise_first, compat, schedule, hidden
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not 1 <= self.start < STEPS or self.walk < 1 or self.repeats < 1:
            raise ConfigError(
                f"start={self.start}, walk={self.walk}, repeats={self.repeats} were given; allowed are "
                f"1 <= start < {STEPS}, walk >= 1, repeats >= 1"
            )

    @property
    def _beta(self) -> tuple[float, float] | None:
        return (1e-4, 0.01) if self.compat else None

    def _build(self, width: int, positions: int) -> nn.Module:
        return ResidualMLP(width, positions=positions) if self.compat else super()._build(width, positions)

    def _plan(self, count: int) -> Plan:
        if not self.compat:
            return super()._plan(count)
        batch = min(64, count)
        epoch = count // batch
        return Plan(
            steps=min(self.steps, 400 * epoch),
            batch=batch,
            learning_rate=1e-4,
            weight_decay=5e-4,
            decoupled=False,
            ema=0.0,
            clip=0.0,
            held_out=0.0,
            evaluate_every=epoch,
            rising=39,
            seed=self.seed,
        )

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        if self.compat:
            path = [*self._path(list(range(self.start))[::-1]), 1.0]
            still = [torch.zeros_like(tokens)] * self.start
            return ((walk(self._eps(position), tokens, path, 1.0, still) - tokens) ** 2).mean(dim=1)
        path, eps = self._path(spaced_steps(self.start, self.walk + 1)[::-1]), self._eps(position)
        bank = noise_bank(self.repeats * (1 + self.walk), (tokens.shape[1],), self.seed).to(tokens.device)
        total = torch.zeros(tokens.shape[0], device=tokens.device)
        for draw in bank.split(1 + self.walk):
            begin = add_noise(tokens, draw[0], path[0]) if self.noise_first else tokens
            back = walk(eps, begin, path, self.eta, list(draw[1:]))
            total = total + ((back - tokens) ** 2).mean(dim=1)
        return total / self.repeats
