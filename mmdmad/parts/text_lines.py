"""Where the lines of a text file begin, so that a slice of a long log is read without what stands before it."""

from pathlib import Path

import numpy as np

from mmdmad.parts.kept import KEPT
from mmdmad.parts.limits import MIB


def line_starts(path: Path) -> np.ndarray:
    """Byte offsets int64 (lines + 1,) of the lines of a file, and its end; kept as long as the file stays the same.

    A last line without a line end counts as a line.
    """
    kept = KEPT.get("lines", path, lambda: _kept(path))
    return np.asarray(_starts(path) if kept is None else kept)


def _kept(path: Path) -> tuple[np.ndarray, int]:
    starts = _starts(path)
    starts.flags.writeable = False
    return starts, starts.nbytes


def _starts(path: Path) -> np.ndarray:
    found = [np.zeros(1, np.int64)]
    at = 0
    with path.open("rb") as file:
        while block := file.read(4 * MIB):
            found.append(np.flatnonzero(np.frombuffer(block, np.uint8) == 10) + at + 1)
            at += len(block)
    starts = np.concatenate(found)
    return starts if starts[-1] == at else np.append(starts, at)
