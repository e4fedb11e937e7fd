"""Detectors as ONNX graphs: raw tokens in, token scores out, so that a score can be computed without Python.

The graph holds the input normalisation, the network, every step of the scoring rule with its fixed noise draws, and
the density of the training vectors where the rule ends in one; what it cannot hold is refused with a reason.

Networks over single tokens take any number M of them; networks over grids take planes of the size of the training
ones, networks over sequences take windows of their own length. Steps of a sampler are unrolled.
"""

import copy
import importlib.util
import json
import logging
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import Detector, detectors
from mmdmad.detectors.kit.features import LIMIT, FeatureSpace
from mmdmad.detectors.kit.grids import GridDetector
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.detectors.kit.sequence import SequenceDetector, Windows
from mmdmad.errors import ExportError, MissingExtraError, NotFittedError

ROWS = 3  # of the example that is traced; any number works in the graph


def obstacle(cls: type[Detector]) -> str:
    """Why detectors of this class cannot be exported; "" where they can.

    >>> obstacle(detectors()["knn"])
    'it has no network'
    """
    if not issubclass(cls, NeuralDetector | GridDetector | SequenceDetector):
        return "it has no network"
    if cls.no_export:
        return cls.no_export
    if not issubclass(cls, NeuralDetector):
        kind = GridDetector if issubclass(cls, GridDetector) else SequenceDetector
        return "" if cls._score is kind._score else "its score does not end with the network"
    if cls._features is not NeuralDetector._features:
        return "it prepares tokens in a way of its own"
    if cls._score is not NeuralDetector._score and cls._finish is NeuralDetector._finish:
        return "its score does not end with the network"
    return ""


def exportable() -> list[str]:
    """Names of the detectors that can be exported.

    >>> "tccm" in exportable()
    True
    """
    return [name for name, cls in detectors().items() if not obstacle(cls)]


