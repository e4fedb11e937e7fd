"""Detectors as ONNX graphs: raw tokens in, token scores out, so that a score can be computed without Python.

The graph holds the input normalisation, the network, every step of the scoring rule with its fixed noise draws, and
the density of the training vectors where the rule ends in one; what it cannot hold is refused with a reason.
"""

import copy
import importlib.util
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import Detector, detectors
from mmdmad.detectors.features import LIMIT
from mmdmad.detectors.neural import NeuralDetector
from mmdmad.errors import ExportError, MissingExtraError, NotFittedError

ROWS = 3  # of the example that is traced; any number works in the graph


def obstacle(cls: type[Detector]) -> str:
    """Why detectors of this class cannot be exported; "" where they can.

    >>> obstacle(detectors()["knn"])
    'it has no network'
    """
    if not issubclass(cls, NeuralDetector):
        return "it has no network"
    if cls.no_export:
        return cls.no_export
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
    if reason or not isinstance(detector, NeuralDetector):
        raise ExportError(
            f"{detector.about.name} cannot be exported: {reason}; those that can are {', '.join(exportable())}"
        )
    if not hasattr(detector, "n_features_in_"):
        raise NotFittedError(f"this {type(detector).__name__} is not fitted; call fit(X) first")
    if importlib.util.find_spec("onnxscript") is None:
        raise MissingExtraError("export", "onnxscript", "onnx")
    path, graph = Path(path), _Graph(detector)
    example: tuple[Tensor, ...] = (torch.zeros(ROWS, detector.n_features_in_),)
    names, rows = ["tokens"], torch.export.Dim("count")
    if graph.places:
        example, names = (*example, torch.zeros(ROWS, dtype=torch.int64)), [*names, "position"]
    with torch.no_grad(), _quiet():
        graph(*example)  # fills the caches of noise draws and schedules, which a trace must not compute itself
        program = torch.onnx.export(
            graph,
            example,
            dynamo=True,
            verbose=False,
            input_names=names,
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
    program.model.metadata_props.update({f"mmdmad.{key}": value for key, value in about.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    program.save(path)
    return path


class _Graph(nn.Module):
    """tokens (M, D) float32 and, where the detector knows positions, position numbers (M,) → scores (M,) float64."""

    positions: Tensor
    mean: Tensor
    scale: Tensor
    basis: Tensor

    def __init__(self, detector: NeuralDetector) -> None:
        super().__init__()
        space = detector.space_
        self.net = copy.deepcopy(detector.net_).cpu().eval()
        self._detector = copy.copy(detector)
        self._detector.net_ = self.net
        self.places, self.left_out = len(space.positions), space.left_out
        self.usual = float(np.sqrt(max(space.rest * space.left_out, 1e-12)))
        for name in ("positions", "mean", "scale", "basis"):
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(getattr(space, name))))

    def forward(self, tokens: Tensor, position: Tensor | None = None) -> Tensor:
        """Token scores of raw tokens: what `FeatureSpace.transform` and `NeuralDetector._score` do."""
        if position is None:
            row = torch.zeros(tokens.shape[0], dtype=torch.int64)
        else:
            here = position[:, None] == self.positions[None]
            row = torch.where(here.any(dim=1), here.to(torch.int64).argmax(dim=1), self.places)
        standard = ((tokens - self.mean[row]) / self.scale[row]).clamp(-LIMIT, LIMIT)
        if self.left_out:
            axes = standard @ self.basis
            residual = ((standard**2).sum(dim=1) - (axes**2).sum(dim=1)).clamp(min=0.0)
            standard = torch.cat([axes, residual.sqrt()[:, None] / self.usual], dim=1)
        return self._detector._finish(self._detector._score_tokens(standard, row).double())


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
