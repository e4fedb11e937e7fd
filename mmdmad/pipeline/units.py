"""What may not be divided between learning and ranking: a case with its copies, a recording, or a stretch of one.

Windows of one recording are like each other in a way that windows of another are not, so a detector that has learned
some of them finds the others too normal. Whole recordings are kept together where there are some; of fewer, contiguous
blocks are, and windows beside a block that is held out are left out of what is learned.
"""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdmad.cases import Case
from mmdmad.guarantees import Unit
from mmdmad.modalities.base import modality_of
from mmdmad.parts import case_key

FEWEST = 5
"""Recordings from which on whole recordings are held out; fewer are cut into blocks."""


HEAD = 16
"""Hex digits of a key by which the content of a case is known again."""


@dataclass(frozen=True, eq=False)
class Units:
    """The unit of each of N cases, by a key that no name decides, and the content of each.

    `keys` are those of the cases' contents; "unreadable" and the id where nothing of a case can be read. `recordings`
    are the names that are known now. Of blocks, `places` (N,) number the cases along their recordings and `guard` is
    how many places beside a held-out one are left out; `recordings` lie farther apart than that.
    """

    kind: Unit
    of: tuple[str, ...]
    keys: tuple[str, ...]
    recordings: frozenset[str] = frozenset()
    places: np.ndarray | None = None
    guard: int = 0

    def clear(self, rows: Sequence[int], held: Sequence[int]) -> list[int]:
        """Those of `rows` that do not lie beside one of the `held` rows."""
        if self.places is None or not len(held):
            return list(rows)
        line = np.sort(self.places[list(held)])
        mine = self.places[list(rows)]
        after = np.searchsorted(line, mine)
        near = np.minimum(
            np.abs(line[np.minimum(after, len(line) - 1)] - mine), np.abs(line[np.maximum(after - 1, 0)] - mine)
        )
        return [row for row, gap in zip(rows, near, strict=True) if gap > self.guard]


def head(key: str) -> str:
    """The part of a content's key by which it is known again."""
    return key[:HEAD]


def recording_of(case: Case) -> str | None:
    """What a case was cut from: the recording it names, else the file behind a slice; None = it stands for itself.

    A file is named from the folder that its manifest may not leave, so that a data folder may move.

    >>> from mmdmad.cases import Part
    >>> recording_of(Case("a", {"sensor": Part("sensor", Path("day/1.csv"), start=0, stop=60)}))
    'day/1.csv'
    """
    if case.recording is not None:
        return case.recording
    for modality in case.pattern:
        part = case.parts[modality]
        if part.path is not None and (part.start is not None or part.stop is not None):
            if not modality_of(modality).slices:
                continue
            path, root = os.fspath(part.path), part.root
            inside = root is not None and Path(path).is_relative_to(root)
            return os.path.relpath(path, root).replace(os.sep, "/") if inside else path
    return None


def units_of(cases: Sequence[Case], blocks: int, keys: tuple[str, ...] | None = None) -> Units:
    """The units of cases to learn from; recordings of which there are fewer than FEWEST are cut into `blocks` each.

    Cases of which none shares its recording with another are their own units, together with their exact copies.
    Recordings that hold the same are one. `keys` are those of the cases, where they are known already.
    """
    if keys is None:
        # A case of which nothing can be read is nobody's copy; it goes by its id, for it has nothing else.
        keys = tuple(case_key(case) or f"unreadable {case.id}" for case in cases)
    names = [recording_of(case) for case in cases]
    shared = Counter(name for name in names if name is not None)
    if all(count == 1 for count in shared.values()):
        return Units("case", keys, keys)
    held: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        held[f"alone {keys[row]}" if name is None else f"recording {name}"].append(row)
    known = frozenset(shared)
    whole = {name: _hash(sorted(keys[row] for row in rows)) for name, rows in held.items()}
    if len(set(whole.values())) >= FEWEST:
        of = {row: whole[name] for name, rows in held.items() for row in rows}
        return Units("recording", tuple(of[row] for row in range(len(cases))), keys, known)
    return _blocks(cases, keys, known, {whole[name]: rows for name, rows in sorted(held.items())}, blocks)


def _blocks(
    cases: Sequence[Case], keys: tuple[str, ...], known: frozenset[str], held: dict[str, list[int]], blocks: int
) -> Units:
    """Each recording in `blocks` contiguous blocks of as many cases, in the order of time or place."""
    named = dict.fromkeys(range(len(cases)), "")
    places, guard, reached = np.zeros(len(cases), np.int64), 1, 0
    in_order = {name: sorted(rows, key=lambda row: _when(cases[row], row)) for name, rows in held.items()}
    guard = 1 + max((_overlapping([cases[row] for row in rows]) for rows in in_order.values()), default=0)
    for name, rows in in_order.items():
        for block, chunk in enumerate(np.array_split(np.array(rows), min(blocks, len(rows)))):
            named.update(dict.fromkeys(chunk.tolist(), f"{name} {block}"))
        places[rows] = reached + np.arange(len(rows))
        reached += len(rows) + guard + 1
    return Units("block", tuple(named[row] for row in range(len(cases))), keys, known, places, guard)


def _when(case: Case, row: int) -> tuple[float, int, int]:
    """Where a case lies in its recording: by its time, then by where its slice begins, then as it was given."""
    starts = [part.start for part in case.parts.values() if part.start is not None]
    time = case.time.timestamp() if case.time is not None else float("-inf")
    return time, min(starts, default=-1), case.row if case.row is not None else row


def _overlapping(cases: Sequence[Case]) -> int:
    """How many of the following windows share rows with a window, at most."""
    spans = [
        next(
            ((p.start, p.stop) for _, p in sorted(case.parts.items()) if p.start is not None and p.stop is not None),
            None,
        )
        for case in cases
    ]
    if any(span is None for span in spans):
        return 0
    starts = np.array([span[0] for span in spans if span is not None])
    stops = np.array([span[1] for span in spans if span is not None])
    if (np.diff(starts) < 0).any():  # several files with the same clock: their slices tell nothing of an order
        return 0
    return int((np.searchsorted(starts, stops) - np.arange(len(starts)) - 1).max(initial=0))


def _hash(keys: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()
