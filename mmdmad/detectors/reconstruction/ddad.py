"""DDAD: reconstruct a grid while steering towards the grid itself, compare in features and in values.

Mousakhan, Brox, Tayyub, "Anomaly Detection with Conditioned Denoising Diffusion Models", 2023. The grid is noised to
step `start` of 1000 and denoised in `walk` steps, each steered towards y = x:

    y_t = sqrt(a) y + sqrt(1 - a) e(x_t),   e^ = e(x_t) - sqrt(1 - a) w (y_t - x_t)

so that normal detail stays and only what the model cannot explain changes. The map is f + v (F / I) i with i the mean
absolute change over the axes and f one minus the cosine between features averaged over 3 x 3 cells; F and I are the
largest f and i. The authors take them from the batch under test; here they come from the training grids, so that a
score does not depend on its batch. Features are the tokens themselves; where tokens are pixels, f is left out. Their
w is chosen per category on test results; here one value serves all. The fine-tuning of the feature extractor is not
done: it lies before the detector.
"""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.grids import STEPS, GridDenoiser, planes_at_once
from mmdmad.diffusion.guidance import guided_walk
from mmdmad.diffusion.noise import Schedule, add_noise, noise_bank, spaced_steps
from mmdmad.errors import ConfigError
from mmdmad.saved import require

FEATURES = 16  # tokens with at least so many values are features, with fewer they are pixels


@detector(
    About(
        "ddad",
        "reconstruction",
        "Mousakhan et al., 2023",
        "minutes",
        needs="grids gain; others are strips",
        branch="conditional",
        formula="f + v (F / I) i; i = |x - x_hat|, f = 1 - cos of features, x_hat steered towards x by weight w",
        use="Grids with fine normal detail that plain reconstruction loses.",
        avoid="Where an anomaly is mild: steering towards the item keeps it; items without a grid.",
        fidelity="reduced",
        differs="One step back without noise instead of ten with it, w is one for all, tokens stand for features of "
        "a fine-tuned extractor, F / I comes from the training grids, and the map is not smoothed.",
    )
)
class ConditionedDenoising(GridDenoiser):
    """Distance between a grid and its reconstruction steered towards it.

    weight: w above, 0 is plain DDIM. start, walk, eta: how far to noise (250 in the paper), network calls back (10 in
    the paper; one finds more here on every set tried, docs/results.md), and DDIM's noise (1 in the paper; 0 scores
    steadier from few draws). value_weight: v above. repeats: fixed noise
    draws averaged.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> made = ConditionedDenoising(steps=30, widths=(8,)).fit(X)
    >>> scores = made.decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        weight: float = 0.5,
        start: int = 250,
        walk: int = 1,
        eta: float = 0.0,
        value_weight: float = 1.0,
        repeats: int = 1,
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
        self.weight, self.start, self.walk, self.eta = weight, start, walk, eta
        self.value_weight, self.repeats = value_weight, repeats
        self.schedule, self.widths = schedule, widths
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
        if self.weight < 0 or self.value_weight < 0 or not 0 <= self.eta <= 1:
            raise ConfigError(
                f"weight={self.weight}, value_weight={self.value_weight}, eta={self.eta} were given; allowed are "
                "weights of at least 0 and 0 <= eta <= 1"
            )

    def _learn(self, rows: list[Tensor], owner: Tensor) -> None:
        super()._learn(rows, owner)
        planes, known = rows[:2]
        largest = torch.zeros(2)
        with torch.no_grad():
            device = next(self.net_.parameters()).device
            for chunk, own in zip(*(part[:256].split(planes_at_once(planes.shape[2:])) for part in (planes, known))):
                maps = torch.stack(self._distances(chunk.to(device))).cpu() * own[None, :, 0]
                largest = torch.maximum(largest, maps.amax(dim=(1, 2, 3)))
        features, values = largest.tolist()
        self.ratio_ = features / values if features and values else 1.0

    def _reconstruct(self, planes: Tensor) -> Tensor:
        path, eps = self._path(spaced_steps(self.start, self.walk + 1)[::-1]), self._eps(self.net_)
        bank = noise_bank(self.repeats * (1 + self.walk), planes.shape[1:], self.seed).to(planes.device)
        back = torch.zeros_like(planes)
        for draw in bank.split(1 + self.walk):
            begin = add_noise(planes, draw[0].expand_as(planes), path[0])
            back = back + guided_walk(eps, begin, planes, path, self.weight, self.eta, list(draw[1:]))
        return back / self.repeats

    def _distances(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Feature distance and mean absolute change, (B, h, w) each; the first is 0 where tokens are pixels."""
        back = self._reconstruct(planes)
        values = (back - planes).abs().mean(dim=1)
        if self.n_features_in_ < FEATURES:
            return torch.zeros_like(values), values
        ours, theirs = (F.avg_pool2d(self._features(p), 3, 1, 1, count_include_pad=False) for p in (planes, back))
        return 1.0 - F.cosine_similarity(ours, theirs, dim=1), values

    def _features(self, planes: Tensor) -> Tensor:
        """Planes (B, k, h, w) as features (B, D, h, w), around the mean and scale of all positions together."""
        space = self.space_
        axes = planes.movedim(1, -1)
        if space.left_out:
            unwhitened = np.sqrt(space.variance + space.rest).astype(np.float32)
            axes = (axes[..., :-1] * torch.from_numpy(unwhitened).to(axes)) @ torch.from_numpy(space.basis.T).to(axes)
        mean, scale = torch.from_numpy(space.mean[-1]).to(axes), torch.from_numpy(space.scale[-1]).to(axes)
        return (axes * scale + mean).movedim(-1, 1)

    def _map(self, planes: Tensor) -> Tensor:
        features, values = self._distances(planes)
        return features + self.value_weight * self.ratio_ * values

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return arrays, {**values, "ratio": self.ratio_}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        self.ratio_ = float(values["ratio"])
        require(self.ratio_ > 0, f"a ratio of {self.ratio_} is not above 0")
