"""How the normal cases handed to a fit are divided: fit, reference, calibration."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdmad.calibration.conformal import case_uniform
from mmdmad.calibration.fusion import TAIL_FEWEST
from mmdmad.cases import Case, Modality
from mmdmad.guarantees import Unit
from mmdmad.pipeline.config import Shares
from mmdmad.pipeline.units import Units, units_of

BLOCKS = 10
"""Blocks that each of a few recordings is cut into, where they are divided once."""


@dataclass(frozen=True, eq=False)
class Split:
    """The normal cases in a fixed order, and which rows fit, which are reference, which calibrate.

    The three ranges follow each other, so no row is in two of them, and no unit either: copies and recordings stay
    together. `keys` are those of the cases' content; "unreadable" and the id where nothing of a case can be read.
    `units` says of each row what it must not be parted from; without it that is its content. `folds` is of how many
    splits this is one.
    """

    cases: tuple[Case, ...]
    keys: tuple[str, ...]
    fit: range
    reference: range
    calibration: range
    kind: Unit = "case"
    units: tuple[str, ...] = ()
    folds: int = 1

    @property
    def held_out(self) -> range:
        """Reference and calibration rows."""
        return range(self.reference.start, self.calibration.stop)

    @property
    def counted(self) -> list[int]:
        """Calibration rows that p-values rank among: of exact copies, where cases stand for themselves, the first."""
        if self.kind != "case":
            return list(self.calibration)
        first = {self.keys[row]: row for row in reversed(self.calibration)}
        return sorted(first.values())

    def unit(self, row: int) -> str:
        """The unit of a row."""
        return (self.units or self.keys)[row]


def split(cases: Sequence[Case], shares: Shares, seed: int, units: Units | None = None) -> Split:
    """Cut cases into fit, reference and calibration by a hash of seed and content.

    Neither their order nor what they are called matters. Units (`mmdmad.pipeline.units`) fall into one part: a detector
    that had learned one of two copies, or half of a recording, would find the rest too normal, and all fresh cases odd
    beside it. A unit that makes up more than half of the smallest share goes to fit, where it leaves the other parts
    their size. Where a few recordings are cut into blocks, cases beside a block of another part are left out.
    """
    units = units_of(cases, BLOCKS) if units is None else units
    sizes = Counter(units.of)
    large = min(shares.fit, shares.reference, shares.calibration) * len(cases) / 2

    def place(row: int) -> tuple[bool, float, str, str]:
        unit = units.of[row]
        known = units.kind == "block" or sizes[unit] <= max(large, 1)
        return known, case_uniform(unit, "split", seed), unit, cases[row].id

    order = sorted(range(len(cases)), key=place)
    mine = [units.of[row] for row in order]
    edges = [0, *(i for i in range(1, len(mine)) if mine[i] != mine[i - 1]), len(mine)]
    first = _nearest(edges[1:-2] or edges, shares.fit * len(mine))
    later = [edge for edge in edges if edge > first]
    rest = shares.reference / (shares.reference + shares.calibration)
    second = _nearest(later[:-1] or [first], first + rest * (len(mine) - first))
    return arranged(cases, units, order[:first], order[first:second], order[second:])


def arranged(
    cases: Sequence[Case],
    units: Units,
    fit: Sequence[int],
    reference: Sequence[int],
    calibration: Sequence[int],
    folds: int = 1,
) -> Split:
    """The split of these rows, without those that lie too near to what is held out."""
    reference = units.clear(reference, calibration)
    fit = units.clear(fit, [*reference, *calibration])
    order = [*fit, *reference, *calibration]
    first, second = len(fit), len(fit) + len(reference)
    return Split(
        tuple(cases[row] for row in order),
        tuple(units.keys[row] for row in order),
        range(first),
        range(first, second),
        range(second, len(order)),
        units.kind,
        tuple(units.of[row] for row in order),
        folds,
    )


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
            return few + _held_together(rows, modality)
    return ""


def _held_together(rows: Split, modality: Modality) -> str:
    """Why so many cases may fill so few splits ("" where each stands for itself)."""
    mine = [rows.unit(row) for row, case in enumerate(rows.cases) if modality in case.parts]
    different = len(set(mine))
    if different == len(mine):
        return ""
    if rows.kind == "case":
        return f" (copies stay in one split, and {different} different contents were given)"
    what = "recordings" if rows.kind == "recording" else "blocks of a recording"
    return f" ({what} stay in one split, and there are {different})"


def is_too_few(reason: str) -> bool:
    """Whether a part was refused for no fault of its own, but because there are too few of its kind."""
    return reason.startswith("only ") and "are needed to learn" in reason
