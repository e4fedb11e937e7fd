"""What detectors with a network over whole grids share: tokens laid out as planes, one training, fixed-size scoring.

A grid of h x w tokens is one plane of k axes, (k, h, w); a clip of f frames is f planes. Layouts that lie along one
line only (vectors, series, pieces of text) are planes of one row, so a network that mixes neighbours serves them too.
Axes are standardised, and whitened where they were rotated: a unit Gaussian is then what a token looks like alone,
and the network has to learn only what its neighbours say about it.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import Detector
from mmdmad.detectors.items import some
from mmdmad.detectors.kit.chunks import groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.diffusion.denoisers import build
from mmdmad.diffusion.noise import Schedule, add_noise, alpha_bars, alphas_bar
from mmdmad.diffusion.prediction import target, to_eps
from mmdmad.diffusion.steppers import Eps
from mmdmad.diffusion.training import History, Plan, train
from mmdmad.diffusion.unets import ImageUNet
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens

CELLS = 4096  # cells in one pass of the network
STEPS = 1000
COMPONENTS = 128
GridLoss = Callable[[nn.Module, list[Tensor], torch.Generator], Tensor]


def planes_of(layout: Layout) -> tuple[int, int, int]:
    """Number, rows and columns of the planes a layout is cut into.

    >>> planes_of(Layout("grid", (4, 6))), planes_of(Layout("frames", (5, 2, 3))), planes_of(Layout("spans", (7,)))
    ((1, 4, 6), (5, 2, 3), (1, 1, 7))
    """
    if layout.kind == "grid" and len(layout.shape) == 2:
        return (1, *layout.shape)
    if layout.kind == "frames" and len(layout.shape) == 3:
        return layout.shape
    return (1, 1, len(layout))


class GridDetector(Detector):
    """A detector whose network sees whole planes.

    Constructor arguments every subclass has: `widths` (channels of the network from fine to coarse), `steps`
    (optimiser steps at most), `batch` (planes a step), `learning_rate`, `components` (principal axes kept; the length
    of what is left out is one more axis), `per_position`, `contamination` (share of the training items, those most
    under suspicion, that the network never sees), `top`, `seed`.
    """

    _unseen_by = "split"
    widths: tuple[int, ...]
    steps: int
    batch: int
    learning_rate: float
    components: int | Literal["auto"]
    per_position: bool | Literal["auto"]
    no_export: ClassVar[str] = ""  # why `export` cannot write this detector; empty where it can

    @classmethod
    def obstacle(cls) -> str:
        """Why detectors of this class cannot be exported; "" where they can."""
        return cls.no_export or ("" if cls._score is GridDetector._score else "its score does not end with the network")

    def _graph(self) -> nn.Module:
        from mmdmad.detectors.kit.graphs import GridGraph

        return GridGraph(self, self.space_, self.net_)

    def _check_params(self) -> None:
        super()._check_params()
        if self.steps < 1 or self.batch < 1 or self.learning_rate <= 0:
            raise ConfigError(
                f"steps={self.steps}, batch={self.batch}, learning_rate={self.learning_rate} were given; "
                "all must be positive"
            )
        if not self.widths or any(width < 8 or width % 8 for width in self.widths):
            raise ConfigError(f"widths={tuple(self.widths)} were given; allowed are one or more multiples of 8")

    @abstractmethod
    def _build(self, axes: int) -> nn.Module:
        """The network for planes of `axes` channels."""

    @abstractmethod
    def _loss(self, net: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
        """Loss of each plane (B,) for a batch of planes (B, k, h, w), known and place (B, 1, h, w).

        known is 0 where a plane was padded; place is the row of each cell's position in the feature space.
        """

    @abstractmethod
    def _map(self, planes: Tensor) -> Tensor:
        """Token scores (B, h, w) of planes (B, k, h, w) with `self.net_`; must treat each plane apart.

        `export` traces it: the batch size is `planes.shape[0]`, not `len(planes)`, which would fix it; numbers that do
        not depend on the planes come from cached functions.
        """

    def _fit(self, items: Sequence[Tokens]) -> None:
        items = some(items, unsuspicious(items, self.contamination, self.top, self.seed))
        components = COMPONENTS if self.components == "auto" else self.components
        self.space_ = FeatureSpace.fit(items, components, self.per_position)
        self.net_ = build(lambda: self._build(self._axes()), self.seed)
        planes, known, owner = canvas([self._planes(item) for item in items])
        place, _, _ = canvas([self._place(item) for item in items])
        self.shape_ = (planes.shape[2], planes.shape[3])
        self._learn([planes, known, place], owner)

    def _settled(self) -> dict[str, Any]:
        return {"per_position": bool(len(self.space_.positions))}

    def _learn(self, rows: list[Tensor], owner: Tensor) -> None:
        """Train on planes, known and place; subclasses with several networks train one after the other."""
        self.history_ = self._train(self.net_, self._loss, rows, owner)

    def _train(self, net: nn.Module, loss: GridLoss, rows: list[Tensor], owner: Tensor, stage: str = "") -> History:
        plan = Plan(self.steps, self.batch, self.learning_rate, seed=self.seed)
        title = self.about.name + stage
        return train(
            net,
            rows,
            loss,
            plan,
            owner=owner,
            checkpoint=None if self._work is None else self._work / f"{title}.safetensors",
            progress=self._progress,
            title=title,
        )

    def _axes(self) -> int:
        return self.space_.width + (1 if self.space_.left_out else 0)

    def _planes(self, item: Tokens) -> np.ndarray:
        """An item's planes, float32 (n, k, h, w)."""
        axes, residual = self.space_.transform(item.values, item.layout.positions())
        if self.space_.left_out:
            axes = axes / np.sqrt(self.space_.variance + self.space_.rest)
            usual = np.sqrt(max(self.space_.rest * self.space_.left_out, 1e-12))
            axes = np.concatenate([axes, (np.sqrt(residual) / usual - 1.0)[:, None]], axis=1)
        cut = axes.reshape(*planes_of(item.layout), axes.shape[1])
        return np.ascontiguousarray(cut.transpose(0, 3, 1, 2), np.float32)

    def _place(self, item: Tokens) -> np.ndarray:
        """Row of each cell's position in the feature space, float32 (n, 1, h, w)."""
        count, height, width = planes_of(item.layout)
        row = self.space_.index(item.layout.positions())
        return row.reshape(count, 1, height, width).astype(np.float32)

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = [np.empty(0)] * len(items)
        device = next(self.net_.parameters()).device

        def score(chunk: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                return self._map(torch.from_numpy(chunk).to(device)).cpu().double().numpy()

        done = 0
        for group in groups(items):
            made = [self._planes(item) for item in group]
            for shape in sorted({planes.shape[2:] for planes in made}):
                mine = [i for i, planes in enumerate(made) if planes.shape[2:] == shape]
                maps = in_chunks(score, np.concatenate([made[i] for i in mine]), planes_at_once(shape))
                for i, own in zip(mine, np.split(maps, np.cumsum([len(made[i]) for i in mine])[:-1])):
                    scores[done + i] = own.ravel()
            done += len(group)
        return scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        weights = {f"net.{name}": value.cpu().numpy() for name, value in self.net_.state_dict().items()}
        return {**self.space_.arrays(), **weights}, {"shape": list(self.shape_)}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        height, width = values["shape"]
        self.shape_ = (int(height), int(width))
        self.net_ = build(lambda: self._build(self._axes()), self.seed)
        named = {
            name.removeprefix("net."): torch.from_numpy(a) for name, a in arrays.items() if name.startswith("net.")
        }
        self.net_.load_state_dict(named)
        self.net_.eval()


class GridDenoiser(GridDetector):
    """A grid detector on a diffusion UNet; `schedule` is a constructor argument.

    The network predicts v (Salimans and Ho, ICLR 2022), from which the noise follows: with whitened axes v = 0 is the
    best answer for a Gaussian token without neighbours, so training begins there, and a plane far from normal is not
    copied.
    """

    schedule: Schedule

    def _build(self, axes: int) -> nn.Module:
        return ImageUNet(axes, tuple(self.widths), groups=1)

    def _noise(self, planes: Tensor, generator: torch.Generator) -> Tensor:
        """Noise like `planes` (B, k, h, w), on the CPU."""
        return torch.randn(planes.shape, generator=generator)

    def _loss(self, net: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
        planes, known = batch[:2]
        level = torch.randint(0, STEPS, (len(planes),), generator=generator)
        a = alphas_bar(self.schedule, STEPS)[level].float().to(planes.device)
        noise = self._noise(planes, generator).to(planes.device)
        guess = net(add_noise(planes, noise, a), (level / STEPS).to(planes.device))
        return known_mean((guess - target("v", planes, noise, a)) ** 2, known)

    def _eps(self, net: nn.Module) -> Eps:
        """A trained network as eps(x_t, alpha bar); between two steps of the schedule the time is interpolated."""
        rising = alpha_bars(self.schedule, STEPS)[::-1]

        def eps(noisy: Tensor, level: float) -> Tensor:
            step = float(np.interp(level, rising, np.arange(STEPS)[::-1]))
            time = torch.full((noisy.shape[0],), step / STEPS, device=noisy.device, dtype=noisy.dtype)
            return to_eps(net(noisy, time), noisy, level, "v")

        return eps

    def _path(self, steps: Sequence[int]) -> list[float]:
        """Alpha bars of these steps of the schedule."""
        return [alpha_bars(self.schedule, STEPS)[step] for step in steps]


def planes_at_once(shape: tuple[int, ...]) -> int:
    """Planes of one shape (h, w) that go through the network together, always the same number.

    >>> planes_at_once((1, 1)), planes_at_once((16, 16)), planes_at_once((128, 128))
    (64, 16, 1)
    """
    return int(np.clip(CELLS // (shape[0] * shape[1]), 1, 64))


def canvas(planes: Sequence[np.ndarray]) -> tuple[Tensor, Tensor, Tensor]:
    """Items' planes (n_i, k, h_i, w_i) on one common size: planes (N, k, h, w), known (N, 1, h, w), owner (N,).

    >>> planes, known, owner = canvas([np.ones((2, 3, 1, 4), np.float32), np.ones((1, 3, 1, 2), np.float32)])
    >>> planes.shape, known.sum((1, 2, 3)).tolist(), owner.tolist()
    (torch.Size([3, 3, 1, 4]), [4.0, 4.0, 2.0], [0, 0, 1])
    """
    count, height, width = (
        sum(len(part) for part in planes),
        *(max(part.shape[axis] for part in planes) for axis in (2, 3)),
    )
    wide = np.zeros((count, planes[0].shape[1], height, width), np.float32)
    known = np.zeros((count, 1, height, width), np.float32)
    start = 0
    for part in planes:
        here = slice(start, start + len(part))
        wide[here, :, : part.shape[2], : part.shape[3]] = part
        known[here, :, : part.shape[2], : part.shape[3]] = 1.0
        start += len(part)
    owner = np.repeat(np.arange(len(planes)), [len(part) for part in planes])
    return torch.from_numpy(wide), torch.from_numpy(known), torch.from_numpy(owner)


def known_mean(values: Tensor, known: Tensor) -> Tensor:
    """Mean over each plane's own tokens (B,) of values (B, k, h, w), padding left out.

    >>> known_mean(torch.ones(1, 2, 1, 3), torch.tensor([[[[1.0, 1.0, 0.0]]]]))
    tensor([1.])
    """
    return (values.mean(dim=1, keepdim=True) * known).sum(dim=(1, 2, 3)) / known.sum(dim=(1, 2, 3)).clamp(min=1.0)
