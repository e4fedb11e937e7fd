"""What was decoded from a file, kept as long as the file stays the same: a few files, within a bound of memory."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from mmdmad.parts.limits import MIB

KEPT_BYTES = 512 * MIB
"""Bytes of everything that is kept at once; a file that alone needs more is not kept."""


class Kept:
    """Values made from files, the least recently used dropped first. Safe to ask from several threads.

    A file counts as the same while path, size, times and inode stay the same. Two threads that ask for one file at
    once make its value once.
    """

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self.most = most
        self._held: OrderedDict[tuple[str, str], tuple[tuple[int, ...], Any, int]] = OrderedDict()
        self._lock = Lock()
        self._making: dict[tuple[str, str], Lock] = {}

    def get(self, kind: str, path: Path, make: Callable[[], tuple[Any, int]]) -> Any:
        """The value of this kind made from the file; `make` gives it with its size in bytes.

        None stands for "not kept": it is what `make` says, or what takes the place of a value that is too large. What
        `make` raises is raised, and nothing kept.
        """
        key, same = (kind, str(path)), identity(path)
        with self._lock:
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                held = self._held.get(key)
                if held is not None and held[0] == same:
                    self._held.move_to_end(key)
                    return held[1]
                self._held.pop(key, None)
            try:
                value, size = make()
                if size > self.most:
                    value, size = None, 0
                with self._lock:
                    self._held[key] = (same, value, size)
                    while sum(entry[2] for entry in self._held.values()) > self.most or len(self._held) > 1000:
                        self._held.popitem(last=False)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()

    @property
    def size(self) -> int:
        """Bytes that are kept now."""
        with self._lock:
            return sum(entry[2] for entry in self._held.values())


def identity(path: Path) -> tuple[int, ...]:
    """Size, times and inode of a file: another file, or other content, has others."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


KEPT = Kept()
"""What this process keeps."""
