"""Frames from a container file, through PyAV (FFmpeg).

The file is opened as bytes from disk only, with a list of allowed containers: playlists and scripts, which FFmpeg would
follow to other files or to the network, are not on it. FFmpeg's log is off in PyAV unless somebody turns it on.
"""

import shlex
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

import av
import numpy as np

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts.frames import DEFAULT_FPS
from mmdmad.parts.limits import MAX_FRAMES, MAX_PIXELS, check_size, decoding, refuse
from mmdmad.parts.whole import missing_bytes

FORMATS = (
    *("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "mpegvideo", "asf", "flv", "ogg", "gif"),
    *("h264", "hevc", "m4v", "mjpeg", "mjpeg_2000", "ivf", "mxf", "nut", "yuv4mpegpipe", "dv", "obu"),
)
SEEKABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv")
"""Containers whose seeks land on key frames and whose frames carry their own times."""
SEEKABLE_INTRA = (*SEEKABLE, "avi", "asf")
"""Containers for which that holds where every frame is a key frame, as in Motion JPEG."""
SAYS_DURATION = ("matroska,webm", "flv")
"""Containers that state a duration for all streams together rather than for each."""
RAW = ("mpegvideo", "h264", "hevc", "m4v", "mjpeg", "mjpeg_2000", "obu")
"""Streams without a container: they carry no times, and FFmpeg invents 25 frames a second."""
WAIT = 60.0
"""Seconds after which opening a file or reading a packet is given up."""


class Container:
    """One video file. Its packets are indexed once, without decoding, to know the frames' times."""

    def __init__(self, part: Part, path: Path) -> None:
        self.part, self.path = part, path
        with decoding(part, path.name):
            missing = missing_bytes(path)
        if missing:
            said = f"{path.name} is truncated: at least {missing} bytes are missing at its end"
            raise refuse(part, f"{said}; {self._rescue()}")
        with self._open() as (container, stream):
            check_size(part, stream.height, stream.width, path.name)
            stamps, keys, packets, end, complete = self._index(container, stream)
            self.seekable = container.format.name in (SEEKABLE_INTRA if len(keys) == len(stamps) else SEEKABLE)
            self.fps = float(stream.average_rate or stream.guessed_rate or DEFAULT_FPS)
            raw = container.format.name in RAW
            declared = stream.frames
            promised = _seconds(container, stream)
            tick = float(stream.time_base) if stream.time_base else 0.0
        if not stamps:
            raise refuse(part, f"{path.name} holds no video frame")
        known = sorted(s for s in set(stamps) if s is not None)
        self.timed = len(known) == len(stamps)
        self.notes: tuple[str, ...] = ()
        untimed = raw or not self.timed
        if untimed and part.rate:
            self.fps = part.rate
        elif untimed:
            self.notes = (f"{path.name} carries no times of its frames; {self.fps:g} a second are taken",)
        self.stamps = np.array(known if self.timed else range(len(stamps)), np.int64)
        self.keys = np.array(sorted(keys), np.int64)
        self.times = np.arange(len(stamps)) / self.fps if untimed else (self.stamps - self.stamps[0]) * tick
        # A clip may rightly end before its last frame's time plus 1 / fps, or last longer on its last frame.
        ends = max(float(self.times[-1]) + 1 / self.fps, (end - int(self.stamps[0])) * tick if self.timed else 0.0)
        cut = not declared and not untimed and promised is not None and ends < promised - max(0.5, 2 / self.fps)
        if packets < declared or cut:
            whole = f"{declared} frames" if declared else f"{promised:.2f} s"
            raise refuse(part, f"{path.name} is truncated: it holds {len(stamps)} frames ({ends:.2f} s) of {whole}")
        if not complete:
            raise refuse(part, f"{path.name} is damaged: some of its {len(stamps)} frames are incomplete")
        self.height, self.width = next(self.frames(0, 1, 1))[1].shape[:2]

    def _rescue(self) -> str:
        """How to get at the frames that a truncated file still holds, or that there are none."""
        try:
            with self._open() as (container, stream):
                held = any(packet.size > 0 for packet in islice(container.demux(stream), 100))
        except (PartError, av.error.FFmpegError):
            held = False
        if not held:
            return "the index without which no frame can be read is lost with them: give the whole file"
        name = shlex.quote(self.path.name)
        return f"to keep the frames that are there: ffmpeg -i {name} -c copy {shlex.quote('cut_' + self.path.name)}"

    @contextmanager
    def _open(self) -> Iterator[tuple[Any, Any]]:
        with self.path.open("rb") as raw:
            file = _Bytes(raw)
            # For the container alone: handed to the streams too, they end the process in PyAV 15 and 16 (MPEG-PS).
            options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "", "max_streams": "100"}
            try:
                opened = _opened(file, options)
            except av.error.FFmpegError:
                name = self.path.name
                raise refuse(
                    self.part, f"{name} is not a video container that is read, or damaged at its beginning"
                ) from None
            with decoding(self.part, self.path.name), opened as container:
                if not container.streams.video:
                    raise refuse(self.part, f"{self.path.name} holds no video stream")
                stream = container.streams.video[0]
                if stream.codec_context is None:
                    raise refuse(self.part, f"{self.path.name} has a video stream for which there is no decoder")
                stream.codec_context.options = {
                    "err_detect": "explode",
                    "max_pixels": str(MAX_PIXELS),
                }
                yield container, stream

    def _index(self, container: Any, stream: Any) -> tuple[list[int | None], list[int], int, int, bool]:
        stamps: list[int | None] = []
        keys: list[int] = []
        packets, end, complete = 0, 0, True
        for packet in container.demux(stream):
            packets += packet.size > 0
            if packet.size == 0 or packet.is_discard:
                continue
            complete = complete and not packet.is_corrupt
            stamps.append(packet.pts)
            end = max(end, (packet.pts or 0) + (packet.duration or 0))
            if packet.is_keyframe and packet.pts is not None:
                keys.append(packet.pts)
            if len(stamps) > MAX_FRAMES:
                raise refuse(self.part, f"{self.path.name} has more than {MAX_FRAMES} frames")
        return stamps, keys, packets, end, complete

    def frames(self, start: int, stop: int, every: int) -> Iterator[tuple[int, np.ndarray]]:
        """Every `every`-th frame from start to stop; decoding begins at a key frame before start where it can."""
        wanted = start
        for origin in (self._origin(start), None):
            with self._open() as (container, stream):
                for index, frame in self._decoded(container, stream, origin):
                    if index < wanted:
                        continue
                    if index > wanted or frame.is_corrupt:
                        break
                    yield index, self._pixels(frame)
                    wanted += every
                    if wanted >= stop:
                        return
            if wanted > start or origin is None:
                break
        count = len(self.stamps)
        raise refuse(self.part, f"{self.path.name} is damaged: frame {wanted} of {count} cannot be decoded")

    def _origin(self, start: int) -> int | None:
        """Time stamp of the key frame before the last one before frame `start`, or None = decode from the beginning.

        One key frame more than needed, because frames just after a key frame may lean on the one before it.
        """
        if not self.seekable or not self.timed:
            return None
        before = int(np.searchsorted(self.keys, self.stamps[start], side="right"))
        return int(self.keys[before - 2]) if before > 2 else None

    def _decoded(self, container: Any, stream: Any, origin: int | None) -> Iterator[tuple[int, Any]]:
        """Index and frame from a time stamp on, up to the first fault. Numbered by time after a seek, else counted."""
        try:
            if origin is not None:
                container.seek(origin, stream=stream, backward=True)
            for count, frame in enumerate(container.decode(stream)):
                index = count
                if origin is not None:
                    index = int(np.searchsorted(self.stamps, -1 if frame.pts is None else frame.pts))
                    if index >= len(self.stamps) or self.stamps[index] != frame.pts:
                        return
                elif index >= len(self.stamps):
                    return
                yield index, frame
        except av.error.FFmpegError:
            # After a seek the caller begins anew from the start; otherwise it says which frame is damaged.
            return

    def _pixels(self, frame: Any) -> np.ndarray:
        check_size(self.part, frame.height, frame.width, self.path.name)
        # The matrix itself, not PyAV's `rotation`: that came with 14.1, and takes a mirrored clip for a turned one.
        matrix = frame.side_data.get("DISPLAYMATRIX")
        pixels = frame.to_ndarray(format="rgb24")
        return pixels if matrix is None else upright(pixels, struct.unpack("=9i", bytes(matrix)[:36]))


