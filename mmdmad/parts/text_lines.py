"""Where the lines of a text file begin, so that a slice of a long log is read without what stands before it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdmad.parts.kept import KEPT
from mmdmad.parts.text_letters import opened

BLOCK = 4 * 2**20
"""Bytes that are looked through at once."""
EVERY = 1024
"""Lines from one that is remembered to the next: of empty lines a hundredth of the file, not eight times its size."""


@dataclass(frozen=True, eq=False)
class Lines:
    """The number of lines of a file, its bytes, and where the lines 0, EVERY, 2 EVERY, ... begin, int64.

    A last line without a line end counts as a line.
    """

    count: int
    size: int
    begins: np.ndarray


def lines_of(path: Path) -> Lines:
    """The lines of a file; kept as long as it stays the same."""

    def made() -> tuple[Lines, int]:
        found = _look_through(path)
        return found, found.begins.nbytes

    kept = KEPT.get("lines", path, made)
    return _look_through(path) if kept is None else kept


def line_begin(path: Path, lines: Lines, number: int) -> int:
    """The byte at which a line begins, counted from 0; of the line after the last, the end of the file."""
    if number >= lines.count:
        return lines.size
    at, left = int(lines.begins[number // EVERY]), number % EVERY
    with opened(path) as file:
        file.seek(at)
        while left and (block := file.read(BLOCK)):
            ends = _ends(block)
            if left <= len(ends):
                return at + int(ends[left - 1]) + 1
            at, left = at + len(block), left - len(ends)
    return at


def _ends(block: bytes) -> np.ndarray:
    return np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))


def _look_through(path: Path) -> Lines:
    begins, count, at, last = [np.zeros(1, np.int64)], 0, 0, b"\n"
    with opened(path) as file:
        while block := file.read(BLOCK):
            ends = _ends(block)
            # The line after the i-th end of this block is line count + 1 + i.
            begins.append(ends[-(count + 1) % EVERY :: EVERY] + at + 1)
            count, at, last = count + len(ends), at + len(block), block[-1:]
    return Lines(count + (last != b"\n"), at, np.concatenate(begins))
