"""Pixel figures of a fitted detector where a folder has ground-truth masks: its maps of pictures against them.

Masks and labels are read here and nowhere else: they enter no score and no map.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmdmad.cases import Case, Cases, Part, Refusal
from mmdmad.errors import DataError, PartError
from mmdmad.explain.maps import cell_maps, pixel_map
from mmdmad.metrics.pixels import pixel_metrics
from mmdmad.parts import read
from mmdmad.parts.image import read_numbers

if TYPE_CHECKING:
    from mmdmad.pipeline.detector import JointDetector

IMAGE = "image"
MOST = 40_000_000
"""Pixels that are held against each other at once; of more every second (third, …) row and column counts."""


@dataclass(frozen=True)
class MaskFigures:
    """`pixel_auroc`, `pixel_ap` and `aupro` over `pictures`, of which `masked` have a mask with a defect in it.

    `every` is 1 where all pixels count, 2 where every second row and column does. `left` are cases left out, and why.
    """

    figures: Mapping[str, float]
    pictures: int
    masked: int
    every: int
    left: tuple[Refusal, ...]


def mask_figures(detector: "JointDetector", cases: Cases, within: Iterable[str] | None = None) -> MaskFigures:
    """The figures of the cases (of the ids `within`) against the masks of their folder, or of a column `mask`.

    Pictures of normal cases without a mask have an empty one; other cases without a mask are left out, as are those
    whose picture or mask cannot be read or differ in size. DataError where nothing is left, or no picture was learned.
    """
    masks = _masks(cases)
    if not masks:
        raise DataError(
            "there are no masks: a folder called ground_truth or mask holds them, one for each picture, or a column "
            "'mask' of the manifest names them"
        )
    if IMAGE not in getattr(detector, "parts_", {}):
        raise DataError("this model has learned no pictures, so it has no maps of any")
    wanted = None if within is None else set(within)
    chosen = [case for case in cases if IMAGE in case.parts and (wanted is None or case.id in wanted)]
    maps, truths, left = [], [], []
    for case in chosen:
        if case.id not in masks and case.label != 0:
            why = "it has no mask, and nothing says that it is normal"
            left.append(Refusal(case.id, "mask", why, case.row))
            continue
        try:
            found, truth = _pair(detector, case, cases.root, masks.get(case.id))
        except PartError as why:
            left.append(Refusal(case.id, why.part, why.reason, case.row))
            continue
        maps.append(found)
        truths.append(truth)
    pixels = sum(truth.size for truth in truths)
    every = 1
    while pixels / every**2 > MOST:
        every += 1
    small = [one[::every, ::every] for one in truths]
    if not any(one.any() for one in small):
        raise DataError(f"no mask of the {len(truths)} pictures holds a defect; {len(left)} cases are left out")
    figures = pixel_metrics([one[::every, ::every] for one in maps], small)
    return MaskFigures(figures, len(maps), sum(bool(one.any()) for one in truths), every, tuple(left))


def _masks(cases: Cases) -> dict[str, str]:
    """The paths of masks by case id, below the root of the cases."""
    listed = {i: row.get("mask") for i, row in (cases.extra.get("columns") or {}).items()}
    named = {i: name.strip().replace("\\", "/") for i, name in listed.items() if isinstance(name, str) and name.strip()}
    return {**named, **(cases.extra.get("masks") or {})}


def _pair(detector: "JointDetector", case: Case, root: Path | None, mask: str | None) -> tuple[np.ndarray, np.ndarray]:
    """A picture's map and its mask, float32 and bool (H, W)."""
    model = detector.parts_[IMAGE]
    part = model.given(case.parts[IMAGE])
    signal = read(part)
    size = signal.pixels.shape[:2]
    measured = model.looked_at(part, None, signal)
    if measured.layout.kind != "grid":
        raise PartError("its encoder keeps no places, so there is no map", part=IMAGE, case_id=case.id, row=case.row)
    found = pixel_map(cell_maps(measured.token_scores, measured.layout)[0], size).astype(np.float32)
    if mask is None:
        return found, np.zeros(size, bool)
    path = Path(mask) if root is None else root / mask
    numbers = read_numbers(Part(IMAGE, path, case_id=case.id, row=case.row, root=root))
    truth = numbers.reshape(*numbers.shape[:2], -1).max(axis=2) > 0
    if truth.shape != size:
        height, width = truth.shape
        reason = f"its mask {path.name} has {width} x {height} pixels, the picture {size[1]} x {size[0]}"
        raise PartError(reason, part="mask", case_id=case.id, row=case.row)
    return found, truth
