"""AnoDDPM: noise a grid half-way with large structures, denoise it, see what changed.

Wyatt, Leach, Schmon, Willcocks, "AnoDDPM: Anomaly Detection With Denoising Diffusion Probabilistic Models Using
Simplex Noise", CVPRW 2022. A UNet learns to denoise x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) e, where e is Gaussian or
multi-octave simplex noise; at test the grid is noised only to step `start` of 1000 and brought back,

    score = mean over the features of (x - x^_0)^2, one map, averaged over `repeats` noise draws.

Gaussian noise at that step hides what is smaller than a few cells; simplex noise also hides what is larger, so a large
anomaly is not carried through. Here the way back takes `walk` deterministic steps (the authors' code: all 250,
ancestral; `eta` 1 and a longer walk come near it), and the network predicts v instead of the noise.
"""

from typing import Literal

import torch
from torch import Tensor

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.grids import STEPS, GridDenoiser
from mmdmad.diffusion.noise import Schedule, spaced_steps
from mmdmad.diffusion.simplex import simplex_noise
from mmdmad.diffusion.steppers import reconstruct
from mmdmad.errors import ConfigError


@detector(
    About(
        "anoddpm",
        "reconstruction",
        "Wyatt et al., CVPRW 2022",
        "minutes",
        needs="grids gain; others are strips",
        branch="basic",
        formula="mean over draws of |x - x_back|^2 on a grid, noise Gaussian or multi-octave simplex, to step 250",
        use="Aligned pictures or grids with large anomalies, which simplex noise covers and Gaussian noise "
        "lets through.",
        avoid="Items without a grid, where it is partial-noise at a higher price.",
        fidelity="reduced",
        differs="A few deterministic steps back where the release takes all 250, ancestral; v is predicted "
        "instead of the noise, the first octave has 4 waves a side, and a small UNet over tokens learns "
        "for some hundred steps.",
    )
)
class AnoDDPM(GridDenoiser):
    """Squared change of a grid that is noised to step `start` of 1000 and denoised again.

    noise: "simplex" or "gaussian"; octaves, persistence and frequency (waves of the first octave across the longer
    side) shape the simplex noise. start: how far to noise (250 in the paper); walk: network calls back; repeats: fixed
    noise draws averaged; eta: 0 deterministic, 1 ancestral.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> made = AnoDDPM(steps=30, widths=(8,)).fit(X)
    >>> scores = made.decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        noise: Literal["simplex", "gaussian"] = "simplex",
        start: int = 250,
        walk: int = 5,
        repeats: int = 2,
        eta: float = 0.0,
        octaves: int = 6,
        persistence: float = 0.8,
        frequency: float = 4.0,
        schedule: Schedule = "linear",
        widths: tuple[int, ...] = (16, 32, 32),
        steps: int = 400,
        batch: int = 16,
        learning_rate: float = 1e-3,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.noise, self.start, self.walk, self.repeats, self.eta = noise, start, walk, repeats, eta
        self.octaves, self.persistence, self.frequency = octaves, persistence, frequency
        self.schedule, self.widths = schedule, widths
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    _drawn: tuple[object, Tensor] | None = None  # the noise of the last shape that was scored

    def _check_params(self) -> None:
        super()._check_params()
        if self.noise not in ("simplex", "gaussian"):
            raise ConfigError(f"noise={self.noise!r} was given; allowed are 'simplex' and 'gaussian'")
        if not 1 <= self.start < STEPS or self.walk < 1 or self.repeats < 1:
            raise ConfigError(
                f"start={self.start}, walk={self.walk}, repeats={self.repeats} were given; allowed are "
                f"1 <= start < {STEPS}, walk >= 1, repeats >= 1"
            )
        if self.octaves < 1 or not 0 < self.persistence <= 1 or self.frequency <= 0:
            raise ConfigError(
                f"octaves={self.octaves}, persistence={self.persistence}, frequency={self.frequency} were given; "
                "allowed are octaves >= 1, 0 < persistence <= 1, frequency > 0"
            )

    def _noise(self, planes: Tensor, generator: torch.Generator) -> Tensor:
        if self.noise == "gaussian":
            return super()._noise(planes, generator)
        count, axes, height, width = planes.shape
        drawn = simplex_noise(
            count * axes,
            height,
            width,
            generator,
            self.octaves,
            self.persistence,
            self.frequency / max(height, width),
        )
        return drawn.reshape(planes.shape)

    def _draws(self, shape: tuple[int, int, int]) -> Tensor:
        """All noise of a score, the same for every plane: a score must not depend on the others in its chunk."""
        key = (shape, repr(self.get_params()))
        if self._drawn is None or self._drawn[0] != key:
            generator, one = torch.Generator().manual_seed(self.seed), torch.empty(1, *shape)
            made = [self._noise(one, generator) for _ in range(self.repeats * (1 + self.walk))]
            self._drawn = key, torch.cat(made)
        return self._drawn[1]

    def _map(self, planes: Tensor) -> Tensor:
        path, eps = self._path(spaced_steps(self.start, self.walk + 1)[::-1]), self._eps(self.net_)
        shape = (planes.shape[1], planes.shape[2], planes.shape[3])
        draws = self._draws(shape).to(planes)
        total = torch.zeros_like(planes[:, 0])
        for draw in draws.split(1 + self.walk):
            first, *rest = draw
            back = reconstruct(eps, planes, path, first.expand_as(planes), self.eta, rest)
            total = total + ((back - planes) ** 2).mean(dim=1)
        return total / self.repeats
