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
from mmdmad.tokens import Layout

CELLS = 3
POOLED = "gaussian-diffusion, cells pooled"
POOLED_NOTE = "tried after looking at this set's labels: walkers are rare in most cells, so one model for all cells"
PROTOCOL = (
    "fit on the 16 training clips, one score per test frame: mean of the three highest cells of each window, then the "
    "mean of the windows that cover the frame; micro AUROC over all 2010 test frames, no per-clip normalisation; "
    "interval: bootstrap over clips"
)
NOTE = "that motion of blocks matters on this set was known from earlier measurements on its labels"


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
    rates = [parts.read(p).fps for p in test_parts]
    labels = np.concatenate([clip.labels for clip in test])
    owners = np.concatenate([np.full(len(clip.labels), i) for i, clip in enumerate(test)])
    variants: list[tuple[str, str, dict[str, Any], str | None]] = [(name, name, {}, None) for name in context.detectors]
    if not context.chosen:
        variants.append((POOLED, "gaussian-diffusion", {"per_position": False}, POOLED_NOTE))
    for label, detector, params, note in variants:
        for seed in range(context.seeds):
            with context.trying(detector):
                meter, scores, _ = fit_and_score(detector, normal, tokens, seed, **params)
                frames = np.concatenate(
                    [
                        frame_scores(s, item.layout, len(clip.labels), fps)
                        for s, item, clip, fps in zip(scores, tokens, test, rates)
                    ]
                )
                metrics = {"frame_auroc": auroc(labels, frames), "frame_ap": average_precision(labels, frames)}
                interval = bootstrap_metric(auroc, labels, frames, groups=owners, seed=seed)
                yield meter.row("testing", label, seed, metrics, intervals={"frame_auroc": interval}, note=note)
    for method, value in ped2.PUBLISHED_AUROC.items():
        yield published("testing", method, {"frame_auroc": value}, "README of its repository")


def frame_scores(scores: np.ndarray, layout: Layout, frames: int, fps: float) -> np.ndarray:
    """Score (frames,) of each frame from token scores of a `frames` layout (windows, rows, columns)."""
    cells = np.sort(scores.reshape(layout.shape[0], -1), axis=1)[:, -CELLS:].mean(axis=1)
    assert layout.where is not None
    where = layout.where.reshape(layout.shape[0], -1, 2)[:, 0]
    return cover(cells, where, np.arange(frames) / fps)
