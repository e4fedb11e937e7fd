"""Evidence lower bound: how badly the trained model predicts the noise that was added to a token.

Ho, Jain, Abbeel, NeurIPS 2020, eq. 12 and 14. With e_net the predicted noise and a fixed draw e per level,

    score(x) = mean over t of w_t |e - e_net(x_t, t)|^2 / D

where w_t = 1 is the paper's simple bound and w_t = beta_t^2 / (2 s_t^2 alpha_t (1 - a_t)), s_t^2 = beta_t, the true
one. Caveat for raw pixels: simple pictures get high likelihood whatever they show; use features.
"""

from typing import Literal

import torch
from torch import Tensor

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.noise_predictor import STEPS, NoisePredictor
from mmdmad.diffusion.noise import Schedule, add_noise, alpha_bars, noise_bank, spaced_steps
from mmdmad.errors import ConfigError


@detector(
    About(
        "elbo",
        "density",
        "Ho et al., NeurIPS 2020 (variational bound)",
        "seconds",
        branch="likelihood",
        formula="mean_t w_t |e - e_net(x_t, t)|^2 / D",
        use="A likelihood bound with one training, for comparing models or levels of noise.",
        avoid="Raw pixels, where simple pictures get high likelihood whatever they show.",
        fidelity="reduced",
        differs="A fixed bank of noise at few of the 1000 steps, a small perceptron; the terms of the first and "
        "the last step are left out.",
    )
)
class EvidenceBound(NoisePredictor):
    """Weighted noise-prediction error over noise levels, with a fixed noise bank.

    levels: how many of the 1000 steps are used, evenly spaced up to `last`; weight: "simple" or "elbo".

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
        a, eps = alpha_bars(self.schedule, STEPS), self._eps(position)
        used = spaced_steps(self.last, self.levels)
        bank = noise_bank(len(used), (tokens.shape[1],), self.seed).to(tokens.device)
        total = torch.zeros(tokens.shape[0], device=tokens.device)
        for step, noise in zip(used, bank):
            here = a[step]
            alpha = here / (a[step - 1] if step else 1.0)
            weight = 1.0 if self.weight == "simple" else (1.0 - alpha) / (2.0 * alpha * (1.0 - here))
            error = ((eps(add_noise(tokens, noise, here), here) - noise) ** 2).mean(dim=1)
            total = total + weight * error
        return total / len(used)
