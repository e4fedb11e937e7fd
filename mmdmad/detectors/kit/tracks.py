"""Which tokens follow which: an item's tokens as tracks along time, cut into windows or into pasts and futures.

A track holds the indices of an item's tokens, (T, G): T steps along time (or along the reading order where a layout
has no time) and G tokens a step. Tokens of `steps` and `frames` layouts that overlap in time never share a track, for
a token could be read off one that shows the same seconds: overlapping windows are dealt out to as many tracks as it
takes. -1 stands for "no token".
"""

from collections.abc import Sequence

import numpy as np

from mmdmad.errors import DataError
from mmdmad.tokens import Layout


def tokens_a_step(layout: Layout) -> int:
    """How many tokens show the same time: channels of a sensor window, cells of a clip; 1 where there is no time.

    >>> tokens_a_step(Layout("steps", (10, 3))), tokens_a_step(Layout("grid", (10, 3)))
    (3, 1)
    """
    return int(np.prod(layout.shape[1:])) if layout.kind in ("steps", "frames") else 1


def common_group(layouts: Sequence[Layout], limit: int) -> int:
    """Tokens a step that a network sees together: what all layouts share, or 1 where that is more than `limit`."""
    sizes = {tokens_a_step(layout) for layout in layouts}
    return sizes.pop() if len(sizes) == 1 and max(sizes) <= limit else 1


def gap(layout: Layout) -> int:
    """Steps from a token to the first one that shares no time with it.

    >>> gap(Layout("steps", (5, 1), where=np.array([[0, 4], [2, 6], [4, 8], [6, 10], [8, 12]])))
    2
    """
    if layout.where is None or layout.kind not in ("steps", "frames"):
        return 1
    span = np.asarray(layout.where, np.float64).reshape(layout.shape[0], -1, 2)[:, 0]
    start, stop = span[:, 0], span[:, 1]
    first = np.searchsorted(start, stop - 1e-6 * np.maximum(stop - start, 1e-9))
    there = first < len(span)
    return int(max(1, (first - np.arange(len(span)))[there].max())) if there.any() else len(span)


def tracks(layout: Layout, group: int) -> list[np.ndarray]:
    """Token indices (T, G) of each track; G is `group`: all tokens of a step together, or 1: each for itself.

    >>> [track.ravel().tolist() for track in tracks(Layout("steps", (2, 2)), 1)]
    [[0, 2], [1, 3]]
    """
    wide = tokens_a_step(layout)
    if group not in (1, wide):
        raise DataError(f"an item has {wide} tokens a time step; this detector was fitted on {group}")
    grid, apart = np.arange(len(layout)).reshape(-1, wide), gap(layout)
    columns = [grid] if group == wide else [grid[:, [g]] for g in range(wide)]
    return [column[phase::apart] for column in columns for phase in range(min(apart, len(grid)))]


def windows(track: np.ndarray, width: int, overlap: bool = False) -> np.ndarray:
    """Windows of `width` tokens of a track (T, G), (M, width); the last one ends where the track ends.

    `overlap`: half-overlapping, for training. A track that is too short fills one window up with -1.

    >>> windows(np.arange(5)[:, None], 3).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    per = max(1, width // track.shape[1])
    if len(track) <= per:
        row = np.full((1, width), -1)
        row[0, : track.size] = track.ravel()
        return row
    starts = np.unique([*range(0, len(track) - per, max(1, per // 2) if overlap else per), len(track) - per])
    return track[starts[:, None] + np.arange(per)].reshape(len(starts), -1)


def futures(track: np.ndarray, past: int, horizon: int, every: int) -> np.ndarray:
    """Each stretch of `horizon` steps with the `past` steps before it, (M, (past + horizon) * G).

    A stretch begins at each `every`-th step. Where the item had not begun yet or is over there is -1.

    >>> futures(np.arange(3)[:, None], past=2, horizon=1, every=1).tolist()
    [[-1, -1, 0], [-1, 0, 1], [0, 1, 2]]
    """
    starts = np.arange(0, len(track), every)
    step = starts[:, None] + np.arange(-past, horizon)
    inside = (step >= 0) & (step < len(track))
    return np.where(inside[..., None], track[step.clip(0, len(track) - 1)], -1).reshape(len(starts), -1)
