"""Pictures: one raster file each."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mmdmad.modalities.base import BaseModality, modality

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture

    from mmdmad.cases import Part
    from mmdmad.explain.base import Look, Seen
    from mmdmad.explain.image_normal import ImageNormal
    from mmdmad.explain.words import Draft
    from mmdmad.parts.image import Image as Signal
    from mmdmad.survey.base import Survey


@modality
class Image(BaseModality):
    """A picture, uint8 RGB pixels."""

    name, rank, noun = "image", 10, "image"
    words = ("image", "images", "picture", "pictures", "photo", "photos", "photograph", "photographs")
    suffixes = (
        *(".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".avif", ".jp2", ".ppm", ".pgm", ".pbm"),
        *(".tga", ".qoi", ".dds", ".psd", ".heic", ".heif", ".hif"),
    )
    photo, kinds = True, ("form", "region", "whole")
    picture_note = "as it is, and under its map"
    encoder, clip_encoder = "lite0", "clip-image"

    def read(self, part: "Part") -> "Signal":
        """Its pixels."""
        from mmdmad.parts.image import read_image

        return read_image(part)

    def content(self, part: "Part") -> "Iterator[np.ndarray]":
        """Its pixels."""
        yield self.read(part).pixels

    def depths(self, part: "Part") -> "Iterator[tuple[str, float, float]]":
        """Its own."""
        from mmdmad.parts.image import deep_range

        found = deep_range(part)
        if found is not None:
            yield found

    def survey(self, signal: "Signal") -> "Survey":
        """Size, colour, used range and fine detail."""
        from mmdmad.survey.pictures import of_picture

        return of_picture(signal.pixels, signal.notes)

    def normal(self) -> "ImageNormal":
        """Their sizes, and whether they have colour."""
        from mmdmad.explain.image_normal import ImageNormal

        return ImageNormal()

    def form(self, signal: "Signal", normal: "ImageNormal", group: str | None) -> "Sequence[Draft]":
        """Another size or shape, colour where there is none and none where there is."""
        from mmdmad.explain.image_normal import evidence

        return evidence(signal, normal, group)

    def look(self, seen: "Seen") -> "Look":
        """Regions that stand out, boxed in the picture under its map."""
        from mmdmad.explain import image
        from mmdmad.explain.base import Look
        from mmdmad.explain.draw import image_picture

        pixels = seen.signal.pixels
        cells, regions = image.look(seen.judged, pixels)
        marked = regions if seen.telling else []
        drafts = image.evidence(cells, regions, pixels)
        return Look(drafts, lambda: image_picture(pixels, cells, marked), placed=bool(regions))

    def crop(self, picture: "Picture") -> "Picture":
        """The right half of the pair, left of the colour bar."""
        from mmdmad.explain.draw import BAR

        width = (picture.width - BAR - 24) // 2
        return picture.crop((width + 12, 0, 2 * width + 12, picture.height))
