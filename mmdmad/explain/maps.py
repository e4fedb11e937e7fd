"""Token scores brought back to the part's own coordinates: pixels, seconds and channels, frames, characters.

Every map can be put on the fixed scale of the calibration cases (`PartJudgement.scale`): 0 = the median token of
normal cases, 1 = the token that one in a thousand normal tokens exceeds. A map is never stretched to its own range,
so colours mean the same in every picture.
"""

from dataclasses import dataclass

import numpy as np

from mmdmad.errors import DataError
from mmdmad.tokens import Layout


@dataclass(frozen=True, eq=False)
class Region:
    """A connected set of hot cells of a picture: box in pixels (left, top, right, bottom), share of the picture."""

    box: tuple[int, int, int, int]
    share: float
    peak: float
    mask: np.ndarray  # bool (rows, columns), the cells

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the middle of the hot cells, as shares of height and width."""
        rows, columns = np.nonzero(self.mask)
        return float((rows + 0.5).mean() / self.mask.shape[0]), float((columns + 0.5).mean() / self.mask.shape[1])


@dataclass(frozen=True)
class Span:
    """A stretch of time (seconds) or text (characters) with the highest score inside."""

    start: float
    stop: float
    peak: float


def on_scale(scores: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """Scores on the fixed scale: 0 at `scale[0]` (typical), 1 at `scale[1]`; not clipped.

    >>> on_scale(np.array([1.0, 3.0, 5.0]), (1.0, 3.0))
    array([0., 1., 2.])
    """
    low, high = scale
    return (np.asarray(scores, np.float64) - low) / max(high - low, np.finfo(float).tiny)


def cell_maps(scores: np.ndarray, layout: Layout) -> np.ndarray:
    """Scores of a grid as (1, rows, columns), of frames as (frames, rows, columns)."""
    _fits(scores, layout)
    if layout.kind == "grid":
        return np.asarray(scores, np.float64).reshape(1, *layout.shape)
    if layout.kind == "frames":
        return np.asarray(scores, np.float64).reshape(layout.shape)
    raise DataError(f"a layout of kind {layout.kind!r} has no cells; allowed are grid and frames")


def pixel_map(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cells (rows, columns) as pixels (H, W), bilinear between the middles of the cells, flat outside them."""
    rows, columns = cells.shape
    y = np.clip((np.arange(size[0]) + 0.5) * rows / size[0] - 0.5, 0, rows - 1)
    x = np.clip((np.arange(size[1]) + 0.5) * columns / size[1] - 0.5, 0, columns - 1)
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    y1, x1 = np.minimum(y0 + 1, rows - 1), np.minimum(x0 + 1, columns - 1)
    fy, fx = (y - y0)[:, None], (x - x0)[None, :]
    top = cells[np.ix_(y0, x0)] * (1 - fx) + cells[np.ix_(y0, x1)] * fx
    bottom = cells[np.ix_(y1, x0)] * (1 - fx) + cells[np.ix_(y1, x1)] * fx
    return top * (1 - fy) + bottom * fy


def hot_regions(cells: np.ndarray, size: tuple[int, int], seed: float = 1.0, grow: float = 0.7) -> list[Region]:
    """Connected regions of cells above `grow` on the fixed scale that hold a cell above `seed`, strongest first.

    A region keeps the cells above half its peak: the halo that an encoder's view spreads around a defect is left out.
    """
    from scipy import ndimage

    labels, count = ndimage.label(cells > grow, np.ones((3, 3)))
    found = []
    for index in range(1, count + 1):
        mask = labels == index
        peak = float(cells[mask].max())
        if peak > seed:
            mask &= cells > max(grow, peak / 2)
            found.append(Region(_box(mask, size), float(mask.mean()), peak, mask))
    return sorted(found, key=lambda region: -region.peak)


def hottest_cell(cells: np.ndarray, size: tuple[int, int]) -> Region:
    """The region of the single highest cell."""
    mask = np.zeros(cells.shape, bool)
    mask[np.unravel_index(int(np.argmax(cells)), cells.shape)] = True
    return Region(_box(mask, size), float(mask.mean()), float(cells.max()), mask)


