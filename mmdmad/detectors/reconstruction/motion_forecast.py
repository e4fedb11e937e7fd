"""MoCoDAD: generate several futures of a pose from its past; an anomaly is a future that none of them resembles.

Flaborea et al., "Multimodal Motion Conditioned Diffusion Model for Skeleton-based Video Anomaly Detection", ICCV 2023.
Tokens are joints: a layout of (frames, joints) with the
coordinates as features. Given the past p, the reverse process from K fixed noise draws gives futures y_1..y_K, and

    score(x) = min over k of |x - y_k|^2 / usual(p)

over all joints of the future at once: normal motion may go on in several ways, and one of them should be near. The
tokens' own scores are the chosen future's errors, so a joint can be named. usual is the mean on normal futures with as
much past, per axis.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.forecasting import ForecastDetector, falling_times
from mmdmad.detectors.kit.sequence import Windows
from mmdmad.diffusion.noise import noise_bank
from mmdmad.diffusion.prediction import to_eps, to_x0
from mmdmad.errors import ConfigError


@detector(
    About(
        "mocodad",
        "reconstruction",
        "Flaborea et al., ICCV 2023 (MoCoDAD)",
        "minutes",
        modalities=("video", "sensor"),
        needs="an order of the tokens: poses as frames x joints, or several channels over time",
        formula="min_k |x - y_k|^2 / usual(past), y_k = future generated from noise k given the past",
        use="Poses and other motion of several parts whose normal future is one of several.",
        avoid="Tokens without an order; tight budgets, for every future is generated step by step.",
        branch="conditional",
        fidelity="reduced",
        differs="A transformer stands for the graph network of joints, the autoencoded condition and its loss are "
        "left out, v is predicted with squared error, errors count in units of what is usual, and maps "
        "are not smoothed over frames.",
    )
)
class MotionForecast(ForecastDetector):
    """Distance of the real future to the nearest of several generated ones.

    past, horizon: steps given and generated (3 and 3 in the paper); generations: futures K (5 in the released
    settings, 50 in the paper); walk: reverse steps a future; aggregate: "min" over futures, "mean" or "median".

    >>> import numpy as np
    >>> from mmdmad.tokens import Layout, Tokens
    >>> items = [Tokens(np.sin(np.arange(20) + p)[:, None], Layout("steps", (20, 1))) for p in range(30)]
    >>> odd = Tokens(items[0].values + 9.0 * (np.arange(20) == 7)[:, None], items[0].layout)
    >>> int(MotionForecast(steps=50, inner=16).fit(items).token_scores([odd])[0].argmax())
    7
    """

    _together = 64

    def __init__(
        self,
        past: int = 3,
        horizon: int = 3,
        generations: int = 5,
        walk: int = 10,
        aggregate: Literal["min", "mean", "median"] = "min",
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
        self.past, self.horizon, self.generations, self.walk, self.aggregate = (
            past,
            horizon,
            generations,
            walk,
            aggregate,
        )
        self.inner, self.depth, self.steps, self.batch, self.learning_rate = inner, depth, steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.generations < 1 or self.walk < 1 or self.aggregate not in ("min", "mean", "median"):
            raise ConfigError(
                f"generations={self.generations}, walk={self.walk}, aggregate={self.aggregate!r} were given; allowed "
                "are positive numbers and 'min', 'mean' or 'median'"
            )

    def futures(self, batch: Windows) -> Tensor:
        """Generated futures (B, K, ahead, k)."""
        ahead = batch.take(self._behind).values
        bank = noise_bank(self.generations, tuple(ahead.shape[1:]), self.seed).to(ahead.device)
        made = []
        for noise in bank:
            sample = noise.expand_as(ahead)
            for (time, a), (_, b) in pairwise(falling_times(0.0, self.walk + 1)):
                velocity = self._velocity(self.net_, batch, sample, ahead.new_full((ahead.shape[0],), time))
                clean, eps = to_x0(velocity, sample, a, "v"), to_eps(velocity, sample, a, "v")
                sample = b**0.5 * clean + (1.0 - b) ** 0.5 * eps
            made.append(sample)
        return torch.stack(made, dim=1)

    def _errors(self, batch: Windows) -> Tensor:
        future = batch.take(self._behind)
        errors = (self.futures(batch) - future.values[:, None]) ** 2
        if self.aggregate == "mean":
            chosen = errors.mean(dim=1)
        else:
            distance = (errors.mean(dim=3) * future.present[:, None]).sum(dim=2)
            rank = 0 if self.aggregate == "min" else (self.generations - 1) // 2
            best = distance.topk(rank + 1, dim=1, largest=False).indices[:, rank]
            chosen = errors[torch.arange(errors.shape[0], device=errors.device), best]
        return self._padded(chosen[:, :, None], batch)
