"""UCSD Ped2: micro frame AUROC over all test frames, with no normalisation per clip."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mmdmad.bench.base import Context, fit_and_score, suite
from mmdmad.bench.result import Row, published
from mmdmad.bench.tokens import cover, encode_all
from mmdmad.cases import Part
from mmdmad.datasets import ped2
from mmdmad.metrics import auroc, average_precision, bootstrap_metric
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.tokens import Layout

CELLS = 3
APART = "gaussian-diffusion, a model a cell"
APART_NOTE = "until version 3 of the encoder the default"
PROTOCOL = (
    "fit on the 16 training clips, the default with the settings of pipelines/inspection; one score per test frame: "
    "mean of the three highest cells of each window, then the mean of the windows that cover the frame; micro AUROC "
    "over all 2010 test frames, no per-clip normalisation; on object: share of the anomalous frames whose highest cell "
    "holds an anomalous pixel; interval: bootstrap over clips"
)
NOTE = "designed on this set: size of flow and cells, few numbers of appearance, when one model serves all cells"


@suite("ped2", "pedestrian video, micro frame AUROC", PROTOCOL, ("gaussian-diffusion", "dte-np", "knn"), NOTE)
def run(context: Context) -> Iterator[Row]:
    """Clips as wholes; every detector and seed."""
    from mmdmad import parts
    from mmdmad.encoders.base import make_encoder

    train, test = ped2.clips(context.data, "training"), ped2.clips(context.data, "testing")
    train_parts = [Part("video", path=clip.folder, rate=ped2.FPS) for clip in train]
    test_parts = [Part("video", path=clip.folder, rate=ped2.FPS) for clip in test]
    encoder = make_encoder("clip").fit([parts.read(p) for p in train_parts])
    normal = encode_all(encoder, train_parts, context, "training clips")
    tokens = encode_all(encoder, test_parts, context, "test clips")
    opened = [parts.read(p) for p in test_parts]
    rates = [one.fps for one in opened]
    labels = np.concatenate([clip.labels for clip in test])
    owners = np.concatenate([np.full(len(clip.labels), i) for i, clip in enumerate(test)])
    truth = [ped2.masks(context.data, c, (one.height, one.width)) for c, one in zip(test, opened, strict=True)]
    variants: list[tuple[str, str, dict[str, Any], str | None]]
    preset = PipelineConfig.load("inspection").parts["video"]
    given = {preset.detector: preset.detector_params}
    variants = [(name, name, given.get(name, {}), None) for name in context.detectors]
    if not context.chosen:
        variants.append((APART, "gaussian-diffusion", {"per_position": True}, APART_NOTE))
    for label, detector, params, note in variants:
        for seed in range(context.seeds):
            with context.trying(detector):
                meter, scores, _ = fit_and_score(detector, normal, tokens, seed, **params)
                seen = list(zip(scores, tokens, test, rates, strict=True))
                frames = np.concatenate([frame_scores(s, t.layout, len(c.labels), fps) for s, t, c, fps in seen])
                hits = [on_object(s, t.layout, m, fps) for (s, t, _, fps), m in zip(seen, truth, strict=True)]
                metrics = {"frame_auroc": auroc(labels, frames), "frame_ap": average_precision(labels, frames)}
                metrics["on_object"] = float(np.concatenate(hits).mean())
                interval = bootstrap_metric(auroc, labels, frames, groups=owners, seed=seed)
                yield meter.row("testing", label, seed, metrics, intervals={"frame_auroc": interval}, note=note)
    for method, value in ped2.PUBLISHED_AUROC.items():
        yield published("testing", method, {"frame_auroc": value}, "README of its repository")


def frame_scores(scores: np.ndarray, layout: Layout, frames: int, fps: float) -> np.ndarray:
    """Score (frames,) of each frame from token scores of a `frames` layout (windows, rows, columns)."""
    cells = np.sort(scores.reshape(layout.shape[0], -1), axis=1)[:, -CELLS:].mean(axis=1)
    return cover(cells, _spans(layout), np.arange(frames) / fps)


def on_object(scores: np.ndarray, layout: Layout, masks: np.ndarray, fps: float) -> np.ndarray:
    """Whether the highest cell of each anomalous frame holds an anomalous pixel, bool (anomalous frames,).

    masks: bool (frames, H, W); a frame's map is the mean of the windows that cover it.
    """
    times, (_, rows, columns) = np.arange(len(masks)) / fps, layout.shape
    cells = np.stack([cover(one, _spans(layout), times) for one in scores.reshape(layout.shape[0], -1).T], axis=1)
    found = []
    for frame in np.flatnonzero(masks.any(axis=(1, 2))):
        row, column = divmod(int(cells[frame].argmax()), columns)
        (top, bottom), (left, right) = (
            (i * n // k, -(-(i + 1) * n // k)) for i, n, k in zip((row, column), masks.shape[1:], (rows, columns))
        )
        found.append(masks[frame, top:bottom, left:right].any())
    return np.array(found, bool)


def _spans(layout: Layout) -> np.ndarray:
    """Start and stop in seconds of each window, (windows, 2)."""
    assert layout.where is not None
    return layout.where.reshape(layout.shape[0], -1, 2)[:, 0]
