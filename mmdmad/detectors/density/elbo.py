"""Evidence lower bound: how badly the trained model predicts the noise that was added to a token.

Ho, Jain, Abbeel, NeurIPS 2020. With e_net the predicted noise and fixed draws e, the score is one of

    simple    mean over t of |e - e_net(x_t, t)|^2 / D                           their simple bound, eq. 14
    elbo      1/2 integral over log snr of mean over e of |e - e_net(x_t)|^2 / D   the true bound, nats a feature

The second is the bound of eq. 12 for ever finer steps (Kingma et al., "Variational Diffusion Models", NeurIPS 2021),
up to a constant. It is read at values of log snr that are evenly spaced between -5 and 6, each with a draw and its
negative (`diffusion/log_snr.py`). Read at steps of the schedule, its weights leave nine tenths of the sum to the first
step and one draw of noise. Structure finer than about a twentieth of a feature's standard deviation, log snr 6, is not
seen. Caveat for raw pixels: simple pictures get high likelihood whatever they show; use features.
"""

from typing import Literal

import torch
from torch import Tensor

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.noise_predictor import STEPS, NoisePredictor
from mmdmad.diffusion.log_snr import snr_bank
from mmdmad.diffusion.noise import Schedule, add_noise, alpha_bars, noise_bank, spaced_steps
from mmdmad.errors import ConfigError

LOG_SNR = (-5.0, 6.0)  # below, a standardised token is noise; above lies what is finer than 5 % of its deviation


@detector(
    About(
        "elbo",
        "density",
        "Ho et al., NeurIPS 2020 (variational bound)",
        "seconds",
        branch="likelihood",
        formula="mean_t |e - e_net(x_t, t)|^2 / D, or half its integral over log snr (weight elbo)",
        use="A likelihood bound with one training, for comparing models or levels of noise.",
        avoid="Raw pixels, where simple pictures get high likelihood whatever they show.",
        fidelity="reduced",
        differs="A small perceptron and few levels with a fixed bank of noise; the terms of the prior and of the "
        "last step to the data, and structure beyond log snr 6, are left out.",
    )
)
class EvidenceBound(NoisePredictor):
    """Noise-prediction error over noise levels, with a fixed noise bank.

    weight: "simple" or "elbo". levels: network calls a token; "simple" uses as many of the 1000 steps, evenly spaced
    up to `last`, with one draw each, "elbo" half as many values of log snr with two draws each.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = EvidenceBound(steps=50).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        levels: int = 20,
        last: int = 999,
        weight: Literal["simple", "elbo"] = "simple",
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
        self.levels, self.last, self.weight, self.schedule, self.hidden = levels, last, weight, schedule, hidden
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.levels < 2 or not 1 <= self.last < STEPS or self.weight not in ("simple", "elbo"):
            raise ConfigError(
                f"levels={self.levels}, last={self.last}, weight={self.weight!r} were given; allowed are levels >= 2, "
                f"1 <= last < {STEPS} and 'simple' or 'elbo'"
            )

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        eps, width = self._eps(position), tokens.shape[1]
        if self.weight == "elbo":
            fixed = snr_bank(width, self.levels // 2, 2, self.seed, LOG_SNR)
            levels, weights, bank = fixed.alpha_bar.tolist(), (0.5 * fixed.weight).tolist(), fixed.noise
        else:
            levels = [alpha_bars(self.schedule, STEPS)[step] for step in spaced_steps(self.last, self.levels)]
            weights = [1.0 / len(levels)] * len(levels)
            bank = noise_bank(len(levels), (width,), self.seed)
        total = torch.zeros(tokens.shape[0], device=tokens.device)
        for level, weight, noise in zip(levels, weights, bank.to(tokens.device)):
            wrong = eps(add_noise(tokens, noise, level), level) - noise
            total = total + weight * (wrong**2).mean(dim=1)
        return total
