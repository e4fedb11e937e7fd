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
from mmdmad.parts.deep_colours import ORIENTATION, deep_colours
from mmdmad.parts.levels import BYTES, colours, common_levels, kind_of, used_range
from mmdmad.parts.limits import MAX_IMAGE_BYTES, MAX_PIXELS, check_size, decoding, plain_file, refuse
from mmdmad.parts.photographs import lacking
from mmdmad.parts.whole import whole_picture

PROGRAMS = {"EPS": "a PostScript program", "WMF": "a drawing program", "MPEG": "a video; name it in the column video"}
"""What Pillow opens but what is not a picture: rendering it would run a program or other software."""
SEVERAL = {"TIFF": "pages", "DCX": "pages", "GIF": "frames", "WEBP": "frames", "PNG": "frames", "AVIF": "frames"}
"""Formats that hold pictures beside each other; in others (MPO, PSD, ICO) further ones belong to the first."""
SUBFILE, LESSER = 254, 0b101
"""TIFF: the tag that says what a page is, and its bits for a smaller copy and for a mask of another page."""


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels uint8 (H, W, 3), EXIF orientation applied; `notes` are what was decided while reading, in plain words."""

    pixels: np.ndarray
    notes: tuple[str, ...] = ()


def read_image(part: Part) -> Image:
    """The part's pixels, transparent ones laid on white. A file of several pages or frames is refused.

    Numbers that are no bytes are shown by the part's `levels`, which a model decides over all that it learns from, and
    `notes` say what is beyond them or of another kind. Without levels 16-bit grey is scaled by 255 / 65535, the same
    for every file, and floating-point and 32-bit pixels as 0..1, 0..255 or 0..65535, the first of these that holds them
    all (else as they are used). A file that ends before its picture does is refused even where a decoder would fill
    the rest.

    >>> read_image(Part("image", value=np.full((2, 2), 65535, np.uint16))).pixels[0, 0].tolist()
    [255, 255, 255]
    """
    if isinstance(part.value, Image):
        return part.value
    return Image(*read_pixels(part))


def read_numbers(part: Part, path: Path | None = None, deep: bool = True) -> np.ndarray:
    """The picture's own numbers, (H, W) or (H, W, C) of 1, 3 or 4 channels, upright; of one picture file if given.

    Without `deep`, colours of 16 bits come as their upper eight.
    """
    value = part.value
    if isinstance(value, np.ndarray):
        return _checked(part, value)
    if isinstance(value, Pillow.Image):
        with _quiet(), decoding(part, "the picture"):
            return _numbers(part, value, None, deep)
    if value is not None:
        raise refuse(part, f"an image must be an array or a Pillow image, not {type(value).__name__}")
    if path is None:
        if part.start is not None or part.stop is not None:
            raise refuse(part, "an image cannot be sliced")
        path = plain_file(part, MAX_IMAGE_BYTES)
    with _quiet(), decoding(part, path.name):
        data = path.read_bytes()
        if why := lacking(data[:12], path.name):
            raise refuse(part, why)
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
            _refuse_several(part, picture, path.name)
            return _numbers(part, picture, data, deep)


def _refuse_several(part: Part, picture: Pillow.Image, name: str) -> None:
    """Refuses a file of several pages or frames, of which one alone would be judged."""
    noun = SEVERAL.get(picture.format or "")
    count = getattr(picture, "n_frames", 1) if noun else 1
    if noun == "pages" and count > 1 and hasattr(picture, "tag_v2"):
        every = range(count)
        count = 0
        for page in every:
            picture.seek(page)
            count += not int(picture.tag_v2.get(SUBFILE, 0)) & LESSER
        picture.seek(0)
    if count > 1:
        raise refuse(
            part,
            f"{name} holds {count} {noun}, and a picture is one; save each as a file (of one piece: with one "
            "name in the column recording), or put them into a folder of frames and name that as video",
        )


def read_pixels(part: Part, path: Path | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pixels of a picture, or of one picture file, uint8 (H, W, 3), and what is to be said of them."""
    numbers = read_numbers(part, path, deep=part.levels is not None)
    # Of a picture in bytes there is something to say too, where those learned from are none.
    return _rgb(_bytes(part, numbers)), () if part.levels is None else part.levels.unlike(numbers)


