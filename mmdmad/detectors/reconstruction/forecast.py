"""Prediction from the past: how badly is a token denoised by a model that has seen what came before it?

Yan et al., "Feature Prediction Diffusion Model for Video Anomaly Detection" (FPDM), ICCV 2023, and VADiffusion, 2024,
predict the next frame or its features by conditional diffusion and score the prediction error. Here the next token x of
any series or clip is denoised with the tokens p before it as cross-attention condition:

    score(x) = mean over times t of |x - x0(x_t, t, p)|^2 / usual(p, t),    x_t = sqrt(a_t) x + sqrt(1 - a_t) e

with one fixed noise draw e per time. At t = 1 nothing of x is left in x_t and x0 is the forecast E[x | p]; below, x0 is
what the past makes of a blurred x, which also judges futures of more than one mode. usual is the mean on normal tokens
with as many past steps, per axis, so that an item's first tokens are judged by what past they have.
"""

from typing import Literal

import torch
from torch import Tensor

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.forecasting import ForecastDetector, falling_times
from mmdmad.detectors.kit.sequence import Windows
from mmdmad.diffusion.noise import add_noise, noise_bank
from mmdmad.diffusion.prediction import to_x0
from mmdmad.errors import ConfigError


@detector(
    About(
        "forecast",
        "reconstruction",
        "Yan et al., ICCV 2023 (FPDM idea), on tokens of any series or clip",
        "minutes",
        modalities=("sensor", "video", "text", "image"),
        needs="an order of the tokens: time, or reading order",
        formula="mean_t |x - x0(x_t, t | past)|^2 / usual(past, t)",
        use="Series and clips where the next step follows from the last ones: breaks of phase, order or motion.",
        avoid="Tokens without an order; slow drifts, which are predicted along; jumps that are normal.",
        branch="conditional",
        fidelity="idea",
        differs="One conditional denoiser of the next token of any series, its error averaged over noise times; "
        "the papers' networks over frames are left out.",
    )
)
class Forecast(ForecastDetector):
    """Denoising error of each token given the tokens before it.

    past: steps the network sees, at most as many as training items hold; levels: noise times the score averages, from
    `lowest` up to 1 (the pure forecast).

    >>> import numpy as np
    >>> from mmdmad.tokens import Layout, Tokens
    >>> items = [Tokens(np.sin(np.arange(20) + p)[:, None], Layout("steps", (20, 1))) for p in range(30)]
    >>> odd = Tokens(items[0].values + 9.0 * (np.arange(20) == 7)[:, None], items[0].layout)
    >>> int(Forecast(steps=50, inner=16).fit(items).token_scores([odd])[0].argmax())
    7
    """

    horizon = 1

    def __init__(
        self,
        past: int = 8,
        levels: int = 4,
        lowest: float = 0.4,
        inner: int = 64,
        depth: int = 2,
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
        self.past, self.levels, self.lowest = past, levels, lowest
        self.inner, self.depth, self.steps, self.batch, self.learning_rate = inner, depth, steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.levels < 1 or not 0 < self.lowest <= 1:
            raise ConfigError(
                f"levels={self.levels}, lowest={self.lowest} were given; allowed are levels >= 1 and 0 < lowest <= 1"
            )

    def _errors(self, batch: Windows) -> Tensor:
        future = batch.take(self._behind)
        bank = noise_bank(self.levels, tuple(future.values.shape[1:]), self.seed).to(future.values.device)
        errors = []
        for (time, a), noise in zip(falling_times(self.lowest, self.levels), bank):
            noisy = add_noise(future.values, noise.expand_as(future.values), a)
            velocity = self._velocity(self.net_, batch, noisy, noisy.new_full((noisy.shape[0],), time))
            errors.append((future.values - to_x0(velocity, noisy, a, "v")) ** 2)
        return self._padded(torch.stack(errors, dim=2), batch)
