"""How the normal cases handed to a fit are divided: fit, reference, calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdmad.calibration.conformal import case_uniform
from mmdmad.calibration.fusion import TAIL_FEWEST
from mmdmad.cases import Case, Modality
from mmdmad.pipeline.config import Shares


@dataclass(frozen=True, eq=False)
class Split:
    """The normal cases in a fixed order, and which rows fit, which are reference, which calibrate."""

    cases: tuple[Case, ...]
    fit: range
    reference: range
    calibration: range

    @property
    def held_out(self) -> range:
        """Reference and calibration rows."""
        return range(self.reference.start, self.calibration.stop)


def split(cases: Sequence[Case], shares: Shares, seed: int) -> Split:
    """Cut cases into fit, reference and calibration by a hash of seed and id: their order does not matter."""
    ordered = tuple(sorted(cases, key=lambda c: (case_uniform(c.id, "split", seed), c.id)))
    first = round(shares.fit * len(ordered))
    second = first + round(shares.reference * len(ordered))
    return Split(ordered, range(first), range(first, second), range(second, len(ordered)))


def too_few(rows: Split, modality: Modality, needed: int, known: np.ndarray | None = None) -> str:
    """Why a modality cannot be learned ("" if it can): each split needs enough parts of it, TAIL_FEWEST at least."""
    needed = max(needed, TAIL_FEWEST)
    has = np.array([modality in c.parts for c in rows.cases]) if known is None else known
    for name, part in (("fit", rows.fit), ("reference", rows.reference), ("calibration", rows.calibration)):
        count = int(has[part.start : part.stop].sum())
        if count < needed:
            return f"only {count} usable {modality} parts in the {name} split; {needed} are needed to learn {modality}"
    return ""
