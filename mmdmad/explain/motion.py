"""How things move in a clip, measured without a model: dense optical flow of the pixels that change."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mmdmad.parts import Video

MAX_FRAMES, MAX_SIDE = 32, 96
VIDEO_MEASURES = ("speed", "across", "down", "moving", "brightness")
_MOVING = 4.0  # grey levels between two frames from which a pixel counts as moving; below is camera noise


@dataclass(frozen=True, eq=False)
class Motion:
    """Movement between neighbouring looked-at frames: `times` (F,) of the later frame; speeds in pixels per second."""

    times: np.ndarray
    across: np.ndarray  # to the right
    down: np.ndarray
    moving: np.ndarray  # share of pixels that change
    brightness: np.ndarray

    @property
    def speed(self) -> np.ndarray:
        """Length of the mean movement, px/s."""
        return np.hypot(self.across, self.down)

    def measures(self, start: float = -np.inf, stop: float = np.inf) -> np.ndarray:
        """VIDEO_MEASURES over a time span: medians over its frames; the whole clip by default."""
        inside = (self.times >= start) & (self.times <= stop)
        if not inside.any():
            inside[np.abs(self.times - start).argmin()] = True
        return np.array(
            [float(np.median(v[inside])) for v in (self.speed, self.across, self.down, self.moving, self.brightness)]
        )


def motion(video: "Video") -> Motion:
    """Dense flow (Farnebäck, SCIA 2003) between neighbouring frames, over the pixels that change.

    Frames are shrunk to at most MAX_SIDE pixels; steps of more than about 4 of those pixels a frame are measured too
    small, the same in normal clips and in the clip in question.
    """
    import cv2

    every = max(1, int(np.ceil(video.n_frames / MAX_FRAMES)))
    scale = min(1.0, MAX_SIDE / max(video.height, video.width))
    rows: list[tuple[float, float, float, float, float]] = []
    before: np.ndarray | None = None
    before_time = 0.0
    for _, time, frame in video.frames(every=every):
        grey = np.ascontiguousarray(frame[..., :3].mean(axis=2).astype(np.uint8))
        if scale < 1:
            least = None
            if min(grey.shape) * scale < 1:  # a very long frame keeps one pixel of its short side
                least = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
            grey = cv2.resize(grey, least, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if before is not None and time > before_time:
            moving = np.abs(grey.astype(np.int16) - before) > _MOVING
            across = down = 0.0
            if moving.mean() > 0.002:
                flow = np.asarray(cv2.calcOpticalFlowFarneback(before, grey, None, 0.5, 3, 11, 2, 5, 1.1, 0))
                across, down = _main(flow[moving]) / scale / (time - before_time)
            rows.append((time, float(across), float(down), float(moving.mean()), float(grey.mean())))
        before, before_time = grey, time
    if not rows:
        rows.append((before_time, 0.0, 0.0, 0.0, 0.0 if before is None else float(before.mean())))
    return Motion(*np.array(rows, np.float64).T)


def _main(flow: np.ndarray) -> np.ndarray:
    """The movement of the fast half of the changing pixels (n, 2): uncovered background changes without moving."""
    size = np.hypot(flow[:, 0], flow[:, 1])
    fast = flow[size >= 0.5 * np.quantile(size, 0.9)]
    return np.asarray(np.median(fast, axis=0))
