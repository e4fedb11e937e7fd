"""What an exported detector computes: raw tokens in, token scores out.

A graph holds the input normalisation, the network, every step of the scoring rule with its fixed noise draws, and the
density of the training vectors where the rule ends in one. Networks over single tokens take any number M of them;
networks over grids take planes of the size of the training ones, networks over sequences take windows of their own
length. Steps of a sampler are unrolled.

The detector stays `Any` here: the kinds of detectors build their own graph, so they stand above this.
"""

import copy
from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.kit.features import LIMIT, FeatureSpace
from mmdmad.detectors.kit.windows import Windows
from mmdmad.errors import ExportError
from mmdmad.tokens import ROUNDING


class Graph(nn.Module):
    """Raw tokens and, where the detector knows positions, position numbers → scores float64 of the same shape."""

    positions: Tensor
    mean: Tensor
    scale: Tensor
    basis: Tensor
    inputs = "tokens (M, D) and, where positions were learned, position (M,)"

    def __init__(self, detector: Any, space: FeatureSpace, net: nn.Module) -> None:
        super().__init__()
        self.net = copy.deepcopy(net).cpu().eval()
        self._detector = copy.copy(detector)
        self._detector.net_ = self.net
        self.places, self.left_out = len(space.positions), space.left_out
        self._must_fit_float32(detector, space)
        self.usual = float(np.sqrt(max(space.rest * space.left_out, 1e-12)))
        for name in ("positions", "mean", "scale", "basis"):
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(getattr(space, name))))

    def _must_fit_float32(self, detector: Any, space: FeatureSpace) -> None:
        lost = space.scale < ROUNDING * float(np.finfo(np.float32).eps) * np.abs(space.mean)
        if lost.any():
            row, feature = np.argwhere(lost)[0].tolist()
            raise ExportError(
                f"{detector.about.name} cannot be exported: graphs take float32, and feature {feature} lies at "
                f"{space.mean[row, feature]:g} with a spread of {space.scale[row, feature]:g}, which float32 does not "
                "hold; subtract an offset from it (scikit-learn's StandardScaler does) and fit again"
            )

    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of what is scored together, without its number; () for single tokens."""

    def example(self, width: int, rows: int) -> dict[str, Tensor]:
        """Inputs by name for a trace, of `rows` rows of tokens of `width` features."""
        made = {"tokens": torch.zeros(rows, *self.shape(), width)}
        if self.places:
            made["position"] = torch.zeros(rows, *self.shape(), dtype=torch.int64)
        return made

    def row(self, tokens: Tensor, position: Tensor | None) -> Tensor:
        """Row of each token's position in the feature space, as `FeatureSpace.index`."""
        if position is None:
            return torch.zeros(tokens.shape[:-1], dtype=torch.int64)
        here = position[..., None] == self.positions
        return torch.where(here.any(dim=-1), here.to(torch.int64).argmax(dim=-1), self.places)

    def axes(self, tokens: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """Axes (..., k) and the residual's length (..., 1) in usual ones, as `FeatureSpace.transform`."""
        standard = ((tokens.double() - self.mean[row]) / self.scale[row]).clamp(-LIMIT, LIMIT).float()
        if not self.left_out:
            return standard, standard[..., :0]
        axes = standard @ self.basis
        residual = ((standard**2).sum(dim=-1) - (axes**2).sum(dim=-1)).clamp(min=0.0)
        return axes, residual.sqrt()[..., None] / self.usual


class TokenGraph(Graph):
    """tokens (M, D) → scores (M,): what `NeuralDetector._score` does."""

    def shape(self) -> tuple[int, ...]:
        """What is scored together."""
        return ()

    def forward(self, tokens: Tensor, position: Tensor | None = None) -> Tensor:
        """Scores of single tokens."""
        row = self.row(tokens, position)
        standard = torch.cat(self.axes(tokens, row), dim=1)
        scores: Tensor = self._detector._finish(self._detector._score_tokens(standard, row).double())
        return scores


class GridGraph(Graph):
    """tokens (N, h, w, D) → scores (N, h, w): what `GridDetector._planes` and `_score` do."""

    inputs = "tokens (N, h, w, D), planes of the training size, and, where positions were learned, position (N, h, w)"
    unit: Tensor

    def __init__(self, detector: Any, space: FeatureSpace, net: nn.Module) -> None:
        super().__init__(detector, space, net)
        self.register_buffer("unit", torch.from_numpy(np.sqrt(space.variance + space.rest)).float())

    def shape(self) -> tuple[int, ...]:
        """What is scored together."""
        shape: tuple[int, ...] = self._detector.shape_
        return shape

    def forward(self, tokens: Tensor, position: Tensor | None = None) -> Tensor:
        """Scores of planes."""
        axes, rest = self.axes(tokens, self.row(tokens, position))
        if self.left_out:
            axes = torch.cat([axes / self.unit, rest - 1.0], dim=-1)
        scores: Tensor = self._detector._map(axes.movedim(-1, 1)).double()
        return scores


class WindowGraph(Graph):
    """tokens (N, W, D) and present (N, W) → scores (N, W), NaN where a window does not judge a token."""

    def __init__(self, detector: Any, space: FeatureSpace, net: nn.Module) -> None:
        super().__init__(detector, space, net)
        for name, value in vars(detector).items():
            if isinstance(value, np.ndarray):  # thresholds and usual errors
                setattr(self._detector, name, torch.from_numpy(value))
        extra = detector._window_extra()
        self._extra = None if extra is None else torch.from_numpy(extra)
        self.inputs = (
            f"tokens (N, {detector.width_}, D), present (N, {detector.width_}) bool and, where positions were learned, "
            f"position: windows of {detector.width_ // detector.group_} steps of {detector.group_} tokens, zeros where "
            f"present is false; {detector.window_note}; a token in several windows has their mean error"
        )

    def shape(self) -> tuple[int, ...]:
        """What is scored together."""
        return (self._detector.width_,)

    def example(self, width: int, rows: int) -> dict[str, Tensor]:
        """Inputs by name for a trace; `present` goes second."""
        made = super().example(width, rows)
        present = {"present": torch.ones(rows, self._detector.width_, dtype=torch.bool)}
        return {"tokens": made.pop("tokens"), **present, **made}

    def forward(self, tokens: Tensor, present: Tensor, position: Tensor | None = None) -> Tensor:
        """What `SequenceDetector._gather` and `_score` do with windows that share no token."""
        row = torch.where(present, self.row(tokens, position), 0)
        values = torch.where(present[..., None], torch.cat(self.axes(tokens, row), dim=2), 0.0)
        many, width, _ = values.shape
        extra = values[:, 0, :0] if self._extra is None else self._extra.expand(many, -1)
        errors = self._detector._score_windows(Windows(values, row, present, extra)).double()
        scores = self._detector._combine(errors.reshape(many * width, -1)).reshape(many, width)
        return torch.where(present, scores, torch.nan)
