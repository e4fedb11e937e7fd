"""Frames from a container file, through PyAV (FFmpeg).

The file is opened as bytes from disk only, with a list of allowed containers: playlists and scripts, which FFmpeg would
follow to other files or to the network, are not on it. FFmpeg's log is off in PyAV unless somebody turns it on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from mmdmad.cases import Part
from mmdmad.parts.limits import MAX_FRAMES, MAX_PIXELS, check_size, decoding, refuse
from mmdmad.parts.video import DEFAULT_FPS

FORMATS = (
    *("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "mpegvideo", "asf", "flv", "ogg", "gif"),
    *("h264", "hevc", "m4v", "mjpeg", "mjpeg_2000", "ivf", "mxf", "nut", "yuv4mpegpipe", "dv", "obu"),
)
WAIT = 60.0
"""Seconds after which opening a file or reading a packet is given up."""


class Container:
    """One video file. Its packets are indexed once, without decoding, to know the frames' times."""

    def __init__(self, part: Part, path: Path) -> None:
        self.part, self.path = part, path
        with self._open() as (container, stream):
            check_size(part, stream.height, stream.width, path.name)
            stamps, complete = self._index(container, stream)
            self.fps = float(stream.average_rate or stream.guessed_rate or DEFAULT_FPS)
            declared = stream.frames
            promised = _seconds(container, stream)
            tick = float(stream.time_base) if stream.time_base else 0.0
        if not stamps:
            raise refuse(part, f"{path.name} holds no video frame")
        known = sorted(s for s in set(stamps) if s is not None)
        self.timed = len(known) == len(stamps)
        self.stamps = np.array(known if self.timed else range(len(stamps)), np.int64)
        self.times = (self.stamps - self.stamps[0]) * (tick if self.timed else 1 / self.fps)
        ends = float(self.times[-1]) + 1 / self.fps
        cut = promised is not None and ends < promised - max(0.5, 2 / self.fps)
        if not complete or len(stamps) < declared or cut:
            whole = f"{declared} frames" if declared else f"{promised or 0:.2f} s"
            raise refuse(part, f"{path.name} is truncated: it holds {len(stamps)} frames ({ends:.2f} s) of {whole}")
        self.height, self.width = next(self.frames(0, 1, 1))[1].shape[:2]

    @contextmanager
    def _open(self) -> Iterator[tuple[Any, Any]]:
        with self.path.open("rb") as file:
            options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "", "max_streams": "100"}
            with (
                decoding(self.part, self.path.name),
                av.open(file, options=options, timeout=WAIT, metadata_errors="replace") as container,
            ):
                if not container.streams.video:
                    raise refuse(self.part, f"{self.path.name} holds no video stream")
                stream = container.streams.video[0]
                stream.codec_context.options = {
                    "err_detect": "explode",
                    "max_pixels": str(MAX_PIXELS),
                }
                yield container, stream

    def _index(self, container: Any, stream: Any) -> tuple[list[int | None], bool]:
        stamps: list[int | None] = []
        complete = True
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            complete = complete and not packet.is_corrupt
            stamps.append(packet.pts)
            if len(stamps) > MAX_FRAMES:
                raise refuse(self.part, f"{self.path.name} has more than {MAX_FRAMES} frames")
        return stamps, complete

    def frames(self, start: int, stop: int, every: int) -> Iterator[tuple[int, np.ndarray]]:
        """Every `every`-th frame from start to stop; decoding begins at the key frame before start."""
        wanted, index = start, -1
        with self._open() as (container, stream):
            if self.timed and start > 0:
                container.seek(int(self.stamps[start]), stream=stream, backward=True)
            for frame in container.decode(stream):
                index = int(np.searchsorted(self.stamps, frame.pts)) if self.timed else index + 1
                if index < wanted:
                    continue
                if index > wanted or frame.is_corrupt or index >= len(self.stamps):
                    break
                yield index, self._pixels(frame)
                wanted += every
                if wanted >= stop:
                    return
        raise refuse(self.part, f"{self.path.name} is damaged: frame {wanted} of {len(self.stamps)} cannot be decoded")

    def _pixels(self, frame: Any) -> np.ndarray:
        check_size(self.part, frame.height, frame.width, self.path.name)
        pixels = frame.to_ndarray(format="rgb24")
        if frame.rotation % 90 == 0 and frame.rotation:
            pixels = np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90))
        return pixels


def _seconds(container: Any, stream: Any) -> float | None:
    """How long the file says its video is."""
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    return None
