"""Video: frames over time from a container file, a folder of pictures, or an array; never the whole clip in memory."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts.frames import DEFAULT_FPS, Source
from mmdmad.parts.limits import MAX_FRAMES, check_size, decoding, is_folder, plain_file, refuse, span
from mmdmad.parts.video_sources import Folder, Memory, Some, Stored


class Video:
    """A clip, read when asked: `n_frames`, `fps`, `height`, `width`, `duration` and the `times` (F,) of its frames.

    Times count from the clip's first frame and need not be evenly spaced; `fps` is their mean rate and `duration`
    includes the last frame's own 1 / fps. `began` is when the first frame was taken, None if unknown. A damaged frame
    raises PartError when it is reached.

    >>> clip = Video.from_array(np.zeros((4, 8, 8), np.uint8), fps=2)
    >>> clip.n_frames, clip.duration, [(i, t) for i, t, _ in clip.frames(every=2)]
    (4, 2.0, [(0, 0.0), (2, 1.0)])
    """

    def __init__(self, part: Part, source: Source, start: int, stop: int) -> None:
        self.part, self.source, self.start, self.stop = part, source, start, stop
        self.times = source.times[start:stop] - source.times[start]
        self.n_frames, self.height, self.width = stop - start, source.height, source.width
        lasted = float(self.times[-1])
        self.fps = float((self.n_frames - 1) / lasted) if lasted > 0 else float(source.fps)
        self.duration = lasted + 1 / self.fps
        began: datetime | None = getattr(source, "start", None)
        self.began = None if began is None else began + timedelta(seconds=float(source.times[start]))

    @property
    def offset(self) -> float:
        """Seconds from the first frame of what it was cut from to its own."""
        return float(self.source.times[self.start] - self.source.times[0])

    @property
    def file(self) -> str:
        """The name of the file or folder of which it is a slice; "" where it is all of it, or lies in memory."""
        cut = self.n_frames < len(self.source.times)
        return self.part.path.name if cut and self.part.path is not None else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided while opening, and what stood out in frames read so far."""
        return self.source.notes

    def __repr__(self) -> str:
        return f"Video({self.n_frames} frames, {self.width} x {self.height}, {self.duration:.2f} s, {self.fps:.3g}/s)"

    def frames(self, every: int = 1) -> Iterator[tuple[int, float, np.ndarray]]:
        """Index, time in seconds and pixels uint8 (H, W, 3) of every `every`-th frame."""
        if every < 1:
            raise ValueError(f"every must be at least 1, not {every}")
        for index, pixels in self.source.frames(self.start, self.stop, every):
            index -= self.start
            yield index, float(self.times[index]), pixels

    def frame_at(self, seconds: float) -> np.ndarray:
        """The frame shown at that time: the last one that began by then, the first one before the start."""
        index = max(0, int(np.searchsorted(self.times, seconds + 1e-9, side="right")) - 1) + self.start
        return next(self.source.frames(index, index + 1, 1))[1]

    @classmethod
    def from_array(cls, frames: np.ndarray, fps: float = DEFAULT_FPS) -> "Video":
        """A clip from frames uint8 (F, H, W) or (F, H, W, 3) in memory."""
        part = Part("video", value=frames, rate=fps)
        return _open_array(part, frames)

    def some(self, there: np.ndarray) -> "Video":
        """The clip with only those of its frames that are `there` (F,), at least one, each at its own time.

        >>> Video.from_array(np.zeros((4, 8, 8), np.uint8), fps=2).some(np.array([True, False, False, True])).times
        array([0. , 1.5])
        """
        return Video(self.part, Some(self.source, self.start + np.flatnonzero(there)), 0, int(np.sum(there)))

    def cut(self, part: Part) -> "Video":
        """The part's slice of this clip."""
        start, stop = span(part, self.n_frames, "frames")
        return Video(self.part, self.source, self.start + start, self.start + stop)


def read_video(part: Part) -> Video:
    """The part's clip: a container file read through PyAV, a folder of pictures, an NPY or NPZ file, or an array.

    Only what is needed to know the frames' times is read now. Folders whose names hold no times, arrays and streams
    without times have the part's `rate`, else an NPZ file's `fps`; without either a folder is refused, and for the
    others 25 frames a second are taken, which `notes` says. A clip that is cut off or damaged is refused as a whole, at
    the latest when the damage is reached; the reason says how many frames are sound, so that `#0:n` can ask for those.
    """
    value = part.value
    if isinstance(value, Video):
        return value.cut(part)
    if isinstance(value, np.ndarray):
        return _open_array(part, value)
    if value is not None:
        raise refuse(part, f"a video must be an array of frames or a Video, not {type(value).__name__}")
    if is_folder(part):
        return _video(part, Folder(part))
    path = plain_file(part)
    if path.suffix.lower() in (".npy", ".npz"):
        with decoding(part, path.name):
            return _video(part, Stored(part, path))
    from mmdmad.parts.video_file import Container

    with decoding(part, path.name):
        return _video(part, Container(part, path))


def _open_array(part: Part, frames: np.ndarray) -> Video:
    return _video(part, Memory(part, frames))


def _video(part: Part, source: Source) -> Video:
    if len(source.times) > MAX_FRAMES:
        raise refuse(part, f"the clip has {len(source.times)} frames; at most {MAX_FRAMES} are allowed")
    check_size(part, source.height, source.width, "the clip")
    start, stop = span(part, len(source.times), "frames")
    return Video(part, source, start, stop)
