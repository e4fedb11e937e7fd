"""A look at a picture, or at some frames of a clip."""

import numpy as np
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

from mmdmad.survey.base import Survey

SIDE = 64
DETAIL = 2.0
"""Pixels, of SIDE a side: what is wider than this is light and form, what is finer is this one piece's own detail."""
NARROW = 64
"""Grey levels of 256; a picture that uses fewer is nearly flat."""


def of_picture(pixels: np.ndarray, notes: tuple[str, ...] = ()) -> Survey:
    """What a picture uint8 (H, W, 3) is like: size, colour, used range of its grey levels.

    >>> of_picture(np.zeros((4, 6, 3), np.uint8)).traits["size"]
    '6 x 4'
    """
    height, width = pixels.shape[:2]
    low, high = _used(pixels)
    remarks = []
    if high == low:
        remarks.append(f"every pixel has the same grey level, {low}")
    elif high - low < NARROW:
        remarks.append(f"its pixels use {high - low + 1} of 256 grey levels ({low} to {high})")
    grey = bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all())
    traits = {"size": f"{width} x {height}", "colour": "grey" if grey else "colour"}
    return Survey(traits, tuple(remarks), notes, coarse=_coarse(pixels), fine=fingerprint(pixels))


def _used(pixels: np.ndarray) -> tuple[int, int]:
    """Grey levels between which all but one pixel in a thousand at either end lie."""
    low, high = np.quantile(pixels[:: max(1, len(pixels) // 512)], [0.001, 0.999])
    return int(low), int(np.ceil(high))


def small(pixels: np.ndarray, side: int) -> np.ndarray:
    """The picture in grey, float32 (side, side)."""
    picture = Pillow.fromarray(pixels).convert("L")
    return np.asarray(picture.resize((side, side), Pillow.Resampling.BILINEAR, reducing_gap=3.0), np.float32)


def fingerprint(pixels: np.ndarray) -> np.ndarray:
    """The fine detail of a picture as float32 (SIDE * SIDE,), with its wide light and its contrast taken away.

    Exposures of one piece share it, as prints of one camera share its noise (Lukas, Fridrich and Goljan, "Digital
    camera identification from sensor pattern noise", 2006, have the same remainder after a smoothing filter).
    """
    grey = small(pixels, SIDE)
    detail = grey - gaussian_filter(grey, DETAIL)
    local = np.sqrt(gaussian_filter(detail**2, 4 * DETAIL))
    return (detail / (local + 1)).ravel()


def _coarse(pixels: np.ndarray) -> np.ndarray:
    """Its light and colour on a grid of four by four, its contrast and its sharpness: (50,)."""
    tiny = np.asarray(Pillow.fromarray(pixels).resize((4, 4), Pillow.Resampling.BOX), np.float64).ravel()
    grey = small(pixels, SIDE)
    contrast, sharp = float(grey.std()), float(np.abs(np.diff(grey, axis=1)).mean())
    return np.array([*tiny, 4 * contrast, 16 * sharp])
