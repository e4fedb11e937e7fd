"""Files of boxes (one .txt a picture, as YOLO has them): in which pictures something is marked. No masks, no texts."""

import re
from pathlib import Path

from mmdmad.cases import Modality
from mmdmad.modalities.base import modality_of
from mmdmad.roles import counted

BOXES = ".txt"
MOST = 1_000_000
"""Bytes of a file of boxes that is looked into; a larger one is none."""
_BOX = re.compile(r"\d{1,4}(\s+-?\d*\.?\d+([eE]-?\d+)?){4,}")


def is_boxes(path: Path) -> bool | None:
    """Whether a file holds boxes, a class and four numbers or more a line; None where it is blank.

    >>> is_boxes(Path("7.png"))
    False
    """
    if path.suffix.lower() != BOXES:
        return False
    try:
        if not path.is_file() or path.stat().st_size > MOST:
            return False
        lines = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError):
        return False  # what cannot be read holds no boxes, and is refused when it is read as what it is
    return None if not lines else all(_BOX.fullmatch(line) for line in lines)


def marks_nothing(path: Path, fine: frozenset[int]) -> bool:
    """Whether a file of boxes is blank, or holds boxes of classes alone that mark no fault (`fine`)."""
    holds = is_boxes(path)
    if holds and fine:
        lines = path.read_text("utf-8").split("\n")
        return all(int(line.split()[0]) in fine for line in lines if line.strip())
    return holds is None


def take_boxes(root: Path, groups: dict[str, list[tuple[Modality, Path]]]) -> dict[Path, Path]:
    """Files of boxes right beside their pictures under the same names, taken out of the `groups`: {file: picture}.

    `groups` are the files, relative to the root, of each name without its ending. None where no file holds a box, or
    one of a picture holds words: then they are texts of their cases.
    """
    found, told = {}, []
    for members in groups.values():
        texts = [path for _, path in members if path.suffix.lower() == BOXES]
        pictures = [path for kind, path in members if modality_of(kind).photo]
        if len(members) == 2 and len(texts) == len(pictures) == 1:
            found[texts[0]] = pictures[0]
            told.append(is_boxes(root / texts[0]))
    if True not in told or False in told:
        return {}
    for stem, members in groups.items():
        groups[stem] = [member for member in members if member[1] not in found]
    return found


def note_of_boxes(boxes: int) -> str:
    """What became of files of boxes, in plain words."""
    return f"{counted(boxes, 'file')} of boxes say which pictures are marked; no pixels of them are compared"
