"""Pictures of a benchmark run: heatmap overlays on a fixed scale, and score curves with marked spans."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmdmad.metrics.series import segments


def heatmap(
    path: Path, pixels: np.ndarray, scores: np.ndarray, mask: np.ndarray, scale: tuple[float, float], title: str
) -> None:
    """Picture, picture with the defect outlined, and map (H, W) on the fixed scale (low, high), side by side."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3)
    axes[0].imshow(pixels)
    axes[1].imshow(pixels)
    if mask.any():
        axes[1].contour(mask, levels=[0.5], colors="lime", linewidths=1)
    axes[2].imshow(pixels)
    shade = axes[2].imshow(scores, cmap="inferno", alpha=0.6, vmin=scale[0], vmax=scale[1])
    figure.colorbar(shade, ax=axes[2], label="token score")
    for axis, name in zip(axes, (title, "true defect", "map, fixed scale")):
        axis.set_title(name, fontsize=9)
        axis.set_axis_off()
    figure.savefig(path, dpi=80)


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture (H, W, 3), its map and its true defect (H, W), and what is written above it."""

    pixels: np.ndarray
    scores: np.ndarray
    mask: np.ndarray
    title: str


def sheet(path: Path, shown: Sequence[Shown], scale: tuple[float, float], columns: int = 5) -> None:
    """All pictures on one page: each with its defect outlined, and its map below it, on the fixed scale (low, high)."""
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(1.9 * columns, 4.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.asarray(figure.subplots(2 * rows, columns, squeeze=False))
    for axis in axes.ravel():
        axis.set_axis_off()
    for place, one in enumerate(shown):
        above, below = axes[2 * (place // columns) : 2 * (place // columns) + 2, place % columns]
        for axis in (above, below):
            axis.imshow(one.pixels, aspect="auto")
        if one.mask.any():
            above.contour(one.mask, levels=[0.5], colors="lime", linewidths=1)
        below.imshow(one.scores, cmap="inferno", alpha=0.6, vmin=scale[0], vmax=scale[1], aspect="auto")
        above.set_title(one.title, fontsize=8)
    figure.savefig(path, dpi=80)


def curve(
    path: Path,
    values: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray,
    threshold: float | None,
    names: list[str],
    title: str,
    start: int = 0,
) -> None:
    """Channels of (T, C) and the score below them; true anomalies shaded, flagged spans marked along the bottom."""
    figure = Figure(figsize=(11, 1.1 * min(len(names), 8) + 2.5), layout="constrained")
    FigureCanvasAgg(figure)
    shown = min(len(names), 8)
    axes = np.atleast_1d(figure.subplots(shown + 1, 1, sharex=True))
    rows = np.arange(start, start + len(values))
    for axis, channel in zip(axes, range(shown)):
        axis.plot(rows, values[:, channel], lw=0.7, color="black")
        axis.set_ylabel(names[channel], fontsize=7, rotation=0, ha="right")
    axes[-1].plot(rows, scores, lw=0.9, color="tab:red")
    axes[-1].set_ylabel("score", fontsize=8, rotation=0, ha="right")
    if threshold is not None:
        axes[-1].axhline(threshold, color="tab:blue", lw=0.8, ls="--")
        for first, last in segments(scores > threshold):
            axes[-1].axvspan(rows[first], rows[last], ymax=0.06, color="tab:blue")
    for axis in axes:
        for first, last in segments(labels):
            axis.axvspan(rows[first], rows[last], color="orange", alpha=0.3)
    axes[0].set_title(f"{title} (orange: labelled, blue: flagged)", fontsize=9)
    axes[-1].set_xlabel("row")
    figure.savefig(path, dpi=80)
