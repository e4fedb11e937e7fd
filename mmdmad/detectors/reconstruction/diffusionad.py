"""DiffusionAD: one-step norm-guided reconstruction, then a head that segments what it changed.

Zhang, Wang, Zeng, Wu, Jiang, "DiffusionAD: Norm-guided One-step Denoising Diffusion for Anomaly Detection", 2023. Two
noise levels: the estimate x^_0^b from the noisier one has forgotten anomalies, but details too; the one from the
lesser level is moved towards it,

    x_s^b = sqrt(a_s) x^_0^b + sqrt(1 - a_s) e(x_s),   e^ = e(x_s) - sqrt(1 - a_s) w (x_s^b - x_s),
    x^_0 = (x_s - sqrt(1 - a_s) e^) / sqrt(a_s)

and a segmentation network sees [x, x^_0]. It learns from synthetic anomalies inside Perlin masks (detectors/
synthetic.py) with 5 focal(gamma 4) + smooth L1; the denoiser learns from normal grids alone. Two calls
of the denoiser and one of the head score a grid.

Differences: the denoiser is trained first and the head on its final reconstructions. Where tokens have many axes the
head does not see them one by one but how much of x and of its change lies in each of sixteen bands of axes: a head over
the axes learns the training grids by heart and the looks of the synthetic anomalies, one over bands has to judge how
far, where and in which shape (on defects drawn on magnetic tiles held out from training, mean AUROC of the whole score
0.70 against 0.63, of the head alone 0.67 against 0.55). It begins as the length of both, and its focal loss has gamma
2. The head's learned part is held within five log-odds by tanh, and it sees values within ten deviations. The score is
the head's log-odds plus `change_weight` times the logarithm of the change, each in standard deviations of training
cells (0: the head alone, as in the paper); the noise is one fixed draw; weights are chosen by held-out loss, where the
authors' code keeps those with the best test result.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.grids import STEPS, GridDenoiser, known_mean
from mmdmad.detectors.kit.segmentation import LIMIT, ODDS, PartScores, focal, log_length
from mmdmad.detectors.kit.synthetic import Mover, synthesise
from mmdmad.device import normal_like
from mmdmad.diffusion.guidance import one_step
from mmdmad.diffusion.noise import Schedule, noise_bank
from mmdmad.diffusion.unets import ImageUNet
from mmdmad.errors import ConfigError

BANDS = 16


class Segmenter(nn.Module):
    """A denoiser, and a head over [x, x^_0] with one log-odds a cell: residual convolutions at full resolution."""

    def __init__(self, axes: int, widths: tuple[int, ...], head_width: int, head_depth: int) -> None:
        super().__init__()
        self.denoiser = ImageUNet(axes, widths, groups=1)
        self.few = axes <= BANDS
        self.lengths = nn.Parameter(torch.tensor([2.0, 2.0]))
        self.bias = nn.Parameter(torch.tensor(-2.0))
        self.enter = nn.Conv2d(2 + (4 * axes if self.few else 2 * (BANDS + 1)), head_width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.SiLU(),
                nn.Conv2d(head_width, head_width, 3, padding=1),
                nn.SiLU(),
                nn.Conv2d(head_width, head_width, 3, padding=1),
            )
            for _ in range(head_depth)
        )
        self.leave = nn.Sequential(nn.SiLU(), nn.Conv2d(head_width, 1, 1))
        for value in self.leave.parameters():
            nn.init.zeros_(value)

    def segment(self, planes: Tensor, norm: Tensor) -> Tensor:
        """Log-odds (B, 1, h, w) that cells of planes (B, k, h, w) with reconstruction `norm` are anomalous."""
        change = planes - norm
        lengths = torch.cat([log_length(planes), log_length(change)], dim=1)
        if self.few:
            seen = [planes.clamp(-LIMIT, LIMIT), norm.clamp(-LIMIT, LIMIT), bands(planes), bands(change)]
        else:
            seen = [bands(planes), bands(change)]
        hidden = self.enter(torch.cat([*seen, lengths], dim=1))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        # The learned part is bounded, so that a token far from anything seen stays anomalous whatever the head learned.
        learned = ODDS * torch.tanh(self.leave(hidden) / ODDS)
        return (lengths * self.lengths[:, None, None]).sum(dim=1, keepdim=True) + self.bias + learned


def bands(planes: Tensor) -> Tensor:
    """Logarithms of the mean squares in `BANDS` groups of neighbouring axes, and of the last axis alone.

    Axes come in order of falling variance, so neighbours are alike; the last is the length of what was left out. Up to
    `BANDS` axes each is a group of its own: (B, k, h, w) → (B, k, h, w) or (B, BANDS + 1, h, w).

    >>> bands(torch.ones(1, 129, 2, 2)).shape, bands(torch.ones(1, 3, 2, 2)).shape
    (torch.Size([1, 17, 2, 2]), torch.Size([1, 3, 2, 2]))
    """
    squares = planes.square()
    if planes.shape[1] > BANDS:
        groups = squares[:, :-1].tensor_split(BANDS, dim=1)
        squares = torch.cat([*(group.mean(dim=1, keepdim=True) for group in groups), squares[:, -1:]], dim=1)
    return torch.log(squares + 1e-2)


@detector(
    About(
        "diffusionad",
        "reconstruction",
        "Zhang et al., 2023",
        "minutes",
        needs="grids gain; others are strips",
        branch="conditional",
        formula="head([x, x0]), x0 = one-step reconstruction guided by a noisier one; head learned on synthetic faults",
        use="Grids and pictures where sharp outlines of local faults are wanted and synthetic faults resemble "
        "real ones.",
        avoid="Anomalies unlike any synthetic one (missing parts, global changes); items without a grid.",
        fidelity="reduced",
        differs="Denoiser and head are trained one after the other, the head sees bands of axes where there are "
        "many, the change itself is added to its log-odds, and pieces of other training items are the "
        "texture.",
    )
)
class DiffusionAD(PartScores, GridDenoiser):
    """Log-odds of a head that was taught synthetic anomalies, beside a one-step reconstruction.

    near, far: the two steps of 1000 at test (200 and 400 in the paper; in training they are drawn below and above
    300); weight: w above. head_width, head_depth: channels and residual blocks of the head. change_weight: share of the
    change beside the head. steps: optimiser steps of each of the two networks.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> made = DiffusionAD(steps=60, widths=(8,), head_width=8).fit(X)
    >>> scores = made.decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        near: int = 200,
        far: int = 400,
        weight: float = 1.0,
        schedule: Schedule = "linear",
        widths: tuple[int, ...] = (32, 64),
        head_width: int = 32,
        head_depth: int = 2,
        change_weight: float = 1.0,
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
        self.near, self.far, self.weight, self.schedule = near, far, weight, schedule
        self.widths, self.head_width, self.head_depth, self.change_weight = (
            widths,
            head_width,
            head_depth,
            change_weight,
        )
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not 0 <= self.near < self.far < STEPS or self.weight < 0:
            raise ConfigError(
                f"near={self.near}, far={self.far}, weight={self.weight} were given; allowed are "
                f"0 <= near < far < {STEPS}, weight >= 0"
            )
        if self.head_width < 1 or self.head_depth < 0 or self.change_weight < 0:
            raise ConfigError(
                f"head_width={self.head_width}, head_depth={self.head_depth}, change_weight={self.change_weight} were "
                "given; allowed are a positive width and no negative depth or weight"
            )

    def _build(self, axes: int) -> nn.Module:
        return Segmenter(axes, tuple(self.widths), self.head_width, self.head_depth)

    net_: Segmenter

    def _learn(self, rows: list[Tensor], owner: Tensor) -> None:
        self.history_ = self._train(self.net_.denoiser, self._loss, rows, owner)
        self.net_.denoiser.requires_grad_(False)
        mover = Mover.of(self.space_)

        def loss(net: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
            return self._head_loss(net, batch, mover, generator)

        self.head_history_ = self._train(self.net_, loss, rows, owner, "-head")
        self.net_.requires_grad_(True)  # frozen weights take other kernels than those of a loaded network
        self._standardise(*rows[:2])

    def _norm(self, net: Segmenter, planes: Tensor, noise: Tensor, near: int, far: int) -> Tensor:
        close, distant = self._path([near, far])
        with torch.no_grad():
            return one_step(self._eps(net.denoiser), planes, noise, close, distant, self.weight)

    def _head_loss(self, net: nn.Module, batch: list[Tensor], mover: Mover, generator: torch.Generator) -> Tensor:
        assert isinstance(net, Segmenter)
        device = batch[0].device
        cells = [part.cpu() for part in batch]
        planes, mask = (made.to(device) for made in synthesise(cells[0], cells[1], cells[2], mover, generator))
        near = int(torch.randint(0, 300, (1,), generator=generator))
        far = int(torch.randint(300, STEPS, (1,), generator=generator))
        noise = normal_like(planes, generator)
        logits = net.segment(planes, self._norm(net, planes, noise, near, far))
        smooth = F.smooth_l1_loss(logits.sigmoid(), mask, reduction="none")
        return known_mean(5.0 * focal(logits, mask) + smooth, batch[1])

    def _weights(self) -> tuple[float, ...]:
        return 1.0, self.change_weight

    def _parts(self, planes: Tensor) -> tuple[Tensor, ...]:
        noise = noise_bank(1, planes.shape[1:], self.seed).to(planes.device)
        norm = self._norm(self.net_, planes, noise, self.near, self.far)
        return self.net_.segment(planes, norm), log_length(planes - norm)
