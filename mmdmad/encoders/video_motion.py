"""Motion of a clip on a coarse grid: dense optical flow between frames, averaged in cells and over windows. Functions.

Flow is dense inverse search (Kroeger et al., 2016) on small grey frames. Farneback's method was tried first: from
about 8 pixels a frame it loses the motion of a textured belt, and its flow of an even motion jumps in time.
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


LEAST = 32
"""Smallest side of a frame given to the flow; the pyramid of smaller ones is empty, which OpenCV does not survive."""


def reduced_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width at which flow is computed: the long side at most `side`, the short one at least LEAST.

    >>> reduced_size(240, 360, 160), reduced_size(10, 400, 160)
    ((107, 160), (32, 160))
    """
    share = min(1.0, side / max(height, width))
    return max(LEAST, round(height * share)), max(LEAST, round(width * share))


def reduced_grey(frame: np.ndarray, side: int) -> np.ndarray:
    """A frame uint8 (H, W, 3) in grey at its `reduced_size`."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    height, width = reduced_size(grey.shape[0], grey.shape[1], side)
    if (height, width) == grey.shape:
        return grey
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA))


def pair_cells(before: np.ndarray, after: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Means over cells of what happens between two grey frames, float32 (rows, columns, 8).

    Flow right and down, speed, share that moves, speed times that share, change of brightness, brightness and its
    square; lengths in pixels, brightness from 0 to 1.

    >>> pair_cells(np.zeros((32, 48), np.uint8), np.zeros((32, 48), np.uint8), (4, 6)).shape
    (4, 6, 8)
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(before, after, None)
    speed = np.sqrt(flow[..., 0] ** 2 + flow[..., 1] ** 2)
    moving = (speed > MOVING).astype(np.float32)
    now = after.astype(np.float32) / 255
    change = np.abs(now - before.astype(np.float32) / 255)
    size = (grid[1], grid[0])
    first = cv2.resize(np.dstack([flow, speed, moving]), size, interpolation=cv2.INTER_AREA)
    second = cv2.resize(np.dstack([speed * moving, change, now, now**2]), size, interpolation=cv2.INTER_AREA)
    return np.concatenate([first, second], axis=2)


def window_motion(pairs: np.ndarray, to_speed: tuple[float, float]) -> np.ndarray:
    """The features of MOTION for a window of P frame pairs (P, rows, columns, 8): (rows, columns, 12).

    `to_speed` turns pixels per frame, to the right and down, into long sides of the frame per second.
    """
    flow = pairs[..., :2] * np.array(to_speed)
    mean = sum(to_speed) / 2  # the two are alike unless a very long frame was stretched
    speed, share, moved = pairs[..., 2] * mean, pairs[..., 3], pairs[..., 4] * mean
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
