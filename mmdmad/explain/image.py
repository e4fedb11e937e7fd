"""Evidence from a picture: the regions that stand out, where they lie, how large they are, lighter or darker."""

from typing import TYPE_CHECKING

import numpy as np

from mmdmad.explain.maps import Region, cell_maps, hot_regions, hottest_cell, on_scale
from mmdmad.explain.words import Draft, draft, fact, place

if TYPE_CHECKING:
    from mmdmad.joint.judgement import PartJudgement

MAX_REGIONS = 3
_VISIBLE = 0.04  # share of the grey range from which a difference in brightness is worth saying


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
    return [_region(region, pixels) for region in regions]


def _region(region: Region, pixels: np.ndarray) -> Draft:
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
    where = "in the {place}" if place(*region.centre) == "centre" else "at {place}"
    text = f"a region of {{width}} by {{height}} stands out {where}"
    text += " ({share_of_the_picture} of the picture, from x {left}, y {top})"
    tone = _tone(region.box, pixels)
    if abs(tone) >= _VISIBLE:
        facts.append(fact("tone", "darker" if tone < 0 else "lighter"))
        facts.append(fact("tone difference", 100 * abs(tone), "%"))
        text += "; it is {tone_difference} of the grey range {tone} than its surroundings"
    return draft("region", "image", text + ".", facts)


def _tone(box: tuple[int, int, int, int], pixels: np.ndarray) -> float:
    """Mean grey inside the box minus mean grey of a ring as wide as half the box around it, as share of 255."""
    left, top, right, bottom = box
    grey = pixels.mean(axis=2)
    pad = max(4, (right - left + bottom - top) // 4)
    ring = np.zeros(grey.shape, bool)
    ring[max(0, top - pad) : bottom + pad, max(0, left - pad) : right + pad] = True
    ring[top:bottom, left:right] = False
    if not ring.any():
        return 0.0
    return float((grey[top:bottom, left:right].mean() - grey[ring].mean()) / 255)
