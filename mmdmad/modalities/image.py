"""Pictures: one raster file each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mmdmad.modalities.base import BaseModality, modality

if TYPE_CHECKING:
    import numpy as np

    from mmdmad.cases import Part
    from mmdmad.parts.image import Image as Signal


@modality
class Image(BaseModality):
    """A picture, uint8 RGB pixels."""

    name, rank, noun = "image", 10, "image"
    words = ("image", "images", "picture", "pictures", "photo", "photos", "photograph", "photographs")
    suffixes = (
        *(".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".avif", ".jp2", ".ppm", ".pgm", ".pbm"),
        *(".tga", ".qoi", ".dds", ".psd"),
    )
    photo, kinds = True, ("region",)
    encoder, clip_encoder = "lite0", "clip-image"

    def read(self, part: "Part") -> "Signal":
        """Its pixels."""
        from mmdmad.parts.image import read_image

        return read_image(part)

    def content(self, part: "Part") -> "Iterator[np.ndarray]":
        """Its pixels."""
        yield self.read(part).pixels
