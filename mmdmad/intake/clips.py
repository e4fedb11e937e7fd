"""Clips from folders of frames: each folder that holds pictures is one clip."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmdmad.cases import Case, Cases, Modality, Part
from mmdmad.errors import ConfigError, DataError, PartError
from mmdmad.files import left_by_others
from mmdmad.folder import FolderRole, without_mask
from mmdmad.folder_tree import Tree
from mmdmad.modalities.base import by_suffix
from mmdmad.parts import read
from mmdmad.plain import plain
from mmdmad.roles import MASK, counted

VIDEO: Modality = "video"


def of_frames(given: Any, rate: float | None) -> Cases:
    """A clip a folder: the one that is given, or each below it that holds pictures; or each of a list of folders.

    The names of the folders around the clips say which are learned from, as for files (`mmdmad.folder`). DataError
    where a folder is not there, or none holds pictures; ConfigError where nothing says how fast they were taken.
    """
    folders = [Path(one) for one in ([given] if isinstance(given, str | os.PathLike) else given)]
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"frames={plain(str(folder))!r} is no folder; clips in files are given as videos=")
    absolute = [Path(os.path.abspath(one)) for one in folders]
    root = Path(os.path.commonpath([folder.parent for folder in absolute]))
    top = absolute[0] if len(absolute) == 1 else root
    clips = [clip.relative_to(top) for folder in absolute for clip in _clips(folder)]
    if not clips:
        raise DataError(f"frames={plain(str(given))!r} holds no pictures")
    tree = Tree({clip.parent for clip in clips})
    items, masks = [], 0
    folders_seen: dict[tuple[str, str], int] = {}
    for clip in clips:
        place = tree.of(clip.parent)
        key = (plain(clip.parent.as_posix()), place.role)
        folders_seen[key] = folders_seen.get(key, 0) + 1
        if place.role == MASK or _is_mask(clip, clips):
            masks += 1
            continue
        name = plain(clip.as_posix() if clip.name else top.name)
        group = None if clip.parent == Path() else plain(clip.parent.as_posix())
        part = Part(VIDEO, Path(os.path.realpath(top / clip)), case_id=name, rate=rate)
        items.append(Case(name, {VIDEO: part}, None, place.label, place.split, group))
    if rate is None and items:
        _ask_for_rate(items[0].parts[VIDEO])
    notes = (f"{counted(masks, 'folder')} taken as masks, by name, and not as clips",) if masks else ()
    roles = tuple(FolderRole(name, role, count) for (name, role), count in sorted(folders_seen.items()))
    return Cases(tuple(items), (), top, {"columns": {}, "simulated": False, "folders": roles, "notes": notes})


def _ask_for_rate(part: Part) -> None:
    """Before anything is learned: what holds for the first clip seldom is otherwise in the next."""
    try:
        read(part)
    except PartError as why:
        raise ConfigError(f"clip {part.case_id}: {why.reason}; here: rates={{'video': 25}}") from why


def _clips(folder: Path) -> Iterator[Path]:
    """The folder and those below it that hold pictures themselves."""
    pictures = {suffix for suffix, kind in by_suffix().items() if kind == "image"}
    for at, below, names in os.walk(folder):
        below[:] = sorted(one for one in below if not left_by_others(one))
        if any(Path(one).suffix.lower() in pictures and not left_by_others(one) for one in names):
            yield Path(at)


def _is_mask(clip: Path, clips: list[Path]) -> bool:
    """Whether it lies beside the clip that it is the mask of: Test001_gt beside Test001."""
    return without_mask(clip.name) != clip.name and clip.with_name(without_mask(clip.name)) in clips
