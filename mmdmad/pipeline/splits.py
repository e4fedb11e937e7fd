"""How the normal cases handed to a fit are divided: fit, reference, calibration."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdmad.calibration.conformal import case_uniform
from mmdmad.calibration.fusion import TAIL_FEWEST
from mmdmad.cases import Case, Modality
from mmdmad.parts import case_key
from mmdmad.pipeline.config import Shares


@dataclass(frozen=True, eq=False)
class Split:
    """The normal cases in a fixed order, and which rows fit, which are reference, which calibrate.

    The three ranges follow each other, so no row is in two of them, and no content either: copies stay together.
    `keys` are those of the cases' content; "unreadable" and the id where nothing of a case can be read.
    """

    cases: tuple[Case, ...]
    keys: tuple[str, ...]
    fit: range
    reference: range
    calibration: range

    @property
    def held_out(self) -> range:
        """Reference and calibration rows."""
        return range(self.reference.start, self.calibration.stop)


def split(cases: Sequence[Case], shares: Shares, seed: int) -> Split:
    """Cut cases into fit, reference and calibration by a hash of seed and content.

    Neither their order nor what they are called matters. Exact copies fall into one part: a detector that had learned
    one of two would find the other too normal, and all fresh cases odd beside it. A content that makes up more than
    half of the smallest share goes to fit, where it leaves the other parts their size.
    """
    # A case of which nothing can be read is nobody's copy; it goes by its id, for it has nothing else.
    keys = {id(case): case_key(case) or f"unreadable {case.id}" for case in cases}
    copies = Counter(keys.values())
    large = min(shares.fit, shares.reference, shares.calibration) * len(keys) / 2

    def place(case: Case) -> tuple[bool, float, str, str]:
        key = keys[id(case)]
        return copies[key] <= max(large, 1), case_uniform(key, "split", seed), key, case.id

    ordered = tuple(sorted(cases, key=place))
    mine = tuple(keys[id(case)] for case in ordered)
    edges = [0, *(i for i in range(1, len(mine)) if mine[i] != mine[i - 1]), len(mine)]
    first = _nearest(edges[1:-2] or edges, shares.fit * len(mine))
    later = [edge for edge in edges if edge > first]
    rest = shares.reference / (shares.reference + shares.calibration)
    second = _nearest(later[:-1] or [first], first + rest * (len(mine) - first))
    return Split(ordered, mine, range(first), range(first, second), range(second, len(mine)))


def _nearest(edges: Sequence[int], wanted: float) -> int:
    """The edge between different contents that lies nearest to where a cut is wanted; of two the later."""
    return min(edges, key=lambda edge: (abs(edge - round(wanted)), -edge))


def too_few(rows: Split, modality: Modality, needed: int, known: np.ndarray | None = None) -> str:
    """Why a modality cannot be learned ("" if it can): each split needs enough parts of it, TAIL_FEWEST at least."""
    needed = max(needed, TAIL_FEWEST)
    has = np.array([modality in c.parts for c in rows.cases]) if known is None else known
    for name, part in (("fit", rows.fit), ("reference", rows.reference), ("calibration", rows.calibration)):
        count = int(has[part.start : part.stop].sum())
        if count < needed:
            few = f"only {count} usable {modality} parts in the {name} split; {needed} are needed to learn {modality}"
            different = len({key for case, key in zip(rows.cases, rows.keys) if modality in case.parts})
            copies = f" (copies stay in one split, and {different} different contents were given)"
            return few + (copies if different < sum(modality in case.parts for case in rows.cases) else "")
    return ""


def is_too_few(reason: str) -> bool:
    """Whether a part was refused for no fault of its own, but because there are too few of its kind."""
    return reason.startswith("only ") and "are needed to learn" in reason
