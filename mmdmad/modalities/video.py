"""Clips: a video file, a folder of frames, or an array of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mmdmad.modalities.base import BaseModality, modality

if TYPE_CHECKING:
    import numpy as np

    from mmdmad.cases import Part
    from mmdmad.parts.video import Video as Signal


@modality
class Video(BaseModality):
    """A clip: frames over time."""

    name, rank, noun = "video", 40, "video"
    words = ("video", "videos", "clip", "clips", "footage", "film", "frame", "frames")
    suffixes = (
        *(".mp4", ".mkv", ".avi", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv", ".mjpeg"),
        ".3gp",
    )
    slices, rated, folders, photo = "frames", True, True, True
    kinds, details = ("frames",), 2
    encoder = "clip"

    def read(self, part: "Part") -> "Signal":
        """Its frames, one at a time."""
        from mmdmad.parts.video import read_video

        return read_video(part)

    def content(self, part: "Part") -> "Iterator[str | np.ndarray]":
        """Times of the frames, then the frames."""
        from mmdmad.parts.video import Video as Signal

        if not isinstance(part.value, Signal):
            yield from super().content(part)
            return
        yield f"{part.value.times.tolist()}"
        for _, _, frame in part.value.frames():
            yield frame
