"""Images: every raster format that Pillow reads, as uint8 RGB pixels the right way up."""

import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from mmdmad.cases import Part
from mmdmad.parts.limits import MAX_IMAGE_BYTES, MAX_PIXELS, check_size, decoding, plain_file, refuse
from mmdmad.parts.whole import whole_picture

PROGRAMS = {"EPS": "a PostScript program", "WMF": "a drawing program", "MPEG": "a video; name it in the column video"}
"""What Pillow opens but what is not a picture: rendering it would run a program or other software."""


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels uint8 (H, W, 3), EXIF orientation applied."""

    pixels: np.ndarray


def read_image(part: Part) -> Image:
    """The part's pixels. The first frame of an animation is taken; transparent pixels are laid on white.

    16-bit grey is scaled by 255 / 65535, the same for every file, so that brightness stays comparable across cases.
    Floating-point and 32-bit pixels declare no white: they are read as 0..1, 0..255 or 0..65535, the first of these
    that holds them all. A file that ends before its picture does is refused even where a decoder would fill the rest.

    >>> read_image(Part("image", value=np.full((2, 2), 65535, np.uint16))).pixels[0, 0].tolist()
    [255, 255, 255]
    """
    value = part.value
    if isinstance(value, Image):
        value = value.pixels
    if isinstance(value, np.ndarray):
        return Image(from_array(part, value))
    if isinstance(value, Pillow.Image):
        with _quiet(), decoding(part, "the picture"):
            return Image(_pixels(part, value))
    if value is not None:
        raise refuse(part, f"an image must be an array or a Pillow image, not {type(value).__name__}")
    if part.start is not None or part.stop is not None:
        raise refuse(part, "an image cannot be sliced")
    return Image(read_pixels(part, plain_file(part, MAX_IMAGE_BYTES)))


def read_pixels(part: Part, path: Path) -> np.ndarray:
    """The pixels of one picture file, uint8 (H, W, 3)."""
    with _quiet(), decoding(part, path.name):
        data = path.read_bytes()
        try:
            opened = Pillow.open(io.BytesIO(data))
        except Pillow.UnidentifiedImageError:
            raise refuse(part, f"{path.name} is not a picture, or damaged at its beginning") from None
        except Pillow.DecompressionBombError:
            raise refuse(part, f"{path.name} would unpack to more than {MAX_PIXELS} pixels, the most allowed") from None
        with opened as picture:
            if picture.format in PROGRAMS:
                raise refuse(part, f"{path.name} is {PROGRAMS[picture.format]}; give a raster picture such as PNG")
            check_size(part, picture.height, picture.width, path.name)
            if not whole_picture(data, picture.format):
                raise refuse(part, f"{path.name} is truncated: the {picture.format} file ends before its end mark")
            return _pixels(part, picture)


def _pixels(part: Part, picture: Pillow.Image) -> np.ndarray:
    check_size(part, picture.height, picture.width, "the picture")
    if picture.mode.startswith(("I", "F")):
        # Orientation first, on the numbers: Pillow cannot convert these modes to RGB without clipping.
        return from_array(part, np.asarray(ImageOps.exif_transpose(picture)))
    upright = ImageOps.exif_transpose(picture)
    if upright.has_transparency_data:
        seen = upright.convert("RGBA")
        paper = Pillow.new("RGBA", seen.size, "white")
        upright = Pillow.alpha_composite(paper, seen)
    return np.array(upright.convert("RGB"))


def from_array(part: Part, array: np.ndarray) -> np.ndarray:
    """An array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of any numbers as uint8 (H, W, 3)."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise refuse(part, f"an array of shape {array.shape} is not a picture; (H, W) and (H, W, 1, 3 or 4) are")
    check_size(part, array.shape[0], array.shape[1], "the array")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        array = _to_bytes(part, array)
    if array.ndim == 2 or array.shape[2] == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if array.shape[2] == 4:
        return _pixels(part, Pillow.fromarray(np.ascontiguousarray(array)))
    return np.ascontiguousarray(array)


def _to_bytes(part: Part, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "uif":
        raise refuse(part, f"pixels must be numbers, not {array.dtype}")
    low, high = float(array.min()), float(array.max())
    if not np.isfinite(low + high):
        raise refuse(part, "the picture holds pixels that are NaN or infinite")
    tops = (65535,) if array.dtype.itemsize == 2 and array.dtype.kind == "u" else (255, 65535)
    white = next((top for top in ((1, 255, 65535) if array.dtype.kind == "f" else tops) if high <= top), None)
    if low < 0 or white is None:
        raise refuse(part, f"pixels lie in {low:g}..{high:g}; allowed are 0..1 (floating point), 0..255 and 0..65535")
    out = np.empty(array.shape, np.uint8)
    for i in range(0, len(array), 256):  # in strips: the float copy of a large picture would be four times as large
        out[i : i + 256] = np.rint(array[i : i + 256].astype(np.float32) * (255 / white))
    return out


# Pillow reports some faults of TIFF files to its logger before it raises them. Without any handler Python would print
# them; whoever sets up logging still gets them.
logging.getLogger("PIL").addHandler(logging.NullHandler())
_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_warnings: Any = None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Pillow's warnings (odd EXIF, large pictures): limits are checked here, and the reason is in the error.

    Counted, because Python's warning filters are shared by all threads: the last to leave restores them.
    """
    global _quiet_depth, _quiet_warnings
    with _quiet_lock:
        if _quiet_depth == 0:
            _quiet_warnings = warnings.catch_warnings()
            _quiet_warnings.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
            warnings.filterwarnings("ignore", category=Pillow.DecompressionBombWarning)
        _quiet_depth += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0:
                _quiet_warnings.__exit__(None, None, None)
                _quiet_warnings = None
