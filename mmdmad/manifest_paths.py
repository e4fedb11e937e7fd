"""How a path of a manifest may stand on this disk: in other letters, another encoding, or at another place."""

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache


def tails(name: str) -> list[str]:
    """The ends of an absolute path of any system, the longest first; of a relative one none.

    >>> tails("C:\\\\data\\\\1.png"), tails("data/1.png")
    (['data/1.png', '1.png'], [])
    """
    found = re.match(r"([A-Za-z]:)?[\\/]+", name)
    pieces = [piece for piece in re.split(r"[\\/]+", name[found.end() :]) if piece] if found else []
    return [] if ".." in pieces else ["/".join(pieces[i:]) for i in range(len(pieces))]


def spelt(name: str) -> Iterator[str]:
    """Other ways in which a name may stand on a disk: with slashes, composed otherwise, or in another encoding."""
    if "\\" in name:
        name = name.replace("\\", "/")
        yield name
    if name.isascii():
        return
    for form in ("NFC", "NFD"):
        yield unicodedata.normalize(form, name)
    for encoding in ("cp1252", "latin-1", "cp437", "cp850"):
        try:
            yield os.fsdecode(unicodedata.normalize("NFC", name).encode(encoding))
        except UnicodeEncodeError:
            continue


class Folders:
    """What lies in the folders below one, looked up without regard to capitals; each folder is listed once."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._names = lru_cache(256)(_names_in)

    def in_other_letters(self, name: str) -> list[str]:
        """The paths below the base that differ from a relative one by capital and small letters alone."""
        found = [""]
        pieces = [piece for piece in re.split(r"[\\/]+", name) if piece not in ("", ".")]
        if os.path.isabs(name) or ".." in pieces or ":" in name[:2]:
            return []
        for piece in pieces:
            mine = [(at, self._names(os.path.join(self._base, at))) for at in found]
            found = [os.path.join(at, one) for at, names in mine for one in names.get(piece.casefold(), ())]
        return found if pieces else []

    def of_same_stem(self, name: str) -> list[str]:
        """Names of files in the folder of a relative path that differ from it by their ending alone."""
        above, leaf = os.path.split(name.replace("\\", "/"))
        stem = os.path.splitext(leaf)[0].casefold()
        if os.path.isabs(name) or ".." in above.split("/") or not stem:
            return []
        names = self._names(os.path.join(self._base, above))
        return [one for key, ones in names.items() if os.path.splitext(key)[0] == stem for one in ones]


def _names_in(folder: str) -> dict[str, list[str]]:
    """The names in a folder by their small letters; none where it cannot be listed."""
    found: dict[str, list[str]] = {}
    try:
        for name in sorted(os.listdir(folder)):
            found.setdefault(name.casefold(), []).append(name)
    except (OSError, ValueError):
        return {}  # the path that leads there is refused by name
    return found
