"""TransFusion: an anomaly is made transparent step by step, while the network says where it is.

Fucka, Zavrtanik, Skocaj, "TransFusion - A Transparency-Based Diffusion Model for Anomaly Detection", ECCV 2024. The
process (diffusion/transparency.py) has no Gaussian noise: x_t shows an anomaly of appearance e at opacity b_t inside a
mask M. A UNet sees x_t and the mask of the step before and predicts b_t e, x_0 and M; at test it starts from the grid
itself at full opacity and goes down,

    x_{t-1} = x_t - (b_t - b_{t-1}) / b_t M^ (b_t e)^ + (b_t - b_{t-1}) M^ x^_0,    M^ = 1[sigmoid(m) > 1/2]

Loss: squared error of b_t e and of the next step, absolute error of x_0, 5 focal + smooth L1 of the mask. Half of the
training grids hold a synthetic anomaly (detectors/synthetic.py). Score: 0.95 of the mean mask over the steps and 0.05
of the change, averaged over a few cells.

Differences: axes are features, for which the structural similarity of pictures means nothing, so that term is left out;
the mask counts by its log-odds, which begin as the length of a token and do not saturate, the change by the logarithm
of its mean square, and both in standard deviations of normal cells; the network sees tokens within ten deviations; the
mask of the step before is shown in half of the training grids, none in the others, as in the first step at test.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.grids import known_mean
from mmdmad.detectors.kit.segmentation import LIMIT, ODDS, PartScores, focal, log_length
from mmdmad.detectors.kit.synthetic import Mover, synthesise
from mmdmad.diffusion.transparency import fade_in, fade_out_step
from mmdmad.diffusion.unets import ImageUNet
from mmdmad.errors import ConfigError


class Transparency(nn.Module):
    """A UNet from [x_t, mask] to estimates of what the anomaly adds, of x_0, and of the mask's log-odds."""

    def __init__(self, axes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes
        self.unet = ImageUNet(axes + 2, widths, groups=1, out=2 * axes + 1)
        self.length, self.bias = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.tensor(-2.0))

    def forward(self, here: Tensor, mask: Tensor, opacity: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """here (B, k, h, w), mask (B, 1, h, w), opacity (B,) → b_t e, x_0 and log-odds."""
        seen, length = here.clamp(-LIMIT, LIMIT), log_length(here)
        out = self.unet(torch.cat([seen, length, mask], dim=1), opacity)
        shown, less, odds = out.split([self.axes, self.axes, 1], dim=1)
        return seen + shown, seen - less, self.length * length + self.bias + ODDS * torch.tanh(odds / ODDS)


@detector(
    About(
        "transfusion",
        "hybrid",
        "Fucka et al., ECCV 2024",
        "minutes",
        needs="grids gain; others are strips",
        branch="adaptive",
        formula="0.95 mean mask + 0.05 |x - x_0| over steps in which the anomaly turns transparent",
        use="Grids where the outline of an anomaly matters: it gives a mask.",
        avoid="Where synthetic anomalies (moved pieces) are unlike the real ones; items without a grid.",
        fidelity="reduced",
        differs="No structural similarity in the loss; the mask counts by its log-odds with a token's length as "
        "start, both parts in standard deviations of normal cells; pieces of other training items are the "
        "anomalies.",
    )
)
class TransFusion(PartScores):
    """Mean mask over the steps in which an anomaly is made transparent, with a share of the change.

    opacities: how many b_t there are from 0 to 1 (20 in the paper, one network call for each but the first).
    mask_weight: share of the mask in the score (0.95); the rest is the change. neighbourhood: side of the square of
    cells over which both are averaged (odd).

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> made = TransFusion(steps=60, widths=(8,)).fit(X)
    >>> scores = made.decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    net_: Transparency

    def __init__(
        self,
        opacities: int = 20,
        mask_weight: float = 0.95,
        neighbourhood: int = 3,
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
        self.opacities, self.mask_weight, self.neighbourhood, self.widths = (
            opacities,
            mask_weight,
            neighbourhood,
            widths,
        )
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        odd = self.neighbourhood > 0 and self.neighbourhood % 2
        if self.opacities < 2 or not 0 <= self.mask_weight <= 1 or not odd:
            raise ConfigError(
                f"opacities={self.opacities}, mask_weight={self.mask_weight}, neighbourhood={self.neighbourhood} were "
                "given; allowed are opacities >= 2, 0 <= mask_weight <= 1 and an odd neighbourhood"
            )

    def _build(self, axes: int) -> nn.Module:
        return Transparency(axes, tuple(self.widths))

    def _learn(self, rows: list[Tensor], owner: Tensor) -> None:
        self._mover = Mover.of(self.space_)
        super()._learn(rows, owner)
        self._standardise(*rows[:2])

    def _loss(self, net: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
        device, known = batch[0].device, batch[1]
        clean, around, place = (part.cpu() for part in batch)
        appearance, mask = (made.to(device) for made in synthesise(clean, around, place, self._mover, generator))
        clean = batch[0]
        level = torch.randint(1, self.opacities, (len(clean),), generator=generator)
        hinted = (torch.rand(len(clean), generator=generator) < 0.5).float()[:, None, None, None].to(device)
        high, low = ((step / (self.opacities - 1)).to(device) for step in (level, level - 1))
        here = fade_in(clean, appearance, mask, high)
        shown, guess, odds = net(here, mask * hinted, high)
        below = fade_out_step(here, shown, guess, mask, high, low)
        smooth = F.smooth_l1_loss(odds.sigmoid(), mask, reduction="none")
        each = (
            mask * (shown - high[:, None, None, None] * appearance) ** 2
            + (guess - clean).abs()
            + (below - fade_in(clean, appearance, mask, low)) ** 2
        )
        return known_mean(each, known) + known_mean(5.0 * focal(odds, mask) + smooth, known)

    def _weights(self) -> tuple[float, ...]:
        return self.mask_weight, 1.0 - self.mask_weight

    def _parts(self, planes: Tensor) -> tuple[Tensor, ...]:
        here, mask, total = planes, torch.zeros_like(planes[:, :1]), torch.zeros_like(planes[:, :1])
        last = self.opacities - 1
        for level in range(last, 0, -1):
            opacity = torch.full((planes.shape[0],), level / last, device=planes.device)
            shown, guess, odds = self.net_(here, mask, opacity)
            total, mask = total + odds, (odds > 0).to(planes)
            here = fade_out_step(here, shown, guess, mask, level / last, (level - 1) / last)
        parts = (total / last, log_length(planes - guess))
        side = self.neighbourhood
        return tuple(F.avg_pool2d(part, side, 1, side // 2, count_include_pad=False) for part in parts)
