"""The cases to learn from that are far from all others: if there are faults that nobody labelled, they lie there."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmdmad.checking.look import Looked
from mmdmad.checking.report import Odd

NEAREST, SHARE = 5, 0.1
"""Which of the other parts, from the nearest on, says how far away a part is: so many of one fault hide nobody."""
FEWEST = 20
"""Parts from which on it can be said which of them are odd."""


def oddest(parts: Sequence[Looked], count: int = 10) -> list[Odd]:
    """The `count` parts that are farthest from their nearest others, the farthest first.

    Distances are between what parts look like at first sight (`Survey.coarse`), each number in robust deviations, to
    the NEAREST-th other part, or the one after a SHARE of all (Ramaswamy, Rastogi and Shim, 2000). Exact copies of one
    are none of its others.
    """
    by_key = {one.key: one for one in reversed(parts) if one.survey is not None and one.survey.coarse is not None}
    sizes = Counter(len(one.survey.coarse) for one in by_key.values() if one.survey and one.survey.coarse is not None)
    if not sizes:
        return []
    usual = sizes.most_common(1)[0][0]
    same = [one for one in by_key.values() if one.survey and one.survey.coarse is not None
            and len(one.survey.coarse) == usual]  # fmt: skip
    if len(same) < FEWEST:
        return []
    seen = np.stack([one.survey.coarse for one in same if one.survey and one.survey.coarse is not None])
    far = distances(seen)
    middle = float(np.median(far))
    if middle <= 0:
        return []
    order = sorted(range(len(same)), key=lambda i: (-far[i], same[i].case.id))[:count]
    return [
        Odd(case=one.case.id, modality=one.modality, file=one.file, times=round(times, 2))
        for one, times in ((same[i], float(far[i]) / middle) for i in order)
    ]


def distances(seen: np.ndarray) -> np.ndarray:
    """Distance (N,) of each row of (N, D) to one of its nearest other rows, every column in robust deviations.

    >>> far = distances(np.r_[np.arange(19.0), 100.0][:, None])
    >>> int(far.argmax())
    19
    """
    from scipy.spatial import cKDTree

    spread = 1.4826 * np.median(np.abs(seen - np.median(seen, axis=0)), axis=0)
    spread = np.where(spread > 0, spread, seen.std(axis=0))
    used = spread > 0
    scaled = (seen[:, used] - np.median(seen[:, used], axis=0)) / spread[used]
    if not used.any():
        return np.zeros(len(seen))
    place = max(NEAREST, round(SHARE * len(scaled)))
    found, _ = cKDTree(scaled).query(scaled, min(place + 1, len(scaled)))
    return np.asarray(found[:, -1], np.float64)
