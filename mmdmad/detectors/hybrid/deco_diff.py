"""DeCo-Diff: learn how a corrupted place deviates from normal, then take the deviation off without adding noise.

Beizaee et al., "Correcting Deviations from Normality: A Reformulated Diffusion Model for
Multi-Class Unsupervised Anomaly Detection", CVPR 2025. In training random patches are corrupted, by Gaussian noise or
by shuffled patches of the plane, and the network predicts the deviation (diffusion/deviation.py). At test the plane
itself is the start; few deterministic steps of a short schedule take off what the network finds,

    x <- x - (sqrt(1 - a_t) - sqrt(1 - a_{t-1})) d^(x, t)

so normal places stay as they are. The release's schedule has ten cosine levels (squaredcos_cap_v2), of which test takes
every other, from the ninth down (ddim5); here the ten lie evenly on the linear schedule of 1000, as `schedule` says,
and test takes the `corrections` lowest, so that less is taken off in smaller steps. The release corrupts patches of 1,
2, 4 and 8 latents with falling odds, at least 70 % of them by noise, and shuffles over the batch; here the side is
uniform, noise and shuffling are equally likely, and the plane itself is rolled. Score: the geometric mean of the
largest and of the mean absolute change over the axes. The authors take the first from the decoded picture and the
second from the latent, and clip both, which would make all strong anomalies equal; here both come from the tokens, and
what lies beyond ten standard deviations is taken off whole.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.grids import GridDetector, known_mean
from mmdmad.detectors.kit.segmentation import LIMIT
from mmdmad.diffusion.deviation import deviation, patches
from mmdmad.diffusion.noise import Schedule, alphas_bar
from mmdmad.diffusion.unets import ImageUNet
from mmdmad.errors import ConfigError

LARGEST = 8  # cells a side of the largest patch


@detector(
    About(
        "deco-diff",
        "hybrid",
        "Beizaee et al., CVPR 2025",
        "minutes",
        needs="grids gain; others are strips",
        branch="adaptive",
        formula="x <- x - (sqrt(1 - a_t) - sqrt(1 - a_{t-1})) d(x, t), score sqrt(max |change| mean |change|)",
        use="Grids where reconstruction from noise loses normal detail: normal places are left as they are.",
        avoid="Where anomalies do not look like swapped or noisy places; items without a grid.",
        fidelity="reduced",
        differs="A linear schedule and its five lowest levels at test, where the release takes every other of ten "
        "cosine levels; a small UNet on tokens without classes; both maps from the tokens, not clipped; "
        "shuffled pieces from the same grid, and as often as noise.",
    )
)
class DeviationCorrection(GridDetector):
    """What a few corrections without noise change in a grid.

    levels: steps of the schedule (10 in the paper); corrections: how many of its lowest steps are taken at test (5).
    corrupted: largest share of a plane that is corrupted in training. neighbourhood: side of the square of cells over
    which the map is averaged (odd).

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> made = DeviationCorrection(steps=60, widths=(8,)).fit(X)
    >>> scores = made.decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        levels: int = 10,
        corrections: int = 5,
        corrupted: float = 0.7,
        neighbourhood: int = 3,
        schedule: Schedule = "linear",
        widths: tuple[int, ...] = (64, 64),
        steps: int = 600,
        batch: int = 16,
        learning_rate: float = 1e-3,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.levels, self.corrections, self.corrupted = levels, corrections, corrupted
        self.neighbourhood, self.schedule, self.widths = neighbourhood, schedule, widths
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not 1 <= self.corrections < self.levels or not 0 < self.corrupted <= 1:
            raise ConfigError(
                f"levels={self.levels}, corrections={self.corrections}, corrupted={self.corrupted} were given; "
                "allowed are 1 <= corrections < levels and 0 < corrupted <= 1"
            )
        if self.neighbourhood < 1 or self.neighbourhood % 2 == 0:
            raise ConfigError(f"neighbourhood={self.neighbourhood} was given; allowed are odd numbers from 1")

    def _build(self, axes: int) -> nn.Module:
        return ImageUNet(axes, tuple(self.widths), groups=1)

    def _levels(self) -> Tensor:
        """Alpha bar of each of the few levels, evenly spaced over the thousand of the schedule; 1 before the first."""
        steps = torch.linspace(0, 999, self.levels + 1, dtype=torch.float64)[1:].round().long()
        return torch.cat([torch.ones(1, dtype=torch.float64), alphas_bar(self.schedule, 1000)[steps]])

    def _deviation(self, net: nn.Module, here: Tensor, level: Tensor) -> Tensor:
        """Predicted deviation of planes at levels (B,); what lies beyond the limit deviates whole."""
        seen = here.clamp(-LIMIT, LIMIT)
        spread = (1.0 - self._levels()[level.cpu()]).sqrt().float().to(here.device)[:, None, None, None]
        return net(seen, level.to(here) / self.levels) + (here - seen) / spread

    def _loss(self, net: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
        planes, known = batch[:2]
        level = torch.randint(1, self.levels + 1, (len(planes),), generator=generator)
        kept, other = zip(*(self._corruption(plane, generator) for plane in planes.cpu()))
        a = self._levels()[level].float().to(planes.device)
        here, wanted = deviation(planes, torch.stack(other).to(planes), torch.stack(kept).to(planes), a)
        return known_mean((self._deviation(net, here, level.to(planes.device)) - wanted) ** 2, known)

    def _corruption(self, plane: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """What is kept, float (1, h, w), and what stands elsewhere, (k, h, w)."""
        height, width = plane.shape[1:]
        largest = max(1, min(LARGEST, max(height, width) // 2))
        side = int(torch.randint(1, largest + 1, (1,), generator=generator))
        share, gaussian = torch.rand(2, generator=generator).tolist()
        lost = patches(height, width, share * self.corrupted, side, generator)
        noisy = patches(height, width, gaussian, side, generator)
        way = tuple(int(torch.randint(0, n, (1,), generator=generator)) for n in (height, width))
        shuffled = torch.roll(plane, way, (1, 2))
        noise = torch.randn(plane.shape, generator=generator)
        return (~lost).float()[None], torch.where(noisy, noise, shuffled)

    def _corrected(self, planes: Tensor) -> Tensor:
        here, spread = planes, (1.0 - self._levels()).sqrt().tolist()
        for level in range(self.corrections, 0, -1):
            levels = torch.full((planes.shape[0],), level, device=planes.device)
            here = here - (spread[level] - spread[level - 1]) * self._deviation(self.net_, here, levels)
        return here

    def _map(self, planes: Tensor) -> Tensor:
        change = (self._corrected(planes) - planes).abs()
        both = torch.stack([change.amax(dim=1), change.mean(dim=1)], dim=1)
        side = self.neighbourhood
        both = F.avg_pool2d(both, side, 1, side // 2, count_include_pad=False)
        return both.prod(dim=1).sqrt()
