"""GLAD: every grid is noised only as far as it needs, and only its odd places are rebuilt.

Yao et al., "GLAD: Towards Better Reconstruction with Global and Local Adaptive Diffusion Models for Unsupervised
Anomaly Detection", ECCV 2024. Three parts:

- Training on anomalies: the grid that is noised holds a synthetic anomaly with share t / T, the target is the noise
  that leads back to the normal grid (diffusion/deviation.py).
- Adaptive step: on the way down from step `start` the clean estimate of the reconstruction is compared with that of
  the noised grid itself under the same predicted noise. As soon as they differ by more than they do on normal grids,
  or at step `least`, the way is long enough: what is anomalous is gone, what is normal need not be lost. Differences
  are squared, averaged over the axes and over 3 x 3 cells; a grid's is the mean of its ten highest cells.
- Fusion: there the two are mixed, z = w z_rec + (1 - w) z_in with w = sigmoid of the standardised difference, so that
  normal places keep their detail; the rest of the way starts from z.

Score: mean squared change. Where the authors take start, threshold and least step from a table per category, the
threshold here is a quantile over training grids at each step; the distance is that of the tokens, the authors' is
between tokens of a vision transformer.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.grids import STEPS, GridDenoiser, known_mean, planes_at_once
from mmdmad.detectors.kit.synthetic import Mover, synthesise
from mmdmad.device import normal_like
from mmdmad.diffusion.deviation import anomaly_oriented
from mmdmad.diffusion.noise import Schedule, add_noise, alphas_bar, noise_bank, rowwise
from mmdmad.diffusion.prediction import target
from mmdmad.diffusion.steppers import ddim_step
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require

JUDGED = 256  # training planes from which usual differences are learned


@detector(
    About(
        "glad",
        "hybrid",
        "Yao et al., ECCV 2024",
        "minutes",
        needs="grids gain; others are strips",
        branch="adaptive",
        formula="|x - x_rec|^2, noised only until the estimates of x_rec and x differ, mixed by their difference",
        use="Grids with anomalies of very different size: each gets the noise it needs.",
        avoid="Where one noise level serves all: several network calls more an item; items without a grid.",
        fidelity="reduced",
        differs="A small UNet over tokens instead of Stable Diffusion, the tokens' own distance instead of a "
        "vision transformer's, and one threshold a step by training quantile instead of a table per "
        "category.",
    )
)
class GLAD(GridDenoiser):
    """Squared change by a reconstruction whose noise level and place adapt to the grid.

    start, least: the noisiest step of 1000 and the one at which adapting ends (500 and 350 in the paper); walk: network
    calls from `start` to 0. rate: share of normal grids that may end the way early at each step.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> made = GLAD(steps=60, widths=(8,)).fit(X)
    >>> scores = made.decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        start: int = 500,
        least: int = 350,
        walk: int = 10,
        rate: float = 0.05,
        schedule: Schedule = "linear",
        widths: tuple[int, ...] = (32, 64),
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
        self.start, self.least, self.walk, self.rate = start, least, walk, rate
        self.schedule, self.widths = schedule, widths
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not 1 <= self.least <= self.start < STEPS or self.walk < 1 or not 0 < self.rate < 1:
            raise ConfigError(
                f"start={self.start}, least={self.least}, walk={self.walk}, rate={self.rate} were given; allowed are "
                f"1 <= least <= start < {STEPS}, walk >= 1, 0 < rate < 1"
            )

    def _learn(self, rows: list[Tensor], owner: Tensor) -> None:
        self._mover = Mover.of(self.space_)
        super()._learn(rows, owner)
        self._learn_usual(*rows[:2])

    def _loss(self, net: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
        planes, known = batch[:2]
        cells = [part.cpu() for part in batch]
        odd, _ = synthesise(cells[0], cells[1], cells[2], self._mover, generator)
        level = torch.randint(0, STEPS, (len(planes),), generator=generator)
        a, share = (part.float().to(planes.device) for part in (alphas_bar(self.schedule, STEPS)[level], level / STEPS))
        noise = normal_like(planes, generator)
        noisy, towards = anomaly_oriented(planes, odd.to(planes.device), noise, a, share)
        # The same target as a velocity, which stays bounded where there is hardly any noise.
        return known_mean((net(noisy, share) - target("v", planes, towards, a)) ** 2, known)

    def _steps(self) -> list[int]:
        """Steps of the way down; those down to `least` are where it may be cut short."""
        return sorted({round(s) for s in np.linspace(self.start, 0, self.walk + 1)}, reverse=True)

    def _judging(self) -> list[int]:
        """Places on the way at which the difference is looked at, the last one ending the search."""
        steps = self._steps()
        return [n for n, step in enumerate(steps[:-1]) if step >= self.least] or [0]

    def _learn_usual(self, planes: Tensor, known: Tensor) -> None:
        """Per step: the quantile of the planes' differences, mean and standard deviation of the cells'."""
        device, size = next(self.net_.parameters()).device, planes_at_once(planes.shape[2:])
        per_step: list[list[np.ndarray]] = [[] for _ in self._judging()]
        cells: list[list[np.ndarray]] = [[] for _ in self._judging()]
        with torch.no_grad():
            for chunk, own in zip(planes[:JUDGED].split(size), known[:JUDGED].split(size)):
                for n, difference in enumerate(self._differences(chunk.to(device))):
                    seen = torch.where(own[:, 0] > 0, difference.cpu(), torch.nan).double().numpy()
                    per_step[n].append(np.array([_highest(plane[np.isfinite(plane)]) for plane in seen]))
                    cells[n].append(seen[np.isfinite(seen)])
        keep = 1.0 - self.contamination
        table = []
        for whole, parts in zip(per_step, cells):
            highest, every = np.sort(np.concatenate(whole)), np.sort(np.concatenate(parts))
            highest, every = (part[: max(1, round(len(part) * keep))] for part in (highest, every))
            table.append([np.quantile(highest, 1.0 - self.rate), every.mean(), every.std() + 1e-6])
        self.usual_ = np.array(table, np.float32)

    def _differences(self, planes: Tensor) -> list[Tensor]:
        """Differences (B, h, w) at each judged step when the way is never cut short."""
        found: list[Tensor] = []
        self._go(planes, found.append)
        return found

    def _reconstruct(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """The reconstruction, and the number of the judged step (B,) at which each plane's way was cut short."""
        return self._go(planes, None)

    def _go(self, planes: Tensor, look: Callable[[Tensor], None] | None) -> tuple[Tensor, Tensor]:
        path, judged, eps = self._path(self._steps()), self._judging(), self._eps(self.net_)
        noise = noise_bank(1, planes.shape[1:], self.seed).to(planes.device).expand_as(planes)
        here = add_noise(planes, noise, path[0])
        cut = torch.full((planes.shape[0],), -1, device=planes.device)
        for n, (a, b) in enumerate(pairwise(path)):
            guess = eps(here, a)
            if n in judged:
                given = add_noise(planes, noise, a)
                # Both clean estimates share the predicted noise, so they differ as the noised planes do.
                difference = _smooth(((here - given) / a**0.5).square().mean(dim=1))
                if look is not None:
                    look(difference)
                else:
                    limit, mean, deviation = self.usual_[n].tolist()
                    ends = (_highest_of(difference) > limit) | (n == judged[-1])
                    now = ends & (cut < 0)
                    weight = torch.sigmoid((difference - mean) / deviation)[:, None]
                    here = torch.where(rowwise(now, here) > 0, weight * here + (1.0 - weight) * given, here)
                    cut = torch.where(now, n, cut)
                    guess = eps(here, a)
            here = ddim_step(here, guess, a, b)
        return here, cut

    def _map(self, planes: Tensor) -> Tensor:
        return (self._reconstruct(planes)[0] - planes).square().mean(dim=1)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return {**arrays, "usual": self.usual_}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        check_arrays(arrays, {"usual": f"f {len(self._judging())} 3"})
        require((arrays["usual"][:, 2] > 0).all(), "a usual deviation is not above 0")
        self.usual_ = arrays["usual"]


def _smooth(cells: Tensor) -> Tensor:
    return F.avg_pool2d(cells[:, None], 3, 1, 1, count_include_pad=False)[:, 0]


def _highest_of(difference: Tensor) -> Tensor:
    """Mean of the ten highest cells of each plane (B, h, w), as in the paper."""
    flat = difference.flatten(1)
    return flat.topk(min(10, flat.shape[1]), dim=1).values.mean(dim=1)


def _highest(cells: np.ndarray) -> float:
    return float(np.sort(cells)[-10:].mean())
