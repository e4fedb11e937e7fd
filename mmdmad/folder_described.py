"""Files that describe pictures with boxes (data.yaml, as YOLO has it): the splits of folders, names of classes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mmdmad.errors import ConfigError
from mmdmad.plain import plain
from mmdmad.roles import TEST, TRAIN, VALIDATION, label_of, said
from mmdmad.yaml_files import plain_yaml, yaml_text

_SPLITS = {"train": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": TEST}
"""Keys of such a file that name folders, and the split of what lies there."""


@dataclass(frozen=True, eq=False)
class Described:
    """What such files say: the split of folders, relative to the root; classes of boxes that mean normal; the files."""

    splits: Mapping[Path, str] = field(default_factory=dict)
    fine: frozenset[int] = frozenset()
    classes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What was read of them, in plain words."""
        if not self.files:
            return []
        names = f"; boxes of {said(self.classes)}" if self.classes else ""
        fine = [self.classes[i] for i in sorted(self.fine)]
        mean = f", of which {said(fine)} mark{'s' if len(fine) == 1 else ''} no fault" if fine else ""
        folders = ", ".join(f"{path.as_posix()} is {split}" for path, split in self.splits.items())
        says = f" says that {folders}" if folders else " describes the files of boxes"
        return [f"{said(one.as_posix() for one in self.files)}{says}{names}{mean}"]


def described(root: Path, unread: Iterable[Path]) -> Described:
    """What the files that describe boxes say, of those `unread` files, relative to the root, that are YAML."""
    splits: dict[Path, str] = {}
    files, names = [], dict[int, str]()
    for path in unread:
        if path.suffix.lower() not in (".yaml", ".yml"):
            continue
        held = _held(root / path)
        if held is None:
            continue
        files.append(path)
        names |= _names(held.get("names"))
        for key, split in _SPLITS.items():
            given = held.get(key)
            for one in given if isinstance(given, list) else [given]:
                folder = _folder(root, path.parent, held.get("path"), one)
                if folder is not None and splits.get(folder) != TRAIN:
                    splits[folder] = split
    fine = frozenset(i for i, name in names.items() if label_of(name, "words") == 0)
    classes = (
        tuple(plain(names.get(i, str(i))) for i in range(max(names, default=-1) + 1)) if len(names) < 10_000 else ()
    )
    return Described(splits, fine if classes else frozenset(), classes, tuple(files))


def _held(path: Path) -> dict[str, Any] | None:
    """The values of a file with classes and folders of splits; None where it is another one, or cannot be read."""
    try:
        found = plain_yaml(yaml_text(path))
    except (ConfigError, yaml.YAMLError, ValueError, RecursionError):
        return None  # it is listed as a file of an unknown kind
    if not isinstance(found, dict) or not ("names" in found or "nc" in found) or not found.keys() & _SPLITS.keys():
        return None
    return found


def _names(given: Any) -> dict[int, str]:
    if isinstance(given, list):
        return {i: str(name) for i, name in enumerate(given)}
    if isinstance(given, dict):
        return {key: str(name) for key, name in given.items() if isinstance(key, int) and 0 <= key < 10_000}
    return {}


def _folder(root: Path, beside: Path, base: Any, given: Any) -> Path | None:
    """A folder of pictures as such a file names it, relative to the root; None where nothing of that name is there.

    Its paths count from `base` or from the file itself, and were often written on another machine: the longest end of
    a path that is there counts.
    """
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        return None
    names = [one for one in given.replace("\\", "/").split("/") if one not in ("", ".", "..")]
    above = [one for one in str(base or "").replace("\\", "/").split("/") if one not in ("", ".", "..")]
    for way in (above + names, names):
        for begin in range(len(way)):
            folder = beside.joinpath(*way[begin:])
            if (root / folder).is_dir():
                return folder
    return None