def write(detector: Detector, path: str | Path) -> Path:
    """Write the fitted detector's token score to `path` as ONNX; see `Detector.export`."""
    reason = obstacle(type(detector))
    if reason:
        raise ExportError(
            f"{detector.about.name} cannot be exported: {reason}; those that can are {', '.join(exportable())}"
        )
    if not hasattr(detector, "n_features_in_"):
        raise NotFittedError(f"this {type(detector).__name__} is not fitted; call fit(X) first")
    if importlib.util.find_spec("onnxscript") is None:
        raise MissingExtraError("export", "onnxscript", "onnx")
    path, graph = Path(path), _graph(detector)
    example, rows = graph.example(detector.n_features_in_), torch.export.Dim("count")
    with torch.no_grad(), _quiet(), _plain_attention():
        graph(*example.values())  # fills the caches of noise draws and schedules, which a trace must not compute itself
        program = torch.onnx.export(
            graph,
            tuple(example.values()),
            dynamo=True,
            verbose=False,
            input_names=list(example),
            output_names=["scores"],
            dynamic_shapes=tuple({0: rows} for _ in example),
        )
    assert program is not None
    about = {
        "detector": detector.about.name,
        "params": json.dumps(detector.get_params()),
        "threshold": repr(detector.threshold_),
        "item_score": f"mean of the highest {detector.top:g} of an item's token scores, at least one",
    }
    if type(detector)._pool is not Detector._pool:
        about["item_score"] = about["threshold"] = "not in the graph: this detector's items are not a mean of tokens"
    about["inputs"] = graph.inputs
    program.model.metadata_props.update({f"mmdmad.{key}": value for key, value in about.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    program.save(path)
    return path


def _graph(detector: Detector) -> "_Graph":
    if isinstance(detector, NeuralDetector):
        return _TokenGraph(detector, detector.space_, detector.net_)
    if isinstance(detector, GridDetector):
        return _GridGraph(detector, detector.space_, detector.net_)
    assert isinstance(detector, SequenceDetector)
    return _WindowGraph(detector, detector.space_, detector.net_)


class _Graph(nn.Module):
    """Raw tokens and, where the detector knows positions, position numbers → scores float64 of the same shape."""

    positions: Tensor
    mean: Tensor
    scale: Tensor
    basis: Tensor
    inputs = "tokens (M, D) and, where positions were learned, position (M,)"

    def __init__(self, detector: Detector, space: FeatureSpace, net: nn.Module) -> None:
        super().__init__()
        self.net = copy.deepcopy(net).cpu().eval()
        self._detector = cast(Any, copy.copy(detector))
        self._detector.net_ = self.net
        self.places, self.left_out = len(space.positions), space.left_out
        self.usual = float(np.sqrt(max(space.rest * space.left_out, 1e-12)))
        for name in ("positions", "mean", "scale", "basis"):
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(getattr(space, name))))

    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of what is scored together, without its number; () for single tokens."""

    def example(self, width: int) -> dict[str, Tensor]:
        """Inputs by name for a trace."""
        made = {"tokens": torch.zeros(ROWS, *self.shape(), width)}
        if self.places:
            made["position"] = torch.zeros(ROWS, *self.shape(), dtype=torch.int64)
        return made

    def row(self, tokens: Tensor, position: Tensor | None) -> Tensor:
        """Row of each token's position in the feature space, as `FeatureSpace.index`."""
        if position is None:
            return torch.zeros(tokens.shape[:-1], dtype=torch.int64)
        here = position[..., None] == self.positions
        return torch.where(here.any(dim=-1), here.to(torch.int64).argmax(dim=-1), self.places)

    def axes(self, tokens: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """Axes (..., k) and the residual's length (..., 1) in usual ones, as `FeatureSpace.transform`."""
        standard = ((tokens - self.mean[row]) / self.scale[row]).clamp(-LIMIT, LIMIT)
        if not self.left_out:
            return standard, standard[..., :0]
        axes = standard @ self.basis
        residual = ((standard**2).sum(dim=-1) - (axes**2).sum(dim=-1)).clamp(min=0.0)
        return axes, residual.sqrt()[..., None] / self.usual


class _TokenGraph(_Graph):
    """tokens (M, D) → scores (M,): what `NeuralDetector._score` does."""

    def shape(self) -> tuple[int, ...]:
        return ()

    def forward(self, tokens: Tensor, position: Tensor | None = None) -> Tensor:
        row = self.row(tokens, position)
        standard = torch.cat(self.axes(tokens, row), dim=1)
        return self._detector._finish(self._detector._score_tokens(standard, row).double())


class _GridGraph(_Graph):
    """tokens (N, h, w, D) → scores (N, h, w): what `GridDetector._planes` and `_score` do."""

    inputs = "tokens (N, h, w, D), planes of the training size, and, where positions were learned, position (N, h, w)"
    unit: Tensor

    def __init__(self, detector: GridDetector, space: FeatureSpace, net: nn.Module) -> None:
        super().__init__(detector, space, net)
        self.register_buffer("unit", torch.from_numpy(np.sqrt(space.variance + space.rest)).float())

    def shape(self) -> tuple[int, ...]:
        return self._detector.shape_

    def forward(self, tokens: Tensor, position: Tensor | None = None) -> Tensor:
        axes, rest = self.axes(tokens, self.row(tokens, position))
        if self.left_out:
            axes = torch.cat([axes / self.unit, rest - 1.0], dim=-1)
        return self._detector._map(axes.movedim(-1, 1)).double()


class _WindowGraph(_Graph):
    """tokens (N, W, D) and present (N, W) → scores (N, W), NaN where a window does not judge a token."""

    def __init__(self, detector: SequenceDetector, space: FeatureSpace, net: nn.Module) -> None:
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
        return (self._detector.width_,)

    def example(self, width: int) -> dict[str, Tensor]:
        made = super().example(width)
        present = {"present": torch.ones(ROWS, self._detector.width_, dtype=torch.bool)}
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


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention by its parts: the fused operator that torch takes in evaluation has no counterpart in ONNX."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's progress notes and its warnings about its own insides are not for users."""
    loud = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.fx")]
    before = [logger.level for logger in loud]
    for logger in loud:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loud, before):
            logger.setLevel(level)
