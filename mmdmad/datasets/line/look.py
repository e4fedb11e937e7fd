"""Contact sheets of the simulated line: what a case looks like, with its true faults marked.

>>> from mmdmad.datasets.line.look import example_sheet
>>> example_sheet("line.png")  # doctest: +SKIP
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from mmdmad.datasets.line.inspection_line import Rendered, render_case
from mmdmad.datasets.line.plan import Plan, plan_case
from mmdmad.datasets.line.truth import CHANNELS, FPS, RATE
from mmdmad.errors import DataError

EXAMPLES: tuple[tuple[str, Callable[[Plan], bool]], ...] = (
    ("normal", lambda p: p.kind == "normal" and p.scenes["sensor"].running),
    ("surface", lambda p: p.faults == {"image": "crack"}),
    ("sensor", lambda p: p.faults == {"sensor": "level shift"}),
    ("video", lambda p: p.faults == {"video": "foreign object"}),
    ("text", lambda p: p.faults == {"text": "alarming message"}),
    ("chain", lambda p: p.root_cause == "bearing failure"),
    ("product contradiction", lambda p: p.contradiction == "product" and p.odd_part == "image"),
    ("state contradiction", lambda p: p.contradiction == "state" and p.odd_part == "text"),
)


def find_cases(wanted: Iterable[Callable[[Plan], bool]], seed: int = 0, most: int = 10_000) -> Iterator[Rendered]:
    """For each predicate the first test case whose plan fulfils it and lacks no part (at fault_share 0.5)."""
    for want in wanted:
        plans = (plan_case(seed, "test", index, 0.5) for index in range(most))
        plan = next((p for p in plans if not p.missing and want(p)), None)
        if plan is None:
            raise DataError(f"none of the first {most} test cases of seed {seed} is such a case; ask for more")
        yield render_case(seed, "test", plan.index, 0.5)


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
        axes[2].set_xlim(0, 6.2)
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
    """Draw cases, one a row, and save them as a PNG of 256 colours."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cases = list(cases)
    figure = Figure(figsize=(9.6, 1.55 * len(cases) + 0.3), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(dpi)
    figure.suptitle("simulated inspection line", fontsize=9)
    axes = figure.subplots(len(cases), 4, squeeze=False, width_ratios=[1, 1.35, 2.0, 1.9])
    for row, case in zip(axes, cases):
        draw_case(case, row)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def example_sheet(path: Path | str, seed: int = 0) -> Path:
    """The picture of docs/line.md: a normal case, one of each family of faults, a chain and two contradictions."""
    return sheet(find_cases((want for _, want in EXAMPLES), seed), path, dpi=100)
