"""What the names of folders say of the files below them: their split, their label, masks, or nothing."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmdmad.plain import plain
from mmdmad.roles import FAULTY, MASK, NORMAL, TEST, TRAIN, VALIDATION, leaning, roles_of

LOOSE = "."
"""The split of files that lie beside the folders that say what is what."""


@dataclass(frozen=True)
class Place:
    """What the folders above a file say: its split, its label, and the word for both."""

    split: str | None
    label: int | None
    role: str


class Tree:
    """The folders that hold files, and what each of them says of its files.

    `described`: the splits of folders by a file that describes them, which count where names leave it open. `top`: the
    name of the folder that was given; if it means normal, and no name below it says anything, all that it holds is.

    >>> tree = Tree([Path("train/good"), Path("test/good"), Path("test/hook"), Path("extra")])
    >>> [tree.of(Path(name)).role for name in ("train/good", "test/hook", "extra")]
    ['train', 'test', '?']
    """

    def __init__(self, folders: Iterable[Path], described: Mapping[Path, str] | None = None, top: str = "") -> None:
        self._children: dict[Path, set[str]] = defaultdict(set)
        holding = set(folders)
        for folder in holding:
            for parent in (folder, *folder.parents):
                if parent.name:
                    self._children[parent.parent].add(parent.name)
        self._roles = _roles_of_all({name for names in self._children.values() for name in names})
        self._described = {
            folder: split
            for folder, split in (described or {}).items()
            if any(one.is_relative_to(folder) for one in holding)
        }
        self.speaks = any(self._roles.values())
        self._top = Path(os.path.commonpath(holding)) if holding else Path()
        asks = any(self._unknown(folder) is not None for folder in holding)
        self.vouched = asks and not self.speaks and roles_of(top) == {NORMAL}
        self._asks = asks and not self.vouched
        self.learned = any(self.of(folder).role in (TRAIN, NORMAL) for folder in holding)

    def of(self, folder: Path) -> Place:
        """What the files right in this folder are."""
        found = self._by_names(folder)
        if not self._described or found.role not in ("flat", "?"):
            return found
        near = [one for one in self._described if folder.is_relative_to(one)]
        if not near:
            return Place(LOOSE if folder == Path() else name_of(folder), None, "?")
        split = self._described[max(near, key=lambda one: len(one.parts))]
        return Place(split, None, split)

    def _by_names(self, folder: Path) -> Place:
        if not self.speaks:
            unknown = self._unknown(folder)
            if not self._asks:
                return Place(None, None, "flat")
            return Place(LOOSE if unknown is None else name_of(unknown), None, "?")
        chain = [(Path(*folder.parts[:i]), name) for i, name in enumerate(folder.parts)]
        roles = {role for _, name in chain for role in self._roles[name] or ()}
        split = next((s for s in (TEST, VALIDATION, TRAIN) if s in roles), None)
        if MASK in roles:
            return Place(None, None, MASK)
        if FAULTY in roles:
            return Place(split, 1, split if split == TEST else FAULTY)
        open_at = self._question(chain)
        if split in (TEST, VALIDATION):
            beside = open_at is not None and NORMAL in self._roles_in(open_at.parent)
            return Place(split, 0 if NORMAL in roles else 1 if beside and split == TEST else None, split)
        if open_at is not None:
            return Place(name_of(open_at), None, "?")
        if not roles:
            return Place(LOOSE if self._children.get(folder) else name_of(folder), None, "?")
        return Place(split, 0 if NORMAL in roles else None, split or NORMAL)

    def _unknown(self, folder: Path) -> Path | None:
        """The first folder on the way down to this one, below what all have in common, that says nothing."""
        below = folder.relative_to(self._top).parts
        at = next((i for i, name in enumerate(below, 1) if self._roles[name] is None), None)
        return None if at is None else Path(self._top, *below[:at])

    def _question(self, chain: list[tuple[Path, str]]) -> Path | None:
        """The first folder of a way down that says nothing, beside others that say something."""
        for i, (parent, name) in enumerate(chain):
            deeper = {role for _, below in chain[i + 1 :] for role in self._roles[below] or ()}
            if self._roles[name] is None and self._roles_in(parent) and not deeper & {TRAIN, NORMAL}:
                return parent / name
        return None

    def _roles_in(self, parent: Path) -> set[str]:
        return {role for name in self._children.get(parent, ()) for role in self._roles[name] or ()}


def _roles_of_all(names: Iterable[str]) -> dict[str, frozenset[str] | None]:
    """What each name says; a word of faults inside a name counts, and beside faults a word of normal ones does too."""
    roles = {name: roles_of(name) for name in names}
    leans = {name: lean for name, known in roles.items() if known is None and (lean := leaning(name))}
    if FAULTY in leans.values() or any(FAULTY in known for known in roles.values() if known):
        roles |= {name: frozenset((lean,)) for name, lean in leans.items()}
    return roles


def name_of(folder: Path) -> str:
    """A folder's path, relative to the root, as people read it."""
    return readable(folder.as_posix())


def readable(name: str) -> str:
    """A name as people read it: names of files are bytes, and those of old systems and archives are not UTF-8."""
    data = os.fsencode(name)
    for encoding in ("utf-8", "cp1252"):
        try:
            return plain(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    return plain(name)
