"""What every source of frames has, and what an array or a folder must be to be one."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts.limits import refuse

DEFAULT_FPS = 25.0
"""Frames per second of an array or a raw stream that does not say; a folder of frames asks for its rate."""


class Source(Protocol):
    """Where frames come from: a container file, a folder or an array."""

    times: np.ndarray  # float64 (F,) seconds, increasing
    height: int
    width: int
    fps: float

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided while opening, in plain words."""
        ...

    def frames(self, start: int, stop: int, every: int) -> Iterator[tuple[int, np.ndarray]]:
        """Index and pixels uint8 (H, W, 3) of the frames start, start + every, … below stop."""
        ...


def clip_shape(part: Part, shape: tuple[int, ...], dtype: np.dtype, name: str) -> None:
    """Refuses an array that is not (F, H, W) or (F, H, W, 1 or 3) of bytes."""
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)) or 0 in shape:
        raise refuse(part, f"{name} has the shape {shape}; a clip is (F, H, W) or (F, H, W, 3)")
    if dtype != np.uint8:
        raise refuse(part, f"{name} holds {dtype}; the frames of an array must be uint8")
