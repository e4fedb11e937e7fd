"""Motion of a clip on a coarse grid: dense optical flow between frames, averaged in cells and over windows. Functions.

Flow is Farneback's polynomial expansion (Farneback, 2003) on grey frames of at most 160 pixels a side.
"""

import cv2
import numpy as np

MOVING = 0.3
"""Pixels of the reduced frame a pixel must move between two frames to count as moving."""
MOTION = (
    "flow right",
    "flow down",
    "speed",
    "speed of what moves",
    "share that moves",
    "flow right, deviation in time",
    "flow down, deviation in time",
    "change of flow between frames",
    "change of brightness between frames",
    "largest change of brightness",
    "brightness",
    "contrast",
)
"""What each motion feature is; speeds in long sides of the frame per second, brightness from 0 to 1."""


def reduced_grey(frame: np.ndarray, side: int) -> np.ndarray:
    """A frame uint8 (H, W, 3) in grey, shrunk so that its long side is at most `side` pixels."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    share = side / max(height, width)
    if share >= 1:
        return grey
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def pair_cells(before: np.ndarray, after: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Means over cells of what happens between two grey frames, float32 (rows, columns, 8).

    Flow right and down, speed, share that moves, speed times that share, change of brightness, brightness and its
    square; lengths in pixels, brightness from 0 to 1.

    >>> pair_cells(np.zeros((32, 48), np.uint8), np.zeros((32, 48), np.uint8), (4, 6)).shape
    (4, 6, 8)
    """
    flow = cv2.calcOpticalFlowFarneback(
        before, after, None, pyr_scale=0.5, levels=3, winsize=13, iterations=2, poly_n=5, poly_sigma=1.1, flags=0
    )
    speed = np.sqrt(flow[..., 0] ** 2 + flow[..., 1] ** 2)
    moving = (speed > MOVING).astype(np.float32)
    now = after.astype(np.float32) / 255
    change = np.abs(now - before.astype(np.float32) / 255)
    size = (grid[1], grid[0])
    first = cv2.resize(np.dstack([flow, speed, moving]), size, interpolation=cv2.INTER_AREA)
    second = cv2.resize(np.dstack([speed * moving, change, now, now**2]), size, interpolation=cv2.INTER_AREA)
    return np.concatenate([first, second], axis=2)


def window_motion(pairs: np.ndarray, to_speed: float) -> np.ndarray:
    """The features of MOTION for a window of P frame pairs (P, rows, columns, 8): (rows, columns, 12).

    `to_speed` turns pixels per frame into long sides per second.
    """
    flow = pairs[..., :2] * to_speed
    speed, share, moved = pairs[..., 2] * to_speed, pairs[..., 3], pairs[..., 4] * to_speed
    steps = np.diff(flow, axis=0) if len(flow) > 1 else np.zeros((1, *flow.shape[1:]))
    contrast = np.sqrt(np.maximum(pairs[..., 7] - pairs[..., 6] ** 2, 0.0))
    features = [
        flow[..., 0].mean(axis=0),
        flow[..., 1].mean(axis=0),
        speed.mean(axis=0),
        moved.sum(axis=0) / np.maximum(share.sum(axis=0), 0.02 * len(pairs)),
        share.mean(axis=0),
        flow[..., 0].std(axis=0),
        flow[..., 1].std(axis=0),
        np.sqrt((steps**2).sum(axis=-1)).mean(axis=0),
        pairs[..., 5].mean(axis=0),
        pairs[..., 5].max(axis=0),
        pairs[..., 6].mean(axis=0),
        contrast.mean(axis=0),
    ]
    return np.stack(features, axis=-1)