def curves(scores: np.ndarray, layout: Layout, times: np.ndarray) -> dict[str, np.ndarray]:
    """Per channel ("*" = all together) the mean score of the windows over each of the `times`, float64 (T,).

    A window covers start <= t < stop; the last window of a channel also covers its stop. Times that no window covers
    take the value of the nearest covered time; those further than a window from it (of a recording of which only one
    stretch is told) the lowest.
    """
    _fits(scores, layout)
    if layout.where is None:
        raise DataError("a layout of steps without `where` cannot be brought back to time")
    names = layout.channels if layout.channels is not None else ("*",) * len(scores)
    result = {}
    for name in dict.fromkeys(names):
        mine = np.flatnonzero(np.array(names) == name)
        where, value = np.asarray(layout.where, float)[mine], np.asarray(scores, np.float64)[mine]
        last = where[:, 1].max()
        first = np.searchsorted(times, where[:, 0], side="left")
        stop = np.where(where[:, 1] >= last, np.searchsorted(times, where[:, 1], side="right"),
                        np.searchsorted(times, where[:, 1], side="left"))  # fmt: skip
        total, count = np.zeros(len(times) + 1), np.zeros(len(times) + 1)
        for a, b, v in zip(first, stop, value, strict=True):
            if b > a:
                total[a] += v
                total[b] -= v
                count[a] += 1
                count[b] -= 1
        total, count = np.cumsum(total)[:-1], np.cumsum(count)[:-1]
        covered = np.flatnonzero(count > 0.5)
        curve = np.full(len(times), value.max(initial=-np.inf))
        if len(covered):
            curve[covered] = total[covered] / count[covered]
            bare = np.flatnonzero(count < 0.5)
            right = np.clip(np.searchsorted(covered, bare), 0, len(covered) - 1)
            left = np.clip(right - 1, 0, len(covered) - 1)
            nearer = np.where(np.abs(covered[right] - bare) < np.abs(covered[left] - bare), right, left)
            curve[bare] = curve[covered[nearer]]
            apart = np.abs(times[covered[nearer]] - times[bare])
            curve[bare[apart > np.diff(where).max()]] = value.min()
        result[name] = curve
    return result


def hot_spans(curve: np.ndarray, times: np.ndarray, seed: float = 1.0, grow: float = 0.7) -> list[Span]:
    """Stretches of a curve above `grow` that hold a value above `seed`, strongest first."""
    edges = np.diff(np.concatenate([[0], (curve > grow).astype(np.int8), [0]]))
    found = []
    for a, b in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        peak = float(curve[a:b].max())
        if peak > seed:
            found.append(Span(float(times[a]), float(times[b - 1]), peak))
    return sorted(found, key=lambda span: -span.peak)


def frame_curve(maps: np.ndarray) -> np.ndarray:
    """The highest cell of each frame, (frames,)."""
    return maps.reshape(len(maps), -1).max(axis=1)


def frame_times(layout: Layout) -> np.ndarray:
    """Start and stop in seconds of each frame's tokens, (frames, 2)."""
    if layout.where is None:
        raise DataError("a layout of frames without `where` cannot be brought back to time")
    frames = layout.shape[0]
    where = np.asarray(layout.where, float).reshape(frames, -1, 2)
    return np.stack([where[:, :, 0].min(axis=1), where[:, :, 1].max(axis=1)], axis=1)


def character_spans(scores: np.ndarray, layout: Layout) -> list[Span]:
    """Spans of text with their scores, in reading order; whole numbers of characters."""
    _fits(scores, layout)
    if layout.where is None:
        raise DataError("a layout of spans without `where` cannot be brought back to characters")
    where = np.asarray(layout.where, float)
    order = np.lexsort((where[:, 1], where[:, 0]))
    return [Span(float(int(where[i, 0])), float(int(where[i, 1])), float(scores[i])) for i in order]


def _box(mask: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = size[0] / mask.shape[0], size[1] / mask.shape[1]
    return (
        round(columns[0] * width),
        round(rows[0] * height),
        round((columns[-1] + 1) * width),
        round((rows[-1] + 1) * height),
    )


def _fits(scores: np.ndarray, layout: Layout) -> None:
    if len(scores) != len(layout):
        raise DataError(f"{len(scores)} token scores do not fit a layout of {len(layout)} tokens")
