"""Evidence from a picture: the regions that stand out, where they lie and how large they are."""

from typing import TYPE_CHECKING

import numpy as np

from mmdmad.explain.maps import Region, cell_maps, hot_regions, hottest_cell, on_scale
from mmdmad.explain.words import Draft, draft, fact, place

if TYPE_CHECKING:
    from mmdmad.judgement import PartJudgement

MAX_REGIONS = 3
WIDE = 0.6
"""A region of this share of the picture has no place: it is told as the picture."""


def look(judged: "PartJudgement", pixels: np.ndarray) -> tuple[np.ndarray | None, list[Region]]:
    """The picture's cells on the fixed scale (None for an encoder without places) and its hot regions."""
    if judged.layout.kind != "grid":
        return None, []
    cells = on_scale(cell_maps(judged.token_scores, judged.layout)[0], judged.scale)
    return cells, hot_regions(cells, (pixels.shape[0], pixels.shape[1]))[:MAX_REGIONS]


def evidence(cells: np.ndarray | None, regions: list[Region], pixels: np.ndarray) -> list[Draft]:
    """One sentence a region; without a hot region the most unusual place, said as such."""
    if cells is None:
        return []
    if not regions:
        spot = hottest_cell(cells, (pixels.shape[0], pixels.shape[1]))
        facts = [fact("place", place(*spot.centre)), fact("peak on the map scale", spot.peak)]
        text = "no single region of the picture stands out; the most unusual place is {place}."
        return [draft("region", "image", text, facts)]
    return [_region(region) for region in regions]


def _region(region: Region) -> Draft:
    left, top, right, bottom = region.box
    facts = [
        fact("place", place(*region.centre)),
        fact("left", left, "px"),
        fact("top", top, "px"),
        fact("right", right, "px"),
        fact("bottom", bottom, "px"),
        fact("width", right - left, "px"),
        fact("height", bottom - top, "px"),
        fact("share of the picture", 100 * region.share, "%"),
        fact("peak on the map scale", region.peak),
    ]
    if region.share >= WIDE:
        text = "the picture stands out nearly everywhere: {share_of_the_picture} of it does."
        return draft("region", "image", text, facts)
    where = "in the {place}" if place(*region.centre) == "centre" else "at {place}"
    text = f"a region of {{width}} by {{height}} stands out {where}"
    text += " ({share_of_the_picture} of the picture, from x {left}, y {top})"
    return draft("region", "image", text + ".", facts)
