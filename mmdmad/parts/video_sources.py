"""Frames from memory, from NPY and NPZ files, and from folders of pictures."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from mmdmad.cases import Part
from mmdmad.files import left_by_others
from mmdmad.parts.arrays import open_npy, open_npz
from mmdmad.parts.frame_times import FrameTimes, times_in
from mmdmad.parts.frames import DEFAULT_FPS, Source, clip_shape
from mmdmad.parts.image import deep_range, read_pixels
from mmdmad.parts.limits import MAX_FRAMES, MAX_IMAGE_BYTES, decoding, inside, plain_file, refuse
from mmdmad.parts.timeline import usual_step


def _rgb(frame: np.ndarray) -> np.ndarray:
    frame = frame.reshape(*frame.shape[:2], -1)
    return np.repeat(frame, 3, axis=2) if frame.shape[2] == 1 else np.ascontiguousarray(frame)


def _even(part: Part, count: int, fps: float | None) -> tuple[np.ndarray, float]:
    rate = part.rate or fps or DEFAULT_FPS
    if not (math.isfinite(rate) and rate > 0):
        raise refuse(part, f"{rate} is not a number of frames per second")
    if count > MAX_FRAMES:
        raise refuse(part, f"the clip has {count} frames; at most {MAX_FRAMES} are allowed")
    return np.arange(count) / rate, float(rate)


def _taken(part: Part, fps: float | None) -> tuple[str, ...]:
    """What is said of an array that has no rate of its own."""
    if part.rate or fps:
        return ()
    return (f"nothing says how many frames a second there are; {DEFAULT_FPS:g} are taken",)


class Memory:
    """Frames of an array uint8 (F, H, W) or (F, H, W, 3)."""

    def __init__(self, part: Part, array: np.ndarray) -> None:
        clip_shape(part, array.shape, array.dtype, "the array")
        self.array = array
        self.times, self.fps = _even(part, len(array), None)
        self.notes = _taken(part, None)
        self.height, self.width = array.shape[1:3]

    def frames(self, start: int, stop: int, every: int) -> Iterator[tuple[int, np.ndarray]]:
        """Every `every`-th frame from start to stop."""
        for index in range(start, stop, every):
            yield index, _rgb(self.array[index])


class Some:
    """Some frames of another source, by their increasing numbers there."""

    def __init__(self, source: Source, numbers: np.ndarray) -> None:
        self.source, self.numbers, self.times = source, numbers, source.times[numbers]
        self.height, self.width, self.fps = source.height, source.width, source.fps

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the other source."""
        return self.source.notes

    def frames(self, start: int, stop: int, every: int) -> Iterator[tuple[int, np.ndarray]]:
        """Every `every`-th of these frames from start to stop."""
        wanted = {int(self.numbers[place]): place for place in range(start, stop, every)}
        if not wanted:
            return
        for number, pixels in self.source.frames(min(wanted), max(wanted) + 1, 1):
            if number in wanted:
                yield wanted[number], pixels


class Stored:
    """Frames of an NPY file, or of the array `frames` (or the only array but `fps`) of an NPZ file, read one by one."""

    def __init__(self, part: Part, path: Path) -> None:
        self.part, self.path, fps = part, path, None
        self.name: str | None = None
        if path.suffix.lower() == ".npy":
            with open_npy(part, path) as array:
                shape, dtype, fortran = array.shape, array.dtype, array.fortran
        else:
            with open_npz(part, path) as arrays:
                others = [n for n in arrays.names if n not in ("fps", "rate")]
                self.name = "frames" if "frames" in others else others[0] if len(others) == 1 else None
                if self.name is None:
                    raise refuse(part, f"{path.name} holds {', '.join(others[:5])}; the clip must be called 'frames'")
                array = arrays.open(self.name)
                shape, dtype, fortran = array.shape, array.dtype, array.fortran
                for key in ("fps", "rate"):
                    if key in arrays.names and math.prod(arrays.open(key).shape) == 1:
                        fps = float(arrays.open(key).read_all().reshape(-1)[0])
        clip_shape(part, shape, dtype, path.name)
        if fortran:
            raise refuse(part, f"{path.name} is stored column by column; save it with np.ascontiguousarray")
        self.times, self.fps = _even(part, shape[0], fps)
        self.notes = _taken(part, fps)
        self.height, self.width = shape[1:3]

    def frames(self, start: int, stop: int, every: int) -> Iterator[tuple[int, np.ndarray]]:
        """Every `every`-th frame from start to stop."""
        if self.name is None:
            with open_npy(self.part, self.path) as array:
                for index in range(start, stop, every):
                    with decoding(self.part, f"frame {index} of {self.path.name}"):
                        frame = array.read_item(index)
                    yield index, _rgb(frame)
            return
        with open_npz(self.part, self.path) as arrays:
            array = arrays.open(self.name)
            for index in range(start, stop, every):
                with decoding(self.part, f"frame {index} of {self.path.name}"):
                    frame = array.read_item(index)
                yield index, _rgb(frame)


