"""What the makers of broken inputs share: good pictures and clips to break, and how an input is judged."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image as Pillow

from mmdmad.cases import Cases, Part
from mmdmad.errors import ManifestError, PartError
from mmdmad.manifest import read_cases
from mmdmad.parts import Video, read

Made = Iterator[tuple[str, Part | Path]]


@dataclass(frozen=True)
class Broken:
    name: str
    given: Part | Path  # a Path is a manifest


def refusals(given: Part | Path) -> list[str]:
    """The reasons with which an input is refused; empty if it is taken. Other exceptions go through."""
    try:
        if isinstance(given, Path):
            cases: Cases = read_cases(given)
            return [r.reason for r in cases.refused]
        signal = read(given)
        if isinstance(signal, Video):
            for _ in signal.frames():
                pass
    except ManifestError as why:
        return [str(why)]
    except PartError as why:
        return [why.reason]
    return []


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def picture_bytes(kind: str) -> bytes:
    """A small picture that does not compress to nothing."""
    noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    out = io.BytesIO()
    Pillow.fromarray(np.kron(noise, np.ones((4, 4, 1), np.uint8))).save(out, kind)
    return out.getvalue()


def clip_bytes(kind: str, codec: str, frames: int = 24, pix_fmt: str = "yuv420p") -> bytes:
    """A small clip: a bright bar that moves over noise."""
    noise = np.random.default_rng(0).integers(0, 90, (64, 96, 3), dtype=np.uint8)
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pix_fmt
        for i in range(frames):
            pixels = noise.copy()
            pixels[:, 3 * i : 3 * i + 12] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    return out.getvalue()


CLIPS = (
    ("mp4", "libx264", ".mp4"),
    ("matroska", "libx264", ".mkv"),
    ("webm", "libvpx-vp9", ".webm"),
    ("avi", "mpeg4", ".avi"),
    ("mov", "mpeg4", ".mov"),
    ("flv", "flv1", ".flv"),
)
PICTURES = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "SGI", "PCX", "QOI", "JPEG2000", "AVIF", "ICO", "DDS")
