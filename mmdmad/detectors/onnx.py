"""Token scores as ONNX graphs, so that a score can be computed without Python.

What a graph holds is built by `kit.graphs`; this traces and writes it, and knows no detector.
"""

import importlib.util
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from mmdmad.errors import MissingExtraError

ROWS = 3  # of the example that is traced; any number works in the graph


def write(graph: Any, width: int, about: Mapping[str, str], path: str | Path) -> Path:
    """Trace a `kit.graphs.Graph` for tokens of `width` features and write it to `path`; `about` is its metadata."""
    if importlib.util.find_spec("onnxscript") is None:
        raise MissingExtraError("export", "onnxscript", "onnx")
    path, example, rows = Path(path), graph.example(width, ROWS), torch.export.Dim("count")
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
    program.model.metadata_props.update({f"mmdmad.{key}": value for key, value in about.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    program.save(path)
    return path


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
