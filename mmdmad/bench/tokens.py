"""From parts to tokens and from token scores back to rows, frames and pixels: what the single-modality suites share."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmdmad.bench.base import Context
from mmdmad.cases import Part
from mmdmad.encoders import cache
from mmdmad.encoders.base import Encoder
from mmdmad.tokens import Layout, Tokens


def encode_all(encoder: Encoder, parts: Sequence[Part], context: Context, text: str) -> list[Tokens]:
    """Tokens of all parts, from the cache of the work folder where there is one."""
    return [cache.encode(encoder, part, context.cache) for part in context.track(parts, text)]


def sensor(values: np.ndarray, times: np.ndarray | None = None) -> Any:
    """A sensor table from values (T, C), with rows one second apart where no times are given."""
    from mmdmad.parts import Sensor

    channels = tuple(f"c{i}" for i in range(values.shape[1]))
    clock = np.arange(len(values), dtype=float) if times is None else np.asarray(times, float)
    return Sensor(np.asarray(values, float), clock, channels, ("",) * len(channels), None)


def step_pieces(tokens: Tokens, pieces: int) -> list[Tokens]:
    """One table's tokens as up to `pieces` items of consecutive windows.

    Detectors hold whole items out to choose their settings; neighbouring windows overlap, so single windows as items
    would be held out beside their own copies.
    """
    layout = tokens.layout
    count, groups = layout.shape[0], int(np.prod(layout.shape[1:]))
    out = []
    for rows in np.array_split(np.arange(count), max(2, min(pieces, count))):
        if not len(rows):
            continue
        keep = (rows[:, None] * groups + np.arange(groups)).ravel()
        part = Layout(
            layout.kind,
            (len(rows), *layout.shape[1:]),
            None if layout.where is None else layout.where[keep],
            None if layout.channels is None else tuple(layout.channels[i] for i in keep),
            layout.size,
            None if layout.position is None else layout.position[keep],
        )
        out.append(Tokens(tokens.values[keep], part))
    return out


def window_scores(scores: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Score (W,) and where (W, 2) of each window of a `steps` layout.

    With several channels a window's score is half the token of all channels together, half the mean of the channels'
    own tokens: the one sees broken relations, the other a single channel that moves.
    """
    table = scores.reshape(layout.shape[0], -1)
    assert layout.where is not None
    where = layout.where.reshape(layout.shape[0], -1, 2)[:, 0]
    if table.shape[1] == 1:
        return table[:, 0], where
    return 0.5 * table[:, -1] + 0.5 * table[:, :-1].mean(axis=1), where


def cover(scores: np.ndarray, where: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Mean of the windows that cover each time (n,), from window scores (W,) and spans (W, 2); ends are held.

    >>> cover(np.array([1.0, 3.0]), np.array([[0, 2], [1, 3]]), np.array([0.0, 1.0, 2.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    first = np.searchsorted(times, where[:, 0] - 1e-9)
    last = np.maximum(np.searchsorted(times, where[:, 1] - 1e-9), first + 1)
    total, count = np.zeros(len(times) + 1), np.zeros(len(times) + 1)
    np.add.at(total, first.clip(max=len(times)), scores)
    np.add.at(count, first.clip(max=len(times)), 1)
    np.add.at(total, last.clip(max=len(times)), -scores)
    np.add.at(count, last.clip(max=len(times)), -1)
    total, count = np.cumsum(total)[:-1], np.cumsum(count)[:-1]
    known = np.flatnonzero(count > 0.5)
    return np.interp(np.arange(len(times)), known, total[known] / count[known])


def pixel_map(scores: np.ndarray, layout: Layout) -> np.ndarray:
    """Token scores of a `grid` layout as a float32 map in pixels (H, W), bilinear."""
    assert layout.size is not None
    return full_size(scores.reshape(layout.shape), layout.size)


def full_size(grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map (h, w) as float32 in the pixels of its picture, `size` (H, W), bilinear."""
    import cv2

    return np.asarray(cv2.resize(grid.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_LINEAR))
