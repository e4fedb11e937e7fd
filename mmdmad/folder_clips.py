"""Folders of numbered pictures beside each other, such as the frames of clips: each is one recording.

Pictures that follow each other are alike, so some of them say little of the others: a detector that learned every
second frame of a clip finds the rest too normal, and false alarms on other clips exceed the rate. Folders of one name
with a number each (Train001, Train002; lot_17, lot_18), with pictures that are numbered in a row, are taken for such.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from mmdmad.roles import counted

FEWEST = 10  # numbered pictures that make a recording of a folder
_NUMBERED = re.compile(r"(.*?)(\d+)", re.DOTALL)


def clips(pictures: Mapping[PurePath, Sequence[str]]) -> set[PurePath]:
    """Those of the folders that are one recording each, of the stems of the pictures right in each folder.

    >>> frames = [f"{i:03d}" for i in range(30)]
    >>> sorted(map(str, clips({PurePath("Train001"): frames, PurePath("Train002"): frames, PurePath("good"): frames})))
    ['Train001', 'Train002']
    """
    alike: dict[tuple[PurePath, str], list[PurePath]] = defaultdict(list)
    for folder, stems in pictures.items():
        named = _NUMBERED.fullmatch(folder.name)
        if named is not None and _in_a_row(stems):
            alike[folder.parent, named[1].casefold()].append(folder)
    return {folder for folders in alike.values() if len(folders) > 1 for folder in folders}


def note_of_clips(folders: set[PurePath]) -> str:
    """What is told of them."""
    return (
        f"{counted(len(folders), 'folder')} of numbered pictures ({min(folders).as_posix()}, …) are one recording "
        "each: pictures of one stay together, and a manifest with a column `recording` says otherwise"
    )


def _in_a_row(stems: Sequence[str]) -> bool:
    """Whether these names are one head and numbers of which at most every second is missing."""
    named = [_NUMBERED.fullmatch(stem) for stem in stems]
    if len(named) < FEWEST or not all(named) or len({one[1] for one in named if one is not None}) > 1:
        return False
    numbers = {int(one[2]) for one in named if one is not None}
    return len(numbers) == len(stems) and max(numbers) - min(numbers) < 2 * len(numbers)
