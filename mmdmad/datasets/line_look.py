"""Contact sheets of the simulated line: what a case looks like, with its true faults marked.

>>> from mmdmad.datasets.line_look import example_sheet
>>> example_sheet("line.png")  # doctest: +SKIP
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from mmdmad.datasets.inspection_line import Rendered, render_case
from mmdmad.datasets.line_truth import CHANNELS, FPS, RATE


def find_cases(wanted: Iterable[Callable[[Rendered], bool]], seed: int = 0, most: int = 4000) -> Iterator[Rendered]:
    """For each predicate the first test case that fulfils it and lacks no part."""
    from mmdmad.datasets.line_plan import plan_case

    for want in wanted:
        for index in range(most):
            if plan_case(seed, "test", index, 0.9).missing:
                continue
            case = render_case(seed, "test", index, 0.9)
            if want(case):
                yield case
                break
        else:
            raise LookupError(f"no such case among the first {most}")


def draw_case(case: Rendered, axes: np.ndarray) -> None:
    """One case in four axes: picture, clip, sensors, log; true faults in red."""
    truth = case.truth
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
    title = f"{truth.id}  {truth.kind}" + (f": {truth.root_cause}" if truth.root_cause else "")
    if truth.odd_part:
        title += f": {truth.contradiction} of the {truth.odd_part}"
    elif truth.kind == "single":
        title += f": {truth.faults[0].kind}"
    axes[0].set_title(title, fontsize=7, loc="left")
    if case.image is not None:
        axes[0].imshow(case.image)
    if case.video is not None:
        axes[1].imshow(film_strip(case.video, _moments(case)))
    if case.sensor is not None:
        times = np.arange(len(case.sensor)) / RATE
        for k, (name, unit) in enumerate(CHANNELS):
            column = case.sensor[:, k]
            low, high = np.nanmin(column), np.nanmax(column)
            axes[2].plot(times, (column - low) / max(high - low, 1e-9) * 0.8 - k, lw=0.5, color="#20507a")
            axes[2].text(4.02, 0.35 - k, f"{name} {low:.3g} to {high:.3g} {unit}", fontsize=4, va="center")
        axes[2].set_xlim(0, 5.4)
    if case.text is not None:
        axes[3].text(0, 1, case.text, fontsize=5, va="top", transform=axes[3].transAxes)
    for fault in truth.faults:
        if fault.box:
            x0, y0, x1, y1 = fault.box
            axes[0].plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], color="red", lw=0.7)
        if fault.part == "sensor" and fault.start is not None and fault.stop is not None:
            k = [name for name, _ in CHANNELS].index(str(fault.channel))
            axes[2].fill_between([fault.start, fault.stop], -k - 0.05, -k + 0.85, color="red", alpha=0.25, lw=0)
    said = "\n".join(f"! {fault.words}" for fault in truth.faults if fault.words)
    axes[3].text(0, 0, said, fontsize=5, color="red", transform=axes[3].transAxes)
    for axis in axes[[1, 3]]:
        axis.axis("off")


def film_strip(video: np.ndarray, moments: Iterable[float]) -> np.ndarray:
    """Frames at the given seconds, two in a row, with thin white gaps."""
    frames = [
        np.pad(video[min(int(m * FPS), len(video) - 1)], ((1, 1), (1, 1), (0, 0)), constant_values=255) for m in moments
    ]
    rows = [np.concatenate(frames[k : k + 2], axis=1) for k in range(0, len(frames) - 1, 2)]
    return np.concatenate(rows, axis=0)


def _moments(case: Rendered) -> list[float]:
    spans = [f for f in case.truth.faults if f.part == "video" and f.start is not None and f.stop is not None]
    if not spans:
        return [0.5, 1.5, 2.5, 3.5]
    start, stop = float(spans[0].start or 0), float(spans[0].stop or 4)
    return [max(0.0, start - 0.4), start + 0.15 * (stop - start), (start + stop) / 2, stop - 0.2]


def sheet(cases: Iterable[Rendered], path: Path | str, dpi: int = 120) -> Path:
    """Draw cases, one a row, and save them as PNG."""
    from matplotlib.figure import Figure

    cases = list(cases)
    figure = Figure(figsize=(11, 1.75 * len(cases)), layout="constrained")
    axes = figure.subplots(len(cases), 4, squeeze=False, width_ratios=[1, 1.4, 2.2, 2.2])
    for row, case in zip(axes, cases):
        draw_case(case, row)
    path = Path(path)
    figure.savefig(path, dpi=dpi)
    return path