def _clock(part: Part, count: int, named: FrameTimes | None) -> tuple[np.ndarray, float, list[str]]:
    """Times (n,) and rate of the frames of a folder, and what was decided where their names hold times.

    A rate that somebody gave counts where the names go by seconds that several frames share, or tell another rate.
    """
    if named is not None and not named.even:
        step = usual_step(named.times)
        if part.rate is None or count < 2 or 0.8 < step * part.rate < 1.25:
            fps = _even(part, count, 1 / step if step else None)[1]
            return named.times, fps, [f"the names of its {count} frames hold their times"]
        told = f"the names of frames tell {1 / step:.3g} a second, but {part.rate:g} a second were given and count"
        return *_even(part, count, None), [told]
    told = "the name of the first frame holds the time of the first, the rate that was given those of the others"
    return *_even(part, count, None), [told] if named is not None else []


class Folder:
    """The pictures of a folder in natural order (frame2 before frame10); other files in it are passed over.

    Times in the names of all its pictures count. Where there are none, nothing says how fast they were taken, and
    speeds are told: without a rate it is refused. `start` is when the first was taken, None if unknown.
    """

    def __init__(self, part: Part) -> None:
        folder = inside(part, part.path)
        with decoding(part, folder.name):
            Pillow.init()
            known = {
                s for s, name in Pillow.EXTENSION.items() if name in Pillow.OPEN and name not in ("PDF", "EPS", "MPEG")
            }
            files = [p for p in folder.iterdir() if p.suffix.lower() in known and not left_by_others(p.name)]
        if not files:
            raise refuse(part, f"the folder {folder.name} holds no pictures")
        self.files = sorted(files, key=lambda p: natural(p.name))
        named = times_in([file.name for file in self.files])
        self.start = None if named is None else named.start
        if part.rate is None and (named is None or named.even):
            raise refuse(
                part,
                f"nothing says how many a second the {len(files)} pictures of the folder {folder.name} are; give "
                "frames per second in the manifest's column video_rate (`cases make --rate video=25`; in Python: "
                "Part(..., rate=25))",
            )
        self.part = part
        self.times, self.fps, told = _clock(part, len(files), named)
        self.clock = tuple(told)
        self.notes: tuple[str, ...] = self.clock  # and of the first frame of which there is something to say
        first = self._read(0, None)
        self.height, self.width = first.shape[:2]

    def depths(self, most: int = 4) -> Iterator[tuple[str, float, float]]:
        """What kind of numbers pictures spread over the folder hold, and which range of them they use."""
        for index in sorted({round(i * (len(self.files) - 1) / max(1, most - 1)) for i in range(most)}):
            found = deep_range(self._part(index))
            if found is not None:
                yield found

    def _part(self, index: int) -> Part:
        part, file = self.part, self.files[index]
        return Part("video", file, None, None, None, part.case_id, part.row, None, part.root, part.levels)

    def _read(self, index: int, shape: tuple[int, int] | None) -> np.ndarray:
        part, file = self.part, self.files[index]
        one = self._part(index)
        pixels, said = read_pixels(one, plain_file(one, MAX_IMAGE_BYTES))
        if said and self.notes == self.clock:
            self.notes = (*self.clock, *(f"{file.name}: {note}" for note in said))
        if shape is not None and pixels.shape[:2] != shape:
            height, width = pixels.shape[:2]
            raise refuse(part, f"{file.name} has {width} x {height} pixels, the first frame {shape[1]} x {shape[0]}")
        return pixels

    def frames(self, start: int, stop: int, every: int) -> Iterator[tuple[int, np.ndarray]]:
        """Every `every`-th frame from start to stop."""
        for index in range(start, stop, every):
            yield index, self._read(index, (self.height, self.width))


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key that compares runs of digits as numbers.

    >>> sorted(["f10.png", "f2.png"], key=natural)
    ['f2.png', 'f10.png']
    """
    pieces = re.split(r"(\d+)", name.lower())
    return [(0, int(p), p) if p.isdecimal() and len(p) < 300 else (1, 0, p) for p in pieces] + [(2, 0, name)]