def upright(pixels: np.ndarray, matrix: Sequence[int]) -> np.ndarray:
    """Pixels (H, W, 3) as the file's display matrix wants them shown; quarter turns and mirrors only.

    A pixel at (x, y) is shown at (a x + c y, b x + d y); `matrix` is a, b, _, c, d, ... (ISO/IEC 14496-12, tkhd).

    >>> turned = upright(np.arange(6).reshape(2, 3, 1), (0, 1, 0, -1, 0, 0, 0, 0, 1))
    >>> turned[..., 0].tolist()
    [[3, 0], [4, 1], [5, 2]]
    """
    a, b, _, c, d = matrix[:5]
    if a and d and not (b or c):
        across, down = a, d
    elif b and c and not (a or d):
        pixels, across, down = pixels.swapaxes(0, 1), c, b
    else:
        return pixels
    return np.ascontiguousarray(pixels[:: 1 if down > 0 else -1, :: 1 if across > 0 else -1])


class _Bytes:
    """A file for FFmpeg to read: a seek out of a broken file gets an error code; a raised one would be printed."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read, self.tell, self._seek = file.read, file.tell, file.seek

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def _opened(file: _Bytes, options: dict[str, str]) -> Any:
    """The open container. Titles and the like may be in any alphabet: nothing of them is used."""
    try:
        return av.open(file, container_options=options, timeout=WAIT)
    except UnicodeDecodeError:
        # Before release 19, PyAV fails on metadata that are not UTF-8 unless told otherwise; since then it knows no
        # such argument and does not fail.
        file.seek(0, 0)
        return av.open(file, container_options=options, timeout=WAIT, metadata_errors="replace")


def _seconds(container: Any, stream: Any) -> float | None:
    """How long the file says its video is."""
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.format.name in SAYS_DURATION and len(container.streams) == 1 and container.duration is not None:
        return float(container.duration) / av.time_base
    return None
