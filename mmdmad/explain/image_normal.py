"""What is normal in the form of pictures: their sizes, and whether they have colour."""

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmdmad.explain.ranges import MIN_GROUP, Count
from mmdmad.explain.sizes import MAX_CASES, Sizes
from mmdmad.explain.sizes import evidence as of_size
from mmdmad.explain.words import Draft, draft
from mmdmad.saved import validated

if TYPE_CHECKING:
    from mmdmad.parts.image import Image

GREY = 2
"""Levels of 255 by which the colours of a pixel may differ in a grey picture that a lossy format has been through."""
SPECKS = 0.001
"""Share of pixels that may differ more: a stamp of the date, a hot pixel."""


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sizes: dict[str, Any]
    colours: dict[str, tuple[Count, Count]]


class ImageNormal:
    """Sizes of normal pictures, and how many are grey and how many in colour, by group, "" for all together."""

    def __init__(self) -> None:
        self.sizes = Sizes()
        self.colours: dict[str, tuple[int, int]] = {}
        self._cases = 0

    def add(self, signal: "Image", group: str) -> None:
        """Take in one normal picture."""
        if self._cases >= MAX_CASES:
            return
        self._cases += 1
        height, width = signal.pixels.shape[:2]
        self.sizes.add(width, height, group)
        colour = has_colour(signal.pixels)
        for own in sorted({"", group}):
            grey, coloured = self.colours.get(own, (0, 0))
            self.colours[own] = (grey + (not colour), coloured + colour)

    def finish(self) -> None:
        """Nothing more will be added."""
        self.sizes.finish()
        self.colours = {k: v for k, v in self.colours.items() if not k or sum(v) >= MIN_GROUP}

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The sizes, the groups that they belong to, and the counts."""
        arrays, sizes = self.sizes.state()
        return arrays, {"sizes": sizes, "colours": self.colours}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where it is nothing of that kind."""
        saved = validated(_Saved, values)
        self.sizes.set_state(arrays, saved.sizes)
        self.colours = saved.colours


def has_colour(pixels: np.ndarray) -> bool:
    """Whether a picture uint8 (H, W, 3) has colour; a look at up to 512 x 512 of its pixels.

    >>> has_colour(np.full((4, 4, 3), 90, np.uint8)), has_colour(np.full((4, 4, 3), (90, 90, 99), np.uint8))
    (False, True)
    """
    some = pixels[:: -(-len(pixels) // 512), :: -(-pixels.shape[1] // 512)]
    return bool(np.mean(some.max(axis=2) - some.min(axis=2) > GREY) > SPECKS)


def evidence(signal: "Image", known: ImageNormal, group: str | None) -> list[Draft]:
    """A size that no normal picture has, and colour where normal ones are grey, or none where they all have it."""
    height, width = signal.pixels.shape[:2]
    drafts = of_size("image", "picture", width, height, known.sizes.of(group))
    grey, coloured = known.colours.get(group or "") or known.colours.get("", (0, 0))
    colour = has_colour(signal.pixels) if grey == 0 or coloured == 0 else None
    if grey and colour:
        drafts.append(draft("form", "image", "the picture is in colour; normal ones are grey.", []))
    if coloured and colour is False:
        drafts.append(draft("form", "image", "the picture is grey; normal ones are in colour.", []))
    return drafts
