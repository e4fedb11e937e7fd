"""Colours of 16 bits from PNG and TIFF files, through OpenCV: Pillow gives their upper eight bits alone."""

import struct

import cv2
import numpy as np

ORIENTATION = 0x0112
"""The EXIF tag that says how a picture is turned."""
_UPRIGHT = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: np.rot90(a),
}


def deep_colours(data: bytes, orientation: int) -> np.ndarray:
    """The numbers (H, W, 3 or 4) of an encoded picture, red first, turned as its EXIF orientation says.

    ValueError where OpenCV cannot decode it.
    """
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the reason stands in the error
    try:
        found = cv2.imdecode(np.frombuffer(_not_turned(data), np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if found is None:
        raise ValueError("its colours of 16 bits cannot be decoded")
    if found.ndim == 3:
        found = np.concatenate([found[..., 2::-1], found[..., 3:]], axis=2)
    return np.ascontiguousarray(_UPRIGHT.get(orientation, lambda a: a)(found))


def _not_turned(data: bytes) -> bytes:
    """A TIFF file that says it stands upright: OpenCV turns these by itself, and other files not."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return data
    (first,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, first)
    for at in range(first + 2, first + 2 + 12 * count, 12):
        if struct.unpack_from(f"{order}H", data, at) == (ORIENTATION,):
            return data[: at + 8] + struct.pack(f"{order}H", 1) + data[at + 10 :]
    return data