def deep_range(part: Part) -> tuple[str, float, float] | None:
    """`kind_of` and `used_range` of a picture; of a file of bytes the head alone is read. None for an Image.

    >>> deep_range(Part("image", value=np.full((4, 4), 900, np.uint16)))
    ('16-bit', 900.0, 900.0)
    """
    if isinstance(part.value, Image):
        return None
    if part.value is None:
        file = plain_file(part, MAX_IMAGE_BYTES)
        with file.open("rb") as opened:
            head = opened.read(12)
        if why := lacking(head, file.name):
            raise refuse(part, why)
        with _quiet(), decoding(part, file.name), Pillow.open(file) as picture:
            if not (picture.mode.startswith(("I", "F")) or _is_deep_colour(picture)):
                return BYTES, 0.0, 255.0
    numbers = read_numbers(part)
    return kind_of(numbers), *used_range(colours(numbers))


def _is_deep_colour(picture: Pillow.Image) -> bool:
    """Whether a file holds colours of 16 bits, of which Pillow gives the upper eight alone."""
    tiles = getattr(picture, "tile", ())
    return picture.format in ("PNG", "TIFF") and picture.mode in ("RGB", "RGBA", "LA") and ";16" in str(tiles[:1])


def _numbers(part: Part, picture: Pillow.Image, data: bytes | None, deep: bool) -> np.ndarray:
    check_size(part, picture.height, picture.width, "the picture")
    if picture.mode.startswith(("I", "F")):
        # Orientation first, on the numbers: Pillow cannot convert these modes to RGB without clipping.
        return _checked(part, np.asarray(ImageOps.exif_transpose(picture)))
    if deep and data is not None and _is_deep_colour(picture):
        return _checked(part, deep_colours(data, picture.getexif().get(ORIENTATION, 1)))
    return _on_paper(ImageOps.exif_transpose(picture))


def _on_paper(picture: Pillow.Image) -> np.ndarray:
    """A picture of bytes as uint8 (H, W, 3), transparent pixels laid on white."""
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        picture = Pillow.alpha_composite(Pillow.new("RGBA", seen.size, "white"), seen)
    return np.array(picture.convert("RGB"))


def _checked(part: Part, array: np.ndarray) -> np.ndarray:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise refuse(part, f"an array of shape {array.shape} is not a picture; (H, W) and (H, W, 1, 3 or 4) are")
    check_size(part, array.shape[0], array.shape[1], "the array")
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if array.dtype.kind not in "uif":
        raise refuse(part, f"pixels must be numbers, not {array.dtype}")
    if array.dtype != np.uint8 and not np.isfinite(float(array.min()) + float(array.max())):
        raise refuse(part, "the picture holds pixels that are NaN or infinite")
    return array


def _bytes(part: Part, numbers: np.ndarray) -> np.ndarray:
    """Numbers as uint8 of the same shape, by the part's levels or those of this picture alone."""
    if numbers.dtype == np.uint8:
        return numbers
    if part.levels is not None and part.levels.kinds != (BYTES,):
        shown = part.levels.bytes_of(colours(numbers))
        # Transparency is a share of what its numbers can hold, whatever the light was.
        return np.concatenate([shown, _own_bytes(numbers[..., 3:])], axis=2) if _is_clear(numbers) else shown
    return _own_bytes(numbers)


def _is_clear(numbers: np.ndarray) -> bool:
    """Whether a picture holds transparency."""
    return numbers.ndim == 3 and numbers.shape[2] == 4


def _own_bytes(numbers: np.ndarray) -> np.ndarray:
    """Numbers as uint8, by the white that they themselves suggest."""
    low, high = float(numbers.min()), float(numbers.max())
    tops = (65535,) if numbers.dtype.itemsize == 2 and numbers.dtype.kind == "u" else (255, 65535)
    white = next((top for top in ((1, 255, 65535) if numbers.dtype.kind == "f" else tops) if high <= top), None)
    if low < 0 or white is None:
        own = common_levels([(kind_of(numbers), *used_range(colours(numbers)))])
        assert own is not None
        return own.bytes_of(numbers)
    out = np.empty(numbers.shape, np.uint8)
    for i in range(0, len(numbers), 256):  # in strips: the float copy of a large picture would be four times as large
        out[i : i + 256] = np.rint(numbers[i : i + 256].astype(np.float32) * (255 / white))
    return out


def _rgb(array: np.ndarray) -> np.ndarray:
    if array.ndim == 2 or array.shape[2] == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if _is_clear(array):
        return _on_paper(Pillow.fromarray(np.ascontiguousarray(array)))
    return np.ascontiguousarray(array)


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
