"""What ground-truth masks say of pictures that no folder calls normal or faulty: an empty mask marks nothing."""

import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from mmdmad.folder_boxes import BOXES, marks_nothing
from mmdmad.roles import counted

FAR = 100_000_000
"""Pixels of a mask that is looked into; a larger one counts as one that marks something."""


def marked_by(root: Path, masks: Mapping[Path, Path], fine: frozenset[int] = frozenset()) -> dict[Path, int]:
    """Of each picture with a mask, 0 where the mask is empty (all pixels are 0, a file of boxes blank), 1 elsewhere.

    `masks`: the mask of a picture, both relative to `root`. `fine`: classes of boxes that mark no fault. A mask that
    cannot be read, or that lies outside of the root, counts as one that marks something, so that its picture is not
    learned from.
    """
    inside = f"{os.path.realpath(root)}{os.sep}"
    return {
        picture: int(not (os.path.realpath(root / mask).startswith(inside) and _is_empty(root / mask, fine)))
        for picture, mask in masks.items()
    }


def question_of_masks(marked: Mapping[Path, int], others: Iterable[Path], boxes: bool = False) -> str:
    """What is open where every picture has a mask, and every one of these marks something; "" elsewhere."""
    if not marked or any(mark == 0 for mark in marked.values()) or any(path not in marked for path in others):
        return ""
    count = counted(len(marked), "picture")
    if boxes:
        return (
            f"each of {count} has a box in its label file; where boxes mark faults nothing here is normal, and where "
            "they mark something else (the object) give a manifest with the columns id, image and label, or say "
            "--normal DIR"
        )
    return (
        f"none of the masks of {count} is empty; where they mark faults nothing here is normal, and where they mark "
        "something else (the object) say --normal DIR"
    )


def note_of_masks(marked: Mapping[Path, int], boxes: bool = False) -> str:
    """What masks, or files of boxes, decided, in plain words."""
    faulty = sum(marked.values())
    normal = counted(len(marked) - faulty, "picture")
    if boxes:
        return f"{normal} without a box in the label file taken as normal, {faulty} with boxes as faulty"
    return f"{normal} with an empty mask taken as normal, {faulty} with one that marks something as faulty"


def _is_empty(path: Path, fine: frozenset[int]) -> bool:
    from PIL import Image as Pillow

    if path.suffix.lower() == BOXES:
        return marks_nothing(path, fine)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(path) as mask:
                if mask.width * mask.height > FAR:
                    return False
                alone = mask.convert(mask.mode.removesuffix("A") or "L") if mask.mode in ("LA", "RGBA") else mask
                return alone.getbbox() is None
    except Exception:  # whatever a decoder makes of it: what cannot be read is not known to be empty
        return False
